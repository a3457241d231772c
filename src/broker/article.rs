//! What the broker does differently with the article's semantics: it puts failed messages back
//! itself, and marks consumers slow that only say DELIVERED. (The article's rule about the
//! extension stands in `subscription`.)

use crate::facts::Fact;
use crate::kernel::Span;
use crate::wire::{AckType, ConsumerId, MessageAck, MessageRef};

use super::destination;
use super::subscription::{Kind, SubscriptionIndex};
use super::{Broker, BrokerTimer, Refused, Surroundings};

/// Messages that a REDELIVERED ack took out of a window, until their delay is over.
#[derive(Debug)]
pub(super) struct PutBack {
    number: u32,
    consumer: ConsumerId,
    subscription: SubscriptionIndex,
    destination: usize,
    messages: Vec<MessageRef>,
}

// ── rule 5: the broker redelivers ──
impl Broker {
    /// Takes the range of a REDELIVERED ack out of the dispatched list and counts it as
    /// redelivered; after the delay it is put back in order.
    pub(super) fn take_back(
        &mut self,
        subscription: SubscriptionIndex,
        ack: &MessageAck,
        redeliver_after: u32,
        s: &mut impl Surroundings,
    ) -> Result<(), Refused> {
        rule!("article-5");
        let failing = &mut self.subscriptions[subscription];
        let start = ack
            .first
            .map_or(Some(0), |first| failing.position(first))
            .ok_or(Refused)?;
        let end = failing
            .end_of_range(start, ack.last, ack.count)
            .ok_or(Refused)?;
        let messages: Vec<MessageRef> = failing.dispatched.take_out(start, end + 1 - start);
        failing.note_settings();
        failing.contract_prefetch_extension(messages.len() as i32);
        let (consumer, destination) = (failing.consumer, failing.destination());
        for &message in &messages {
            self.count_redelivery(subscription, message, s);
            s.emit(Fact::Returned { consumer, message });
        }
        self.update_room(subscription, s);
        let number = self.next_put_back;
        self.next_put_back += 1;
        self.put_backs.push(PutBack {
            number,
            consumer,
            subscription,
            destination,
            messages,
        });
        if redeliver_after == 0 {
            self.put_back(number, s);
        } else {
            let at = s.now() + Span::from_millis(u64::from(redeliver_after));
            s.set_timer(at, BrokerTimer::PutBack(number));
        }
        if self.destinations[destination].is_queue() {
            self.wakeup(destination);
        } else {
            self.dispatch_own(subscription, s);
        }
        Ok(())
    }

    fn count_redelivery(
        &mut self,
        subscription: SubscriptionIndex,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let subscription = &mut self.subscriptions[subscription];
        if let Kind::Queue = subscription.kind {
            let message = &mut s.messages_mut()[message];
            message.locked_by = None;
            message.redelivery_counter += 1;
        } else {
            *subscription
                .redelivered_messages
                .entry(message)
                .or_default() += 1;
        }
    }

    /// The delay is over.
    pub(super) fn put_back(&mut self, number: u32, s: &mut impl Surroundings) {
        let due = self
            .put_backs
            .iter()
            .position(|delayed| delayed.number == number);
        let Some(index) = due else {
            return;
        };
        let delayed = self.put_backs.remove(index);
        let (subscription, destination) = (delayed.subscription, delayed.destination);
        self.restore(delayed, s);
        if self.destinations[destination].is_queue() {
            self.wakeup(destination);
        } else {
            self.dispatch_own(subscription, s);
        }
    }

    fn restore(&mut self, delayed: PutBack, s: &impl Surroundings) {
        let PutBack {
            subscription,
            destination,
            messages,
            ..
        } = delayed;
        if self.destinations[destination].is_queue() {
            let waiting = &mut self.destinations[destination].queue().waiting;
            for message in messages {
                waiting.push_returned(message, s.messages()[message].priority);
            }
            return;
        }
        let own = match &mut self.subscriptions[subscription].kind {
            Kind::Durable(durable) => &mut durable.pending,
            // Its memory was freed when it was dispatched.
            Kind::Topic(buffer) => {
                for &message in &messages {
                    let size = s.messages()[message].memory_size();
                    self.destinations[destination].memory.hold(message, size);
                }
                &mut buffer.matched
            }
            Kind::Queue => unreachable!("subscriptions don't change their kind"),
        };
        for message in messages.into_iter().rev() {
            own.push_front(message);
        }
    }

    fn dispatch_own(&mut self, subscription: SubscriptionIndex, s: &mut impl Surroundings) {
        match self.subscriptions[subscription].kind {
            Kind::Topic(_) => self.dispatch_matched(subscription, s),
            _ => self.dispatch_durable(subscription, s),
        }
    }

    /// Ends all delays of a plain topic subscription that ends, or, with none, of the broker that
    /// stops.
    pub(super) fn end_delays(&mut self, of: Option<ConsumerId>, s: &impl Surroundings) {
        let (ending, others): (Vec<PutBack>, Vec<PutBack>) = std::mem::take(&mut self.put_backs)
            .into_iter()
            .partition(|delayed| of.is_none_or(|consumer| consumer == delayed.consumer));
        self.put_backs = others;
        for delayed in ending {
            self.restore(delayed, s);
        }
    }

    /// It was acknowledged in a transaction that was still open.
    pub(super) fn forget_delayed(&mut self, message: MessageRef) {
        for delayed in &mut self.put_backs {
            delayed.messages.retain(|&other| other != message);
        }
    }

    /// What waits for the end of its delay.
    pub(super) fn delayed(&self, destination: usize) -> impl Iterator<Item = MessageRef> + '_ {
        let here = self
            .put_backs
            .iter()
            .filter(move |delayed| delayed.destination == destination);
        here.flat_map(|delayed| &delayed.messages).copied()
    }
}

// ── rule 4: DELIVERED makes slow ──
impl Broker {
    /// Notes whether a consumer has sent DELIVERED since it last acknowledged anything.
    pub(super) fn note_ack(
        &mut self,
        subscription: SubscriptionIndex,
        ack_type: AckType,
        s: &mut impl Surroundings,
    ) {
        match ack_type {
            AckType::Delivered => self.subscriptions[subscription].delivered_since_ack = true,
            AckType::Standard | AckType::Individual | AckType::Poison => {
                self.subscriptions[subscription].delivered_since_ack = false;
                self.set_slow(subscription, false, s);
            }
            _ => {}
        }
    }

    /// After a pass: messages may wait that did not wait before.
    pub(super) fn mark_stuck_consumers(&mut self, destination: usize, s: &mut impl Surroundings) {
        let consumers = self.destinations[destination]
            .queue()
            .consumers
            .in_order(&self.subscriptions);
        for subscription in consumers {
            self.mark_if_stuck(subscription, s);
        }
    }

    /// Slow: it has sent DELIVERED, its window is full, and messages wait for it.
    pub(super) fn mark_if_stuck(
        &mut self,
        subscription: SubscriptionIndex,
        s: &mut impl Surroundings,
    ) {
        let stuck = &self.subscriptions[subscription];
        if stuck.delivered_since_ack && stuck.is_full() && self.anything_waits_for(subscription) {
            rule!("article-4");
            self.set_slow(subscription, true, s);
        }
    }

    fn anything_waits_for(&self, subscription: SubscriptionIndex) -> bool {
        let subscription = &self.subscriptions[subscription];
        match (
            &subscription.kind,
            &self.destinations[subscription.destination()].kind,
        ) {
            (Kind::Durable(durable), _) => !durable.pending.is_empty(),
            (Kind::Topic(buffer), _) => !buffer.matched.is_empty(),
            (Kind::Queue, destination::Kind::Queue(queue)) => !queue.waiting.is_empty(),
            (Kind::Queue, destination::Kind::Topic(_)) => false,
        }
    }
}
