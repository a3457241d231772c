//! Producers and consumers.

use super::{consumer, load, refusal, scenario, texts};
use crate::kernel::{Distribution, Span, Time};
use crate::scenario::{
    Acknowledge, Arrivals, Check, CrashTrigger, LoseReply, OnFailure, Producer, Receive, Semantics,
    Throw,
};

fn producer(keys: &str) -> Producer {
    let text =
        format!(r#"{{"until": "1s", "producers": [{{"destination": "queue://q", {keys}}}]}}"#);
    scenario(&text).producers.remove(0)
}

#[test]
fn a_producer_has_defaults() {
    let producer = producer(r#""messages": 5"#);
    assert_eq!(
        (producer.name.as_str(), producer.messages),
        ("producer-1", Some(5))
    );
    assert_eq!(
        (producer.size, producer.priority, producer.persistent),
        (1024, 4, true)
    );
    assert_eq!(
        (producer.time_to_live, producer.groups, producer.transaction),
        (None, None, None)
    );
    assert_eq!(producer.arrivals, Arrivals::AtOnce);
    assert_eq!(producer.reconnect_delay, Span::from_millis(10));
}

#[test]
fn arrivals_are_renewals_bursts_or_times() {
    let arrivals = |value: &str| producer(&format!(r#""arrivals": {value}"#)).arrivals;
    let mean = Span::from_millis(4);
    let poisson = Arrivals::Every(Distribution::Exponential { mean });
    assert_eq!(arrivals(r#"{"poisson": {"perSecond": 250}}"#), poisson);
    let every = Arrivals::Every(Distribution::Constant(mean));
    assert_eq!(arrivals(r#"{"every": "4ms"}"#), every);
    let bursts = Arrivals::Bursts {
        size: 20,
        every: mean,
    };
    assert_eq!(
        arrivals(r#"{"bursts": {"size": 20, "every": "4ms"}}"#),
        bursts
    );
}

#[test]
fn listed_times_say_how_many_messages_there_are() {
    let producer = producer(r#""arrivals": {"at": ["1ms", "1ms", "9ms"]}, "start": "2ms""#);
    assert_eq!(producer.messages, Some(3));
    let times = vec![Time(2_000_000), Time(2_000_000), Time(9_000_000)];
    assert_eq!(producer.arrivals, Arrivals::At(times));
}

#[test]
fn lost_replies_are_collected() {
    let lost = |failures: &str| {
        producer(&format!(r#""messages": 9, "failures": [{failures}]"#)).lose_reply
    };
    let two = r#"{"loseReply": {"messages": [7, 3]}}, {"loseReply": {"messages": [3, 1]}}"#;
    assert_eq!(lost(two), Some(LoseReply::Messages(vec![1, 3, 7])));
    let chance = r#"{"loseReply": {"probability": 0.25}}"#;
    assert_eq!(lost(chance), Some(LoseReply::Probability(0.25)));
}

#[test]
fn endless_producers_need_an_end_and_time_to_pass() {
    let text = |until: &str, keys: &str| {
        format!(r#"{{{until}"producers": [{{"destination": "queue://q"{keys}}}]}}"#)
    };
    let until = r#""until": "1s", "#;
    let no_time = "test.json:1:31: `producer-1` sends without end in no time";
    assert_eq!(
        refusal(&text("", "")),
        "test.json:1:16: `producer-1` is endless, and there is no `until`"
    );
    assert_eq!(
        refusal(&text(until, r#", "deliveryMode": "NON_PERSISTENT""#)),
        no_time
    );
    scenario(&text(until, ""));
    scenario(&text(
        until,
        r#", "deliveryMode": "NON_PERSISTENT", "url": "tcp://b:1?jms.alwaysSyncSend=true""#,
    ));
    scenario(&text(
        until,
        r#", "deliveryMode": "NON_PERSISTENT", "transaction": {"size": 9}"#,
    ));
    let no_latency = format!(r#"{until}"network": {{"latency": "0s"}}, "#);
    assert!(refusal(&text(&no_latency, "")).ends_with("sends without end in no time"));
}

#[test]
fn a_consumer_has_defaults() {
    let scenario = consumer("");
    let consumer = &scenario.consumers[0];
    assert_eq!(
        (consumer.receive, consumer.on_failure),
        (Receive::Listener, OnFailure::Throw)
    );
    assert_eq!(
        (consumer.start, consumer.stop, consumer.messages),
        (Time::ZERO, None, None)
    );
    assert_eq!(scenario.sessions[0].acknowledge, Acknowledge::Never);
    assert_eq!(scenario.sessions[0].transaction.size, 1);
}

#[test]
fn the_default_of_on_failure_depends_on_mode_and_style() {
    let on_failure = |keys: &str| consumer(keys).consumers[0].on_failure;
    let receive = r#""receive": "receive", "acknowledgeMode": "#;
    assert_eq!(
        on_failure(&format!(r#"{receive}"AUTO_ACKNOWLEDGE""#)),
        OnFailure::Swallow
    );
    assert_eq!(
        on_failure(&format!(r#"{receive}"DUPS_OK_ACKNOWLEDGE""#)),
        OnFailure::Swallow
    );
    assert_eq!(
        on_failure(&format!(r#"{receive}"CLIENT_ACKNOWLEDGE""#)),
        OnFailure::Recover
    );
    assert_eq!(
        on_failure(&format!(r#"{receive}"INDIVIDUAL_ACKNOWLEDGE""#)),
        OnFailure::Recover
    );
    assert_eq!(
        on_failure(&format!(r#"{receive}"SESSION_TRANSACTED""#)),
        OnFailure::Rollback
    );
    assert_eq!(
        on_failure(r#""acknowledgeMode": "SESSION_TRANSACTED""#),
        OnFailure::Throw
    );
}

#[test]
fn receive_styles() {
    let receive = |value: &str| consumer(&format!(r#""receive": {value}"#)).consumers[0].receive;
    assert_eq!(receive(r#""receive""#), Receive::Blocking);
    let timeout = Receive::Timeout(Span::from_millis(200));
    assert_eq!(receive(r#"{"receive": {"timeout": "200ms"}}"#), timeout);
    let poll_interval = Span::from_millis(10);
    assert_eq!(
        receive(r#""receiveNoWait""#),
        Receive::NoWait { poll_interval }
    );
    let poll_interval = Span::from_millis(5);
    assert_eq!(
        receive(r#""receiveNoWait", "pollInterval": "5ms""#),
        Receive::NoWait { poll_interval }
    );
}

#[test]
fn acknowledge_has_scopes() {
    let acknowledge = |value: &str| {
        let keys = format!(r#""acknowledgeMode": "CLIENT_ACKNOWLEDGE"{value}"#);
        consumer(&keys).sessions[0].acknowledge
    };
    assert_eq!(acknowledge(""), Acknowledge::EverySession(1));
    assert_eq!(
        acknowledge(r#", "acknowledge": {"every": 3}"#),
        Acknowledge::EverySession(3)
    );
    let scoped = r#", "acknowledge": {"every": 3, "scope": "consumer"}"#;
    assert_eq!(acknowledge(scoped), Acknowledge::EveryConsumer(3));
    assert_eq!(
        acknowledge(r#", "acknowledge": {"never": true}"#),
        Acknowledge::Never
    );
}

#[test]
fn failures_go_by_kind() {
    let text = r#"{"until": "1s", "producers": [{"name": "orders", "destination": "queue://q", "messages": 9}],
        "consumers": [{"destination": "queue://q", "failures": [
            {"throw": {"messages": [3, "5", "orders:7"], "times": 2}}, {"throw": {"probability": 0.5}},
            {"crash": {"afterDeliveries": 4, "restartAfter": "1s", "once": false}},
            {"crash": {"at": "1s", "detectedAfter": "2s"}}, {"crash": {"every": {"exponential": {"mean": "1s"}}}},
            {"close": {"afterDeliveries": 5}}, {"hang": {"afterDeliveries": 6}},
            {"disconnect": {"at": "1s", "for": "2s"}}]}]}"#;
    let failures = scenario(text).consumers.remove(0).failures;
    let messages = vec![(None, 3), (None, 5), (Some(0), 7)];
    let throws = [
        Throw::Messages {
            messages,
            times: Some(2),
        },
        Throw::Probability(0.5),
    ];
    assert_eq!(failures.throws, throws);
    assert_eq!(
        failures.crashes[0].trigger,
        CrashTrigger::AfterDeliveries { n: 4, once: false }
    );
    assert!(failures.crashes[0].restart_after.is_some());
    assert_eq!(
        failures.crashes[1].trigger,
        CrashTrigger::At(Time(1_000_000_000))
    );
    assert_eq!(
        failures.crashes[1].detected_after,
        Some(Span::from_millis(2000))
    );
    assert!(matches!(
        failures.crashes[2].trigger,
        CrashTrigger::Every(_)
    ));
    assert!(failures.closes[0].once && failures.closes[0].restart_after.is_none());
    assert_eq!(failures.hangs[0].length, None);
    assert_eq!(failures.disconnects[0].length, Span::from_millis(2000));
}

#[test]
fn the_top_level_has_defaults() {
    let scenario = scenario("{}");
    assert_eq!(
        (scenario.name.as_str(), scenario.seed, scenario.until),
        ("test", 1, None)
    );
    assert_eq!(scenario.semantics, Semantics::ActiveMq5_17);
    assert_eq!(
        scenario.network.latency,
        Distribution::Constant(Span::from_micros(100))
    );
    assert_eq!(scenario.network.bytes_per_second, None);
}

#[test]
fn expectations_know_their_place() {
    let scenario = scenario(
        "{\"expect\": {\n  \"messages.sent\": 5,\n  \"a\": {\"min\": 1},\n  \"b\": {\"approximately\": 2, \"within\": 0.1},\n  \"c\": [1, \"x\"]}}",
    );
    let checks: Vec<(&str, u32, u32)> = scenario
        .expect
        .iter()
        .map(|it| (it.path.as_str(), it.line, it.column))
        .collect();
    assert_eq!(
        checks,
        [
            ("messages.sent", 2, 3),
            ("a", 3, 3),
            ("b", 4, 3),
            ("c", 5, 3)
        ]
    );
    assert_eq!(
        scenario.expect[0].check,
        Check::Equals(serde_json::json!(5))
    );
    assert_eq!(
        scenario.expect[1].check,
        Check::Between {
            min: Some(1.0),
            max: None
        }
    );
    assert_eq!(
        scenario.expect[2].check,
        Check::Approximately {
            value: 2.0,
            within: 0.1
        }
    );
    assert_eq!(
        scenario.expect[3].check,
        Check::Equals(serde_json::json!([1, "x"]))
    );
}

#[test]
fn likely_slips_are_warned_of() {
    let loaded = load(
        r#"{"until": "1s", "warmUp": "2s",
            "producers": [{"destination": "queue://orders", "messages": 1}],
            "consumers": [{"destination": "queue://order?customer.prefetchSize=5",
                "url": "tcp://b:1?jms.optimizeAcknowledge=true&jms.copyMessageOnSend=false",
                "acknowledgeMode": "CLIENT_ACKNOWLEDGE"}]}"#,
    );
    assert_eq!(
        texts(&loaded),
        [
            "the run ends before the warm-up: nothing is measured",
            "nobody sends to queue://order; did you mean queue://orders?",
            "ActiveMQ ignores `customer.prefetchSize` without a word; did you mean `consumer.prefetchSize`?",
            "ActiveMQ ignores `jms.optimizeAcknowledge` in a session that is CLIENT_ACKNOWLEDGE",
            "`jms.copyMessageOnSend` has no effect here: message bodies have a size and no content",
        ]
    );
}
