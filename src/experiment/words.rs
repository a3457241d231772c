//! Numbers and verdicts in words.

use super::cause::cause;
use super::comparison::{Cell, Comparison, Difference, MetricResult, Word};
use super::metric::Metric;
use super::statistics::{Interval, Verdict};

/// What to know of far percentiles.
const TAILS: &str = " Far percentiles gain little from equal seeds: they need many times the \
                     replications of a mean.";

/// How numbers of one size are written: all in the same unit, with the same number of decimals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    factor: f64,
    unit: &'static str,
    decimals: usize,
}

impl Figures {
    /// For a value that is known to `uncertainty`: three digits of the one, one of the other.
    pub(super) fn new(value: f64, uncertainty: f64, unit: &'static str) -> Figures {
        let in_seconds = unit == "ms" && value.abs() >= 10_000.0;
        let (factor, unit) = if in_seconds {
            (0.001, "s")
        } else {
            (1.0, unit)
        };
        let decimals = decimals(value * factor, 3).max(decimals(uncertainty * factor, 1));
        Figures {
            factor,
            unit,
            decimals,
        }
    }

    pub(super) fn number(&self, value: f64) -> String {
        let text = format!("{:.*}", self.decimals, value * self.factor);
        // A rounded -0.0 is no negative number.
        let is_zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
        text.strip_prefix('-')
            .filter(|_| is_zero)
            .map(str::to_owned)
            .unwrap_or(text)
    }

    pub(super) fn with_unit(&self, value: f64) -> String {
        match self.unit {
            "" => self.number(value),
            unit => format!("{} {unit}", self.number(value)),
        }
    }
}

/// Decimals that show so many significant digits, six at most.
fn decimals(value: f64, digits: i32) -> usize {
    if value == 0.0 || !value.is_finite() {
        return 0;
    }
    let magnitude = libm::floor(libm::log10(value.abs())) as i32;
    (digits - 1 - magnitude).clamp(0, 6) as usize
}

/// `31 %`, of a share from 0 to 1.
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let decimals = if percent < 9.95 && percent > 0.0 {
        1
    } else {
        0
    };
    format!("{percent:.decimals$} %")
}

/// `6.49 ± 0.12`, or a word.
pub(super) fn cell(cell: &Cell) -> String {
    let Some(mean) = cell.mean else {
        return cell.word.unwrap_or(Word::Insufficient).text().to_owned();
    };
    let half_width = cell.interval.map_or(0.0, Interval::half_width);
    let figures = Figures::new(mean, half_width, "");
    match half_width > 0.0 {
        true => format!("{} ± {}", figures.number(mean), figures.number(half_width)),
        false => figures.number(mean),
    }
}

/// A setting beside one that was named in full: its value is enough if only one thing is varied.
pub(super) fn name(comparison: &Comparison, setting: usize) -> String {
    let setting = &comparison.settings[setting];
    match setting.values.as_slice() {
        [value] => super::vary::plain(value),
        _ => setting.label.clone(),
    }
}

/// What a metric says about the settings, in a sentence or some.
pub(super) fn verdict(comparison: &Comparison, metric: usize) -> String {
    let result = &comparison.metrics[metric];
    let Some(best) = result.best else {
        return format!(
            "no verdict for {}: {}",
            result.metric.title,
            without_numbers(result)
        );
    };
    let differences = differences(result);
    let mut sentences = vec![match opponent(comparison, result) {
        _ if differences.is_empty() => alone(comparison, result, best),
        Some((other, difference)) => beats(comparison, result, best, other, difference),
        None => nothing_shown(comparison, result, best, &differences),
    }];
    let has_winner = opponent(comparison, result).is_some();
    sentences.extend(
        has_winner
            .then(|| equals(comparison, result, &differences))
            .flatten(),
    );
    sentences.extend(left_out(comparison, result));
    sentences.join(" ")
}

fn differences(result: &MetricResult) -> Vec<(usize, Difference)> {
    let cells = result.cells.iter().enumerate();
    cells
        .filter_map(|(index, cell)| Some((index, cell.against_best?)))
        .collect()
}

/// Whom the best is held against: the setting that the scenario has if that is worse, or else the
/// worst.
fn opponent(comparison: &Comparison, result: &MetricResult) -> Option<(usize, Difference)> {
    let worse = differences(result)
        .into_iter()
        .filter(|(_, d)| d.verdict == Verdict::Worse);
    worse.reduce(|most, other| {
        let is_baseline = |index: usize| comparison.settings[index].baseline;
        let larger = other.1.difference.abs() > most.1.difference.abs();
        let other_wins = is_baseline(other.0) || (larger && !is_baseline(most.0));
        if other_wins { other } else { most }
    })
}

fn beats(
    comparison: &Comparison,
    result: &MetricResult,
    best: usize,
    other: usize,
    difference: Difference,
) -> String {
    let Metric { title, .. } = &result.metric;
    let subject = &comparison.settings[best].label;
    let object = name(comparison, other);
    let by = amount(&difference, result.metric.unit);
    let settings = (
        &comparison.settings[best].mechanism,
        &comparison.settings[other].mechanism,
    );
    let names = (name(comparison, best), object.clone());
    let cause = cause(&result.metric, settings.0, settings.1, &names.0, &names.1);
    let end = cause.map_or(".".to_owned(), |cause| format!(": {cause}."));
    format!("{subject} beats {object} for {title} by {by}{end}")
}

/// `37.0 ms (95 %: 36.1 to 37.9; 12 paired runs)`
fn amount(difference: &Difference, unit: &'static str) -> String {
    let Interval { low, high } = difference.interval;
    let (low, high) = if difference.difference < 0.0 {
        (-high, -low)
    } else {
        (low, high)
    };
    let size = difference.difference.abs();
    let figures = Figures::new(size, difference.interval.half_width(), unit);
    format!(
        "{} (95 %: {} to {}; {} paired runs)",
        figures.with_unit(size),
        figures.number(low),
        figures.number(high),
        difference.pairs
    )
}

fn nothing_shown(
    comparison: &Comparison,
    result: &MetricResult,
    best: usize,
    differences: &[(usize, Difference)],
) -> String {
    let Metric { title, unit, .. } = &result.metric;
    let mean = result.cells[best].mean.unwrap_or(0.0);
    let same = |(_, d): &(usize, Difference)| d.difference == 0.0 && d.interval.half_width() == 0.0;
    if differences.iter().all(same) {
        let value = Figures::new(mean, 0.0, unit).with_unit(mean);
        return format!("{title}: {value} in every setting.");
    }
    let second = differences.iter().reduce(|a, b| {
        if b.1.difference.abs() < a.1.difference.abs() {
            b
        } else {
            a
        }
    });
    let Some((second, difference)) = second else {
        return String::new();
    };
    let subject = &comparison.settings[best].label;
    let object = name(comparison, *second);
    let by = amount(difference, unit);
    let seen = detectable(differences, unit);
    let tail = if result.metric.is_tail() { TAILS } else { "" };
    format!(
        "no difference shown for {title}: {subject} is ahead of {object} by {by}; {seen}.{tail}"
    )
}

/// What would have been seen, at worst.
fn detectable(differences: &[(usize, Difference)], unit: &'static str) -> String {
    let sizes = differences
        .iter()
        .filter_map(|(_, difference)| match difference.verdict {
            Verdict::NoDifferenceShown {
                smallest_detectable,
            } => Some(smallest_detectable),
            _ => None,
        });
    let size = sizes.fold(0.0, f64::max);
    // Two digits: it is an estimate of an estimate.
    let figures = Figures {
        decimals: decimals(size, 2),
        ..Figures::new(size, 0.0, unit)
    };
    format!(
        "a difference of {} would have been seen",
        figures.with_unit(size)
    )
}

/// Those that are as good as the best as far as this study can tell.
fn equals(
    comparison: &Comparison,
    result: &MetricResult,
    differences: &[(usize, Difference)],
) -> Option<String> {
    let equal: Vec<(usize, Difference)> = differences
        .iter()
        .filter(|(_, d)| d.verdict != Verdict::Worse)
        .copied()
        .collect();
    let names: Vec<String> = equal
        .iter()
        .map(|(index, _)| name(comparison, *index))
        .collect();
    let seen = detectable(&equal, result.metric.unit);
    (!equal.is_empty()).then(|| format!("No difference shown to {} ({seen}).", list(&names)))
}

fn alone(comparison: &Comparison, result: &MetricResult, best: usize) -> String {
    let Metric { title, unit, .. } = &result.metric;
    let mean = result.cells[best].mean.unwrap_or(0.0);
    let value = Figures::new(mean, 0.0, unit).with_unit(mean);
    let subject = &comparison.settings[best].label;
    let rivals = result
        .cells
        .iter()
        .filter(|cell| cell.mean.is_some())
        .count()
        - 1;
    match rivals {
        0 => format!("{title} is {value} with {subject}, the only setting with a number."),
        _ => format!(
            "{subject} has the best {title} ({value}), but a single run shows no difference: \
             replicate at least 10 times."
        ),
    }
}

/// Settings with a word instead of a number.
fn left_out(comparison: &Comparison, result: &MetricResult) -> Option<String> {
    let with = |word: Word| -> Vec<String> {
        let cells = result
            .cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| cell.word == Some(word));
        cells.map(|(index, _)| name(comparison, index)).collect()
    };
    let (unstable, insufficient) = (with(Word::Unstable), with(Word::Insufficient));
    let unstable = (!unstable.is_empty())
        .then(|| format!("Unstable (the backlog grows): {}.", list(&unstable)));
    let insufficient =
        (!insufficient.is_empty()).then(|| format!("Insufficient data: {}.", list(&insufficient)));
    let parts: Vec<String> = [unstable, insufficient].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn without_numbers(result: &MetricResult) -> String {
    let count = |word| {
        result
            .cells
            .iter()
            .filter(|cell| cell.word == Some(word))
            .count()
    };
    match (count(Word::Unstable), count(Word::Insufficient)) {
        (0, _) => "insufficient data in every setting.".to_owned(),
        (_, 0) => "every setting is unstable: the backlog grows.".to_owned(),
        (unstable, insufficient) => {
            format!("{unstable} settings are unstable, {insufficient} have insufficient data.")
        }
    }
}

/// `1, 2 and 5`
pub(super) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
