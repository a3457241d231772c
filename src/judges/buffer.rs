//! What is handed over was in the buffer, and Little's law holds: the time that messages spent in
//! buffers, each for itself, is the number of messages in buffers, over time. The one is told by
//! pairs of facts about a message, the other by counting facts; a fact too few or too many parts
//! them.
//!
//! A consumer that closes or dies gives up its buffer; that its messages are dropped may be told
//! later. One that a failover transport has connected again may have a message twice: what waited
//! for its local redelivery, and what the broker sent once more, which may be poisoned.

use super::Findings;
use super::notes::Notes;
use crate::facts::Fact;
use crate::kernel::Time;
use crate::scenario::Scenario;
use crate::wire::{AckType, ConsumerId, MessageAck, MessageRef, Messages};

/// What is in the buffers of all clients.
#[derive(Debug)]
pub struct Buffer {
    /// By consumer: the last life that has closed or died.
    ended: Vec<u32>,
    /// By consumer: the last life that was connected again.
    connected_again: Vec<u32>,
    /// Since when.
    inside: Notes<ConsumerId, Time>,
    count: u64,
    since: Time,
    /// Count times nanoseconds.
    area: u128,
    /// Sum of the times of all that have left.
    waits: u128,
}

impl Buffer {
    /// All are empty.
    pub fn new(scenario: &Scenario) -> Buffer {
        Buffer {
            ended: vec![0; scenario.consumers.len()],
            connected_again: vec![0; scenario.consumers.len()],
            inside: Notes::new(),
            count: 0,
            since: Time::ZERO,
            area: 0,
            waits: 0,
        }
    }

    /// What goes into a buffer or out of one.
    pub fn on(&mut self, fact: &Fact, messages: &Messages, findings: &mut Findings) {
        match *fact {
            Fact::Received { consumer, message }
            | Fact::RedeliveryScheduled {
                consumer, message, ..
            } => {
                self.comes(consumer, message, messages, findings);
            }
            Fact::Dropped { consumer, message } => {
                self.goes("dropped by", consumer, message, messages, findings);
            }
            Fact::Delivered {
                consumer, message, ..
            } => {
                self.goes("handed to", consumer, message, messages, findings);
            }
            Fact::AckSent { ref ack } => self.ack_sent(ack, findings.now),
            Fact::Subscribed {
                consumer,
                replayed: true,
            } => self.connected_again[consumer.index as usize] = consumer.life,
            Fact::Crashed { consumer } | Fact::Closed { consumer } => {
                self.cleared(consumer, findings.now);
            }
            _ => {}
        }
    }

    /// At the end of the run.
    pub fn finish(mut self, findings: &mut Findings) {
        let now = findings.now;
        self.settle(now);
        let still_waiting = self
            .inside
            .iter()
            .map(|(_, _, since)| u128::from(now.since(*since).0));
        let waits = self.waits + still_waiting.sum::<u128>();
        if waits != self.area {
            let (waits, area) = (waits as f64 / 1e6, self.area as f64 / 1e6);
            findings.add(format!(
                "Little's law fails for the buffers: messages waited {waits} ms, \
                 the buffers held {area} message-ms"
            ));
        }
    }

    fn settle(&mut self, now: Time) {
        self.area += u128::from(now.since(self.since).0) * u128::from(self.count);
        self.since = now;
    }

    fn comes(
        &mut self,
        consumer: ConsumerId,
        message: MessageRef,
        messages: &Messages,
        findings: &mut Findings,
    ) {
        self.settle(findings.now);
        self.count += 1;
        let is_twice = self.inside.get(message, consumer).is_some();
        self.inside.add(message, consumer, findings.now);
        if is_twice && !self.is_connected_again(consumer) {
            let (name, who) = (
                findings.name(message, messages),
                findings.consumer(consumer),
            );
            findings.add(format!(
                "{name} comes into the buffer of {who}, where it was already"
            ));
        }
    }

    fn is_connected_again(&self, consumer: ConsumerId) -> bool {
        self.connected_again[consumer.index as usize] == consumer.life
    }

    fn leaves(&mut self, consumer: ConsumerId, message: MessageRef, now: Time) -> bool {
        let Some(since) = self.inside.take(message, consumer) else {
            return false;
        };
        self.settle(now);
        self.count -= 1;
        self.waits += u128::from(now.since(since).0);
        true
    }

    fn goes(
        &mut self,
        where_to: &str,
        consumer: ConsumerId,
        message: MessageRef,
        messages: &Messages,
        findings: &mut Findings,
    ) {
        let has_ended = consumer.life <= self.ended[consumer.index as usize];
        let was_inside = self.leaves(consumer, message, findings.now);
        if !was_inside && !has_ended && !self.is_connected_again(consumer) {
            let (name, who) = (
                findings.name(message, messages),
                findings.consumer(consumer),
            );
            findings.add(format!(
                "{name} is {where_to} {who} and was not in its buffer"
            ));
        }
    }

    /// It had expired, it was poisoned before delivery, or a failover transport had seen it before.
    fn ack_sent(&mut self, ack: &MessageAck, now: Time) {
        let may_drop = match ack.ack_type {
            AckType::Expired | AckType::Poison => true,
            AckType::Delivered => ack.first.is_none(),
            _ => false,
        };
        if may_drop {
            self.leaves(ack.consumer, ack.last, now);
        }
    }

    fn cleared(&mut self, consumer: ConsumerId, now: Time) {
        let ended = &mut self.ended[consumer.index as usize];
        *ended = consumer.life.max(*ended);
        let inside = self.inside.iter();
        let its = inside.filter(|(_, owner, _)| *owner == consumer);
        for message in Vec::from_iter(its.map(|(message, ..)| message)) {
            self.leaves(consumer, message, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::{Fact, Outcome};
    use crate::judges::testing::breaches;
    use crate::scenario::Scenario;
    use crate::story::{Plan, plan};
    use crate::wire::ConsumerId;

    const A: ConsumerId = ConsumerId { index: 0, life: 1 };

    fn queue() -> Scenario {
        plan().queue("q").producer("p", 0).consumer("a", 0)
    }

    #[test]
    fn only_what_is_in_the_buffer_is_handed_over() {
        let found = breaches(&queue(), |story| {
            story.subscribe(A);
            let message = story.queue(0);
            story
                .push(A, message)
                .deliver(A, message)
                .process(A, message, Outcome::Failed);
            story.at(5.0).deliver_again(A, message, 2);
        });
        assert_eq!(found, ["p:1 is handed to a and was not in its buffer"]);
    }

    #[test]
    fn a_message_comes_in_once() {
        let found = breaches(&queue(), |story| {
            story.subscribe(A);
            let message = story.queue(0);
            story.push(A, message).at(5.0).receive(A, message).at(10.0);
        });
        assert_eq!(
            found,
            ["p:1 comes into the buffer of a, where it was already"]
        );
    }

    #[test]
    fn what_is_left_at_the_end_or_lost_in_a_crash_has_waited_too() {
        let found = breaches(&queue(), |story| {
            story.subscribe(A);
            let [first, second] = std::array::from_fn(|_| story.queue(0));
            story
                .push(A, first)
                .at(5.0)
                .push(A, second)
                .at(7.0)
                .crash(A);
            let second_life = ConsumerId { life: 2, ..A };
            story.fact(Fact::Returned {
                consumer: A,
                message: first,
            });
            story
                .subscribe(second_life)
                .push(second_life, first)
                .at(30.0);
        });
        assert_eq!(found, [""; 0]);
    }
}
