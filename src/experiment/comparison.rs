//! The outcome of a study, as plain data: what `compare.json` holds, and what tables and plots are
//! made of.

use serde::Serialize;
use serde_json::Value;

use super::mechanism::Mechanism;
use super::metric::Metric;
use super::recommendation::Recommendation;
use super::statistics::{Interval, Verdict};
use super::study::Kind;
use super::vary::Axis;
use crate::scenario::Semantics;

/// The outcome of a study.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Name of the scenario.
    pub scenario: String,
    /// Whose rules apply; null if settings differ in them.
    pub semantics: Option<Semantics>,
    /// Whether its runs end by themselves.
    pub kind: Kind,
    /// False if it was cancelled: only replications that were complete in every setting count.
    pub complete: bool,
    /// Of every interval.
    pub confidence: f64,
    /// Relative differences below this do not matter.
    pub practical: f64,
    /// The seed of each replication; `acksim run FILE --seed N` repeats one.
    pub seeds: Vec<u64>,
    /// What is varied.
    pub axes: Vec<Axis>,
    /// Which of these axes an engineer can choose; by the others, settings fall into groups.
    pub choices: Vec<usize>,
    /// Settings are compared within their group: same circumstances, different choices.
    pub groups: Vec<Group>,
    /// Every combination, the last axis changing fastest.
    pub settings: Vec<SettingResult>,
    /// The first decides.
    pub metrics: Vec<MetricResult>,
    /// What to deploy: for each group one at most, by the first metric that shows a difference.
    pub recommendations: Vec<Recommendation>,
}

impl Comparison {
    /// How many replications it rests on.
    pub fn replications(&self) -> usize {
        self.seeds.len()
    }

    /// What is chosen in a setting, of the axes that are asked for: `prefetch 10`.
    pub(super) fn chosen(&self, setting: usize, asked: impl Fn(usize) -> bool) -> String {
        let values = &self.settings[setting].values;
        let axes = self.choices.iter().filter(|axis| asked(**axis));
        let parts: Vec<String> = axes
            .map(|axis| self.axes[*axis].with(&values[*axis]))
            .collect();
        match parts.is_empty() {
            true => "the scenario as it is".to_owned(),
            false => parts.join(", "),
        }
    }
}

/// Settings with the same circumstances.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// `latency 10ms`; empty if there is only one group.
    pub label: String,
    /// Which.
    pub settings: Vec<usize>,
}

/// One setting of the grid.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SettingResult {
    /// `prefetch 10`, or with several axes `prefetch 10, latency 1ms`.
    pub label: String,
    /// One for each axis.
    pub values: Vec<Value>,
    /// Whether the scenario itself has this setting.
    pub baseline: bool,
    /// A word instead of numbers, if its runs cannot be trusted.
    pub word: Option<Word>,
    /// Virtual milliseconds that were cut off as warm-up, run by run.
    pub warm_up_ms: Vec<f64>,
    /// Messages done twice for each crash, run by run; null of a run without a crash.
    pub duplicates_per_crash: Vec<Option<f64>>,
    /// Averages over the replications.
    pub mechanism: Mechanism,
}

/// Stands where a number could not be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Word {
    /// The backlog grows: the number would depend on the length of the run.
    Unstable,
    /// Too few values, or too short a run.
    Insufficient,
}

impl Word {
    /// As it is printed.
    pub fn text(self) -> &'static str {
        match self {
            Word::Unstable => "unstable",
            Word::Insufficient => "insufficient",
        }
    }
}

/// One metric over all settings.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricResult {
    /// Which.
    #[serde(flatten)]
    pub metric: Metric,
    /// One for each setting.
    pub cells: Vec<Cell>,
    /// In words, with numbers and cause; one for each group.
    pub verdicts: Vec<String>,
}

impl MetricResult {
    /// The setting with the best mean of a group, among those with numbers.
    pub fn best_of(&self, group: &Group) -> Option<usize> {
        group
            .settings
            .iter()
            .copied()
            .find(|setting| self.cells[*setting].best)
    }

    /// Whether a setting of a group is shown to be worse than its best, by what matters.
    pub fn has_winner(&self, group: &Group) -> bool {
        let difference = |setting: &usize| self.cells[*setting].against_best;
        let worse = |d: Difference| d.verdict == Verdict::Worse && d.matters;
        group.settings.iter().filter_map(difference).any(worse)
    }
}

/// One metric in one setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cell {
    /// One for each replication; null where nothing happened, or too little for a percentile.
    pub values: Vec<Option<f64>>,
    /// Stands for the following, which are null then.
    pub word: Option<Word>,
    /// Over the replications.
    pub mean: Option<f64>,
    /// Around the mean; null of a single replication.
    pub interval: Option<Interval>,
    /// Whether the mean is the best of the setting's group.
    pub best: bool,
    /// Null for the best itself.
    pub against_best: Option<Difference>,
}

/// This setting minus the best one of its group, replication by replication.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Mean of the differences.
    pub difference: f64,
    /// Mean over the best's mean; null if that is 0.
    pub ratio: Option<f64>,
    /// Holds together with the intervals of all other settings (Bonferroni).
    pub interval: Interval,
    /// Corrected for the number of settings (Holm).
    pub p_value: f64,
    /// Number of pairs.
    pub pairs: usize,
    /// Of this setting against the best: worse, or no difference shown.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Whether it can be as large as what matters, relative to the best's mean.
    pub matters: bool,
    /// Replications that know the difference to ±5 % of itself: with the same seeds in both
    /// settings.
    pub replications_paired: Option<u64>,
    /// The same with independent seeds.
    pub replications_independent: Option<u64>,
}
