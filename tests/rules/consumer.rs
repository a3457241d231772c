//! The client's consumer: who calls whom, and when acks leave.

use crate::common::{refused, run};

/// Rule 3.2. Two listeners, 10 ms a message.
/// Rule: one-worker-per-session
#[test]
fn rule_3_2_one_session_is_one_worker() {
    let run = |second: &str| {
        run(&format!(
            r#"{{
      "network": {{"latency": "0us"}},
      "producers": [{{"name": "a", "destination": "queue://A", "messages": 2}},
                    {{"name": "b", "destination": "queue://B", "messages": 2}}],
      "consumers": [
        {{"name": "ca", "connection": "k", "session": "s", "destination": "queue://A", "processing": "10ms"}},
        {{"name": "cb", "connection": "k", "session": "{second}", "destination": "queue://B", "processing": "10ms"}}]
    }}"#
        ))
    };
    let last = |times: &[String]| times.last().expect("something was delivered").clone();
    let shared = run("s");
    let ends = [
        last(&shared.timed_delivered("ca")),
        last(&shared.timed_delivered("cb")),
    ];
    assert!(
        ends.iter().any(|end| end.starts_with("@30")),
        "four deliveries in turn: {ends:?}"
    );
    let own = run("t");
    assert_eq!(own.timed_delivered("ca"), ["@0 a:1", "@10 a:2"]);
    assert_eq!(own.timed_delivered("cb"), ["@0 b:1", "@10 b:2"]);
}

/// Rules 3.3, 3.5.
/// Rule: receive-acknowledges-first
#[test]
fn rule_3_3_receive_acknowledges_before_the_application_works() {
    let run = |receive: &str| {
        run(&format!(
            r#"{{
      "network": {{"latency": "0us"}},
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 2}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "receive": "{receive}", "processing": "50ms"}}]
    }}"#
        ))
        .timed_acks("c")
    };
    assert_eq!(
        run("receive"),
        ["@0 STANDARD m:1..m:1 x1", "@50 STANDARD m:2..m:2 x1"]
    );
    assert_eq!(
        run("listener"),
        ["@50 STANDARD m:1..m:1 x1", "@100 STANDARD m:2..m:2 x1"]
    );
}

/// Rules 3.4, 4.3.
/// Rule: throw-in-client-is-success
#[test]
fn rule_3_4_a_client_listener_that_throws_has_consumed() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 5}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 10,
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true},
        "failures": [{"throw": {"messages": [2]}}]}]
    }"#);
    assert_eq!(run.delivered("c"), ["m:1..m:5"]);
    assert_eq!(run.acks("c"), ["DELIVERED m:1..m:5 x5"]);
}

/// Rules 3.4, 4.3. The failed delivery counts towards no transaction, but its ack goes with it.
/// Rule: throw-in-client-is-success
#[test]
fn rule_3_4_a_transacted_listener_that_throws_has_consumed() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 5}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 100,
        "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 4}, "onFailure": "throw",
        "failures": [{"throw": {"messages": [2]}}]}]
    }"#);
    assert_eq!(run.delivered("c"), ["m:1..m:5"]);
    assert_eq!(
        run.acks("c"),
        ["begin", "STANDARD m:1..m:5 x5 tx", "commit"]
    );
}

/// Rule 3.4.
/// Rule: listener-needs-prefetch
#[test]
fn rule_3_4_a_listener_needs_a_prefetch() {
    let errors = refused(r#"{"consumers": [{"destination": "queue://Q", "prefetchSize": 0}]}"#);
    assert!(
        errors.contains("prefetch") && errors.contains("listener"),
        "{errors}"
    );
}

/// Rules 3.5, 3.8.
/// Rule: acknowledged-inside-is-not-counted
#[test]
fn rule_3_5_what_the_listener_acknowledged_is_not_counted() {
    let acks = |receive: &str| {
        run(&format!(
            r#"{{
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 4}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "prefetchSize": 4, "receive": "{receive}",
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "processing": "10ms"}}]
    }}"#
        ))
        .acks("c")
    };
    let standard = |k: u32| format!("STANDARD m:{k}..m:{k} x1");
    assert_eq!(acks("listener"), [1, 2, 3, 4].map(standard));
    // The counter falls back to 0 with each acknowledge(), so a half window never comes together.
    assert_eq!(acks("receive"), [1, 2, 3, 4].map(standard));
}

/// Rule 3.5: each message of P = 2 is half a window before the application can acknowledge it.
/// Rule: acknowledged-inside-is-not-counted
#[test]
fn rule_3_5_receive_counts_before_the_application_acknowledges() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 2}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 2, "receive": "receive",
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "processing": "10ms"}]
    }"#);
    assert_eq!(
        run.acks("c"),
        [
            "DELIVERED m:1..m:1 x1",
            "STANDARD m:1..m:1 x1",
            "DELIVERED m:2..m:2 x1",
            "STANDARD m:2..m:2 x1"
        ]
    );
}

/// Rule 3.6: strictly after its expiration.
/// Rule: expired-at-client
#[test]
fn rule_3_6_expired_is_after_the_expiration() {
    let delivered = |hang: &str, check: bool| {
        run(&format!(
            r#"{{
      "network": {{"latency": "0us"}},
      "producers": [{{"name": "a", "destination": "queue://Q", "messages": 1}},
                    {{"name": "b", "destination": "queue://Q", "messages": 1, "timeToLive": "100ms"}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "url": "tcp://b?jms.consumerExpiryCheckEnabled={check}",
        "failures": [{{"hang": {{"afterDeliveries": 1, "for": "{hang}"}}}}]}}]
    }}"#
        ))
        .delivered("c")
    };
    assert_eq!(delivered("100ms", true), ["a:1", "b:1"]);
    assert_eq!(delivered("101ms", true), ["a:1"]);
    assert_eq!(delivered("101ms", false), ["a:1", "b:1"]);
}

/// How many messages the first ack of a consumer with this prefetch is for.
fn first_ack(prefetch: u32, destination: &str, consumer: &str) -> u32 {
    let run = run(&format!(
        r#"{{
      "producers": [{{"name": "m", "destination": "{destination}", "messages": {}}}],
      "consumers": [{{"name": "c", "destination": "{destination}", "prefetchSize": {prefetch},
        "receive": "receive", {consumer}}}]
    }}"#,
        prefetch + 1
    ));
    let acks = run.acks("c");
    let first = acks.iter().find(|ack| ack.contains(" x")).expect("an ack");
    first
        .rsplit_once('x')
        .expect("a count")
        .1
        .parse()
        .expect("a number")
}

/// Rule 3.7: the table of section 3.7.
/// Rule: optimize-threshold
#[test]
fn rule_3_7_messages_to_an_optimized_ack() {
    let optimize =
        r#""url": "tcp://b?jms.optimizeAcknowledge=true&jms.optimizeAcknowledgeTimeOut=0""#;
    let counts = [0, 1, 2, 3, 4, 5, 8, 10, 20, 50, 100, 1000]
        .map(|prefetch| first_ack(prefetch, "queue://Q", optimize));
    assert_eq!(counts, [1, 1, 2, 2, 3, 4, 6, 7, 13, 33, 65, 650]);
    assert_eq!(first_ack(32767, "topic://T", optimize), 21299);
}

/// Rule 3.8: the table of section 3.7.
/// Rule: half-window
#[test]
fn rule_3_8_messages_to_half_a_window() {
    let client = r#""acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true}"#;
    let counts = [0, 1, 2, 3, 4, 5, 8, 10, 20, 50, 100, 1000]
        .map(|prefetch| first_ack(prefetch, "queue://Q", client));
    assert_eq!(counts, [1, 1, 1, 2, 2, 3, 4, 5, 10, 25, 50, 500]);
    let dups_ok = r#""acknowledgeMode": "DUPS_OK_ACKNOWLEDGE""#;
    assert_eq!(first_ack(32767, "topic://T", dups_ok), 16384);
}

/// Rule 3.7: with its first base at the consumer's construction, the time-out strikes at the third message.
/// Rule: optimize-time-out
#[test]
fn rule_3_7_an_idle_consumer_never_acknowledges() {
    let run = run(r#"{
      "until": "1h",
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 3}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 10,
        "url": "tcp://b?jms.optimizeAcknowledge=true"}]
    }"#);
    assert!(run.acks("c").is_empty());
    assert_eq!(run.in_flight("c"), 3);
}

/// Rules 1.2, 3.7: only AUTO.
/// Rule: optimize-auto-only
#[test]
fn rule_3_7_optimize_has_no_effect_in_other_modes() {
    for (mode, expected) in [
        (
            r#""acknowledgeMode": "CLIENT_ACKNOWLEDGE""#,
            "STANDARD m:1..m:1 x1",
        ),
        (
            r#""acknowledgeMode": "INDIVIDUAL_ACKNOWLEDGE""#,
            "INDIVIDUAL -..m:1 x1",
        ),
        (
            r#""acknowledgeMode": "DUPS_OK_ACKNOWLEDGE""#,
            "STANDARD m:1..m:1 x1",
        ),
        (r#""acknowledgeMode": "SESSION_TRANSACTED""#, "begin"),
    ] {
        let run = run(&format!(
            r#"{{
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 2}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "prefetchSize": 10, {mode},
        "url": "tcp://b?jms.optimizeAcknowledge=true"}}]
    }}"#
        ));
        assert_eq!(run.acks("c")[0], expected);
    }
}

/// Rule 3.9.
/// Rule: close-flushes
#[test]
fn rule_3_9_a_clean_close_flushes_only_what_was_batched() {
    let acks = |mode: &str| {
        run(&format!(
            r#"{{
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 3}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "prefetchSize": 10, {mode},
        "processing": "10ms", "stop": "1s"}}]
    }}"#
        ))
        .acks("c")
    };
    let never = r#""acknowledge": {"never": true}"#;
    assert_eq!(
        acks(&format!(
            r#""acknowledgeMode": "CLIENT_ACKNOWLEDGE", {never}"#
        )),
        ["close"]
    );
    assert_eq!(
        acks(&format!(
            r#""acknowledgeMode": "INDIVIDUAL_ACKNOWLEDGE", {never}"#
        )),
        ["close"]
    );
    assert_eq!(
        acks(r#""url": "tcp://b?jms.optimizeAcknowledge=true""#),
        ["STANDARD m:1..m:3 x3", "close"]
    );
}

/// Rule 3.11.
/// Rule: pull
#[test]
fn rule_3_11_without_prefetch_every_message_is_acknowledged_alone() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 2}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 0, "receive": "receive",
        "start": "100ms", "url": "tcp://b?jms.optimizeAcknowledge=true&jms.optimizeAcknowledgeTimeOut=0"}]
    }"#);
    assert_eq!(
        run.broker("c"),
        [
            "pull",
            "dispatch m:1",
            "STANDARD m:1..m:1 x1",
            "pull",
            "dispatch m:2",
            "STANDARD m:2..m:2 x1",
            "pull"
        ]
    );
}
