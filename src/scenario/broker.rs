//! Chapter `broker`: what it costs, what it does by itself, and the defaults of its clients.

use super::json::Node;
use super::limits;
use super::model::{Broker, RedeliveryPlugin, RedeliveryPolicy, Restart};
use super::policy;
use super::report::Report;
use super::shape::{Field, Kind};
use super::values::{RANDOM, random};
use crate::kernel::{Distribution, Time};

/// Keys of `broker`.
pub static FIELDS: &[Field] = &[
    Field::new(
        "url",
        Kind::Url,
        "Defaults for all clients; a client's own url is laid over it.",
    ),
    Field::new(
        "storeLatency",
        RANDOM,
        "To make a persistent message or a transacted ack safe.",
    )
    .default("\"0us\""),
    Field::new(
        "dispatchCost",
        RANDOM,
        "On each dispatch; a destination dispatches one at a time.",
    )
    .default("\"0us\""),
    Field::new(
        "acknowledgeCost",
        RANDOM,
        "On each ack command, however many messages it covers.",
    )
    .default("\"0us\""),
    Field::new(
        "policies",
        Kind::Map(&Kind::Named(&policy::POLICY)),
        "policyEntry attributes by destination (* and > as wildcards); the most specific wins.",
    )
    .default("{}"),
    Field::new(
        "redeliveryPlugin",
        Kind::Object(PLUGIN),
        "ActiveMQ's broker-side redelivery.",
    ),
    Field::new(
        "restarts",
        Kind::List {
            of: &Kind::Object(RESTART),
            least: 0,
            most: 10_000,
        },
        "The broker stops and comes back; persistent messages survive.",
    )
    .default("[]"),
];

static PLUGIN: &[Field] = &[
    Field::new(
        "redeliveryPolicy",
        Kind::Object(REDELIVERY),
        "Delays and limit; delays of at least 1 s.",
    )
    .default("{}"),
    Field::new(
        "sendToDlqIfMaxRetriesExceeded",
        Kind::Flag,
        "Else such a message is dropped.",
    )
    .default("true"),
    Field::new(
        "fallbackToDeadLetter",
        Kind::Flag,
        "What happens where no policy applies.",
    )
    .default("true"),
];

static REDELIVERY: &[Field] = &[
    Field::new(
        "maximumRedeliveries",
        Kind::Whole {
            least: -1,
            most: limits::COUNT,
        },
        "-1: unlimited.",
    )
    .default("6"),
    Field::new(
        "initialRedeliveryDelay",
        Kind::Millis { least: 0 },
        "Before the first redelivery.",
    )
    .default("1000"),
    Field::new(
        "redeliveryDelay",
        Kind::Millis { least: 0 },
        "Before the later ones.",
    )
    .default("1000"),
    Field::new("useExponentialBackOff", Kind::Flag, "Whether delays grow.").default("false"),
    Field::new(
        "backOffMultiplier",
        Kind::Number {
            above: 0.0,
            most: 1e6,
        },
        "By how much delays grow.",
    )
    .default("5"),
    Field::new(
        "maximumRedeliveryDelay",
        Kind::Millis { least: -1 },
        "Caps growth; -1: no cap.",
    )
    .default("-1"),
    Field::new(
        "useCollisionAvoidance",
        Kind::Flag,
        "Whether delays get jitter.",
    )
    .default("false"),
    Field::new(
        "collisionAvoidancePercent",
        Kind::Whole {
            least: 0,
            most: 100,
        },
        "How much jitter, up and down.",
    )
    .default("15"),
    Field::new("preDispatchCheck", Kind::Flag, "Only clients look at it.").default("true"),
];

static RESTART: &[Field] = &[
    Field::new("at", Kind::Duration, "When it stops.").required(),
    Field::new("downFor", Kind::Duration, "How long it is away.").required(),
];

/// Reads `broker`, but for its url and its policies.
pub fn read(node: &Node, report: &mut Report) -> Broker {
    let mut cost = |key| random(node, key, Distribution::ZERO, report);
    let (store_latency, dispatch_cost) = (cost("storeLatency"), cost("dispatchCost"));
    let acknowledge_cost = cost("acknowledgeCost");
    Broker {
        store_latency,
        dispatch_cost,
        acknowledge_cost,
        redelivery_plugin: node
            .get("redeliveryPlugin")
            .map(|plugin| read_plugin(plugin, report)),
        restarts: read_restarts(node, report),
    }
}

fn read_plugin(node: &Node, report: &mut Report) -> RedeliveryPlugin {
    let policy = node.child("redeliveryPolicy");
    for key in ["initialRedeliveryDelay", "redeliveryDelay"] {
        if let Some(value) = policy
            .get(key)
            .filter(|value| value.as_millis() < Some(1000))
        {
            let message = format!("the plugin's `{key}` must be at least 1 s");
            report.error_with(
                value.place,
                message,
                ["ActiveMQ's broker refuses to start with less"],
            );
        }
    }
    RedeliveryPlugin {
        policy: redelivery_policy(policy),
        send_to_dlq_if_max_retries_exceeded: node
            .flag("sendToDlqIfMaxRetriesExceeded")
            .unwrap_or(true),
        fallback_to_dead_letter: node.flag("fallbackToDeadLetter").unwrap_or(true),
    }
}

fn redelivery_policy(node: &Node) -> RedeliveryPolicy {
    let default = RedeliveryPolicy::default();
    let flag = |key, default| node.flag(key).unwrap_or(default);
    let millis = |key, default| node.millis(key).unwrap_or(default);
    RedeliveryPolicy {
        maximum_redeliveries: match node.get("maximumRedeliveries") {
            Some(maximum) => maximum.as_whole(),
            None => default.maximum_redeliveries,
        },
        initial_redelivery_delay: millis(
            "initialRedeliveryDelay",
            default.initial_redelivery_delay,
        ),
        redelivery_delay: millis("redeliveryDelay", default.redelivery_delay),
        use_exponential_back_off: flag("useExponentialBackOff", default.use_exponential_back_off),
        back_off_multiplier: node
            .number("backOffMultiplier")
            .unwrap_or(default.back_off_multiplier),
        maximum_redelivery_delay: millis(
            "maximumRedeliveryDelay",
            default.maximum_redelivery_delay,
        ),
        use_collision_avoidance: flag("useCollisionAvoidance", default.use_collision_avoidance),
        collision_avoidance_percent: node
            .whole("collisionAvoidancePercent")
            .unwrap_or(default.collision_avoidance_percent),
        pre_dispatch_check: flag("preDispatchCheck", default.pre_dispatch_check),
    }
}

fn read_restarts(node: &Node, report: &mut Report) -> Vec<Restart> {
    let mut restarts: Vec<Restart> = node
        .list("restarts")
        .iter()
        .map(|restart| Restart {
            at: restart.time("at").unwrap_or(Time::ZERO),
            down_for: restart.duration("downFor").unwrap_or_default(),
        })
        .collect();
    restarts.sort_by_key(|restart| restart.at);
    let overlaps = |pair: &&[Restart]| pair[0].at + pair[0].down_for >= pair[1].at;
    if let (Some(pair), Some(list)) = (restarts.windows(2).find(overlaps), node.get("restarts")) {
        let message = format!("the broker cannot stop at {} before it is back", pair[1].at);
        report.error(list.place, message);
    }
    restarts
}
