//! Dispatch, acks and pulls of queue-like subscriptions (`PrefetchSubscription`): those of queues,
//! and durable ones.

use std::ops::Range;

use crate::facts::{DeathCause, Fact};
use crate::wire::{AckType, ConnectionId, ConsumerId, MessageAck, MessageRef, ToClient};

use super::dead_letter::Letter;
use super::queue::{Queue, mark_dropped};
use super::subscription::{Kind, Subscription, SubscriptionIndex};
use super::surroundings::release;
use super::transaction::{Synchronization, find_transaction};
use super::{Broker, BrokerTimer, Refused, Surroundings};

// ── out ──
impl Broker {
    /// Hands a message to the connection of a consumer.
    #[inline(never)]
    pub(super) fn dispatch(
        &mut self,
        taker: SubscriptionIndex,
        message: MessageRef,
        redelivery_counter: u32,
        s: &mut impl Surroundings,
    ) {
        let taking = &mut self.subscriptions[taker];
        taking.dispatch(message, redelivery_counter, &self.stopping, s);
        self.update_room(taker, s);
    }

    /// Notes whether the window of a subscription is full, for its queue as well.
    #[inline]
    pub(super) fn update_room(
        &mut self,
        subscription: SubscriptionIndex,
        s: &mut impl Surroundings,
    ) {
        let looked_at = &mut self.subscriptions[subscription];
        if let Kind::Queue = looked_at.kind {
            let queue = self.destinations[looked_at.destination()].queue();
            queue.consumers.update_room(subscription, looked_at, s);
        } else {
            let full = looked_at.is_full();
            looked_at.full = full;
        }
        self.subscriptions[subscription].tell_window(s);
    }

    /// `dispatchPending`: a durable subscription has messages of its own.
    #[inline]
    pub(super) fn dispatch_pending(
        &mut self,
        subscription: SubscriptionIndex,
        s: &mut impl Surroundings,
    ) {
        let dispatching = &mut self.subscriptions[subscription];
        if let Kind::Durable(_) = dispatching.kind {
            self.dispatch_durable(subscription, s);
        } else {
            dispatching.room_may_clear_slow(s);
        }
    }
}

impl Subscription {
    /// `PrefetchSubscription.dispatch`, `TopicSubscription.dispatch`. Nothing gets through to a
    /// connection whose end is being processed.
    #[inline(always)]
    pub(super) fn dispatch(
        &mut self,
        message: MessageRef,
        redelivery_counter: u32,
        stopping: &Option<ConnectionId>,
        s: &mut impl Surroundings,
    ) {
        rule!("hand-over");
        self.ok_for_ack = true;
        self.dispatched.push_back(message);
        self.room -= 1;
        let consumer = self.consumer;
        s.emit(Fact::Dispatched {
            consumer,
            message,
            redelivery_counter,
        });
        if stopping.is_none() || self.gets_through(stopping) {
            s.messages_mut().retain(message);
            let message = Some(message);
            let command = ToClient::Dispatch {
                consumer,
                message,
                redelivery_counter,
            };
            s.send(self.connection, command);
        }
        if self.dispatch_does_more {
            self.dispatch_more(message, s);
        }
    }

    /// Apart, so that a loop over messages does not keep the connection at hand for it.
    #[cold]
    fn gets_through(&self, stopping: &Option<ConnectionId>) -> bool {
        *stopping != Some(self.connection)
    }

    #[inline(never)]
    fn dispatch_more(&mut self, message: MessageRef, s: &mut impl Surroundings) {
        if self.prefetch == 0 {
            self.dispatched_count += 1;
            self.set_prefetch_extension(self.prefetch_extension.saturating_sub(1));
        }
        if self.persist_jms_redelivered {
            rule!("persist-jms-redelivered");
            count_first_dispatch(message, s);
        }
    }

    /// `dispatchPending` of a queue's subscription: all it does is to clear the slow flag while
    /// there is room.
    #[inline]
    fn room_may_clear_slow(&mut self, s: &mut impl Surroundings) {
        rule!(
            "queue-is-never-slow",
            matches!(self.kind, Kind::Queue) && self.count_before_full() <= 0
        );
        if self.slow && self.count_before_full() > 0 {
            self.room_clears_slow(s);
        }
    }

    /// Tells what was noted of the window, unless it is known. Pull subscriptions, whose window opens
    /// for each pull, don't tell.
    #[inline(always)]
    pub(super) fn tell_window(&mut self, s: &mut impl Surroundings) {
        let full = self.full & (self.prefetch > 0);
        rule!("window", full);
        if full != self.told_full {
            self.told_full = full;
            let consumer = self.consumer;
            s.emit(Fact::WindowFull { consumer, full });
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
    /// Whether an ack is what nearly every one is: a STANDARD one, outside of transactions, for the
    /// oldest messages that a consumer of a queue has in flight. Then [`Self::acknowledge_oldest`]
    /// does what [`Self::acknowledge_prefetch`] does: there is nothing to search for or to refuse.
    #[inline(always)]
    pub(super) fn is_for_oldest(&self, connection: ConnectionId, ack: &MessageAck) -> bool {
        let acking = &self.subscriptions[ack.consumer.index as usize];
        ack.ack_type == AckType::Standard
            && ack.transaction.is_none()
            && acking.has_plain_acks_of(ack.consumer)
            && acking.connection == connection
            && acking.begins_with(ack) // so there was a dispatch
    }

    #[inline(always)]
    pub(super) fn acknowledge_oldest(&mut self, ack: &MessageAck, s: &mut impl Surroundings) {
        let subscription = ack.consumer.index as usize;
        let acking = &mut self.subscriptions[subscription];
        // Before the fact, after which it would have to be looked for again.
        let oldest = acking.take_off(0);
        s.emit(Fact::AckArrived { ack: *ack });
        if acking.is_extended {
            acking.contract_prefetch_extension(ack.count);
        }
        acking.is_done_with(oldest, s);
        rule!("standard-ack");
        for _ in 1..ack.count {
            let oldest = acking.take_off(0);
            acking.is_done_with(oldest, s);
        }
        let destination = acking.destination();
        let queue = self.destinations[destination].queue();
        queue.paged_in -= ack.count as usize;
        rule!("passes-of-an-ack");
        let has_work = queue.has_work_for(subscription, acking, s);
        // The command is done: unless this is within a pass, the next ones can begin at once.
        let at_once = self.wanted.is_empty();
        if has_work && !(at_once && self.assign_in_order(destination, s)) {
            // Destination.wakeup, wakeupDestinationsForDispatch
            self.request_passes(destination, 2);
        }
    }

    /// `PrefetchSubscription.acknowledge`. What it refuses it has not done, but for the half of a
    /// POISON or EXPIRED range whose end is missing.
    #[inline]
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
            AckType::Standard if ack.transaction.is_none() => {
                self.standard_ack(subscription, ack, s)?
            }
            _ => self.rarer_ack(subscription, ack, s)?,
        };
        if found {
            self.update_room(subscription, s);
            self.dispatch_pending(subscription, s);
            if let Kind::Queue = self.subscriptions[subscription].kind {
                rule!("passes-of-an-ack");
                let destination = self.subscriptions[subscription].destination();
                // Destination.wakeup, wakeupDestinationsForDispatch
                self.wakeup_for_waiting(destination, 2);
            }
        }
        Ok(())
    }

    /// Whether it found what it acknowledges.
    #[inline(never)]
    fn rarer_ack(
        &mut self,
        subscription: SubscriptionIndex,
        ack: &MessageAck,
        s: &mut impl Surroundings,
    ) -> Result<bool, Refused> {
        match ack.ack_type {
            AckType::Standard => self.standard_ack_in_transaction(subscription, ack, s),
            AckType::Individual => Ok(self.individual_ack(subscription, ack, s)),
            AckType::Delivered => self.delivered_ack(subscription, ack, s),
            AckType::Poison if ack.transaction.is_some() => Err(Refused),
            AckType::Poison | AckType::Expired => self.bury_range(subscription, ack, s),
            AckType::Redelivered => self.redelivered_ack(subscription, ack),
            AckType::Unmatched => Ok(false),
        }
    }

    #[inline]
    fn standard_ack(
        &mut self,
        subscription: SubscriptionIndex,
        ack: &MessageAck,
        s: &mut impl Surroundings,
    ) -> Result<bool, Refused> {
        let acking = &mut self.subscriptions[subscription];
        let (start, count) = acking.matched_range(ack)?;
        acking.time_of_last_ack = s.now();
        acking.contract_prefetch_extension(ack.count);
        for _ in 0..count {
            rule!("standard-ack");
            self.take_off(subscription, start, s);
        }
        Ok(true)
    }

    fn standard_ack_in_transaction(
        &mut self,
        subscription: SubscriptionIndex,
        ack: &MessageAck,
        s: &mut impl Surroundings,
    ) -> Result<bool, Refused> {
        let acking = &mut self.subscriptions[subscription];
        let (start, count) = acking.matched_range(ack)?;
        acking.time_of_last_ack = s.now();
        let (sessions, producers) = (&mut self.sessions, &mut self.producers);
        let mut transaction = find_transaction(sessions, producers, ack.transaction);
        let range = start..start + count;
        if let Kind::Durable(_) = acking.kind {
            acking.forget_redeliveries(range.clone());
        }
        let is_queue = matches!(acking.kind, Kind::Queue);
        for &message in &acking.dispatched[range] {
            let acknowledged = acknowledge_in_transaction(is_queue, ack.consumer, message, s);
            if let Some(transaction) = &mut transaction {
                transaction.add(acknowledged);
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
            if let Kind::Durable(_) = acking.kind {
                acking.forget_redeliveries(index..index + 1);
            }
            let is_queue = matches!(acking.kind, Kind::Queue);
            let acknowledged = acknowledge_in_transaction(is_queue, ack.consumer, ack.last, s);
            self.synchronize(ack.transaction, acknowledged);
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
                    && !messages[ack.last].dropped
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
            let Some(message) = self.subscriptions[subscription].take_off(start) else {
                break;
            };
            if ack.ack_type == AckType::Poison {
                rule!("poison-ack");
                self.poison(subscription, message, s);
            } else {
                rule!("expired-ack");
                self.message_expired(Some(subscription), message, s);
            }
            self.let_go_dispatched(subscription, message, s);
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
    #[inline(always)]
    fn take_off(
        &mut self,
        subscription: SubscriptionIndex,
        index: usize,
        s: &mut impl Surroundings,
    ) {
        let acking = &mut self.subscriptions[subscription];
        if let Some(message) = acking.take_off(index) {
            let consumer = acking.consumer;
            s.emit(Fact::Acknowledged { consumer, message });
            self.let_go_dispatched(subscription, message, s);
        }
    }

    /// A message that was in flight is gone.
    #[inline(always)]
    fn let_go_dispatched(
        &mut self,
        subscription: SubscriptionIndex,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let subscription = &mut self.subscriptions[subscription];
        let destination = subscription.destination();
        match subscription.kind {
            Kind::Queue => self.drop_message(destination, message, s),
            Kind::Durable(_) => {
                subscription.redelivered_messages.remove(&message);
                self.let_go(destination, message, s);
            }
            Kind::Topic(_) => unreachable!("plain topic subscriptions have acks of their own"),
        }
    }

    /// At the commit: off the dispatched list, then off the destination.
    pub(super) fn commit_acknowledged(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let home = consumer.index as usize;
        let acking = &mut self.subscriptions[home];
        if acking.has_plain_acks_of(consumer) && acking.dispatched.first() == Some(&message) {
            let oldest = acking.take_off(0);
            acking.is_done_with(oldest, s);
            if acking.is_extended {
                acking.contract_prefetch_extension(1);
            }
            let destination = acking.destination();
            let queue = self.destinations[destination].queue();
            queue.paged_in -= 1;
            rule!("passes-of-a-commit");
            if queue.has_work_for(home, acking, s) {
                // registerRemoveSync, Queue.removeMessage
                self.request_passes(destination, 2);
            }
        } else {
            self.commit_acknowledged_with_care(consumer, message, s);
        }
    }

    #[inline(never)]
    fn commit_acknowledged_with_care(
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
        let acking = &self.subscriptions[subscription];
        match acking.position(message) {
            Some(index) => self.take_off(subscription, index, s),
            None => self.take_off_elsewhere(consumer, message, s),
        }
        self.subscriptions[subscription].contract_prefetch_extension(1);
        self.update_room(subscription, s);
        self.dispatch_pending(subscription, s);
        if let Kind::Queue = self.subscriptions[subscription].kind {
            rule!("passes-of-a-commit");
            // registerRemoveSync, Queue.removeMessage
            self.wakeup_for_waiting(destination, 2);
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
            queue.waiting.remove(message);
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

impl Queue {
    /// After an ack: there may be room again. (It never takes room away, since the article's rules are
    /// not plain.) Whether anything waits for it.
    #[inline(always)]
    fn has_work_for(
        &mut self,
        subscription: SubscriptionIndex,
        acking: &mut Subscription,
        s: &mut impl Surroundings,
    ) -> bool {
        if acking.full && !acking.is_full() {
            self.consumers.has_room_again(subscription, acking, s);
        }
        acking.room_may_clear_slow(s);
        !self.waiting.is_empty()
    }
}

impl Subscription {
    /// A consumer of a queue is done with a message that it had in flight.
    #[inline(always)]
    fn is_done_with(&self, message: Option<MessageRef>, s: &mut impl Surroundings) {
        let consumer = self.consumer;
        if let Some(message) = message {
            s.emit(Fact::Acknowledged { consumer, message });
            mark_dropped(message, s);
            release(s, message);
        }
    }

    /// Whether these are the acks of this consumer, and plain.
    #[inline(always)]
    fn has_plain_acks_of(&self, consumer: ConsumerId) -> bool {
        self.acks_are_plain && self.consumer.life == consumer.life
    }

    fn forget_redeliveries(&mut self, range: Range<usize>) {
        for message in &self.dispatched[range] {
            self.redelivered_messages.remove(message);
        }
    }

    /// Where the range of an ack begins: at the oldest message if it names none.
    fn start_of_range(&self, ack: &MessageAck) -> Result<usize, Refused> {
        ack.first
            .map_or(Some(0), |first| self.position(first))
            .ok_or(Refused)
    }

    /// Whether the range of an ack is just the oldest messages in flight, as that of nearly every
    /// STANDARD ack is: then [`Self::matched_range`] begins at 0 and counts what the ack says.
    #[inline]
    fn begins_with(&self, ack: &MessageAck) -> bool {
        let Some(oldest) = self.dispatched.first() else {
            return false;
        };
        if ack.first.is_some_and(|first| first != *oldest) {
            return false;
        }
        if ack.count == 1 {
            return ack.last == *oldest;
        }
        self.newest_of(ack.count) == Some(&ack.last)
    }

    /// The last of so many of the oldest messages in flight.
    #[inline(never)]
    fn newest_of(&self, count: i32) -> Option<&MessageRef> {
        let place = usize::try_from(count).ok()?.checked_sub(1)?;
        self.dispatched.get(place)
    }

    /// `assertAckMatchesDispatched`: both ends are in flight, and outside a transaction the count
    /// is right. Where the range begins, and how long it is.
    #[inline(never)]
    fn matched_range(&self, ack: &MessageAck) -> Result<(usize, usize), Refused> {
        let start = self.start_of_range(ack)?;
        let end = self
            .end_of_range(start, ack.last, ack.count)
            .ok_or(Refused)?;
        let count = end + 1 - start;
        if i32::try_from(count) != Ok(ack.count) && ack.transaction.is_none() {
            rule!("standard-ack-must-match");
            return Err(Refused);
        }
        Ok((start, count))
    }
}

/// Marks a message acknowledged; it goes when the transaction commits (`registerRemoveSync`,
/// `Queue.removeMessage`), which gets this to do.
#[inline]
fn acknowledge_in_transaction(
    is_queue: bool,
    consumer: ConsumerId,
    message: MessageRef,
    s: &mut impl Surroundings,
) -> Synchronization {
    if is_queue {
        s.messages_mut()[message].acked = true;
    }
    s.messages_mut().retain(message);
    rule!("acked-in-transaction");
    Synchronization::Acknowledged { consumer, message }
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
                self.iterate(self.subscriptions[subscription].destination(), s);
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
        self.subscriptions[subscription].set_prefetch_extension(credit);
        self.update_room(subscription, s);
    }
}
