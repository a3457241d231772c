//! From a parsed file to a scenario that can be run.

use std::collections::BTreeMap;

use super::client::Surroundings;
use super::destinations::Destinations;
use super::document::{Document, Target};
use super::json::{Node, Place};
use super::model::{Consumer, Producer, Scenario};
use super::options::Setting;
use super::producer;
use super::report::Report;
use super::shape::{Path, check, opening};
use super::sharing::Sharing;
use super::study::{self, Study};
use super::url::{ConnectionUrl, connection_url, convert};
use super::{Errors, Loaded, broker, expect, file, limits, network, policy};
use super::{checks, consumer};
use crate::kernel::Time;

/// Gives every default its value and every name its number, and refuses what cannot be run.
///
/// # Errors
/// All that is wrong with the file and the settings laid over it, in their order.
pub fn resolve(document: Document) -> Result<Loaded, Errors> {
    let mut report = Report::new(document.texts().to_vec());
    check(document.root(), &file::FILE, &Path::ROOT, &mut report);
    if report.has_errors() {
        return Err(report.into_errors());
    }
    let scenario = build(&document, &mut report);
    let study = document
        .root()
        .get("compare")
        .map(|node| read_study(node, &document, &mut report));
    let notes = report.finish()?;
    Ok(Loaded {
        scenario,
        notes,
        study,
        document,
    })
}

fn read_study(node: &Node, document: &Document, report: &mut Report) -> Study {
    for member in node.child("vary").members() {
        if let Err(fault) = document.find(&member.key) {
            report.error_with(member.key_place, fault.message, fault.help);
        }
    }
    study::read(node, report)
}

fn build(document: &Document, report: &mut Report) -> Scenario {
    let root = document.root();
    let broker_node = root.child("broker");
    let broker = broker::read(broker_node, report);
    let semantics = file::semantics(root);
    let around = Around {
        document,
        broker: broker_url(broker_node, document, report),
        restarts: !broker.restarts.is_empty(),
    };
    let mut destinations = Destinations::new(policy::read(broker_node.child("policies"), report));
    let producers = read_producers(root, &around, report);
    let names: Vec<String> = names_of_producers(root);
    let consumers = read_consumers(root, &around, &names, report);
    let network = network::read(root.child("network"), report);
    let mut scenario = Scenario {
        name: root
            .text("name")
            .unwrap_or(document.fallback_name())
            .to_owned(),
        description: root.text("description").unwrap_or("").to_owned(),
        seed: root.whole("seed").unwrap_or(1),
        until: root.time("until"),
        warm_up: root.time("warmUp").unwrap_or(Time::ZERO),
        semantics,
        network,
        broker,
        destinations: Vec::new(),
        connections: Vec::new(),
        sessions: Vec::new(),
        producers: number_producers(&producers, &mut destinations),
        consumers: Vec::new(),
        expect: expect::read(root.child("expect"), report),
        watches: Vec::new(),
    };
    add_consumers(&mut scenario, &consumers, &mut destinations, report);
    destinations.close();
    destinations.warn_of_unused_policies(report);
    scenario.destinations = destinations.into_list();
    scenario.watches = expect::read_watches(root.child("expect"), &scenario, report);
    checks::check(&scenario, &producers, &consumers, root, report);
    scenario
}

/// The broker's URL, with what a comparison lays over it.
fn broker_url(node: &Node, document: &Document, report: &mut Report) -> ConnectionUrl {
    let url = node.get("url").map(|url| connection_url(url, report));
    let mut url = url.unwrap_or_default();
    url.settings
        .extend(varied(document, Target::Broker, report));
    url
}

/// What all clients have in common.
struct Around<'a> {
    document: &'a Document,
    broker: ConnectionUrl,
    restarts: bool,
}

impl Around<'_> {
    fn of<'b>(&'b self, varied: &'b [Setting]) -> Surroundings<'b> {
        Surroundings {
            broker: &self.broker,
            restarts: self.restarts,
            varied,
        }
    }
}

/// Options that a comparison lays over a target.
fn varied(document: &Document, target: Target, report: &mut Report) -> Vec<Setting> {
    let of_target = document.overrides().iter().filter(|it| it.target == target);
    of_target
        .filter_map(|it| convert(it.option, &it.text, it.place, report))
        .collect()
}

fn read_producers(root: &Node, around: &Around, report: &mut Report) -> Vec<producer::Entry> {
    let mut names = BTreeMap::new();
    let mut result = Vec::new();
    for (number, node) in root.list("producers").iter().enumerate() {
        let varied = varied(around.document, Target::Producer(number), report);
        let name = producer::name_of(node, number);
        check_unique(&mut names, &name, node, "producers", report);
        result.extend(producer::read(node, number, &around.of(&varied), report));
    }
    result
}

fn names_of_producers(root: &Node) -> Vec<String> {
    let nodes = root.list("producers").iter().enumerate();
    nodes
        .map(|(number, node)| producer::name_of(node, number))
        .collect()
}

fn check_unique(
    names: &mut BTreeMap<String, Place>,
    name: &str,
    node: &Node,
    what: &str,
    report: &mut Report,
) {
    let place = node.get("name").map_or(opening(node), |name| name.place);
    if let Some(first) = names.insert(name.to_owned(), place) {
        let (line, _) = report.position(first);
        let help = format!("the other one is in line {line}");
        report.error_with(place, format!("two {what} are named `{name}`"), [help]);
    }
}

fn read_consumers<'a>(
    root: &'a Node,
    around: &Around,
    producers: &[String],
    report: &mut Report,
) -> Vec<consumer::Entry<'a>> {
    let mut before = 0;
    let mut values = 0;
    let mut result = Vec::new();
    for (number, node) in root.list("consumers").iter().enumerate() {
        let varied = varied(around.document, Target::Consumer(number), report);
        let name = consumer::name_of(node, before);
        let count: u64 = node.whole("count").unwrap_or(1);
        before += count;
        values += count.saturating_mul(node.size());
        if before > limits::CLIENTS || values > limits::EXPANDED_VALUES {
            let place = node.get("count").map_or(node.place, |count| count.place);
            let message = format!("more than {} consumers in all", limits::CLIENTS);
            report.error(place, message);
            return Vec::new();
        }
        let semantics = file::semantics(root);
        let around = around.of(&varied);
        result.extend(consumer::read(
            node, name, &around, semantics, producers, report,
        ));
    }
    result
}

fn number_producers(entries: &[producer::Entry], destinations: &mut Destinations) -> Vec<Producer> {
    let mut number = |entry: &producer::Entry| Producer {
        destination: destinations.number(entry.kind, &entry.destination),
        ..entry.producer.clone()
    };
    entries.iter().map(&mut number).collect()
}

/// Multiplies each entry by its `count`, and gives it its session and connection.
fn add_consumers(
    scenario: &mut Scenario,
    entries: &[consumer::Entry],
    destinations: &mut Destinations,
    report: &mut Report,
) {
    let mut sharing = Sharing::new(entries, report);
    let mut names = BTreeMap::new();
    for entry in entries {
        let destination = destinations.number(entry.kind, &entry.destination);
        for copy in 1..=entry.count {
            let name = match entry.count {
                1 => entry.name.clone(),
                _ => format!("{}-{copy}", entry.name),
            };
            check_unique(&mut names, &name, entry.node, "consumers", report);
            let (session, connection) = sharing.join(entry, &name, report);
            let own = entry.consumer.clone();
            scenario.consumers.push(Consumer {
                name,
                session,
                connection,
                destination,
                ..own
            });
        }
    }
    scenario.connections = sharing.connections;
    scenario.sessions = sharing.sessions;
}
