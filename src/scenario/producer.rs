//! Chapter `producers`.

use super::client::{Layers, Surroundings};
use super::json::{Node, Place};
use super::limits;
use super::model::{
    Arrivals, ClientOptions, DestinationKind, LoseReply, OnSendFailure, Producer,
    ProducerTransaction,
};
use super::options::{OptionValue, Setting};
use super::report::Report;
use super::shape::{Field, Kind, opening};
use super::url::{DestinationUri, Side, destination};
use super::values::{RANDOM, distribution, is_always_zero};
use crate::kernel::{Distribution, Span, Time};

/// Keys of a producer.
pub static FIELDS: &[Field] = &[
    Field::new(
        "name",
        Kind::Name,
        "Unique among producers. Left out: producer-1, producer-2, …",
    ),
    Field::new(
        "destination",
        Kind::Destination,
        "queue://NAME or topic://NAME.",
    )
    .required(),
    Field::new(
        "url",
        Kind::Url,
        "Connection URL with jms.* options, laid over the broker's.",
    ),
    Field::new(
        "start",
        Kind::Duration,
        "When the first message may be sent.",
    )
    .default("\"0s\""),
    Field::new(
        "messages",
        Kind::Whole {
            least: 1,
            most: limits::MESSAGES,
        },
        "How many to send. Left out: endless, which needs `until`.",
    ),
    Field::new(
        "arrivals",
        Kind::Either(&[Kind::Choice(&["atOnce"]), Kind::OneOf(ARRIVALS)]),
        "When the application wants to send.",
    )
    .default("\"atOnce\""),
    Field::new(
        "deliveryMode",
        Kind::Choice(&["PERSISTENT", "NON_PERSISTENT"]),
        "Whether the broker stores messages before it answers.",
    )
    .default("\"PERSISTENT\""),
    Field::new(
        "size",
        Kind::Size {
            least: 0,
            most: limits::MESSAGE_BYTES,
        },
        "Of each body.",
    )
    .default("\"1kb\""),
    Field::new(
        "timeToLive",
        Kind::PositiveDuration,
        "Messages expire after it. Left out: never.",
    ),
    Field::new(
        "priority",
        Kind::Whole { least: 0, most: 9 },
        "Higher first where that counts.",
    )
    .default("4"),
    Field::new(
        "groups",
        Kind::Object(GROUPS),
        "Message k carries group (k-1) mod count + 1.",
    ),
    Field::new(
        "transaction",
        Kind::Object(TRANSACTION),
        "Sends in transactions.",
    ),
    Field::new(
        "failures",
        Kind::List {
            of: &Kind::OneOf(FAILURES),
            least: 0,
            most: 1000,
        },
        "What goes wrong.",
    )
    .default("[]"),
    Field::new(
        "onSendFailure",
        Kind::Choice(&["resend", "sendAsNew", "giveUp"]),
        "What happens when the broker's answer got lost.",
    )
    .default("\"resend\""),
    Field::new("reconnectDelay", Kind::Duration, "Before it sends again.").default("\"10ms\""),
];

static ARRIVALS: &[Field] = &[
    Field::new(
        "every",
        RANDOM,
        "A renewal process; the first message after one interval.",
    ),
    Field::new("poisson", Kind::Object(POISSON), "Exponential intervals."),
    Field::new(
        "bursts",
        Kind::Object(BURSTS),
        "So many at once, again and again.",
    ),
    Field::new(
        "at",
        Kind::List {
            of: &Kind::Duration,
            least: 1,
            most: 1_000_000,
        },
        "At these times, which ascend.",
    ),
];

static POISSON: &[Field] = &[Field::new(
    "perSecond",
    Kind::Number {
        above: 0.0,
        most: limits::RATE_PER_SECOND,
    },
    "How many on average.",
)
.required()];

static BURSTS: &[Field] = &[
    Field::new(
        "size",
        Kind::Whole {
            least: 1,
            most: limits::COUNT,
        },
        "Messages to a burst.",
    )
    .required(),
    Field::new("every", Kind::PositiveDuration, "From burst to burst.").required(),
];

static GROUPS: &[Field] = &[Field::new(
    "count",
    Kind::Whole {
        least: 1,
        most: limits::COUNT,
    },
    "How many.",
)
.required()];

static TRANSACTION: &[Field] = &[
    Field::new(
        "size",
        Kind::Whole {
            least: 1,
            most: limits::COUNT,
        },
        "Messages to a transaction.",
    )
    .default("1"),
    Field::new(
        "rollBack",
        ROLL_BACK,
        "Numbers, from 1, of those that are rolled back.",
    )
    .default("[]"),
];

/// Numbers of transactions.
pub const ROLL_BACK: Kind = NUMBERS;

const NUMBERS: Kind = Kind::List {
    of: &Kind::Whole {
        least: 1,
        most: limits::MESSAGES,
    },
    least: 0,
    most: 1_000_000,
};

static FAILURES: &[Field] = &[Field::new(
    "loseReply",
    Kind::Object(LOSE_REPLY),
    "The answer to a sync send is lost.",
)];

static LOSE_REPLY: &[Field] = &[
    Field::new(
        "messages",
        NUMBERS,
        "For the first sends of these messages.",
    ),
    Field::new(
        "probability",
        Kind::Chance,
        "For each send, with this chance.",
    ),
];

/// A producer whose destination has no number yet.
pub struct Entry {
    /// All else.
    pub producer: Producer,
    /// Queue or topic.
    pub kind: DestinationKind,
    /// Its name.
    pub destination: String,
    /// Whether its URL would not let it reconnect.
    pub plain_transport: bool,
    /// Where it begins.
    pub place: Place,
}

/// Reads one producer.
pub fn read(
    node: &Node,
    number: usize,
    around: &Surroundings,
    report: &mut Report,
) -> Option<Entry> {
    let own = around.own_url(node, report);
    let layers = around.layers(&own);
    let target = node.get("destination")?;
    let uri = destination(target, Side::Producer, report)?;
    let mut options = layers.client_options(own.failover || around.restarts);
    if let Some(bytes) = window_of_destination(&uri, around.varied) {
        options.producer_window_size = bytes;
    }
    let start = node.time("start").unwrap_or(Time::ZERO);
    let (arrivals, messages) = read_arrivals(node, start, report);
    let persistent = node.text("deliveryMode") != Some("NON_PERSISTENT");
    let transaction = node.get("transaction").map(read_transaction);
    let producer = Producer {
        name: name_of(node, number),
        destination: 0,
        start,
        messages,
        arrivals,
        persistent,
        size: node.get("size").and_then(Node::as_size).unwrap_or(1024) as u32,
        time_to_live: read_time_to_live(node, &layers, report),
        priority: node.whole("priority").unwrap_or(4),
        groups: node.child("groups").whole("count"),
        lose_reply: read_lose_reply(node, report),
        on_send_failure: match node.text("onSendFailure") {
            Some("sendAsNew") => OnSendFailure::SendAsNew,
            Some("giveUp") => OnSendFailure::GiveUp,
            _ => OnSendFailure::Resend,
        },
        reconnect_delay: node
            .duration("reconnectDelay")
            .unwrap_or(Span::from_millis(10)),
        transaction,
        options,
    };
    if producer.lose_reply.is_some() && !is_sync(&producer) {
        let place = node.get("failures").map_or(node.place, opening);
        report.warning(
            place,
            "`loseReply` never happens: these sends wait for no answer",
        );
    }
    Some(Entry {
        producer,
        kind: uri.kind,
        destination: uri.name,
        plain_transport: !own.failover,
        place: opening(node),
    })
}

/// `producer.windowSize`, which stands above `jms.producerWindowSize`; but a varied setting stands
/// above both.
fn window_of_destination(uri: &DestinationUri, varied: &[Setting]) -> Option<u64> {
    let whole = |setting: &Setting| match setting.value {
        OptionValue::Whole(bytes) => bytes.try_into().unwrap_or(0),
        _ => 0,
    };
    let find = |settings: &[Setting], name| {
        settings
            .iter()
            .rev()
            .find(|setting| setting.name == name)
            .map(whole)
    };
    find(varied, "producer.windowSize").or_else(|| match find(varied, "jms.producerWindowSize") {
        Some(_) => None,
        None => find(&uri.settings, "producer.windowSize"),
    })
}

/// The name of a producer of the file, from 0.
pub fn name_of(node: &Node, number: usize) -> String {
    node.text("name")
        .map_or_else(|| format!("producer-{}", number + 1), str::to_owned)
}

/// Whether a send waits for the broker's answer (`ActiveMQSession.send`).
pub fn is_sync(producer: &Producer) -> bool {
    let ClientOptions {
        send_timeout,
        always_sync_send,
        use_async_send,
        ..
    } = producer.options;
    let fire_and_forget = !producer.persistent || use_async_send || producer.transaction.is_some();
    send_timeout.is_some() || always_sync_send || !fire_and_forget
}

fn read_arrivals(node: &Node, start: Time, report: &mut Report) -> (Arrivals, Option<u64>) {
    let messages = node.whole("messages");
    let Some(member) = node.child("arrivals").members().first() else {
        return (Arrivals::AtOnce, messages);
    };
    let details = &member.node;
    match member.key.as_str() {
        "every" => (read_every(details, messages, report), messages),
        "poisson" => (read_poisson(details, report), messages),
        "bursts" => {
            let size = details.whole("size").unwrap_or(1);
            let every = details.duration("every").unwrap_or_default();
            (Arrivals::Bursts { size, every }, messages)
        }
        _ => read_times(node, details, start, report),
    }
}

fn read_every(node: &Node, messages: Option<u64>, report: &mut Report) -> Arrivals {
    let interval = distribution(node, report);
    if messages.is_none() && is_always_zero(&interval) {
        report.error(node.place, "an endless producer needs intervals above zero");
    }
    Arrivals::Every(interval)
}

fn read_poisson(node: &Node, report: &mut Report) -> Arrivals {
    let rate = node.number("perSecond").unwrap_or(1.0);
    let nanos = 1e9 / rate;
    let mean = Span(nanos.round().max(1.0) as u64);
    let place = node.get("perSecond").map_or(node.place, |rate| rate.place);
    if nanos > limits::NANOSECONDS as f64 {
        report.error(place, "`perSecond` is less than one message in 292 years");
    } else if (mean.0 as f64 / nanos - 1.0).abs() > 1e-3 {
        let message = format!("time has steps of 1 ns: the mean interval becomes {mean}");
        report.warning(place, message);
    }
    Arrivals::Every(Distribution::Exponential { mean })
}

fn read_times(
    producer: &Node,
    node: &Node,
    start: Time,
    report: &mut Report,
) -> (Arrivals, Option<u64>) {
    let durations = node.elements().iter().filter_map(Node::as_duration);
    let times: Vec<Time> = durations.map(|span| Time(span.0)).collect();
    if let Some(at) = times.windows(2).position(|pair| pair[0] > pair[1]) {
        let place = node
            .elements()
            .get(at + 1)
            .map_or(node.place, |element| element.place);
        report.error(place, "the times of `at` must ascend");
    }
    let given = times.len() as u64;
    let messages = producer.whole("messages").unwrap_or(given);
    if messages > given {
        let place = producer
            .get("messages")
            .map_or(node.place, |value| value.place);
        let message = format!("there are {messages} messages, but `at` has only {given} times");
        report.error(place, message);
    }
    let times = times.into_iter().map(|time| time.max(start)).collect();
    (Arrivals::At(times), Some(messages))
}

/// JMS counts whole milliseconds, and takes 0 for "never".
fn read_time_to_live(node: &Node, layers: &Layers, report: &mut Report) -> Option<u64> {
    let value = node.get("timeToLive")?;
    let Span(nanos) = value.as_duration()?;
    if nanos < 1_000_000 {
        report.error(
            value.place,
            "`timeToLive` must be at least 1 ms: JMS counts milliseconds",
        );
    } else if nanos % 1_000_000 != 0 {
        report.warning(
            value.place,
            "`timeToLive` is cut to whole milliseconds, as in JMS",
        );
    }
    if layers.flag("jms.disableTimeStampsByDefault", false) {
        let message =
            "`timeToLive` has no effect with jms.disableTimeStampsByDefault, as in ActiveMQ";
        report.warning(value.place, message);
        return None;
    }
    Some(nanos / 1_000_000)
}

fn read_transaction(node: &Node) -> ProducerTransaction {
    ProducerTransaction {
        size: node.whole("size").unwrap_or(1),
        roll_back: numbers(node, "rollBack"),
    }
}

/// A list of whole numbers, ascending and each once.
pub fn numbers(node: &Node, key: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> = node.list(key).iter().filter_map(Node::as_whole).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn read_lose_reply(node: &Node, report: &mut Report) -> Option<LoseReply> {
    let failures = node.list("failures");
    let details: Vec<&Node> = failures
        .iter()
        .filter_map(|it| it.get("loseReply"))
        .collect();
    for node in &details {
        let given = [node.get("messages"), node.get("probability")];
        if given.iter().flatten().count() != 1 {
            let message = "`loseReply` has either `messages` or `probability`";
            report.error(opening(node), message);
        }
    }
    let chances: Vec<f64> = details
        .iter()
        .filter_map(|it| it.number("probability"))
        .collect();
    match (details.as_slice(), chances.as_slice()) {
        ([], _) => None,
        ([_], [chance]) => Some(LoseReply::Probability(*chance)),
        (_, []) => {
            let mut all: Vec<u64> = details
                .iter()
                .flat_map(|it| numbers(it, "messages"))
                .collect();
            all.sort_unstable();
            all.dedup();
            Some(LoseReply::Messages(all))
        }
        (several, _) => {
            let message = "a `loseReply` with a probability must be the only one";
            report.error(opening(several[several.len() - 1]), message);
            None
        }
    }
}
