//! Counters of one consumer, producer or destination, and of the whole run: what starts afresh
//! after the warm-up.

use super::activity::{Activity, Buffers};
use super::document::{AcksByType, Commands, MessageCounts};
use super::ends::Ends;
use super::histogram::Histogram;
use super::integral::{Level, Spans, Spell, Sum};
use super::ledger::{Flags, HELD, IN_FLIGHT};
use crate::kernel::Time;
use crate::wire::AckType;

/// A consumer: what is the case now, and what has been counted. What changes with every message
/// takes two cache lines: the first is what the broker's facts about it change, the second what its
/// client's facts do. Of the second, the activity comes last, whose end changes rarely. In all it
/// takes an odd number of such pairs: so those of many consumers use every set of a cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(128))]
pub struct ConsumerTally {
    /// The life that runs; 0: none.
    pub life: u32,
    /// Dispatched to it, and neither taken off nor returned.
    pub in_flight: u32,
    pub held: Level,
    /// Whether its acks take effect with a COMMIT of the session.
    pub is_transacted: bool,
    /// When its last ack that takes messages off reached the broker.
    pub last_ack: Time,
    pub dispatched: u64,
    pub standard_acks: u64,
    pub acknowledged: u64,

    pub delivered: u64,
    /// Meaningless before the first delivery.
    pub last_delivered: Time,
    pub processed: u64,
    /// From a message's arrival to its delivery, but for the deliveries that are not its first.
    pub buffered: Sum,
    /// From dispatches to the end of the processing, but for the ends that belong to none.
    pub until_processed: Sum,
    pub activity: Activity,

    pub destination: usize,
    pub session: usize,
    /// Which life the broker flagged or filled last.
    pub marked_life: u32,
    pub window_full: Spell,
    pub counts: ConsumerCounts,
    pub slow: Spell,
}

/// What a consumer has done that is not done with every message.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConsumerCounts {
    /// But for STANDARD ones.
    pub acks: AcksByType,
    /// Deliveries that do not count for the time in the buffer.
    pub not_buffered: u64,
    /// Ends of processings that do not count for the time in flight.
    pub not_awaited: u64,
    /// How often these sums have passed 2^64.
    pub buffered_passed: u32,
    pub until_processed_passed: u32,
    pub redelivered: u64,
    pub failed: u64,
    pub skipped: u64,
    pub slow_marks: u64,
    pub aborts: u64,
    pub crashes: u64,
    pub commits_failed: u64,
    pub pulls: u64,
}

impl ConsumerTally {
    /// A copy that was dispatched to a life of it is in flight no more, if that held for it.
    #[inline(always)]
    pub fn take_back(&mut self, held: Flags, life: u32, now: Time, in_flight: &mut Level) {
        if held & IN_FLIGHT == 0 {
            return;
        }
        self.in_flight -= 1;
        in_flight.subtract(now, 1);
        if held & HELD != 0 && self.life == life {
            self.held.subtract(now, 1);
        }
    }

    /// A delivery; whether its message leaves the buffer with it.
    #[inline(always)]
    pub fn begins(&mut self, now: Time, buffers: &mut Buffers, out_of_buffer: bool) {
        self.activity.begins(now, buffers, out_of_buffer);
        self.delivered += 1;
        self.last_delivered = now;
    }

    /// A message waited so long for its delivery.
    #[inline(always)]
    pub fn record_buffered(&mut self, nanos: u64) {
        if self.buffered.add(nanos) {
            self.counts.buffered_passed += 1;
        }
    }

    /// A dispatch was processed so long after it.
    #[inline(always)]
    pub fn record_processed(&mut self, nanos: u64) {
        if self.until_processed.add(nanos) {
            self.counts.until_processed_passed += 1;
        }
    }

    /// The mean time from a message's arrival to its delivery.
    pub fn mean_buffered(&self) -> Option<u64> {
        let count = self.delivered - self.counts.not_buffered;
        self.buffered.mean(self.counts.buffered_passed, count)
    }

    /// The mean time from a dispatch to the end of the processing.
    pub fn mean_until_processed(&self) -> Option<u64> {
        let counts = &self.counts;
        let count = self.processed + counts.failed + counts.skipped - counts.not_awaited;
        let passed = counts.until_processed_passed;
        self.until_processed.mean(passed, count)
    }

    /// When the command arrived by which its messages are being taken off, if commands of sessions
    /// that end transactions arrived at these times.
    #[inline(always)]
    pub fn acknowledged_at(&self, commits: &[Time]) -> Time {
        if self.is_transacted {
            commits[self.session]
        } else {
            self.last_ack
        }
    }

    /// Acks that reached the broker.
    pub fn acks(&self) -> AcksByType {
        let mut acks = self.counts.acks;
        acks.0[AckType::Standard as usize] = self.standard_acks;
        acks
    }

    /// Forgets what was before; what is the case goes on.
    pub fn restart(&mut self, now: Time, buffers: &Buffers) {
        *self = ConsumerTally {
            dispatched: 0,
            standard_acks: 0,
            acknowledged: 0,
            delivered: 0,
            last_delivered: Time::ZERO,
            processed: 0,
            buffered: Sum::default(),
            until_processed: Sum::default(),
            counts: ConsumerCounts::default(),
            ..*self
        };
        self.activity.restart(now, buffers);
        self.held.restart(now);
        self.window_full.restart(now);
        self.slow.restart(now);
    }
}

/// What a producer has done.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProducerTally {
    pub sent: u64,
    /// Since when it is in a call of send.
    pub calling_since: Option<Time>,
    pub blocked: Spans,
    pub late: Spans,
    pub failed: u64,
    pub committed: u64,
    pub rolled_back: u64,
}

/// A destination.
#[derive(Clone, Copy, Debug, Default)]
pub struct DestinationTally {
    pub is_queue: bool,
    pub buffers: Buffers,
    pub depth: Level,
    pub in_flight: Level,
    pub enqueued: u64,
    pub order_violations: u64,
}

impl DestinationTally {
    /// Forgets what was before; depths go on.
    pub fn restart(&mut self, now: Time) {
        self.depth.restart(now);
        self.in_flight.restart(now);
        self.enqueued = 0;
        self.order_violations = 0;
    }
}

/// The whole run.
#[derive(Clone, Debug, Default)]
pub struct RunTally {
    pub messages: MessageCounts,
    /// But for those that are counted elsewhere: messages, dispatches, acks and pulls.
    pub commands: Commands,
    pub acks_refused: u64,
    /// When the command that took a message off last reached the broker. Meaningless before the
    /// first acknowledgement.
    pub last_acknowledged: Time,
    pub first_send: Option<Time>,
    pub first_subscribe: Option<Time>,
    pub first_start: Option<Time>,
    /// Work that was cut off: it counts for the makespan only.
    pub last_interrupted: Option<Time>,
    pub ends: Ends,
    pub to_delivered: Histogram,
    pub to_processed: Histogram,
    pub to_acknowledged: Histogram,
}

impl RunTally {
    /// A message was taken off by a command that had arrived at this time.
    #[inline(always)]
    pub fn count_acknowledged(&mut self, arrived_at: Time) {
        self.messages.acknowledged += 1;
        if arrived_at > self.last_acknowledged {
            self.last_acknowledged = arrived_at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn what_changes_with_every_message_takes_two_cache_lines() {
        assert_eq!(offset_of!(ConsumerTally, delivered), 64);
        assert_eq!(offset_of!(ConsumerTally, activity), 128 - 24);
        assert_eq!(size_of::<ConsumerTally>() / 128, 3);
    }
}
