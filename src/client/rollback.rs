//! Local redelivery: the one engine behind a listener's exception, `recover`, a rollback and a failed commit.

use super::redelivery::next_redelivery_delay;
use super::{Client, ClientTimer, Consumer, Delivery, Session, Style, Surroundings};
use crate::facts::Fact;
use crate::kernel::{Span, Time};
use crate::wire::{AckType, ConsumerIndex, MessageRef, SessionIndex, ToBroker};

impl Consumer {
    /// `ActiveMQMessageConsumer.rollback()`: everything delivered comes again after a delay, or is poisoned. The newest
    /// message decides for all.
    fn rollback(&mut self, session: &mut Session, s: &mut impl Surroundings) {
        self.is_consuming = false;
        self.restore_prefetch(s);
        if self.optimize() {
            self.drop_older_half(s);
        }
        let Some(newest) = self.delivered.last().copied() else {
            return;
        };
        if self.rules.broker_redelivers {
            return self.rollback_of_the_article(newest, session, s);
        }
        self.choose_delay(newest, s);
        for delivery in self.delivered.iter_mut() {
            delivery.redelivery_counter += 1;
        }
        let most = self.options.redelivery_policy.maximum_redeliveries;
        rule!("newest-decides", self.delivered.len() > 1);
        if most.is_some_and(|most| newest.redelivery_counter + 1 > most) {
            self.poison_delivered(session, s);
        } else {
            self.redeliver_delivered(newest.redelivery_counter > 0, session, s);
        }
    }

    /// The quirk of optimizeAcknowledge: the intent was to take all that was read but not acknowledged out of the
    /// batch, but a growing index is compared with a shrinking size.
    fn drop_older_half(&mut self, s: &mut impl Surroundings) {
        rule!("optimize-drops-half");
        let half = self.delivered.len().div_ceil(2);
        let dropped = half.min(usize::try_from(self.ack_counter).unwrap_or(0));
        for delivery in self.delivered.take_oldest(dropped) {
            s.release(delivery.message);
        }
    }

    fn choose_delay(&mut self, newest: Delivery, s: &mut impl Surroundings) {
        let policy = &self.options.redelivery_policy;
        self.redelivery_delay = if self.rules.redelivery_delay_per_message {
            rule!("delay-per-message");
            delay_by_counter(self, newest.redelivery_counter + 1, s)
        } else if newest.redelivery_counter > 0 {
            rule!("delay-of-the-consumer", self.redelivery_delay == 0);
            let consumer = self.id.index;
            next_redelivery_delay(policy, self.redelivery_delay, || s.collision(consumer))
        } else {
            rule!("delay-initial");
            policy.initial_redelivery_delay
        };
    }

    fn poison_delivered(&mut self, session: &mut Session, s: &mut impl Surroundings) {
        let ack = self.ack_for_all_delivered(AckType::Poison, None);
        let ack = ack.expect("a rollback begins with a delivered message");
        rule!("poison");
        self.send_ack(ack, true, session, s);
        self.redelivery_delay = 0;
        self.delivered_counter -= ack.count;
        self.clear_delivered(s);
    }

    fn redeliver_delivered(
        &mut self,
        was_redelivered: bool,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        let ack = self.ack_for_all_delivered(AckType::Redelivered, None);
        let ack = ack.expect("a rollback begins with a delivered message");
        if was_redelivered {
            rule!("redelivered-from-the-second");
            self.send_ack(ack, true, session, s);
        }
        rule!("redelivery-is-local");
        self.delivered_counter -= ack.count;
        rule!("counter-goes-below-0", self.delivered_counter < 0);
        let batch = self.delivered.take_all();
        if self.is_closed() {
            return batch
                .into_iter()
                .for_each(|delivery| s.release(delivery.message));
        }
        if self.options.non_blocking_redelivery && self.rules.redelivery_delay_per_message {
            for delivery in batch {
                let delay = delay_by_counter(self, delivery.redelivery_counter, s);
                self.schedule_redelivery(vec![delivery], delay, s);
            }
        } else {
            self.run(self.options.non_blocking_redelivery);
            self.schedule_redelivery(batch, self.redelivery_delay, s);
        }
    }

    fn schedule_redelivery(&mut self, batch: Vec<Delivery>, delay: i64, s: &mut impl Surroundings) {
        let until: Time = s.now() + Span::from_millis(u64::try_from(delay).unwrap_or(0));
        for delivery in &batch {
            let message = delivery.message;
            s.emit(Fact::RedeliveryScheduled {
                consumer: self.id,
                message,
                until,
            });
        }
        self.next_batch += 1;
        self.redeliveries.push((self.next_batch, batch));
        s.set_timer(
            until,
            ClientTimer::Redeliver {
                consumer: self.id,
                batch: self.next_batch,
            },
        );
    }

    /// Article 5: REDELIVERED or POISON every time, and the broker takes the messages back.
    fn rollback_of_the_article(
        &mut self,
        newest: Delivery,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        let most = self.options.redelivery_policy.maximum_redeliveries;
        if most.is_some_and(|most| newest.redelivery_counter + 1 >= most) {
            return self.poison_delivered(session, s);
        }
        let delay = delay_by_counter(self, newest.redelivery_counter + 1, s);
        let ack = self.ack_for_all_delivered(AckType::Redelivered, None);
        let ack = ack.expect("a rollback begins with a delivered message");
        s.emit(Fact::AckSent { ack });
        let redeliver_after = u32::try_from(delay.max(0)).unwrap_or(u32::MAX);
        s.send(
            self.connection,
            ToBroker::Ack {
                ack,
                reply_to: None,
                redeliver_after,
            },
        );
        self.delivered_counter = (self.delivered_counter - ack.count).max(0);
        self.delivered_ack_is_out = false;
        self.clear_delivered(s);
    }
}

/// The delay of a message that failed so many times, by its own counter: the initial one, then the policy's next.
fn delay_by_counter(consumer: &Consumer, failures: u32, s: &mut impl Surroundings) -> i64 {
    let policy = &consumer.options.redelivery_policy;
    let mut delay = policy.initial_redelivery_delay;
    for _ in 1..failures {
        delay = next_redelivery_delay(policy, delay, || s.collision(consumer.id.index));
    }
    delay
}

impl Client {
    /// The delay of a batch is over: its messages go before everything in the buffer and the buffer runs again, or,
    /// with nonBlockingRedelivery, behind everything of the session.
    pub(super) fn redeliver(&mut self, consumer: ConsumerIndex, batch: u32) {
        let (consumer, session) = self.pair(consumer);
        let Some(place) = consumer
            .redeliveries
            .iter()
            .position(|(number, _)| *number == batch)
        else {
            return;
        };
        let (_, batch) = consumer.redeliveries.remove(place);
        if consumer.options.non_blocking_redelivery {
            rule!("redelivery-may-not-block");
            for delivery in batch {
                session
                    .executor
                    .enqueue((consumer.id.index, Some(delivery)));
            }
            return;
        }
        for delivery in batch.into_iter().rev() {
            consumer.unconsumed.enqueue_first(Some(delivery));
        }
        if consumer.is_listener() {
            session.move_to_head(consumer);
        }
        rule!("redelivery-blocks");
        consumer.run(true);
    }

    /// `onMessage` threw: local redelivery, or, in CLIENT and transacted sessions, as if nothing had happened.
    pub fn listener_threw(
        &mut self,
        consumer: ConsumerIndex,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let (consumer, session) = self.pair(consumer);
        rule!(
            "throw-in-dups-ok-topic-skips",
            consumer.style == Style::AutoBatch
        );
        match consumer.style {
            Style::Client | Style::Transacted => {
                rule!("throw-in-client-is-success");
                consumer.after_message_is_consumed(message, session, s);
            }
            // It never was in `delivered`, so it is skipped without a word.
            Style::AutoBatch => consumer.is_consuming = false,
            Style::AutoEach | Style::Individual => {
                rule!("throw-redelivers");
                let index = consumer.id.index;
                self.rollback_consumer(index, s);
            }
        }
    }

    /// `session.recover()`: every consumer of the session, in the order of their creation.
    pub fn recover(&mut self, session: SessionIndex, s: &mut impl Surroundings) {
        rule!("recover");
        for place in 0..self.sessions[session as usize].consumers.len() {
            let consumer = self.sessions[session as usize].consumers[place];
            self.rollback_consumer(consumer, s);
        }
    }

    /// Local redelivery of what one consumer was given.
    pub(super) fn rollback_consumer(&mut self, consumer: ConsumerIndex, s: &mut impl Surroundings) {
        let consumer = &mut self.consumers[consumer as usize];
        let session = &mut self.sessions[consumer.session as usize];
        consumer.clear_after_reconnect(&mut self.seen, session, s);
        let seen = &mut self.seen[consumer.connection as usize];
        for delivery in consumer.delivered.iter() {
            seen.forget(consumer, delivery.message, s);
        }
        consumer.rollback(session, s);
    }
}
