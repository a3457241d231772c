//! What is known of each message that is still about: one entry for a message of a queue, one for
//! each subscription of a topic. Entries lie in tables beside the arena, by its slots, so that
//! memory follows what is in flight.

use crate::kernel::{Span, Time};
use crate::scenario::{DestinationKind, Scenario};
use crate::wire::{ConsumerId, ConsumerIndex, DestinationIndex, MessageRef};

/// What holds for a copy of a message, as bits.
pub type Flags = u32;

/// On its queue, or owed to its subscription.
pub const WAITING: Flags = 1;
/// Dispatched, and not yet taken off or returned.
pub const IN_FLIGHT: Flags = 1 << 1;
/// In flight, and it has arrived at the client library.
pub const HELD: Flags = 1 << 2;
/// In the client's prefetch buffer.
pub const BUFFERED: Flags = 1 << 3;
/// In the buffer since it arrived, not for a local redelivery.
pub const FRESH: Flags = 1 << 4;
/// Its present dispatch has not been processed yet.
pub const AWAITED: Flags = 1 << 5;
/// The application is at work on it.
pub const WORKING: Flags = 1 << 6;
/// Handed to an application at least once.
pub const DELIVERED: Flags = 1 << 7;
/// Processed to the end, or skipped as a repeat.
pub const HANDLED: Flags = 1 << 8;
/// Processed to the end.
pub const DONE: Flags = 1 << 11;
/// Acknowledged, or gone: to be accounted for by its processing.
pub const OWED: Flags = 1 << 9;
/// A crash gave it back, and it is in nobody's hands yet.
pub const MISSED: Flags = 1 << 12;
/// On a list of its own: dead-lettered, expired or discarded.
pub const LISTED: Flags = 1 << 10;
/// Its latencies count.
pub const MEASURED: Flags = 1 << 13;

/// What holds of a copy that some client has or is about to get.
pub const OUT: Flags = IN_FLIGHT | HELD | BUFFERED | FRESH | WORKING;

/// One copy of a message, in a cache line of its own.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub struct Copy {
    /// To whom it was dispatched last.
    pub owner: ConsumerId,
    /// Since its first dispatch: its queue or topic, which is its owner's.
    pub destination: DestinationIndex,
    /// When.
    pub dispatched_at: Time,
    /// When it arrived there.
    pub received_at: Time,
    /// Since its first dispatch: when the application wanted to send the message.
    pub wanted_at: Time,
    /// Since its first dispatch: the name of the message in prints, which several facts ask for.
    pub name: u64,
    /// That of the owner.
    pub who: u64,
    /// The consumer whose crash gave it back, while it is missed.
    pub missed_by: ConsumerIndex,
    /// What holds for it.
    pub flags: Flags,
}

impl Copy {
    /// How long it took from wanting to send the message up to now.
    #[inline]
    pub fn latency(&self, now: Time) -> Span {
        Span(now.0 - self.wanted_at.0)
    }

    /// Whether all of these hold.
    #[inline]
    pub fn is(&self, flags: Flags) -> bool {
        self.flags & flags == flags
    }

    /// These hold from now on.
    #[inline]
    pub fn set(&mut self, flags: Flags) {
        self.flags |= flags;
    }

    /// These do not hold any more; whether any did.
    #[inline]
    pub fn take(&mut self, flags: Flags) -> bool {
        let any = self.flags & flags != 0;
        self.flags &= !flags;
        any
    }

    /// Acknowledged or gone, nobody processed it to the end, and no list has it.
    fn is_lost(&self) -> bool {
        self.flags & (OWED | HANDLED | LISTED) == OWED
    }
}

/// No row.
const NONE: u32 = u32::MAX;

/// Rows of one topic: a copy for each of its consumers.
#[derive(Debug, Default)]
struct Rows {
    width: usize,
    copies: Vec<Copy>,
    free: Vec<u32>,
}

/// Where a consumer's copies are.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The topic, or none: a queue.
    topic: Option<u32>,
    /// Which of the topic's consumers.
    column: usize,
}

/// All copies of all messages that are about. An entry is blank until its message is named first,
/// and blank again when the message is released.
#[derive(Debug)]
pub struct Ledger {
    /// By slot: the copies, if all are of queues. Empty where there is a topic, so that the look at
    /// its length tells both.
    plain: Vec<Copy>,
    has_topics: bool,
    /// By slot, beside topics: the copy of a queue, and what concerns no subscription in
    /// particular.
    only: Vec<Copy>,
    /// By slot: the row of copies of a message on a topic, and of which topic.
    row: Vec<(u32, u32)>,
    rows: Vec<Rows>,
    places: Vec<Place>,
}

impl Ledger {
    /// Empty.
    pub fn new(scenario: &Scenario) -> Ledger {
        let mut rows: Vec<Rows> = scenario
            .destinations
            .iter()
            .map(|_| Rows::default())
            .collect();
        let places = scenario.consumers.iter().map(|consumer| {
            let topic = scenario.destinations[consumer.destination].kind == DestinationKind::Topic;
            let width = &mut rows[consumer.destination].width;
            *width += 1;
            Place {
                topic: topic.then_some(consumer.destination as u32),
                column: *width - 1,
            }
        });
        let has_topics = scenario
            .destinations
            .iter()
            .any(|destination| destination.kind == DestinationKind::Topic);
        Ledger {
            places: places.collect(),
            plain: Vec::new(),
            has_topics,
            only: Vec::new(),
            row: Vec::new(),
            rows,
        }
    }

    /// The copy of a queue.
    #[inline(always)]
    pub fn only(&mut self, message: MessageRef) -> &mut Copy {
        let slot = message.slot();
        if slot < self.plain.len() {
            return &mut self.plain[slot];
        }
        self.only_beyond(slot)
    }

    // Called cold, as `beyond` is, so that the way to a queue's copy runs straight on.
    #[cold]
    #[inline(never)]
    fn only_beyond(&mut self, slot: usize) -> &mut Copy {
        if !self.has_topics {
            grow(&mut self.plain, slot, Copy::default());
            return &mut self.plain[slot];
        }
        if slot >= self.only.len() {
            grow(&mut self.only, slot, Copy::default());
            grow(&mut self.row, slot, (NONE, 0));
        }
        &mut self.only[slot]
    }

    /// The copy that a consumer gets or got.
    #[inline(always)]
    pub fn of(&mut self, message: MessageRef, consumer: ConsumerIndex) -> &mut Copy {
        let slot = message.slot();
        if slot < self.plain.len() {
            return &mut self.plain[slot];
        }
        self.beyond(message, consumer)
    }

    #[cold]
    #[inline(never)]
    fn beyond(&mut self, message: MessageRef, consumer: ConsumerIndex) -> &mut Copy {
        let Place { topic, column } = self.places[consumer as usize];
        let Some(topic) = topic else {
            return self.only_beyond(message.slot());
        };
        self.only_beyond(message.slot());
        let row = match self.row[message.slot()].0 {
            NONE => self.add_row(message, topic, 0),
            row => row,
        };
        let rows = &mut self.rows[topic as usize];
        &mut rows.copies[row as usize * rows.width + column]
    }

    /// The copy that a consumer gets or got; nobody's in particular is that of a queue.
    #[inline]
    pub fn of_any(&mut self, message: MessageRef, consumer: Option<ConsumerId>) -> &mut Copy {
        match consumer {
            Some(consumer) => self.of(message, consumer.index),
            None => self.only(message),
        }
    }

    /// Fanned out on a topic: it waits for whoever is to get it.
    pub fn fan_out(&mut self, message: MessageRef, topic: u32) {
        self.only(message);
        if self.rows[topic as usize].width > 0 && self.row[message.slot()].0 == NONE {
            self.add_row(message, topic, WAITING);
        }
    }

    fn add_row(&mut self, message: MessageRef, topic: u32, flags: Flags) -> u32 {
        let rows = &mut self.rows[topic as usize];
        let row = rows.free.pop().unwrap_or_else(|| {
            rows.copies
                .resize(rows.copies.len() + rows.width, Copy::default());
            (rows.copies.len() / rows.width - 1) as u32
        });
        let blank = Copy {
            flags,
            ..Copy::default()
        };
        rows.of(row).fill(blank);
        self.row[message.slot()] = (row, topic);
        row
    }

    /// Nobody will name it again. Counts how many of its copies are lost.
    #[inline]
    pub fn release(&mut self, message: MessageRef, lost: &mut u64) {
        let slot = message.slot();
        if slot < self.plain.len() {
            *lost += u64::from(std::mem::take(&mut self.plain[slot]).is_lost());
            return;
        }
        self.release_beyond(slot, lost);
    }

    #[inline(never)]
    fn release_beyond(&mut self, slot: usize, lost: &mut u64) {
        *lost += u64::from(std::mem::take(self.only_beyond(slot)).is_lost());
        if !self.has_topics {
            return;
        }
        if let (row, topic) = std::mem::replace(&mut self.row[slot], (NONE, 0))
            && row != NONE
        {
            *lost += self.rows[topic as usize].release(row);
        }
    }

    /// How many copies are lost of the messages that are still about, but for those that a live
    /// client has.
    pub fn lost_at_end(&self, is_alive: impl Fn(ConsumerId) -> bool) -> u64 {
        let in_work = |copy: &Copy| copy.flags & (BUFFERED | WORKING) != 0 && is_alive(copy.owner);
        let copies = self
            .plain
            .iter()
            .chain(&self.only)
            .chain(self.rows.iter().flat_map(|rows| &rows.copies));
        copies
            .filter(|copy| copy.is_lost() && !in_work(copy))
            .count() as u64
    }
}

fn grow<T: Clone>(table: &mut Vec<T>, slot: usize, blank: T) {
    table.resize((slot + 1).next_power_of_two().max(64), blank);
}

impl Rows {
    fn of(&mut self, row: u32) -> &mut [Copy] {
        let from = row as usize * self.width;
        &mut self.copies[from..from + self.width]
    }

    fn release(&mut self, row: u32) -> u64 {
        self.free.push(row);
        let copies = self.of(row);
        let lost = copies.iter().filter(|copy| copy.is_lost()).count();
        copies.fill(Copy::default());
        lost as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Plan, Story, first_life, plan};

    #[test]
    fn a_slot_that_is_used_again_starts_afresh() {
        let scenario = plan().queue("q").producer("p", 0).consumer("c", 0);
        let mut ledger = Ledger::new(&scenario);
        let mut story = Story::new(&scenario, ());
        let first = story.send(0);
        ledger.of(first, 0).set(DELIVERED);
        ledger.release(first, &mut 0);
        story.release(first);
        let second = story.send(0);
        assert_eq!(first.slot(), second.slot());
        assert!(!ledger.of(second, 0).is(DELIVERED));
    }

    #[test]
    fn consumers_of_a_topic_have_a_copy_each_and_rows_are_used_again() {
        let scenario = plan().queue("q").topic("t").producer("p", 1);
        let scenario = scenario.consumer("q", 0).consumer("a", 1).consumer("b", 1);
        let mut ledger = Ledger::new(&scenario);
        let mut story = Story::new(&scenario, ());
        for _ in 0..100 {
            let message = story.send(0);
            ledger.fan_out(message, 1);
            assert!(ledger.of(message, 2).is(WAITING));
            ledger.of(message, 1).set(OWED);
            assert!(!ledger.of(message, 2).is(OWED));
            let mut lost = 0;
            ledger.release(message, &mut lost);
            assert_eq!(lost, 1, "one of two copies is lost");
            story.release(message);
        }
        assert_eq!(ledger.rows[1].copies.len(), 2);
    }

    #[test]
    fn what_a_live_client_works_on_is_not_lost() {
        let scenario = plan().queue("q").producer("p", 0).consumer("c", 0);
        let mut ledger = Ledger::new(&scenario);
        let mut story = Story::new(&scenario, ());
        let message = story.send(0);
        let copy = ledger.of(message, 0);
        copy.owner = first_life(0);
        copy.set(OWED | WORKING);
        assert_eq!(ledger.lost_at_end(|_| true), 0);
        assert_eq!(ledger.lost_at_end(|_| false), 1);
    }
}
