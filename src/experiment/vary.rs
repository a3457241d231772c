//! What is varied: `--vary PATH=V1,V2,…`.
//!
//! ```text
//! worker.prefetchSize=1,10,100        each of these
//! *.prefetchSize=1..1000 log 7        seven, evenly spaced by ratio: 1, 3, 10, 32, 100, 316, 1000
//! worker.prefetchSize=1..10 step 3    1, 4, 7, 10
//! network.latency=1ms..100ms log 3    with a unit on both ends
//! worker.processing={"exponential": {"mean": "5ms"}},7ms
//! ```
//!
//! Values are those of the scenario file, without quotes where no comma or bracket needs them. Only
//! commas outside of brackets and quotes separate values.

use serde::Serialize;
use serde_json::{Number, Value};
use thiserror::Error;

/// No range makes more values than this.
const MOST_VALUES: usize = 1000;

/// One varied setting and its values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Axis {
    /// What is varied: `worker.prefetchSize`.
    pub path: String,
    /// At least one, each different.
    pub values: Vec<Value>,
    /// Whether another axis varies the same of somebody else, so that only the owner tells them
    /// apart.
    #[serde(skip)]
    has_twin: bool,
}

/// Why a `--vary` cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("--vary {text}: {reason}")]
pub struct VaryError {
    text: String,
    reason: String,
}

impl Axis {
    /// Reads `PATH=V1,V2,…`.
    ///
    /// # Errors
    /// If there is no path, no value, a value twice, an open bracket or quote, or a range that is
    /// none.
    pub fn parse(text: &str) -> Result<Axis, VaryError> {
        read_axis(text).map_err(|reason| VaryError {
            text: text.to_owned(),
            reason,
        })
    }

    /// Of values one by one, each a text as on the command line.
    ///
    /// # Errors
    /// If there is none, or one stands there twice.
    pub fn of_texts(path: &str, texts: &[String]) -> Result<Axis, VaryError> {
        let values: Result<Vec<Value>, String> = texts.iter().map(|text| value(text)).collect();
        let values = values.and_then(distinct).map_err(|reason| VaryError {
            text: path.to_owned(),
            reason,
        })?;
        Ok(Axis {
            path: path.to_owned(),
            values,
            has_twin: false,
        })
    }

    /// Whose setting is varied: `worker`, `*`, `network`.
    pub fn owner(&self) -> &str {
        self.parts().0
    }

    /// What is varied of it: `prefetchSize`, `jms.optimizeAcknowledge`,
    /// `processing.exponential.mean`.
    pub fn name(&self) -> &str {
        self.parts().1
    }

    /// `prefetch 10`, `processing mean 5ms`
    pub fn with(&self, value: &Value) -> String {
        format!("{} {}", self.title(), shown(value))
    }

    /// `prefetch`, `processing mean`: its name as people say it; `slow prefetch` if others' is
    /// varied as well.
    pub fn title(&self) -> String {
        let mut parts = self.name().split('.');
        let first = parts.next().unwrap_or_default();
        let name = match parts.next_back() {
            Some(last) if CIRCUMSTANCES.contains(&first) => format!("{first} {last}"),
            Some("prefetchSize" | "queuePrefetch" | "topicPrefetch") => "prefetch".to_owned(),
            Some(last) => last.to_owned(),
            None if first == "prefetchSize" => "prefetch".to_owned(),
            None => first.to_owned(),
        };
        match self.has_twin {
            true => format!("{} {name}", self.owner()),
            false => name,
        }
    }

    /// Whether it is varied to see what a choice depends on (the network, the load, how long work
    /// takes) rather than to be chosen.
    pub fn is_circumstance(&self) -> bool {
        let first = self.name().split('.').next().unwrap_or_default();
        self.owner() == "network" || CIRCUMSTANCES.contains(&first)
    }

    fn parts(&self) -> (&str, &str) {
        let chapters = ["consumers.", "producers."];
        let path = chapters
            .iter()
            .find_map(|chapter| self.path.strip_prefix(chapter));
        let path = path.unwrap_or(&self.path);
        let option = [".jms.", ".consumer."]
            .iter()
            .find_map(|prefix| path.find(prefix));
        match option.or_else(|| path.find('.')) {
            Some(dot) => (&path[..dot], &path[dot + 1..]),
            None => ("", path),
        }
    }
}

/// Lets axes that vary the same of different owners be told apart.
pub(super) fn distinguish(axes: &mut [Axis]) {
    let titles: Vec<String> = axes.iter().map(Axis::title).collect();
    for (axis, title) in axes.iter_mut().zip(&titles) {
        axis.has_twin = titles.iter().filter(|other| *other == title).count() > 1;
    }
}

/// What an engineer does not choose: the surroundings in which a choice has to be made.
const CIRCUMSTANCES: [&str; 15] = [
    "acknowledgeCost",
    "arrivals",
    "bytesPerSecond",
    "dispatchCost",
    "failures",
    "messages",
    "processing",
    "restarts",
    "seed",
    "size",
    "start",
    "stop",
    "storeLatency",
    "until",
    "warmUp",
];

/// A value as a person writes it: strings without quotes.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The same for tables and sentences: nothing that moves a terminal's cursor.
pub fn shown(value: &Value) -> String {
    let visible = |character: char| {
        if character.is_control() {
            '\u{FFFD}'
        } else {
            character
        }
    };
    plain(value).chars().map(visible).collect()
}

/// A share as a person writes it, `5%` or `0.05`: above 0 and below 1.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_share(text: &str) -> Result<f64, String> {
    let (digits, unit) = match text.trim().strip_suffix('%') {
        Some(percent) => (percent.trim(), 0.01),
        None => (text.trim(), 1.0),
    };
    let share = digits.parse::<f64>().map(|number| number * unit);
    share
        .ok()
        .filter(|share| *share > 0.0 && *share < 1.0)
        .ok_or_else(|| format!("expected a share between 0 and 1, such as 5% or 0.05, not {text}"))
}

fn read_axis(text: &str) -> Result<Axis, String> {
    let (path, values) = text.split_once('=').ok_or("expected PATH=VALUES")?;
    let path = path.trim();
    if path.is_empty() {
        return Err("expected a path before '='".to_owned());
    }
    Ok(Axis {
        path: path.to_owned(),
        values: read_values(values)?,
        has_twin: false,
    })
}

fn read_values(text: &str) -> Result<Vec<Value>, String> {
    let mut values = Vec::new();
    for piece in split(text)? {
        match piece.trim() {
            "" => return Err("a value is missing".to_owned()),
            piece => match Range::parse(piece)? {
                Some(range) => values.extend(range.values()?),
                None => values.push(value(piece)?),
            },
        }
    }
    distinct(values)
}

fn distinct(values: Vec<Value>) -> Result<Vec<Value>, String> {
    if values.is_empty() {
        return Err("a value is missing".to_owned());
    }
    let twice = (1..values.len()).find(|index| values[..*index].contains(&values[*index]));
    match twice {
        Some(index) => Err(format!(
            "the value {} stands there twice",
            plain(&values[index])
        )),
        None => Ok(values),
    }
}

/// Splits at the commas outside of brackets and quotes.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' | '[' => depth += 1,
            '}' | ']' => {
                depth = depth
                    .checked_sub(1)
                    .ok_or("a bracket closes that never opened")?
            }
            ',' if depth == 0 => {
                pieces.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    match (quoted, depth) {
        (true, _) => Err("a quote does not end".to_owned()),
        (_, 1..) => Err("a bracket does not close".to_owned()),
        _ => {
            pieces.push(&text[start..]);
            Ok(pieces)
        }
    }
}

/// JSON if it looks like it, otherwise a plain text.
fn value(piece: &str) -> Result<Value, String> {
    match serde_json::from_str(piece) {
        Ok(value) => Ok(value),
        Err(error) if piece.starts_with(['{', '[', '"']) => {
            Err(format!("{piece} is no JSON: {error}"))
        }
        Err(_) => Ok(Value::String(piece.to_owned())),
    }
}

/// `FIRST..LAST`, `FIRST..LAST step S` or `FIRST..LAST log N`; a unit may stand behind the numbers.
struct Range<'a> {
    first: f64,
    last: f64,
    unit: &'a str,
    /// Whether all values shall be whole numbers, as the ends are.
    whole: bool,
    spacing: Spacing,
}

enum Spacing {
    Step(f64),
    Logarithmic(usize),
}

impl<'a> Range<'a> {
    /// None if the text is no range at all.
    fn parse(text: &'a str) -> Result<Option<Range<'a>>, String> {
        let mut words = text.split_whitespace();
        let Some((first, last)) = words.next().and_then(|ends| ends.split_once("..")) else {
            return Ok(None);
        };
        let (Some((first, unit)), Some((last, last_unit))) = (number(first), number(last)) else {
            return Ok(None);
        };
        if unit != last_unit {
            return Err(format!("both ends of {text} need the same unit"));
        }
        let spacing = match (words.next(), words.next(), words.next()) {
            (None, ..) => Spacing::Step(1.0),
            (Some("step"), Some(step), None) => Spacing::Step(step_of(step, unit)?),
            (Some("log"), Some(count), None) => Spacing::Logarithmic(count_of(count)?),
            _ => {
                return Err(format!(
                    "{text}: expected `step S` or `log N` after the range"
                ));
            }
        };
        if first > last {
            return Err(format!("{text} runs backwards"));
        }
        let step = match spacing {
            Spacing::Step(step) => step,
            Spacing::Logarithmic(_) => 1.0,
        };
        let all_whole = [first, last, step].iter().all(|x| *x == libm::trunc(*x));
        Ok(Some(Range {
            first,
            last,
            unit,
            whole: all_whole && unit.is_empty(),
            spacing,
        }))
    }

    fn values(&self) -> Result<Vec<Value>, String> {
        let numbers = match self.spacing {
            Spacing::Step(step) => self.stepped(step)?,
            Spacing::Logarithmic(count) => self.logarithmic(count)?,
        };
        let mut values: Vec<Value> = numbers
            .into_iter()
            .map(|number| self.value(number))
            .collect();
        // Rounded to whole numbers, neighbours of a fine range can become the same.
        values.dedup();
        Ok(values)
    }

    fn stepped(&self, step: f64) -> Result<Vec<f64>, String> {
        let steps = libm::floor((self.last - self.first) / step + 1e-9);
        if steps >= MOST_VALUES as f64 {
            return Err(format!("more than {MOST_VALUES} values"));
        }
        Ok((0..=steps as usize)
            .map(|index| self.first + step * index as f64)
            .collect())
    }

    fn logarithmic(&self, count: usize) -> Result<Vec<f64>, String> {
        if self.first <= 0.0 {
            return Err("a logarithmic range starts above 0".to_owned());
        }
        let ratio = self.last / self.first;
        let share = |index: usize| index as f64 / (count - 1) as f64;
        Ok((0..count)
            .map(|index| self.first * libm::pow(ratio, share(index)))
            .collect())
    }

    fn value(&self, number: f64) -> Value {
        if self.whole {
            return Value::Number(Number::from(libm::round(number) as i64));
        }
        let number = significant(number);
        match self.unit {
            "" => Number::from_f64(number).map_or(Value::Null, Value::Number),
            unit => Value::String(format!("{number}{unit}")),
        }
    }
}

/// Four significant digits: `3.162ms` rather than `3.1622776601683795ms`.
fn significant(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

/// A number above or at 0 and the letters behind it.
fn number(text: &str) -> Option<(f64, &str)> {
    let is_letter = |character: char| character.is_ascii_alphabetic();
    let (digits, unit) = text.split_at(text.find(is_letter).unwrap_or(text.len()));
    let number: f64 = digits.parse().ok()?;
    let plain = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    (plain && unit.chars().all(is_letter)).then_some((number, unit))
}

fn step_of(text: &str, unit: &str) -> Result<f64, String> {
    match number(text) {
        Some((step, own)) if step > 0.0 && (own == unit || own.is_empty()) => Ok(step),
        _ => Err(format!("{text} is no step above 0")),
    }
}

fn count_of(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 2..=MOST_VALUES) => Ok(count),
        _ => Err(format!(
            "{text} is no number of values from 2 to {MOST_VALUES}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn values(text: &str) -> Value {
        let axis = Axis::parse(&format!("worker.field={text}")).unwrap();
        Value::Array(axis.values)
    }

    fn reason(text: &str) -> String {
        Axis::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn values_are_those_of_the_file() {
        assert_eq!(values("1, 10,100"), json!([1, 10, 100]));
        assert_eq!(values("true,false"), json!([true, false]));
        assert_eq!(values("0.2ms,1ms"), json!(["0.2ms", "1ms"]));
        assert_eq!(values("AUTO_ACKNOWLEDGE"), json!(["AUTO_ACKNOWLEDGE"]));
        assert_eq!(values("\"a,b\",c"), json!(["a,b", "c"]));
        assert_eq!(
            values(r#"{"uniform": {"min": "1ms", "max": "2ms"}},7ms"#),
            json!([{"uniform": {"min": "1ms", "max": "2ms"}}, "7ms"])
        );
        assert_eq!(
            values(r#"[{"crash": {"at": "1s"}}, 2],[]"#),
            json!([[{"crash": {"at": "1s"}}, 2], []])
        );
    }

    #[test]
    fn ranges() {
        assert_eq!(values("1..4"), json!([1, 2, 3, 4]));
        assert_eq!(values("1..10 step 3"), json!([1, 4, 7, 10]));
        assert_eq!(values("1..9 step 3"), json!([1, 4, 7]));
        assert_eq!(values("0..1 step 0.25"), json!([0.0, 0.25, 0.5, 0.75, 1.0]));
        assert_eq!(
            values("1..1000 log 7"),
            json!([1, 3, 10, 32, 100, 316, 1000])
        );
        assert_eq!(values("1..3 log 9"), json!([1, 2, 3]));
        assert_eq!(values("1ms..100ms log 3"), json!(["1ms", "10ms", "100ms"]));
        assert_eq!(
            values("0.5ms..2ms step 0.5"),
            json!(["0.5ms", "1ms", "1.5ms", "2ms"])
        );
        assert_eq!(values("0,10..1000 log 3"), json!([0, 10, 100, 1000]));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(reason("worker.prefetchSize").contains("expected PATH=VALUES"));
        assert!(reason("=1").contains("expected a path"));
        assert!(reason("w.x=").contains("a value is missing"));
        assert!(reason("w.x=1,,2").contains("a value is missing"));
        assert!(reason("w.x=1,2,1").contains("1 stands there twice"));
        assert!(reason("w.x={\"a\": 1").contains("does not close"));
        assert!(reason("w.x=1}").contains("never opened"));
        assert!(reason("w.x=\"a").contains("does not end"));
        assert!(reason("w.x={a}").contains("no JSON"));
        assert!(reason("w.x=10..1").contains("backwards"));
        assert!(reason("w.x=0..9 log 3").contains("above 0"));
        assert!(reason("w.x=1..9 log 1").contains("from 2 to 1000"));
        assert!(reason("w.x=1..9 step 0").contains("no step above 0"));
        assert!(reason("w.x=1..9 by 2").contains("expected `step S` or `log N`"));
        assert!(reason("w.x=1ms..9s step 1").contains("same unit"));
        assert!(reason("w.x=1..1000000").contains("more than 1000"));
    }

    #[test]
    fn values_may_come_one_by_one() {
        let of = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            Axis::of_texts("worker.prefetchSize", &texts).map(|axis| axis.values)
        };
        assert_eq!(
            of(&["1", "a,b", "5ms"]).unwrap(),
            [json!(1), json!("a,b"), json!("5ms")]
        );
        assert!(of(&[]).is_err() && of(&["1", "1"]).is_err() && of(&["{"]).is_err());
    }

    #[test]
    fn the_surroundings_are_no_choice() {
        let is_circumstance =
            |path: &str| Axis::parse(&format!("{path}=1")).unwrap().is_circumstance();
        assert!(is_circumstance("network.latency"));
        assert!(is_circumstance("worker.processing.exponential.mean"));
        assert!(is_circumstance("producers.shop.arrivals"));
        assert!(!is_circumstance("worker.prefetchSize"));
        assert!(!is_circumstance("*.jms.optimizeAcknowledge"));
        assert!(!is_circumstance("worker.count"));
    }

    #[test]
    fn settings_are_told_by_name_and_value() {
        let told = |text: &str| {
            let axis = Axis::parse(text).unwrap();
            axis.with(&axis.values[0])
        };
        assert_eq!(told("*.prefetchSize=10"), "prefetch 10");
        assert_eq!(told("*.jms.prefetchPolicy.queuePrefetch=10"), "prefetch 10");
        assert_eq!(
            told("w.jms.optimizeAcknowledge=true"),
            "optimizeAcknowledge true"
        );
        assert_eq!(
            told("w.processing.exponential.mean=5ms"),
            "processing mean 5ms"
        );
        assert_eq!(told("network.latency=1ms"), "latency 1ms");
    }

    #[test]
    fn shares_may_be_percentages() {
        assert_eq!(parse_share("5%"), Ok(0.05));
        assert_eq!(parse_share("0.05"), Ok(0.05));
        assert!(
            ["0", "100%", "-1%", "5 per cent", "NaN", ""]
                .iter()
                .all(|x| parse_share(x).is_err())
        );
    }

    #[test]
    fn the_same_of_two_owners_is_told_with_them() {
        let parse = |text: &&str| Axis::parse(text).unwrap();
        let mut axes = [
            "fast.prefetchSize=1",
            "slow.prefetchSize=9",
            "network.latency=1ms",
        ]
        .map(|text| parse(&text));
        distinguish(&mut axes);
        let told = axes.each_ref().map(|axis| axis.with(&axis.values[0]));
        assert_eq!(told, ["fast prefetch 1", "slow prefetch 9", "latency 1ms"]);
    }

    #[test]
    fn axes_are_named_by_what_they_vary() {
        let name = |path: &str| Axis::parse(&format!("{path}=1")).unwrap().name().to_owned();
        assert_eq!(name("*.prefetchSize"), "prefetchSize");
        assert_eq!(
            name("worker.jms.optimizeAcknowledge"),
            "jms.optimizeAcknowledge"
        );
        assert_eq!(name("network.latency"), "latency");
        assert_eq!(name("consumers.worker.start"), "start");
        assert_eq!(name("until"), "until");
    }
}
