//! The broker's queues: paging, assignment, what comes back, dead letters, expiry.

use crate::common::run;

/// What a consumer gets that waits for its first ack, and then for no more.
fn pages(policy: &str) -> Vec<String> {
    run(&format!(
        r#"{{
      "broker": {{"policies": {{"queue://Q": {{{policy}}}}}}},
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 1000}}],
      "consumers": [{{"name": "c", "destination": "queue://Q?consumer.prefetchSize=900", "start": "5s",
        "failures": [{{"hang": {{"afterDeliveries": 2}}}}]}}]
    }}"#
    ))
    .broker("c")
}

/// Rule 6.2: a subscribe requests one pass, an ack two.
/// Rule: page
#[test]
fn rule_6_2_a_pass_takes_a_page_of_200() {
    assert_eq!(
        pages(""),
        [
            "dispatch m:1..m:200",
            "STANDARD m:1..m:1 x1",
            "dispatch m:201..m:600"
        ]
    );
    assert_eq!(
        pages(r#""maxPageSize": 50"#),
        [
            "dispatch m:1..m:50",
            "STANDARD m:1..m:1 x1",
            "dispatch m:51..m:150"
        ]
    );
}

/// Rules 3.7, 6.2: 650 would be needed for an ack.
/// Rule: passes-of-an-ack
#[test]
fn rule_6_2_a_consumer_that_acknowledges_rarely_stands_still() {
    let delivered = |consumer: &str| {
        run(&format!(
            r#"{{
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 1000}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "start": "5s", {consumer}}}]
    }}"#
        ))
        .delivered("c")
    };
    assert_eq!(
        delivered(r#""url": "tcp://b?jms.optimizeAcknowledge=true""#),
        ["m:1..m:200"]
    );
    assert_eq!(
        delivered(r#""acknowledgeMode": "CLIENT_ACKNOWLEDGE", "acknowledge": {"never": true}"#),
        ["m:1..m:200"]
    );
    assert_eq!(
        delivered(r#""acknowledgeMode": "AUTO_ACKNOWLEDGE""#),
        ["m:1..m:1000"]
    );
}

/// Rules 6.2, 6.3: a message that its full owner blocks does not block those behind it.
/// Rule: groups-have-owners
#[test]
fn rule_6_3_a_group_waits_for_its_full_owner() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 8, "groups": {"count": 2}}],
      "consumers": [
        {"name": "stuck", "destination": "queue://Q", "prefetchSize": 1, "failures": [{"hang": {"afterDeliveries": 1}}]},
        {"name": "free", "destination": "queue://Q", "prefetchSize": 1}]
    }"#);
    assert_eq!(run.dispatched("stuck"), ["m:1"]);
    assert_eq!(run.delivered("free"), ["m:2", "m:4", "m:6", "m:8"]);
    assert_eq!(run.remaining(), ["m:1", "m:3", "m:5", "m:7"]);
}

/// Rule 6.3: when the owner leaves, its groups are free.
/// Rule: groups-become-free
#[test]
fn rule_6_3_groups_of_a_consumer_that_leaves_are_free() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 4, "groups": {"count": 2}},
                    {"name": "late", "destination": "queue://Q", "messages": 2, "groups": {"count": 2}, "start": "500ms"}],
      "consumers": [
        {"name": "a", "destination": "queue://Q", "stop": "200ms"},
        {"name": "b", "destination": "queue://Q"}]
    }"#);
    assert_eq!(run.delivered("a"), ["m:1", "m:3"]);
    assert_eq!(run.delivered("b"), ["m:2", "m:4", "late:1..late:2"]);
}

/// Rule 6.3: no rebalancing, and a late comer owns nothing.
/// Rule: groups-become-free
#[test]
fn rule_6_3_groups_stay_when_a_consumer_comes() {
    let run = run(r#"{
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 3, "groups": {"count": 3}},
                    {"name": "late", "destination": "queue://Q", "messages": 3, "groups": {"count": 3}, "start": "500ms"}],
      "consumers": [
        {"name": "a", "destination": "queue://Q"},
        {"name": "b", "destination": "queue://Q", "start": "200ms"}]
    }"#);
    assert_eq!(run.delivered("a"), ["m:1..m:3", "late:1..late:3"]);
    assert!(run.delivered("b").is_empty());
}

/// Who gets the messages of 100 ms, 300 ms and 500 ms; consumers leave at 200 ms and 400 ms.
fn owners(policy: &str, consumers: [&str; 3]) -> [Vec<String>; 3] {
    let [a, b, c] = consumers;
    let run = run(&format!(
        r#"{{
      "broker": {{"policies": {{"queue://Q": {{{policy}}}}}}},
      "producers": [{{"name": "m", "destination": "queue://Q", "arrivals": {{"at": ["100ms", "300ms", "500ms"]}}}}],
      "consumers": [
        {{"name": "a", "destination": "queue://Q?{a}", "stop": "200ms"}},
        {{"name": "b", "destination": "queue://Q?{b}", "stop": "400ms"}},
        {{"name": "c", "destination": "queue://Q?{c}"}}]
    }}"#
    ));
    ["a", "b", "c"].map(|name| run.delivered(name))
}

/// Rule 6.3.
/// Rule: exclusive-has-a-successor
#[test]
fn rule_6_3_exclusive_consumers_succeed_each_other() {
    let exclusive = "consumer.exclusive=true";
    let plain = "consumer.exclusive=false";
    assert_eq!(
        owners("", [exclusive, plain, exclusive]),
        [vec!["m:1"], vec![], vec!["m:2..m:3"]]
    );
    assert_eq!(
        owners("", [exclusive, plain, plain]),
        [["m:1"], ["m:2"], ["m:3"]],
        "or all may"
    );
    let by_default = r#""allConsumersExclusiveByDefault": true"#;
    assert_eq!(
        owners(by_default, [plain, plain, plain]),
        [["m:1"], ["m:2"], ["m:3"]]
    );
}

/// Rule 6.3: a later exclusive consumer takes over with a higher priority, or with 127 in any case.
/// Rule: exclusive-is-replaced
#[test]
fn rule_6_3_a_higher_priority_takes_the_exclusive_place() {
    let owners = |priorities: [i32; 3]| {
        let [a, b, c] =
            priorities.map(|p| format!("consumer.exclusive=true&consumer.priority={p}"));
        owners("", [&a, &b, &c]).map(|list| list.concat())
    };
    assert_eq!(owners([1, 5, 3]), ["", "m:1..m:2", "m:3"]);
    assert_eq!(owners([127, 127, 10]), ["", "m:1..m:2", "m:3"]);
    assert_eq!(owners([5, 5, 5]), ["m:1", "m:2", "m:3"]);
}

/// Rule 6.3.
/// Rule: consumer-priority-off
#[test]
fn rule_6_3_consumer_priority_can_be_switched_off() {
    let delivered = |policy: &str| {
        let run = run(&format!(
            r#"{{
      "broker": {{"policies": {{"queue://Q": {{{policy}}}}}}},
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 4}}],
      "consumers": [{{"name": "a", "destination": "queue://Q"}},
                    {{"name": "b", "destination": "queue://Q?consumer.priority=5"}}]
    }}"#
        ));
        [run.delivered("a"), run.delivered("b")]
    };
    assert_eq!(delivered(""), [vec![], vec!["m:1..m:4"]]);
    assert_eq!(
        delivered(r#""useConsumerPriority": false"#),
        [["m:1", "m:3"], ["m:2", "m:4"]]
    );
}

/// Rules 2.2, 6.3.
/// Rule: dispatch-waits-for-consumers
#[test]
fn rule_6_3_dispatch_may_wait_for_a_second_consumer() {
    let run = run(r#"{
      "broker": {"policies": {"queue://Q": {"consumersBeforeDispatchStarts": 2, "timeBeforeDispatchStarts": 10000}}},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 4}],
      "consumers": [{"name": "a", "destination": "queue://Q"},
                    {"name": "b", "destination": "queue://Q", "start": "500ms"}]
    }"#);
    assert!(run.timed("a")[0].starts_with("@50"), "{:?}", run.timed("a"));
    assert_eq!(
        [run.delivered("a").concat(), run.delivered("b").concat()],
        ["m:1m:3", "m:2m:4"]
    );
}

/// Rules 6.2, 6.3: a prioritized queue.
/// Rule: queue-by-priority
#[test]
fn rule_6_2_higher_message_priority_overtakes_what_waits() {
    let run = run(r#"{
      "broker": {"policies": {"queue://Q": {"prioritizedMessages": true}}},
      "producers": [{"name": "low", "destination": "queue://Q", "messages": 4, "priority": 1},
                    {"name": "high", "destination": "queue://Q", "messages": 2, "priority": 8, "start": "50ms"}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 1,
        "failures": [{"hang": {"afterDeliveries": 1, "for": "100ms"}}]}]
    }"#);
    assert_eq!(
        run.delivered("c"),
        ["low:1", "high:1..high:2", "low:2..low:4"]
    );
}

/// What became of three messages, the second of which is poisoned at once.
fn poisoned(policy: &str, producer: &str) -> [Vec<String>; 3] {
    let run = run(&format!(
        r#"{{
      "broker": {{"policies": {{"queue://Q": {{{policy}}}}}}},
      "producers": [{{"name": "m", "destination": "queue://Q", "messages": 3, {producer}}}],
      "consumers": [{{"name": "c", "destination": "queue://Q", "url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=0",
        "failures": [{{"throw": {{"messages": [2]}}}}]}}]
    }}"#
    ));
    let outcome = run.views.outcome;
    [
        outcome.acknowledged,
        outcome.dead_lettered,
        outcome.discarded,
    ]
}

/// Rule 6.7.
/// Rule: dead-letter-copy, dead-letter-refusals
#[test]
fn rule_6_7_who_is_dead_lettered() {
    let persistent = r#""deliveryMode": "PERSISTENT""#;
    let transient = r#""deliveryMode": "NON_PERSISTENT""#;
    let taken = [vec!["m:1", "m:3"], vec!["m:2"], vec![]];
    let refused = [vec!["m:1", "m:3"], vec![], vec!["m:2"]];
    assert_eq!(poisoned("", persistent), taken);
    assert_eq!(poisoned("", transient), refused);
    let process = r#""deadLetterStrategy": {"shared": {"processNonPersistent": true}}"#;
    assert_eq!(poisoned(process, transient), taken);
    let discarding = r#""deadLetterStrategy": {"discarding": {}}"#;
    assert_eq!(poisoned(discarding, persistent), refused);
}

/// Rule 6.7: whoever poisons a dead letter loses it.
/// Rule: dead-letter-queue-has-none
#[test]
fn rule_6_7_a_dead_letter_queue_has_no_dead_letters() {
    let run = run(r#"{
      "broker": {"url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=0"},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1}],
      "consumers": [
        {"name": "c", "destination": "queue://Q", "failures": [{"throw": {"messages": [1]}}]},
        {"name": "undertaker", "destination": "queue://ActiveMQ.DLQ", "failures": [{"throw": {"messages": [1]}}]}]
    }"#);
    assert_eq!(run.delivered("undertaker"), ["m:1"], "with a counter of 0");
    assert_eq!(run.views.outcome.discarded, ["m:1"]);
    assert!(run.remaining().is_empty());
}

/// Rule 6.7: the shared strategy takes an id once. Both subscriptions poison m:1.
/// Rule: dead-letter-once
#[test]
fn rule_6_7_an_id_is_dead_lettered_once() {
    let dead = |policy: &str| {
        let run = run(&format!(
            r#"{{
      "broker": {{"url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=0", "policies": {{"topic://T": {{{policy}}}}}}},
      "producers": [{{"name": "m", "destination": "topic://T", "messages": 1}}],
      "consumers": [
        {{"name": "a", "destination": "topic://T", "durable": "a", "failures": [{{"throw": {{"messages": [1]}}}}]}},
        {{"name": "b", "destination": "topic://T", "durable": "b", "failures": [{{"throw": {{"messages": [1]}}}}]}}]
    }}"#
        ));
        run.views.outcome.dead_lettered.len()
    };
    assert_eq!(dead(""), 1);
    assert_eq!(
        dead(r#""deadLetterStrategy": {"shared": {"enableAudit": false}}"#),
        2
    );
}

/// Rules 2.2, 6.7.
/// Rule: dead-letter-queues-of-their-own
#[test]
fn rule_6_7_individual_dead_letter_queues_are_named_after_their_queue() {
    let run = run(r#"{
      "broker": {"url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=0",
                 "policies": {"queue://Q": {"deadLetterStrategy": {"individual": {}}}}},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1}],
      "consumers": [
        {"name": "c", "destination": "queue://Q", "failures": [{"throw": {"messages": [1]}}]},
        {"name": "undertaker", "destination": "queue://ActiveMQ.DLQ.Queue.Q"}]
    }"#);
    assert_eq!(run.delivered("undertaker"), ["m:1"]);
}

/// Rule 6.8: no consumer is there; the check comes every 500 ms.
/// Rule: expired-at-the-check
#[test]
fn rule_6_8_a_periodic_check_finds_what_expired() {
    let run = run(r#"{
      "network": {"latency": "0us"}, "until": "2s",
      "broker": {"policies": {"queue://Q": {"expireMessagesPeriod": 500}}},
      "producers": [{"name": "m", "destination": "queue://Q", "arrivals": {"at": ["0ms", "350ms"]}, "timeToLive": "200ms"}]
    }"#);
    assert_eq!(
        run.expired_at_broker(),
        ["@500 expired m:1", "@1000 expired m:2"]
    );
    assert_eq!(run.dead(), ["m:1..m:2"]);
}

/// Rule 6.8: what is in flight expires by the client's ack only; what waits behind it at its hand-over.
/// Rule: expired-at-the-check
#[test]
fn rule_6_8_what_is_in_flight_is_the_client_s_business() {
    let run = run(r#"{
      "network": {"latency": "0us"}, "until": "2s",
      "broker": {"policies": {"queue://Q": {"expireMessagesPeriod": 500}}},
      "producers": [{"name": "a", "destination": "queue://Q", "messages": 1},
                    {"name": "m", "destination": "queue://Q", "messages": 2, "timeToLive": "200ms"}],
      "consumers": [{"name": "c", "destination": "queue://Q", "prefetchSize": 2,
        "failures": [{"hang": {"afterDeliveries": 1, "for": "1s"}}]}]
    }"#);
    assert_eq!(run.expired_at_broker(), ["@500 expired m:2"]);
    assert_eq!(
        run.timed_acks("c"),
        ["@1000 STANDARD a:1..a:1 x1", "@1000 EXPIRED m:1..m:1 x1"]
    );
}

/// Rules 6.7, 6.8.
/// Rule: dead-letter-refusals
#[test]
fn rule_6_8_expired_without_process_expired_is_gone() {
    let run = run(r#"{
      "broker": {"policies": {"queue://Q": {"deadLetterStrategy": {"shared": {"processExpired": false}}}}},
      "producers": [{"name": "m", "destination": "queue://Q", "messages": 1, "timeToLive": "100ms"}],
      "consumers": [{"name": "c", "destination": "queue://Q", "start": "500ms"}]
    }"#);
    assert_eq!(run.views.outcome.expired, ["m:1"]);
    assert!(run.dead().is_empty() && run.delivered("c").is_empty());
}

/// Rule 6.2: a page of a lazy queue is no larger than the room of all consumers, so that messages of a group whose owner
/// is full stand in the way of what lies behind them.
#[test]
fn rule_6_2_lazy_dispatch_pages_in_what_there_is_room_for() {
    let other = |policy: &str| {
        run(&format!(
            r#"{{
          "until": "8s", "broker": {{"policies": {{"queue://Q": {{{policy}}}}}}},
          "producers": [
            {{"name": "m", "destination": "queue://Q", "messages": 5, "groups": {{"count": 1}}}},
            {{"name": "single", "destination": "queue://Q", "messages": 1, "start": "1s"}}],
          "consumers": [
            {{"name": "owner", "destination": "queue://Q", "prefetchSize": 1, "start": "5s",
              "failures": [{{"hang": {{"afterDeliveries": 1}}}}]}},
            {{"name": "other", "destination": "queue://Q", "prefetchSize": 1, "start": "6s"}}]
        }}"#
        ))
        .delivered("other")
    };
    assert_eq!(other(""), ["single:1"]);
    assert_eq!(other(r#""lazyDispatch": true"#), [""; 0]);
}

/// What a consumer of `dead` gets of one message that always fails on a destination with this dead-letter strategy.
fn dead_letters(from: &str, strategy: &str, dead: &str) -> Vec<String> {
    run(&format!(
        r#"{{
      "until": "3s",
      "broker": {{"url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=0",
        "policies": {{"{from}": {{"deadLetterStrategy": {strategy}}}}}}},
      "producers": [{{"name": "m", "destination": "{from}", "messages": 1, "start": "100ms"}}],
      "consumers": [
        {{"name": "c", "destination": "{from}", {durable} "failures": [{{"throw": {{"messages": [1]}}}}]}},
        {{"name": "dead", "destination": "{dead}", "processing": "10ms"{later}}}]
    }}"#,
        durable = if from.starts_with("topic") { r#""durable": "d","# } else { "" },
        later = if dead.starts_with("queue") { r#", "start": "1s""# } else { "" },
    ))
    .delivered("dead")
}

/// Rule 6.7.
#[test]
fn rule_6_7_dead_letters_can_expire() {
    let after = |expiration: u32| {
        let strategy = format!(r#"{{"shared": {{"expiration": {expiration}}}}}"#);
        dead_letters("queue://Q", &strategy, "queue://ActiveMQ.DLQ")
    };
    assert_eq!(after(300), [""; 0]);
    assert_eq!(after(2000), ["m:1"]);
    assert_eq!(after(0), ["m:1"]);
}

/// Rule 6.7.
#[test]
fn rule_6_7_individual_dead_letter_destinations_have_names_of_their_own() {
    let named = |from: &str, options: &str, dead: &str| {
        dead_letters(from, &format!(r#"{{"individual": {{{options}}}}}"#), dead)
    };
    assert_eq!(
        named("queue://Q", "", "queue://ActiveMQ.DLQ.Queue.Q"),
        ["m:1"]
    );
    assert_eq!(
        named(
            "queue://Q",
            r#""queuePrefix": "X.", "queueSuffix": ".dead""#,
            "queue://X.Q.dead"
        ),
        ["m:1"]
    );
    assert_eq!(
        named(
            "queue://Q",
            r#""useQueueForQueueMessages": false"#,
            "topic://ActiveMQ.DLQ.Queue.Q"
        ),
        ["m:1"]
    );
    assert_eq!(
        named("topic://T", "", "queue://ActiveMQ.DLQ.Topic.T"),
        ["m:1"]
    );
    assert_eq!(
        named(
            "topic://T",
            r#""topicPrefix": "X.", "topicSuffix": ".dead""#,
            "queue://X.T.dead"
        ),
        ["m:1"]
    );
    assert_eq!(
        named(
            "topic://T",
            r#""useQueueForTopicMessages": false"#,
            "topic://ActiveMQ.DLQ.Topic.T"
        ),
        ["m:1"]
    );
}

/// Rule 4.6.
#[test]
fn rule_4_6_what_the_plugin_gives_up_can_be_dropped() {
    let dead = |send: bool| {
        let run = run(&format!(
            r#"{{
          "broker": {{"url": "tcp://b?jms.redeliveryPolicy.maximumRedeliveries=0",
            "redeliveryPlugin": {{"redeliveryPolicy": {{"maximumRedeliveries": 0}}, "sendToDlqIfMaxRetriesExceeded": {send}}}}},
          "producers": [{{"name": "m", "destination": "queue://Q", "messages": 1}}],
          "consumers": [{{"name": "c", "destination": "queue://Q", "start": "100ms", "failures": [{{"throw": {{"messages": [1]}}}}]}}]
        }}"#
        ));
        (run.dead(), run.remaining_count())
    };
    assert_eq!(dead(true).0, ["m:1"]);
    assert_eq!(dead(false), (vec![], 0));
}
