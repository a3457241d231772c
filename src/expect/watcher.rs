//! What must hold while the run goes on: `always`, `sometimes`, `eventually`, `at`.
//!
//! Levels are those of the metrics, read after each fact: so the largest value that is seen here is
//! the maximum in `metrics.json`, and what holds for a moment between two facts of one instant
//! counts there and here. As the metrics, `always` and `sometimes` leave out the warm-up; what is
//! the case when it ends counts.

use super::words::{gauge_value, of_fact};
use super::{holds, wanted};
use crate::facts::{Fact, Observer};
use crate::kernel::Time;
use crate::metrics::Collector;
use crate::scenario::{
    ConsumerGauge, DestinationGauge, Gauge, Scenario, TotalGauge, Watch, WatchKind,
};
use crate::wire::Messages;

/// What was expected of a gauge during the run, and did not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Miss {
    /// Which of [`Scenario::watches`].
    pub watch: usize,
    /// `always consumers.*.held`
    pub name: String,
    /// The value that broke bounds which always hold; none if something never came true.
    pub found: Option<u64>,
    /// What happened, in words.
    pub message: String,
}

impl Watch {
    /// `always consumers.*.held`
    pub fn name(&self) -> String {
        let when = match self.kind {
            WatchKind::Always => "always",
            WatchKind::Sometimes => "sometimes",
            WatchKind::Eventually { .. } => "eventually",
            WatchKind::At(time) => return format!("at {time} {}", self.path),
        };
        format!("{when} {}", self.path)
    }
}

/// Watches a run for what its scenario expects during it.
pub struct Watcher<'a> {
    scenario: &'a Scenario,
    levels: Collector<'a>,
    watched: Vec<Watched<'a>>,
}

impl<'a> Watcher<'a> {
    /// Nothing has happened yet.
    pub fn new(scenario: &'a Scenario) -> Watcher<'a> {
        let watched = |watch| Watched::new(watch, scenario.warm_up);
        Watcher {
            scenario,
            levels: Collector::new(scenario),
            watched: scenario.watches.iter().map(watched).collect(),
        }
    }

    /// What did not hold, in the order of [`Scenario::watches`].
    pub fn finish(mut self) -> Vec<Miss> {
        self.begin_before(Time::NEVER);
        let each = self.watched.into_iter().enumerate();
        each.filter_map(|(number, watched)| watched.finish(number))
            .collect()
    }

    /// Looks at what is the case as the time of a watch begins, if no fact of that instant will.
    fn begin_before(&mut self, now: Time) {
        for watched in &mut self.watched {
            if !watched.begun && watched.from < now {
                self.levels.pass(watched.from);
                let from = watched.from;
                watched.look(&self.levels, |gauge, value| {
                    let value = gauge_value(gauge, value, self.scenario);
                    format!("at {from} {value}, to begin with")
                });
            }
        }
    }
}

impl Observer for Watcher<'_> {
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        self.begin_before(now);
        self.levels.on(now, fact, messages);
        for watched in &mut self.watched {
            if watched.looks_at_each_fact() && watched.from <= now && now <= watched.to {
                watched.look(&self.levels, |gauge, value| {
                    let value = gauge_value(gauge, value, self.scenario);
                    let when = of_fact(fact, gauge, messages, self.scenario);
                    format!("at {now} {value}, {when}")
                });
            }
        }
    }
}

/// One watch, and what came of it so far.
struct Watched<'a> {
    watch: &'a Watch,
    /// The instants that count, both inclusive.
    from: Time,
    to: Time,
    begun: bool,
    /// Broken for good (`always`), or come true.
    settled: bool,
    breach: Option<(u64, String)>,
    /// The smallest and the largest value.
    range: (u64, u64),
}

impl<'a> Watched<'a> {
    fn new(watch: &'a Watch, warm_up: Time) -> Watched<'a> {
        let (from, within) = match watch.kind {
            WatchKind::Eventually { after, within } => (after, within),
            WatchKind::Always | WatchKind::Sometimes => (warm_up, None),
            WatchKind::At(time) => (time, None),
        };
        let to = within.and_then(|within| from.0.checked_add(within.0));
        Watched {
            watch,
            from,
            to: to.map_or(Time::NEVER, Time),
            begun: false,
            settled: false,
            breach: None,
            range: (u64::MAX, 0),
        }
    }

    /// What is expected at one time counts as it is when all facts of that time are told.
    fn looks_at_each_fact(&self) -> bool {
        !self.settled && !matches!(self.watch.kind, WatchKind::At(_))
    }

    fn look(&mut self, levels: &Collector, tell: impl Fn(Gauge, u64) -> String) {
        self.begun = true;
        let (mut any, mut all) = (false, true);
        for &gauge in &self.watch.gauges {
            let value = read(levels, gauge);
            let fits = holds(&self.watch.check, &value.into());
            any |= fits;
            if all && !fits && self.watch.kind == WatchKind::Always {
                self.breach = Some((value, tell(gauge, value)));
            }
            all &= fits;
            self.range = (self.range.0.min(value), self.range.1.max(value));
        }
        self.settled = match self.watch.kind {
            WatchKind::Always => !all,
            WatchKind::Sometimes => any,
            WatchKind::Eventually { .. } | WatchKind::At(_) => all,
        };
    }

    fn finish(self, number: usize) -> Option<Miss> {
        let path = &self.watch.path;
        let wanted = wanted(&self.watch.check);
        let message = match (self.watch.kind, &self.breach) {
            (WatchKind::Always, None) => return None,
            (WatchKind::Always, Some((_, breach))) => {
                format!("{path} was not always {wanted}: {breach}")
            }
            _ if self.settled => return None,
            (WatchKind::Sometimes, _) => format!("{path} was never {wanted}: {}", self.seen()),
            (WatchKind::At(time), _) => {
                format!("{path} was not {wanted} at {time}: {}", self.seen_then())
            }
            _ => format!("{path} was not {wanted} {}: {}", self.time(), self.seen()),
        };
        Some(Miss {
            watch: number,
            name: self.watch.name(),
            found: self.breach.map(|(value, _)| value),
            message,
        })
    }

    fn time(&self) -> String {
        match self.to {
            Time::NEVER => format!("at any time from {} on", self.from),
            to => format!("at any time from {} to {to}", self.from),
        }
    }

    fn seen_then(&self) -> String {
        let (least, most) = self.range;
        match least == most {
            true => format!("it was {least}"),
            false => format!("they were {least} to {most}"),
        }
    }

    fn seen(&self) -> String {
        let (least, most) = self.range;
        match least == most {
            true => format!("it was {least} throughout"),
            false => format!("it was between {least} and {most}"),
        }
    }
}

fn read(levels: &Collector, gauge: Gauge) -> u64 {
    match gauge {
        Gauge::Consumer(number, gauge) => {
            let consumer = number as u32;
            let level = match gauge {
                ConsumerGauge::Delivered => return levels.delivered_to(consumer),
                ConsumerGauge::Held => levels.held(consumer),
                ConsumerGauge::Buffered => levels.consumer_state(consumer).buffered,
                ConsumerGauge::InFlight => levels.in_flight_to(consumer),
            };
            u64::from(level)
        }
        Gauge::Destination(number, gauge) => {
            let destination = number as u32;
            u64::from(match gauge {
                DestinationGauge::Depth => levels.depth(destination),
                DestinationGauge::InFlight => levels.in_flight(destination),
                DestinationGauge::Waiting => levels.waiting(destination),
            })
        }
        Gauge::Total(total) => {
            let counts = levels.counts();
            match total {
                TotalGauge::Sent => counts.sent,
                TotalGauge::Acknowledged => counts.acknowledged,
                TotalGauge::DeadLettered => counts.dead_lettered,
                TotalGauge::Redeliveries => counts.redeliveries,
                TotalGauge::Expired => counts.expired,
                TotalGauge::Discarded => counts.discarded,
            }
        }
    }
}

#[cfg(test)]
mod tests;
