//! Topics, their limits, and durable subscriptions.

use crate::common::run;

/// Rule 7.1.
/// Rule: fan-out
#[test]
fn rule_7_1_only_who_is_there_gets_it() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "topic://T", "messages": 5, "arrivals": {"every": "100ms"}}],
      "consumers": [
        {"name": "early", "destination": "topic://T", "stop": "250ms"},
        {"name": "late", "destination": "topic://T", "start": "350ms"}]
    }"#);
    assert_eq!(run.delivered("early"), ["m:1..m:2"]);
    assert_eq!(run.delivered("late"), ["m:4..m:5"]);
}

/// Rules 7.1, 10.1: who comes back to a plain topic gets nothing again.
/// Rule: topic-ends
#[test]
fn rule_7_1_a_crash_loses_what_was_unacknowledged() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "topic://T", "messages": 8}],
      "consumers": [{"name": "c", "destination": "topic://T", "prefetchSize": 100, "processing": "10ms",
        "acknowledgeMode": "DUPS_OK_ACKNOWLEDGE",
        "failures": [{"crash": {"afterDeliveries": 7, "restartAfter": "100ms"}}]}]
    }"#);
    assert_eq!(run.delivered("c"), ["m:1..m:7"]);
    assert!(run.views.outcome.acknowledged.is_empty());
}

/// Rule 7.2: prefetch 1 is never slow, however much waits.
/// Rule: topic-slow
#[test]
fn rule_7_2_prefetch_1_is_never_slow() {
    let slow = |prefetch: u32| {
        run(&format!(
            r#"{{
      "producers": [{{"name": "m", "destination": "topic://T", "messages": 50}}],
      "consumers": [{{"name": "c", "destination": "topic://T", "prefetchSize": {prefetch},
        "failures": [{{"hang": {{"afterDeliveries": 1, "for": "1s"}}}}]}}]
    }}"#
        ))
        .views
        .outcome
        .slow
    };
    assert!(slow(1).is_empty());
    assert_eq!(slow(2), ["c"]);
}

/// Rule 7.2: no dead-letter queue for a plain topic subscription, and the window keeps no trace.
/// Rule: topic-poison-is-dropped
#[test]
fn rule_7_2_poison_is_discarded() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "topic://T", "messages": 3}],
      "consumers": [{"name": "c", "destination": "topic://T", "url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=0",
        "failures": [{"throw": {"messages": [2]}}]}]
    }"#);
    assert_eq!(run.acks("c")[1], "POISON m:2..m:2 x1");
    assert!(run.dead().is_empty());
    assert_eq!(run.in_flight("c"), 0);
}

/// Rule 7.2: an individual ack frees the older one.
/// Rule: topic-individual-frees-older
#[test]
fn rule_7_2_an_individual_ack_frees_the_older_one() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "topic://T", "messages": 8}],
      "consumers": [{"name": "c", "destination": "topic://T", "prefetchSize": 4,
        "acknowledgeMode": "INDIVIDUAL_ACKNOWLEDGE", "acknowledge": {"every": 2}, "processing": "10ms",
        "failures": [{"hang": {"afterDeliveries": 3}}]}]
    }"#);
    assert_eq!(
        run.broker("c"),
        [
            "dispatch m:1..m:4",
            "INDIVIDUAL -..m:2 x1",
            "dispatch m:5..m:6"
        ]
    );
    assert_eq!(run.in_flight("c"), 4);
}

/// A consumer of a topic that hangs in the first of many: what it gets in the end, and what died meanwhile.
fn limited(policy: &str, options: &str) -> [Vec<String>; 2] {
    let run = run(&format!(
        r#"{{
      "broker": {{"policies": {{"topic://T": {{{policy}}}}}}},
      "producers": [{{"name": "m", "destination": "topic://T", "messages": 20}}],
      "consumers": [{{"name": "c", "destination": "topic://T?{options}",
        "failures": [{{"hang": {{"afterDeliveries": 1, "for": "1s"}}}}]}}]
    }}"#
    ));
    [run.delivered("c"), run.dead()]
}

/// Rules 7.2, 7.3.
/// Rule: pending-limit, pending-limit-0
#[test]
fn rule_7_3_how_much_may_wait() {
    let strategy = |limit: &str| format!(r#""pendingMessageLimitStrategy": {limit}"#);
    let four = "consumer.prefetchSize=4";
    let unlimited = [vec!["m:1..m:20"], vec![]];
    assert_eq!(limited("", four), unlimited);
    assert_eq!(limited(&strategy(r#"{"constant": -1}"#), four), unlimited);
    assert_eq!(
        limited(&strategy(r#"{"constant": 6}"#), four),
        [vec!["m:1..m:4", "m:15..m:20"], vec!["m:5..m:14"]]
    );
    // 4 × 0.6 = 2.4, of which 2 are left.
    assert_eq!(
        limited(&strategy(r#"{"prefetchRate": 0.6}"#), four),
        [vec!["m:1..m:4", "m:19..m:20"], vec!["m:5..m:18"]]
    );
    // With a limit of 0 nothing is kept, and nobody is told.
    assert_eq!(
        limited(&strategy(r#"{"constant": 0}"#), four),
        [vec!["m:1..m:4"], vec![]]
    );
}

/// Rule 7.3: a consumer may ask for less, but only where there is a strategy.
/// Rule: pending-limit
#[test]
fn rule_7_3_a_consumer_may_ask_for_less() {
    let options = "consumer.prefetchSize=4&consumer.maximumPendingMessageLimit=3";
    let strategy = r#""pendingMessageLimitStrategy": {"constant": 6}"#;
    assert_eq!(
        limited(strategy, options),
        [vec!["m:1..m:4", "m:18..m:20"], vec!["m:5..m:17"]]
    );
    assert_eq!(limited("", options), [vec!["m:1..m:20"], vec![]]);
}

/// Rule 7.2: the oldest of those with the lowest priority, which may be the new one itself.
/// Rule: eviction-by-priority
#[test]
fn rule_7_2_eviction_by_priority() {
    let run = run(r#"{
      "broker": {"policies": {"topic://T": {"pendingMessageLimitStrategy": {"constant": 2},
        "messageEvictionStrategy": "oldestWithLowestPriority"}}},
      "producers": [
        {"name": "first", "destination": "topic://T", "messages": 1},
        {"name": "high", "destination": "topic://T", "messages": 2, "priority": 9, "start": "10ms"},
        {"name": "low", "destination": "topic://T", "messages": 1, "priority": 1, "start": "20ms"},
        {"name": "top", "destination": "topic://T", "messages": 1, "priority": 9, "start": "30ms"}],
      "consumers": [{"name": "c", "destination": "topic://T", "prefetchSize": 1,
        "failures": [{"hang": {"afterDeliveries": 1, "for": "100ms"}}]}]
    }"#);
    assert_eq!(run.views.outcome.discarded, ["low:1", "high:1"]);
    assert_eq!(run.delivered("c"), ["first:1", "high:2", "top:1"]);
}

/// Rule 7.4.
/// Rule: durable-collects
#[test]
fn rule_7_4_a_durable_subscription_keeps_messages_while_nobody_is_there() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "topic://T", "messages": 6, "arrivals": {"every": "100ms"}}],
      "consumers": [{"name": "c", "destination": "topic://T", "durable": "d",
        "failures": [{"close": {"afterDeliveries": 2, "restartAfter": "200ms"}}]}]
    }"#);
    assert_eq!(run.delivered("c"), ["m:1..m:6"]);
    assert_eq!(run.dispatched("c"), ["m:1..m:6"]);
    let at = run.timed_delivered("c");
    assert!(
        at[2].starts_with("@40") && at[2].contains("m:3..m:4"),
        "{at:?}"
    );
}

/// Rule 7.4: up to the last delivered, or all that were in flight; the window is as it was at first.
/// Rule: durable-counts-for-itself
#[test]
fn rule_7_4_a_durable_subscription_counts_for_itself() {
    let run = |end: &str| {
        run(&format!(
            r#"{{
      "producers": [{{"name": "m", "destination": "topic://T", "messages": 10}}],
      "consumers": [{{"name": "c", "destination": "topic://T", "durable": "d", "prefetchSize": 8,
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {{"never": true}}, "processing": "10ms",
        "failures": [{{"{end}": {{"afterDeliveries": 5, "restartAfter": "100ms"}}}},
                     {{"hang": {{"afterDeliveries": 6, "once": false}}}}]}}]
    }}"#
        ))
        .broker("c")
    };
    let first_life = [
        "dispatch m:1..m:8",
        "slow",
        "DELIVERED m:1..m:4 x4",
        "not slow",
        "dispatch m:9..m:10",
    ];
    let closed = run("close");
    assert_eq!(closed[..5], first_life);
    assert_eq!(
        closed[5..],
        [
            "close",
            "dispatch m:1..m:5 redelivery=1",
            "dispatch m:6..m:8",
            "slow",
            "DELIVERED m:1..m:4 x4",
            "not slow",
            "dispatch m:9..m:10"
        ]
    );
    let crashed = run("crash");
    assert_eq!(
        crashed[5..8],
        ["lost", "dispatch m:1..m:8 redelivery=1", "slow"]
    );
    assert_eq!(
        crashed.last().expect("lines"),
        "dispatch m:9..m:10 redelivery=1"
    );
}

/// Rules 6.7, 7.4.
/// Rule: durable-poison
#[test]
fn rule_7_4_a_durable_subscription_dead_letters_poison() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "topic://T", "messages": 3}],
      "consumers": [{"name": "c", "destination": "topic://T", "durable": "d",
        "url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=0", "failures": [{"throw": {"messages": [2]}}]}]
    }"#);
    assert_eq!(run.dead(), ["m:2"]);
}
