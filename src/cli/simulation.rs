//! A run with everybody who watches it.

use std::fs::File;

use acksim::charts::{Charts, Recorder};
use acksim::expect::{Miss, Watcher};
use acksim::experiment::measure;
use acksim::facts::{Fact, Observer};
use acksim::judges::{Breach, Judges};
use acksim::kernel::Time;
use acksim::metrics::{Collector, Metrics};
use acksim::scenario::Scenario;
use acksim::trace::Trace;
use acksim::wire::Messages;
use acksim::world::{self, GivenUp, RunEnd};

use super::Error;
use super::background::Background;
use super::format::printable;
use super::progress::Progress;
use super::terminal::Terminal;

/// Who watches, beside the one who counts.
#[derive(Debug, Default)]
pub struct Watch {
    /// Draw.
    pub charts: bool,
    /// Look for what the scenario expects during the run.
    pub expectations: bool,
    /// Judge.
    pub audit: bool,
    /// Write everything down, here.
    pub trace: Option<File>,
}

impl Watch {
    /// Nobody watches but the one who counts: then the model is compiled for that one alone.
    fn counts_only(&self) -> bool {
        !self.charts && !self.expectations && !self.audit && self.trace.is_none()
    }
}

/// What came out.
pub struct Simulated {
    /// Always.
    pub metrics: Metrics,
    /// If they were asked for.
    pub charts: Option<Charts>,
    /// What was expected during the run, and did not hold.
    pub missed: Vec<Miss>,
    /// What the judges found.
    pub breaches: Vec<Breach>,
}

impl Simulated {
    fn of_numbers(metrics: Metrics) -> Simulated {
        Simulated {
            metrics,
            charts: None,
            missed: Vec::new(),
            breaches: Vec::new(),
        }
    }
}

/// Runs a scenario.
pub fn simulate(
    scenario: &Scenario,
    watch: Watch,
    terminal: &Terminal,
) -> Result<Simulated, Error> {
    if watch.counts_only() && !terminal.progress {
        return metrics(scenario).map(Simulated::of_numbers);
    }
    let counter = Counter::new(scenario, watch.charts);
    let judges = watch.audit.then(|| Judges::new(scenario));
    let untraced = |error| Error::Message(format!("cannot write the trace: {error}"));
    let file = watch.trace.map(Background::new).transpose();
    let file = file.map_err(untraced)?;
    let trace = file.map(|file| Trace::new(scenario, file));
    let expects = watch.expectations && !scenario.watches.is_empty();
    let watcher = expects.then(|| Watcher::new(scenario));
    let progress = terminal.progress.then(|| Progress::of(scenario));
    let mut watching = (counter, (judges, (watcher, (trace, progress))));
    let end = run(scenario, &mut watching)?;
    let (counter, (judges, (watcher, (trace, _)))) = watching;
    if let Some(trace) = trace {
        trace.finish().map_err(untraced)?;
    }
    let breaches = judges.map(|judges| judges.finish(end.ended_at, &end.messages));
    let (metrics, charts) = counter.finish(&end);
    Ok(Simulated {
        metrics,
        charts,
        missed: watcher.map(Watcher::finish).unwrap_or_default(),
        breaches: breaches.unwrap_or_default(),
    })
}

/// Counts, and draws if asked: what draws has what counts inside.
#[expect(clippy::large_enum_variant, reason = "there is one")]
enum Counter<'a> {
    Numbers(Collector<'a>),
    Pictures(Recorder<'a>),
}

impl<'a> Counter<'a> {
    fn new(scenario: &'a Scenario, draws: bool) -> Counter<'a> {
        if draws {
            Counter::Pictures(Recorder::new(scenario))
        } else {
            Counter::Numbers(Collector::new(scenario))
        }
    }

    fn finish(self, end: &RunEnd) -> (Metrics, Option<Charts>) {
        match self {
            Counter::Numbers(collector) => (collector.finish(end.into()), None),
            Counter::Pictures(recorder) => {
                let (metrics, charts) = recorder.finish(end.into());
                (metrics, Some(charts))
            }
        }
    }
}

impl Observer for Counter<'_> {
    fn on(&mut self, now: Time, fact: &Fact, messages: &Messages) {
        match self {
            Counter::Numbers(collector) => collector.on(now, fact, messages),
            Counter::Pictures(recorder) => recorder.on(now, fact, messages),
        }
    }
}

/// Runs a scenario, and says which one if it had to be given up.
pub fn run(scenario: &Scenario, observer: &mut dyn Observer) -> Result<RunEnd, Error> {
    world::simulate(scenario, observer).map_err(|reason| given_up(scenario, reason))
}

/// Runs a scenario for its numbers alone, and says which one if it had to be given up.
pub fn metrics(scenario: &Scenario) -> Result<Metrics, Error> {
    measure(scenario).map_err(|reason| given_up(scenario, reason))
}

fn given_up(scenario: &Scenario, reason: GivenUp) -> Error {
    Error::Message(format!("{}: {reason}", printable(&scenario.name)))
}
