//! The words over the pictures of a comparison: what is compared, the verdict, and what a careful
//! reader must know.

use super::super::page::{NOTE, POINT_LINES, Words, lines_of_point};
use super::super::words::cut;
use super::super::{font, rules};
use super::dotted;
use crate::experiment::{Comparison, Kind, MetricResult, Word};

/// Over the picture of a metric; `by` says what is varied, `shown` what of it is left out.
pub fn metric(comparison: &Comparison, result: &MetricResult, by: &str, shown: &str) -> Words {
    let mut notes = notes(comparison);
    notes.splice(1..1, untrusted(comparison, result));
    if !shown.is_empty() {
        notes.push(shown.to_owned());
    }
    Words {
        title: title(comparison, &format!("{} by {by}", result.metric.title)),
        point: verdict(comparison, result),
        note: fitting(notes),
    }
}

/// Name of the scenario, whose rules, what is seen.
pub fn title(comparison: &Comparison, what: &str) -> String {
    let rules = comparison.semantics.and_then(rules);
    let rules = rules.map_or(String::new(), |rules| format!(" ({rules})"));
    let incomplete = if comparison.complete { "" } else { " – INCOMPLETE" };
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
    let dots = dotted(comparison).len();
    if dots < replications && replications > 1 {
        notes.push(match dots {
            0 => "Single runs are not drawn.".to_owned(),
            dots => format!("{dots} of them have a dot."),
        });
    }
    notes
}

/// What was cut off.
fn warm_up(comparison: &Comparison) -> Option<String> {
    let cuts = || comparison.settings.iter().flat_map(|setting| &setting.warm_up_ms);
    let most = cuts().copied().fold(0.0, f64::max);
    let least = cuts().copied().fold(most, f64::min);
    let seconds = |millis: f64| super::super::axis::significant(millis / 1e3);
    Some(match (least, most) {
        (_, 0.0) => "Steady state; no warm-up had to be cut off.".to_owned(),
        (least, most) if least == most => {
            format!("Steady state, without the first {} s.", seconds(most))
        }
        _ => format!(
            "Steady state, without a warm-up of {} to {} s, cut off run by run.",
            seconds(least),
            seconds(most)
        ),
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

/// The verdict, as much of it as has room: with its cause, without it, or the winners only.
fn verdict(comparison: &Comparison, result: &MetricResult) -> String {
    let [verdict] = &result.verdicts[..] else {
        return winners(comparison, result);
    };
    let sentence = verdict.split_once(". ").map_or(verdict.as_str(), |(first, _)| first);
    let without_cause = sentence.split_once("): with ").map_or(sentence, |(first, _)| first);
    let shorter = [verdict.clone(), format!("{sentence}."), format!("{without_cause}).")];
    let fits = |text: &&String| lines_of_point(text) <= POINT_LINES;
    let fitting = shorter.iter().find(fits).unwrap_or(&shorter[2]);
    capitalised(fitting.trim_end_matches('.')) + "."
}

/// Of several groups: who wins in which.
fn winners(comparison: &Comparison, result: &MetricResult) -> String {
    let of_group = |group: &crate::experiment::Group| {
        let best = result.best_of(group).filter(|_| result.has_winner(group));
        best.map(|best| {
            let chosen = comparison.choices.iter().map(|axis| {
                comparison.axes[*axis].with(&comparison.settings[best].values[*axis])
            });
            let chosen: Vec<String> = chosen.collect();
            (group.label.clone(), chosen.join(", "))
        })
    };
    let won: Vec<(String, String)> = comparison.groups.iter().filter_map(of_group).collect();
    let Some((_, first)) = won.first() else {
        return "No setting is shown to be better than the others.".to_owned();
    };
    let is_same = won.iter().all(|(_, chosen)| chosen == first);
    let all = won.len() == comparison.groups.len();
    if is_same && all {
        return format!("Best everywhere: {first}.");
    }
    let parts: Vec<String> = won.iter().map(|(group, chosen)| format!("with {group}: {chosen}")).collect();
    let rest = if all { "" } else { " No difference is shown otherwise." };
    let text = format!("Best {}.{rest}", parts.join("; "));
    if lines_of_point(&text) <= POINT_LINES {
        return text;
    }
    format!("{} of {} groups of settings have a best one: the rings.", won.len(), comparison.groups.len())
}

/// As many sentences as two lines hold, the first before the last.
pub fn fitting(notes: Vec<String>) -> String {
    let room = super::super::drawing::PAGE_WIDTH - 2.0 * super::super::page::MARGIN;
    let mut text = String::new();
    for note in notes {
        let longer = format!("{text} {note}");
        if font::wrap(longer.trim(), NOTE.em, NOTE.bold, room).len() <= super::super::page::NOTE_LINES {
            text = longer.trim().to_owned();
        }
    }
    text
}

fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// A path that does not push everything else off the page.
pub fn brief_path(path: &str) -> String {
    cut(path, 60)
}
