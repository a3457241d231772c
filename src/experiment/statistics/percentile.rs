//! Percentiles inside one sample, with an interval that assumes nothing about the distribution.

use serde::Serialize;

use super::interval::Interval;
use super::special::binomial_cdf;

/// So many values must lie beyond a percentile for it to be worth printing.
const BEYOND: f64 = 10.0;

/// A percentile of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Percentile {
    /// The smallest value that is not below the wanted share of the sample.
    pub value: f64,
    /// Between two values of the sample, of at least the wanted confidence.
    pub interval: Interval,
}

/// The value below which the share `p` (0 < p < 1) of the sample lies, which must be sorted.
///
/// None ("insufficient") if fewer than ten values are to be expected on either side of it: p99.9
/// needs 10,000.
///
/// The interval goes from the l-th to the u-th smallest value; that both lie on their side of the
/// true percentile is a matter of tossing coins: the number of values below it is binomial.
pub fn percentile(sorted: &[f64], p: f64, confidence: f64) -> Option<Percentile> {
    let n = sorted.len();
    // 10,000 · (1 - 0.999) is a little below 10 in floating point.
    if n as f64 * p.min(1.0 - p) < BEYOND - 1e-6 {
        return None;
    }
    let rank = libm::ceil(n as f64 * p - 1e-9) as usize;
    let (low, high) = ranks(n, p, confidence);
    Some(Percentile {
        value: sorted[rank - 1],
        interval: Interval {
            low: sorted[low - 1],
            high: sorted[high - 1],
        },
    })
}

/// The ranks (from 1) of the ends of the interval.
fn ranks(n: usize, p: f64, confidence: f64) -> (usize, usize) {
    let tail = (1.0 - confidence) / 2.0;
    let not_above = (0..n).find(|k| binomial_cdf(*k, n, p) > tail).unwrap_or(0);
    let above = (0..n).find(|k| binomial_cdf(*k, n, p) >= 1.0 - tail);
    (not_above.max(1), (above.unwrap_or(n) + 1).min(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ranks of 95 % intervals of the median as printed in Conover, Practical Nonparametric
    /// Statistics, and in many tables after it: n = 10: 2nd to 9th; 20: 6th to 15th; 25: 8th to
    /// 18th; 50: 18th to 33rd.
    #[test]
    fn intervals_of_the_median_are_those_of_the_tables() {
        assert_eq!(ranks(10, 0.5, 0.95), (2, 9));
        assert_eq!(ranks(20, 0.5, 0.95), (6, 15));
        assert_eq!(ranks(25, 0.5, 0.95), (8, 18));
        assert_eq!(ranks(50, 0.5, 0.95), (18, 33));
    }

    #[test]
    fn the_99th_percentile_of_a_thousand_is_the_990th() {
        let values: Vec<f64> = (1..=1000).map(f64::from).collect();
        let result = percentile(&values, 0.99, 0.95).unwrap();
        assert_eq!(result.value, 990.0);
        assert!(result.interval.contains(990.0) && !result.interval.contains(999.0));
    }

    #[test]
    fn far_percentiles_of_small_samples_are_insufficient() {
        let values: Vec<f64> = (1..=10_000).map(f64::from).collect();
        assert!(percentile(&values[..9_999], 0.999, 0.95).is_none());
        assert_eq!(percentile(&values, 0.999, 0.95).unwrap().value, 9_990.0);
        assert!(percentile(&[], 0.5, 0.95).is_none());
    }
}
