//! Facts to views: the counterpart of the recorder that sits in the real broker.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{Outcome, Views};
use crate::facts::{Fact, Observer, Removal, TransactionCommand};
use crate::kernel::{Span, Time};
use crate::scenario::{DestinationKind, Scenario};
use crate::wire::{
    ConsumerIndex, DestinationIndex, MessageAck, MessageRef, Messages, TransactionOwner,
};

/// The recorder of the real broker stops when nothing has happened for so long, unless the scenario
/// has an `until`.
const QUIET: Span = Span::from_millis(1000);

/// Writes the views while a run goes on. Its memory grows with the run.
pub struct Recorder<'a> {
    scenario: &'a Scenario,
    consumers: Vec<super::ConsumerViews>,
    broker: Vec<String>,
    outcome: Outcome,
    /// Where each message is that is on a queue, pending or in flight.
    queued: BTreeMap<MessageRef, DestinationIndex>,
}

impl<'a> Recorder<'a> {
    /// Nothing has happened yet.
    pub fn new(scenario: &'a Scenario) -> Recorder<'a> {
        Recorder {
            scenario,
            consumers: vec![super::ConsumerViews::default(); scenario.consumers.len()],
            broker: Vec::new(),
            outcome: Outcome::default(),
            queued: BTreeMap::new(),
        }
    }

    /// The views of the run that ended now.
    pub fn finish(mut self, ended_at: Time, messages: &Messages) -> Views {
        self.outcome.remaining = self.remaining(ended_at, messages);
        let names = self
            .scenario
            .consumers
            .iter()
            .map(|consumer| consumer.name.clone());
        Views {
            consumers: names.zip(self.consumers).collect(),
            broker: self.broker,
            outcome: self.outcome,
        }
    }

    /// As the recorder lists them: what `Queue.browse` of each named queue shows, by broker
    /// sequence id. Browsing leaves out what is acknowledged in an open transaction, and what is
    /// expired and not in flight (`Queue.addAll`).
    fn remaining(&self, ended_at: Time, messages: &Messages) -> Vec<String> {
        let browsed_at = self.scenario.until.unwrap_or(ended_at + QUIET);
        let mut names = Vec::new();
        for queue in self.named_queues() {
            let mut left: Vec<MessageRef> = (self.queued.iter())
                .filter(|(_, place)| **place as usize == queue)
                .map(|(message, _)| *message)
                .filter(|message| !messages[*message].acked)
                .filter(|message| {
                    let message = &messages[*message];
                    message.locked_by.is_some() || !message.is_expired(browsed_at)
                })
                .collect();
            left.sort_by_key(|message| messages[*message].sequence);
            names.extend(left.into_iter().map(|message| self.name(message, messages)));
        }
        names
    }

    /// Queues of the producers in the order of the file, then those of the consumers, each once.
    fn named_queues(&self) -> Vec<usize> {
        let of_producers = self
            .scenario
            .producers
            .iter()
            .map(|producer| producer.destination);
        let of_consumers = self
            .scenario
            .consumers
            .iter()
            .map(|consumer| consumer.destination);
        let mut seen = BTreeSet::new();
        of_producers
            .chain(of_consumers)
            .filter(|index| self.scenario.destinations[*index].kind == DestinationKind::Queue)
            .filter(|index| seen.insert(*index))
            .collect()
    }

    fn name(&self, message: MessageRef, messages: &Messages) -> String {
        let message = &messages[message];
        let producer = &self.scenario.producers[message.producer as usize].name;
        format!("{producer}:{}", message.number)
    }

    fn consumer(&self, index: ConsumerIndex) -> &'a str {
        &self.scenario.consumers[index as usize].name
    }

    fn ack_line(&self, ack: &MessageAck, messages: &Messages) -> String {
        let first = match ack.first {
            Some(first) => self.name(first, messages),
            None => "-".to_owned(),
        };
        let last = self.name(ack.last, messages);
        let transaction = if ack.transaction.is_some() { " tx" } else { "" };
        format!(
            "{} {first}..{last} x{}{transaction}",
            ack.ack_type.name(),
            ack.count
        )
    }

    fn acknowledgement(&mut self, consumer: ConsumerIndex, line: impl Into<String>) {
        self.consumers[consumer as usize].acks.push(line.into());
    }

    fn ack_arrived(&mut self, ack: &MessageAck, messages: &Messages) {
        let line = self.ack_line(ack, messages);
        let consumer = ack.consumer.index;
        self.broker
            .push(format!("ack {} {line}", self.consumer(consumer)));
        self.acknowledgement(consumer, line);
    }

    fn dispatched(&mut self, consumer: ConsumerIndex, mut line: String, redelivery_counter: u32) {
        if redelivery_counter != 0 {
            let _ = write!(line, " redelivery={redelivery_counter}");
        }
        self.broker
            .push(format!("dispatch {} {line}", self.consumer(consumer)));
        self.consumers[consumer as usize].dispatched.push(line);
    }

    fn delivered(&mut self, consumer: ConsumerIndex, mut line: String, count: u32) {
        if count != 1 {
            let _ = write!(line, " redelivered count={count}");
        }
        self.consumers[consumer as usize].delivered.push(line);
    }

    fn removed(&mut self, consumer: ConsumerIndex, removal: Removal) {
        let line = match removal {
            Removal::Close => "close",
            Removal::Lost => "lost",
        };
        self.acknowledgement(consumer, line);
        self.broker
            .push(format!("remove {}", self.consumer(consumer)));
    }

    fn transaction(&mut self, owner: TransactionOwner, command: TransactionCommand) {
        let TransactionOwner::Session(session) = owner else {
            return;
        };
        let consumers = &self.scenario.consumers;
        let shown_on = consumers
            .iter()
            .position(|consumer| consumer.session == session as usize);
        let line = match command {
            TransactionCommand::Begin => "begin",
            TransactionCommand::Commit => "commit",
            TransactionCommand::Rollback => "rollback",
        };
        let shown_on = shown_on.expect("a session has a consumer");
        self.acknowledgement(shown_on as ConsumerIndex, line);
    }

    fn slow(&mut self, consumer: ConsumerIndex) {
        let name = self.consumer(consumer);
        self.broker.push(format!("slow {name}"));
        if !self.outcome.slow.iter().any(|known| known == name) {
            self.outcome.slow.push(name.to_owned());
        }
    }

    fn enqueued(&mut self, message: MessageRef, destination: DestinationIndex) {
        let kind = self.scenario.destinations[destination as usize].kind;
        if kind == DestinationKind::Queue {
            self.queued.insert(message, destination);
        }
    }
}

impl Observer for Recorder<'_> {
    fn on(&mut self, _: Time, fact: &Fact, messages: &Messages) {
        match *fact {
            Fact::Subscribed { consumer, .. } => {
                self.broker
                    .push(format!("subscribe {}", self.consumer(consumer.index)));
            }
            Fact::Unsubscribed { consumer, removal } => self.removed(consumer.index, removal),
            Fact::Enqueued {
                message,
                destination,
                ..
            } => self.enqueued(message, destination),
            Fact::Dispatched {
                consumer,
                message,
                redelivery_counter,
            } => {
                let name = self.name(message, messages);
                self.dispatched(consumer.index, name, redelivery_counter);
            }
            Fact::Delivered {
                consumer,
                message,
                count,
            } => {
                let name = self.name(message, messages);
                self.delivered(consumer.index, name, count);
            }
            Fact::AckArrived { ref ack } => self.ack_arrived(ack, messages),
            Fact::PullArrived {
                consumer,
                timeout: 0,
            } => self.acknowledgement(consumer.index, "pull"),
            Fact::PullArrived { consumer, timeout } => {
                self.acknowledgement(consumer.index, format!("pull timeout={timeout}"));
            }
            Fact::TransactionArrived {
                transaction,
                command,
            } => {
                self.transaction(transaction.owner, command);
            }
            Fact::Slow {
                consumer,
                slow: true,
            } => self.slow(consumer.index),
            Fact::Acknowledged { message, .. } => {
                self.queued.remove(&message);
                self.outcome.acknowledged.push(self.name(message, messages));
            }
            Fact::DeadLettered { message, .. } => {
                self.queued.remove(&message);
                let name = self.name(message, messages);
                self.broker.push(format!("deadLetter {name}"));
                self.outcome.dead_lettered.push(name);
            }
            Fact::Expired { message, .. } => {
                self.queued.remove(&message);
                let name = self.name(message, messages);
                self.broker.push(format!("expired {name}"));
                self.outcome.expired.push(name);
            }
            Fact::Discarded {
                consumer, message, ..
            } => {
                self.queued.remove(&message);
                let name = self.name(message, messages);
                self.broker
                    .push(format!("discard {} {name}", self.consumer(consumer.index)));
                self.outcome.discarded.push(name);
            }
            Fact::Gone { message, .. }
            | Fact::Rescheduled { message, .. }
            | Fact::Released { message } => {
                self.queued.remove(&message);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
