//! Producers: who waits for the broker, and what the broker makes them wait for.

use crate::common::run;

/// When the broker dispatches three messages that are sent at once over a network of 10 ms one way.
fn arrivals(producer: &str) -> Vec<String> {
    run(&format!(
        r#"{{
      "network": {{"latency": "10ms"}},
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 3, {producer}}}],
      "consumers": [{{"name": "c", "destination": "queue://Q"}}]
    }}"#
    ))
    .timed("c")
    .into_iter()
    .filter(|line| line.contains("dispatch"))
    .collect()
}

/// Rule 9.1: a sync send takes 20 ms, there and back.
/// Rule: sync-sends
#[test]
fn rule_9_1_who_waits_for_the_broker() {
    let sync = ["@10 dispatch m:1", "@30 dispatch m:2", "@50 dispatch m:3"];
    let asynchronous = ["@10 dispatch m:1..m:3"];
    assert_eq!(arrivals(r#""deliveryMode": "PERSISTENT""#), sync);
    assert_eq!(
        arrivals(r#""deliveryMode": "NON_PERSISTENT""#),
        asynchronous
    );
    assert_eq!(
        arrivals(r#""url": "tcp://b?jms.useAsyncSend=true""#),
        asynchronous
    );
    assert_eq!(
        arrivals(r#""deliveryMode": "NON_PERSISTENT", "url": "tcp://b?jms.alwaysSyncSend=true""#),
        sync
    );
    assert_eq!(
        arrivals(r#""deliveryMode": "NON_PERSISTENT", "url": "tcp://b?jms.sendTimeout=5000""#),
        sync
    );
    assert_eq!(arrivals(r#""transaction": {"size": 3}"#), asynchronous);
}

/// Rule 9.2: the clock starts when the application sends, not when the broker gets it.
/// Rule: time-to-live
#[test]
fn rule_9_2_the_time_to_live_counts_from_the_send() {
    let run = run(r#"{
      "network": {"latency": "30ms"},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1, "timeToLive": "20ms"}],
      "consumers": [{"name": "c", "destination": "queue://Q"}]
    }"#);
    assert!(run.dispatched("c").is_empty());
    assert_eq!(run.expired_at_broker(), ["@30 expired m:1"]);
}

/// How many messages are on the queue when a small memory holds up its producer, and how many once one is taken off.
/// A body of 1000 bytes makes 2024.
fn held_up(producer: &str) -> [usize; 2] {
    let at = |until: &str| {
        run(&format!(
            r#"{{
      "until": "{until}",
      "broker": {{"policies": {{"queue://Q": {{"memoryLimit": 5000}}}}}},
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 10, "size": 1000, {producer}}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "prefetchSize": 1, "processing": "100ms"}}]
    }}"#
        ))
    };
    [at("90ms").remaining_count(), at("190ms").remaining_count()]
}

/// Rule 9.4: the third message fits, since the memory is not full before it; the fourth waits.
/// Rule: memory-full, memory-full-parks
#[test]
fn rule_9_4_a_full_memory_parks_a_sync_send() {
    assert_eq!(held_up(r#""deliveryMode": "PERSISTENT""#), [3, 3]);
    assert_eq!(held_up(r#""deliveryMode": "NON_PERSISTENT""#), [3, 3]);
    let no_flow_control = run(r#"{
      "until": "90ms",
      "broker": {"policies": {"queue://Q": {"memoryLimit": 5000, "producerFlowControl": false}}},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 10, "size": 1000}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 1, "processing": "100ms"}]
    }"#);
    assert_eq!(no_flow_control.remaining_count(), 10);
}

/// Rule 9.4.
/// Rule: memory-full-fails
#[test]
fn rule_9_4_a_full_memory_may_fail_the_send() {
    let run = run(r#"{
      "broker": {"policies": {"queue://Q": {"memoryLimit": 5000, "sendFailIfNoSpace": true}}},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 5, "size": 1000, "onSendFailure": "giveUp"}],
      "consumers": [{"name": "c", "destination": "queue://Q", "start": "100ms"}]
    }"#);
    assert_eq!(run.delivered("c"), ["m:1..m:3"]);
}

/// Rule 9.3: a window of 3000 lets two messages of 2024 out; the broker answers each.
/// Rule: producer-window
#[test]
fn rule_9_3_a_window_is_exceeded_by_one_message() {
    let run = run(r#"{
      "network": {"latency": "10ms"},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 4, "size": 1000,
        "url": "tcp://b?jms.useAsyncSend=true&jms.producerWindowSize=3000"}],
      "consumers": [{"name": "c", "destination": "queue://Q"}]
    }"#);
    let dispatches: Vec<String> = run
        .timed("c")
        .into_iter()
        .filter(|line| line.contains("dispatch"))
        .collect();
    assert_eq!(
        dispatches,
        ["@10 dispatch m:1..m:2", "@30 dispatch m:3..m:4"]
    );
}

/// Rule 9.5: the failover transport sends again under the same id; an application that sends a copy has a duplicate.
/// Rule: repeated-sends
#[test]
fn rule_9_5_a_resend_is_recognised() {
    let delivered = |on_failure: &str| {
        run(&format!(
            r#"{{
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 3,
        "failures": [{{"loseReply": {{"messages": [2]}}}}], "onSendFailure": "{on_failure}"}}],
      "consumers": [{{"name": "c", "destination": "queue://Q"}}]
    }}"#
        ))
        .views
        .consumers["c"]
            .delivered
            .clone()
    };
    assert_eq!(delivered("resend"), ["m:1", "m:2", "m:3"]);
    assert_eq!(delivered("giveUp"), ["m:1", "m:2", "m:3"]);
    assert_eq!(delivered("sendAsNew").len(), 4);
}
