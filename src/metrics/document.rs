//! `metrics.json`: the numbers of a run, in a fixed order. Times are virtual, in milliseconds to
//! the nanosecond; ratios and rates have six significant digits; `null` stands where nothing
//! happened.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::fingerprint::Fingerprint;
use crate::kernel::Span;
use crate::wire::AckType;

/// All metrics of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Which run.
    pub run: Run,
    /// What became of the messages.
    pub messages: MessageCounts,
    /// Rates over the makespan.
    pub throughput: Throughput,
    /// When the first and last things happened.
    pub timing: Timing,
    /// From the moment the application wanted to send (so that a blocked sender hides nothing), of
    /// messages sent after the warm-up; once per subscription; without dead letters.
    pub latency_ms: Latencies,
    /// Commands.
    pub wire: Wire,
    /// Jain's index over what the consumers processed: 1 all alike, 1/n one did everything.
    pub fairness: Option<f64>,
    /// By name, in the order of the scenario.
    pub consumers: ByName<ConsumerMetrics>,
    /// By name, in the order of the scenario.
    pub producers: ByName<ProducerMetrics>,
    /// By URI (`queue://orders`), in the order of the scenario.
    pub destinations: ByName<DestinationMetrics>,
}

impl Metrics {
    /// A print of every number that stands here, but for `run`.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut print = Fingerprint::default();
        let parts = (
            (
                &self.messages,
                &self.throughput,
                &self.timing,
                &self.latency_ms,
                &self.wire,
            ),
            (
                self.fairness,
                &self.consumers,
                &self.producers,
                &self.destinations,
            ),
        );
        print.mix_text(&serde_json::to_string(&parts).expect("metrics are plain data"));
        print
    }
}

/// `run`
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The scenario's name.
    pub scenario: String,
    /// The seed of this run.
    pub seed: u64,
    /// Whose rules applied.
    pub semantics: &'static str,
    /// Virtual time at the end.
    pub simulated_ms: f64,
    /// Everything else leaves out what happened before.
    pub warm_up_ms: f64,
    /// Events that the kernel handled.
    pub events: u64,
    /// Of all facts of the run, the warm-up included.
    pub fingerprint: String,
    /// Where two runs part.
    pub fingerprints: Layers,
}

/// `run.fingerprints`: 16 hexadecimal digits each.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Layers {
    /// The random draws: it changes with one draw more or less from any stream.
    pub draws: Option<String>,
    /// Of what was handed to applications, and what they did with it.
    pub deliveries: String,
    /// Of acks, pulls and transactions as they reached the broker.
    pub acks: String,
    /// Of what became of the messages.
    pub outcome: String,
    /// Of the metrics, this object excepted.
    pub metrics: String,
}

/// `messages`
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageCounts {
    /// Calls of send, resends of the same message not counted.
    pub sent: u64,
    /// Taken off because a consumer acknowledged it, once per subscription; dead letters that are
    /// consumed included.
    pub acknowledged: u64,
    /// Sent to a dead-letter queue.
    pub dead_lettered: u64,
    /// Expired; those that were dead-lettered for it included.
    pub expired: u64,
    /// Evicted from a topic subscription, or poisoned where no dead-letter queue takes it.
    pub discarded: u64,
    /// Ended with a topic subscription or (not persistent) with a broker that stopped.
    pub gone: u64,
    /// At the end on the queues that producers and consumers of the scenario name, pending or in
    /// flight.
    pub remaining: u64,
    /// At the end owed to subscriptions of topics.
    pub remaining_on_topics: u64,
    /// Sent to a topic that nobody subscribed to.
    pub unrouted: u64,
    /// Rolled back by their producer.
    pub rolled_back: u64,
    /// Sent again after a lost answer, and recognised by the broker.
    pub repeated: u64,
    /// Kept by the broker's redelivery plugin to be sent again.
    pub rescheduled: u64,
    /// Hand-overs to an application with JMSRedelivered.
    pub redeliveries: u64,
    /// Times a message was processed to the end more than once (on a topic, by the same
    /// subscriber).
    pub duplicates: u64,
    /// Repeats that an idempotent application skipped.
    pub duplicates_skipped: u64,
    /// Hand-overs of a message that had been processed to the end before, without JMSRedelivered.
    pub unflagged_duplicates: u64,
    /// Acknowledged or gone without having been processed to the end, and on no queue or list.
    pub lost: u64,
}

/// `throughput`: counts over `timing.makespanMs`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Throughput {
    /// Messages sent.
    pub sent_per_second: Option<f64>,
    /// Processings to the end.
    pub processed_per_second: Option<f64>,
    /// Messages acknowledged.
    pub acknowledged_per_second: Option<f64>,
}

/// `timing`
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    /// The first call of send.
    pub first_send_ms: Option<f64>,
    /// The first consumer calls createConsumer.
    pub first_subscribe_ms: Option<f64>,
    /// The first processing starts.
    pub first_start_ms: Option<f64>,
    /// The last processing ends.
    pub last_processed_ms: Option<f64>,
    /// The last command that takes a message off (STANDARD or INDIVIDUAL ack, COMMIT) reaches the
    /// broker.
    pub last_acknowledged_ms: Option<f64>,
    /// From where the makespan counts: the first createConsumer if consumers start later than a
    /// producer that sends at once, otherwise the first send; not before the end of the warm-up.
    pub origin_ms: Option<f64>,
    /// From the origin to the later of the last end of a processing and the last acknowledgement;
    /// to the end of the run if a consumer is still at work then.
    pub makespan_ms: Option<f64>,
    /// Ends of processings per second in the middle three fifths of them.
    pub steady_per_second: Option<f64>,
}

/// `latencyMs`
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Latencies {
    /// Until it is first handed to an application.
    pub send_to_delivered: Latency,
    /// Until it is first processed to the end.
    pub send_to_processed: Latency,
    /// Until the broker takes it off.
    pub send_to_acknowledged: Latency,
}

/// A latency in milliseconds. Quantiles are off by at most 1 in 2048.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// Mean.
    pub mean: Option<f64>,
    /// Half are not above.
    pub p50: Option<f64>,
    /// 90 % are not above.
    pub p90: Option<f64>,
    /// 99 % are not above.
    pub p99: Option<f64>,
    /// 99.9 % are not above.
    pub p999: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// How many.
    pub count: u64,
}

/// `wire`
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wire {
    /// By OpenWire's name.
    pub commands: Commands,
    /// Acks that reached the broker.
    pub acks_by_type: AcksByType,
    /// Acks that the broker refused.
    pub acks_refused: u64,
    /// All of `commands` per message sent.
    pub commands_per_message: Option<f64>,
    /// Acks per message sent.
    pub acks_per_message: Option<f64>,
}

/// `wire.commands`: those that carry messages, acknowledge them or change subscriptions; without
/// answers and without those that open connections and sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Commands {
    /// Sends.
    pub message: u64,
    /// From broker to client, those without a message not counted.
    pub message_dispatch: u64,
    /// Those that reached the broker.
    pub message_ack: u64,
    /// Those that reached the broker.
    pub message_pull: u64,
    /// BEGIN, COMMIT and ROLLBACK.
    pub transaction_info: u64,
    /// Subscriptions added.
    pub consumer_info: u64,
    /// Subscriptions removed, not by a broken connection.
    pub remove_info: u64,
}

impl Commands {
    /// How many in all.
    pub fn total(&self) -> u64 {
        self.message
            + self.message_dispatch
            + self.message_ack
            + self.message_pull
            + self.transaction_info
            + self.consumer_info
            + self.remove_info
    }
}

/// Acks by the name of their type.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AcksByType(pub [u64; AckType::ALL.len()]);

impl AcksByType {
    /// How many of a type.
    pub fn of(&self, ack_type: AckType) -> u64 {
        self.0[ack_type as usize]
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl Serialize for AcksByType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(AckType::ALL.map(|ack_type| (ack_type.name(), self.of(ack_type))))
    }
}

/// One of `consumers`. All lives of a consumer count together.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerMetrics {
    /// Hand-overs to the application.
    pub delivered: u64,
    /// Processed to the end.
    pub processed: u64,
    /// Hand-overs with JMSRedelivered.
    pub redelivered: u64,
    /// Processings that failed.
    pub failed: u64,
    /// Repeats that it skipped.
    pub skipped: u64,
    /// Messages that the broker took off for it.
    pub acknowledged: u64,
    /// Messages that the broker sent to it.
    pub dispatched: u64,
    /// `busyMs` over `timing.makespanMs`.
    pub utilisation: Option<f64>,
    /// Time at work.
    pub busy_ms: f64,
    /// Time connected and not at work.
    pub idle_ms: f64,
    /// Time from when the consumer is ready until it closes, crashes, or the broker removes it.
    pub connected_ms: f64,
    /// Idle while at least one message of its queue waited in another consumer's buffer; 0 on
    /// topics.
    pub starved_ms: f64,
    /// Mean time from a message's arrival at the client library to the start of its processing.
    pub buffered_ms: Option<f64>,
    /// Mean time from dispatch by the broker to the end of the processing.
    pub in_flight_ms: Option<f64>,
    /// Most messages that had arrived and had not been taken off or given back.
    pub max_held: u64,
    /// The same, averaged over the time connected.
    pub mean_held: Option<f64>,
    /// Messages held when the run ended.
    pub held_at_end: u64,
    /// Time with a full prefetch window.
    pub window_full_ms: f64,
    /// Whether the window was full when the run ended.
    pub window_full_at_end: bool,
    /// Time marked slow.
    pub slow_ms: f64,
    /// Times it was marked slow.
    pub slow_marks: u64,
    /// Times a strategy aborted it.
    pub aborts: u64,
    /// The last hand-over.
    pub last_delivered_ms: Option<f64>,
    /// Its process died so often.
    pub crashes: u64,
    /// From a crash until everything that it had in flight has been handed over again or taken off.
    pub recovery_ms: Recovery,
    /// Commits that were refused.
    pub commits_failed: u64,
    /// Pulls that reached the broker.
    pub pulls: u64,
    /// Acks that reached the broker.
    pub acks_by_type: AcksByType,
}

/// `recoveryMs` of a consumer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recovery {
    /// Mean.
    pub mean: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
    /// Crashes that gave back messages, and had recovered.
    pub count: u64,
    /// Whether some of these messages were still missing at the end.
    pub pending: bool,
}

/// One of `producers`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProducerMetrics {
    /// Calls of send.
    pub sent: u64,
    /// Time in which send had not returned.
    pub blocked_ms: f64,
    /// The longest call of send.
    pub max_blocked_ms: Option<f64>,
    /// Mean time by which a send came later than the application wanted.
    pub late_ms: Option<f64>,
    /// The largest.
    pub max_late_ms: Option<f64>,
    /// Calls that failed or lost their answer.
    pub failed: u64,
    /// Transactions committed.
    pub committed: u64,
    /// Transactions rolled back.
    pub rolled_back: u64,
}

/// One of `destinations`. Depths count what is pending and what is in flight, as ActiveMQ's
/// QueueSize does; on a topic, once for each subscription that is to get it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DestinationMetrics {
    /// Messages that took their place here, on a topic once for each subscription.
    pub enqueued: u64,
    /// At the end.
    pub depth: u64,
    /// At most.
    pub max_depth: u64,
    /// On average over the run.
    pub mean_depth: Option<f64>,
    /// Most in flight at a time.
    pub max_in_flight: u64,
    /// On average in flight.
    pub mean_in_flight: Option<f64>,
    /// Hand-overs of a message after one that its producer had sent later (with groups: of the same
    /// group) was handed over; on a topic to the same subscriber.
    pub order_violations: u64,
    /// Jain's index over what its consumers processed.
    pub fairness: Option<f64>,
}

/// A JSON object whose keys are names of the scenario, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct ByName<T>(pub Vec<(String, T)>);

impl<T> ByName<T> {
    /// The one of this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<T> std::ops::Index<&str> for ByName<T> {
    type Output = T;
    fn index(&self, name: &str) -> &T {
        self.get(name)
            .unwrap_or_else(|| panic!("nothing is called {name}"))
    }
}

impl<T: Serialize> Serialize for ByName<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Nanoseconds as milliseconds.
pub fn millis(nanos: u64) -> f64 {
    Span(nanos).as_millis_f64()
}

/// Six significant digits, the same on every machine.
pub fn rounded(value: f64) -> f64 {
    format!("{value:.5e}")
        .parse()
        .expect("a formatted number is a number")
}

/// A ratio of six significant digits; none by nothing.
pub fn ratio(of: f64, by: f64) -> Option<f64> {
    (by > 0.0).then(|| rounded(of / by))
}

/// A number of things per second; none over no time.
pub fn per_second(count: u64, over_nanos: u64) -> Option<f64> {
    ratio(count as f64 * 1e9, over_nanos as f64)
}

/// Jain's fairness index, `(Σx)² / (n Σx²)`; none where nothing was shared.
pub fn jain(shares: impl Iterator<Item = u64>) -> Option<f64> {
    let (count, sum, squares) = shares.fold((0.0, 0.0, 0.0), |(count, sum, squares), share| {
        let share = share as f64;
        (count + 1.0, sum + share, squares + share * share)
    });
    ratio(sum * sum, count * squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fairness_is_jains_index() {
        assert_eq!(jain([5, 5, 5].into_iter()), Some(1.0));
        assert_eq!(jain([9, 0, 0].into_iter()), Some(0.333333));
        // (1 + 3)² / (2 × (1 + 9))
        assert_eq!(jain([1, 3].into_iter()), Some(0.8));
        assert_eq!(jain([0, 0].into_iter()), None);
        assert_eq!(jain(std::iter::empty()), None);
    }

    #[test]
    fn numbers_are_rounded_to_six_digits() {
        assert_eq!(rounded(1.0 / 3.0), 0.333333);
        assert_eq!(rounded(123_456_789.0), 123_457_000.0);
        assert_eq!(rounded(0.0), 0.0);
        assert_eq!(millis(5_000_001), 5.000001);
    }

    #[test]
    fn names_are_keys_in_their_order() {
        let named = ByName(vec![("z".to_owned(), 1), ("a".to_owned(), 2)]);
        assert_eq!(serde_json::to_string(&named).unwrap(), r#"{"z":1,"a":2}"#);
    }
}
