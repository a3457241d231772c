//! The broker: queues, topics, subscriptions, transactions, dead letters and slow-consumer
//! strategies, as ActiveMQ Classic 5.17.2 has them. A state machine without time or I/O: a command,
//! a timer or a broken connection goes in, commands for clients and facts come out through
//! [`Surroundings`].
//!
//! It reads beside ActiveMQ's classes: names are ActiveMQ's, and doc comments cite class and method.
//!
//! | file | ActiveMQ |
//! | --- | --- |
//! | `mod`, `connection` | `TransportConnection`: commands, lives of connections |
//! | `region`, `restart` | `AbstractRegion`: subscriptions come and go; restarts |
//! | `producer`, `memory` | `Queue.send`, `Topic.send`: duplicates, expiry, flow control |
//! | `queue`, `pending`, `consumers` | `Queue`: passes that page messages in and assign them |
//! | `subscription`, `prefetch` | `PrefetchSubscription`: windows, acks, pulls |
//! | `topic`, `durable` | `Topic`, `TopicSubscription`, `DurableTopicSubscription` |
//! | `transaction` | `LocalTransaction` |
//! | `dead_letter`, `audit`, `redelivery_plugin` | `sendToDeadLetterQueue`, `RedeliveryPlugin` |
//! | `article` | nothing: what the article's semantics do differently |
//! | `slow` | `AbortSlowConsumerStrategy`, `AbortSlowAckConsumerStrategy` |
//!
//! Three choices make it deterministic where the real broker's threads race. A command is done,
//! answer included, before the passes run that it requested, and those run to their end before the
//! next command. Consumers of a connection that breaks are removed session by session, in the order
//! of the scenario. Strategies look at subscriptions in the order of their destination's list.
//!
//! Who holds a message in the arena: its queue from arrival to removal; each topic subscription
//! that has it; an open transaction for each ack in it; the wire, for which each dispatch retains
//! it once more.
//!
//! After `Unsubscribed` nothing more is said of a consumer's flags: they ended with it.

mod article;
mod audit;
mod connection;
mod consumers;
mod dead_letter;
mod destination;
mod durable;
mod memory;
mod pending;
mod prefetch;
mod producer;
mod queue;
mod redelivery_plugin;
mod region;
mod restart;
mod slow;
mod subscription;
mod surroundings;
mod topic;
mod transaction;

#[cfg(test)]
mod tests;

use crate::facts::{Fact, Removal};
use crate::kernel::Span;
use crate::rules::Rules;
use crate::scenario::{self, DestinationKind, Scenario};
use crate::wire::{
    AckType, Caller, ConnectionId, ConsumerId, DestinationIndex, MessageAck, MessageRef, ToBroker,
    ToClient,
};

pub use surroundings::{BrokerTimer, Surroundings};

use article::PutBack;
use audit::MessageAudit;
use connection::{Connection, NOT_READING, drop_command};
use destination::Destination;
use producer::{Producer, Send};
use region::Lives;
use subscription::{Kind, Subscription, SubscriptionIndex};
use transaction::{Synchronization, Transaction};

/// `RemoveInfo.LAST_DELIVERED_UNKNOWN`: nobody said what was delivered.
const LAST_DELIVERED_UNKNOWN: i64 = -2;

/// The broker refuses a command with an exception.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Refused;

/// The broker. See the module.
#[derive(Debug)]
pub struct Broker {
    rules: Rules,
    destinations: Vec<Destination>,
    connections: Vec<Vec<Connection>>,
    /// By connection: the life whose commands are done as they come. What nearly every command
    /// needs to know of its connection.
    reading: Vec<u32>,
    sessions: Vec<Session>,
    consumers: Vec<Consumer>,
    producers: Vec<Producer>,
    /// Whether any producer has a window: else nobody looks for one.
    has_windows: bool,
    /// Live subscriptions, offline durable ones, and free places. Each consumer has a place of its own
    /// here, for the only one of its lives in nearly all runs, and the others come behind.
    subscriptions: Vec<Subscription>,
    free_subscriptions: Vec<SubscriptionIndex>,
    /// Destinations that want passes, in the order of the first request.
    wanted: Vec<usize>,
    /// `RegionBroker.getBrokerSequenceId`: one generator for all destinations.
    last_sequence: u64,
    dead_letter_audits: Vec<MessageAudit>,
    redelivery_plugin: Option<scenario::RedeliveryPlugin>,
    /// What the redelivery plugin's scheduler would have sent while the broker was down.
    overdue: Vec<MessageRef>,
    /// Article 5: what waits for its redelivery delay.
    put_backs: Vec<PutBack>,
    next_put_back: u32,
    /// The connection whose end is being processed.
    stopping: Option<ConnectionId>,
    stopped: bool,
    /// Counts the starts: timers of an earlier run are stale.
    run: u32,
    /// Memory that the next transaction uses again.
    spare_synchronizations: Vec<Synchronization>,
}

/// What the broker knows of a session.
#[derive(Debug, Default)]
struct Session {
    transactions: Vec<Transaction>,
}

/// What `ConsumerInfo` says, and which lives of the consumer the broker knows.
#[derive(Debug)]
struct Consumer {
    destination: usize,
    session: usize,
    is_durable: bool,
    prefetch_size: u32,
    prefetch_is_default: bool,
    priority: i8,
    exclusive: bool,
    dispatch_async: bool,
    maximum_pending_message_limit: u32,
    /// There can be two while the broker has not noticed a crash.
    lives: Lives,
    /// Offline or not.
    durable_subscription: Option<SubscriptionIndex>,
    /// Whether no subscription lies at the place that has the consumer's own number.
    home_is_free: bool,
}

impl Broker {
    /// A broker with the destinations of the scenario, and nothing on them.
    pub fn new(scenario: &Scenario) -> Broker {
        let audits = scenario
            .destinations
            .iter()
            .map(|d| d.policy.dead_letter_strategy.audit + 1);
        let rules = Rules::of(scenario.semantics);
        Broker {
            rules,
            destinations: scenario
                .destinations
                .iter()
                .map(|destination| Destination::new(destination.kind, &destination.policy, rules))
                .collect(),
            connections: (0..scenario.connection_count())
                .map(|_| Vec::new())
                .collect(),
            reading: vec![NOT_READING; scenario.connection_count()],
            sessions: scenario
                .sessions
                .iter()
                .map(|_| Session::default())
                .collect(),
            consumers: scenario
                .consumers
                .iter()
                .map(|c| Consumer::new(c, scenario))
                .collect(),
            has_windows: scenario
                .producers
                .iter()
                .any(|producer| producer.options.producer_window_size > 0),
            producers: scenario
                .producers
                .iter()
                .map(|producer| Producer::new(producer.options.producer_window_size > 0))
                .collect(),
            subscriptions: scenario
                .consumers
                .iter()
                .map(|_| Subscription::default())
                .collect(),
            free_subscriptions: Vec::new(),
            wanted: Vec::new(),
            last_sequence: 0,
            dead_letter_audits: vec![MessageAudit::default(); audits.max().unwrap_or(0)],
            redelivery_plugin: scenario.broker.redelivery_plugin.clone(),
            overdue: Vec::new(),
            put_backs: Vec::new(),
            next_put_back: 0,
            stopping: None,
            stopped: false,
            run: 1,
            spare_synchronizations: Vec::new(),
        }
    }
}

impl Consumer {
    fn new(consumer: &scenario::Consumer, scenario: &Scenario) -> Consumer {
        let destination = &scenario.destinations[consumer.destination];
        Consumer {
            destination: consumer.destination,
            session: consumer.session,
            is_durable: consumer.durable.is_some() && destination.kind == DestinationKind::Topic,
            prefetch_size: consumer.prefetch_size,
            prefetch_is_default: consumer.prefetch_is_default,
            priority: consumer.priority,
            exclusive: consumer.exclusive,
            dispatch_async: scenario.connections[consumer.connection]
                .options
                .dispatch_async,
            maximum_pending_message_limit: consumer.maximum_pending_message_limit,
            lives: Lives::new(),
            durable_subscription: None,
            home_is_free: true,
        }
    }
}

// ── what goes in ──
impl Broker {
    /// Time 0: the periodic timers.
    pub fn start(&mut self, s: &mut impl Surroundings) {
        for destination in 0..self.destinations.len() {
            self.set_expiry_timer(destination, s);
            let strategy = &self.destinations[destination].slow_strategy;
            if strategy
                .as_ref()
                .is_some_and(|strategy| strategy.starts_by_itself())
            {
                self.set_check_timer(destination, s);
            }
        }
    }

    /// A command arrives.
    #[inline(always)]
    pub fn handle(
        &mut self,
        connection: ConnectionId,
        command: &ToBroker,
        s: &mut impl Surroundings,
    ) {
        match command {
            ToBroker::Ack {
                ack,
                reply_to: None,
                ..
            } => self.acknowledge(connection, ack, command, s),
            _ if self.is_reading(connection) => self.execute(connection, command, s),
            _ => self.handle_apart(connection, command, s),
        }
        self.run_passes(s);
    }

    /// An ack that nobody waits for.
    #[inline(never)]
    fn acknowledge(
        &mut self,
        connection: ConnectionId,
        ack: &MessageAck,
        command: &ToBroker,
        s: &mut impl Surroundings,
    ) {
        if self.is_for_oldest(connection, ack) {
            self.acknowledge_oldest(ack, s);
        } else if self.is_reading(connection) {
            self.execute(connection, command, s);
        } else {
            self.handle_apart(connection, command, s);
        }
    }

    /// A command for one of several lives of a connection, or for one that is blocked. One for a
    /// connection that is no more is dropped.
    #[cold]
    fn handle_apart(
        &mut self,
        connection: ConnectionId,
        command: &ToBroker,
        s: &mut impl Surroundings,
    ) {
        match self.connection(connection) {
            None => drop_command(*command, s),
            Some(connection) if connection.blocked => connection.backlog.push_back(*command),
            Some(_) => self.execute(connection, command, s),
        }
    }

    /// The broker sees a connection break.
    pub fn connection_lost(&mut self, connection: ConnectionId, s: &mut impl Surroundings) {
        self.lose_connection(connection, s);
        self.run_passes(s);
    }

    /// A timer that was set is due.
    pub fn on_timer(&mut self, timer: BrokerTimer, s: &mut impl Surroundings) {
        match timer {
            BrokerTimer::ExpireMessages { destination, run } if run == self.run => {
                self.expire_messages(destination as usize, s);
            }
            BrokerTimer::SlowConsumers { destination, run } if run == self.run => {
                self.check_slow_consumers(destination as usize, s);
            }
            BrokerTimer::ExpireMessages { .. } | BrokerTimer::SlowConsumers { .. } => {}
            BrokerTimer::PullTimeout {
                consumer,
                dispatched,
            } => {
                self.pull_timeout(consumer, dispatched, s);
            }
            BrokerTimer::DispatchStarts { destination, wait } => {
                self.dispatch_wait_ends(destination as usize, wait);
            }
            BrokerTimer::ForcedRemoval(consumer) => self.force_removal(consumer, s),
            BrokerTimer::Redelivery(message) => self.redeliver(message, s),
            BrokerTimer::PutBack(number) => self.put_back(number, s),
        }
        self.run_passes(s);
    }

    /// Does what a command says; passes that it requests run later.
    #[inline(always)]
    fn execute(&mut self, connection: ConnectionId, command: &ToBroker, s: &mut impl Surroundings) {
        match *command {
            ToBroker::Message {
                message,
                transaction,
                sync,
                lose_reply,
            } => {
                if transaction.is_none() && !lose_reply {
                    return self.send(connection, message, sync, s);
                }
                let answer = self.answer_to(s.messages()[message].producer, sync, lose_reply);
                let send = Send {
                    message,
                    connection,
                    transaction,
                    answer,
                };
                self.send_with_care(send, s);
            }
            ToBroker::Ack {
                ref ack,
                reply_to,
                redeliver_after,
            } => {
                self.acknowledge_and_answer(connection, ack, reply_to, redeliver_after, s);
            }
            rare => self.execute_rare(connection, rare, s),
        }
    }

    /// What does not come with every message. Kept apart, so that the way of what does stays small.
    #[inline(never)]
    fn execute_rare(
        &mut self,
        connection: ConnectionId,
        command: ToBroker,
        s: &mut impl Surroundings,
    ) {
        match command {
            ToBroker::Message { .. } | ToBroker::Ack { .. } => {}
            ToBroker::AddConsumer {
                consumer,
                prefetch,
                replayed,
            } => {
                self.add_consumer(connection, consumer, prefetch, replayed, s);
            }
            ToBroker::RemoveConsumer {
                consumer,
                last_delivered,
            } => {
                self.remove_consumer(consumer, last_delivered, Removal::Close, s);
            }
            ToBroker::RemoveSession {
                session,
                last_delivered,
            } => {
                self.remove_session(connection, session, last_delivered, s);
            }
            ToBroker::RemoveConnection { last_delivered } => {
                self.remove_and_answer(connection, last_delivered, s);
            }
            ToBroker::Pull { consumer, timeout } => self.pull(consumer, timeout, s),
            ToBroker::Begin(transaction) => self.begin(connection, transaction, s),
            ToBroker::Commit {
                transaction,
                reply_to,
            } => {
                self.commit(connection, transaction, reply_to, s);
            }
            ToBroker::Rollback {
                transaction,
                reply_to,
            } => {
                self.roll_back(connection, transaction, reply_to, s);
            }
            ToBroker::Prefetch { consumer, prefetch } => self.set_prefetch(consumer, prefetch, s),
        }
    }

    /// An ack for a consumer that does not exist any more is ignored
    /// (`TransportConnection.processMessageAck`).
    #[inline]
    fn acknowledge_with_care(
        &mut self,
        ack: &MessageAck,
        redeliver_after: u32,
        s: &mut impl Surroundings,
    ) -> Result<(), Refused> {
        let found = self.find(ack.consumer);
        rule!("ack-of-nobody", found.is_none());
        let Some(subscription) = found else {
            return Ok(());
        };
        s.emit(Fact::AckArrived { ack: *ack });
        let mut outcome = self.check_transaction(ack.transaction);
        if outcome.is_ok() {
            outcome = self.do_acknowledge(subscription, ack, redeliver_after, s);
        }
        if outcome.is_err() {
            s.emit(Fact::AckRejected { ack: *ack });
        }
        outcome
    }

    /// If nobody waits for the answer, a refused ack spoils its transaction.
    #[inline(never)]
    fn acknowledge_and_answer(
        &mut self,
        connection: ConnectionId,
        ack: &MessageAck,
        reply_to: Option<Caller>,
        redeliver_after: u32,
        s: &mut impl Surroundings,
    ) {
        let outcome = self.acknowledge_with_care(ack, redeliver_after, s);
        if let Some(caller) = reply_to {
            self.respond(connection, caller, outcome.is_err(), s);
        } else if outcome.is_err() {
            self.set_rollback_only(ack.transaction);
        }
    }

    #[inline]
    fn do_acknowledge(
        &mut self,
        subscription: SubscriptionIndex,
        ack: &MessageAck,
        redeliver_after: u32,
        s: &mut impl Surroundings,
    ) -> Result<(), Refused> {
        if self.rules.delivered_marks_slow {
            self.note_ack(subscription, ack.ack_type, s);
        }
        if self.rules.broker_redelivers && ack.ack_type == AckType::Redelivered {
            return self.take_back(subscription, ack, redeliver_after, s);
        }
        match self.subscriptions[subscription].kind {
            Kind::Topic(_) => self.acknowledge_topic(subscription, ack, s)?,
            _ => self.acknowledge_prefetch(subscription, ack, s)?,
        }
        if self.rules.delivered_marks_slow {
            self.mark_if_stuck(subscription, s);
        }
        Ok(())
    }

    fn remove_and_answer(
        &mut self,
        connection: ConnectionId,
        last_delivered: i64,
        s: &mut impl Surroundings,
    ) {
        self.remove_connection(connection, last_delivered, Removal::Close, s);
        s.send(
            connection,
            ToClient::Response {
                to: Caller::Connection,
                failed: false,
            },
        );
    }

    fn set_expiry_timer(&self, destination: usize, s: &mut impl Surroundings) {
        let period = self.destinations[destination].policy.expire_messages_period;
        if period > Span::ZERO {
            let timer = BrokerTimer::ExpireMessages {
                destination: destination as u32,
                run: self.run,
            };
            s.set_timer(s.now() + period, timer);
        }
    }

    fn expire_messages(&mut self, destination: usize, s: &mut impl Surroundings) {
        if self.destinations[destination].is_queue() {
            self.expire_queue(destination, s);
        } else {
            self.expire_topic(destination, s);
        }
        self.set_expiry_timer(destination, s);
    }
}

// ── questions ──
impl Broker {
    /// What is still there, in the order of arrival: on a queue what waits and what is in flight,
    /// on a topic what durable subscriptions have, once for each.
    pub fn remaining(
        &self,
        destination: DestinationIndex,
        messages: &crate::wire::Messages,
    ) -> Vec<MessageRef> {
        let mut remaining: Vec<MessageRef> = self.delayed(destination as usize).collect();
        match &self.destinations[destination as usize].kind {
            destination::Kind::Queue(queue) => {
                let consumers = queue.consumers.members().iter();
                let in_flight =
                    consumers.flat_map(|&member| &self.subscriptions[member].dispatched);
                remaining.extend(queue.waiting.iter().chain(in_flight.copied()));
            }
            destination::Kind::Topic(topic) => {
                let subscribers = topic.subscribers.iter();
                let kept = subscribers.flat_map(|&index| self.subscriptions[index].kept());
                remaining.extend(kept);
            }
        }
        remaining.sort_by_key(|&message| messages[message].sequence);
        remaining
    }

    /// What a live subscription has in flight, the oldest first.
    pub fn in_flight(&self, consumer: ConsumerId) -> Option<&[MessageRef]> {
        self.find(consumer)
            .map(|index| &*self.subscriptions[index].dispatched)
    }

    /// `prefetchExtension` of a live subscription.
    pub fn prefetch_extension(&self, consumer: ConsumerId) -> Option<u32> {
        self.find(consumer)
            .map(|index| self.subscriptions[index].prefetch_extension)
    }

    /// The prefetch that the broker uses for a live subscription.
    pub fn prefetch(&self, consumer: ConsumerId) -> Option<u32> {
        self.find(consumer)
            .map(|index| self.subscriptions[index].prefetch)
    }

    /// Whether a live subscription is marked slow.
    pub fn is_slow(&self, consumer: ConsumerId) -> Option<bool> {
        self.find(consumer)
            .map(|index| self.subscriptions[index].slow)
    }
}
