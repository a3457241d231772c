//! How long it takes after a crash until everything is in somebody's hands again.

use super::integral::Spans;
use crate::kernel::Time;

/// The recoveries of one consumer. An episode begins with a crash and is over when every message
/// that the broker took back because of it has been handed over again, or taken off. Another crash
/// before that prolongs it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recovery {
    crashed_at: Option<Time>,
    /// Which life died last.
    life: u32,
    /// Messages given back and not handed over again.
    missing: u32,
    recovered_at: Option<Time>,
    recoveries: Spans,
}

impl Recovery {
    /// The process died.
    pub fn crashed(&mut self, now: Time, life: u32) {
        if self.missing == 0 {
            self.conclude();
            self.crashed_at = Some(now);
        }
        self.life = life;
    }

    /// The broker took back a message; whether it is now missed because of a crash.
    pub fn returned(&mut self, life: u32) -> bool {
        let is_missed = self.crashed_at.is_some() && self.life == life;
        self.missing += u32::from(is_missed);
        is_missed
    }

    /// A missed message is in somebody's hands again, or has been taken off.
    pub fn found(&mut self, now: Time) {
        self.missing = self.missing.saturating_sub(1);
        if self.missing == 0 {
            self.recovered_at = Some(now);
        }
    }

    fn conclude(&mut self) {
        let crashed_at = self.crashed_at.take();
        let recovered_at = self.recovered_at.take();
        if let (Some(from), Some(to)) = (crashed_at, recovered_at) {
            self.recoveries.record(to.since(from).0);
        }
    }

    /// How long the recoveries took, in nanoseconds, and whether messages are still missing.
    pub fn finish(mut self) -> (Spans, bool) {
        if self.missing == 0 {
            self.conclude();
        }
        (self.recoveries, self.missing > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_message_ends_the_recovery() {
        let mut recovery = Recovery::default();
        recovery.crashed(Time(100), 1);
        assert!(recovery.returned(1) && recovery.returned(1));
        recovery.found(Time(150));
        recovery.found(Time(180));
        let (recoveries, pending) = recovery.finish();
        assert_eq!(
            (recoveries.mean(), recoveries.count(), pending),
            (Some(80), 1, false)
        );
    }

    #[test]
    fn a_message_handed_over_before_the_next_is_taken_back_prolongs_it() {
        let mut recovery = Recovery::default();
        recovery.crashed(Time(100), 1);
        recovery.returned(1);
        recovery.found(Time(120));
        recovery.returned(1);
        recovery.found(Time(170));
        assert_eq!(recovery.finish().0.max(), Some(70));
    }

    #[test]
    fn a_crash_with_empty_hands_needs_no_recovery() {
        let mut recovery = Recovery::default();
        recovery.crashed(Time(100), 1);
        recovery.crashed(Time(500), 2);
        recovery.returned(2);
        recovery.found(Time(510));
        let (recoveries, _) = recovery.finish();
        assert_eq!((recoveries.count(), recoveries.max()), (1, Some(10)));
    }

    #[test]
    fn a_clean_close_is_no_crash_and_what_is_missing_is_pending() {
        let mut recovery = Recovery::default();
        assert!(!recovery.returned(1));
        recovery.crashed(Time(100), 2);
        assert!(!recovery.returned(3));
        assert!(recovery.returned(2));
        assert!(recovery.finish().1);
    }
}
