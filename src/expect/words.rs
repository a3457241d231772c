//! Facts and gauges, as a person would say it.

use crate::facts::Fact;
use crate::scenario::{ConsumerGauge, DestinationGauge, Gauge, Scenario, TotalGauge};
use crate::wire::{ConsumerId, MessageRef, Messages};

/// `consumer worker held 51`
pub fn gauge_value(gauge: Gauge, value: u64, scenario: &Scenario) -> String {
    match gauge {
        Gauge::Consumer(number, gauge) => {
            let name = &scenario.consumers[number].name;
            match gauge {
                ConsumerGauge::Held => format!("consumer {name} held {value}"),
                ConsumerGauge::Buffered => format!("consumer {name} had {value} in its buffer"),
                ConsumerGauge::InFlight => format!("consumer {name} had {value} in flight"),
                ConsumerGauge::Delivered => format!("consumer {name} had been handed {value}"),
            }
        }
        Gauge::Destination(number, gauge) => {
            let uri = scenario.destinations[number].uri();
            match gauge {
                DestinationGauge::Depth => format!("{uri} had a depth of {value}"),
                DestinationGauge::InFlight => format!("{uri} had {value} in flight"),
                DestinationGauge::Waiting => format!("{uri} had {value} waiting"),
            }
        }
        Gauge::Total(total) => {
            let what = match total {
                TotalGauge::Sent => "messages sent",
                TotalGauge::Acknowledged => "messages acknowledged",
                TotalGauge::DeadLettered => "messages dead-lettered",
                TotalGauge::Redeliveries => "redeliveries",
                TotalGauge::Expired => "messages expired",
                TotalGauge::Discarded => "messages discarded",
            };
            format!("the number of {what} was {value}")
        }
    }
}

/// `when orders:51 arrived there`
pub fn of_fact(fact: &Fact, gauge: Gauge, messages: &Messages, scenario: &Scenario) -> String {
    let consumer = |id: ConsumerId| scenario.consumers[id.index as usize].name.as_str();
    let message = |message: MessageRef| name(message, messages, scenario);
    match *fact {
        Fact::Sending { message: it } => format!("when {} was sent", message(it)),
        Fact::Enqueued { message: it, .. } => format!("when {} was enqueued", message(it)),
        Fact::Dispatched {
            consumer: to,
            message: it,
            ..
        } => format!("when {} was dispatched to {}", message(it), consumer(to)),
        Fact::Returned {
            consumer: from,
            message: it,
        } => format!("when {} went back from {}", message(it), consumer(from)),
        Fact::Acknowledged {
            consumer: by,
            message: it,
        } => format!("when {} was acknowledged by {}", message(it), consumer(by)),
        Fact::DeadLettered { message: it, .. } => {
            format!("when {} was dead-lettered", message(it))
        }
        Fact::Expired { message: it, .. } => format!("when {} expired", message(it)),
        Fact::Discarded { message: it, .. } => format!("when {} was discarded", message(it)),
        Fact::Gone { message: it, .. } => format!("when {} was gone", message(it)),
        Fact::Rescheduled { message: it, .. } => {
            format!("when {} was kept for later", message(it))
        }
        Fact::Received {
            consumer: at,
            message: it,
        } => match gauge {
            Gauge::Consumer(number, _) if number == at.index as usize => {
                format!("when {} arrived there", message(it))
            }
            _ => format!("when {} arrived at {}", message(it), consumer(at)),
        },
        Fact::Dropped {
            consumer: by,
            message: it,
        } => format!("when {} was dropped by {}", message(it), consumer(by)),
        Fact::RedeliveryScheduled {
            consumer: by,
            message: it,
            ..
        } => format!(
            "when {} went back into the buffer of {}",
            message(it),
            consumer(by)
        ),
        Fact::AckSent { ref ack } => format!("when {} sent an ack", consumer(ack.consumer)),
        Fact::Delivered {
            consumer: to,
            message: it,
            ..
        } => format!("when {} was handed over to {}", message(it), consumer(to)),
        Fact::Closed { consumer: who } => format!("when {} was closed", consumer(who)),
        Fact::Crashed { consumer: who } => format!("when {} crashed", consumer(who)),
        // Others move no gauge: it was so before.
        _ => "to begin with".to_owned(),
    }
}

/// `orders:51`
fn name(message: MessageRef, messages: &Messages, scenario: &Scenario) -> String {
    let message = &messages[message];
    let producer = &scenario.producers[message.producer as usize].name;
    match message.dead_letter {
        true => format!("the dead letter of {producer}:{}", message.number),
        false => format!("{producer}:{}", message.number),
    }
}
