//! Chapter `expect`: assertions about the metrics of a run, and about what is the case while it
//! goes on.

use super::json::{Member, Node, Value};
use super::limits;
use super::model::{
    Check, ConsumerGauge, DestinationGauge, Expectation, Gauge, Scenario, TotalGauge, Watch,
    WatchKind,
};
use super::nearest::nearest;
use super::report::Report;
use super::shape::{Field, Kind, Named, opening};
use super::values::parse_duration;
use crate::kernel::Time;

/// What may be expected of one metric.
pub static EXPECTED: Named = Named {
    name: "expected",
    about: "a number, string or list, or bounds",
    kind: Kind::Either(&[Kind::Object(BOUNDS), Kind::Any]),
};

const ANY_NUMBER: Kind = Kind::Number {
    above: f64::NEG_INFINITY,
    most: f64::MAX,
};

static BOUNDS: &[Field] = &[
    Field::new("min", ANY_NUMBER, "At least."),
    Field::new("max", ANY_NUMBER, "At most."),
    Field::new("approximately", ANY_NUMBER, "About this, with `within`."),
    Field::new(
        "within",
        Kind::Number {
            above: 0.0,
            most: 1e9,
        },
        "Relative distance: 0.05 is 5 %.",
    ),
];

static WATCHED: Named = Named {
    name: "watched",
    about: "a number, or an object with `min` or `max`",
    kind: Kind::Either(&[
        Kind::Object(&[
            Field::new("min", ANY_NUMBER, "At least."),
            Field::new("max", ANY_NUMBER, "At most."),
        ]),
        ANY_NUMBER,
    ]),
};

/// Gauges at one time.
static AT_ONE_TIME: Kind = Kind::Map(&Kind::Named(&WATCHED));

static EVENTUAL: Named = Named {
    name: "eventual",
    about: "a number, or an object with `min` or `max`, `after` and `within`",
    kind: Kind::Either(&[
        Kind::Object(&[
            Field::new("min", ANY_NUMBER, "At least."),
            Field::new("max", ANY_NUMBER, "At most."),
            Field::new("after", Kind::Duration, "From this time of the run on.").default("\"0s\""),
            Field::new(
                "within",
                Kind::Duration,
                "So long after it. Left out: to the end.",
            ),
        ]),
        ANY_NUMBER,
    ]),
};

/// The keys of `expect` that are no paths into the metrics.
pub static WATCHES: &[Field] = &[
    Field::new(
        "always",
        Kind::Map(&Kind::Named(&WATCHED)),
        "Gauges that never leave their bounds.",
    ),
    Field::new(
        "sometimes",
        Kind::Map(&Kind::Named(&WATCHED)),
        "Gauges that are in their bounds at least once.",
    ),
    Field::new(
        "eventually",
        Kind::Map(&Kind::Named(&EVENTUAL)),
        "Gauges that come into their bounds in time.",
    ),
    Field::new(
        "at",
        Kind::Map(&AT_ONE_TIME),
        "Gauges that are in their bounds at a time of the run, which is the key.",
    ),
];

/// Reads what is expected of the metrics.
pub fn read(node: &Node, report: &mut Report) -> Vec<Expectation> {
    let mut expectations = Vec::new();
    let is_watch = |member: &&Member| WATCHES.iter().any(|field| field.key == member.key);
    for member in node.members().iter().filter(|it| !is_watch(it)) {
        let Some(check) = read_check(&member.node, report) else {
            continue;
        };
        let (line, column) = report.position(member.key_place);
        expectations.push(Expectation {
            path: member.key.clone(),
            check,
            line,
            column,
        });
    }
    expectations
}

fn read_check(node: &Node, report: &mut Report) -> Option<Check> {
    if !matches!(node.value, Value::Object(_)) {
        return plain(node, report).map(Check::Equals);
    }
    let bounds = ["min", "max", "approximately", "within"].map(|key| node.number(key));
    match bounds {
        [None, None, Some(value), Some(within)] => Some(Check::Approximately { value, within }),
        [Some(min), Some(max), None, None] if min > max => {
            report.error(
                opening(node),
                format!("`min` ({min}) is above `max` ({max})"),
            );
            None
        }
        [min, max, None, None] if min.is_some() || max.is_some() => {
            Some(Check::Between { min, max })
        }
        _ => {
            let message = "bounds are `min`, `max` or both, or `approximately` with `within`";
            report.error(opening(node), message);
            None
        }
    }
}

/// Reads what is expected to be the case during the run. Clients and destinations must be there.
pub fn read_watches(node: &Node, scenario: &Scenario, report: &mut Report) -> Vec<Watch> {
    let is_at = |field: &&Field| field.key == "at";
    let each = WATCHES.iter().filter(|field| !is_at(field));
    let each = each.map(|field| node.child(field.key));
    let times = node.child("at").members();
    let all = each.chain(times.iter().map(|time| &time.node));
    let all: Vec<&Member> = all.flat_map(|node| node.members()).collect();
    if let Some(beyond) = all.get(limits::WATCHES) {
        let message = format!("more than {} gauges to watch", limits::WATCHES);
        report.error(beyond.key_place, message);
        return Vec::new();
    }
    let mut watches = Vec::new();
    for field in WATCHES.iter().filter(|field| !is_at(field)) {
        for member in node.child(field.key).members() {
            let kind = match field.key {
                "always" => WatchKind::Always,
                "sometimes" => WatchKind::Sometimes,
                _ => eventually(&member.node, scenario, report),
            };
            watches.extend(read_watch(kind, member, scenario, report));
        }
    }
    for time in times {
        let kind = WatchKind::At(at_time(time, scenario, report));
        for member in time.node.members() {
            watches.extend(read_watch(kind, member, scenario, report));
        }
    }
    watches
}

/// The key of `at`.
fn at_time(member: &Member, scenario: &Scenario, report: &mut Report) -> Time {
    let time = match parse_duration(&member.key) {
        Ok(span) => Time(span.0),
        Err(fault) => {
            let message = format!("the time `{}` {}", member.key, fault.message);
            report.error_with(member.key_place, message, fault.help);
            return Time::ZERO;
        }
    };
    if let Some(until) = scenario.until
        && time > until
    {
        let message = format!("the run is cut off at {until}, before anybody looks");
        report.error(member.key_place, message);
    }
    time
}

fn read_watch(
    kind: WatchKind,
    member: &Member,
    scenario: &Scenario,
    report: &mut Report,
) -> Option<Watch> {
    let gauges = gauges(&member.key, scenario);
    if gauges.is_empty() {
        let paths = gauge_paths(scenario);
        let near = nearest(&member.key, paths.iter().map(String::as_str));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "there are `consumers.NAME.held`, `destinations.queue://NAME.depth`, \
                     `messages.sent` and more: chapter 8 of the format"
                .to_owned(),
        };
        let message = format!("there is no gauge `{}`", member.key);
        report.error_with(member.key_place, message, [help]);
    }
    let check = match member.node.as_number() {
        Some(number) => Check::Equals(number.into()),
        None => read_bounds(&member.node, report)?,
    };
    let (line, column) = report.position(member.key_place);
    (!gauges.is_empty()).then(|| Watch {
        path: member.key.clone(),
        kind,
        gauges,
        check,
        line,
        column,
    })
}

fn read_bounds(node: &Node, report: &mut Report) -> Option<Check> {
    match (node.number("min"), node.number("max")) {
        (None, None) => {
            report.error(opening(node), "`min` or `max` is missing");
            None
        }
        (Some(min), Some(max)) if min > max => {
            report.error(
                opening(node),
                format!("`min` ({min}) is above `max` ({max})"),
            );
            None
        }
        (min, max) => Some(Check::Between { min, max }),
    }
}

fn eventually(node: &Node, scenario: &Scenario, report: &mut Report) -> WatchKind {
    let after = node.time("after").unwrap_or_default();
    if let (Some(place), Some(until)) = (node.get("after"), scenario.until)
        && after >= until
    {
        let message = format!("the run is cut off at {until}, before anybody looks");
        report.error(place.place, message);
    }
    WatchKind::Eventually {
        after,
        within: node.duration("within"),
    }
}

static CONSUMER_GAUGES: [(&str, ConsumerGauge); 4] = [
    ("held", ConsumerGauge::Held),
    ("buffered", ConsumerGauge::Buffered),
    ("inFlight", ConsumerGauge::InFlight),
    ("delivered", ConsumerGauge::Delivered),
];

static DESTINATION_GAUGES: [(&str, DestinationGauge); 3] = [
    ("depth", DestinationGauge::Depth),
    ("inFlight", DestinationGauge::InFlight),
    ("waiting", DestinationGauge::Waiting),
];

static TOTAL_GAUGES: [(&str, TotalGauge); 6] = [
    ("sent", TotalGauge::Sent),
    ("acknowledged", TotalGauge::Acknowledged),
    ("deadLettered", TotalGauge::DeadLettered),
    ("redeliveries", TotalGauge::Redeliveries),
    ("expired", TotalGauge::Expired),
    ("discarded", TotalGauge::Discarded),
];

/// What a path stands for; nothing if there is no such gauge.
fn gauges(path: &str, scenario: &Scenario) -> Vec<Gauge> {
    let Some((owner, gauge)) = path.rsplit_once('.') else {
        return Vec::new();
    };
    if owner == "messages" {
        let total = of_name(&TOTAL_GAUGES, gauge).map(Gauge::Total);
        return total.into_iter().collect();
    }
    if let Some(name) = owner.strip_prefix("consumers.") {
        let Some(gauge) = of_name(&CONSUMER_GAUGES, gauge) else {
            return Vec::new();
        };
        let consumers = scenario.consumers.iter().enumerate();
        let meant = consumers.filter(|(_, it)| name == "*" || name == it.name);
        return meant.map(|(at, _)| Gauge::Consumer(at, gauge)).collect();
    }
    let name = owner.strip_prefix("destinations.");
    let (Some(name), Some(gauge)) = (name, of_name(&DESTINATION_GAUGES, gauge)) else {
        return Vec::new();
    };
    let destinations = scenario.destinations.iter().enumerate();
    let meant = destinations.filter(|(_, it)| name == "*" || name == it.uri());
    meant.map(|(at, _)| Gauge::Destination(at, gauge)).collect()
}

fn of_name<G: Copy>(gauges: &[(&str, G)], name: &str) -> Option<G> {
    let found = gauges.iter().find(|(known, _)| *known == name);
    found.map(|(_, gauge)| *gauge)
}

/// All paths, but of at most 1000 clients and destinations each: to suggest one.
fn gauge_paths(scenario: &Scenario) -> Vec<String> {
    let consumers = scenario.consumers.iter().map(|it| it.name.clone());
    let destinations = scenario.destinations.iter().map(|it| it.uri());
    let all = |list_is_empty: bool| (!list_is_empty).then(|| "*".to_owned());
    let mut paths = Vec::new();
    for name in consumers
        .take(1000)
        .chain(all(scenario.consumers.is_empty()))
    {
        paths.extend(CONSUMER_GAUGES.map(|(gauge, _)| format!("consumers.{name}.{gauge}")));
    }
    for name in destinations
        .take(1000)
        .chain(all(scenario.destinations.is_empty()))
    {
        paths.extend(DESTINATION_GAUGES.map(|(gauge, _)| format!("destinations.{name}.{gauge}")));
    }
    paths.extend(TOTAL_GAUGES.map(|(gauge, _)| format!("messages.{gauge}")));
    paths
}

/// The value without its positions.
fn plain(node: &Node, report: &mut Report) -> Option<serde_json::Value> {
    Some(match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::String(text) => text.as_str().into(),
        Value::Number(text) => match serde_json::from_str(text) {
            Ok(number) => number,
            Err(_) => {
                report.error(node.place, "this number is too large");
                return None;
            }
        },
        Value::Array(elements) => {
            let each = elements.iter().map(|element| plain(element, report));
            serde_json::Value::Array(each.collect::<Option<_>>()?)
        }
        Value::Object(_) => {
            report.error(
                opening(node),
                "a list is compared value by value; no objects in it",
            );
            return None;
        }
    })
}
