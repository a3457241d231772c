//! Why a setting is as good as it is: who held messages, who starved, what the wire carried.

use serde::Serialize;
use serde_json::Value;

use super::metric::lookup;

/// The mechanism of one run, or the average of several.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mechanism {
    /// By name.
    pub consumers: Vec<ConsumerMechanism>,
    /// Ack commands to a message.
    pub acks_per_message: f64,
    /// All commands to a message.
    pub commands_per_message: f64,
    /// Times a client died.
    pub crashes: f64,
    /// Times a message was processed to the end more than once.
    pub duplicates: f64,
    /// Hand-overs of a message that had been handed over before.
    pub redeliveries: f64,
    /// Messages that nobody processed and nobody has.
    pub lost: f64,
    /// Times a strategy aborted a consumer.
    pub aborts: f64,
    /// Share of their time for which producers waited for send to return, from 0 to 1.
    pub blocked_share: f64,
}

/// One consumer. Shares are of the time in which it was connected, from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerMechanism {
    /// Of the scenario.
    pub name: String,
    /// Messages held by the client on average.
    pub mean_held: f64,
    /// Most messages held.
    pub max_held: f64,
    /// Idle while messages waited in another consumer's buffer.
    pub starved_share: f64,
    /// With a full prefetch window.
    pub window_full_share: f64,
    /// At work.
    pub busy_share: f64,
}

impl Mechanism {
    /// From a run's `metrics.json`; what is not there is 0.
    pub fn of(metrics: &Value) -> Mechanism {
        let sum = |path: &str| {
            lookup(metrics, path)
                .iter()
                .filter_map(|value| value.as_f64())
                .sum()
        };
        let producers = lookup(metrics, "producers.*").len();
        let simulated: f64 = sum("run.simulatedMs");
        let consumers = metrics.get("consumers").and_then(Value::as_object);
        Mechanism {
            consumers: consumers
                .into_iter()
                .flatten()
                .map(|(name, consumer)| ConsumerMechanism::of(name, consumer))
                .collect(),
            acks_per_message: sum("wire.acksPerMessage"),
            commands_per_message: sum("wire.commandsPerMessage"),
            crashes: sum("consumers.*.crashes"),
            duplicates: sum("messages.duplicates"),
            redeliveries: sum("messages.redeliveries"),
            lost: sum("messages.lost"),
            aborts: sum("consumers.*.aborts"),
            blocked_share: share(sum("producers.*.blockedMs"), simulated * producers as f64),
        }
    }

    /// The average over runs of the same setting.
    pub(super) fn average<'a>(runs: impl ExactSizeIterator<Item = &'a Mechanism>) -> Mechanism {
        let weight = 1.0 / runs.len().max(1) as f64;
        let mut average = Mechanism::default();
        for run in runs {
            average.add(run, weight);
        }
        average
    }

    fn add(&mut self, other: &Mechanism, weight: f64) {
        self.acks_per_message += weight * other.acks_per_message;
        self.commands_per_message += weight * other.commands_per_message;
        self.crashes += weight * other.crashes;
        self.duplicates += weight * other.duplicates;
        self.redeliveries += weight * other.redeliveries;
        self.lost += weight * other.lost;
        self.aborts += weight * other.aborts;
        self.blocked_share += weight * other.blocked_share;
        if self.consumers.is_empty() {
            let named = |consumer: &ConsumerMechanism| ConsumerMechanism {
                name: consumer.name.clone(),
                ..ConsumerMechanism::default()
            };
            self.consumers = other.consumers.iter().map(named).collect();
        }
        for (mine, theirs) in self.consumers.iter_mut().zip(&other.consumers) {
            mine.add(theirs, weight);
        }
    }

    /// The consumer that holds most, and the others.
    pub(super) fn holder(&self) -> Option<(&ConsumerMechanism, Vec<&ConsumerMechanism>)> {
        let holder = self.consumers.iter().reduce(|most, other| {
            if other.mean_held > most.mean_held {
                other
            } else {
                most
            }
        })?;
        let others = self
            .consumers
            .iter()
            .filter(|other| other.name != holder.name);
        Some((holder, others.collect()))
    }

    /// Most messages that one client held, on average over the runs.
    pub(super) fn most_held(&self) -> f64 {
        self.consumers
            .iter()
            .map(|consumer| consumer.max_held)
            .fold(0.0, f64::max)
    }

    /// Messages done twice for each crash; None if there was none.
    pub fn duplicates_per_crash(&self) -> Option<f64> {
        (self.crashes > 0.0).then(|| self.duplicates / self.crashes)
    }
}

impl ConsumerMechanism {
    fn of(name: &str, metrics: &Value) -> ConsumerMechanism {
        let number = |key: &str| metrics.get(key).and_then(Value::as_f64).unwrap_or(0.0);
        let connected = number("connectedMs");
        ConsumerMechanism {
            name: name.to_owned(),
            mean_held: number("meanHeld"),
            max_held: number("maxHeld"),
            starved_share: share(number("starvedMs"), connected),
            window_full_share: share(number("windowFullMs"), connected),
            busy_share: share(number("busyMs"), connected),
        }
    }

    fn add(&mut self, other: &ConsumerMechanism, weight: f64) {
        self.mean_held += weight * other.mean_held;
        self.max_held += weight * other.max_held;
        self.starved_share += weight * other.starved_share;
        self.window_full_share += weight * other.window_full_share;
        self.busy_share += weight * other.busy_share;
    }
}

/// The average of something over consumers.
pub(super) fn average_of<'a>(
    consumers: impl IntoIterator<Item = &'a ConsumerMechanism>,
    of: impl Fn(&ConsumerMechanism) -> f64,
) -> f64 {
    let values: Vec<f64> = consumers.into_iter().map(of).collect();
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
