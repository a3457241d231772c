//! Destination URI over connection URL over the broker's URL over ActiveMQ's default.

use super::{consumer, load, scenario, texts};
use crate::kernel::Span;
use crate::scenario::{AcknowledgeMode, ClientOptions};

fn prefetch(keys: &str) -> u32 {
    consumer(keys).consumers[0].prefetch_size
}

/// Rule: default-prefetch-by-kind
#[test]
fn defaults_depend_on_the_kind_of_subscription() {
    let topic = r#""destination": "topic://t""#;
    assert_eq!(prefetch(""), 1000);
    assert_eq!(prefetch(topic), 32767);
    assert_eq!(prefetch(&format!(r#"{topic}, "durable": "d""#)), 1000);
    let client = r#""durable": "d", "acknowledgeMode": "CLIENT_ACKNOWLEDGE""#;
    assert_eq!(prefetch(&format!("{topic}, {client}")), 100);
    let dispatch = r#""durable": "d", "url": "tcp://b:1?jms.optimizedMessageDispatch=false""#;
    assert_eq!(prefetch(&format!("{topic}, {dispatch}")), 100);
}

/// Rule: prefetch-of-the-destination
#[test]
fn each_layer_wins_over_those_below_it() {
    let prefetch = |broker: &str, url: &str, destination: &str| {
        let text = format!(
            r#"{{"broker": {{"url": "tcp://b:1{broker}"}}, "consumers": [
                {{"url": "tcp://b:1{url}", "destination": "queue://q{destination}"}}]}}"#
        );
        scenario(&text).consumers[0].prefetch_size
    };
    let option = |value| format!("?jms.prefetchPolicy.queuePrefetch={value}");
    assert_eq!(prefetch("", "", ""), 1000);
    assert_eq!(prefetch(&option(3), "", ""), 3);
    assert_eq!(prefetch(&option(3), &option(4), ""), 4);
    assert_eq!(
        prefetch(&option(3), &option(4), "?consumer.prefetchSize=5"),
        5
    );
    assert_eq!(prefetch(&option(3), "?jms.prefetchPolicy.all=4", ""), 4);
    assert_eq!(prefetch("?jms.prefetchPolicy.all=3", &option(4), ""), 4);
}

#[test]
fn the_shorthand_is_the_destinations_option() {
    let url = r#""url": "tcp://b:1?jms.prefetchPolicy.queuePrefetch=4""#;
    assert_eq!(prefetch(&format!(r#"{url}, "prefetchSize": 5"#)), 5);
    assert_eq!(prefetch(r#""prefetchSize": 40000"#), 40000);
}

/// Rule: policy-replaces-default-prefetch
#[test]
fn an_explicit_default_counts_as_a_default() {
    let is_default = |keys: &str| consumer(keys).consumers[0].prefetch_is_default;
    assert!(is_default(""));
    assert!(is_default(r#""prefetchSize": 1000"#));
    assert!(!is_default(r#""prefetchSize": 100"#));
    assert!(is_default(
        r#""destination": "topic://t", "durable": "d", "prefetchSize": 100"#
    ));
    assert!(!is_default(
        r#""destination": "topic://t", "prefetchSize": 1000"#
    ));
}

/// Held against `ActiveMQConnectionFactory` of the real 5.17.2 with these very URLs: options are
/// applied in the order of a HashMap, in which `all` comes behind `queuePrefetch` and before
/// `durableTopicPrefetch`.
/// Rule: options-in-hash-order
#[test]
fn all_wins_over_what_the_hash_map_puts_before_it() {
    let url = |url: &str| format!(r#""url": "{url}""#);
    let all_first = "tcp://b:1?jms.prefetchPolicy.all=5&jms.prefetchPolicy.queuePrefetch=10";
    let all_last = "tcp://b:1?jms.prefetchPolicy.queuePrefetch=10&jms.prefetchPolicy.all=5";
    let failover = all_first.replace("tcp://b:1", "failover:(tcp://b:1)");
    assert_eq!(prefetch(&url(all_first)), 5);
    assert_eq!(prefetch(&url(all_last)), 5);
    assert_eq!(
        prefetch(&url(&format!("{all_last}&jms.useAsyncSend=true"))),
        5
    );
    assert_eq!(prefetch(&url(&failover)), 5);

    let four = "tcp://b:1?jms.prefetchPolicy.all=5&jms.prefetchPolicy.topicPrefetch=10\
                &jms.prefetchPolicy.durableTopicPrefetch=7&jms.prefetchPolicy.queuePrefetch=10";
    let with = |keys: &str| prefetch(&format!("{}, {keys}", url(four)));
    assert_eq!(prefetch(&url(four)), 5);
    assert_eq!(with(r#""destination": "topic://t""#), 5);
    let durable = r#""destination": "topic://t", "durable": "d""#;
    assert_eq!(with(durable), 5);
    let client = r#""acknowledgeMode": "CLIENT_ACKNOWLEDGE""#;
    assert_eq!(with(&format!("{durable}, {client}")), 7);
}

/// Rule: prefetch-policy-is-a-short
#[test]
fn a_prefetch_policy_is_cut_to_a_short_and_a_destination_is_not() {
    let loaded = load(
        r#"{"producers": [{"destination": "queue://q", "messages": 1}], "consumers": [
            {"destination": "queue://q", "url": "tcp://b:1?jms.prefetchPolicy.queuePrefetch=40000"},
            {"destination": "queue://q?consumer.prefetchSize=40000"}]}"#,
    );
    let sizes: Vec<u32> = loaded
        .scenario
        .consumers
        .iter()
        .map(|it| it.prefetch_size)
        .collect();
    assert_eq!(sizes, [32767, 40000]);
    assert_eq!(
        texts(&loaded),
        ["ActiveMQ cuts a prefetch of 40000 to 32767"]
    );
}

fn options(url: &str) -> ClientOptions {
    consumer(&format!(r#""url": "{url}""#)).connections[0]
        .options
        .clone()
}

#[test]
fn without_a_url_everything_is_activemqs_default() {
    let options = consumer("").connections[0].options.clone();
    assert_eq!(options, ClientOptions::default());
    assert_eq!(
        options.optimize_acknowledge_time_out,
        Some(Span::from_millis(300))
    );
    assert_eq!(options.close_timeout, Span::from_millis(15_000));
    assert_eq!(options.initial_reconnect_delay, Span::from_millis(10));
    assert!(options.send_acks_async && options.dispatch_async && options.watch_topic_advisories);
    assert!(!options.optimize_acknowledge && !options.failover && !options.use_async_send);
    assert_eq!(options.redelivery_policy.maximum_redeliveries, Some(6));
    assert_eq!(options.redelivery_policy.back_off_multiplier, 5.0);
}

/// Rule: dispatch-async
#[test]
fn every_option_of_the_url_arrives() {
    let options = options(
        "tcp://localhost:61616?jms.optimizeAcknowledge=true&jms.optimizeAcknowledgeTimeOut=0\
         &jms.optimizedAckScheduledAckInterval=1.5s&jms.sendAcksAsync=false&jms.sendTimeout=250ms\
         &jms.producerWindowSize=4096&jms.redeliveryPolicy.maximumRedeliveries=-1\
         &jms.redeliveryPolicy.initialRedeliveryDelay=50&jms.redeliveryPolicy.redeliveryDelay=2s\
         &jms.redeliveryPolicy.useExponentialBackOff=true&jms.redeliveryPolicy.backOffMultiplier=1.5\
         &jms.redeliveryPolicy.maximumRedeliveryDelay=300&jms.redeliveryPolicy.preDispatchCheck=FALSE",
    );
    assert!(options.optimize_acknowledge && !options.send_acks_async);
    assert_eq!(options.optimize_acknowledge_time_out, None);
    let interval = options.optimized_ack_scheduled_ack_interval;
    assert_eq!(interval, Some(Span::from_millis(1500)));
    assert_eq!(options.send_timeout, Some(Span::from_millis(250)));
    assert_eq!(options.producer_window_size, 4096);
    let policy = options.redelivery_policy;
    assert_eq!(policy.maximum_redeliveries, None);
    assert_eq!(
        (policy.initial_redelivery_delay, policy.redelivery_delay),
        (50, 2000)
    );
    assert_eq!(
        (policy.back_off_multiplier, policy.maximum_redelivery_delay),
        (1.5, 300)
    );
    assert!(policy.use_exponential_back_off && !policy.pre_dispatch_check);
}

#[test]
fn non_blocking_redelivery_and_priorities_force_individual_acks() {
    assert!(!options("tcp://b:1?jms.sendAcksAsync=true").transacted_individual_ack);
    assert!(options("tcp://b:1?jms.transactedIndividualAck=true").transacted_individual_ack);
    assert!(options("tcp://b:1?jms.nonBlockingRedelivery=true").transacted_individual_ack);
    assert!(options("tcp://b:1?jms.messagePrioritySupported=true").transacted_individual_ack);
}

#[test]
fn failover_takes_its_options_behind_the_bracket() {
    let options = options(
        "failover:(tcp://a:1?keepAlive=true,tcp://b:1)?initialReconnectDelay=50&jms.useAsyncSend=true\
         &useExponentialBackOff=false",
    );
    assert!(options.failover && options.use_async_send && !options.use_exponential_back_off);
    assert_eq!(options.initial_reconnect_delay, Span::from_millis(50));
    assert!(self::options("failover:tcp://a:1").failover);
    assert!(self::options("failover://(tcp://a:1)/?jms.useAsyncSend=true").use_async_send);
}

#[test]
fn a_clients_own_url_decides_about_failover() {
    let failover = |broker: &str, own: &str| {
        let text = format!(
            r#"{{"broker": {{"url": "{broker}"}}, "consumers": [{{"destination": "queue://q"{own}}}]}}"#
        );
        scenario(&text).connections[0].options.failover
    };
    assert!(failover("failover:(tcp://a:1)", ""));
    assert!(!failover("failover:(tcp://a:1)", r#", "url": "tcp://a:1""#));
    assert!(!failover("tcp://a:1", ""));
}

#[test]
fn names_and_values_are_percent_decoded() {
    assert!(options("tcp://b:1?jms.use%41syncSend=%74rue").use_async_send);
    let name = consumer(r#""destination": "queue://a?consumer.priority=%2d5""#);
    assert_eq!(name.consumers[0].priority, -5);
}

#[test]
fn consumer_options_come_from_the_destination_or_the_connection() {
    let consumer = |keys| consumer(keys).consumers.remove(0);
    let all = consumer(
        r#""destination": "queue://q?consumer.exclusive=true&consumer.priority=7&consumer.maximumPendingMessageLimit=9""#,
    );
    assert!(all.exclusive);
    assert_eq!((all.priority, all.maximum_pending_message_limit), (7, 9));
    let from_url = consumer(
        r#""url": "tcp://b:1?jms.exclusiveConsumer=true&jms.prefetchPolicy.maximumPendingMessageLimit=3""#,
    );
    assert!(from_url.exclusive);
    assert_eq!(from_url.maximum_pending_message_limit, 3);
    let both = consumer(
        r#""url": "tcp://b:1?jms.exclusiveConsumer=true", "destination": "queue://q?consumer.exclusive=false""#,
    );
    assert!(!both.exclusive);
}

#[test]
fn a_destination_wins_over_the_connections_producer_window() {
    let text = r#"{"producers": [{"messages": 1, "url": "tcp://b:1?jms.producerWindowSize=10",
        "destination": "queue://q?producer.windowSize=20"}]}"#;
    assert_eq!(scenario(text).producers[0].options.producer_window_size, 20);
}

#[test]
fn a_restarting_broker_makes_every_client_reconnect() {
    let text = r#"{"broker": {"restarts": [{"at": "1s", "downFor": "2s"}]},
        "producers": [{"destination": "queue://q", "messages": 1}],
        "consumers": [{"destination": "queue://q", "url": "tcp://b:1"}]}"#;
    let loaded = load(text);
    assert!(loaded.scenario.connections[0].options.failover);
    assert!(loaded.scenario.producers[0].options.failover);
    assert_eq!(loaded.notes.len(), 1);
}

#[test]
fn one_session_has_one_mode() {
    let mode = |name: &str| consumer(&format!(r#""acknowledgeMode": "{name}""#)).sessions[0].mode;
    assert_eq!(mode("CLIENT_ACKNOWLEDGE"), AcknowledgeMode::Client);
    assert_eq!(
        mode("SESSION_TRANSACTED"),
        AcknowledgeMode::SessionTransacted
    );
}
