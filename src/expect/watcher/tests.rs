use super::*;
use crate::kernel::Span;
use crate::scenario::Check;
use crate::story::{Plan, Story, first_life, plan};

const AT_MOST_2: Check = Check::Between {
    min: None,
    max: Some(2.0),
};
const AT_LEAST_1: Check = Check::Between {
    min: Some(1.0),
    max: None,
};
const NONE: Check = Check::Between {
    min: None,
    max: Some(0.0),
};
const HELD: [Gauge; 2] = [
    Gauge::Consumer(0, ConsumerGauge::Held),
    Gauge::Consumer(1, ConsumerGauge::Held),
];
const DEPTH: [Gauge; 1] = [Gauge::Destination(0, DestinationGauge::Depth)];

fn watching(kind: WatchKind, path: &str, gauges: &[Gauge], check: Check) -> Scenario {
    let mut scenario = plan()
        .queue("orders")
        .producer("orders", 0)
        .consumer("idle", 0)
        .consumer("worker", 0);
    scenario.watches.push(Watch {
        path: path.to_owned(),
        kind,
        gauges: gauges.to_vec(),
        check,
        line: 3,
        column: 5,
    });
    scenario
}

/// What is missed, in words: `idle` gets nothing, `worker` three messages at 1, 2 and 312.4 ms, and
/// acknowledges the first two at 400 ms.
fn missed(scenario: &Scenario) -> Vec<String> {
    let worker = first_life(1);
    let mut story = Story::new(scenario, Watcher::new(scenario));
    story.subscribe(first_life(0)).subscribe(worker);
    let sent = [1.0, 2.0, 312.4].map(|at| {
        let message = story.at(at).queue(0);
        story.push(worker, message);
        message
    });
    for message in &sent[..2] {
        story.at(400.0).fact(Fact::Acknowledged {
            consumer: worker,
            message: *message,
        });
    }
    let missed = story.observer.finish();
    missed.into_iter().map(|miss| miss.message).collect()
}

fn eventually(after: u64, within: Option<u64>, check: Check) -> Vec<String> {
    let kind = WatchKind::Eventually {
        after: Time(after * 1_000_000),
        within: within.map(Span::from_millis),
    };
    let path = "destinations.queue://orders.depth";
    missed(&watching(kind, path, &DEPTH, check))
}

#[test]
fn a_breach_is_told_with_its_time_and_its_fact() {
    let scenario = watching(WatchKind::Always, "consumers.*.held", &HELD, AT_MOST_2);
    assert_eq!(
        missed(&scenario),
        [
            "consumers.*.held was not always at most 2: at 312.4ms consumer worker held 3, when \
             orders:3 arrived there"
        ]
    );
}

#[test]
fn what_never_leaves_its_bounds_is_not_told() {
    let three = Check::Between {
        min: Some(0.0),
        max: Some(3.0),
    };
    let scenario = watching(WatchKind::Always, "consumers.*.held", &HELD, three);
    assert_eq!(missed(&scenario), [] as [&str; 0]);
}

#[test]
fn what_is_out_of_bounds_from_the_start_is_told_of_the_start() {
    let path = "destinations.queue://orders.depth";
    let mut scenario = watching(WatchKind::Always, path, &DEPTH, AT_LEAST_1);
    assert_eq!(
        missed(&scenario),
        [
            "destinations.queue://orders.depth was not always at least 1: at 0s queue://orders had \
             a depth of 0, to begin with"
        ]
    );
    scenario.warm_up = Time(50_000_000);
    assert_eq!(missed(&scenario), [] as [&str; 0]);
}

#[test]
fn sometimes_is_once_and_for_one() {
    let held = |check| watching(WatchKind::Sometimes, "consumers.*.held", &HELD, check);
    assert_eq!(missed(&held(Check::Equals(3.into()))), [] as [&str; 0]);
    assert_eq!(
        missed(&held(Check::Equals(4.into()))),
        ["consumers.*.held was never 4: it was between 0 and 3"]
    );
}

#[test]
fn what_never_happens_is_told() {
    let redeliveries = [Gauge::Total(TotalGauge::Redeliveries)];
    let path = "messages.redeliveries";
    let scenario = watching(WatchKind::Sometimes, path, &redeliveries, AT_LEAST_1);
    assert_eq!(
        missed(&scenario),
        ["messages.redeliveries was never at least 1: it was 0 throughout"]
    );
}

#[test]
fn eventually_counts_from_one_instant_to_another() {
    // The depth is 2 from 2 ms on, 3 from 312.4 ms on, and 1 from 400 ms on.
    let one = Check::Between {
        min: None,
        max: Some(1.0),
    };
    assert_eq!(eventually(100, Some(300), one.clone()), [] as [&str; 0]);
    assert_eq!(eventually(500, Some(10), one.clone()), [] as [&str; 0]);
    assert_eq!(
        eventually(100, Some(299), one),
        [
            "destinations.queue://orders.depth was not at most 1 at any time from 100ms to 399ms: it \
             was between 2 and 3"
        ]
    );
    assert_eq!(
        eventually(401, None, NONE),
        [
            "destinations.queue://orders.depth was not at most 0 at any time from 401ms on: it was 1 \
             throughout"
        ]
    );
}

#[test]
fn what_is_in_flight_to_a_consumer_is_taken_off_by_its_acknowledgement() {
    let in_flight = [Gauge::Consumer(1, ConsumerGauge::InFlight)];
    let kind = WatchKind::Eventually {
        after: Time(400_000_000),
        within: None,
    };
    let path = "consumers.worker.inFlight";
    let scenario = watching(kind, path, &in_flight, NONE);
    assert_eq!(
        missed(&scenario),
        [
            "consumers.worker.inFlight was not at most 0 at any time from 400ms on: it was between 1 and 2"
        ]
    );
}

#[test]
fn at_a_time_counts_what_is_the_case_when_all_of_that_time_has_happened() {
    let in_flight = [Gauge::Consumer(1, ConsumerGauge::InFlight)];
    let at = |millis: u64, value: u64| {
        let kind = WatchKind::At(Time(millis * 1_000_000));
        let path = "consumers.worker.inFlight";
        missed(&watching(
            kind,
            path,
            &in_flight,
            Check::Equals(value.into()),
        ))
    };
    assert_eq!(at(0, 0), [""; 0]);
    assert_eq!(at(1, 1), [""; 0]);
    assert_eq!(at(300, 2), [""; 0]);
    assert_eq!(at(400, 1), [""; 0]);
    assert_eq!(at(5000, 1), [""; 0]);
    assert_eq!(
        at(400, 2),
        ["consumers.worker.inFlight was not 2 at 400ms: it was 1"]
    );
    let held = watching(
        WatchKind::At(Time(3_000_000)),
        "consumers.*.held",
        &HELD,
        AT_LEAST_1,
    );
    assert_eq!(
        missed(&held),
        ["consumers.*.held was not at least 1 at 3ms: they were 0 to 2"]
    );
}
