//! Transactions of consumers and producers.

use crate::common::run;

/// Rules 3.5, 5.2: an expired message begins a transaction, too, but its ack is outside.
/// Rule: begins-lazily
#[test]
fn rule_5_2_an_expired_message_begins_the_transaction() {
    let run = run(r#"{
      "producers": [{"name": "other", "destination": "queue://A", "messages": 1},
                    {"name": "m", "destination": "queue://Q", "messages": 1, "timeToLive": "100ms"}],
      "consumers": [
        {"name": "busy", "session": "s", "destination": "queue://A", "acknowledgeMode": "SESSION_TRANSACTED",
         "failures": [{"hang": {"afterDeliveries": 1, "for": "500ms"}}]},
        {"name": "c", "session": "s", "destination": "queue://Q", "acknowledgeMode": "SESSION_TRANSACTED"}]
    }"#);
    assert_eq!(
        run.acks("busy"),
        [
            "begin",
            "STANDARD other:1..other:1 x1 tx",
            "commit",
            "begin"
        ]
    );
    assert_eq!(run.acks("c"), ["EXPIRED m:1..m:1 x1"]);
}

/// Rule 5.3.
/// Rule: transacted-individual-ack
#[test]
fn rule_5_3_transacted_individual_acks() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 6}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 2, "start": "100ms", "processing": "10ms",
        "url": "tcp://b?jms.transactedIndividualAck=true",
        "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 3}}]
    }"#);
    assert_eq!(
        run.broker("c")[..9],
        [
            "dispatch m:1..m:2",
            "begin",
            "INDIVIDUAL -..m:1 x1 tx",
            "dispatch m:3",
            "INDIVIDUAL -..m:2 x1 tx",
            "dispatch m:4",
            "INDIVIDUAL -..m:3 x1 tx",
            "dispatch m:5",
            "commit",
        ]
    );
}

/// Rule 5.6: a message takes its place on the queue when it is committed.
/// Rule: sends-count-from-commit
#[test]
fn rule_5_6_messages_of_a_transaction_are_queued_at_its_commit() {
    let run = run(r#"{
      "network": {"latency": "0us"},
      "producers": [
        {"name": "tx", "destination": "queue://Q", "arrivals": {"at": ["10ms", "30ms"]}, "transaction": {"size": 2}},
        {"name": "m", "destination": "queue://Q", "arrivals": {"at": ["20ms"]}}],
      "consumers": [{"name": "c", "destination": "queue://Q"}]
    }"#);
    assert_eq!(run.timed_delivered("c"), ["@20 m:1", "@30 tx:1..tx:2"]);
}

/// Rule 5.6.
/// Rule: sends-count-from-commit
#[test]
fn rule_5_6_rolled_back_sends_vanish() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 6, "transaction": {"size": 2, "rollBack": [2]}}],
      "consumers": [{"name": "c", "destination": "queue://Q"}]
    }"#);
    assert_eq!(run.delivered("c"), ["m:1..m:2", "m:5..m:6"]);
    assert!(run.remaining().is_empty());
}

/// Rules 5.5, 5.6: the broker does not see a redelivery; all ten stay in flight.
/// Rule: rollback-keeps-in-flight
#[test]
fn rule_5_6_after_a_rollback_the_messages_stay_in_flight() {
    let run = run(r#"{
      "until": "600ms",
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 10}],
      "consumers": [
        {"name": "c", "destination": "queue://Q", "prefetchSize": 100,
         "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 10, "rollBack": [1]}},
        {"name": "other", "destination": "queue://Q", "start": "200ms"}]
    }"#);
    assert_eq!(
        run.acks("c"),
        ["begin", "STANDARD m:1..m:10 x10 tx", "rollback"]
    );
    assert_eq!(run.in_flight("c"), 10);
    assert!(run.dispatched("other").is_empty());
}

/// Rules 5.6, 5.7, 6.6: what was acknowledged in the transaction of a crashed client comes again as well.
/// Rule: connection-rolls-back, plain-transport
#[test]
fn rule_5_7_a_crash_rolls_back() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 6}],
      "consumers": [
        {"name": "c", "destination": "queue://Q", "prefetchSize": 4, "start": "100ms", "processing": "10ms",
         "url": "tcp://b?jms.transactedIndividualAck=true",
         "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 100},
         "failures": [{"crash": {"afterDeliveries": 2}}]},
        {"name": "next", "destination": "queue://Q", "start": "500ms"}]
    }"#);
    assert_eq!(run.dispatched("next"), ["m:1..m:6 redelivery=1"]);
}

/// Rule 3.9: in a transaction a close is postponed to its end, and so is a new life of the same consumer. The commit
/// closes the first life and not the second.
#[test]
fn rule_3_9_a_consumer_opens_again_once_its_postponed_close_is_done() {
    let run = run(r#"{
      "producers": [{"name": "a", "destination": "queue://A", "arrivals": {"at": ["0ms", "300ms"]}},
                    {"name": "b", "destination": "queue://B", "arrivals": {"at": ["10ms", "200ms"]}}],
      "consumers": [
        {"name": "stays", "session": "s", "destination": "queue://B", "acknowledgeMode": "SESSION_TRANSACTED",
         "transaction": {"size": 3}},
        {"name": "c", "session": "s", "destination": "queue://A", "acknowledgeMode": "SESSION_TRANSACTED",
         "transaction": {"size": 3}, "failures": [{"close": {"afterDeliveries": 1, "restartAfter": "50ms"}}]}],
      "until": "1s"
    }"#);
    assert_eq!(run.timed_delivered("c"), ["@0 a:1", "@300 a:2"]);
    assert_eq!(
        run.broker("c"),
        [
            "dispatch a:1",
            "STANDARD a:1..a:1 x1 tx",
            "close",
            "dispatch a:2",
        ]
    );
}

/// Example 12.31, and what makes an ack bad: messages that wait for their local redelivery survive a reconnect, and the
/// broker sends them again besides. When the first copies are committed, the second are not in flight any more; so, other
/// than in the example, the next commit fails as well. (The real broker was seen to do so up to the first failure.)
#[test]
fn rule_12_31_a_bad_ack_fails_the_commit_and_the_messages_come_again() {
    let run = run(r#"{
      "broker": {"restarts": [{"at": "300ms", "downFor": "100ms"}]},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 2}],
      "consumers": [{"name": "c", "destination": "queue://Q", "start": "50ms", "receive": "receive", "processing": "20ms",
        "url": "failover:(tcp://b)?jms.redeliveryPolicy.initialRedeliveryDelay=1500",
        "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 2},
        "failures": [{"throw": {"messages": [2], "times": 1}}]}],
      "until": "3500ms"
    }"#);
    let standard = "STANDARD m:1..m:2 x2 tx";
    let rolled_back = ["begin", standard, "rollback", "lost"];
    let committed = ["begin", standard, "commit"];
    let failed = ["begin", standard, "rejected", "commit"];
    let redelivered = ["REDELIVERED m:1..m:2 x2", "rejected"];
    assert_eq!(
        run.acks("c"),
        [&rolled_back[..], &committed, &failed, &failed, &redelivered].concat()
    );
    assert_eq!(
        run.timed_delivered("c"),
        [
            "@50 m:1",
            "@70 m:2",
            "@1590 m:1 count=2",
            "@1610 m:2 count=2",
            "@1630 m:1",
            "@1650 m:2",
            "@3170 m:1 count=2",
            "@3190 m:2 count=2",
        ],
        "the initial delay after the failed commit, too"
    );
    assert!(run.remaining().is_empty());
}

/// `commitWhenIdle` ends a transaction on a thread of its own: `receive` does not wait for that. What it takes meanwhile is
/// handed over at once, is rolled back with the rest, and comes again, while the application goes on with what it has as
/// soon as its session is free.
#[test]
fn rule_5_5_a_timer_rolls_back_what_receive_takes_meanwhile() {
    let run = run(r#"{
      "network": {"latency": "1ms"},
      "producers": [{"name": "m", "destination": "queue://Q", "deliveryMode": "NON_PERSISTENT",
        "arrivals": {"at": ["0ms", "6ms"]}, "messages": 2}],
      "consumers": [{"name": "c", "destination": "queue://Q", "receive": {"receive": {"timeout": "100ms"}},
        "acknowledgeMode": "SESSION_TRANSACTED",
        "transaction": {"size": 9, "rollBack": [1], "commitWhenIdle": "5ms"}}],
      "until": "1100ms"
    }"#);
    // Asked for at 7 ms, answered at 9.
    assert_eq!(
        run.timed_delivered("c"),
        ["@2 m:1", "@8 m:2", "@1009 m:1..m:2 count=2"]
    );
    assert!(run.remaining().is_empty());
}
