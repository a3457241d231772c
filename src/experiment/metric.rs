//! What is compared: a number in `metrics.json`, found by its path.
//!
//! `*` in a path stands for every key, and the numbers behind it are put together: ratios and means
//! are averaged, largest values give the largest, everything else adds up. So
//! `consumers.*.starvedMs` is the time in which consumers starved, all together.

use serde::Serialize;
use serde_json::Value;

use super::statistics::Better;

/// A number to compare settings by.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metric {
    /// Where it stands in `metrics.json`: `latencyMs.sendToProcessed.p99`.
    pub path: String,
    /// For sentences and axes: `99th percentile of latency`.
    pub title: String,
    /// Behind a number: `ms`, `/s` or nothing.
    pub unit: &'static str,
    /// Which values are good.
    pub better: Better,
}

/// What is compared unless the user says otherwise; the first decides.
const DEFAULTS: [&str; 6] = [
    "latencyMs.sendToProcessed.mean",
    "latencyMs.sendToProcessed.p99",
    "throughput.processedPerSecond",
    "consumers.*.starvedMs",
    "messages.duplicates",
    "wire.acksPerMessage",
];

/// Metrics with a title of their own.
const TITLES: [(&str, &str); 16] = [
    ("latencyMs.sendToProcessed.mean", "mean latency"),
    ("latencyMs.sendToProcessed.p50", "median latency"),
    (
        "latencyMs.sendToProcessed.p90",
        "90th percentile of latency",
    ),
    (
        "latencyMs.sendToProcessed.p99",
        "99th percentile of latency",
    ),
    (
        "latencyMs.sendToProcessed.p999",
        "99.9th percentile of latency",
    ),
    ("throughput.processedPerSecond", "throughput"),
    ("consumers.*.starvedMs", "starved time"),
    ("messages.duplicates", "duplicates"),
    ("messages.redeliveries", "redeliveries"),
    ("messages.lost", "lost messages"),
    ("messages.deadLettered", "dead letters"),
    ("timing.steadyPerSecond", "steady throughput"),
    ("wire.acksPerMessage", "acks per message"),
    ("wire.commandsPerMessage", "commands per message"),
    ("fairness", "fairness"),
    ("timing.makespanMs", "makespan"),
];

/// Last parts of paths of which more is better.
const HIGHER: [&str; 8] = [
    "utilisation",
    "fairness",
    "steadyPerSecond",
    "processed",
    "acknowledged",
    "delivered",
    "sent",
    "committed",
];

/// Last parts of paths that are averaged over what `*` stands for.
const AVERAGED: [&str; 9] = [
    "utilisation",
    "fairness",
    "mean",
    "bufferedMs",
    "inFlightMs",
    "meanHeld",
    "meanDepth",
    "meanInFlight",
    "lateMs",
];

impl Metric {
    /// The metric at a path of `metrics.json`. Whether it is there shows when a run is looked at.
    pub fn at(path: &str) -> Metric {
        let title = TITLES.iter().find(|(known, _)| *known == path);
        let leaf = leaf(path);
        let higher = path.starts_with("throughput.") || HIGHER.contains(&leaf);
        Metric {
            path: path.to_owned(),
            title: title.map_or(path, |(_, title)| title).to_owned(),
            unit: unit(path),
            better: if higher {
                Better::Higher
            } else {
                Better::Lower
            },
        }
    }

    /// What is compared by default: latency (mean and 99th percentile), throughput, starved time,
    /// duplicates, acks per message.
    pub fn defaults() -> Vec<Metric> {
        DEFAULTS.iter().map(|path| Metric::at(path)).collect()
    }

    /// Whether it is a far percentile: those gain next to nothing from common random numbers.
    pub fn is_tail(&self) -> bool {
        matches!(leaf(&self.path), "p99" | "p999" | "max")
    }

    /// Its value in a run; None where nothing happened, or too little did for a percentile.
    pub fn of(&self, metrics: &Value) -> Option<f64> {
        let found = lookup(metrics, &self.path);
        let numbers: Vec<f64> = found.iter().filter_map(|value| value.as_f64()).collect();
        let needed = samples_needed(leaf(&self.path));
        if needed > 0 && self.samples(metrics).is_some_and(|count| count < needed) {
            return None;
        }
        combine(&numbers, leaf(&self.path))
    }

    /// Whether a run has anything at this path, be it null, or could have it: `*` may stand for
    /// nobody.
    pub fn exists_in(&self, metrics: &Value) -> bool {
        let group = self
            .path
            .split_once(".*")
            .map(|(group, _)| lookup(metrics, group));
        let is_empty = |found: &&Value| found.as_object().is_some_and(serde_json::Map::is_empty);
        let nobody = group.is_some_and(|found| found.into_iter().any(|group| is_empty(&group)));
        nobody || !lookup(metrics, &self.path).is_empty()
    }

    /// How many values a percentile rests on.
    fn samples(&self, metrics: &Value) -> Option<u64> {
        let (group, _) = self.path.rsplit_once('.')?;
        let counts = lookup(metrics, &format!("{group}.count"));
        counts.iter().filter_map(|count| count.as_u64()).min()
    }
}

/// Ten values must lie beyond a percentile.
fn samples_needed(leaf: &str) -> u64 {
    match leaf {
        "p90" => 100,
        "p99" => 1_000,
        "p999" => 10_000,
        _ => 0,
    }
}

fn leaf(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn unit(path: &str) -> &'static str {
    if leaf(path).ends_with("PerSecond") {
        "/s"
    } else if path.split('.').any(|part| part.ends_with("Ms")) && leaf(path) != "count" {
        "ms"
    } else {
        ""
    }
}

/// What stands at a path. Names of consumers and destinations may have dots in them, so each key is
/// tried as a whole; `*` is every key.
pub(super) fn lookup<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    if path.is_empty() {
        return vec![value];
    }
    let Value::Object(members) = value else {
        return Vec::new();
    };
    let behind = |key: &str| {
        let rest = path.strip_prefix(key).or_else(|| path.strip_prefix('*'))?;
        if rest.is_empty() {
            Some(rest)
        } else {
            rest.strip_prefix('.')
        }
    };
    members
        .iter()
        .filter_map(|(key, member)| behind(key).map(|rest| lookup(member, rest)))
        .flatten()
        .collect()
}

fn combine(numbers: &[f64], leaf: &str) -> Option<f64> {
    if numbers.is_empty() {
        return None;
    }
    let sum: f64 = numbers.iter().sum();
    if AVERAGED.contains(&leaf) {
        Some(sum / numbers.len() as f64)
    } else if leaf.starts_with("max") {
        numbers.iter().copied().reduce(f64::max)
    } else {
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run() -> Value {
        json!({
            "messages": {"duplicates": 3},
            "latencyMs": {"sendToProcessed": {"mean": 6.5, "p99": 40.0, "p999": 70.0, "count": 1500}},
            "consumers": {
                "worker-1": {"starvedMs": 10.0, "utilisation": 0.5, "maxHeld": 7},
                "eu.worker": {"starvedMs": 5.0, "utilisation": 1.0, "maxHeld": 9},
            },
            "fairness": null,
        })
    }

    fn at(path: &str) -> Option<f64> {
        Metric::at(path).of(&run())
    }

    #[test]
    fn numbers_are_found_by_their_path() {
        assert_eq!(at("messages.duplicates"), Some(3.0));
        assert_eq!(at("latencyMs.sendToProcessed.mean"), Some(6.5));
        assert_eq!(at("consumers.eu.worker.starvedMs"), Some(5.0));
        assert_eq!(at("consumers.nobody.starvedMs"), None);
        assert!(!Metric::at("consumers.nobody.starvedMs").exists_in(&run()));
    }

    #[test]
    fn a_star_may_stand_for_nobody() {
        let nobody = json!({"consumers": {}});
        assert!(Metric::at("consumers.*.starvedMs").exists_in(&nobody));
        assert_eq!(Metric::at("consumers.*.starvedMs").of(&nobody), None);
    }

    #[test]
    fn null_is_there_and_has_no_value() {
        assert_eq!(at("fairness"), None);
        assert!(Metric::at("fairness").exists_in(&run()));
    }

    #[test]
    fn a_star_puts_consumers_together_as_it_makes_sense() {
        assert_eq!(at("consumers.*.starvedMs"), Some(15.0));
        assert_eq!(at("consumers.*.utilisation"), Some(0.75));
        assert_eq!(at("consumers.*.maxHeld"), Some(9.0));
    }

    #[test]
    fn percentiles_need_ten_values_beyond_them() {
        assert_eq!(at("latencyMs.sendToProcessed.p99"), Some(40.0));
        assert_eq!(at("latencyMs.sendToProcessed.p999"), None);
    }

    #[test]
    fn metrics_know_their_unit_and_their_good_side() {
        let latency = Metric::at("latencyMs.sendToProcessed.p99");
        assert_eq!((latency.unit, latency.better), ("ms", Better::Lower));
        let throughput = Metric::at("throughput.processedPerSecond");
        assert_eq!((throughput.unit, throughput.better), ("/s", Better::Higher));
        let duplicates = Metric::at("messages.duplicates");
        assert_eq!((duplicates.unit, duplicates.better), ("", Better::Lower));
    }
}
