//! Settings laid over a file, and the comparison that a file brings along.

use super::{load, refusal};
use crate::kernel::{Distribution, Span};
use crate::scenario::{Arrivals, Document, Receive, Scenario, Values, resolve};

const FILE: &str = r#"{"until": "9s", "broker": {"url": "tcp://b:1?jms.sendAcksAsync=false",
        "policies": {"queue://eu.orders": {"maxPageSize": 7}}},
    "producers": [{"name": "orders", "destination": "queue://eu.orders", "messages": 5}],
    "consumers": [
        {"name": "worker", "destination": "queue://eu.orders?consumer.prefetchSize=5", "count": 2,
         "url": "tcp://b:1?jms.optimizeAcknowledge=false",
         "failures": [{"crash": {"afterDeliveries": 3}}]},
        {"name": "v1.0", "destination": "queue://eu.orders", "prefetchSize": 6},
        {"name": "orders", "destination": "queue://eu.orders"}]}"#;

fn document() -> Document {
    load(FILE).document
}

fn with(path: &str, value: &str) -> Scenario {
    let document = document()
        .set(path, value)
        .unwrap_or_else(|errors| panic!("{errors}"));
    resolve(document)
        .unwrap_or_else(|errors| panic!("{errors}"))
        .scenario
}

/// What a setting is refused with, without the excerpt.
fn refused(path: &str, value: &str) -> Vec<String> {
    let errors = document()
        .set(path, value)
        .and_then(resolve)
        .expect_err("this should be refused");
    let error = &errors.list[0];
    assert_eq!(error.file, "setting");
    std::iter::once(error.message.clone())
        .chain(error.help.clone())
        .collect()
}

#[test]
fn nothing_set_changes_nothing() {
    assert_eq!(resolve(document()).unwrap().scenario, load(FILE).scenario);
}

#[test]
fn fields_of_chapters_and_of_the_top_level() {
    assert_eq!(with("seed", "7").seed, 7);
    assert_eq!(with("until", "3s").until.unwrap().as_millis(), 3000);
    let latency = with("network.latency", "5ms").network.latency;
    assert_eq!(latency, Distribution::Constant(Span::from_millis(5)));
    let latency = with("network.latency.exponential.mean", "5ms")
        .network
        .latency;
    assert_eq!(
        latency,
        Distribution::Exponential {
            mean: Span::from_millis(5)
        }
    );
    let cost = with("broker.dispatchCost", r#"{"constant": "1us"}"#)
        .broker
        .dispatch_cost;
    assert_eq!(cost, Distribution::Constant(Span::from_micros(1)));
}

#[test]
fn fields_of_clients() {
    let processing =
        |scenario: &Scenario, number: usize| scenario.consumers[number].processing.clone();
    let constant = |millis| Distribution::Constant(Span::from_millis(millis));
    let scenario = with("worker.processing", "5ms");
    assert_eq!(
        [0, 1, 2].map(|i| processing(&scenario, i)),
        [constant(5), constant(5), constant(0)]
    );
    assert_eq!(processing(&with("v1.0.processing", "5ms"), 2), constant(5));
    assert_eq!(
        processing(&with("consumers.orders.processing", "5ms"), 3),
        constant(5)
    );
    assert_eq!(
        processing(&with("consumers.1.processing", "5ms"), 2),
        constant(5)
    );
    assert_eq!(
        with("orders.size", "8").producers[0].size,
        8,
        "only producers have it"
    );
}

#[test]
fn a_star_means_all_that_can_have_it() {
    let scenario = with("*.start", "5ms");
    assert!(
        scenario
            .consumers
            .iter()
            .all(|it| it.start.as_millis() == 5)
    );
    assert_eq!(scenario.producers[0].start.as_millis(), 5);
    let scenario = with("*.prefetchSize", "9");
    assert!(scenario.consumers.iter().all(|it| it.prefetch_size == 9));
    let scenario = with("*.failures.0.crash.afterDeliveries", "9");
    assert_eq!(
        scenario
            .consumers
            .iter()
            .filter(|it| !it.failures.crashes.is_empty())
            .count(),
        2
    );
    let scenario = with("producers.*.messages", "9");
    assert_eq!(
        (
            scenario.producers[0].messages,
            scenario.consumers[0].messages
        ),
        (Some(9), None)
    );
}

#[test]
fn options_win_over_what_the_urls_say() {
    assert_eq!(
        with("worker.prefetchSize", "9").consumers[0].prefetch_size,
        9
    );
    assert_eq!(
        with("worker.consumer.prefetchSize", "9").consumers[0].prefetch_size,
        9
    );
    assert_eq!(
        with("v1.0.consumer.prefetchSize", "9").consumers[2].prefetch_size,
        9
    );
    let optimize = |path: &str| {
        let scenario = with(path, "true");
        scenario
            .connections
            .iter()
            .map(|it| it.options.optimize_acknowledge)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        optimize("worker.jms.optimizeAcknowledge"),
        [true, true, false, false]
    );
    assert_eq!(
        optimize("broker.jms.optimizeAcknowledge"),
        [false, false, true, true]
    );
    let scenario = with("*.jms.sendAcksAsync", "true");
    assert!(
        scenario
            .connections
            .iter()
            .all(|it| it.options.send_acks_async)
    );
    assert!(scenario.producers[0].options.send_acks_async);
}

#[test]
fn what_is_not_there_yet_is_made() {
    assert_eq!(
        with("worker.deduplicate.window", "9").consumers[0].deduplicate,
        Some(9)
    );
    let timeout = Receive::Timeout(Span::from_millis(5));
    assert_eq!(
        with("worker.receive.receive.timeout", "5ms").consumers[0].receive,
        timeout
    );
    let policy = |scenario: Scenario| scenario.destinations[0].policy.clone();
    assert_eq!(
        policy(with("broker.policies.queue://eu.orders.maxPageSize", "9")).max_page_size,
        9
    );
    let strategy = "broker.policies.queue://eu.>.deadLetterStrategy.shared.queue";
    assert!(
        with(strategy, "Morgue")
            .destinations
            .iter()
            .any(|it| it.name == "ActiveMQ.DLQ")
    );
    let more = with("broker.policies.queue://eu.orders.memoryLimit", "1mb");
    assert_eq!(
        (
            policy(more.clone()).max_page_size,
            policy(more).memory_limit
        ),
        (7, Some(1 << 20))
    );
}

/// An object with exactly one key changes its kind.
#[test]
fn alternatives_are_replaced() {
    let document = document().set("orders.arrivals.every", "5ms").unwrap();
    let document = document
        .set("orders.arrivals.poisson.perSecond", "1000")
        .unwrap();
    let mean = Span::from_millis(1);
    let arrivals = resolve(document).unwrap().scenario.producers[0]
        .arrivals
        .clone();
    assert_eq!(
        arrivals,
        Arrivals::Every(Distribution::Exponential { mean })
    );
}

#[test]
fn later_settings_win() {
    let document = document()
        .set("v1.0.prefetchSize", "3")
        .unwrap()
        .set("*.prefetchSize", "4")
        .unwrap();
    let sizes: Vec<u32> = resolve(document)
        .unwrap()
        .scenario
        .consumers
        .iter()
        .map(|it| it.prefetch_size)
        .collect();
    assert_eq!(sizes, [4, 4, 4, 4]);
}

#[test]
fn a_path_that_does_not_exist_names_the_nearest() {
    assert_eq!(
        refused("wroker.start", "1s"),
        [
            "no consumer, producer or chapter is named `wroker`",
            "did you mean `worker`?"
        ]
    );
    assert_eq!(
        refused("worker.prefetchsize", "1"),
        [
            "there is no field `prefetchsize`",
            "did you mean `prefetchSize`?"
        ]
    );
    assert_eq!(
        refused("worker.jms.optimizeAck", "true"),
        [
            "ActiveMQ has no option `jms.optimizeAck`",
            "did you mean `jms.optimizeAcknowledge`?"
        ]
    );
    assert_eq!(
        refused("worker-2.start", "1s"),
        [
            "`worker-2` is one of several alike, which change together",
            "write worker.start"
        ]
    );
    assert_eq!(
        refused("worker.failures.1.crash.at", "1s"),
        ["this list has one element, 0"]
    );
    assert_eq!(
        refused("orders.start", "1s"),
        [
            "there is a consumer and a producer of this name",
            "write consumers.orders.start or producers.orders.start"
        ]
    );
    assert_eq!(
        refused("broker.policies.queue://eu.orders.maxPagesize", "1"),
        [
            "there is no field `maxPagesize`",
            "did you mean `maxPageSize`?"
        ]
    );
    assert_eq!(
        refused("seed.x", "1"),
        ["there is nothing below this to be called `x`"]
    );
    assert_eq!(refused("name", "x"), ["`name` changes nothing in a run"]);
    assert_eq!(
        refused("", "x"),
        [
            "no consumer, producer or chapter is named ``",
            "known are worker, v1.0, orders, orders, $schema, name, description, seed, until, warmUp, network, broker, producers, consumers, expect, semantics, reference, compare"
        ]
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_when_resolved() {
    assert_eq!(
        refused("worker.prefetchSize", "few"),
        [
            "`consumer.prefetchSize` must be a whole number, but is \"few\"",
            "ActiveMQ would refuse it"
        ]
    );
    assert_eq!(
        refused("worker.start", "soon")[0],
        "`consumers.worker.start` is no duration: \"soon\""
    );
    assert_eq!(
        refused("network.bytesPerSecond", "[]")[0],
        "`network.bytesPerSecond` must be a number of bytes, or a size such as \"64kb\", but is a list"
    );
}

#[test]
fn an_error_points_into_the_setting() {
    let errors = document()
        .set("worker.start", "soon")
        .and_then(resolve)
        .unwrap_err();
    assert_eq!(
        errors.to_string(),
        "setting:1:14: `consumers.worker.start` is no duration: \"soon\"\n  \
         |\n1 | worker.start=soon\n  |              ^^^^\n  \
         = a duration is a number and a unit, such as \"5ms\""
    );
}

#[test]
fn a_file_may_bring_its_comparison() {
    let text = FILE.replacen('{', r#"{"compare": {"vary": {
        "worker.prefetchSize": [1, 10, 100], "network.latency": ["1ms", {"exponential": {"mean": "1ms"}}],
        "seed": "1..5"}, "replications": 30, "metrics": ["throughput.perSecond"]}, "#, 1);
    let study = load(&text).study.unwrap();
    let vary: Vec<(&str, &Values)> = study
        .vary
        .iter()
        .map(|it| (it.path.as_str(), &it.values))
        .collect();
    let list = |values: &[&str]| Values::List(values.iter().map(|it| it.to_string()).collect());
    assert_eq!(
        vary,
        [
            ("worker.prefetchSize", &list(&["1", "10", "100"])),
            (
                "network.latency",
                &list(&["1ms", r#"{"exponential": {"mean": "1ms"}}"#])
            ),
            ("seed", &Values::Range("1..5".to_owned())),
        ]
    );
    assert_eq!(
        (study.replications, study.metrics),
        (Some(30), vec!["throughput.perSecond".to_owned()])
    );
    assert_eq!(load(FILE).study, None);
}

#[test]
fn the_comparison_of_a_file_is_checked() {
    let text = FILE.replacen(
        '{',
        r#"{"compare": {"vary": {"worker.prefetch": [1]}}, "#,
        1,
    );
    assert_eq!(
        refusal(&text),
        "test.json:1:23: there is no field `prefetch`"
    );
}
