//! Single values: durations, sizes, numbers and distributions, as they are written and as they are
//! meant.

use super::json::{Node, Value};
use super::limits;
use super::report::Report;
use super::shape::{Field, Kind, Named};
use crate::kernel::{Distribution, Span, Time};

/// Why a text is not the value that it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Continues "`key` …": `is negative`.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Fault {
    /// A fault that needs no advice.
    pub fn new(message: impl Into<String>) -> Fault {
        Fault {
            message: message.into(),
            help: None,
        }
    }

    fn with_help(self, help: impl Into<String>) -> Fault {
        Fault {
            help: Some(help.into()),
            ..self
        }
    }
}

const DURATION_UNITS: [(&str, u64); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

const SIZE_UNITS: [(&str, u64); 4] = [("b", 1), ("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30)];

/// What people write for a unit, and what they mean.
const OTHER_NAMES: [(&str, &[&str]); 11] = [
    (
        "ns",
        &["nsec", "nano", "nanos", "nanosecond", "nanoseconds"],
    ),
    (
        "us",
        &[
            "µs",
            "μs",
            "usec",
            "micro",
            "micros",
            "microsecond",
            "microseconds",
        ],
    ),
    (
        "ms",
        &["msec", "milli", "millis", "millisecond", "milliseconds"],
    ),
    ("s", &["sec", "secs", "second", "seconds"]),
    ("m", &["min", "mins", "minute", "minutes"]),
    ("h", &["hr", "hrs", "hour", "hours"]),
    ("24h", &["d", "day", "days"]),
    ("b", &["byte", "bytes"]),
    ("kb", &["k", "kib", "kilobyte", "kilobytes"]),
    ("mb", &["m", "mib", "megabyte", "megabytes"]),
    ("gb", &["g", "gib", "gigabyte", "gigabytes"]),
];

/// A duration as text, in nanoseconds, rounded to the nearest.
///
/// # Errors
/// Where it is no number with a unit, negative, or longer than [`limits::NANOSECONDS`].
pub fn parse_duration(text: &str) -> Result<Span, Fault> {
    let nanos = parse_with_unit(text, &DURATION_UNITS, "duration", "\"5ms\"")?;
    if nanos > limits::NANOSECONDS as u128 {
        return Err(Fault::new(
            "is longer than 2^63 nanoseconds (some 292 years)",
        ));
    }
    Ok(Span(nanos as u64))
}

/// A size as text, in bytes, rounded to the nearest.
///
/// # Errors
/// Where it is no number with a unit, negative, or more than 2^63 bytes.
pub fn parse_size(text: &str) -> Result<u64, Fault> {
    let bytes = parse_with_unit(text, &SIZE_UNITS, "size", "\"1kb\"")?;
    u64::try_from(bytes).map_err(|_| Fault::new("is too large"))
}

fn parse_with_unit(
    text: &str,
    units: &[(&str, u64)],
    what: &str,
    example: &str,
) -> Result<u128, Fault> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = (&text[..end], text[end..].trim_start());
    if text.starts_with('-') {
        return Err(Fault::new("is negative"));
    }
    if number.is_empty() {
        return Err(not_with_unit(text, what, example));
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(wrong_unit(number, unit, units, what));
    };
    scaled(number, *factor).ok_or_else(|| not_with_unit(text, what, example))
}

fn not_with_unit(text: &str, what: &str, example: &str) -> Fault {
    Fault::new(format!("is no {what}: \"{text}\"")).with_help(format!(
        "a {what} is a number and a unit, such as {example}"
    ))
}

fn wrong_unit(number: &str, unit: &str, units: &[(&str, u64)], what: &str) -> Fault {
    let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    let known = format!("units are {}", names.join(" "));
    if unit.is_empty() {
        let guess = if what == "size" { "b" } else { "ms" };
        return Fault::new(format!("is a {what} without a unit: \"{number}\""))
            .with_help(format!("{known}: did you mean \"{number}{guess}\"?"));
    }
    let lower = unit.to_lowercase();
    let meant = names
        .iter()
        .copied()
        .find(|name| *name == lower)
        .or_else(|| {
            let is_meant = |(name, others): &&(&str, &[&str])| {
                (names.contains(name) || *name == "24h" && what == "duration")
                    && others.contains(&lower.as_str())
            };
            OTHER_NAMES.iter().find(is_meant).map(|(name, _)| *name)
        });
    let fault = Fault::new(format!("is a {what} with an unknown unit: `{unit}`"));
    match meant {
        Some("24h") => fault.with_help(format!("{known}: write days in hours")),
        Some(name) => fault.with_help(format!("{known}: did you mean \"{number}{name}\"?")),
        None => fault.with_help(known),
    }
}

/// A decimal number times a factor, rounded to the nearest, half up; None if it is no number. Huge
/// numbers saturate.
fn scaled(number: &str, factor: u64) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    if whole.len() > 18 {
        return Some(u128::MAX);
    }
    let whole: u128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    // Beyond 18 digits a fraction of the largest unit is far below half a nanosecond.
    let digits = &fraction[..fraction.len().min(18)];
    let scale = (0..digits.len()).fold(1u128, |scale, _| scale * 10);
    let part = digits.parse::<u128>().ok()? * u128::from(factor);
    Some(whole * u128::from(factor) + (part + scale / 2) / scale)
}

/// A whole number as JSON writes it: `1000`, `1e3`, `1000.0`.
///
/// # Errors
/// Where it is not whole, or beyond 2^126.
pub fn parse_whole(text: &str) -> Result<i128, Fault> {
    if !text.contains(['.', 'e', 'E']) {
        return text
            .parse()
            .map_err(|_| Fault::new(format!("is too large: {}", short(text))));
    }
    let value = parse_number(text)?;
    if value.abs() >= 9.2e18 {
        return Err(Fault::new(format!("is too large: {}", short(text))));
    }
    let whole = value as i128;
    if whole as f64 != value {
        return Err(Fault::new(format!(
            "must be a whole number, but is {}",
            short(text)
        )));
    }
    Ok(whole)
}

/// A number as JSON writes it.
///
/// # Errors
/// Where it is beyond what a double-precision number can hold.
pub fn parse_number(text: &str) -> Result<f64, Fault> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(Fault::new(format!("is too large: {}", short(text)))),
    }
}

/// A number of a million digits is not repeated in its error.
fn short(text: &str) -> String {
    match text.char_indices().nth(30) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// What a node says. For files that have passed [`super::shape::check`]: whatever is not there, or
/// not of the right kind, is None.
impl Node {
    /// A text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number that fits the wanted type.
    pub fn as_whole<T: TryFrom<i128>>(&self) -> Option<T> {
        match &self.value {
            Value::Number(text) => T::try_from(parse_whole(text).ok()?).ok(),
            _ => None,
        }
    }

    /// A finite number.
    pub fn as_number(&self) -> Option<f64> {
        match &self.value {
            Value::Number(text) => parse_number(text).ok(),
            _ => None,
        }
    }

    /// A duration with a unit.
    pub fn as_duration(&self) -> Option<Span> {
        parse_duration(self.as_text()?).ok()
    }

    /// An option of ActiveMQ that is a time: a number of milliseconds, or a duration, cut to
    /// milliseconds.
    pub fn as_millis(&self) -> Option<i64> {
        match self.as_duration() {
            Some(duration) => i64::try_from(duration.as_millis()).ok(),
            None => self.as_whole(),
        }
    }

    /// Bytes: a number, or a size with a unit.
    pub fn as_size(&self) -> Option<u64> {
        self.as_text()
            .map_or_else(|| self.as_whole(), |text| parse_size(text).ok())
    }

    /// The text of this key.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_text()
    }

    /// The whole number of this key.
    pub fn whole<T: TryFrom<i128>>(&self, key: &str) -> Option<T> {
        self.get(key)?.as_whole()
    }

    /// The number of this key.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.get(key)?.as_number()
    }

    /// The truth value of this key.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key)?.value {
            Value::Bool(flag) => Some(flag),
            _ => None,
        }
    }

    /// The duration of this key.
    pub fn duration(&self, key: &str) -> Option<Span> {
        self.get(key)?.as_duration()
    }

    /// The time of this key, from the start of the run.
    pub fn time(&self, key: &str) -> Option<Time> {
        self.duration(key).map(|span| Time(span.0))
    }

    /// The ActiveMQ time of this key in milliseconds.
    pub fn millis(&self, key: &str) -> Option<i64> {
        self.get(key)?.as_millis()
    }

    /// The bytes of this key.
    pub fn size_of(&self, key: &str) -> Option<u64> {
        self.get(key)?.as_size()
    }

    /// The elements of this key's list; none if it is left out.
    pub fn list(&self, key: &str) -> &[Node] {
        self.get(key).map_or(&[], Node::elements)
    }

    /// The object of this key; an empty one if it is left out.
    pub fn child(&self, key: &str) -> &Node {
        self.get(key).unwrap_or(&EMPTY)
    }
}

/// What stands for an object that is left out.
pub static EMPTY: Node = Node {
    place: super::json::Place {
        text: 0,
        start: 0,
        end: 0,
    },
    value: Value::Object(Vec::new()),
};

/// A random duration: a duration, or one distribution.
pub const RANDOM: Kind = Kind::Named(&RANDOM_DURATION);

static RANDOM_DURATION: Named = Named {
    name: "randomDuration",
    about: "a duration such as \"5ms\", or one distribution",
    kind: Kind::Either(&[Kind::Duration, Kind::Named(&DISTRIBUTION)]),
};

static DISTRIBUTION: Named = Named {
    name: "distribution",
    about: "one distribution, such as {\"exponential\": {\"mean\": \"5ms\"}}",
    kind: Kind::OneOf(DISTRIBUTIONS),
};

static DISTRIBUTIONS: &[Field] = &[
    Field::new("constant", Kind::Duration, "Always the same."),
    Field::new(
        "uniform",
        Kind::Object(UNIFORM),
        "Every value from min to max alike.",
    ),
    Field::new("exponential", Kind::Object(EXPONENTIAL), "Exponential."),
    Field::new(
        "normal",
        Kind::Object(NORMAL),
        "Normal; values below 0 become 0.",
    ),
    Field::new(
        "logNormal",
        Kind::Object(LOG_NORMAL),
        "Log-normal, by two of its quantiles.",
    ),
    Field::new(
        "pareto",
        Kind::Object(PARETO),
        "Pareto: many short ones and a heavy tail.",
    ),
    Field::new(
        "erlang",
        Kind::Object(ERLANG),
        "The sum of so many exponential stages.",
    ),
    Field::new(
        "empirical",
        Kind::List {
            of: &Kind::Duration,
            least: 1,
            most: limits::VALUES,
        },
        "One of these, each with equal chance.",
    ),
    Field::new(
        "mixture",
        Kind::List {
            of: &Kind::Object(PART),
            least: 1,
            most: limits::VALUES,
        },
        "One of these distributions, by weight.",
    ),
];

static UNIFORM: &[Field] = &[
    Field::new("min", Kind::Duration, "The shortest.").required(),
    Field::new("max", Kind::Duration, "The longest.").required(),
];
static EXPONENTIAL: &[Field] = &[Field::new("mean", Kind::PositiveDuration, "Mean.").required()];
static NORMAL: &[Field] = &[
    Field::new("mean", Kind::Duration, "Mean.").required(),
    Field::new("standardDeviation", Kind::Duration, "Standard deviation.").required(),
];
static LOG_NORMAL: &[Field] = &[
    Field::new("median", Kind::PositiveDuration, "Half are shorter.").required(),
    Field::new("p99", Kind::PositiveDuration, "99 of 100 are shorter.").required(),
];
static PARETO: &[Field] = &[
    Field::new("scale", Kind::PositiveDuration, "The shortest.").required(),
    Field::new(
        "shape",
        Kind::Number {
            above: 0.0,
            most: 1e6,
        },
        "Tail exponent.",
    )
    .required(),
];
static ERLANG: &[Field] = &[
    Field::new(
        "shape",
        Kind::Whole {
            least: 1,
            most: limits::STAGES,
        },
        "Stages.",
    )
    .required(),
    Field::new("mean", Kind::PositiveDuration, "Mean of the sum.").required(),
];
static PART: &[Field] = &[
    Field::new(
        "weight",
        Kind::Number {
            above: 0.0,
            most: 1e15,
        },
        "Relative chance.",
    )
    .required(),
    Field::new("of", Kind::Named(&DISTRIBUTION), "What is drawn from then.").required(),
];

/// A random duration of this key; `otherwise` if it is left out.
pub fn random(
    object: &Node,
    key: &str,
    otherwise: Distribution,
    report: &mut Report,
) -> Distribution {
    object
        .get(key)
        .map_or(otherwise, |node| distribution(node, report))
}

/// A random duration. What its parameters must have to do with each other is checked here.
pub fn distribution(node: &Node, report: &mut Report) -> Distribution {
    let Some(member) = node.members().first() else {
        return Distribution::Constant(node.as_duration().unwrap_or_default());
    };
    let of = &member.node;
    let duration = |key| of.duration(key).unwrap_or_default();
    match member.key.as_str() {
        "uniform" => {
            let (min, max) = (duration("min"), duration("max"));
            if min > max {
                report.error(
                    of.place,
                    format!("`min` ({min}) is longer than `max` ({max})"),
                );
            }
            Distribution::Uniform { min, max }
        }
        "exponential" => Distribution::Exponential {
            mean: duration("mean"),
        },
        "normal" => Distribution::Normal {
            mean: duration("mean"),
            standard_deviation: duration("standardDeviation"),
        },
        "logNormal" => {
            let (median, p99) = (duration("median"), duration("p99"));
            if p99 <= median {
                let message = format!("`p99` ({p99}) must be longer than `median` ({median})");
                report.error(of.place, message);
            }
            Distribution::LogNormal { median, p99 }
        }
        "pareto" => Distribution::Pareto {
            scale: duration("scale"),
            shape: of.number("shape").unwrap_or(1.0),
        },
        "erlang" => Distribution::Erlang {
            shape: of.whole("shape").unwrap_or(1),
            mean: duration("mean"),
        },
        "empirical" => {
            let values = of.elements().iter();
            Distribution::Empirical(values.filter_map(Node::as_duration).collect())
        }
        "mixture" => {
            let part = |node: &Node| {
                let weight = node.number("weight").unwrap_or(1.0);
                (weight, distribution(node.child("of"), report))
            };
            Distribution::Mixture(of.elements().iter().map(part).collect())
        }
        _ => Distribution::Constant(of.as_duration().unwrap_or_default()),
    }
}

/// Whether a distribution can only give zero.
pub fn is_always_zero(distribution: &Distribution) -> bool {
    match distribution {
        Distribution::Constant(span) => *span == Span::ZERO,
        Distribution::Uniform { max, .. } => *max == Span::ZERO,
        Distribution::Normal {
            mean,
            standard_deviation,
        } => *mean == Span::ZERO && *standard_deviation == Span::ZERO,
        Distribution::Empirical(values) => values.iter().all(|span| *span == Span::ZERO),
        Distribution::Mixture(parts) => parts.iter().all(|(_, part)| is_always_zero(part)),
        _ => false,
    }
}
