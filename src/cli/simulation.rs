//! A run with everybody who watches it.

use std::fs::File;
use std::io::BufWriter;

use acksim::judges::{Breach, Judges};
use acksim::metrics::{self, Collector, Metrics};
use acksim::scenario::Scenario;
use acksim::world::{self, RunEnd};

use super::Error;
use super::pending::charts::{Charts, Recorder};
use super::pending::trace::Trace;
use super::progress::Progress;
use super::terminal::Terminal;

/// Who watches, beside the one who counts.
#[derive(Debug, Default)]
pub struct Watch {
    /// Draw.
    pub charts: bool,
    /// Judge.
    pub audit: bool,
    /// Write everything down, here.
    pub trace: Option<File>,
}

/// What came out.
pub struct Simulated {
    /// Always.
    pub metrics: Metrics,
    /// If they were asked for.
    pub charts: Option<Charts>,
    /// What the judges found.
    pub breaches: Vec<Breach>,
}

/// Runs a scenario.
pub fn simulate(
    scenario: &Scenario,
    watch: Watch,
    terminal: &Terminal,
) -> Result<Simulated, Error> {
    let collector = Collector::new(scenario);
    let charts = watch.charts.then(|| Recorder::new(scenario));
    let judges = watch.audit.then(|| Judges::new(scenario));
    let trace = watch
        .trace
        .map(|file| Trace::new(scenario, BufWriter::new(file)));
    let progress = terminal.progress.then(|| Progress::of(scenario));
    let mut watching = (collector, (charts, (judges, (trace, progress))));
    let end = world::simulate(scenario, &mut watching).map_err(Error::message)?;
    let (collector, (charts, (judges, (trace, _)))) = watching;
    if let Some(trace) = trace {
        let written = trace.finish();
        written.map_err(|error| Error::Message(format!("cannot write the trace: {error}")))?;
    }
    let breaches = judges.map(|judges| judges.finish(end.ended_at, &end.messages));
    Ok(Simulated {
        metrics: collector.finish(counted(&end)),
        charts: charts.map(|charts| charts.finish(end.ended_at)),
        breaches: breaches.unwrap_or_default(),
    })
}

/// Runs a scenario for its numbers alone.
pub fn metrics(scenario: &Scenario) -> Result<Metrics, Error> {
    let mut collector = Collector::new(scenario);
    let end = world::simulate(scenario, &mut collector).map_err(Error::message)?;
    Ok(collector.finish(counted(&end)))
}

fn counted(end: &RunEnd) -> metrics::RunEnd {
    metrics::RunEnd {
        ended_at: end.ended_at,
        events: end.events,
        draws: None,
    }
}
