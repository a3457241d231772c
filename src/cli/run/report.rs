//! A run on the terminal: the numbers that matter, who did what, what to know, and where the rest
//! is.

use std::io::{self, Write};
use std::path::PathBuf;

use acksim::metrics::{ConsumerMetrics, Latency, Metrics};
use acksim::scenario::Scenario;
use acksim::wire::AckType;
use anstyle::Style;

use super::super::files::write_files;
use super::super::format::{
    WIDTH, count, cut, duration, number, percent, plural, printable, wrapped,
};
use super::super::table::Table;
use super::super::terminal::{BAD, BOLD, DIM, WARNING, paint};
use super::warning::Warning;

/// Lines of the description that are shown; the file has the rest.
const DESCRIPTION_LINES: usize = 2;

/// Consumers that get a row of their own.
const MOST_ROWS: usize = 20;

/// Everything about one run.
#[derive(Debug)]
pub struct Report<'a> {
    /// What was run.
    pub scenario: &'a Scenario,
    /// What came out.
    pub metrics: &'a Metrics,
    /// What to know.
    pub warnings: &'a [Warning],
    /// What was written.
    pub files: Option<&'a [PathBuf]>,
}

impl Report<'_> {
    /// Writes it.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.heading(out)?;
        for (label, text) in self.summary() {
            writeln!(out, "  {}  {text}", paint(DIM, &format!("{label:<12}")))?;
        }
        writeln!(out)?;
        self.consumers(out)?;
        self.warnings
            .iter()
            .try_for_each(|warning| write_warning(warning, out))?;
        self.files
            .iter()
            .try_for_each(|files| write_files(files, out))?;
        writeln!(out)
    }

    fn heading(&self, out: &mut dyn Write) -> io::Result<()> {
        let name = cut(&printable(&self.scenario.name), 60);
        let run = &self.metrics.run;
        let simulated = duration(run.simulated_ms);
        let facts = format!(
            "{}, seed {}, {simulated} of virtual time",
            run.semantics, run.seed
        );
        writeln!(out, "{}  {}", paint(BOLD, &name), paint(DIM, &facts))?;
        let description = printable(&self.scenario.description);
        if description.is_empty() {
            return Ok(());
        }
        let mut lines = wrapped(first_sentence(&description), WIDTH - 2);
        if lines.len() > DESCRIPTION_LINES {
            lines.truncate(DESCRIPTION_LINES);
            lines[DESCRIPTION_LINES - 1].push('…');
        }
        lines
            .iter()
            .try_for_each(|line| writeln!(out, "  {}", cut(line, WIDTH - 2)))
    }

    /// The numbers that matter, by their labels.
    fn summary(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            ("messages", self.messages()),
            ("trouble", self.trouble()),
            ("throughput", self.throughput()),
            (
                "latency",
                latency(&self.metrics.latency_ms.send_to_processed),
            ),
            ("acks", self.acks()),
        ];
        lines.extend(self.most_held().map(|text| ("most held", text)));
        lines.extend(self.most_starved().map(|text| ("most starved", text)));
        lines
    }

    fn messages(&self) -> String {
        let messages = &self.metrics.messages;
        let always = [
            (messages.sent, "sent"),
            (messages.acknowledged, "acknowledged"),
        ];
        let sometimes = [
            (messages.dead_lettered, "dead-lettered"),
            (messages.expired, "expired"),
            (messages.discarded, "discarded"),
            (messages.gone, "gone"),
            (messages.unrouted, "without a subscriber"),
            (messages.rolled_back, "rolled back"),
            (messages.rescheduled, "rescheduled"),
        ];
        let remaining = messages.remaining + messages.remaining_on_topics;
        let sometimes = sometimes.into_iter().filter(|(number, _)| *number > 0);
        let all = always
            .into_iter()
            .chain(sometimes)
            .chain([(remaining, "remaining")]);
        joined(all.map(|(number, what)| format!("{} {what}", count(number))))
    }

    fn trouble(&self) -> String {
        let messages = &self.metrics.messages;
        joined([
            plural(messages.redeliveries, "redelivery", "redeliveries"),
            noted(messages.duplicates, "duplicate", "duplicates", WARNING),
            noted(messages.lost, "lost", "lost", BAD),
        ])
    }

    fn throughput(&self) -> String {
        let rate = |rate: Option<f64>| rate.map_or("–".to_owned(), number);
        let throughput = &self.metrics.throughput;
        let processed = rate(throughput.processed_per_second);
        match self.metrics.timing.makespan_ms {
            None => format!("{processed} processed/s"),
            Some(makespan) => format!("{processed} processed/s over {}", duration(makespan)),
        }
    }

    fn acks(&self) -> String {
        let wire = &self.metrics.wire;
        let by_type = AckType::ALL.map(|kind| (wire.acks_by_type.of(kind), kind.name()));
        let sent = by_type.iter().filter(|(number, _)| *number > 0);
        let types = joined(sent.map(|(number, name)| format!("{} {name}", count(*number))));
        match wire.acks_per_message {
            Some(acks) if !types.is_empty() => format!("{} per message: {types}", number(acks)),
            _ => "none".to_owned(),
        }
    }

    fn most_held(&self) -> Option<String> {
        let (name, consumer) = most(self.metrics, |consumer| consumer.max_held)?;
        let held = plural(consumer.max_held, "message", "messages");
        Some(format!("{held} by {}", short(name)))
    }

    fn most_starved(&self) -> Option<String> {
        let (name, consumer) = most(self.metrics, |consumer| (consumer.starved_ms * 1e6) as u64)?;
        let (time, share) = (duration(consumer.starved_ms), percent(starved(consumer)));
        Some(format!("{} for {time}, {share} of its time", short(name)))
    }

    fn consumers(&self, out: &mut dyn Write) -> io::Result<()> {
        let headings = [
            "consumer",
            "prefetch",
            "delivered",
            "processed",
            "redelivered",
            "busy",
            "starved",
            "max held",
            "acks",
        ];
        let mut table = Table::new(&headings);
        let settings = self
            .scenario
            .consumers
            .iter()
            .map(|consumer| consumer.prefetch_size);
        for ((name, consumer), prefetch) in
            self.metrics.consumers.iter().zip(settings).take(MOST_ROWS)
        {
            table.row(vec![
                short(name),
                count(u64::from(prefetch)),
                count(consumer.delivered),
                count(consumer.processed),
                count(consumer.redelivered),
                consumer.utilisation.map_or("–".to_owned(), percent),
                percent(starved(consumer)),
                count(consumer.max_held),
                count(consumer.acks_by_type.total()),
            ]);
        }
        table.write(out)?;
        match self.scenario.consumers.len().saturating_sub(MOST_ROWS) {
            0 => Ok(()),
            more => writeln!(out, "  … and {} more in metrics.json", count(more as u64)),
        }
    }
}

/// The consumer that leads in something, unless it is nothing.
fn most(
    metrics: &Metrics,
    what: impl Fn(&ConsumerMetrics) -> u64,
) -> Option<(&str, &ConsumerMetrics)> {
    // `max_by_key` takes the last of equals, a person expects the first.
    let consumers: Vec<_> = metrics.consumers.iter().collect();
    let leader = consumers
        .into_iter()
        .rev()
        .max_by_key(|(_, consumer)| what(consumer))?;
    (what(leader.1) > 0).then_some(leader)
}

/// Which part of its time connected a consumer starved.
pub fn starved(consumer: &ConsumerMetrics) -> f64 {
    if consumer.connected_ms > 0.0 {
        consumer.starved_ms / consumer.connected_ms
    } else {
        0.0
    }
}

fn latency(latency: &Latency) -> String {
    let parts = [
        ("p50", latency.p50),
        ("p99", latency.p99),
        ("max", latency.max),
    ];
    let known = parts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let text = joined(known.map(|(name, value)| format!("{name} {}", duration(value))));
    if text.is_empty() {
        "–".to_owned()
    } else {
        format!("{text}, from send to processed")
    }
}

/// A number that is in colour unless it is 0.
fn noted(number: u64, one: &str, many: &str, style: Style) -> String {
    let text = plural(number, one, many);
    if number == 0 {
        text
    } else {
        paint(style, &text)
    }
}

fn joined(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}

fn short(name: &str) -> String {
    cut(&printable(name), 32)
}

/// Up to the first full stop that ends a sentence.
fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

fn write_warning(warning: &Warning, out: &mut dyn Write) -> io::Result<()> {
    let what = wrapped(&warning.what(), WIDTH - 4);
    writeln!(out, "\n  {} {}", paint(WARNING, "!"), what.join("\n    "))?;
    let advice = wrapped(&warning.advice(), WIDTH - 6);
    writeln!(out, "    {} {}", paint(DIM, "→"), advice.join("\n      "))
}
