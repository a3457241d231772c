//! Topics, durable subscriptions.

use super::*;
use crate::kernel::Span;
use crate::scenario::{MessageEviction, PendingMessageLimit};
use crate::wire::AckType;

fn durable(prefetch: u32) -> Scenario {
    let mut scenario = topic(&[prefetch]);
    scenario.consumers[0].durable = Some("archive".into());
    scenario
}

/// Rule: fan-out
#[test]
fn every_subscription_gets_every_message() {
    let mut bench = Bench::subscribed(topic(&[2, 2]));
    bench.send(2);
    assert_eq!(bench.dispatches(), "c1 m1, c2 m1, c1 m2, c2 m2");
    bench.standard(1, 1, 2);
    bench.standard(2, 1, 2);
    assert_eq!(bench.held_by_broker(), 0);
}

/// Rule: fan-out
#[test]
fn a_topic_keeps_nothing_for_nobody() {
    let mut bench = Bench::of(topic(&[2]));
    bench.send(1);
    bench.subscribe(1);
    bench.send(4);
    assert_eq!(bench.in_flight(1), [2, 3]);
    bench.crash(1);
    assert_eq!(
        bench.lines(&["gone"]),
        ["gone m2", "gone m3", "gone m4", "gone m5"]
    );
    assert_eq!(bench.held_by_broker(), 0);
}

/// Rule: topic-not-slow
#[test]
fn a_topic_consumer_is_slow_when_its_backlog_exceeds_its_prefetch() {
    // 12.25
    let mut bench = Bench::subscribed(topic(&[10]));
    bench.send(21);
    assert!(bench.lines(&["slow"]).is_empty());
    bench.send(1);
    assert_eq!(bench.lines(&["slow"]), ["slow c1"]);
    bench.standard(1, 1, 10);
    bench.standard(1, 11, 20);
    bench.standard(1, 21, 22);
    assert!(
        bench.lines(&["not slow"]).is_empty(),
        "acks that drain the backlog clear nothing"
    );
    bench.send(1);
    assert_eq!(
        bench.lines(&["dispatch", "not slow"]),
        ["dispatch c1 m23", "not slow c1"]
    );
}

/// Rule: eviction
#[test]
fn a_pending_limit_evicts_the_oldest() {
    // 12.26
    let mut scenario = topic(&[2]);
    let limit = Some(PendingMessageLimit::Constant(3));
    scenario.destinations[0]
        .policy
        .pending_message_limit_strategy = limit;
    let mut bench = Bench::subscribed(scenario);
    bench.send(8);
    assert_eq!(
        bench.lines(&["slow", "discard", "deadLetter"]),
        [
            "slow c1",
            "discard c1 m3",
            "deadLetter m3",
            "discard c1 m4",
            "deadLetter m4",
            "discard c1 m5",
            "deadLetter m5"
        ]
    );
    bench.standard(1, 1, 2);
    bench.standard(1, 6, 7);
    assert_eq!(bench.in_flight(1), [8]);
}

/// Rule: eviction-by-priority
#[test]
fn eviction_can_look_at_the_priority() {
    let mut scenario = topic(&[1]);
    let policy = &mut scenario.destinations[0].policy;
    policy.pending_message_limit_strategy = Some(PendingMessageLimit::PrefetchRate(2.9));
    policy.message_eviction_strategy = MessageEviction::OldestWithLowestPriority;
    let mut bench = Bench::subscribed(scenario);
    for priority in [4, 7, 3, 3, 2] {
        bench.template.priority = priority;
        bench.send(1);
    }
    assert_eq!(
        bench.lines(&["discard"]),
        ["discard c1 m3", "discard c1 m5"]
    );
}

/// Rule: expired-when-full
#[test]
fn expired_messages_leave_a_full_buffer_one_by_one_for_the_dead_letter_queue() {
    // Recorded: deadLetter, but neither discard nor expired.
    let mut scenario = topic(&[1]);
    let limit = Some(PendingMessageLimit::Constant(2));
    scenario.destinations[0]
        .policy
        .pending_message_limit_strategy = limit;
    let mut bench = Bench::subscribed(scenario);
    bench.template.expiration = 100;
    bench.send(3);
    bench.wait_until(200);
    bench.template.expiration = 0;
    bench.send(1);
    assert_eq!(
        bench.lines(&["discard", "expired", "deadLetter"]),
        ["deadLetter m2"]
    );
    bench.template.persistent = false;
    bench.send(2);
    assert_eq!(
        bench.lines(&["discard", "expired", "deadLetter"]),
        ["deadLetter m3", "discard c1 m4", "deadLetter m4"]
    );
}

/// Rule: pending-limit-0
#[test]
fn a_pending_limit_of_zero_drops_without_a_word() {
    let mut scenario = topic(&[1]);
    let limit = Some(PendingMessageLimit::Constant(0));
    scenario.destinations[0]
        .policy
        .pending_message_limit_strategy = limit;
    let mut bench = Bench::subscribed(scenario);
    bench.send(3);
    assert_eq!(bench.lines(&["discard", "gone"]), ["gone m2", "gone m3"]);
    bench.standard(1, 1, 1);
    assert_eq!(bench.held_by_broker(), 0);
}

/// Rule: topic-individual-frees-older
#[test]
fn an_individual_ack_on_a_topic_releases_all_older_ones() {
    // 12.20
    let mut bench = Bench::subscribed(topic(&[4]));
    bench.send(8);
    bench.delivered(1, 2, 2);
    assert_eq!(bench.in_flight(1), [1, 2, 3, 4, 5, 6]);
    bench.individual(1, 3);
    assert_eq!(
        (bench.in_flight(1), bench.extension(1)),
        (vec![4, 5, 6, 7], 0)
    );
    bench.individual(1, 1);
    assert_eq!(
        bench.in_flight(1),
        [8],
        "m1 is not listed: the range runs to the end"
    );
}

/// Rule: topic-acks-need-no-match
#[test]
fn a_topic_believes_what_an_ack_says() {
    let mut bench = Bench::subscribed(topic(&[10]));
    bench.send(10);
    bench.ack(1, AckType::Standard, (Some(1), 6), 5, None);
    assert_eq!(bench.in_flight(1), [7, 8, 9, 10]);
    assert!(bench.lines(&["rejected"]).is_empty());
}

/// Rule: topic-poison-is-dropped
#[test]
fn poison_on_a_topic_is_thrown_away() {
    let mut bench = Bench::subscribed(topic(&[10]));
    bench.send(2);
    bench.poison(1, 1, 1);
    assert_eq!(bench.lines(&["discard", "deadLetter"]), ["discard c1 m1"]);
}

/// Rule: topic-expired
#[test]
fn what_expires_behind_the_window_is_discarded() {
    let mut bench = Bench::subscribed(topic(&[1]));
    bench.send(1);
    bench.template.expiration = 100;
    bench.send(1);
    bench.template.expiration = 0;
    bench.send(1);
    bench.wait_until(101);
    bench.dispatches();
    bench.standard(1, 1, 1);
    assert_eq!(
        bench.lines(&["discard", "expired", "deadLetter", "dispatch"]),
        ["discard c1 m2", "deadLetter m2", "dispatch c1 m3"]
    );
}

/// Rule: topic-transaction
#[test]
fn acks_on_a_topic_take_effect_at_the_commit() {
    let mut bench = Bench::subscribed(topic(&[3]));
    bench.send(6);
    let transaction = bench.begin(1);
    bench.ack(1, AckType::Delivered, (Some(1), 2), 2, Some(transaction));
    bench.standard_in(transaction, 1, 1, 2);
    assert_eq!((bench.in_flight(1).len(), bench.extension(1)), (5, 2));
    bench.commit(1, transaction);
    assert_eq!((bench.in_flight(1), bench.extension(1)), (vec![3, 4, 5], 0));
}

// ── durable subscriptions ──

/// Rule: durable-slow
#[test]
fn a_durable_consumer_is_slow_with_the_first_message_beyond_its_window() {
    // 12.25
    let mut bench = Bench::subscribed(durable(4));
    bench.send(4);
    assert!(bench.lines(&["slow"]).is_empty());
    bench.send(2);
    assert_eq!(bench.lines(&["slow"]), ["slow c1"]);
    bench.delivered(1, 2, 2);
    assert_eq!(
        bench.lines(&["not slow", "slow", "dispatch"]),
        ["not slow c1", "dispatch c1 m5", "dispatch c1 m6"]
    );
    bench.send(1);
    assert_eq!(bench.lines(&["slow"]), ["slow c1"]);
}

/// Rule: durable-slow
#[test]
fn a_durable_backlog_makes_slow_as_soon_as_the_window_is_full_again() {
    // Recorded: durable-crash-flags-prefetched.
    let mut bench = Bench::subscribed(durable(4));
    bench.send(8);
    bench.lines(&[]);
    bench.standard(1, 1, 1);
    assert_eq!(
        bench.lines(&["not slow", "slow", "dispatch"]),
        ["not slow c1", "dispatch c1 m5", "slow c1"]
    );
    bench.crash(1);
    bench.subscribe_again(1);
    assert_eq!(bench.dispatches(), "c1 m2+1, c1 m3+1, c1 m4+1, c1 m5+1");
}

/// Rule: durable-collects
#[test]
fn a_durable_subscription_collects_while_its_consumer_is_away() {
    let mut bench = Bench::subscribed(durable(10));
    bench.send(3);
    bench.standard(1, 1, 1);
    bench.close(1, Some(1));
    bench.send(2);
    bench.dispatches();
    bench.subscribe_again(1);
    assert_eq!(bench.dispatches(), "c1 m2, c1 m3, c1 m4, c1 m5");
    bench.close(1, Some(3));
    bench.subscribe_again(1);
    assert_eq!(
        bench.dispatches(),
        "c1 m2+1, c1 m3+1, c1 m4, c1 m5",
        "all up to the one that was delivered last, m1 having been acknowledged or not"
    );
}

/// Rule: durable-prefetch-of-the-creator
#[test]
fn a_policy_counts_for_the_first_consumer_of_a_durable_subscription_only() {
    let mut scenario = durable(1000);
    scenario.consumers[0].prefetch_is_default = true;
    scenario.destinations[0].policy.has_entry = true;
    let mut bench = Bench::subscribed(scenario);
    assert_eq!(bench.broker.prefetch(bench.id(1)), Some(100));
    bench.close(1, None);
    bench.subscribe_again(1);
    assert_eq!(bench.broker.prefetch(bench.id(1)), Some(1000));
}

/// Rule: standard-ack-must-match
#[test]
fn a_durable_subscription_checks_what_an_ack_says() {
    let mut bench = Bench::subscribed(durable(10));
    bench.send(6);
    bench.ack(1, AckType::Standard, (Some(1), 6), 5, None);
    assert_eq!(bench.lines(&["rejected"]), ["rejected c1"]);
    assert_eq!(bench.in_flight(1).len(), 6);
}

/// Rule: dead-letter-once
#[test]
fn a_dead_letter_is_taken_only_once() {
    let mut scenario = topic(&[10, 10]);
    for consumer in &mut scenario.consumers {
        consumer.durable = Some("archive".into());
    }
    let mut bench = Bench::subscribed(scenario);
    bench.send(1);
    bench.poison(1, 1, 1);
    bench.poison(2, 1, 1);
    assert_eq!(
        bench.lines(&["deadLetter", "discard"]),
        ["deadLetter m1", "discard c2 m1"]
    );
}

/// Rule: durable-expiry
#[test]
fn the_expiry_check_looks_at_offline_durable_subscriptions() {
    let mut scenario = durable(1);
    scenario.destinations[0].policy.expire_messages_period = Span::from_millis(200);
    let mut bench = Bench::subscribed(scenario);
    bench.template.expiration = 100;
    bench.send(2);
    bench.wait_until(200);
    assert!(bench.lines(&["expired"]).is_empty());
    bench.close(1, None);
    bench.wait_until(400);
    assert_eq!(bench.lines(&["expired"]), ["expired m1", "expired m2"]);
}

/// Rule: commit-after-removal
#[test]
fn durable_acks_of_a_transaction_survive_a_forced_removal() {
    let mut bench = Bench::subscribed(durable(5));
    bench.send(2);
    let transaction = bench.begin(1);
    bench.standard_in(transaction, 1, 1, 1);
    bench.close(1, None);
    bench.commit(1, transaction);
    assert_eq!(bench.lines(&["done"]), ["done c1 m1"]);
    assert_eq!(bench.remaining(0), [2]);
}
