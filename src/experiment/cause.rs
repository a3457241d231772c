//! Why one setting beats another: of the things that happen in a queue with push and prefetch, the
//! one that differs most between the two, told in numbers.

use super::figures::{acks, average, messages, percent};
use super::mechanism::{ConsumerMechanism, Mechanism, average_of};
use super::metric::Metric;

/// A possible cause. Weights are comparable: shares of time, or of messages, by which the two
/// settings differ.
struct Candidate {
    weight: f64,
    text: String,
}

/// Below this nothing is called a cause.
const SMALLEST_WEIGHT: f64 = 0.01;

/// In words, without a full stop; None if nothing that bears on the metric differs much. Each
/// setting comes with its name.
pub(super) fn cause(
    metric: &Metric,
    (best, best_name): (&Mechanism, &str),
    (other, other_name): (&Mechanism, &str),
) -> Option<String> {
    let pair = Pair {
        best,
        other,
        best_name,
        other_name,
    };
    let candidates = match Subject::of(metric) {
        Subject::Time => vec![
            pair.starvation(),
            pair.narrow_window(),
            pair.blocked_producers(),
            pair.aborts(),
            pair.acks(0.1),
            pair.buffering(),
        ],
        Subject::Repeats => vec![pair.repeats()],
        Subject::Wire => vec![pair.acks(1.0)],
        Subject::Other => Vec::new(),
    };
    let likely = candidates
        .into_iter()
        .flatten()
        .filter(|one| one.weight >= SMALLEST_WEIGHT);
    likely
        .reduce(|most, one| if one.weight > most.weight { one } else { most })
        .map(|one| one.text)
}

/// What a metric is about, which decides what can be its cause.
enum Subject {
    Time,
    Repeats,
    Wire,
    Other,
}

impl Subject {
    fn of(metric: &Metric) -> Subject {
        let ends_with = |leaves: &[&str]| leaves.iter().any(|leaf| metric.path.ends_with(leaf));
        if metric.path.starts_with("wire.") {
            Subject::Wire
        } else if ends_with(&["uplicates", "redeliveries", "redelivered", "lost"]) {
            Subject::Repeats
        } else if !metric.unit.is_empty() || ends_with(&["utilisation", "maxDepth", "meanDepth"]) {
            Subject::Time
        } else {
            Subject::Other
        }
    }
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
        let held = average(holder.mean_held);
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

    /// The window lets too few messages travel: full though the consumer is not at work means that
    /// an ack is on its way to the broker, or the next message on its way back.
    fn narrow_window(&self) -> Option<Candidate> {
        let travelling = |consumer: &ConsumerMechanism| {
            (consumer.window_full_share - consumer.busy_share).max(0.0)
        };
        let share = |mechanism: &Mechanism| average_of(&mechanism.consumers, travelling);
        Some(Candidate {
            weight: share(self.other) - share(self.best),
            text: format!(
                "with {}, for {} of the time consumers had nothing to do and a full window, until \
                 an ack had reached the broker and the next message had come back ({} with {})",
                self.other_name,
                percent(share(self.other)),
                percent(share(self.best)),
                self.best_name,
            ),
        })
    }

    /// A consumer holds more, and each message waits for those before it. Comes after starvation:
    /// both are the work of a large window.
    fn buffering(&self) -> Option<Candidate> {
        let (holder, _) = self.other.holder()?;
        let same = |consumer: &&ConsumerMechanism| consumer.name == holder.name;
        let before = self.best.consumers.iter().find(same)?.mean_held;
        (holder.mean_held > 0.0).then(|| Candidate {
            weight: 0.1 * (1.0 - before / holder.mean_held),
            text: format!(
                "with {}, {} held {} messages on average instead of {}, and each waited for those \
                 before it",
                self.other_name,
                holder.name,
                average(holder.mean_held),
                average(before),
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
    fn repeats(&self) -> Option<Candidate> {
        let (with_best, with_other) = (self.best.redeliveries, self.other.redeliveries);
        let text = match (
            self.best.duplicates_per_crash(),
            self.other.duplicates_per_crash(),
        ) {
            (Some(per_crash_best), Some(per_crash_other)) => format!(
                "with {}, a crash cost {per_crash_other:.1} duplicates and a client held up to {} \
                 that went back ({per_crash_best:.1} and {} with {})",
                self.other_name,
                messages(self.other.most_held()),
                messages(self.best.most_held()),
                self.best_name,
            ),
            _ => format!(
                "with {}, {with_other:.1} deliveries were repeats ({with_best:.1} with {})",
                self.other_name, self.best_name,
            ),
        };
        Some(Candidate {
            weight: (with_other - with_best) / with_other.max(1.0),
            text,
        })
    }

    /// `importance`: what a whole ack command less for each message weighs.
    fn acks(&self, importance: f64) -> Option<Candidate> {
        let (with_best, with_other) = (self.best.acks_per_message, self.other.acks_per_message);
        (with_other > 0.0).then(|| Candidate {
            weight: importance * (1.0 - with_best / with_other),
            text: format!(
                "with {}, {} ack commands a message instead of {}",
                self.other_name,
                acks(with_other),
                acks(with_best),
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
