//! Chapter `failures` of a consumer.

use super::json::Node;
use super::limits;
use super::model::{Close, Crash, CrashTrigger, Disconnect, Failures, Hang, Throw};
use super::nearest::nearest;
use super::report::Report;
use super::shape::{Field, Kind, opening};
use super::values::{RANDOM, distribution, is_always_zero};

/// A failure of a consumer.
pub static FIELDS: &[Field] = &[
    Field::new(
        "throw",
        Kind::Object(THROW),
        "Processing fails, at the end of its time.",
    ),
    Field::new("crash", Kind::Object(CRASH), "The client process dies."),
    Field::new(
        "close",
        Kind::Object(CLOSE),
        "The application closes everything cleanly.",
    ),
    Field::new("hang", Kind::Object(HANG), "A delivery takes longer."),
    Field::new(
        "disconnect",
        Kind::Object(DISCONNECT),
        "The network breaks; the process lives on.",
    ),
];

const NUMBER: Kind = Kind::Whole {
    least: 1,
    most: limits::MESSAGES,
};
const ONCE: Field = Field::new(
    "once",
    Kind::Flag,
    "Whether it happens in the first life only.",
)
.default("true");

static THROW: &[Field] = &[
    Field::new(
        "messages",
        Kind::List {
            of: &Kind::Either(&[NUMBER, Kind::Text]),
            least: 1,
            most: 1_000_000,
        },
        "Message numbers of any producer, or \"PRODUCER:NUMBER\".",
    ),
    Field::new(
        "times",
        NUMBER,
        "On so many first deliveries. Left out: always.",
    ),
    Field::new(
        "probability",
        Kind::Chance,
        "Instead of messages: each processing, with this chance.",
    ),
];

static CRASH: &[Field] = &[
    Field::new(
        "afterDeliveries",
        NUMBER,
        "At the end of processing this delivery of a life.",
    ),
    Field::new("at", Kind::Duration, "Or at this time."),
    Field::new("every", RANDOM, "Or again and again; needs `until`."),
    Field::new(
        "restartAfter",
        RANDOM,
        "Connects anew after it. Left out: stays away.",
    ),
    Field::new(
        "detectedAfter",
        Kind::Duration,
        "When the broker notices. Left out: one latency later.",
    ),
    ONCE,
];

static CLOSE: &[Field] = &[
    Field::new(
        "afterDeliveries",
        NUMBER,
        "After processing this delivery of a life.",
    )
    .required(),
    Field::new(
        "restartAfter",
        RANDOM,
        "Opens anew after it. Left out: stays away.",
    ),
    ONCE,
];

static HANG: &[Field] = &[
    Field::new("afterDeliveries", NUMBER, "Which delivery of a life.").required(),
    Field::new(
        "for",
        Kind::Duration,
        "How much longer. Left out: for ever.",
    ),
    ONCE,
];

static DISCONNECT: &[Field] = &[
    Field::new("at", Kind::Duration, "When.").required(),
    Field::new("for", Kind::Duration, "How long no connection can be made.").required(),
];

/// Reads the failures of a consumer. `producers` are the names of all producers, by number.
pub fn read(list: &[Node], producers: &[String], report: &mut Report) -> Failures {
    let mut failures = Failures::default();
    for failure in list {
        let Some(member) = failure.members().first() else {
            continue;
        };
        let node = &member.node;
        match member.key.as_str() {
            "throw" => failures.throws.extend(read_throw(node, producers, report)),
            "crash" => failures.crashes.extend(read_crash(node, report)),
            "close" => failures.closes.push(Close {
                after_deliveries: node.whole("afterDeliveries").unwrap_or(1),
                once: node.flag("once").unwrap_or(true),
                restart_after: node.get("restartAfter").map(|it| distribution(it, report)),
            }),
            "hang" => failures.hangs.push(Hang {
                after_deliveries: node.whole("afterDeliveries").unwrap_or(1),
                once: node.flag("once").unwrap_or(true),
                length: node.duration("for"),
            }),
            _ => failures.disconnects.push(Disconnect {
                at: node.time("at").unwrap_or_default(),
                length: node.duration("for").unwrap_or_default(),
            }),
        }
    }
    failures
}

fn read_throw(node: &Node, producers: &[String], report: &mut Report) -> Option<Throw> {
    match (node.get("messages"), node.number("probability")) {
        (None, Some(chance)) => {
            if let Some(times) = node.get("times") {
                report.error(
                    times.place,
                    "`times` belongs to `messages`, not to `probability`",
                );
            }
            Some(Throw::Probability(chance))
        }
        (Some(messages), None) => {
            let each = messages.elements().iter();
            let messages = each
                .filter_map(|it| message_id(it, producers, report))
                .collect();
            Some(Throw::Messages {
                messages,
                times: node.whole("times"),
            })
        }
        _ => {
            report.error(
                opening(node),
                "`throw` has either `messages` or `probability`",
            );
            None
        }
    }
}

/// `3`, `"3"` or `"orders:3"`.
fn message_id(
    node: &Node,
    producers: &[String],
    report: &mut Report,
) -> Option<(Option<usize>, u64)> {
    let Some(text) = node.as_text() else {
        return Some((None, node.as_whole()?));
    };
    let (producer, number) = match text.rsplit_once(':') {
        Some((producer, number)) => (Some(producer), number),
        None => (None, text),
    };
    let valid = number.bytes().all(|byte| byte.is_ascii_digit());
    let Some(number) = number.parse().ok().filter(|number| valid && *number > 0) else {
        let help = "write 3 for any producer's third message, or \"orders:3\" for one's";
        report.error_with(node.place, format!("\"{text}\" is no message"), [help]);
        return None;
    };
    let Some(producer) = producer else {
        return Some((None, number));
    };
    let found = producers.iter().position(|name| name == producer);
    if found.is_none() {
        let near = nearest(producer, producers.iter().map(String::as_str));
        let help = near.map(|near| format!("did you mean \"{near}:{number}\"?"));
        report.error_with(
            node.place,
            format!("there is no producer `{producer}`"),
            help,
        );
    }
    found.map(|producer| (Some(producer), number))
}

fn read_crash(node: &Node, report: &mut Report) -> Option<Crash> {
    let restart_after = node.get("restartAfter").map(|it| distribution(it, report));
    let detected_after = node.duration("detectedAfter");
    let trigger = crash_trigger(node, report)?;
    if let (Some(once), false) = (
        node.get("once"),
        matches!(trigger, CrashTrigger::AfterDeliveries { .. }),
    ) {
        report.error(once.place, "`once` belongs to `afterDeliveries`");
    }
    Some(Crash {
        trigger,
        restart_after,
        detected_after,
    })
}

fn crash_trigger(node: &Node, report: &mut Report) -> Option<CrashTrigger> {
    let given = ["afterDeliveries", "at", "every"].map(|key| node.get(key));
    match given {
        [Some(n), None, None] => Some(CrashTrigger::AfterDeliveries {
            n: n.as_whole()?,
            once: node.flag("once").unwrap_or(true),
        }),
        [None, Some(_), None] => Some(CrashTrigger::At(node.time("at")?)),
        [None, None, Some(every)] => {
            let interval = distribution(every, report);
            if is_always_zero(&interval) {
                report.error(every.place, "a renewal process needs intervals above zero");
            }
            Some(CrashTrigger::Every(interval))
        }
        _ => {
            let message = "`crash` has exactly one of `afterDeliveries`, `at` and `every`";
            report.error(opening(node), message);
            None
        }
    }
}
