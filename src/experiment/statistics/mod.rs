//! The statistics of comparisons: pure functions over slices of numbers.
//!
//! A *replication* is one run of a setting with one seed; a setting has as many values of a metric
//! as it has replications, and these are independent of each other (the seeds are). Nothing here
//! looks inside a run except [`warm_up`] and [`trend`], which judge whether a run may be used at
//! all.
//!
//! Replication i has the same seed in every setting. So two settings are compared by the
//! *differences* of their values, replication by replication: what both have in common (a busy
//! minute, a slow message) drops out.
//!
//! Where a number cannot be trusted the functions return `None` or say so in a value of their own;
//! whoever prints them prints a word.

mod comparison;
mod interval;
mod percentile;
mod special;
mod stopping;
mod trend;
mod warm_up;

pub use comparison::{Better, Verdict, holm, smallest_detectable, verdict};
pub use interval::{Interval, Paired, mean, paired, standard_deviation, t_interval, variance};
pub use percentile::{Percentile, percentile};
pub use special::{student_t_quantile, student_t_upper_tail};
pub use stopping::{Decision, StoppingRule};
pub use trend::{Trend, is_growing, trend};
pub use warm_up::{WarmUp, warm_up};

/// The confidence that every interval has unless told otherwise.
pub const CONFIDENCE: f64 = 0.95;

/// Relative differences below this do not matter unless told otherwise.
pub const PRACTICAL: f64 = 0.05;
