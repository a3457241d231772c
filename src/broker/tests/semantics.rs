//! Where other sets of semantics differ from 5.17.2.

use super::*;
use crate::scenario::Semantics;
use crate::wire::{AckType, MessageRef, ToBroker};

fn article(prefetches: &[u32]) -> Scenario {
    let mut scenario = queue(prefetches);
    scenario.semantics = Semantics::Article;
    scenario
}

/// Rule: article-3
#[test]
fn article_3_a_consumer_freezes_after_one_and_a_half_windows() {
    let mut bench = Bench::subscribed(article(&[10]));
    bench.send(40);
    bench.delivered(1, 5, 5);
    assert_eq!((bench.in_flight(1).len(), bench.extension(1)), (15, 5));
    bench.delivered(1, 10, 7);
    assert_eq!(
        bench.in_flight(1).len(),
        15,
        "never more than half the prefetch"
    );
    bench.standard(1, 1, 7);
    assert_eq!((bench.in_flight(1).len(), bench.extension(1)), (10, 0));
}

/// Rule: article-4
#[test]
fn article_4_delivered_and_a_full_window_make_slow_until_the_next_ack() {
    let mut bench = Bench::subscribed(article(&[4, 4]));
    bench.send(9);
    assert_eq!(
        bench.lines(&["slow"]),
        [] as [&str; 0],
        "full, but nobody said DELIVERED"
    );
    bench.delivered(1, 3, 2);
    bench.send(5);
    assert_eq!(bench.lines(&["slow"]), ["slow c1"]);
    bench.standard(1, 1, 5);
    assert_eq!(bench.lines(&["slow", "not slow"]), ["not slow c1"]);
}

/// Rule: article-5
#[test]
fn article_5_the_broker_puts_failed_messages_back_for_anybody() {
    let mut bench = Bench::subscribed(article(&[2, 1]));
    bench.send(4);
    bench.dispatches();
    let range: (MessageRef, MessageRef) = (bench.place(1, 1), bench.place(1, 3));
    let ack = crate::wire::MessageAck {
        consumer: bench.id(1),
        ack_type: AckType::Redelivered,
        first: Some(range.0),
        last: range.1,
        count: 2,
        transaction: None,
    };
    bench.command(
        1,
        ToBroker::Ack {
            ack,
            reply_to: None,
            redeliver_after: 50,
        },
    );
    assert_eq!(bench.dispatches(), "c1 m4");
    assert_eq!(
        bench.remaining(0),
        [1, 2, 3, 4],
        "what is delayed is still there"
    );
    bench.wait_until(50);
    assert_eq!(bench.dispatches(), "c1 m1+1");
    bench.standard(2, 2, 2);
    assert_eq!(bench.dispatches(), "c2 m3+1");
}

/// Rule: article-7
#[test]
fn article_7_a_crash_flags_only_what_was_delivered() {
    let mut bench = Bench::subscribed(article(&[3]));
    bench.send(3);
    bench.world.last_delivered = 2;
    bench.dispatches();
    bench.crash(1);
    bench.subscribe_again(1);
    assert_eq!(bench.dispatches(), "c1 m1+1, c1 m2+1, c1 m3");
}

/// Rule: full-queue-consumer-is-slow
#[test]
fn activemq_6_marks_a_full_queue_consumer_slow() {
    let mut scenario = queue(&[2, 5]);
    scenario.semantics = Semantics::ActiveMq6;
    let mut bench = Bench::subscribed(scenario);
    bench.send(4);
    assert_eq!(
        bench.lines(&["slow"]),
        [] as [&str; 0],
        "full, but not passed over yet"
    );
    bench.send(1);
    assert_eq!(bench.lines(&["slow"]), ["slow c1"]);
    bench.standard(1, 1, 1);
    assert_eq!(bench.lines(&["not slow"]), ["not slow c1"]);
}
