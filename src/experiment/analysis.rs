//! From observations to a comparison.

use serde_json::Value;

use super::comparison::{Cell, Comparison, Difference, MetricResult, SettingResult, Word};
use super::mechanism::Mechanism;
use super::metric::Metric;
use super::recommendation;
use super::statistics::{
    self, Better, CONFIDENCE, Decision, Paired, StoppingRule, Verdict, holm, paired, t_interval,
};
use super::study::{Condition, Observation, Study};
use super::vary::{Axis, plain};
use super::words;

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
    let metrics = (0..study.metrics.len())
        .map(|index| metric(&study.metrics[index], index, &settings, rows))
        .collect();
    let mut comparison = Comparison {
        scenario: study.scenario.clone(),
        kind: study.kind,
        complete,
        confidence: CONFIDENCE,
        seeds: rows.iter().map(|(seed, _)| *seed).collect(),
        axes: study.axes.clone(),
        settings,
        metrics,
        recommendation: None,
    };
    for index in 0..comparison.metrics.len() {
        comparison.metrics[index].verdict = words::verdict(&comparison, index);
    }
    comparison.recommendation = recommendation::recommend(&comparison, &study.consumers);
    comparison
}

/// `prefetch 10, latency 1ms`
pub(super) fn label(axes: &[Axis], values: &[Value]) -> String {
    let part = |(axis, value): (&Axis, &Value)| format!("{} {}", short(axis.name()), plain(value));
    let parts: Vec<String> = axes.iter().zip(values).map(part).collect();
    match parts.is_empty() {
        true => "as it is".to_owned(),
        false => parts.join(", "),
    }
}

/// As people say it.
fn short(name: &str) -> &str {
    let name = name.rsplit('.').next().unwrap_or(name);
    match name {
        "prefetchSize" | "queuePrefetch" | "topicPrefetch" => "prefetch",
        other => other,
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

fn metric(metric: &Metric, index: usize, settings: &[SettingResult], rows: &Rows) -> MetricResult {
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
    let best = best(&cells, metric.better);
    if let Some(best) = best {
        compare_with(best, &mut cells, metric.better);
    }
    MetricResult {
        metric: metric.clone(),
        cells,
        best,
        verdict: String::new(),
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
        against_best: None,
        values,
    }
}

/// The first of those with the best mean.
fn best(cells: &[Cell], better: Better) -> Option<usize> {
    let means = cells
        .iter()
        .enumerate()
        .filter_map(|(index, cell)| Some((index, cell.mean?)));
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
fn numbers(cell: &Cell) -> Vec<f64> {
    cell.values.iter().flatten().copied().collect()
}

fn compare_with(best: usize, cells: &mut [Cell], better: Better) {
    let reference = numbers(&cells[best]);
    let others: Vec<usize> = (0..cells.len())
        .filter(|index| *index != best && cells[*index].mean.is_some())
        .collect();
    let pairs: Vec<Option<Paired>> = others
        .iter()
        .map(|other| {
            paired(
                &numbers(&cells[*other]),
                &reference,
                CONFIDENCE,
                others.len(),
            )
        })
        .collect();
    let p_values: Vec<f64> = pairs.iter().flatten().map(|pair| pair.p_value).collect();
    let compared = others
        .iter()
        .zip(&pairs)
        .filter_map(|(other, pair)| Some((*other, (*pair)?)));
    for ((other, pair), p_value) in compared.zip(holm(&p_values)) {
        let own = numbers(&cells[other]);
        let verdict = statistics::verdict(&pair, p_value, better, CONFIDENCE, others.len());
        cells[other].against_best = Some(difference(&pair, p_value, verdict, &own, &reference));
    }
}

fn difference(
    pair: &Paired,
    p_value: f64,
    verdict: Verdict,
    own: &[f64],
    reference: &[f64],
) -> Difference {
    let spread = |values| statistics::variance(values).unwrap_or(0.0);
    let apart = (spread(own) + spread(reference)).sqrt();
    let mean = statistics::mean(reference).unwrap_or(0.0);
    Difference {
        difference: pair.difference,
        ratio: (mean != 0.0).then(|| (mean + pair.difference) / mean),
        interval: pair.interval,
        p_value,
        pairs: pair.pairs,
        verdict,
        replications_paired: replications_for(pair.difference, pair.deviation),
        replications_independent: replications_for(pair.difference, apart),
    }
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
    let Some((result, best)) = comparison
        .metrics
        .first()
        .and_then(|first| Some((first, first.best?)))
    else {
        return false;
    };
    let reference = numbers(&result.cells[best]);
    let mean = statistics::mean(&reference).unwrap_or(0.0);
    let compared = result
        .cells
        .iter()
        .filter(|cell| cell.against_best.is_some());
    let count = compared.clone().count();
    compared
        .filter_map(|cell| paired(&numbers(cell), &reference, CONFIDENCE, count))
        .any(|pair| rule.decide(&pair, mean) == Decision::Continue)
}
