//! Where the warm-up of a run ends: MSER-5 (White 1997; White, Cobb & Spratt 2000).
//!
//! The run's series is put together in batches of five. For each number d of batches to be cut, the
//! standard error of the mean of the rest is estimated; the cut is where it is smallest: cutting
//! less keeps biased batches, cutting more wastes good ones. Of 44 methods that were tested this
//! was the only robust automatic one (Hoad, Robinson & Davies 2010). Cuts are made run by run, not
//! on an average of runs (Sanchez & White 2011).

/// The size of a batch that gives the method its name.
const BATCH: usize = 5;

/// The last batches are never the rest by themselves: a few that happen to be alike would always
/// win.
const SMALLEST_REST: usize = 5;

/// Where to cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUp {
    /// So many values of the series, from its beginning.
    Cut(usize),
    /// The run is too short: the best cut lies in its second half, or there is next to nothing to
    /// judge by.
    Insufficient,
}

/// Finds the end of the warm-up in a series of values, evenly spaced in time or by message.
pub fn warm_up(series: &[f64]) -> WarmUp {
    let batches: Vec<f64> = series
        .chunks_exact(BATCH)
        .map(|batch| batch.iter().sum::<f64>() / BATCH as f64)
        .collect();
    if batches.len() < 2 * SMALLEST_REST {
        return WarmUp::Insufficient;
    }
    let errors = squared_errors(&batches);
    let candidates = &errors[..=batches.len() - SMALLEST_REST];
    let best = (0..candidates.len())
        .min_by(|a, b| candidates[*a].total_cmp(&candidates[*b]))
        .unwrap_or(0);
    if 2 * best > batches.len() {
        return WarmUp::Insufficient;
    }
    WarmUp::Cut(best * BATCH)
}

/// For each d, the squared standard error of the mean of all batches from d on: their squared
/// deviations over the square of their number. From the end, by Welford's update.
fn squared_errors(batches: &[f64]) -> Vec<f64> {
    let mut errors = vec![0.0; batches.len()];
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for (cut, value) in batches.iter().enumerate().rev() {
        count += 1.0;
        let off = value - mean;
        mean += off / count;
        squares += off * (value - mean);
        errors[cut] = squares / (count * count);
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each batch mean five times.
    fn series(batch_means: &[f64]) -> Vec<f64> {
        batch_means.iter().flat_map(|mean| [*mean; BATCH]).collect()
    }

    /// By hand, for batch means 9, 3, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2: the rest's squared deviations
    /// over the squared number are 54.25/144 = 0.3767 (d = 0), 4.5455/121 = 0.0376 (d = 1), 2.5/100
    /// = 0.025 (d = 2), 2.2222/81 = 0.0274 (d = 3), 2/64 = 0.03125 (d = 4), …
    #[test]
    fn hand_worked_example() {
        let means = [9.0, 3.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0];
        let errors = squared_errors(&means);
        for (error, expected) in errors.iter().zip([0.3767, 0.0376, 0.025, 0.0274, 0.03125]) {
            assert!((error - expected).abs() < 0.000_05, "{errors:?}");
        }
        assert_eq!(warm_up(&series(&means)), WarmUp::Cut(10));
    }

    #[test]
    fn a_steady_series_is_not_cut() {
        let means: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
        assert_eq!(warm_up(&series(&means)), WarmUp::Cut(0));
        assert_eq!(warm_up(&series(&[7.0; 40])), WarmUp::Cut(0));
    }

    #[test]
    fn a_series_that_settles_in_its_second_half_is_insufficient() {
        let means: Vec<f64> = (0..40_u32)
            .map(|i| f64::from(30_u32.saturating_sub(i)))
            .collect();
        assert_eq!(warm_up(&series(&means)), WarmUp::Insufficient);
    }

    #[test]
    fn a_short_series_is_insufficient() {
        assert_eq!(warm_up(&[1.0; 49]), WarmUp::Insufficient);
        assert_eq!(warm_up(&[]), WarmUp::Insufficient);
    }
}
