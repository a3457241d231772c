//! Sixty-four bits that change when anything that happened changes: in what, when, or in which
//! order.
//!
//! One print covers all facts; further ones cover a layer each, so that of two runs that differ one
//! can say where they part: in what was handed to applications, in the acks, or in what became of
//! the messages. A message counts by its name, never by its place in memory. The steps of a message
//! that only lead to one of the layers (it was sent, it arrived at the client …) count by who and
//! when: which message it was shows a step later, and prints must cost next to nothing.

use crate::facts::{Fact, Observer, Outcome};
use crate::kernel::Time;
use crate::wire::{
    ConsumerId, Message, MessageAck, MessageRef, Messages, TransactionId, TransactionOwner,
};

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
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER);
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
        hex(folded(self.0, MULTIPLIER))
    }
}

/// 16 hexadecimal digits.
pub fn hex(bits: u64) -> String {
    format!("{bits:016x}")
}

/// Both halves of the product of two words, one over the other: every bit of either counts
/// everywhere.
#[inline]
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// Joins two words of which each has a meaning of its own.
#[inline]
fn join(a: u64, b: u64) -> u64 {
    Keys::default().join(a, b)
}

/// What two words are joined with.
// Kept beside the prints: an instruction takes a word from memory, but none of 64 bits as it is.
#[derive(Clone, Copy, Debug)]
struct Keys(u64, u64);

impl Default for Keys {
    fn default() -> Keys {
        Keys(0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db)
    }
}

impl Keys {
    #[inline]
    fn join(&self, a: u64, b: u64) -> u64 {
        folded(a ^ self.0, b ^ self.1) ^ a
    }
}

/// The prints of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fingerprints {
    keys: Keys,
    /// All facts.
    pub all: Fingerprint,
    /// What was handed to applications, and what they did with it.
    pub deliveries: Fingerprint,
    /// Acks, pulls and transactions, as they reached the broker.
    pub acks: Fingerprint,
    /// What became of the messages.
    pub outcome: Fingerprint,
}

impl Observer for Fingerprints {
    // Where a fact is emitted its kind is known: inlined there, all arms but one vanish.
    #[inline(always)]
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        let when = when(now);
        match *fact {
            Fact::Sending { .. } => self.all.mix(1 ^ when),
            Fact::Enqueued {
                destination,
                copies,
                ..
            } => {
                let what = 2 ^ u64::from(destination) << 32 ^ u64::from(copies) << 8;
                self.all.mix(what ^ when);
            }
            Fact::SendReturned {
                producer,
                called_at,
                failed,
            } => {
                let who = 20 | u64::from(failed) << 8 | u64::from(producer) << 32;
                self.all.mix(self.keys.join(who, called_at.0) ^ when);
            }
            Fact::Dispatched { consumer, .. } => self.dispatched(now, who(consumer)),
            Fact::Received { consumer, .. } => self.received(now, who(consumer)),
            Fact::AckSent { ref ack } => self.all.mix(word(5, ack.consumer) ^ when),
            Fact::Released { .. } => self.released(now),
            Fact::Delivered {
                consumer,
                message,
                count,
            } => {
                self.delivered(now, who(consumer), name(&messages[message]), count);
            }
            Fact::Processed {
                consumer,
                message,
                outcome,
                since,
            } => {
                let name = name(&messages[message]);
                self.processed(now, who(consumer), name, outcome, since);
            }
            Fact::AckArrived { ref ack } => {
                self.ack_arrived(now, ack, |message| name(&messages[message]));
            }
            Fact::Acknowledged { consumer, message } => {
                self.acknowledged(now, who(consumer), name(&messages[message]));
            }
            Fact::WindowFull { consumer, full } => self.window_full(now, consumer, full),
            ref rare => self.rare(when, rare, messages),
        }
    }
}

/// What happens with every message, for who has its name at hand, and that of the consumer.
impl Fingerprints {
    /// [`Fact::Dispatched`]
    #[inline(always)]
    pub fn dispatched(&mut self, now: Time, who: u64) {
        self.all.mix(3 ^ who ^ when(now));
    }

    /// [`Fact::Received`]
    #[inline(always)]
    pub fn received(&mut self, now: Time, who: u64) {
        self.all.mix(4 ^ who ^ when(now));
    }

    /// [`Fact::Delivered`]
    #[inline(always)]
    pub fn delivered(&mut self, now: Time, who: u64, name: u64, count: u32) {
        let what = name ^ u64::from(count) << 56;
        let word = self.keys.join(7 ^ who ^ when(now), what);
        self.deliveries.mix(word);
        self.all.mix(word);
    }

    /// [`Fact::Processed`]
    #[inline(always)]
    pub fn processed(&mut self, now: Time, who: u64, name: u64, outcome: Outcome, since: Time) {
        let what = name ^ (outcome as u64) << 60;
        let word = self.keys.join(8 ^ who ^ when(now) ^ since.0 << 20, what);
        self.deliveries.mix(word);
        self.all.mix(word);
    }

    /// [`Fact::AckArrived`]
    #[inline(always)]
    pub fn ack_arrived(
        &mut self,
        now: Time,
        ack: &MessageAck,
        name: impl FnMut(MessageRef) -> u64,
    ) {
        let what = ack_word(ack, name, self.keys);
        let word = self.keys.join(word(9, ack.consumer) ^ when(now), what);
        self.acks.mix(word);
        self.all.mix(word);
    }

    /// [`Fact::Acknowledged`]
    #[inline(always)]
    pub fn acknowledged(&mut self, now: Time, who: u64, name: u64) {
        let word = self.keys.join(10 ^ who ^ when(now), name);
        self.outcome.mix(word);
        self.all.mix(word);
    }

    /// [`Fact::WindowFull`]: with every message, if windows are small.
    #[inline(always)]
    pub fn window_full(&mut self, now: Time, consumer: ConsumerId, full: bool) {
        let word = self.keys.join(word(28, consumer), full.into());
        self.all.mix(word ^ when(now));
    }

    /// [`Fact::Released`]
    #[inline(always)]
    pub fn released(&mut self, now: Time) {
        self.all.mix(6 ^ when(now));
    }

    #[cold]
    fn rare(&mut self, when: u64, fact: &Fact, messages: &Messages) {
        let (layer, word) = match *fact {
            Fact::AckRejected { ref ack } => (
                Some(&mut self.acks),
                join(
                    word(11, ack.consumer),
                    ack_word(ack, |message| name(&messages[message]), self.keys),
                ),
            ),
            Fact::PullArrived { consumer, timeout } => (
                Some(&mut self.acks),
                join(word(12, consumer), timeout as u64),
            ),
            Fact::TransactionArrived {
                transaction,
                command,
            } => (
                Some(&mut self.acks),
                join(13 | (command as u64) << 8, owner_word(transaction)),
            ),
            Fact::DeadLettered {
                consumer,
                message,
                cause,
                queue,
            } => {
                let what = join(14 | (cause as u64) << 8, queue.into());
                (
                    Some(&mut self.outcome),
                    what ^ held_by_any(consumer, message, messages),
                )
            }
            Fact::Expired { consumer, message } => (
                Some(&mut self.outcome),
                join(15, held_by_any(consumer, message, messages)),
            ),
            Fact::Discarded {
                consumer,
                message,
                cause,
            } => {
                let kind = 16 | (cause as u64) << 8;
                (
                    Some(&mut self.outcome),
                    join(kind, held(consumer, message, messages)),
                )
            }
            Fact::Gone { consumer, message } => (
                Some(&mut self.outcome),
                join(17, held_by_any(consumer, message, messages)),
            ),
            Fact::Rescheduled {
                consumer,
                message,
                until,
            } => {
                let what = held(consumer, message, messages);
                (Some(&mut self.outcome), join(18 | until.0 << 8, what))
            }
            _ => (None, detail(fact, messages)),
        };
        let word = word ^ when;
        if let Some(layer) = layer {
            layer.mix(word);
        }
        self.all.mix(word);
    }
}

/// Of facts that belong to no layer.
fn detail(fact: &Fact, messages: &Messages) -> u64 {
    match *fact {
        Fact::ProducerTransaction {
            transaction,
            committed,
        } => join(21 | u64::from(committed) << 8, owner_word(transaction)),
        Fact::NotEnqueued { message, repeated } => {
            join(22 | u64::from(repeated) << 8, name(&messages[message]))
        }
        Fact::Returned { consumer, message } => join(23, held(consumer, message, messages)),
        Fact::Dropped { consumer, message } => join(24, held(consumer, message, messages)),
        Fact::RedeliveryScheduled {
            consumer,
            message,
            until,
        } => join(25 | until.0 << 8, held(consumer, message, messages)),
        Fact::Subscribed { consumer, replayed } => join(word(26, consumer), replayed.into()),
        Fact::Unsubscribed { consumer, removal } => join(word(27, consumer), removal as u64),
        Fact::Slow { consumer, slow } => join(word(29, consumer), slow.into()),
        Fact::SlowChecked {
            consumer,
            marks,
            aborted,
        } => join(
            word(30, consumer),
            u64::from(marks) << 1 | u64::from(aborted),
        ),
        Fact::BrokerUp { up } => join(31, up.into()),
        Fact::Subscribing { consumer } => word(32, consumer),
        Fact::Started { consumer } => word(33, consumer),
        Fact::Closed { consumer } => word(34, consumer),
        Fact::Crashed { consumer } => word(35, consumer),
        Fact::Hangs { consumer, length } => join(
            word(36, consumer),
            length.map_or(u64::MAX, |length| length.0),
        ),
        Fact::Network { connection, up } => {
            let connection = u64::from(connection.index) << 32 | u64::from(connection.life);
            join(37 | u64::from(up) << 8, connection)
        }
        Fact::CommitFailed { consumer } => join(38, consumer.into()),
        // The common ones have been counted before.
        _ => 0,
    }
}

#[inline]
fn when(now: Time) -> u64 {
    now.0.wrapping_mul(MULTIPLIER)
}

/// What happened, to whom.
#[inline]
fn word(kind: u64, consumer: ConsumerId) -> u64 {
    kind | who(consumer)
}

/// What a consumer counts by.
#[inline]
pub fn who(consumer: ConsumerId) -> u64 {
    u64::from(consumer.index) << 8 | u64::from(consumer.life) << 40
}

/// What a message counts by.
#[inline]
pub fn name(message: &Message) -> u64 {
    u64::from(message.producer) << 40 ^ message.number << 1 ^ u64::from(message.dead_letter)
}

fn held(consumer: ConsumerId, message: MessageRef, messages: &Messages) -> u64 {
    join(word(0, consumer), name(&messages[message]))
}

fn held_by_any(consumer: Option<ConsumerId>, message: MessageRef, messages: &Messages) -> u64 {
    join(
        consumer.map_or(u64::MAX, |consumer| word(0, consumer)),
        name(&messages[message]),
    )
}

#[inline(always)]
fn ack_word(ack: &MessageAck, mut name: impl FnMut(MessageRef) -> u64, keys: Keys) -> u64 {
    let last = name(ack.last);
    let first = match ack.first {
        // Most ranges are of one message.
        Some(first) if first == ack.last => last,
        Some(first) => name(first),
        None => u64::MAX,
    };
    let kind = ack.ack_type as u64 | (ack.count as u32 as u64) << 8;
    let transaction = ack.transaction.map_or(0, owner_word);
    keys.join(first, last) ^ kind << 20 ^ transaction.wrapping_mul(MULTIPLIER)
}

fn owner_word(transaction: TransactionId) -> u64 {
    let owner = match transaction.owner {
        TransactionOwner::Session(session) => u64::from(session) << 1,
        TransactionOwner::Producer(producer) => u64::from(producer) << 1 | 1,
    };
    owner << 32 | u64::from(transaction.number)
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
        story.messages[message]
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
