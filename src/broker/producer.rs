//! Sends: duplicates, expiry and flow control on the way in (`TransportConnection.processMessage`,
//! `Queue.send`, `Topic.send`).
//!
//! While the memory of a destination is full, a sender waits: one that waits for an answer anyway,
//! or that counts its bytes, is *parked* and its answer withheld; any other blocks its whole
//! connection, acks of consumers included, because the broker stops reading from it.

use crate::facts::Fact;
use crate::wire::{
    Caller, ConnectionId, Message, MessageRef, ProducerIndex, ToClient, TransactionId,
};

use super::queue::{PassAtOnce, enqueued};
use super::surroundings::release;
use super::transaction::{Synchronization, Transaction};
use super::{Broker, Surroundings};

/// What the broker knows of a producer.
#[derive(Debug)]
pub(super) struct Producer {
    /// `producerWindowSize` is set: async sends are answered by ProducerAck.
    pub windowed: bool,
    /// The highest number of its persistent messages that was stored: what comes again is
    /// recognised by it (`ProducerBrokerExchange.canDispatch`).
    pub last_stored: u64,
    pub transactions: Vec<Transaction>,
}

/// A message on its way in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Send {
    pub message: MessageRef,
    pub connection: ConnectionId,
    pub transaction: Option<TransactionId>,
    pub answer: Answer,
}

/// A send that waits for space without stopping its connection.
pub(super) type ParkedSend = Send;
/// A send that waits for space while its connection stands still.
pub(super) type BlockedSend = Send;

/// What the sender gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// Nobody waits.
    Nothing,
    /// Response or ExceptionResponse.
    Response(ProducerIndex),
    /// A Response that will not arrive.
    LostResponse,
    /// ProducerAck.
    ProducerAck(ProducerIndex),
}

impl Producer {
    pub fn new(windowed: bool) -> Producer {
        Producer {
            windowed,
            last_stored: 0,
            transactions: Vec::new(),
        }
    }
}

impl Broker {
    /// Which answer a send gets.
    #[inline]
    pub(super) fn answer_to(
        &self,
        producer: ProducerIndex,
        sync: bool,
        lose_reply: bool,
    ) -> Answer {
        match (sync, lose_reply) {
            (true, true) => Answer::LostResponse,
            (true, false) => Answer::Response(producer),
            _ if self.is_windowed(producer) => Answer::ProducerAck(producer),
            _ => Answer::Nothing,
        }
    }

    fn is_windowed(&self, producer: ProducerIndex) -> bool {
        self.producers[producer as usize].windowed
    }

    /// A message arrives outside of transactions. Nearly always nothing speaks against it: no limit
    /// of memory, no expiration, and it is new.
    #[inline(never)]
    pub(super) fn send(
        &mut self,
        connection: ConnectionId,
        message: MessageRef,
        sync: bool,
        s: &mut impl Surroundings,
    ) {
        let content = &mut s.messages_mut()[message];
        let destination = content.destination as usize;
        let plain = self.destinations[destination].plain;
        if !plain || content.expiration > 0 || content.persistent && !self.store(content) {
            let answer = self.answer_to(content.producer, sync, false);
            let send = Send {
                message,
                connection,
                transaction: None,
                answer,
            };
            return self.send_with_care(send, s);
        }
        self.number(content);
        let pass = self.pass_at_once(destination, content.group);
        if pass == PassAtOnce::Unknown {
            let size = content.memory_size();
            let answer = self.answer_to(content.producer, sync, false);
            self.take_place(destination, message, s);
            return self.answer(connection, answer, size, s);
        }
        enqueued(destination, message, s);
        if sync | self.has_windows {
            self.answer_held(connection, message, sync, s);
        }
        if let PassAtOnce::HandsOver(taker) = pass {
            self.hand_over_at_once(destination, message, taker, s);
        } else {
            self.page_in_at_once(destination, message, s);
        }
    }

    /// The answer to the send of a message that is held.
    #[inline(never)]
    fn answer_held(
        &self,
        connection: ConnectionId,
        message: MessageRef,
        sync: bool,
        s: &mut impl Surroundings,
    ) {
        let content = &s.messages()[message];
        let size = content.memory_size();
        let answer = self.answer_to(content.producer, sync, false);
        self.answer(connection, answer, size, s);
    }

    /// Whether a message is new; then it is noted.
    #[inline(always)]
    fn store(&mut self, content: &Message) -> bool {
        let is_new = !self.is_repeat(content);
        if is_new {
            self.note_stored(content);
        }
        is_new
    }

    /// A message arrives.
    #[inline(never)]
    pub(super) fn send_with_care(&mut self, send: Send, s: &mut impl Surroundings) {
        let content = &s.messages()[send.message];
        let destination = content.destination as usize;
        let target = &self.destinations[destination];
        let no_space = target.memory.is_full()
            && target.policy.producer_flow_control
            && !content.is_expired(s.now());
        let fails = no_space && target.policy.send_fail_if_no_space;
        if self.is_repeat(content) {
            self.suppress(send, s);
        } else if fails || self.check_transaction(send.transaction).is_err() {
            rule!("memory-full-fails", fails);
            self.refuse(send, s);
        } else if !no_space {
            self.take_in(send, s);
        } else if send.answer == Answer::Nothing {
            self.destinations[destination].blocked.push_back(send);
            rule!("memory-full-blocks");
            self.connection_blocks(send.connection, true);
        } else {
            rule!("memory-full-parks");
            self.destinations[destination].parked.push_back(send);
        }
    }

    /// Stores it, or expires it at once, and answers.
    fn take_in(&mut self, send: Send, s: &mut impl Surroundings) {
        let size = s.messages()[send.message].memory_size();
        self.take_in_quietly(send.message, send.transaction, s);
        self.answer(send.connection, send.answer, size, s);
    }

    /// A message that may have been waiting for space, or in the scheduler.
    pub(super) fn take_in_quietly(
        &mut self,
        message: MessageRef,
        transaction: Option<TransactionId>,
        s: &mut impl Surroundings,
    ) {
        if s.messages()[message].is_expired(s.now()) {
            rule!("expired-on-arrival");
            self.message_expired(None, message, s);
            release(s, message);
        } else {
            self.do_message_send(message, transaction, s);
        }
    }

    #[inline(always)]
    fn answer(
        &self,
        connection: ConnectionId,
        answer: Answer,
        size: u64,
        s: &mut impl Surroundings,
    ) {
        if let Answer::Response(producer) = answer {
            self.respond(connection, Caller::Producer(producer), false, s);
        } else if let Answer::ProducerAck(producer) = answer {
            let command = ToClient::ProducerAck {
                producer,
                size: size as u32,
            };
            s.send(connection, command);
        }
    }

    /// An exception: a sync sender gets it, an async one loses its message and can't commit any
    /// more.
    fn refuse(&mut self, send: Send, s: &mut impl Surroundings) {
        match send.answer {
            Answer::Response(producer) => {
                self.respond(send.connection, Caller::Producer(producer), true, s);
            }
            Answer::LostResponse => {}
            Answer::Nothing | Answer::ProducerAck(_) => self.set_rollback_only(send.transaction),
        }
        not_enqueued(send.message, false, s);
    }

    /// Whether this id is there already, or was (`ProducerBrokerExchange.canDispatch`, the store's
    /// index). Numbers of a producer ascend, so the highest says it all.
    #[inline]
    fn is_repeat(&self, content: &Message) -> bool {
        content.persistent
            && !content.copy
            && content.number <= self.producers[content.producer as usize].last_stored
    }

    fn suppress(&mut self, send: Send, s: &mut impl Surroundings) {
        rule!("repeated-sends");
        let size = s.messages()[send.message].memory_size();
        not_enqueued(send.message, true, s);
        self.answer(send.connection, send.answer, size, s);
    }

    /// `Queue.doMessageSend`, `Topic.doMessageSend`: at once, or when the transaction commits.
    #[inline]
    pub(super) fn do_message_send(
        &mut self,
        message: MessageRef,
        transaction: Option<TransactionId>,
        s: &mut impl Surroundings,
    ) {
        let content = &mut s.messages_mut()[message];
        self.number(content);
        let target = &mut self.destinations[content.destination as usize];
        target.memory.hold(message, content.memory_size());
        if transaction.is_some() {
            rule!("sends-count-from-commit");
            self.synchronize(transaction, Synchronization::Sent { message });
        } else {
            self.message_sent(message, s);
        }
    }

    #[inline(always)]
    fn number(&mut self, content: &mut Message) {
        rule!("sequence-ids");
        self.last_sequence += 1;
        content.sequence = self.last_sequence;
    }

    /// A message takes its place.
    #[inline]
    pub(super) fn message_sent(&mut self, message: MessageRef, s: &mut impl Surroundings) {
        let content = &s.messages()[message];
        let destination = content.destination as usize;
        self.note_stored(content);
        self.take_place(destination, message, s);
    }

    #[inline(always)]
    fn note_stored(&mut self, content: &Message) {
        if content.persistent & !(content.dead_letter | content.rescheduled | content.copy) {
            let producer = &mut self.producers[content.producer as usize];
            producer.last_stored = producer.last_stored.max(content.number);
        }
    }

    #[inline]
    fn take_place(&mut self, destination: usize, message: MessageRef, s: &mut impl Surroundings) {
        if self.destinations[destination].is_queue() {
            self.enqueue(destination, message, s);
        } else {
            self.publish(destination, message, s);
        }
    }

    /// A topic keeps nothing itself.
    #[inline(never)]
    fn publish(&mut self, destination: usize, message: MessageRef, s: &mut impl Surroundings) {
        if s.messages()[message].is_expired(s.now()) {
            self.message_expired(None, message, s);
        } else {
            self.fan_out(destination, message, s);
        }
        self.let_go(destination, message, s);
    }

    /// A sent message vanishes in a rollback.
    pub(super) fn unsend(&mut self, message: MessageRef, s: &mut impl Surroundings) {
        let destination = s.messages()[message].destination as usize;
        self.free_memory(destination, message, s);
        not_enqueued(message, false, s);
    }
}

// ── memory ──
impl Broker {
    /// One more subscription of a topic holds a message.
    pub(super) fn hold(
        &mut self,
        destination: usize,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        s.messages_mut().retain(message);
        let size = s.messages()[message].memory_size();
        self.destinations[destination].memory.hold(message, size);
    }

    /// One less.
    pub(super) fn let_go(
        &mut self,
        destination: usize,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        self.free_memory(destination, message, s);
        release(s, message);
    }

    /// `Message.decrementReferenceCount`; whoever waits for space has a pass then.
    #[inline]
    pub(super) fn free_memory(
        &mut self,
        destination: usize,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        if self.destinations[destination].memory.is_limited() {
            self.free_limited_memory(destination, message, s);
        }
    }

    #[inline(never)]
    fn free_limited_memory(
        &mut self,
        destination: usize,
        message: MessageRef,
        s: &mut impl Surroundings,
    ) {
        let size = s.messages()[message].memory_size();
        let freed = &mut self.destinations[destination];
        freed.memory.let_go(message, size);
        if freed.can_release_sends() {
            self.wakeup(destination);
        }
    }

    /// Sends that wait for space, in order, while there is some (`sendMessagesWaitingForSpaceTask`,
    /// `waitForSpace`).
    pub(super) fn release_waiting_sends(&mut self, destination: usize, s: &mut impl Surroundings) {
        while self.destinations[destination].can_release_sends() {
            if let Some(send) = self.destinations[destination].parked.pop_front() {
                self.release_parked(send, s);
            } else if let Some(send) = self.destinations[destination].blocked.pop_front() {
                self.take_in(send, s);
                self.connection_goes_on(send.connection, s);
            }
        }
    }

    fn release_parked(&mut self, send: Send, s: &mut impl Surroundings) {
        if self.is_repeat(&s.messages()[send.message]) {
            self.suppress(send, s);
        } else if self.check_transaction(send.transaction).is_err() {
            self.refuse(send, s);
        } else {
            self.take_in(send, s);
        }
    }

    /// The connection broke: what blocked it is lost with it. Parked sends go on.
    pub(super) fn abandon_blocked_sends(
        &mut self,
        connection: ConnectionId,
        s: &mut impl Surroundings,
    ) {
        for destination in &mut self.destinations {
            destination.blocked.retain(|send| {
                if send.connection == connection {
                    not_enqueued(send.message, false, s);
                }
                send.connection != connection
            });
        }
    }
}

/// A message ends without having been enqueued.
pub(super) fn not_enqueued(message: MessageRef, repeated: bool, s: &mut impl Surroundings) {
    s.emit(Fact::NotEnqueued { message, repeated });
    release(s, message);
}
