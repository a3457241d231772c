//! Prefetch: which value counts where.

use crate::common::{read, run};

/// Rule 2.1.
/// Rule: default-prefetch-by-kind
#[test]
fn rule_2_1_the_default_prefetch_depends_on_the_kind() {
    let scenario = read(
        r#"{"consumers": [
      {"destination": "queue://Q"},
      {"destination": "topic://T"},
      {"destination": "topic://T", "durable": "d", "acknowledgeMode": "AUTO_ACKNOWLEDGE"},
      {"destination": "topic://T", "durable": "e", "acknowledgeMode": "CLIENT_ACKNOWLEDGE"}]}"#,
    );
    let prefetch: Vec<u32> = scenario.consumers.iter().map(|c| c.prefetch_size).collect();
    assert_eq!(prefetch, [1000, 32767, 1000, 100]);
}

/// Rules 2.1, 2.3.
/// Rule: prefetch-of-the-destination
#[test]
fn rule_2_3_destination_over_connection_over_broker() {
    let scenario = read(
        r#"{
      "broker": {"url": "tcp://b?jms.prefetchPolicy.queuePrefetch=7"},
      "consumers": [
        {"destination": "queue://Q"},
        {"destination": "queue://Q", "url": "tcp://b?jms.prefetchPolicy.queuePrefetch=8"},
        {"destination": "queue://Q?consumer.prefetchSize=9", "url": "tcp://b?jms.prefetchPolicy.queuePrefetch=8"}]
    }"#,
    );
    let prefetch: Vec<u32> = scenario.consumers.iter().map(|c| c.prefetch_size).collect();
    assert_eq!(prefetch, [7, 8, 9]);
}

/// A consumer that hangs in its first message shows how much the broker sends.
fn window(policy: &str, consumer: &str) -> Vec<String> {
    run(&format!(
        r#"{{
      "broker": {{"policies": {{{policy}}}}},
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 30}},
                    {{"name": "t", "destination": "topic://T", "messages": 150}}],
      "consumers": [{{"name": "c", {consumer}, "failures": [{{"hang": {{"afterDeliveries": 1}}}}]}}]
    }}"#
    ))
    .dispatched("c")
}

/// Rule 2.3: the broker can't tell an explicit 1000 from the default.
/// Rule: policy-replaces-default-prefetch
#[test]
fn rule_2_3_a_policy_replaces_the_default_only() {
    let policy = r#""queue://Q": {"queuePrefetch": 5}"#;
    assert_eq!(
        window(policy, r#""destination": "queue://Q""#),
        ["m:1..m:5"]
    );
    assert_eq!(
        window(
            policy,
            r#""destination": "queue://Q?consumer.prefetchSize=1000""#
        ),
        ["m:1..m:5"]
    );
    assert_eq!(
        window(
            policy,
            r#""destination": "queue://Q?consumer.prefetchSize=12""#
        ),
        ["m:1..m:12"]
    );
}

/// Rule 2.3: every policy entry has a durableTopicPrefetch, 100 if nothing is said.
/// Rule: policy-cuts-durables
#[test]
fn rule_2_3_any_policy_cuts_a_durable_auto_consumer_to_100() {
    let durable = r#""destination": "topic://T", "durable": "d""#;
    assert_eq!(window("", durable), ["t:1..t:150"]);
    assert_eq!(
        window(r#""topic://>": {"memoryLimit": "1gb"}"#, durable),
        ["t:1..t:100"]
    );
}

/// Rule 2.3: whoever waits for a part of his own prefetch waits for ever.
/// Rule: policy-is-not-told
#[test]
fn rule_2_3_a_policy_below_the_threshold_freezes_the_consumer() {
    let run = |destination: &str, consumer: &str| {
        run(&format!(
            r#"{{
      "broker": {{"policies": {{"queue://Q": {{"queuePrefetch": 10}}, "topic://T": {{"topicPrefetch": 10}}}}}},
      "producers": [{{"name": "m", "destination": "{destination}", "messages": 40}}],
      "consumers": [{{"name": "c", "destination": "{destination}", {consumer}}}]
    }}"#
        ))
    };
    let optimized = run(
        "queue://Q",
        r#""url": "tcp://b?jms.optimizeAcknowledge=true&jms.optimizeAcknowledgeTimeOut=0""#,
    );
    assert_eq!(optimized.delivered("c"), ["m:1..m:10"]);
    let dups_ok = run("topic://T", r#""acknowledgeMode": "DUPS_OK_ACKNOWLEDGE""#);
    assert_eq!(dups_ok.delivered("c"), ["m:1..m:10"]);
    let transacted = run(
        "queue://Q",
        r#""acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 20}"#,
    );
    assert_eq!(transacted.delivered("c"), ["m:1..m:10"]);
    let auto = run("queue://Q", r#""acknowledgeMode": "AUTO_ACKNOWLEDGE""#);
    assert_eq!(auto.delivered("c"), ["m:1..m:40"]);
}

/// Rules 2.3, 3.11: the broker says 0; a listener never pulls, `receive` does from then on.
/// Rule: policy-of-0-is-told
#[test]
fn rule_2_3_a_policy_of_0_starves_a_listener() {
    let run = |receive: &str| {
        run(&format!(
            r#"{{
      "until": "2s", "broker": {{"policies": {{"queue://Q": {{"queuePrefetch": 0}}}}}},
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 3, "start": "100ms"}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "receive": {receive}}}]
    }}"#
        ))
    };
    assert!(run(r#""listener""#).dispatched("c").is_empty());
    assert_eq!(
        run(r#"{"receive": {"timeout": "50ms"}}"#).delivered("c"),
        ["m:1..m:3"]
    );
}
