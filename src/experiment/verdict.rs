//! What a metric says about the settings, in words.

use super::cause::cause;
use super::comparison::{Comparison, Difference, Group, MetricResult, Word};
use super::figures::{Figures, amount, list, percent};
use super::statistics::Verdict;
use super::vary::shown;

/// What to know of far percentiles.
const TAILS: &str = " Far percentiles gain little from equal seeds: they need many times the \
                     replications of a mean.";

/// The verdict of a metric on the settings of a group.
pub(super) fn verdict(comparison: &Comparison, metric: usize, group: usize) -> String {
    let view = View {
        comparison,
        group: &comparison.groups[group],
        result: &comparison.metrics[metric],
    };
    match view.group.label.as_str() {
        "" => view.verdict(),
        label => format!("with {label}: {}", view.verdict()),
    }
}

/// What equal seeds are worth: for the closest of the settings that the first metric tells apart.
pub(super) fn pairing(comparison: &Comparison) -> Option<String> {
    let result = comparison.metrics.first()?;
    let group = comparison
        .groups
        .iter()
        .find(|group| result.has_winner(group))?;
    let view = View {
        comparison,
        group,
        result,
    };
    let size = |rival: &Rival| rival.difference.difference.abs();
    let rivals = view.rivals();
    let told_apart = rivals
        .iter()
        .filter(|rival| rival.is_worse() && rival.difference.matters);
    let closest = told_apart.min_by(|a, b| size(a).total_cmp(&size(b)))?;
    let best = result.best_of(group)?;
    let (paired, independent) = (
        closest.difference.replications_paired?,
        closest.difference.replications_independent?,
    );
    Some(format!(
        "To know how far {} is ahead of {} in {} to ±5 %, {paired} replications with the same seeds \
         are enough; with independent seeds it takes {independent}.",
        view.subject(best, closest.setting),
        view.beside(closest.setting, best),
        result.metric.title
    ))
}

/// One metric in one group.
struct View<'a> {
    comparison: &'a Comparison,
    group: &'a Group,
    result: &'a MetricResult,
}

/// A setting against the best one.
#[derive(Clone, Copy)]
struct Rival {
    setting: usize,
    difference: Difference,
}

impl Rival {
    fn is_worse(&self) -> bool {
        self.difference.verdict == Verdict::Worse
    }

    fn is_identical(&self) -> bool {
        self.difference.difference == 0.0 && self.difference.interval.half_width() == 0.0
    }
}

impl View<'_> {
    fn verdict(&self) -> String {
        let title = &self.result.metric.title;
        let Some(best) = self.result.best_of(self.group) else {
            return format!("no verdict on {title}: {}", self.without_numbers());
        };
        let rivals = self.rivals();
        let opponent = self.opponent(&rivals);
        let first = match opponent {
            _ if rivals.is_empty() => self.alone(best),
            Some(opponent) => self.beats(best, &opponent),
            None => self.nothing_shown(best, &rivals),
        };
        let mut sentences = vec![first];
        if opponent.is_some() {
            sentences.extend(self.equals(best, &rivals));
        }
        sentences.extend(self.left_out());
        sentences.join(" ")
    }

    fn rivals(&self) -> Vec<Rival> {
        let rival = |setting: &usize| {
            let difference = self.result.cells[*setting].against_best?;
            Some(Rival {
                setting: *setting,
                difference,
            })
        };
        self.group.settings.iter().filter_map(rival).collect()
    }

    /// Whom the best is held against: the setting that the scenario has if that is worse by what
    /// matters, or else the worst.
    fn opponent(&self, rivals: &[Rival]) -> Option<Rival> {
        let worse = rivals
            .iter()
            .filter(|rival| rival.is_worse() && rival.difference.matters);
        worse.copied().reduce(|most, other| {
            let is_baseline = |rival: Rival| self.comparison.settings[rival.setting].baseline;
            let larger = other.difference.difference.abs() > most.difference.difference.abs();
            let other_wins = is_baseline(other) || (larger && !is_baseline(most));
            if other_wins { other } else { most }
        })
    }

    fn beats(&self, best: usize, opponent: &Rival) -> String {
        let other = opponent.setting;
        let (subject, object) = (self.subject(best, other), self.beside(other, best));
        let by = amount(&opponent.difference, self.result.metric.unit);
        let mechanism = |setting: usize| &self.comparison.settings[setting].mechanism;
        let cause = cause(
            &self.result.metric,
            (mechanism(best), &self.beside(best, other)),
            (mechanism(other), &object),
        );
        let end = cause.map_or(".".to_owned(), |cause| format!(": {cause}."));
        format!(
            "{subject} beats {object} for {} by {by}{end}",
            self.result.metric.title
        )
    }

    fn nothing_shown(&self, best: usize, rivals: &[Rival]) -> String {
        let metric = &self.result.metric;
        if rivals.iter().all(Rival::is_identical) {
            return format!("{}: {} in every setting.", metric.title, self.mean(best));
        }
        // Of those that are worse for sure the worst, otherwise the nearest.
        let worse = rivals.iter().filter(|rival| rival.is_worse());
        let size = |rival: &&Rival| rival.difference.difference.abs();
        let worst = worse.max_by(|a, b| size(a).total_cmp(&size(b)));
        let Some(rival) =
            worst.or_else(|| rivals.iter().min_by(|a, b| size(a).total_cmp(&size(b))))
        else {
            return String::new();
        };
        let (subject, object) = (
            self.subject(best, rival.setting),
            self.beside(rival.setting, best),
        );
        let by = amount(&rival.difference, metric.unit);
        if rival.is_worse() {
            let practical = percent(self.comparison.practical);
            return format!(
                "no difference in {} that matters: {subject} is ahead of {object} by {by}, less \
                 than {practical}.",
                metric.title
            );
        }
        let tail = if metric.is_tail() { TAILS } else { "" };
        format!(
            "no difference shown in {}: {subject} is ahead of {object} by {by}; {}.{tail}",
            metric.title,
            self.detectable(rivals)
        )
    }

    /// What would have been seen, at worst.
    fn detectable(&self, rivals: &[Rival]) -> String {
        let sizes = rivals
            .iter()
            .filter_map(|rival| match rival.difference.verdict {
                Verdict::NoDifferenceShown {
                    smallest_detectable,
                } => Some(smallest_detectable),
                _ => None,
            });
        let size = sizes.fold(0.0, f64::max);
        let figures = Figures::rough(size, self.result.metric.unit);
        format!(
            "a difference of {} would have been seen",
            figures.with_unit(size)
        )
    }

    /// Those that are as good as the best as far as this study can tell.
    fn equals(&self, best: usize, rivals: &[Rival]) -> Option<String> {
        let (same, unknown): (Vec<Rival>, Vec<Rival>) = rivals
            .iter()
            .filter(|rival| !rival.is_worse())
            .partition(|rival| rival.is_identical());
        let names = |rivals: &[Rival]| {
            let names = rivals.iter().map(|rival| self.beside(rival.setting, best));
            list(&names.collect::<Vec<_>>())
        };
        let same = (!same.is_empty()).then(|| format!("Exactly the same: {}.", names(&same)));
        let unknown = (!unknown.is_empty()).then(|| {
            format!(
                "No difference shown to {} ({}).",
                names(&unknown),
                self.detectable(&unknown)
            )
        });
        let sentences: Vec<String> = [same, unknown].into_iter().flatten().collect();
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }

    fn alone(&self, best: usize) -> String {
        let (title, value) = (&self.result.metric.title, self.mean(best));
        let subject = self.subject(best, best);
        let cells = self
            .group
            .settings
            .iter()
            .map(|setting| &self.result.cells[*setting]);
        match cells.filter(|cell| cell.mean.is_some()).count() {
            1 if self.group.settings.len() == 1 => format!("{title}: {value}."),
            1 => format!("{title} is {value} with {subject}, the only setting with a number."),
            _ => format!(
                "{subject} has the best {title} ({value}), but a single run shows no difference: \
                 replicate at least 10 times."
            ),
        }
    }

    fn mean(&self, setting: usize) -> String {
        let mean = self.result.cells[setting].mean.unwrap_or(0.0);
        Figures::new(mean, 0.0, self.result.metric.unit).with_unit(mean)
    }

    /// Settings with a word instead of a number.
    fn left_out(&self) -> Option<String> {
        let about = |word: Word, text: &str| {
            let settings = self.with_word(word);
            let names = settings
                .iter()
                .map(|setting| self.beside(*setting, *setting));
            let names = list(&names.collect::<Vec<_>>());
            (!names.is_empty()).then(|| format!("{text}: {names}."))
        };
        let unstable = about(Word::Unstable, "Unstable (the backlog grows)");
        let insufficient = about(Word::Insufficient, "Insufficient data");
        let parts: Vec<String> = [unstable, insufficient].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    fn with_word(&self, word: Word) -> Vec<usize> {
        let has = |setting: &usize| self.result.cells[*setting].word == Some(word);
        self.group.settings.iter().copied().filter(has).collect()
    }

    fn without_numbers(&self) -> String {
        let unstable = self.with_word(Word::Unstable).len();
        let insufficient = self.with_word(Word::Insufficient).len();
        match (unstable, insufficient) {
            (0, _) => "insufficient data in every setting.".to_owned(),
            (_, 0) => "every setting is unstable: the backlog grows.".to_owned(),
            _ => format!("{unstable} unstable, {insufficient} with insufficient data."),
        }
    }

    /// A setting by names and values, as far as it differs from another.
    fn subject(&self, setting: usize, other: usize) -> String {
        let values = |setting: usize| &self.comparison.settings[setting].values;
        let differs =
            |axis: usize| setting == other || values(setting)[axis] != values(other)[axis];
        self.comparison.chosen(setting, differs)
    }

    /// A setting beside one that was named in full: its value is enough if only one thing is
    /// chosen.
    fn beside(&self, setting: usize, other: usize) -> String {
        match self.comparison.choices.as_slice() {
            [axis] => shown(&self.comparison.settings[setting].values[*axis]),
            _ => self.subject(setting, other),
        }
    }
}
