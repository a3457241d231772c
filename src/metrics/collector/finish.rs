//! Tallies to the document.

use std::collections::BTreeSet;

use super::*;
use crate::metrics::activity::Times;
use crate::metrics::document::{
    AcksByType, ByName, Commands, ConsumerMetrics, DestinationMetrics, Latencies, Latency, Layers,
    ProducerMetrics, Recovery, Run, Throughput, Timing, Wire, jain, millis, per_second, ratio,
    rounded,
};
use crate::metrics::fingerprint::hex;
use crate::metrics::histogram::Histogram;
use crate::metrics::integral::Spans;
use crate::scenario::{Arrivals, Semantics};

/// From where to where there was something to do.
#[derive(Clone, Copy)]
struct Makespan {
    origin: Option<Time>,
    nanos: Option<u64>,
}

impl Makespan {
    /// In nanoseconds; 0 where nothing was done.
    fn nanos(self) -> u64 {
        self.nanos.unwrap_or(0)
    }
}

impl Collector<'_> {
    /// The numbers of the run that ended.
    pub fn finish(mut self, end: RunEnd) -> Metrics {
        if self.warm_up != Time::NEVER {
            self.warm_up = end.ended_at;
            self.begin_measuring();
        }
        let makespan = self.makespan(end.ended_at);
        let consumers = self.consumer_metrics(end.ended_at, makespan);
        let run = Run {
            scenario: self.scenario.name.clone(),
            seed: self.scenario.seed,
            semantics: semantics_name(self.scenario.semantics),
            simulated_ms: end.ended_at.as_millis_f64(),
            warm_up_ms: self.scenario.warm_up.as_millis_f64(),
            events: end.events,
            fingerprint: self.prints.all.hex(),
            fingerprints: Layers {
                draws: end.draws.map(hex),
                deliveries: self.prints.deliveries.hex(),
                acks: self.prints.acks.hex(),
                outcome: self.prints.outcome.hex(),
                metrics: String::new(),
            },
        };
        let mut metrics = Metrics {
            run,
            messages: self.message_counts(),
            throughput: self.throughput(makespan),
            timing: self.timing(makespan),
            latency_ms: Latencies {
                send_to_delivered: latency(&self.run.to_delivered),
                send_to_processed: latency(&self.run.to_processed),
                send_to_acknowledged: latency(&self.run.to_acknowledged),
            },
            wire: self.wire(),
            fairness: jain(self.consumers.iter().map(|consumer| consumer.processed)),
            consumers,
            producers: self.producer_metrics(end.ended_at),
            destinations: self.destination_metrics(end.ended_at),
        };
        metrics.run.fingerprints.metrics = metrics.fingerprint().hex();
        metrics
    }

    /// Preloaded scenarios, in which consumers start later than a producer that sends at once,
    /// count from the first createConsumer; all others from the first send. Whoever is still at
    /// work at the end of the run has something to do until then.
    fn makespan(&self, ended_at: Time) -> Makespan {
        let (first_send, first_subscribe) = self.began;
        let first_consumer = self
            .scenario
            .consumers
            .iter()
            .map(|consumer| consumer.start)
            .min();
        let is_preloaded = self.scenario.producers.iter().any(|producer| {
            producer.arrivals == Arrivals::AtOnce && Some(producer.start) < first_consumer
        });
        let began = if is_preloaded {
            first_subscribe
        } else {
            first_send
        };
        let origin = began
            .or(first_subscribe)
            .map(|began| began.max(self.scenario.warm_up));
        let run = &self.run;
        let is_at_work = self
            .consumers
            .iter()
            .any(|consumer| consumer.activity.is_busy());
        let end = run
            .ends
            .last()
            .max(self.last_acknowledged())
            .max(run.last_interrupted)
            .max(is_at_work.then_some(ended_at));
        let nanos = origin.zip(end).map(|(origin, end)| end.since(origin).0);
        Makespan { origin, nanos }
    }

    fn last_acknowledged(&self) -> Option<Time> {
        let run = &self.run;
        (run.messages.acknowledged > 0).then_some(run.last_acknowledged)
    }

    fn message_counts(&self) -> document::MessageCounts {
        let is_alive = |id: ConsumerId| self.consumers[id.index as usize].life == id.life;
        let producers = self
            .scenario
            .producers
            .iter()
            .map(|producer| producer.destination);
        let consumers = self
            .scenario
            .consumers
            .iter()
            .map(|consumer| consumer.destination);
        let named: BTreeSet<usize> = producers.chain(consumers).collect();
        let depths = |queues: bool| {
            let named = named
                .iter()
                .filter(|index| self.destinations[**index].is_queue == queues);
            named
                .map(|index| u64::from(self.destinations[*index].depth.now()))
                .sum()
        };
        document::MessageCounts {
            remaining: depths(true),
            remaining_on_topics: depths(false),
            lost: self.run.messages.lost + self.ledger.lost_at_end(is_alive),
            ..self.run.messages
        }
    }

    fn throughput(&self, makespan: Makespan) -> Throughput {
        let processed = self
            .consumers
            .iter()
            .map(|consumer| consumer.processed)
            .sum();
        let rate = |count| per_second(count, makespan.nanos());
        Throughput {
            sent_per_second: rate(self.run.messages.sent),
            processed_per_second: rate(processed),
            acknowledged_per_second: rate(self.run.messages.acknowledged),
        }
    }

    fn timing(&self, makespan: Makespan) -> Timing {
        let run = &self.run;
        let at = |time: Option<Time>| time.map(Time::as_millis_f64);
        Timing {
            first_send_ms: at(run.first_send),
            first_subscribe_ms: at(run.first_subscribe),
            first_start_ms: at(run.first_start),
            last_processed_ms: at(run.ends.last()),
            last_acknowledged_ms: at(self.last_acknowledged()),
            origin_ms: at(makespan.origin),
            makespan_ms: makespan.nanos.map(millis),
            steady_per_second: run.ends.steady_per_second().map(rounded),
        }
    }

    fn wire(&self) -> Wire {
        let mut acks_by_type = AcksByType::default();
        for consumer in &self.consumers {
            let counts = acks_by_type.0.iter_mut().zip(consumer.acks().0);
            counts.for_each(|(sum, count)| *sum += count);
        }
        let sent = self.run.messages.sent as f64;
        let sum = |of: fn(&ConsumerTally) -> u64| self.consumers.iter().map(of).sum();
        let commands = Commands {
            message: self.run.messages.sent,
            message_dispatch: sum(|consumer| consumer.dispatched),
            message_ack: acks_by_type.total(),
            message_pull: sum(|consumer| consumer.counts.pulls),
            ..self.run.commands
        };
        Wire {
            commands,
            acks_by_type,
            acks_refused: self.run.acks_refused,
            commands_per_message: ratio(commands.total() as f64, sent),
            acks_per_message: ratio(acks_by_type.total() as f64, sent),
        }
    }

    fn consumer_metrics(&self, now: Time, makespan: Makespan) -> ByName<ConsumerMetrics> {
        let scenario = self.scenario;
        let named = scenario
            .consumers
            .iter()
            .zip(self.consumers.iter().zip(&self.recoveries))
            .map(|(named, (tally, recovery))| {
                let destination = &self.destinations[tally.destination];
                let mut times = tally.activity.times(now, &destination.buffers);
                if !destination.is_queue {
                    times.starved = 0;
                }
                (
                    named.name.clone(),
                    consumer_metrics(tally, recovery.finish(), times, now, makespan),
                )
            });
        ByName(named.collect())
    }

    fn producer_metrics(&self, now: Time) -> ByName<ProducerMetrics> {
        let named = self
            .scenario
            .producers
            .iter()
            .zip(&self.producers)
            .map(|(named, tally)| {
                // A call that has not returned has blocked, too.
                let mut blocked = tally.blocked;
                if let Some(since) = tally.calling_since {
                    blocked.record(now.since(since).0);
                }
                let metrics = ProducerMetrics {
                    sent: tally.sent,
                    blocked_ms: millis(blocked.sum()),
                    max_blocked_ms: blocked.max().map(millis),
                    late_ms: tally.late.mean().map(millis),
                    max_late_ms: tally.late.max().map(millis),
                    failed: tally.failed,
                    committed: tally.committed,
                    rolled_back: tally.rolled_back,
                };
                (named.name.clone(), metrics)
            });
        ByName(named.collect())
    }

    fn destination_metrics(&self, now: Time) -> ByName<DestinationMetrics> {
        let measured = now.since(self.scenario.warm_up).0;
        let destinations = self.scenario.destinations.iter().zip(&self.destinations);
        let named = destinations.enumerate().map(|(index, (named, tally))| {
            let consumers = self
                .consumers
                .iter()
                .filter(|tally| tally.destination == index);
            let metrics = DestinationMetrics {
                enqueued: tally.enqueued,
                depth: tally.depth.now().into(),
                max_depth: tally.depth.max().into(),
                mean_depth: tally.depth.mean(now, measured).map(rounded),
                max_in_flight: tally.in_flight.max().into(),
                mean_in_flight: tally.in_flight.mean(now, measured).map(rounded),
                order_violations: tally.order_violations,
                fairness: jain(consumers.map(|tally| tally.processed)),
            };
            (named.uri(), metrics)
        });
        ByName(named.collect())
    }
}

fn consumer_metrics(
    tally: &ConsumerTally,
    (recoveries, are_pending): (Spans, bool),
    times: Times,
    now: Time,
    makespan: Makespan,
) -> ConsumerMetrics {
    let counts = tally.counts;
    ConsumerMetrics {
        delivered: tally.delivered,
        processed: tally.processed,
        redelivered: counts.redelivered,
        failed: counts.failed,
        skipped: counts.skipped,
        acknowledged: tally.acknowledged,
        dispatched: tally.dispatched,
        utilisation: ratio(times.busy as f64, makespan.nanos() as f64),
        busy_ms: millis(times.busy),
        idle_ms: millis(times.idle),
        connected_ms: millis(times.connected),
        starved_ms: millis(times.starved),
        buffered_ms: tally.mean_buffered().map(millis),
        in_flight_ms: tally.mean_until_processed().map(millis),
        max_held: tally.held.max().into(),
        held_at_end: u64::from(tally.held.now()),
        mean_held: tally.held.mean(now, times.connected).map(rounded),
        window_full_ms: millis(tally.window_full.nanos(now)),
        window_full_at_end: tally.window_full.holds(),
        slow_ms: millis(tally.slow.nanos(now)),
        slow_marks: counts.slow_marks,
        aborts: counts.aborts,
        last_delivered_ms: (tally.delivered > 0).then(|| tally.last_delivered.as_millis_f64()),
        crashes: counts.crashes,
        recovery_ms: Recovery {
            mean: recoveries.mean().map(millis),
            max: recoveries.max().map(millis),
            count: recoveries.count(),
            pending: are_pending,
        },
        commits_failed: counts.commits_failed,
        pulls: counts.pulls,
        acks_by_type: tally.acks(),
    }
}

fn latency(histogram: &Histogram) -> Latency {
    let quantile = |per_mille| histogram.quantile(per_mille).map(Span::as_millis_f64);
    Latency {
        mean: histogram.mean().map(Span::as_millis_f64),
        p50: quantile(500),
        p90: quantile(900),
        p99: quantile(990),
        p999: quantile(999),
        max: histogram.max().map(Span::as_millis_f64),
        count: histogram.count(),
    }
}

fn semantics_name(semantics: Semantics) -> &'static str {
    match semantics {
        Semantics::ActiveMq5_17 => "activemq-5.17",
        Semantics::ActiveMq6 => "activemq-6",
        Semantics::Article => "article",
    }
}
