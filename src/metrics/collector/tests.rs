use super::*;
use crate::facts::DeathCause;
use crate::metrics::Metrics;
use crate::scenario::{Arrivals, Scenario};
use crate::story::{Plan, Story, first_life, plan, transaction};

const A: ConsumerId = ConsumerId { index: 0, life: 1 };
const B: ConsumerId = ConsumerId { index: 1, life: 1 };

fn one_consumer() -> Scenario {
    plan().queue("q").producer("p", 0).consumer("a", 0)
}

fn two_consumers() -> Scenario {
    one_consumer().consumer("b", 0)
}

fn tell(scenario: &Scenario, tell: impl FnOnce(&mut Story<Collector>)) -> Metrics {
    let mut story = Story::new(scenario, Collector::new(scenario));
    tell(&mut story);
    let ended_at = story.now;
    story.observer.finish(RunEnd {
        ended_at,
        events: 7,
        draws: None,
    })
}

#[test]
fn a_message_on_its_way() {
    let metrics = tell(&one_consumer(), |story| {
        story.subscribe(A);
        let message = story.at(10.0).queue(0);
        story.at(11.0).dispatch(A, message);
        story.at(12.0).receive(A, message);
        story.at(15.0).deliver(A, message);
        story.at(25.0).done(A, message);
        story.at(26.0).acknowledge_and_release(A, message);
        story.at(60.0);
    });
    let latency = &metrics.latency_ms;
    assert_eq!(latency.send_to_delivered.mean, Some(5.0));
    assert_eq!(latency.send_to_processed.p50, Some(15.0));
    assert_eq!(latency.send_to_acknowledged.max, Some(16.0));
    assert_eq!(latency.send_to_acknowledged.count, 1);
    let consumer = &metrics.consumers["a"];
    assert_eq!(consumer.buffered_ms, Some(3.0), "12 to 15");
    assert_eq!(consumer.in_flight_ms, Some(14.0), "11 to 25");
    assert_eq!(consumer.busy_ms, 10.0);
    assert_eq!(consumer.idle_ms, 50.0);
    assert_eq!(consumer.connected_ms, 60.0);
    assert_eq!(consumer.last_delivered_ms, Some(15.0));
    assert_eq!(
        (consumer.delivered, consumer.processed, consumer.redelivered),
        (1, 1, 0)
    );
    assert_eq!(
        consumer.utilisation,
        Some(0.625),
        "10 of the 16 ms from 10 to 26"
    );
    assert_eq!(metrics.timing.origin_ms, Some(10.0));
    assert_eq!(metrics.timing.makespan_ms, Some(16.0));
    assert_eq!(metrics.timing.first_send_ms, Some(10.0));
    assert_eq!(metrics.timing.first_subscribe_ms, Some(0.0));
    assert_eq!(metrics.timing.first_start_ms, Some(15.0));
    assert_eq!(metrics.timing.last_processed_ms, Some(25.0));
    assert_eq!(metrics.timing.last_acknowledged_ms, Some(26.0));
    assert_eq!(metrics.throughput.processed_per_second, Some(62.5));
    assert_eq!(metrics.messages.sent, 1);
    assert_eq!(metrics.messages.acknowledged, 1);
    assert_eq!((metrics.messages.remaining, metrics.messages.lost), (0, 0));
    assert_eq!((metrics.run.events, metrics.run.simulated_ms), (7, 60.0));
    let queue = &metrics.destinations["queue://q"];
    assert_eq!((queue.depth, queue.max_depth), (0, 1));
    assert_eq!(queue.mean_depth, Some(0.266667), "16 of 60 ms");
    assert_eq!(queue.mean_in_flight, Some(0.25), "15 of 60 ms");
}

#[test]
fn nothing_happened() {
    let metrics = tell(&one_consumer(), |_| {});
    assert_eq!(metrics.timing.makespan_ms, None);
    assert_eq!(metrics.timing.first_send_ms, None);
    assert_eq!(metrics.latency_ms.send_to_delivered.p99, None);
    assert_eq!(metrics.throughput.processed_per_second, None);
    assert_eq!(metrics.consumers["a"].utilisation, None);
    assert_eq!(metrics.fairness, None);
    assert_eq!(metrics.wire.acks_per_message, None);
}

#[test]
fn latencies_count_from_the_moment_the_application_wanted_to_send() {
    let metrics = tell(&one_consumer(), |story| {
        story.at(50.0);
        let message = story.send_late(0, Time(10_000_000));
        story.at(60.0).push(A, message).deliver(A, message);
        story.at(80.0).fact(Fact::SendReturned {
            producer: 0,
            called_at: Time(50_000_000),
            failed: true,
        });
    });
    assert_eq!(metrics.latency_ms.send_to_delivered.max, Some(50.0));
    let producer = &metrics.producers["p"];
    assert_eq!((producer.sent, producer.failed), (1, 1));
    assert_eq!(producer.late_ms, Some(40.0));
    assert_eq!(
        (producer.blocked_ms, producer.max_blocked_ms),
        (30.0, Some(30.0))
    );
}

#[test]
fn warm_up_leaves_out_what_happens_before() {
    let mut scenario = one_consumer();
    scenario.warm_up = Time(100_000_000);
    let metrics = tell(&scenario, |story| {
        story.subscribe(A);
        let early = story.at(10.0).queue(0);
        let straddling = story.at(20.0).queue(0);
        for message in [early, straddling] {
            story.push(A, message);
        }
        story.at(30.0).deliver(A, early);
        story
            .at(40.0)
            .done(A, early)
            .acknowledge_and_release(A, early);
        story.at(90.0).deliver(A, straddling);
        story
            .at(110.0)
            .done(A, straddling)
            .acknowledge_and_release(A, straddling);
        let late = story.at(120.0).queue(0);
        story.push(A, late).at(130.0).deliver(A, late);
        story
            .at(140.0)
            .done(A, late)
            .acknowledge_and_release(A, late);
        story.at(200.0);
    });
    assert_eq!(metrics.messages.sent, 1);
    assert_eq!(metrics.messages.acknowledged, 2);
    assert_eq!(
        metrics.latency_ms.send_to_acknowledged.count, 1,
        "of the message sent after"
    );
    assert_eq!(metrics.latency_ms.send_to_acknowledged.max, Some(20.0));
    let consumer = &metrics.consumers["a"];
    assert_eq!((consumer.delivered, consumer.processed), (1, 2));
    assert_eq!(consumer.busy_ms, 20.0, "100 to 110, and 130 to 140");
    assert_eq!(consumer.connected_ms, 100.0);
    assert_eq!(metrics.timing.origin_ms, Some(100.0));
    assert_eq!(metrics.timing.makespan_ms, Some(40.0));
    let queue = &metrics.destinations["queue://q"];
    assert_eq!((queue.enqueued, queue.max_depth), (1, 1));
    assert_eq!(queue.mean_depth, Some(0.3), "10 + 20 of 100 ms");
    assert_eq!(metrics.run.warm_up_ms, 100.0);
}

#[test]
fn a_run_that_ends_in_its_warm_up_has_no_counts() {
    let mut scenario = one_consumer();
    scenario.warm_up = Time(100_000_000);
    let metrics = tell(&scenario, |story| {
        story.at(10.0).queue(0);
    });
    assert_eq!(metrics.messages.sent, 0);
    assert_eq!(metrics.messages.remaining, 1, "what is the case is told");
}

#[test]
fn each_message_ends_in_one_place() {
    let scenario = plan()
        .queue("q")
        .queue("DLQ")
        .topic("t")
        .producer("p", 0)
        .producer("news", 2);
    let scenario = scenario.consumer("a", 0).consumer("reader", 2);
    let metrics = tell(&scenario, |story| {
        let [
            acknowledged,
            poisoned,
            expired,
            discarded,
            gone,
            _waiting,
            in_flight,
        ] = std::array::from_fn(|_| story.queue(0));
        for message in [acknowledged, poisoned, discarded, in_flight] {
            story.push(A, message).deliver(A, message).done(A, message);
        }
        story.acknowledge_and_release(A, acknowledged);
        story.poison(A, poisoned, 1);
        story.dead_letter(poisoned, 1);
        story.fact(Fact::Expired {
            consumer: None,
            message: expired,
        });
        story.fact(Fact::DeadLettered {
            consumer: None,
            message: expired,
            cause: DeathCause::Expired,
            queue: 1,
        });
        story.fact(Fact::Discarded {
            consumer: A,
            message: discarded,
            cause: DeathCause::Poison,
        });
        story.fact(Fact::Gone {
            consumer: None,
            message: gone,
        });
        let rolled_back = story.send(0);
        story.fact(Fact::NotEnqueued {
            message: rolled_back,
            repeated: false,
        });
        let unheard = story.send(1);
        story.enqueue(unheard, 0);
        let heard = story.send(1);
        story.enqueue(heard, 1);
    });
    let counts = metrics.messages;
    assert_eq!(counts.sent, 10);
    assert_eq!((counts.acknowledged, counts.dead_lettered), (1, 2));
    assert_eq!((counts.expired, counts.discarded, counts.gone), (1, 1, 1));
    assert_eq!(
        counts.remaining, 2,
        "the dead-letter queue is not named by the scenario"
    );
    assert_eq!(
        (
            counts.rolled_back,
            counts.unrouted,
            counts.remaining_on_topics
        ),
        (1, 1, 1)
    );
    assert_eq!(metrics.destinations["queue://DLQ"].depth, 1);
    assert_eq!(counts.lost, 1, "the one that is gone was never processed");
}

#[test]
fn lost_is_what_was_acknowledged_and_never_processed() {
    let metrics = tell(&one_consumer(), |story| {
        story.subscribe(A);
        let [failed, processed, dying, later] = std::array::from_fn(|_| story.queue(0));
        for message in [failed, processed, dying, later] {
            story.push(A, message);
        }
        story
            .acknowledge(A, failed)
            .deliver(A, failed)
            .process(A, failed, Outcome::Failed);
        story.release(failed);
        story
            .acknowledge(A, processed)
            .deliver(A, processed)
            .done(A, processed);
        story.release(processed);
        story
            .acknowledge(A, dying)
            .deliver(A, dying)
            .process(A, dying, Outcome::Interrupted);
        story.crash(A);
        let again = ConsumerId { index: 0, life: 2 };
        story
            .returned(A, later)
            .subscribe(again)
            .push(again, later)
            .acknowledge(again, later);
        story
            .deliver_again(again, later, 2)
            .process(again, later, Outcome::Interrupted);
    });
    assert_eq!(
        metrics.messages.lost, 2,
        "one failed, one died; the last is still worked on"
    );
    assert_eq!(metrics.messages.acknowledged, 4);
}

#[test]
fn duplicates_are_repeats_that_were_worked_on() {
    let metrics = tell(&one_consumer(), |story| {
        let [twice, skipped, failed] = std::array::from_fn(|_| story.queue(0));
        for message in [twice, skipped, failed] {
            story.push(A, message);
        }
        story
            .deliver(A, twice)
            .done(A, twice)
            .deliver_again(A, twice, 2)
            .done(A, twice);
        story.deliver(A, skipped).done(A, skipped);
        story
            .deliver(A, skipped)
            .process(A, skipped, Outcome::Skipped);
        story.deliver(A, failed).process(A, failed, Outcome::Failed);
        story.deliver_again(A, failed, 2).done(A, failed);
    });
    assert_eq!(metrics.messages.duplicates, 1);
    assert_eq!(metrics.messages.duplicates_skipped, 1);
    assert_eq!(
        metrics.messages.unflagged_duplicates, 1,
        "the skipped one came without its flag"
    );
    assert_eq!(metrics.messages.redeliveries, 2);
    let consumer = &metrics.consumers["a"];
    assert_eq!((consumer.delivered, consumer.processed), (6, 4));
    assert_eq!(
        (consumer.failed, consumer.skipped, consumer.redelivered),
        (1, 1, 2)
    );
    assert_eq!(
        metrics.latency_ms.send_to_processed.count, 3,
        "each message once"
    );
}

#[test]
fn subscribers_of_a_topic_work_on_copies_of_their_own() {
    let scenario = plan()
        .topic("t")
        .producer("p", 0)
        .consumer("a", 0)
        .consumer("b", 0);
    let metrics = tell(&scenario, |story| {
        story.subscribe(A).subscribe(B);
        let message = story.send(0);
        story.enqueue(message, 2);
        for consumer in [A, B] {
            story
                .push(consumer, message)
                .deliver(consumer, message)
                .done(consumer, message);
        }
        story.taken_off(A, message);
        story.at(10.0);
    });
    assert_eq!(metrics.messages.duplicates, 0);
    assert_eq!(metrics.messages.acknowledged, 1);
    assert_eq!(metrics.messages.remaining, 0);
    assert_eq!(metrics.messages.remaining_on_topics, 1);
    assert_eq!(metrics.latency_ms.send_to_processed.count, 2);
    assert_eq!(metrics.consumers["b"].starved_ms, 0.0);
}

#[test]
fn an_idle_consumer_starves_while_another_one_hoards() {
    let metrics = tell(&two_consumers(), |story| {
        story.subscribe(A).subscribe(B);
        let [first, second] = std::array::from_fn(|_| story.queue(0));
        story
            .at(10.0)
            .push(A, first)
            .push(A, second)
            .deliver(A, first);
        story.at(30.0).done(A, first).deliver(A, second);
        story.at(50.0).done(A, second);
        story.at(100.0);
    });
    assert_eq!(
        metrics.consumers["b"].starved_ms, 20.0,
        "the second message waits from 10 to 30"
    );
    assert_eq!(metrics.consumers["a"].starved_ms, 0.0);
    assert_eq!(metrics.fairness, Some(0.5));
    assert_eq!(metrics.destinations["queue://q"].fairness, Some(0.5));
}

#[test]
fn messages_leave_the_buffer_without_delivery_too() {
    let metrics = tell(&two_consumers(), |story| {
        story.subscribe(A).subscribe(B);
        let [expired, poisoned, dropped, seen] = std::array::from_fn(|_| story.queue(0));
        for message in [expired, poisoned, dropped, seen] {
            story.push(A, message);
        }
        let ack = |ack_type, message| Story::<()>::ack_of(A, ack_type, message, message, 1);
        story.at(10.0).ack(ack(AckType::Expired, expired));
        story.at(20.0).ack(ack(AckType::Poison, poisoned));
        story.at(30.0).fact(Fact::Dropped {
            consumer: A,
            message: dropped,
        });
        story.at(40.0).ack(MessageAck {
            first: None,
            ..ack(AckType::Delivered, seen)
        });
        story.at(100.0);
    });
    assert_eq!(
        metrics.consumers["b"].starved_ms, 40.0,
        "the buffer is empty from then on"
    );
}

#[test]
fn a_poison_ack_of_delivered_messages_leaves_the_buffer_alone() {
    let metrics = tell(&two_consumers(), |story| {
        story.subscribe(A).subscribe(B);
        let [poisoned, waiting] = std::array::from_fn(|_| story.queue(0));
        story.push(A, poisoned).push(A, waiting);
        story
            .deliver(A, poisoned)
            .process(A, poisoned, Outcome::Failed);
        story.ack(Story::<()>::ack_of(
            A,
            AckType::Poison,
            poisoned,
            poisoned,
            1,
        ));
        story.at(50.0);
    });
    assert_eq!(metrics.consumers["b"].starved_ms, 50.0);
}

#[test]
fn a_local_redelivery_waits_in_the_buffer_again() {
    let metrics = tell(&two_consumers(), |story| {
        story.subscribe(A).subscribe(B);
        let message = story.queue(0);
        story.push(A, message).at(4.0).deliver(A, message);
        story.at(10.0).process(A, message, Outcome::Failed);
        story.fact(Fact::RedeliveryScheduled {
            consumer: A,
            message,
            until: Time(110_000_000),
        });
        story.at(110.0).deliver_again(A, message, 2);
        story.at(120.0).done(A, message);
    });
    assert_eq!(metrics.consumers["b"].starved_ms, 104.0);
    assert_eq!(
        metrics.consumers["a"].buffered_ms,
        Some(4.0),
        "the first wait only"
    );
    assert_eq!(
        metrics.consumers["a"].in_flight_ms,
        Some(10.0),
        "to the end of the first processing"
    );
}

#[test]
fn what_a_client_holds_has_arrived_and_not_been_taken_off() {
    let metrics = tell(&one_consumer(), |story| {
        story.subscribe(A);
        let [first, second, third] = std::array::from_fn(|_| story.queue(0));
        story.push(A, first).push(A, second).dispatch(A, third);
        story.at(10.0).acknowledge(A, first);
        story.at(20.0).receive(A, third);
        story.at(30.0).returned(A, third);
        story.at(40.0);
    });
    let consumer = &metrics.consumers["a"];
    assert_eq!(consumer.max_held, 2);
    assert_eq!(
        consumer.mean_held,
        Some(1.5),
        "(2 + 1 + 2 + 1) × 10 ms in 40"
    );
    assert_eq!(metrics.destinations["queue://q"].max_in_flight, 3);
}

#[test]
fn a_crash_empties_the_hands_and_recovery_ends_with_the_last_message() {
    let metrics = tell(&two_consumers(), |story| {
        story.subscribe(A).subscribe(B);
        let [first, second] = std::array::from_fn(|_| story.queue(0));
        story.push(A, first).push(A, second).deliver(A, first);
        story
            .at(10.0)
            .process(A, first, Outcome::Interrupted)
            .crash(A);
        story.at(15.0).unsubscribe(A, Removal::Lost);
        story
            .returned(A, first)
            .returned(A, second)
            .dispatch(B, first)
            .dispatch(B, second);
        story
            .at(20.0)
            .receive(B, first)
            .receive(B, second)
            .deliver_again(B, first, 2);
        story.at(30.0).done(B, first).deliver_again(B, second, 2);
        story.at(40.0).done(B, second);
    });
    let crashed = &metrics.consumers["a"];
    assert_eq!((crashed.crashes, crashed.max_held), (1, 2));
    assert_eq!(crashed.recovery_ms.max, Some(20.0), "10 to 30");
    assert_eq!(
        (crashed.recovery_ms.count, crashed.recovery_ms.pending),
        (1, false)
    );
    assert_eq!(crashed.busy_ms, 10.0);
    assert_eq!(metrics.consumers["b"].max_held, 2);
    assert_eq!(metrics.messages.redeliveries, 2);
    assert_eq!(metrics.messages.duplicates, 0);
}

#[test]
fn what_a_crash_gave_back_is_in_flight_again_when_it_is_sent_again() {
    let metrics = tell(&two_consumers(), |story| {
        story.subscribe(A).subscribe(B);
        let [worked_on, buffered] = std::array::from_fn(|_| story.queue(0));
        story.push(A, worked_on).push(A, buffered);
        story.deliver(A, worked_on);
        story
            .at(10.0)
            .process(A, worked_on, Outcome::Interrupted)
            .crash(A)
            .returned(A, worked_on)
            .returned(A, buffered);
        assert_eq!(
            (story.observer.in_flight(0), story.observer.waiting(0)),
            (0, 2)
        );
        story.at(20.0).push(B, worked_on).push(B, buffered);
        assert_eq!(
            (story.observer.in_flight(0), story.observer.waiting(0)),
            (2, 0)
        );
        story.at(40.0);
    });
    let queue = &metrics.destinations["queue://q"];
    assert_eq!(queue.max_in_flight, 2);
    assert_eq!(
        queue.mean_in_flight,
        Some(1.5),
        "two from 0 to 10 and from 20 to 40 ms"
    );
}

#[test]
fn windows_and_slow_marks_last_until_they_are_lifted_or_the_subscription_ends() {
    let metrics = tell(&one_consumer(), |story| {
        let window = |full| Fact::WindowFull { consumer: A, full };
        let slow = |slow| Fact::Slow { consumer: A, slow };
        story.at(10.0).fact(window(true)).fact(slow(true));
        story.at(15.0).fact(window(false)).fact(slow(false));
        story.at(20.0).fact(window(true)).fact(slow(true));
        story.at(22.0).fact(Fact::SlowChecked {
            consumer: A,
            marks: 1,
            aborted: true,
        });
        story.at(30.0).unsubscribe(A, Removal::Close);
        story.at(100.0);
    });
    let consumer = &metrics.consumers["a"];
    assert_eq!(consumer.window_full_ms, 15.0);
    assert_eq!(
        (consumer.slow_ms, consumer.slow_marks, consumer.aborts),
        (15.0, 2, 1)
    );
}

#[test]
fn commands_are_counted_by_name_and_acks_by_type() {
    let metrics = tell(&one_consumer(), |story| {
        story.subscribe(A);
        let [first, second] = std::array::from_fn(|_| story.queue(0));
        story.push(A, first).push(A, second);
        story.ack(Story::<()>::ack_of(A, AckType::Delivered, first, second, 2));
        story.ack(Story::<()>::ack_of(A, AckType::Standard, first, second, 2));
        story.fact(Fact::PullArrived {
            consumer: A,
            timeout: 0,
        });
        for command in [TransactionCommand::Begin, TransactionCommand::Commit] {
            story.fact(Fact::TransactionArrived {
                transaction: transaction(0, 1),
                command,
            });
        }
        story.fact(Fact::ProducerTransaction {
            transaction: TransactionId {
                owner: TransactionOwner::Producer(0),
                number: 1,
            },
            committed: true,
        });
        story
            .unsubscribe(A, Removal::Close)
            .subscribe(A)
            .unsubscribe(A, Removal::Lost);
    });
    let commands = metrics.wire.commands;
    assert_eq!(
        (
            commands.message,
            commands.message_dispatch,
            commands.message_ack
        ),
        (2, 2, 2)
    );
    assert_eq!((commands.message_pull, commands.transaction_info), (1, 4));
    assert_eq!((commands.consumer_info, commands.remove_info), (2, 1));
    assert_eq!(metrics.wire.commands_per_message, Some(7.0));
    assert_eq!(metrics.wire.acks_per_message, Some(1.0));
    assert_eq!(metrics.producers["p"].committed, 1);
    let json = serde_json::to_value(&metrics).unwrap();
    assert_eq!(json["wire"]["acksByType"]["DELIVERED"], 1);
    assert_eq!(json["consumers"]["a"]["acksByType"]["STANDARD"], 1);
    assert_eq!(json["consumers"]["a"]["acksByType"]["POISON"], 0);
    assert_eq!(json["wire"]["commands"]["MessageDispatch"], 2);
}

#[test]
fn the_last_acknowledgement_is_when_its_command_arrived() {
    let mut scenario = one_consumer();
    let plain = tell(&scenario, |story| {
        let message = story.queue(0);
        story.push(A, message);
        story.at(5.0).ack(Story::<()>::ack_of(
            A,
            AckType::Standard,
            message,
            message,
            1,
        ));
        story.at(6.0).taken_off(A, message);
        story.at(9.0).ack(Story::<()>::ack_of(
            A,
            AckType::Standard,
            message,
            message,
            1,
        ));
    });
    assert_eq!(
        plain.timing.last_acknowledged_ms,
        Some(5.0),
        "the one at 9 takes nothing off"
    );
    scenario.sessions[0].mode = AcknowledgeMode::SessionTransacted;
    let transacted = tell(&scenario, |story| {
        let message = story.queue(0);
        story.push(A, message);
        story.at(5.0).ack(Story::<()>::ack_of(
            A,
            AckType::Standard,
            message,
            message,
            1,
        ));
        story.at(7.0).fact(Fact::TransactionArrived {
            transaction: transaction(0, 1),
            command: TransactionCommand::Commit,
        });
        story.at(8.0).taken_off(A, message);
    });
    assert_eq!(
        transacted.timing.last_acknowledged_ms,
        Some(7.0),
        "the commit"
    );
}

#[test]
fn a_preloaded_queue_counts_from_the_first_consumer() {
    let mut scenario = one_consumer();
    scenario.producers[0].arrivals = Arrivals::AtOnce;
    scenario.consumers[0].start = Time(300_000_000);
    let metrics = tell(&scenario, |story| {
        let message = story.at(0.0).queue(0);
        story
            .at(300.0)
            .subscribe(A)
            .push(A, message)
            .deliver(A, message);
        story.at(350.0).done(A, message).acknowledge(A, message);
    });
    assert_eq!(metrics.timing.origin_ms, Some(300.0));
    assert_eq!(metrics.timing.makespan_ms, Some(50.0));
    assert_eq!(metrics.consumers["a"].utilisation, Some(1.0));
}

#[test]
fn a_hang_to_the_end_keeps_its_consumer_busy() {
    let metrics = tell(&one_consumer(), |story| {
        story.subscribe(A);
        let message = story.queue(0);
        story.push(A, message).at(10.0).deliver(A, message);
        story.at(50.0).process(A, message, Outcome::Interrupted);
    });
    assert_eq!(metrics.timing.last_processed_ms, None);
    assert_eq!(metrics.timing.makespan_ms, Some(50.0));
    assert_eq!(metrics.consumers["a"].utilisation, Some(0.8));
}

/// A processing that has not ended counts to the end of the run, and so does the makespan.
#[test]
fn who_is_at_work_at_the_end_is_busy_until_then_and_no_longer() {
    let metrics = tell(&two_consumers(), |story| {
        story.subscribe(A).subscribe(B);
        let [first, second] = std::array::from_fn(|_| story.queue(0));
        story.push(A, first).push(B, second);
        story.deliver(B, second).at(10.0).done(B, second);
        story.acknowledge(B, second).deliver(A, first).at(40.0);
    });
    assert_eq!(metrics.timing.makespan_ms, Some(40.0));
    assert_eq!(metrics.consumers["a"].utilisation, Some(0.75));
    assert_eq!(metrics.consumers["b"].utilisation, Some(0.25));
}

#[test]
fn order_is_violated_by_whoever_comes_late() {
    let metrics = tell(&two_consumers(), |story| {
        let [first, second] = std::array::from_fn(|_| story.queue(0));
        story
            .push(A, second)
            .deliver(A, second)
            .push(B, first)
            .deliver(B, first);
        story.deliver_again(A, second, 2);
    });
    assert_eq!(metrics.destinations["queue://q"].order_violations, 1);
}

#[test]
fn dead_letters_have_no_latency() {
    let scenario = plan().queue("q").queue("DLQ").producer("p", 0);
    let scenario = scenario.consumer("a", 0).consumer("undertaker", 1);
    let metrics = tell(&scenario, |story| {
        let message = story.queue(0);
        story
            .push(A, message)
            .deliver(A, message)
            .process(A, message, Outcome::Failed);
        story.poison(A, message, 1);
        let copy = story.dead_letter(message, 1);
        story
            .push(B, copy)
            .deliver(B, copy)
            .done(B, copy)
            .acknowledge(B, copy);
    });
    assert_eq!(metrics.latency_ms.send_to_delivered.count, 1);
    assert_eq!(metrics.latency_ms.send_to_acknowledged.count, 0);
    assert_eq!(metrics.messages.acknowledged, 1, "the undertaker's");
    assert_eq!(metrics.messages.lost, 0);
}

#[test]
fn a_message_that_another_consumer_has_by_now_leaves_the_old_buffer_by_the_count() {
    let metrics = tell(&two_consumers(), |story| {
        story.subscribe(A).subscribe(B);
        let message = story.queue(0);
        story
            .push(A, message)
            .unsubscribe(A, Removal::Close)
            .returned(A, message);
        story.at(10.0).push(B, message).deliver_again(B, message, 2);
        story.at(20.0).done(B, message);
        story.at(30.0).fact(Fact::Dropped {
            consumer: A,
            message,
        });
        story.at(100.0);
    });
    assert_eq!(
        metrics.consumers["b"].starved_ms, 20.0,
        "idle to 10, and from 20 to 30"
    );
    assert_eq!(metrics.consumers["b"].max_held, 1);
}

#[test]
fn the_document_is_the_same_for_the_same_facts_and_its_prints_tell_runs_apart() {
    let scenario = two_consumers();
    let run = |consumer| {
        tell(&scenario, |story| {
            let message = story.queue(0);
            story
                .push(consumer, message)
                .deliver(consumer, message)
                .done(consumer, message);
        })
    };
    assert_eq!(
        serde_json::to_string(&run(A)).unwrap(),
        serde_json::to_string(&run(A)).unwrap()
    );
    let (a, b) = (run(A).run, run(B).run);
    assert_ne!(a.fingerprint, b.fingerprint);
    assert_ne!(a.fingerprints.deliveries, b.fingerprints.deliveries);
    assert_ne!(a.fingerprints.metrics, b.fingerprints.metrics);
    assert_eq!(a.fingerprints.acks, b.fingerprints.acks);
    assert_eq!(a.fingerprints.draws, None);
}

#[test]
fn every_promised_key_is_there() {
    let json = serde_json::to_value(tell(&one_consumer(), |_| {})).unwrap();
    let promised = [
        "run.scenario run.seed run.semantics run.simulatedMs run.events run.fingerprint",
        "messages.sent messages.acknowledged messages.deadLettered messages.expired",
        "messages.discarded messages.remaining messages.redeliveries messages.duplicates",
        "messages.lost throughput timing.firstSendMs timing.firstSubscribeMs timing.firstStartMs",
        "timing.lastProcessedMs timing.lastAcknowledgedMs timing.steadyPerSecond",
        "latencyMs.sendToDelivered.mean latencyMs.sendToProcessed.p50 latencyMs.sendToProcessed.p90",
        "latencyMs.sendToAcknowledged.p99 latencyMs.sendToAcknowledged.p999",
        "latencyMs.sendToAcknowledged.max latencyMs.sendToAcknowledged.count wire fairness",
        "consumers.a.delivered consumers.a.processed consumers.a.redelivered",
        "consumers.a.utilisation consumers.a.starvedMs consumers.a.bufferedMs consumers.a.maxHeld",
        "consumers.a.windowFullMs consumers.a.slowMs consumers.a.slowMarks consumers.a.acksByType",
    ];
    for path in promised.iter().flat_map(|line| line.split(' ')) {
        let pointer = format!("/{}", path.replace('.', "/"));
        assert!(json.pointer(&pointer).is_some(), "{path}");
    }
}

#[test]
fn lives_of_a_consumer_that_overlap_do_not_disturb_each_other() {
    let metrics = tell(&one_consumer(), |story| {
        story.subscribe(first_life(0));
        let message = story.queue(0);
        story.push(A, message).at(10.0).crash(A);
        let second = ConsumerId { index: 0, life: 2 };
        story.at(20.0).subscribe(second);
        story
            .at(50.0)
            .unsubscribe(A, Removal::Lost)
            .returned(A, message);
        story.at(60.0).push(second, message);
        story.at(100.0);
    });
    let consumer = &metrics.consumers["a"];
    assert_eq!(consumer.connected_ms, 10.0 + 80.0);
    assert_eq!(consumer.max_held, 1);
    assert_eq!(consumer.mean_held, Some(0.555556), "50 of 90 ms");
}
