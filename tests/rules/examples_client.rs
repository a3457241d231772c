//! Worked examples: CLIENT_ACKNOWLEDGE, INDIVIDUAL_ACKNOWLEDGE and pulling.

use crate::common::run;

/// Rules 3.8, 6.4, 8.1.
/// Rule: half-window, extension-has-no-bound
#[test]
fn example_12_4_client_never_acknowledged_does_not_freeze() {
    let run = |hang: &str| {
        run(&format!(
            r#"{{
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 40}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "prefetchSize": 10, "start": "100ms",
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {{"never": true}},
        "receive": "receive", "processing": "10ms", "failures": [{hang}]}}]
    }}"#
        ))
    };
    let after_22 = run(r#"{"hang": {"afterDeliveries": 22}}"#);
    assert_eq!(
        after_22.broker("c"),
        [
            "dispatch m:1..m:10",
            "DELIVERED m:1..m:5 x5",
            "dispatch m:11..m:15",
            "DELIVERED m:6..m:10 x5",
            "dispatch m:16..m:20",
            "DELIVERED m:11..m:15 x5",
            "dispatch m:21..m:25",
            "DELIVERED m:16..m:20 x5",
            "dispatch m:26..m:30",
        ]
    );
    assert_eq!(after_22.in_flight("c"), 30);
    assert_eq!(run("").delivered("c"), ["m:1..m:40"]);
}

/// Rules 2.3, 6.4.
/// Rule: window, extension-can-be-forbidden
#[test]
fn example_12_5_no_extension_freezes_at_the_prefetch() {
    let run = |policy: &str, prefetch: &str| {
        run(&format!(
            r#"{{
      "broker": {{"policies": {{"queue://Q": {{{policy}}}}}}},
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 40}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", {prefetch} "start": "100ms",
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {{"never": true}},
        "receive": "receive", "processing": "10ms"}}]
    }}"#
        ))
    };
    let no_extension = run(r#""usePrefetchExtension": false"#, r#""prefetchSize": 10,"#);
    assert_eq!(
        no_extension.broker("c"),
        [
            "dispatch m:1..m:10",
            "DELIVERED m:1..m:5 x5",
            "DELIVERED m:6..m:10 x5"
        ]
    );
    // The client waits for half of its own 1000, while the policy lets 10 through.
    let cut_by_policy = run(r#""queuePrefetch": 10"#, "");
    assert_eq!(cut_by_policy.broker("c"), ["dispatch m:1..m:10"]);
    assert_eq!(cut_by_policy.delivered("c"), ["m:1..m:10"]);
}

/// Rules 3.8, 3.10, 6.4.
/// Rule: acknowledge-is-session-wide, acknowledge-of-a-consumer, standard-ack
#[test]
fn example_12_6_client_acknowledges_every_seventh() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 40}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 10, "start": "100ms",
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"every": 7},
        "receive": "receive", "processing": "10ms", "failures": [{"hang": {"afterDeliveries": 15}}]}]
    }"#);
    assert_eq!(
        run.broker("c"),
        [
            "dispatch m:1..m:10",
            "DELIVERED m:1..m:5 x5",
            "dispatch m:11..m:15",
            "STANDARD m:1..m:7 x7",
            "dispatch m:16..m:17",
            "DELIVERED m:8..m:12 x5",
            "dispatch m:18..m:22",
            "STANDARD m:8..m:14 x7",
            "dispatch m:23..m:24",
        ]
    );
}

/// Rules 3.8, 6.4.
/// Rule: half-window
#[test]
fn example_12_7_prefetch_1_still_gives_the_next() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 10}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 1, "start": "100ms",
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true},
        "receive": "receive", "processing": "10ms", "failures": [{"hang": {"afterDeliveries": 6}}]}]
    }"#);
    let mut expected = vec!["dispatch m:1".to_owned()];
    for k in 1..=6 {
        expected.push(format!("DELIVERED m:{k}..m:{k} x1"));
        expected.push(format!("dispatch m:{}", k + 1));
    }
    assert_eq!(run.broker("c"), expected);
    assert_eq!(run.in_flight("c"), 7);
}

/// Rules 3.5, 3.8, 3.10, 6.4.
/// Rule: acknowledge-individually, individual-ack
#[test]
fn example_12_8_individual_with_receive_swings_the_window() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 40}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 10, "start": "100ms",
        "acknowledgeMode": "INDIVIDUAL_ACKNOWLEDGE",
        "receive": "receive", "processing": "10ms", "failures": [{"hang": {"afterDeliveries": 13}}]}]
    }"#);
    assert_eq!(
        run.broker("c"),
        [
            "dispatch m:1..m:10",
            "INDIVIDUAL -..m:1 x1",
            "dispatch m:11",
            "INDIVIDUAL -..m:2 x1",
            "dispatch m:12",
            "INDIVIDUAL -..m:3 x1",
            "dispatch m:13",
            "INDIVIDUAL -..m:4 x1",
            "dispatch m:14",
            "DELIVERED m:1..m:5 x5",
            "dispatch m:15..m:19",
            "INDIVIDUAL -..m:5 x1",
            "INDIVIDUAL -..m:6 x1",
            "INDIVIDUAL -..m:7 x1",
            "INDIVIDUAL -..m:8 x1",
            "INDIVIDUAL -..m:9 x1",
            "DELIVERED m:6..m:10 x5",
            "dispatch m:20..m:24",
            "INDIVIDUAL -..m:10 x1",
            "INDIVIDUAL -..m:11 x1",
            "INDIVIDUAL -..m:12 x1",
        ]
    );
    assert_eq!(run.in_flight("c"), 12);
}

/// Rules 3.5, 3.10.
/// Rule: consumed-after-listener
#[test]
fn example_12_8_a_listener_that_acknowledges_inside_sends_no_delivered() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 13}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 10, "start": "100ms",
        "acknowledgeMode": "INDIVIDUAL_ACKNOWLEDGE", "processing": "10ms"}]
    }"#);
    let mut expected = vec!["dispatch m:1..m:10".to_owned()];
    for k in 1..=13 {
        expected.push(format!("INDIVIDUAL -..m:{k} x1"));
        expected.extend((k <= 3).then(|| format!("dispatch m:{}", k + 10)));
    }
    assert_eq!(run.broker("c"), expected);
}

/// Rules 3.3, 3.8, 3.11, 6.5.
/// Rule: pull, pull-credit
#[test]
fn example_12_17_receive_pulls_one_by_one() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 3},
                    {"name": "late", "destination": "queue://Q", "start": "500ms", "messages": 2}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 0, "start": "100ms",
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true},
        "receive": "receive", "processing": "10ms", "failures": [{"hang": {"afterDeliveries": 4}}]}]
    }"#);
    assert_eq!(
        run.broker("c"),
        [
            "pull",
            "dispatch m:1",
            "DELIVERED m:1..m:1 x1",
            "pull",
            "dispatch m:2",
            "DELIVERED m:2..m:2 x1",
            "pull",
            "dispatch m:3",
            "DELIVERED m:3..m:3 x1",
            // Nothing there: the credit of one stays until a message comes, and takes only that one.
            "pull",
            "dispatch late:1",
            "DELIVERED late:1..late:1 x1",
        ]
    );
}

/// Rules 3.3, 6.5.
/// Rule: pull-time-out
#[test]
fn example_12_17_pulls_with_a_time_out_get_nothing_as_an_answer() {
    let run = |receive: &str| {
        run(&format!(
            r#"{{
      "network": {{"latency": "0us"}}, "until": "450ms",
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 1, "arrivals": {{"at": ["50ms"]}}}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "prefetchSize": 0, {receive}}}]
    }}"#
        ))
        .timed("c")
    };
    assert_eq!(
        run(r#""receive": {"receive": {"timeout": "200ms"}}"#),
        [
            "@0 pull timeout=200",
            "@50 dispatch m:1",
            "@50 STANDARD m:1..m:1 x1",
            "@50 pull timeout=200",
            "@250 pull timeout=200",
            "@450 pull timeout=200",
        ]
    );
    assert_eq!(
        run(r#""receive": "receiveNoWait", "pollInterval": "150ms""#),
        [
            "@0 pull timeout=-1",
            "@150 pull timeout=-1",
            "@150 dispatch m:1",
            "@150 STANDARD m:1..m:1 x1",
            "@150 pull timeout=-1",
            "@300 pull timeout=-1",
            "@450 pull timeout=-1",
        ]
    );
}

/// Rules 3.11, 4.1, 5.5: the next receive pulls m:3 into the stopped buffer, behind the redelivered ones.
#[test]
fn example_12_17_a_rollback_fetches_ahead() {
    let run = run(r#"{
      "network": {"latency": "0us"},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 3}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 0, "start": "100ms",
        "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 2, "rollBack": [1]},
        "receive": "receive", "failures": [{"hang": {"afterDeliveries": 5}}]}]
    }"#);
    assert_eq!(
        run.timed("c"),
        [
            "@100 pull",
            "@100 dispatch m:1",
            "@100 begin",
            "@100 DELIVERED m:1..m:1 x1 tx",
            "@100 pull",
            "@100 dispatch m:2",
            "@100 DELIVERED m:2..m:2 x1 tx",
            "@100 STANDARD m:1..m:2 x2 tx",
            "@100 rollback",
            "@100 pull",
            "@100 dispatch m:3",
            "@1100 begin",
            "@1100 DELIVERED m:1..m:2 x0 tx",
            "@1100 STANDARD m:1..m:2 x2 tx",
            "@1100 commit",
            "@1100 begin",
            "@1100 DELIVERED m:3..m:3 x1 tx",
        ]
    );
    assert_eq!(run.delivered("c"), ["m:1..m:2", "m:1..m:2 count=2", "m:3"]);
}

/// Rules 3.10, 7.2.
/// Rule: topic-individual-frees-older
#[test]
fn example_12_20_an_individual_ack_on_a_topic_frees_older_ones() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "topic://T", "messages": 8}],
      "consumers": [{"name": "c", "destination": "topic://T", "prefetchSize": 4,
        "acknowledgeMode": "INDIVIDUAL_ACKNOWLEDGE", "acknowledge": {"every": 3},
        "receive": "receive", "processing": "10ms", "failures": [{"hang": {"afterDeliveries": 4}}]}]
    }"#);
    assert_eq!(
        run.broker("c")[..5],
        [
            "dispatch m:1..m:4",
            "DELIVERED m:1..m:2 x2",
            "dispatch m:5..m:6",
            "INDIVIDUAL -..m:3 x1",
            "dispatch m:7"
        ]
    );
}

/// Rules 3.10, 4.3, 7.2. The listener fails at m:5, so m:1, m:2, m:4 and m:5 come again, and m:2 is acknowledged
/// although it is not listed any more: all that is in flight goes with it.
/// Rule: topic-acks-need-no-match
#[test]
fn example_12_20_an_ack_of_what_is_not_listed_frees_everything() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "topic://T", "messages": 8}],
      "consumers": [{"name": "c", "destination": "topic://T", "prefetchSize": 4,
        "url": "tcp://b?jms.redeliveryPolicy.initialRedeliveryDelay=50",
        "acknowledgeMode": "INDIVIDUAL_ACKNOWLEDGE", "acknowledge": {"every": 3}, "processing": "10ms",
        "failures": [{"throw": {"messages": [5], "times": 1}}, {"hang": {"afterDeliveries": 8}}]}]
    }"#);
    assert_eq!(run.delivered("c")[1..], ["m:1..m:2 count=2", "m:4 count=2"]);
    assert_eq!(
        run.broker("c")[3..],
        [
            "INDIVIDUAL -..m:3 x1",
            "dispatch m:7",
            "INDIVIDUAL -..m:2 x1",
            "dispatch m:8"
        ]
    );
    assert_eq!(run.in_flight("c"), 1);
}

/// Rules 3.2, 3.10, 6.4. Deliveries alternate: a:1, b:1, a:2, b:2, a:3.
/// Rule: acknowledge-is-session-wide, acknowledge-of-a-consumer
#[test]
fn example_12_21_acknowledge_covers_the_whole_session_or_one_consumer() {
    let run = |acknowledge: &str| {
        run(&format!(
            r#"{{
      "producers": [
        {{"name": "a", "destination": "queue://A", "arrivals": {{"at": ["10ms", "30ms", "50ms", "70ms", "70ms", "70ms"]}}}},
        {{"name": "b", "destination": "queue://B", "arrivals": {{"at": ["20ms", "40ms", "80ms", "80ms", "80ms", "80ms"]}}}}],
      "consumers": [
        {{"name": "ca", "session": "s", "destination": "queue://A", "acknowledgeMode": "CLIENT_ACKNOWLEDGE",
          "acknowledge": {acknowledge}, "failures": [{{"hang": {{"afterDeliveries": 4}}}}]}},
        {{"name": "cb", "session": "s", "destination": "queue://B", "acknowledgeMode": "CLIENT_ACKNOWLEDGE",
          "acknowledge": {acknowledge}}}]
    }}"#
        ))
    };
    let session = run(r#"{"every": 5}"#);
    assert_eq!(session.acks("ca"), ["STANDARD a:1..a:3 x3"]);
    assert_eq!(session.acks("cb"), ["STANDARD b:1..b:2 x2"]);
    let consumer = run(r#"{"every": 3, "scope": "consumer"}"#);
    assert_eq!(consumer.acks("ca"), ["STANDARD a:1..a:3 x3"]);
    assert!(consumer.acks("cb").is_empty());
}
