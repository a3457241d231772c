//! Other sets of semantics: the seven rules of the article, and what later releases changed. Each beside what 5.17.2
//! does with the same scenario.

use crate::common::{Run, run};

/// One consumer that finds so many messages, under these semantics.
fn under(semantics: &str, messages: u64, consumer: &str) -> Run {
    run(&format!(
        r#"{{
      "semantics": "{semantics}", "until": "5s", "network": {{"latency": "0us"}},
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": {messages}}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "prefetchSize": 10, "start": "100ms", {consumer}}}]
    }}"#
    ))
}

const REAL: &str = "activemq-5.17";

#[test]
fn article_1_the_time_out_of_optimized_acks_is_a_timer() {
    let acks = |semantics| {
        let optimized = r#""url": "tcp://b?jms.optimizeAcknowledge=true""#;
        under(semantics, 3, optimized).acks("c")
    };
    assert_eq!(acks("article"), ["STANDARD m:1..m:3 x3"]);
    assert_eq!(acks(REAL), [""; 0]);
}

#[test]
fn article_2_dups_ok_is_optimized_on_queues() {
    let acks = |semantics, optimize: bool| {
        let mode = format!(
            r#""acknowledgeMode": "DUPS_OK_ACKNOWLEDGE", "url": "tcp://b?jms.optimizeAcknowledge={optimize}""#
        );
        under(semantics, 7, &mode).acks("c").len()
    };
    assert_eq!(acks("article", true), 1);
    assert_eq!(acks("article", false), 7);
    assert_eq!(acks(REAL, true), 7);
}

const NEVER: &str = r#""acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true}"#;

#[test]
fn article_3_a_consumer_freezes_after_one_and_a_half_windows() {
    let frozen = under("article", 40, NEVER);
    assert_eq!(frozen.delivered("c"), ["m:1..m:15"]);
    assert_eq!(frozen.acks("c"), ["DELIVERED m:1..m:5 x5"]);
    assert_eq!(under(REAL, 40, NEVER).delivered("c"), ["m:1..m:40"]);
}

#[test]
fn article_4_delivered_marks_slow() {
    let is_slow = |semantics| {
        let seen = under(semantics, 40, NEVER).broker("c");
        seen.iter().any(|line| line == "slow")
    };
    assert!(is_slow("article"));
    assert!(!is_slow(REAL));
}

#[test]
fn article_5_the_broker_redelivers() {
    let acks = |semantics| {
        let failing = r#""url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=1",
            "failures": [{"throw": {"messages": [1]}}]"#;
        let run = under(semantics, 1, failing);
        (run.acks("c"), run.dispatched("c"))
    };
    let lines = |lines: [&[&str]; 2]| {
        let [acks, dispatched] = lines.map(|of| of.iter().map(ToString::to_string).collect());
        (acks, dispatched)
    };
    // The counter is 1 after the first failure, which is the maximum.
    assert_eq!(acks("article"), lines([&["POISON m:1..m:1 x1"], &["m:1"]]));
    assert_eq!(acks(REAL), lines([&["POISON m:1..m:1 x1"], &["m:1"]]));
    let twice = |semantics| {
        let failing = r#""failures": [{"throw": {"messages": [1], "times": 1}}]"#;
        let run = under(semantics, 1, failing);
        (run.acks("c"), run.dispatched("c"))
    };
    assert_eq!(
        twice("article"),
        lines([
            &["REDELIVERED m:1..m:1 x1", "STANDARD m:1..m:1 x1"],
            &["m:1", "m:1 redelivery=1"]
        ])
    );
    assert_eq!(twice(REAL), lines([&["STANDARD m:1..m:1 x1"], &["m:1"]]));
}

#[test]
fn article_6_listeners_of_a_session_work_in_parallel() {
    let delivered = |semantics: &str| {
        let run = run(&format!(
            r#"{{
          "semantics": "{semantics}", "network": {{"latency": "0us"}},
          "producers": [{{"name": "a", "destination": "queue://A", "messages": 1, "start": "100ms"}},
                        {{"name": "b", "destination": "queue://B", "messages": 1, "start": "100ms"}}],
          "consumers": [
            {{"name": "on-a", "destination": "queue://A", "session": "s", "processing": "50ms"}},
            {{"name": "on-b", "destination": "queue://B", "session": "s", "processing": "50ms"}}]
        }}"#
        ));
        run.timed_delivered("on-b")
    };
    assert_eq!(delivered("article"), ["@100 b:1"]);
    assert_eq!(delivered(REAL), ["@150 b:1"]);
}

#[test]
fn article_7_a_crash_flags_what_was_delivered() {
    let dispatched = |semantics: &str| {
        let run = run(&format!(
            r#"{{
          "semantics": "{semantics}",
          "producers": [{{"name": "m", "destination": "queue://Q", "messages": 5}}],
          "consumers": [
            {{"name": "c", "destination": "queue://Q", "start": "100ms", "processing": "20ms",
              "failures": [{{"crash": {{"afterDeliveries": 2}}}}]}},
            {{"name": "next", "destination": "queue://Q", "start": "500ms"}}]
        }}"#
        ));
        run.dispatched("next")
    };
    assert_eq!(dispatched("article"), ["m:2 redelivery=1", "m:3..m:5"]);
    assert_eq!(dispatched(REAL), ["m:2..m:5 redelivery=1"]);
}

/// AMQ-9153: such a consumer is full and passed over while messages wait.
#[test]
fn activemq_6_a_queue_consumer_can_be_slow() {
    let is_slow = |semantics| {
        let stuck = r#""failures": [{"hang": {"afterDeliveries": 1}}]"#;
        let seen = under(semantics, 40, stuck).broker("c");
        seen.iter().any(|line| line == "slow")
    };
    assert!(is_slow("activemq-6"));
    assert!(!is_slow(REAL));
}

/// AMQ-8617: the second failure of the second message doubles what its own first one waited, and not what the consumer
/// waited last.
#[test]
fn activemq_6_each_message_has_a_delay_of_its_own() {
    let delivered = |semantics| {
        let consumer = r#""url": "tcp://b?jms.nonBlockingRedelivery=true&jms.redeliveryPolicy.initialRedeliveryDelay=100&jms.redeliveryPolicy.redeliveryDelay=100&jms.redeliveryPolicy.useExponentialBackOff=true&jms.redeliveryPolicy.backOffMultiplier=2",
            "processing": "10ms", "failures": [{"throw": {"messages": [1, 2], "times": 2}}]"#;
        under(semantics, 2, consumer).timed_delivered("c")
    };
    let both = [
        "@100 m:1",
        "@110 m:2",
        "@210 m:1 count=2",
        "@220 m:2 count=2",
        "@420 m:1 count=3",
    ];
    assert_eq!(
        delivered("activemq-6"),
        [&both[..], &["@430 m:2 count=3"]].concat()
    );
    assert_eq!(delivered(REAL), [&both[..], &["@630 m:2 count=3"]].concat());
}
