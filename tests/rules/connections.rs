//! Connections that break, and the failover transport.

use crate::common::run;

/// Rules 6.6, 10.1.
/// Rule: silent-partition
#[test]
fn rule_10_1_a_silent_partition_holds_its_messages() {
    let run = run(r#"{
      "network": {"latency": "0us"},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 4}],
      "consumers": [
        {"name": "c", "destination": "queue://Q", "prefetchSize": 10, "processing": "10ms",
         "failures": [{"crash": {"afterDeliveries": 1, "detectedAfter": "500ms"}}]},
        {"name": "next", "destination": "queue://Q", "start": "100ms"}]
    }"#);
    assert_eq!(run.timed("c").last().expect("lines"), "@510 lost");
    assert_eq!(run.timed("next")[0], "@510 dispatch m:1..m:4 redelivery=1");
}

/// A client whose network breaks after four of ten messages, and is back a little later.
fn reconnected(mode: &str) -> crate::common::Run {
    run(&format!(
        r#"{{
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 10}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "prefetchSize": 10, {mode}
        "receive": "receive", "processing": "100ms",
        "failures": [{{"disconnect": {{"at": "350ms", "for": "5ms"}}}}]}}]
    }}"#
    ))
}

/// Rule 10.2: the count of what was delivered before the break goes on after it.
/// Rule: failover-clears-buffers, failover-replays, failover-keeps-counters
#[test]
fn rule_10_2_client_gets_everything_again() {
    let run = reconnected(
        r#""url": "failover:(tcp://b)", "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true},"#,
    );
    assert_eq!(
        run.broker("c")[..4],
        [
            "dispatch m:1..m:10",
            "lost",
            "dispatch m:1..m:10 redelivery=1",
            "DELIVERED m:1..m:1 x5",
        ]
    );
    assert_eq!(run.delivered("c")[..2], ["m:1..m:4", "m:1..m:10 count=2"]);
}

/// Rule 10.2: what was seen and not acknowledged is taken for a duplicate.
/// Rule: failover-poisons
#[test]
fn rule_10_2_individual_poisons_what_it_has_seen() {
    let run = reconnected(
        r#""url": "failover:(tcp://b)", "acknowledgeMode": "INDIVIDUAL_ACKNOWLEDGE", "acknowledge": {"never": true},"#,
    );
    assert_eq!(run.dead(), ["m:1..m:4"]);
    assert_eq!(run.delivered("c"), ["m:1..m:4", "m:5..m:10 count=2"]);
}

/// Rule 10.2.
/// Rule: failover-poisons
#[test]
fn rule_10_2_optimized_auto_poisons_what_it_has_seen() {
    let run = reconnected(
        r#""url": "failover:(tcp://b)?jms.optimizeAcknowledge=true&jms.optimizeAcknowledgeTimeOut=0","#,
    );
    assert_eq!(run.dead(), ["m:1..m:4"]);
    let no_filter = reconnected(
        r#""url": "failover:(tcp://b)?jms.optimizeAcknowledge=true&jms.optimizeAcknowledgeTimeOut=0&jms.checkForDuplicates=false","#,
    );
    assert!(no_filter.dead().is_empty());
    assert_eq!(no_filter.delivered("c"), ["m:1..m:4", "m:1..m:10 count=2"]);
}

/// Rule 10.2: the commit after the break is refused by the library, and what was delivered comes again.
/// Rule: failover-in-transaction
#[test]
fn rule_10_2_a_broken_transaction_is_rolled_back() {
    let run = reconnected(
        r#""url": "failover:(tcp://b)?jms.redeliveryPolicy.initialRedeliveryDelay=10", "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 6},"#,
    );
    let acks = run.acks("c");
    let rollback = acks
        .iter()
        .position(|line| line == "rollback")
        .expect("a rollback");
    assert!(
        acks[..rollback].iter().all(|line| line != "commit"),
        "{acks:?}"
    );
    assert!(
        acks[rollback..].iter().any(|line| line == "commit"),
        "{acks:?}"
    );
    let mut acknowledged = run.views.outcome.acknowledged;
    acknowledged.sort();
    acknowledged.dedup();
    assert!(acknowledged.len() >= 6, "{acknowledged:?}");
}

/// Rules 4.4, 10.2: persistent messages survive the broker, counters do not.
/// Rule: broker-restart
#[test]
fn rule_10_2_a_broker_restart() {
    let run = run(r#"{
      "broker": {"restarts": [{"at": "500ms", "downFor": "100ms"}]},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 3},
                    {"name": "n", "destination": "queue://Q", "messages": 3, "deliveryMode": "NON_PERSISTENT", "start": "50ms"}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 10, "url": "failover:(tcp://b)",
        "start": "100ms", "failures": [{"hang": {"afterDeliveries": 1, "for": "1s"}}],
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE"}]
    }"#);
    assert_eq!(run.dispatched("c"), ["m:1..m:3", "n:1..n:3", "m:1..m:3"]);
}

/// Rule 10.2: delays of 10 ms, then twice as much each time.
/// Rule: reconnect-delays
#[test]
fn rule_10_2_reconnect_delays_double() {
    let run = run(r#"{
      "network": {"latency": "0us"},
      "producers": [{"name": "m", "destination": "queue://Q", "arrivals": {"at": ["200ms"]}}],
      "consumers": [{"name": "c", "destination": "queue://Q", "url": "failover:(tcp://b)",
        "failures": [{"disconnect": {"at": "100ms", "for": "50ms"}}]}]
    }"#);
    assert_eq!(run.delivered("c"), ["m:1"]);
}

/// Rule 10.2 (`FailoverTransport.oneway`): without a connection timed pulls are answered with nothing at once. The
/// application asks again and again, time goes on all the same, and the message is there once the connection is.
/// Rule: failover-swallows-acks
#[test]
fn rule_10_2_timed_pulls_spin_while_there_is_no_connection() {
    let run = run(r#"{
      "until": "2s",
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1, "start": "1s"}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 0, "url": "failover:(tcp://b)",
        "receive": {"receive": {"timeout": "50ms"}},
        "failures": [{"disconnect": {"at": "110ms", "for": "500ms"}}]}]
    }"#);
    assert_eq!(run.delivered("c"), ["m:1"]);
    let pulls = run.timed_acks("c");
    let at = |line: &String| line[1..].split(' ').next().unwrap().parse::<u64>().unwrap();
    assert!(pulls.iter().map(at).all(|at| !(112..=610).contains(&at)));
}

/// Rule 10.2: the pull that brought m:1 is repeated when the connection is back, at work though the application is, and
/// brings m:2.
/// Rule: failover-repeats-pulls
#[test]
fn rule_10_2_an_answered_pull_is_repeated() {
    let run = run(r#"{
      "until": "4s", "broker": {"restarts": [{"at": "500ms", "downFor": "200ms"}]},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 2, "url": "failover:(tcp://b)"}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 0, "start": "200ms", "url": "failover:(tcp://b)",
        "receive": "receive", "processing": "1500ms"}]
    }"#);
    assert_eq!(
        run.acks("c"),
        [
            "pull",
            "STANDARD m:1..m:1 x1",
            "lost",
            "pull",
            "STANDARD m:2..m:2 x1",
            "pull"
        ]
    );
}

/// Rule 10.2: a synchronous send in a transaction is repeated with it, and once.
/// Rule: failover-repeats-sends
#[test]
fn rule_10_2_a_sync_send_in_a_transaction_is_repeated_once() {
    let run = run(r#"{
      "network": {"latency": "10ms"}, "broker": {"restarts": [{"at": "105ms", "downFor": "50ms"}]},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1, "start": "100ms",
        "transaction": {"size": 1}, "url": "failover:(tcp://b)?jms.alwaysSyncSend=true"}],
      "consumers": [{"name": "c", "destination": "queue://Q"}]
    }"#);
    assert_eq!(run.delivered("c"), ["m:1"]);
    assert_eq!(run.dead(), [""; 0]);
}

/// What is under way to a broker that stops is lost, even if the broker is back before it would have come: the failover
/// transport sends it again.
#[test]
fn rule_10_2_what_was_under_way_to_a_stopped_broker_is_sent_again() {
    let run = run(r#"{
      "network": {"latency": "100ms"}, "broker": {"restarts": [{"at": "50ms", "downFor": "1ms"}]},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1}],
      "consumers": [{"name": "c", "destination": "queue://Q"}]
    }"#);
    assert_eq!(run.delivered("c"), ["m:1"]);
    let dispatched = run
        .timed("c")
        .into_iter()
        .find(|line| line.contains("dispatch"));
    let dispatched = dispatched.expect("it is dispatched");
    let at: u64 = dispatched[1..].split(' ').next().unwrap().parse().unwrap();
    assert!(
        at > 250,
        "at {at} ms, where the first one would have come at 100 ms"
    );
}
