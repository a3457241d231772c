//! Worked examples: local redelivery, closing and crashing, expiry.

use crate::common::run;

/// Rules 3.4, 4.1, 4.2, 4.3.
/// Rule: throw-redelivers, redelivery-blocks, redelivery-may-not-block, redelivered-from-the-second, poison
#[test]
fn example_12_12_a_listener_that_always_fails_holds_up_the_others() {
    let run = |non_blocking: bool| {
        run(&format!(
            r#"{{
      "network": {{"latency": "0us"}},
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 5}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "prefetchSize": 10,
        "url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=2&jms.redeliveryPolicy.initialRedeliveryDelay=200&jms.redeliveryPolicy.redeliveryDelay=300&jms.nonBlockingRedelivery={non_blocking}",
        "failures": [{{"throw": {{"messages": [2]}}}}]}}]
    }}"#
        ))
    };
    let blocking = run(false);
    assert_eq!(
        blocking.timed_acks("c"),
        [
            "@0 STANDARD m:1..m:1 x1",
            "@200 REDELIVERED m:2..m:2 x1",
            "@500 POISON m:2..m:2 x1",
            "@500 STANDARD m:3..m:3 x1",
            "@500 STANDARD m:4..m:4 x1",
            "@500 STANDARD m:5..m:5 x1",
        ]
    );
    assert_eq!(
        blocking.timed_delivered("c"),
        [
            "@0 m:1..m:2",
            "@200 m:2 count=2",
            "@500 m:2 count=3",
            "@500 m:3..m:5"
        ]
    );
    assert_eq!(blocking.dead(), ["m:2"]);
    assert_eq!(
        run(true).timed_delivered("c"),
        ["@0 m:1..m:5", "@200 m:2 count=2", "@500 m:2 count=3"]
    );
}

/// Rules 4.1, 4.3: step 1 of a rollback forgets the older half of the unacknowledged.
/// Rule: optimize-drops-half
#[test]
fn example_12_13_optimized_acks_and_a_failure_drop_the_older_half() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 8}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 100, "stop": "2s",
        "url": "tcp://b?jms.optimizeAcknowledge=true&jms.optimizeAcknowledgeTimeOut=0&jms.redeliveryPolicy.maximumRedeliveries=2&jms.redeliveryPolicy.initialRedeliveryDelay=200&jms.redeliveryPolicy.redeliveryDelay=300",
        "failures": [{"throw": {"messages": [4]}}]}]
    }"#);
    assert_eq!(
        run.delivered("c"),
        ["m:1..m:4", "m:3..m:4 count=2", "m:4 count=3", "m:5..m:8"]
    );
    assert_eq!(
        run.acks("c"),
        ["REDELIVERED m:4..m:4 x1", "STANDARD m:5..m:8 x4", "close"]
    );
    assert!(run.dead().is_empty(), "it is not poisoned");
    assert_eq!(run.remaining(), ["m:1..m:4"]);
}

/// Rules 3.7, 4.1: every rollback raises the threshold of the 0.65 rule for good.
/// Rule: optimize-drops-half
#[test]
fn example_12_14_a_failure_under_optimized_acks_stalls_the_consumer() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 40}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 20, "start": "100ms", "stop": "3s",
        "url": "tcp://b?jms.optimizeAcknowledge=true&jms.optimizeAcknowledgeTimeOut=0&jms.redeliveryPolicy.maximumRedeliveries=2&jms.redeliveryPolicy.initialRedeliveryDelay=200&jms.redeliveryPolicy.redeliveryDelay=300",
        "failures": [{"throw": {"messages": [6]}}]}]
    }"#);
    assert_eq!(
        run.delivered("c"),
        ["m:1..m:6", "m:4..m:6 count=2", "m:6 count=3", "m:7..m:30"]
    );
    assert_eq!(
        run.broker("c"),
        [
            "dispatch m:1..m:20",
            "REDELIVERED m:6..m:6 x1",
            "STANDARD m:7..m:16 x10",
            "dispatch m:21..m:30",
            // Nothing more comes until the close.
            "STANDARD m:17..m:30 x14",
            "dispatch m:31..m:40",
            "close",
        ]
    );
}

/// Rules 4.1, 4.3, 6.4: one POISON of seven takes back only one of the five by which the window was widened.
/// Rule: poison, recover, poison-ack
#[test]
fn example_12_15_recover_three_times() {
    let run = run(r#"{
      "network": {"latency": "0us"},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 12}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 10, "start": "100ms",
        "url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=2&jms.redeliveryPolicy.initialRedeliveryDelay=200&jms.redeliveryPolicy.redeliveryDelay=300",
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true}, "receive": "receive",
        "failures": [{"throw": {"messages": [7], "times": 3}}]}]
    }"#);
    assert_eq!(
        run.timed("c"),
        [
            "@100 dispatch m:1..m:10",
            "@100 DELIVERED m:1..m:5 x5",
            "@100 dispatch m:11..m:12",
            "@300 REDELIVERED m:1..m:7 x7",
            "@600 POISON m:1..m:7 x7",
        ]
    );
    assert_eq!(
        run.timed_delivered("c"),
        [
            "@100 m:1..m:7",
            "@300 m:1..m:7 count=2",
            "@600 m:1..m:7 count=3",
            "@600 m:8..m:12"
        ]
    );
    assert_eq!(run.dead(), ["m:1..m:7"]);
    assert_eq!(run.in_flight("c"), 5);
}

/// What the next consumer gets after the first received four of twelve messages and ended so.
fn next_after(end: &str, mode: &str) -> Vec<String> {
    let run = run(&format!(
        r#"{{
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 12}}],
      "consumers": [
        {{"name": "c", "destination": "queue://Q", "prefetchSize": 10, "start": "100ms", {mode},
          "receive": "receive", "processing": "10ms", "failures": [{{"{end}": {{"afterDeliveries": 4}}}}]}},
        {{"name": "next", "destination": "queue://Q", "start": "500ms"}}]
    }}"#
    ));
    run.dispatched("next")
}

/// Rules 3.9, 6.6.
/// Rule: close-tells-last-delivered, close-counts-delivered
#[test]
fn example_12_16_a_close_flags_what_was_delivered() {
    let client = r#""acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true}"#;
    assert_eq!(
        next_after("close", client),
        ["m:1..m:4 redelivery=1", "m:5..m:12"]
    );
    let auto = r#""acknowledgeMode": "AUTO_ACKNOWLEDGE""#;
    assert_eq!(next_after("close", auto), ["m:5..m:12"]);
    let transacted = r#""acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 100}"#;
    assert_eq!(
        next_after("close", transacted),
        ["m:1..m:4 redelivery=1", "m:5..m:12"]
    );
}

/// Rules 5.7, 6.6.
/// Rule: crash-sends-nothing, crash-counts-all
#[test]
fn example_12_16_a_crash_flags_all_that_was_in_flight() {
    let client = r#""acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true}"#;
    assert_eq!(
        next_after("crash", client),
        ["m:1..m:10 redelivery=1", "m:11..m:12"]
    );
    let auto = r#""acknowledgeMode": "AUTO_ACKNOWLEDGE""#;
    assert_eq!(next_after("crash", auto), ["m:5..m:12 redelivery=1"]);
    let transacted = r#""acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 100}"#;
    assert_eq!(
        next_after("crash", transacted),
        ["m:1..m:10 redelivery=1", "m:11..m:12"]
    );
}

/// Rules 3.6, 6.8. `a` and `c` have no time to live, `b` has 200 ms and expires in the prefetch buffer.
/// Rule: expired-at-client, expired-ack
#[test]
fn example_12_28_expired_in_the_prefetch_buffer() {
    let run = run(r#"{
      "producers": [
        {"name": "a", "destination": "queue://Q", "messages": 2},
        {"name": "b", "destination": "queue://Q", "messages": 2, "start": "10ms", "timeToLive": "200ms"},
        {"name": "c", "destination": "queue://Q", "messages": 2, "start": "20ms"}],
      "consumers": [{"name": "w", "destination": "queue://Q", "prefetchSize": 10, "receive": "receive",
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true},
        "failures": [{"hang": {"afterDeliveries": 1, "for": "400ms"}}]}]
    }"#);
    assert_eq!(run.delivered("w"), ["a:1..a:2", "c:1..c:2"]);
    assert_eq!(
        run.acks("w"),
        ["EXPIRED b:1..b:1 x1", "EXPIRED b:2..b:2 x1"]
    );
    assert_eq!(run.dead(), ["b:1..b:2"]);
}

/// Rules 6.2, 6.8.
/// Rule: expired-when-read
#[test]
fn example_12_28_expired_before_anybody_came() {
    let run = run(r#"{
      "producers": [{"name": "b", "destination": "queue://Q", "messages": 2, "timeToLive": "200ms"},
                    {"name": "c", "destination": "queue://Q", "messages": 2, "start": "20ms"}],
      "consumers": [{"name": "w", "destination": "queue://Q", "start": "400ms"}]
    }"#);
    assert_eq!(run.dispatched("w"), ["c:1..c:2"]);
    assert_eq!(run.views.outcome.expired, ["b:1", "b:2"]);
    assert_eq!(run.dead(), ["b:1..b:2"]);
}

/// Rules 3.6, 3.7: an expired message counts in no batch.
/// Rule: expired-at-client
#[test]
fn example_12_28_an_expired_message_leaves_a_gap_in_an_optimized_range() {
    let run = run(r#"{
      "producers": [
        {"name": "a", "destination": "queue://Q", "messages": 2},
        {"name": "b", "destination": "queue://Q", "messages": 1, "start": "10ms", "timeToLive": "200ms"},
        {"name": "c", "destination": "queue://Q", "messages": 5, "start": "20ms"}],
      "consumers": [{"name": "w", "destination": "queue://Q", "prefetchSize": 10,
        "url": "tcp://b?jms.optimizeAcknowledge=true&jms.optimizeAcknowledgeTimeOut=0",
        "failures": [{"hang": {"afterDeliveries": 1, "for": "400ms"}}]}]
    }"#);
    assert_eq!(
        run.acks("w"),
        ["EXPIRED b:1..b:1 x1", "STANDARD a:1..c:5 x7"]
    );
}

/// Rule 4.1: rollbacks of {m:1}, {m:1, m:2}, {m:1..m:3}, {m:1..m:4} and {m:1..m:4}.
/// Rule: newest-decides
#[test]
fn example_12_29_the_newest_message_decides_for_the_batch() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 4}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 20, "start": "100ms",
        "url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=1&jms.redeliveryPolicy.initialRedeliveryDelay=50&jms.redeliveryPolicy.redeliveryDelay=50",
        "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 100}, "receive": "receive",
        "failures": [{"throw": {"messages": [1, 2, 3], "times": 1}}, {"throw": {"messages": [4], "times": 2}}]}]
    }"#);
    assert_eq!(
        run.acks("c"),
        [
            "begin",
            "STANDARD m:1..m:1 x1 tx",
            "rollback",
            "begin",
            "STANDARD m:1..m:2 x2 tx",
            "rollback",
            "begin",
            "STANDARD m:1..m:3 x3 tx",
            "rollback",
            "begin",
            "STANDARD m:1..m:4 x4 tx",
            "rollback",
            "begin",
            "STANDARD m:1..m:4 x4 tx",
            "rollback",
            "POISON m:1..m:4 x4",
        ]
    );
    let mut first = run.views.consumers["c"]
        .delivered
        .iter()
        .filter(|line| line.starts_with("m:1"));
    let last = first.next_back().expect("it was delivered");
    assert_eq!(
        last, "m:1 redelivered count=5",
        "beyond the maximum of one redelivery"
    );
}
