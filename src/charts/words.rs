//! The words over the pictures: which run, and what there is to see in it, as a sentence computed
//! from its numbers.

use super::axis::{duration, percent, significant, thousands};
use super::page::Words;
use super::window::Reason;
use super::{Charts, Consumer, Losses};
use crate::kernel::{Span, Time};
use crate::metrics::ConsumerState;

/// A name that does not push everything else off the page.
fn brief(name: &str) -> String {
    cut(name, 36)
}

/// The same for any length.
pub fn cut(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    let start: String = name.chars().take(most - 1).collect();
    format!("{start}…")
}

fn words(charts: &Charts, what: &str, point: String, note: String) -> Words {
    let rules = charts
        .rules
        .map_or(String::new(), |rules| format!(" ({rules})"));
    Words {
        title: format!("{}{rules}: {what}", cut(&charts.name, 56)),
        point,
        note,
    }
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{} times", thousands(count)),
    }
}

fn deliveries(charts: &Charts) -> u64 {
    charts
        .consumers
        .iter()
        .map(|consumer| consumer.delivered)
        .sum()
}

/// The consumer with the largest value; the first of equals.
fn most(consumers: &[Consumer], value: impl Fn(&Consumer) -> f64) -> Option<&Consumer> {
    let mut best: Option<&Consumer> = None;
    for consumer in consumers {
        if best.is_none_or(|best| value(consumer) > value(best)) {
            best = Some(consumer);
        }
    }
    best
}

fn least(consumers: &[Consumer], value: impl Fn(&Consumer) -> f64) -> Option<&Consumer> {
    most(consumers, |consumer| -value(consumer))
}

/// Who starved while who hoarded, if anybody did.
fn starvation(consumers: &[Consumer]) -> Option<String> {
    let starved = most(consumers, |consumer| consumer.shares.starved)?;
    let hoarder = consumers
        .iter()
        .filter(|other| other.destination == starved.destination && other.name != starved.name);
    let hoarder = hoarder.max_by_key(|other| (other.max_held, std::cmp::Reverse(other.number)))?;
    (starved.shares.starved >= 0.01 && hoarder.max_held > 1).then(|| {
        format!(
            "{} held up to {} messages while {} starved {} of the time.",
            brief(&hoarder.name),
            thousands(hoarder.max_held),
            brief(&starved.name),
            percent(starved.shares.starved),
        )
    })
}

fn crash(charts: &Charts) -> Option<String> {
    let crashed = most(&charts.consumers, |consumer| consumer.crashes as f64)?;
    let again: u64 = charts
        .consumers
        .iter()
        .map(|consumer| consumer.redelivered)
        .sum();
    let all = deliveries(charts);
    let name = brief(&crashed.name);
    let repeats = format!("{} of {} deliveries", thousands(again), thousands(all));
    match (crashed.crashes, again) {
        (0, 0) => None,
        (0, _) => Some(format!("{repeats} were redeliveries.")),
        (count, _) => Some(format!(
            "{name} crashed {}; {repeats} were redeliveries.",
            times(count)
        )),
    }
}

fn work(consumers: &[Consumer]) -> Option<String> {
    let busiest = most(consumers, |consumer| consumer.shares.busy)?;
    let laziest = least(consumers, |consumer| consumer.shares.busy)?;
    if consumers.len() == 1 {
        let (name, share) = (brief(&busiest.name), percent(busiest.shares.busy));
        let held = messages(busiest.max_held);
        return Some(format!(
            "{name} was busy {share} of the time and held at most {held}."
        ));
    }
    let (low, high) = (percent(laziest.shares.busy), percent(busiest.shares.busy));
    Some(match low == high {
        true => format!("Every consumer was busy {low} of the time; none starved."),
        false => format!(
            "{} was busy {high} of the time, {} only {low}; none starved.",
            brief(&busiest.name),
            brief(&laziest.name),
        ),
    })
}

/// What was lost on the way, as a sentence. What expired, or was thrown out, may have been
/// dead-lettered as well.
fn losses(charts: &Charts) -> Option<String> {
    let Losses {
        dead_lettered,
        expired,
        discarded,
    } = charts.losses;
    let dead = dead_lettered.saturating_sub(expired);
    let gone = discarded.saturating_sub(dead);
    let was = |count: u64| if count == 1 { "was" } else { "were" };
    let parts = [
        (expired, format!("{} expired", messages(expired))),
        (
            dead,
            format!("{} {} dead-lettered", messages(dead), was(dead)),
        ),
        (gone, format!("{} {} discarded", messages(gone), was(gone))),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(_, text)| text)
        .collect();
    (!parts.is_empty()).then(|| format!("{}.", parts.join(", ")))
}

fn broker(charts: &Charts) -> Option<String> {
    let &(from, to) = charts.view.broker_down.first()?;
    let (from, length) = (
        duration(from as f64),
        duration(to.saturating_sub(from) as f64),
    );
    Some(match to {
        u64::MAX => format!("The broker stopped at {from}."),
        _ => format!("The broker was away for {length} from {from} on."),
    })
}

fn slow(charts: &Charts) -> Option<String> {
    let slow = charts
        .consumers
        .iter()
        .find(|consumer| consumer.slow_marks > 0)?;
    let name = brief(&slow.name);
    Some(format!(
        "The broker marked {name} slow {}.",
        times(slow.slow_marks)
    ))
}

fn abort(charts: &Charts) -> Option<String> {
    let aborted = charts
        .consumers
        .iter()
        .find(|consumer| consumer.aborts > 0)?;
    let times = times(aborted.aborts);
    Some(format!(
        "{} was aborted {times} for being slow.",
        brief(&aborted.name)
    ))
}

fn nothing(charts: &Charts) -> Option<String> {
    (deliveries(charts) == 0).then(|| "No message was delivered to any consumer.".to_owned())
}

/// Over the timeline.
pub fn timeline(charts: &Charts, lanes: usize) -> Words {
    let consumers = &charts.consumers;
    let around_event = match charts.view.reason {
        Some(Reason::Broker) => broker(charts),
        Some(Reason::Slow) => slow(charts),
        Some(_) => crash(charts),
        None => None,
    };
    let main = nothing(charts)
        .or_else(|| abort(charts))
        .or(around_event)
        .or_else(|| starvation(consumers))
        .or_else(|| crash(charts))
        .or_else(|| work(consumers));
    let point: Vec<String> = main.into_iter().chain(losses(charts)).collect();
    let point = point.join(" ");
    let mut notes = Vec::new();
    let view = &charts.view;
    if !view.is_whole {
        let around = match view.reason {
            Some(reason) if view.from > Time::ZERO => format!(", around {}", reason.text()),
            _ => String::new(),
        };
        notes.push(format!(
            "Shown: {} of {} deliveries, {} of {}{around}.",
            thousands(view.shown),
            thousands(view.total),
            duration(view.to.since(view.from).0 as f64),
            duration(charts.ended_at.0 as f64),
        ));
    }
    if lanes < consumers.len() {
        notes.push(format!(
            "{lanes} of {} consumers: those that differ most.",
            consumers.len()
        ));
    }
    notes.extend(quiet(charts));
    words(charts, "what every consumer did", point, notes.join(" "))
}

/// That a long quiet end is left out, and what stays as it is then.
fn quiet(charts: &Charts) -> Option<String> {
    let left_out = charts.shown_until < charts.ended_at;
    let sum = |value: fn(&ConsumerState) -> u32| -> u64 {
        charts
            .at_end
            .iter()
            .map(|state| u64::from(value(state)))
            .sum()
    };
    let stay = |count: u64, place: &str| {
        format!(
            ": {} {} {place}",
            messages(count),
            if count == 1 { "stays" } else { "stay" }
        )
    };
    let busy = charts.at_end.iter().position(|state| state.is_busy);
    let state = match (
        busy,
        sum(|state| state.awaiting),
        sum(|state| state.buffered),
    ) {
        (Some(index), ..) => format!(
            ": {} is still at work",
            brief(&charts.consumers[index].name)
        ),
        (None, 0, 0) => String::new(),
        (None, 0, buffered) => stay(buffered, "in buffers"),
        (None, awaiting, _) => stay(awaiting, "without an ack"),
    };
    let end = duration(charts.ended_at.0 as f64);
    left_out.then(|| format!("Nothing more happens until the end of the run at {end}{state}."))
}

/// Over the queue.
pub fn queue(charts: &Charts) -> Words {
    let shown = super::queue::shown(charts);
    let point = shown
        .first()
        .map_or("No message ever waited.".to_owned(), |&index| {
            let destination = &charts.levels.destinations[index];
            let waited = match destination.waiting.peak() {
                0 => "No message had to wait".to_owned(),
                count => format!("Up to {} waited", messages(count)),
            };
            format!(
                "{waited} on {} {}; up to {} in flight, {} of them waiting in buffers of clients.",
                charts.destinations[index].kind,
                brief(&charts.destinations[index].name),
                were(destination.in_flight.peak()),
                up_to(destination.buffered.peak()),
            )
        });
    let mut notes = Vec::new();
    let used = charts
        .levels
        .destinations
        .iter()
        .filter(|d| d.waiting.peak() > 0)
        .count();
    if shown.len() < used {
        notes.push(format!(
            "The {} fullest of {used} destinations.",
            shown.len()
        ));
    }
    notes.push("Line: mean. Band: from least to most.".to_owned());
    notes.extend(quiet(charts));
    words(charts, "where messages waited", point, notes.join(" "))
}

fn messages(count: u64) -> String {
    format!(
        "{} {}",
        thousands(count),
        if count == 1 { "message" } else { "messages" }
    )
}

fn were(count: u64) -> String {
    format!(
        "{} {}",
        thousands(count),
        if count == 1 { "was" } else { "were" }
    )
}

fn up_to(count: u64) -> String {
    if count == 0 {
        "none".to_owned()
    } else {
        format!("up to {}", thousands(count))
    }
}

/// Over the latencies.
pub fn latency(charts: &Charts) -> Words {
    let [delivered, _, acknowledged] = &charts.latencies;
    let curves = [(acknowledged, "acknowledged"), (delivered, "delivered")];
    let curve = curves
        .into_iter()
        .find(|(histogram, _)| histogram.count() > 0);
    let point = curve.map_or(
        "No message got anywhere.".to_owned(),
        |(histogram, done)| {
            let text = |span: Option<Span>| duration(span.unwrap_or_default().0 as f64);
            let half = text(histogram.quantile(500));
            let (most, last) = (text(histogram.quantile(990)), text(histogram.max()));
            if half == last {
                return format!("Every message was {done} after {half}.");
            }
            let percent = "99\u{a0}%";
            format!(
                "Half of the messages were {done} within {half}, {percent} within {most}, \
             the last after {last}."
            )
        },
    );
    words(
        charts,
        "how long messages took",
        point,
        without_warm_up(charts),
    )
}

fn without_warm_up(charts: &Charts) -> String {
    if charts.warm_up == Time::ZERO {
        return String::new();
    }
    format!(
        "Without the first {} of warm-up.",
        duration(charts.warm_up.0 as f64)
    )
}

/// Over the consumers.
pub fn consumers(charts: &Charts, rows: usize) -> Words {
    let consumers = &charts.consumers;
    let all = deliveries(charts).max(1) as f64;
    let share = |consumer: &Consumer| consumer.delivered as f64 / all;
    let got = most(consumers, share)
        .zip(least(consumers, share))
        .map(|(most, least)| {
            let (high, low) = (percent(share(most)), percent(share(least)));
            match consumers.len() {
                1 => format!(
                    "{} got all {}.",
                    brief(&most.name),
                    messages(most.delivered)
                ),
                _ if high == low => format!("Every consumer got {high} of the deliveries."),
                _ => {
                    let (first, last) = (brief(&most.name), brief(&least.name));
                    format!("{first} got {high} of the deliveries, {last} {low}.")
                }
            }
        });
    let point = nothing(charts)
        .or_else(|| {
            Some(format!(
                "{} {}",
                got?,
                starvation(consumers).unwrap_or_default()
            ))
        })
        .unwrap_or_default();
    let mut notes = Vec::new();
    if rows < consumers.len() {
        notes.push(format!(
            "{rows} of {} consumers: those that differ most.",
            consumers.len()
        ));
    }
    notes.push(without_warm_up(charts));
    words(charts, "who got how much", point, notes.join(" "))
}

/// Over the acks.
pub fn acks(charts: &Charts) -> Words {
    let acks: u64 = charts.levels.acks.iter().map(|acks| acks.gauge.value).sum();
    let deliveries = charts.levels.deliveries.gauge.value;
    let point = match (acks, deliveries) {
        (_, 0) => "No message was delivered to any consumer.".to_owned(),
        (0, _) => format!("No ack command for {} deliveries.", thousands(deliveries)),
        _ if acks * 3 < deliveries * 2 => {
            let each = significant(deliveries as f64 / acks as f64);
            format!("One ack command for every {each} deliveries.")
        }
        _ => {
            let each = significant(acks as f64 / deliveries as f64);
            let command = if each == "1" { "command" } else { "commands" };
            format!("{each} ack {command} for each delivery.")
        }
    };
    words(
        charts,
        "ack commands against deliveries",
        point,
        quiet(charts).unwrap_or_default(),
    )
}
