//! Numbers as people read them: three digits where they are known, fewer where they are not.

use super::comparison::{Cell, Difference, MetricResult, Word};
use super::statistics::Interval;

/// How numbers of one size are written: all in the same unit, with the same number of decimals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    scale: Scale,
    decimals: usize,
}

/// The unit that numbers are written in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    factor: f64,
    /// `ms`, `s`, `/s` or nothing.
    pub unit: &'static str,
}

impl Scale {
    /// For numbers of this size: above 10 seconds, seconds are easier to read.
    fn new(size: f64, unit: &'static str) -> Scale {
        match unit == "ms" && size.abs() >= 10_000.0 {
            true => Scale {
                factor: 0.001,
                unit: "s",
            },
            false => Scale { factor: 1.0, unit },
        }
    }

    /// For a column of a table: seconds if none of them is below 1.
    pub(super) fn of_column(result: &MetricResult) -> Scale {
        let means: Vec<f64> = result.cells.iter().filter_map(|cell| cell.mean).collect();
        let largest = means.iter().copied().fold(0.0, f64::max);
        match means.iter().any(|mean| *mean < 1_000.0) {
            true => Scale::new(0.0, result.metric.unit),
            false => Scale::new(largest, result.metric.unit),
        }
    }
}

impl Figures {
    /// For a value that is known to `uncertainty`: three digits of the one, one of the other; of a
    /// value that is not even known by its sign, two of the uncertainty.
    pub(super) fn new(value: f64, uncertainty: f64, unit: &'static str) -> Figures {
        Figures::scaled(value, uncertainty, Scale::new(value, unit))
    }

    fn scaled(value: f64, uncertainty: f64, scale: Scale) -> Figures {
        // Equal numbers have a mean that is off by a bit or two.
        let is_certain = uncertainty <= 1e-9 * value.abs();
        let uncertainty = if is_certain {
            0.0
        } else {
            uncertainty * scale.factor
        };
        let value = value * scale.factor;
        let decimals = match value.abs() < uncertainty {
            true => decimals(uncertainty, 2),
            false => decimals(value, 3).max(decimals(uncertainty, 1)),
        };
        Figures { scale, decimals }
    }

    /// For an estimate of an estimate: two digits.
    pub(super) fn rough(value: f64, unit: &'static str) -> Figures {
        let scale = Scale::new(value, unit);
        Figures {
            scale,
            decimals: decimals(value * scale.factor, 2),
        }
    }

    pub(super) fn number(&self, value: f64) -> String {
        let text = format!("{:.*}", self.decimals, value * self.scale.factor);
        // A rounded -0.0 is no negative number.
        let is_zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
        text.strip_prefix('-')
            .filter(|_| is_zero)
            .map(str::to_owned)
            .unwrap_or(text)
    }

    pub(super) fn with_unit(&self, value: f64) -> String {
        match self.scale.unit {
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

/// `31 %`, `6.6 %`, of a share from 0 to 1.
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let is_small = percent < 9.95;
    let text = if is_small {
        format!("{percent:.1}")
    } else {
        format!("{percent:.0}")
    };
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

/// `1 message`, `7 messages`
pub(super) fn messages(count: f64) -> String {
    let count = format!("{count:.0}");
    let plural = if count == "1" { "" } else { "s" };
    format!("{count} message{plural}")
}

/// Messages on average: `71.0`, `0.778`.
pub(super) fn average(count: f64) -> String {
    Figures::new(count, 0.0, "").number(count)
}

/// Ack commands a message: at least two decimals, more if there are few.
pub(super) fn acks(per_message: f64) -> String {
    format!("{per_message:.*}", decimals(per_message, 2).max(2))
}

/// `37.0 ms (95 %: 36.1 to 37.9; 12 paired runs)`, whatever the sign.
pub(super) fn amount(difference: &Difference, unit: &'static str) -> String {
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

/// `6.49 ± 0.12`, or a word.
pub(super) fn cell(cell: &Cell, scale: Scale) -> String {
    let Some(mean) = cell.mean else {
        return cell.word.unwrap_or(Word::Insufficient).text().to_owned();
    };
    let half_width = cell.interval.map_or(0.0, Interval::half_width);
    // Equal numbers have a mean that is off by a bit or two.
    let half_width = if half_width > 1e-9 * mean.abs() {
        half_width
    } else {
        0.0
    };
    let figures = Figures::scaled(mean, half_width, scale);
    match half_width > 0.0 {
        true => format!("{} ± {}", figures.number(mean), figures.number(half_width)),
        false => figures.number(mean),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: f64, uncertainty: f64) -> String {
        Figures::new(value, uncertainty, "ms").with_unit(value)
    }

    #[test]
    fn digits_follow_what_is_known() {
        assert_eq!(written(37.04, 0.9), "37.0 ms");
        assert_eq!(written(0.8512, 0.021), "0.851 ms");
        assert_eq!(written(1234.5, 20.0), "1234 ms");
        assert_eq!(written(0.00692, 0.05), "0.007 ms");
        assert_eq!(written(30.0, 1e-14), "30.0 ms");
        assert_eq!(written(13_285.0, 124.0), "13.3 s");
        assert_eq!(written(-0.0001, 1.0), "0.0 ms");
    }

    #[test]
    fn shares_and_counts() {
        assert_eq!(
            (percent(0.31), percent(0.05), percent(0.066)),
            pair("31 %", "5 %", "6.6 %")
        );
        assert_eq!(
            (messages(1.0), messages(0.0), messages(16.4)),
            pair("1 message", "0 messages", "16 messages")
        );
        assert_eq!(
            (acks(0.9999), acks(0.01535), acks(2.0)),
            pair("1.00", "0.015", "2.00")
        );
    }

    fn pair(a: &str, b: &str, c: &str) -> (String, String, String) {
        (a.to_owned(), b.to_owned(), c.to_owned())
    }

    #[test]
    fn lists_read_as_sentences() {
        let names: Vec<String> = ["1", "2", "5"].map(str::to_owned).to_vec();
        assert_eq!(list(&names), "1, 2 and 5");
        assert_eq!(list(&names[..1]), "1");
    }
}
