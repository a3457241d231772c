//! Dispatch, acks and pulls of queue-like subscriptions (`PrefetchSubscription`): those of queues,
//! and durable ones.

use crate::facts::{DeathCause, Fact};
use crate::wire::{AckType, ConsumerId, MessageAck, MessageRef, ToClient};

use super::dead_letter::Letter;
use super::pending::take_at;
use super::subscription::{Kind, Subscription, SubscriptionIndex};
use super::transaction::Synchronization;
use super::{Broker, BrokerTimer, Refused, Surroundings};

// ── out ──
impl Broker {
    /// Hands a message to the connection of a consumer (`PrefetchSubscription.dispatch`,
    /// `TopicSubscription.dispatch`).
    #[inline]
    pub(super) fn dispatch(
        &mut self,
        taker: SubscriptionIndex,
        message: MessageRef,
        redelivery_counter: u32,
        s: &mut impl Surroundings,
    ) {
        let subscription = &mut self.subscriptions[taker];
        rule!("hand-over");
        subscription.ok_for_ack = true;
        subscription.dispatched.push_back(message);
        subscription.dispatched_count += 1;
        if subscription.prefetch == 0 {
            subscription.prefetch_extension = subscription.prefetch_extension.saturating_sub(1);
        }
        let consumer = subscription.consumer;
        s.emit(Fact::Dispatched {
            consumer,
            message,
            redelivery_counter,
        });
        if self.stopping != Some(subscription.connection) {
            s.messages_mut().retain(message);
            let message = Some(message);
            let command = ToClient::Dispatch {
                consumer,
                message,
                redelivery_counter,
            };
            s.send(subscription.connection, command);
        }
        let destination = subscription.destination;
        if self.destinations[destination]
            .policy
            .persist_jms_redelivered
        {
            rule!("persist-jms-redelivered");
            count_first_dispatch(message, s);
        }
        self.update_room(taker, s);
    }

    /// Notes whether the window of a subscription is full. Pull subscriptions, whose window opens
    /// for each pull, don't tell.
    #[inline]
    pub(super) fn update_room(
        &mut self,
        subscription: SubscriptionIndex,
        s: &mut impl Surroundings,
    ) {
        let changed = &mut self.subscriptions[subscription];
        let full = changed.is_full();
        let tells_full = full && changed.prefetch > 0;
        rule!("window", tells_full);
        if tells_full != changed.told_full {
            changed.told_full = tells_full;
            s.emit(Fact::WindowFull {
                consumer: changed.consumer,
                full: tells_full,
            });
        }
        if full == changed.full {
            return;
        }
        changed.full = full;
        if let Kind::Queue = changed.kind {
            let queue = self.destinations[changed.destination].queue();
            queue
                .consumers
                .room_changed(subscription, &self.subscriptions);
        }
    }

    /// `dispatchPending`: a durable subscription has messages of its own; for one of a queue all it
    /// does is to clear the slow flag while there is room.
    pub(super) fn dispatch_pending(
        &mut self,
        subscription: SubscriptionIndex,
        s: &mut impl Surroundings,
    ) {
        rule!(
            "queue-is-never-slow",
            matches!(self.subscriptions[subscription].kind, Kind::Queue)
                && self.subscriptions[subscription].count_before_full() <= 0
        );
        if let Kind::Durable(_) = self.subscriptions[subscription].kind {
            self.dispatch_durable(subscription, s);
        } else if self.subscriptions[subscription].count_before_full() > 0 {
            self.room_clears_slow(subscription, s);
        }
    }
}

/// `RegionBroker.preProcessDispatch` with `persistJMSRedelivered`: the dispatch itself counts as a
/// delivery from now on, but not yet on the dispatch.
fn count_first_dispatch(message: MessageRef, s: &mut impl Surroundings) {
    let message = &mut s.messages_mut()[message];
    message.redelivery_counter = message.redelivery_counter.max(1);
}

// ── acks ──
impl Broker {
    /// `PrefetchSubscription.acknowledge`. What it refuses it has not done, but for the half of a
    /// POISON or EXPIRED range whose end is missing.
    pub(super) fn acknowledge_prefetch(
        &mut self,
        subscription: SubscriptionIndex,
        ack: &MessageAck,
        s: &mut impl Surroundings,
    ) -> Result<(), Refused> {
        if !self.subscriptions[subscription].ok_for_ack {
            return Ok(());
        }
        let found = match ack.ack_type {
            AckType::Standard => self.standard_ack(subscription, ack, s)?,
            AckType::Individual => self.individual_ack(subscription, ack, s),
            AckType::Delivered => self.delivered_ack(subscription, ack, s)?,
            AckType::Poison if ack.transaction.is_some() => return Err(Refused),
            AckType::Poison | AckType::Expired => self.bury_range(subscription, ack, s)?,
            AckType::Redelivered => self.redelivered_ack(subscription, ack)?,
            AckType::Unmatched => false,
        };
        if found {
            self.update_room(subscription, s);
            self.dispatch_pending(subscription, s);
            if let Kind::Queue = self.subscriptions[subscription].kind {
                rule!("passes-of-an-ack");
                let destination = self.subscriptions[subscription].destination;
                self.wakeup(destination); // Destination.wakeup
                self.wakeup(destination); // wakeupDestinationsForDispatch
            }
        }
        Ok(())
    }

    #[inline]
    fn standard_ack(
        &mut self,
        subscription: SubscriptionIndex,
        ack: &MessageAck,
        s: &mut impl Surroundings,
    ) -> Result<bool, Refused> {
        let (start, end) = self.subscriptions[subscription].matched_range(ack)?;
        self.subscriptions[subscription].time_of_last_ack = s.now();
        for index in start..=end {
            if ack.transaction.is_some() {
                let message = self.subscriptions[subscription].dispatched[index];
                self.acknowledge_in_transaction(subscription, ack, message, s);
            } else {
                rule!("standard-ack");
                self.take_off(subscription, start, s);
                self.subscriptions[subscription].contract_prefetch_extension(1);
            }
        }
        Ok(true)
    }

    /// An id that is not in flight is ignored.
    #[inline(never)]
    fn individual_ack(
        &mut self,
        subscription: SubscriptionIndex,
        ack: &MessageAck,
        s: &mut impl Surroundings,
    ) -> bool {
        let acking = &mut self.subscriptions[subscription];
        let Some(index) = acking.position(ack.last) else {
            return false;
        };
        acking.time_of_last_ack = s.now();
        if ack.transaction.is_some() {
            acking.expand_prefetch_extension(1);
            self.acknowledge_in_transaction(subscription, ack, ack.last, s);
        } else {
            acking.contract_prefetch_extension(1);
            rule!("individual-ack");
            self.take_off(subscription, index, s);
        }
        true
    }

    /// Widens the window, by whatever the client says it counts.
    #[inline(never)]
    fn delivered_ack(
        &mut self,
        subscription: SubscriptionIndex,
        ack: &MessageAck,
        s: &mut impl Surroundings,
    ) -> Result<bool, Refused> {
        let acking = &mut self.subscriptions[subscription];
        let in_flight = match acking.kind {
            Kind::Queue => {
                let messages = s.messages();
                messages.contains(ack.last)
                    && messages[ack.last].locked_by == Some(subscription as u32)
            }
            // The window lies behind it: it is nearer to the end.
            _ => acking
                .dispatched
                .iter()
                .rev()
                .any(|&message| message == ack.last),
        };
        if !in_flight {
            return Err(Refused);
        }
        rule!("delivered-ack");
        acking.expand_prefetch_extension(ack.count);
        Ok(true)
    }

    #[inline(never)]
    fn redelivered_ack(
        &mut self,
        subscription: SubscriptionIndex,
        ack: &MessageAck,
    ) -> Result<bool, Refused> {
        let acking = &self.subscriptions[subscription];
        let start = acking.start_of_range(ack)?;
        acking
            .end_of_range(start, ack.last, ack.count)
            .ok_or(Refused)?;
        rule!("redelivered-ack");
        rule!("broker-does-not-count-local");
        Ok(true)
    }

    /// POISON and EXPIRED: each message of the range goes to the dead-letter queue, if that takes
    /// it, and is gone. The window is contracted by one for all of them.
    #[inline(never)]
    fn bury_range(
        &mut self,
        subscription: SubscriptionIndex,
        ack: &MessageAck,
        s: &mut impl Surroundings,
    ) -> Result<bool, Refused> {
        let acking = &mut self.subscriptions[subscription];
        let start = acking.start_of_range(ack)?;
        let end = acking.end_of_range(start, ack.last, ack.count);
        let count = end.map_or(acking.dispatched.len(), |end| end + 1) - start;
        if ack.ack_type == AckType::Poison {
            acking.time_of_last_ack = s.now();
        }
        for _ in 0..count {
            let message = self.subscriptions[subscription].dispatched[start];
            if ack.ack_type == AckType::Poison {
                rule!("poison-ack");
                self.poison(subscription, message, s);
            } else {
                rule!("expired-ack");
                self.message_expired(Some(subscription), message, s);
            }
            self.remove_dispatched(subscription, start, s);
        }
        end.ok_or(Refused)?;
        self.subscriptions[subscription].contract_prefetch_extension(1);
        Ok(true)
    }

    /// `PrefetchSubscription.sendToDLQ`
    fn poison(
        &mut self,
        subscription: SubscriptionIndex,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let cause = DeathCause::Poison;
        rule!(
            "durable-poison",
            matches!(self.subscriptions[subscription].kind, Kind::Durable(_))
        );
        let letter = self.send_to_dead_letter_queue(Some(subscription), message, cause, s);
        if letter == Letter::Refused {
            let consumer = self.subscriptions[subscription].consumer;
            s.emit(Fact::Discarded {
                consumer,
                message,
                cause,
            });
        }
    }

    /// A consumer is done with the message at this place of its dispatched list.
    #[inline]
    fn take_off(
        &mut self,
        subscription: SubscriptionIndex,
        index: usize,
        s: &mut impl Surroundings,
    ) {
        let consumer = self.subscriptions[subscription].consumer;
        let message = self.subscriptions[subscription].dispatched[index];
        s.emit(Fact::Acknowledged { consumer, message });
        self.remove_dispatched(subscription, index, s);
    }

    #[inline]
    fn remove_dispatched(
        &mut self,
        subscription: SubscriptionIndex,
        index: usize,
        s: &mut impl Surroundings,
    ) {
        let Some(message) = take_at(&mut self.subscriptions[subscription].dispatched, index) else {
            return;
        };
        let destination = self.subscriptions[subscription].destination;
        match self.subscriptions[subscription].kind {
            Kind::Queue => self.drop_message(destination, message, s),
            Kind::Durable(_) => {
                self.subscriptions[subscription]
                    .redelivered_messages
                    .remove(&message);
                self.let_go(destination, message, s);
            }
            Kind::Topic(_) => unreachable!("plain topic subscriptions have acks of their own"),
        }
    }

    /// Marks a message acknowledged; it goes when the transaction commits (`registerRemoveSync`,
    /// `Queue.removeMessage`).
    fn acknowledge_in_transaction(
        &mut self,
        subscription: SubscriptionIndex,
        ack: &MessageAck,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        match self.subscriptions[subscription].kind {
            Kind::Durable(_) => {
                self.subscriptions[subscription]
                    .redelivered_messages
                    .remove(&message);
            }
            _ => s.messages_mut()[message].acked = true,
        }
        s.messages_mut().retain(message);
        rule!("acked-in-transaction");
        let consumer = ack.consumer;
        self.synchronize(
            ack.transaction,
            Synchronization::Acknowledged { consumer, message },
        );
    }

    /// At the commit: off the dispatched list, then off the destination.
    pub(super) fn commit_acknowledged(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let destination = self.consumers[consumer.index as usize].destination;
        let Some(subscription) = self.find(consumer) else {
            rule!("commit-after-removal");
            self.take_off_elsewhere(consumer, message, s);
            return self.wakeup(destination);
        };
        match self.subscriptions[subscription].position(message) {
            Some(index) => self.take_off(subscription, index, s),
            None => self.take_off_elsewhere(consumer, message, s),
        }
        self.subscriptions[subscription].contract_prefetch_extension(1);
        self.update_room(subscription, s);
        self.dispatch_pending(subscription, s);
        if let Kind::Queue = self.subscriptions[subscription].kind {
            rule!("passes-of-a-commit");
            self.wakeup(destination); // registerRemoveSync
            self.wakeup(destination); // Queue.removeMessage
        }
    }

    /// The message is not in flight any more: its consumer was removed in the middle of the
    /// transaction. On a queue it waits, marked acknowledged.
    fn take_off_elsewhere(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let destination = self.consumers[consumer.index as usize].destination;
        if !self.destinations[destination].is_queue() {
            self.acknowledge_offline(consumer, message, s);
        } else if !s.messages()[message].dropped {
            s.emit(Fact::Acknowledged { consumer, message });
            let queue = self.destinations[destination].queue();
            queue.pending.remove(message);
            self.forget_delayed(message);
            self.drop_message(destination, message, s);
        }
    }

    /// At the rollback: the message stays in flight, and the window is as it was.
    pub(super) fn roll_back_acknowledged(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let destination = self.consumers[consumer.index as usize].destination;
        if self.destinations[destination].is_queue() {
            let message = &mut s.messages_mut()[message];
            message.acked = message.dropped;
            self.wakeup(destination);
        }
        if let Some(subscription) = self.find(consumer) {
            rule!("rollback-keeps-in-flight");
            self.subscriptions[subscription].contract_prefetch_extension(1);
            self.update_room(subscription, s);
        }
    }
}

impl Subscription {
    /// Where the range of an ack begins: at the oldest message if it names none.
    fn start_of_range(&self, ack: &MessageAck) -> Result<usize, Refused> {
        ack.first
            .map_or(Some(0), |first| self.position(first))
            .ok_or(Refused)
    }

    /// `assertAckMatchesDispatched`: both ends are in flight, and outside a transaction the count
    /// is right.
    #[inline]
    fn matched_range(&self, ack: &MessageAck) -> Result<(usize, usize), Refused> {
        let start = self.start_of_range(ack)?;
        let end = self
            .end_of_range(start, ack.last, ack.count)
            .ok_or(Refused)?;
        let count = i32::try_from(end - start + 1).unwrap_or(i32::MAX);
        if count != ack.count && ack.transaction.is_none() {
            rule!("standard-ack-must-match");
            return Err(Refused);
        }
        Ok((start, end))
    }
}

// ── pulls ──
impl Broker {
    /// `PrefetchSubscription.pullMessage`, `TopicSubscription.pullMessage`: room for one message; a
    /// null message if there is none in time.
    pub(super) fn pull(&mut self, consumer: ConsumerId, timeout: i64, s: &mut impl Surroundings) {
        let Some(subscription) = self.find(consumer) else {
            return;
        };
        s.emit(Fact::PullArrived { consumer, timeout });
        if self.subscriptions[subscription].prefetch > 0 {
            return;
        }
        let dispatched = self.subscriptions[subscription].dispatched_count;
        rule!("pull-credit");
        self.set_pull_credit(subscription, 1, s);
        self.push_some(subscription, s);
        if self.subscriptions[subscription].dispatched_count != dispatched {
            return;
        }
        match timeout {
            -1 => self.answer_nothing(subscription, s),
            1.. => {
                let at = s.now() + crate::kernel::Span::from_millis(timeout as u64);
                s.set_timer(
                    at,
                    BrokerTimer::PullTimeout {
                        consumer,
                        dispatched,
                    },
                );
            }
            _ => {}
        }
    }

    fn push_some(&mut self, subscription: SubscriptionIndex, s: &mut impl Surroundings) {
        match self.subscriptions[subscription].kind {
            Kind::Queue => {
                self.iterate(self.subscriptions[subscription].destination, s);
                self.dispatch_pending(subscription, s);
            }
            Kind::Durable(_) => self.dispatch_durable(subscription, s),
            Kind::Topic(_) => self.dispatch_matched(subscription, s),
        }
    }

    /// `pullTimeout`: only if nothing was dispatched since.
    pub(super) fn pull_timeout(
        &mut self,
        consumer: ConsumerId,
        dispatched: u64,
        s: &mut impl Surroundings,
    ) {
        if let Some(subscription) = self.find(consumer)
            && self.subscriptions[subscription].dispatched_count == dispatched
        {
            self.answer_nothing(subscription, s);
        }
    }

    /// A null message is nowhere in flight.
    fn answer_nothing(&mut self, subscription: SubscriptionIndex, s: &mut impl Surroundings) {
        self.subscriptions[subscription].ok_for_ack = true;
        rule!("pull-time-out");
        let consumer = self.subscriptions[subscription].consumer;
        let nothing = ToClient::Dispatch {
            consumer,
            message: None,
            redelivery_counter: 0,
        };
        s.send(self.subscriptions[subscription].connection, nothing);
        self.set_pull_credit(subscription, 0, s);
    }

    fn set_pull_credit(
        &mut self,
        subscription: SubscriptionIndex,
        credit: u32,
        s: &mut impl Surroundings,
    ) {
        self.subscriptions[subscription].prefetch_extension = credit;
        self.update_room(subscription, s);
    }
}
