//! Levels over time: how many at most, and how many on average.

use crate::kernel::Time;

/// A level that goes up and down, with its largest value and its integral over time. Costs
/// something when it changes only.
#[derive(Clone, Copy, Debug, Default)]
pub struct Level {
    now: u32,
    max: u32,
    since: Time,
    /// Level times nanoseconds.
    area: u128,
}

impl Level {
    /// Up by so many.
    #[inline]
    pub fn add(&mut self, at: Time, by: u32) {
        self.settle(at);
        self.now += by;
        self.max = self.max.max(self.now);
    }

    /// Down by so many, not below 0.
    #[inline]
    pub fn subtract(&mut self, at: Time, by: u32) {
        self.settle(at);
        self.now = self.now.saturating_sub(by);
    }

    /// Down to 0.
    pub fn clear(&mut self, at: Time) {
        self.subtract(at, u32::MAX);
    }

    #[inline]
    fn settle(&mut self, at: Time) {
        self.area += u128::from(at.since(self.since).0) * u128::from(self.now);
        self.since = at;
    }

    /// Forgets what was before; the level stays.
    pub fn restart(&mut self, at: Time) {
        *self = Level {
            now: self.now,
            max: self.now,
            since: at,
            area: 0,
        };
    }

    /// How many there are.
    pub fn now(&self) -> u32 {
        self.now
    }

    /// How many there were at most.
    pub fn max(&self) -> u32 {
        self.max
    }

    /// How many there were on average over a number of nanoseconds that ends at this time; none
    /// over no time.
    pub fn mean(mut self, at: Time, over_nanos: u64) -> Option<f64> {
        self.settle(at);
        (over_nanos > 0).then(|| self.area as f64 / over_nanos as f64)
    }
}

/// A mean of spans.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mean {
    sum: u128,
    count: u64,
    max: u64,
}

impl Mean {
    /// One more, in nanoseconds.
    #[inline]
    pub fn record(&mut self, nanos: u64) {
        self.sum += u128::from(nanos);
        self.count += 1;
        self.max = self.max.max(nanos);
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum in nanoseconds, as far as it fits.
    pub fn sum(&self) -> u64 {
        u64::try_from(self.sum).unwrap_or(u64::MAX)
    }

    /// Their mean in whole nanoseconds, rounded; none without any.
    pub fn mean(&self) -> Option<u64> {
        let half = u128::from(self.count / 2);
        (self.count > 0).then(|| ((self.sum + half) / u128::from(self.count)) as u64)
    }

    /// The largest; none without any.
    pub fn max(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_has_a_mean_over_time() {
        let mut level = Level::default();
        level.add(Time(10), 2);
        level.add(Time(20), 1);
        level.subtract(Time(30), 3);
        // 2 for 10 ns, 3 for 10 ns, then nothing: 50 in 100 ns.
        assert_eq!(level.mean(Time(100), 100), Some(0.5));
        assert_eq!((level.now(), level.max()), (0, 3));
    }

    #[test]
    fn a_restart_keeps_the_level_only() {
        let mut level = Level::default();
        level.add(Time(0), 5);
        level.subtract(Time(10), 3);
        level.restart(Time(10));
        assert_eq!(level.max(), 2);
        assert_eq!(level.mean(Time(20), 10), Some(2.0));
    }

    #[test]
    fn a_mean_is_rounded_to_the_nanosecond() {
        let mut mean = Mean::default();
        assert_eq!(mean.mean(), None);
        [1, 2, 2].into_iter().for_each(|nanos| mean.record(nanos));
        assert_eq!(
            (mean.mean(), mean.max(), mean.count()),
            (Some(2), Some(2), 3)
        );
    }
}
