//! What to deploy: the winning setting as ActiveMQ's own options, and what it costs.

use serde::Serialize;
use serde_json::Value;

use super::analysis::{best, matters, numbers};
use super::comparison::{Comparison, Group, MetricResult};
use super::figures::{Figures, acks, list, messages, percent};
use super::mechanism::average_of;
use super::statistics::{CONFIDENCE, Verdict, paired};
use super::study::ConsumerPlace;
use super::vary::{Axis, shown};

/// What to deploy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recommendation {
    /// In which group of settings.
    pub group: usize,
    /// Which setting.
    pub setting: usize,
    /// What is chosen in it: `prefetch 10`.
    pub label: String,
    /// The metrics that decided, one after the other: a later one among what is equal by the
    /// earlier.
    pub decided_by: Vec<String>,
    /// Where what goes.
    pub options: Vec<Deployment>,
    /// What it costs, in words.
    pub price: String,
}

/// One thing to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// `destination of worker-1 and worker-2`
    pub place: String,
    /// `queue://orders?consumer.prefetchSize=10`
    pub text: String,
}

/// For each group the setting that is best by the first metric; of several that are equal by it as
/// far as the study can tell, or as far as it matters, the best by the next, and so on.
pub(super) fn recommend(
    comparison: &Comparison,
    consumers: &[ConsumerPlace],
) -> Vec<Recommendation> {
    let groups = comparison.groups.iter().enumerate();
    let of_group = |(number, group): (usize, &Group)| {
        let (left, decided_by) = shortlist(comparison, group);
        let as_it_is = left
            .iter()
            .find(|setting| comparison.settings[**setting].baseline);
        let setting = *as_it_is.or(left.first())?;
        let values = &comparison.settings[setting].values;
        let chosen = comparison
            .choices
            .iter()
            .map(|axis| (&comparison.axes[*axis], &values[*axis]));
        let can_choose = comparison
            .choices
            .iter()
            .any(|axis| !comparison.axes[*axis].is_circumstance());
        (can_choose && !decided_by.is_empty()).then(|| Recommendation {
            group: number,
            setting,
            label: comparison.chosen(setting, |_| true),
            decided_by,
            options: deployments(chosen, consumers),
            price: price(comparison, setting, group),
        })
    };
    groups.filter_map(of_group).collect()
}

/// What is left of a group when each metric in turn has struck out what is worse by it, and the
/// titles of the metrics that did.
fn shortlist(comparison: &Comparison, group: &Group) -> (Vec<usize>, Vec<String>) {
    let mut left = group.settings.clone();
    let mut decided_by = Vec::new();
    for result in &comparison.metrics {
        let Some(best) = best(&result.cells, &left, result.metric.better) else {
            continue;
        };
        let rivals = left.len() - 1;
        let before = left.len();
        left.retain(|setting| {
            *setting == best || !is_worse(comparison.practical, result, *setting, best, rivals)
        });
        if left.len() < before {
            decided_by.push(result.metric.title.clone());
        }
    }
    (left, decided_by)
}

/// Whether a setting is worse than another one for sure, by what matters; or has no number at all.
fn is_worse(
    practical: f64,
    result: &MetricResult,
    setting: usize,
    best: usize,
    comparisons: usize,
) -> bool {
    let (own, reference) = (&result.cells[setting], &result.cells[best]);
    let Some(mean) = reference.mean.filter(|_| own.mean.is_some()) else {
        return true;
    };
    let pair = paired(&numbers(own), &numbers(reference), CONFIDENCE, comparisons);
    pair.is_some_and(|pair| !pair.interval.contains(0.0) && matters(&pair, mean, practical))
}

fn deployments<'a>(
    chosen: impl Iterator<Item = (&'a Axis, &'a Value)>,
    consumers: &[ConsumerPlace],
) -> Vec<Deployment> {
    let mut deployments: Vec<Deployment> = Vec::new();
    for (axis, value) in chosen {
        for new in of_axis(axis, &shown(value), consumers) {
            match deployments.iter_mut().find(|old| old.place == new.place) {
                Some(old) => old.text = joined(&old.text, &new.text),
                None => deployments.push(new),
            }
        }
    }
    deployments
}

/// Two settings of one place: options of one URI, or one after the other.
fn joined(old: &str, new: &str) -> String {
    match new.split_once('?') {
        Some((base, option)) if old.starts_with(base) => format!("{old}&{option}"),
        _ => format!("{old}, {new}"),
    }
}

fn of_axis(axis: &Axis, value: &str, consumers: &[ConsumerPlace]) -> Vec<Deployment> {
    let owner = axis.owner();
    let readers: Vec<&ConsumerPlace> = consumers
        .iter()
        .filter(|consumer| is_called(&consumer.name, owner))
        .collect();
    let name = axis.name();
    let option = if name == "prefetchSize" {
        "consumer.prefetchSize"
    } else {
        name
    };
    if option.starts_with("consumer.") && !readers.is_empty() {
        return of_destinations(&readers, option, value);
    }
    let who = match readers.is_empty() {
        true => owner.to_owned(),
        false => names(&readers),
    };
    let (place, text) = match (owner, option) {
        ("network", _) => (
            "not a setting of ActiveMQ".to_owned(),
            format!("{} = {value}", axis.path),
        ),
        ("broker", _) if name.starts_with("policies.") => {
            let attribute = name.rsplit('.').next().unwrap_or(name);
            (
                "activemq.xml".to_owned(),
                format!("<policyEntry … {attribute}=\"{value}\"/>"),
            )
        }
        (_, option) if option.starts_with("jms.") => (
            format!("connection URL of {who}"),
            format!("tcp://localhost:61616?{option}={value}"),
        ),
        (_, "acknowledgeMode") => (
            format!("createSession of {who}"),
            format!("Session.{value}"),
        ),
        _ => (format!("application of {who}"), format!("{name} = {value}")),
    };
    vec![Deployment { place, text }]
}

/// Consumers of one destination share a line.
fn of_destinations(readers: &[&ConsumerPlace], option: &str, value: &str) -> Vec<Deployment> {
    let mut destinations: Vec<&str> = readers
        .iter()
        .map(|reader| reader.destination.as_str())
        .collect();
    destinations.dedup();
    destinations.sort_unstable();
    destinations.dedup();
    let of = |destination: &str| {
        let readers = readers
            .iter()
            .filter(|reader| reader.destination == destination);
        Deployment {
            place: format!(
                "destination of {}",
                names(&readers.copied().collect::<Vec<_>>())
            ),
            text: format!("{destination}?{option}={value}"),
        }
    };
    destinations.into_iter().map(of).collect()
}

fn names(consumers: &[&ConsumerPlace]) -> String {
    let all: Vec<String> = consumers
        .iter()
        .map(|consumer| consumer.name.clone())
        .collect();
    match all.len() {
        0..=4 => list(&all),
        count => format!("{} and {} others", all[0], count - 1),
    }
}

/// `worker` stands for worker, or worker-1, worker-2 …; `*` for everybody.
fn is_called(name: &str, wanted: &str) -> bool {
    let numbered = name
        .strip_prefix(wanted)
        .and_then(|rest| rest.strip_prefix('-'));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    wanted == "*" || name == wanted || numbered.is_some_and(is_number)
}

/// Known prices of a setting: what a crash gives back, who waits, and what another setting of the
/// group does better.
fn price(comparison: &Comparison, setting: usize, group: &Group) -> String {
    let mechanism = &comparison.settings[setting].mechanism;
    let starved = average_of(&mechanism.consumers, |consumer| consumer.starved_share);
    let held = messages(mechanism.most_held());
    let mut parts = vec![
        format!("a client that dies gives back up to {held}"),
        format!("consumers starve {} of the time", percent(starved)),
        format!(
            "{} ack commands a message",
            acks(mechanism.acks_per_message)
        ),
    ];
    if let Some(duplicates) = mechanism.duplicates_per_crash() {
        parts[0] += &format!(" ({duplicates:.1} duplicates a crash in these runs)");
    }
    parts.extend(sacrifices(comparison, setting, group));
    parts.join("; ")
}

/// Metrics by which another setting is better for sure, by what matters.
fn sacrifices(comparison: &Comparison, setting: usize, group: &Group) -> Vec<String> {
    let worse = comparison.metrics.iter().filter_map(|result| {
        let difference = result.cells[setting].against_best?;
        let best = comparison.chosen(result.best_of(group)?, |_| true);
        let size = difference.difference.abs();
        let figures = Figures::new(size, difference.interval.half_width(), result.metric.unit);
        (difference.verdict == Verdict::Worse && difference.matters).then(|| {
            format!(
                "{} is {} worse than with {best}",
                result.metric.title,
                figures.with_unit(size)
            )
        })
    });
    worse.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consumers() -> Vec<ConsumerPlace> {
        let place = |name: &str, destination: &str| ConsumerPlace {
            name: name.to_owned(),
            destination: destination.to_owned(),
        };
        vec![
            place("worker-1", "queue://orders"),
            place("worker-2", "queue://orders"),
            place("audit", "topic://events"),
        ]
    }

    fn lines(settings: &[&str]) -> Vec<String> {
        let axes: Vec<Axis> = settings
            .iter()
            .map(|text| Axis::parse(text).unwrap())
            .collect();
        let values: Vec<Value> = axes.iter().map(|axis| axis.values[0].clone()).collect();
        let deployments = deployments(axes.iter().zip(&values), &consumers());
        deployments
            .iter()
            .map(|one| format!("{}: {}", one.place, one.text))
            .collect()
    }

    #[test]
    fn options_of_a_destination_go_into_its_uri() {
        assert_eq!(
            lines(&["worker.prefetchSize=10", "worker.consumer.priority=5"]),
            ["destination of worker-1 and worker-2: \
             queue://orders?consumer.prefetchSize=10&consumer.priority=5"]
        );
        assert_eq!(
            lines(&["*.prefetchSize=10"]),
            [
                "destination of worker-1 and worker-2: queue://orders?consumer.prefetchSize=10",
                "destination of audit: topic://events?consumer.prefetchSize=10",
            ]
        );
    }

    #[test]
    fn options_of_a_connection_go_into_its_url() {
        assert_eq!(
            lines(&[
                "audit.jms.optimizeAcknowledge=true",
                "audit.jms.sendAcksAsync=false"
            ]),
            ["connection URL of audit: \
             tcp://localhost:61616?jms.optimizeAcknowledge=true&jms.sendAcksAsync=false"]
        );
    }

    #[test]
    fn what_is_no_option_says_whose_it_is() {
        assert_eq!(
            lines(&[
                "audit.acknowledgeMode=CLIENT_ACKNOWLEDGE",
                "audit.processing=5ms",
                "network.latency=1ms",
                "broker.policies.queue://orders.maxPageSize=50",
            ]),
            [
                "createSession of audit: Session.CLIENT_ACKNOWLEDGE",
                "application of audit: processing = 5ms",
                "not a setting of ActiveMQ: network.latency = 1ms",
                "activemq.xml: <policyEntry … maxPageSize=\"50\"/>",
            ]
        );
    }
}
