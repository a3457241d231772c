//! The options of connection URLs and destination URIs: which ActiveMQ 5.17.2 has, of what type
//! they are, and which of them change anything here.
//!
//! ActiveMQ finds options by reflection: `jms.x` is whatever setter `setX` the connection factory
//! has, `consumer.x` one of `ConsumerInfo`, `producer.x` one of `ProducerInfo`
//! (`ActiveMQConnectionFactory.buildFromMap`, `ActiveMQMessageConsumer.<init>`,
//! `ActiveMQMessageProducer.<init>`). What has no setter, or a value that cannot be converted, is
//! refused there, and so it is here. The tables list the setters of 5.17.2.

use std::borrow::Cow;

use super::json::Place;
use super::limits;
use super::model::RedeliveryPolicy;
use super::shape::between;
use super::values::{Fault, parse_duration};
use crate::kernel::Span;

/// One option of ActiveMQ.
#[derive(Debug)]
pub struct ActiveMqOption {
    /// With its prefix: `jms.sendAcksAsync`.
    pub name: &'static str,
    /// What it holds.
    pub kind: OptionKind,
    /// Whether it changes anything here.
    pub effect: Effect,
}

/// What an option holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptionKind {
    /// `true` or `false`
    Flag,
    /// A whole number in this range.
    Whole(i64, u64),
    /// Milliseconds, or a duration; at least this many.
    Millis(i64),
    /// A number that is not negative.
    Number,
    /// Not looked at.
    Text,
}

/// Whether an option changes anything here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does.
    Used,
    /// It does not, for this reason: a note says so.
    None(&'static str),
    /// It would, but is not modelled: an error says so.
    Refused(&'static str),
}

/// The value of an option.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptionValue {
    /// Of [`OptionKind::Flag`].
    Flag(bool),
    /// Of [`OptionKind::Whole`] and [`OptionKind::Millis`].
    Whole(i64),
    /// Of [`OptionKind::Number`].
    Number(f64),
    /// Of [`OptionKind::Text`].
    Text,
}

/// An option that somebody has set.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// With its prefix.
    pub name: &'static str,
    /// Converted.
    pub value: OptionValue,
    /// Where it is written.
    pub place: Place,
}

const fn used(name: &'static str, kind: OptionKind) -> ActiveMqOption {
    ActiveMqOption {
        name,
        kind,
        effect: Effect::Used,
    }
}

const fn idle(name: &'static str, kind: OptionKind, why: &'static str) -> ActiveMqOption {
    ActiveMqOption {
        name,
        kind,
        effect: Effect::None(why),
    }
}

const fn refused(name: &'static str, why: &'static str) -> ActiveMqOption {
    ActiveMqOption {
        name,
        kind: OptionKind::Text,
        effect: Effect::Refused(why),
    }
}

use OptionKind::{Flag, Millis, Number, Text, Whole};

const PREFETCH: OptionKind = Whole(0, limits::COUNT);
const INT: OptionKind = Whole(-(1 << 31), limits::COUNT);

/// `jms.*`: setters of `ActiveMQConnectionFactory`, `ActiveMQPrefetchPolicy`, `RedeliveryPolicy`
/// and `BlobTransferPolicy`.
pub static JMS: &[ActiveMqOption] = &[
    used("jms.optimizeAcknowledge", Flag),
    used("jms.optimizeAcknowledgeTimeOut", Millis(-1)),
    used("jms.optimizedAckScheduledAckInterval", Millis(-1)),
    used("jms.sendAcksAsync", Flag),
    used("jms.useAsyncSend", Flag),
    used("jms.alwaysSyncSend", Flag),
    used("jms.sendTimeout", Millis(-1)),
    used("jms.producerWindowSize", INT),
    used("jms.dispatchAsync", Flag),
    used("jms.alwaysSessionAsync", Flag),
    used("jms.nonBlockingRedelivery", Flag),
    used("jms.transactedIndividualAck", Flag),
    used("jms.messagePrioritySupported", Flag),
    used("jms.consumerExpiryCheckEnabled", Flag),
    used("jms.checkForDuplicates", Flag),
    used("jms.exclusiveConsumer", Flag),
    used("jms.watchTopicAdvisories", Flag),
    used("jms.closeTimeout", Millis(0)),
    used("jms.disableTimeStampsByDefault", Flag),
    used("jms.optimizedMessageDispatch", Flag),
    used("jms.prefetchPolicy.all", PREFETCH),
    used("jms.prefetchPolicy.queuePrefetch", PREFETCH),
    used("jms.prefetchPolicy.topicPrefetch", PREFETCH),
    used("jms.prefetchPolicy.durableTopicPrefetch", PREFETCH),
    used("jms.prefetchPolicy.optimizeDurableTopicPrefetch", PREFETCH),
    used("jms.prefetchPolicy.maximumPendingMessageLimit", PREFETCH),
    idle(
        "jms.prefetchPolicy.queueBrowserPrefetch",
        PREFETCH,
        "there are no browsers",
    ),
    used(
        "jms.redeliveryPolicy.maximumRedeliveries",
        Whole(-1, limits::COUNT),
    ),
    used("jms.redeliveryPolicy.initialRedeliveryDelay", Millis(0)),
    used("jms.redeliveryPolicy.redeliveryDelay", Millis(0)),
    used("jms.redeliveryPolicy.useExponentialBackOff", Flag),
    used("jms.redeliveryPolicy.backOffMultiplier", Number),
    used("jms.redeliveryPolicy.maximumRedeliveryDelay", Millis(-1)),
    used("jms.redeliveryPolicy.useCollisionAvoidance", Flag),
    used(
        "jms.redeliveryPolicy.collisionAvoidancePercent",
        Whole(0, 100),
    ),
    used("jms.redeliveryPolicy.preDispatchCheck", Flag),
    idle("jms.blobTransferPolicy.uploadUrl", Text, NO_BODIES),
    idle("jms.blobTransferPolicy.brokerUploadUrl", Text, NO_BODIES),
    idle("jms.blobTransferPolicy.defaultUploadUrl", Text, NO_BODIES),
    idle("jms.blobTransferPolicy.bufferSize", INT, NO_BODIES),
    idle("jms.copyMessageOnSend", Flag, NO_BODIES),
    idle(
        "jms.useCompression",
        Flag,
        "a body has the size that the scenario gives it",
    ),
    idle("jms.objectMessageSerializationDefered", Flag, NO_BODIES),
    idle("jms.nestedMapAndListEnabled", Flag, NO_BODIES),
    idle("jms.trustAllPackages", Flag, NO_BODIES),
    idle("jms.trustedPackages", Text, NO_BODIES),
    idle("jms.userName", Text, NO_SECURITY),
    idle("jms.password", Text, NO_SECURITY),
    idle("jms.clientID", Text, "the client id is the consumer's name"),
    idle(
        "jms.clientIDPrefix",
        Text,
        "the client id is the consumer's name",
    ),
    idle("jms.connectionIDPrefix", Text, "it only names things"),
    idle("jms.rmIdFromConnectionId", Flag, "it only names things"),
    idle("jms.statsEnabled", Flag, "it only counts"),
    idle(
        "jms.warnAboutUnstartedConnectionTimeout",
        Millis(-1),
        "it only writes to the log",
    ),
    idle(
        "jms.auditDepth",
        INT,
        "the client's duplicate filter remembers everything",
    ),
    idle(
        "jms.auditMaximumProducerNumber",
        INT,
        "the client's duplicate filter remembers everything",
    ),
    idle(
        "jms.useDedicatedTaskRunner",
        Flag,
        "sessions have a thread of their own either way",
    ),
    idle(
        "jms.maxThreadPoolSize",
        INT,
        "sessions have a thread of their own",
    ),
    idle("jms.useRetroactiveConsumer", Flag, NO_RECOVERY),
    idle(
        "jms.connectResponseTimeout",
        Millis(-1),
        "the broker always answers",
    ),
    idle(
        "jms.consumerFailoverRedeliveryWaitPeriod",
        Millis(0),
        "the wait is not modelled",
    ),
];

/// `consumer.*`: setters of `ConsumerInfo`.
pub static CONSUMER: &[ActiveMqOption] = &[
    used("consumer.prefetchSize", PREFETCH),
    used("consumer.exclusive", Flag),
    used("consumer.priority", Whole(-128, 127)),
    used("consumer.maximumPendingMessageLimit", PREFETCH),
    idle(
        "consumer.dispatchAsync",
        Flag,
        "dispatches go through the connection's queue either way",
    ),
    idle("consumer.retroactive", Flag, NO_RECOVERY),
    idle(
        "consumer.noLocal",
        Flag,
        "producers have connections of their own",
    ),
    idle(
        "consumer.browser",
        Flag,
        "ActiveMQ sets it again from the method that was called",
    ),
    idle(
        "consumer.optimizedAcknowledge",
        Flag,
        "ActiveMQ sets it again from jms.optimizeAcknowledge",
    ),
    idle(
        "consumer.noRangeAcks",
        Flag,
        "only other protocols look at it",
    ),
    idle(
        "consumer.clientId",
        Text,
        "the client id is the consumer's name",
    ),
    idle("consumer.commandId", INT, "it only names things"),
    idle(
        "consumer.responseRequired",
        Flag,
        "the answer is asked for either way",
    ),
    refused(
        "consumer.selector",
        "messages have no properties to select by",
    ),
    refused("consumer.subscriptionName", "use `durable`"),
    refused(
        "consumer.networkSubscription",
        "networks of brokers are not modelled",
    ),
    refused(
        "consumer.currentPrefetchSize",
        "it would contradict prefetchSize",
    ),
    refused(
        "consumer.lastDeliveredSequenceId",
        "only the library knows it",
    ),
];

/// `producer.*`: setters of `ProducerInfo`.
pub static PRODUCER: &[ActiveMqOption] = &[
    used("producer.windowSize", INT),
    idle(
        "producer.dispatchAsync",
        Flag,
        "dispatches go through the connection's queue either way",
    ),
    idle("producer.commandId", INT, "it only names things"),
    idle(
        "producer.responseRequired",
        Flag,
        "the answer is asked for either way",
    ),
];

/// Options of the failover transport: setters of `FailoverTransport`.
pub static FAILOVER: &[ActiveMqOption] = &[
    used("initialReconnectDelay", Millis(0)),
    used("useExponentialBackOff", Flag),
    idle("maxReconnectDelay", Millis(0), "delays grow to 30 s"),
    idle(
        "reconnectDelay",
        Millis(0),
        "ActiveMQ starts again from initialReconnectDelay",
    ),
    idle("reconnectDelayExponent", Number, "delays double"),
    idle("maxReconnectAttempts", INT, "clients try for ever"),
    idle("startupMaxReconnectAttempts", INT, "clients try for ever"),
    idle(
        "warnAfterReconnectAttempts",
        INT,
        "it only writes to the log",
    ),
    idle("timeout", Millis(-1), "sends wait for ever"),
    idle("randomize", Flag, ONE_BROKER),
    idle("backup", Flag, ONE_BROKER),
    idle("backupPoolSize", INT, ONE_BROKER),
    idle("priorityBackup", Flag, ONE_BROKER),
    idle("priorityURIs", Text, ONE_BROKER),
    idle("updateURIsSupported", Flag, ONE_BROKER),
    idle("updateURIsURL", Text, ONE_BROKER),
    idle("rebalanceUpdateURIs", Flag, ONE_BROKER),
    idle("reconnectSupported", Flag, ONE_BROKER),
    idle(
        "trackMessages",
        Flag,
        "unanswered sends are repeated, others are not",
    ),
    idle(
        "trackTransactionProducers",
        Flag,
        "transactions are replayed as they were",
    ),
    idle("maxCacheSize", INT, "nothing is cached"),
    idle(
        "nestedExtraQueryOptions",
        Text,
        "the bytes on the wire are not modelled",
    ),
];

/// Options of the TCP transports and what wraps them; prefixes end in a dot.
pub static TCP: &[&str] = &[
    "wireFormat.",
    "socket.",
    "transport.",
    "nested.",
    "closeAsync",
    "connectionTimeout",
    "daemon",
    "diffServ",
    "dynamicManagement",
    "enabledCipherSuites",
    "enabledProtocols",
    "ignoreAllWireFormatInfo",
    "ignoreRemoteWireFormat",
    "ioBufferSize",
    "jmxPort",
    "keepAlive",
    "keepAliveResponseRequired",
    "logWriterName",
    "minmumWireFormatVersion",
    "needClientAuth",
    "socketBufferSize",
    "soLinger",
    "soTimeout",
    "soWriteTimeout",
    "startLogging",
    "tcpNoDelay",
    "threadName",
    "timeout",
    "trace",
    "typeOfService",
    "useInactivityMonitor",
    "useKeepAlive",
    "useLocalHost",
    "verifyHostName",
    "wantClientAuth",
    "wireFormat",
];

const NO_BODIES: &str = "message bodies have a size and no content";
const NO_SECURITY: &str = "there is no security";
const NO_RECOVERY: &str = "topics keep no messages for late subscribers";
const ONE_BROKER: &str = "there is one broker";

impl ActiveMqOption {
    /// What its name begins with: `jms.`
    pub fn prefix(&self) -> &'static str {
        self.name.find('.').map_or("", |dot| &self.name[..=dot])
    }

    /// Converts a value as ActiveMQ would, but refuses what it would silently misread.
    ///
    /// # Errors
    /// Continues "`name` …".
    pub fn convert(&self, text: &str) -> Result<OptionValue, Fault> {
        match self.kind {
            Flag if text.eq_ignore_ascii_case("true") => Ok(OptionValue::Flag(true)),
            Flag if text.eq_ignore_ascii_case("false") => Ok(OptionValue::Flag(false)),
            Flag => Err(Fault {
                message: format!("must be true or false, but is \"{text}\""),
                help: Some("ActiveMQ would silently take it for false".to_owned()),
            }),
            Whole(least, most) => {
                let value = whole(text)?;
                between(value.into(), least.into(), most.into())?;
                Ok(OptionValue::Whole(value))
            }
            Millis(least) => {
                let value = millis(text)?;
                between(value.into(), least.into(), limits::MILLISECONDS.into())?;
                Ok(OptionValue::Whole(value))
            }
            Number => match text.parse::<f64>() {
                Ok(value) if value.is_finite() && value >= 0.0 => Ok(OptionValue::Number(value)),
                _ => Err(Fault::new(format!(
                    "must be a number of at least 0, but is \"{text}\""
                ))),
            },
            Text => Ok(OptionValue::Text),
        }
    }
}

fn whole(text: &str) -> Result<i64, Fault> {
    text.parse().map_err(|_| Fault {
        message: format!("must be a whole number, but is \"{text}\""),
        help: Some("ActiveMQ would refuse it".to_owned()),
    })
}

fn millis(text: &str) -> Result<i64, Fault> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let Span(nanos) = parse_duration(text).map_err(|fault| Fault {
        message: format!("is neither a number of milliseconds nor a duration: \"{text}\""),
        ..fault
    })?;
    match nanos % 1_000_000 {
        0 => Ok((nanos / 1_000_000) as i64),
        _ => Err(Fault::new(
            "must be whole milliseconds: ActiveMQ has nothing finer",
        )),
    }
}

/// The order in which a `java.util.HashMap` gives keys that were put into it one after the other.
///
/// ActiveMQ applies options in this order, so it decides which of `jms.prefetchPolicy.all` and
/// `jms.prefetchPolicy.queuePrefetch` wins (mostly `all`, wherever it stands).
pub fn hash_map_order(keys: &[Cow<str>], initial_capacity: usize) -> Vec<usize> {
    let mut buckets = initial_capacity.max(1).next_power_of_two();
    // Grows when the entry that was just put exceeds three quarters of the buckets.
    while keys.len() > buckets * 3 / 4 {
        buckets *= 2;
    }
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|number| spread_hash(&keys[*number]) as usize & (buckets - 1));
    order
}

/// `String.hashCode`, spread as `HashMap.hash` does.
fn spread_hash(key: &str) -> u32 {
    let step = |hash: u32, unit: u16| hash.wrapping_mul(31).wrapping_add(unit.into());
    let hash = key.encode_utf16().fold(0, step);
    hash ^ (hash >> 16)
}

/// ActiveMQ's defaults (`org.apache.activemq.RedeliveryPolicy`).
impl Default for RedeliveryPolicy {
    fn default() -> RedeliveryPolicy {
        RedeliveryPolicy {
            maximum_redeliveries: Some(6),
            initial_redelivery_delay: 1000,
            redelivery_delay: 1000,
            use_exponential_back_off: false,
            back_off_multiplier: 5.0,
            maximum_redelivery_delay: -1,
            use_collision_avoidance: false,
            collision_avoidance_percent: 15,
            pre_dispatch_check: true,
        }
    }
}
