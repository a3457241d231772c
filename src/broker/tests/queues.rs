//! Distribution, windows, acks, removal.

use super::*;
use crate::wire::{AckType, ToBroker};

// ── distribution: 12.22 ──

/// Rule: takers-go-last, end-of-the-queue
#[test]
fn equal_consumers_take_turns() {
    let mut bench = Bench::subscribed(queue(&[3, 3, 3]));
    bench.send(12);
    assert_eq!(bench.in_flight(1), [1, 4, 7]);
    assert_eq!(bench.in_flight(2), [2, 5, 8]);
    assert_eq!(bench.in_flight(3), [3, 6, 9]);
}

/// Rule: full-is-passed-over, window, hand-over
#[test]
fn a_small_window_gets_what_fits() {
    let mut bench = Bench::subscribed(queue(&[1, 5]));
    bench.send(10);
    assert_eq!(bench.in_flight(1), [1]);
    assert_eq!(bench.in_flight(2), [2, 3, 4, 5, 6]);
}

/// Rule: strict-order-fills-first
#[test]
fn strict_order_fills_the_first_consumer_first() {
    let mut scenario = queue(&[3, 3]);
    scenario.destinations[0].policy.strict_order_dispatch = true;
    let mut bench = Bench::subscribed(scenario);
    bench.send(8);
    assert_eq!(bench.in_flight(1), [1, 2, 3]);
    assert_eq!(bench.in_flight(2), [4, 5, 6]);
}

/// Rule: consumer-priority
#[test]
fn a_high_priority_gets_everything_until_it_is_full() {
    let mut scenario = queue(&[3, 3, 3]);
    scenario.consumers[1].priority = 5;
    let mut bench = Bench::subscribed(scenario);
    bench.send(8);
    assert_eq!(bench.in_flight(2), [1, 2, 3]);
    assert_eq!(bench.in_flight(1), [4, 6, 8]);
    assert_eq!(bench.in_flight(3), [5, 7]);
}

/// Rule: consumer-priority-off
#[test]
fn priorities_can_be_switched_off() {
    let mut scenario = queue(&[3, 3]);
    scenario.consumers[1].priority = 5;
    scenario.destinations[0].policy.use_consumer_priority = false;
    let mut bench = Bench::subscribed(scenario);
    bench.send(4);
    assert_eq!(bench.in_flight(1), [1, 3]);
    assert_eq!(bench.in_flight(2), [2, 4]);
}

#[test]
fn an_exclusive_consumer_gets_everything_there_is() {
    let mut scenario = queue(&[3, 3, 3]);
    scenario.consumers[1].exclusive = true;
    let mut bench = Bench::subscribed(scenario);
    bench.send(5);
    assert_eq!(bench.in_flight(2), [1, 2, 3]);
    assert!(bench.in_flight(1).is_empty() && bench.in_flight(3).is_empty());
    bench.close(2, None);
    assert_eq!(
        bench.in_flight(1),
        [1, 3, 5],
        "nobody is exclusive any more"
    );
}

/// Rule: exclusive-is-replaced
#[test]
fn of_two_exclusive_consumers_with_priority_127_the_second_wins() {
    let mut scenario = queue(&[3, 3, 3]);
    for (consumer, priority) in scenario.consumers.iter_mut().zip([127, 127, 10]) {
        (consumer.exclusive, consumer.priority) = (true, priority);
    }
    let mut bench = Bench::subscribed(scenario);
    bench.send(2);
    assert_eq!(bench.in_flight(2), [1, 2]);
    bench.close(2, None);
    assert_eq!(
        bench.in_flight(1),
        [1, 2],
        "the successor of the highest priority"
    );
}

/// Rule: exclusive
#[test]
fn all_consumers_can_be_exclusive() {
    let mut scenario = queue(&[3, 3]);
    scenario.destinations[0]
        .policy
        .all_consumers_exclusive_by_default = true;
    let mut bench = Bench::subscribed(scenario);
    bench.send(5);
    assert_eq!(bench.in_flight(1), [1, 2, 3]);
    assert!(bench.in_flight(2).is_empty());
}

/// Rule: groups-have-owners, groups-prefer-the-poor
#[test]
fn a_group_sticks_to_its_owner() {
    let mut bench = Bench::subscribed(queue(&[4, 4]));
    for group in [1, 2, 3, 1, 1, 2, 1, 3, 1, 2] {
        bench.template.group = group;
        bench.send(1);
    }
    assert_eq!(bench.in_flight(1), [1, 3, 4, 5]);
    assert_eq!(
        bench.in_flight(2),
        [2, 6, 10],
        "7, 8 and 9 wait for c1 and hold nobody back"
    );
    bench.crash(1);
    assert_eq!(bench.in_flight(2), [2, 6, 10, 1], "its groups are free");
}

/// Rule: dispatch-waits-for-consumers
#[test]
fn dispatch_waits_for_the_second_consumer() {
    let mut scenario = queue(&[5, 5]);
    scenario.destinations[0]
        .policy
        .consumers_before_dispatch_starts = 2;
    let mut bench = Bench::of(scenario);
    bench.send(4);
    bench.subscribe(1);
    assert_eq!(bench.dispatches(), "");
    bench.subscribe(2);
    assert_eq!(bench.dispatches(), "c1 m1, c2 m2, c1 m3, c2 m4");
}

/// Rule: dispatch-waits-for-consumers
#[test]
fn dispatch_waits_a_second_for_consumers_that_never_come() {
    let mut scenario = queue(&[5]);
    scenario.destinations[0]
        .policy
        .consumers_before_dispatch_starts = 2;
    let mut bench = Bench::subscribed(scenario);
    bench.send(1);
    bench.wait_until(999);
    assert_eq!(bench.dispatches(), "");
    bench.wait_until(1000);
    assert_eq!(bench.dispatches(), "c1 m1");
}

/// Rule: queue-by-priority
#[test]
fn a_higher_priority_overtakes_what_waits() {
    let mut scenario = queue(&[2]);
    scenario.destinations[0].policy.prioritized_messages = true;
    let mut bench = Bench::subscribed(scenario);
    for priority in [4, 4, 4, 1, 9, 4] {
        bench.template.priority = priority;
        bench.send(1);
    }
    assert_eq!(bench.dispatches(), "c1 m1, c1 m2");
    bench.standard(1, 1, 2);
    bench.standard(1, 5, 3);
    assert_eq!(bench.dispatches(), "c1 m5, c1 m3, c1 m6, c1 m4");
}

// ── pages ──

/// Rule: page, fresh-waits-for-older, passes-at-once
#[test]
fn a_loaded_queue_is_paged_in_by_passes() {
    let mut bench = Bench::of(queue(&[5000]));
    bench.send(3000);
    bench.subscribe(1);
    assert_eq!(bench.in_flight(1).len(), 200, "a subscribe makes one pass");
    bench.standard(1, 1, 1);
    assert_eq!(bench.in_flight(1).len(), 199 + 400, "an ack two");
    let transaction = bench.begin(1);
    bench.standard_in(transaction, 1, 2, 3);
    assert_eq!(bench.in_flight(1).len(), 199 + 800, "also in a transaction");
    bench.commit(1, transaction);
    assert_eq!(
        bench.in_flight(1).len(),
        197 + 1600,
        "a commit two for each message"
    );
    bench.send(1);
    assert_eq!(bench.in_flight(1).len(), 197 + 1800, "a send one");
}

/// Rule: check-pages-in
#[test]
fn the_expiry_check_pages_in_for_its_own_purpose() {
    // Recorded: 200 at the subscribe, 600 more at the first check, 200 at the second.
    let mut scenario = queue(&[2900]);
    scenario.destinations[0].policy.expire_messages_period = crate::kernel::Span::from_millis(1000);
    let mut bench = Bench::of(scenario);
    bench.send(3000);
    bench.subscribe(1);
    bench.wait_until(1000);
    assert_eq!(bench.in_flight(1).len(), 800);
    bench.wait_until(2000);
    assert_eq!(bench.in_flight(1).len(), 1000);
}

// ── windows ──

/// Rule: extension-has-no-bound, delivered-ack
#[test]
fn delivered_acks_widen_the_window_without_end() {
    // 12.4
    let mut bench = Bench::subscribed(queue(&[10]));
    bench.send(40);
    assert_eq!(bench.in_flight(1).len(), 10);
    for last in [5, 10, 15, 20] {
        bench.delivered(1, last, 5);
    }
    assert_eq!((bench.in_flight(1).len(), bench.extension(1)), (30, 20));
}

/// Rule: extension-can-be-forbidden
#[test]
fn without_the_extension_a_consumer_freezes() {
    // 12.5
    let mut scenario = queue(&[10]);
    scenario.destinations[0].policy.use_prefetch_extension = false;
    let mut bench = Bench::subscribed(scenario);
    bench.send(40);
    bench.delivered(1, 5, 5);
    bench.delivered(1, 10, 5);
    assert_eq!((bench.in_flight(1).len(), bench.extension(1)), (10, 0));
}

/// Rule: standard-ack
#[test]
fn a_standard_ack_takes_the_extension_back() {
    // 12.6
    let mut bench = Bench::subscribed(queue(&[10]));
    bench.send(40);
    bench.delivered(1, 5, 5);
    bench.dispatches();
    bench.standard(1, 1, 7);
    assert_eq!(bench.dispatches(), "c1 m16, c1 m17");
    bench.delivered(1, 12, 5);
    assert_eq!(bench.dispatches(), "c1 m18, c1 m19, c1 m20, c1 m21, c1 m22");
    bench.standard(1, 8, 14);
    assert_eq!(bench.dispatches(), "c1 m23, c1 m24");
}

/// Rule: individual-ack
#[test]
fn individual_acks_with_receive_swing_the_window() {
    // 12.8
    let mut bench = Bench::subscribed(queue(&[10]));
    bench.send(40);
    for message in 1..=4 {
        bench.individual(1, message);
    }
    bench.dispatches();
    bench.delivered(1, 5, 5);
    assert_eq!(bench.dispatches(), "c1 m15, c1 m16, c1 m17, c1 m18, c1 m19");
    bench.individual(1, 5);
    assert_eq!((bench.in_flight(1).len(), bench.extension(1)), (14, 4));
    for message in 6..=9 {
        bench.individual(1, message);
    }
    assert_eq!((bench.dispatches(), bench.extension(1)), (String::new(), 0));
}

/// Rule: poison-ack
#[test]
fn a_poisoned_batch_leaves_the_window_wider() {
    // 12.15
    let mut bench = Bench::subscribed(queue(&[10]));
    bench.send(20);
    bench.delivered(1, 5, 5);
    bench.poison(1, 1, 7);
    assert_eq!(bench.extension(1), 4);
    assert_eq!(bench.remaining(1), [1, 2, 3, 4, 5, 6, 7]);
}

/// Rule: policy-replaces-default-prefetch
#[test]
fn a_policy_replaces_only_a_default_prefetch() {
    let mut scenario = queue(&[1000, 20]);
    scenario.consumers[0].prefetch_is_default = true;
    scenario.destinations[0].policy.has_entry = true;
    scenario.destinations[0].policy.queue_prefetch = 10;
    let bench = Bench::subscribed(scenario);
    assert_eq!(bench.broker.prefetch(bench.id(1)), Some(10));
    assert_eq!(bench.broker.prefetch(bench.id(2)), Some(20));
}

/// Rule: standard-ack-must-match, delivered-ack
#[test]
fn acks_that_do_not_match_are_refused() {
    let mut bench = Bench::subscribed(queue(&[10]));
    bench.send(5);
    bench.ack(1, AckType::Standard, (Some(1), 3), 2, None);
    bench.standard(1, 1, 2);
    bench.standard(1, 1, 3);
    bench.delivered(1, 1, 1);
    bench.individual(1, 1);
    bench.ack(1, AckType::Redelivered, (Some(3), 4), 9, None);
    assert_eq!(
        bench.lines(&["rejected", "done"]),
        [
            "rejected c1",
            "done c1 m1",
            "done c1 m2",
            "rejected c1",
            "rejected c1"
        ],
        "a wrong count; a first that is gone; a last that is gone"
    );
    assert_eq!(bench.in_flight(1), [3, 4, 5]);
}

/// Rule: poison-ack
#[test]
fn a_poison_range_without_end_buries_all_there_is() {
    let mut bench = Bench::subscribed(queue(&[2, 2]));
    bench.send(4);
    bench.ack(1, AckType::Poison, (Some(1), 2), 2, None);
    assert_eq!(
        bench.lines(&["dead", "rej"]),
        ["deadLetter m1", "deadLetter m3", "rejected c1"]
    );
}

// ── pulls: 12.17 ──

/// Rule: pull-credit
#[test]
fn a_pull_is_room_for_one_message() {
    let mut bench = Bench::subscribed(queue(&[0]));
    bench.send(2);
    bench.pull(1, 0);
    assert_eq!(bench.dispatches(), "c1 m1");
    bench.pull(1, -1);
    bench.pull(1, -1);
    assert_eq!(
        bench.lines(&["dispatch", "nothing"]),
        ["dispatch c1 m2", "nothing c1"]
    );
    bench.pull(1, 0);
    bench.send(2);
    assert_eq!(
        bench.dispatches(),
        "c1 m3",
        "the credit of one stays until a message comes"
    );
}

/// Rule: pull-time-out
#[test]
fn a_pull_with_time_out_is_answered_in_the_end() {
    let mut bench = Bench::subscribed(queue(&[0]));
    bench.pull(1, 200);
    bench.wait_until(199);
    assert!(bench.lines(&["nothing"]).is_empty());
    bench.wait_until(200);
    assert_eq!(bench.lines(&["nothing"]), ["nothing c1"]);
    bench.send(1);
    assert_eq!(bench.dispatches(), "", "the credit is gone");
    bench.pull(1, 200);
    bench.wait_until(1000);
    assert_eq!(bench.lines(&["nothing", "dispatch"]), ["dispatch c1 m1"]);
}

// ── removal: 12.16, 12.23, 12.24 ──

/// Rule: close-counts-delivered
#[test]
fn a_close_flags_what_was_delivered() {
    let mut bench = Bench::subscribed(queue(&[10]));
    bench.send(12);
    bench.dispatches();
    bench.close(1, Some(4));
    bench.subscribe_again(1);
    let expected = "c1 m1+1, c1 m2+1, c1 m3+1, c1 m4+1, c1 m5, c1 m6, c1 m7, c1 m8, c1 m9, c1 m10";
    assert_eq!(bench.dispatches(), expected);
}

/// Rule: close-counts-delivered
#[test]
fn a_close_looks_for_exactly_the_message_that_was_delivered_last() {
    let mut bench = Bench::subscribed(queue(&[3]));
    bench.send(5);
    bench.individual(1, 2);
    bench.dispatches();
    bench.close(1, Some(2));
    bench.subscribe_again(1);
    assert_eq!(
        bench.dispatches(),
        "c1 m1, c1 m3, c1 m4",
        "m2 is acknowledged: nothing is flagged"
    );
}

/// Rule: session-close-tells-one-maximum, sequence-ids
#[test]
fn the_end_of_a_session_flags_only_the_consumer_that_had_the_newest_message() {
    // 12.21: one maximum for all consumers, looked for by equality.
    let mut scenario = queue(&[3, 3]);
    scenario.consumers[1].session = 0;
    scenario.consumers[1].connection = 0;
    let mut bench = Bench::subscribed(scenario);
    bench.send(6);
    bench.dispatches();
    let last_delivered = 4;
    bench.command(1, ToBroker::RemoveConnection { last_delivered });
    assert_eq!(bench.lines(&["close"]), ["close c1", "close c2"]);
    bench.subscribe_again(1);
    assert_eq!(bench.dispatches(), "c1 m1, c1 m3, c1 m5");
    bench.standard(1, 1, 5);
    assert_eq!(bench.dispatches(), "c1 m2+1, c1 m4+1, c1 m6");
}

/// Rule: crash-counts-all
#[test]
fn a_crash_flags_everything_in_flight() {
    let mut bench = Bench::subscribed(queue(&[3]));
    bench.send(4);
    bench.dispatches();
    bench.crash(1);
    bench.subscribe_again(1);
    assert_eq!(bench.dispatches(), "c1 m1+1, c1 m2+1, c1 m3+1");
    bench.standard(1, 1, 3);
    assert_eq!(bench.dispatches(), "c1 m4");
}

/// Rule: returned-go-first
#[test]
fn messages_return_in_the_order_in_which_consumers_leave() {
    let mut bench = Bench::subscribed(queue(&[2, 2, 2]));
    bench.send(9);
    bench.close(2, None);
    bench.close(1, None);
    bench.dispatches();
    for message in [3, 6, 2, 5, 1, 4, 7] {
        bench.individual(3, message);
    }
    assert_eq!(
        bench.dispatches(),
        "c3 m2, c3 m5, c3 m1, c3 m4, c3 m7, c3 m8, c3 m9"
    );
}

/// Rule: siblings-get-it-at-once
#[test]
fn a_crash_gives_its_messages_to_a_sibling_with_room() {
    // 12.23
    let mut bench = Bench::subscribed(queue(&[4, 4]));
    bench.send(12);
    bench.delivered(1, 3, 2);
    bench.dispatches();
    bench.crash(1);
    assert_eq!(bench.dispatches(), "", "c2 is full");
    bench.delivered(2, 4, 2);
    assert_eq!(bench.dispatches(), "c2 m1+1, c2 m3+1");
    bench.delivered(2, 8, 2);
    assert_eq!(bench.dispatches(), "c2 m5+1, c2 m7+1");
    bench.standard(2, 2, 8);
    assert_eq!(
        bench.dispatches(),
        "",
        "eight in flight, four of them acknowledged, no extension left"
    );
    bench.individual(2, 1);
    assert_eq!(bench.dispatches(), "c2 m9+1");
}

/// Rule: strict-order-re-heads
#[test]
fn with_strict_order_the_last_to_leave_puts_its_messages_first() {
    let mut scenario = queue(&[3, 3]);
    scenario.destinations[0].policy.strict_order_dispatch = true;
    let mut bench = Bench::subscribed(scenario);
    bench.send(6);
    bench.close(2, None);
    bench.close(1, None);
    bench.dispatches();
    bench.subscribe_again(1);
    bench.standard(1, 1, 3);
    assert_eq!(
        bench.dispatches(),
        "c1 m1, c1 m2, c1 m3, c1 m4, c1 m5, c1 m6"
    );
}

// ── transactions: 5.6, 5.7 ──

/// Rule: acked-in-transaction, commit-in-order, passes-of-a-commit
#[test]
fn acks_take_effect_at_the_commit() {
    let mut bench = Bench::subscribed(queue(&[5]));
    bench.send(30);
    let transaction = bench.begin(1);
    bench.ack(1, AckType::Delivered, (Some(1), 3), 3, Some(transaction));
    bench.standard_in(transaction, 1, 1, 4);
    bench.dispatches();
    assert_eq!(bench.in_flight(1).len(), 8);
    bench.commit(1, transaction);
    assert_eq!(bench.dispatches(), "c1 m9");
    assert_eq!((bench.in_flight(1).len(), bench.extension(1)), (5, 0));
}

/// Rule: rollback-keeps-in-flight
#[test]
fn a_rollback_shrinks_the_window_and_leaves_messages_in_flight() {
    // 12.10
    let mut bench = Bench::subscribed(queue(&[5]));
    bench.send(30);
    let transaction = bench.begin(1);
    bench.ack(1, AckType::Delivered, (Some(1), 3), 3, Some(transaction));
    bench.standard_in(transaction, 1, 1, 4);
    bench.roll_back(1, transaction);
    assert_eq!((bench.in_flight(1).len(), bench.extension(1)), (8, 0));
    bench.dispatches();
    bench.poison(1, 1, 4);
    assert_eq!(bench.dispatches(), "c1 m9");
}

/// Rule: acked-in-transaction, connection-rolls-back
#[test]
fn a_crash_in_a_transaction_gives_everything_back() {
    let mut bench = Bench::subscribed(queue(&[3, 3]));
    bench.send(3);
    let transaction = bench.begin(1);
    bench.standard_in(transaction, 1, 1, 3);
    bench.dispatches();
    bench.crash(1);
    assert_eq!(bench.dispatches(), "c2 m1+1, c2 m3+1");
}

/// Rule: commit-after-removal
#[test]
fn a_commit_counts_even_if_its_consumer_is_gone() {
    let mut bench = Bench::subscribed(queue(&[3, 3]));
    bench.send(2);
    let transaction = bench.begin(1);
    bench.standard_in(transaction, 1, 1, 1);
    bench.close(1, Some(1));
    bench.dispatches();
    bench.commit(1, transaction);
    assert_eq!(bench.lines(&["done", "dispatch"]), ["done c1 m1"]);
    assert_eq!(bench.remaining(0), [2]);
    bench.standard(2, 2, 2);
    assert_eq!(bench.held_by_broker(), 0);
}

/// Rule: rollback-only
#[test]
fn a_bad_async_ack_spoils_its_transaction() {
    let mut bench = Bench::subscribed(queue(&[5]));
    bench.send(2);
    let transaction = bench.begin(1);
    bench.standard_in(transaction, 1, 1, 2);
    bench.ack(1, AckType::Poison, (Some(1), 1), 1, Some(transaction));
    bench.commit(1, transaction);
    assert_eq!(bench.lines(&["rejected", "done"]), ["rejected c1"]);
    let failed = crate::wire::ToClient::Response {
        to: crate::wire::Caller::Session(0),
        failed: true,
    };
    assert!(bench.answers().contains(&failed));
    assert_eq!(bench.in_flight(1), [1, 2]);
}

#[test]
fn nothing_is_held_when_all_is_done() {
    let mut bench = Bench::subscribed(queue(&[5, 5]));
    bench.send(4);
    bench.standard(1, 1, 3);
    bench.individual(2, 4);
    let transaction = bench.begin(2);
    bench.standard_in(transaction, 2, 2, 2);
    bench.commit(2, transaction);
    assert_eq!(bench.held_by_broker(), 0);
}

/// Rule: lazy-dispatch
/// Rule: lazy-dispatch
#[test]
fn lazy_dispatch_reads_what_there_is_room_for() {
    let waiting = |lazy: bool| {
        let mut scenario = queue(&[3, 2]);
        scenario.destinations[0].policy.lazy_dispatch = lazy;
        let mut bench = Bench::of(scenario);
        bench.send(10);
        bench.subscribe(1);
        bench.subscribe(2);
        assert_eq!(bench.in_flight(1).len() + bench.in_flight(2).len(), 5);
        bench.broker.destinations[0].queue().waiting.pending()
    };
    assert_eq!(waiting(false), 5);
    assert_eq!(waiting(true), 0);
}

/// Rule: begin-twice
#[test]
fn a_transaction_begins_once() {
    let mut bench = Bench::subscribed(queue(&[3]));
    bench.send(2);
    let transaction = bench.begin(1);
    bench.standard_in(transaction, 1, 1, 1);
    bench.command(1, ToBroker::Begin(transaction));
    bench.commit(1, transaction);
    assert_eq!(bench.in_flight(1), [2]);
}
