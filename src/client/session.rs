//! A session: one acknowledge mode, one transaction, one FIFO with one worker (`ActiveMQSession`,
//! `ActiveMQSessionExecutor`).

use super::{Buffer, Client, Consumer, Delivery, Surroundings, TransactionContext};
use crate::facts::Fact;
use crate::scenario::Scenario;
use crate::wire::{
    AckType, Caller, ConnectionIndex, ConsumerId, ConsumerIndex, MessageRef, SessionIndex,
    ToBroker, TransactionOwner,
};

/// A session of consumers.
pub struct Session {
    /// Which.
    pub index: SessionIndex,
    /// Its connection.
    pub connection: ConnectionIndex,
    /// Its consumers in the order of their creation.
    pub consumers: Vec<ConsumerIndex>,
    /// Its transaction.
    pub transaction: TransactionContext,
    /// Dispatches that no consumer has looked at yet.
    pub executor: Buffer<(ConsumerIndex, Option<Delivery>)>,
    /// Answers that its worker waits for.
    pub awaiting: u32,
}

/// What a session's worker found to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A listener is called with this message.
    Call(ConsumerIndex, Delivery),
    /// A message, or a null, reached the buffer of a consumer that receives.
    Buffered(ConsumerIndex),
    /// Nothing to do.
    Nothing,
}

impl Session {
    pub(super) fn new(scenario: &Scenario, index: usize) -> Session {
        let connection = scenario.sessions[index].connection;
        let by_priority = scenario.connections[connection]
            .options
            .message_priority_supported;
        Session {
            index: index as SessionIndex,
            connection: connection as ConnectionIndex,
            consumers: Vec::new(),
            transaction: TransactionContext::new(TransactionOwner::Session(index as SessionIndex)),
            executor: Buffer::new(by_priority),
            awaiting: 0,
        }
    }

    pub(super) fn add(&mut self, consumer: ConsumerIndex) {
        self.consumers.push(consumer);
    }

    /// Moves what a listener's buffer has to the head of the FIFO, in order.
    pub(super) fn move_to_head(&mut self, consumer: &mut Consumer) {
        let index = consumer.id.index;
        let waiting: Vec<_> = consumer.unconsumed.drain().collect();
        for item in waiting.into_iter().rev() {
            self.executor.enqueue_first((index, item));
        }
    }

    /// The consumer is gone from the session, and so is what waits for it.
    pub(super) fn forget(&mut self, consumer: ConsumerId, s: &mut impl Surroundings) {
        self.consumers.retain(|other| *other != consumer.index);
        self.drop_waiting(consumer, s);
    }

    /// Drops what waits in the FIFO for a consumer.
    pub(super) fn drop_waiting(&mut self, consumer: ConsumerId, s: &mut impl Surroundings) {
        self.executor.retain(|(owner, item)| {
            if *owner == consumer.index {
                drop_item(consumer, *item, s);
            }
            *owner != consumer.index
        });
    }
}

impl Client {
    /// A dispatch arrived for a consumer (`ActiveMQConnection.onCommand`): it is appended to the FIFO of its session.
    /// None if the consumer is no more, and the message was dropped.
    #[inline]
    pub fn on_dispatch(
        &mut self,
        id: ConsumerId,
        message: Option<MessageRef>,
        redelivery_counter: u32,
        s: &mut impl Surroundings,
    ) -> Option<ConsumerIndex> {
        let (consumer, session) = self.pair(id.index);
        if consumer.id != id || !consumer.is_open {
            rule!("dispatch-to-nobody");
            if let Some(message) = message {
                s.release(message);
            }
            return None;
        }
        let item = message.map(|message| Delivery {
            message,
            redelivery_counter,
            dispatched_counter: redelivery_counter,
            has_passed_filter: false,
            priority: s.messages()[message].priority,
        });
        if let Some(message) = message {
            s.emit(Fact::Received {
                consumer: id,
                message,
            });
        }
        session.executor.enqueue((id.index, item));
        Some(id.index)
    }

    /// One round of the session's worker (`ActiveMQSessionExecutor.iterate`): first what waits in the buffers of
    /// listeners, in the order of their creation, then the FIFO. Returns when the application has to do something.
    #[inline]
    pub fn iterate(&mut self, session: SessionIndex, s: &mut impl Surroundings) -> Step {
        loop {
            let Some((index, item)) = self.next_for_worker(session) else {
                return Step::Nothing;
            };
            if let Some(step) = self.deliver(index, item, s) {
                return step;
            }
        }
    }

    #[inline]
    fn next_for_worker(
        &mut self,
        session: SessionIndex,
    ) -> Option<(ConsumerIndex, Option<Delivery>)> {
        let session = &mut self.sessions[session as usize];
        for index in &session.consumers {
            let consumer = &mut self.consumers[*index as usize];
            if consumer.is_listener()
                && consumer.unconsumed.running
                && let Some(item) = consumer.unconsumed.dequeue()
            {
                rule!("buffers-before-fifo");
                return Some((*index, item));
            }
        }
        rule!("one-worker-per-session");
        session.executor.dequeue()
    }

    /// Article 6: one round of the worker that a listener has for itself.
    pub fn iterate_alone(&mut self, consumer: ConsumerIndex, s: &mut impl Surroundings) -> Step {
        loop {
            let this = &mut self.consumers[consumer as usize];
            if !this.unconsumed.running {
                return Step::Nothing;
            }
            let Some(item) = this.unconsumed.dequeue() else {
                return Step::Nothing;
            };
            if let Some(step) = self.deliver(consumer, item, s) {
                return step;
            }
        }
    }

    /// Article 6: sorts the FIFO into the buffers of the consumers.
    pub fn sort_into_buffers(&mut self, session: SessionIndex) {
        let session = &mut self.sessions[session as usize];
        while let Some((index, item)) = session.executor.dequeue() {
            self.consumers[index as usize].buffer(item);
        }
    }

    /// `ActiveMQMessageConsumer.dispatch`.
    #[inline]
    fn deliver(
        &mut self,
        index: ConsumerIndex,
        item: Option<Delivery>,
        s: &mut impl Surroundings,
    ) -> Option<Step> {
        let consumer = &mut self.consumers[index as usize];
        let session = &mut self.sessions[consumer.session as usize];
        let seen = &mut self.seen[consumer.connection as usize];
        consumer.clear_after_reconnect(seen, session, s);
        if consumer.unconsumed.closed {
            drop_item(consumer.id, item, s);
            return None;
        }
        let Some(delivery) = item else {
            consumer.buffer(None);
            return Some(Step::Buffered(index));
        };
        if !delivery.has_passed_filter && consumer.suppresses(delivery, seen, session, s) {
            return None;
        }
        let delivery = Delivery {
            has_passed_filter: true,
            ..delivery
        };
        if consumer.is_listener() && consumer.unconsumed.running {
            return consumer.call_listener(delivery, session, s);
        }
        if consumer.is_expired(&delivery, s) {
            consumer.before_message_is_consumed(delivery, session, s);
            consumer.after_message_is_consumed(delivery, true, session, s);
            if consumer.current_prefetch > 0 {
                return None;
            }
            rule!("expired-pull-returns-null");
            consumer.buffer(None);
        } else {
            consumer.buffer(Some(delivery));
        }
        (!consumer.is_listener()).then_some(Step::Buffered(index))
    }
}

impl Consumer {
    /// The listener path of `dispatch`: None if the message is not for the application's eyes.
    #[inline]
    fn call_listener(
        &mut self,
        delivery: Delivery,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) -> Option<Step> {
        if self.redelivery_exceeded(&delivery, s) {
            rule!("pre-dispatch-check");
            self.ack_one(delivery.message, AckType::Poison, session, s);
            s.release(delivery.message);
            return None;
        }
        self.before_message_is_consumed(delivery, session, s);
        if self.is_expired(&delivery, s) {
            self.after_message_is_consumed(delivery, true, session, s);
            return None;
        }
        self.hold_for_application(delivery, s);
        Some(Step::Call(self.id.index, delivery))
    }
}

fn drop_item(consumer: ConsumerId, item: Option<Delivery>, s: &mut impl Surroundings) {
    if let Some(delivery) = item {
        s.emit(Fact::Dropped {
            consumer,
            message: delivery.message,
        });
        s.release(delivery.message);
    }
}

impl Client {
    /// `onMessage` returned (`afterMessageIsConsumed`).
    #[inline]
    pub fn listener_returned(
        &mut self,
        consumer: ConsumerIndex,
        delivery: Delivery,
        s: &mut impl Surroundings,
    ) {
        rule!("consumed-after-listener");
        let (consumer, session) = self.pair(consumer);
        consumer.after_message_is_consumed(delivery, false, session, s);
    }

    /// `session.commit()`: a STANDARD ack of each consumer that takes part, then COMMIT, for whose answer `caller`
    /// waits. False if there is nothing to commit, and nothing was sent.
    pub fn commit(
        &mut self,
        session: SessionIndex,
        caller: Caller,
        s: &mut impl Surroundings,
    ) -> Commit {
        self.acknowledge_transaction(session, s);
        let session = &mut self.sessions[session as usize];
        let Some(transaction) = session.transaction.current.take() else {
            return Commit::Nothing;
        };
        if session.transaction.rollback_only {
            session.transaction.current = Some(transaction);
            return Commit::Refused;
        }
        rule!("commit");
        s.send(
            session.connection,
            ToBroker::Commit {
                transaction,
                reply_to: caller,
            },
        );
        Commit::Sent
    }

    /// `session.rollback()`: the same STANDARD acks, then ROLLBACK. False if nothing was sent. After a commit that the
    /// library refused the acks are not repeated.
    pub fn rollback(
        &mut self,
        session: SessionIndex,
        caller: Caller,
        acknowledge: bool,
        s: &mut impl Surroundings,
    ) -> bool {
        if acknowledge {
            self.acknowledge_transaction(session, s);
        }
        let session = &mut self.sessions[session as usize];
        let Some(transaction) = session.transaction.current.take() else {
            return false;
        };
        rule!("rollback-acknowledges-first");
        s.send(
            session.connection,
            ToBroker::Rollback {
                transaction,
                reply_to: caller,
            },
        );
        true
    }

    fn acknowledge_transaction(&mut self, session: SessionIndex, s: &mut impl Surroundings) {
        for place in 0..self.sessions[session as usize].transaction.enlisted.len() {
            let consumer = self.sessions[session as usize].transaction.enlisted[place];
            let (consumer, session) = self.pair(consumer);
            if !consumer.options.transacted_individual_ack {
                consumer.acknowledge(session, s);
            }
        }
    }

    /// The broker answered COMMIT or ROLLBACK: the consumers that took part forget the messages, or get them again
    /// (`afterCommit`, `afterRollback`), then closes that waited are carried out.
    pub fn transaction_ended(
        &mut self,
        session: SessionIndex,
        committed: bool,
        s: &mut impl Surroundings,
    ) {
        let transaction = &mut self.sessions[session as usize].transaction;
        let enlisted = std::mem::take(&mut transaction.enlisted);
        let closes = std::mem::take(&mut transaction.postponed_closes);
        for consumer in enlisted {
            let (this, _) = self.pair(consumer);
            this.enlisted = false;
            if committed {
                this.clear_delivered(s);
                this.redelivery_delay = 0;
            } else {
                self.rollback_consumer(consumer, s);
            }
        }
        self.sessions[session as usize]
            .transaction
            .forget_previously_delivered(s);
        for consumer in closes {
            self.finish_close(consumer, s);
        }
    }
}

/// What a call of commit led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Commit {
    /// COMMIT is on its way.
    Sent,
    /// No transaction was open.
    Nothing,
    /// The library refuses it because of a reconnect, and rolls back instead.
    Refused,
}
