//! Means, variances, and intervals around means and around differences of pairs.

use serde::Serialize;

use super::special::{student_t_quantile, student_t_upper_tail};

/// A confidence interval, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end, in the unit of the data.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Half the distance of the ends.
    pub fn half_width(self) -> f64 {
        0.5 * (self.high - self.low)
    }

    /// Whether a value lies within.
    pub fn contains(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    fn around(mean: f64, half_width: f64) -> Interval {
        Interval {
            low: mean - half_width,
            high: mean + half_width,
        }
    }
}

/// The arithmetic mean; None of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / n)
}

/// The sample variance (with n - 1); None of fewer than two values.
pub fn variance(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    (values.len() > 1).then(|| squares / (values.len() - 1) as f64)
}

/// The square root of the sample variance.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    variance(values).map(f64::sqrt)
}

/// Student's interval for the mean of independent values; None of fewer than two.
pub fn t_interval(values: &[f64], confidence: f64) -> Option<Interval> {
    let error = standard_error(values)?;
    let quantile = student_t_quantile(0.5 + confidence / 2.0, degrees(values));
    Some(Interval::around(mean(values)?, quantile * error))
}

/// What the differences of pairs say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Paired {
    /// Mean of the differences.
    pub difference: f64,
    /// Around it.
    pub interval: Interval,
    /// The chance of differences as large as these, either way, if there were none in truth.
    pub p_value: f64,
    /// Standard deviation of the differences.
    pub deviation: f64,
    /// Number of pairs.
    pub pairs: usize,
}

/// Compares `values` with `reference` pair by pair: the difference is values minus reference.
/// `intervals` is the number of intervals that shall hold together: each one's confidence is raised
/// accordingly (Bonferroni).
///
/// None of fewer than two pairs, or if the slices have different lengths.
pub fn paired(
    values: &[f64],
    reference: &[f64],
    confidence: f64,
    intervals: usize,
) -> Option<Paired> {
    if values.len() != reference.len() {
        return None;
    }
    let differences: Vec<f64> = values.iter().zip(reference).map(|(a, b)| a - b).collect();
    let difference = mean(&differences)?;
    let together = 1.0 - (1.0 - confidence) / intervals.max(1) as f64;
    Some(Paired {
        difference,
        interval: t_interval(&differences, together)?,
        p_value: p_value(
            difference,
            standard_error(&differences)?,
            degrees(&differences),
        ),
        deviation: standard_deviation(&differences)?,
        pairs: differences.len(),
    })
}

/// Without any spread (a scenario without chance in it) a difference is certain, and so is its
/// absence.
fn p_value(difference: f64, error: f64, degrees: f64) -> f64 {
    if difference == 0.0 {
        return 1.0;
    }
    2.0 * student_t_upper_tail((difference / error).abs(), degrees)
}

fn standard_error(values: &[f64]) -> Option<f64> {
    Some((variance(values)? / values.len() as f64).sqrt())
}

fn degrees(values: &[f64]) -> f64 {
    values.len() as f64 - 1.0
}

/// A standard normal draw, by Box and Muller.
#[cfg(test)]
pub(super) fn normal(stream: &mut crate::kernel::Stream) -> f64 {
    let radius = (-2.0 * libm::log(1.0 - stream.unit())).sqrt();
    radius * libm::cos(2.0 * std::f64::consts::PI * stream.unit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Stream;

    fn close(a: f64, b: f64, within: f64) -> bool {
        (a - b).abs() <= within
    }

    #[test]
    fn of_too_few_values_nothing_is_said() {
        assert_eq!(mean(&[]), None);
        assert_eq!(variance(&[1.0]), None);
        assert_eq!(t_interval(&[1.0], 0.95), None);
        assert_eq!(paired(&[1.0, 2.0], &[1.0], 0.95, 1), None);
    }

    /// NIST/SEMATECH e-Handbook 1.3.5.2, ZARR13.DAT in summary: mean 9.261460, s 0.022789, n 195,
    /// interval 9.258242 to 9.264679. Here: data with exactly that mean and deviation.
    #[test]
    fn t_interval_of_the_nist_heat_flow_data() {
        let (center, deviation) = (9.261_460, 0.022_789);
        let mut values = vec![center + deviation; 97];
        values.extend(vec![center - deviation; 97]);
        values.push(center);
        let interval = t_interval(&values, 0.95).unwrap();
        assert!(close(interval.low, 9.258_242, 1e-6), "{interval:?}");
        assert!(close(interval.high, 9.264_679, 1e-6), "{interval:?}");
    }

    /// Student's own data (Biometrika 1908): additional hours of sleep of ten patients under two
    /// drugs. The paired t is -4.0621 with p = 0.002833, the interval -2.4598858 to -0.7001142 (as
    /// in the manual of R's t.test).
    #[test]
    fn paired_differences_of_students_sleep_data() {
        let one = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let two = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let result = paired(&one, &two, 0.95, 1).unwrap();
        assert!(close(result.difference, -1.58, 1e-12));
        assert!(close(result.interval.low, -2.459_885_8, 1e-7), "{result:?}");
        assert!(
            close(result.interval.high, -0.700_114_2, 1e-7),
            "{result:?}"
        );
        assert!(close(result.p_value, 0.002_833, 1e-6), "{result:?}");
    }

    /// Two intervals that hold together with 90 % are two of 95 %.
    #[test]
    fn several_intervals_are_each_wider() {
        let one = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let two = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let alone = paired(&one, &two, 0.95, 1).unwrap();
        let together = paired(&one, &two, 0.90, 2).unwrap();
        assert!(close(alone.interval.low, together.interval.low, 1e-9));
    }

    #[test]
    fn without_chance_a_difference_is_certain() {
        let result = paired(&[5.0, 7.0, 9.0], &[4.0, 6.0, 8.0], 0.95, 3).unwrap();
        assert_eq!(
            result.interval,
            Interval {
                low: 1.0,
                high: 1.0
            }
        );
        assert_eq!(result.p_value, 0.0);
        let same = paired(&[5.0, 7.0], &[5.0, 7.0], 0.95, 1).unwrap();
        assert_eq!((same.difference, same.p_value), (0.0, 1.0));
    }

    /// 1,000 studies of 12 pairs whose true difference is 3: values share a large common part, as
    /// runs with the same seed do. The share of intervals that cover the truth is the confidence
    /// (standard error 0.7 %).
    #[test]
    fn intervals_cover_the_truth_as_often_as_they_say() {
        let mut stream = Stream::new(1, "studies", "noise");
        let covered = (0..1000)
            .filter(|_| synthetic_study(&mut stream).contains(3.0))
            .count();
        assert!((930..=970).contains(&covered), "{covered} of 1000");
    }

    fn synthetic_study(stream: &mut Stream) -> Interval {
        let (mut values, mut reference) = (Vec::new(), Vec::new());
        for _ in 0..12 {
            let common = 50.0 + 10.0 * normal(stream);
            reference.push(common + normal(stream));
            values.push(common + 3.0 + 2.0 * normal(stream));
        }
        paired(&values, &reference, 0.95, 1).unwrap().interval
    }
}
