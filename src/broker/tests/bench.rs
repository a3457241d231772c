//! A broker on a bench: commands go in by hand, and what it says comes out as lines like those of a
//! recording.

use std::collections::BTreeMap;

use crate::broker::{Broker, BrokerTimer, Surroundings};
use crate::facts::{Fact, Removal};
use crate::kernel::{Span, Time};
use crate::scenario::Scenario;
use crate::wire::{
    AckType, Caller, ConnectionId, ConsumerId, Message, MessageAck, MessageRef, Messages, ToBroker,
    ToClient, TransactionId, TransactionOwner,
};

/// Consumers are numbered from 1, as messages are: `c1` is consumer 0 of the scenario. Producer `p`
/// has the connection behind those of the consumers.
pub struct Bench {
    pub broker: Broker,
    pub world: World,
    scenario: Scenario,
    lives: Vec<u32>,
    numbers: Vec<u64>,
    transactions: u32,
    /// What the next messages are like.
    pub template: Message,
}

/// Surroundings that write everything down.
pub struct World {
    pub now: Time,
    messages: Messages,
    pub timers: Vec<(Time, BrokerTimer)>,
    pub sent: Vec<(ConnectionId, ToClient)>,
    lines: Vec<String>,
    /// Where each message is that was sent, or dispatched to a consumer.
    places: BTreeMap<(u32, u64), MessageRef>,
    held: Vec<MessageRef>,
    pub last_delivered: i64,
}

impl Surroundings for World {
    fn now(&self) -> Time {
        self.now
    }
    fn messages(&self) -> &Messages {
        &self.messages
    }
    fn messages_mut(&mut self) -> &mut Messages {
        &mut self.messages
    }
    fn send(&mut self, connection: ConnectionId, command: ToClient) {
        if let ToClient::Dispatch {
            consumer, message, ..
        } = command
        {
            match message {
                Some(message) => {
                    self.held.push(message);
                    let number = self.messages[message].number;
                    self.places.insert((consumer.index + 1, number), message);
                }
                None => self.lines.push(format!("nothing c{}", consumer.index + 1)),
            }
        }
        self.sent.push((connection, command));
    }
    fn set_timer(&mut self, at: Time, timer: BrokerTimer) {
        self.timers.push((at, timer));
    }
    fn emit(&mut self, fact: Fact) {
        let line = self.line(&fact);
        self.lines.extend(line);
    }
    fn last_delivered(&self, _: ConsumerId) -> i64 {
        self.last_delivered
    }
}

impl World {
    fn name(&self, message: MessageRef) -> u64 {
        self.messages[message].number
    }

    fn line(&self, fact: &Fact) -> Option<String> {
        let c = |consumer: ConsumerId| format!("c{}", consumer.index + 1);
        let m = |message: MessageRef| format!("m{}", self.name(message));
        Some(match *fact {
            Fact::Dispatched {
                consumer,
                message,
                redelivery_counter: 0,
            } => {
                format!("dispatch {} {}", c(consumer), m(message))
            }
            Fact::Dispatched {
                consumer,
                message,
                redelivery_counter,
            } => {
                format!(
                    "dispatch {} {} redelivery={redelivery_counter}",
                    c(consumer),
                    m(message)
                )
            }
            Fact::Slow {
                consumer,
                slow: true,
            } => format!("slow {}", c(consumer)),
            Fact::Slow {
                consumer,
                slow: false,
            } => format!("not slow {}", c(consumer)),
            Fact::DeadLettered { message, .. } => format!("deadLetter {}", m(message)),
            Fact::Expired { message, .. } => format!("expired {}", m(message)),
            Fact::Discarded {
                consumer, message, ..
            } => {
                format!("discard {} {}", c(consumer), m(message))
            }
            Fact::Gone { message, .. } => format!("gone {}", m(message)),
            Fact::Rescheduled { message, .. } => format!("rescheduled {}", m(message)),
            Fact::NotEnqueued {
                message,
                repeated: true,
            } => format!("repeat {}", m(message)),
            Fact::NotEnqueued {
                message,
                repeated: false,
            } => format!("unsent {}", m(message)),
            Fact::AckRejected { ack } => format!("rejected {}", c(ack.consumer)),
            Fact::Unsubscribed {
                consumer,
                removal: Removal::Close,
            } => {
                format!("close {}", c(consumer))
            }
            Fact::Unsubscribed {
                consumer,
                removal: Removal::Lost,
            } => {
                format!("lost {}", c(consumer))
            }
            Fact::Acknowledged { consumer, message } => {
                format!("done {} {}", c(consumer), m(message))
            }
            Fact::WindowFull {
                consumer,
                full: true,
            } => format!("full {}", c(consumer)),
            _ => return None,
        })
    }
}

impl Bench {
    pub fn of(scenario: Scenario) -> Bench {
        let mut broker = Broker::new(&scenario);
        let mut world = World {
            now: Time::ZERO,
            messages: Messages::default(),
            timers: Vec::new(),
            sent: Vec::new(),
            lines: Vec::new(),
            places: BTreeMap::new(),
            held: Vec::new(),
            last_delivered: -1,
        };
        broker.start(&mut world);
        for index in 0..scenario.connection_count() {
            broker.connect(ConnectionId {
                index: index as u32,
                life: 1,
            });
        }
        Bench {
            broker,
            world,
            lives: vec![1; scenario.consumers.len()],
            numbers: vec![0; scenario.producers.len()],
            transactions: 0,
            template: message_template(),
            scenario,
        }
    }

    /// The same with all consumers subscribed.
    pub fn subscribed(scenario: Scenario) -> Bench {
        let mut bench = Bench::of(scenario);
        for consumer in 1..=bench.lives.len() {
            bench.subscribe(consumer);
        }
        bench
    }

    // ── time ──

    /// Time goes on; timers fire in their order.
    pub fn wait_until(&mut self, millis: u64) {
        let end = Time::ZERO + Span::from_millis(millis);
        loop {
            let due = self
                .world
                .timers
                .iter()
                .enumerate()
                .filter(|(_, timer)| timer.0 <= end);
            let Some((index, _)) = due.min_by_key(|(index, timer)| (timer.0, *index)) else {
                break;
            };
            let (at, timer) = self.world.timers.remove(index);
            self.world.now = at;
            self.broker.on_timer(timer, &mut self.world);
        }
        self.world.now = end;
    }

    // ── consumers ──

    pub fn id(&self, consumer: usize) -> ConsumerId {
        ConsumerId {
            index: consumer as u32 - 1,
            life: self.lives[consumer - 1],
        }
    }

    pub fn connection(&self, consumer: usize) -> ConnectionId {
        let index = self.scenario.consumers[consumer - 1].connection as u32;
        ConnectionId {
            index,
            life: self.lives[consumer - 1],
        }
    }

    pub fn command(&mut self, consumer: usize, command: ToBroker) {
        self.broker
            .handle(self.connection(consumer), &command, &mut self.world);
    }

    pub fn subscribe(&mut self, consumer: usize) {
        let prefetch = self.scenario.consumers[consumer - 1].prefetch_size;
        let consumer_id = self.id(consumer);
        self.broker.connect(self.connection(consumer));
        self.command(
            consumer,
            ToBroker::AddConsumer {
                consumer: consumer_id,
                prefetch,
                replayed: false,
            },
        );
    }

    /// A new life after a close or crash.
    pub fn subscribe_again(&mut self, consumer: usize) {
        self.lives[consumer - 1] += 1;
        self.subscribe(consumer);
    }

    /// A clean close; the message that was delivered last, if any.
    pub fn close(&mut self, consumer: usize, last_delivered: Option<u64>) {
        let last_delivered = last_delivered.map_or(-1, |number| {
            self.world.messages[self.place(consumer, number)].sequence as i64
        });
        let consumer_id = self.id(consumer);
        self.command(
            consumer,
            ToBroker::RemoveConsumer {
                consumer: consumer_id,
                last_delivered,
            },
        );
    }

    pub fn crash(&mut self, consumer: usize) {
        self.broker
            .connection_lost(self.connection(consumer), &mut self.world);
    }

    pub fn pull(&mut self, consumer: usize, timeout: i64) {
        let consumer_id = self.id(consumer);
        self.command(
            consumer,
            ToBroker::Pull {
                consumer: consumer_id,
                timeout,
            },
        );
    }

    // ── acks ──

    pub fn place(&self, consumer: usize, number: u64) -> MessageRef {
        let places = &self.world.places;
        let dispatched = places.get(&(consumer as u32, number));
        *dispatched
            .or_else(|| places.get(&(0, number)))
            .expect("the message was sent")
    }

    /// How many messages are in flight from one to another.
    fn count(&self, consumer: usize, first: u64, last: u64) -> i32 {
        let in_flight = self.in_flight(consumer);
        let position = |number| in_flight.iter().position(|&other| other == number);
        position(last)
            .zip(position(first))
            .map_or(1, |(end, start)| (end - start + 1) as i32)
    }

    pub fn ack(
        &mut self,
        consumer: usize,
        ack_type: AckType,
        range: (Option<u64>, u64),
        count: i32,
        transaction: Option<TransactionId>,
    ) {
        let ack = MessageAck {
            consumer: self.id(consumer),
            ack_type,
            first: range.0.map(|number| self.place(consumer, number)),
            last: self.place(consumer, range.1),
            count,
            transaction,
        };
        self.command(
            consumer,
            ToBroker::Ack {
                ack,
                reply_to: None,
                redeliver_after: 0,
            },
        );
    }

    pub fn standard(&mut self, consumer: usize, first: u64, last: u64) {
        let count = self.count(consumer, first, last);
        self.ack(
            consumer,
            AckType::Standard,
            (Some(first), last),
            count,
            None,
        );
    }

    pub fn delivered(&mut self, consumer: usize, last: u64, count: i32) {
        self.ack(
            consumer,
            AckType::Delivered,
            (Some(last), last),
            count,
            None,
        );
    }

    pub fn individual(&mut self, consumer: usize, message: u64) {
        self.ack(consumer, AckType::Individual, (None, message), 1, None);
    }

    pub fn poison(&mut self, consumer: usize, first: u64, last: u64) {
        let count = self.count(consumer, first, last);
        self.ack(consumer, AckType::Poison, (Some(first), last), count, None);
    }

    // ── transactions ──

    pub fn begin(&mut self, consumer: usize) -> TransactionId {
        self.transactions += 1;
        let session = self.scenario.consumers[consumer - 1].session as u32;
        let owner = TransactionOwner::Session(session);
        let transaction = TransactionId {
            owner,
            number: self.transactions,
        };
        self.command(consumer, ToBroker::Begin(transaction));
        transaction
    }

    pub fn standard_in(
        &mut self,
        transaction: TransactionId,
        consumer: usize,
        first: u64,
        last: u64,
    ) {
        let count = self.count(consumer, first, last);
        self.ack(
            consumer,
            AckType::Standard,
            (Some(first), last),
            count,
            Some(transaction),
        );
    }

    pub fn commit(&mut self, consumer: usize, transaction: TransactionId) {
        let reply_to = Caller::Session(0);
        self.command(
            consumer,
            ToBroker::Commit {
                transaction,
                reply_to,
            },
        );
    }

    pub fn roll_back(&mut self, consumer: usize, transaction: TransactionId) {
        let reply_to = Caller::Session(0);
        self.command(
            consumer,
            ToBroker::Rollback {
                transaction,
                reply_to,
            },
        );
    }

    // ── producers ──

    fn producer_connection(&self, producer: usize) -> ConnectionId {
        let index = self.scenario.connection_of_producer(producer) as u32;
        ConnectionId { index, life: 1 }
    }

    /// The first producer sends so many like the template and waits for each answer.
    pub fn send(&mut self, count: u64) {
        for _ in 0..count {
            self.numbers[0] += 1;
            self.send_number(0, self.numbers[0], None, true);
        }
    }

    /// Some producer sends one.
    pub fn send_number(
        &mut self,
        producer: usize,
        number: u64,
        transaction: Option<TransactionId>,
        sync: bool,
    ) {
        let message = self.world.messages.insert(Message {
            producer: producer as u32,
            number,
            destination: self.scenario.producers[producer].destination as u32,
            ..self.template
        });
        self.world.messages.retain(message);
        self.world.held.push(message);
        self.world.places.insert((0, number), message);
        let connection = self.producer_connection(producer);
        let command = ToBroker::Message {
            message,
            transaction,
            sync,
            lose_reply: false,
        };
        self.broker.handle(connection, &command, &mut self.world);
    }

    /// A command on the producer's connection.
    pub fn producer_command(&mut self, producer: usize, command: ToBroker) {
        let connection = self.producer_connection(producer);
        self.broker.handle(connection, &command, &mut self.world);
    }

    pub fn producer_crash(&mut self, producer: usize) {
        let connection = self.producer_connection(producer);
        self.broker.connection_lost(connection, &mut self.world);
    }

    // ── what it says ──

    /// The lines since the last look that begin with one of these words.
    pub fn lines(&mut self, words: &[&str]) -> Vec<String> {
        let lines = std::mem::take(&mut self.world.lines);
        lines
            .into_iter()
            .filter(|line| words.iter().any(|word| line.starts_with(word)))
            .collect()
    }

    /// All dispatches since the last look, as `c1 m1`, and `c1 m1+2` with redelivery counter 2.
    pub fn dispatches(&mut self) -> String {
        let lines = self.lines(&["dispatch"]);
        let short = lines
            .iter()
            .map(|line| line.replace("dispatch ", "").replace(" redelivery=", "+"));
        short.collect::<Vec<_>>().join(", ")
    }

    /// How many times a producer was answered since the last look.
    pub fn answers(&mut self) -> Vec<ToClient> {
        let sent = std::mem::take(&mut self.world.sent);
        let answers = sent.into_iter().map(|(_, command)| command);
        answers
            .filter(|command| !matches!(command, ToClient::Dispatch { .. }))
            .collect()
    }

    pub fn in_flight(&self, consumer: usize) -> Vec<u64> {
        let in_flight = self
            .broker
            .in_flight(self.id(consumer))
            .expect("subscribed");
        in_flight
            .iter()
            .map(|&message| self.world.name(message))
            .collect()
    }

    pub fn extension(&self, consumer: usize) -> u32 {
        self.broker
            .prefetch_extension(self.id(consumer))
            .expect("subscribed")
    }

    pub fn remaining(&self, destination: u32) -> Vec<u64> {
        let remaining = self.broker.remaining(destination, &self.world.messages);
        remaining
            .iter()
            .map(|&message| self.world.name(message))
            .collect()
    }

    /// How many messages the broker holds, the wires and the test not counted.
    pub fn held_by_broker(&mut self) -> usize {
        for message in std::mem::take(&mut self.world.held) {
            self.world.messages.release(message);
        }
        self.world.messages.len()
    }
}

fn message_template() -> Message {
    Message {
        producer: 0,
        number: 0,
        destination: 0,
        wanted_at: Time::ZERO,
        sent_at: Time::ZERO,
        expiration: 0,
        size: 1000,
        group: 0,
        priority: 4,
        persistent: true,
        dead_letter: false,
        rescheduled: false,
        copy: false,
        sequence: 0,
        redelivery_counter: 0,
        locked_by: None,
        acked: false,
        dropped: false,
    }
}
