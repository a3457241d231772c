//! Slow consumers and what becomes of them.

use crate::common::run;

/// Rules 6.4, 8.1, 8.2: a full queue consumer is not slow in 5.17.2, whatever waits, and nobody aborts it.
/// Rule: queue-is-never-slow
#[test]
fn rule_8_1_a_queue_consumer_is_never_slow() {
    let run = run(r#"{
      "until": "10s",
      "broker": {"policies": {"queue://Q": {"slowConsumerStrategy":
        {"abortSlowConsumer": {"checkPeriod": "100ms", "maxSlowDuration": "200ms", "maxSlowCount": 1}}}}},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 200}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 10, "receive": "receive",
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true},
        "failures": [{"hang": {"afterDeliveries": 7}}]}]
    }"#);
    assert!(run.views.outcome.slow.is_empty());
    assert_eq!(run.acks("c"), ["DELIVERED m:1..m:5 x5"], "it is not closed");
}

/// Rule 8.2: whoever is not slow at a check begins anew.
/// Rule: abort-slow
#[test]
fn rule_8_2_who_recovers_is_forgotten() {
    let run = |hang: &str| {
        run(&format!(
            r#"{{
      "until": "2s",
      "broker": {{"policies": {{"topic://T": {{"slowConsumerStrategy":
        {{"abortSlowConsumer": {{"checkPeriod": "300ms", "maxSlowDuration": "600ms"}}}}}}}}}},
      "producers": [{{"name": "m", "destination": "topic://T", "messages": 10}},
                    {{"name": "later", "destination": "topic://T", "arrivals": {{"at": ["500ms", "510ms"]}}}}],
      "consumers": [{{"name": "c", "destination": "topic://T", "prefetchSize": 2,
        "failures": [{{"hang": {{"afterDeliveries": 1, "for": "{hang}"}}}}]}}]
    }}"#
        ))
        .acks("c")
        .last()
        .cloned()
    };
    assert_eq!(
        run("400ms"),
        Some("STANDARD later:2..later:2 x1".to_owned())
    );
    assert_eq!(run("700ms"), Some("close".to_owned()));
}

/// Rule 8.2.
/// Rule: abort-slow
#[test]
fn rule_8_2_a_count_of_one_aborts_at_the_first_check() {
    let run = run(r#"{
      "network": {"latency": "0us"}, "until": "2s",
      "broker": {"policies": {"topic://T": {"slowConsumerStrategy":
        {"abortSlowConsumer": {"checkPeriod": "300ms", "maxSlowDuration": -1, "maxSlowCount": 1}}}}},
      "producers": [{"name": "m", "destination": "topic://T", "messages": 10}],
      "consumers": [{"name": "c", "destination": "topic://T", "prefetchSize": 2, "receive": "receive",
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true},
        "failures": [{"hang": {"afterDeliveries": 1}}]}]
    }"#);
    assert_eq!(run.timed("c").last().expect("lines"), "@300 close");
}

/// When AbortSlowAckConsumer closes a consumer that does this; None: never.
fn aborted(options: &str, consumer: &str, messages: u32) -> Option<String> {
    let run = run(&format!(
        r#"{{
      "network": {{"latency": "0us"}}, "until": "3s",
      "broker": {{"policies": {{"queue://Q": {{"slowConsumerStrategy": {{"abortSlowAckConsumer":
        {{"checkPeriod": "200ms", "maxTimeSinceLastAck": "500ms", "maxSlowDuration": "400ms"{options}}}}}}}}}}},
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": {messages}}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "prefetchSize": 10, {consumer}}}]
    }}"#
    ));
    run.timed("c")
        .into_iter()
        .find(|line| line.ends_with("close") || line.ends_with("lost"))
}

/// Rule 8.3.
/// Rule: idle-is-spared
#[test]
fn rule_8_3_idle_consumers_are_spared() {
    let auto = r#""acknowledgeMode": "AUTO_ACKNOWLEDGE""#;
    assert_eq!(aborted("", auto, 3), None);
    let all = r#", "ignoreIdleConsumers": false"#;
    assert_eq!(aborted(all, auto, 3), Some("@800 close".to_owned()));
    let client = r#""acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true}"#;
    assert_eq!(
        aborted("", client, 3),
        Some("@800 close".to_owned()),
        "it has three in flight"
    );
}

/// Rule 8.3: DELIVERED acks are no acks here; the dispatches that they let out clear the flag, and each time the
/// history begins anew.
/// Rule: abort-slow-ack
#[test]
fn rule_8_3_a_consumer_that_works_and_never_acknowledges_is_slow_in_the_end() {
    let working = r#""acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true},
        "receive": "receive", "processing": "30ms""#;
    assert_eq!(aborted("", working, 7), Some("@800 close".to_owned()));
    // A DELIVERED every 150 ms, so every check finds the flag cleared, until the last message is dispatched.
    let end = aborted("", working, 60).expect("it is aborted");
    let millis: u64 = end[1..]
        .split(' ')
        .next()
        .expect("a time")
        .parse()
        .expect("a number");
    assert!(millis > 1200, "{end}");
}

/// Rules 8.4, 6.6: the listener is busy, so the close waits, and after a second the broker takes everything back.
/// Rule: abort-forces
#[test]
fn rule_8_4_a_busy_listener_is_removed_after_a_second() {
    let run = run(r#"{
      "network": {"latency": "0us"}, "until": "4s",
      "broker": {"policies": {"queue://Q": {"slowConsumerStrategy": {"abortSlowAckConsumer":
        {"checkPeriod": "200ms", "maxTimeSinceLastAck": "500ms", "maxSlowDuration": "400ms"}}}}},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 4}],
      "consumers": [
        {"name": "c", "destination": "queue://Q", "prefetchSize": 10, "failures": [{"hang": {"afterDeliveries": 1}}]},
        {"name": "next", "destination": "queue://Q", "start": "700ms"}]
    }"#);
    assert_eq!(
        run.timed("c")[1..],
        [
            "@600 slow",
            // The message that is being processed is acknowledged with the close.
            "@800 STANDARD m:1..m:1 x1",
            "@800 not slow",
            "@1400 slow",
            "@1800 close"
        ]
    );
    assert_eq!(run.dispatched("next"), ["m:2..m:4 redelivery=1"]);
}

/// Rules 8.4, 6.6.
/// Rule: abort-connection
#[test]
fn rule_8_4_an_aborted_connection_is_as_a_crash() {
    let run = run(r#"{
      "network": {"latency": "0us"}, "until": "4s",
      "broker": {"policies": {"queue://Q": {"slowConsumerStrategy": {"abortSlowAckConsumer": {"abortConnection": true,
        "checkPeriod": "200ms", "maxTimeSinceLastAck": "500ms", "maxSlowDuration": "400ms"}}}}},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 4}],
      "consumers": [
        {"name": "c", "destination": "queue://Q", "prefetchSize": 10, "receive": "receive",
         "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true},
         "failures": [{"hang": {"afterDeliveries": 1}}]},
        {"name": "next", "destination": "queue://Q", "start": "700ms"}]
    }"#);
    assert_eq!(run.timed("c")[1..], ["@600 slow", "@800 lost"]);
    assert_eq!(run.dispatched("next"), ["m:1..m:4 redelivery=1"]);
}

/// Rules 3.9, 8.4: in an open transaction the client postpones the close, so the broker removes the consumer itself;
/// the acks of the commit are ignored, and the messages come again.
/// Rule: ack-of-nobody, abort-forces
#[test]
fn rule_8_4_an_open_transaction_makes_the_removal_forced() {
    let run = run(r#"{
      "network": {"latency": "0us"}, "until": "5s",
      "broker": {"policies": {"queue://Q": {"slowConsumerStrategy": {"abortSlowAckConsumer":
        {"checkPeriod": "200ms", "maxTimeSinceLastAck": "500ms", "maxSlowDuration": "400ms"}}}}},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 4}],
      "consumers": [
        {"name": "c", "destination": "queue://Q", "prefetchSize": 10, "receive": "receive",
         "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 2},
         "failures": [{"hang": {"afterDeliveries": 2, "for": "2500ms"}}]},
        {"name": "next", "destination": "queue://Q", "start": "700ms"}]
    }"#);
    assert_eq!(
        run.timed_acks("c"),
        ["@0 begin", "@1800 close", "@2500 commit"]
    );
    assert_eq!(run.dispatched("next"), ["m:1..m:4 redelivery=1"]);
    assert_eq!(run.views.outcome.acknowledged, ["m:1", "m:2", "m:3", "m:4"]);
}
