//! A trace: everything that happened, one JSON object to a line, in order of time.
//!
//! ```json
//! {"t":12.3,"fact":"dispatched","consumer":"worker","message":"orders:17","redelivery":1}
//! {"t":12.3004,"fact":"ackArrived","consumer":"worker","type":"STANDARD","first":"orders:11","last":"orders:17","count":7}
//! ```
//!
//! `t` is virtual time in milliseconds, exact to the nanosecond, and `fact` the name of the fact
//! ([`Fact`], in camel case). The other keys depend on the fact:
//!
//! | key | means |
//! | --- | --- |
//! | `message` | `PRODUCER:NUMBER`; with `"dead":true` the copy in a dead-letter queue |
//! | `consumer`, `life` | the consumer by name; its life where that is not the first |
//! | `producer`, `destination`, `queue`, `connection`, `session` | by name; destinations as `queue://orders` |
//! | `redelivery` | the redelivery counter on a dispatch |
//! | `count` | of a delivery: JMSXDeliveryCount; of an ack: what it says it counts |
//! | `copies` | how many subscriptions get a message |
//! | `type`, `first`, `last`, `transaction` | of an ack, as in `metrics.json`; `first` is null where it names none |
//! | `transaction`, `command`, `committed` | number of the transaction, what is done about it, how it ended |
//! | `outcome` | of a processing: `done`, `failed`, `skipped`, `interrupted` |
//! | `since`, `until`, `calledAt` | times in milliseconds |
//! | `cause`, `removal` | why: `poison`, `expired`, `evicted`; `close`, `lost` |
//! | `timeout` | of a pull, in milliseconds; 0 waits, -1 does not |
//! | `length` | of a hang in milliseconds; null: for ever |
//! | `full`, `slow`, `up`, `failed`, `repeated`, `replayed`, `aborted`, `marks` | as the fact says |
//!
//! Lines go out as they come, so a trace of any length needs no memory. What goes wrong with
//! writing is told once, at the end.

mod text;

use std::io::{self, Write};

use text::{Piece, Text};

use crate::facts::{DeathCause, Fact, Observer, Outcome, Removal, TransactionCommand};
use crate::kernel::Time;
use crate::scenario::Scenario;
use crate::wire::{
    ConsumerId, ConsumerIndex, Message, MessageAck, MessageRef, Messages, ProducerIndex,
    TransactionId, TransactionOwner,
};

/// So many bytes are collected before they are written.
const CHUNK: usize = 1 << 18;

/// Where a trace goes, a chunk at a time.
pub trait Chunks {
    /// Takes a chunk. Gives memory for another one, with whatever is in it.
    ///
    /// # Errors
    /// If this chunk, or an earlier one, can't be written.
    fn take(&mut self, chunk: Vec<u8>) -> io::Result<Vec<u8>>;

    /// Everything was handed over.
    ///
    /// # Errors
    /// If something of it can't be written.
    fn end(&mut self) -> io::Result<()>;
}

impl<W: Write> Chunks for W {
    fn take(&mut self, chunk: Vec<u8>) -> io::Result<Vec<u8>> {
        self.write_all(&chunk)?;
        Ok(chunk)
    }

    fn end(&mut self) -> io::Result<()> {
        self.flush()
    }
}

/// Writes a trace to `W`.
pub struct Trace<W> {
    out: W,
    line: Line,
    failure: Option<io::Error>,
}

impl<W: Chunks> Trace<W> {
    /// Nothing is written yet.
    pub fn new(scenario: &Scenario, out: W) -> Trace<W> {
        Trace {
            out,
            line: Line::new(scenario),
            failure: None,
        }
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// The first that came up in writing: nothing was written after it.
    pub fn finish(mut self) -> io::Result<()> {
        if self.failure.is_none() {
            self.write_out();
        }
        match self.failure {
            Some(failure) => Err(failure),
            None => self.out.end(),
        }
    }

    #[inline(never)]
    fn write_out(&mut self) {
        match self.out.take(self.line.take()) {
            Ok(memory) => self.line.go_on(memory),
            Err(failure) => self.failure = Some(failure),
        }
    }
}

impl<W: Chunks> Observer for Trace<W> {
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        if self.failure.is_some() {
            return;
        }
        self.line.fact(now, fact, messages);
        if self.line.text.len() >= CHUNK {
            self.write_out();
        }
    }
}

/// Puts lines together, of pieces that are made once: there are eleven lines for each message that goes the plain way.
struct Line {
    text: Text,
    /// Room for a chunk and the line that makes it full.
    room: usize,
    /// Where a line begins that says the present instant, and how long that is: `{"t":12.3,"fact":"`. About half of the
    /// lines say the time of the line before.
    begin: (usize, usize),
    /// None if the next line has to say it anew.
    instant: Option<Time>,
    /// Whole milliseconds as they are written, by their last digits: most are those of other times close by.
    millis: Vec<(u64, Piece)>,
    /// By place in the arena: which message was named last, and how: `"orders:17"`.
    names: Vec<(Option<MessageRef>, Piece)>,
    /// By producer, what names of its messages begin with: `"orders:`.
    messages: Vec<Piece>,
    /// By consumer: what comes first in lines of its first life, for each of [`Often`].
    often: Vec<[Piece; Often::COUNT]>,
    /// `,"consumer":"worker"`
    consumers: Vec<Piece>,
    /// `,"producer":"orders"`
    producers: Vec<Piece>,
    /// `,"session":"worker"`
    sessions: Vec<Piece>,
    /// `,"connection":"worker"`
    connections: Vec<Piece>,
    /// Names as JSON strings.
    destinations: Vec<Piece>,
}

/// What is told of consumers for nearly every message.
#[derive(Clone, Copy)]
enum Often {
    Dispatched,
    Received,
    Delivered,
    Processed,
    AckSent,
    AckArrived,
    Acknowledged,
}

impl Often {
    const COUNT: usize = 7;
    const NAMES: [&str; Often::COUNT] = [
        "dispatched",
        "received",
        "delivered",
        "processed",
        "ackSent",
        "ackArrived",
        "acknowledged",
    ];
}

/// So many whole milliseconds are kept as text.
const MILLIS: u64 = 64;
/// What a line has beside names: keys, words and numbers.
const OWN: usize = 1000;

/// A key with what stands around it, as one text: each that is written has a check of its own.
macro_rules! key {
    ($key:literal) => {
        concat!(",\"", $key, "\":")
    };
}

impl Line {
    fn new(scenario: &Scenario) -> Line {
        let producers = || scenario.producers.iter().map(|producer| &producer.name);
        let consumers = || scenario.consumers.iter().map(|consumer| &consumer.name);
        let sessions = scenario.sessions.iter().map(|session| &session.name);
        let connections = scenario.connections.iter();
        let connections = connections.map(|connection| &connection.name);
        let destinations = scenario.destinations.iter();
        let named = |key: &str, name: &String| format!(",\"{key}\":{}", quoted(name));
        let consumer = |name: &String| named("consumer", name);
        let mut line = Line {
            text: Text::new(Vec::new(), 0),
            room: 0,
            begin: (0, 0),
            instant: None,
            millis: (0..MILLIS).map(|millis| (millis, number(millis))).collect(),
            names: Vec::new(),
            messages: producers()
                .map(|name| piece(format!("\"{}:", escaped(name))))
                .collect(),
            often: consumers()
                .map(|name| Often::NAMES.map(|fact| piece(format!("{fact}\"{}", consumer(name)))))
                .collect(),
            consumers: consumers().map(|name| piece(consumer(name))).collect(),
            producers: producers()
                .map(|name| piece(named("producer", name)))
                .collect(),
            sessions: sessions.map(|name| piece(named("session", name))).collect(),
            connections: connections
                .chain(producers())
                .map(|name| piece(named("connection", name)))
                .collect(),
            destinations: destinations
                .map(|destination| piece(quoted(&destination.uri())))
                .collect(),
        };
        line.room = CHUNK + line.longest();
        line.go_on(Vec::new());
        line
    }

    /// No line has more bytes: it names at most one of each, and two messages.
    fn longest(&self) -> usize {
        let longest = |pieces: &[Piece]| pieces.iter().map(Piece::len).max().unwrap_or(0);
        let others = [
            &self.consumers,
            &self.producers,
            &self.sessions,
            &self.connections,
            &self.destinations,
        ];
        let names = others.map(|pieces| longest(pieces)).iter().sum::<usize>();
        OWN + names + 2 * longest(&self.messages)
    }

    /// What was written so far.
    fn take(&mut self) -> Vec<u8> {
        std::mem::replace(&mut self.text, Text::new(Vec::new(), 0)).into_bytes()
    }

    /// Begins another chunk.
    fn go_on(&mut self, memory: Vec<u8>) {
        self.text = Text::new(memory, self.room);
        self.instant = None;
    }

    #[inline(never)]
    fn begin_with(&mut self, now: Time) {
        let start = self.text.len();
        self.push("{\"t\":").millis(now.0).push(",\"fact\":\"");
        self.begin = (start, self.text.len() - start);
        self.instant = Some(now);
    }

    fn fact(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        if self.instant == Some(now) {
            let (start, len) = self.begin;
            self.text.repeat(start, len);
        } else {
            self.begin_with(now);
        }
        match *fact {
            Fact::Sending { message } => self.is("sending").message(message, messages),
            Fact::SendReturned {
                producer,
                called_at,
                failed,
            } => {
                self.is("sendReturned")
                    .producer(producer)
                    .time(key!("calledAt"), called_at);
                self.flag(key!("failed"), failed)
            }
            Fact::ProducerTransaction {
                transaction,
                committed,
            } => {
                self.is("producerTransaction").transaction(transaction);
                self.flag(key!("committed"), committed)
            }
            Fact::Enqueued {
                message,
                destination,
                copies,
            } => {
                self.is("enqueued")
                    .message(message, messages)
                    .destination(key!("destination"), destination);
                self.number(key!("copies"), copies.into())
            }
            Fact::NotEnqueued { message, repeated } => self
                .is("notEnqueued")
                .message(message, messages)
                .flag(key!("repeated"), repeated),
            Fact::Dispatched {
                consumer,
                message,
                redelivery_counter,
            } => {
                self.often(Often::Dispatched, consumer)
                    .message(message, messages);
                self.number(key!("redelivery"), redelivery_counter.into())
            }
            Fact::Returned { consumer, message } => self
                .is("returned")
                .consumer(consumer)
                .message(message, messages),
            Fact::Acknowledged { consumer, message } => self
                .often(Often::Acknowledged, consumer)
                .message(message, messages),
            Fact::DeadLettered {
                consumer,
                message,
                cause,
                queue,
            } => {
                self.is("deadLettered")
                    .consumer_if_any(consumer)
                    .message(message, messages);
                self.cause(cause).destination(key!("queue"), queue)
            }
            Fact::Expired { consumer, message } => self
                .is("expired")
                .consumer_if_any(consumer)
                .message(message, messages),
            Fact::Discarded {
                consumer,
                message,
                cause,
            } => self
                .is("discarded")
                .consumer(consumer)
                .message(message, messages)
                .cause(cause),
            Fact::Gone { consumer, message } => self
                .is("gone")
                .consumer_if_any(consumer)
                .message(message, messages),
            Fact::Rescheduled {
                consumer,
                message,
                until,
            } => {
                self.is("rescheduled")
                    .consumer(consumer)
                    .message(message, messages);
                self.time(key!("until"), until)
            }
            Fact::Released { message } => self.is("released").message(message, messages),
            Fact::Subscribed { consumer, replayed } => self
                .is("subscribed")
                .consumer(consumer)
                .flag(key!("replayed"), replayed),
            Fact::Unsubscribed { consumer, removal } => self
                .is("unsubscribed")
                .consumer(consumer)
                .word(key!("removal"), removal_name(removal)),
            Fact::AckArrived { ref ack } => self
                .often(Often::AckArrived, ack.consumer)
                .ack(ack, messages),
            Fact::AckRejected { ref ack } => self
                .is("ackRejected")
                .consumer(ack.consumer)
                .ack(ack, messages),
            Fact::PullArrived { consumer, timeout } => self
                .is("pullArrived")
                .consumer(consumer)
                .number(key!("timeout"), timeout),
            Fact::TransactionArrived {
                transaction,
                command,
            } => {
                self.is("transactionArrived").transaction(transaction);
                self.word(key!("command"), command_name(command))
            }
            Fact::WindowFull { consumer, full } => self
                .is("windowFull")
                .consumer(consumer)
                .flag(key!("full"), full),
            Fact::Slow { consumer, slow } => {
                self.is("slow").consumer(consumer).flag(key!("slow"), slow)
            }
            Fact::SlowChecked {
                consumer,
                marks,
                aborted,
            } => {
                self.is("slowChecked")
                    .consumer(consumer)
                    .number(key!("marks"), marks.into());
                self.flag(key!("aborted"), aborted)
            }
            Fact::BrokerUp { up } => self.is("brokerUp").flag(key!("up"), up),
            Fact::Received { consumer, message } => self
                .often(Often::Received, consumer)
                .message(message, messages),
            Fact::Dropped { consumer, message } => self
                .is("dropped")
                .consumer(consumer)
                .message(message, messages),
            Fact::AckSent { ref ack } => {
                self.often(Often::AckSent, ack.consumer).ack(ack, messages)
            }
            Fact::RedeliveryScheduled {
                consumer,
                message,
                until,
            } => {
                self.is("redeliveryScheduled")
                    .consumer(consumer)
                    .message(message, messages);
                self.time(key!("until"), until)
            }
            Fact::Delivered {
                consumer,
                message,
                count,
            } => {
                self.often(Often::Delivered, consumer)
                    .message(message, messages);
                self.number(key!("count"), count.into())
            }
            Fact::Processed {
                consumer,
                message,
                outcome,
                since,
            } => {
                self.often(Often::Processed, consumer)
                    .message(message, messages);
                self.word(key!("outcome"), outcome_name(outcome))
                    .time(key!("since"), since)
            }
            Fact::Subscribing { consumer } => self.is("subscribing").consumer(consumer),
            Fact::Started { consumer } => self.is("started").consumer(consumer),
            Fact::Closed { consumer } => self.is("closed").consumer(consumer),
            Fact::Crashed { consumer } => self.is("crashed").consumer(consumer),
            Fact::Hangs { consumer, length } => {
                self.is("hangs").consumer(consumer).push(key!("length"));
                match length {
                    Some(length) => self.millis(length.0),
                    None => self.push("null"),
                }
            }
            Fact::Network { connection, up } => self
                .is("network")
                .connection(connection.index as usize)
                .flag(key!("up"), up),
            Fact::CommitFailed { consumer } => self.is("commitFailed").consumer_named(consumer),
        };
        self.push("}\n");
    }

    // ── keys ──

    #[inline(always)]
    fn is(&mut self, fact: &str) -> &mut Line {
        self.push(fact).push("\"")
    }

    #[inline(always)]
    fn often(&mut self, fact: Often, consumer: ConsumerId) -> &mut Line {
        if consumer.life != 1 {
            return self.is(Often::NAMES[fact as usize]).consumer(consumer);
        }
        let often = &self.often[consumer.index as usize];
        self.text.append(&often[fact as usize]);
        self
    }

    #[inline(always)]
    fn word(&mut self, key: &str, word: &str) -> &mut Line {
        self.push(key).push("\"").push(word).push("\"")
    }

    #[inline(always)]
    fn number(&mut self, key: &str, number: i64) -> &mut Line {
        self.push(key).push_number(number)
    }

    fn flag(&mut self, key: &str, flag: bool) -> &mut Line {
        self.push(key).push(if flag { "true" } else { "false" })
    }

    fn time(&mut self, key: &str, time: Time) -> &mut Line {
        self.push(key).millis(time.0)
    }

    #[inline(always)]
    fn message(&mut self, message: MessageRef, messages: &Messages) -> &mut Line {
        self.push(key!("message")).named(message, messages);
        if messages[message].dead_letter {
            self.flag(key!("dead"), true);
        }
        self
    }

    #[inline(always)]
    fn named(&mut self, message: MessageRef, messages: &Messages) -> &mut Line {
        match self.names.get(message.slot()) {
            Some((named, name)) if *named == Some(message) => self.text.append(name),
            _ => self.named_first(message, &messages[message]),
        }
        self
    }

    #[inline(never)]
    fn named_first(&mut self, named: MessageRef, message: &Message) {
        let start = self.text.len();
        self.text.append(&self.messages[message.producer as usize]);
        self.text.push(itoa::Buffer::new().format(message.number));
        self.text.push("\"");
        let slot = named.slot();
        if slot >= self.names.len() {
            let nobody = || (None, Piece::new(b""));
            self.names.resize_with(slot + 1, nobody);
        }
        self.names[slot] = (Some(named), Piece::new(self.text.since(start)));
    }

    fn consumer(&mut self, consumer: ConsumerId) -> &mut Line {
        self.consumer_named(consumer.index);
        match consumer.life {
            1 => self,
            life => self.number(key!("life"), life.into()),
        }
    }

    fn consumer_if_any(&mut self, consumer: Option<ConsumerId>) -> &mut Line {
        match consumer {
            Some(consumer) => self.consumer(consumer),
            None => self,
        }
    }

    #[inline]
    fn consumer_named(&mut self, consumer: ConsumerIndex) -> &mut Line {
        self.text.append(&self.consumers[consumer as usize]);
        self
    }

    fn producer(&mut self, producer: ProducerIndex) -> &mut Line {
        self.text.append(&self.producers[producer as usize]);
        self
    }

    fn destination(&mut self, key: &str, destination: u32) -> &mut Line {
        self.push(key);
        self.text.append(&self.destinations[destination as usize]);
        self
    }

    fn connection(&mut self, connection: usize) -> &mut Line {
        self.text.append(&self.connections[connection]);
        self
    }

    fn ack(&mut self, ack: &MessageAck, messages: &Messages) -> &mut Line {
        self.word(key!("type"), ack.ack_type.name())
            .push(key!("first"));
        match ack.first {
            Some(first) => self.named(first, messages),
            None => self.push("null"),
        };
        self.push(key!("last"))
            .named(ack.last, messages)
            .number(key!("count"), ack.count.into());
        match ack.transaction {
            Some(transaction) => self.number(key!("transaction"), transaction.number.into()),
            None => self,
        }
    }

    fn transaction(&mut self, transaction: TransactionId) -> &mut Line {
        match transaction.owner {
            TransactionOwner::Session(session) => {
                self.text.append(&self.sessions[session as usize]);
            }
            TransactionOwner::Producer(producer) => {
                self.producer(producer);
            }
        }
        self.number(key!("transaction"), transaction.number.into())
    }

    fn cause(&mut self, cause: DeathCause) -> &mut Line {
        self.word(key!("cause"), cause_name(cause))
    }

    // ── text ──

    #[inline(always)]
    fn push(&mut self, text: &str) -> &mut Line {
        self.text.push(text);
        self
    }

    fn push_number(&mut self, number: i64) -> &mut Line {
        // Most are a counter that stands at 0 or 1.
        match number {
            0 => self.push("0"),
            1 => self.push("1"),
            _ => self.push(itoa::Buffer::new().format(number)),
        }
    }

    /// Nanoseconds as milliseconds, with as many of six decimals as it takes.
    fn millis(&mut self, nanos: u64) -> &mut Line {
        let (millis, fraction) = (nanos / 1_000_000, nanos % 1_000_000);
        let (known, whole) = &mut self.millis[(millis % MILLIS) as usize];
        if *known != millis {
            (*known, *whole) = (millis, number(millis));
        }
        self.text.append(whole);
        if fraction > 0 {
            let (decimals, len) = decimals(fraction as u32);
            self.text.push_part(decimals, len);
        }
        self
    }
}

/// `.000017`, and its length without zeros at the end. Put together in a register: a copy of digits that were just
/// written, one after the other, would have to wait for them.
#[inline(always)]
fn decimals(fraction: u32) -> ([u8; 8], usize) {
    let (mut digits, mut rest) = (0, fraction);
    for place in (0..6).rev() {
        digits |= u64::from(rest % 10) << (8 * place);
        rest /= 10;
    }
    let count = 8 - digits.leading_zeros() as usize / 8;
    let text = (digits | 0x3030_3030_3030) << 8 | u64::from(b'.');
    (text.to_le_bytes(), 1 + count)
}

fn piece(text: String) -> Piece {
    Piece::new(text.as_bytes())
}

fn number(number: u64) -> Piece {
    Piece::new(itoa::Buffer::new().format(number).as_bytes())
}

fn quoted(name: &str) -> String {
    serde_json::to_string(name).expect("a string is plain data")
}

fn escaped(name: &str) -> String {
    let quoted = quoted(name);
    quoted[1..quoted.len() - 1].to_owned()
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Failed => "failed",
        Outcome::Skipped => "skipped",
        Outcome::Interrupted => "interrupted",
    }
}

fn removal_name(removal: Removal) -> &'static str {
    match removal {
        Removal::Close => "close",
        Removal::Lost => "lost",
    }
}

fn cause_name(cause: DeathCause) -> &'static str {
    match cause {
        DeathCause::Poison => "poison",
        DeathCause::Expired => "expired",
        DeathCause::Evicted => "evicted",
    }
}

fn command_name(command: TransactionCommand) -> &'static str {
    match command {
        TransactionCommand::Begin => "begin",
        TransactionCommand::Commit => "commit",
        TransactionCommand::Rollback => "rollback",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Span;
    use crate::story::{Plan, Story, first_life, plan, transaction};
    use crate::wire::{AckType, ConnectionId};

    const SECOND: ConsumerId = ConsumerId { index: 0, life: 2 };

    fn scenario() -> Scenario {
        plan()
            .queue("orders")
            .queue("DLQ")
            .producer("orders", 0)
            .consumer("worker", 0)
    }

    fn traced(tell: impl FnOnce(&mut Story<Trace<&mut Vec<u8>>>)) -> Vec<String> {
        let scenario = scenario();
        let mut out = Vec::new();
        let mut story = Story::new(&scenario, Trace::new(&scenario, &mut out));
        tell(&mut story);
        story.observer.finish().unwrap();
        String::from_utf8(out)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_line_says_when_what_and_who() {
        let lines = traced(|story| {
            story.at(12.3);
            let message = story.queue(0);
            story.at(12.300001).dispatch(SECOND, message);
            story.at(1000.0).deliver_again(first_life(0), message, 3);
            story.at(1010.5).done(first_life(0), message);
        });
        assert_eq!(
            lines,
            [
                r#"{"t":12.3,"fact":"sending","message":"orders:1"}"#,
                r#"{"t":12.3,"fact":"enqueued","message":"orders:1","destination":"queue://orders","copies":1}"#,
                r#"{"t":12.300001,"fact":"dispatched","consumer":"worker","life":2,"message":"orders:1","redelivery":0}"#,
                r#"{"t":1000,"fact":"delivered","consumer":"worker","message":"orders:1","count":3}"#,
                r#"{"t":1010.5,"fact":"processed","consumer":"worker","message":"orders:1","outcome":"done","since":1000}"#,
            ]
        );
    }

    #[test]
    fn acks_say_what_they_cover() {
        let lines = traced(|story| {
            let [first, last] = std::array::from_fn(|_| story.send(0));
            let ack = Story::<()>::ack_of(first_life(0), AckType::Standard, first, last, 2);
            story.fact(Fact::AckArrived { ack });
            let ack = MessageAck {
                first: None,
                transaction: Some(transaction(0, 4)),
                ..ack
            };
            story.fact(Fact::AckSent { ack });
        });
        assert_eq!(
            lines[2..],
            [
                r#"{"t":0,"fact":"ackArrived","consumer":"worker","type":"STANDARD","first":"orders:1","last":"orders:2","count":2}"#,
                r#"{"t":0,"fact":"ackSent","consumer":"worker","type":"STANDARD","first":null,"last":"orders:2","count":2,"transaction":4}"#,
            ]
        );
    }

    #[test]
    fn what_is_not_there_is_left_out_or_null() {
        let lines = traced(|story| {
            let message = story.send(0);
            story.fact(Fact::Expired {
                consumer: None,
                message,
            });
            story.fact(Fact::Hangs {
                consumer: first_life(0),
                length: None,
            });
            story.fact(Fact::Hangs {
                consumer: first_life(0),
                length: Some(Span(1)),
            });
            story.fact(Fact::PullArrived {
                consumer: first_life(0),
                timeout: -1,
            });
            story.fact(Fact::Network {
                connection: ConnectionId { index: 1, life: 1 },
                up: false,
            });
        });
        assert_eq!(
            lines[1..],
            [
                r#"{"t":0,"fact":"expired","message":"orders:1"}"#,
                r#"{"t":0,"fact":"hangs","consumer":"worker","length":null}"#,
                r#"{"t":0,"fact":"hangs","consumer":"worker","length":0.000001}"#,
                r#"{"t":0,"fact":"pullArrived","consumer":"worker","timeout":-1}"#,
                r#"{"t":0,"fact":"network","connection":"orders","up":false}"#,
            ]
        );
    }

    #[test]
    fn dead_letters_can_be_told_from_their_originals() {
        let lines = traced(|story| {
            let message = story.send(0);
            story
                .poison(first_life(0), message, 1)
                .dead_letter(message, 1);
        });
        assert_eq!(
            lines[3..],
            [
                r#"{"t":0,"fact":"deadLettered","consumer":"worker","message":"orders:1","cause":"poison","queue":"queue://DLQ"}"#,
                r#"{"t":0,"fact":"enqueued","message":"orders:1","dead":true,"destination":"queue://DLQ","copies":1}"#,
            ]
        );
    }

    #[test]
    fn names_are_escaped() {
        let scenario = plan().queue("q").consumer("the \"worker\"\n", 0);
        let mut out = Vec::new();
        let mut trace = Trace::new(&scenario, &mut out);
        let consumer = first_life(0);
        trace.on(
            Time::ZERO,
            &Fact::Started { consumer },
            &Messages::default(),
        );
        trace.finish().unwrap();
        let line: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(line["consumer"], "the \"worker\"\n");
    }

    #[test]
    fn names_may_be_long() {
        let name = "x".repeat(5_000);
        let scenario = plan().queue(&name).producer(&name, 0).consumer(&name, 0);
        let mut out = Vec::new();
        let mut story = Story::new(&scenario, Trace::new(&scenario, &mut out));
        for _ in 0..100 {
            let message = story.queue(0);
            story.acknowledge(first_life(0), message);
        }
        story.observer.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.len() > 2 * CHUNK);
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let message = line.get("message").unwrap_or(&line["last"]);
            let message = message.as_str().unwrap();
            assert!(message.starts_with(&name) && message.contains(':'));
        }
    }

    #[test]
    fn a_long_trace_is_whole() {
        let lines = traced(|story| {
            for millis in 0..10_000 {
                story.at(f64::from(millis)).crash(first_life(0));
            }
        });
        assert_eq!(lines.len(), 10_000);
        assert_eq!(
            lines[9_999],
            r#"{"t":9999,"fact":"crashed","consumer":"worker"}"#
        );
    }

    /// A disk that is full after so many bytes.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self
                .0
                .checked_sub(bytes.len())
                .ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_failure_to_write_is_told_at_the_end() {
        let scenario = scenario();
        let mut story = Story::new(&scenario, Trace::new(&scenario, Full(CHUNK / 2)));
        for _ in 0..10_000 {
            story.crash(first_life(0));
        }
        let failure = story.observer.finish().unwrap_err();
        assert_eq!(failure.kind(), io::ErrorKind::StorageFull);
    }
}
