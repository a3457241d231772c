//! Worked examples: who gets what, the order of what comes back, slow consumers.

use crate::common::run;

/// Rule 6.3.
/// Rule: takers-go-last
#[test]
fn example_12_22_equal_consumers_take_turns() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 12}],
      "consumers": [{"name": "c", "count": 3, "destination": "queue://Q", "prefetchSize": 3,
        "failures": [{"hang": {"afterDeliveries": 1}}]}]
    }"#);
    assert_eq!(run.dispatched("c-1"), ["m:1", "m:4", "m:7"]);
    assert_eq!(run.dispatched("c-2"), ["m:2", "m:5", "m:8"]);
    assert_eq!(run.dispatched("c-3"), ["m:3", "m:6", "m:9"]);
    assert_eq!(
        run.remaining().len(),
        1,
        "all nine in flight and three more are left"
    );
}

/// Rule 6.3.
/// Rule: strict-order-fills-first
#[test]
fn example_12_22_strict_order_fills_the_first() {
    let run = run(r#"{
      "broker": {"policies": {"queue://Q": {"strictOrderDispatch": true}}},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 8}],
      "consumers": [{"name": "c", "count": 2, "destination": "queue://Q", "prefetchSize": 3,
        "failures": [{"hang": {"afterDeliveries": 1}}]}]
    }"#);
    assert_eq!(run.dispatched("c-1"), ["m:1..m:3"]);
    assert_eq!(run.dispatched("c-2"), ["m:4..m:6"]);
}

/// Two or three consumers that take what the broker gives them and never finish.
fn dispatched(messages: u32, consumers: &[&str]) -> Vec<Vec<String>> {
    let hang = r#""failures": [{"hang": {"afterDeliveries": 1}}]"#;
    let entries: Vec<String> = consumers
        .iter()
        .enumerate()
        .map(|(k, options)| {
            format!(r#"{{"name": "c{k}", "destination": "queue://Q?{options}", {hang}}}"#)
        })
        .collect();
    let run = run(&format!(
        r#"{{
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": {messages}}}],
      "consumers": [{}]
    }}"#,
        entries.join(",")
    ));
    (0..consumers.len())
        .map(|k| run.dispatched(&format!("c{k}")))
        .collect()
}

/// Rule 6.3.
/// Rule: consumer-priority
#[test]
fn example_12_22_higher_priority_first() {
    let plain = "consumer.prefetchSize=3";
    assert_eq!(
        dispatched(
            8,
            &[plain, "consumer.prefetchSize=3&consumer.priority=5", plain]
        ),
        [
            vec!["m:4", "m:6", "m:8"],
            vec!["m:1..m:3"],
            vec!["m:5", "m:7"]
        ]
    );
}

/// Rules 6.3, 6.4.
/// Rule: full-is-passed-over
#[test]
fn example_12_22_a_full_consumer_is_passed_over() {
    assert_eq!(
        dispatched(10, &["consumer.prefetchSize=1", "consumer.prefetchSize=5"]),
        [["m:1"], ["m:2..m:6"]]
    );
}

/// Rule 6.3.
/// Rule: exclusive
#[test]
fn example_12_22_an_exclusive_consumer_gets_everything() {
    let plain = "consumer.prefetchSize=3";
    assert_eq!(
        dispatched(
            8,
            &[
                plain,
                "consumer.prefetchSize=3&consumer.exclusive=true",
                plain
            ]
        ),
        [vec![], vec!["m:1..m:3"], vec![]]
    );
}

/// Rule 6.3. Groups come in turn, A B C A B C A B C A: the first consumer owns A and C, and is full after four.
/// Rule: groups-have-owners, groups-prefer-the-poor
#[test]
fn example_12_22_groups_stay_with_their_owner() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 10, "groups": {"count": 3}}],
      "consumers": [{"name": "c", "count": 2, "destination": "queue://Q", "prefetchSize": 4,
        "failures": [{"hang": {"afterDeliveries": 1}}]}]
    }"#);
    assert_eq!(run.dispatched("c-1"), ["m:1", "m:3..m:4", "m:6"]);
    assert_eq!(run.dispatched("c-2"), ["m:2", "m:5", "m:8"]);
}

/// Rules 6.3, 6.4, 6.6.
/// Rule: siblings-get-it-at-once
#[test]
fn example_12_23_what_a_crash_brings_back_waits_for_room() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 12}],
      "consumers": [
        {"name": "c1", "destination": "queue://Q", "prefetchSize": 4, "receive": "receive", "processing": "10ms",
         "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true},
         "failures": [{"crash": {"afterDeliveries": 2}}]},
        {"name": "c2", "destination": "queue://Q", "prefetchSize": 4, "receive": "receive", "processing": "50ms",
         "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"every": 4}}]
    }"#);
    assert_eq!(
        run.broker("c1"),
        [
            "dispatch m:1",
            "dispatch m:3",
            "dispatch m:5",
            "dispatch m:7",
            "DELIVERED m:1..m:3 x2",
            "dispatch m:9..m:10",
            "lost"
        ]
    );
    assert_eq!(
        run.broker("c2")[4..],
        [
            "DELIVERED m:2..m:4 x2",
            "dispatch m:1 redelivery=1",
            "dispatch m:3 redelivery=1",
            "DELIVERED m:6..m:8 x2",
            "dispatch m:5 redelivery=1",
            "dispatch m:7 redelivery=1",
            "STANDARD m:2..m:8 x4",
            "DELIVERED m:1..m:3 x2",
            "dispatch m:9..m:10 redelivery=1",
            "DELIVERED m:5..m:7 x2",
            "dispatch m:11..m:12",
            "STANDARD m:1..m:7 x4",
            "DELIVERED m:9..m:10 x2",
            "DELIVERED m:11..m:12 x2",
            "STANDARD m:9..m:12 x4",
        ]
    );
}

/// Rule 6.6: in the order in which the consumers left.
/// Rule: returned-go-first
#[test]
fn example_12_24_returned_messages_come_in_the_order_of_leaving() {
    let run = run(r#"{
      "broker": {"policies": {"queue://Q": {"usePrefetchExtension": false}}},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 9}],
      "consumers": [
        {"name": "c1", "destination": "queue://Q", "prefetchSize": 2, "stop": "300ms",
         "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true}},
        {"name": "c2", "destination": "queue://Q", "prefetchSize": 2, "stop": "200ms",
         "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true}},
        {"name": "c3", "destination": "queue://Q", "prefetchSize": 2,
         "failures": [{"hang": {"afterDeliveries": 1, "for": "500ms"}}]}]
    }"#);
    assert_eq!(
        run.views.consumers["c3"].dispatched,
        [
            "m:3",
            "m:6",
            "m:2 redelivery=1",
            "m:5 redelivery=1",
            "m:1 redelivery=1",
            "m:4 redelivery=1",
            "m:7",
            "m:8",
            "m:9"
        ]
    );
}

/// Rule 6.6: with strict order and nobody left, an older batch goes before a younger one.
/// Rule: strict-order-re-heads
#[test]
fn example_12_24_strict_order_puts_older_messages_first() {
    let run = run(r#"{
      "broker": {"policies": {"queue://Q": {"strictOrderDispatch": true, "usePrefetchExtension": false}}},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 8}],
      "consumers": [
        {"name": "c1", "destination": "queue://Q", "prefetchSize": 3, "stop": "300ms",
         "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true}},
        {"name": "c2", "destination": "queue://Q", "prefetchSize": 3, "stop": "200ms",
         "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true}},
        {"name": "next", "destination": "queue://Q", "start": "500ms"}]
    }"#);
    assert_eq!(
        run.dispatched("next"),
        ["m:1..m:6 redelivery=1", "m:7..m:8"]
    );
}

/// Rules 7.2, 8.1. A message every 10 ms; the consumer hangs in the first.
/// Rule: topic-pending, topic-slow, topic-not-slow
#[test]
fn example_12_25_a_topic_consumer_is_slow_when_more_than_its_prefetch_waits() {
    let run = run(r#"{
      "network": {"latency": "0us"},
      "producers": [{"name": "m", "destination": "topic://T", "messages": 22, "arrivals": {"every": "10ms"}},
                    {"name": "late", "destination": "topic://T", "arrivals": {"at": ["2s"]}}],
      "consumers": [{"name": "c", "destination": "topic://T", "prefetchSize": 10,
        "failures": [{"hang": {"afterDeliveries": 1, "for": "1s"}}]}]
    }"#);
    let marks: Vec<String> = run
        .timed("c")
        .into_iter()
        .filter(|line| line.ends_with("slow"))
        .collect();
    assert_eq!(marks, ["@220 slow", "@2000 not slow"]);
}

/// Rules 7.4, 8.1. A message every 10 ms; the second delivery, at 80 ms, lets two more out.
/// Rule: durable-slow, room-clears-slow
#[test]
fn example_12_25_a_durable_consumer_is_slow_beyond_its_window() {
    let run = run(r#"{
      "network": {"latency": "0us"}, "until": "120ms",
      "producers": [{"name": "m", "destination": "topic://T", "messages": 6, "arrivals": {"every": "10ms"}},
                    {"name": "late", "destination": "topic://T", "arrivals": {"at": ["100ms"]}}],
      "consumers": [{"name": "c", "destination": "topic://T", "durable": "d", "prefetchSize": 4,
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true},
        "receive": "receive", "processing": "70ms"}]
    }"#);
    assert_eq!(
        run.timed("c"),
        [
            "@10 dispatch m:1",
            "@20 dispatch m:2",
            "@30 dispatch m:3",
            "@40 dispatch m:4",
            "@50 slow",
            "@80 DELIVERED m:1..m:2 x2",
            "@80 not slow",
            "@80 dispatch m:5..m:6",
            "@100 slow",
        ]
    );
}

/// Rules 6.7, 7.2, 7.3.
/// Rule: eviction
#[test]
fn example_12_26_a_constant_limit_evicts_the_oldest() {
    let run = run(r#"{
      "broker": {"policies": {"topic://T": {"pendingMessageLimitStrategy": {"constant": 3}}}},
      "producers": [{"name": "m", "destination": "topic://T", "messages": 8, "arrivals": {"every": "10ms"}}],
      "consumers": [{"name": "c", "destination": "topic://T", "prefetchSize": 2,
        "failures": [{"hang": {"afterDeliveries": 1, "for": "500ms"}}]}]
    }"#);
    assert_eq!(
        run.broker("c")[..3],
        ["dispatch m:1..m:2", "slow", "discard m:3..m:5"]
    );
    assert_eq!(run.delivered("c"), ["m:1..m:2", "m:6..m:8"]);
    assert_eq!(run.dead(), ["m:3..m:5"]);
}

/// Rules 8.1, 8.2, 8.4. A message every 10 ms, the sixth at 60 ms starts the timer; `c` reads one and hangs, and
/// its optimized ack leaves with the close.
/// Rule: slow-tells-strategy, abort-slow, abort-closes
#[test]
fn example_12_27_abort_slow_consumer() {
    let run = run(r#"{
      "network": {"latency": "0us"}, "until": "2s",
      "broker": {"policies": {"topic://T": {"slowConsumerStrategy":
        {"abortSlowConsumer": {"checkPeriod": "300ms", "maxSlowDuration": "600ms"}}}}},
      "producers": [{"name": "m", "destination": "topic://T", "messages": 6, "arrivals": {"every": "10ms"}}],
      "consumers": [{"name": "c", "destination": "topic://T", "prefetchSize": 2, "receive": "receive",
        "url": "tcp://b?jms.optimizeAcknowledge=true&jms.optimizeAcknowledgeTimeOut=0",
        "failures": [{"hang": {"afterDeliveries": 1}}]}]
    }"#);
    assert_eq!(
        run.timed("c"),
        [
            "@10 dispatch m:1",
            "@20 dispatch m:2",
            "@60 slow",
            "@660 STANDARD m:1..m:1 x1",
            "@660 dispatch m:3",
            "@660 close",
        ]
    );
}

/// Rules 8.3, 8.4, 6.6.
/// Rule: abort-slow-ack, abort-closes
#[test]
fn example_12_27_abort_slow_ack_consumer() {
    let run = run(r#"{
      "network": {"latency": "0us"}, "until": "2s",
      "broker": {"policies": {"queue://Q": {"slowConsumerStrategy": {"abortSlowAckConsumer":
        {"checkPeriod": "200ms", "maxTimeSinceLastAck": "500ms", "maxSlowDuration": "400ms"}}}}},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 6}],
      "consumers": [
        {"name": "c", "destination": "queue://Q", "prefetchSize": 10, "receive": "receive",
         "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true},
         "failures": [{"hang": {"afterDeliveries": 3}}]},
        {"name": "next", "destination": "queue://Q", "start": "700ms"}]
    }"#);
    assert_eq!(run.timed("c")[1..], ["@600 slow", "@800 close"]);
    assert_eq!(
        run.dispatched("next"),
        ["m:1..m:3 redelivery=1", "m:4..m:6"]
    );
}
