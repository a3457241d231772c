//! Axes: where a value stands on the page, and which round values get a tick.

use crate::kernel::Time;

/// A round value on an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// The value.
    pub at: f64,
    /// How it is written.
    pub label: String,
}

/// Maps values onto points of the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
    logarithmic: bool,
}

impl Axis {
    /// Values `from` to `to` stand at `start` to `end`; what lies beyond stands at the nearer end.
    pub fn linear((from, to): (f64, f64), (start, end): (f64, f64)) -> Axis {
        let to = if to > from { to } else { from + 1.0 };
        Axis {
            from,
            to,
            start,
            end,
            logarithmic: false,
        }
    }

    /// The same on a logarithmic scale; both values must be above 0.
    pub fn logarithmic((from, to): (f64, f64), (start, end): (f64, f64)) -> Axis {
        let to = if to > from { to } else { from * 10.0 };
        Axis {
            from,
            to,
            start,
            end,
            logarithmic: true,
        }
    }

    /// The same values elsewhere on the page.
    pub fn placed(self, start: f64, end: f64) -> Axis {
        Axis { start, end, ..self }
    }

    /// Where a value stands.
    pub fn map(&self, value: f64) -> f64 {
        let value = value.clamp(self.from, self.to);
        let share = if self.logarithmic {
            libm::log(value / self.from) / libm::log(self.to / self.from)
        } else {
            (value - self.from) / (self.to - self.from)
        };
        self.start + share * (self.end - self.start)
    }

    /// Whether a value lies on the axis.
    pub fn holds(&self, value: f64) -> bool {
        (self.from..=self.to).contains(&value)
    }
}

/// 1, 2 or 5 times a power of ten: the smallest that is at least `wanted`.
fn round_step(wanted: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(wanted)));
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|step| step * power >= wanted * 0.999);
    step.unwrap_or(10.0) * power
}

/// How many digits behind the point a step needs.
fn decimals(step: f64) -> usize {
    (-libm::floor(libm::log10(step) + 1e-9)).max(0.0) as usize
}

/// Multiples of `step` from `from` to `to`.
fn multiples(from: f64, to: f64, step: f64, write: impl Fn(f64) -> String) -> Vec<Tick> {
    let first = libm::ceil(from / step - 1e-9);
    let last = libm::floor(to / step + 1e-9);
    let count = (last - first).clamp(0.0, 100.0) as usize;
    let tick = |index: usize| {
        let at = (first + index as f64) * step;
        let label = if at == 0.0 { "0".to_owned() } else { write(at) };
        Tick { at, label }
    };
    (0..=count).map(tick).collect()
}

/// Round numbers from 0 to at least `largest`, about `count` of them; the last is the end of the
/// axis.
pub fn numbers(largest: f64, count: usize) -> Vec<Tick> {
    spanning(0.0, largest, count)
}

/// Round whole numbers from 0 to at least `largest`.
pub fn counts(largest: u64, count: usize) -> Vec<Tick> {
    let step = round_step((largest.max(1) as f64 / count as f64).max(1.0));
    let top = libm::ceil(largest.max(1) as f64 / step) * step;
    multiples(0.0, top, step, |at| thousands(at as u64))
}

/// Round numbers from at most `from` to at least `to`.
pub fn spanning(from: f64, to: f64, count: usize) -> Vec<Tick> {
    let to = if to > from {
        to
    } else {
        from + if from == 0.0 { 1.0 } else { from.abs() }
    };
    let step = round_step((to - from) / count as f64);
    let low = libm::floor(from / step + 1e-9) * step;
    let high = libm::ceil(to / step - 1e-9) * step;
    multiples(low, high, step, |at| decimal(at, decimals(step)))
}

/// Powers of ten, and where there are few their doubles and fivefolds, around `from` to `to` (above
/// 0).
pub fn logarithmic(from: f64, to: f64, write: impl Fn(f64) -> String) -> Vec<Tick> {
    let low = libm::floor(libm::log10(from) + 1e-9) as i32;
    let high = (libm::ceil(libm::log10(to) - 1e-9) as i32).max(low + 1);
    let steps: &[f64] = if high - low <= 2 {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0]
    };
    let mut ticks = Vec::new();
    for power in low..=high {
        for step in steps.iter().filter(|step| power < high || **step == 1.0) {
            let at = step * libm::pow(10.0, f64::from(power));
            ticks.push(Tick {
                at,
                label: write(at),
            });
        }
    }
    let first = ticks
        .iter()
        .rposition(|tick| tick.at <= from * 1.001)
        .unwrap_or(0);
    let last = ticks
        .iter()
        .position(|tick| tick.at >= to * 0.999)
        .unwrap_or(ticks.len() - 1);
    let (first, last) = match first < last {
        true => (first, last),
        // A single value gets room on both sides.
        false => (first.saturating_sub(1), (first + 1).min(ticks.len() - 1)),
    };
    ticks[first..=last].to_vec()
}

/// A unit of time for a whole axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeUnit {
    /// As it is written behind a number.
    pub name: &'static str,
    nanos: f64,
    steps: &'static [f64],
}

const MINUTES: &[f64] = &[1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0];
const HOURS: &[f64] = &[1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 48.0];
const UNITS: [TimeUnit; 7] = [
    TimeUnit {
        name: "d",
        nanos: 86_400e9,
        steps: &[],
    },
    TimeUnit {
        name: "h",
        nanos: 3_600e9,
        steps: HOURS,
    },
    TimeUnit {
        name: "min",
        nanos: 60e9,
        steps: MINUTES,
    },
    TimeUnit {
        name: "s",
        nanos: 1e9,
        steps: MINUTES,
    },
    TimeUnit {
        name: "ms",
        nanos: 1e6,
        steps: &[],
    },
    TimeUnit {
        name: "µs",
        nanos: 1e3,
        steps: &[],
    },
    TimeUnit {
        name: "ns",
        nanos: 1.0,
        steps: &[],
    },
];

impl TimeUnit {
    /// The largest unit of which `nanos` is at least three (two, for seconds and below).
    fn of(nanos: f64) -> TimeUnit {
        let enough =
            |unit: &&TimeUnit| nanos >= if unit.nanos > 1e9 { 3.0 } else { 2.0 } * unit.nanos;
        *UNITS.iter().find(enough).unwrap_or(&UNITS[6])
    }

    fn step(&self, wanted: f64) -> f64 {
        let fitting = self.steps.iter().find(|step| **step >= wanted);
        match fitting {
            Some(step) if wanted > 0.5 => *step,
            _ => round_step(wanted),
        }
    }
}

/// An axis of time: ticks (at nanoseconds) and what the numbers on them mean.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeTicks {
    /// Round instants.
    pub ticks: Vec<Tick>,
    /// `time (s)`
    pub caption: String,
}

/// Round instants between two times, about `count` of them.
pub fn times(from: Time, to: Time, count: usize) -> TimeTicks {
    let length = to.since(from).0.max(1) as f64;
    // Far from the start, absolute numbers would need more digits than anybody reads: count from
    // the window's start.
    let far = from.0 as f64 > 1000.0 * length;
    let base = if far { from.0 as f64 } else { 0.0 };
    let unit = TimeUnit::of(if far { length } else { to.0 as f64 });
    let step = unit.step(length / unit.nanos / count as f64);
    let low = (from.0 as f64 - base) / unit.nanos;
    let write = |at: f64| decimal(at, decimals(step));
    let mut ticks = multiples(low, low + length / unit.nanos, step, write);
    for tick in &mut ticks {
        tick.at = tick.at * unit.nanos + base;
    }
    let caption = if far {
        format!("{} after {}", unit.name, clock(from))
    } else {
        format!("time ({})", unit.name)
    };
    TimeTicks { ticks, caption }
}

/// A whole number with separators: `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with so many digits behind the point, and separators before it.
pub fn decimal(number: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", number.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), thousands);
    let negative = number < 0.0 && text.chars().any(|digit| ('1'..='9').contains(&digit));
    format!("{}{whole}{rest}", if negative { "−" } else { "" })
}

/// A number with three significant digits and no idle zeros.
pub fn significant(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return "0".to_owned();
    }
    let size = libm::floor(libm::log10(number.abs()) + 1e-9) as i32;
    let digits = (2 - size).clamp(0, 9) as usize;
    let text = decimal(number, digits);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A length of time in nanoseconds with three significant digits and its unit: `1.25 s`. No line
/// breaks between them.
pub fn duration(nanos: f64) -> String {
    let unit = match TimeUnit::of(nanos) {
        unit if unit.nanos >= 1e9 => unit,
        _ => *UNITS[3..]
            .iter()
            .find(|unit| nanos >= unit.nanos)
            .unwrap_or(&UNITS[6]),
    };
    format!("{}\u{a0}{}", significant(nanos / unit.nanos), unit.name)
}

/// A power of ten of nanoseconds, or its double or fivefold, as an axis has it: `100 s`.
pub fn decade(nanos: f64) -> String {
    let unit = UNITS[3..]
        .iter()
        .find(|unit| nanos >= 0.999 * unit.nanos)
        .unwrap_or(&UNITS[6]);
    format!("{}\u{a0}{}", significant(nanos / unit.nanos), unit.name)
}

/// An instant in all its units: `11 d 13 h 46 min 40 s`.
fn clock(time: Time) -> String {
    let mut rest = time.0;
    let mut parts = Vec::new();
    for unit in UNITS {
        let nanos = unit.nanos as u64;
        if rest >= nanos {
            parts.push(format!("{} {}", rest / nanos, unit.name));
            rest %= nanos;
        }
    }
    parts.truncate(4);
    parts.join(" ")
}

/// A share as a percentage: `31 %`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        _ if percent == 0.0 => "0\u{a0}%".to_owned(),
        _ if percent < 1.0 => "<1\u{a0}%".to_owned(),
        _ if (99.0..100.0).contains(&percent) => ">99\u{a0}%".to_owned(),
        _ => format!("{percent:.0}\u{a0}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn counts_are_round_and_separated() {
        assert_eq!(labels(&counts(2_600, 4)), ["0", "1,000", "2,000", "3,000"]);
        assert_eq!(labels(&counts(1, 5)), ["0", "1"]);
        assert_eq!(labels(&counts(0, 5)), ["0", "1"]);
        assert_eq!(labels(&counts(4, 5)), ["0", "1", "2", "3", "4"]);
    }

    #[test]
    fn time_is_told_in_a_fitting_unit() {
        let millis = |millis: u64| Time(millis * 1_000_000);
        let short = times(Time::ZERO, millis(800), 5);
        assert_eq!(labels(&short.ticks), ["0", "200", "400", "600", "800"]);
        assert_eq!(short.caption, "time (ms)");
        let seconds = times(Time::ZERO, millis(60_000), 5);
        assert_eq!(labels(&seconds.ticks), ["0", "15", "30", "45", "60"]);
        assert_eq!(seconds.caption, "time (s)");
        let fractions = times(millis(2_000), millis(3_000), 5);
        assert_eq!(
            labels(&fractions.ticks),
            ["2.0", "2.2", "2.4", "2.6", "2.8", "3.0"]
        );
        let minutes = times(Time::ZERO, millis(60 * 60_000), 5);
        assert_eq!(labels(&minutes.ticks), ["0", "15", "30", "45", "60"]);
        assert_eq!(minutes.caption, "time (min)");
    }

    #[test]
    fn a_short_window_far_away_counts_from_its_start() {
        let from = Time(1_000_000_000_000_000);
        let ticks = times(from, Time(from.0 + 4_000_000), 4);
        assert_eq!(labels(&ticks.ticks), ["0", "1", "2", "3", "4"]);
        assert_eq!(ticks.caption, "ms after 11 d 13 h 46 min 40 s");
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(significant(0.012_345), "0.0123");
        assert_eq!(significant(1_234.5), "1,234");
        assert_eq!(significant(2.50), "2.5");
        assert_eq!(decimal(-0.04, 1), "0.0");
        assert_eq!(decimal(-1234.5, 1), "−1,234.5");
        assert_eq!(duration(1_250_000_000.0), "1.25\u{a0}s");
        assert_eq!(duration(90_000_000_000.0), "90\u{a0}s");
        assert_eq!(duration(5_400_000_000_000.0), "90\u{a0}min");
        assert_eq!(decade(100_000_000_000.0), "100\u{a0}s");
        assert_eq!(percent(0.314), "31\u{a0}%");
        assert_eq!(percent(0.001), "<1\u{a0}%");
        assert_eq!(percent(0.9999), ">99\u{a0}%");
    }

    #[test]
    fn logarithmic_ticks_enclose_the_values() {
        let ticks = logarithmic(0.3, 450.0, significant);
        assert_eq!(labels(&ticks), ["0.1", "1", "10", "100", "1,000"]);
        let few = logarithmic(30.0, 450.0, significant);
        assert_eq!(labels(&few), ["20", "50", "100", "200", "500"]);
        let one = logarithmic(200.0, 200.0, significant);
        assert_eq!(labels(&one), ["100", "200", "500"]);
    }

    #[test]
    fn one_value_still_makes_an_axis() {
        for axis in [
            Axis::linear((5.0, 5.0), (0.0, 100.0)),
            Axis::logarithmic((5.0, 5.0), (0.0, 100.0)),
        ] {
            assert!(axis.map(5.0).is_finite() && axis.map(0.0).is_finite());
        }
    }
}
