//! From observations to a comparison.

use serde_json::Value;

use super::comparison::{Cell, Comparison, Difference, Group, MetricResult, SettingResult, Word};
use super::mechanism::Mechanism;
use super::recommendation;
use super::statistics::{
    self, Better, CONFIDENCE, Decision, Paired, StoppingRule, Verdict, holm, paired, t_interval,
};
use super::study::{Condition, Observation, Study};
use super::vary::Axis;
use super::verdict::verdict;

/// A row of observations, one for each setting, for each seed.
type Rows = [(u64, Vec<Observation>)];

pub(super) fn analyse<S>(
    study: &Study<S>,
    points: &[Vec<Value>],
    rows: &Rows,
    complete: bool,
) -> Comparison {
    let settings: Vec<SettingResult> = (0..points.len())
        .map(|index| setting(study, &points[index], index, rows))
        .collect();
    let choices = choices(&study.axes);
    let groups = groups(&study.axes, &choices, points);
    let metrics = (0..study.metrics.len())
        .map(|index| metric(study, index, &settings, &groups, rows))
        .collect();
    let mut comparison = Comparison {
        scenario: study.scenario.clone(),
        semantics: study.semantics,
        kind: study.kind,
        complete,
        confidence: CONFIDENCE,
        practical: study.practical,
        seeds: rows.iter().map(|(seed, _)| *seed).collect(),
        axes: study.axes.clone(),
        choices,
        groups,
        settings,
        metrics,
        recommendations: Vec::new(),
    };
    for metric in 0..comparison.metrics.len() {
        let groups = 0..comparison.groups.len();
        let verdicts = groups
            .map(|group| verdict(&comparison, metric, group))
            .collect();
        comparison.metrics[metric].verdicts = verdicts;
    }
    comparison.recommendations = recommendation::recommend(&comparison, &study.consumers);
    comparison
}

/// The axes that can be chosen. If there are circumstances only, they are compared themselves.
fn choices(axes: &[Axis]) -> Vec<usize> {
    let all = 0..axes.len();
    let choices: Vec<usize> = all
        .clone()
        .filter(|axis| !axes[*axis].is_circumstance())
        .collect();
    if choices.is_empty() {
        all.collect()
    } else {
        choices
    }
}

/// Settings that have the same circumstances, in the order in which these first appear.
fn groups(axes: &[Axis], choices: &[usize], points: &[Vec<Value>]) -> Vec<Group> {
    let circumstances: Vec<usize> = (0..axes.len())
        .filter(|axis| !choices.contains(axis))
        .collect();
    let mut groups: Vec<Group> = Vec::new();
    for (setting, values) in points.iter().enumerate() {
        let parts = circumstances
            .iter()
            .map(|axis| axes[*axis].with(&values[*axis]));
        let label = parts.collect::<Vec<_>>().join(", ");
        match groups.iter_mut().find(|group| group.label == label) {
            Some(group) => group.settings.push(setting),
            None => groups.push(Group {
                label,
                settings: vec![setting],
            }),
        }
    }
    groups
}

/// `prefetch 10, latency 1ms`
pub(super) fn label(axes: &[Axis], values: &[Value]) -> String {
    let parts: Vec<String> = axes
        .iter()
        .zip(values)
        .map(|(axis, value)| axis.with(value))
        .collect();
    match parts.is_empty() {
        true => "as it is".to_owned(),
        false => parts.join(", "),
    }
}

fn setting<S>(study: &Study<S>, values: &[Value], index: usize, rows: &Rows) -> SettingResult {
    let column: Vec<&Observation> = rows.iter().map(|(_, row)| &row[index]).collect();
    SettingResult {
        label: label(&study.axes, values),
        values: values.to_vec(),
        baseline: study.baseline == Some(index),
        word: condition(&column),
        warm_up_ms: column.iter().map(|run| run.warm_up_ms).collect(),
        duplicates_per_crash: column
            .iter()
            .map(|run| run.mechanism.duplicates_per_crash())
            .collect(),
        mechanism: Mechanism::average(column.iter().map(|run| &run.mechanism)),
    }
}

/// A setting is called what at least half of its runs are: a single run may be so by chance.
fn condition(column: &[&Observation]) -> Option<Word> {
    let half = |condition: Condition| {
        let like = column
            .iter()
            .filter(|run| run.condition == condition)
            .count();
        like > 0 && 2 * like >= column.len()
    };
    if half(Condition::Unstable) {
        Some(Word::Unstable)
    } else if half(Condition::TooShort) {
        Some(Word::Insufficient)
    } else {
        None
    }
}

fn metric<S>(
    study: &Study<S>,
    index: usize,
    settings: &[SettingResult],
    groups: &[Group],
    rows: &Rows,
) -> MetricResult {
    let metric = &study.metrics[index];
    let values = |setting: usize| {
        rows.iter()
            .map(|(_, row)| row[setting].values[index])
            .collect()
    };
    let mut cells: Vec<Cell> = settings
        .iter()
        .enumerate()
        .map(|(number, setting)| cell(values(number), setting.word))
        .collect();
    for group in groups {
        if let Some(best) = best(&cells, &group.settings, metric.better) {
            cells[best].best = true;
            compare_with(
                best,
                &group.settings,
                &mut cells,
                metric.better,
                study.practical,
            );
        }
    }
    MetricResult {
        metric: metric.clone(),
        cells,
        verdicts: Vec::new(),
    }
}

fn cell(values: Vec<Option<f64>>, word: Option<Word>) -> Cell {
    let all: Option<Vec<f64>> = values.iter().copied().collect();
    let numbers = all.filter(|numbers| word.is_none() && !numbers.is_empty());
    let missing = numbers.is_none().then_some(Word::Insufficient);
    Cell {
        word: word.or(missing),
        mean: numbers.as_deref().and_then(statistics::mean),
        interval: numbers
            .as_deref()
            .and_then(|numbers| t_interval(numbers, CONFIDENCE)),
        best: false,
        against_best: None,
        values,
    }
}

/// The first of those with the best mean.
pub(super) fn best(cells: &[Cell], among: &[usize], better: Better) -> Option<usize> {
    let means = among
        .iter()
        .filter_map(|index| Some((*index, cells[*index].mean?)));
    let best = means.reduce(|best, other| {
        let beats = match better {
            Better::Lower => other.1 < best.1,
            Better::Higher => other.1 > best.1,
        };
        if beats { other } else { best }
    });
    best.map(|(index, _)| index)
}

/// The values of a cell that has a mean, and therefore all of them.
pub(super) fn numbers(cell: &Cell) -> Vec<f64> {
    cell.values.iter().flatten().copied().collect()
}

fn compare_with(best: usize, among: &[usize], cells: &mut [Cell], better: Better, practical: f64) {
    let reference = numbers(&cells[best]);
    let is_other = |index: &usize| *index != best && cells[*index].mean.is_some();
    let others: Vec<usize> = among.iter().copied().filter(is_other).collect();
    let pair = |other: &usize| {
        paired(
            &numbers(&cells[*other]),
            &reference,
            CONFIDENCE,
            others.len(),
        )
    };
    let pairs: Vec<Paired> = others.iter().filter_map(pair).collect();
    let p_values: Vec<f64> = pairs.iter().map(|pair| pair.p_value).collect();
    // All of them, or (of a single replication) none.
    for ((other, pair), p_value) in others.iter().zip(&pairs).zip(holm(&p_values)) {
        let own = numbers(&cells[*other]);
        let verdict = statistics::verdict(pair, p_value, better, CONFIDENCE, others.len());
        cells[*other].against_best = Some(Difference {
            p_value,
            verdict,
            ..difference(pair, &own, &reference, practical)
        });
    }
}

fn difference(pair: &Paired, own: &[f64], reference: &[f64], practical: f64) -> Difference {
    let spread = |values| statistics::variance(values).unwrap_or(0.0);
    let apart = (spread(own) + spread(reference)).sqrt();
    let mean = statistics::mean(reference).unwrap_or(0.0);
    Difference {
        difference: pair.difference,
        ratio: (mean != 0.0).then(|| (mean + pair.difference) / mean),
        interval: pair.interval,
        p_value: pair.p_value,
        pairs: pair.pairs,
        verdict: Verdict::Worse,
        matters: matters(pair, mean, practical),
        replications_paired: replications_for(pair.difference, pair.deviation),
        replications_independent: replications_for(pair.difference, apart),
    }
}

/// Whether a difference can be as large as what matters, relative to this mean.
pub(super) fn matters(pair: &Paired, mean: f64, practical: f64) -> bool {
    let largest = pair.interval.low.abs().max(pair.interval.high.abs());
    largest > 0.0 && largest >= practical * mean.abs()
}

/// Replications after which a difference is known to ±5 % of itself, with 95 %.
fn replications_for(difference: f64, deviation: f64) -> Option<u64> {
    const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;
    let half_width = 0.05 * difference.abs();
    let root = NORMAL_QUANTILE * deviation / half_width;
    (half_width > 0.0).then(|| libm::ceil(root * root).max(2.0) as u64)
}

/// Whether the first metric needs more replications: any of its differences is still undecided.
pub(super) fn wants_more(comparison: &Comparison, rule: &StoppingRule) -> bool {
    let undecided = |group: &Group| {
        let result = comparison.metrics.first()?;
        let reference = numbers(&result.cells[result.best_of(group)?]);
        let mean = statistics::mean(&reference).unwrap_or(0.0);
        let cells = group.settings.iter().map(|setting| &result.cells[*setting]);
        let compared: Vec<&Cell> = cells.filter(|cell| cell.against_best.is_some()).collect();
        let pairs = compared
            .iter()
            .filter_map(|cell| paired(&numbers(cell), &reference, CONFIDENCE, compared.len()));
        Some(
            pairs
                .map(|pair| rule.decide(&pair, mean))
                .any(|it| it == Decision::Continue),
        )
    };
    comparison
        .groups
        .iter()
        .any(|group| undecided(group) == Some(true))
}
