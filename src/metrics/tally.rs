//! Counters of one consumer, producer or destination, and of the whole run: what starts afresh
//! after the warm-up.

use super::activity::{Activity, Buffers};
use super::document::{AcksByType, Commands, MessageCounts};
use super::ends::Ends;
use super::histogram::Histogram;
use super::integral::{Level, Mean};
use super::recovery::Recovery;
use crate::kernel::Time;

/// Time during which something holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spell {
    since: Option<Time>,
    nanos: u64,
}

impl Spell {
    /// It holds from now on, or it does not.
    pub fn set(&mut self, now: Time, holds: bool) {
        if let Some(since) = self.since.take() {
            self.nanos += now.since(since).0;
        }
        self.since = holds.then_some(now);
    }

    /// Forgets what was before.
    pub fn restart(&mut self, now: Time) {
        *self = Spell {
            since: self.since.map(|_| now),
            nanos: 0,
        };
    }

    /// Whether it holds now.
    pub fn holds(&self) -> bool {
        self.since.is_some()
    }

    /// For how many nanoseconds it has held.
    pub fn nanos(&self, now: Time) -> u64 {
        self.nanos + self.since.map_or(0, |since| now.since(since).0)
    }
}

/// What a consumer has done.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConsumerCounts {
    pub delivered: u64,
    pub processed: u64,
    pub redelivered: u64,
    pub failed: u64,
    pub skipped: u64,
    pub acknowledged: u64,
    pub dispatched: u64,
    pub slow_marks: u64,
    pub aborts: u64,
    pub crashes: u64,
    pub commits_failed: u64,
    pub pulls: u64,
    pub acks: AcksByType,
    pub buffered: Mean,
    pub in_flight: Mean,
    pub last_delivered: Option<Time>,
}

/// A consumer: what is the case now, and what has been counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConsumerTally {
    pub destination: usize,
    pub session: usize,
    /// The life that runs; 0: none.
    pub life: u32,
    /// Which life the broker flagged or filled last.
    pub marked_life: u32,
    pub activity: Activity,
    pub held: Level,
    /// Dispatched to it, and neither taken off nor returned.
    pub in_flight: u32,
    pub window_full: Spell,
    pub slow: Spell,
    pub recovery: Recovery,
    /// When its last ack that takes messages off reached the broker.
    pub last_ack: Time,
    pub counts: ConsumerCounts,
}

impl ConsumerTally {
    /// Forgets what was before; what is the case goes on.
    pub fn restart(&mut self, now: Time, buffers: &mut Buffers) {
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
    pub blocked: Mean,
    pub late: Mean,
    pub failed: u64,
    pub committed: u64,
    pub rolled_back: u64,
}

/// A destination.
#[derive(Clone, Copy, Debug, Default)]
pub struct DestinationTally {
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
    pub commands: Commands,
    pub acks_refused: u64,
    pub first_send: Option<Time>,
    pub first_subscribe: Option<Time>,
    pub first_start: Option<Time>,
    pub last_processed: Option<Time>,
    /// Meaningless before the first acknowledgement.
    pub last_acknowledged: Time,
    /// Work that was cut off: it counts for the makespan only.
    pub last_interrupted: Option<Time>,
    pub ends: Ends,
    pub to_delivered: Histogram,
    pub to_processed: Histogram,
    pub to_acknowledged: Histogram,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_add_up_and_an_open_one_counts() {
        let mut spell = Spell::default();
        spell.set(Time(10), true);
        spell.set(Time(15), true);
        spell.set(Time(20), false);
        spell.set(Time(25), false);
        spell.set(Time(30), true);
        assert_eq!(spell.nanos(Time(100)), 80);
        spell.restart(Time(90));
        assert_eq!(spell.nanos(Time(100)), 10);
    }
}
