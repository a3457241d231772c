//! The words over the pictures of a comparison: what is compared, the verdict, and what a careful
//! reader must know.

use super::super::axis::duration;
use super::super::drawing::PAGE_WIDTH;
use super::super::page::{MARGIN, NOTE, NOTE_LINES, POINT_LINES, Words, lines_of_point};
use super::super::words::cut;
use super::super::{font, rules};
use super::{dotted, winners};
use crate::experiment::output::capitalised;
use crate::experiment::{Comparison, Group, Kind, MetricResult, Word};

/// Over the picture of a metric; `by` names what is varied, `left_out` says what is not shown.
pub fn metric(
    comparison: &Comparison,
    result: &MetricResult,
    by: &[String],
    left_out: &str,
    with_dots: bool,
) -> Words {
    let point = verdict(comparison, result);
    let mut notes = notes(comparison);
    notes.extend(dots(comparison).filter(|_| with_dots));
    let says_it = |note: &String| {
        note.split(':')
            .next()
            .is_some_and(|start| point.contains(start))
    };
    let untrusted = untrusted(comparison, result).into_iter();
    notes.splice(1..1, untrusted.filter(|note| !says_it(note)));
    if with_dots && comparison.replications() > 1 && !winners(comparison, result).is_empty() {
        notes.push(PAIRS.to_owned());
    }
    if !left_out.is_empty() {
        notes.insert(1, left_out.to_owned());
    }
    Words {
        title: title(
            comparison,
            &format!("{} by {}", result.metric.title, list(by)),
        ),
        point,
        note: fitting(notes),
    }
}

/// What to know of intervals.
const PAIRS: &str =
    "Differences are formed seed by seed, so intervals may overlap where one is better.";

/// `prefetch, latency and processing`
fn list(names: &[String]) -> String {
    match names {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        names => names.concat(),
    }
}

/// Name of the scenario, whose rules, what is seen.
pub fn title(comparison: &Comparison, what: &str) -> String {
    let rules = comparison.semantics.and_then(rules);
    let rules = rules.map_or(String::new(), |rules| format!(" ({rules})"));
    let incomplete = if comparison.complete {
        ""
    } else {
        " – INCOMPLETE"
    };
    let name = cut(&comparison.scenario, 56);
    format!("{name}{rules}: {}{incomplete}", cut(what, 80))
}

/// What the numbers are.
pub fn notes(comparison: &Comparison) -> Vec<String> {
    let replications = comparison.replications();
    let runs = match (replications, comparison.settings.len()) {
        (1, _) => "One run of each setting, all with the same seed.".to_owned(),
        (runs, 1) => format!("{runs} runs."),
        (runs, _) => format!("{runs} runs of each setting, with the same seeds in all."),
    };
    let mut notes = vec![runs];
    if !comparison.complete {
        notes.push("The comparison was interrupted before all were done.".to_owned());
    }
    if comparison.kind == Kind::Steady {
        notes.extend(warm_up(comparison));
    }
    notes
}

/// How many runs have a dot, if not all have.
pub fn dots(comparison: &Comparison) -> Option<String> {
    let replications = comparison.replications();
    match dotted(comparison).len() {
        _ if replications == 1 => None,
        0 => Some("Single runs are not drawn.".to_owned()),
        dots if dots < replications => Some(format!("{dots} of them have a dot.")),
        _ => None,
    }
}

/// What was cut off.
fn warm_up(comparison: &Comparison) -> Option<String> {
    let cuts = || {
        comparison
            .settings
            .iter()
            .flat_map(|setting| &setting.warm_up_ms)
    };
    let most = cuts().copied().fold(0.0, f64::max);
    let least = cuts().copied().fold(most, f64::min);
    let time = |millis: f64| duration(1e6 * millis);
    Some(match (least, most) {
        (_, 0.0) => "Steady state; no warm-up had to be cut off.".to_owned(),
        (least, most) if least == most => {
            format!("Steady state, without the first {}.", time(most))
        }
        (0.0, most) => {
            let most = time(most);
            format!("Steady state, without a warm-up of up to {most}, cut off run by run.")
        }
        (least, most) => {
            let (least, most) = (time(least), time(most));
            format!("Steady state, without a warm-up of {least} to {most}, cut off run by run.")
        }
    })
}

/// The settings whose numbers cannot be trusted, by name.
pub fn untrusted(comparison: &Comparison, result: &MetricResult) -> Vec<String> {
    let about = |word: Word, text: &str| {
        let settings = comparison.settings.iter().zip(&result.cells);
        let named = settings.filter(|(_, cell)| cell.word == Some(word));
        let names: Vec<&str> = named.map(|(setting, _)| setting.label.as_str()).collect();
        let shown = match names.len() {
            0 => return None,
            all if all == comparison.settings.len() => "every setting".to_owned(),
            1..=4 => names.join("; "),
            all => format!("{}; and {} more", names[..3].join("; "), all - 3),
        };
        Some(format!("{text}: {}.", cut(&shown, 160)))
    };
    let unstable = about(Word::Unstable, "Unstable (the backlog grows)");
    let insufficient = about(Word::Insufficient, "Insufficient data");
    unstable.into_iter().chain(insufficient).collect()
}

/// The verdict, as much of it as has room: with its cause, without it, without the interval.
fn verdict(comparison: &Comparison, result: &MetricResult) -> String {
    let [verdict] = &result.verdicts[..] else {
        return of_groups(comparison, result);
    };
    let before = |text: &str, end: &str| {
        text.split_once(end)
            .map_or_else(|| text.to_owned(), |(start, _)| start.to_owned())
    };
    let sentence = before(verdict, ". ");
    let without_cause = match sentence.split_once("): with ") {
        Some((start, _)) => format!("{start})"),
        None => sentence.clone(),
    };
    let without_interval = before(&sentence, " (95 %");
    let shorter = [verdict, &sentence, &without_cause, &without_interval];
    let shorter = shorter.map(|text| capitalised(text.trim_end_matches('.')) + ".");
    let fits = |text: &&String| lines_of_point(text) <= POINT_LINES;
    let fitting = shorter.iter().find(fits);
    fitting.map_or_else(|| cut(&shorter[3], 180), Clone::clone)
}

/// Of several groups: who wins in which.
fn of_groups(comparison: &Comparison, result: &MetricResult) -> String {
    let of_group = |group: &Group| {
        let best = result.best_of(group).filter(|_| result.has_winner(group))?;
        let values = &comparison.settings[best].values;
        let chosen = comparison
            .choices
            .iter()
            .map(|axis| comparison.axes[*axis].with(&values[*axis]));
        Some((group.label.clone(), chosen.collect::<Vec<_>>().join(", ")))
    };
    let won: Vec<(String, String)> = comparison.groups.iter().filter_map(of_group).collect();
    let Some((_, first)) = won.first() else {
        return "No setting is shown to be better than the others.".to_owned();
    };
    let (won_in, groups) = (won.len(), comparison.groups.len());
    let is_alone = winners(comparison, result).len() == won_in;
    let best = if is_alone { "Best" } else { "Among the best" };
    if won_in == groups && won.iter().all(|(_, chosen)| chosen == first) {
        return format!("{best} everywhere: {first}.");
    }
    let parts = won
        .iter()
        .map(|(group, chosen)| format!("with {group}: {chosen}"));
    let parts: Vec<String> = parts.collect();
    let rest = if won_in == groups {
        ""
    } else {
        " No difference is shown elsewhere."
    };
    let text = format!("{best} {}.{rest}", parts.join("; "));
    match lines_of_point(&text) <= POINT_LINES {
        true => text,
        false => {
            format!("A setting is shown to be the best in {won_in} of {groups} groups: the rings.")
        }
    }
}

/// As many sentences as two lines hold, the first before the last.
pub fn fitting(notes: Vec<String>) -> String {
    let room = PAGE_WIDTH - 2.0 * MARGIN;
    let mut text = String::new();
    for note in notes {
        let longer = format!("{text} {note}");
        if font::wrap(longer.trim(), NOTE.em, NOTE.bold, room).len() <= NOTE_LINES {
            text = longer.trim().to_owned();
        }
    }
    text
}

/// A path that does not push everything else off the page.
pub fn brief_path(path: &str) -> String {
    cut(path, 60)
}
