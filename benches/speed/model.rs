//! The model of the table: one producer, a message a millisecond on average, which does not wait for answers; workers
//! that need 3.5 ms each on average; a network of 0.2 ms. (One that waits sends at most 2,500 messages a second over
//! such a network: too few for a thousand workers.)

use acksim::kernel::{Distribution, Span};
use acksim::scenario::{self, Scenario, Source};
use serde_json::json;

use super::bare;

/// The model, and what is different in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    Auto,
    SynchronousSends,
    WindowOfOne,
    OptimizeAcknowledge,
    Transactions,
    LogNormal,
    ManyConsumers,
}

impl Variant {
    pub const ALL: [Variant; 7] = [
        Variant::Auto,
        Variant::SynchronousSends,
        Variant::WindowOfOne,
        Variant::OptimizeAcknowledge,
        Variant::Transactions,
        Variant::LogNormal,
        Variant::ManyConsumers,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Variant::Auto => "auto",
            Variant::SynchronousSends => "synchronous-sends",
            Variant::WindowOfOne => "window-of-one",
            Variant::OptimizeAcknowledge => "optimize-acknowledge",
            Variant::Transactions => "transactions",
            Variant::LogNormal => "log-normal",
            Variant::ManyConsumers => "many-consumers",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Variant::Auto => "AUTO, 4 consumers, prefetch 100",
            Variant::SynchronousSends => "the same, synchronous sends",
            Variant::WindowOfOne => "the same, prefetch 1",
            Variant::OptimizeAcknowledge => "the same, optimizeAcknowledge",
            Variant::Transactions => "the same, transactions of 10",
            Variant::LogNormal => "the same, log-normal processing",
            Variant::ManyConsumers => "the same, 1,000 consumers",
        }
    }

    /// As a scenario file.
    pub fn scenario(self, messages: u64) -> String {
        let mut producer = json!({
            "name": "orders",
            "destination": "queue://orders",
            "messages": messages,
            "arrivals": {"poisson": {"perSecond": 1000}},
            "url": "tcp://localhost:61616?jms.useAsyncSend=true",
        });
        let mut consumer = json!({
            "name": "worker",
            "count": 4,
            "destination": "queue://orders",
            "prefetchSize": 100,
            "processing": {"exponential": {"mean": "3.5ms"}},
        });
        match self {
            Variant::Auto => {}
            Variant::SynchronousSends => producer["url"] = json!("tcp://localhost:61616"),
            Variant::WindowOfOne => consumer["prefetchSize"] = json!(1),
            Variant::OptimizeAcknowledge => {
                consumer["url"] = json!("tcp://localhost:61616?jms.optimizeAcknowledge=true");
            }
            Variant::Transactions => {
                consumer["acknowledgeMode"] = json!("SESSION_TRANSACTED");
                consumer["transaction"] = json!({"size": 10});
            }
            Variant::LogNormal => {
                consumer["processing"] = json!({"logNormal": {"median": "2.5ms", "p99": "15ms"}});
            }
            // As many messages for each as before.
            Variant::ManyConsumers => {
                consumer["count"] = json!(1000);
                producer["arrivals"] = json!({"poisson": {"perSecond": 250_000}});
            }
        }
        let file = json!({
            "name": self.name(),
            "network": {"latency": "0.2ms"},
            "producers": [producer],
            "consumers": [consumer],
        });
        file.to_string()
    }

    /// The same system for the bare loop, as far as that knows it: it acknowledges every message by itself, and no
    /// producer waits.
    pub fn bare(self, messages: u64) -> bare::Model {
        let mut model = bare::Model {
            messages,
            workers: 4,
            prefetch: 100,
            between_sends: Span::from_millis(1),
            processing: Distribution::Exponential {
                mean: Span::from_micros(3500),
            },
            latency: 200_000,
        };
        match self {
            Variant::WindowOfOne => model.prefetch = 1,
            Variant::LogNormal => {
                let consumer = &self.resolved(1).consumers[0];
                model.processing = consumer.processing.clone();
            }
            Variant::ManyConsumers => {
                model.workers = 1000;
                model.between_sends = Span::from_micros(4);
            }
            _ => {}
        }
        model
    }

    pub fn resolved(self, messages: u64) -> Scenario {
        let source = Source {
            name: self.name().to_owned(),
            text: self.scenario(messages),
        };
        let loaded = scenario::read(&source, self.name());
        loaded.expect("the model is a valid scenario").scenario
    }
}
