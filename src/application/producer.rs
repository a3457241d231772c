//! An application that sends: when it wants to, and when it ends a transaction.

use crate::kernel::{Sampler, Span, Stream, Time};
use crate::scenario::{Arrivals, LoseReply, Producer, Scenario};

/// One sending application.
pub struct ProducerApp {
    start: Time,
    messages: Option<u64>,
    arrivals: Arrivals,
    interval: Sampler,
    arrival_stream: Stream,
    reply_stream: Stream,
    lose_reply: Option<LoseReply>,
    transaction_size: Option<u32>,
    roll_back: Vec<u64>,
    transactions: u64,
    /// When the renewal process had its last arrival.
    last_arrival: Time,
    /// Messages sent, first attempts only.
    pub sent: u64,
}

impl ProducerApp {
    /// The application of a producer.
    pub fn new(scenario: &Scenario, spec: &Producer) -> ProducerApp {
        let interval = match &spec.arrivals {
            Arrivals::Every(interval) => Sampler::new(interval),
            Arrivals::AtOnce | Arrivals::Bursts { .. } | Arrivals::At(_) => {
                Sampler::new(&crate::kernel::Distribution::ZERO)
            }
        };
        ProducerApp {
            start: spec.start,
            messages: spec.messages,
            arrivals: spec.arrivals.clone(),
            interval,
            arrival_stream: Stream::new(scenario.seed, &spec.name, "arrivals"),
            reply_stream: Stream::new(scenario.seed, &spec.name, "replies"),
            lose_reply: spec.lose_reply.clone(),
            transaction_size: spec
                .transaction
                .as_ref()
                .map(|transaction| transaction.size),
            roll_back: spec
                .transaction
                .as_ref()
                .map_or(vec![], |t| t.roll_back.clone()),
            transactions: 0,
            last_arrival: spec.start,
            sent: 0,
        }
    }

    /// What it draws from.
    pub fn streams(&self) -> [&Stream; 2] {
        [&self.arrival_stream, &self.reply_stream]
    }

    /// When it wants to send its next message; None: it has sent all. To be asked once for each message.
    pub fn next_arrival(&mut self, now: Time) -> Option<Time> {
        if self.messages.is_some_and(|most| self.sent >= most) {
            return None;
        }
        Some(match &self.arrivals {
            Arrivals::AtOnce => self.start.max(now),
            Arrivals::Every(_) => {
                self.last_arrival += self.interval.sample(&mut self.arrival_stream);
                self.last_arrival
            }
            Arrivals::Bursts { size, every } => {
                self.start + Span(every.0.saturating_mul(self.sent / size))
            }
            Arrivals::At(times) => (*times.get(usize::try_from(self.sent).ok()?)?).max(self.start),
        })
    }

    /// A message was sent: whether its transaction ends now (Some: committed or not).
    pub fn ends_transaction(&mut self) -> Option<bool> {
        let size = u64::from(self.transaction_size?);
        if !self.sent.is_multiple_of(size) && !self.has_sent_all() {
            return None;
        }
        self.transactions += 1;
        Some(!self.roll_back.contains(&self.transactions))
    }

    fn has_sent_all(&self) -> bool {
        let by_times = match &self.arrivals {
            Arrivals::At(times) => Some(times.len() as u64),
            Arrivals::AtOnce | Arrivals::Every(_) | Arrivals::Bursts { .. } => None,
        };
        let most = self
            .messages
            .unwrap_or(u64::MAX)
            .min(by_times.unwrap_or(u64::MAX));
        self.sent >= most
    }

    /// Whether the answer to the send of this message gets lost.
    pub fn loses_reply(&mut self, number: u64) -> bool {
        match &self.lose_reply {
            None => false,
            Some(LoseReply::Messages(numbers)) => numbers.contains(&number),
            Some(LoseReply::Probability(chance)) => self.reply_stream.chance(*chance),
        }
    }
}
