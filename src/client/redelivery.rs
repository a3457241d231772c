//! Delays of local redelivery: `RedeliveryPolicy`.

use crate::scenario::RedeliveryPolicy;

/// The delay after one of `previous` milliseconds, in milliseconds (`RedeliveryPolicy.getNextRedeliveryDelay`).
///
/// `collision` gives a factor from -1 to 1, and is only asked with collision avoidance.
pub fn next_redelivery_delay(
    policy: &RedeliveryPolicy,
    previous: i64,
    collision: impl FnOnce() -> f64,
) -> i64 {
    rule!("delay-next");
    let mut next = policy.redelivery_delay;
    if previous > 0 && policy.use_exponential_back_off && policy.back_off_multiplier > 1.0 {
        rule!("delay-exponential");
        next = (previous as f64 * policy.back_off_multiplier) as i64;
        if policy.maximum_redelivery_delay != -1 && next > policy.maximum_redelivery_delay {
            next = policy.maximum_redelivery_delay.max(policy.redelivery_delay);
        }
    }
    if policy.use_collision_avoidance {
        rule!("delay-collision");
        let percent = f64::from(policy.collision_avoidance_percent) * 0.01;
        next = (next as f64 + next as f64 * (percent * collision())) as i64;
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> RedeliveryPolicy {
        RedeliveryPolicy {
            maximum_redeliveries: Some(6),
            initial_redelivery_delay: 1000,
            redelivery_delay: 1000,
            use_exponential_back_off: false,
            back_off_multiplier: 5.0,
            maximum_redelivery_delay: -1,
            use_collision_avoidance: false,
            collision_avoidance_percent: 15,
            pre_dispatch_check: true,
        }
    }

    fn delays(policy: &RedeliveryPolicy, initial: i64, count: usize) -> Vec<i64> {
        let next = |previous: &i64| Some(next_redelivery_delay(policy, *previous, || 0.0));
        std::iter::successors(Some(initial), next)
            .take(count)
            .collect()
    }

    /// The example at the end of section 4.2.
    /// Rule: delay-exponential
    #[test]
    fn exponential_back_off_is_capped() {
        let policy = RedeliveryPolicy {
            redelivery_delay: 70,
            use_exponential_back_off: true,
            back_off_multiplier: 2.0,
            maximum_redelivery_delay: 300,
            ..policy()
        };
        assert_eq!(delays(&policy, 50, 6), [50, 100, 200, 300, 300, 300]);
    }

    /// RedeliveryPolicyTest#testGetNext and #testGetNextWithInitialDelay.
    /// Rule: delay-next
    #[test]
    fn without_back_off_the_delay_is_constant() {
        assert_eq!(delays(&policy(), 500, 4), [500, 1000, 1000, 1000]);
    }

    /// Rule: delay-of-the-consumer
    #[test]
    fn a_message_without_previous_delay_gets_the_plain_one() {
        let policy = RedeliveryPolicy {
            use_exponential_back_off: true,
            ..policy()
        };
        assert_eq!(next_redelivery_delay(&policy, 0, || 0.0), 1000);
    }

    /// Rule: delay-collision
    #[test]
    fn collision_avoidance_stays_within_15_percent() {
        let policy = RedeliveryPolicy {
            use_collision_avoidance: true,
            ..policy()
        };
        assert_eq!(next_redelivery_delay(&policy, 1000, || -1.0), 850);
        assert_eq!(next_redelivery_delay(&policy, 1000, || 0.9999), 1149);
    }
}
