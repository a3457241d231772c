//! Which warnings a run deserves.

use acksim::metrics::{ConsumerMetrics, Metrics};
use acksim::scenario::{AcknowledgeMode, Consumer, DestinationKind, Receive, Scenario, Semantics};

use super::report::starved;
use super::warning::{LossCause, Warning};

/// Less than this part of a consumer's time starved is nothing to talk about.
const NOTABLE_STARVATION: f64 = 0.05;

/// A consumer that had nothing for so long, in milliseconds, before the end stands still.
const STANDSTILL: f64 = 1000.0;

/// All of them, the gravest first.
pub fn warnings(scenario: &Scenario, metrics: &Metrics) -> Vec<Warning> {
    let run = Run { scenario, metrics };
    [
        run.lost(),
        run.stalled(),
        run.duplicates(),
        run.starvation(),
        run.optimize_acknowledge(),
        run.dead_lettered(),
        run.unacknowledged(),
        run.backlog(),
        run.semantics(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

struct Run<'a> {
    scenario: &'a Scenario,
    metrics: &'a Metrics,
}

impl<'a> Run<'a> {
    fn consumers(&self) -> impl DoubleEndedIterator<Item = (&'a Consumer, &'a ConsumerMetrics)> {
        let metrics = self
            .metrics
            .consumers
            .0
            .iter()
            .map(|(_, consumer)| consumer);
        self.scenario.consumers.iter().zip(metrics)
    }

    fn names(&self, which: impl Fn(&Consumer, &ConsumerMetrics) -> bool) -> Vec<String> {
        let found = self
            .consumers()
            .filter(|(consumer, metrics)| which(consumer, metrics));
        found.map(|(consumer, _)| consumer.name.clone()).collect()
    }

    fn optimizes(&self, consumer: &Consumer) -> bool {
        self.scenario.connections[consumer.connection]
            .options
            .optimize_acknowledge
            && self.scenario.sessions[consumer.session].mode == AcknowledgeMode::Auto
    }

    fn remaining(&self) -> u64 {
        self.metrics.messages.remaining + self.metrics.messages.remaining_on_topics
    }

    fn lost(&self) -> Option<Warning> {
        let lost = self.metrics.messages.lost;
        let before_the_work = |consumer: &Consumer, metrics: &ConsumerMetrics| {
            let mode = self.scenario.sessions[consumer.session].mode;
            consumer.receive != Receive::Listener
                && matches!(mode, AcknowledgeMode::Auto | AcknowledgeMode::DupsOk)
                && metrics.processed < metrics.acknowledged
        };
        let early = self.names(before_the_work);
        let failed = self
            .names(|consumer, metrics| metrics.failed > 0 && !before_the_work(consumer, metrics));
        let cause = match (early.is_empty(), failed.is_empty()) {
            (false, _) => LossCause::AcknowledgedBefore(early),
            (true, false) if self.metrics.messages.gone == 0 => LossCause::FailureIgnored(failed),
            _ => LossCause::Volatile,
        };
        (lost > 0).then_some(Warning::Lost { lost, cause })
    }

    fn stalled(&self) -> Option<Warning> {
        let remaining = self.remaining();
        let consumers = self.names(|_, consumer| {
            consumer.window_full_at_end && consumer.delivered > 0 && self.stands_still(consumer)
        });
        let stalled = remaining > 0 && !consumers.is_empty();
        stalled.then_some(Warning::Stalled {
            consumers,
            remaining,
        })
    }

    /// A run without `until` ends when nothing is left to happen.
    fn stands_still(&self, consumer: &ConsumerMetrics) -> bool {
        let last = consumer.last_delivered_ms.unwrap_or(0.0);
        self.scenario.until.is_none() || self.metrics.run.simulated_ms - last > STANDSTILL
    }

    fn duplicates(&self) -> Option<Warning> {
        let duplicates = self.metrics.messages.duplicates;
        let crashed = |consumer: &ConsumerMetrics| consumer.crashes > 0;
        let crash = self.consumers().any(|(_, metrics)| crashed(metrics));
        let optimized = self
            .consumers()
            .any(|(consumer, metrics)| crashed(metrics) && self.optimizes(consumer));
        (duplicates > 0).then_some(Warning::Duplicates {
            duplicates,
            crash,
            optimized,
        })
    }

    /// Somebody starved while another, of the same queue, had more than it was working on.
    fn starvation(&self) -> Option<Warning> {
        let consumers = || self.consumers().rev();
        let (worst, starving) =
            consumers().max_by(|(_, one), (_, other)| starved(one).total_cmp(&starved(other)))?;
        let siblings = consumers().filter(|(consumer, _)| {
            consumer.destination == worst.destination && consumer.name != worst.name
        });
        let (hoarder, hoarding) = siblings.max_by_key(|(_, metrics)| metrics.max_held)?;
        let share = starved(starving);
        if share < NOTABLE_STARVATION || hoarding.max_held < 2 || hoarder.prefetch_size < 2 {
            return None;
        }
        Some(Warning::Starvation {
            starved: self.starving(hoarder),
            share,
            hoarder: hoarder.name.clone(),
            held: hoarding.max_held,
            prefetch: hoarder.prefetch_size,
        })
    }

    /// The worst first.
    fn starving(&self, hoarder: &Consumer) -> Vec<String> {
        let mut starving: Vec<_> = self
            .consumers()
            .filter(|(consumer, metrics)| {
                consumer.destination == hoarder.destination
                    && consumer.name != hoarder.name
                    && starved(metrics) >= NOTABLE_STARVATION
            })
            .collect();
        starving.sort_by(|(_, one), (_, other)| starved(other).total_cmp(&starved(one)));
        starving
            .into_iter()
            .map(|(consumer, _)| consumer.name.clone())
            .collect()
    }

    fn optimize_acknowledge(&self) -> Option<Warning> {
        let in_vain = |consumer: &Consumer, metrics: &ConsumerMetrics| {
            let acks = metrics.acks_by_type.total();
            self.optimizes(consumer)
                && metrics.processed >= 10
                && acks * 10 >= metrics.processed * 9
        };
        let consumers = self.names(in_vain);
        let found = || {
            self.consumers()
                .filter(|(consumer, metrics)| in_vain(consumer, metrics))
        };
        let prefetch = found().map(|(consumer, _)| consumer.prefetch_size).max()?;
        let acks: u64 = found()
            .map(|(_, metrics)| metrics.acks_by_type.total())
            .sum();
        let processed: u64 = found().map(|(_, metrics)| metrics.processed).sum();
        let acks = acks as f64 / processed as f64;
        Some(Warning::OptimizeAcknowledgeWithoutEffect {
            consumers,
            acks,
            prefetch,
        })
    }

    fn dead_lettered(&self) -> Option<Warning> {
        let messages = self.metrics.messages.dead_lettered;
        (messages > 0).then_some(Warning::DeadLettered { messages })
    }

    /// In the middle of work, an ack that is not sent yet will be; what stays so is worth a word.
    fn unacknowledged(&self) -> Option<Warning> {
        let held = |consumer: &ConsumerMetrics| {
            let open = consumer.held_at_end > 0 && !consumer.window_full_at_end;
            open && consumer.delivered > 0 && self.stands_still(consumer)
        };
        let found = || self.consumers().filter(|(_, metrics)| held(metrics));
        let messages = found().map(|(_, metrics)| metrics.held_at_end).sum();
        (messages > 0).then(|| Warning::Unacknowledged {
            consumers: self.names(|_, metrics| held(metrics)),
            messages,
            optimized: found().all(|(consumer, _)| self.optimizes(consumer)),
        })
    }

    /// A run that was cut off while the queues were nearly as full as ever.
    fn backlog(&self) -> Option<Warning> {
        self.scenario.until?;
        let kinds = self
            .scenario
            .destinations
            .iter()
            .map(|destination| destination.kind);
        let growing = self
            .metrics
            .destinations
            .iter()
            .zip(kinds)
            .any(|((_, numbers), kind)| {
                let much = numbers.depth >= 100 && numbers.depth * 10 >= numbers.max_depth * 9;
                kind == DestinationKind::Queue && much && numbers.depth * 10 >= numbers.enqueued
            });
        let (remaining, until) = (self.remaining(), self.metrics.run.simulated_ms);
        growing.then_some(Warning::Backlog { remaining, until })
    }

    fn semantics(&self) -> Option<Warning> {
        match self.scenario.semantics {
            Semantics::ActiveMq5_17 => None,
            Semantics::ActiveMq6 => Some(Warning::ActiveMq6Semantics),
            Semantics::Article => Some(Warning::ArticleSemantics),
        }
    }
}
