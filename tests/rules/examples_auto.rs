//! Worked examples: AUTO_ACKNOWLEDGE and DUPS_OK_ACKNOWLEDGE.

use crate::common::run;

/// Rules 3.7, 3.9, 6.4.
/// Rule: optimize-threshold
#[test]
fn example_12_1_optimized_acks_of_seven() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 20}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 10, "start": "100ms",
        "url": "tcp://b?jms.optimizeAcknowledge=true&jms.optimizeAcknowledgeTimeOut=0",
        "receive": "receive", "processing": "10ms", "messages": 20}]
    }"#);
    assert_eq!(
        run.broker("c"),
        [
            "dispatch m:1..m:10",
            "STANDARD m:1..m:7 x7",
            "dispatch m:11..m:17",
            "STANDARD m:8..m:14 x7",
            "dispatch m:18..m:20",
            "STANDARD m:15..m:20 x6",
            "close",
        ]
    );
}

/// Rules 3.7, 6.6.
/// Rule: crash-sends-nothing
#[test]
fn example_12_1_a_crash_brings_the_tail_again() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 20}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 10, "start": "100ms",
        "url": "tcp://b?jms.optimizeAcknowledge=true&jms.optimizeAcknowledgeTimeOut=0",
        "receive": "receive", "processing": "10ms",
        "failures": [{"crash": {"afterDeliveries": 20, "restartAfter": "50ms"}}]}]
    }"#);
    assert_eq!(
        run.broker("c")[3..],
        [
            "STANDARD m:8..m:14 x7",
            "dispatch m:18..m:20",
            "lost",
            "dispatch m:15..m:20 redelivery=1",
        ]
    );
}

/// Rule 3.7.
/// Rule: optimize-time-out
#[test]
fn example_12_2_the_time_out_is_looked_at_when_a_message_is_consumed() {
    let run = run(r#"{
      "network": {"latency": "0us"},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 10, "arrivals": {"every": "120ms"}}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 10,
        "url": "tcp://b?jms.optimizeAcknowledge=true"}]
    }"#);
    assert_eq!(
        run.timed_acks("c"),
        [
            "@360 STANDARD m:1..m:3 x3",
            "@720 STANDARD m:4..m:6 x3",
            "@1080 STANDARD m:7..m:9 x3",
        ]
    );
}

/// Rules 3.7, 3.9.
/// Rule: optimize-timer
#[test]
fn example_12_3_the_scheduled_ack_is_a_timer() {
    let run = run(r#"{
      "network": {"latency": "0us"},
      "producers": [{"name": "m", "destination": "queue://Q",
        "arrivals": {"at": ["175ms", "275ms", "375ms", "475ms", "575ms", "675ms", "775ms", "875ms", "975ms"]}}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 100,
        "url": "tcp://b?jms.optimizeAcknowledge=true&jms.optimizeAcknowledgeTimeOut=0&jms.optimizedAckScheduledAckInterval=250"}]
    }"#);
    assert_eq!(
        run.timed_acks("c"),
        [
            "@250 STANDARD m:1..m:1 x1",
            "@500 STANDARD m:2..m:4 x3",
            "@750 STANDARD m:5..m:6 x2",
            "@1000 STANDARD m:7..m:9 x3",
        ]
    );
}

/// Rules 1.2, 3.8, 3.9.
/// Rule: dups-ok-on-topics
#[test]
fn example_12_18_dups_ok_on_a_topic_acknowledges_half_windows() {
    let run = |prefetch: u32, messages: u32| {
        run(&format!(
            r#"{{
      "producers": [{{"name": "m", "destination": "topic://T", "messages": {messages}}}],
      "consumers": [{{"name": "c", "destination": "topic://T", "prefetchSize": {prefetch},
        "acknowledgeMode": "DUPS_OK_ACKNOWLEDGE", "receive": "receive", "messages": {messages}}}]
    }}"#
        ))
        .acks("c")
    };
    assert_eq!(
        run(10, 12),
        [
            "STANDARD m:1..m:5 x5",
            "STANDARD m:6..m:10 x5",
            "STANDARD m:11..m:12 x2",
            "close"
        ]
    );
    assert_eq!(
        run(5, 7),
        [
            "STANDARD m:1..m:3 x3",
            "STANDARD m:4..m:6 x3",
            "STANDARD m:7..m:7 x1",
            "close"
        ]
    );
    assert_eq!(
        run(1, 3),
        [
            "STANDARD m:1..m:1 x1",
            "STANDARD m:2..m:2 x1",
            "STANDARD m:3..m:3 x1",
            "close"
        ]
    );
}

/// Rules 3.4, 4.3, 6.4, 7.2. The range covers six messages and says five.
/// Rule: throw-in-dups-ok-topic-skips
#[test]
fn example_12_18_a_message_whose_listener_throws_is_skipped() {
    let run = |durable: &str| {
        run(&format!(
            r#"{{
      "producers": [{{"name": "m", "destination": "topic://T", "messages": 10}}],
      "consumers": [{{"name": "c", "destination": "topic://T", {durable} "prefetchSize": 10,
        "acknowledgeMode": "DUPS_OK_ACKNOWLEDGE", "processing": "10ms",
        "failures": [{{"throw": {{"messages": [2]}}}}, {{"hang": {{"afterDeliveries": 7}}}}]}}]
    }}"#
        ))
    };
    let topic = run("");
    assert_eq!(topic.acks("c"), ["STANDARD m:1..m:6 x5"]);
    assert_eq!(topic.in_flight("c"), 4);
    let durable = run(r#""durable": "d","#);
    assert_eq!(durable.acks("c"), ["STANDARD m:1..m:6 x5", "rejected"]);
    assert_eq!(durable.in_flight("c"), 10);
}

/// Rule 1.2.
/// Rule: auto-acks-each
#[test]
fn example_12_19_dups_ok_on_a_queue_is_never_optimized() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 4}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 10,
        "acknowledgeMode": "DUPS_OK_ACKNOWLEDGE", "url": "tcp://b?jms.optimizeAcknowledge=true"}]
    }"#);
    assert_eq!(
        run.acks("c"),
        [
            "STANDARD m:1..m:1 x1",
            "STANDARD m:2..m:2 x1",
            "STANDARD m:3..m:3 x1",
            "STANDARD m:4..m:4 x1"
        ]
    );
}
