//! When there are enough replications.

use super::PRACTICAL;
use super::interval::Paired;

/// The rule: at least `minimum`, then until the difference is known to `precision` or is known to
/// be too small to matter, `maximum` at most.
///
/// Looking again after each replication makes intervals slightly too narrow; with at least ten
/// replications the loss of coverage is below one in a hundred.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoppingRule {
    /// Replications without which no decision is made: 10 in the rule of the field.
    pub minimum: usize,
    /// Replications after which there are no more.
    pub maximum: usize,
    /// Half-width of the interval, relative to the difference: 0.05.
    pub precision: f64,
    /// A difference below this share of the reference's mean does not matter: 0.05.
    pub practical: f64,
}

/// What the rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Replicate on.
    Continue,
    /// The difference is known well enough.
    Precise,
    /// The whole interval lies below what matters.
    TooSmallToMatter,
    /// The maximum is reached.
    Exhausted,
}

impl StoppingRule {
    /// The rule of the field for a precision (0.05 is 5 %): ten replications at least, and what
    /// matters is [`PRACTICAL`].
    pub fn to_precision(precision: f64, maximum: usize) -> StoppingRule {
        StoppingRule {
            minimum: 10,
            maximum,
            precision,
            practical: PRACTICAL,
        }
    }

    /// Decides for one difference; `reference_mean` is the mean of what it is a difference to.
    pub fn decide(&self, paired: &Paired, reference_mean: f64) -> Decision {
        let matters = self.practical * reference_mean.abs();
        let largest = paired.interval.low.abs().max(paired.interval.high.abs());
        if paired.pairs < self.minimum.min(self.maximum) {
            Decision::Continue
        } else if paired.interval.half_width() <= self.precision * paired.difference.abs() {
            Decision::Precise
        } else if largest <= matters {
            Decision::TooSmallToMatter
        } else if paired.pairs >= self.maximum {
            Decision::Exhausted
        } else {
            Decision::Continue
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::interval::{normal, paired};
    use super::*;
    use crate::kernel::Stream;

    const RULE: StoppingRule = StoppingRule {
        minimum: 10,
        maximum: 30,
        precision: 0.05,
        practical: 0.05,
    };

    #[test]
    fn the_rule_of_the_field() {
        assert_eq!(StoppingRule::to_precision(0.05, 30), RULE);
    }

    /// `pairs` differences around `difference`, with this deviation.
    fn study(difference: f64, deviation: f64, pairs: usize) -> Paired {
        let value = |index: usize| {
            difference + deviation * if index.is_multiple_of(2) { 1.0 } else { -1.0 }
        };
        let values: Vec<f64> = (0..pairs).map(value).collect();
        paired(&values, &vec![0.0; pairs], 0.95, 1).unwrap()
    }

    #[test]
    fn nothing_is_decided_before_the_minimum() {
        assert_eq!(RULE.decide(&study(10.0, 0.0, 9), 100.0), Decision::Continue);
        assert_eq!(RULE.decide(&study(10.0, 0.0, 10), 100.0), Decision::Precise);
    }

    #[test]
    fn a_difference_that_is_known_well_enough_ends_the_study() {
        assert_eq!(RULE.decide(&study(10.0, 1.0, 10), 1.0), Decision::Continue);
        assert_eq!(RULE.decide(&study(10.0, 1.0, 28), 1.0), Decision::Precise);
    }

    #[test]
    fn a_difference_too_small_to_matter_ends_the_study() {
        assert_eq!(
            RULE.decide(&study(0.1, 1.0, 12), 100.0),
            Decision::TooSmallToMatter
        );
        assert_eq!(RULE.decide(&study(0.1, 1.0, 12), 10.0), Decision::Continue);
        assert_eq!(RULE.decide(&study(0.0, 0.0, 12), 0.0), Decision::Precise);
    }

    /// Stopping when the interval happens to be narrow costs coverage; 2,000 studies show how
    /// little.
    #[test]
    fn stopping_early_hardly_costs_coverage() {
        let rule = StoppingRule {
            maximum: 200,
            ..RULE
        };
        for deviation in [0.5, 1.0, 1.5] {
            let mut stream = Stream::new(1, "sequential", "noise");
            let mut covered = 0;
            for _ in 0..2000 {
                let mut values = Vec::new();
                let last = loop {
                    values.push(10.0 + deviation * normal(&mut stream));
                    let Some(paired) = paired(&values, &vec![0.0; values.len()], 0.95, 1) else {
                        continue;
                    };
                    if rule.decide(&paired, 1.0) != Decision::Continue {
                        break paired;
                    }
                };
                covered += u32::from(last.interval.contains(10.0));
            }
            assert!((1_860..=1_940).contains(&covered), "{covered} of 2000");
        }
    }

    #[test]
    fn the_maximum_ends_the_study() {
        assert_eq!(RULE.decide(&study(1.0, 5.0, 29), 1.0), Decision::Continue);
        assert_eq!(RULE.decide(&study(1.0, 5.0, 30), 1.0), Decision::Exhausted);
    }
}
