//! What the URLs come to: every option of a connection decided by precedence.
//!
//! From strong to weak: a varied setting, the client's own URL, the broker's URL, ActiveMQ's
//! default. (The destination URI stands above them all; it has options of its own, which the
//! consumer's and the producer's reader lay over these.)

use super::json::{Node, Place};
use super::model::{ClientOptions, RedeliveryPolicy};
use super::options::{OptionValue, Setting};
use super::report::Report;
use super::url::{ConnectionUrl, connection_url};
use crate::kernel::Span;

/// Settings of a connection, from strong to weak. Within a layer the last one wins.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layers<'a> {
    /// Laid over the file by a comparison.
    pub varied: &'a [Setting],
    /// The client's own URL.
    pub own: &'a [Setting],
    /// The broker's URL.
    pub broker: &'a [Setting],
}

/// What a client may take from elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The broker's URL.
    pub broker: &'a ConnectionUrl,
    /// Whether the broker restarts: then every client reconnects, as it does with the recorder of
    /// references.
    pub restarts: bool,
    /// Settings that a comparison lays over this client.
    pub varied: &'a [Setting],
}

impl<'a> Surroundings<'a> {
    /// What the client's own URL says. Without one it has the broker's transport.
    pub fn own_url(&self, node: &Node, report: &mut Report) -> ConnectionUrl {
        match node.get("url") {
            Some(url) => connection_url(url, report),
            None => ConnectionUrl {
                failover: self.broker.failover,
                settings: Vec::new(),
            },
        }
    }

    /// The settings of a client with this URL.
    pub fn layers<'b>(&self, own: &'b ConnectionUrl) -> Layers<'b>
    where
        'a: 'b,
    {
        Layers {
            varied: self.varied,
            own: &own.settings,
            broker: &self.broker.settings,
        }
    }
}

/// `ActiveMQPrefetchPolicy`, and what decides which of its values a durable subscription gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefetchPolicy {
    /// Default 1000.
    pub queue: u32,
    /// Default 32767.
    pub topic: u32,
    /// Default 100: durable subscriptions in sessions that are not AUTO_ACKNOWLEDGE.
    pub durable: u32,
    /// Default 1000: durable subscriptions in AUTO_ACKNOWLEDGE sessions.
    pub optimize_durable: u32,
    /// Default true: whether the one before is used at all.
    pub optimized_message_dispatch: bool,
    /// Default 0: none.
    pub maximum_pending_message_limit: u32,
}

impl<'a> Layers<'a> {
    fn each(&self) -> [&'a [Setting]; 3] {
        [self.varied, self.own, self.broker]
    }

    /// The setting that counts, of several names the one that was applied last.
    fn last_of(&self, names: &[&str]) -> Option<&'a Setting> {
        let in_layer = |layer: &'a [Setting]| {
            layer
                .iter()
                .rev()
                .find(|setting| names.contains(&setting.name))
        };
        self.each().into_iter().find_map(in_layer)
    }

    /// The setting that counts.
    pub fn find(&self, name: &str) -> Option<&'a Setting> {
        self.last_of(&[name])
    }

    /// Where the client's own URL (or URI) sets an option.
    pub fn own_setting(&self, name: &str) -> Option<Place> {
        let of_name = |setting: &&Setting| setting.name == name;
        self.own
            .iter()
            .rev()
            .find(of_name)
            .map(|setting| setting.place)
    }

    /// The truth value of an option.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        match self.find(name).map(|setting| setting.value) {
            Some(OptionValue::Flag(value)) => value,
            _ => default,
        }
    }

    /// The whole number of an option.
    pub fn whole<T: TryFrom<i64>>(&self, name: &str, default: T) -> T {
        whole(self.find(name)).unwrap_or(default)
    }

    fn number(&self, name: &str, default: f64) -> f64 {
        match self.find(name).map(|setting| setting.value) {
            Some(OptionValue::Number(value)) => value,
            _ => default,
        }
    }

    /// Milliseconds of an option for which 0 and less mean "off".
    fn time_out(&self, name: &str, default: i64) -> Option<Span> {
        let millis: i64 = self.whole(name, default);
        u64::try_from(millis)
            .ok()
            .filter(|millis| *millis > 0)
            .map(Span::from_millis)
    }

    fn delay(&self, name: &str, default: u64) -> Span {
        Span::from_millis(self.whole(name, default))
    }

    fn prefetch(&self, name: &str, default: u32) -> u32 {
        whole(self.last_of(&[name, "jms.prefetchPolicy.all"])).unwrap_or(default)
    }

    /// The prefetch policy of the connection.
    pub fn prefetch_policy(&self) -> PrefetchPolicy {
        let optimize_durable = "jms.prefetchPolicy.optimizeDurableTopicPrefetch";
        PrefetchPolicy {
            queue: self.prefetch("jms.prefetchPolicy.queuePrefetch", 1000),
            topic: self.prefetch("jms.prefetchPolicy.topicPrefetch", 32767),
            durable: self.prefetch("jms.prefetchPolicy.durableTopicPrefetch", 100),
            optimize_durable: self.prefetch(optimize_durable, 1000),
            optimized_message_dispatch: self.flag("jms.optimizedMessageDispatch", true),
            maximum_pending_message_limit: self
                .whole("jms.prefetchPolicy.maximumPendingMessageLimit", 0),
        }
    }

    /// All other options of the connection.
    pub fn client_options(&self, failover: bool) -> ClientOptions {
        let non_blocking_redelivery = self.flag("jms.nonBlockingRedelivery", false);
        let message_priority_supported = self.flag("jms.messagePrioritySupported", false);
        let window: i64 = self.whole("jms.producerWindowSize", 0);
        ClientOptions {
            failover,
            initial_reconnect_delay: self.delay("initialReconnectDelay", 10),
            use_exponential_back_off: self.flag("useExponentialBackOff", true),
            optimize_acknowledge: self.flag("jms.optimizeAcknowledge", false),
            optimize_acknowledge_time_out: self.time_out("jms.optimizeAcknowledgeTimeOut", 300),
            optimized_ack_scheduled_ack_interval: self
                .time_out("jms.optimizedAckScheduledAckInterval", 0),
            send_acks_async: self.flag("jms.sendAcksAsync", true),
            use_async_send: self.flag("jms.useAsyncSend", false),
            always_sync_send: self.flag("jms.alwaysSyncSend", false),
            send_timeout: self.time_out("jms.sendTimeout", 0),
            producer_window_size: window.try_into().unwrap_or(0),
            dispatch_async: self.flag("jms.dispatchAsync", true),
            always_session_async: self.flag("jms.alwaysSessionAsync", true),
            non_blocking_redelivery,
            transacted_individual_ack: self.flag("jms.transactedIndividualAck", false)
                || non_blocking_redelivery
                || message_priority_supported,
            message_priority_supported,
            consumer_expiry_check_enabled: self.flag("jms.consumerExpiryCheckEnabled", true),
            check_for_duplicates: self.flag("jms.checkForDuplicates", true),
            exclusive_consumer: self.flag("jms.exclusiveConsumer", false),
            watch_topic_advisories: self.flag("jms.watchTopicAdvisories", true),
            close_timeout: self.delay("jms.closeTimeout", 15_000),
            redelivery_policy: self.redelivery_policy(),
        }
    }

    fn redelivery_policy(&self) -> RedeliveryPolicy {
        let default = RedeliveryPolicy::default();
        let name = |option| format!("jms.redeliveryPolicy.{option}");
        let flag = |option, default| self.flag(&name(option), default);
        let millis = |option, default| self.whole(&name(option), default);
        let maximum: i64 = self.whole(&name("maximumRedeliveries"), 6);
        RedeliveryPolicy {
            maximum_redeliveries: u32::try_from(maximum).ok(),
            initial_redelivery_delay: millis(
                "initialRedeliveryDelay",
                default.initial_redelivery_delay,
            ),
            redelivery_delay: millis("redeliveryDelay", default.redelivery_delay),
            use_exponential_back_off: flag(
                "useExponentialBackOff",
                default.use_exponential_back_off,
            ),
            back_off_multiplier: self
                .number(&name("backOffMultiplier"), default.back_off_multiplier),
            maximum_redelivery_delay: millis(
                "maximumRedeliveryDelay",
                default.maximum_redelivery_delay,
            ),
            use_collision_avoidance: flag("useCollisionAvoidance", default.use_collision_avoidance),
            collision_avoidance_percent: self.whole(
                &name("collisionAvoidancePercent"),
                default.collision_avoidance_percent,
            ),
            pre_dispatch_check: flag("preDispatchCheck", default.pre_dispatch_check),
        }
    }
}

fn whole<T: TryFrom<i64>>(setting: Option<&Setting>) -> Option<T> {
    match setting?.value {
        OptionValue::Whole(value) => T::try_from(value).ok(),
        _ => None,
    }
}

/// ActiveMQ's defaults on a plain transport.
impl Default for ClientOptions {
    fn default() -> ClientOptions {
        Layers::default().client_options(false)
    }
}
