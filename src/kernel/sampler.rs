//! Draws durations from a [`Distribution`].
//!
//! The algorithms are our own, over integers and the pinned `libm`: the crates for this compute
//! with whatever logarithm the build happens to unify on, and a run must have the same bytes
//! everywhere. How many numbers a draw takes from its stream is part of the contract too; only a
//! constant takes none.

use super::distribution::Distribution;
use super::random::Stream;
use super::time::Span;
use super::ziggurat::{Exponential, Normal};

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_840_8;

/// A [`Distribution`] made ready for drawing.
#[derive(Clone, Debug)]
pub struct Sampler(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Constant(Span),
    /// From `min` on, so many values.
    Uniform {
        min: u64,
        values: u64,
    },
    Exponential {
        mean: f64,
        standard: Exponential,
    },
    Normal {
        mean: f64,
        deviation: f64,
        standard: Normal,
    },
    /// median · exp(sigma · z)
    LogNormal {
        median: f64,
        sigma: f64,
        standard: Normal,
    },
    /// scale · exp(x / shape), x being exponential
    Pareto {
        scale: f64,
        inverse_shape: f64,
        standard: Exponential,
    },
    Erlang {
        stages: u32,
        mean_of_stage: f64,
        standard: Exponential,
    },
    Empirical(Box<[Span]>),
    /// Each with the sum of the weights up to it; one beyond the last sum (by rounding) is the
    /// last.
    Mixture {
        upper: Box<[f64]>,
        parts: Box<[Sampler]>,
    },
}

impl Sampler {
    /// The longest duration that is ever drawn, about 146 years: 2^62 nanoseconds. Longer ones
    /// become this.
    pub const LONGEST: Span = Span(1 << 62);

    /// Prepares drawing.
    ///
    /// # Panics
    /// If an empirical distribution or a mixture is empty.
    pub fn new(distribution: &Distribution) -> Sampler {
        Sampler(match distribution {
            Distribution::Constant(span) => Kind::Constant(longest(*span)),
            Distribution::Uniform { min, max } => {
                let (min, max) = (longest(*min).0, longest(*max).0);
                Kind::Uniform {
                    min,
                    values: max.saturating_sub(min) + 1,
                }
            }
            Distribution::Exponential { mean } => Kind::Exponential {
                mean: mean.0 as f64,
                standard: Exponential::new(),
            },
            Distribution::Normal {
                mean,
                standard_deviation,
            } => Kind::Normal {
                mean: mean.0 as f64,
                deviation: standard_deviation.0 as f64,
                standard: Normal::new(),
            },
            Distribution::LogNormal { median, p99 } => Kind::LogNormal {
                median: median.0 as f64,
                sigma: libm::log(p99.0 as f64 / median.0 as f64) / Z99,
                standard: Normal::new(),
            },
            Distribution::Pareto { scale, shape } => Kind::Pareto {
                scale: scale.0 as f64,
                inverse_shape: 1.0 / shape,
                standard: Exponential::new(),
            },
            Distribution::Erlang { shape, mean } => Kind::Erlang {
                stages: *shape,
                mean_of_stage: mean.0 as f64 / f64::from(*shape),
                standard: Exponential::new(),
            },
            Distribution::Empirical(values) => {
                assert!(!values.is_empty(), "an empirical distribution has values");
                Kind::Empirical(values.iter().copied().map(longest).collect())
            }
            Distribution::Mixture(parts) => mixture(parts),
        })
    }

    /// The duration, if it is always the same.
    pub fn constant(&self) -> Option<Span> {
        match &self.0 {
            Kind::Constant(span) => Some(*span),
            _ => None,
        }
    }

    /// The next duration: whole nanoseconds from 0 to [`Sampler::LONGEST`], rounded to the nearest.
    #[inline]
    pub fn sample(&self, stream: &mut Stream) -> Span {
        // Most are: every latency of a plain network, every cost that is not set. Most of the others are exponential, and
        // the function for all kinds has many registers to save for its rarer parts.
        match &self.0 {
            Kind::Constant(span) => *span,
            Kind::Exponential { mean, standard } => draw_exponential(*mean, *standard, stream),
            _ => self.draw(stream),
        }
    }

    #[inline(never)]
    fn draw(&self, stream: &mut Stream) -> Span {
        match &self.0 {
            Kind::Constant(span) => *span,
            Kind::Exponential { mean, standard } => draw_exponential(*mean, *standard, stream),
            Kind::LogNormal {
                median,
                sigma,
                standard,
            } => nanoseconds(median * libm::exp(sigma * standard.draw(stream))),
            Kind::Uniform { min, values } => Span(min + stream.uniform_below(*values)),
            Kind::Normal {
                mean,
                deviation,
                standard,
            } => nanoseconds(mean + deviation * standard.draw(stream)),
            Kind::Pareto {
                scale,
                inverse_shape,
                standard,
            } => nanoseconds(scale * libm::exp(standard.draw(stream) * inverse_shape)),
            Kind::Erlang {
                stages,
                mean_of_stage,
                standard,
            } => {
                let sum: f64 = (0..*stages).map(|_| standard.draw(stream)).sum();
                nanoseconds(mean_of_stage * sum)
            }
            Kind::Empirical(values) => values[stream.uniform_below(values.len() as u64) as usize],
            Kind::Mixture { upper, parts } => {
                let at = upper[upper.len() - 1] * stream.unit();
                let part = upper.partition_point(|bound| *bound <= at);
                parts[part.min(parts.len() - 1)].sample(stream)
            }
        }
    }
}

#[inline(never)]
fn draw_exponential(mean: f64, standard: Exponential, stream: &mut Stream) -> Span {
    nanoseconds(mean * standard.draw(stream))
}

fn mixture(parts: &[(f64, Distribution)]) -> Kind {
    assert!(!parts.is_empty(), "a mixture has parts");
    let sums = parts.iter().scan(0.0, |sum, (weight, _)| {
        *sum += weight;
        Some(*sum)
    });
    Kind::Mixture {
        upper: sums.collect(),
        parts: parts.iter().map(|(_, part)| Sampler::new(part)).collect(),
    }
}

fn longest(span: Span) -> Span {
    span.min(Sampler::LONGEST)
}

/// To the nearest; what is negative or no number becomes 0, what is too long the longest.
#[inline]
fn nanoseconds(value: f64) -> Span {
    // To a signed integer: the processor knows no other, and no duration needs the 64th bit.
    let rounded = (value + 0.5) as i64;
    longest(Span(rounded.max(0) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: f64 = 1e6;

    fn ms(millis: u64) -> Span {
        Span::from_millis(millis)
    }

    fn draw(distribution: &Distribution, n: usize) -> Vec<u64> {
        let sampler = Sampler::new(distribution);
        let mut stream = Stream::new(1, "sampler", "test");
        (0..n).map(|_| sampler.sample(&mut stream).0).collect()
    }

    /// Kolmogorov and Smirnov: the largest distance between the draws and the distribution, against
    /// its 99.9 % point 1.95/√n.
    fn assert_distributed(distribution: &Distribution, cdf: impl Fn(f64) -> f64) {
        let n = 200_000;
        let mut draws = draw(distribution, n);
        draws.sort_unstable();
        let distance = (0..n).fold(0.0_f64, |worst, rank| {
            let probability = cdf(draws[rank] as f64);
            let above = (rank + 1) as f64 / n as f64 - probability;
            let below = probability - rank as f64 / n as f64;
            worst.max(above).max(below)
        });
        let limit = 1.95 / (n as f64).sqrt();
        assert!(distance < limit, "{distribution:?}: {distance} > {limit}");
    }

    fn normal_cdf(z: f64) -> f64 {
        0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
    }

    #[test]
    fn exponential() {
        let mean = ms(8);
        assert_distributed(&Distribution::Exponential { mean }, |x| {
            -libm::expm1(-x / (8.0 * MS))
        });
    }

    #[test]
    fn uniform() {
        let (min, max) = (ms(2), ms(4));
        assert_distributed(&Distribution::Uniform { min, max }, |x| {
            (x - 2.0 * MS) / (2.0 * MS)
        });
        let values = draw(
            &Distribution::Uniform {
                min: Span(3),
                max: Span(5),
            },
            100,
        );
        assert!(
            (3..=5).all(|value| values.contains(&value)),
            "both ends are drawn"
        );
        assert!(values.iter().all(|value| (3..=5).contains(value)));
    }

    #[test]
    fn normal() {
        let distribution = Distribution::Normal {
            mean: ms(50),
            standard_deviation: ms(5),
        };
        assert_distributed(&distribution, |x| normal_cdf((x - 50.0 * MS) / (5.0 * MS)));
    }

    /// The part of a normal distribution below 0 is put on 0: half of it here.
    #[test]
    fn normal_is_cut_at_zero() {
        let distribution = Distribution::Normal {
            mean: Span::ZERO,
            standard_deviation: ms(1),
        };
        let zeros = draw(&distribution, 10_000)
            .iter()
            .filter(|x| **x == 0)
            .count();
        assert!((4_800..5_200).contains(&zeros), "{zeros}");
    }

    #[test]
    fn log_normal_has_its_median_and_its_99th_percentile() {
        let distribution = Distribution::LogNormal {
            median: ms(10),
            p99: ms(40),
        };
        let sigma = libm::log(4.0) / Z99;
        assert_distributed(&distribution, |x| {
            normal_cdf(libm::log(x / (10.0 * MS)) / sigma)
        });
        let draws = draw(&distribution, 100_000);
        let share = |limit: Span| draws.iter().filter(|x| **x <= limit.0).count() as f64 / 1e5;
        assert!((share(ms(10)) - 0.5).abs() < 0.006, "{}", share(ms(10)));
        assert!((share(ms(40)) - 0.99).abs() < 0.001, "{}", share(ms(40)));
    }

    #[test]
    fn pareto() {
        let distribution = Distribution::Pareto {
            scale: ms(3),
            shape: 2.5,
        };
        assert_distributed(&distribution, |x| 1.0 - libm::pow(3.0 * MS / x, 2.5));
    }

    #[test]
    fn erlang() {
        let distribution = Distribution::Erlang {
            shape: 3,
            mean: ms(6),
        };
        assert_distributed(&distribution, |x| {
            let stages = x / (2.0 * MS);
            1.0 - libm::exp(-stages) * (1.0 + stages + stages * stages / 2.0)
        });
    }

    #[test]
    fn empirical_draws_each_value_alike() {
        let values = vec![ms(1), ms(5), ms(1), ms(9)];
        let draws = draw(&Distribution::Empirical(values), 40_000);
        let count = |span: Span| draws.iter().filter(|x| **x == span.0).count();
        assert!(
            count(ms(1)).abs_diff(20_000) < 400,
            "twice in the list, twice as often"
        );
        assert!(count(ms(5)).abs_diff(10_000) < 350);
        assert!(count(ms(9)).abs_diff(10_000) < 350);
    }

    #[test]
    fn mixture_draws_by_weight() {
        let parts = vec![
            (3.0, Distribution::Constant(ms(1))),
            (1.0, Distribution::Exponential { mean: ms(20) }),
        ];
        let distribution = Distribution::Mixture(parts);
        let draws = draw(&distribution, 40_000);
        let fast = draws.iter().filter(|x| **x == ms(1).0).count();
        assert!(fast.abs_diff(30_000) < 350, "{fast}");
        let slow: f64 = draws
            .iter()
            .filter(|x| **x != ms(1).0)
            .map(|x| *x as f64 / MS)
            .sum();
        let mean = slow / (40_000 - fast) as f64;
        assert!((mean - 20.0).abs() < 0.8, "{mean}");
    }

    /// Means by their closed forms; four standard errors of leeway.
    #[test]
    fn means() {
        let sigma = libm::log(4.0) / Z99;
        let cases = [
            (Distribution::Exponential { mean: ms(8) }, 8.0, 8.0),
            (
                Distribution::Erlang {
                    shape: 4,
                    mean: ms(8),
                },
                8.0,
                4.0,
            ),
            (
                Distribution::Uniform {
                    min: ms(2),
                    max: ms(8),
                },
                5.0,
                1.74,
            ),
            (
                Distribution::Pareto {
                    scale: ms(3),
                    shape: 3.0,
                },
                4.5,
                2.6,
            ),
            (
                Distribution::LogNormal {
                    median: ms(10),
                    p99: ms(40),
                },
                10.0 * libm::exp(sigma * sigma / 2.0),
                7.8,
            ),
        ];
        for (distribution, mean, deviation) in cases {
            let n = 200_000;
            let sum: f64 = draw(&distribution, n).iter().map(|x| *x as f64 / MS).sum();
            let error = sum / n as f64 - mean;
            let leeway = 4.0 * deviation / (n as f64).sqrt();
            assert!(error.abs() < leeway, "{distribution:?}: {error} > {leeway}");
        }
    }

    #[test]
    fn a_constant_draws_nothing() {
        let mut stream = Stream::new(1, "sampler", "test");
        let sampler = Sampler::new(&Distribution::Constant(ms(7)));
        assert_eq!(sampler.sample(&mut stream), ms(7));
        assert_eq!(
            stream.next_u64(),
            Stream::new(1, "sampler", "test").next_u64()
        );
    }

    #[test]
    fn nothing_is_longer_than_the_longest() {
        let heavy = Distribution::Pareto {
            scale: ms(1000),
            shape: 0.001,
        };
        let draws = draw(&heavy, 100);
        assert!(draws.iter().all(|x| *x <= Sampler::LONGEST.0));
        assert!(draws.contains(&Sampler::LONGEST.0));
        let whole = Distribution::Uniform {
            min: Span::ZERO,
            max: Span::MAX,
        };
        assert!(draw(&whole, 100).iter().all(|x| *x <= Sampler::LONGEST.0));
    }

    /// The same bits for ever and on every machine: a change here changes what seeds mean. (The
    /// values are the program's own; that they are *right* is the business of the tests above.)
    #[test]
    fn values_are_stable() {
        let all: [(Distribution, [u64; 8]); 8] = [
            (
                Distribution::Uniform {
                    min: ms(1),
                    max: ms(9),
                },
                [
                    4247575, 3138469, 6995282, 4940963, 1792561, 8332665, 8602462, 4549637,
                ],
            ),
            (
                Distribution::Exponential { mean: ms(10) },
                [
                    3287999, 6448547, 37011700, 14511191, 4046076, 10078918, 13707828, 3929579,
                ],
            ),
            (
                Distribution::Normal {
                    mean: ms(10),
                    standard_deviation: ms(3),
                },
                [
                    9438415, 7343365, 14275597, 9905490, 3819982, 12992294, 13803601, 9645138,
                ],
            ),
            (
                Distribution::LogNormal {
                    median: ms(10),
                    p99: ms(40),
                },
                [
                    8944453, 5899572, 23379879, 9814020, 2930012, 18119063, 21287496, 9319384,
                ],
            ),
            (
                Distribution::Pareto {
                    scale: ms(10),
                    shape: 1.5,
                },
                [
                    12450802, 15371086, 117922985, 26311282, 13096218, 19580085, 24939186, 12994901,
                ],
            ),
            (
                Distribution::Erlang {
                    shape: 3,
                    mean: ms(10),
                },
                [
                    15582748, 9545395, 6200704, 4438881, 11624354, 15370452, 3035502, 3757697,
                ],
            ),
            (
                Distribution::Empirical(vec![ms(1), ms(2), ms(3), ms(4), ms(5)]),
                [
                    3000000, 2000000, 4000000, 3000000, 1000000, 5000000, 5000000, 3000000,
                ],
            ),
            (
                Distribution::Mixture(vec![
                    (1.0, Distribution::Exponential { mean: ms(10) }),
                    (
                        2.0,
                        Distribution::Uniform {
                            min: ms(1),
                            max: ms(9),
                        },
                    ),
                ]),
                [
                    3138469, 4940963, 10078918, 4549637, 971209, 6559952, 8374760, 6637236,
                ],
            ),
        ];
        for (distribution, expected) in all {
            assert_eq!(draw(&distribution, 8), expected, "{distribution:?}");
        }
    }
}
