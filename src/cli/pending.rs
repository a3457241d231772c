//! Stands in for rooms that are not built yet.

pub mod trace {
    use std::io::{self, Write};

    use acksim::facts::{Fact, Observer};
    use acksim::kernel::Time;
    use acksim::scenario::Scenario;
    use acksim::wire::Messages;

    pub struct Trace<W>(W);

    impl<W: Write> Trace<W> {
        pub fn new(_: &Scenario, out: W) -> Trace<W> {
            Trace(out)
        }

        pub fn finish(mut self) -> io::Result<()> {
            self.0.flush()
        }
    }

    impl<W: Write> Observer for Trace<W> {
        fn on(&mut self, now: Time, fact: &Fact, _: &Messages) {
            let (at, fact) = (now.0, format!("{fact:?}"));
            let _ = writeln!(self.0, "{}", serde_json::json!({"at": at, "fact": fact}));
        }
    }
}

pub mod expect {
    use acksim::scenario::{Check, Expectation, Scenario};
    use serde_json::Value;

    pub struct Failure<'a> {
        pub expectation: &'a Expectation,
        pub found: Option<Value>,
    }

    impl std::fmt::Display for Failure<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            let path = &self.expectation.path;
            match &self.found {
                None => write!(f, "there is no metric {path}"),
                Some(found) => {
                    write!(
                        f,
                        "{path} is {found}, expected {}",
                        wanted(&self.expectation.check)
                    )
                }
            }
        }
    }

    fn wanted(check: &Check) -> String {
        match check {
            Check::Equals(value) => value.to_string(),
            Check::Between { min, max } => format!("from {min:?} to {max:?}"),
            Check::Approximately { value, within } => format!("{value} ± {} %", within * 100.0),
        }
    }

    pub fn failures<'a>(scenario: &'a Scenario, metrics: &Value) -> Vec<Failure<'a>> {
        let fails = |expectation: &'a Expectation| {
            let found = lookup(metrics, &expectation.path).cloned();
            let holds = found
                .as_ref()
                .is_some_and(|found| holds(&expectation.check, found));
            (!holds).then_some(Failure { expectation, found })
        };
        scenario.expect.iter().filter_map(fails).collect()
    }

    /// Names may have dots: the longest key that fits goes first.
    fn lookup<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
        let object = value.as_object()?;
        if let Some(found) = object.get(path) {
            return Some(found);
        }
        let dots = path.rmatch_indices('.').map(|(at, _)| at);
        dots.filter_map(|at| lookup(object.get(&path[..at])?, &path[at + 1..]))
            .next()
    }

    fn holds(check: &Check, found: &Value) -> bool {
        let number = found.as_f64();
        match check {
            Check::Equals(value) => {
                found == value || number.is_some_and(|number| Some(number) == value.as_f64())
            }
            Check::Between { min, max } => number.is_some_and(|number| {
                min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max)
            }),
            Check::Approximately { value, within } => {
                number.is_some_and(|number| (number - value).abs() <= within * value.abs())
            }
        }
    }
}
