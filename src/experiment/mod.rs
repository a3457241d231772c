//! Many runs: a grid of settings, replicated, and what the differences say.
//!
//! ```text
//! --vary ──vary──▶ axes ──study──▶ runs (setting × seed, on all cores)
//!                                    │
//!        metric, mechanism ◀─────────┘  what is kept of a run: a few numbers
//!               │
//!            analysis, with statistics ──▶ Comparison ──▶ compare.json, .csv, .md, table, plots
//!                                             ├─ verdicts, with their cause
//!                                             └─ recommendation, with its price
//! ```
//!
//! # Rules of the house
//!
//! * Replication i has the same seed in every setting, and each actor draws from a stream of its
//!   own: both settings meet the same arrivals and the same processing times. Differences are
//!   formed replication by replication.
//! * The best mean is compared with every other setting: intervals of the differences hold together
//!   (Bonferroni), verdicts are corrected by Holm's method. A verdict is *better*, *worse*, or *no
//!   difference shown* together with the difference that would have been seen.
//! * Percentiles are taken in each replication; runs are never poured together.
//! * Where a number cannot be trusted there is a word: *unstable* where the backlog grows,
//!   *insufficient* where a percentile has fewer than ten values beyond it, or where the warm-up
//!   takes more than half of the run.
//! * The first replication of each setting runs under the judges as well: conservation of messages,
//!   windows, order, Little's law. A breach is an error, not a footnote.
//! * Runs are put in order by their number, whatever thread made them: the outcome has the same
//!   bytes with any number of jobs.

mod analysis;
mod backlog;
pub mod calibration;
mod cause;
mod comparison;
mod figures;
mod mechanism;
mod metric;
pub mod output;
mod recommendation;
mod simulation;
pub mod statistics;
mod study;
mod vary;
mod verdict;

#[cfg(test)]
mod tests;

pub use comparison::{Cell, Comparison, Difference, Group, MetricResult, SettingResult, Word};
pub use mechanism::{ConsumerMechanism, Mechanism};
pub use metric::Metric;
pub use recommendation::{Deployment, Recommendation};
pub use simulation::{PrepareError, axes_of, measure, prepare, simulate};
pub use study::{
    Condition, ConsumerPlace, Execution, Kind, MOST_SETTINGS, Replications, RunResult, Study,
    StudyError, grid,
};
pub use vary::{Axis, VaryError, parse_share, plain, shown};
