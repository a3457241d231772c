//! Local redelivery, its delays, and the two counters.

use crate::common::run;

/// Rules 4.1, 4.3, 6.7.
/// Rule: redelivery-is-local
#[test]
fn rule_4_1_a_failing_message_stays_with_its_consumer() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 4}],
      "consumers": [
        {"name": "c1", "destination": "queue://Q", "prefetchSize": 1, "url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=2",
         "failures": [{"throw": {"messages": [1]}}]},
        {"name": "c2", "destination": "queue://Q", "prefetchSize": 1}]
    }"#);
    assert_eq!(run.delivered("c1"), ["m:1", "m:1 count=2", "m:1 count=3"]);
    assert_eq!(run.dispatched("c1"), ["m:1"], "the broker sends it once");
    assert_eq!(run.delivered("c2"), ["m:2..m:4"]);
    assert_eq!(run.dead(), ["m:1"]);
}

/// Rule 4.1: the pause blocks this consumer only.
/// Rule: redelivery-blocks
#[test]
fn rule_4_1_other_consumers_of_the_session_go_on() {
    let run = run(r#"{
      "network": {"latency": "0us"},
      "producers": [{"name": "a", "destination": "queue://A", "messages": 2},
                    {"name": "b", "destination": "queue://B", "arrivals": {"at": ["100ms"]}}],
      "consumers": [
        {"name": "ca", "session": "s", "destination": "queue://A", "failures": [{"throw": {"messages": [1], "times": 1}}]},
        {"name": "cb", "session": "s", "destination": "queue://B"}]
    }"#);
    assert_eq!(
        run.timed_delivered("ca"),
        ["@0 a:1", "@1000 a:1 count=2", "@1000 a:2"]
    );
    assert_eq!(run.timed_delivered("cb"), ["@100 b:1"]);
}

/// Rules 4.1, 5.5: the counter of CLIENT falls below zero, so what was reported is not reported again.
/// Rule: counter-goes-below-0
#[test]
fn rule_4_1_what_was_reported_delivered_is_not_reported_again() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 8}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 4, "start": "100ms",
        "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true}, "receive": "receive",
        "processing": "10ms", "failures": [{"throw": {"messages": [2], "times": 1}}]}]
    }"#);
    assert_eq!(
        run.broker("c"),
        [
            "dispatch m:1..m:4",
            "DELIVERED m:1..m:2 x2",
            "dispatch m:5..m:6",
            // m:1 and m:2 again, and nothing for them.
            "DELIVERED m:1..m:4 x2",
            "dispatch m:7..m:8",
            "DELIVERED m:5..m:6 x2",
            "DELIVERED m:7..m:8 x2",
        ]
    );
}

/// When m:1 is delivered if it always fails, in milliseconds.
fn deliveries(policy: &str) -> Vec<u64> {
    let policy: Vec<String> = policy
        .split(' ')
        .map(|setting| format!("jms.redeliveryPolicy.{setting}"))
        .collect();
    let run = run(&format!(
        r#"{{
      "network": {{"latency": "0us"}}, "until": "100s",
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 1}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "url": "tcp://b?{}",
        "failures": [{{"throw": {{"messages": [1]}}}}]}}]
    }}"#,
        policy.join("&")
    ));
    let time = |line: &String| {
        line[1..]
            .split(' ')
            .next()
            .map(|time| time.parse().expect("a time"))
    };
    run.timed_delivered("c").iter().filter_map(time).collect()
}

fn gaps(times: &[u64]) -> Vec<u64> {
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Rule 4.2.
/// Rule: delay-initial, delay-next
#[test]
fn rule_4_2_delays() {
    assert_eq!(
        deliveries("maximumRedeliveries=6"),
        [0, 1000, 2000, 3000, 4000, 5000, 6000],
        "the defaults"
    );
    assert_eq!(
        deliveries("maximumRedeliveries=3 initialRedeliveryDelay=100 redeliveryDelay=300"),
        [0, 100, 400, 700]
    );
    assert_eq!(
        gaps(&deliveries(
            "maximumRedeliveries=6 initialRedeliveryDelay=50 redeliveryDelay=70 useExponentialBackOff=true backOffMultiplier=2 maximumRedeliveryDelay=300"
        )),
        [50, 100, 200, 300, 300, 300]
    );
}

/// Rule 4.2: without a previous delay there is nothing to grow, and a cap below the plain delay has no effect.
/// Rule: delay-exponential
#[test]
fn rule_4_2_growth_begins_with_the_second_delay() {
    assert_eq!(
        deliveries(
            "maximumRedeliveries=3 initialRedeliveryDelay=0 redeliveryDelay=500 useExponentialBackOff=true backOffMultiplier=2"
        ),
        [0, 0, 500, 1500]
    );
    assert_eq!(
        gaps(&deliveries(
            "maximumRedeliveries=3 initialRedeliveryDelay=100 redeliveryDelay=400 useExponentialBackOff=true backOffMultiplier=10 maximumRedeliveryDelay=50"
        )),
        [100, 400, 400]
    );
    assert_eq!(
        gaps(&deliveries(
            "maximumRedeliveries=3 initialRedeliveryDelay=100 redeliveryDelay=50 useExponentialBackOff=true backOffMultiplier=1"
        )),
        [100, 50, 50],
        "only a multiplier above 1 counts"
    );
}

/// Rule 4.2: jitter of 15 % either way, not on the initial delay.
/// Rule: delay-collision
#[test]
fn rule_4_2_collision_avoidance() {
    let gaps = gaps(&deliveries(
        "maximumRedeliveries=60 useCollisionAvoidance=true",
    ));
    assert_eq!(gaps.len(), 60);
    assert_eq!(gaps[0], 1000);
    assert!(
        gaps[1..].iter().all(|gap| (850..=1149).contains(gap)),
        "{gaps:?}"
    );
    assert!(gaps[1..].iter().any(|gap| *gap < 1000) && gaps[1..].iter().any(|gap| *gap > 1000));
}

/// Rules 4.2, 6.6: what comes from the broker as redelivered never gets the initial delay.
/// Rule: delay-of-the-consumer
#[test]
fn rule_4_2_a_count_from_the_broker_skips_the_initial_delay() {
    let run = run(r#"{
      "network": {"latency": "0us"},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1}],
      "consumers": [
        {"name": "first", "destination": "queue://Q", "failures": [{"hang": {"afterDeliveries": 1}}, {"crash": {"at": "100ms"}}]},
        {"name": "next", "destination": "queue://Q", "start": "200ms",
         "url": "tcp://b?jms.redeliveryPolicy.initialRedeliveryDelay=5000&jms.redeliveryPolicy.redeliveryDelay=300",
         "failures": [{"throw": {"messages": [1], "times": 2}}]}]
    }"#);
    assert_eq!(
        run.timed_delivered("next"),
        ["@200 m:1 count=2", "@500 m:1 count=3", "@800 m:1 count=4"]
    );
}

/// Rule 4.3.
/// Rule: throw-redelivers
#[test]
fn rule_4_3_individual_redelivers_all_that_is_unacknowledged() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 6}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 100,
        "acknowledgeMode": "INDIVIDUAL_ACKNOWLEDGE", "acknowledge": {"every": 2},
        "failures": [{"throw": {"messages": [4], "times": 1}}]}]
    }"#);
    // m:2 was acknowledged; m:1 and m:3 were good and come again nevertheless.
    let expected = ["m:1..m:4", "m:1 count=2", "m:3..m:4 count=2", "m:5..m:6"];
    assert_eq!(run.delivered("c"), expected);
}

/// Rule 4.3.
/// Rule: throw-redelivers, auto-acks-each
#[test]
fn rule_4_3_dups_ok_on_a_queue_is_as_auto() {
    let delivered = |mode: &str| {
        run(&format!(
            r#"{{
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 3}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "acknowledgeMode": "{mode}",
        "failures": [{{"throw": {{"messages": [2], "times": 1}}}}]}}]
    }}"#
        ))
        .delivered("c")
    };
    assert_eq!(
        delivered("DUPS_OK_ACKNOWLEDGE"),
        ["m:1..m:2", "m:2 count=2", "m:3"]
    );
    assert_eq!(
        delivered("AUTO_ACKNOWLEDGE"),
        delivered("DUPS_OK_ACKNOWLEDGE")
    );
}

/// Rule 4.3: receive has acknowledged it already.
/// Rule: recover
#[test]
fn rule_4_3_recover_has_no_effect_in_auto() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 3}],
      "consumers": [{"name": "c", "destination": "queue://Q", "receive": "receive", "onFailure": "recover",
        "failures": [{"throw": {"messages": [2]}}]}]
    }"#);
    assert_eq!(run.delivered("c"), ["m:1..m:3"]);
}

/// Rule 4.4: three local redeliveries, and the broker counts one.
/// Rule: broker-does-not-count-local, redelivered-ack
#[test]
fn rule_4_4_the_broker_does_not_count_local_redeliveries() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1}],
      "consumers": [
        {"name": "first", "destination": "queue://Q",
         "url": "tcp://b?jms.redeliveryPolicy.initialRedeliveryDelay=10&jms.redeliveryPolicy.redeliveryDelay=10",
         "failures": [{"throw": {"messages": [1]}}, {"crash": {"afterDeliveries": 4}}]},
        {"name": "next", "destination": "queue://Q", "start": "500ms"}]
    }"#);
    assert_eq!(
        run.delivered("first"),
        ["m:1", "m:1 count=2", "m:1 count=3", "m:1 count=4"]
    );
    assert_eq!(run.delivered("next"), ["m:1 count=2"]);
}

/// What the broker says of two prefetched messages, one of them delivered, after a close or a broker restart.
fn counters(policy: &str, end: &str) -> Vec<String> {
    run(&format!(
        r#"{{
      "broker": {{"policies": {{"queue://Q": {{{policy}}}}}, "restarts": [{{"at": "500ms", "downFor": "100ms"}}]}},
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 2}}],
      "consumers": [
        {{"name": "first", "destination": "queue://Q", "receive": "receive",
          "acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {{"never": true}}, "processing": "10ms",
          "failures": [{{"close": {{"afterDeliveries": 1}}}}]}},
        {{"name": "next", "destination": "queue://Q", "start": "{end}"}}]
    }}"#
    ))
    .dispatched("next")
}

/// Rule 4.4.
/// Rule: broker-restart
#[test]
fn rule_4_4_a_broker_restart_forgets_the_counters() {
    assert_eq!(counters("", "200ms"), ["m:1 redelivery=1", "m:2"]);
    assert_eq!(counters("", "1s"), ["m:1..m:2"]);
}

/// Rule 4.4: the first dispatch alone counts one.
/// Rule: persist-jms-redelivered
#[test]
fn rule_4_4_persist_jms_redelivered() {
    let persist = r#""persistJMSRedelivered": true"#;
    assert_eq!(
        counters(persist, "200ms"),
        ["m:1 redelivery=2", "m:2 redelivery=1"]
    );
}

/// Rule 4.5.
/// Rule: pre-dispatch-check
#[test]
fn rule_4_5_without_the_check_a_crash_loop_never_ends() {
    let run = run(r#"{
      "until": "1s",
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1}],
      "consumers": [{"name": "c", "destination": "queue://Q",
        "url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=1&jms.redeliveryPolicy.preDispatchCheck=false",
        "acknowledgeMode": "SESSION_TRANSACTED",
        "failures": [{"crash": {"afterDeliveries": 1, "once": false, "restartAfter": "100ms"}}]}]
    }"#);
    assert!(run.delivered("c").contains(&"m:1 count=5".to_owned()));
    assert!(run.dead().is_empty());
}

/// Rule 4.6. The client gives up at once; the plugin sends again after 4 s, then after 2 s, then gives up, too.
/// Rule: redelivery-plugin, redelivery-plugin-gives-up
#[test]
fn rule_4_6_the_redelivery_plugin_sends_again() {
    let run = run(r#"{
      "network": {"latency": "0us"}, "until": "20s",
      "broker": {"redeliveryPlugin": {"redeliveryPolicy":
        {"maximumRedeliveries": 2, "initialRedeliveryDelay": 4000, "redeliveryDelay": 2000}}},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1}],
      "consumers": [{"name": "c", "destination": "queue://Q", "url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=0",
        "failures": [{"throw": {"messages": [1]}}]}]
    }"#);
    assert_eq!(run.delivered("c"), ["m:1", "m:1 count=2", "m:1 count=3"]);
    let times: Vec<u64> = run
        .timed_delivered("c")
        .iter()
        .map(|line| {
            line[1..]
                .split(' ')
                .next()
                .expect("a time")
                .parse()
                .expect("a number")
        })
        .collect();
    // ActiveMQ's scheduler may add up to half a second.
    assert!((4000..=4500).contains(&times[1]), "{times:?}");
    assert!((2000..=2500).contains(&(times[2] - times[1])), "{times:?}");
    assert_eq!(run.dead(), ["m:1"]);
}
