//! Dead letters, expiry, flow control, duplicates, slow consumers, restarts, the redelivery plugin.

use super::*;
use crate::kernel::Span;
use crate::scenario::{RedeliveryPlugin, SlowConsumerKind, SlowConsumerStrategy};
use crate::wire::{Caller, ToClient};

fn millis(millis: u64) -> Span {
    Span::from_millis(millis)
}

// ── dead letters ──

/// Rule: dead-letter-refusals
#[test]
fn non_persistent_messages_are_not_dead_lettered() {
    let mut bench = Bench::subscribed(queue(&[5]));
    bench.template.persistent = false;
    bench.send(1);
    bench.poison(1, 1, 1);
    assert_eq!(bench.lines(&["deadLetter", "discard"]), ["discard c1 m1"]);
    assert_eq!(bench.held_by_broker(), 0);
}

/// Rule: dead-letter-queue-has-none
#[test]
fn a_dead_letter_queue_does_not_dead_letter_to_itself() {
    let mut scenario = queue(&[5, 5]);
    scenario.consumers[1].destination = 1;
    let mut bench = Bench::subscribed(scenario);
    bench.send(2);
    bench.poison(1, 1, 2);
    assert_eq!(bench.in_flight(2), [1, 2]);
    bench.lines(&[]);
    bench.poison(2, 1, 2);
    assert_eq!(
        bench.lines(&["discard"]),
        ["discard c2 m1", "discard c2 m2"]
    );
    assert_eq!(bench.held_by_broker(), 0);
}

/// Rule: dead-letter-discarding
#[test]
fn a_discarding_strategy_takes_nothing() {
    let mut scenario = queue(&[5]);
    scenario.destinations[0].policy.dead_letter_strategy.queue = None;
    let mut bench = Bench::subscribed(scenario);
    bench.send(1);
    bench.poison(1, 1, 1);
    assert_eq!(bench.lines(&["deadLetter", "discard"]), ["discard c1 m1"]);
}

// ── expiry: 12.28 ──

/// Rule: expired-when-read
#[test]
fn what_expires_before_anybody_comes_is_never_dispatched() {
    let mut bench = Bench::of(queue(&[5]));
    bench.template.expiration = 100;
    bench.send(2);
    bench.template.expiration = 0;
    bench.send(1);
    bench.wait_until(101);
    bench.subscribe(1);
    assert_eq!(
        bench.lines(&["expired", "deadLetter", "dispatch"]),
        [
            "expired m1",
            "deadLetter m1",
            "expired m2",
            "deadLetter m2",
            "dispatch c1 m3"
        ]
    );
}

/// Rule: expired-at-the-check
#[test]
fn what_waits_for_a_full_consumer_expires_at_the_check() {
    let mut scenario = queue(&[1]);
    scenario.destinations[0].policy.expire_messages_period = millis(200);
    let mut bench = Bench::subscribed(scenario);
    bench.template.expiration = 100;
    bench.send(3);
    bench.wait_until(200);
    assert_eq!(
        bench.lines(&["expired"]),
        ["expired m2", "expired m3"],
        "not what is in flight"
    );
    assert_eq!(bench.remaining(0), [1]);
    bench.ack(1, crate::wire::AckType::Expired, (Some(1), 1), 1, None);
    assert_eq!(
        bench.lines(&["expired", "deadLetter"]),
        ["expired m1", "deadLetter m1"]
    );
    assert_eq!(bench.remaining(1), [2, 3, 1]);
}

/// Rule: expired-on-arrival
#[test]
fn a_message_that_arrives_expired_is_not_stored() {
    let mut bench = Bench::of(queue(&[1]));
    bench.wait_until(101);
    bench.template.expiration = 100;
    bench.send(1);
    assert_eq!(bench.lines(&["expired"]), ["expired m1"]);
    assert_eq!(bench.answers().len(), 1, "the sender sees success");
    assert!(bench.remaining(0).is_empty());
}

// ── flow control: 9.4 ──

fn limited(limit: u64) -> Scenario {
    let mut scenario = queue(&[10]);
    scenario.destinations[0].policy.memory_limit = Some(limit);
    scenario
}

fn response(failed: bool) -> ToClient {
    ToClient::Response {
        to: Caller::Producer(0),
        failed,
    }
}

/// Rule: memory-full-parks
#[test]
fn a_full_memory_withholds_the_answer_of_a_sync_send() {
    // Messages of 2024 bytes: the third still fits.
    let mut bench = Bench::subscribed(limited(5000));
    bench.answers();
    bench.send(4);
    assert_eq!(bench.answers(), [response(false); 3]);
    assert_eq!(bench.in_flight(1), [1, 2, 3]);
    bench.standard(1, 1, 1);
    assert_eq!(bench.answers(), [response(false)]);
    assert_eq!(bench.in_flight(1), [2, 3, 4]);
}

/// Rule: memory-full-fails
#[test]
fn a_full_memory_can_refuse_a_send() {
    let mut scenario = limited(2000);
    scenario.destinations[0].policy.send_fail_if_no_space = true;
    let mut bench = Bench::subscribed(scenario);
    bench.answers();
    bench.send(2);
    assert_eq!(bench.answers(), [response(false), response(true)]);
    assert_eq!(bench.lines(&["unsent"]), ["unsent m2"]);
}

/// Rule: memory-full-blocks
#[test]
fn a_full_memory_stops_a_connection_that_sends_async() {
    let mut bench = Bench::subscribed(limited(2000));
    for number in 1..=3 {
        bench.send_number(0, number, None, false);
    }
    assert_eq!(bench.in_flight(1), [1]);
    bench.standard(1, 1, 1);
    assert_eq!(
        bench.in_flight(1),
        [2],
        "the third blocks the connection again"
    );
    bench.standard(1, 2, 2);
    assert_eq!(bench.in_flight(1), [3]);
}

/// Rule: memory-full-blocks
#[test]
fn a_blocked_connection_that_breaks_loses_what_it_sent() {
    let mut bench = Bench::subscribed(limited(2000));
    for number in 1..=3 {
        bench.send_number(0, number, None, false);
    }
    bench.producer_crash(0);
    assert_eq!(bench.lines(&["unsent"]), ["unsent m2", "unsent m3"]);
    bench.standard(1, 1, 1);
    assert_eq!(bench.held_by_broker(), 0);
}

/// Rule: producer-window
#[test]
fn a_windowed_producer_gets_its_bytes_back_when_the_message_is_stored() {
    let mut scenario = limited(2000);
    scenario.producers[0].options.producer_window_size = 3000;
    let mut bench = Bench::subscribed(scenario);
    bench.answers();
    bench.send_number(0, 1, None, false);
    bench.send_number(0, 2, None, false);
    let acknowledged = ToClient::ProducerAck {
        producer: 0,
        size: 2024,
    };
    assert_eq!(bench.answers(), [acknowledged]);
    bench.standard(1, 1, 1);
    assert_eq!(bench.answers(), [acknowledged]);
}

/// Rule: memory-is-shared-by-copies
#[test]
fn a_topic_counts_a_message_once_however_many_wait_for_it() {
    let mut scenario = topic(&[1, 1]);
    scenario.destinations[0].policy.memory_limit = Some(4000);
    let mut bench = Bench::subscribed(scenario);
    bench.send(3);
    assert_eq!(bench.remaining(0).len(), 0);
    bench.answers();
    bench.send(1);
    assert_eq!(bench.answers(), [], "two messages wait behind the windows");
    bench.standard(1, 1, 1);
    assert_eq!(bench.answers(), [], "c2 still needs the second");
    bench.standard(2, 1, 1);
    assert_eq!(bench.answers(), [response(false)]);
}

// ── duplicates: 9.5 ──

/// Rule: repeated-sends
#[test]
fn a_repeated_send_is_recognised_and_answered() {
    let mut bench = Bench::subscribed(queue(&[5]));
    bench.send(2);
    bench.standard(1, 1, 2);
    bench.answers();
    bench.send_number(0, 2, None, true);
    assert_eq!(bench.lines(&["repeat"]), ["repeat m2"]);
    assert_eq!(bench.answers(), [response(false)]);
    bench.template.copy = true;
    bench.send_number(0, 2, None, true);
    assert_eq!(
        bench.in_flight(1),
        [2],
        "a copy under a new id is another message"
    );
}

// ── transactions of producers ──

/// Rule: sends-count-from-commit
#[test]
fn sent_messages_take_their_place_at_the_commit() {
    use crate::wire::{ToBroker, TransactionId, TransactionOwner};
    let mut scenario = queue(&[10]);
    scenario.producers.push(scenario.producers[0].clone());
    let mut bench = Bench::subscribed(scenario);
    let transaction = TransactionId {
        owner: TransactionOwner::Producer(1),
        number: 1,
    };
    bench.producer_command(1, ToBroker::Begin(transaction));
    bench.send_number(1, 101, Some(transaction), false);
    bench.send_number(0, 1, None, true);
    let reply_to = Caller::Producer(1);
    bench.producer_command(
        1,
        ToBroker::Commit {
            transaction,
            reply_to,
        },
    );
    assert_eq!(bench.in_flight(1), [1, 101]);
    bench.producer_command(1, ToBroker::Begin(transaction));
    bench.send_number(1, 102, Some(transaction), false);
    bench.producer_command(
        1,
        ToBroker::Rollback {
            transaction,
            reply_to,
        },
    );
    assert_eq!(bench.lines(&["unsent"]), ["unsent m102"]);
}

// ── slow consumers ──

fn strategy(kind: SlowConsumerKind, period: u64, duration: u64) -> Option<SlowConsumerStrategy> {
    Some(SlowConsumerStrategy {
        kind,
        max_slow_count: None,
        max_slow_duration: Some(millis(duration)),
        check_period: millis(period),
        abort_connection: false,
    })
}

/// Rule: slow-tells-strategy, strategy-per-destination
#[test]
fn a_slow_topic_consumer_is_aborted_after_its_time() {
    // 12.27
    let mut scenario = topic(&[2]);
    scenario.destinations[0].policy.slow_consumer_strategy =
        strategy(SlowConsumerKind::AbortSlowConsumer, 300, 600);
    let mut bench = Bench::subscribed(scenario);
    bench.wait_until(50);
    bench.send(6);
    bench.wait_until(649);
    bench.answers();
    bench.wait_until(650);
    assert_eq!(bench.answers(), [ToClient::CloseConsumer(bench.id(1))]);
    bench.wait_until(1650);
    assert!(bench.lines(&["close"]).is_empty());
    bench.wait_until(1651);
    assert_eq!(
        bench.lines(&["close"]),
        ["close c1"],
        "it had its second to close"
    );
}

/// Rule: abort-slow-ack
#[test]
fn a_consumer_that_does_not_acknowledge_is_aborted() {
    // 12.27
    let mut scenario = queue(&[10]);
    let kind = SlowConsumerKind::AbortSlowAckConsumer {
        max_time_since_last_ack: Some(millis(500)),
        ignore_idle_consumers: true,
    };
    scenario.destinations[0].policy.slow_consumer_strategy = strategy(kind, 200, 400);
    let mut bench = Bench::subscribed(scenario);
    bench.send(6);
    bench.wait_until(599);
    assert!(bench.lines(&["slow"]).is_empty());
    bench.wait_until(600);
    assert_eq!(bench.lines(&["slow"]), ["slow c1"]);
    bench.wait_until(799);
    bench.answers();
    bench.wait_until(800);
    assert_eq!(bench.answers(), [ToClient::CloseConsumer(bench.id(1))]);
    bench.wait_until(1801);
    bench.subscribe_again(1);
    assert!(
        bench.dispatches().starts_with("c1 m1+1"),
        "removed by force: all count as redelivered"
    );
}

/// Rule: abort-connection
#[test]
fn an_abort_of_the_connection_is_like_a_crash() {
    let mut scenario = queue(&[10]);
    let kind = SlowConsumerKind::AbortSlowAckConsumer {
        max_time_since_last_ack: Some(millis(100)),
        ignore_idle_consumers: true,
    };
    let mut strategy = strategy(kind, 100, 200);
    strategy.as_mut().unwrap().abort_connection = true;
    scenario.destinations[0].policy.slow_consumer_strategy = strategy;
    let mut bench = Bench::subscribed(scenario);
    bench.send(1);
    bench.answers();
    bench.wait_until(300);
    assert_eq!(bench.answers(), [ToClient::Disconnect]);
    assert_eq!(bench.lines(&["lost"]), ["lost c1"]);
}

// ── restarts ──

/// Rule: broker-restart
#[test]
fn a_restart_keeps_what_is_persistent_and_forgets_counters() {
    let mut bench = Bench::subscribed(queue(&[3]));
    bench.send(3);
    bench.crash(1);
    bench.subscribe_again(1);
    bench.template.persistent = false;
    bench.send(1);
    bench.template.persistent = true;
    bench.send(1);
    bench.lines(&[]);
    bench.broker.stop(&mut bench.world);
    assert_eq!(bench.lines(&["lost", "gone"]), ["lost c1", "gone m4"]);
    bench.broker.start_again(&mut bench.world);
    bench.subscribe_again(1);
    assert_eq!(bench.dispatches(), "c1 m1, c1 m2, c1 m3");
    assert_eq!(bench.remaining(0), [1, 2, 3, 5]);
}

/// Rule: persist-jms-redelivered
#[test]
fn persist_jms_redelivered_counts_the_dispatch_itself() {
    let mut scenario = queue(&[2]);
    scenario.destinations[0].policy.persist_jms_redelivered = true;
    let mut bench = Bench::subscribed(scenario);
    bench.send(2);
    bench.close(1, Some(1));
    bench.subscribe_again(1);
    assert_eq!(bench.dispatches(), "c1 m1, c1 m2, c1 m1+2, c1 m2+1");
    bench.broker.stop(&mut bench.world);
    bench.broker.start_again(&mut bench.world);
    bench.subscribe_again(1);
    assert_eq!(bench.dispatches(), "c1 m1+1, c1 m2+1");
}

#[test]
fn a_durable_subscription_survives_a_restart() {
    let mut scenario = topic(&[5]);
    scenario.consumers[0].durable = Some("archive".into());
    let mut bench = Bench::subscribed(scenario);
    bench.send(2);
    bench.broker.stop(&mut bench.world);
    bench.broker.start_again(&mut bench.world);
    bench.dispatches();
    bench.subscribe_again(1);
    assert_eq!(bench.dispatches(), "c1 m1, c1 m2");
}

// ── the redelivery plugin: 4.6 ──

/// Rule: redelivery-plugin, redelivery-plugin-gives-up, redelivery-plugin-is-exact
#[test]
fn the_redelivery_plugin_sends_again_before_it_dead_letters() {
    let mut scenario = queue(&[5]);
    let mut policy = scenario.connections[0].options.redelivery_policy.clone();
    policy.maximum_redeliveries = Some(2);
    policy.use_exponential_back_off = true;
    policy.back_off_multiplier = 2.0;
    scenario.broker.redelivery_plugin = Some(RedeliveryPlugin {
        policy,
        send_to_dlq_if_max_retries_exceeded: true,
        fallback_to_dead_letter: true,
    });
    let mut bench = Bench::subscribed(scenario);
    bench.send(1);
    bench.poison(1, 1, 1);
    bench.wait_until(999);
    assert_eq!(bench.dispatches(), "c1 m1");
    bench.wait_until(1000);
    assert_eq!(bench.dispatches(), "c1 m1+1");
    bench.poison(1, 1, 1);
    bench.wait_until(2999);
    assert_eq!(bench.dispatches(), "");
    bench.wait_until(3000);
    assert_eq!(bench.dispatches(), "c1 m1+2", "the delay doubled");
    bench.poison(1, 1, 1);
    assert_eq!(bench.lines(&["deadLetter"]), ["deadLetter m1"]);
    assert_eq!(bench.remaining(1), [1]);
}
