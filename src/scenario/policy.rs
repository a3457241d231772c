//! `broker.policies`: ActiveMQ's policyEntry, and which entry applies to a destination.

use std::cmp::Ordering;

use super::json::{Node, Place};
use super::limits;
use super::model::{
    DeadLetterStrategy, DestinationKind, MessageEviction, PendingMessageLimit, Policy,
    SlowConsumerKind, SlowConsumerStrategy,
};
use super::report::Report;
use super::shape::{Field, Kind, Named};
use super::url::kind_and_name;
use crate::kernel::Span;

/// A policy entry.
pub static POLICY: Named = Named {
    name: "policy",
    about: "an object of policyEntry attributes",
    kind: Kind::Object(FIELDS),
};

const COUNT: Kind = Kind::Whole {
    least: 0,
    most: limits::COUNT,
};

static FIELDS: &[Field] = &[
    Field::new(
        "strictOrderDispatch",
        Kind::Flag,
        "A queue gives all to its first consumer with room.",
    )
    .default("false"),
    Field::new(
        "usePrefetchExtension",
        Kind::Flag,
        "Whether DELIVERED acks widen the window.",
    )
    .default("true"),
    Field::new(
        "queuePrefetch",
        COUNT,
        "Replaces a client's default of 1000.",
    )
    .default("1000"),
    Field::new(
        "topicPrefetch",
        COUNT,
        "Replaces a client's default of 32767.",
    )
    .default("32767"),
    Field::new(
        "durableTopicPrefetch",
        COUNT,
        "Replaces a durable subscription's 100 or 1000.",
    )
    .default("100"),
    Field::new(
        "memoryLimit",
        Kind::Size {
            least: 0,
            most: i64::MAX as u64,
        },
        "Of the destination; 0 or left out: none of its own.",
    ),
    Field::new(
        "producerFlowControl",
        Kind::Flag,
        "Whether a full memory holds up producers.",
    )
    .default("true"),
    Field::new(
        "allConsumersExclusiveByDefault",
        Kind::Flag,
        "One consumer gets all, others wait.",
    )
    .default("false"),
    Field::new(
        "consumersBeforeDispatchStarts",
        COUNT,
        "Dispatch waits for so many consumers.",
    )
    .default("0"),
    Field::new(
        "timeBeforeDispatchStarts",
        Kind::Millis { least: 0 },
        "… but not longer than this.",
    )
    .default("0"),
    Field::new(
        "useConsumerPriority",
        Kind::Flag,
        "Whether consumer.priority decides.",
    )
    .default("true"),
    Field::new(
        "maxPageSize",
        Kind::Whole {
            least: 1,
            most: limits::COUNT,
        },
        "Messages that one pass takes from the store.",
    )
    .default("200"),
    Field::new(
        "expireMessagesPeriod",
        Kind::Millis { least: -1 },
        "Between searches for expired messages; 0: none.",
    )
    .default("30000"),
    Field::new(
        "prioritizedMessages",
        Kind::Flag,
        "Whether the store orders by priority.",
    )
    .default("false"),
    Field::new(
        "sendFailIfNoSpace",
        Kind::Flag,
        "Whether a full memory fails a send.",
    )
    .default("false"),
    Field::new(
        "lazyDispatch",
        Kind::Flag,
        "Pages in only what consumers have room for.",
    )
    .default("false"),
    Field::new(
        "persistJMSRedelivered",
        Kind::Flag,
        "Stores the redelivery counter at each dispatch.",
    )
    .default("false"),
    Field::new(
        "pendingMessageLimitStrategy",
        Kind::OneOf(PENDING_LIMIT),
        "How many messages wait for a slow topic subscription.",
    ),
    Field::new(
        "messageEvictionStrategy",
        Kind::Choice(&["oldest", "oldestWithLowestPriority"]),
        "Which message goes where too many wait.",
    )
    .default("\"oldest\""),
    Field::new(
        "slowConsumerStrategy",
        Kind::OneOf(SLOW),
        "What happens to slow consumers. Left out: nothing.",
    ),
    Field::new(
        "deadLetterStrategy",
        Kind::OneOf(DEAD_LETTER),
        "Where poisoned and expired messages go.",
    )
    .default("{\"shared\": {}}"),
    Field::unused("advisoryForConsumed", ADVISORIES),
    Field::unused("advisoryForDelivery", ADVISORIES),
    Field::unused("advisoryForDiscardingMessages", ADVISORIES),
    Field::unused("advisoryForFastProducers", ADVISORIES),
    Field::unused("advisoryForSlowConsumers", ADVISORIES),
    Field::unused("advisoryWhenFull", ADVISORIES),
    Field::unused("includeBodyForAdvisory", ADVISORIES),
    Field::unused("sendAdvisoryIfNoConsumers", ADVISORIES),
    Field::unused(
        "alwaysRetroactive",
        "topics keep no messages for late subscribers",
    ),
    Field::unused(
        "subscriptionRecoveryPolicy",
        "topics keep no messages for late subscribers",
    ),
    Field::unused(
        "blockedProducerWarningInterval",
        "it only writes to the log",
    ),
    Field::unused(
        "cursorMemoryHighWaterMark",
        "the broker's own memory has no limit here",
    ),
    Field::unused("storeUsageHighWaterMark", "the store has no limit here"),
    Field::unused("dispatchPolicy", "queues rotate, topics give to all"),
    Field::unused("doOptimzeMessageStorage", "the store has one speed"),
    Field::unused(
        "optimizeMessageStoreInFlightLimit",
        "the store has one speed",
    ),
    Field::unused("optimizedDispatch", "only threads differ"),
    Field::unused("enableAudit", "the duplicate filter is always on"),
    Field::unused("maxAuditDepth", "the duplicate filter remembers everything"),
    Field::unused(
        "maxProducersToAudit",
        "the duplicate filter remembers everything",
    ),
    Field::unused(
        "maxQueueAuditDepth",
        "the duplicate filter remembers everything",
    ),
    Field::unused("gcInactiveDestinations", "destinations stay"),
    Field::unused("gcWithNetworkConsumers", "destinations stay"),
    Field::unused("inactiveTimeoutBeforeGC", "destinations stay"),
    Field::unused("inactiveTimoutBeforeGC", "destinations stay"),
    Field::unused("maxBrowsePageSize", "there are no browsers"),
    Field::unused("queueBrowserPrefetch", "there are no browsers"),
    Field::unused(
        "maxDestinations",
        "destinations are those that the scenario names",
    ),
    Field::unused(
        "maxExpirePageSize",
        "a search for expired messages looks at all",
    ),
    Field::unused("messageGroupMapFactory", "every group is remembered"),
    Field::unused("messageGroupMapFactoryType", "every group is remembered"),
    Field::unused(
        "minimumMessageSize",
        "the memory of a message is at least 1024 bytes, as by default",
    ),
    Field::unused("networkBridgeFilterFactory", "there is one broker"),
    Field::unused("pendingDurableSubscriberPolicy", "cursors have one kind"),
    Field::unused("pendingQueuePolicy", "cursors have one kind"),
    Field::unused("pendingSubscriberPolicy", "cursors have one kind"),
    Field::unused("reduceMemoryFootprint", "memory is counted by size"),
    Field::unused(
        "sendDuplicateFromStoreToDLQ",
        "the store gives no duplicates",
    ),
    Field::unused(
        "sendFailIfNoSpaceAfterTimeout",
        "the time-out is not modelled",
    ),
    Field::unused("useCache", "the store has one speed"),
    Field::unused("useTopicSubscriptionInflightStats", "it only counts"),
];

const ADVISORIES: &str = "advisories are not modelled";

static PENDING_LIMIT: &[Field] = &[
    Field::new(
        "constant",
        Kind::Whole {
            least: -1,
            most: limits::COUNT,
        },
        "So many; -1: no limit.",
    ),
    Field::new(
        "prefetchRate",
        Kind::Number {
            above: -2.0,
            most: 1e6,
        },
        "This multiple of the prefetch; below 0: no limit.",
    ),
];

static SLOW: &[Field] = &[
    Field::new(
        "abortSlowConsumer",
        Kind::Object(ABORT_SLOW),
        "Closes those marked slow.",
    ),
    Field::new(
        "abortSlowAckConsumer",
        Kind::Object(ABORT_SLOW_ACK),
        "Closes those that have not acknowledged for too long.",
    ),
];

const MAX_SLOW_COUNT: Field = Field::new(
    "maxSlowCount",
    Kind::Whole {
        least: -1,
        most: limits::COUNT,
    },
    "Times marked slow before it is closed; -1: any number.",
)
.default("-1");
const MAX_SLOW_DURATION: Field = Field::new(
    "maxSlowDuration",
    Kind::Millis { least: -1 },
    "How long it may be slow; -1: for ever.",
)
.default("30000");
const CHECK_PERIOD: Field =
    Field::new("checkPeriod", Kind::Millis { least: 1 }, "Between checks.").default("30000");
const ABORT_CONNECTION: Field = Field::new(
    "abortConnection",
    Kind::Flag,
    "Whether the whole connection is closed.",
)
.default("false");
const IGNORE_NETWORK: Field = Field::unused("ignoreNetworkConsumers", "there is one broker");
const NAME: Field = Field::unused("name", "it only names things");

static ABORT_SLOW: &[Field] = &[
    MAX_SLOW_COUNT,
    MAX_SLOW_DURATION,
    CHECK_PERIOD,
    ABORT_CONNECTION,
    IGNORE_NETWORK,
    NAME,
];
static ABORT_SLOW_ACK: &[Field] = &[
    Field::new(
        "maxTimeSinceLastAck",
        Kind::Millis { least: -1 },
        "How long it may go without an ack; -1 switches the strategy off.",
    )
    .default("30000"),
    Field::new(
        "ignoreIdleConsumers",
        Kind::Flag,
        "Spares those with nothing in flight.",
    )
    .default("true"),
    MAX_SLOW_COUNT,
    MAX_SLOW_DURATION,
    CHECK_PERIOD,
    ABORT_CONNECTION,
    IGNORE_NETWORK,
    NAME,
];

static DEAD_LETTER: &[Field] = &[
    Field::new("shared", Kind::Object(SHARED), "One queue for all."),
    Field::new(
        "individual",
        Kind::Object(INDIVIDUAL),
        "A queue for each destination.",
    ),
    Field::new(
        "discarding",
        Kind::Object(COMMON),
        "None: such messages are dropped.",
    ),
];

const PROCESS_EXPIRED: Field = Field::new(
    "processExpired",
    Kind::Flag,
    "Whether it takes expired messages.",
)
.default("true");
const PROCESS_NON_PERSISTENT: Field = Field::new(
    "processNonPersistent",
    Kind::Flag,
    "Whether it takes non-persistent messages.",
)
.default("false");
const ENABLE_AUDIT: Field = Field::new(
    "enableAudit",
    Kind::Flag,
    "Whether it takes a message id only once.",
)
.default("true");
const EXPIRATION: Field = Field::new(
    "expiration",
    Kind::Millis { least: 0 },
    "Time to live of what is there; 0: for ever.",
)
.default("0");
const AUDIT_DEPTH: Field =
    Field::unused("maxAuditDepth", "the duplicate filter remembers everything");
const AUDIT_PRODUCERS: Field = Field::unused(
    "maxProducersToAudit",
    "the duplicate filter remembers everything",
);

static COMMON: &[Field] = &[
    PROCESS_EXPIRED,
    PROCESS_NON_PERSISTENT,
    ENABLE_AUDIT,
    EXPIRATION,
    AUDIT_DEPTH,
    AUDIT_PRODUCERS,
];
static SHARED: &[Field] = &[
    Field::new("queue", Kind::Name, "Its name.").default("\"ActiveMQ.DLQ\""),
    PROCESS_EXPIRED,
    PROCESS_NON_PERSISTENT,
    ENABLE_AUDIT,
    EXPIRATION,
    AUDIT_DEPTH,
    AUDIT_PRODUCERS,
];
static INDIVIDUAL: &[Field] = &[
    Field::new("queuePrefix", Kind::Text, "Before a queue's name.")
        .default("\"ActiveMQ.DLQ.Queue.\""),
    Field::new("topicPrefix", Kind::Text, "Before a topic's name.")
        .default("\"ActiveMQ.DLQ.Topic.\""),
    Field::new("queueSuffix", Kind::Text, "Behind a queue's name.").default("\"\""),
    Field::new("topicSuffix", Kind::Text, "Behind a topic's name.").default("\"\""),
    Field::new(
        "useQueueForQueueMessages",
        Kind::Flag,
        "Else a topic takes them.",
    )
    .default("true"),
    Field::new(
        "useQueueForTopicMessages",
        Kind::Flag,
        "Else a topic takes them.",
    )
    .default("true"),
    PROCESS_EXPIRED,
    PROCESS_NON_PERSISTENT,
    ENABLE_AUDIT,
    EXPIRATION,
    AUDIT_DEPTH,
    AUDIT_PRODUCERS,
    Field::unused(
        "destinationPerDurableSubscriber",
        "durable subscribers share the dead-letter queue of their topic",
    ),
];

/// What a destination gets where no entry matches (`BaseDestination`,
/// `AbstractDeadLetterStrategy`). The index of its dead-letter queue is not known here.
impl Default for Policy {
    fn default() -> Policy {
        Policy {
            has_entry: false,
            strict_order_dispatch: false,
            use_prefetch_extension: true,
            queue_prefetch: 1000,
            topic_prefetch: 32767,
            durable_topic_prefetch: 100,
            memory_limit: None,
            producer_flow_control: true,
            all_consumers_exclusive_by_default: false,
            consumers_before_dispatch_starts: 0,
            time_before_dispatch_starts: Span::ZERO,
            use_consumer_priority: true,
            max_page_size: 200,
            expire_messages_period: Span::from_millis(30_000),
            prioritized_messages: false,
            send_fail_if_no_space: false,
            lazy_dispatch: false,
            persist_jms_redelivered: false,
            pending_message_limit_strategy: None,
            message_eviction_strategy: MessageEviction::Oldest,
            slow_consumer_strategy: None,
            dead_letter_strategy: DeadLetterStrategy {
                queue: None,
                audit: 0,
                process_expired: true,
                process_non_persistent: false,
                enable_audit: true,
                expiration: None,
            },
        }
    }
}

/// Where a strategy sends messages, by name.
#[derive(Clone, Debug, PartialEq)]
pub enum DeadLetters {
    /// One queue for all.
    Shared(String),
    /// By the destination.
    Individual {
        /// Of queues.
        queue: Renaming,
        /// Of topics.
        topic: Renaming,
    },
    /// Nowhere.
    Discarding,
}

/// How a dead-letter destination gets its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Renaming {
    prefix: String,
    suffix: String,
    kind: DestinationKind,
}

impl DeadLetters {
    /// The dead-letter destination of a destination.
    pub fn of(&self, kind: DestinationKind, name: &str) -> Option<(DestinationKind, String)> {
        match self {
            DeadLetters::Shared(queue) => Some((DestinationKind::Queue, queue.clone())),
            DeadLetters::Individual { queue, topic } => {
                let rule = if kind == DestinationKind::Queue {
                    queue
                } else {
                    topic
                };
                Some((rule.kind, format!("{}{name}{}", rule.prefix, rule.suffix)))
            }
            DeadLetters::Discarding => None,
        }
    }
}

/// One entry of `policies`.
pub struct Entry {
    kind: DestinationKind,
    pattern: String,
    /// Where it is written.
    pub place: Place,
    /// The attributes; the index of the dead-letter queue is not filled in.
    pub policy: Policy,
    /// Where dead letters go.
    pub dead_letters: DeadLetters,
}

/// Reads `policies`.
pub fn read(node: &Node, report: &mut Report) -> Vec<Entry> {
    let mut entries = Vec::new();
    for member in node.members() {
        let Some((kind, pattern)) = kind_and_name(&member.key, member.key_place, report) else {
            continue;
        };
        if member.key.contains('?') {
            report.error(member.key_place, "a policy's destination has no options");
        }
        // Number 0 is the default strategy, which all destinations without one of their own share.
        let number = entries.len() + 1;
        let (policy, dead_letters) = read_entry(&member.node, number, report);
        let pattern = pattern.to_owned();
        entries.push(Entry {
            kind,
            pattern,
            place: member.key_place,
            policy,
            dead_letters,
        });
    }
    entries
}

fn read_entry(node: &Node, number: usize, report: &mut Report) -> (Policy, DeadLetters) {
    let default = Policy::default();
    let flag = |key, default| node.flag(key).unwrap_or(default);
    let count = |key, default| node.whole(key).unwrap_or(default);
    let (dead_letter_strategy, dead_letters) = read_dead_letters(node, number, report);
    let policy = Policy {
        has_entry: true,
        strict_order_dispatch: flag("strictOrderDispatch", default.strict_order_dispatch),
        use_prefetch_extension: flag("usePrefetchExtension", default.use_prefetch_extension),
        queue_prefetch: count("queuePrefetch", default.queue_prefetch),
        topic_prefetch: count("topicPrefetch", default.topic_prefetch),
        durable_topic_prefetch: count("durableTopicPrefetch", default.durable_topic_prefetch),
        memory_limit: node.size_of("memoryLimit").filter(|limit| *limit > 0),
        producer_flow_control: flag("producerFlowControl", default.producer_flow_control),
        all_consumers_exclusive_by_default: flag("allConsumersExclusiveByDefault", false),
        consumers_before_dispatch_starts: count("consumersBeforeDispatchStarts", 0),
        time_before_dispatch_starts: span(node.millis("timeBeforeDispatchStarts").unwrap_or(0)),
        use_consumer_priority: flag("useConsumerPriority", default.use_consumer_priority),
        max_page_size: count("maxPageSize", default.max_page_size),
        expire_messages_period: span(node.millis("expireMessagesPeriod").unwrap_or(30_000)),
        prioritized_messages: flag("prioritizedMessages", default.prioritized_messages),
        send_fail_if_no_space: flag("sendFailIfNoSpace", default.send_fail_if_no_space),
        lazy_dispatch: flag("lazyDispatch", default.lazy_dispatch),
        persist_jms_redelivered: flag("persistJMSRedelivered", default.persist_jms_redelivered),
        pending_message_limit_strategy: node.get("pendingMessageLimitStrategy").map(pending_limit),
        message_eviction_strategy: match node.text("messageEvictionStrategy") {
            Some("oldestWithLowestPriority") => MessageEviction::OldestWithLowestPriority,
            _ => MessageEviction::Oldest,
        },
        slow_consumer_strategy: node.get("slowConsumerStrategy").map(slow_consumer_strategy),
        dead_letter_strategy,
    };
    (policy, dead_letters)
}

/// ActiveMQ's -1 becomes zero.
fn span(millis: i64) -> Span {
    Span::from_millis(millis.try_into().unwrap_or(0))
}

fn pending_limit(node: &Node) -> PendingMessageLimit {
    match node.number("prefetchRate") {
        Some(rate) => PendingMessageLimit::PrefetchRate(rate),
        None => PendingMessageLimit::Constant(node.whole("constant").unwrap_or(-1)),
    }
}

fn slow_consumer_strategy(node: &Node) -> SlowConsumerStrategy {
    let by_ack = node.get("abortSlowAckConsumer");
    let details = by_ack.unwrap_or_else(|| node.child("abortSlowConsumer"));
    let time = |key| match details.millis(key).unwrap_or(30_000) {
        ..0 => None,
        millis => Some(span(millis)),
    };
    SlowConsumerStrategy {
        kind: match by_ack {
            None => SlowConsumerKind::AbortSlowConsumer,
            Some(_) => SlowConsumerKind::AbortSlowAckConsumer {
                max_time_since_last_ack: time("maxTimeSinceLastAck"),
                ignore_idle_consumers: details.flag("ignoreIdleConsumers").unwrap_or(true),
            },
        },
        max_slow_count: details.whole("maxSlowCount"),
        max_slow_duration: time("maxSlowDuration"),
        check_period: span(details.millis("checkPeriod").unwrap_or(30_000)),
        abort_connection: details.flag("abortConnection").unwrap_or(false),
    }
}

fn read_dead_letters(
    entry: &Node,
    number: usize,
    report: &mut Report,
) -> (DeadLetterStrategy, DeadLetters) {
    let default = Policy::default().dead_letter_strategy;
    let Some(member) = entry.child("deadLetterStrategy").members().first() else {
        return (default, default_dead_letters());
    };
    let node = &member.node;
    let strategy = DeadLetterStrategy {
        queue: None,
        audit: number,
        process_expired: node
            .flag("processExpired")
            .unwrap_or(default.process_expired),
        process_non_persistent: node.flag("processNonPersistent").unwrap_or(false),
        enable_audit: node.flag("enableAudit").unwrap_or(default.enable_audit),
        expiration: node
            .millis("expiration")
            .filter(|millis| *millis > 0)
            .map(span),
    };
    let dead_letters = match member.key.as_str() {
        "individual" => individual(node),
        "discarding" => DeadLetters::Discarding,
        _ => match node.get("queue") {
            Some(queue) => DeadLetters::Shared(shared_queue(queue, report)),
            None => default_dead_letters(),
        },
    };
    (strategy, dead_letters)
}

/// Where dead letters go where nothing is said about it.
pub fn default_dead_letters() -> DeadLetters {
    DeadLetters::Shared("ActiveMQ.DLQ".to_owned())
}

fn shared_queue(node: &Node, report: &mut Report) -> String {
    let name = node.as_text().unwrap_or_default();
    if let Some(bare) = name.strip_prefix("queue://") {
        let help = format!("did you mean \"{bare}\"?");
        report.error_with(
            node.place,
            "the dead-letter queue is given by its bare name",
            [help],
        );
    } else {
        kind_and_name(&format!("queue://{name}"), node.place, report);
    }
    name.to_owned()
}

/// `IndividualDeadLetterStrategy`
fn individual(node: &Node) -> DeadLetters {
    let rule = |prefix, default: &str, suffix, use_queue| Renaming {
        prefix: node.text(prefix).unwrap_or(default).to_owned(),
        suffix: node.text(suffix).unwrap_or("").to_owned(),
        kind: match node.flag(use_queue) {
            Some(false) => DestinationKind::Topic,
            _ => DestinationKind::Queue,
        },
    };
    rule!("dead-letter-queues-of-their-own");
    DeadLetters::Individual {
        queue: rule(
            "queuePrefix",
            "ActiveMQ.DLQ.Queue.",
            "queueSuffix",
            "useQueueForQueueMessages",
        ),
        topic: rule(
            "topicPrefix",
            "ActiveMQ.DLQ.Topic.",
            "topicSuffix",
            "useQueueForTopicMessages",
        ),
    }
}

/// The entry that applies to a destination: the most specific that matches
/// (`DestinationMap.chooseValue`).
pub fn choose(entries: &[Entry], kind: DestinationKind, name: &str) -> Option<usize> {
    rule!(
        "policy-most-specific",
        entries
            .iter()
            .filter(|entry| entry.kind == kind && matches(&entry.pattern, name))
            .count()
            > 1
    );
    let matching = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.kind == kind && matches(&entry.pattern, name));
    let more_specific = |(_, a): &(usize, &Entry), (_, b): &(usize, &Entry)| match (
        a.pattern == name,
        b.pattern == name,
    ) {
        (true, _) => Ordering::Less,
        (_, true) => Ordering::Greater,
        _ => compare(&a.pattern, &b.pattern),
    };
    matching.min_by(more_specific).map(|(number, _)| number)
}

/// `ActiveMQDestination.compare`: a pattern comes behind what it matches; else the alphabet
/// decides.
fn compare(a: &str, b: &str) -> Ordering {
    if a == b {
        Ordering::Equal
    } else if is_pattern(a) && matches(a, b) {
        Ordering::Greater
    } else if is_pattern(b) && matches(b, a) {
        Ordering::Less
    } else {
        a.cmp(b)
    }
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '>'])
}

/// `DestinationFilter.parseFilter(pattern).matches(name)`; the name may be a pattern itself.
fn matches(pattern: &str, name: &str) -> bool {
    let mut pattern: Vec<&str> = pattern.split('.').collect();
    let name: Vec<&str> = name.split('.').collect();
    if pattern.last() != Some(&">") {
        let fits = |(pattern, name): (&&str, &&str)| *pattern == "*" || pattern == name;
        return pattern.len() == name.len() && pattern.iter().zip(&name).all(fits);
    }
    while pattern.last() == Some(&">") {
        pattern.pop();
    }
    // PrefixDestinationFilter: `orders.>` matches `orders`, too.
    let fits = |(pattern, name): (&&str, &&str)| *pattern == "*" || *name == "*" || pattern == name;
    name.len() >= pattern.len() && pattern.iter().zip(&name).all(fits)
}
