//! Levels over time: how many at most, and how many on average.

use crate::kernel::Time;

/// How long something has lasted in all, by a clock that never goes back. The reading at which it
/// begins is taken off at once and the one at which it ends added, modulo 2^64, so that either
/// costs one addition. Whether it lasts just now is for the owner to know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stopwatch(u64);

impl Stopwatch {
    /// It begins.
    #[inline]
    pub fn start(&mut self, at: u64) {
        self.0 = self.0.wrapping_sub(at);
    }

    /// It ends.
    #[inline]
    pub fn stop(&mut self, at: u64) {
        self.0 = self.0.wrapping_add(at);
    }

    /// While it lasts: by another watch from now on than so far. Both run now or both stand, and
    /// what they would read in common can be left out.
    #[inline]
    pub fn go_on_by(&mut self, other: Stopwatch, so_far: Stopwatch) {
        self.0 = self.0.wrapping_add(so_far.0).wrapping_sub(other.0);
    }

    /// How long, up to now.
    #[inline]
    pub fn total(self, at: u64, is_running: bool) -> u64 {
        self.0.wrapping_add(if is_running { at } else { 0 })
    }

    /// Forgets what was before; if it lasts, it goes on.
    pub fn restart(&mut self, at: u64, is_running: bool) {
        *self = Stopwatch::default();
        if is_running {
            self.start(at);
        }
    }
}

/// Time during which something holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spell {
    watch: Stopwatch,
    holds: bool,
}

impl Spell {
    /// It holds from now on, or it does not.
    pub fn set(&mut self, now: Time, holds: bool) {
        match (self.holds, holds) {
            (false, true) => self.watch.start(now.0),
            (true, false) => self.watch.stop(now.0),
            _ => {}
        }
        self.holds = holds;
    }

    /// Forgets what was before.
    pub fn restart(&mut self, now: Time) {
        self.watch.restart(now.0, self.holds);
    }

    /// Whether it holds now.
    pub fn holds(&self) -> bool {
        self.holds
    }

    /// For how many nanoseconds it has held.
    pub fn nanos(&self, now: Time) -> u64 {
        self.watch.total(now.0, self.holds)
    }
}

/// A level that goes up and down, with its largest value and its integral over time. Costs
/// something when it changes only.
// Packed, for 20 bytes: a consumer's lies in one cache line with all else that a dispatch changes.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, packed(4))]
pub struct Level {
    /// Level times nanoseconds, as if the present level had held from time 0 on and less that much:
    /// up by one takes off the time of it, down by one adds it, modulo 2^96.
    area: u64,
    area_beyond: u32,
    now: u32,
    max: u32,
}

impl Level {
    /// Up by so many.
    #[inline]
    pub fn add(&mut self, at: Time, by: u32) {
        let (beyond, area) = area(at, by);
        let (area, borrows) = self.area.overflowing_sub(area);
        self.area = area;
        self.area_beyond = self.area_beyond.wrapping_sub(beyond + u32::from(borrows));
        self.now += by;
        if self.now > self.max {
            self.max = self.now;
        }
    }

    /// Down by so many, not below 0.
    #[inline(always)]
    pub fn subtract(&mut self, at: Time, by: u32) {
        if self.now < by {
            return self.clear(at);
        }
        let (beyond, area) = area(at, by);
        let (area, carries) = self.area.overflowing_add(area);
        self.area = area;
        self.area_beyond = self.area_beyond.wrapping_add(beyond + u32::from(carries));
        self.now -= by;
    }

    /// Down to 0.
    #[cold]
    #[inline(never)]
    pub fn clear(&mut self, at: Time) {
        self.subtract(at, self.now);
    }

    /// Forgets what was before; the level stays.
    pub fn restart(&mut self, at: Time) {
        let level = std::mem::take(self).now;
        self.add(at, level);
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
        self.clear(at);
        let area = u128::from(self.area_beyond) << 64 | u128::from(self.area);
        (over_nanos > 0).then(|| area as f64 / over_nanos as f64)
    }
}

/// In two parts, the high one first.
#[inline]
fn area(at: Time, level: u32) -> (u32, u64) {
    let area = u128::from(at.0) * u128::from(level);
    ((area >> 64) as u32, area as u64)
}

/// A sum of spans in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum(u64);

impl Sum {
    /// One more; whether the sum has passed 2^64 with it, which is for the owner to count: a mean
    /// that is kept with so many others has no room for what hardly ever happens.
    #[inline]
    #[must_use]
    pub fn add(&mut self, nanos: u64) -> bool {
        let (sum, passes) = self.0.overflowing_add(nanos);
        self.0 = sum;
        passes
    }

    /// Their mean in whole nanoseconds, rounded; none without any.
    pub fn mean(self, passed: u32, count: u64) -> Option<u64> {
        let sum = u128::from(passed) << 64 | u128::from(self.0);
        Mean { sum, count }.mean()
    }
}

/// A mean of spans.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: u128,
    count: u64,
}

impl Mean {
    /// One more, in nanoseconds.
    #[inline]
    fn record(&mut self, nanos: u64) {
        self.sum += u128::from(nanos);
        self.count += 1;
    }

    /// Their mean in whole nanoseconds, rounded; none without any.
    fn mean(&self) -> Option<u64> {
        let half = u128::from(self.count / 2);
        (self.count > 0).then(|| ((self.sum + half) / u128::from(self.count)) as u64)
    }
}

/// A mean of spans, and the largest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spans {
    mean: Mean,
    max: u64,
}

impl Spans {
    /// One more, in nanoseconds.
    #[inline]
    pub fn record(&mut self, nanos: u64) {
        self.mean.record(nanos);
        if nanos > self.max {
            self.max = nanos;
        }
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.mean.count
    }

    /// Their sum in nanoseconds, as far as it fits.
    pub fn sum(&self) -> u64 {
        u64::try_from(self.mean.sum).unwrap_or(u64::MAX)
    }

    /// Their mean in whole nanoseconds, rounded; none without any.
    pub fn mean(&self) -> Option<u64> {
        self.mean.mean()
    }

    /// The largest; none without any.
    pub fn max(&self) -> Option<u64> {
        (self.count() > 0).then_some(self.max)
    }
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
        let mut spans = Spans::default();
        assert_eq!(spans.mean(), None);
        [1, 2, 2].into_iter().for_each(|nanos| spans.record(nanos));
        assert_eq!(
            (spans.mean(), spans.max(), spans.count()),
            (Some(2), Some(2), 3)
        );
    }
}
