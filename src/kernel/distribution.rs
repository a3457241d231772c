//! Random durations as data. Drawing from them is the business of `sampler`.

use super::time::Span;

/// A random duration, as a scenario file describes it. All parameters are checked by the file's
/// reader: finite, and of a size that cannot overflow 2^63 nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same.
    Constant(Span),
    /// Every value from `min` to `max` alike.
    Uniform {
        /// The shortest.
        min: Span,
        /// The longest.
        max: Span,
    },
    /// Exponential with this mean.
    Exponential {
        /// Mean.
        mean: Span,
    },
    /// Normal; values below 0 become 0.
    Normal {
        /// Mean.
        mean: Span,
        /// Standard deviation.
        standard_deviation: Span,
    },
    /// Log-normal by its median and its 99th percentile.
    LogNormal {
        /// Median.
        median: Span,
        /// 99th percentile.
        p99: Span,
    },
    /// Pareto with this smallest value and tail exponent.
    Pareto {
        /// The smallest value.
        scale: Span,
        /// Tail exponent, above 0.
        shape: f64,
    },
    /// The sum of `shape` exponentials with this mean of the sum.
    Erlang {
        /// Number of stages, at least 1.
        shape: u32,
        /// Mean of the sum.
        mean: Span,
    },
    /// One of these, each with equal chance. Never empty.
    Empirical(Vec<Span>),
    /// One of these by weight. Never empty; weights are above 0.
    Mixture(Vec<(f64, Distribution)>),
}

impl Distribution {
    /// Always zero.
    pub const ZERO: Distribution = Distribution::Constant(Span::ZERO);

    /// Whether every draw is zero.
    pub fn is_zero(&self) -> bool {
        *self == Distribution::ZERO
    }
}
