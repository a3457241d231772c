use super::*;
use crate::facts::{DeathCause, Outcome as Processing};
use crate::story::{Plan, Story, first_life, plan, transaction};
use crate::wire::AckType;

const WORKER: crate::wire::ConsumerId = crate::wire::ConsumerId { index: 0, life: 1 };

fn one_queue() -> Scenario {
    plan()
        .queue("orders")
        .queue("DLQ")
        .producer("orders", 0)
        .consumer("worker", 0)
}

fn views(story: Story<Recorder>) -> Views {
    story.observer.finish(story.now, &story.messages)
}

#[test]
fn a_message_from_dispatch_to_acknowledge() {
    let scenario = one_queue();
    let mut story = Story::new(&scenario, Recorder::new(&scenario));
    story.subscribe(WORKER);
    let message = story.queue(0);
    story
        .push(WORKER, message)
        .deliver(WORKER, message)
        .done(WORKER, message);
    story.acknowledge_and_release(WORKER, message);
    story.unsubscribe(WORKER, Removal::Close);
    let views = views(story);
    let worker = &views.consumers["worker"];
    assert_eq!(worker.acks, ["STANDARD orders:1..orders:1 x1", "close"]);
    assert_eq!(worker.delivered, ["orders:1"]);
    assert_eq!(worker.dispatched, ["orders:1"]);
    assert_eq!(
        views.broker,
        [
            "subscribe worker",
            "dispatch worker orders:1",
            "ack worker STANDARD orders:1..orders:1 x1",
            "remove worker"
        ]
    );
    assert_eq!(views.outcome.acknowledged, ["orders:1"]);
    assert_eq!(views.outcome.remaining, [""; 0]);
}

#[test]
fn redelivery_shows_in_dispatched_and_delivered() {
    let scenario = one_queue();
    let mut story = Story::new(&scenario, Recorder::new(&scenario));
    let message = story.queue(0);
    story
        .push(WORKER, message)
        .unsubscribe(WORKER, Removal::Lost)
        .returned(WORKER, message);
    let second = crate::wire::ConsumerId { index: 0, life: 2 };
    story
        .push(second, message)
        .deliver_again(second, message, 2);
    let views = views(story);
    let worker = &views.consumers["worker"];
    assert_eq!(worker.acks, ["lost"]);
    assert_eq!(worker.dispatched, ["orders:1", "orders:1 redelivery=1"]);
    assert_eq!(worker.delivered, ["orders:1 redelivered count=2"]);
    assert_eq!(views.outcome.remaining, ["orders:1"]);
}

#[test]
fn acks_without_first_and_inside_transactions() {
    let scenario = one_queue();
    let mut story = Story::new(&scenario, Recorder::new(&scenario));
    let message = story.queue(0);
    let individual = MessageAck {
        consumer: WORKER,
        ack_type: AckType::Individual,
        first: None,
        last: message,
        count: 1,
        transaction: Some(transaction(0, 1)),
    };
    story.ack(individual);
    assert_eq!(
        views(story).consumers["worker"].acks,
        ["INDIVIDUAL -..orders:1 x1 tx"]
    );
}

#[test]
fn transactions_show_on_the_first_consumer_of_the_session_and_not_in_the_broker_view() {
    let scenario = plan()
        .queue("a")
        .producer("a", 0)
        .consumer("first", 0)
        .sibling("second", 0);
    let mut story = Story::new(&scenario, Recorder::new(&scenario));
    for command in [
        TransactionCommand::Begin,
        TransactionCommand::Commit,
        TransactionCommand::Rollback,
    ] {
        story.fact(Fact::TransactionArrived {
            transaction: transaction(0, 1),
            command,
        });
    }
    let views = views(story);
    assert_eq!(
        views.consumers["first"].acks,
        ["begin", "commit", "rollback"]
    );
    assert_eq!(views.consumers["second"].acks, [""; 0]);
    assert_eq!(views.broker, [""; 0]);
}

#[test]
fn pulls_name_their_timeout_unless_it_is_0() {
    let scenario = one_queue();
    let mut story = Story::new(&scenario, Recorder::new(&scenario));
    for timeout in [0, -1, 200] {
        story.fact(Fact::PullArrived {
            consumer: WORKER,
            timeout,
        });
    }
    let views = views(story);
    assert_eq!(
        views.consumers["worker"].acks,
        ["pull", "pull timeout=-1", "pull timeout=200"]
    );
    assert_eq!(views.broker, [""; 0]);
}

#[test]
fn remaining_goes_by_arrival_on_the_queues_that_the_scenario_names() {
    let scenario = plan()
        .queue("a")
        .queue("b")
        .queue("DLQ")
        .topic("news")
        .producer("b", 1)
        .producer("news", 3)
        .consumer("a", 0)
        .consumer("b", 1);
    let mut story = Story::new(&scenario, Recorder::new(&scenario));
    let late = story.send(0);
    let early = story.queue(0);
    story.enqueue(late, 1);
    let news = story.send(1);
    story.enqueue(news, 1);
    let poisoned = story.queue(0);
    story
        .push(first_life(1), poisoned)
        .poison(first_life(1), poisoned, 2);
    story.dead_letter(poisoned, 2);
    story.push(first_life(1), early);
    let outcome = views(story).outcome;
    assert_eq!(outcome.remaining, ["b:2", "b:1"]);
    assert_eq!(outcome.dead_lettered, ["b:3"]);
}

#[test]
fn remaining_leaves_out_what_is_acknowledged_in_an_open_transaction_or_expired_on_the_queue() {
    let scenario = one_queue();
    let mut story = Story::new(&scenario, Recorder::new(&scenario));
    story.at(0.5);
    let acked = story.queue(0);
    let expired = story.queue(0);
    let expired_in_flight = story.queue(0);
    story.messages[acked].acked = true;
    story.messages[expired].expiration = 100;
    story.messages[expired_in_flight].expiration = 100;
    story.messages[expired_in_flight].locked_by = Some(0);
    assert_eq!(views(story).outcome.remaining, ["orders:3"]);
}

#[test]
fn expired_messages_are_not_acknowledged_ones() {
    let scenario = one_queue();
    let mut story = Story::new(&scenario, Recorder::new(&scenario));
    let message = story.queue(0);
    story.fact(Fact::Expired {
        consumer: None,
        message,
    });
    story.fact(Fact::DeadLettered {
        consumer: None,
        message,
        cause: DeathCause::Expired,
        queue: 1,
    });
    let views = views(story);
    assert_eq!(views.broker, ["expired orders:1", "deadLetter orders:1"]);
    assert_eq!(views.outcome.expired, ["orders:1"]);
    assert_eq!(views.outcome.dead_lettered, ["orders:1"]);
    assert_eq!(views.outcome.acknowledged, [""; 0]);
}

#[test]
fn slow_consumers_stand_once_in_the_outcome_and_each_time_in_the_log() {
    let scenario = one_queue();
    let mut story = Story::new(&scenario, Recorder::new(&scenario));
    for slow in [true, false, true] {
        story.fact(Fact::Slow {
            consumer: WORKER,
            slow,
        });
    }
    let message = story.queue(0);
    story.fact(Fact::Discarded {
        consumer: WORKER,
        message,
        cause: DeathCause::Evicted,
    });
    let views = views(story);
    assert_eq!(views.outcome.slow, ["worker"]);
    assert_eq!(
        views.broker,
        ["slow worker", "slow worker", "discard worker orders:1"]
    );
    assert_eq!(views.outcome.discarded, ["orders:1"]);
}

#[test]
fn an_interrupted_processing_leaves_no_line() {
    let scenario = one_queue();
    let mut story = Story::new(&scenario, Recorder::new(&scenario));
    let message = story.queue(0);
    story.push(WORKER, message).deliver(WORKER, message);
    story
        .process(WORKER, message, Processing::Interrupted)
        .crash(WORKER);
    let views = views(story);
    assert_eq!(views.consumers["worker"].delivered, ["orders:1"]);
    assert_eq!(views.broker, ["dispatch worker orders:1"]);
}
