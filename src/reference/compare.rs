//! Reading a recording, and the first difference of each view.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ConsumerViews, View, Views};

/// What the real broker did: `NAME.reference.json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// The scenario's name.
    pub scenario: String,
    /// `ActiveMQ 5.17.2`
    pub recorded_with: String,
    /// The views that must match exactly.
    pub compare: Vec<View>,
    /// All views, those that are not compared, too.
    #[serde(flatten)]
    pub views: Views,
}

/// Why a reference cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a reference.
    #[error("{path}: not a reference: {source}", path = path.display())]
    Format {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// The first place at which a view of the simulator differs from the broker's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Difference {
    /// Which view.
    pub view: View,
    /// Which of its lists: a consumer's name, or a list of the outcome; none in the broker's log.
    pub list: Option<String>,
    /// The line in that list, from 1.
    pub position: usize,
    /// What the broker did; none if its list had ended.
    pub broker: Option<String>,
    /// What the simulator did; none if its list had ended.
    pub simulator: Option<String>,
}

impl Reference {
    /// Where the reference of a scenario file lies: `orders.json` has `orders.reference.json`
    /// beside it.
    pub fn path_beside(scenario: &Path) -> PathBuf {
        scenario.with_extension("reference.json")
    }

    /// Reads a reference file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is no reference.
    pub fn read(path: &Path) -> Result<Reference, ReadError> {
        let text = std::fs::read_to_string(path).map_err(|source| ReadError::Io {
            path: path.to_owned(),
            source,
        })?;
        serde_json::from_str(&text).map_err(|source| ReadError::Format {
            path: path.to_owned(),
            source,
        })
    }

    /// The first difference of each compared view; none where all match.
    pub fn differences(&self, simulated: &Views) -> Vec<Difference> {
        let compared = View::ALL
            .into_iter()
            .filter(|view| self.compare.contains(view));
        compared
            .filter_map(|view| first_difference(view, &self.views, simulated))
            .collect()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = self
            .list
            .as_ref()
            .map(|list| format!(" ({list})"))
            .unwrap_or_default();
        let or_nothing = |line: &Option<String>| match line {
            Some(line) => format!("`{line}`"),
            None => "nothing more".to_owned(),
        };
        write!(
            f,
            "{}{list}, line {}: the broker has {}, the simulator {}",
            self.view.name(),
            self.position,
            or_nothing(&self.broker),
            or_nothing(&self.simulator)
        )
    }
}

type Lists<'a> = BTreeMap<Option<&'a str>, &'a [String]>;

fn first_difference(view: View, broker: &Views, simulator: &Views) -> Option<Difference> {
    let (broker, simulator) = (lists(view, broker), lists(view, simulator));
    let mut names: Vec<Option<&str>> = broker.keys().chain(simulator.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().find_map(|name| {
        let broker = broker.get(&name).copied().unwrap_or_default();
        let simulator = simulator.get(&name).copied().unwrap_or_default();
        let at = first_unequal(broker, simulator)?;
        Some(Difference {
            view,
            list: name.map(str::to_owned),
            position: at + 1,
            broker: broker.get(at).cloned(),
            simulator: simulator.get(at).cloned(),
        })
    })
}

fn first_unequal(left: &[String], right: &[String]) -> Option<usize> {
    (0..left.len().max(right.len())).find(|at| left.get(*at) != right.get(*at))
}

fn lists(view: View, views: &Views) -> Lists<'_> {
    let per_consumer = |list: fn(&ConsumerViews) -> &[String]| {
        let consumers = views.consumers.iter();
        consumers
            .map(|(name, views)| (Some(name.as_str()), list(views)))
            .collect()
    };
    match view {
        View::Acks => per_consumer(|views| &views.acks),
        View::Delivered => per_consumer(|views| &views.delivered),
        View::Dispatched => per_consumer(|views| &views.dispatched),
        View::Broker => Lists::from([(None, views.broker.as_slice())]),
        View::Outcome => Lists::from([
            (Some("acknowledged"), views.outcome.acknowledged.as_slice()),
            (Some("deadLettered"), &views.outcome.dead_lettered),
            (Some("expired"), &views.outcome.expired),
            (Some("discarded"), &views.outcome.discarded),
            (Some("remaining"), &views.outcome.remaining),
            (Some("slow"), &views.outcome.slow),
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = r#"{
        "scenario": "two", "recordedWith": "ActiveMQ 5.17.2", "compare": ["acks", "broker", "outcome"],
        "consumers": {"worker": {
            "acks": ["STANDARD orders:1..orders:1 x1", "close"],
            "delivered": ["orders:1"], "dispatched": ["orders:1", "orders:2"]}},
        "broker": ["subscribe worker"],
        "outcome": {"acknowledged": ["orders:1"], "deadLettered": [], "expired": [], "discarded": [],
            "remaining": ["orders:2"], "slow": []}
    }"#;

    fn reference() -> Reference {
        serde_json::from_str(RECORDED).unwrap()
    }

    #[test]
    fn equal_views_have_no_difference() {
        let reference = reference();
        assert_eq!(reference.differences(&reference.views), []);
    }

    #[test]
    fn a_view_that_is_not_compared_may_differ() {
        let reference = reference();
        let mut simulated = reference.views.clone();
        simulated
            .consumers
            .get_mut("worker")
            .unwrap()
            .delivered
            .clear();
        assert_eq!(reference.differences(&simulated), []);
    }

    #[test]
    fn each_view_shows_its_first_difference_only() {
        let reference = reference();
        let mut simulated = reference.views.clone();
        simulated.consumers.get_mut("worker").unwrap().acks[1] = "lost".to_owned();
        simulated.outcome.acknowledged.push("orders:2".to_owned());
        simulated.outcome.remaining.clear();
        let differences = reference.differences(&simulated);
        let texts: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "acks (worker), line 2: the broker has `close`, the simulator `lost`",
                "outcome (acknowledged), line 2: the broker has nothing more, the simulator `orders:2`",
            ]
        );
    }

    #[test]
    fn a_consumer_that_only_one_side_knows_is_a_difference() {
        let reference = reference();
        let mut simulated = reference.views.clone();
        let worker = simulated.consumers.remove("worker").unwrap();
        simulated.consumers.insert("other".to_owned(), worker);
        let difference = &reference.differences(&simulated)[0];
        assert_eq!(difference.list.as_deref(), Some("other"));
        assert_eq!(difference.broker, None);
    }

    #[test]
    fn the_reference_lies_beside_the_scenario() {
        let path = Reference::path_beside(Path::new("cases/auto/auto-each.json"));
        assert_eq!(path, Path::new("cases/auto/auto-each.reference.json"));
    }
}
