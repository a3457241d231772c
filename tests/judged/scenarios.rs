//! Arbitrary scenarios, as the text that a user would write. All are valid; many are odd.
//!
//! Everything is small (few messages, narrow windows, short times), since that is where the rules meet: a crash in a
//! transaction in a full window is likelier with a prefetch of 3 than with 1000.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// One key of an object, which may be left out.
type Field = BoxedStrategy<Option<(&'static str, Value)>>;

/// A key that is always there.
fn always<V: Into<Value>>(key: &'static str, of: impl Strategy<Value = V> + 'static) -> Field {
    of.prop_map(move |value| Some((key, value.into()))).boxed()
}

/// A key that is there with this chance.
fn maybe<V: Into<Value> + std::fmt::Debug + 'static>(
    chance: f64,
    key: &'static str,
    of: impl Strategy<Value = V> + 'static,
) -> Field {
    option::weighted(chance, of)
        .prop_map(move |value| value.map(|value| (key, value.into())))
        .boxed()
}

fn object(fields: Vec<Field>) -> impl Strategy<Value = Value> {
    fields.prop_map(|fields| {
        let fields = fields.into_iter().flatten();
        Value::Object(fields.map(|(key, value)| (key.to_owned(), value)).collect())
    })
}

/// `{"key": …}`
fn one_key(key: &'static str, of: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    of.prop_map(move |value| json!({ key: value }))
}

/// From zero to so many milliseconds, as text.
fn millis(most: u32) -> impl Strategy<Value = String> {
    (0..=most).prop_map(|millis| format!("{millis}ms"))
}

fn some_millis(most: u32) -> impl Strategy<Value = String> {
    (1..=most).prop_map(|millis| format!("{millis}ms"))
}

/// A random duration of about so many milliseconds, never always zero.
fn random_millis(about: u32) -> impl Strategy<Value = Value> {
    prop_oneof![
        some_millis(about).prop_map(Value::from),
        some_millis(about).prop_map(|mean| json!({"exponential": {"mean": mean}})),
        some_millis(about).prop_map(|most| json!({"uniform": {"min": "0ms", "max": most}})),
    ]
}

const QUEUES: &[&str] = &["queue://A", "queue://A", "queue://A", "queue://B"];
const DESTINATIONS: &[&str] = &[
    "queue://A",
    "queue://A",
    "queue://A",
    "queue://B",
    "queue://ActiveMQ.DLQ",
    "topic://T",
    "topic://T",
];

/// Any valid scenario. Runs end at four seconds of virtual time.
pub fn scenario() -> impl Strategy<Value = Value> {
    let semantics = prop_oneof![
        8 => Just("activemq-5.17"),
        1 => Just("activemq-6"),
        1 => Just("article"),
    ];
    let parts = (
        any::<u32>(),
        semantics,
        option::weighted(0.5, network()),
        option::weighted(0.6, broker()),
        vec(producer(), 1..=3),
        vec(connection(), 1..=3),
    );
    parts.prop_map(
        |(seed, semantics, network, broker, producers, connections)| {
            json!({
                "seed": seed,
                "semantics": semantics,
                "until": "4s",
                "network": network.unwrap_or_else(|| json!({})),
                "broker": broker.unwrap_or_else(|| json!({})),
                "producers": named(producers, "p"),
                "consumers": consumers(connections),
            })
        },
    )
}

fn named(objects: Vec<Value>, prefix: &str) -> Value {
    let name = |(number, mut object): (usize, Value)| {
        object["name"] = format!("{prefix}{}", number + 1).into();
        object
    };
    objects.into_iter().enumerate().map(name).collect()
}

fn network() -> impl Strategy<Value = Value> {
    object(vec![
        maybe(
            0.8,
            "latency",
            prop_oneof![
                Just(json!("0us")),
                millis(5).prop_map(Value::from),
                random_millis(5)
            ],
        ),
        maybe(0.2, "bytesPerSecond", select(vec!["10kb", "1mb"])),
    ])
}

// ── the broker ──

fn broker() -> impl Strategy<Value = Value> {
    let cost = || maybe(0.2, "storeLatency", random_millis(3));
    object(vec![
        cost(),
        maybe(0.2, "dispatchCost", random_millis(2)),
        maybe(0.2, "acknowledgeCost", random_millis(2)),
        maybe(0.7, "policies", policies()),
        maybe(0.1, "redeliveryPlugin", redelivery_plugin()),
        maybe(0.2, "restarts", restarts()),
    ])
}

fn redelivery_plugin() -> impl Strategy<Value = Value> {
    let policy = object(vec![
        always("initialRedeliveryDelay", 1000..1500),
        always("redeliveryDelay", 1000..1500),
        maybe(0.5, "maximumRedeliveries", -1..3),
    ]);
    object(vec![
        always("redeliveryPolicy", policy),
        maybe(0.3, "sendToDlqIfMaxRetriesExceeded", any::<bool>()),
    ])
}

fn restarts() -> impl Strategy<Value = Value> {
    (millis(2000), some_millis(300))
        .prop_map(|(at, down_for)| json!([{"at": at, "downFor": down_for}]))
}

fn policies() -> impl Strategy<Value = Value> {
    object(vec![
        maybe(0.8, "queue://A", queue_policy()),
        maybe(0.3, "queue://>", queue_policy()),
        maybe(0.6, "topic://T", topic_policy()),
    ])
}

fn common_policy() -> Vec<Field> {
    vec![
        maybe(0.2, "usePrefetchExtension", any::<bool>()),
        maybe(0.2, "memoryLimit", select(vec!["1b", "3kb", "6kb", "20kb"])),
        maybe(0.1, "producerFlowControl", any::<bool>()),
        maybe(0.1, "sendFailIfNoSpace", any::<bool>()),
        maybe(0.3, "expireMessagesPeriod", select(vec![0, 70, 500])),
        maybe(0.1, "prioritizedMessages", any::<bool>()),
        maybe(0.3, "slowConsumerStrategy", slow_consumer_strategy()),
        maybe(0.3, "deadLetterStrategy", dead_letter_strategy()),
    ]
}

fn queue_policy() -> impl Strategy<Value = Value> {
    let mut fields = common_policy();
    fields.extend([
        maybe(0.2, "queuePrefetch", 0..8),
        maybe(0.2, "strictOrderDispatch", any::<bool>()),
        maybe(0.1, "allConsumersExclusiveByDefault", any::<bool>()),
        maybe(0.1, "consumersBeforeDispatchStarts", 0..3),
        maybe(0.1, "timeBeforeDispatchStarts", 0..500),
        maybe(0.1, "useConsumerPriority", any::<bool>()),
        maybe(0.3, "maxPageSize", 1..10),
        maybe(0.1, "lazyDispatch", any::<bool>()),
        maybe(0.1, "persistJMSRedelivered", any::<bool>()),
    ]);
    object(fields)
}

fn topic_policy() -> impl Strategy<Value = Value> {
    let mut fields = common_policy();
    let limit = prop_oneof![
        (-1..6).prop_map(|limit| json!({"constant": limit})),
        (-1..3).prop_map(|rate| json!({"prefetchRate": f64::from(rate) + 0.5})),
    ];
    fields.extend([
        maybe(0.2, "topicPrefetch", 0..8),
        maybe(0.2, "durableTopicPrefetch", 0..8),
        maybe(0.5, "pendingMessageLimitStrategy", limit),
        maybe(
            0.2,
            "messageEvictionStrategy",
            Just("oldestWithLowestPriority"),
        ),
    ]);
    object(fields)
}

fn slow_consumer_strategy() -> impl Strategy<Value = Value> {
    let common = || {
        vec![
            always("checkPeriod", 20..200),
            maybe(0.7, "maxSlowDuration", -1..300),
            maybe(0.3, "maxSlowCount", -1..3),
            maybe(0.3, "abortConnection", any::<bool>()),
        ]
    };
    let mut by_ack = common();
    by_ack.extend([
        always("maxTimeSinceLastAck", -1..300),
        maybe(0.5, "ignoreIdleConsumers", any::<bool>()),
    ]);
    prop_oneof![
        one_key("abortSlowConsumer", object(common())),
        one_key("abortSlowAckConsumer", object(by_ack)),
    ]
}

fn dead_letter_strategy() -> impl Strategy<Value = Value> {
    let common = || {
        vec![
            maybe(0.3, "processExpired", any::<bool>()),
            maybe(0.5, "processNonPersistent", any::<bool>()),
            maybe(0.3, "enableAudit", any::<bool>()),
            maybe(0.2, "expiration", 1..500),
        ]
    };
    prop_oneof![
        one_key("shared", object(common())),
        one_key("individual", object(common())),
        one_key("discarding", object(vec![])),
    ]
}

// ── producers ──

fn producer() -> impl Strategy<Value = Value> {
    object(vec![
        always(
            "destination",
            prop_oneof![3 => select(QUEUES), 1 => Just("topic://T")],
        ),
        always("messages", 1..25),
        maybe(0.3, "start", millis(300)),
        maybe(0.6, "arrivals", arrivals()),
        maybe(
            0.4,
            "deliveryMode",
            select(vec!["PERSISTENT", "NON_PERSISTENT"]),
        ),
        maybe(0.3, "size", select(vec!["0b", "100b", "5kb"])),
        maybe(0.3, "timeToLive", some_millis(400)),
        maybe(0.3, "priority", 0..10),
        maybe(
            0.2,
            "groups",
            (1..4).prop_map(|count| json!({"count": count})),
        ),
        maybe(0.2, "transaction", producer_transaction()),
        maybe(0.2, "failures", producer_failures()),
        maybe(
            0.3,
            "onSendFailure",
            select(vec!["resend", "sendAsNew", "giveUp"]),
        ),
        maybe(0.4, "url", producer_url()),
    ])
}

fn arrivals() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("atOnce")),
        one_key("every", random_millis(30)),
        (20.0..500.0).prop_map(|rate: f64| json!({"poisson": {"perSecond": rate}})),
        (1..10, some_millis(200))
            .prop_map(|(size, every)| json!({"bursts": {"size": size, "every": every}})),
    ]
}

fn producer_transaction() -> impl Strategy<Value = Value> {
    object(vec![
        always("size", 1..5),
        maybe(0.5, "rollBack", roll_back()),
    ])
}

fn roll_back() -> impl Strategy<Value = Value> {
    vec(1..6u64, 1..3).prop_map(|mut numbers| {
        numbers.sort_unstable();
        numbers.dedup();
        json!(numbers)
    })
}

fn producer_failures() -> impl Strategy<Value = Value> {
    prop_oneof![
        vec(1..20u64, 1..4).prop_map(|numbers| json!({"loseReply": {"messages": numbers}})),
        (0.0..0.5).prop_map(|chance: f64| json!({"loseReply": {"probability": chance}})),
    ]
    .prop_map(|failure| json!([failure]))
}

fn producer_url() -> impl Strategy<Value = String> {
    url(vec![
        maybe(0.3, "jms.useAsyncSend", any::<bool>()),
        maybe(0.2, "jms.alwaysSyncSend", any::<bool>()),
        maybe(0.3, "jms.producerWindowSize", select(vec![1, 2000, 6000])),
        maybe(0.1, "jms.sendTimeout", 1..500),
    ])
}

/// A connection URL with these options.
fn url(options: Vec<Field>) -> impl Strategy<Value = String> {
    (any::<bool>(), object(options)).prop_map(|(failover, options)| {
        let options = options.as_object().expect("an object").iter();
        let options: Vec<String> = options
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let broker = if failover {
            "failover:(tcp://b:61616)"
        } else {
            "tcp://b:61616"
        };
        match options.is_empty() {
            true => broker.to_owned(),
            false => format!("{broker}?{}", options.join("&")),
        }
    })
}

// ── consumers ──

/// What the consumers of one connection, or of one session, have in common.
#[derive(Clone, Debug)]
struct Shared {
    settings: Value,
    members: Vec<Value>,
}

/// Mostly one session with one consumer.
fn connection() -> impl Strategy<Value = (String, Vec<Shared>)> {
    let sessions = prop_oneof![4 => vec(session(), 1), 1 => vec(session(), 2)];
    (consumer_url(), sessions)
}

fn session() -> impl Strategy<Value = Shared> {
    (mode(), any::<bool>()).prop_flat_map(|(settings, listens)| {
        let transacted = settings["acknowledgeMode"] == "SESSION_TRANSACTED";
        let member = move || consumer(listens, transacted);
        // Threads that share a transaction end it while another one is about to be handed a message of it: as below.
        let most = if transacted && !listens { 1 } else { 3 };
        let members = prop_oneof![3 => vec(member(), 1), 1 => vec(member(), most.min(2)..=most)];
        members.prop_map(move |members| Shared {
            settings: settings.clone(),
            members,
        })
    })
}

fn mode() -> impl Strategy<Value = Value> {
    let named = |mode: &'static str| always("acknowledgeMode", Just(mode));
    prop_oneof![
        2 => object(vec![named("AUTO_ACKNOWLEDGE")]),
        1 => object(vec![named("DUPS_OK_ACKNOWLEDGE")]),
        2 => object(vec![named("CLIENT_ACKNOWLEDGE"), maybe(0.7, "acknowledge", acknowledge())]),
        1 => object(vec![named("INDIVIDUAL_ACKNOWLEDGE"), maybe(0.7, "acknowledge", acknowledge())]),
        2 => object(vec![named("SESSION_TRANSACTED"), maybe(0.8, "transaction", transaction())]),
    ]
}

fn acknowledge() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"never": true})),
        (1..6).prop_map(|every| json!({"every": every})),
        (1..6).prop_map(|every| json!({"every": every, "scope": "consumer"})),
    ]
}

fn transaction() -> impl Strategy<Value = Value> {
    object(vec![
        always("size", 1..6),
        maybe(0.5, "rollBack", roll_back()),
        maybe(0.3, "rollBackProbability", 0.0..0.5),
        maybe(0.3, "commitWhenIdle", some_millis(200)),
    ])
}

fn consumer_url() -> impl Strategy<Value = String> {
    let millis = || select(vec![0, 1, 30, 200]);
    url(vec![
        maybe(0.5, "jms.optimizeAcknowledge", any::<bool>()),
        maybe(0.3, "jms.optimizeAcknowledgeTimeOut", millis()),
        maybe(
            0.2,
            "jms.optimizedAckScheduledAckInterval",
            select(vec![0, 40, 300]),
        ),
        maybe(0.1, "jms.sendAcksAsync", any::<bool>()),
        maybe(0.1, "jms.alwaysSessionAsync", any::<bool>()),
        maybe(0.2, "jms.nonBlockingRedelivery", any::<bool>()),
        maybe(0.2, "jms.transactedIndividualAck", any::<bool>()),
        maybe(0.1, "jms.messagePrioritySupported", any::<bool>()),
        maybe(0.1, "jms.consumerExpiryCheckEnabled", any::<bool>()),
        maybe(0.2, "jms.checkForDuplicates", any::<bool>()),
        maybe(0.8, "jms.redeliveryPolicy.initialRedeliveryDelay", millis()),
        // Never 0: a message that always fails would be redelivered for ever, at one instant.
        maybe(
            0.8,
            "jms.redeliveryPolicy.redeliveryDelay",
            select(vec![2, 30, 200]),
        ),
        maybe(0.7, "jms.redeliveryPolicy.maximumRedeliveries", -1..3),
        maybe(
            0.2,
            "jms.redeliveryPolicy.useExponentialBackOff",
            any::<bool>(),
        ),
        maybe(
            0.2,
            "jms.redeliveryPolicy.useCollisionAvoidance",
            any::<bool>(),
        ),
        maybe(0.2, "jms.redeliveryPolicy.preDispatchCheck", any::<bool>()),
    ])
}

fn consumer(listens: bool, transacted: bool) -> impl Strategy<Value = Value> {
    let least = u32::from(listens);
    let on_failure = match (listens, transacted) {
        (true, true) => select(vec!["throw", "rollback", "swallow"]),
        (true, false) => select(vec!["throw", "recover", "swallow"]),
        (false, true) => select(vec!["rollback", "swallow"]),
        (false, false) => select(vec!["recover", "swallow"]),
    };
    let mut fields = vec![
        always("destination", destination_uri()),
        maybe(
            0.9,
            "prefetchSize",
            select(vec![least, 1, 2, 3, 4, 5, 10, 100]),
        ),
        maybe(
            0.7,
            "processing",
            prop_oneof![Just(json!("0ms")), random_millis(60)],
        ),
        maybe(0.3, "start", millis(400)),
        maybe(
            0.2,
            "stop",
            (500..3000u32).prop_map(|millis| format!("{millis}ms")),
        ),
        maybe(0.2, "messages", 1..20),
        maybe(0.5, "onFailure", on_failure),
        maybe(
            0.2,
            "deduplicate",
            (1..10).prop_map(|window| json!({"window": window})),
        ),
        maybe(0.6, "failures", vec(failure(), 1..=3)),
    ];
    if !listens {
        fields.push(always("receive", receive()));
    }
    object(fields)
}

fn destination_uri() -> impl Strategy<Value = String> {
    let options = object(vec![
        maybe(0.1, "consumer.exclusive", any::<bool>()),
        maybe(0.1, "consumer.priority", select(vec![-5, 3, 127])),
        maybe(0.1, "consumer.maximumPendingMessageLimit", 0..5),
    ]);
    (select(DESTINATIONS), options).prop_map(|(destination, options)| {
        let options = options.as_object().expect("an object").iter();
        let options: Vec<String> = options
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        match options.is_empty() {
            true => destination.to_owned(),
            false => format!("{destination}?{}", options.join("&")),
        }
    })
}

fn receive() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => Just(json!("receive")),
        1 => some_millis(100).prop_map(|timeout| json!({"receive": {"timeout": timeout}})),
        1 => Just(json!("receiveNoWait")),
    ]
}

fn failure() -> impl Strategy<Value = Value> {
    let throw = prop_oneof![
        vec(1..15u64, 1..4).prop_map(|numbers| json!({"messages": numbers})),
        (vec(1..15u64, 1..4), 1..4u64)
            .prop_map(|(numbers, times)| json!({"messages": numbers, "times": times})),
        (0.0..0.4).prop_map(|chance: f64| json!({"probability": chance})),
    ];
    let crash = (
        prop_oneof![
            ((1..8u64), any::<bool>())
                .prop_map(|(n, once)| json!({"afterDeliveries": n, "once": once})),
            millis(2000).prop_map(|at| json!({"at": at})),
            random_millis(800).prop_map(|every| json!({"every": every})),
        ],
        option::weighted(0.8, some_millis(300)),
        option::weighted(0.3, millis(300)),
    );
    let crash = crash.prop_map(|(mut crash, restart_after, detected_after)| {
        extend(&mut crash, "restartAfter", restart_after);
        extend(&mut crash, "detectedAfter", detected_after);
        crash
    });
    let close = object(vec![
        always("afterDeliveries", 1..8),
        maybe(0.8, "restartAfter", some_millis(300)),
        maybe(0.5, "once", any::<bool>()),
    ]);
    let hang = object(vec![
        always("afterDeliveries", 1..8),
        maybe(0.9, "for", millis(400)),
        maybe(0.5, "once", any::<bool>()),
    ]);
    let disconnect = object(vec![always("at", millis(2000)), always("for", millis(300))]);
    prop_oneof![
        3 => one_key("throw", throw),
        2 => one_key("crash", crash),
        1 => one_key("close", close),
        1 => one_key("hang", hang),
        1 => one_key("disconnect", disconnect),
    ]
}

fn extend(object: &mut Value, key: &str, value: Option<String>) {
    if let Some(value) = value {
        object[key] = value.into();
    }
}

/// Names everybody, and lays what sessions and connections share over their consumers. On topics every other
/// consumer is durable.
fn consumers(connections: Vec<(String, Vec<Shared>)>) -> Value {
    let mut consumers = Vec::new();
    for (k, (mut url, sessions)) in connections.into_iter().enumerate() {
        // Threads that share a session must not wait for answers there: another one may recover meanwhile what the
        // first is about to be handed. JMS forbids it, and what then happens is anybody's guess.
        let receives = |session: &Shared| session.members[0].get("receive").is_some();
        if sessions
            .iter()
            .any(|session| session.members.len() > 1 && receives(session))
        {
            url = url.replace("jms.sendAcksAsync=false", "jms.sendAcksAsync=true");
        }
        for (s, session) in sessions.into_iter().enumerate() {
            for member in session.members {
                let number = consumers.len() + 1;
                let mut consumer: Map<String, Value> = object_of(member);
                consumer.extend(object_of(session.settings.clone()));
                consumer.insert("name".into(), format!("c{number}").into());
                consumer.insert("url".into(), url.clone().into());
                consumer.insert("connection".into(), format!("k{k}").into());
                consumer.insert("session".into(), format!("k{k}s{s}").into());
                let on_topic = consumer["destination"]
                    .as_str()
                    .is_some_and(|uri| uri.starts_with("topic"));
                if on_topic && number.is_multiple_of(2) {
                    consumer.insert("durable".into(), format!("d{number}").into());
                }
                consumers.push(Value::Object(consumer));
            }
        }
    }
    Value::Array(consumers)
}

fn object_of(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("no object: {other}"),
    }
}
