//! What broker, client and network cost, from measured throughputs.
//!
//! The model knows what waits for what, but not how long a real processor works on a command. Rates
//! measured without any work and over a short link show it: each rate is one way to mix the same
//! few constants. The fit looks for those with which short simulations come closest to all rates
//! at once; errors are relative, so a slow setting counts as much as a fast one.
//!
//! The same file gives the same constants everywhere: the search draws nothing, and every
//! simulation has the same seed. Constant and exponential durations are tried; the closest wins.

mod search;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::facts::{Fact, Observer};
use crate::kernel::{Distribution, Span, Time};
use crate::metrics::Ends;
use crate::scenario::{self, Scenario, Source};
use crate::wire::Messages;
use crate::world::simulate;

/// So many rates at most.
const MOST_RATES: usize = 100;
/// Largest window, transaction or number of messages to an acknowledgement.
const LARGEST_COUNT: u32 = 32_766;
/// Messages per second that can be measured.
const RATES: std::ops::RangeInclusive<f64> = 0.01..=10_000_000.0;
/// Messages of a simulation, or a few more: whole batches.
const MESSAGES: u32 = 1_000;
/// A simulation fills so many windows at least.
const WINDOWS: u32 = 5;

/// What was measured, as the file says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Measurements {
    /// Rates to fit.
    pub measured: Vec<Rate>,
    /// Rates that the fit does not see; they are predicted by it.
    #[serde(default)]
    pub hold_out: Vec<Rate>,
}

/// One consumer on a loaded queue, with a listener that does nothing, and how fast it went.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rate {
    /// Messages, at least 1.
    pub prefetch_size: u32,
    /// Of its session.
    #[serde(default)]
    pub acknowledge_mode: Mode,
    /// `jms.optimizeAcknowledge`; AUTO_ACKNOWLEDGE only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimize_acknowledge: Option<bool>,
    /// Messages to a transaction; SESSION_TRANSACTED only. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_size: Option<u32>,
    /// Messages to a call of `acknowledge()`; CLIENT_ACKNOWLEDGE and INDIVIDUAL_ACKNOWLEDGE only.
    /// Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledge_every: Option<u32>,
    /// Messages per second.
    pub per_second: f64,
}

/// `acknowledgeMode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mode {
    /// Each message, by the client library.
    #[default]
    AutoAcknowledge,
    /// All so far, by the application.
    ClientAcknowledge,
    /// As AUTO_ACKNOWLEDGE.
    DupsOkAcknowledge,
    /// By commits.
    SessionTransacted,
    /// Each message, by the application.
    IndividualAcknowledge,
}

/// Why there are no constants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalibrationError {
    /// Not the JSON of [`Measurements`].
    #[error("{0}")]
    Syntax(String),
    /// A value that cannot be.
    #[error("{list}[{index}]: {problem}")]
    Rate {
        /// `measured` or `holdOut`.
        list: &'static str,
        /// From 0.
        index: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// Nothing, or too much.
    #[error("`measured` and `holdOut` have {0} rates: 1 to {MOST_RATES} can be calibrated")]
    Count(usize),
    /// All of a file was held out.
    #[error("`measured` has no rate: at least 1 is needed")]
    Nothing,
}

impl Measurements {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Measurements, CalibrationError> {
        let read: Measurements = serde_json::from_str(text)
            .map_err(|error| CalibrationError::Syntax(error.to_string()))?;
        let count = read.measured.len() + read.hold_out.len();
        if count > MOST_RATES {
            return Err(CalibrationError::Count(count));
        }
        if read.measured.is_empty() {
            return Err(CalibrationError::Nothing);
        }
        for (list, rates) in [("measured", &read.measured), ("holdOut", &read.hold_out)] {
            for (index, rate) in rates.iter().enumerate() {
                rate.check().map_err(|problem| CalibrationError::Rate {
                    list,
                    index,
                    problem,
                })?;
            }
        }
        Ok(read)
    }
}

impl Rate {
    fn check(&self) -> Result<(), String> {
        let counts = [
            ("prefetchSize", Some(self.prefetch_size)),
            ("transactionSize", self.transaction_size),
            ("acknowledgeEvery", self.acknowledge_every),
        ];
        for (key, count) in counts {
            if count.is_some_and(|count| !(1..=LARGEST_COUNT).contains(&count)) {
                return Err(format!("`{key}` is not from 1 to {LARGEST_COUNT}"));
            }
        }
        if !RATES.contains(&self.per_second) {
            let (least, most) = (RATES.start(), RATES.end());
            return Err(format!("`perSecond` is not from {least} to {most}"));
        }
        self.check_mode()
    }

    fn check_mode(&self) -> Result<(), String> {
        use Mode::*;
        let mode = self.acknowledge_mode;
        let calls = matches!(mode, ClientAcknowledge | IndividualAcknowledge);
        let misplaced = [
            (
                "optimizeAcknowledge",
                self.optimize_acknowledge.is_some() && mode != AutoAcknowledge,
            ),
            (
                "transactionSize",
                self.transaction_size.is_some() && mode != SessionTransacted,
            ),
            (
                "acknowledgeEvery",
                self.acknowledge_every.is_some() && !calls,
            ),
        ];
        match misplaced.iter().find(|(_, is)| *is) {
            Some((key, _)) => Err(format!("`{key}` has no meaning in this acknowledgeMode")),
            None => Ok(()),
        }
    }

    /// In a few words: `SESSION_TRANSACTED, prefetch 100, transactions of 10`.
    pub fn label(&self) -> String {
        let mode = json!(self.acknowledge_mode);
        let mut label = format!(
            "{}, prefetch {}",
            mode.as_str().unwrap_or_default(),
            self.prefetch_size
        );
        if self.optimize_acknowledge == Some(true) {
            label += ", optimizeAcknowledge";
        }
        if let Some(size) = self.transaction_size {
            label += &format!(", transactions of {size}");
        }
        if let Some(every) = self.acknowledge_every {
            label += &format!(", every {every}");
        }
        label
    }

    /// Messages that are acknowledged at once.
    fn batch(&self) -> u32 {
        let optimized = match self.optimize_acknowledge {
            Some(true) => self.prefetch_size * 65 / 100,
            _ => 1,
        };
        let called = self.transaction_size.or(self.acknowledge_every);
        called.unwrap_or(optimized).max(1)
    }

    /// Many windows, or the start would be seen; whole batches in each fifth, so that the steady rate
    /// is that of whole batches.
    fn messages(&self) -> u32 {
        let fifths = 5 * self.batch();
        let windows = WINDOWS * self.prefetch_size;
        fifths * MESSAGES.max(windows).div_ceil(fifths)
    }

    fn scenario(&self) -> Scenario {
        let mut consumer = json!({
            "name": "consumer",
            "destination": "queue://calibration",
            "prefetchSize": self.prefetch_size,
            "acknowledgeMode": self.acknowledge_mode,
            "processing": "0us",
            "start": "60s",
        });
        if self.optimize_acknowledge == Some(true) {
            consumer["url"] = json!("tcp://broker:61616?jms.optimizeAcknowledge=true");
        }
        match self.acknowledge_mode {
            Mode::SessionTransacted => {
                consumer["transaction"] = json!({"size": self.transaction_size.unwrap_or(1)});
            }
            Mode::ClientAcknowledge | Mode::IndividualAcknowledge => {
                consumer["acknowledge"] = json!({"every": self.acknowledge_every.unwrap_or(1)});
            }
            Mode::AutoAcknowledge | Mode::DupsOkAcknowledge => {}
        }
        let document = json!({
            "producers": [{
                "name": "producer",
                "destination": "queue://calibration",
                "messages": self.messages(),
                "deliveryMode": "NON_PERSISTENT",
            }],
            "consumers": [consumer],
        });
        let source = Source {
            name: "calibration".to_owned(),
            text: document.to_string(),
        };
        let loaded = scenario::read(&source, "calibration");
        loaded
            .expect("every checked rate makes a valid scenario")
            .scenario
    }
}

/// How a duration varies around its mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variability {
    /// Not at all.
    Constant,
    /// Exponentially.
    Exponential,
}

impl Variability {
    fn around(self, mean: Span) -> Distribution {
        match self {
            Variability::Constant => Distribution::Constant(mean),
            Variability::Exponential => Distribution::Exponential { mean },
        }
    }

    fn json(self, mean: Span) -> Value {
        // What a person would write; finer than any fit.
        let text = format!("{:.2}us", mean.0 as f64 / 1e3);
        match self {
            Variability::Constant => json!(text),
            Variability::Exponential => json!({"exponential": {"mean": text}}),
        }
    }
}

/// What is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constants {
    /// Mean of `network.latency`.
    pub latency: Span,
    /// Mean of `broker.dispatchCost`.
    pub dispatch_cost: Span,
    /// Mean of `broker.acknowledgeCost`.
    pub acknowledge_cost: Span,
    /// Mean of `broker.storeLatency`; None where no rate is of transactions.
    pub store_latency: Option<Span>,
    /// Mean of what the client spends on each message: a `processing` of its consumers.
    pub processing: Span,
    /// How the latency varies.
    pub network: Variability,
    /// How the others vary.
    pub broker: Variability,
}

impl Constants {
    /// As a part of a scenario file.
    pub fn json(&self) -> Value {
        let mut broker = json!({
            "dispatchCost": self.broker.json(self.dispatch_cost),
            "acknowledgeCost": self.broker.json(self.acknowledge_cost),
        });
        if let Some(store_latency) = self.store_latency {
            broker["storeLatency"] = self.broker.json(store_latency);
        }
        json!({
            "network": {"latency": self.network.json(self.latency)},
            "broker": broker,
        })
    }

    /// To add to the `processing` of each consumer.
    pub fn processing_json(&self) -> Value {
        self.broker.json(self.processing)
    }

    fn apply(&self, scenario: &mut Scenario) {
        scenario.network.latency = self.network.around(self.latency);
        scenario.broker.dispatch_cost = self.broker.around(self.dispatch_cost);
        scenario.broker.acknowledge_cost = self.broker.around(self.acknowledge_cost);
        let store_latency = self.store_latency.unwrap_or_default();
        scenario.broker.store_latency = self.broker.around(store_latency);
        scenario.consumers[0].processing = self.broker.around(self.processing);
    }
}

/// A measured rate and what the model makes of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Prediction {
    /// What was measured.
    #[serde(flatten)]
    pub rate: Rate,
    /// Messages per second in the model.
    pub predicted_per_second: f64,
}

impl Prediction {
    /// Of the predicted rate, relative to the measured one: 0.1 is 10 % too fast.
    pub fn error(&self) -> f64 {
        self.predicted_per_second / self.rate.per_second - 1.0
    }
}

/// Constants and how good they are.
#[derive(Clone, Debug)]
pub struct Calibration {
    /// With which the model comes closest.
    pub constants: Constants,
    /// The rates that were fitted.
    pub fitted: Vec<Prediction>,
    /// The rates that were not.
    pub held_out: Vec<Prediction>,
}

/// The steady rate in the model, in messages per second; None where it does not get on, or in no
/// time.
pub fn predict(rate: &Rate, constants: &Constants) -> Option<f64> {
    rate_of(&rate.scenario(), constants)
}

fn rate_of(scenario: &Scenario, constants: &Constants) -> Option<f64> {
    let mut scenario = scenario.clone();
    constants.apply(&mut scenario);
    let mut watch = Watch::default();
    simulate(&scenario, &mut watch).ok()?;
    let all = scenario.producers[0].messages?;
    watch.0.steady_per_second().filter(|_| watch.1 == all)
}

/// Times of ends, and how many.
#[derive(Default)]
struct Watch(Ends, u64);

impl Observer for Watch {
    fn on(&mut self, now: Time, fact: &Fact, _: &Messages) {
        if let Fact::Processed { .. } = fact {
            self.0.push(now);
            self.1 += 1;
        }
    }
}

/// Fits the constants to the measured rates.
///
/// # Errors
/// Where the model stands still although a rate was measured.
pub fn calibrate(measurements: &Measurements) -> Result<Calibration, CalibrationError> {
    use Variability::*;
    let scenarios: Vec<Scenario> = measurements.measured.iter().map(Rate::scenario).collect();
    let kinds = [
        (Constant, Constant),
        (Exponential, Constant),
        (Constant, Exponential),
        (Exponential, Exponential),
    ];
    let rates = &measurements.measured;
    let fits: Vec<Fit> = kinds
        .par_iter()
        .map(|&(network, broker)| Fit::new(rates, &scenarios, network, broker))
        .collect();
    let best = fits
        .into_iter()
        .min_by(|one, other| one.best.1.total_cmp(&other.best.1));
    let constants = best.expect("four kinds were fitted").refined();
    Ok(Calibration {
        constants,
        fitted: predictions("measured", &measurements.measured, &constants)?,
        held_out: predictions("holdOut", &measurements.hold_out, &constants)?,
    })
}

fn predictions(
    list: &'static str,
    rates: &[Rate],
    constants: &Constants,
) -> Result<Vec<Prediction>, CalibrationError> {
    let predictions = rates.iter().enumerate().map(|(index, rate)| {
        let predicted = predict(rate, constants).ok_or_else(|| CalibrationError::Rate {
            list,
            index,
            problem: format!("{}: comes to a standstill in the model", rate.label()),
        })?;
        Ok(Prediction {
            rate: rate.clone(),
            predicted_per_second: crate::metrics::rounded(predicted),
        })
    });
    predictions.collect()
}

/// The best constants of one kind so far.
struct Fit<'a> {
    rates: &'a [Rate],
    scenarios: &'a [Scenario],
    network: Variability,
    broker: Variability,
    /// Logarithms of nanoseconds, and the mean square of the logarithms of predicted to measured.
    best: (Vec<f64>, f64),
}

impl<'a> Fit<'a> {
    fn new(
        rates: &'a [Rate],
        scenarios: &'a [Scenario],
        network: Variability,
        broker: Variability,
    ) -> Fit<'a> {
        let mut fit = Fit {
            rates,
            scenarios,
            network,
            broker,
            best: (Vec::new(), f64::INFINITY),
        };
        for point in starts(rates) {
            let error = fit.error(&point);
            if error < fit.best.1 {
                fit.best = (point, error);
            }
        }
        fit.search(-0.7);
        fit
    }

    /// The search begins anew around its best point, more and more closely: it can get stuck.
    fn refined(mut self) -> Constants {
        for step in [0.5, -0.3, 0.1] {
            self.search(step);
        }
        self.constants(&self.best.0)
    }

    fn search(&mut self, step: f64) {
        if self.best.0.is_empty() {
            return;
        }
        let found = search::minimum(&self.best.0, step, &|point| self.error(point));
        if found.1 < self.best.1 {
            self.best = found;
        }
    }

    fn error(&self, point: &[f64]) -> f64 {
        error_of(self.rates, self.scenarios, &self.constants(point))
    }

    fn constants(&self, point: &[f64]) -> Constants {
        Constants {
            latency: span(point[0]),
            dispatch_cost: span(point[1]),
            acknowledge_cost: span(point[2]),
            processing: span(point[3]),
            store_latency: point.get(4).map(|store| span(*store)),
            network: self.network,
            broker: self.broker,
        }
    }
}

/// Nanoseconds by their natural logarithm, up to 10 s.
fn span(logarithm: f64) -> Span {
    Span(libm::exp(logarithm.min(23.0)).round() as u64)
}

/// Where to look first. The fastest setting is held up by the costs alone, the slowest by a round
/// trip; how they share that is tried out.
fn starts(rates: &[Rate]) -> Vec<Vec<f64>> {
    let transacted = |rate: &Rate| rate.acknowledge_mode == Mode::SessionTransacted;
    let has_store = rates.iter().any(transacted);
    let nanos = |rate: &Rate| 1e9 / rate.per_second;
    let cost = rates.iter().map(nanos).fold(f64::INFINITY, f64::min);
    let cycle = rates.iter().map(nanos).fold(0.0, f64::max);
    let mut starts = Vec::new();
    for latency in [cycle / 5.0, cycle / 2.5] {
        for (dispatch, processing) in [(1.0, 0.3), (0.9, 0.9), (0.3, 1.0)] {
            for acknowledge in [0.6, 1.6] {
                for store in [0.5, 5.0] {
                    let costs = [dispatch, acknowledge, processing].map(|part| part * cost);
                    let mut start = vec![latency];
                    start.extend(costs);
                    start.extend(has_store.then_some(store * cost));
                    starts.push(start.iter().map(|nanos| libm::log(*nanos)).collect());
                }
            }
        }
    }
    starts
}

fn error_of(rates: &[Rate], scenarios: &[Scenario], constants: &Constants) -> f64 {
    let squares = rates.par_iter().zip(scenarios).map(|(rate, scenario)| {
        // What stands still, or needs no time at all, is off by more than any rate.
        let predicted = rate_of(scenario, constants);
        let error = predicted.map_or(10.0, |value| libm::log(value / rate.per_second));
        error * error
    });
    // In the order of the file: a sum must not depend on which thread is done first.
    let squares: Vec<f64> = squares.collect();
    squares.iter().sum::<f64>() / rates.len() as f64
}
