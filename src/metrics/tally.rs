//! Counters of one consumer, producer or destination, and of the whole run: what starts afresh
//! after the warm-up.

use super::activity::{Activity, Buffers};
use super::document::{AcksByType, Commands, MessageCounts};
use super::ends::Ends;
use super::histogram::Histogram;
use super::integral::{Level, Mean, Spans, Spell};
use super::ledger::{Flags, HELD, IN_FLIGHT};
use super::recovery::Recovery;
use crate::kernel::Time;

/// What a consumer has done. First what changes with every message, so that it lies together.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct ConsumerCounts {
    pub buffered: Mean,
    pub in_flight: Mean,
    pub dispatched: u64,
    pub delivered: u64,
    pub processed: u64,
    pub acknowledged: u64,
    /// Meaningless before the first delivery.
    pub last_delivered: Time,
    /// When the command that took its last message off reached the broker. Meaningless before the
    /// first acknowledgement.
    pub last_acknowledged: Time,
    pub acks: AcksByType,
    pub redelivered: u64,
    pub failed: u64,
    pub skipped: u64,
    pub slow_marks: u64,
    pub aborts: u64,
    pub crashes: u64,
    pub commits_failed: u64,
    pub pulls: u64,
}

/// A consumer: what is the case now, and what has been counted. First what changes with every
/// message.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct ConsumerTally {
    pub destination: usize,
    /// The life that runs; 0: none.
    pub life: u32,
    /// Dispatched to it, and neither taken off nor returned.
    pub in_flight: u32,
    pub held: Level,
    pub activity: Activity,
    /// When its last ack that takes messages off reached the broker.
    pub last_ack: Time,
    /// Whether its acks take effect with a COMMIT of the session.
    pub is_transacted: bool,
    pub counts: ConsumerCounts,
    pub session: usize,
    /// Which life the broker flagged or filled last.
    pub marked_life: u32,
    pub window_full: Spell,
    pub slow: Spell,
    pub recovery: Recovery,
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

    /// Forgets what was before; what is the case goes on.
    pub fn restart(&mut self, now: Time, buffers: &Buffers) {
        self.activity.restart(now, buffers);
        self.held.restart(now);
        self.window_full.restart(now);
        self.slow.restart(now);
        self.counts = ConsumerCounts::default();
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
