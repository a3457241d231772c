//! Scenarios with every default filled in.

use crate::kernel::{Distribution, Span, Time};
use crate::scenario::*;

/// A queue or topic `0`, its dead-letter queue `1`, one producer, and a consumer for each prefetch, with a
/// connection and session of its own.
pub fn scenario(kind: DestinationKind, prefetches: &[u32]) -> Scenario {
    let names = prefetches
        .iter()
        .enumerate()
        .map(|(index, _)| format!("c{}", index + 1));
    Scenario {
        name: String::new(),
        description: String::new(),
        seed: 1,
        until: None,
        warm_up: Time::ZERO,
        semantics: Semantics::ActiveMq5_17,
        network: Network {
            latency: Distribution::ZERO,
            bytes_per_second: None,
        },
        broker: Broker {
            store_latency: Distribution::ZERO,
            dispatch_cost: Distribution::ZERO,
            acknowledge_cost: Distribution::ZERO,
            redelivery_plugin: None,
            restarts: Vec::new(),
        },
        destinations: vec![
            Destination {
                kind,
                name: "d".into(),
                policy: policy(),
            },
            Destination {
                kind: DestinationKind::Queue,
                name: "DLQ".into(),
                policy: policy(),
            },
        ],
        connections: names
            .map(|name| Connection {
                name,
                options: options(),
            })
            .collect(),
        sessions: (0..prefetches.len()).map(session).collect(),
        producers: vec![producer()],
        consumers: prefetches
            .iter()
            .enumerate()
            .map(|(i, &p)| consumer(i, p))
            .collect(),
        expect: Vec::new(),
    }
}

fn policy() -> Policy {
    Policy {
        has_entry: false,
        strict_order_dispatch: false,
        use_prefetch_extension: true,
        queue_prefetch: 1000,
        topic_prefetch: 32767,
        durable_topic_prefetch: 100,
        memory_limit: None,
        producer_flow_control: true,
        all_consumers_exclusive_by_default: false,
        consumers_before_dispatch_starts: 0,
        time_before_dispatch_starts: Span::ZERO,
        use_consumer_priority: true,
        max_page_size: 200,
        expire_messages_period: Span::from_millis(30_000),
        prioritized_messages: false,
        send_fail_if_no_space: false,
        lazy_dispatch: false,
        persist_jms_redelivered: false,
        pending_message_limit_strategy: None,
        message_eviction_strategy: MessageEviction::Oldest,
        slow_consumer_strategy: None,
        dead_letter_strategy: DeadLetterStrategy {
            queue: Some(1),
            audit: 0,
            process_expired: true,
            process_non_persistent: false,
            enable_audit: true,
            expiration: None,
        },
    }
}

fn options() -> ClientOptions {
    ClientOptions {
        failover: false,
        initial_reconnect_delay: Span::from_millis(10),
        use_exponential_back_off: true,
        optimize_acknowledge: false,
        optimize_acknowledge_time_out: None,
        optimized_ack_scheduled_ack_interval: None,
        send_acks_async: true,
        use_async_send: false,
        always_sync_send: false,
        send_timeout: None,
        producer_window_size: 0,
        dispatch_async: true,
        always_session_async: true,
        non_blocking_redelivery: false,
        transacted_individual_ack: false,
        message_priority_supported: false,
        consumer_expiry_check_enabled: true,
        check_for_duplicates: true,
        exclusive_consumer: false,
        watch_topic_advisories: true,
        close_timeout: Span::from_millis(15_000),
        redelivery_policy: redelivery_policy(),
    }
}

pub fn redelivery_policy() -> RedeliveryPolicy {
    RedeliveryPolicy {
        maximum_redeliveries: Some(6),
        initial_redelivery_delay: 1000,
        redelivery_delay: 1000,
        use_exponential_back_off: false,
        back_off_multiplier: 5.0,
        maximum_redelivery_delay: -1,
        use_collision_avoidance: false,
        collision_avoidance_percent: 15,
        pre_dispatch_check: true,
    }
}

fn session(connection: usize) -> Session {
    Session {
        name: String::new(),
        connection,
        mode: AcknowledgeMode::Client,
        acknowledge: Acknowledge::Never,
        transaction: ConsumerTransaction {
            size: 1,
            roll_back: Vec::new(),
            roll_back_probability: 0.0,
            commit_when_idle: None,
        },
    }
}

fn consumer(index: usize, prefetch_size: u32) -> Consumer {
    Consumer {
        name: format!("c{}", index + 1),
        session: index,
        connection: index,
        destination: 0,
        durable: None,
        prefetch_size,
        prefetch_is_default: false,
        exclusive: false,
        priority: 0,
        maximum_pending_message_limit: 0,
        receive: Receive::Listener,
        start: Time::ZERO,
        stop: None,
        messages: None,
        processing: Distribution::ZERO,
        on_failure: OnFailure::Throw,
        deduplicate: None,
        failures: Failures::default(),
    }
}

pub fn producer() -> Producer {
    Producer {
        name: "p".into(),
        destination: 0,
        options: options(),
        start: Time::ZERO,
        messages: None,
        arrivals: Arrivals::AtOnce,
        persistent: true,
        size: 1000,
        time_to_live: None,
        priority: 4,
        groups: None,
        transaction: None,
        lose_reply: None,
        on_send_failure: OnSendFailure::Resend,
        reconnect_delay: Span::from_millis(10),
    }
}
