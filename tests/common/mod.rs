//! Runs a scenario that stands as text in a test, and writes what happened in lines like those of a recording.
//!
//! Messages are named `PRODUCER:NUMBER`. Neighbours in a list are drawn together: ten dispatches of consecutive
//! messages are one line, `dispatch m:1..m:10`.

// Each test binary uses a part of this.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};

use acksim::facts::{Fact, Observer, Removal, TransactionCommand};
use acksim::kernel::Time;
use acksim::reference::{Recorder, Views};
use acksim::scenario::{self, Scenario};
use acksim::wire::{ConsumerId, MessageAck, MessageRef, Messages, TransactionOwner};
use acksim::world::simulate;

/// What a scenario did.
pub struct Run {
    /// The views that recordings have, too.
    pub views: Views,
    events: Vec<Event>,
    in_flight: BTreeMap<String, BTreeSet<MessageRef>>,
}

/// One line about one consumer.
struct Event {
    at: Time,
    consumer: String,
    seen_by: SeenBy,
    what: What,
}

#[derive(PartialEq)]
enum SeenBy {
    Broker,
    Application,
}

#[derive(PartialEq)]
enum What {
    /// A line about one message: what happened, which message, what else is known of it.
    Message {
        verb: &'static str,
        producer: String,
        number: u64,
        suffix: String,
    },
    /// Any other line.
    Line(String),
}

/// Runs a scenario. The same text always does the same.
pub fn run(json: &str) -> Run {
    let scenario = read(json);
    let mut log = Log {
        scenario: &scenario,
        events: Vec::new(),
        in_flight: BTreeMap::new(),
    };
    let mut recorder = Recorder::new(&scenario);
    let end = simulate(&scenario, &mut (&mut log, &mut recorder)).expect("time goes on");
    Run {
        views: recorder.finish(end.ended_at, &end.messages),
        events: log.events,
        in_flight: log.in_flight,
    }
}

/// The scenario of a text.
pub fn read(json: &str) -> Scenario {
    match scenario::read_bytes(json.as_bytes().to_vec(), "test.json", "test") {
        Ok(loaded) => loaded.scenario,
        Err(errors) => panic!("{errors}"),
    }
}

/// What is wrong with a text that is no valid scenario.
pub fn refused(json: &str) -> String {
    match scenario::read_bytes(json.as_bytes().to_vec(), "test.json", "test") {
        Ok(_) => panic!("this scenario should be refused"),
        Err(errors) => errors.to_string(),
    }
}

impl Run {
    /// What the broker sent to a consumer and got from it, in the broker's order: dispatches, acks, pulls,
    /// transactions, marks of slowness, and how its subscriptions ended.
    pub fn broker(&self, consumer: &str) -> Vec<String> {
        lines(self.of(consumer, SeenBy::Broker).map(|event| &event.what))
    }

    /// The same with virtual milliseconds, rounded down: `@250 dispatch m:1..m:3`.
    pub fn timed(&self, consumer: &str) -> Vec<String> {
        timed(self.of(consumer, SeenBy::Broker))
    }

    /// What the broker found expired while no consumer had it.
    pub fn expired_at_broker(&self) -> Vec<String> {
        self.timed("")
    }

    /// What the application was handed: `m:1..m:3`, `m:1 count=2`.
    pub fn delivered(&self, consumer: &str) -> Vec<String> {
        lines(
            self.of(consumer, SeenBy::Application)
                .map(|event| &event.what),
        )
    }

    /// The same with virtual milliseconds: `@250 m:1`.
    pub fn timed_delivered(&self, consumer: &str) -> Vec<String> {
        timed(self.of(consumer, SeenBy::Application))
    }

    /// What the broker dispatched: `m:1..m:3`, `m:1 redelivery=1`.
    pub fn dispatched(&self, consumer: &str) -> Vec<String> {
        self.with_verb(consumer, "dispatch ")
    }

    /// Commands about acknowledgement, transactions and pulls that reached the broker, and how subscriptions ended.
    pub fn acks(&self, consumer: &str) -> Vec<String> {
        self.broker(consumer)
            .into_iter()
            .filter(|line| !is_of_the_broker(line))
            .collect()
    }

    /// The same with virtual milliseconds.
    pub fn timed_acks(&self, consumer: &str) -> Vec<String> {
        let is_of_the_client = |line: &String| {
            let (_, line) = line.split_once(' ').expect("a time goes before");
            !is_of_the_broker(line)
        };
        self.timed(consumer)
            .into_iter()
            .filter(is_of_the_client)
            .collect()
    }

    /// What is in flight to a consumer at the end, as the broker sees it.
    pub fn in_flight(&self, consumer: &str) -> usize {
        self.in_flight.get(consumer).map_or(0, BTreeSet::len)
    }

    /// Which messages went to dead-letter queues, drawn together.
    pub fn dead(&self) -> Vec<String> {
        ranges(&self.views.outcome.dead_lettered)
    }

    /// Which messages are left, drawn together.
    pub fn remaining(&self) -> Vec<String> {
        ranges(&self.views.outcome.remaining)
    }

    /// How many messages are left on queues.
    pub fn remaining_count(&self) -> usize {
        self.views.outcome.remaining.len()
    }

    fn of(&self, consumer: &str, by: SeenBy) -> impl Iterator<Item = &Event> {
        self.events
            .iter()
            .filter(move |event| event.consumer == consumer && event.seen_by == by)
    }

    fn with_verb(&self, consumer: &str, verb: &str) -> Vec<String> {
        let events = self.of(consumer, SeenBy::Broker).map(|event| &event.what);
        let with =
            events.filter(|what| matches!(what, What::Message { verb: v, .. } if *v == verb));
        let lines = lines(with).into_iter();
        lines
            .map(|line| line.strip_prefix(verb).expect("they have it").to_owned())
            .collect()
    }
}

fn is_of_the_broker(line: &str) -> bool {
    ["dispatch ", "discard ", "expired ", "slow", "not slow"]
        .iter()
        .any(|verb| line.starts_with(verb))
}

fn timed<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<String> {
    let mut written = Vec::new();
    let mut events = events.peekable();
    while let Some(first) = events.next() {
        let millis = first.at.as_millis();
        let mut whats = vec![&first.what];
        while let Some(next) = events.next_if(|next| next.at.as_millis() == millis) {
            whats.push(&next.what);
        }
        let lines = lines(whats.into_iter());
        written.extend(lines.into_iter().map(|line| format!("@{millis} {line}")));
    }
    written
}

/// Draws neighbours together.
fn lines<'a>(events: impl Iterator<Item = &'a What>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut events = events.peekable();
    while let Some(first) = events.next() {
        let What::Message {
            verb,
            producer,
            number,
            suffix,
        } = first
        else {
            let What::Line(line) = first else {
                unreachable!()
            };
            lines.push(line.clone());
            continue;
        };
        let mut last = *number;
        let follows = |last: u64| {
            let (producer, suffix) = (producer.clone(), suffix.clone());
            What::Message {
                verb,
                producer,
                number: last + 1,
                suffix,
            }
        };
        while events.next_if(|next| **next == follows(last)).is_some() {
            last += 1;
        }
        lines.push(match last == *number {
            true => format!("{verb}{producer}:{number}{suffix}"),
            false => format!("{verb}{producer}:{number}..{producer}:{last}{suffix}"),
        });
    }
    lines
}

/// `m:1, m:2, m:3, m:5` is `m:1..m:3, m:5`.
pub fn ranges(names: &[String]) -> Vec<String> {
    let whats: Vec<What> = names
        .iter()
        .map(|name| {
            let (producer, number) = name.rsplit_once(':').expect("PRODUCER:NUMBER");
            message(
                "",
                producer.to_owned(),
                number.parse().expect("a number"),
                String::new(),
            )
        })
        .collect();
    lines(whats.iter())
}

fn message(verb: &'static str, producer: String, number: u64, suffix: String) -> What {
    What::Message {
        verb,
        producer,
        number,
        suffix,
    }
}

struct Log<'a> {
    scenario: &'a Scenario,
    events: Vec<Event>,
    in_flight: BTreeMap<String, BTreeSet<MessageRef>>,
}

impl Log<'_> {
    fn consumer(&self, consumer: ConsumerId) -> String {
        self.scenario.consumers[consumer.index as usize]
            .name
            .clone()
    }

    fn producer_and_number(&self, message: MessageRef, messages: &Messages) -> (String, u64) {
        let message = &messages[message];
        (
            self.scenario.producers[message.producer as usize]
                .name
                .clone(),
            message.number,
        )
    }

    fn name(&self, message: MessageRef, messages: &Messages) -> String {
        let (producer, number) = self.producer_and_number(message, messages);
        format!("{producer}:{number}")
    }

    fn add(&mut self, at: Time, consumer: ConsumerId, seen_by: SeenBy, what: What) {
        let consumer = self.consumer(consumer);
        self.events.push(Event {
            at,
            consumer,
            seen_by,
            what,
        });
    }

    fn line(&mut self, at: Time, consumer: ConsumerId, line: impl Into<String>) {
        self.add(at, consumer, SeenBy::Broker, What::Line(line.into()));
    }

    fn ack(&self, ack: &MessageAck, messages: &Messages) -> String {
        let first = ack
            .first
            .map_or("-".to_owned(), |first| self.name(first, messages));
        let last = self.name(ack.last, messages);
        let transaction = if ack.transaction.is_some() { " tx" } else { "" };
        format!(
            "{} {first}..{last} x{}{transaction}",
            ack.ack_type.name(),
            ack.count
        )
    }

    fn transaction(&mut self, at: Time, owner: TransactionOwner, line: &str) {
        let TransactionOwner::Session(session) = owner else {
            return;
        };
        let mut consumers = self.scenario.consumers.iter();
        let first = consumers.position(|consumer| consumer.session == session as usize);
        let index = first.expect("a session has a consumer") as u32;
        self.line(at, ConsumerId { index, life: 1 }, line);
    }

    fn takes(&mut self, consumer: ConsumerId, message: MessageRef) {
        let consumer = self.consumer(consumer);
        self.in_flight.entry(consumer).or_default().insert(message);
    }

    fn gives(&mut self, consumer: ConsumerId, message: MessageRef) {
        let consumer = self.consumer(consumer);
        self.in_flight.entry(consumer).or_default().remove(&message);
    }
}

impl Observer for Log<'_> {
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        match *fact {
            Fact::Dispatched {
                consumer,
                message: m,
                redelivery_counter,
            } => {
                self.takes(consumer, m);
                let (producer, number) = self.producer_and_number(m, messages);
                let suffix = match redelivery_counter {
                    0 => String::new(),
                    counter => format!(" redelivery={counter}"),
                };
                let what = message("dispatch ", producer, number, suffix);
                self.add(now, consumer, SeenBy::Broker, what);
            }
            Fact::Delivered {
                consumer,
                message: m,
                count,
            } => {
                let (producer, number) = self.producer_and_number(m, messages);
                let suffix = match count {
                    1 => String::new(),
                    count => format!(" count={count}"),
                };
                let what = message("", producer, number, suffix);
                self.add(now, consumer, SeenBy::Application, what);
            }
            Fact::AckArrived { ack } => {
                let line = self.ack(&ack, messages);
                self.line(now, ack.consumer, line);
            }
            Fact::AckRejected { ack } => self.line(now, ack.consumer, "rejected"),
            Fact::PullArrived {
                consumer,
                timeout: 0,
            } => self.line(now, consumer, "pull"),
            Fact::PullArrived { consumer, timeout } => {
                self.line(now, consumer, format!("pull timeout={timeout}"));
            }
            Fact::TransactionArrived {
                transaction,
                command,
            } => {
                let line = match command {
                    TransactionCommand::Begin => "begin",
                    TransactionCommand::Commit => "commit",
                    TransactionCommand::Rollback => "rollback",
                };
                self.transaction(now, transaction.owner, line);
            }
            Fact::Unsubscribed { consumer, removal } => {
                let line = if removal == Removal::Close {
                    "close"
                } else {
                    "lost"
                };
                self.line(now, consumer, line);
            }
            Fact::Slow { consumer, slow } => {
                self.line(now, consumer, if slow { "slow" } else { "not slow" });
            }
            Fact::Discarded {
                consumer,
                message: m,
                ..
            } => {
                self.gives(consumer, m);
                let (producer, number) = self.producer_and_number(m, messages);
                let what = message("discard ", producer, number, String::new());
                self.add(now, consumer, SeenBy::Broker, what);
            }
            Fact::Expired {
                consumer: None,
                message: m,
            } => {
                let (producer, number) = self.producer_and_number(m, messages);
                let what = message("expired ", producer, number, String::new());
                let consumer = String::new();
                self.events.push(Event {
                    at: now,
                    consumer,
                    seen_by: SeenBy::Broker,
                    what,
                });
            }
            Fact::Acknowledged {
                consumer,
                message: m,
            }
            | Fact::Returned {
                consumer,
                message: m,
            }
            | Fact::Rescheduled {
                consumer,
                message: m,
                ..
            }
            | Fact::DeadLettered {
                consumer: Some(consumer),
                message: m,
                ..
            }
            | Fact::Expired {
                consumer: Some(consumer),
                message: m,
            }
            | Fact::Gone {
                consumer: Some(consumer),
                message: m,
            } => self.gives(consumer, m),
            _ => {}
        }
    }
}
