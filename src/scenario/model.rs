//! A scenario as it is meant: every default filled in, every name resolved to an index, every option of ActiveMQ
//! decided by the precedence of client URL, destination URI, broker URL and default.
//!
//! Indices (`usize`) point into the vectors of [`Scenario`]; they are the ids of the run as well
//! ([`crate::wire`]): consumer 3 of the scenario is consumer 3 on the wire and in the facts.

use serde::Serialize;

use crate::kernel::{Distribution, Span, Time};

/// One scenario, resolved and valid: it can be run as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Names the output folder.
    pub name: String,
    /// Shown in reports.
    pub description: String,
    /// The one seed from which every random stream is derived.
    pub seed: u64,
    /// Virtual time at which the run is cut off.
    pub until: Option<Time>,
    /// Metrics leave out what happens before.
    pub warm_up: Time,
    /// Whose rules apply.
    pub semantics: Semantics,
    /// Latency and bandwidth.
    pub network: Network,
    /// What the broker costs and does by itself.
    pub broker: Broker,
    /// Every queue and topic that is named, and the dead-letter queues that follow from them.
    pub destinations: Vec<Destination>,
    /// Connections of consumers. Producers have one each, numbered behind these: see [`Scenario::connection_of_producer`].
    pub connections: Vec<Connection>,
    /// Sessions of consumers, in the order in which they first appear.
    pub sessions: Vec<Session>,
    /// Producers in the order of the file.
    pub producers: Vec<Producer>,
    /// Consumers in the order of the file, `count` expanded.
    pub consumers: Vec<Consumer>,
    /// Assertions about the metrics of a run.
    pub expect: Vec<Expectation>,
    /// Assertions about what is the case while the run goes on.
    pub watches: Vec<Watch>,
}

impl Scenario {
    /// The number of a producer's own connection: they come behind the consumers'.
    pub fn connection_of_producer(&self, producer: usize) -> usize {
        self.connections.len() + producer
    }

    /// Whether a connection of consumers reconnects by itself: a `failover:` URL, or anything that needs one (a broker
    /// that restarts, a network that breaks), as the recorder does it.
    pub fn uses_failover(&self, connection: usize) -> bool {
        let disconnects = |consumer: &Consumer| {
            consumer.connection == connection && !consumer.failures.disconnects.is_empty()
        };
        self.connections[connection].options.failover
            || !self.broker.restarts.is_empty()
            || self.consumers.iter().any(disconnects)
    }

    /// The same of all connections of consumers.
    pub fn failover_connections(&self) -> Vec<bool> {
        let restarts = !self.broker.restarts.is_empty();
        let connections = self.connections.iter();
        let mut failover: Vec<bool> = connections
            .map(|connection| restarts || connection.options.failover)
            .collect();
        for consumer in &self.consumers {
            failover[consumer.connection] |= !consumer.failures.disconnects.is_empty();
        }
        failover
    }

    /// How many connections there are, those of producers included.
    pub fn connection_count(&self) -> usize {
        self.connections.len() + self.producers.len()
    }
}

/// Whose rules apply (`semantics`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Semantics {
    /// The real 5.17.2, held against recordings.
    #[serde(rename = "activemq-5.17")]
    ActiveMq5_17,
    /// Chapter 11 of the format: derived from source, not recorded.
    #[serde(rename = "activemq-6")]
    ActiveMq6,
    /// Chapter 10 of the format: the rules of the article, to the letter.
    #[serde(rename = "article")]
    Article,
}

/// `network`
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// One way between any client and the broker.
    pub latency: Distribution,
    /// Of each direction of each connection; counts message bodies. None: unlimited.
    pub bytes_per_second: Option<u64>,
}

/// `broker`
#[derive(Clone, Debug, PartialEq)]
pub struct Broker {
    /// To make a persistent message or a transacted ack safe.
    pub store_latency: Distribution,
    /// On each dispatch of a message.
    pub dispatch_cost: Distribution,
    /// On each ack command.
    pub acknowledge_cost: Distribution,
    /// ActiveMQ's broker-side redelivery.
    pub redelivery_plugin: Option<RedeliveryPlugin>,
    /// In order of time.
    pub restarts: Vec<Restart>,
}

/// The broker stops and comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    /// When it stops.
    pub at: Time,
    /// How long it is away.
    pub down_for: Span,
}

/// `redeliveryPlugin`
#[derive(Clone, Debug, PartialEq)]
pub struct RedeliveryPlugin {
    /// Delays and limit of the broker's own redeliveries.
    pub policy: RedeliveryPolicy,
    /// Whether a message beyond the limit goes to the dead-letter queue; else it is dropped.
    pub send_to_dlq_if_max_retries_exceeded: bool,
    /// Whether a destination without a policy dead-letters; kept for completeness.
    pub fallback_to_dead_letter: bool,
}

/// Queue or topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DestinationKind {
    /// Each message to one consumer.
    Queue,
    /// Each message to every subscription.
    Topic,
}

/// A destination with the policy that applies to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    /// Queue or topic.
    pub kind: DestinationKind,
    /// Physical name, without `queue://`.
    pub name: String,
    /// The most specific policy entry, or the defaults.
    pub policy: Policy,
}

impl Destination {
    /// As it is written: `queue://orders`.
    pub fn uri(&self) -> String {
        let scheme = match self.kind {
            DestinationKind::Queue => "queue",
            DestinationKind::Topic => "topic",
        };
        format!("{scheme}://{}", self.name)
    }
}

/// `policyEntry`, names and defaults as in ActiveMQ.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Whether the scenario has an entry that matches. Without one no prefetch is replaced and topic
    /// subscriptions do not audit for duplicates.
    pub has_entry: bool,
    /// Default false.
    pub strict_order_dispatch: bool,
    /// Default true.
    pub use_prefetch_extension: bool,
    /// Replaces a client's 1000. Default 1000 in an entry.
    pub queue_prefetch: u32,
    /// Replaces a client's 32767. Default 32767 in an entry.
    pub topic_prefetch: u32,
    /// Replaces a client's 100 or 1000 of a durable subscription. Default 100 in an entry.
    pub durable_topic_prefetch: u32,
    /// Bytes; None: no limit of its own.
    pub memory_limit: Option<u64>,
    /// Default true.
    pub producer_flow_control: bool,
    /// Default false.
    pub all_consumers_exclusive_by_default: bool,
    /// Default 0.
    pub consumers_before_dispatch_starts: u32,
    /// Default 0.
    pub time_before_dispatch_starts: Span,
    /// Default true.
    pub use_consumer_priority: bool,
    /// Default 200.
    pub max_page_size: u32,
    /// Default 30 s; zero switches the check off.
    pub expire_messages_period: Span,
    /// Default false.
    pub prioritized_messages: bool,
    /// Default false: a full memory parks the sender instead of failing it.
    pub send_fail_if_no_space: bool,
    /// Default false: dispatch only what consumers have room for.
    pub lazy_dispatch: bool,
    /// Default false.
    pub persist_jms_redelivered: bool,
    /// Topics only. None: unlimited.
    pub pending_message_limit_strategy: Option<PendingMessageLimit>,
    /// Which message of a full topic subscription goes.
    pub message_eviction_strategy: MessageEviction,
    /// None: slow consumers are left alone.
    pub slow_consumer_strategy: Option<SlowConsumerStrategy>,
    /// What becomes of poisoned and expired messages.
    pub dead_letter_strategy: DeadLetterStrategy,
}

/// `pendingMessageLimitStrategy`
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PendingMessageLimit {
    /// A fixed number; below 0 unlimited.
    Constant(i64),
    /// This multiple of the subscription's prefetch, truncated.
    PrefetchRate(f64),
}

/// `messageEvictionStrategy`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageEviction {
    /// The oldest pending one.
    Oldest,
    /// The oldest of those with the lowest priority.
    OldestWithLowestPriority,
}

/// `slowConsumerStrategy`. Durations of ActiveMQ, which writes -1 for "none", are `None` here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowConsumerStrategy {
    /// AbortSlowConsumerStrategy or AbortSlowAckConsumerStrategy.
    pub kind: SlowConsumerKind,
    /// Default none (-1); counts above 0 abort.
    pub max_slow_count: Option<u32>,
    /// Default 30 s.
    pub max_slow_duration: Option<Span>,
    /// Default 30 s.
    pub check_period: Span,
    /// Default false: only the consumer is closed, not its connection.
    pub abort_connection: bool,
}

/// Which of the two strategies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlowConsumerKind {
    /// Acts on consumers that the broker marked slow.
    AbortSlowConsumer,
    /// Acts on consumers that have not acknowledged for too long.
    AbortSlowAckConsumer {
        /// Default 30 s; None (-1) disables the strategy.
        max_time_since_last_ack: Option<Span>,
        /// Default true: consumers with nothing in flight are spared.
        ignore_idle_consumers: bool,
    },
}

/// `deadLetterStrategy`
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetterStrategy {
    /// Where to: an index into `destinations`; None: discarding.
    pub queue: Option<usize>,
    /// Strategy objects are shared by what shares a policy entry; their duplicate audit is per object.
    /// Destinations with the same number share one.
    pub audit: usize,
    /// Default true.
    pub process_expired: bool,
    /// Default false.
    pub process_non_persistent: bool,
    /// Default true: an id that was dead-lettered before is not taken again.
    pub enable_audit: bool,
    /// Time to live of what is dead-lettered; None: for ever.
    pub expiration: Option<Span>,
}

/// A connection of consumers: the process that a crash takes down.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// As given, or the name of its one consumer.
    pub name: String,
    /// Options of the client library, by the URLs.
    pub options: ClientOptions,
}

/// A session of consumers.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// As given, or the name of its one consumer.
    pub name: String,
    /// Index into `connections`.
    pub connection: usize,
    /// One mode for all its consumers.
    pub mode: AcknowledgeMode,
    /// When the application calls acknowledge(): CLIENT and INDIVIDUAL only.
    pub acknowledge: Acknowledge,
    /// What the application does with its transactions: SESSION_TRANSACTED only.
    pub transaction: ConsumerTransaction,
}

/// `acknowledgeMode`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcknowledgeMode {
    /// 0
    SessionTransacted,
    /// 1
    Auto,
    /// 2
    Client,
    /// 3
    DupsOk,
    /// 4
    Individual,
}

/// `acknowledge`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    /// Never called.
    Never,
    /// On every k-th processed delivery, `Message.acknowledge()`; counted per session.
    EverySession(u32),
    /// On every k-th processed delivery, the consumer-level call; counted per consumer.
    EveryConsumer(u32),
}

/// `transaction` of a consumer
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerTransaction {
    /// Processed deliveries of the session to a transaction.
    pub size: u32,
    /// Numbers (from 1, ascending) of transactions that are rolled back instead.
    pub roll_back: Vec<u64>,
    /// Chance from 0 to 1 that any other is rolled back.
    pub roll_back_probability: f64,
    /// Commits what is open after so long without a delivery.
    pub commit_when_idle: Option<Span>,
}

/// Options of a connection (`jms.*` and the transport's), all resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientOptions {
    /// `failover:`: reconnects, and filters duplicates.
    pub failover: bool,
    /// `initialReconnectDelay` of the failover transport. Default 10 ms.
    pub initial_reconnect_delay: Span,
    /// Default true.
    pub use_exponential_back_off: bool,
    /// `jms.optimizeAcknowledge`. Default false.
    pub optimize_acknowledge: bool,
    /// `jms.optimizeAcknowledgeTimeOut`. Default 300 ms; None: off.
    pub optimize_acknowledge_time_out: Option<Span>,
    /// `jms.optimizedAckScheduledAckInterval`. Default off.
    pub optimized_ack_scheduled_ack_interval: Option<Span>,
    /// `jms.sendAcksAsync`. Default true.
    pub send_acks_async: bool,
    /// `jms.useAsyncSend`. Default false.
    pub use_async_send: bool,
    /// `jms.alwaysSyncSend`. Default false.
    pub always_sync_send: bool,
    /// `jms.sendTimeout`; above 0 makes every send sync. Default none.
    pub send_timeout: Option<Span>,
    /// `jms.producerWindowSize` in bytes; 0: off.
    pub producer_window_size: u64,
    /// `jms.dispatchAsync`. Default true.
    pub dispatch_async: bool,
    /// `jms.alwaysSessionAsync`. Default true.
    pub always_session_async: bool,
    /// `jms.nonBlockingRedelivery`. Default false.
    pub non_blocking_redelivery: bool,
    /// `jms.transactedIndividualAck`, or forced by the above or by messagePrioritySupported. Default false.
    pub transacted_individual_ack: bool,
    /// `jms.messagePrioritySupported`. Default false: client buffers are FIFO.
    pub message_priority_supported: bool,
    /// `jms.consumerExpiryCheckEnabled`. Default true.
    pub consumer_expiry_check_enabled: bool,
    /// `jms.checkForDuplicates`. Default true; works on a failover transport only.
    pub check_for_duplicates: bool,
    /// `jms.exclusiveConsumer`. Default false.
    pub exclusive_consumer: bool,
    /// `jms.watchTopicAdvisories`. Default true: one more round trip on the first use of a connection.
    pub watch_topic_advisories: bool,
    /// `jms.closeTimeout`. Default 15 s.
    pub close_timeout: Span,
    /// `jms.redeliveryPolicy.*`
    pub redelivery_policy: RedeliveryPolicy,
}

/// `redeliveryPolicy`
#[derive(Clone, Debug, PartialEq)]
pub struct RedeliveryPolicy {
    /// Default 6; None (-1): unlimited.
    pub maximum_redeliveries: Option<u32>,
    /// Default 1000. Milliseconds, as all of ActiveMQ's delays.
    pub initial_redelivery_delay: i64,
    /// Default 1000 ms.
    pub redelivery_delay: i64,
    /// Default false.
    pub use_exponential_back_off: bool,
    /// Default 5.
    pub back_off_multiplier: f64,
    /// Milliseconds; default -1: no cap.
    pub maximum_redelivery_delay: i64,
    /// Default false.
    pub use_collision_avoidance: bool,
    /// Default 15.
    pub collision_avoidance_percent: u16,
    /// Default true.
    pub pre_dispatch_check: bool,
}

/// One consumer: an application that uses the client library.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumer {
    /// Unique.
    pub name: String,
    /// Index into `sessions`.
    pub session: usize,
    /// Index into `connections`.
    pub connection: usize,
    /// Index into `destinations`.
    pub destination: usize,
    /// A durable subscription's name. The client id is the consumer's own name.
    pub durable: Option<String>,
    /// The client's prefetch P, sent to the broker.
    pub prefetch_size: u32,
    /// Whether P is what the library has by default for this kind, so that a broker policy may replace it.
    /// (An explicit value equal to the default counts: the broker can't tell.)
    pub prefetch_is_default: bool,
    /// `consumer.exclusive`
    pub exclusive: bool,
    /// `consumer.priority`, higher first.
    pub priority: i8,
    /// `consumer.maximumPendingMessageLimit`; 0: none.
    pub maximum_pending_message_limit: u32,
    /// Listener or one of the receive styles.
    pub receive: Receive,
    /// When it connects and subscribes.
    pub start: Time,
    /// When it closes cleanly.
    pub stop: Option<Time>,
    /// How many deliveries it takes before it closes cleanly.
    pub messages: Option<u64>,
    /// How long the application works on each delivery.
    pub processing: Distribution,
    /// What the application does when its processing fails.
    pub on_failure: OnFailure,
    /// An idempotent application remembers so many message ids.
    pub deduplicate: Option<usize>,
    /// How it fails.
    pub failures: Failures,
}

/// `receive`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receive {
    /// The library calls onMessage.
    Listener,
    /// receive() in a loop.
    Blocking,
    /// receive(timeout) in a loop.
    Timeout(Span),
    /// receiveNoWait() in a loop, with this pause after an empty one.
    NoWait {
        /// `pollInterval`
        poll_interval: Span,
    },
}

/// `onFailure`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The exception leaves the listener.
    Throw,
    /// session.rollback()
    Rollback,
    /// session.recover()
    Recover,
    /// Goes on as if nothing had happened.
    Swallow,
}

/// `failures` of a consumer, by kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failures {
    /// In the order of the file: the first that names a message decides.
    pub throws: Vec<Throw>,
    /// The client process dies.
    pub crashes: Vec<Crash>,
    /// The application closes cleanly.
    pub closes: Vec<Close>,
    /// A delivery takes longer.
    pub hangs: Vec<Hang>,
    /// The network breaks while the process lives on.
    pub disconnects: Vec<Disconnect>,
}

/// Processing fails.
#[derive(Clone, Debug, PartialEq)]
pub enum Throw {
    /// Of these messages.
    Messages {
        /// Number, and the producer that it is meant of (None: of any).
        messages: Vec<(Option<usize>, u64)>,
        /// On the first so many deliveries to this consumer; None: always.
        times: Option<u64>,
    },
    /// With this chance, from 0 to 1.
    Probability(f64),
}

/// The client process dies.
#[derive(Clone, Debug, PartialEq)]
pub struct Crash {
    /// When.
    pub trigger: CrashTrigger,
    /// Connects anew after this; None: stays away.
    pub restart_after: Option<Distribution>,
    /// When the broker notices; None: one network latency later.
    pub detected_after: Option<Span>,
}

/// When a crash happens.
#[derive(Clone, Debug, PartialEq)]
pub enum CrashTrigger {
    /// At the end of processing the n-th delivery of a life; in the first life only if `once`.
    AfterDeliveries {
        /// From 1.
        n: u64,
        /// Only in the first life.
        once: bool,
    },
    /// At a fixed time.
    At(Time),
    /// A renewal process, counted from each start of a life.
    Every(Distribution),
}

/// The application closes consumer, session and connection cleanly.
#[derive(Clone, Debug, PartialEq)]
pub struct Close {
    /// After processing (and the ack step of) the n-th delivery of a life.
    pub after_deliveries: u64,
    /// Only in the first life.
    pub once: bool,
    /// Opens anew after this; None: stays away.
    pub restart_after: Option<Distribution>,
}

/// The n-th delivery of a life takes longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hang {
    /// From 1.
    pub after_deliveries: u64,
    /// Only in the first life.
    pub once: bool,
    /// By how much; None: for ever.
    pub length: Option<Span>,
}

/// The network breaks while the process lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// When.
    pub at: Time,
    /// For how long no connection can be made.
    pub length: Span,
}

/// One producer with its own connection and session.
#[derive(Clone, Debug, PartialEq)]
pub struct Producer {
    /// Unique among producers.
    pub name: String,
    /// Index into `destinations`.
    pub destination: usize,
    /// Options of the client library.
    pub options: ClientOptions,
    /// When the first message may be sent.
    pub start: Time,
    /// How many; None: endless.
    pub messages: Option<u64>,
    /// When the application wants to send.
    pub arrivals: Arrivals,
    /// PERSISTENT or NON_PERSISTENT.
    pub persistent: bool,
    /// Body size in bytes.
    pub size: u32,
    /// Whole milliseconds; None: no expiry.
    pub time_to_live: Option<u64>,
    /// 0 to 9.
    pub priority: u8,
    /// Message k carries group (k-1) mod n + 1.
    pub groups: Option<u32>,
    /// Sends in transactions.
    pub transaction: Option<ProducerTransaction>,
    /// Which answers get lost.
    pub lose_reply: Option<LoseReply>,
    /// What happens then.
    pub on_send_failure: OnSendFailure,
    /// Default 10 ms.
    pub reconnect_delay: Span,
}

/// `arrivals`
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// The next as soon as the previous send returns.
    AtOnce,
    /// A renewal process, the first after one interval. `poisson` is one with exponential intervals.
    Every(Distribution),
    /// So many at once, the first burst at `start`.
    Bursts {
        /// Messages to a burst.
        size: u64,
        /// From burst to burst.
        every: Span,
    },
    /// At these times from 0, ascending.
    At(Vec<Time>),
}

/// `transaction` of a producer
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerTransaction {
    /// Messages to a transaction.
    pub size: u32,
    /// Numbers (from 1, ascending) of those that are rolled back.
    pub roll_back: Vec<u64>,
}

/// `loseReply`
#[derive(Clone, Debug, PartialEq)]
pub enum LoseReply {
    /// For the sends of these messages (the first attempt).
    Messages(Vec<u64>),
    /// With this chance, from 0 to 1.
    Probability(f64),
}

/// `onSendFailure`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSendFailure {
    /// The same message id again after `reconnectDelay`.
    Resend,
    /// A copy under a new id.
    SendAsNew,
    /// Nothing.
    GiveUp,
}

/// One line of `expect`: a path into the metrics and what must hold there.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// `consumers.worker.processed`
    pub path: String,
    /// What must hold.
    pub check: Check,
    /// Line of the scenario file, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// What must hold for a value of the metrics.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// Equality with a number, string, boolean or list.
    Equals(serde_json::Value),
    /// Within these bounds, both inclusive.
    Between {
        /// At least.
        min: Option<f64>,
        /// At most.
        max: Option<f64>,
    },
    /// Relative distance at most `within`.
    Approximately {
        /// The value aimed at.
        value: f64,
        /// Relative tolerance.
        within: f64,
    },
}

/// One line of `always`, `sometimes` or `eventually` in `expect`: gauges, and what must hold for
/// them at which instants.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// `consumers.*.held`
    pub path: String,
    /// At which instants.
    pub kind: WatchKind,
    /// What the path stands for; more than one only with `*`.
    pub gauges: Vec<Gauge>,
    /// What must hold: equality with a number, or bounds.
    pub check: Check,
    /// Line of the scenario file, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// At which instants something must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchKind {
    /// At all, for all gauges.
    Always,
    /// At one at least, for one gauge at least.
    Sometimes,
    /// At one at least, for all gauges.
    Eventually {
        /// From here on, inclusive.
        after: Time,
        /// For so long, inclusive. None: to the end.
        within: Option<Span>,
    },
    /// At this one, for all gauges, after everything that happens at it.
    At(Time),
}

/// A number that can be read at any instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gauge {
    /// Of a consumer, by its number.
    Consumer(usize, ConsumerGauge),
    /// Of a destination, by its number.
    Destination(usize, DestinationGauge),
    /// Counted up since the warm-up.
    Total(TotalGauge),
}

/// Messages of a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerGauge {
    /// At the client, and not yet taken off at the broker.
    Held,
    /// In the prefetch buffer.
    Buffered,
    /// Dispatched to it, and neither taken off nor returned.
    InFlight,
    /// Handed to the application since the warm-up, redeliveries included.
    Delivered,
}

/// Messages (on a topic: copies) of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DestinationGauge {
    /// Waiting or in flight.
    Depth,
    /// Dispatched, and neither taken off nor returned.
    InFlight,
    /// At the broker, and not dispatched.
    Waiting,
}

/// Messages of the whole run, as in `messages` of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotalGauge {
    /// Calls of send.
    Sent,
    /// Taken off because a consumer acknowledged it.
    Acknowledged,
    /// Sent to a dead-letter queue.
    DeadLettered,
    /// Hand-overs with JMSRedelivered.
    Redeliveries,
    /// Expired.
    Expired,
    /// Thrown away.
    Discarded,
}
