//! Levels over time in bounded memory: bins of a power of two nanoseconds, at most [`CAPACITY`] of
//! them. When a run outgrows them, neighbours are merged and every bin is twice as wide; each keeps
//! the least, the largest, the mean and the last value, so that no peak is lost. The outcome
//! depends on the values alone, not on when bins were merged.

use crate::kernel::Time;

/// Most bins of a series.
pub const CAPACITY: usize = 1200;
const FIRST_SHIFT: u32 = 13;

/// One level that changes over time. A value that did not last, because another followed at the
/// same instant, leaves no trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gauge {
    /// As it is now.
    pub value: u64,
    since: Time,
    so_far: Bin,
}

impl Default for Gauge {
    fn default() -> Gauge {
        Gauge {
            value: 0,
            since: Time::ZERO,
            so_far: Bin::EMPTY,
        }
    }
}

impl Gauge {
    /// A new value.
    #[inline]
    pub fn set(&mut self, now: Time, value: u64) {
        if now > self.since {
            self.note(now);
        }
        self.value = value;
    }

    /// Up or down by some; never below 0.
    #[inline]
    pub fn shift(&mut self, now: Time, change: i64) {
        self.set(now, self.value.saturating_add_signed(change));
    }

    #[inline]
    fn note(&mut self, now: Time) {
        let bin = &mut self.so_far;
        bin.least = bin.least.min(self.value);
        bin.largest = bin.largest.max(self.value);
        bin.area += self.value as f64 * now.since(self.since).0 as f64;
        self.since = now;
    }

    fn take(&mut self, now: Time) -> Bin {
        self.note(now);
        self.so_far.last = self.value;
        std::mem::replace(&mut self.so_far, Bin::EMPTY)
    }
}

/// What a level did within a bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// The least value.
    pub least: u64,
    /// The largest value.
    pub largest: u64,
    /// The value at the end of the bin.
    pub last: u64,
    /// Value times nanoseconds.
    pub area: f64,
}

impl Bin {
    const EMPTY: Bin = Bin {
        least: u64::MAX,
        largest: 0,
        last: 0,
        area: 0.0,
    };

    /// This bin and the next as one.
    pub fn joined(self, next: Bin) -> Bin {
        Bin {
            least: self.least.min(next.least),
            largest: self.largest.max(next.largest),
            last: next.last,
            area: self.area + next.area,
        }
    }
}

/// The clock that several series share: tells when a bin is over, and when they have to be thinned.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    shift: u32,
    bins: usize,
}

impl Default for Grid {
    fn default() -> Grid {
        Grid {
            shift: FIRST_SHIFT,
            bins: 0,
        }
    }
}

/// What a series has to do to keep up with its grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Append a bin that ends then.
    Append(Time),
    /// Merge neighbours.
    Thin,
}

impl Grid {
    /// The instant from which a new bin has to be begun.
    pub fn edge(&self) -> Time {
        Time(((self.bins as u64).saturating_add(1)).saturating_mul(1 << self.shift))
    }

    /// The next step on the way to `now`; None once the current bin holds it.
    pub fn step(&mut self, now: Time) -> Option<Step> {
        if now < self.edge() || self.shift >= 62 {
            return None;
        }
        if self.bins < CAPACITY && (now.0 >> self.shift) < CAPACITY as u64 {
            let edge = self.edge();
            self.bins += 1;
            return Some(Step::Append(edge));
        }
        self.shift += 1;
        // An odd bin at the end becomes part of the current one, so that bins stay aligned.
        self.bins /= 2;
        Some(Step::Thin)
    }

    /// Where bin number `index` ends.
    pub fn end_of(&self, index: usize) -> Time {
        Time((index as u64 + 1) << self.shift)
    }
}

/// The bins of one level.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// As it is now.
    pub gauge: Gauge,
    bins: Vec<Bin>,
}

impl Series {
    /// Keeps up with the grid.
    pub fn follow(&mut self, step: Step) {
        match step {
            Step::Append(edge) => self.bins.push(self.gauge.take(edge)),
            Step::Thin => self.thin(),
        }
    }

    fn thin(&mut self) {
        if self.bins.len() % 2 == 1 {
            let odd = self.bins.pop().unwrap_or(Bin::EMPTY);
            self.gauge.so_far = odd.joined(self.gauge.so_far);
        }
        let join = |pair: &[Bin]| pair[0].joined(pair[1]);
        self.bins = self.bins.chunks_exact(2).map(join).collect();
    }

    /// Bins from the start of the run to `end`, each with the instant at which it ends.
    pub fn bins(&self, grid: &Grid, end: Time) -> Vec<(Time, Bin)> {
        let whole = self.bins.iter().enumerate();
        let mut bins: Vec<_> = whole
            .map(|(index, bin)| (grid.end_of(index), *bin))
            .collect();
        let mut gauge = self.gauge;
        bins.push((end, gauge.take(end)));
        bins
    }

    /// The largest value ever.
    pub fn peak(&self) -> u64 {
        let past = self.bins.iter().map(|bin| bin.largest).max();
        past.unwrap_or(0)
            .max(self.gauge.so_far.largest)
            .max(self.gauge.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: impl IntoIterator<Item = (u64, u64)>) -> (Grid, Series) {
        let (mut grid, mut series) = (Grid::default(), Series::default());
        for (at, value) in values {
            while let Some(step) = grid.step(Time(at)) {
                series.follow(step);
            }
            series.gauge.set(Time(at), value);
        }
        (grid, series)
    }

    #[test]
    fn a_long_run_keeps_its_peaks_and_a_bounded_number_of_points() {
        let spike = |at: u64| if at == 777_777 { 9_999 } else { at % 7 };
        let (grid, series) = series((0..1_000_000).map(|step| (step * 10_000, spike(step))));
        let bins = series.bins(&grid, Time(10_000_000_000));
        assert!(
            (CAPACITY / 2..=CAPACITY + 1).contains(&bins.len()),
            "{}",
            bins.len()
        );
        assert_eq!(series.peak(), 9_999);
        let (end, _) = bins
            .iter()
            .find(|(_, bin)| bin.largest == 9_999)
            .expect("the spike");
        assert!(end.0 > 7_777_770_000 && end.0 < 7_790_000_000);
        assert_eq!(bins.last().expect("the last bin").1.last, 999_999 % 7);
    }

    #[test]
    fn silence_repeats_the_last_value_and_what_did_not_last_is_forgotten() {
        let (grid, series) = series([(0, 5), (1, 9), (1, 3), (1_000_000_000_000_000, 8)]);
        let bins = series.bins(&grid, Time(1_000_000_000_000_000));
        let (end, first) = bins[0];
        assert_eq!((first.least, first.largest, first.last), (3, 5, 3));
        assert_eq!(first.area, 5.0 + 3.0 * (end.0 - 1) as f64);
        assert!(
            bins[1..bins.len() - 1]
                .iter()
                .all(|(_, bin)| (bin.least, bin.last) == (3, 3))
        );
        let (_, last) = bins[bins.len() - 1];
        assert_eq!((last.least, last.last), (3, 8));
    }

    #[test]
    fn bins_end_one_after_the_other() {
        let (grid, series) = series((0..5_000).map(|step| (step * step * 1_000, step)));
        let bins = series.bins(&grid, Time(30_000_000_000));
        assert!(bins.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
