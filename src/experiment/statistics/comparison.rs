//! From differences to verdicts.

use serde::Serialize;

use super::interval::Paired;
use super::special::student_t_quantile;

/// Which values of a metric are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Better {
    /// As of latency.
    Lower,
    /// As of throughput.
    Higher,
}

/// What a study has shown of a setting against another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "camelCase")]
pub enum Verdict {
    /// It is better.
    Better,
    /// It is worse.
    Worse,
    /// Nothing; which does not say that they are equal.
    #[serde(rename_all = "camelCase")]
    NoDifferenceShown {
        /// A true difference of this size would have been seen in four of five such studies.
        smallest_detectable: f64,
    },
}

/// The chance that a study sees a difference of the size called detectable.
const POWER: f64 = 0.8;

/// Holm's step-down correction: p-values such that whichever fall below α are wrong together with
/// chance α at most. In the order of the input.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        let tests_left = (p_values.len() - rank) as f64;
        largest = largest.max(tests_left * p_values[index]).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

/// The smallest true difference that a study with so many pairs and this deviation of the
/// differences sees in four of five cases, at this confidence (both sides).
pub fn smallest_detectable(deviation: f64, pairs: usize, confidence: f64) -> f64 {
    let degrees = pairs as f64 - 1.0;
    let seen = student_t_quantile(0.5 + confidence / 2.0, degrees);
    let sure = student_t_quantile(POWER, degrees);
    (seen + sure) * deviation / (pairs as f64).sqrt()
}

/// The verdict on a difference (setting minus reference), its p-value having been corrected for the
/// `comparisons` of the study.
pub fn verdict(
    paired: &Paired,
    adjusted_p: f64,
    better: Better,
    confidence: f64,
    comparisons: usize,
) -> Verdict {
    if adjusted_p >= 1.0 - confidence {
        let each = 1.0 - (1.0 - confidence) / comparisons.max(1) as f64;
        return Verdict::NoDifferenceShown {
            smallest_detectable: smallest_detectable(paired.deviation, paired.pairs, each),
        };
    }
    match (paired.difference < 0.0) == (better == Better::Lower) {
        true => Verdict::Better,
        false => Verdict::Worse,
    }
}

#[cfg(test)]
mod tests {
    use super::super::interval::paired;
    use super::*;

    /// The example of the article on Holm's method in Wikipedia: of 0.01, 0.04, 0.03 and 0.005 the
    /// first and the last are rejected at 5 %, the others are not. By hand: 4 · 0.005, 3 · 0.01, 2
    /// · 0.03, max(0.06, 0.04).
    #[test]
    fn holm_steps_down() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (value, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((value - expected).abs() < 1e-15, "{adjusted:?}");
        }
        assert_eq!(holm(&[0.6, 0.7]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    /// The textbook case of sample sizes: half a standard deviation is seen with 80 % by 34 pairs
    /// (Cohen 1988, table 2.4.1: n = 33 or 34 for d = 0.5, two-sided 5 %).
    #[test]
    fn what_is_detectable_agrees_with_tables_of_sample_sizes() {
        assert!((smallest_detectable(1.0, 34, 0.95) - 0.5).abs() < 0.01);
    }

    #[test]
    fn verdicts_know_which_way_is_good() {
        let lower = paired(&[1.0, 2.0, 3.1], &[5.0, 6.0, 7.0], 0.95, 1).unwrap();
        let judge = |better| verdict(&lower, lower.p_value, better, 0.95, 1);
        assert_eq!(judge(Better::Lower), Verdict::Better);
        assert_eq!(judge(Better::Higher), Verdict::Worse);
    }

    #[test]
    fn a_difference_that_is_not_shown_says_what_would_have_been_seen() {
        let noisy = paired(&[1.0, 9.0, 4.0], &[5.0, 3.0, 7.0], 0.95, 1).unwrap();
        let judged = verdict(&noisy, noisy.p_value, Better::Lower, 0.95, 1);
        let Verdict::NoDifferenceShown {
            smallest_detectable,
        } = judged
        else {
            panic!("{judged:?}");
        };
        assert!(smallest_detectable > noisy.interval.half_width());
    }
}
