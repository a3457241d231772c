//! Student's t and the binomial distribution, by way of the regularised incomplete beta function.
//!
//! Only basic arithmetic and the pinned `libm` are used, so the values have the same bits on every
//! machine.

/// The probability that Student's t with `degrees` degrees of freedom exceeds `t`.
pub fn student_t_upper_tail(t: f64, degrees: f64) -> f64 {
    let tail = 0.5 * incomplete_beta(degrees / (degrees + t * t), degrees / 2.0, 0.5);
    if t < 0.0 { 1.0 - tail } else { tail }
}

/// The value that Student's t with `degrees` degrees of freedom stays below with probability `p`
/// (0 < p < 1). Found by bisection, to the last bits.
pub fn student_t_quantile(p: f64, degrees: f64) -> f64 {
    if p < 0.5 {
        return -student_t_quantile(1.0 - p, degrees);
    }
    let is_below = |t: f64| student_t_upper_tail(t, degrees) > 1.0 - p;
    let mut high = 1.0;
    while is_below(high) && high < f64::MAX / 2.0 {
        high *= 2.0;
    }
    let mut low = 0.0;
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if is_below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The probability of at most `successes` in `trials` of this chance each (0 < chance < 1).
pub(super) fn binomial_cdf(successes: usize, trials: usize, chance: f64) -> f64 {
    if successes >= trials {
        return 1.0;
    }
    let failures = (trials - successes) as f64;
    incomplete_beta(1.0 - chance, failures, successes as f64 + 1.0)
}

/// I_x(a, b), regularised, for 0 ≤ x ≤ 1 (Press et al., Numerical Recipes, 6.4).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    // The fraction converges fast below the mean of the distribution; above it, the mirror image
    // does.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let log_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let front = libm::exp(a * libm::log(x) + b * libm::log1p(-x) - log_beta) / a;
    front * beta_fraction(x, a, b)
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const TERMS: u32 = 100_000;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for term in 1..=TERMS {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for numerator in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + numerator * d);
            c = away_from_zero(1.0 + numerator / c);
            step = c * d;
            fraction *= step;
        }
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2: upper critical values of
    /// Student's t.
    #[test]
    fn quantiles_agree_with_the_printed_table() {
        let table = [
            (0.90, 1.0, 3.078),
            (0.95, 1.0, 6.314),
            (0.975, 1.0, 12.706),
            (0.99, 1.0, 31.821),
            (0.999, 1.0, 318.309),
            (0.975, 2.0, 4.303),
            (0.95, 5.0, 2.015),
            (0.975, 5.0, 2.571),
            (0.975, 9.0, 2.262),
            (0.995, 9.0, 3.250),
            (0.975, 10.0, 2.228),
            (0.999, 10.0, 4.144),
            (0.95, 29.0, 1.699),
            (0.975, 29.0, 2.045),
            (0.975, 30.0, 2.042),
            (0.975, 100.0, 1.984),
            (0.999, 100.0, 3.174),
        ];
        for (p, degrees, printed) in table {
            let t = student_t_quantile(p, degrees);
            assert!(
                (t - printed).abs() < 0.000_6,
                "p {p}, {degrees} degrees: {t}"
            );
            assert_eq!(student_t_quantile(1.0 - p, degrees).round(), -t.round());
        }
    }

    /// One degree is Cauchy's distribution, two have t = (2p - 1) / √(2p(1 - p)).
    #[test]
    fn quantiles_agree_with_closed_forms() {
        for p in [0.5_f64, 0.6, 0.8, 0.975, 0.999, 0.999_999] {
            let two = (2.0 * p - 1.0) / (2.0 * p * (1.0 - p)).sqrt();
            let relative = student_t_quantile(p, 2.0) - two;
            assert!(relative.abs() < 1e-9 * (1.0 + two), "{p}: {relative}");
            let cauchy = libm::tan(std::f64::consts::PI * (p - 0.5));
            let relative = student_t_quantile(p, 1.0) - cauchy;
            assert!(relative.abs() < 1e-9 * (1.0 + cauchy), "{p}: {relative}");
        }
    }

    /// With very many degrees it is the normal distribution.
    #[test]
    fn many_degrees_are_normal() {
        assert!((student_t_quantile(0.975, 1e8) - 1.959_963_98).abs() < 1e-6);
        assert!((student_t_upper_tail(2.0, 1e8) - 0.022_750_13).abs() < 1e-7);
    }

    #[test]
    fn tails_are_symmetric() {
        let sum = student_t_upper_tail(1.3, 7.0) + student_t_upper_tail(-1.3, 7.0);
        assert!((sum - 1.0).abs() < 1e-15);
        assert_eq!(student_t_upper_tail(f64::INFINITY, 7.0), 0.0);
    }

    /// By counting: ten tosses of a coin.
    #[test]
    fn binomial_probabilities_are_exact() {
        let counts = [
            1.0, 10.0, 45.0, 120.0, 210.0, 252.0, 210.0, 120.0, 45.0, 10.0, 1.0,
        ];
        let mut sum = 0.0;
        for (successes, count) in counts.iter().enumerate() {
            sum += count / 1024.0;
            assert!((binomial_cdf(successes, 10, 0.5) - sum).abs() < 1e-14);
        }
    }
}
