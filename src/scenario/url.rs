//! Connection URLs and destination URIs, as an application has them.
//!
//! ```text
//! failover:(tcp://a:1,tcp://b:1?keepAlive=true)?initialReconnectDelay=50&jms.sendAcksAsync=false
//! ───┬──── ────┬────           ──────┬─────── ──────────┬───────────── ──────────┬────────────
//! scheme    broker, of whom      TCP option       failover option           client option
//!           one stands for all
//!
//! queue://orders?consumer.prefetchSize=10
//! ```

use std::borrow::Cow;

use super::json::{Node, Place, place_within};
use super::limits;
use super::model::DestinationKind;
use super::nearest::nearest;
use super::options::{
    ActiveMqOption, CONSUMER, Effect, FAILOVER, JMS, OptionValue, PRODUCER, Setting, TCP,
    hash_map_order,
};
use super::report::Report;

/// What a connection URL says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConnectionUrl {
    /// Whether it reconnects.
    pub failover: bool,
    /// In the order in which ActiveMQ applies them: of two that contradict, the last wins.
    pub settings: Vec<Setting>,
}

/// What a destination URI says.
#[derive(Clone, Debug, PartialEq)]
pub struct DestinationUri {
    /// Queue or topic.
    pub kind: DestinationKind,
    /// Without scheme and options.
    pub name: String,
    /// Options of this side.
    pub settings: Vec<Setting>,
}

/// Who uses a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `consumer.*` applies.
    Consumer,
    /// `producer.*` applies.
    Producer,
}

/// A string of the file, of which parts can be pointed at.
struct Pointer<'a> {
    text: &'a str,
    node: &'a Node,
}

impl<'a> Pointer<'a> {
    fn new(node: &'a Node) -> Pointer<'a> {
        Pointer {
            text: node.as_text().unwrap_or(""),
            node,
        }
    }

    fn place(&self, from: usize, to: usize, report: &Report) -> Place {
        place_within(report.text(self.node.place.text), self.node.place, from, to)
    }

    /// The place of a part of the text.
    fn place_of(&self, part: &str, report: &Report) -> Place {
        let from = (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let from = from.min(self.text.len());
        self.place(from, from + part.len(), report)
    }
}

/// One `name=value` of a query.
struct Parameter<'a> {
    name: Cow<'a, str>,
    value: Option<Cow<'a, str>>,
    name_place: Place,
    value_place: Place,
}

const SCHEMES: &[&str] = &[
    "tcp", "nio", "ssl", "nio+ssl", "auto", "auto+ssl", "auto+nio", "vm", "http", "https",
];

/// Reads a connection URL.
pub fn connection_url(node: &Node, report: &mut Report) -> ConnectionUrl {
    let pointer = Pointer::new(node);
    let mut result = ConnectionUrl::default();
    if is_too_long(node, pointer.text, report) {
        return result;
    }
    if let Some(bad) = pointer
        .text
        .find(|c: char| c.is_whitespace() || "\"<>\\^`{}|".contains(c))
    {
        let end = bad + pointer.text[bad..].chars().next().map_or(1, char::len_utf8);
        let place = pointer.place(bad, end, report);
        report.error_with(
            place,
            "a URL cannot contain this character",
            ["write it as %XX"],
        );
        return result;
    }
    let Some((scheme, rest)) = pointer.text.split_once(':') else {
        report.error_with(
            node.place,
            "a connection URL begins with a scheme",
            ["such as \"tcp://localhost:61616\" or \"failover:(tcp://localhost:61616)\""],
        );
        return result;
    };
    if scheme == "failover" {
        result.failover = true;
        failover(&pointer, rest, &mut result, report);
    } else if is_known_scheme(scheme, &pointer, report) {
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        result.settings = client_options(&pointer, query, false, report);
    }
    result
}

fn is_too_long(node: &Node, text: &str, report: &mut Report) -> bool {
    let too_long = text.len() > limits::URL_BYTES;
    if too_long {
        let message = format!("this is longer than {} bytes", limits::URL_BYTES);
        report.error(node.place, message);
    }
    too_long
}

fn is_known_scheme(scheme: &str, pointer: &Pointer, report: &mut Report) -> bool {
    if SCHEMES.contains(&scheme) {
        return true;
    }
    let place = pointer.place_of(scheme, report);
    if scheme == "failover" {
        let help = "name its brokers here: failover:(tcp://a:61616,tcp://b:61616)";
        report.error_with(place, "`failover:` stands within `failover:`", [help]);
        return false;
    }
    let help = match nearest(scheme, SCHEMES.iter().copied().chain(["failover"])) {
        Some(near) => format!("did you mean `{near}:`?"),
        None => "use tcp: or failover:, which mean the same here for most others".to_owned(),
    };
    report.error_with(
        place,
        format!("the transport `{scheme}:` is not modelled"),
        [help],
    );
    false
}

/// `failover:(…,…)?…`; ActiveMQ wants no brackets around a single broker, but then there are no
/// options.
fn failover(pointer: &Pointer, rest: &str, result: &mut ConnectionUrl, report: &mut Report) {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let Some(inner) = rest.strip_prefix('(') else {
        return components(pointer, rest, report);
    };
    let Some(close) = closing_bracket(inner) else {
        let place = pointer.place_of(&rest[..1], report);
        return report.error(place, "this bracket is never closed");
    };
    components(pointer, &inner[..close], report);
    let behind = &inner[close + 1..];
    match behind.split_once('?') {
        Some((path, query)) if path.is_empty() || path.starts_with('/') => {
            result.settings = client_options(pointer, query, true, report);
        }
        None if behind.is_empty() || behind.starts_with('/') => {}
        _ => {
            let place = pointer.place_of(behind, report);
            let help = "options follow the bracket and a question mark: failover:(…)?jms.…";
            report.error_with(place, "this does not belong behind the bracket", [help]);
        }
    }
}

fn closing_bracket(inner: &str) -> Option<usize> {
    let mut depth = 0;
    inner.bytes().position(|byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        depth < 0
    })
}

/// The brokers of a failover URL.
fn components(pointer: &Pointer, list: &str, report: &mut Report) {
    if list.trim().is_empty() {
        let message = "a failover URL names at least one broker";
        return report.error(pointer.node.place, message);
    }
    for component in list.split(',') {
        let Some((scheme, rest)) = component.split_once(':') else {
            let message = format!("`{component}` is no URL");
            report.error(pointer.place_of(component, report), message);
            continue;
        };
        if !is_known_scheme(scheme, pointer, report) {
            continue;
        }
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        for parameter in parameters(pointer, query, report) {
            if parameter.name.starts_with("jms.") {
                let message = format!(
                    "ActiveMQ refuses `{}` among a broker's own options",
                    parameter.name
                );
                let help = "client options stand behind the bracket: failover:(tcp://…)?jms.…";
                report.error_with(parameter.name_place, message, [help]);
            } else {
                transport_option(&parameter, report);
            }
        }
    }
}

/// Options of a whole URL: those of the client library, and those of its transport.
fn client_options(
    pointer: &Pointer,
    query: &str,
    failover: bool,
    report: &mut Report,
) -> Vec<Setting> {
    let parameters = parameters(pointer, query, report);
    let (mut client, mut transport) = (Vec::new(), Vec::new());
    for parameter in in_hash_order(&parameters, 16) {
        if parameter.name.starts_with("jms.") {
            client.extend(setting(parameter, JMS, "connection factory", report));
        } else if failover && !parameter.name.starts_with("nested.") {
            transport.extend(setting(parameter, FAILOVER, "failover transport", report));
        } else {
            transport_option(parameter, report);
        }
    }
    transport.extend(in_order_of_application(client, parameters.len()));
    transport
}

fn in_hash_order<'a, 'b>(
    parameters: &'b [Parameter<'a>],
    capacity: usize,
) -> impl Iterator<Item = &'b Parameter<'a>> {
    let names: Vec<Cow<str>> = parameters
        .iter()
        .map(|parameter| parameter.name.clone())
        .collect();
    hash_map_order(&names, capacity)
        .into_iter()
        .map(|number| &parameters[number])
}

/// `IntrospectionSupport.extractProperties` moves the `jms.` options into a map of their own, made for
/// as many as there are options at all.
fn in_order_of_application(settings: Vec<Setting>, capacity: usize) -> Vec<Setting> {
    let stripped: Vec<Cow<str>> = settings
        .iter()
        .map(|setting| Cow::from(setting.name.strip_prefix("jms.").unwrap_or(setting.name)))
        .collect();
    rule!(
        "options-in-hash-order",
        settings
            .iter()
            .any(|setting| setting.name == "jms.prefetchPolicy.all")
    );
    let order = hash_map_order(&stripped, capacity);
    order
        .into_iter()
        .map(|number| settings[number].clone())
        .collect()
}

/// Splits a query. A name that stands twice is reported, and its last value counts.
fn parameters<'a>(
    pointer: &Pointer<'a>,
    query: &'a str,
    report: &mut Report,
) -> Vec<Parameter<'a>> {
    let mut result: Vec<Parameter> = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (part, None),
        };
        let Some(parameter) = decoded(pointer, name, value, report) else {
            continue;
        };
        match result.iter_mut().find(|other| other.name == parameter.name) {
            Some(earlier) => {
                let message = format!("`{}` is given again: the last value counts", parameter.name);
                report.warning(parameter.name_place, message);
                *earlier = parameter;
            }
            None => result.push(parameter),
        }
    }
    result
}

fn decoded<'a>(
    pointer: &Pointer<'a>,
    name: &'a str,
    value: Option<&'a str>,
    report: &mut Report,
) -> Option<Parameter<'a>> {
    let mut decode = |part: &'a str| {
        let decoded = percent_decoded(part);
        if decoded.is_none() {
            let place = pointer.place_of(part, report);
            report.error(
                place,
                "a percent sign is followed by two hexadecimal digits of UTF-8",
            );
        }
        decoded
    };
    Some(Parameter {
        name: decode(name)?,
        value: match value {
            Some(value) => Some(decode(value)?),
            None => None,
        },
        name_place: pointer.place_of(name, report),
        value_place: pointer.place_of(value.unwrap_or(name), report),
    })
}

/// As `java.net.URLDecoder` does it.
fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || (rest.next()? as char).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// Finds the option in its table and converts the value.
fn setting(
    parameter: &Parameter,
    table: &'static [ActiveMqOption],
    refuses: &str,
    report: &mut Report,
) -> Option<Setting> {
    let Some(option) = table.iter().find(|option| option.name == parameter.name) else {
        unknown_option(parameter, table, refuses, report);
        return None;
    };
    match option.effect {
        Effect::Used => {}
        Effect::None(why) => {
            let message = format!("`{}` has no effect here: {why}", option.name);
            report.note(parameter.name_place, message);
        }
        Effect::Refused(why) => {
            let message = format!("`{}` is not modelled", option.name);
            report.error_with(parameter.name_place, message, [why]);
            return None;
        }
    }
    let Some(value) = parameter.value.as_deref().filter(|value| !value.is_empty()) else {
        let message = format!("`{}` has no value", option.name);
        report.error(parameter.name_place, message);
        return None;
    };
    convert(option, value, parameter.value_place, report)
}

/// Converts the value of an option, or says why that cannot be done.
pub fn convert(
    option: &'static ActiveMqOption,
    text: &str,
    place: Place,
    report: &mut Report,
) -> Option<Setting> {
    match option.convert(text) {
        Ok(value) => Some(Setting {
            name: option.name,
            value: clamped(option, value, place, report),
            place,
        }),
        Err(fault) => {
            report.error_with(
                place,
                format!("`{}` {}", option.name, fault.message),
                fault.help,
            );
            None
        }
    }
}

/// `ActiveMQPrefetchPolicy.getMaxPrefetchLimit`: what a prefetch policy sets is at most 32767. Its
/// setter for `optimizeDurableTopicPrefetch` forgot that, and `consumer.prefetchSize` goes past it.
fn clamped(
    option: &ActiveMqOption,
    value: OptionValue,
    place: Place,
    report: &mut Report,
) -> OptionValue {
    const LARGEST: i64 = i16::MAX as i64;
    let is_clamped = matches!(
        option.name,
        "jms.prefetchPolicy.all"
            | "jms.prefetchPolicy.queuePrefetch"
            | "jms.prefetchPolicy.topicPrefetch"
            | "jms.prefetchPolicy.durableTopicPrefetch"
    );
    match value {
        OptionValue::Whole(wanted) if is_clamped && wanted > LARGEST => {
            rule!("prefetch-policy-is-a-short");
            report.warning(
                place,
                format!("ActiveMQ cuts a prefetch of {wanted} to {LARGEST}"),
            );
            OptionValue::Whole(LARGEST)
        }
        _ => value,
    }
}

fn unknown_option(
    parameter: &Parameter,
    table: &[ActiveMqOption],
    refuses: &str,
    report: &mut Report,
) {
    let name = &parameter.name;
    rule!("unknown-options-are-refused");
    let message = format!("ActiveMQ's {refuses} has no option `{name}` and refuses to start");
    let help = nearest(name, table.iter().map(|option| option.name))
        .or_else(|| nearest(name, JMS.iter().map(|option| option.name)))
        .map(|near| format!("did you mean `{near}`?"));
    report.error_with(parameter.name_place, message, help);
}

fn transport_option(parameter: &Parameter, report: &mut Report) {
    let name = &*parameter.name;
    let is_known = |known: &&&str| match known.strip_suffix('.') {
        Some(_) => name.starts_with(**known),
        None => name == **known,
    };
    if TCP.iter().any(|known| is_known(&known)) {
        let message =
            format!("`{name}` has no effect here: the bytes on the wire are not modelled");
        return report.note(parameter.name_place, message);
    }
    let all = JMS
        .iter()
        .map(|option| option.name)
        .chain(TCP.iter().copied());
    let near = nearest(name, all.chain(FAILOVER.iter().map(|option| option.name)));
    let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    let message =
        format!("`{name}` is no known option; ActiveMQ refuses what it does not know{hint}");
    report.warning(parameter.name_place, message);
}

/// Reads a destination with its options.
pub fn destination(node: &Node, side: Side, report: &mut Report) -> Option<DestinationUri> {
    let pointer = Pointer::new(node);
    if is_too_long(node, pointer.text, report) {
        return None;
    }
    let (path, query) = pointer.text.split_once('?').unwrap_or((pointer.text, ""));
    let (kind, name) = kind_and_name(path, node.place, report)?;
    if let Some(wildcard) = name.split('.').find(|part| matches!(*part, "*" | ">")) {
        let message = "consumers and producers with wildcard destinations are not modelled";
        report.error(pointer.place_of(wildcard, report), message);
        return None;
    }
    let mut settings = Vec::new();
    for parameter in &parameters(&pointer, query, report) {
        settings.extend(destination_option(parameter, side, report));
    }
    Some(DestinationUri {
        kind,
        name: name.to_owned(),
        settings,
    })
}

/// Splits `queue://NAME`; also for the keys of policies.
pub fn kind_and_name<'a>(
    text: &'a str,
    place: Place,
    report: &mut Report,
) -> Option<(DestinationKind, &'a str)> {
    let schemes = [
        ("queue://", DestinationKind::Queue),
        ("topic://", DestinationKind::Topic),
    ];
    let found = schemes
        .iter()
        .find_map(|(scheme, kind)| Some((*kind, text.strip_prefix(scheme)?)));
    let Some((kind, name)) = found else {
        let bare = text.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '-');
        let help = match bare.strip_prefix(':') {
            Some(name) => format!("did you mean \"queue://{}\"?", name.trim_start_matches('/')),
            None => format!("did you mean \"queue://{text}\"?"),
        };
        let message = match text.starts_with("temp-") {
            true => "temporary destinations are not modelled",
            false => "a destination begins with queue:// or topic://",
        };
        report.error_with(place, message, [help]);
        return None;
    };
    match name_fault(name) {
        None => Some((kind, name)),
        Some(fault) => {
            report.error(place, fault);
            None
        }
    }
}

fn name_fault(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        Some("the destination has no name".to_owned())
    } else if name.len() > limits::NAME_BYTES {
        Some(format!(
            "the destination's name is longer than {} bytes",
            limits::NAME_BYTES
        ))
    } else if name.contains(',') {
        Some("composite destinations are not modelled: name one queue or topic".to_owned())
    } else if name.trim() != name || name.chars().any(char::is_control) {
        Some("a destination's name has no spaces around it and no control characters".to_owned())
    } else {
        None
    }
}

fn destination_option(parameter: &Parameter, side: Side, report: &mut Report) -> Option<Setting> {
    let (own, table, other) = match side {
        Side::Consumer => ("consumer.", CONSUMER, "producer."),
        Side::Producer => ("producer.", PRODUCER, "consumer."),
    };
    let name = &parameter.name;
    if name.starts_with(own) {
        return setting(parameter, table, own.trim_end_matches('.'), report);
    }
    let message = if name.starts_with(other) {
        format!("`{name}` has no effect here: ActiveMQ looks at `{own}` options only")
    } else if name.starts_with("jms.") {
        format!("ActiveMQ ignores `{name}` in a destination: it belongs into the url")
    } else {
        let near = nearest(name, table.iter().map(|option| option.name));
        let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        format!("ActiveMQ ignores `{name}` without a word{hint}")
    };
    rule!("foreign-options-are-ignored");
    report.warning(parameter.name_place, message);
    None
}
