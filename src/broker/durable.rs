//! Durable subscriptions (`DurableTopicSubscription`): they go on while nobody is there.
//!
//! A durable subscription has a window and acks as one of a queue has, but a backlog of its own. So
//! it can see that messages wait while its window is full, which is what the broker calls slow.

use std::collections::VecDeque;

use crate::facts::Fact;
use crate::wire::{ConsumerId, MessageRef};

use super::subscription::{Kind, SubscriptionIndex};
use super::{Broker, LAST_DELIVERED_UNKNOWN, Surroundings};

/// What a durable subscription has beyond its window.
#[derive(Debug, Default)]
pub(super) struct Durable {
    /// Whether its consumer is there.
    pub active: bool,
    /// `dispatchAsync` of its consumer.
    pub dispatch_async: bool,
    /// Messages that are not in flight.
    pub pending: VecDeque<MessageRef>,
}

impl Broker {
    fn durable(&mut self, subscription: SubscriptionIndex) -> &mut Durable {
        match &mut self.subscriptions[subscription].kind {
            Kind::Durable(durable) => durable,
            _ => unreachable!("only durable subscriptions get here"),
        }
    }

    /// `DurableTopicSubscription.add`
    pub(super) fn add_to_durable(
        &mut self,
        subscription: SubscriptionIndex,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        self.hold(self.subscriptions[subscription].destination(), message, s);
        self.durable(subscription).pending.push_back(message);
        rule!("durable-collects", !self.durable(subscription).active);
        self.dispatch_durable(subscription, s);
    }

    /// `dispatchPending`, again when the messages are on the wire (`onDispatch`): so a subscription
    /// that fills its window and has more is slow at once.
    pub(super) fn dispatch_durable(
        &mut self,
        subscription: SubscriptionIndex,
        s: &mut impl Surroundings,
    ) {
        if !self.durable(subscription).active {
            return;
        }
        while self.subscriptions[subscription].count_before_full() > 0 {
            self.subscriptions[subscription].room_clears_slow(s);
            let dispatched = self.dispatch_what_fits(subscription, s);
            rule!("dispatch-async", !self.durable(subscription).dispatch_async);
            if !dispatched || !self.durable(subscription).dispatch_async {
                return;
            }
        }
        if !self.durable(subscription).pending.is_empty() {
            rule!("durable-slow");
            self.set_slow(subscription, true, s);
        }
    }

    /// As this subscription has to tell it: of topic messages every subscription counts for itself.
    pub(super) fn redelivery_counter(
        &self,
        subscription: SubscriptionIndex,
        message: MessageRef,
        s: &impl Surroundings,
    ) -> u32 {
        let own = &self.subscriptions[subscription].redelivered_messages;
        if !own.is_empty()
            && let Some(&count) = own.get(&message)
        {
            return count;
        }
        s.messages()[message].redelivery_counter
    }

    /// Whether there was anything to dispatch.
    fn dispatch_what_fits(
        &mut self,
        subscription: SubscriptionIndex,
        s: &mut impl Surroundings,
    ) -> bool {
        let mut any = false;
        while !self.subscriptions[subscription].is_full() {
            let Some(message) = self.durable(subscription).pending.pop_front() else {
                break;
            };
            if s.messages()[message].is_expired(s.now()) {
                self.durable_message_expired(subscription, message, s);
                continue;
            }
            let counter = self.redelivery_counter(subscription, message, s);
            self.dispatch(subscription, message, counter, s);
            any = true;
        }
        any
    }

    /// `Topic.messageExpired`
    fn durable_message_expired(
        &mut self,
        subscription: SubscriptionIndex,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        self.message_expired(Some(subscription), message, s);
        self.subscriptions[subscription]
            .redelivered_messages
            .remove(&message);
        self.let_go(self.subscriptions[subscription].destination(), message, s);
    }

    /// The periodic check (`Topic.doBrowse`): it expires only what belongs to consumers that are
    /// not there.
    pub(super) fn expire_topic(&mut self, destination: usize, s: &mut impl Surroundings) {
        for index in 0..self.destinations[destination].topic().subscribers.len() {
            let subscriber = self.destinations[destination].topic().subscribers[index];
            let Kind::Durable(durable) = &mut self.subscriptions[subscriber].kind else {
                continue;
            };
            if durable.active {
                continue;
            }
            let (messages, now) = (s.messages(), s.now());
            let (expired, kept) = std::mem::take(&mut durable.pending)
                .into_iter()
                .partition::<VecDeque<_>, _>(|&message| messages[message].is_expired(now));
            durable.pending = kept;
            for message in expired {
                rule!("durable-expiry");
                self.durable_message_expired(subscriber, message, s);
            }
        }
    }

    /// `deactivate`: what was in flight goes back to the front. Unlike on queues, everything up to
    /// the message that was delivered last counts as redelivered, even if that one is acknowledged.
    pub(super) fn deactivate(
        &mut self,
        subscription: SubscriptionIndex,
        last_delivered: i64,
        s: &mut impl Surroundings,
    ) {
        let leaving = &mut self.subscriptions[subscription];
        let consumer = leaving.consumer;
        let in_flight: Vec<MessageRef> = leaving.dispatched.take_all();
        leaving.set_prefetch_extension(0);
        leaving.full = true;
        for &message in &in_flight {
            let delivered = last_delivered == LAST_DELIVERED_UNKNOWN
                || last_delivered == 0
                || s.messages()[message].sequence as i64 <= last_delivered;
            if delivered {
                rule!("durable-counts-for-itself");
                *leaving.redelivered_messages.entry(message).or_default() += 1;
            }
            s.emit(Fact::Returned { consumer, message });
        }
        self.durable(subscription).active = false;
        self.subscriptions[subscription].note_settings();
        let durable = self.durable(subscription);
        for message in in_flight.into_iter().rev() {
            durable.pending.push_front(message);
        }
    }

    /// A transaction commits after its durable consumer was removed.
    pub(super) fn acknowledge_offline(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let Some(subscription) = self.consumers[consumer.index as usize].durable_subscription
        else {
            return;
        };
        let durable = self.durable(subscription);
        let waiting = durable.pending.iter().position(|&other| other == message);
        let Some(index) = waiting else {
            return;
        };
        durable.pending.remove(index);
        self.subscriptions[subscription]
            .redelivered_messages
            .remove(&message);
        s.emit(Fact::Acknowledged { consumer, message });
        self.let_go(self.subscriptions[subscription].destination(), message, s);
    }

    /// The broker stops: what is not persistent is gone, and no counter survives.
    pub(super) fn shut_down_durables(&mut self, destination: usize, s: &mut impl Surroundings) {
        for index in 0..self.destinations[destination].topic().subscribers.len() {
            let subscription = self.destinations[destination].topic().subscribers[index];
            let consumer = Some(self.subscriptions[subscription].consumer);
            self.subscriptions[subscription].slow = false;
            self.subscriptions[subscription]
                .redelivered_messages
                .clear();
            let durable = self.durable(subscription);
            let messages = s.messages();
            let (kept, gone) = std::mem::take(&mut durable.pending)
                .into_iter()
                .partition::<VecDeque<_>, _>(|&message| messages[message].persistent);
            durable.pending = kept;
            for message in gone {
                s.emit(Fact::Gone { consumer, message });
                self.let_go(destination, message, s);
            }
        }
    }
}
