//! The times at which processings ended, for the steady rate: how fast it went in the middle three
//! fifths of the work.

use crate::kernel::Time;

/// So many times are kept at most.
const CAPACITY: usize = 65_536;

/// Times of ends in order, thinned out when they become too many: first all are kept, then every
/// second, every fourth …
///
/// Of up to 65,536 ends every time is exact. Beyond that a time between two kept ones is
/// interpolated, and off by less than the time between these two, at most 1/32,768 of all ends
/// apart.
#[derive(Clone, Debug)]
pub struct Ends {
    /// The times that are kept, in nanoseconds, and room for the rest: all of it at once and
    /// blank, which costs memory only where it is used.
    times: Vec<u64>,
    kept: usize,
    /// Which are kept: every so many, a power of two.
    stride: u64,
    /// How many more will pass before the next is kept.
    ahead: u64,
    last: Time,
}

impl Default for Ends {
    fn default() -> Ends {
        Ends {
            times: Vec::new(),
            kept: 0,
            stride: 1,
            ahead: 0,
            last: Time::ZERO,
        }
    }
}

impl Ends {
    /// One more end, not earlier than the one before.
    #[inline(always)]
    pub fn push(&mut self, at: Time) {
        self.last = at;
        if self.ahead > 0 {
            self.ahead -= 1;
            return;
        }
        self.ahead = self.stride - 1;
        match self.times.get_mut(self.kept) {
            Some(place) => {
                *place = at.0;
                self.kept += 1;
            }
            None => self.make_room(at),
        }
    }

    /// The last one; none without any.
    pub fn last(&self) -> Option<Time> {
        (self.kept > 0).then_some(self.last)
    }

    fn count(&self) -> u64 {
        self.kept as u64 * self.stride - self.ahead
    }

    /// For one more, which is then kept.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, at: Time) {
        if self.times.is_empty() {
            self.times = vec![0; CAPACITY];
        } else {
            self.thin_out();
        }
        self.times[self.kept] = at.0;
        self.kept += 1;
    }

    /// The end number CAPACITY × old stride is a multiple of the new stride as well.
    fn thin_out(&mut self) {
        self.kept /= 2;
        for index in 0..self.kept {
            self.times[index] = self.times[2 * index];
        }
        self.stride *= 2;
        self.ahead = self.stride - 1;
    }

    /// `(⌊4n/5⌋ − ⌊n/5⌋)` ends by the time between end number ⌊n/5⌋ and end number ⌊4n/5⌋, counted
    /// from 0, in ends per second. None where no time lies between them.
    pub fn steady_per_second(&self) -> Option<f64> {
        let (from, to) = (self.count() / 5, self.count() * 4 / 5);
        if from == to {
            return None;
        }
        let nanos = self.time_of(to).since(self.time_of(from)).0;
        (nanos > 0).then(|| (to - from) as f64 * 1e9 / nanos as f64)
    }

    fn time_of(&self, number: u64) -> Time {
        let index = (number / self.stride) as usize;
        let before = Time(self.times[index]);
        let beyond = number % self.stride;
        if beyond == 0 {
            return before;
        }
        let (after, apart) = match self.times[..self.kept].get(index + 1) {
            Some(after) => (Time(*after), self.stride),
            None => (self.last, self.count() - 1 - index as u64 * self.stride),
        };
        let part = u128::from(after.since(before).0) * u128::from(beyond) / u128::from(apart);
        Time(before.0 + part as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: impl IntoIterator<Item = u64>) -> Ends {
        let mut ends = Ends::default();
        times
            .into_iter()
            .for_each(|millis| ends.push(Time(millis * 1_000_000)));
        ends
    }

    #[test]
    fn the_middle_three_fifths_count() {
        // Ten ends: number 2 (at 20 ms) to number 8 (at 140 ms) are six in 120 ms.
        let ends = of([0, 1, 20, 40, 60, 80, 100, 120, 140, 1000]);
        assert_eq!(ends.steady_per_second(), Some(50.0));
    }

    #[test]
    fn too_few_or_all_at_once_have_no_rate() {
        assert_eq!(of([]).steady_per_second(), None);
        assert_eq!(of([5]).steady_per_second(), None);
        assert_eq!(of([5; 20]).steady_per_second(), None);
    }

    #[test]
    fn two_ends_are_enough() {
        assert_eq!(of([10, 14]).steady_per_second(), Some(250.0));
    }

    #[test]
    fn thinning_out_keeps_a_steady_rate() {
        let ends = of(0..1_000_001);
        assert_eq!((ends.times.len(), ends.stride), (CAPACITY, 16));
        assert_eq!(ends.steady_per_second(), Some(1000.0));
    }

    #[test]
    fn thinned_out_times_are_exact_at_the_kept_ends_and_interpolated_between() {
        let ends = of((0..200_000).map(|k| k * k));
        assert_eq!(ends.stride, 4);
        assert_eq!(ends.time_of(1000), Time(1_000_000 * 1_000_000));
        let between = ends.time_of(1001).0 as f64 / 1e6;
        let (below, above) = (1000.0 * 1000.0, 1004.0 * 1004.0);
        assert!(between > below && between < above);
    }
}
