//! Sixty-four bits that change when anything that happened changes: in what, when, or in which
//! order.
//!
//! One print covers all facts; further ones cover a layer each, so that of two runs that differ one
//! can say where they part: in what was handed to applications, in the acks, or in what became of
//! the messages. A message counts by its name, never by its place in memory.

use crate::facts::{Fact, Observer};
use crate::kernel::Time;
use crate::wire::{ConsumerId, MessageAck, MessageRef, Messages, TransactionId, TransactionOwner};

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// An order-sensitive mix of 64-bit words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Fingerprint {
        Fingerprint(0x243f_6a88_85a3_08d3)
    }
}

impl Fingerprint {
    /// One more word.
    #[inline]
    pub fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(MULTIPLIER);
        self.0 = (product as u64) ^ (product >> 64) as u64 ^ self.0.rotate_left(23);
    }

    /// All bytes of a text.
    pub fn mix_text(&mut self, text: &str) {
        for chunk in text.as_bytes().chunks(8) {
            let word = chunk
                .iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.mix(word);
        }
        self.mix(text.len() as u64);
    }

    /// As outputs print it: 16 hexadecimal digits.
    pub fn hex(self) -> String {
        hex(self.0)
    }
}

/// 16 hexadecimal digits.
pub fn hex(bits: u64) -> String {
    format!("{bits:016x}")
}

/// The prints of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fingerprints {
    /// All facts.
    pub all: Fingerprint,
    /// What was handed to applications, and what they did with it.
    pub deliveries: Fingerprint,
    /// Acks, pulls and transactions, as they reached the broker.
    pub acks: Fingerprint,
    /// What became of the messages.
    pub outcome: Fingerprint,
}

enum Layer {
    Deliveries,
    Acks,
    Outcome,
    None,
}

impl Observer for Fingerprints {
    #[inline]
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        let (layer, word) = word_of(fact, messages);
        let word = word ^ now.0.wrapping_mul(MULTIPLIER);
        self.all.mix(word);
        match layer {
            Layer::Deliveries => self.deliveries.mix(word),
            Layer::Acks => self.acks.mix(word),
            Layer::Outcome => self.outcome.mix(word),
            Layer::None => {}
        }
    }
}

/// Joins words of which each has a meaning of its own.
#[inline]
fn join(words: [u64; 3]) -> u64 {
    let [a, b, c] = words;
    a.wrapping_mul(0xd6e8_feb8_6659_fd93)
        ^ b.wrapping_mul(0xa076_1d64_78bd_642f).rotate_left(21)
        ^ c.wrapping_mul(0xe703_7ed1_a0b4_28db).rotate_left(42)
}

#[inline]
fn consumer_word(consumer: ConsumerId) -> u64 {
    u64::from(consumer.index) << 32 | u64::from(consumer.life)
}

#[inline]
fn message_word(message: MessageRef, messages: &Messages) -> u64 {
    let message = &messages[message];
    u64::from(message.producer) << 41 ^ message.number << 1 ^ u64::from(message.dead_letter)
}

fn ack_word(ack: &MessageAck, messages: &Messages) -> u64 {
    let first = ack
        .first
        .map_or(u64::MAX, |first| message_word(first, messages));
    let kind = ack.ack_type as u64 | (ack.count as u32 as u64) << 8;
    let ends = join([first, message_word(ack.last, messages), kind]);
    join([
        ends,
        consumer_word(ack.consumer),
        ack.transaction.map_or(0, transaction_word),
    ])
}

fn transaction_word(transaction: TransactionId) -> u64 {
    let owner = match transaction.owner {
        TransactionOwner::Session(session) => u64::from(session) << 1,
        TransactionOwner::Producer(producer) => u64::from(producer) << 1 | 1,
    };
    owner << 32 | u64::from(transaction.number)
}

#[inline]
fn word_of(fact: &Fact, messages: &Messages) -> (Layer, u64) {
    let named = |kind: u64, message| join([kind, message_word(message, messages), 0]);
    let held = |kind: u64, consumer, message| {
        join([
            kind,
            message_word(message, messages),
            consumer_word(consumer),
        ])
    };
    let held_by_any = |kind: u64, consumer: Option<ConsumerId>, message| {
        let consumer = consumer.map_or(u64::MAX, consumer_word);
        join([kind, message_word(message, messages), consumer])
    };
    let by = |kind: u64, consumer, detail: u64| join([kind, consumer_word(consumer), detail]);
    match *fact {
        Fact::Delivered {
            consumer,
            message,
            count,
        } => (
            Layer::Deliveries,
            held(1 | u64::from(count) << 8, consumer, message),
        ),
        Fact::Processed {
            consumer,
            message,
            outcome,
            since,
        } => {
            let kind = 2 | (outcome as u64) << 8 | since.0 << 10;
            (Layer::Deliveries, held(kind, consumer, message))
        }
        Fact::AckArrived { ref ack } => (Layer::Acks, join([3, ack_word(ack, messages), 0])),
        Fact::PullArrived { consumer, timeout } => (Layer::Acks, by(4, consumer, timeout as u64)),
        Fact::TransactionArrived {
            transaction,
            command,
        } => (
            Layer::Acks,
            join([5, transaction_word(transaction), command as u64]),
        ),
        Fact::AckRejected { ref ack } => (Layer::Acks, join([6, ack_word(ack, messages), 0])),
        Fact::Acknowledged { consumer, message } => (Layer::Outcome, held(7, consumer, message)),
        Fact::DeadLettered {
            consumer,
            message,
            cause,
            queue,
        } => {
            let kind = 8 | (cause as u64) << 8 | u64::from(queue) << 16;
            (Layer::Outcome, held_by_any(kind, consumer, message))
        }
        Fact::Expired { consumer, message } => (Layer::Outcome, held_by_any(9, consumer, message)),
        Fact::Discarded {
            consumer,
            message,
            cause,
        } => (
            Layer::Outcome,
            held(10 | (cause as u64) << 8, consumer, message),
        ),
        Fact::Gone { consumer, message } => (Layer::Outcome, held_by_any(11, consumer, message)),
        Fact::Rescheduled {
            consumer,
            message,
            until,
        } => (Layer::Outcome, held(12 | until.0 << 8, consumer, message)),
        Fact::Sending { message } => (Layer::None, named(13, message)),
        Fact::SendReturned {
            producer,
            called_at,
            failed,
        } => (
            Layer::None,
            join([
                14 | u64::from(failed) << 8,
                u64::from(producer),
                called_at.0,
            ]),
        ),
        Fact::ProducerTransaction {
            transaction,
            committed,
        } => (
            Layer::None,
            join([15, transaction_word(transaction), u64::from(committed)]),
        ),
        Fact::Enqueued {
            message,
            destination,
            copies,
        } => {
            let kind = 16 | u64::from(destination) << 8;
            (
                Layer::None,
                join([kind, message_word(message, messages), u64::from(copies)]),
            )
        }
        Fact::NotEnqueued { message, repeated } => {
            (Layer::None, named(17 | u64::from(repeated) << 8, message))
        }
        Fact::Dispatched {
            consumer,
            message,
            redelivery_counter,
        } => (
            Layer::None,
            held(18 | u64::from(redelivery_counter) << 8, consumer, message),
        ),
        Fact::Returned { consumer, message } => (Layer::None, held(19, consumer, message)),
        Fact::Released { message } => (Layer::None, named(20, message)),
        Fact::Subscribed { consumer, replayed } => (Layer::None, by(21, consumer, replayed.into())),
        Fact::Unsubscribed { consumer, removal } => (Layer::None, by(22, consumer, removal as u64)),
        Fact::WindowFull { consumer, full } => (Layer::None, by(23, consumer, full.into())),
        Fact::Slow { consumer, slow } => (Layer::None, by(24, consumer, slow.into())),
        Fact::SlowChecked {
            consumer,
            marks,
            aborted,
        } => (
            Layer::None,
            by(25 | u64::from(aborted) << 8, consumer, marks.into()),
        ),
        Fact::BrokerUp { up } => (Layer::None, join([26, up.into(), 0])),
        Fact::Received { consumer, message } => (Layer::None, held(27, consumer, message)),
        Fact::Dropped { consumer, message } => (Layer::None, held(28, consumer, message)),
        Fact::AckSent { ref ack } => (Layer::None, join([29, ack_word(ack, messages), 0])),
        Fact::RedeliveryScheduled {
            consumer,
            message,
            until,
        } => (Layer::None, held(30 | until.0 << 8, consumer, message)),
        Fact::Subscribing { consumer } => (Layer::None, by(31, consumer, 0)),
        Fact::Started { consumer } => (Layer::None, by(32, consumer, 0)),
        Fact::Closed { consumer } => (Layer::None, by(33, consumer, 0)),
        Fact::Crashed { consumer } => (Layer::None, by(34, consumer, 0)),
        Fact::Hangs { consumer, length } => (
            Layer::None,
            by(35, consumer, length.map_or(u64::MAX, |length| length.0)),
        ),
        Fact::Network { connection, up } => {
            let connection = u64::from(connection.index) << 32 | u64::from(connection.life);
            (Layer::None, join([36, connection, up.into()]))
        }
        Fact::CommitFailed { consumer } => (Layer::None, join([37, consumer.into(), 0])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Plan, Story, first_life, plan};
    use crate::wire::MessageRef;

    fn told(tell: impl FnOnce(&mut Story<Fingerprints>, [MessageRef; 2])) -> Fingerprints {
        let scenario = plan()
            .queue("q")
            .producer("p", 0)
            .consumer("a", 0)
            .consumer("b", 0);
        let mut story = Story::new(&scenario, Fingerprints::default());
        let messages = [story.queue(0), story.queue(0)];
        tell(&mut story, messages);
        story.observer
    }

    #[test]
    fn order_time_person_and_message_all_matter() {
        let base = told(|story, [a, b]| {
            story
                .at(1.0)
                .deliver(first_life(0), a)
                .deliver(first_life(0), b);
        });
        let swapped = told(|story, [a, b]| {
            story
                .at(1.0)
                .deliver(first_life(0), b)
                .deliver(first_life(0), a);
        });
        let later = told(|story, [a, b]| {
            story
                .at(1.000001)
                .deliver(first_life(0), a)
                .deliver(first_life(0), b);
        });
        let other = told(|story, [a, b]| {
            story
                .at(1.0)
                .deliver(first_life(0), a)
                .deliver(first_life(1), b);
        });
        for changed in [swapped, later, other] {
            assert_ne!(changed.all, base.all);
            assert_ne!(changed.deliveries, base.deliveries);
            assert_eq!(changed.acks, base.acks);
            assert_eq!(changed.outcome, base.outcome);
        }
    }

    #[test]
    fn layers_part_only_where_the_runs_do() {
        let acknowledged = told(|story, [a, _]| {
            story.acknowledge(first_life(0), a);
        });
        let poisoned = told(|story, [a, _]| {
            story.poison(first_life(0), a, 0);
        });
        assert_eq!(acknowledged.deliveries, poisoned.deliveries);
        assert_ne!(acknowledged.acks, poisoned.acks);
        assert_ne!(acknowledged.outcome, poisoned.outcome);
    }

    #[test]
    fn the_place_of_a_message_in_memory_does_not_matter() {
        let straight = told(|story, [a, _]| {
            story.release(a);
            let next = story.queue(0);
            story.deliver(first_life(0), next);
        });
        let mut elsewhere = Story::new(
            &plan().queue("q").producer("p", 0).consumer("a", 0),
            Fingerprints::default(),
        );
        let other_slot = elsewhere.messages.insert(elsewhere_message());
        let (a, _) = (elsewhere.queue(0), elsewhere.queue(0));
        elsewhere.release(a);
        elsewhere.messages.retain(other_slot);
        let next = elsewhere.queue(0);
        elsewhere.deliver(first_life(0), next);
        assert_eq!(straight.all, elsewhere.observer.all);
    }

    fn elsewhere_message() -> crate::wire::Message {
        let scenario = plan().queue("q").producer("p", 0);
        let mut story = Story::new(&scenario, ());
        let message = story.send(0);
        story.messages[message].clone()
    }

    #[test]
    fn text_is_sixteen_digits() {
        assert_eq!(hex(0xabc), "0000000000000abc");
        let (mut short, mut long) = (Fingerprint::default(), Fingerprint::default());
        short.mix_text("a");
        long.mix_text("a\0");
        assert_ne!(short, long);
        assert_eq!(short.hex().len(), 16);
    }
}
