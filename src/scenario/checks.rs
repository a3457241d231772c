//! What the parts of a scenario must have to do with each other.

use super::consumer::{self, runs_for_ever};
use super::json::Node;
use super::model::{Arrivals, Destination, Producer, Scenario};
use super::nearest::nearest;
use super::producer::{self, is_sync};
use super::report::Report;
use super::shape::opening;
use super::values::is_always_zero;

/// Refuses what could never end, and warns of what is probably not meant so.
pub fn check(
    scenario: &Scenario,
    producers: &[producer::Entry],
    consumers: &[consumer::Entry],
    root: &Node,
    report: &mut Report,
) {
    check_producers_end(scenario, producers, report);
    check_consumers_end(scenario, consumers, report);
    warn_of_missing_sources(scenario, consumers, report);
    warn_of_empty_run(scenario, root, report);
    let plain = consumers.iter().any(|entry| entry.plain_transport)
        || producers.iter().any(|entry| entry.plain_transport);
    let restarts = root.child("broker").get("restarts");
    if let Some(restarts) = restarts.filter(|it| plain && !it.elements().is_empty()) {
        let message = "after a restart all clients connect again, as with a failover: URL";
        report.note(opening(restarts), message);
    }
}

/// An endless producer needs `until`, and then time must pass while it sends.
fn check_producers_end(scenario: &Scenario, entries: &[producer::Entry], report: &mut Report) {
    for (producer, entry) in scenario.producers.iter().zip(entries) {
        let name = &producer.name;
        if producer.messages.is_some() {
            continue;
        }
        if scenario.until.is_none() {
            let help = "give it `messages`, or the scenario `until`";
            let message = format!("`{name}` is endless, and there is no `until`");
            report.error_with(entry.place, message, [help]);
        } else if sends_in_no_time(producer, scenario) {
            let help = "give it `arrivals`, or `messages`";
            let message = format!("`{name}` sends without end in no time");
            report.error_with(entry.place, message, [help]);
        }
    }
}

/// Whether a producer that sends at once waits for nothing: no answer, no window, no memory.
fn sends_in_no_time(producer: &Producer, scenario: &Scenario) -> bool {
    let policy = &scenario.destinations[producer.destination].policy;
    let memory_is_limited = policy.memory_limit.is_some() && policy.producer_flow_control;
    let waits = is_sync(producer)
        || producer.transaction.is_some()
        || producer.options.producer_window_size > 0;
    let answer_takes_time = !is_always_zero(&scenario.network.latency)
        || !is_always_zero(&scenario.broker.store_latency);
    let at_once = producer.arrivals == Arrivals::AtOnce;
    at_once && !memory_is_limited && !(waits && answer_takes_time)
}

fn check_consumers_end(scenario: &Scenario, entries: &[consumer::Entry], report: &mut Report) {
    for entry in entries.iter().filter(|_| scenario.until.is_none()) {
        if let Some(why) = runs_for_ever(&entry.consumer) {
            let message = format!("`{}` {why}, and there is no `until`", entry.name);
            report.error_with(opening(entry.node), message, ["give the scenario `until`"]);
        }
    }
}

/// A consumer that nobody sends to is most likely a slip in a name.
fn warn_of_missing_sources(scenario: &Scenario, entries: &[consumer::Entry], report: &mut Report) {
    let sent_to = scenario
        .producers
        .iter()
        .map(|producer| producer.destination);
    let dead_letters = |it: &Destination| it.policy.dead_letter_strategy.queue;
    let mut has_source = vec![false; scenario.destinations.len()];
    for number in sent_to
        .clone()
        .chain(scenario.destinations.iter().filter_map(dead_letters))
    {
        has_source[number] = true;
    }
    let sources: Vec<String> = sent_to
        .map(|number| scenario.destinations[number].uri())
        .collect();
    let mut first = 0;
    for entry in entries {
        let number = scenario.consumers[first].destination;
        first += entry.count as usize;
        if !has_source[number] {
            let uri = scenario.destinations[number].uri();
            let near = nearest(&uri, sources.iter().map(String::as_str));
            let hint = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
            let message = format!("nobody sends to {uri}{hint}");
            report.warning(entry.place_of("destination"), message);
        }
    }
}

fn warn_of_empty_run(scenario: &Scenario, root: &Node, report: &mut Report) {
    let too_late = scenario
        .until
        .is_some_and(|until| scenario.warm_up >= until);
    if let Some(value) = root.get("warmUp").filter(|_| too_late) {
        report.warning(
            value.place,
            "the run ends before the warm-up: nothing is measured",
        );
    }
    if scenario.producers.is_empty() && scenario.consumers.is_empty() {
        let message = "there are neither producers nor consumers: nothing will happen";
        report.warning(opening(root), message);
    }
}
