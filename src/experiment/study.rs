//! A study: every setting of a grid, replicated; the same seeds in every setting.
//!
//! A run is a pure function of (setting, seed), so runs are handed to as many threads as there are
//! and put back in order by their number. The outcome has the same bytes whatever the number of
//! threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use super::analysis;
use super::comparison::Comparison;
use super::mechanism::Mechanism;
use super::metric::Metric;
use super::statistics::StoppingRule;
use super::vary::Axis;
use crate::scenario::Semantics;

/// A grid with more settings than this is a mistake.
pub const MOST_SETTINGS: usize = 10_000;

/// What to compare. `S` is what a run needs besides its seed.
#[derive(Clone, Debug)]
pub struct Study<S> {
    /// Names the study.
    pub scenario: String,
    /// Whose rules apply; None if settings differ in them.
    pub semantics: Option<Semantics>,
    /// Whether its runs end by themselves.
    pub kind: Kind,
    /// Replication i (from 0) runs with this seed plus i.
    pub seed: u64,
    /// What is varied.
    pub axes: Vec<Axis>,
    /// One for each point of [`grid`], in its order.
    pub settings: Vec<S>,
    /// The setting that the scenario itself has, if it is among them.
    pub baseline: Option<usize>,
    /// By what settings are compared; the first decides.
    pub metrics: Vec<Metric>,
    /// How many.
    pub replications: Replications,
    /// Relative differences below this do not matter: 0.05 is 5 %.
    pub practical: f64,
    /// Who reads from where, for recommendations.
    pub consumers: Vec<ConsumerPlace>,
}

/// A consumer and its destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerPlace {
    /// Of the scenario: `worker-1`.
    pub name: String,
    /// `queue://orders`
    pub destination: String,
}

/// Whether runs end by themselves, which decides what their numbers mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Work is done, then it is over: everything counts, the start included.
    Terminating,
    /// Producers send for ever and `until` cuts off: the start is warm-up.
    Steady,
}

/// How many replications a study has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Replications {
    /// So many.
    Fixed(usize),
    /// As many as the differences of the first metric need.
    Sequential(StoppingRule),
}

/// What one run gave.
#[derive(Clone, Debug, PartialEq)]
pub struct RunResult {
    /// The content of `metrics.json`.
    pub metrics: Value,
    /// Whether its numbers mean anything.
    pub condition: Condition,
    /// Virtual milliseconds from the start that the metrics leave out.
    pub warm_up_ms: f64,
}

/// Whether the numbers of a run mean anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// They do.
    Sound,
    /// The backlog grew until the end: every number depends on how long the run was.
    Unstable,
    /// The warm-up lasted for more than half of the run.
    TooShort,
}

/// What is kept of a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Observation {
    /// In the order of the study's metrics.
    pub values: Vec<Option<f64>>,
    pub mechanism: Mechanism,
    pub condition: Condition,
    pub warm_up_ms: f64,
}

/// How a study is run; nothing of it shows in the outcome, unless it is cancelled.
pub struct Execution<'a> {
    /// Runs at the same time; None: as many as there are cores.
    pub jobs: Option<NonZeroUsize>,
    /// Becomes true when no further runs shall start.
    pub cancelled: &'a AtomicBool,
    /// Told after each run how many are done and how many are planned so far.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
}

/// Why there is no comparison.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StudyError {
    /// A run cannot be made.
    #[error("with {setting}, seed {seed}: {reason}")]
    Run {
        /// Which setting.
        setting: String,
        /// Which seed.
        seed: u64,
        /// Why.
        reason: String,
    },
    /// A metric is in none of the runs.
    #[error("there is no metric {path} in metrics.json")]
    UnknownMetric {
        /// As it was given.
        path: String,
    },
    /// The grid is too large.
    #[error("{settings} settings are more than {MOST_SETTINGS}")]
    TooManySettings {
        /// Of the grid.
        settings: usize,
    },
    /// No thread could be started.
    #[error("cannot start threads: {0}")]
    Threads(String),
}

/// Every combination of values, the last axis changing fastest.
///
/// # Errors
/// If there are more than [`MOST_SETTINGS`].
pub fn grid(axes: &[Axis]) -> Result<Vec<Vec<Value>>, StudyError> {
    let settings = axes
        .iter()
        .map(|axis| axis.values.len())
        .fold(1, usize::saturating_mul);
    if settings > MOST_SETTINGS {
        return Err(StudyError::TooManySettings { settings });
    }
    let start = vec![Vec::new()];
    Ok(axes.iter().fold(start, |points, axis| {
        let extended = |point: &Vec<Value>| {
            let with = |value: &Value| [point.as_slice(), std::slice::from_ref(value)].concat();
            axis.values.iter().map(with).collect::<Vec<_>>()
        };
        points.iter().flat_map(extended).collect()
    }))
}

impl<S: Sync> Study<S> {
    /// Runs every setting with every seed and compares.
    ///
    /// # Errors
    /// The first run that fails, by setting and seed; a metric that does not exist; a grid too
    /// large.
    pub fn run<R>(&self, execution: &Execution<'_>, run: R) -> Result<Comparison, StudyError>
    where
        R: Fn(&S, u64) -> Result<RunResult, String> + Sync,
    {
        let points = grid(&self.axes)?;
        assert_eq!(
            points.len(),
            self.settings.len(),
            "one setting for each point of the grid"
        );
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(execution.jobs.map_or(0, NonZeroUsize::get))
            .build()
            .map_err(|error| StudyError::Threads(error.to_string()))?;
        let runs = Runs {
            study: self,
            points: &points,
            execution,
            run,
            done: AtomicUsize::new(0),
        };
        pool.install(|| runs.until_enough())
    }

    /// How many replications come first.
    fn first_batch(&self) -> usize {
        match self.replications {
            Replications::Fixed(count) => count,
            Replications::Sequential(rule) => rule.minimum.min(rule.maximum),
        }
    }

    /// Whether that is enough, and if not, how many there shall be then.
    fn next_batch(&self, comparison: &Comparison) -> Option<usize> {
        let Replications::Sequential(rule) = self.replications else {
            return None;
        };
        let used = comparison.replications();
        let more = (used + used.div_ceil(4)).min(rule.maximum);
        (more > used && analysis::wants_more(comparison, &rule)).then_some(more)
    }
}

/// The runs of a study, while they are made.
struct Runs<'a, S, R> {
    study: &'a Study<S>,
    points: &'a [Vec<Value>],
    execution: &'a Execution<'a>,
    run: R,
    done: AtomicUsize,
}

/// One row for each replication: an observation for each setting.
type Row = Vec<Observation>;

impl<S, R> Runs<'_, S, R>
where
    S: Sync,
    R: Fn(&S, u64) -> Result<RunResult, String> + Sync,
{
    fn until_enough(&self) -> Result<Comparison, StudyError> {
        let mut rows: Vec<(u64, Row)> = Vec::new();
        let (mut from, mut to) = (0, self.study.first_batch());
        loop {
            let batch = self.replicate(from, to)?;
            let complete = batch.len() == to - from;
            rows.extend(batch);
            let comparison = analysis::analyse(self.study, self.points, &rows, complete);
            match self.study.next_batch(&comparison) {
                Some(next) if complete => (from, to) = (to, next),
                _ => return Ok(comparison),
            }
        }
    }

    /// Replications `from` to below `to`. Those that are not complete in every setting are left
    /// out.
    fn replicate(&self, from: usize, to: usize) -> Result<Vec<(u64, Row)>, StudyError> {
        let settings = self.study.settings.len();
        let results: Vec<Option<Result<Observation, StudyError>>> = (from * settings
            ..to * settings)
            .into_par_iter()
            .map(|index| self.one(index % settings, index / settings, to * settings))
            .collect();
        let mut rows = Vec::new();
        let mut results = results.into_iter();
        for replication in from..to {
            let row: Vec<_> = results.by_ref().take(settings).collect();
            let row: Option<Result<Row, StudyError>> = row.into_iter().collect();
            if let Some(row) = row {
                rows.push((self.seed(replication), row?));
            }
        }
        Ok(rows)
    }

    fn seed(&self, replication: usize) -> u64 {
        self.study.seed.wrapping_add(replication as u64)
    }

    /// One run; None if it was cancelled before it began.
    fn one(
        &self,
        setting: usize,
        replication: usize,
        planned: usize,
    ) -> Option<Result<Observation, StudyError>> {
        if self.execution.cancelled.load(Ordering::Relaxed) {
            return None;
        }
        let seed = self.seed(replication);
        let result = (self.run)(&self.study.settings[setting], seed);
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        (self.execution.progress)(done, planned);
        let failed = |reason| StudyError::Run {
            setting: analysis::label(&self.study.axes, &self.points[setting]),
            seed,
            reason,
        };
        Some(
            result
                .map_err(failed)
                .and_then(|result| self.observe(result)),
        )
    }

    fn observe(&self, result: RunResult) -> Result<Observation, StudyError> {
        let metrics = &self.study.metrics;
        if let Some(unknown) = metrics
            .iter()
            .find(|metric| !metric.exists_in(&result.metrics))
        {
            return Err(StudyError::UnknownMetric {
                path: unknown.path.clone(),
            });
        }
        Ok(Observation {
            values: metrics
                .iter()
                .map(|metric| metric.of(&result.metrics))
                .collect(),
            mechanism: Mechanism::of(&result.metrics),
            condition: result.condition,
            warm_up_ms: result.warm_up_ms,
        })
    }
}
