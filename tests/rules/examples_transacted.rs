//! Worked examples: SESSION_TRANSACTED.

use crate::common::run;

/// Rules 3.9, 5.2, 5.3, 5.4, 5.5, 5.6.
/// Rule: begins-lazily, delivered-in-transactions, commit, commit-in-order
#[test]
fn example_12_9_commit_every_four() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 30}],
      "consumers": [
        {"name": "c", "destination": "queue://Q", "prefetchSize": 5, "start": "100ms",
         "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 4},
         "receive": "receive", "processing": "10ms", "messages": 13},
        {"name": "next", "destination": "queue://Q", "start": "500ms"}]
    }"#);
    assert_eq!(
        run.broker("c"),
        [
            "dispatch m:1..m:5",
            "begin",
            "DELIVERED m:1..m:3 x3 tx",
            "dispatch m:6..m:8",
            "STANDARD m:1..m:4 x4 tx",
            "commit",
            "dispatch m:9",
            "begin",
            "DELIVERED m:5..m:7 x3 tx",
            "dispatch m:10..m:12",
            "STANDARD m:5..m:8 x4 tx",
            "commit",
            "dispatch m:13",
            "begin",
            "DELIVERED m:9..m:11 x3 tx",
            "dispatch m:14..m:16",
            "STANDARD m:9..m:12 x4 tx",
            "commit",
            "dispatch m:17",
            "begin",
            // The session closes with m:13 received.
            "STANDARD m:13..m:13 x1 tx",
            "rollback",
            "close",
        ]
    );
    assert_eq!(run.dispatched("next"), ["m:13 redelivery=1", "m:14..m:30"]);
}

/// Rules 4.1, 5.5, 6.7.
/// Rule: rollback-acknowledges-first
#[test]
fn example_12_10_rolled_back_until_poisoned() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 30}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 5, "start": "100ms",
        "url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=2&jms.redeliveryPolicy.initialRedeliveryDelay=100&jms.redeliveryPolicy.redeliveryDelay=100",
        "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 4, "rollBack": [1, 2, 3]},
        "receive": "receive", "processing": "10ms", "failures": [{"hang": {"afterDeliveries": 13}}]}]
    }"#);
    assert_eq!(
        run.broker("c"),
        [
            "dispatch m:1..m:5",
            "begin",
            "DELIVERED m:1..m:3 x3 tx",
            "dispatch m:6..m:8",
            "STANDARD m:1..m:4 x4 tx",
            "rollback",
            "begin",
            "STANDARD m:1..m:4 x4 tx",
            "rollback",
            "REDELIVERED m:1..m:4 x4",
            "begin",
            "STANDARD m:1..m:4 x4 tx",
            "rollback",
            "POISON m:1..m:4 x4",
            "dispatch m:9",
            "begin",
        ]
    );
    assert_eq!(
        run.delivered("c"),
        ["m:1..m:4", "m:1..m:4 count=2", "m:1..m:4 count=3", "m:5"]
    );
    assert_eq!(run.dead(), ["m:1..m:4"]);
    assert_eq!(run.in_flight("c"), 5);
}

/// Rules 3.8, 5.5. The counter of DELIVERED acks stands at -4 after the rollback.
/// Rule: counter-goes-below-0
#[test]
fn example_12_11_a_rolled_back_batch_earns_no_second_window() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 30}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 5, "start": "100ms",
        "url": "tcp://b?jms.redeliveryPolicy.initialRedeliveryDelay=100",
        "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 9, "commitWhenIdle": "300ms"},
        "receive": "receive", "processing": "10ms",
        "failures": [{"throw": {"messages": [4], "times": 1}}, {"hang": {"afterDeliveries": 13}}]}]
    }"#);
    assert_eq!(
        run.broker("c")[..10],
        [
            "dispatch m:1..m:5",
            "begin",
            "DELIVERED m:1..m:3 x3 tx",
            "dispatch m:6..m:8",
            "STANDARD m:1..m:4 x4 tx",
            "rollback",
            "begin",
            "DELIVERED m:1..m:7 x3 tx",
            // The ninth never comes: m:8 was the last in the window.
            "STANDARD m:1..m:8 x8 tx",
            "commit",
        ]
    );
    assert_eq!(run.broker("c")[10], "dispatch m:9..m:13");
}

/// Rules 4.5, 6.6: the broker counts the crashes, a transacted consumer looks at the count.
/// Rule: pre-dispatch-check, pre-dispatch-check-in-receive
#[test]
fn example_12_30_the_check_before_delivery_ends_a_crash_loop() {
    let run = |mode: &str| {
        run(&format!(
            r#"{{
      "until": "1s",
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 2}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "prefetchSize": 10, "start": "100ms",
        "url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=2", {mode},
        "receive": "receive", "processing": "10ms",
        "failures": [{{"crash": {{"afterDeliveries": 1, "once": false, "restartAfter": "100ms"}}}}]}}]
    }}"#
        ))
    };
    let transacted = run(r#""acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 10}"#);
    assert_eq!(
        transacted.broker("c"),
        [
            "dispatch m:1..m:2",
            "begin",
            "lost",
            "dispatch m:1..m:2 redelivery=1",
            "begin",
            "lost",
            "dispatch m:1..m:2 redelivery=2",
            "begin",
            "lost",
            "dispatch m:1..m:2 redelivery=3",
            "POISON m:1..m:1 x1",
            "POISON m:2..m:2 x1",
        ]
    );
    assert_eq!(transacted.dead(), ["m:1..m:2"]);
    let client = run(r#""acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true}"#);
    assert_eq!(
        client.delivered("c")[..6],
        [
            "m:1",
            "m:1 count=2",
            "m:1 count=3",
            "m:1 count=4",
            "m:1 count=5",
            "m:1 count=6"
        ]
    );
}

/// Rules 5.1, 5.4, 5.5.
/// Rule: commit, rollback-acknowledges-first
#[test]
fn example_12_32_two_consumers_in_one_transaction() {
    let run = run(r#"{
      "network": {"latency": "0us"},
      "producers": [{"name": "a", "destination": "queue://A", "arrivals": {"at": ["10ms", "30ms"]}},
                    {"name": "b", "destination": "queue://B", "arrivals": {"at": ["20ms"]}}],
      "consumers": [
        {"name": "ca", "session": "s", "destination": "queue://A",
         "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 3, "rollBack": [1]}},
        {"name": "cb", "session": "s", "destination": "queue://B",
         "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 3, "rollBack": [1]}}]
    }"#);
    assert_eq!(
        run.timed_acks("ca"),
        [
            "@10 begin",
            "@30 STANDARD a:1..a:2 x2 tx",
            "@30 rollback",
            "@1030 begin",
            "@1030 STANDARD a:1..a:2 x2 tx",
            "@1030 commit",
        ]
    );
    assert_eq!(
        run.timed_acks("cb"),
        [
            "@30 STANDARD b:1..b:1 x1 tx",
            "@1030 STANDARD b:1..b:1 x1 tx"
        ]
    );
}

/// Rules 3.9, 5.4, 6.6. `keeper` keeps the session open and commits with its own message.
/// Rule: close-waits-for-transaction
#[test]
fn example_12_33_a_consumer_that_closes_in_a_transaction_waits_for_its_end() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 6},
                    {"name": "k", "destination": "queue://K", "arrivals": {"at": ["500ms"]}}],
      "consumers": [
        {"name": "c", "session": "s", "destination": "queue://Q", "prefetchSize": 5, "start": "100ms", "messages": 2,
         "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 3}},
        {"name": "keeper", "session": "s", "destination": "queue://K", "start": "100ms",
         "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 3}},
        {"name": "other", "destination": "queue://Q", "start": "300ms"}]
    }"#);
    assert_eq!(
        run.timed("c")[2..]
            .iter()
            .map(|line| &line[..4])
            .collect::<Vec<_>>(),
        ["@500"; 3],
        "nothing is sent before the commit"
    );
    assert_eq!(
        run.broker("c"),
        [
            "dispatch m:1..m:5",
            "begin",
            "STANDARD m:1..m:2 x2 tx",
            "commit",
            "close"
        ]
    );
    assert_eq!(run.dispatched("other"), ["m:6", "m:3..m:5"]);
}
