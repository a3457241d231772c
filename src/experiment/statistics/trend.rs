//! Whether something grows: the straight line through a series, and the test of its slope.

use super::interval::mean;
use super::special::student_t_upper_tail;

/// A line through points, by least squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Growth of y per unit of x.
    pub slope: f64,
    /// Of the slope.
    pub standard_error: f64,
    /// Value at x = 0.
    pub intercept: f64,
    /// The chance of a slope as steep as this or steeper, upwards, if there were none in truth.
    pub p_value: f64,
}

/// Fits a line. None of fewer than three points, or if all have the same x.
pub fn trend(points: &[(f64, f64)]) -> Option<Trend> {
    let n = points.len() as f64;
    let mean_x = mean(&points.iter().map(|(x, _)| *x).collect::<Vec<_>>())?;
    let mean_y = mean(&points.iter().map(|(_, y)| *y).collect::<Vec<_>>())?;
    let sum = |term: &dyn Fn(f64, f64) -> f64| -> f64 {
        points
            .iter()
            .map(|(x, y)| term(x - mean_x, y - mean_y))
            .sum()
    };
    let spread = sum(&|x, _| x * x);
    if n < 3.0 || spread == 0.0 {
        return None;
    }
    let slope = sum(&|x, y| x * y) / spread;
    let residual = sum(&|x, y| (y - slope * x) * (y - slope * x));
    let standard_error = (residual / (n - 2.0) / spread).sqrt();
    let p_value = match slope == 0.0 {
        true => 0.5,
        false => student_t_upper_tail(slope / standard_error, n - 2.0),
    };
    Some(Trend {
        slope,
        standard_error,
        intercept: mean_y - slope * mean_x,
        p_value,
    })
}

/// So many batches make a series' neighbours nearly independent of each other.
const BATCHES: usize = 10;

/// Whether a backlog, sampled at even spaces of time, grows without end: the line through ten batch
/// means rises, which chance does once in a thousand series, and rises by more than half the mean
/// level. (A queue that is merely busy has waves, which can rise as well, but not by as much over a
/// whole run.)
///
/// False of fewer than 20 values: they show nothing.
pub fn is_growing(backlog: &[f64]) -> bool {
    if backlog.len() < 2 * BATCHES {
        return false;
    }
    let size = backlog.len() / BATCHES;
    let recent = &backlog[backlog.len() - size * BATCHES..];
    let points: Vec<(f64, f64)> = recent
        .chunks_exact(size)
        .zip(0..)
        .map(|(batch, index)| (f64::from(index), mean(batch).unwrap_or(0.0)))
        .collect();
    let level = mean(recent).unwrap_or(0.0);
    let rise = |line: Trend| line.slope * BATCHES as f64;
    trend(&points).is_some_and(|line| line.p_value < 0.001 && rise(line) > 0.5 * level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Stream;

    /// The worked example of the article on simple linear regression in Wikipedia: heights and
    /// masses of women (World Almanac 1975); slope 61.272, its standard error 1.776, intercept
    /// -39.062.
    #[test]
    fn published_regression() {
        let heights = [
            1.47, 1.50, 1.52, 1.55, 1.57, 1.60, 1.63, 1.65, 1.68, 1.70, 1.73, 1.75, 1.78, 1.80,
            1.83,
        ];
        let masses = [
            52.21, 53.12, 54.48, 55.84, 57.20, 58.57, 59.93, 61.29, 63.11, 64.47, 66.28, 68.10,
            69.92, 72.19, 74.46,
        ];
        let points: Vec<(f64, f64)> = heights.into_iter().zip(masses).collect();
        let line = trend(&points).unwrap();
        assert!((line.slope - 61.272).abs() < 0.001, "{line:?}");
        assert!((line.standard_error - 1.776).abs() < 0.001, "{line:?}");
        assert!((line.intercept + 39.062).abs() < 0.001, "{line:?}");
        assert!(line.p_value < 1e-10);
    }

    #[test]
    fn nothing_is_said_of_too_few_points() {
        assert_eq!(trend(&[(0.0, 1.0), (1.0, 2.0)]), None);
        assert_eq!(trend(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
        assert!(!is_growing(&[1.0, 2.0, 3.0]));
    }

    /// The queue of a single server in discrete time: each step brings a message with chance
    /// `arrive` and takes one with chance 0.5.
    fn backlog(seed: u64, arrive: f64) -> Vec<f64> {
        let mut stream = Stream::new(seed, "queue", "steps");
        let mut length: u32 = 0;
        let mut sampled = Vec::new();
        for step in 0..100_000 {
            length += u32::from(stream.chance(arrive));
            length -= u32::from(length > 0 && stream.chance(0.5));
            if step % 500 == 0 {
                sampled.push(f64::from(length));
            }
        }
        sampled
    }

    #[test]
    fn overload_grows_and_a_busy_queue_does_not() {
        let growing = (0..50)
            .filter(|seed| is_growing(&backlog(*seed, 0.52)))
            .count();
        assert!(growing >= 48, "load 1.04: {growing} of 50");
        let growing = (0..200)
            .filter(|seed| is_growing(&backlog(*seed, 0.45)))
            .count();
        assert!(growing <= 2, "load 0.9: {growing} of 200");
    }

    #[test]
    fn what_drains_does_not_grow() {
        let draining: Vec<f64> = (0..100).rev().map(f64::from).collect();
        assert!(!is_growing(&draining));
        assert!(!is_growing(&[0.0; 100]));
        assert!(is_growing(&(0..100).map(f64::from).collect::<Vec<_>>()));
    }
}
