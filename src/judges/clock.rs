//! Time never goes back.

use super::Findings;
use crate::kernel::Time;

/// A fact of this time; `findings` still has that of the fact before.
pub fn judge(now: Time, findings: &mut Findings) {
    if now < findings.now {
        findings.add(format!("the clock goes back to {now}"));
    }
}

#[cfg(test)]
mod tests {
    use crate::judges::testing::breaches;
    use crate::story::{Plan, first_life, plan};

    #[test]
    fn time_may_stand_still_but_not_go_back() {
        let scenario = plan().queue("q").consumer("a", 0);
        let found = breaches(&scenario, |story| {
            story
                .at(2.0)
                .subscribe(first_life(0))
                .at(1.0)
                .crash(first_life(0));
        });
        assert_eq!(found, ["the clock goes back to 1ms"]);
    }
}
