//! The acks a consumer sends: at once, by the 0.65 rule, by the 0.5 rule, or when the application says so.

use super::{Client, Consumer, Delivery, Session, Style, Surroundings};
use crate::facts::Fact;
use crate::kernel::{Span, Time};
use crate::wire::{
    AckType, Caller, ConsumerIndex, MessageAck, MessageRef, SessionIndex, ToBroker, TransactionId,
};

/// An ack that is being accumulated (`pendingAck`); it holds the messages it names.
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingAck {
    ack_type: AckType,
    first: MessageRef,
    last: MessageRef,
    count: i32,
    transaction: Option<TransactionId>,
}

impl Consumer {
    /// Sends an ack. With `sendAcksAsync=false` the calling thread waits for the answer, except inside a transaction
    /// and for what the library sends by itself (`ActiveMQSession.sendAck`).
    #[inline(always)]
    pub(super) fn send_ack(
        &mut self,
        ack: MessageAck,
        by_itself: bool,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        let waits = self.waits_for_acks && !by_itself && ack.transaction.is_none();
        rule!("acks-may-wait", waits);
        let reply_to = if waits {
            Some(self.wait_for_answer(session))
        } else {
            None
        };
        s.emit(Fact::AckSent { ack });
        s.send(
            self.connection,
            ToBroker::Ack {
                ack,
                reply_to,
                redeliver_after: 0,
            },
        );
    }

    #[cold]
    fn wait_for_answer(&mut self, session: &mut Session) -> Caller {
        let caller = self.caller();
        match caller {
            Caller::Session(_) => session.awaiting += 1,
            _ => self.awaiting += 1,
        }
        caller
    }

    /// An ack of this consumer for everything delivered (`makeAckForAllDeliveredMessages`); None if there is nothing.
    #[inline]
    pub(super) fn ack_for_all_delivered(
        &self,
        ack_type: AckType,
        transaction: Option<TransactionId>,
    ) -> Option<MessageAck> {
        let oldest = self.delivered.first()?;
        let newest = self.delivered.last()?;
        Some(MessageAck {
            consumer: self.id,
            ack_type,
            first: Some(oldest.message),
            last: newest.message,
            count: self.delivered.len() as i32,
            transaction,
        })
    }

    /// AUTO as it is by default: acknowledges the one message that was consumed, unless that has been done meanwhile.
    #[inline(always)]
    pub(super) fn acknowledge_this(&mut self, session: &mut Session, s: &mut impl Surroundings) {
        rule!("auto-acks-each");
        if let Some(Delivery { message, .. }) = self.delivered.take() {
            let ack = MessageAck {
                first: Some(message),
                ..self.individual(message, AckType::Standard, None)
            };
            self.send_ack(ack, false, session, s);
            s.release(message);
        }
    }

    /// Acknowledges everything delivered, outside a transaction, and forgets it.
    pub(super) fn acknowledge_delivered(
        &mut self,
        ack_type: AckType,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        if let Some(ack) = self.ack_for_all_delivered(ack_type, None) {
            self.send_ack(ack, false, session, s);
            self.clear_delivered(s);
        }
    }

    /// The 0.65 rule (AUTO + optimizeAcknowledge; `afterMessageIsConsumed`). The time-out is looked at only here.
    #[inline(always)]
    pub(super) fn optimized_ack(&mut self, session: &mut Session, s: &mut impl Surroundings) {
        if self.rules.optimize_counts_unacknowledged {
            return self.optimized_ack_of_the_article(session, s);
        }
        self.ack_counter += 1;
        rule!("optimize-threshold");
        let consumed = i64::from(self.ack_counter + self.delivered_counter);
        let window_is_due = consumed >= self.optimized_ack_after;
        rule!(
            "optimize-time-out",
            !window_is_due && self.optimize_time_is_over(s)
        );
        if window_is_due || self.optimize_time_is_over(s) {
            self.send_optimized_ack(session, s);
        }
    }

    #[inline(never)]
    fn send_optimized_ack(&mut self, session: &mut Session, s: &mut impl Surroundings) {
        self.acknowledge_delivered(AckType::Standard, session, s);
        self.ack_counter = 0;
        self.note_optimized_ack(s.now());
    }

    /// ActiveMQ's clock has whole milliseconds: when they are over is known as soon as they begin.
    pub(super) fn note_optimized_ack(&mut self, now: Time) {
        self.optimize_ack_timestamp = now.as_millis();
        let time_out = self.options.optimize_acknowledge_time_out;
        self.optimized_ack_due = time_out.map_or(Time::NEVER, |time_out| {
            let millis = self.optimize_ack_timestamp + time_out.as_millis();
            Time::ZERO + Span::from_millis(millis)
        });
    }

    #[inline]
    fn optimize_time_is_over(&self, s: &impl Surroundings) -> bool {
        s.now() >= self.optimized_ack_due
    }

    /// Article 1: what is consumed and unacknowledged decides, and a timer runs from the last ack.
    #[inline(never)]
    fn optimized_ack_of_the_article(&mut self, session: &mut Session, s: &mut impl Surroundings) {
        rule!("article-1");
        if 20 * self.delivered.len() as u64 >= 13 * u64::from(self.prefetch) {
            self.acknowledge_delivered(AckType::Standard, session, s);
            self.note_optimized_ack(s.now());
        } else if self.delivered.len() == 1
            && let Some(time_out) = self.options.optimize_acknowledge_time_out
        {
            let due = Time(self.optimize_ack_timestamp * 1_000_000) + time_out;
            s.set_timer(
                due.max(s.now()),
                super::ClientTimer::OptimizeTimeOut(self.id),
            );
        }
    }

    /// Article 1: the time-out rang. What the application still works on is left out.
    pub(super) fn optimize_time_out(&mut self, session: &mut Session, s: &mut impl Surroundings) {
        if !self.optimize_time_is_over(s) {
            return;
        }
        let in_progress = if self.is_consuming {
            self.delivered.pop()
        } else {
            None
        };
        self.acknowledge_delivered(AckType::Standard, session, s);
        if let Some(in_progress) = in_progress {
            self.delivered.push(&in_progress);
        }
        self.note_optimized_ack(s.now());
    }

    /// The 0.5 rule (`ackLater`): counts a message, and sends the accumulated ack after each half window.
    #[inline(always)]
    pub(super) fn ack_later(
        &mut self,
        message: MessageRef,
        ack_type: AckType,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        if self.style == Style::Transacted {
            self.enlist(session);
        }
        if self.rules.delivered_once_until_acknowledged && ack_type == AckType::Delivered {
            return self.delivered_ack_of_the_article(session, s);
        }
        self.delivered_counter += 1;
        self.accumulate(message, ack_type, session.transaction.current, s);
        let counted = i64::from(self.delivered_counter + self.ack_counter);
        if i64::from(self.prefetch) <= 2 * counted {
            rule!("delivered-in-transactions", self.style == Style::Transacted);
            rule!("dups-ok-on-topics", ack_type == AckType::Standard);
            rule!("half-window");
            self.send_pending_ack(false, session, s);
            self.delivered_counter = 0;
        }
    }

    #[inline(always)]
    fn accumulate(
        &mut self,
        message: MessageRef,
        ack_type: AckType,
        transaction: Option<TransactionId>,
        s: &mut impl Surroundings,
    ) {
        let first = match &self.pending_ack {
            Some(old) => {
                s.release(old.last);
                old.first
            }
            None => {
                s.messages_mut().retain(message);
                message
            }
        };
        s.messages_mut().retain(message);
        let count = self.delivered_counter;
        self.pending_ack = Some(PendingAck {
            ack_type,
            first,
            last: message,
            count,
            transaction,
        });
    }

    fn send_pending_ack(
        &mut self,
        by_itself: bool,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        let Some(pending) = self.pending_ack else {
            return;
        };
        let ack = MessageAck {
            consumer: self.id,
            ack_type: pending.ack_type,
            first: Some(pending.first),
            last: pending.last,
            count: pending.count,
            transaction: pending.transaction,
        };
        self.send_ack(ack, by_itself, session, s);
        self.forget_pending_ack(s);
    }

    /// Drops the accumulated ack.
    pub(super) fn forget_pending_ack(&mut self, s: &mut impl Surroundings) {
        if let Some(pending) = self.pending_ack.take() {
            s.release(pending.first);
            s.release(pending.last);
        }
    }

    /// Article 3: one DELIVERED at half the prefetch, and no further one until something is acknowledged.
    fn delivered_ack_of_the_article(&mut self, session: &mut Session, s: &mut impl Surroundings) {
        let is_half = 2 * self.delivered.len() as u64 >= u64::from(self.prefetch);
        if self.delivered_ack_is_out || !is_half {
            return;
        }
        let transaction = session.transaction.current;
        if let Some(ack) = self.ack_for_all_delivered(AckType::Delivered, transaction) {
            self.delivered_ack_is_out = true;
            self.send_ack(ack, false, session, s);
        }
    }

    /// Takes part in the open transaction, once.
    fn enlist(&mut self, session: &mut Session) {
        if !self.enlisted {
            self.enlisted = true;
            session.transaction.enlisted.push(self.id.index);
        }
    }

    /// With transactedIndividualAck each message is acknowledged within the transaction as it is handed over
    /// (`individualAck` in `beforeMessageIsConsumed`).
    pub(super) fn transacted_individual_ack(
        &mut self,
        message: MessageRef,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        rule!("transacted-individual-ack");
        self.enlist(session);
        let ack = self.individual(message, AckType::Individual, session.transaction.current);
        self.send_ack(ack, false, session, s);
    }

    #[inline]
    fn individual(
        &self,
        message: MessageRef,
        ack_type: AckType,
        transaction: Option<TransactionId>,
    ) -> MessageAck {
        let consumer = self.id;
        MessageAck {
            consumer,
            ack_type,
            first: None,
            last: message,
            count: 1,
            transaction,
        }
    }

    /// `DELIVERED -..md n=1`: a message that a transaction had before a reconnect has come again.
    pub(super) fn delivered_again(
        &mut self,
        message: MessageRef,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        let ack = self.individual(message, AckType::Delivered, None);
        self.send_ack(ack, true, session, s);
    }

    /// An ack about one message by its id: POISON or EXPIRED, never in a transaction.
    pub(super) fn ack_one(
        &mut self,
        message: MessageRef,
        ack_type: AckType,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        let ack = MessageAck {
            first: Some(message),
            ..self.individual(message, ack_type, None)
        };
        self.send_ack(ack, ack_type == AckType::Poison, session, s);
    }

    /// The client found a message expired (`acknowledge(md, EXPIRED_ACK_TYPE)`); no counter changes.
    pub(super) fn acknowledge_expired(
        &mut self,
        message: MessageRef,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        rule!("expired-at-client");
        self.ack_one(message, AckType::Expired, session, s);
        self.delivered.remove(message);
        s.release(message);
    }

    /// `ActiveMQMessageConsumer.acknowledge()`: a STANDARD ack over everything delivered to this consumer; in a
    /// transaction the messages are kept for a rollback.
    pub(super) fn acknowledge(&mut self, session: &mut Session, s: &mut impl Surroundings) {
        let transacted = self.style == Style::Transacted;
        let transaction = if transacted {
            session.transaction.current
        } else {
            None
        };
        let Some(ack) = self.ack_for_all_delivered(AckType::Standard, transaction) else {
            return;
        };
        self.forget_pending_ack(s);
        self.delivered_ack_is_out = false;
        self.send_ack(ack, false, session, s);
        rule!("acknowledge-of-a-consumer");
        self.delivered_counter = (self.delivered_counter - ack.count).max(0);
        if !transacted {
            self.clear_delivered(s);
        }
    }

    /// `ActiveMQMessage.acknowledge()` in INDIVIDUAL mode; the DELIVERED counter does not notice.
    pub(super) fn acknowledge_individually(
        &mut self,
        message: MessageRef,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        rule!("acknowledge-individually");
        let ack = self.individual(message, AckType::Individual, None);
        self.delivered_ack_is_out = false;
        self.send_ack(ack, false, session, s);
        if self.delivered.remove(message) {
            s.release(message);
        }
    }

    /// Sends what an orderly close, or the ack timer, must not leave behind (`deliverAcks`).
    pub(super) fn deliver_acks(&mut self, session: &mut Session, s: &mut impl Surroundings) {
        match self.style {
            Style::AutoEach => {
                if let Some(ack) = self.ack_for_all_delivered(AckType::Standard, None) {
                    self.send_ack(ack, true, session, s);
                    self.clear_delivered(s);
                    self.ack_counter = 0;
                }
            }
            Style::AutoBatch => self.send_pending_ack(true, session, s),
            Style::Client | Style::Individual | Style::Transacted => {}
        }
    }
}

impl Client {
    /// `ActiveMQMessage.acknowledge()` in CLIENT mode, which is `ActiveMQSession.acknowledge()`: every consumer of the session,
    /// in the order of their creation.
    pub fn acknowledge_session(&mut self, session: SessionIndex, s: &mut impl Surroundings) {
        rule!("acknowledge-is-session-wide");
        for place in 0..self.sessions[session as usize].consumers.len() {
            let consumer = self.sessions[session as usize].consumers[place];
            self.acknowledge_consumer(consumer, s);
        }
    }

    /// The consumer-level call: only what this consumer was given.
    pub fn acknowledge_consumer(&mut self, consumer: ConsumerIndex, s: &mut impl Surroundings) {
        let consumer = &mut self.consumers[consumer as usize];
        let session = &mut self.sessions[consumer.session as usize];
        consumer.clear_after_reconnect(&mut self.seen, session, s);
        consumer.acknowledge(session, s);
    }

    /// `ActiveMQMessage.acknowledge()` in INDIVIDUAL mode.
    pub fn acknowledge_message(
        &mut self,
        consumer: ConsumerIndex,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let (consumer, session) = self.pair(consumer);
        consumer.acknowledge_individually(message, session, s);
    }
}
