//! Stories for tests of observers: a hand-made scenario, and facts told one after another at chosen
//! times.

use crate::facts::{DeathCause, Fact, Observer, Outcome, Removal};
use crate::kernel::{Distribution, Span, Time};
use crate::scenario::*;
use crate::wire::{
    AckType, ConsumerId, ConsumerIndex, DestinationIndex, Message, MessageAck, MessageRef,
    Messages, ProducerIndex, TransactionId, TransactionOwner,
};

/// A scenario in which nothing is; add to it with [`Plan`].
pub fn plan() -> Scenario {
    Scenario {
        name: "story".to_owned(),
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
        destinations: Vec::new(),
        connections: Vec::new(),
        sessions: Vec::new(),
        producers: Vec::new(),
        consumers: Vec::new(),
        expect: Vec::new(),
        watches: Vec::new(),
    }
}

/// Building a scenario step by step.
pub trait Plan: Sized {
    fn queue(self, name: &str) -> Self;
    fn topic(self, name: &str) -> Self;
    fn producer(self, name: &str, destination: usize) -> Self;
    /// With a session and connection of its own.
    fn consumer(self, name: &str, destination: usize) -> Self;
    /// On the session of the consumer before.
    fn sibling(self, name: &str, destination: usize) -> Self;
}

impl Plan for Scenario {
    fn queue(mut self, name: &str) -> Scenario {
        self.destinations
            .push(destination(DestinationKind::Queue, name));
        self
    }

    fn topic(mut self, name: &str) -> Scenario {
        self.destinations
            .push(destination(DestinationKind::Topic, name));
        self
    }

    fn producer(mut self, name: &str, destination: usize) -> Scenario {
        self.producers.push(producer(name, destination));
        self
    }

    fn consumer(mut self, name: &str, destination: usize) -> Scenario {
        self.connections.push(Connection {
            name: name.to_owned(),
            options: options(),
        });
        self.sessions.push(Session {
            name: name.to_owned(),
            connection: self.connections.len() - 1,
            mode: AcknowledgeMode::Auto,
            acknowledge: Acknowledge::Never,
            transaction: ConsumerTransaction {
                size: 1,
                roll_back: Vec::new(),
                roll_back_probability: 0.0,
                commit_when_idle: None,
            },
        });
        self.sibling(name, destination)
    }

    fn sibling(mut self, name: &str, destination: usize) -> Scenario {
        self.consumers.push(Consumer {
            name: name.to_owned(),
            session: self.sessions.len() - 1,
            connection: self.connections.len() - 1,
            destination,
            durable: None,
            prefetch_size: 10,
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
        });
        self
    }
}

fn destination(kind: DestinationKind, name: &str) -> Destination {
    Destination {
        kind,
        name: name.to_owned(),
        policy: Policy {
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
                queue: None,
                audit: 0,
                process_expired: true,
                process_non_persistent: false,
                enable_audit: true,
                expiration: None,
            },
        },
    }
}

fn producer(name: &str, destination: usize) -> Producer {
    Producer {
        name: name.to_owned(),
        destination,
        options: options(),
        start: Time::ZERO,
        messages: None,
        arrivals: Arrivals::Every(Distribution::Constant(Span::from_millis(1))),
        persistent: true,
        size: 1024,
        time_to_live: None,
        priority: 4,
        groups: None,
        transaction: None,
        lose_reply: None,
        on_send_failure: OnSendFailure::Resend,
        reconnect_delay: Span::from_millis(10),
    }
}

fn options() -> ClientOptions {
    ClientOptions {
        failover: false,
        initial_reconnect_delay: Span::from_millis(10),
        use_exponential_back_off: true,
        optimize_acknowledge: false,
        optimize_acknowledge_time_out: Some(Span::from_millis(300)),
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
        redelivery_policy: RedeliveryPolicy {
            maximum_redeliveries: Some(6),
            initial_redelivery_delay: 1000,
            redelivery_delay: 1000,
            use_exponential_back_off: false,
            back_off_multiplier: 5.0,
            maximum_redelivery_delay: -1,
            use_collision_avoidance: false,
            collision_avoidance_percent: 15,
            pre_dispatch_check: true,
        },
    }
}

/// The first life of a consumer.
pub fn first_life(index: ConsumerIndex) -> ConsumerId {
    ConsumerId { index, life: 1 }
}

/// The transaction of a session with this number.
pub fn transaction(session: u32, number: u32) -> TransactionId {
    TransactionId {
        owner: TransactionOwner::Session(session),
        number,
    }
}

/// Tells facts to an observer. Times are in milliseconds.
pub struct Story<O> {
    pub observer: O,
    pub messages: Messages,
    pub now: Time,
    sent: Vec<u64>,
    sequence: u64,
    destinations: Vec<DestinationIndex>,
    working_since: Time,
}

impl<O: Observer> Story<O> {
    pub fn new(scenario: &Scenario, observer: O) -> Story<O> {
        Story {
            observer,
            messages: Messages::default(),
            now: Time::ZERO,
            sent: vec![0; scenario.producers.len()],
            sequence: 0,
            destinations: scenario
                .producers
                .iter()
                .map(|p| p.destination as u32)
                .collect(),
            working_since: Time::ZERO,
        }
    }

    /// What follows happens then.
    pub fn at(&mut self, millis: f64) -> &mut Self {
        self.now = Time((millis * 1e6).round() as u64);
        self
    }

    pub fn fact(&mut self, fact: Fact) -> &mut Self {
        self.observer.on(self.now, &fact, &self.messages);
        self
    }

    /// A new message of a producer, sent the moment it was wanted.
    pub fn send(&mut self, producer: ProducerIndex) -> MessageRef {
        self.send_late(producer, self.now)
    }

    /// A new message that the application had wanted to send before.
    pub fn send_late(&mut self, producer: ProducerIndex, wanted_at: Time) -> MessageRef {
        let message = self.message(producer, wanted_at);
        self.fact(Fact::Sending { message });
        message
    }

    fn message(&mut self, producer: ProducerIndex, wanted_at: Time) -> MessageRef {
        let number = &mut self.sent[producer as usize];
        *number += 1;
        self.messages.insert(Message {
            producer,
            number: *number,
            destination: self.destinations[producer as usize],
            wanted_at,
            sent_at: self.now,
            expiration: 0,
            size: 1024,
            group: 0,
            priority: 4,
            persistent: true,
            dead_letter: false,
            rescheduled: false,
            copy: false,
            sequence: 0,
            redelivery_counter: 0,
            locked_by: None,
            acked: false,
            dropped: false,
        })
    }

    /// It takes its place on its destination, once for each subscription.
    pub fn enqueue(&mut self, message: MessageRef, copies: u32) -> &mut Self {
        self.sequence += 1;
        self.messages[message].sequence = self.sequence;
        let destination = self.messages[message].destination;
        self.fact(Fact::Enqueued {
            message,
            destination,
            copies,
        })
    }

    /// Sent and on its queue at once.
    pub fn queue(&mut self, producer: ProducerIndex) -> MessageRef {
        let message = self.send(producer);
        self.enqueue(message, 1);
        message
    }

    /// A copy of a message on a dead-letter queue.
    pub fn dead_letter(&mut self, original: MessageRef, queue: DestinationIndex) -> MessageRef {
        let copy = Message {
            destination: queue,
            dead_letter: true,
            ..self.messages[original]
        };
        let copy = self.messages.insert(copy);
        self.enqueue(copy, 1);
        copy
    }

    pub fn subscribe(&mut self, consumer: ConsumerId) -> &mut Self {
        self.fact(Fact::Subscribing { consumer });
        self.fact(Fact::Subscribed {
            consumer,
            replayed: false,
        });
        self.fact(Fact::Started { consumer })
    }

    pub fn unsubscribe(&mut self, consumer: ConsumerId, removal: Removal) -> &mut Self {
        self.fact(Fact::Unsubscribed { consumer, removal })
    }

    pub fn dispatch(&mut self, consumer: ConsumerId, message: MessageRef) -> &mut Self {
        let redelivery_counter = self.messages[message].redelivery_counter;
        self.fact(Fact::Dispatched {
            consumer,
            message,
            redelivery_counter,
        })
    }

    pub fn receive(&mut self, consumer: ConsumerId, message: MessageRef) -> &mut Self {
        self.fact(Fact::Received { consumer, message })
    }

    /// Dispatched and received at once.
    pub fn push(&mut self, consumer: ConsumerId, message: MessageRef) -> &mut Self {
        self.dispatch(consumer, message);
        self.receive(consumer, message)
    }

    pub fn deliver(&mut self, consumer: ConsumerId, message: MessageRef) -> &mut Self {
        self.deliver_again(consumer, message, 1)
    }

    pub fn deliver_again(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
        count: u32,
    ) -> &mut Self {
        self.working_since = self.now;
        self.fact(Fact::Delivered {
            consumer,
            message,
            count,
        })
    }

    /// The work on the delivery told last ends.
    pub fn process(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
        outcome: Outcome,
    ) -> &mut Self {
        let since = self.working_since;
        self.fact(Fact::Processed {
            consumer,
            message,
            outcome,
            since,
        })
    }

    pub fn done(&mut self, consumer: ConsumerId, message: MessageRef) -> &mut Self {
        self.process(consumer, message, Outcome::Done)
    }

    pub fn ack_of(
        consumer: ConsumerId,
        ack_type: AckType,
        first: MessageRef,
        last: MessageRef,
        count: i32,
    ) -> MessageAck {
        MessageAck {
            consumer,
            ack_type,
            first: Some(first),
            last,
            count,
            transaction: None,
        }
    }

    /// An ack leaves the client and is at the broker at once.
    pub fn ack(&mut self, ack: MessageAck) -> &mut Self {
        self.fact(Fact::AckSent { ack });
        self.fact(Fact::AckArrived { ack })
    }

    /// A STANDARD ack of one message, and the broker takes it off.
    pub fn acknowledge(&mut self, consumer: ConsumerId, message: MessageRef) -> &mut Self {
        self.ack(Self::ack_of(
            consumer,
            AckType::Standard,
            message,
            message,
            1,
        ));
        self.taken_off(consumer, message)
    }

    pub fn taken_off(&mut self, consumer: ConsumerId, message: MessageRef) -> &mut Self {
        self.fact(Fact::Acknowledged { consumer, message })
    }

    /// A message of one copy leaves: acknowledged and released.
    pub fn acknowledge_and_release(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
    ) -> &mut Self {
        self.acknowledge(consumer, message);
        self.release(message)
    }

    pub fn poison(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
        queue: DestinationIndex,
    ) -> &mut Self {
        self.ack(Self::ack_of(consumer, AckType::Poison, message, message, 1));
        self.fact(Fact::DeadLettered {
            consumer: Some(consumer),
            message,
            cause: DeathCause::Poison,
            queue,
        })
    }

    /// Nobody will name it again; its slot is free.
    pub fn release(&mut self, message: MessageRef) -> &mut Self {
        self.fact(Fact::Released { message });
        self.messages.release(message);
        self
    }

    /// Where a sent message goes from now on.
    pub fn crash(&mut self, consumer: ConsumerId) -> &mut Self {
        self.fact(Fact::Crashed { consumer })
    }

    pub fn returned(&mut self, consumer: ConsumerId, message: MessageRef) -> &mut Self {
        self.messages[message].redelivery_counter += 1;
        self.fact(Fact::Returned { consumer, message })
    }
}
