//! A log-linear histogram of time spans, after HdrHistogram: exact below 1024 ns, then 1024 buckets
//! to each doubling.

use crate::kernel::Span;

/// Buckets in each doubling of the value.
const BUCKETS: usize = 1024;

/// Counts of spans, in memory that depends on the largest only (8 KB for each doubling up to it).
///
/// A quantile is off by at most 1 in 2048 (more than three significant digits); mean, smallest and
/// largest are exact.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// Of all buckets up to the end of the largest doubling that occurred.
    counts: Vec<u64>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram {
            counts: Vec::new(),
            count: 0,
            sum: 0,
            min: u64::MAX,
            max: 0,
        }
    }
}

impl Histogram {
    /// One more value.
    #[inline(always)]
    pub fn record(&mut self, span: Span) {
        match self.counts.get_mut(place(span.0)) {
            Some(count) => *count += 1,
            None => self.grow(span),
        }
        self.count += 1;
        self.sum += u128::from(span.0);
        if span.0 < self.min {
            self.min = span.0;
        }
        if span.0 > self.max {
            self.max = span.0;
        }
    }

    /// The first value of a doubling, or of several.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, span: Span) {
        let bucket = place(span.0);
        self.counts
            .resize((bucket + 1).next_multiple_of(BUCKETS), 0);
        self.counts[bucket] = 1;
    }

    /// Takes in all values of another one.
    pub fn merge(&mut self, other: &Histogram) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean, to the nanosecond; none without values.
    pub fn mean(&self) -> Option<Span> {
        let half = u128::from(self.count / 2);
        (self.count > 0).then(|| Span(((self.sum + half) / u128::from(self.count)) as u64))
    }

    /// The largest value; none without values.
    pub fn max(&self) -> Option<Span> {
        (self.count > 0).then_some(Span(self.max))
    }

    /// The smallest value; none without values.
    pub fn min(&self) -> Option<Span> {
        (self.count > 0).then_some(Span(self.min))
    }

    /// The value of this rank in `per_mille` of all values (999: p99.9): the smallest bucket that
    /// leaves at most the rest above it; none without values.
    pub fn quantile(&self, per_mille: u64) -> Option<Span> {
        if self.count == 0 {
            return None;
        }
        let rank = (u128::from(self.count) * u128::from(per_mille))
            .div_ceil(1000)
            .max(1) as u64;
        let mut below = 0;
        let at_rank = self.buckets().find(|(_, _, count)| {
            below += count;
            below >= rank
        });
        let (lowest, width, _) = at_rank?;
        Some(Span((lowest + (width - 1) / 2).clamp(self.min, self.max)))
    }

    /// The buckets that hold something, ascending: smallest value, width in nanoseconds, count.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> + '_ {
        let from = place(self.min).min(self.counts.len());
        let counts = (from..).zip(&self.counts[from..]);
        counts
            .filter(|(_, count)| **count > 0)
            .map(|(bucket, count)| {
                let (lowest, width) = span_of(bucket);
                (lowest, width, *count)
            })
    }
}

/// Buckets 0 to 2047 hold a value each; above, a value counts by its eleven highest bits, and each
/// doubling follows the one before.
#[inline]
fn place(value: u64) -> usize {
    let dropped_bits = 53 - (value | (2 * BUCKETS as u64 - 1)).leading_zeros() as usize;
    dropped_bits * BUCKETS + (value >> dropped_bits) as usize
}

/// Smallest value and width of a bucket.
fn span_of(bucket: usize) -> (u64, u64) {
    let dropped_bits = (bucket / BUCKETS).saturating_sub(1);
    let highest_bits = bucket - dropped_bits * BUCKETS;
    ((highest_bits as u64) << dropped_bits, 1 << dropped_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        values
            .into_iter()
            .for_each(|value| histogram.record(Span(value)));
        histogram
    }

    #[test]
    fn every_value_lies_in_its_bucket() {
        for value in [
            0,
            1,
            1023,
            1024,
            1025,
            2047,
            2048,
            2049,
            123_456_789,
            1 << 62,
            u64::MAX,
        ] {
            let (lowest, width) = span_of(place(value));
            assert!(lowest <= value && value - lowest < width, "{value}");
            assert!(
                u128::from(width) * 1024 <= u128::from(lowest.max(1024)),
                "{value}"
            );
        }
    }

    #[test]
    fn small_values_are_exact() {
        let histogram = of(1..=1000);
        assert_eq!(histogram.quantile(500), Some(Span(500)));
        assert_eq!(histogram.quantile(990), Some(Span(990)));
        assert_eq!(histogram.quantile(999), Some(Span(999)));
        assert_eq!(histogram.max(), Some(Span(1000)));
        assert_eq!(histogram.mean(), Some(Span(501)), "500.5 rounded up");
    }

    #[test]
    fn large_values_keep_three_digits() {
        let histogram = of((1..=10_000).map(|k| k * 1_000_003));
        for (per_mille, exact) in [
            (500, 5_000.0),
            (900, 9_000.0),
            (990, 9_900.0),
            (999, 9_990.0),
        ] {
            let found = histogram.quantile(per_mille).unwrap().0 as f64;
            let exact = exact * 1_000_003.0;
            assert!(
                (found / exact - 1.0).abs() < 0.0005,
                "{per_mille}: {found} of {exact}"
            );
        }
    }

    #[test]
    fn a_constant_is_exact_at_any_size() {
        let histogram = of([5_123_457; 3]);
        assert_eq!(histogram.quantile(500), Some(Span(5_123_457)));
        assert_eq!(histogram.quantile(999), Some(Span(5_123_457)));
    }

    #[test]
    fn merging_is_recording_both() {
        let mut merged = of([1, 5_000_000]);
        merged.merge(&of([70_000, 3]));
        let both = of([1, 5_000_000, 70_000, 3]);
        assert!(merged.buckets().eq(both.buckets()));
        assert_eq!(merged.mean(), both.mean());
        assert_eq!(
            (merged.min(), merged.max()),
            (Some(Span(1)), Some(Span(5_000_000)))
        );
    }

    #[test]
    fn nothing_has_no_quantiles() {
        let empty = Histogram::default();
        assert_eq!(
            (empty.quantile(500), empty.mean(), empty.max()),
            (None, None, None)
        );
    }
}
