//! A session: one acknowledge mode, one transaction, one FIFO with one worker (`ActiveMQSession`,
//! `ActiveMQSessionExecutor`).

use super::{
    Buffer, Client, Consumer, Delivery, Obstacles, Seen, Surroundings, TransactionContext,
};
use crate::facts::Fact;
use crate::scenario::Scenario;
use crate::wire::{
    AckType, Caller, ConnectionIndex, ConsumerId, ConsumerIndex, MessageRef, SessionIndex,
    ToBroker, TransactionOwner,
};

/// What the broker dispatched, and to whom; None is its "nothing for your pull".
type Dispatched = (ConsumerIndex, Option<Delivery>);

/// A session of consumers.
// What every message needs lies in the first cache line.
#[repr(C, align(64))]
pub struct Session {
    /// Dispatches that no consumer has looked at yet.
    pub executor: Buffer<Dispatched>,
    /// Which.
    pub index: SessionIndex,
    /// Its connection.
    pub connection: ConnectionIndex,
    /// Answers that its worker waits for.
    pub awaiting: u32,
    /// Whether the buffer of a listener may hold something: nearly never, so its worker need not look at all of them.
    pub(super) listeners_may_buffer: bool,
    /// A listener is at work, and its worker looks for more by itself. (False may mean that nobody knows.)
    is_busy: bool,
    /// Its transaction.
    pub transaction: TransactionContext,
    /// Its consumers in the order of their creation.
    pub consumers: Vec<ConsumerIndex>,
}

/// What the application gets to work on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Job {
    /// Whose.
    pub id: ConsumerId,
    /// Held for the application.
    pub message: MessageRef,
    /// `JMSXDeliveryCount`
    pub count: u32,
}

/// What a session's worker found to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A listener is called.
    Call(Job),
    /// A message, or a null, reached the buffer of a consumer that receives.
    Buffered(ConsumerIndex),
    /// The library kept a message to itself; there may be more to do.
    Kept,
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
            executor: Buffer::new(by_priority),
            index: index as SessionIndex,
            connection: connection as ConnectionIndex,
            awaiting: 0,
            listeners_may_buffer: false,
            is_busy: false,
            transaction: TransactionContext::new(TransactionOwner::Session(index as SessionIndex)),
            consumers: Vec::new(),
        }
    }

    /// Its worker does nothing any more.
    pub fn abandon(&mut self) {
        self.is_busy = false;
    }

    pub(super) fn add(&mut self, consumer: ConsumerIndex) {
        self.consumers.push(consumer);
    }

    /// A step of its worker as long as there is nothing special about it, which is nearly always so: a message for a
    /// listener that nothing keeps from it, or nothing to do. None: it is still to be done, by [`Client::iterate`].
    #[inline(always)]
    pub fn iterate_plainly(
        &mut self,
        consumers: &mut [Consumer],
        s: &mut impl Surroundings,
    ) -> Option<Step> {
        if self.listeners_may_buffer {
            return None;
        }
        let Some((index, item)) = self.executor.peek() else {
            self.is_busy = false;
            return Some(Step::Nothing);
        };
        let delivery = item.as_ref()?;
        let consumer = &mut consumers[*index as usize];
        if !consumer.takes_plainly(delivery, s) {
            return None;
        }
        rule!("one-worker-per-session");
        consumer.before_message_is_consumed(delivery, s);
        let job = Job {
            id: consumer.id,
            message: delivery.message,
            count: delivery.redelivery_counter + 1,
        };
        self.executor.dequeue();
        self.is_busy = true;
        consumer.in_transaction(job.message, self, s);
        Some(Step::Call(job))
    }

    /// Moves what a listener's buffer has to the head of the FIFO, in order.
    pub(super) fn move_to_head(&mut self, consumer: &mut Consumer) {
        let index = consumer.id.index;
        for item in consumer.unconsumed.drain().into_iter().rev() {
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
    /// The session, or None if it need not be woken: since its worker is at work, or the consumer is no more and the
    /// message was dropped.
    #[inline(always)]
    pub fn on_dispatch(
        &mut self,
        id: ConsumerId,
        message: Option<MessageRef>,
        redelivery_counter: u32,
        s: &mut impl Surroundings,
    ) -> Option<SessionIndex> {
        let (consumer, session) = self.pair(id.index);
        if consumer.id != id || !consumer.is_open {
            dispatch_to_nobody(message, s);
            return None;
        }
        let Some(message) = message else {
            session.enqueue_nothing(id.index);
            return Some(session.index);
        };
        s.emit(Fact::Received {
            consumer: id,
            message,
        });
        let mut delivery = Delivery {
            message,
            redelivery_counter,
            dispatched_counter: redelivery_counter,
            has_passed_filter: false,
            priority: 0,
        };
        if session.executor.is_by_priority() {
            delivery.priority = s.messages()[message].priority;
        }
        session.executor.enqueue((id.index, Some(delivery)));
        if session.is_busy {
            return None;
        }
        Some(session.index)
    }

    /// One step of the session's worker (`ActiveMQSessionExecutor.iterate`): first what waits in the buffers of
    /// listeners, in the order of their creation, then the FIFO.
    #[inline(never)]
    pub fn iterate(&mut self, session: SessionIndex, s: &mut impl Surroundings) -> Step {
        let session = &mut self.sessions[session as usize];
        session.is_busy = false;
        let Some((index, item)) = session.next_for_worker(&mut self.consumers) else {
            return Step::Nothing;
        };
        self.consumers[index as usize].dispatch(item, &mut self.seen, session, s)
    }

    /// Article 6: the worker that a listener has for itself, until the application has to do something.
    pub fn iterate_alone(&mut self, consumer: ConsumerIndex, s: &mut impl Surroundings) -> Step {
        let consumer = &mut self.consumers[consumer as usize];
        let session = &mut self.sessions[consumer.session as usize];
        while consumer.is_running()
            && let Some(item) = consumer.unconsumed.dequeue()
        {
            let step = consumer.dispatch(item, &mut self.seen, session, s);
            if step != Step::Kept {
                return step;
            }
        }
        Step::Nothing
    }

    /// Article 6: sorts the FIFO into the buffers of the consumers.
    pub fn sort_into_buffers(&mut self, session: SessionIndex) {
        let session = &mut self.sessions[session as usize];
        while let Some((index, item)) = session.executor.dequeue() {
            self.consumers[index as usize].buffer(item, session);
        }
    }
}

impl Session {
    #[cold]
    fn enqueue_nothing(&mut self, consumer: ConsumerIndex) {
        self.executor.enqueue((consumer, None));
    }

    #[inline]
    fn next_for_worker(&mut self, consumers: &mut [Consumer]) -> Option<Dispatched> {
        if self.listeners_may_buffer
            && let Some(next) = self.next_from_buffers(consumers)
        {
            return Some(next);
        }
        rule!("one-worker-per-session");
        self.executor.dequeue()
    }

    #[cold]
    fn next_from_buffers(&mut self, consumers: &mut [Consumer]) -> Option<Dispatched> {
        self.listeners_may_buffer = false;
        for index in &self.consumers {
            let consumer = &mut consumers[*index as usize];
            if !consumer.is_listener() || consumer.unconsumed.is_empty() {
                continue;
            }
            self.listeners_may_buffer = true;
            if consumer.is_running() {
                rule!("buffers-before-fifo");
                return consumer.unconsumed.dequeue().map(|item| (*index, item));
            }
        }
        None
    }
}

impl Consumer {
    /// `ActiveMQMessageConsumer.dispatch`. `seen` has the filter of its connection.
    fn dispatch(
        &mut self,
        item: Option<Delivery>,
        seen: &mut [Seen],
        session: &mut Session,
        s: &mut impl Surroundings,
    ) -> Step {
        self.clear_after_reconnect(seen, session, s);
        if self.is_closed() {
            drop_item(self.id, item, s);
            return Step::Kept;
        }
        let Some(mut delivery) = item else {
            self.buffer(None, session);
            return Step::Buffered(self.id.index);
        };
        if self.obstacles.have(Obstacles::DUPLICATES)
            && !delivery.has_passed_filter
            && self.suppresses(delivery, seen, session, s)
        {
            return Step::Kept;
        }
        delivery.has_passed_filter = true;
        if self.is_listener() && self.is_running() {
            self.call_listener(&delivery, session, s)
        } else if self.dispatch_to_buffer(delivery, session, s) {
            Step::Buffered(self.id.index)
        } else {
            Step::Kept
        }
    }

    /// The listener path of `dispatch`.
    fn call_listener(
        &mut self,
        delivery: &Delivery,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) -> Step {
        if self.redelivery_exceeded(delivery, s) {
            self.poison_before_dispatch(delivery.message, session, s);
            return Step::Kept;
        }
        if self.is_expired(delivery, s) {
            self.consume_expired(delivery, session, s);
            return Step::Kept;
        }
        self.before_message_is_consumed(delivery, s);
        self.in_transaction(delivery.message, session, s);
        Step::Call(Job {
            id: self.id,
            message: delivery.message,
            count: delivery.redelivery_counter + 1,
        })
    }

    #[cold]
    fn poison_before_dispatch(
        &mut self,
        message: MessageRef,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        rule!("pre-dispatch-check");
        self.ack_one(message, AckType::Poison, session, s);
        s.release(message);
    }

    /// The path of `dispatch` for whoever receives, and for a listener that is paused. Whether a receiver may find
    /// something in its buffer now.
    #[inline(never)]
    fn dispatch_to_buffer(
        &mut self,
        delivery: Delivery,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) -> bool {
        if self.is_expired(&delivery, s) {
            self.consume_expired(&delivery, session, s);
            if self.current_prefetch > 0 {
                return false;
            }
            rule!("expired-pull-returns-null");
            self.buffer(None, session);
        } else {
            self.buffer(Some(delivery), session);
        }
        !self.is_listener()
    }
}

#[cold]
fn dispatch_to_nobody(message: Option<MessageRef>, s: &mut impl Surroundings) {
    rule!("dispatch-to-nobody");
    if let Some(message) = message {
        s.release(message);
    }
}

#[cold]
fn drop_item(consumer: ConsumerId, item: Option<Delivery>, s: &mut impl Surroundings) {
    if let Some(delivery) = item {
        s.emit(Fact::Dropped {
            consumer,
            message: delivery.message,
        });
        s.release(delivery.message);
    }
}

impl Consumer {
    /// `onMessage` returned (`afterMessageIsConsumed`).
    #[inline(always)]
    pub fn listener_returned(
        &mut self,
        message: MessageRef,
        session: &mut Session,
        s: &mut impl Surroundings,
    ) {
        rule!("consumed-after-listener");
        self.after_message_is_consumed(message, session, s);
    }
}

impl Client {
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
