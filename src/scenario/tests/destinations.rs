//! Policies and dead-letter queues.

use super::{load, scenario, texts};
use crate::kernel::Span;
use crate::scenario::{
    MessageEviction, PendingMessageLimit, Policy, Scenario, SlowConsumerKind, SlowConsumerStrategy,
};

/// A scenario with these policies and producers to these destinations.
fn with(policies: &str, destinations: &[&str]) -> Scenario {
    let producer = |uri: &&str| format!(r#"{{"destination": "{uri}", "messages": 1}}"#);
    let producers: Vec<String> = destinations.iter().map(producer).collect();
    scenario(&format!(
        r#"{{"broker": {{"policies": {{{policies}}}}}, "producers": [{}]}}"#,
        producers.join(", ")
    ))
}

fn policy(scenario: &Scenario, uri: &str) -> Policy {
    let found = scenario.destinations.iter().find(|it| it.uri() == uri);
    found.unwrap_or_else(|| panic!("no {uri}")).policy.clone()
}

/// `queue://orders -> queue://ActiveMQ.DLQ` for each destination.
fn dead_letters(scenario: &Scenario) -> Vec<String> {
    let arrow = |it: &crate::scenario::Destination| {
        let target = it
            .policy
            .dead_letter_strategy
            .queue
            .map(|queue| scenario.destinations[queue].uri());
        format!("{} -> {}", it.uri(), target.unwrap_or("nowhere".to_owned()))
    };
    scenario.destinations.iter().map(arrow).collect()
}

/// Rule: policy-most-specific
#[test]
fn the_most_specific_entry_wins() {
    let scenario = with(
        r#""queue://>": {"maxPageSize": 1}, "queue://eu.>": {"maxPageSize": 2},
           "queue://eu.*": {"maxPageSize": 3}, "queue://eu.orders": {"maxPageSize": 4},
           "queue://*.orders": {"maxPageSize": 5}, "topic://>": {"maxPageSize": 6}"#,
        &[
            "queue://eu.orders",
            "queue://eu.bills",
            "queue://eu.bills.old",
            "queue://us.orders",
            "queue://us",
            "queue://eu",
            "topic://eu.orders",
        ],
    );
    let page = |uri: &str| policy(&scenario, uri).max_page_size;
    assert_eq!(page("queue://eu.orders"), 4);
    assert_eq!(page("queue://eu.bills"), 3);
    assert_eq!(page("queue://eu.bills.old"), 2);
    assert_eq!(page("queue://us.orders"), 5);
    assert_eq!(page("queue://us"), 1);
    assert_eq!(page("queue://eu"), 2, "eu.> matches eu, too");
    assert_eq!(page("topic://eu.orders"), 6);
}

#[test]
fn without_an_entry_everything_is_default() {
    let scenario = with("", &["queue://q"]);
    let policy = policy(&scenario, "queue://q");
    assert!(!policy.has_entry && policy.use_prefetch_extension && policy.producer_flow_control);
    assert_eq!((policy.queue_prefetch, policy.max_page_size), (1000, 200));
    assert_eq!(policy.expire_messages_period, Span::from_millis(30_000));
}

#[test]
fn every_attribute_arrives() {
    let scenario = with(
        r#""queue://q": {"strictOrderDispatch": true, "usePrefetchExtension": false, "queuePrefetch": 3,
            "memoryLimit": "1mb", "producerFlowControl": false, "timeBeforeDispatchStarts": "5s",
            "consumersBeforeDispatchStarts": 2, "expireMessagesPeriod": 0, "prioritizedMessages": true,
            "pendingMessageLimitStrategy": {"constant": 3},
            "messageEvictionStrategy": "oldestWithLowestPriority",
            "slowConsumerStrategy": {"abortSlowAckConsumer": {"maxTimeSinceLastAck": -1,
                "maxSlowCount": 4, "maxSlowDuration": "2s", "checkPeriod": 100}}}"#,
        &["queue://q"],
    );
    let policy = policy(&scenario, "queue://q");
    assert!(policy.has_entry && policy.strict_order_dispatch && policy.prioritized_messages);
    assert!(!policy.use_prefetch_extension && !policy.producer_flow_control);
    assert_eq!(
        (policy.queue_prefetch, policy.memory_limit),
        (3, Some(1 << 20))
    );
    assert_eq!(policy.consumers_before_dispatch_starts, 2);
    assert_eq!(policy.time_before_dispatch_starts, Span::from_millis(5000));
    assert_eq!(policy.expire_messages_period, Span::ZERO);
    let limit = policy.pending_message_limit_strategy;
    assert_eq!(limit, Some(PendingMessageLimit::Constant(3)));
    assert_eq!(
        policy.message_eviction_strategy,
        MessageEviction::OldestWithLowestPriority
    );
    let expected = SlowConsumerStrategy {
        kind: SlowConsumerKind::AbortSlowAckConsumer {
            max_time_since_last_ack: None,
            ignore_idle_consumers: true,
        },
        max_slow_count: Some(4),
        max_slow_duration: Some(Span::from_millis(2000)),
        check_period: Span::from_millis(100),
        abort_connection: false,
    };
    assert_eq!(policy.slow_consumer_strategy, Some(expected));
}

/// Rule: dead-letter-once
#[test]
fn by_default_all_share_one_dead_letter_queue() {
    let scenario = with("", &["queue://a", "topic://b"]);
    assert_eq!(
        dead_letters(&scenario),
        [
            "queue://a -> queue://ActiveMQ.DLQ",
            "topic://b -> queue://ActiveMQ.DLQ",
            "queue://ActiveMQ.DLQ -> queue://ActiveMQ.DLQ",
        ]
    );
    assert!(
        scenario
            .destinations
            .iter()
            .all(|it| it.policy.dead_letter_strategy.audit == 0)
    );
}

/// Rule: dead-letter-queues-of-their-own
#[test]
fn individual_queues_are_named_after_their_destination() {
    let plain = r#""queue://>": {"deadLetterStrategy": {"individual": {}}},
                   "topic://>": {"deadLetterStrategy": {"individual": {"topicSuffix": ".dead"}}}"#;
    assert_eq!(
        dead_letters(&with(plain, &["queue://a", "topic://b"])),
        [
            "queue://a -> queue://ActiveMQ.DLQ.Queue.a",
            "topic://b -> queue://ActiveMQ.DLQ.Topic.b.dead",
            // The entry of all queues is theirs, too; a second time round its audit refuses.
            "queue://ActiveMQ.DLQ.Queue.a -> queue://ActiveMQ.DLQ.Queue.a",
            "queue://ActiveMQ.DLQ.Topic.b.dead -> queue://ActiveMQ.DLQ.Queue.ActiveMQ.DLQ.Topic.b.dead",
            "queue://ActiveMQ.DLQ.Queue.ActiveMQ.DLQ.Topic.b.dead -> \
             queue://ActiveMQ.DLQ.Queue.ActiveMQ.DLQ.Topic.b.dead",
        ]
    );
}

#[test]
fn a_dead_letter_queues_own_policy_points_further() {
    let policies = r#""queue://a": {"deadLetterStrategy": {"shared": {"queue": "Morgue"}}},
        "queue://Morgue": {"deadLetterStrategy": {"discarding": {}}},
        "queue://b": {"deadLetterStrategy": {"discarding": {"processExpired": false}}}"#;
    let scenario = with(policies, &["queue://a", "queue://b"]);
    assert_eq!(
        dead_letters(&scenario),
        [
            "queue://a -> queue://Morgue",
            "queue://b -> nowhere",
            "queue://Morgue -> nowhere"
        ]
    );
    let audit = |uri: &str| policy(&scenario, uri).dead_letter_strategy.audit;
    assert_eq!(
        [
            audit("queue://a"),
            audit("queue://Morgue"),
            audit("queue://b")
        ],
        [1, 2, 3]
    );
}

#[test]
fn an_entry_without_a_strategy_shares_the_default_one() {
    let policies =
        r#""queue://a": {"maxPageSize": 3}, "queue://b": {"deadLetterStrategy": {"shared": {}}}"#;
    let scenario = with(policies, &["queue://a", "queue://b"]);
    let audit = |uri: &str| policy(&scenario, uri).dead_letter_strategy.audit;
    assert_eq!([audit("queue://a"), audit("queue://b")], [0, 2]);
    assert_eq!(audit("queue://ActiveMQ.DLQ"), 0);
}

/// Two strategies that name queues for each other would go on for ever.
#[test]
fn chains_of_dead_letter_queues_end() {
    let policies = r#""queue://a.>": {"deadLetterStrategy": {"individual": {"queuePrefix": "b."}}},
        "queue://b.>": {"deadLetterStrategy": {"individual": {"queuePrefix": "a."}}}"#;
    assert_eq!(
        dead_letters(&with(policies, &["queue://a.x"])),
        [
            "queue://a.x -> queue://b.a.x",
            "queue://b.a.x -> queue://a.b.a.x",
            "queue://a.b.a.x -> queue://a.b.a.x",
        ]
    );
}

#[test]
fn a_policy_for_nothing_is_a_likely_slip() {
    let loaded = load(
        r#"{"broker": {"policies": {"queue://order": {"queuePrefetch": 1}}},
            "producers": [{"destination": "queue://orders", "messages": 1}]}"#,
    );
    let expected =
        "the policy of queue://order applies to no destination here; did you mean queue://orders?";
    assert_eq!(texts(&loaded), [expected]);
}
