//! Orderly ends: of a consumer, of a session, of a connection.

use super::{Client, Consumer, Session, Style, Surroundings};
use crate::wire::{Caller, ConsumerIndex, SessionIndex, ToBroker};

impl Client {
    /// Whether a close would be postponed to the end of the open transaction.
    pub fn close_would_wait(&self, consumer: ConsumerIndex) -> bool {
        let this = &self.consumers[consumer as usize];
        let session = &self.sessions[this.session as usize];
        !this.delivered.is_empty() && session.transaction.current.is_some()
    }

    /// `deliverAcks`
    pub fn deliver_acks(&mut self, consumer: ConsumerIndex, s: &mut impl Surroundings) {
        let (this, session) = self.pair(consumer);
        this.deliver_acks(session, s);
    }

    /// `consumer.close()`. With delivered messages in an open transaction everything is postponed to its end; then
    /// this returns false.
    pub fn close_consumer(&mut self, consumer: ConsumerIndex, s: &mut impl Surroundings) -> bool {
        if self.close_would_wait(consumer) {
            rule!("close-waits-for-transaction");
            let (_, session) = self.pair(consumer);
            if !session.transaction.postponed_closes.contains(&consumer) {
                session.transaction.postponed_closes.push(consumer);
            }
            return false;
        }
        self.finish_close(consumer, s);
        true
    }

    /// `doClose`: disposes the consumer and tells the broker what was delivered last.
    pub(super) fn finish_close(&mut self, consumer: ConsumerIndex, s: &mut impl Surroundings) {
        let (this, session) = self.pair(consumer);
        if !this.is_open {
            return;
        }
        this.dispose(session, s);
        rule!("close-tells-last-delivered");
        let last_delivered = this.last_delivered_sequence_id;
        s.send(
            this.connection,
            ToBroker::RemoveConsumer {
                consumer: this.id,
                last_delivered,
            },
        );
        this.is_open = false;
        session.forget(this.id, s);
    }

    /// The first half of `session.close()`: disposes its consumers, and rolls back what is open. Returns the last
    /// delivered sequence id of the session, and whether an answer to ROLLBACK has to be waited for.
    pub fn dispose_session(
        &mut self,
        session: SessionIndex,
        s: &mut impl Surroundings,
    ) -> (i64, bool) {
        let mut last_delivered = -2;
        for place in 0..self.sessions[session as usize].consumers.len() {
            let consumer = self.sessions[session as usize].consumers[place];
            let (this, session) = self.pair(consumer);
            this.dispose(session, s);
            last_delivered = last_delivered.max(this.last_delivered_sequence_id);
        }
        let waits = self.sessions[session as usize]
            .transaction
            .current
            .is_some()
            && self.rollback(session, Caller::Session(session), true, s);
        rule!("session-close-tells-one-maximum");
        (last_delivered, waits)
    }

    /// The second half of `session.close()`: the broker learns that the session is gone.
    pub fn remove_session(
        &mut self,
        session: SessionIndex,
        last_delivered: i64,
        s: &mut impl Surroundings,
    ) {
        for consumer in self.sessions[session as usize].consumers.clone() {
            let (this, session) = self.pair(consumer);
            this.forget_everything(s);
            session.forget(this.id, s);
        }
        let connection = self.sessions[session as usize].connection;
        s.send(
            connection,
            ToBroker::RemoveSession {
                session,
                last_delivered,
            },
        );
    }
}

impl Consumer {
    /// `dispose`: flushes acks outside a transaction, and throws away what waits in the buffer.
    fn dispose(&mut self, session: &mut Session, s: &mut impl Surroundings) {
        if self.is_closed() {
            return;
        }
        if self.style != Style::Transacted {
            rule!("close-flushes");
            self.deliver_acks(session, s);
            self.clear_delivered(s);
        }
        self.forget_pending_ack(s);
        self.close_buffer();
        self.drop_buffer(s);
        self.forget_redeliveries(s);
    }
}
