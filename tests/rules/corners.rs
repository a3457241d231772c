//! Rules that the worked examples don't reach.

use crate::common::run;

/// What a consumer `b` in the session of a busy listener `a` sees; `a` works 100 ms on each of three messages.
fn neighbours(failures: &str) -> crate::common::Run {
    run(&format!(
        r#"{{
      "network": {{"latency": "0us"}},
      "producers": [{{"name": "m", "destination": "queue://A", "messages": 3}},
                    {{"name": "n", "destination": "queue://B", "messages": 1}}],
      "consumers": [
        {{"name": "a", "destination": "queue://A", "session": "s", "processing": "100ms",
          "url": "tcp://b?jms.redeliveryPolicy.initialRedeliveryDelay=1000", "failures": [{failures}]}},
        {{"name": "b", "destination": "queue://B", "session": "s", "start": "150ms",
          "url": "tcp://b?jms.redeliveryPolicy.initialRedeliveryDelay=1000"}}]
    }}"#
    ))
}

/// Rule: listener-waits-for-session
#[test]
fn rule_3_4_a_new_listener_waits_for_the_one_at_work() {
    assert_eq!(neighbours("").timed("b")[0], "@200 dispatch n:1");
}

/// The first message fails at 100 ms and should pause the consumer until 1100 ms; the new listener restarts the session
/// at 150 ms.
///
/// Rule: restart-ends-pauses, buffers-before-fifo
#[test]
fn rule_4_1_a_new_listener_ends_the_pause_of_its_neighbour() {
    let run = neighbours(r#"{"throw": {"messages": ["m:1"], "times": 1}}"#);
    let expected = ["@0 m:1", "@150 m:2", "@250 m:3", "@1100 m:1 count=2"];
    assert_eq!(run.timed_delivered("a"), expected);
}

/// The message that is on its way when the consumer closes goes to the next one, and was never delivered.
///
/// Rule: dispatch-to-nobody
#[test]
fn rule_3_2_a_dispatch_to_a_closed_consumer_comes_back() {
    let run = run(r#"{
      "network": {"latency": "10ms"},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1}],
      "consumers": [
        {"name": "c", "destination": "queue://Q", "stop": "15ms"},
        {"name": "next", "destination": "queue://Q", "start": "100ms"}]
    }"#);
    assert_eq!(run.broker("c"), ["dispatch m:1", "close"]);
    assert!(run.delivered("c").is_empty());
    assert_eq!(run.delivered("next"), ["m:1"]);
}

/// Rule: buffers-by-priority
#[test]
fn rule_2_1_client_buffers_may_go_by_priority() {
    let delivered = |option: &str| {
        run(&format!(
            r#"{{
      "network": {{"latency": "0us"}},
      "producers": [{{"name": "low", "destination": "queue://Q", "messages": 3, "priority": 1}},
                    {{"name": "high", "destination": "queue://Q", "messages": 1, "priority": 9, "start": "5ms"}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "processing": "10ms", "url": "tcp://b{option}"}}]
    }}"#
        ))
        .delivered("c")
    };
    assert_eq!(delivered(""), ["low:1..low:3", "high:1"]);
    let by_priority = ["low:1", "high:1", "low:2..low:3"];
    assert_eq!(delivered("?jms.messagePrioritySupported=true"), by_priority);
}

/// The message expires on its way. The waiting receive returns null and the next one pulls again at once, not when the
/// second that it could have waited is over.
///
/// Rule: expired-pull-returns-null
#[test]
fn rule_3_2_an_expired_answer_to_a_pull_is_null() {
    let run = run(r#"{
      "network": {"latency": "10ms"}, "until": "500ms",
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1, "timeToLive": "15ms"}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 0, "receive": {"receive": {"timeout": "1s"}}}]
    }"#);
    assert!(run.delivered("c").is_empty());
    let acks = run.timed_acks("c");
    assert_eq!(acks[0], "@10 pull timeout=1000");
    assert_eq!(
        acks[1..],
        ["@30 EXPIRED m:1..m:1 x1", "@30 pull timeout=1000"]
    );
}

/// Rule: acks-may-wait
#[test]
fn rule_2_1_synchronous_acks_wait_for_the_answer() {
    let delivered = |option: &str| {
        run(&format!(
            r#"{{
      "network": {{"latency": "10ms"}},
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 2, "deliveryMode": "NON_PERSISTENT"}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "url": "tcp://b{option}"}}]
    }}"#
        ))
        .timed_delivered("c")
    };
    assert_eq!(delivered(""), ["@20 m:1..m:2"]);
    let synchronous = ["@20 m:1", "@40 m:2"];
    assert_eq!(delivered("?jms.sendAcksAsync=false"), synchronous);
}

/// The message waits, paged in, behind a full window, and is expired when there is room.
///
/// Rule: expired-at-hand-over
#[test]
fn rule_6_3_what_waits_expires_at_hand_over() {
    let run = run(r#"{
      "network": {"latency": "0us"},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1},
                    {"name": "short", "destination": "queue://Q", "messages": 1, "timeToLive": "50ms", "start": "1ms"}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 1, "processing": "100ms"}]
    }"#);
    assert_eq!(run.expired_at_broker(), ["@100 expired short:1"]);
    assert_eq!(run.dispatched("c"), ["m:1"]);
}

/// After 1031 groups on two consumers message 1032 is of group 1 again, which is forgotten: the one whose turn it is
/// gets it, not the owner.
///
/// Rule: groups-are-1024
#[test]
fn rule_6_3_the_1025th_group_pushes_out_the_least_recently_used() {
    let last_of_a = |groups: u32| {
        let run = run(&format!(
            r#"{{
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": {}, "groups": {{"count": {groups}}}}}],
      "consumers": [
        {{"name": "a", "destination": "queue://Q", "prefetchSize": 3000}},
        {{"name": "b", "destination": "queue://Q", "prefetchSize": 3000}}]
    }}"#,
            groups + 1
        ));
        run.delivered("a").last().expect("a line").clone()
    };
    assert_eq!(last_of_a(1023), "m:1023..m:1024");
    assert_eq!(last_of_a(1031), "m:1031");
}

/// A sync send to a topic whose answer is lost comes again under the same id.
///
/// Rule: topic-audit
#[test]
fn rule_7_2_a_topic_with_a_policy_ignores_a_repeat() {
    let delivered = |policies: &str| {
        run(&format!(
            r#"{{
      "broker": {{"policies": {{{policies}}}}},
      "producers": [{{"name": "m", "destination": "topic://T", "messages": 2, "deliveryMode": "NON_PERSISTENT",
        "url": "tcp://b?jms.alwaysSyncSend=true", "failures": [{{"loseReply": {{"messages": [1]}}}}]}}],
      "consumers": [{{"name": "c", "destination": "topic://T"}}]
    }}"#
        ))
        .delivered("c")
    };
    assert_eq!(delivered(""), ["m:1", "m:1..m:2"]);
    assert_eq!(
        delivered(r#""topic://T": {"maxPageSize": 200}"#),
        ["m:1..m:2"]
    );
}

/// A client that died without a word holds its durable subscription; until the broker notices nobody else gets it.
///
/// Rule: durable-in-use
#[test]
fn rule_7_4_a_durable_subscription_has_one_consumer_at_a_time() {
    let run = run(r#"{
      "network": {"latency": "0us"}, "until": "2s",
      "producers": [{"name": "m", "destination": "topic://T", "arrivals": {"at": ["10ms", "300ms", "900ms"]}}],
      "consumers": [{"name": "c", "destination": "topic://T", "durable": "d",
        "failures": [{"crash": {"afterDeliveries": 1, "restartAfter": "100ms", "detectedAfter": "500ms"}}]}]
    }"#);
    assert_eq!(run.delivered("c"), ["m:1"]);
}

/// Rule: article-1
#[test]
fn article_1_the_time_out_is_a_timer() {
    let acks = |semantics: &str| {
        run(&format!(
            r#"{{
      "semantics": "{semantics}", "network": {{"latency": "0us"}}, "until": "2s",
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 3}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "prefetchSize": 100, "url": "tcp://b?jms.optimizeAcknowledge=true"}}]
    }}"#
        ))
        .timed_acks("c")
    };
    assert!(acks("activemq-5.17").is_empty());
    assert_eq!(acks("article"), ["@300 STANDARD m:1..m:3 x3"]);
}

/// Rule: article-2
#[test]
fn article_2_dups_ok_on_a_queue_is_optimized() {
    let run = run(r#"{
      "semantics": "article",
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 7}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 10, "acknowledgeMode": "DUPS_OK_ACKNOWLEDGE",
        "url": "tcp://b?jms.optimizeAcknowledge=true"}]
    }"#);
    assert_eq!(run.acks("c")[0], "STANDARD m:1..m:7 x7");
}

/// Rule: article-6
#[test]
fn article_6_listeners_of_a_session_work_in_parallel() {
    let started = |semantics: &str| {
        let run = run(&format!(
            r#"{{
      "semantics": "{semantics}", "network": {{"latency": "0us"}},
      "producers": [{{"name": "m", "destination": "queue://A", "messages": 1}},
                    {{"name": "n", "destination": "queue://B", "messages": 1}}],
      "consumers": [
        {{"name": "a", "destination": "queue://A", "session": "s", "processing": "100ms"}},
        {{"name": "b", "destination": "queue://B", "session": "s", "processing": "100ms"}}]
    }}"#
        ));
        run.timed_delivered("b")
    };
    assert_eq!(started("activemq-5.17"), ["@100 n:1"]);
    assert_eq!(started("article"), ["@0 n:1"]);
}

/// What the broker has counted once fails twice: by its own counter it gets the delay after the initial one, and that once
/// more; by 5.17.2 the plain delay first.
///
/// Rule: delay-per-message
#[test]
fn activemq_6_computes_the_delay_per_message() {
    let run = run(r#"{
      "semantics": "activemq-6", "network": {"latency": "0us"},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1}],
      "consumers": [
        {"name": "first", "destination": "queue://Q", "failures": [{"hang": {"afterDeliveries": 1}}, {"crash": {"at": "100ms"}}]},
        {"name": "next", "destination": "queue://Q", "start": "200ms",
         "url": "tcp://b?jms.redeliveryPolicy.initialRedeliveryDelay=500&jms.redeliveryPolicy.redeliveryDelay=100&jms.redeliveryPolicy.useExponentialBackOff=true&jms.redeliveryPolicy.backOffMultiplier=2",
         "failures": [{"throw": {"messages": [1], "times": 2}}]}]
    }"#);
    // Two failures by its counter: 500, doubled once; then three.
    let expected = ["@200 m:1 count=2", "@1200 m:1 count=3", "@3200 m:1 count=4"];
    assert_eq!(run.timed_delivered("next"), expected);
}

/// The ack of the second message finds no connection. It comes again, is taken for a duplicate, and poisoned.
///
/// Rule: failover-swallows-acks
#[test]
fn rule_10_2_acks_without_a_connection_are_swallowed() {
    let run = run(r#"{
      "network": {"latency": "0us"},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 2}],
      "consumers": [{"name": "c", "destination": "queue://Q", "processing": "10ms", "url": "failover:(tcp://b)",
        "failures": [{"disconnect": {"at": "15ms", "for": "50ms"}}]}]
    }"#);
    let acks = ["STANDARD m:1..m:1 x1", "lost", "POISON m:2..m:2 x1"];
    assert_eq!(run.acks("c")[..3], acks);
    assert_eq!(run.dead(), ["m:2"]);
}

/// The network is back after some 30 ms, but the listener works until 100 ms.
///
/// Rule: failover-prefetch-0
#[test]
fn rule_10_2_a_busy_listener_subscribes_again_with_prefetch_0() {
    let run = run(r#"{
      "network": {"latency": "0us"},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 3}],
      "consumers": [{"name": "c", "destination": "queue://Q", "processing": "100ms", "url": "failover:(tcp://b)",
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true},
        "failures": [{"disconnect": {"at": "15ms", "for": "5ms"}}]}]
    }"#);
    let again = run
        .timed("c")
        .into_iter()
        .find(|line| line.contains("redelivery=1"));
    assert_eq!(
        again.expect("they come again"),
        "@100 dispatch m:1..m:3 redelivery=1"
    );
}

/// A producer's transactions of two messages at 0 and 10 ms, 100 and 110 ms, and so on; the broker restarts.
fn restarted(at: &str) -> Vec<String> {
    run(&format!(
        r#"{{
      "network": {{"latency": "10ms"}}, "until": "5s",
      "broker": {{"restarts": [{{"at": "{at}", "downFor": "50ms"}}]}},
      "producers": [{{"name": "m", "destination": "queue://Q", "transaction": {{"size": 2}},
        "arrivals": {{"at": ["0ms", "10ms", "300ms", "310ms"]}}}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "start": "1s"}}]
    }}"#
    ))
    .delivered("c")
}

/// The broker forgets an open transaction; the transport repeats it.
///
/// Rule: failover-repeats-sends
#[test]
fn rule_10_2_a_producers_open_transaction_survives_a_restart() {
    assert_eq!(restarted("295ms"), ["m:1..m:4"]);
}

/// The broker stops while the first commit is on its way: nobody repeats it, and the caller learns of a rollback.
///
/// Rule: commit-in-doubt
#[test]
fn rule_10_2_a_commit_in_doubt_is_rolled_back() {
    assert_eq!(restarted("15ms"), ["m:3..m:4"]);
}

/// The connection breaks while the answer to the commit is on its way; the client redelivers what it had.
///
/// Rule: failed-commit-redelivers
#[test]
fn rule_5_4_after_a_failed_commit_the_client_redelivers() {
    let run = run(r#"{
      "network": {"latency": "10ms"}, "until": "2s",
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 2, "deliveryMode": "NON_PERSISTENT"}],
      "consumers": [{"name": "c", "destination": "queue://Q", "acknowledgeMode": "SESSION_TRANSACTED", "transaction": {"size": 2},
        "url": "failover:(tcp://b)?jms.redeliveryPolicy.initialRedeliveryDelay=100",
        "failures": [{"disconnect": {"at": "25ms", "for": "5ms"}}]}]
    }"#);
    assert_eq!(run.delivered("c")[..2], ["m:1..m:2", "m:1..m:2 count=2"]);
}
