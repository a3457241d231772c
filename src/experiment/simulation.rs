//! Studies of scenarios: the settings of a grid laid over a file, and runs of the simulator.

use serde_json::Value;
use thiserror::Error;

use super::backlog::Backlog;
use super::metric::Metric;
use super::statistics::{PRACTICAL, WarmUp, is_growing, warm_up};
use super::study::{
    Condition, ConsumerPlace, Kind, Replications, RunResult, Study, StudyError, grid,
};
use super::vary::{Axis, VaryError, distinguish, plain};
use crate::judges::Judges;
use crate::kernel::Time;
use crate::metrics::{Collector, Metrics, RunEnd};
use crate::scenario::{self, Document, Errors, Loaded, Scenario, Values};
use crate::world::{self, GivenUp};

/// Why a study cannot be made of a file and what is varied.
#[derive(Debug, Error)]
pub enum PrepareError {
    /// What is varied cannot be understood.
    #[error(transparent)]
    Vary(#[from] VaryError),
    /// A path that does not exist, or a setting that cannot be run.
    #[error("{0}")]
    Setting(Errors),
    /// The grid is too large.
    #[error(transparent)]
    Grid(#[from] StudyError),
}

impl From<Errors> for PrepareError {
    fn from(errors: Errors) -> PrepareError {
        PrepareError::Setting(errors)
    }
}

/// The study of a file: every setting is resolved, so that mistakes are found before anything runs.
/// Without metrics, [`Metric::defaults`].
///
/// # Errors
/// The first setting that cannot be run; a grid too large.
pub fn prepare(
    loaded: &Loaded,
    mut axes: Vec<Axis>,
    metrics: Vec<Metric>,
    replications: Replications,
) -> Result<Study<Scenario>, PrepareError> {
    distinguish(&mut axes);
    let points = grid(&axes)?;
    let settings = points
        .iter()
        .map(|values| setting(&loaded.document, &axes, values))
        .collect::<Result<Vec<Scenario>, PrepareError>>()?;
    let base = &loaded.scenario;
    Ok(Study {
        scenario: base.name.clone(),
        semantics: settings
            .iter()
            .all(|setting| setting.semantics == base.semantics)
            .then_some(base.semantics),
        kind: if settings.iter().any(is_steady) {
            Kind::Steady
        } else {
            Kind::Terminating
        },
        seed: base.seed,
        axes,
        baseline: settings.iter().position(|setting| setting == base),
        settings,
        metrics: if metrics.is_empty() {
            Metric::defaults()
        } else {
            metrics
        },
        practical: match replications {
            Replications::Sequential(rule) => rule.practical,
            Replications::Fixed(_) => PRACTICAL,
        },
        replications,
        consumers: places(base),
    })
}

/// What a file's own `compare` varies.
///
/// # Errors
/// As [`Axis::parse`].
pub fn axes_of(study: &scenario::Study) -> Result<Vec<Axis>, VaryError> {
    let axis = |variation: &scenario::Variation| match &variation.values {
        Values::Range(text) => Axis::parse(&format!("{}={text}", variation.path)),
        Values::List(values) => Axis::of_texts(&variation.path, values),
    };
    study.vary.iter().map(axis).collect()
}

fn setting(document: &Document, axes: &[Axis], values: &[Value]) -> Result<Scenario, PrepareError> {
    let mut varied = document.clone();
    for (axis, value) in axes.iter().zip(values) {
        varied = varied.set(&axis.path, &plain(value))?;
    }
    Ok(scenario::resolve(varied)?.scenario)
}

fn places(scenario: &Scenario) -> Vec<ConsumerPlace> {
    let place = |consumer: &scenario::Consumer| ConsumerPlace {
        name: consumer.name.clone(),
        destination: scenario.destinations[consumer.destination].uri(),
    };
    scenario.consumers.iter().map(place).collect()
}

/// Whether it is cut off while a producer would send on.
fn is_steady(scenario: &Scenario) -> bool {
    let endless = scenario
        .producers
        .iter()
        .any(|producer| producer.messages.is_none());
    scenario.until.is_some() && endless
}

/// Runs a setting of a scenario with a seed: what [`Study::run`] asks for. The setting's own seed,
/// which is that of the first replication, is run under the judges as well.
///
/// # Errors
/// If it can't be run to its end, or a law is broken that holds whatever the scenario.
pub fn simulate(setting: &Scenario, seed: u64) -> Result<RunResult, String> {
    if seed == setting.seed {
        audit(setting)?;
    }
    observe(setting, seed, |scenario| {
        let until = scenario.until.filter(|_| is_steady(scenario));
        let (metrics, backlog) = match until {
            None => (measure(scenario), None),
            Some(until) => {
                let mut watching = (Collector::new(scenario), Backlog::new(until));
                let end = world::simulate(scenario, &mut watching);
                let (collector, backlog) = watching;
                (
                    end.map(|end| collector.finish((&end).into())),
                    Some(backlog),
                )
            }
        };
        let metrics = metrics.map_err(|error| error.to_string())?;
        let metrics = serde_json::to_value(metrics).expect("metrics are plain data");
        Ok((metrics, backlog))
    })
}

/// Messages are conserved, windows respected, order is kept, and Little's law holds; else the
/// numbers of this setting mean nothing.
fn audit(setting: &Scenario) -> Result<(), String> {
    let mut judges = Judges::new(setting);
    let end = world::simulate(setting, &mut judges).map_err(|error| error.to_string())?;
    match judges.finish(end.ended_at, &end.messages).first() {
        Some(breach) => Err(format!(
            "a law is broken, which is a bug of acksim: {breach}"
        )),
        None => Ok(()),
    }
}

/// Runs a scenario for its numbers alone: the fastest way to them, because the model is compiled
/// for this one observer.
///
/// # Errors
/// [`GivenUp`] if it can't be run to its end.
pub fn measure(scenario: &Scenario) -> Result<Metrics, GivenUp> {
    let mut collector = Collector::new(scenario);
    let end = world::simulate_for(scenario, &mut collector)?;
    Ok(collector.finish((&end).into()))
}

/// What the metrics need to know of the end of a run.
impl From<&world::RunEnd> for RunEnd {
    fn from(end: &world::RunEnd) -> RunEnd {
        RunEnd {
            ended_at: end.ended_at,
            events: end.events,
            draws: Some(end.draws),
        }
    }
}

/// One simulation: its metrics, and what the backlog of a steady scenario did.
type Simulated = Result<(Value, Option<Backlog>), String>;

/// Runs a setting with a seed. Of a steady scenario without `warmUp` the warm-up is found by MSER-5
/// on the backlog and cut off: the same run again, with metrics from there on.
fn observe(
    setting: &Scenario,
    seed: u64,
    simulate: impl Fn(&Scenario) -> Simulated,
) -> Result<RunResult, String> {
    let mut scenario = Scenario {
        seed,
        ..setting.clone()
    };
    let (metrics, backlog) = simulate(&scenario)?;
    let result = |metrics, condition, warm_up: Time| RunResult {
        metrics,
        condition,
        warm_up_ms: warm_up.as_millis_f64(),
    };
    let Some((until, backlog)) = scenario.until.zip(backlog) else {
        return Ok(result(metrics, Condition::Sound, scenario.warm_up));
    };
    let series = backlog.clone().series(until);
    let given = (0..series.len()).take_while(|sample| backlog.start_of(*sample) < scenario.warm_up);
    if is_growing(&series[given.count()..]) {
        return Ok(result(metrics, Condition::Unstable, scenario.warm_up));
    }
    if scenario.warm_up > Time::ZERO {
        return Ok(result(metrics, Condition::Sound, scenario.warm_up));
    }
    match warm_up(&series) {
        WarmUp::Insufficient => Ok(result(metrics, Condition::TooShort, Time::ZERO)),
        WarmUp::Cut(0) => Ok(result(metrics, Condition::Sound, Time::ZERO)),
        WarmUp::Cut(samples) => {
            scenario.warm_up = backlog.start_of(samples);
            let (metrics, _) = simulate(&scenario)?;
            Ok(result(metrics, Condition::Sound, scenario.warm_up))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::statistics::paired;
    use crate::experiment::{Execution, output};
    use crate::kernel::Stream;
    use crate::scenario::Source;
    use crate::story::Story;
    use serde_json::json;
    use std::num::NonZeroUsize;
    use std::sync::atomic::AtomicBool;

    const FILE: &str = r#"{
        "name": "orders",
        "until": "10s",
        "producers": [{"name": "shop", "destination": "queue://orders",
                       "arrivals": {"poisson": {"perSecond": 100}}}],
        "consumers": [{"name": "worker", "count": 2, "prefetchSize": 10,
                       "destination": "queue://orders", "processing": "5ms"}],
        "compare": {"vary": {"worker.prefetchSize": "1..3", "network.latency": ["1ms", "2ms"]}}
    }"#;

    fn loaded(text: &str) -> Loaded {
        let source = Source {
            name: "orders.json".to_owned(),
            text: text.to_owned(),
        };
        scenario::read(&source, "orders").unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn prepared(vary: &[&str]) -> Result<Study<Scenario>, PrepareError> {
        let axes = vary.iter().map(|text| Axis::parse(text).unwrap()).collect();
        prepare(&loaded(FILE), axes, Vec::new(), Replications::Fixed(10))
    }

    #[test]
    fn settings_are_laid_over_the_file() {
        let study = prepared(&["worker.prefetchSize=1,10", "network.latency=1ms,2ms"]).unwrap();
        let prefetches = study
            .settings
            .iter()
            .map(|setting| setting.consumers[1].prefetch_size);
        assert_eq!(prefetches.collect::<Vec<_>>(), [1, 1, 10, 10]);
        assert_eq!((study.kind, study.baseline), (Kind::Steady, None));
        assert_eq!(study.consumers[1].name, "worker-2");
        assert_eq!(study.consumers[1].destination, "queue://orders");
        assert_eq!(study.metrics, Metric::defaults());
    }

    #[test]
    fn the_setting_of_the_file_is_recognised() {
        assert_eq!(
            prepared(&["worker.prefetchSize=1,10"]).unwrap().baseline,
            Some(1)
        );
        assert_eq!(prepared(&[]).unwrap().baseline, Some(0));
    }

    #[test]
    fn mistakes_are_found_before_anything_runs() {
        let path = prepared(&["worker.prefetchSise=1,10"])
            .unwrap_err()
            .to_string();
        assert!(path.contains("prefetchSize"), "names the nearest: {path}");
        let value = prepared(&["worker.prefetchSize=1,many"])
            .unwrap_err()
            .to_string();
        assert!(value.contains("many"), "{value}");
        let grid = prepared(&["worker.prefetchSize=1..500", "seed=1..500"]).unwrap_err();
        assert!(grid.to_string().contains("250000 settings"), "{grid}");
    }

    #[test]
    fn a_file_may_bring_its_study_along() {
        let study = loaded(FILE).study.expect("the file has one");
        let axes = axes_of(&study).unwrap();
        assert_eq!(json!(axes[0].values), json!([1, 2, 3]));
        assert_eq!(json!(axes[1].values), json!(["1ms", "2ms"]));
    }

    /// A run of 10 s whose backlog is at `level` of the millisecond.
    fn simulated(scenario: &Scenario, level: impl Fn(u64) -> u64) -> Simulated {
        let backlog = Backlog::new(scenario.until.expect("the run is cut off"));
        let mut story = Story::new(scenario, backlog);
        let mut under_way = Vec::new();
        for millis in 0..10_000 {
            story.at(millis as f64);
            while (under_way.len() as u64) < level(millis) {
                under_way.push(story.queue(0));
            }
            while under_way.len() as u64 > level(millis) {
                story.release(under_way.pop().expect("something is under way"));
            }
        }
        Ok((
            json!({"warmUpMs": scenario.warm_up.as_millis_f64()}),
            is_steady(scenario).then_some(story.observer),
        ))
    }

    fn observed(text: &str, level: impl Fn(u64) -> u64) -> RunResult {
        observe(&loaded(text).scenario, 3, |scenario| {
            assert_eq!(scenario.seed, 3);
            simulated(scenario, &level)
        })
        .unwrap()
    }

    /// From 0 to 9, alike at all times.
    fn noise(millis: u64) -> u64 {
        Stream::new(1, "noise", &millis.to_string()).uniform_below(10)
    }

    #[test]
    fn a_warm_up_is_cut_off() {
        let result = observed(FILE, |millis| {
            300_u64.saturating_sub(millis / 4) + noise(millis)
        });
        assert_eq!(result.condition, Condition::Sound);
        assert!(
            (1_000.0..=1_400.0).contains(&result.warm_up_ms),
            "{}",
            result.warm_up_ms
        );
        assert_eq!(result.metrics["warmUpMs"], result.warm_up_ms);
        assert_eq!(observed(FILE, noise).condition, Condition::Sound);
    }

    #[test]
    fn a_warm_up_of_the_file_is_kept() {
        let given = FILE.replace("\"until\"", "\"warmUp\": \"2s\", \"until\"");
        let result = observed(&given, |millis| {
            500_u64.saturating_sub(millis / 4) + noise(millis)
        });
        assert_eq!(
            (result.condition, result.warm_up_ms),
            (Condition::Sound, 2_000.0)
        );
    }

    #[test]
    fn a_backlog_that_grows_is_unstable() {
        let result = observed(FILE, |millis| millis / 10 + noise(millis));
        assert_eq!(result.condition, Condition::Unstable);
    }

    #[test]
    fn a_run_that_settles_too_late_is_too_short() {
        let result = observed(FILE, |millis| {
            1_000_u64.saturating_sub(millis / 8) + noise(millis)
        });
        assert_eq!(result.condition, Condition::TooShort);
    }

    #[test]
    fn work_that_ends_by_itself_has_no_warm_up() {
        let finite = FILE.replace("\"name\": \"shop\"", "\"name\": \"shop\", \"messages\": 10");
        let result = observed(&finite, |millis| millis / 10);
        assert_eq!(
            (result.condition, result.warm_up_ms),
            (Condition::Sound, 0.0)
        );
    }

    /// The article's picture: a slow worker sits on what faster ones could do.
    const UNEQUAL: &str = r#"{
        "name": "unequal",
        "producers": [{"name": "shop", "destination": "queue://orders", "messages": 1500,
                       "arrivals": {"poisson": {"perSecond": 100}}}],
        "consumers": [
            {"name": "slow", "destination": "queue://orders",
             "processing": {"exponential": {"mean": "80ms"}}},
            {"name": "fast", "count": 2, "destination": "queue://orders",
             "processing": {"exponential": {"mean": "20ms"}}}
        ]
    }"#;

    #[test]
    fn the_simulator_shows_what_a_large_prefetch_costs() {
        let axes = vec![Axis::parse("*.prefetchSize=2,1000").unwrap()];
        let metrics = vec![Metric::at("latencyMs.sendToProcessed.mean")];
        let study = prepare(&loaded(UNEQUAL), axes, metrics, Replications::Fixed(10)).unwrap();
        let compare = |jobs| {
            let execution = Execution {
                jobs: NonZeroUsize::new(jobs),
                cancelled: &AtomicBool::new(false),
                progress: &|_, _| {},
            };
            study.run(&execution, simulate).unwrap()
        };
        let comparison = compare(1);
        let verdict = &comparison.metrics[0].verdicts[0];
        assert!(
            verdict.starts_with("prefetch 2 beats 1000 for mean latency by"),
            "{verdict}"
        );
        assert!(verdict.contains("with 1000, slow held "), "{verdict}");
        assert!(verdict.contains(" while the others starved "), "{verdict}");
        assert_eq!(output::json(&comparison), output::json(&compare(2)));
    }

    /// What is said of independent seeds is computed from runs with equal ones: the variances of
    /// both settings add up. Here they are really used.
    #[test]
    fn equal_seeds_are_worth_what_is_said_of_them() {
        let values = |seed: u64| {
            let mut loaded = loaded(UNEQUAL);
            loaded.scenario.seed = seed;
            let axes = vec![Axis::parse("*.prefetchSize=10,14").unwrap()];
            let metrics = vec![Metric::at("latencyMs.sendToProcessed.mean")];
            let study = prepare(&loaded, axes, metrics, Replications::Fixed(30)).unwrap();
            let execution = Execution {
                jobs: None,
                cancelled: &AtomicBool::new(false),
                progress: &|_, _| {},
            };
            let cells = study
                .run(&execution, simulate)
                .unwrap()
                .metrics
                .remove(0)
                .cells;
            assert!(cells[0].best, "a smaller window is better here");
            cells
        };
        let (cells, others) = (values(1), values(1_001));
        let said = cells[1].against_best.unwrap();
        let pair = |other: &crate::experiment::Cell| {
            let numbers = |cell: &crate::experiment::Cell| -> Vec<f64> {
                cell.values.iter().copied().flatten().collect()
            };
            paired(&numbers(other), &numbers(&cells[0]), 0.95, 1).unwrap()
        };
        let (equal, independent) = (pair(&cells[1]), pair(&others[1]));
        let ratio = independent.deviation / equal.deviation;
        let worth = ratio * ratio;
        let said = said.replications_independent.unwrap() as f64
            / said.replications_paired.unwrap() as f64;
        assert!(worth > 3.0, "{worth} times as many replications");
        assert!(
            (0.4..2.5).contains(&(said / worth)),
            "{said} was said, it is {worth}"
        );
    }
}
