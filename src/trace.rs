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

use std::io::{self, Write};

use crate::facts::{DeathCause, Fact, Observer, Outcome, Removal, TransactionCommand};
use crate::kernel::Time;
use crate::scenario::Scenario;
use crate::wire::{
    ConsumerId, ConsumerIndex, Message, MessageAck, MessageRef, Messages, ProducerIndex,
    TransactionId, TransactionOwner,
};

/// So many bytes are collected before they are written.
const CHUNK: usize = 1 << 18;

/// Writes a trace to `W`.
pub struct Trace<W> {
    out: W,
    line: Line,
    failure: Option<io::Error>,
}

impl<W: Write> Trace<W> {
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
        self.write_out();
        match self.failure {
            Some(failure) => Err(failure),
            None => self.out.flush(),
        }
    }

    fn write_out(&mut self) {
        if self.failure.is_none() {
            self.failure = self.out.write_all(&self.line.text).err();
        }
        self.line.text.clear();
    }
}

impl<W: Write> Observer for Trace<W> {
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        self.line.fact(now, fact, messages);
        if self.line.text.len() >= CHUNK {
            self.write_out();
        }
    }
}

/// Puts lines together, of pieces that are made once: there are eleven lines for each message that goes the plain way.
struct Line {
    text: Vec<u8>,
    /// How a line of the present instant begins: `{"t":12.3,"fact":"`. About half of the lines say the time of the
    /// line before.
    begin: Vec<u8>,
    instant: Time,
    /// What was named last: `,"message":"orders:17"`. About half of the names say it again.
    name: Vec<u8>,
    named: Option<MessageRef>,
    /// `,"message":"orders:`
    messages: Vec<String>,
    /// By consumer: what comes first in lines of its first life, for each of [`Often`].
    often: Vec<[String; Often::COUNT]>,
    /// `,"consumer":"worker"`
    consumers: Vec<String>,
    /// `,"producer":"orders"`
    producers: Vec<String>,
    /// `,"session":"worker"`
    sessions: Vec<String>,
    /// `,"connection":"worker"`
    connections: Vec<String>,
    /// Names as JSON strings.
    destinations: Vec<String>,
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

/// Where the name itself begins behind its key.
const NAME: usize = ",\"message\":".len();

impl Line {
    fn new(scenario: &Scenario) -> Line {
        let producers = || scenario.producers.iter().map(|producer| &producer.name);
        let consumers = || scenario.consumers.iter().map(|consumer| &consumer.name);
        let sessions = scenario.sessions.iter().map(|session| &session.name);
        let connections = scenario.connections.iter();
        let connections = connections.map(|connection| &connection.name);
        let destinations = scenario.destinations.iter();
        let consumer = |name: &String| format!(",\"consumer\":{}", quoted(name));
        let mut line = Line {
            text: Vec::with_capacity(CHUNK + 1024),
            begin: Vec::new(),
            instant: Time::ZERO,
            name: Vec::new(),
            named: None,
            messages: producers()
                .map(|name| format!(",\"message\":\"{}:", escaped(name)))
                .collect(),
            often: consumers()
                .map(|name| Often::NAMES.map(|fact| format!("{fact}\"{}", consumer(name))))
                .collect(),
            consumers: consumers().map(consumer).collect(),
            producers: producers()
                .map(|name| format!(",\"producer\":{}", quoted(name)))
                .collect(),
            sessions: sessions
                .map(|name| format!(",\"session\":{}", quoted(name)))
                .collect(),
            connections: connections
                .chain(producers())
                .map(|name| format!(",\"connection\":{}", quoted(name)))
                .collect(),
            destinations: destinations
                .map(|destination| quoted(&destination.uri()))
                .collect(),
        };
        line.begin_with(Time::ZERO);
        line
    }

    #[inline(never)]
    fn begin_with(&mut self, now: Time) {
        self.instant = now;
        self.begin.clear();
        self.begin.extend_from_slice(b"{\"t\":");
        push_millis(&mut self.begin, now.0);
        self.begin.extend_from_slice(b",\"fact\":\"");
    }

    fn fact(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        if now != self.instant {
            self.begin_with(now);
        }
        self.text.extend_from_slice(&self.begin);
        match *fact {
            Fact::Sending { message } => self.is("sending").message(message, messages),
            Fact::SendReturned {
                producer,
                called_at,
                failed,
            } => {
                self.is("sendReturned")
                    .producer(producer)
                    .time("calledAt", called_at);
                self.flag("failed", failed)
            }
            Fact::ProducerTransaction {
                transaction,
                committed,
            } => {
                self.is("producerTransaction").transaction(transaction);
                self.flag("committed", committed)
            }
            Fact::Enqueued {
                message,
                destination,
                copies,
            } => {
                self.is("enqueued")
                    .message(message, messages)
                    .destination("destination", destination);
                self.number("copies", copies.into())
            }
            Fact::NotEnqueued { message, repeated } => self
                .is("notEnqueued")
                .message(message, messages)
                .flag("repeated", repeated),
            Fact::Dispatched {
                consumer,
                message,
                redelivery_counter,
            } => {
                self.often(Often::Dispatched, consumer)
                    .message(message, messages);
                self.number("redelivery", redelivery_counter.into())
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
                self.cause(cause).destination("queue", queue)
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
                self.time("until", until)
            }
            Fact::Released { message } => self.is("released").message(message, messages),
            Fact::Subscribed { consumer, replayed } => self
                .is("subscribed")
                .consumer(consumer)
                .flag("replayed", replayed),
            Fact::Unsubscribed { consumer, removal } => self
                .is("unsubscribed")
                .consumer(consumer)
                .word("removal", removal_name(removal)),
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
                .number("timeout", timeout),
            Fact::TransactionArrived {
                transaction,
                command,
            } => {
                self.is("transactionArrived").transaction(transaction);
                self.word("command", command_name(command))
            }
            Fact::WindowFull { consumer, full } => {
                self.is("windowFull").consumer(consumer).flag("full", full)
            }
            Fact::Slow { consumer, slow } => self.is("slow").consumer(consumer).flag("slow", slow),
            Fact::SlowChecked {
                consumer,
                marks,
                aborted,
            } => {
                self.is("slowChecked")
                    .consumer(consumer)
                    .number("marks", marks.into());
                self.flag("aborted", aborted)
            }
            Fact::BrokerUp { up } => self.is("brokerUp").flag("up", up),
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
                self.time("until", until)
            }
            Fact::Delivered {
                consumer,
                message,
                count,
            } => {
                self.often(Often::Delivered, consumer)
                    .message(message, messages);
                self.number("count", count.into())
            }
            Fact::Processed {
                consumer,
                message,
                outcome,
                since,
            } => {
                self.often(Often::Processed, consumer)
                    .message(message, messages);
                self.word("outcome", outcome_name(outcome))
                    .time("since", since)
            }
            Fact::Subscribing { consumer } => self.is("subscribing").consumer(consumer),
            Fact::Started { consumer } => self.is("started").consumer(consumer),
            Fact::Closed { consumer } => self.is("closed").consumer(consumer),
            Fact::Crashed { consumer } => self.is("crashed").consumer(consumer),
            Fact::Hangs { consumer, length } => {
                self.is("hangs").consumer(consumer).key("length");
                match length {
                    Some(length) => self.millis(length.0),
                    None => self.push("null"),
                }
            }
            Fact::Network { connection, up } => self
                .is("network")
                .connection(connection.index as usize)
                .flag("up", up),
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
        append(
            &mut self.text,
            &self.often[consumer.index as usize][fact as usize],
        );
        self
    }

    #[inline(always)]
    fn key(&mut self, key: &str) -> &mut Line {
        self.push(",\"").push(key).push("\":")
    }

    #[inline(always)]
    fn word(&mut self, key: &str, word: &str) -> &mut Line {
        self.key(key).push("\"").push(word).push("\"")
    }

    #[inline(always)]
    fn number(&mut self, key: &str, number: i64) -> &mut Line {
        self.key(key).push_number(number)
    }

    fn flag(&mut self, key: &str, flag: bool) -> &mut Line {
        self.key(key).push(if flag { "true" } else { "false" })
    }

    fn time(&mut self, key: &str, time: Time) -> &mut Line {
        self.key(key).millis(time.0)
    }

    #[inline(always)]
    fn message(&mut self, message: MessageRef, messages: &Messages) -> &mut Line {
        self.name(message, messages);
        self.text.extend_from_slice(&self.name);
        if messages[message].dead_letter {
            self.flag("dead", true);
        }
        self
    }

    /// Puts the name of a message together, if it is not the last one's.
    #[inline(always)]
    fn name(&mut self, message: MessageRef, messages: &Messages) {
        if self.named != Some(message) {
            self.name_another(message, &messages[message]);
        }
    }

    #[inline(never)]
    fn name_another(&mut self, named: MessageRef, message: &Message) {
        let mut digits = itoa::Buffer::new();
        let number = digits.format(message.number);
        let producer = &self.messages[message.producer as usize];
        self.named = Some(named);
        self.name.clear();
        self.name.extend_from_slice(producer.as_bytes());
        self.name.extend_from_slice(number.as_bytes());
        self.name.push(b'"');
    }

    fn consumer(&mut self, consumer: ConsumerId) -> &mut Line {
        self.consumer_named(consumer.index);
        match consumer.life {
            1 => self,
            life => self.number("life", life.into()),
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
        append(&mut self.text, &self.consumers[consumer as usize]);
        self
    }

    fn producer(&mut self, producer: ProducerIndex) -> &mut Line {
        append(&mut self.text, &self.producers[producer as usize]);
        self
    }

    fn destination(&mut self, key: &str, destination: u32) -> &mut Line {
        self.key(key);
        append(&mut self.text, &self.destinations[destination as usize]);
        self
    }

    fn connection(&mut self, connection: usize) -> &mut Line {
        append(&mut self.text, &self.connections[connection]);
        self
    }

    fn ack(&mut self, ack: &MessageAck, messages: &Messages) -> &mut Line {
        self.word("type", ack.ack_type.name()).key("first");
        match ack.first {
            Some(first) => self.named(first, messages),
            None => self.push("null"),
        };
        self.key("last")
            .named(ack.last, messages)
            .number("count", ack.count.into());
        match ack.transaction {
            Some(transaction) => self.number("transaction", transaction.number.into()),
            None => self,
        }
    }

    #[inline(always)]
    fn named(&mut self, message: MessageRef, messages: &Messages) -> &mut Line {
        self.name(message, messages);
        self.text.extend_from_slice(&self.name[NAME..]);
        self
    }

    fn transaction(&mut self, transaction: TransactionId) -> &mut Line {
        match transaction.owner {
            TransactionOwner::Session(session) => {
                append(&mut self.text, &self.sessions[session as usize]);
            }
            TransactionOwner::Producer(producer) => {
                self.producer(producer);
            }
        }
        self.number("transaction", transaction.number.into())
    }

    fn cause(&mut self, cause: DeathCause) -> &mut Line {
        self.word("cause", cause_name(cause))
    }

    // ── text ──

    // Inlined, a text whose length is known is stored without a call.
    #[inline(always)]
    fn push(&mut self, text: &str) -> &mut Line {
        self.text.extend_from_slice(text.as_bytes());
        self
    }

    fn push_number(&mut self, number: i64) -> &mut Line {
        // Most are a counter that stands at 0 or 1.
        if (0..10).contains(&number) {
            self.text.push(b'0' + number as u8);
            return self;
        }
        self.push(itoa::Buffer::new().format(number))
    }

    fn millis(&mut self, nanos: u64) -> &mut Line {
        push_millis(&mut self.text, nanos);
        self
    }
}

fn append(text: &mut Vec<u8>, piece: &str) {
    text.extend_from_slice(piece.as_bytes());
}

/// Nanoseconds as milliseconds, with as many of six decimals as it takes.
fn push_millis(text: &mut Vec<u8>, nanos: u64) {
    // All digits in one go; below a millisecond a 1 in front keeps the zeros.
    let small = nanos < 1_000_000;
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(if small { nanos + 10_000_000 } else { nanos });
    let (millis, mut decimals) = digits.as_bytes().split_at(digits.len() - 6);
    while let [rest @ .., b'0'] = decimals {
        decimals = rest;
    }
    text.extend_from_slice(if small { b"0" } else { millis });
    if !decimals.is_empty() {
        text.push(b'.');
        text.extend_from_slice(decimals);
    }
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
