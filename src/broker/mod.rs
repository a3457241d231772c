//! The broker: queues, topics, subscriptions, transactions, dead letters and slow-consumer strategies, as
//! ActiveMQ Classic 5.17.2 has them. A state machine without time or I/O: a command, a timer or a broken connection goes
//! in, commands for clients and facts come out through [`Surroundings`].
//!
//! It reads beside ActiveMQ's classes: names are ActiveMQ's, and doc comments cite `Class.method`.
//!
//! | file | ActiveMQ |
//! | --- | --- |
//! | `mod`, `connection` | `TransportConnection`, `AbstractRegion`: commands, subscriptions, what a broken connection takes along |
//! | `producer`, `memory` | `Queue.send`, `Topic.send`: duplicates, expiry, flow control |
//! | `queue`, `pending`, `consumers` | `Queue`: passes that page messages in and assign them |
//! | `subscription`, `prefetch` | `AbstractSubscription`, `PrefetchSubscription`: windows, acks, pulls |
//! | `topic`, `durable` | `Topic`, `TopicSubscription`, `DurableTopicSubscription` |
//! | `transaction` | `LocalTransaction` |
//! | `dead_letter`, `redelivery_plugin`, `audit` | `RegionBroker.sendToDeadLetterQueue`, `RedeliveryPlugin` |
//! | `article` | nothing: what the article's semantics do differently |
//! | `slow` | `AbortSlowConsumerStrategy`, `AbortSlowAckConsumerStrategy` |
//!
//! Three choices make it deterministic where the real broker's threads race. A command is done, answer included, before
//! the passes run that it requested, and those run to their end before the next command. Consumers of a connection that
//! breaks are removed session by session, in the order of the scenario. Strategies look at subscriptions in the order of
//! their destination's list.
//!
//! Who holds a message in the arena: its queue from arrival to removal; each topic subscription that has it; an open
//! transaction for each ack in it; the wire, for which each dispatch retains it once more.
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
mod slow;
mod subscription;
mod surroundings;
mod topic;
mod transaction;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

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
use connection::Connection;
use destination::Destination;
use durable::Durable;
use producer::{Producer, Send};
use subscription::{Kind, QueueConsumer, Subscription, SubscriptionIndex};
use topic::TopicBuffer;
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
    sessions: Vec<Session>,
    consumers: Vec<Consumer>,
    producers: Vec<Producer>,
    /// Live subscriptions, offline durable ones, and free places.
    subscriptions: Vec<Subscription>,
    free_subscriptions: Vec<SubscriptionIndex>,
    /// Destinations that want passes, in the order of the first request.
    wanted: VecDeque<usize>,
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
    lives: Vec<(u32, SubscriptionIndex)>,
    /// Offline or not.
    durable_subscription: Option<SubscriptionIndex>,
}

impl Broker {
    /// A broker with the destinations of the scenario, and nothing on them.
    pub fn new(scenario: &Scenario) -> Broker {
        let audits = scenario
            .destinations
            .iter()
            .map(|d| d.policy.dead_letter_strategy.audit + 1);
        Broker {
            rules: Rules::of(scenario.semantics),
            destinations: scenario
                .destinations
                .iter()
                .map(|destination| Destination::new(destination.kind, &destination.policy))
                .collect(),
            connections: (0..scenario.connection_count())
                .map(|_| Vec::new())
                .collect(),
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
            producers: scenario
                .producers
                .iter()
                .map(|producer| Producer::new(producer.options.producer_window_size > 0))
                .collect(),
            subscriptions: Vec::new(),
            free_subscriptions: Vec::new(),
            wanted: VecDeque::new(),
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
            lives: Vec::new(),
            durable_subscription: None,
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

    /// A command arrives. One for a connection that is no more is dropped.
    pub fn handle(
        &mut self,
        connection: ConnectionId,
        command: ToBroker,
        s: &mut impl Surroundings,
    ) {
        match self.connection(connection) {
            None => self.drop_command(command, s),
            Some(connection) if connection.blocked => connection.backlog.push_back(command),
            Some(_) => self.execute(connection, command, s),
        }
        self.run_passes(s);
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
    fn execute(&mut self, connection: ConnectionId, command: ToBroker, s: &mut impl Surroundings) {
        match command {
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
            ToBroker::Message {
                message,
                transaction,
                sync,
                lose_reply,
            } => {
                let answer = self.answer_to(s.messages()[message].producer, sync, lose_reply);
                self.send(
                    Send {
                        message,
                        connection,
                        transaction,
                        answer,
                    },
                    s,
                );
            }
            ToBroker::Ack {
                ack,
                reply_to,
                redeliver_after,
            } => {
                self.acknowledge(connection, &ack, reply_to, redeliver_after, s);
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

    /// An ack for a consumer that does not exist any more is ignored (`TransportConnection.processMessageAck`).
    fn acknowledge(
        &mut self,
        connection: ConnectionId,
        ack: &MessageAck,
        reply_to: Option<Caller>,
        redeliver_after: u32,
        s: &mut impl Surroundings,
    ) {
        let mut outcome = Ok(());
        if let Some(subscription) = self.find(ack.consumer) {
            s.emit(Fact::AckArrived { ack: *ack });
            outcome = self.check_transaction(ack.transaction);
            if outcome.is_ok() {
                outcome = self.do_acknowledge(subscription, ack, redeliver_after, s);
            }
        }
        if outcome.is_err() {
            s.emit(Fact::AckRejected { ack: *ack });
            if reply_to.is_none() {
                self.set_rollback_only(ack.transaction);
            }
        }
        if let Some(caller) = reply_to {
            self.respond(connection, caller, outcome.is_err(), s);
        }
    }

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
        self.mark_if_stuck(subscription, s);
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

// ── subscriptions ──
impl Broker {
    /// The live subscription of a consumer.
    fn find(&self, consumer: ConsumerId) -> Option<SubscriptionIndex> {
        let lives = &self.consumers[consumer.index as usize].lives;
        lives
            .iter()
            .find(|life| life.0 == consumer.life)
            .map(|life| life.1)
    }

    /// `TransportConnection.processAddConsumer`. What is dispatched at once leaves behind the answer.
    fn add_consumer(
        &mut self,
        connection: ConnectionId,
        consumer: ConsumerId,
        prefetch: u32,
        replayed: bool,
        s: &mut impl Surroundings,
    ) {
        if replayed {
            self.lose_previous_lives(connection, s);
        }
        let caller = Caller::Consumer(consumer.index);
        let known = &self.consumers[consumer.index as usize];
        if known.is_durable && !known.lives.is_empty() {
            // "Durable consumer is in use"
            return self.respond(connection, caller, true, s);
        }
        s.emit(Fact::Subscribed { consumer, replayed });
        let subscription = match known.durable_subscription {
            Some(offline) => self.activate(offline, connection, consumer, prefetch, s),
            None => self.create_subscription(connection, consumer, prefetch, s),
        };
        self.consumers[consumer.index as usize]
            .lives
            .push((consumer.life, subscription));
        if let Some(connection) = self.connection(connection) {
            connection.consumers.push(consumer);
        }
        self.respond(connection, caller, false, s);
        if let Kind::Durable(_) = self.subscriptions[subscription].kind {
            self.dispatch_durable(subscription, s);
        }
    }

    /// `AbstractRegion.addConsumer`
    fn create_subscription(
        &mut self,
        connection: ConnectionId,
        consumer: ConsumerId,
        requested: u32,
        s: &mut impl Surroundings,
    ) -> SubscriptionIndex {
        let info = &self.consumers[consumer.index as usize];
        let destination = info.destination;
        let prefetch = self.configured_prefetch(consumer, requested);
        let mut subscription = Subscription {
            consumer,
            connection,
            destination,
            kind: self.kind_of(info, prefetch),
            queue: QueueConsumer {
                priority: info.priority,
                exclusive: info.exclusive,
                ..QueueConsumer::default()
            },
            prefetch,
            prefetch_extension: 0,
            use_prefetch_extension: self.destinations[destination].policy.use_prefetch_extension,
            dispatched: VecDeque::new(),
            dispatched_count: 0,
            ok_for_ack: false,
            slow: false,
            full: false,
            told_full: false,
            time_of_last_ack: s.now(),
            redelivered_messages: BTreeMap::new(),
            extension_is_last_delivered: self.rules.delivered_once_until_acknowledged,
            delivered_since_ack: false,
        };
        subscription.full = subscription.is_full();
        let index = self.place_subscription(subscription);
        self.add_to_destination(destination, index);
        self.tell_prefetch_zero(index, requested, s);
        index
    }

    fn kind_of(&self, info: &Consumer, prefetch: u32) -> Kind {
        let destination = &self.destinations[info.destination];
        if destination.is_queue() {
            return Kind::Queue;
        }
        if info.is_durable {
            let dispatch_async = info.dispatch_async;
            return Kind::Durable(Durable {
                active: true,
                dispatch_async,
                ..Durable::default()
            });
        }
        let own_limit = info.maximum_pending_message_limit;
        Kind::Topic(TopicBuffer::new(&destination.policy, prefetch, own_limit))
    }

    fn place_subscription(&mut self, subscription: Subscription) -> SubscriptionIndex {
        if let Some(index) = self.free_subscriptions.pop() {
            self.subscriptions[index] = subscription;
            return index;
        }
        self.subscriptions.push(subscription);
        self.subscriptions.len() - 1
    }

    fn add_to_destination(&mut self, destination: usize, new: SubscriptionIndex) {
        match &mut self.destinations[destination].kind {
            destination::Kind::Queue(_) => self.add_to_queue(destination, new),
            destination::Kind::Topic(topic) => topic.subscribers.push(new),
        }
        if let Kind::Durable(_) = self.subscriptions[new].kind {
            let index = self.subscriptions[new].consumer.index as usize;
            self.consumers[index].durable_subscription = Some(new);
        }
    }

    /// `DurableTopicSubscription.activate`. The consumer's prefetch counts now: a policy replaced only that of the
    /// consumer which created the subscription.
    fn activate(
        &mut self,
        offline: SubscriptionIndex,
        connection: ConnectionId,
        consumer: ConsumerId,
        prefetch: u32,
        _s: &mut impl Surroundings,
    ) -> SubscriptionIndex {
        let subscription = &mut self.subscriptions[offline];
        subscription.consumer = consumer;
        subscription.connection = connection;
        subscription.prefetch = prefetch;
        subscription.told_full = false;
        subscription.delivered_since_ack = false;
        if let Kind::Durable(durable) = &mut subscription.kind {
            durable.active = true;
        }
        subscription.full = subscription.is_full();
        offline
    }

    /// `PolicyEntry.configurePrefetch`: only what the client left at the library's default is replaced.
    fn configured_prefetch(&self, consumer: ConsumerId, requested: u32) -> u32 {
        let info = &self.consumers[consumer.index as usize];
        let destination = &self.destinations[info.destination];
        let is_default = info.prefetch_is_default && requested == info.prefetch_size;
        if !destination.policy.has_entry || !is_default {
            return requested;
        }
        if destination.is_queue() {
            destination.policy.queue_prefetch
        } else if info.is_durable {
            destination.policy.durable_topic_prefetch
        } else {
            destination.policy.topic_prefetch
        }
    }

    /// A client must know when it has to pull; of any other change by a policy it is not told.
    fn tell_prefetch_zero(
        &self,
        subscription: SubscriptionIndex,
        requested: u32,
        s: &mut impl Surroundings,
    ) {
        let told = &self.subscriptions[subscription];
        if requested != 0 && told.prefetch == 0 {
            let command = ToClient::Prefetch {
                consumer: told.consumer,
                prefetch: 0,
            };
            s.send(told.connection, command);
        }
    }

    /// `AbstractRegion.processConsumerControl`: a failover transport has cleared its buffers.
    fn set_prefetch(&mut self, consumer: ConsumerId, prefetch: u32, s: &mut impl Surroundings) {
        let Some(subscription) = self.find(consumer) else {
            return;
        };
        self.subscriptions[subscription].prefetch = prefetch;
        self.update_room(subscription, s);
        match self.subscriptions[subscription].kind {
            Kind::Topic(_) => self.dispatch_matched(subscription, s),
            _ => self.dispatch_pending(subscription, s),
        }
        self.subscriptions[subscription].prefetch = self.configured_prefetch(consumer, prefetch);
        self.tell_prefetch_zero(subscription, prefetch, s);
        self.update_room(subscription, s);
        self.wakeup(self.subscriptions[subscription].destination);
    }

    /// `AbstractRegion.removeConsumer`, `TopicRegion.removeConsumer`
    fn remove_subscription(
        &mut self,
        subscription: SubscriptionIndex,
        last_delivered: i64,
        removal: Removal,
        s: &mut impl Surroundings,
    ) {
        let consumer = self.subscriptions[subscription].consumer;
        let connection = self.subscriptions[subscription].connection;
        let unknown = last_delivered == LAST_DELIVERED_UNKNOWN;
        let last_delivered = if unknown && self.rules.crash_counts_delivered_only {
            s.last_delivered(consumer)
        } else {
            last_delivered
        };
        s.emit(Fact::Unsubscribed { consumer, removal });
        self.consumers[consumer.index as usize]
            .lives
            .retain(|life| life.0 != consumer.life);
        if let Some(connection) = self.connection(connection) {
            connection.consumers.retain(|&other| other != consumer);
        }
        match self.subscriptions[subscription].kind {
            Kind::Durable(_) => return self.deactivate(subscription, last_delivered, s),
            Kind::Queue => self.remove_from_queue(subscription, last_delivered, s),
            Kind::Topic(_) => self.remove_from_topic(subscription, s),
        }
        self.forget_slow(subscription);
        self.free_subscriptions.push(subscription);
    }
}

// ── restarts ──
impl Broker {
    /// The broker stops. All connections are lost; persistent messages and durable subscriptions survive, redelivery
    /// counters and everything else that is only in memory do not.
    pub fn stop(&mut self, s: &mut impl Surroundings) {
        if self.stopped {
            return;
        }
        self.stopped = true;
        self.run += 1;
        self.tell_up(s);
        self.end_delays(None, s);
        for connection in self.all_connections() {
            self.lose_connection(connection, s);
        }
        self.wanted.clear();
        for destination in 0..self.destinations.len() {
            self.shut_down(destination, s);
        }
        self.dead_letter_audits.fill(MessageAudit::default());
    }

    /// The broker comes back.
    pub fn start_again(&mut self, s: &mut impl Surroundings) {
        if !self.stopped {
            return;
        }
        self.stopped = false;
        self.tell_up(s);
        self.start(s);
        for message in std::mem::take(&mut self.overdue) {
            self.redeliver(message, s);
        }
        self.run_passes(s);
    }

    fn all_connections(&self) -> Vec<ConnectionId> {
        let connections = self.connections.iter().enumerate();
        connections
            .flat_map(|(index, lives)| {
                lives.iter().map(move |life| ConnectionId {
                    index: index as u32,
                    life: life.life,
                })
            })
            .collect()
    }

    fn shut_down(&mut self, destination: usize, s: &mut impl Surroundings) {
        let stopped = &mut self.destinations[destination];
        stopped.wakeups = 0;
        if let Some(strategy) = &mut stopped.slow_strategy {
            strategy.reset();
        }
        for send in std::mem::take(&mut stopped.parked) {
            producer::not_enqueued(send.message, false, s);
        }
        if self.destinations[destination].is_queue() {
            self.shut_down_queue(destination, s);
        } else {
            self.shut_down_durables(destination, s);
        }
    }
}

// ── questions ──
impl Broker {
    /// What is still there, in the order of arrival: on a queue what waits and what is in flight, on a topic what
    /// durable subscriptions have, once for each.
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
                remaining.extend(queue.waiting().chain(in_flight.copied()));
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
    pub fn in_flight(&self, consumer: ConsumerId) -> Option<&VecDeque<MessageRef>> {
        self.find(consumer)
            .map(|index| &self.subscriptions[index].dispatched)
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
