//! Why one setting beats another: of the things that happen in a queue with push and prefetch, the
//! one that differs most between the two, told in numbers.

use super::mechanism::{ConsumerMechanism, Mechanism, average_of};
use super::metric::Metric;
use super::words::{Figures, percent};

/// A possible cause. Weights are comparable: shares of time, or of messages, by which the two
/// settings differ.
struct Candidate {
    weight: f64,
    text: String,
}

/// Below this nothing is called a cause.
const SMALLEST_WEIGHT: f64 = 0.01;

/// A cause that is what the metric itself counts comes first.
const DIRECT: f64 = 10.0;

/// In words, without a full stop; None if nothing in the mechanism differs much.
pub(super) fn cause(
    metric: &Metric,
    best: &Mechanism,
    other: &Mechanism,
    best_name: &str,
    other_name: &str,
) -> Option<String> {
    let pair = Pair {
        best,
        other,
        best_name,
        other_name,
    };
    let candidates = [
        pair.starvation(),
        pair.narrow_window(),
        pair.blocked_producers(),
        pair.aborts(),
        pair.repeats(directly(
            metric,
            &["duplicates", "redeliveries", "redelivered"],
        )),
        pair.acks(directly(metric, &["acksPerMessage", "commandsPerMessage"])),
    ];
    let likely = candidates
        .into_iter()
        .flatten()
        .filter(|one| one.weight >= SMALLEST_WEIGHT);
    likely
        .reduce(|most, one| if one.weight > most.weight { one } else { most })
        .map(|one| one.text)
}

fn directly(metric: &Metric, leaves: &[&str]) -> f64 {
    let counts = leaves.iter().any(|leaf| metric.path.ends_with(leaf));
    if counts { DIRECT } else { 1.0 }
}

struct Pair<'a> {
    best: &'a Mechanism,
    other: &'a Mechanism,
    best_name: &'a str,
    other_name: &'a str,
}

impl Pair<'_> {
    /// One consumer sits on messages, the others have nothing to do.
    fn starvation(&self) -> Option<Candidate> {
        let starved = |mechanism: &Mechanism| {
            let (_, others) = mechanism.holder()?;
            Some(average_of(others, |consumer| consumer.starved_share))
        };
        let (with_best, with_other) = (starved(self.best)?, starved(self.other)?);
        let (holder, others) = self.other.holder()?;
        let held = Figures::new(holder.mean_held, 0.0, "").number(holder.mean_held);
        Some(Candidate {
            weight: with_other - with_best,
            text: format!(
                "with {}, {} held {held} messages on average while {} {} of the time ({} with {})",
                self.other_name,
                holder.name,
                the_others(&others),
                percent(with_other),
                percent(with_best),
                self.best_name,
            ),
        })
    }

    /// Consumers wait for the wire because the window lets too few messages travel.
    fn narrow_window(&self) -> Option<Candidate> {
        let busy = |mechanism: &Mechanism| average_of(&mechanism.consumers, |c| c.busy_share);
        let full = average_of(&self.other.consumers, |consumer| consumer.window_full_share);
        (full > 0.5).then(|| Candidate {
            weight: busy(self.best) - busy(self.other),
            text: format!(
                "with {}, windows were full {} of the time, and consumers that waited for an ack \
                 to reach the broker and the next message to come back were at work {} of it \
                 instead of {}",
                self.other_name,
                percent(full),
                percent(busy(self.other)),
                percent(busy(self.best)),
            ),
        })
    }

    fn blocked_producers(&self) -> Option<Candidate> {
        Some(Candidate {
            weight: self.other.blocked_share - self.best.blocked_share,
            text: format!(
                "with {}, producers waited for send {} of the time ({} with {})",
                self.other_name,
                percent(self.other.blocked_share),
                percent(self.best.blocked_share),
                self.best_name,
            ),
        })
    }

    fn aborts(&self) -> Option<Candidate> {
        let (with_best, with_other) = (self.best.aborts, self.other.aborts);
        Some(Candidate {
            weight: (with_other - with_best).min(1.0),
            text: format!(
                "with {}, {with_other:.1} consumers were aborted as slow ({with_best:.1} with {})",
                self.other_name, self.best_name,
            ),
        })
    }

    /// What crashes cost.
    fn repeats(&self, importance: f64) -> Option<Candidate> {
        let (with_best, with_other) = (self.best.redeliveries, self.other.redeliveries);
        let more = (with_other - with_best) / with_other.max(1.0);
        let text = match (
            self.best.duplicates_per_crash(),
            self.other.duplicates_per_crash(),
        ) {
            (Some(per_crash_best), Some(per_crash_other)) => format!(
                "with {}, a crash cost {per_crash_other:.1} duplicates and a client held up to \
                 {:.0} messages that went back ({per_crash_best:.1} and {:.0} with {})",
                self.other_name,
                self.other.most_held(),
                self.best.most_held(),
                self.best_name,
            ),
            _ => format!(
                "with {}, {with_other:.1} deliveries were repeats ({with_best:.1} with {})",
                self.other_name, self.best_name,
            ),
        };
        // Unless the metric counts repeats, a few of them explain little.
        let weight = if importance > 1.0 {
            importance * more
        } else {
            0.05 * more
        };
        Some(Candidate { weight, text })
    }

    fn acks(&self, importance: f64) -> Option<Candidate> {
        let (with_best, with_other) = (self.best.acks_per_message, self.other.acks_per_message);
        let less = 1.0 - with_best / with_other.max(f64::MIN_POSITIVE);
        let figures = Figures::new(with_best.min(with_other), 0.0, "");
        Some(Candidate {
            weight: if importance > 1.0 {
                importance * less
            } else {
                0.1 * less
            },
            text: format!(
                "with {}, {} ack commands a message instead of {}",
                self.other_name,
                figures.number(with_other),
                figures.number(with_best),
            ),
        })
    }
}

fn the_others(others: &[&ConsumerMechanism]) -> String {
    match others {
        [one] => format!("{} starved", one.name),
        _ => "the others starved".to_owned(),
    }
}
