//! What a person should know about a run beyond its numbers, and what to do about it.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::super::format::{count, duration, names, number, percent, plural, printable};

/// Something worth knowing. [`Warning::advice`] says what to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// Some were idle while another had messages for them in its buffer.
    Starvation {
        /// Who were idle, the worst first.
        starved: Vec<String>,
        /// Of the worst: which part of its time it was.
        share: f64,
        /// Who held most.
        hoarder: String,
        /// How many.
        held: u64,
        /// Its prefetch.
        prefetch: u32,
    },
    /// optimizeAcknowledge is on, and there is still an ack for almost every message.
    OptimizeAcknowledgeWithoutEffect {
        /// Whose.
        consumers: Vec<String>,
        /// Acks to a message.
        acks: f64,
        /// Their largest prefetch.
        prefetch: u32,
    },
    /// A window was full at the end, and nothing came to open it.
    Stalled {
        /// Whose.
        consumers: Vec<String>,
        /// What is left on the queues.
        remaining: u64,
    },
    /// Messages were processed twice or more.
    Duplicates {
        /// How often too often.
        duplicates: u64,
        /// Whether a consumer crashed.
        crash: bool,
        /// Whether optimizeAcknowledge held acks back.
        optimized: bool,
    },
    /// Messages are gone without having been processed.
    Lost {
        /// How many.
        lost: u64,
        /// How it could happen.
        cause: LossCause,
    },
    /// Messages went to a dead-letter queue.
    DeadLettered {
        /// How many.
        messages: u64,
    },
    /// Handed out, but the broker was never told that they are done.
    Unacknowledged {
        /// Who held them.
        consumers: Vec<String>,
        /// How many.
        messages: u64,
        /// Whether it was optimizeAcknowledge that held their acks back.
        optimized: bool,
    },
    /// More came in than went out.
    Backlog {
        /// How many are left.
        remaining: u64,
        /// How long the run was, in milliseconds.
        until: f64,
    },
    /// The rules of the article.
    ArticleSemantics,
    /// The rules of ActiveMQ 6.
    ActiveMq6Semantics,
}

/// How messages got lost.
#[derive(Clone, Debug, PartialEq)]
pub enum LossCause {
    /// These were acknowledged before the application worked on them.
    AcknowledgedBefore(Vec<String>),
    /// Here an exception was no reason not to acknowledge.
    FailureIgnored(Vec<String>),
    /// Nobody kept them.
    Volatile,
}

impl Warning {
    /// A name that programs can rely on.
    pub fn kind(&self) -> &'static str {
        match self {
            Warning::Starvation { .. } => "starvation",
            Warning::OptimizeAcknowledgeWithoutEffect { .. } => "optimizeAcknowledgeWithoutEffect",
            Warning::Stalled { .. } => "stalled",
            Warning::Duplicates { .. } => "duplicates",
            Warning::Lost { .. } => "lost",
            Warning::DeadLettered { .. } => "deadLettered",
            Warning::Unacknowledged { .. } => "unacknowledged",
            Warning::Backlog { .. } => "backlog",
            Warning::ArticleSemantics => "articleSemantics",
            Warning::ActiveMq6Semantics => "activeMq6Semantics",
        }
    }
}

impl Warning {
    /// What was seen.
    pub fn what(&self) -> String {
        match self {
            Warning::Starvation {
                starved,
                share,
                hoarder,
                held,
                ..
            } => format!(
                "{} had nothing to do {} of the time while {} held up to {}",
                listed(starved),
                percent(*share),
                printable(hoarder),
                plural(*held, "message", "messages")
            ),
            Warning::OptimizeAcknowledgeWithoutEffect {
                consumers, acks, ..
            } => format!(
                "optimizeAcknowledge is on, but {} still sent {} acks per message",
                listed(consumers),
                number(*acks)
            ),
            Warning::Stalled {
                consumers,
                remaining,
            } => format!(
                "{} stood still at the end with a full prefetch window; {} left on the broker",
                listed(consumers),
                plural(*remaining, "message was", "messages were")
            ),
            Warning::Duplicates { duplicates, .. } => format!(
                "{} of a message that had been processed to the end before",
                plural(
                    *duplicates,
                    "processing was a repeat",
                    "processings were repeats"
                )
            ),
            Warning::Lost { lost, .. } => format!(
                "{} lost: off the broker without having been processed",
                plural(*lost, "message is", "messages are")
            ),
            Warning::DeadLettered { messages } => format!(
                "{} to a dead-letter queue",
                plural(*messages, "message went", "messages went")
            ),
            Warning::Unacknowledged {
                consumers,
                messages,
                ..
            } => format!(
                "{} had {} at the end that it never acknowledged",
                listed(consumers),
                plural(*messages, "message", "messages")
            ),
            Warning::Backlog { remaining, until } => format!(
                "{} left when the run was cut off after {}",
                plural(*remaining, "message was", "messages were"),
                duration(*until)
            ),
            Warning::ArticleSemantics => {
                "these are the rules of the article, not those of the real broker".to_owned()
            }
            Warning::ActiveMq6Semantics => {
                "the rules of ActiveMQ 6 are derived from its source, not recorded".to_owned()
            }
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> String {
        match self {
            Warning::Starvation {
                hoarder, prefetch, ..
            } => format!(
                "give {} a smaller window than {}, for instance consumer.prefetchSize={} in its \
                 destination; `acksim compare` finds the best",
                printable(hoarder),
                count(u64::from(*prefetch)),
                smaller(*prefetch)
            ),
            Warning::OptimizeAcknowledgeWithoutEffect {
                prefetch: 0 | 1, ..
            } => "it acknowledges after 65 % of the prefetch, which is one message here: \
                 raise prefetchSize"
                .to_owned(),
            Warning::OptimizeAcknowledgeWithoutEffect { .. } => {
                "messages come so seldom that jms.optimizeAcknowledgeTimeOut (300 ms) passes \
                 first: raise it, or do without optimizeAcknowledge"
                    .to_owned()
            }
            Warning::Stalled { .. } => {
                "the broker sends no more until something is acknowledged: acknowledge or commit \
                 before the window is full, or close consumers that hang"
                    .to_owned()
            }
            Warning::Duplicates {
                crash: true,
                optimized: true,
                ..
            } => "acks were held back when a consumer died: set jms.optimizeAcknowledge=false, or \
                 make the application idempotent"
                .to_owned(),
            Warning::Duplicates { crash: true, .. } => {
                "what was processed but not acknowledged when a consumer died came again: \
                 acknowledge sooner, or make the application idempotent"
                    .to_owned()
            }
            Warning::Duplicates { .. } => {
                "acknowledge or commit after the work, and make the application idempotent \
                 (by message id)"
                    .to_owned()
            }
            Warning::Lost { cause, .. } => cause.advice(),
            Warning::DeadLettered { .. } => {
                "look into why they fail; jms.redeliveryPolicy.maximumRedeliveries says how often \
                 they are tried"
                    .to_owned()
            }
            Warning::Unacknowledged {
                optimized: true, ..
            } => "its time-out is looked at only when another message comes; \
                 jms.optimizedAckScheduledAckInterval=300 acknowledges by the clock"
                .to_owned(),
            Warning::Unacknowledged { .. } => {
                "a crash now would bring them again: acknowledge or commit the last ones, too"
                    .to_owned()
            }
            Warning::Backlog { .. } => {
                "if this is meant to be a steady state, consumers are too slow: add some, or work \
                 faster"
                    .to_owned()
            }
            Warning::ArticleSemantics => {
                "run it with \"semantics\": \"activemq-5.17\" to see what ActiveMQ does".to_owned()
            }
            Warning::ActiveMq6Semantics => {
                "\"semantics\": \"activemq-5.17\" is held against recordings".to_owned()
            }
        }
    }
}

impl LossCause {
    fn advice(&self) -> String {
        match self {
            LossCause::AcknowledgedBefore(consumers) => format!(
                "receive() acknowledges before the application works in this mode ({}): use a \
                 listener, CLIENT_ACKNOWLEDGE or SESSION_TRANSACTED",
                listed(consumers)
            ),
            LossCause::FailureIgnored(consumers) => format!(
                "{} failed and acknowledged all the same: roll back, recover, or use a mode in \
                 which an exception brings the message back",
                listed(consumers)
            ),
            LossCause::Volatile => {
                "nobody kept them: use PERSISTENT messages, and on topics a `durable` subscription"
                    .to_owned()
            }
        }
    }
}

/// A prefetch that hoards less and still covers a short round trip.
fn smaller(prefetch: u32) -> u32 {
    (prefetch / 10).max(1)
}

fn listed(consumers: &[String]) -> String {
    let consumers: Vec<&str> = consumers.iter().map(String::as_str).collect();
    names(&consumers, 3)
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut warning = serializer.serialize_struct("Warning", 3)?;
        warning.serialize_field("kind", self.kind())?;
        warning.serialize_field("what", &self.what())?;
        warning.serialize_field("advice", &self.advice())?;
        warning.end()
    }
}
