//! Chapter `consumers`: one entry of the file, which `count` may multiply later.

use super::client::{Layers, PrefetchPolicy, Surroundings};
use super::failures;
use super::json::{Node, Place};
use super::limits;
use super::model::{
    Acknowledge, AcknowledgeMode, ClientOptions, Consumer, ConsumerTransaction, CrashTrigger,
    DestinationKind, OnFailure, Receive, Semantics,
};
use super::options::Setting;
use super::producer::{ROLL_BACK, numbers};
use super::report::Report;
use super::shape::{Field, Kind, opening};
use super::url::{DestinationUri, Side, destination};
use super::values::{RANDOM, random};
use crate::kernel::{Distribution, Span, Time};

const MODES: &[&str] = &[
    "AUTO_ACKNOWLEDGE",
    "CLIENT_ACKNOWLEDGE",
    "DUPS_OK_ACKNOWLEDGE",
    "SESSION_TRANSACTED",
    "INDIVIDUAL_ACKNOWLEDGE",
];

/// Keys of a consumer.
pub static FIELDS: &[Field] = &[
    Field::new(
        "name",
        Kind::Name,
        "Unique among consumers. Left out: consumer-1, consumer-2, …",
    ),
    Field::new(
        "count",
        Kind::Whole {
            least: 1,
            most: limits::CLIENTS,
        },
        "How many alike, each with a connection of its own; above 1 they are NAME-1, NAME-2, …",
    )
    .default("1"),
    Field::new(
        "connection",
        Kind::Name,
        "Consumers that name the same one share it.",
    ),
    Field::new(
        "session",
        Kind::Name,
        "Consumers that name the same one share it.",
    ),
    Field::new(
        "url",
        Kind::Url,
        "Connection URL with jms.* options, laid over the broker's.",
    ),
    Field::new(
        "destination",
        Kind::Destination,
        "queue://NAME?consumer.prefetchSize=10",
    )
    .required(),
    Field::new(
        "prefetchSize",
        Kind::Whole {
            least: 0,
            most: limits::COUNT,
        },
        "Short for consumer.prefetchSize in the destination.",
    ),
    Field::new(
        "durable",
        Kind::Name,
        "A durable subscription's name; topics only.",
    ),
    Field::new("acknowledgeMode", Kind::Choice(MODES), "Of the session.")
        .default("\"AUTO_ACKNOWLEDGE\""),
    Field::new(
        "receive",
        Kind::Either(&[
            Kind::Choice(&["listener", "receive", "receiveNoWait"]),
            Kind::OneOf(RECEIVE),
        ]),
        "How the application gets its messages.",
    )
    .default("\"listener\""),
    Field::new(
        "pollInterval",
        Kind::PositiveDuration,
        "Pause after an empty receiveNoWait.",
    )
    .default("\"10ms\""),
    Field::new("start", Kind::Duration, "When it connects and subscribes.").default("\"0s\""),
    Field::new("stop", Kind::Duration, "When it closes cleanly."),
    Field::new(
        "messages",
        Kind::Whole {
            least: 1,
            most: limits::MESSAGES,
        },
        "How many deliveries it takes before it closes cleanly. Left out: endless.",
    ),
    Field::new(
        "processing",
        RANDOM,
        "How long the application works on each delivery.",
    )
    .default("\"0ms\""),
    Field::new(
        "acknowledge",
        Kind::Object(ACKNOWLEDGE),
        "When the application calls acknowledge(): CLIENT and INDIVIDUAL only.",
    )
    .default("{\"every\": 1}"),
    Field::new(
        "transaction",
        Kind::Object(TRANSACTION),
        "SESSION_TRANSACTED only.",
    )
    .default("{\"size\": 1}"),
    Field::new(
        "onFailure",
        Kind::Choice(&["throw", "rollback", "recover", "swallow"]),
        "What the application does when its processing fails. Left out: by mode.",
    ),
    Field::new(
        "deduplicate",
        Kind::Object(DEDUPLICATE),
        "An idempotent application skips repeats.",
    ),
    Field::new(
        "failures",
        Kind::List {
            of: &Kind::OneOf(failures::FIELDS),
            least: 0,
            most: 1000,
        },
        "What goes wrong.",
    )
    .default("[]"),
];

static RECEIVE: &[Field] = &[Field::new(
    "receive",
    Kind::Object(RECEIVE_TIMEOUT),
    "receive(timeout) in a loop.",
)];

static RECEIVE_TIMEOUT: &[Field] =
    &[Field::new("timeout", Kind::PositiveDuration, "At least 1 ms.").required()];

static ACKNOWLEDGE: &[Field] = &[
    Field::new(
        "every",
        Kind::Whole {
            least: 1,
            most: limits::COUNT,
        },
        "After so many deliveries.",
    )
    .default("1"),
    Field::new(
        "scope",
        Kind::Choice(&["session", "consumer"]),
        "Message.acknowledge(), or ActiveMQ's consumer-level call.",
    )
    .default("\"session\""),
    Field::new("never", Kind::Flag, "The application forgets to.").default("false"),
];

static TRANSACTION: &[Field] = &[
    Field::new(
        "size",
        Kind::Whole {
            least: 1,
            most: limits::COUNT,
        },
        "Commit after so many processed deliveries of the session.",
    )
    .default("1"),
    Field::new(
        "rollBack",
        ROLL_BACK,
        "Numbers, from 1, of those that are rolled back instead.",
    )
    .default("[]"),
    Field::new(
        "rollBackProbability",
        Kind::Chance,
        "Rolls back with this chance.",
    )
    .default("0"),
    Field::new(
        "commitWhenIdle",
        Kind::PositiveDuration,
        "Commits what is open after so long without a delivery.",
    ),
];

static DEDUPLICATE: &[Field] = &[Field::new(
    "window",
    Kind::Whole {
        least: 1,
        most: limits::WINDOW,
    },
    "How many message ids it remembers.",
)
.required()];

/// One consumer of the file, before `count` multiplies it and names become numbers.
pub struct Entry<'a> {
    /// What it is called where `count` is 1.
    pub name: String,
    /// How many alike.
    pub count: u64,
    /// As given.
    pub connection: Option<&'a str>,
    /// As given.
    pub session: Option<&'a str>,
    /// Of its connection.
    pub options: ClientOptions,
    /// Of its connection.
    pub prefetch_policy: PrefetchPolicy,
    /// Of its session.
    pub mode: AcknowledgeMode,
    /// Of its session.
    pub acknowledge: Acknowledge,
    /// Of its session.
    pub transaction: ConsumerTransaction,
    /// All that is its own; name, session, connection and destination are not filled in.
    pub consumer: Consumer,
    /// Queue or topic.
    pub kind: DestinationKind,
    /// Its name.
    pub destination: String,
    /// Whether its URL would not let it reconnect.
    pub plain_transport: bool,
    /// What it was read from.
    pub node: &'a Node,
}

impl Entry<'_> {
    /// Where a key stands; the entry's beginning if it is left out.
    pub fn place_of(&self, key: &str) -> Place {
        self.node
            .get(key)
            .map_or(opening(self.node), |value| value.place)
    }
}

/// The name of a consumer of the file; `before` counts those before it, `count` expanded.
pub fn name_of(node: &Node, before: u64) -> String {
    node.text("name")
        .map_or_else(|| format!("consumer-{}", before + 1), str::to_owned)
}

/// Reads one consumer.
pub fn read<'a>(
    node: &'a Node,
    name: String,
    around: &Surroundings,
    semantics: Semantics,
    producers: &[String],
    report: &mut Report,
) -> Option<Entry<'a>> {
    let own = around.own_url(node, report);
    let layers = around.layers(&own);
    let uri = destination(node.get("destination")?, Side::Consumer, report)?;
    let mode = acknowledge_mode(node);
    let options = layers.client_options(own.failover || around.restarts);
    let prefetch_policy = layers.prefetch_policy();
    let subscribed = Subscribed {
        node,
        uri: &uri,
        mode,
        options: &options,
        policy: &prefetch_policy,
    };
    let consumer = read_consumer(&subscribed, around.varied, producers, report);
    let entry = Entry {
        name,
        count: node.whole("count").unwrap_or(1),
        connection: node.text("connection"),
        session: node.text("session"),
        options,
        prefetch_policy,
        mode,
        acknowledge: read_acknowledge(node, mode, report),
        transaction: read_transaction(node, mode, report),
        consumer,
        kind: uri.kind,
        destination: uri.name,
        plain_transport: !own.failover,
        node,
    };
    check(&entry, report);
    warn(&entry, &layers, semantics, report);
    Some(entry)
}

fn acknowledge_mode(node: &Node) -> AcknowledgeMode {
    match node.text("acknowledgeMode") {
        Some("CLIENT_ACKNOWLEDGE") => AcknowledgeMode::Client,
        Some("DUPS_OK_ACKNOWLEDGE") => AcknowledgeMode::DupsOk,
        Some("SESSION_TRANSACTED") => AcknowledgeMode::SessionTransacted,
        Some("INDIVIDUAL_ACKNOWLEDGE") => AcknowledgeMode::Individual,
        _ => AcknowledgeMode::Auto,
    }
}

/// What decides about a subscription.
struct Subscribed<'a> {
    node: &'a Node,
    uri: &'a DestinationUri,
    mode: AcknowledgeMode,
    options: &'a ClientOptions,
    policy: &'a PrefetchPolicy,
}

fn read_consumer(
    subscribed: &Subscribed,
    varied: &[Setting],
    producers: &[String],
    report: &mut Report,
) -> Consumer {
    let Subscribed {
        node,
        uri,
        mode,
        options,
        policy,
    } = *subscribed;
    let layers = Layers {
        varied,
        own: &uri.settings,
        broker: &[],
    };
    let kind = subscription_kind(node, uri.kind);
    let prefetch_size = prefetch_size(subscribed, kind, &layers, report);
    let receive = read_receive(node, report);
    let limit = "consumer.maximumPendingMessageLimit";
    Consumer {
        name: String::new(),
        session: 0,
        connection: 0,
        destination: 0,
        durable: node.text("durable").map(str::to_owned),
        prefetch_size,
        prefetch_is_default: match kind {
            SubscriptionKind::Queue => prefetch_size == 1000,
            SubscriptionKind::Topic => prefetch_size == 32767,
            SubscriptionKind::Durable => matches!(prefetch_size, 100 | 1000),
        },
        exclusive: layers.flag("consumer.exclusive", options.exclusive_consumer),
        priority: layers.whole("consumer.priority", 0),
        maximum_pending_message_limit: layers.whole(limit, policy.maximum_pending_message_limit),
        receive,
        start: node.time("start").unwrap_or(Time::ZERO),
        stop: node.time("stop"),
        messages: node.whole("messages"),
        processing: random(node, "processing", Distribution::ZERO, report),
        on_failure: read_on_failure(node, mode, receive, report),
        deduplicate: node.child("deduplicate").whole("window"),
        failures: failures::read(node.list("failures"), producers, report),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SubscriptionKind {
    Queue,
    Topic,
    Durable,
}

fn subscription_kind(node: &Node, kind: DestinationKind) -> SubscriptionKind {
    match kind {
        DestinationKind::Queue => SubscriptionKind::Queue,
        DestinationKind::Topic if node.get("durable").is_some() => SubscriptionKind::Durable,
        DestinationKind::Topic => SubscriptionKind::Topic,
    }
}

/// The destination's option (or its shorthand) over the connection's policy
/// (`ActiveMQSession.createConsumer`, `createDurableSubscriber`).
fn prefetch_size(
    subscribed: &Subscribed,
    kind: SubscriptionKind,
    layers: &Layers,
    report: &mut Report,
) -> u32 {
    let Subscribed {
        node, mode, policy, ..
    } = *subscribed;
    let option = "consumer.prefetchSize";
    let shorthand = node.get("prefetchSize").and_then(Node::as_whole);
    if let (Some(value), Some(uri)) = (node.get("prefetchSize"), layers.own_setting(option)) {
        let (line, column) = report.position(uri);
        let help = format!("the other one is in the destination, line {line}, column {column}");
        report.error_with(value.place, "the prefetch size is given twice", [help]);
    }
    rule!(
        "prefetch-of-the-destination",
        layers.own_setting(option).is_some()
    );
    rule!("default-prefetch-by-kind");
    let by_policy = match kind {
        SubscriptionKind::Queue => policy.queue,
        SubscriptionKind::Topic => policy.topic,
        SubscriptionKind::Durable
            if mode == AcknowledgeMode::Auto && policy.optimized_message_dispatch =>
        {
            policy.optimize_durable
        }
        SubscriptionKind::Durable => policy.durable,
    };
    layers.whole(option, shorthand.unwrap_or(by_policy))
}

fn read_receive(node: &Node, report: &mut Report) -> Receive {
    let poll = node.get("pollInterval");
    let no_wait = node.text("receive") == Some("receiveNoWait");
    if let Some(poll) = poll.filter(|_| !no_wait) {
        report.warning(
            poll.place,
            "`pollInterval` has no effect without receiveNoWait",
        );
    }
    match node.text("receive") {
        Some("receive") => Receive::Blocking,
        Some("receiveNoWait") => Receive::NoWait {
            poll_interval: poll
                .and_then(Node::as_duration)
                .unwrap_or(Span::from_millis(10)),
        },
        _ => match node.child("receive").child("receive").get("timeout") {
            Some(timeout) => Receive::Timeout(whole_millis(timeout, report)),
            None => Receive::Listener,
        },
    }
}

/// receive(timeout) counts whole milliseconds, and takes 0 for "for ever".
fn whole_millis(node: &Node, report: &mut Report) -> Span {
    let Span(nanos) = node.as_duration().unwrap_or_default();
    if nanos < 1_000_000 {
        report.error(
            node.place,
            "`timeout` must be at least 1 ms: JMS counts milliseconds",
        );
    } else if nanos % 1_000_000 != 0 {
        report.warning(
            node.place,
            "`timeout` is cut to whole milliseconds, as in JMS",
        );
    }
    Span::from_millis(nanos / 1_000_000)
}

fn read_on_failure(
    node: &Node,
    mode: AcknowledgeMode,
    receive: Receive,
    report: &mut Report,
) -> OnFailure {
    let transacted = mode == AcknowledgeMode::SessionTransacted;
    let listener = receive == Receive::Listener;
    let place = node
        .get("onFailure")
        .map_or(node.place, |value| value.place);
    let mut refuse = |impossible: bool, why: &str| {
        if impossible {
            report.error(place, why);
        }
    };
    match node.text("onFailure") {
        Some("throw") => {
            refuse(
                !listener,
                "\"throw\" needs a listener: receive has nobody to throw at",
            );
            OnFailure::Throw
        }
        Some("rollback") => {
            refuse(
                !transacted,
                "\"rollback\" needs a SESSION_TRANSACTED session",
            );
            OnFailure::Rollback
        }
        Some("recover") => {
            refuse(
                transacted,
                "a transacted session cannot recover: JMS throws; use \"rollback\"",
            );
            OnFailure::Recover
        }
        Some(_) => OnFailure::Swallow,
        None if listener => OnFailure::Throw,
        None => match mode {
            AcknowledgeMode::SessionTransacted => OnFailure::Rollback,
            AcknowledgeMode::Client | AcknowledgeMode::Individual => OnFailure::Recover,
            AcknowledgeMode::Auto | AcknowledgeMode::DupsOk => OnFailure::Swallow,
        },
    }
}

fn read_acknowledge(node: &Node, mode: AcknowledgeMode, report: &mut Report) -> Acknowledge {
    let calls = matches!(mode, AcknowledgeMode::Client | AcknowledgeMode::Individual);
    let Some(member) = node.member("acknowledge") else {
        return if calls {
            Acknowledge::EverySession(1)
        } else {
            Acknowledge::Never
        };
    };
    let details = &member.node;
    if !calls {
        let message = format!(
            "`acknowledge` in a mode that never calls it: {}",
            mode_name(node)
        );
        let help = "it belongs to CLIENT_ACKNOWLEDGE and INDIVIDUAL_ACKNOWLEDGE";
        report.error_with(member.key_place, message, [help]);
    }
    if details.flag("never") == Some(true) {
        let others = ["every", "scope"].map(|key| details.get(key));
        if let Some(other) = others.iter().flatten().next() {
            report.error(other.place, "`never` goes with nothing else");
        }
        return Acknowledge::Never;
    }
    let every = details.whole("every").unwrap_or(1);
    match details.text("scope") {
        Some("consumer") => Acknowledge::EveryConsumer(every),
        _ => Acknowledge::EverySession(every),
    }
}

fn mode_name(node: &Node) -> &str {
    node.text("acknowledgeMode").unwrap_or("AUTO_ACKNOWLEDGE")
}

fn read_transaction(
    node: &Node,
    mode: AcknowledgeMode,
    report: &mut Report,
) -> ConsumerTransaction {
    if let Some(member) = node.member("transaction")
        && mode != AcknowledgeMode::SessionTransacted
    {
        let message = format!(
            "`transaction` in a session that has none: {}",
            mode_name(node)
        );
        let help = "add \"acknowledgeMode\": \"SESSION_TRANSACTED\"";
        report.error_with(member.key_place, message, [help]);
    }
    let details = node.child("transaction");
    ConsumerTransaction {
        size: details.whole("size").unwrap_or(1),
        roll_back: numbers(details, "rollBack"),
        roll_back_probability: details.number("rollBackProbability").unwrap_or(0.0),
        commit_when_idle: details.duration("commitWhenIdle"),
    }
}

/// What a consumer's fields must have to do with each other.
fn check(entry: &Entry, report: &mut Report) {
    let consumer = &entry.consumer;
    if consumer.prefetch_size == 0 && consumer.receive == Receive::Listener {
        let place = match entry.node.get("prefetchSize") {
            Some(value) => value.place,
            None => entry.place_of("destination"),
        };
        rule!("listener-needs-prefetch");
        report.error_with(
            place,
            "a listener needs a prefetch of at least 1",
            ["ActiveMQ refuses it: nobody would ask for messages; use \"receive\": \"receive\""],
        );
    }
    if entry.node.get("durable").is_some() && entry.kind == DestinationKind::Queue {
        report.error(
            entry.place_of("durable"),
            "only topics have durable subscriptions",
        );
    }
    if consumer.stop.is_some_and(|stop| stop <= consumer.start) {
        report.error(entry.place_of("stop"), "it stops before it starts");
    }
    if entry.count > 1 && (entry.connection.is_some() || entry.session.is_some()) {
        let place = entry.place_of("count");
        report.error(
            place,
            "each of several has a connection and session of its own",
        );
    }
}

/// What is probably a mistake.
fn warn(entry: &Entry, layers: &Layers, semantics: Semantics, report: &mut Report) {
    let optimize = "jms.optimizeAcknowledge";
    let article_optimizes = semantics == Semantics::Article
        && entry.mode == AcknowledgeMode::DupsOk
        && entry.kind == DestinationKind::Queue;
    let ignored = entry.mode != AcknowledgeMode::Auto && !article_optimizes;
    let own = |setting: &&Setting| layers.own_setting(setting.name) == Some(setting.place);
    if let Some(setting) = layers
        .find(optimize)
        .filter(|_| entry.options.optimize_acknowledge && ignored)
    {
        let place = match own(&setting) {
            true => setting.place,
            false => entry.place_of("acknowledgeMode"),
        };
        let mode = mode_name(entry.node);
        let message = format!("ActiveMQ ignores `{optimize}` in a session that is {mode}");
        report.warning(place, message);
    }
    if !entry.options.optimize_acknowledge {
        for name in [
            "jms.optimizeAcknowledgeTimeOut",
            "jms.optimizedAckScheduledAckInterval",
        ] {
            if let Some(setting) = layers.find(name).filter(own) {
                let message = format!("`{name}` has no effect without {optimize}=true");
                report.warning(setting.place, message);
            }
        }
    }
    if !entry.consumer.failures.disconnects.is_empty() && !entry.options.failover {
        let message = "after a disconnect it connects again, as with a failover: URL";
        report.note(entry.place_of("failures"), message);
    }
}

/// Whether it can go on for ever although nothing is left to deliver.
pub fn runs_for_ever(consumer: &Consumer) -> Option<&'static str> {
    let renewal = |crash: &super::model::Crash| matches!(crash.trigger, CrashTrigger::Every(_));
    if consumer.failures.crashes.iter().any(renewal) {
        return Some("crashes again and again");
    }
    let polls = matches!(
        consumer.receive,
        Receive::NoWait { .. } | Receive::Timeout(_)
    );
    (polls && consumer.stop.is_none()).then_some("polls for ever")
}
