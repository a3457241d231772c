//! Producers: when an application sends, what its client library waits for, and what happens when an answer is lost.

use super::{Event, GivenUp, MOST_MESSAGES, World};
use crate::facts::{Fact, Observer};
use crate::kernel::{Span, Time};
use crate::scenario::{OnSendFailure, Producer, Scenario};
use crate::wire::{
    Caller, ConnectionIndex, DestinationIndex, Message, MessageRef, ProducerIndex, ToBroker,
    TransactionId, TransactionOwner,
};

/// More sends than this without time passing mean an endless producer that nothing ever stops.
const MOST_SENDS_AT_ONE_INSTANT: u64 = 20_000_000;

/// What a producer's thread is at.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
enum Task {
    /// Waits for the time of its next message.
    #[default]
    Waiting,
    /// In a send that the producer window blocks, since then.
    Blocked(MessageRef, Time),
    /// In a send that waits for the broker's answer, since then.
    Sending(MessageRef, Time),
    /// In a commit or rollback.
    Ending(TransactionId, bool),
    /// Has no connection.
    Reconnecting(MessageRef, Time),
    /// Has sent everything.
    Done,
}

/// A producer's client library and its thread.
#[derive(Debug)]
pub(super) struct Sending {
    connection: ConnectionIndex,
    is_sync: bool,
    is_transacted: bool,
    may_lose_replies: bool,
    /// Its messages differ by more than their number and time: they expire, or belong to groups.
    varies: bool,
    /// Bytes; 0: no limit (`producerWindowSize`).
    window: u64,
    /// What all its messages have in common.
    template: Message,
    task: Task,
    wanted_at: Time,
    transaction: Option<TransactionId>,
    transactions: u32,
    /// What was sent in the open transaction, for a failover transport to repeat (`ConnectionStateTracker`), and whether
    /// the broker has seen it.
    in_transaction: Vec<(MessageRef, bool)>,
    /// The present send has reached the broker.
    has_arrived: bool,
    /// The answer to the present send got lost.
    lost_reply: bool,
    /// Bytes sent asynchronously and not acknowledged by the broker (`producerWindow`).
    in_window: u64,
    instant: Time,
    sends_at_instant: u64,
}

impl Sending {
    pub(super) fn new(scenario: &Scenario, producer: usize) -> Sending {
        let spec = &scenario.producers[producer];
        Sending {
            connection: scenario.connection_of_producer(producer) as u32,
            is_sync: is_sync(spec),
            is_transacted: spec.transaction.is_some(),
            may_lose_replies: spec.lose_reply.is_some(),
            varies: spec.groups.is_some() || spec.time_to_live.is_some(),
            window: spec.options.producer_window_size,
            template: Message {
                producer: producer as ProducerIndex,
                destination: spec.destination as DestinationIndex,
                size: spec.size,
                priority: spec.priority,
                persistent: spec.persistent,
                ..Message::default()
            },
            task: Task::Waiting,
            wanted_at: Time::ZERO,
            transaction: None,
            transactions: 0,
            in_transaction: Vec::new(),
            has_arrived: false,
            lost_reply: false,
            in_window: 0,
            instant: Time::ZERO,
            sends_at_instant: 0,
        }
    }
}

/// `ActiveMQSession.send`: whether it waits for the broker's answer.
fn is_sync(spec: &Producer) -> bool {
    let options = &spec.options;
    options.always_sync_send
        || options.send_timeout.is_some()
        || (spec.persistent && !options.use_async_send && spec.transaction.is_none())
}

impl<O: Observer> World<'_, O> {
    fn spec(&self, producer: ProducerIndex) -> &Producer {
        &self.scenario.producers[producer as usize]
    }

    /// The application turns to its next message.
    #[inline(always)]
    pub(super) fn schedule_arrival(&mut self, producer: ProducerIndex) {
        let arrival = self.producers[producer as usize].next_arrival(self.shell.now);
        let sending = &mut self.sending[producer as usize];
        let Some(arrival) = arrival else {
            sending.task = Task::Done;
            return;
        };
        sending.task = Task::Waiting;
        sending.wanted_at = arrival;
        self.shell.producer_acts_at(arrival, producer);
    }

    /// The time of the next message has come.
    pub(super) fn producer_acts(&mut self, producer: ProducerIndex) {
        self.guard_progress(producer);
        let message = self.make_message(producer);
        self.shell.emit(Fact::Sending { message });
        self.try_to_send(producer, message, self.shell.now);
    }

    fn guard_progress(&mut self, producer: ProducerIndex) {
        let sending = &mut self.sending[producer as usize];
        if sending.instant != self.shell.now {
            sending.instant = self.shell.now;
            sending.sends_at_instant = 0;
        }
        sending.sends_at_instant += 1;
        if sending.sends_at_instant > MOST_SENDS_AT_ONE_INSTANT {
            let events = sending.sends_at_instant;
            let at = self.shell.now;
            self.give_up(GivenUp::NoProgress { at, events });
        }
        let held = self.shell.messages.held();
        if held > MOST_MESSAGES {
            let at = self.shell.now;
            self.give_up(GivenUp::TooManyMessages { at, held });
        }
    }

    fn make_message(&mut self, producer: ProducerIndex) -> MessageRef {
        let app = &mut self.producers[producer as usize];
        app.sent += 1;
        let sending = &self.sending[producer as usize];
        // Nothing else looks at it before it is where it is to lie: so its parts are written there.
        let message = self.shell.messages.insert(Message {
            number: app.sent,
            wanted_at: sending.wanted_at,
            sent_at: self.shell.now,
            ..sending.template
        });
        if sending.varies {
            self.vary(producer, message);
        }
        message
    }

    #[inline(never)]
    fn vary(&mut self, producer: ProducerIndex, message: MessageRef) {
        let spec = &self.scenario.producers[producer as usize];
        let message = &mut self.shell.messages[message];
        if let Some(groups) = spec.groups {
            message.group = ((message.number - 1) % u64::from(groups)) as u32 + 1;
        }
        if let Some(time_to_live) = spec.time_to_live {
            rule!("time-to-live");
            message.expiration = message.sent_at.as_millis() + time_to_live;
        }
    }

    /// `ActiveMQMessageProducer.send`: an asynchronous send waits for room in the producer window first.
    #[inline(always)]
    fn try_to_send(&mut self, producer: ProducerIndex, message: MessageRef, called_at: Time) {
        let sending = &mut self.sending[producer as usize];
        if !sending.is_sync && sending.window > 0 {
            // Usage in whole percent, rounded down, must be below 100.
            if sending.in_window * 100 / sending.window >= 100 {
                rule!("producer-window");
                sending.task = Task::Blocked(message, called_at);
                return;
            }
            sending.in_window += self.shell.messages[message].memory_size();
        }
        self.transmit(producer, message, called_at);
    }

    #[inline(always)]
    fn transmit(&mut self, producer: ProducerIndex, message: MessageRef, called_at: Time) {
        let sending = &self.sending[producer as usize];
        let (connection, sync) = (sending.connection, sending.is_sync);
        let may_lose_reply = sync && sending.may_lose_replies;
        rule!("sync-sends", sync);
        let transaction = if sending.is_transacted {
            self.send_in_transaction(producer, message)
        } else {
            None
        };
        let lose_reply = may_lose_reply && self.loses_reply(producer, message);
        if sync {
            // For a resend: the sender holds it until the answer is there.
            self.shell.messages.retain(message);
        }
        if transaction.is_none() && !lose_reply {
            self.shell.send_message(connection, message, sync);
        } else {
            let command = ToBroker::Message {
                message,
                transaction,
                sync,
                lose_reply,
            };
            self.shell.send_up(connection, command);
        }
        if !sync {
            return self.send_returns(producer, called_at, false);
        }
        self.waits_for_answer(producer, message, called_at);
    }

    fn loses_reply(&mut self, producer: ProducerIndex, message: MessageRef) -> bool {
        let number = self.shell.messages[message].number;
        self.producers[producer as usize].loses_reply(number)
    }

    /// The open transaction, or one that begins now.
    fn send_in_transaction(
        &mut self,
        producer: ProducerIndex,
        message: MessageRef,
    ) -> Option<TransactionId> {
        let sending = &mut self.sending[producer as usize];
        if sending.transaction.is_none() {
            sending.transactions += 1;
            let owner = TransactionOwner::Producer(producer);
            let id = TransactionId {
                owner,
                number: sending.transactions,
            };
            sending.transaction = Some(id);
            self.shell.send_up(sending.connection, ToBroker::Begin(id));
        }
        if !self.scenario.broker.restarts.is_empty() {
            self.shell.messages.retain(message);
            sending.in_transaction.push((message, false));
        }
        sending.transaction
    }

    fn waits_for_answer(&mut self, producer: ProducerIndex, message: MessageRef, called_at: Time) {
        let sending = &mut self.sending[producer as usize];
        sending.task = Task::Sending(message, called_at);
        sending.has_arrived = false;
    }

    /// A send reaches the broker. If its answer is to be lost, the sender notices when that should have come.
    pub(super) fn send_arrives(
        &mut self,
        connection: ConnectionIndex,
        message: MessageRef,
        lose_reply: bool,
    ) {
        let Some(producer) = self.producer_of(connection) else {
            return;
        };
        let sending = &mut self.sending[producer as usize];
        sending.has_arrived = true;
        let mut in_transaction = sending.in_transaction.iter_mut().rev();
        if let Some((_, has_arrived)) = in_transaction.find(|(sent, _)| *sent == message) {
            *has_arrived = true;
        }
        if lose_reply {
            let notices = self.shell.now + self.shell.latency_down(connection);
            self.shell.at(notices, Event::ReplyLost(producer));
        }
    }

    /// The broker answered a send, or the end of a transaction.
    #[inline(never)]
    pub(super) fn producer_answered(&mut self, producer: ProducerIndex, failed: bool) {
        if let Task::Sending(message, called_at) = self.sending[producer as usize].task {
            self.shell.release_message(message);
            return self.send_returns(producer, called_at, failed);
        }
        self.producer_answered_otherwise(producer, failed);
    }

    #[inline(never)]
    fn producer_answered_otherwise(&mut self, producer: ProducerIndex, failed: bool) {
        match self.sending[producer as usize].task {
            Task::Ending(transaction, committed) => {
                self.forget_transaction(producer);
                self.shell.emit(Fact::ProducerTransaction {
                    transaction,
                    committed: committed && !failed,
                });
                self.schedule_arrival(producer);
            }
            Task::Sending(..) | Task::Waiting | Task::Blocked(..) => {}
            Task::Reconnecting(..) | Task::Done => {}
        }
    }

    /// `send` returned: perhaps the transaction ends, then comes the next message.
    #[inline(always)]
    fn send_returns(&mut self, producer: ProducerIndex, called_at: Time, failed: bool) {
        let sending = &mut self.sending[producer as usize];
        let lost = std::mem::take(&mut sending.lost_reply);
        let is_transacted = sending.is_transacted;
        self.shell.emit(Fact::SendReturned {
            producer,
            called_at,
            failed: failed || lost,
        });
        if !is_transacted || !self.transaction_ends(producer) {
            self.schedule_arrival(producer);
        }
    }

    /// Whether a commit or rollback comes before the next message.
    #[inline(never)]
    fn transaction_ends(&mut self, producer: ProducerIndex) -> bool {
        let Some(committed) = self.producers[producer as usize].ends_transaction() else {
            return false;
        };
        let sending = &mut self.sending[producer as usize];
        let Some(transaction) = sending.transaction.take() else {
            return false;
        };
        sending.task = Task::Ending(transaction, committed);
        let reply_to = Caller::Producer(producer);
        let command = if committed {
            ToBroker::Commit {
                transaction,
                reply_to,
            }
        } else {
            ToBroker::Rollback {
                transaction,
                reply_to,
            }
        };
        self.shell.send_up(sending.connection, command);
        true
    }

    /// ProducerAck: room in the producer window.
    pub(super) fn window_opens(&mut self, producer: ProducerIndex, size: u32) {
        let sending = &mut self.sending[producer as usize];
        sending.in_window = sending.in_window.saturating_sub(u64::from(size));
        if let Task::Blocked(message, called_at) = sending.task {
            self.try_to_send(producer, message, called_at);
        }
    }

    /// The answer to a send got lost and the connection with it: the application's or the transport's way on.
    pub(super) fn reply_lost(&mut self, producer: ProducerIndex) {
        let Task::Sending(message, called_at) = self.sending[producer as usize].task else {
            return;
        };
        let spec = self.spec(producer);
        let delay: Span = spec.reconnect_delay;
        let sending = &mut self.sending[producer as usize];
        sending.task = Task::Reconnecting(message, called_at);
        sending.lost_reply = true;
        self.shell
            .at(self.shell.now + delay, Event::Reconnected(producer));
    }

    /// A producer whose answer got lost is connected again.
    pub(super) fn producer_reconnected(&mut self, producer: ProducerIndex) {
        let Task::Reconnecting(message, called_at) = self.sending[producer as usize].task else {
            return;
        };
        match self.spec(producer).on_send_failure {
            OnSendFailure::Resend => self.resend(producer, message, called_at),
            OnSendFailure::SendAsNew => {
                let copy = Message {
                    copy: true,
                    ..self.shell.messages[message].fresh_copy()
                };
                self.shell.release_message(message);
                let copy = self.shell.messages.insert(copy);
                self.shell.emit(Fact::Sending { message: copy });
                self.transmit_again(producer, copy, called_at);
            }
            OnSendFailure::GiveUp => {
                self.shell.release_message(message);
                self.send_returns(producer, called_at, true);
            }
        }
    }

    /// The transport lost its connection: what waits for an answer is sent again once there is a new one.
    pub(super) fn producer_lost_network(&mut self, producer: ProducerIndex) {
        self.sending[producer as usize].in_window = 0;
    }

    /// The transport has a connection again, and sends what it held back behind what it repeats: the open
    /// transaction with what was sent in it, and a send that was not answered.
    pub(super) fn producer_has_network(&mut self, producer: ProducerIndex, held: &[ToBroker]) {
        self.repeat_transaction(producer, held);
        let is_held = !held.is_empty();
        let repeats = self.sending[producer as usize].transaction.is_some();
        match self.sending[producer as usize].task {
            // What is sent in a transaction is repeated with it, and not once more.
            Task::Sending(message, called_at) if !is_held && !repeats => {
                self.resend(producer, message, called_at);
            }
            Task::Ending(transaction, _) if !is_held => {
                self.forget_transaction(producer);
                rule!("commit-in-doubt");
                // A commit in doubt is not repeated: the caller learns that it was rolled back.
                self.shell.emit(Fact::ProducerTransaction {
                    transaction,
                    committed: false,
                });
                self.schedule_arrival(producer);
            }
            Task::Blocked(message, called_at) => self.try_to_send(producer, message, called_at),
            _ => {}
        }
    }

    fn repeat_transaction(&mut self, producer: ProducerIndex, held: &[ToBroker]) {
        let sending = &self.sending[producer as usize];
        // A commit that was held back ends a transaction of which the broker may know nothing.
        let ending = match sending.task {
            Task::Ending(transaction, _) if !held.is_empty() => Some(transaction),
            _ => None,
        };
        let Some(transaction) = sending.transaction.or(ending) else {
            return;
        };
        if held.contains(&ToBroker::Begin(transaction)) {
            return;
        }
        rule!("failover-repeats-sends");
        let is_held = |message: &MessageRef| {
            held.iter().any(|command| {
                matches!(command, ToBroker::Message { message: held, .. } if held == message)
            })
        };
        let sent = sending.in_transaction.iter().map(|(message, _)| *message);
        let sent: Vec<MessageRef> = sent.filter(|message| !is_held(message)).collect();
        let awaited = match sending.task {
            Task::Sending(message, _) => Some(message),
            _ => None,
        };
        let connection = self.sending[producer as usize].connection;
        self.shell.send_up(connection, ToBroker::Begin(transaction));
        for message in sent {
            self.shell.messages.retain(message);
            let command = ToBroker::Message {
                message,
                transaction: Some(transaction),
                sync: awaited == Some(message),
                lose_reply: false,
            };
            self.shell.send_up(connection, command);
        }
    }

    /// The transaction has ended: nothing of it need be repeated. What the broker never saw was rolled back with it.
    fn forget_transaction(&mut self, producer: ProducerIndex) {
        let sent = std::mem::take(&mut self.sending[producer as usize].in_transaction);
        for (message, has_arrived) in sent {
            if !has_arrived {
                let repeated = false;
                self.shell.emit(Fact::NotEnqueued { message, repeated });
            }
            self.shell.release_message(message);
        }
    }

    /// The same message once more, under the same id. If the broker has seen the first, the repeat is an entry of its
    /// own.
    fn resend(&mut self, producer: ProducerIndex, message: MessageRef, called_at: Time) {
        if !self.sending[producer as usize].has_arrived {
            return self.transmit_again(producer, message, called_at);
        }
        let repeat = self.shell.messages[message].fresh_copy();
        self.shell.release_message(message);
        let repeat = self.shell.messages.insert(repeat);
        self.transmit_again(producer, repeat, called_at);
    }

    /// A sync send whose answer is not lost. The sender holds the message, and so does the wire.
    fn transmit_again(&mut self, producer: ProducerIndex, message: MessageRef, called_at: Time) {
        self.shell.messages.retain(message);
        let connection = self.sending[producer as usize].connection;
        let transaction = self.sending[producer as usize].transaction;
        let command = ToBroker::Message {
            message,
            transaction,
            sync: true,
            lose_reply: false,
        };
        self.shell.send_up(connection, command);
        self.waits_for_answer(producer, message, called_at);
    }
}
