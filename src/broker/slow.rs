//! Slow consumers: the flag, and the strategies that abort them (`AbortSlowConsumerStrategy`,
//! `AbortSlowAckConsumerStrategy`).
//!
//! The flag steers nothing: messages go elsewhere because a window is full, not because a consumer
//! is slow. It matters to the strategies only. On queues 5.17.2 never sets it by dispatching, so
//! there AbortSlowConsumerStrategy never fires.

use crate::facts::{Fact, Removal};
use crate::kernel::{Span, Time};
use crate::scenario::{SlowConsumerKind, SlowConsumerStrategy};
use crate::wire::{ConnectionId, ConsumerId, ToClient};

use super::consumers::Consumers;
use super::destination::Kind;
use super::subscription::{Subscription, SubscriptionIndex};
use super::{Broker, BrokerTimer, LAST_DELIVERED_UNKNOWN, Surroundings};

/// How long a client has to close an aborted consumer before the broker removes it itself.
const TIME_TO_CLOSE: Span = Span::from_millis(1000);
/// The removal comes a moment later than a check of the strategy that is due after the same time.
const BEHIND_THE_CHECK: Span = Span(1);

/// A strategy and its table.
#[derive(Debug)]
pub(super) struct SlowStrategy {
    settings: SlowConsumerStrategy,
    started: bool,
    entries: Vec<Entry>,
}

/// `SlowConsumerEntry`
#[derive(Clone, Copy, Debug)]
struct Entry {
    subscription: SubscriptionIndex,
    connection: ConnectionId,
    /// How many checks found it in the table.
    marks: u32,
    /// How often it was reported.
    slow_count: u32,
}

impl SlowStrategy {
    pub fn new(settings: SlowConsumerStrategy) -> SlowStrategy {
        SlowStrategy {
            settings,
            started: false,
            entries: Vec::new(),
        }
    }

    /// Forgets everything, as a restart of the broker does.
    pub fn reset(&mut self) {
        *self = SlowStrategy::new(self.settings);
    }

    /// AbortSlowAckConsumerStrategy checks from the start, for nobody notifies it.
    pub fn starts_by_itself(&self) -> bool {
        match self.settings.kind {
            SlowConsumerKind::AbortSlowConsumer => false,
            SlowConsumerKind::AbortSlowAckConsumer {
                max_time_since_last_ack,
                ..
            } => max_time_since_last_ack.is_some(),
        }
    }

    /// At least a millisecond.
    pub fn check_period(&self) -> Span {
        self.settings.check_period.max(Span::from_millis(1))
    }

    fn marks_count(&self) -> bool {
        self.settings
            .max_slow_duration
            .is_some_and(|duration| duration > Span::ZERO)
    }

    fn reports_count(&self) -> bool {
        self.settings.max_slow_count.is_some_and(|count| count > 0)
    }

    fn mark_all(&mut self) {
        if self.marks_count() {
            for entry in &mut self.entries {
                entry.marks += 1;
            }
        }
    }

    fn is_too_slow(&self, entry: &Entry) -> bool {
        let slow_for = u64::from(entry.marks) * self.settings.check_period.as_millis();
        let duration = self.settings.max_slow_duration.unwrap_or(Span::ZERO);
        (self.marks_count() && slow_for >= duration.as_millis())
            || (self.reports_count()
                && entry.slow_count >= self.settings.max_slow_count.unwrap_or(0))
    }

    fn forget(&mut self, subscription: SubscriptionIndex) {
        self.entries
            .retain(|entry| entry.subscription != subscription);
    }

    /// Another report of a subscription: a new entry, which begins with so many marks, or one count
    /// more.
    fn report(&mut self, subscription: SubscriptionIndex, connection: ConnectionId, marks: u32) {
        let counts = self.reports_count();
        match self
            .entries
            .iter_mut()
            .find(|entry| entry.subscription == subscription)
        {
            None => {
                self.entries.push(Entry {
                    subscription,
                    connection,
                    marks,
                    slow_count: 1,
                });
            }
            Some(entry) if counts => entry.slow_count += 1,
            Some(_) => {}
        }
    }

    fn knows(&self, subscription: SubscriptionIndex) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.subscription == subscription)
    }
}

// ── the flag ──
impl Subscription {
    /// A dispatch attempt that finds room: not slow any more. With the article's rules a consumer
    /// stays slow until it acknowledges.
    #[inline]
    pub(super) fn room_clears_slow(&mut self, s: &mut impl Surroundings) {
        if self.slow && !self.delivered_since_ack {
            self.change_slow(false, s);
        }
    }

    /// The flag alone; whether it changed.
    #[inline(never)]
    fn change_slow(&mut self, slow: bool, s: &mut impl Surroundings) -> bool {
        if self.slow == slow {
            return false;
        }
        self.slow = slow;
        rule!("room-clears-slow", !slow);
        let consumer = self.consumer;
        s.emit(Fact::Slow { consumer, slow });
        true
    }
}

/// ActiveMQ 6 (AMQ-9153): full consumers that a queue passes over on its way to the one that
/// takes a message, or to none, are slow. Their strategy is not told.
#[cold]
pub(super) fn mark_passed_over(
    consumers: &Consumers,
    subscriptions: &mut [Subscription],
    taker: Option<SubscriptionIndex>,
    s: &mut impl Surroundings,
) {
    for subscription in consumers.in_order(subscriptions) {
        if Some(subscription) == taker {
            return;
        }
        if subscriptions[subscription].full {
            rule!("full-queue-consumer-is-slow");
            subscriptions[subscription].change_slow(true, s);
        }
    }
}

impl Broker {
    /// `setSlowConsumer`, and on the change to slow `Destination.slowConsumer`.
    pub(super) fn set_slow(
        &mut self,
        subscription: SubscriptionIndex,
        slow: bool,
        s: &mut impl Surroundings,
    ) {
        if self.subscriptions[subscription].change_slow(slow, s) && slow {
            self.notify_strategy(subscription, s);
        }
    }

    /// `AbortSlowConsumerStrategy.slowConsumer`: the first notification starts the checks.
    fn notify_strategy(&mut self, subscription: SubscriptionIndex, s: &mut impl Surroundings) {
        let connection = self.subscriptions[subscription].connection;
        let destination = self.subscriptions[subscription].destination();
        let Some(strategy) = &mut self.destinations[destination].slow_strategy else {
            return;
        };
        let settings = strategy.settings;
        let no_limits = settings.max_slow_count.is_none() && settings.max_slow_duration.is_none();
        if settings.kind != SlowConsumerKind::AbortSlowConsumer || no_limits {
            return;
        }
        rule!("slow-tells-strategy");
        strategy.report(subscription, connection, 0);
        if !std::mem::replace(&mut strategy.started, true) {
            self.set_check_timer(destination, s);
        }
    }

    /// The next check of a destination's strategy.
    pub(super) fn set_check_timer(&self, destination: usize, s: &mut impl Surroundings) {
        if let Some(strategy) = &self.destinations[destination].slow_strategy {
            let timer = BrokerTimer::SlowConsumers {
                destination: destination as u32,
                run: self.run,
            };
            s.set_timer(s.now() + strategy.check_period(), timer);
        }
    }

    /// A subscription is gone for good.
    pub(super) fn forget_slow(&mut self, subscription: SubscriptionIndex) {
        let destination = self.subscriptions[subscription].destination();
        if let Some(strategy) = &mut self.destinations[destination].slow_strategy {
            strategy.forget(subscription);
        }
    }
}

// ── the checks ──
impl Broker {
    /// `AbortSlowConsumerStrategy.run`, `AbortSlowAckConsumerStrategy.run`
    pub(super) fn check_slow_consumers(&mut self, destination: usize, s: &mut impl Surroundings) {
        let Some(mut strategy) = self.destinations[destination].slow_strategy.take() else {
            return;
        };
        rule!("strategy-per-destination");
        strategy.mark_all();
        strategy
            .entries
            .retain(|entry| self.subscriptions[entry.subscription].slow);
        if let SlowConsumerKind::AbortSlowAckConsumer {
            max_time_since_last_ack: Some(longest),
            ignore_idle_consumers,
        } = strategy.settings.kind
        {
            for subscription in self.subscriptions_of(destination) {
                let idle =
                    ignore_idle_consumers && self.subscriptions[subscription].dispatched.is_empty();
                self.look_at_last_ack(&mut strategy, subscription, longest, idle, s);
            }
        }
        let too_slow = self.find_too_slow(&mut strategy, s);
        let abort_connection = strategy.settings.abort_connection;
        self.destinations[destination].slow_strategy = Some(strategy);
        self.abort(&too_slow, abort_connection, s);
        self.set_check_timer(destination, s);
    }

    /// `Destination.getConsumers`
    fn subscriptions_of(&self, destination: usize) -> Vec<SubscriptionIndex> {
        match &self.destinations[destination].kind {
            Kind::Queue(queue) => queue.consumers.in_order(&self.subscriptions),
            Kind::Topic(topic) => topic.subscribers.clone(),
        }
    }

    /// `AbortSlowAckConsumerStrategy.updateSlowConsumersList`
    fn look_at_last_ack(
        &mut self,
        strategy: &mut SlowStrategy,
        subscription: SubscriptionIndex,
        longest: Span,
        idle: bool,
        s: &mut impl Surroundings,
    ) {
        let looked_at = &mut self.subscriptions[subscription];
        let silent_for = whole_millis(looked_at.time_of_last_ack, s.now());
        if idle || silent_for <= longest.as_millis() {
            rule!("idle-is-spared", idle);
            return strategy.forget(subscription);
        }
        rule!("abort-slow-ack");
        let is_new = !strategy.knows(subscription);
        let connection = looked_at.connection;
        if is_new {
            looked_at.change_slow(true, s);
        }
        strategy.report(subscription, connection, 1);
    }

    fn find_too_slow(
        &self,
        strategy: &mut SlowStrategy,
        s: &mut impl Surroundings,
    ) -> Vec<(ConnectionId, ConsumerId)> {
        let mut too_slow = Vec::new();
        for entry in std::mem::take(&mut strategy.entries) {
            let consumer = self.subscriptions[entry.subscription].consumer;
            rule!("abort-slow");
            let aborted = strategy.is_too_slow(&entry);
            s.emit(Fact::SlowChecked {
                consumer,
                marks: entry.marks,
                aborted,
            });
            if aborted {
                too_slow.push((entry.connection, consumer));
            } else {
                strategy.entries.push(entry);
            }
        }
        too_slow
    }

    /// `abortSubscription`: the connection is broken, or the client is asked to close the consumer.
    fn abort(
        &mut self,
        too_slow: &[(ConnectionId, ConsumerId)],
        abort_connection: bool,
        s: &mut impl Surroundings,
    ) {
        for &(connection, consumer) in too_slow {
            if !self.is_connected(connection) {
                continue;
            }
            if abort_connection {
                rule!("abort-connection");
                s.send(connection, ToClient::Disconnect);
                self.lose_connection(connection, s);
            } else {
                rule!("abort-closes");
                s.send(connection, ToClient::CloseConsumer(consumer));
                let at = s.now() + TIME_TO_CLOSE + BEHIND_THE_CHECK;
                s.set_timer(at, BrokerTimer::ForcedRemoval(consumer));
            }
        }
    }

    /// The client did not close the consumer in time: what it has done with its messages is not
    /// known.
    pub(super) fn force_removal(&mut self, consumer: ConsumerId, s: &mut impl Surroundings) {
        if let Some(subscription) = self.find(consumer) {
            rule!("abort-forces");
            self.remove_subscription(subscription, LAST_DELIVERED_UNKNOWN, Removal::Close, s);
        }
    }
}

/// By a clock of whole milliseconds.
fn whole_millis(from: Time, to: Time) -> u64 {
    to.as_millis() - from.as_millis().min(to.as_millis())
}
