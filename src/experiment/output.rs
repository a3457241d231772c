//! A comparison as a file or a table. Each function gives the whole text, the same bytes for the
//! same comparison.

use super::comparison::{Comparison, MetricResult};
use super::statistics::Verdict;
use super::study::Kind;
use super::vary::plain;
use super::words;

/// `compare.json`
pub fn json(comparison: &Comparison) -> String {
    let mut text = serde_json::to_string_pretty(comparison).expect("a comparison is plain data");
    text.push('\n');
    text
}

/// `compare.csv`: a line for each run, a column for each varied setting and each metric. What has
/// no number is empty.
pub fn csv(comparison: &Comparison) -> String {
    let paths = comparison.axes.iter().map(|axis| axis.path.as_str());
    let metrics = comparison
        .metrics
        .iter()
        .map(|result| result.metric.path.as_str());
    let mut lines = vec![
        paths
            .chain(["seed", "word"])
            .chain(metrics)
            .map(quoted)
            .collect(),
    ];
    for (index, setting) in comparison.settings.iter().enumerate() {
        for (replication, seed) in comparison.seeds.iter().enumerate() {
            let values = setting.values.iter().map(plain);
            let word = setting
                .word
                .map_or(String::new(), |word| word.text().to_owned());
            let numbers = comparison.metrics.iter().map(|result| {
                let value = result.cells[index].values[replication];
                value.map_or(String::new(), |value| value.to_string())
            });
            let fields = values.chain([seed.to_string(), word]).chain(numbers);
            lines.push(fields.map(|field| quoted(&field)).collect::<Vec<_>>());
        }
    }
    lines
        .into_iter()
        .map(|line| line.join(",") + "\n")
        .collect()
}

/// As RFC 4180 has it.
fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}

/// `compare.md`: a table to be pasted in a pull request, with verdicts below.
pub fn markdown(comparison: &Comparison) -> String {
    let rows = rows(comparison, "**");
    let mut text = format!(
        "### {}\n\n{}\n\n",
        escaped(&comparison.scenario),
        about(comparison)
    );
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        text += &format!("| {} |\n", cells.join(" | "));
        if number == 0 {
            text += &format!("|---|{}\n", "---:|".repeat(row.len() - 1));
        }
    }
    text.push('\n');
    for result in &comparison.metrics {
        text += &format!("* {}\n", capitalised(&result.verdict));
    }
    if let Some(recommendation) = &comparison.recommendation {
        let label = &comparison.settings[recommendation.setting].label;
        text += &format!("\n**Recommended: {label}**\n\n");
        for option in &recommendation.options {
            text += &format!("* {}: `{}`\n", option.place, option.text);
        }
        text += &format!("\nIts price: {}.\n", recommendation.price);
    }
    text
}

/// For the terminal. The best of each column has a star.
pub fn table(comparison: &Comparison) -> String {
    let rows = rows(comparison, "*");
    let columns = rows[0].len();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut text = format!("{}: {}\n\n", comparison.scenario, about(comparison));
    for row in &rows {
        let cells =
            row.iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (cell, width))| match column {
                    0 => format!("{cell:<width$}"),
                    _ => format!("{cell:>width$}"),
                });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text.push('\n');
    for result in &comparison.metrics {
        text += &format!("{}\n", capitalised(&result.verdict));
    }
    if let Some(recommendation) = &comparison.recommendation {
        let label = &comparison.settings[recommendation.setting].label;
        text += &format!("\nRecommended: {label}\n");
        for option in &recommendation.options {
            text += &format!("  {}: {}\n", option.place, option.text);
        }
        text += &format!("  Its price: {}.\n", recommendation.price);
    }
    text
}

/// What the numbers are.
fn about(comparison: &Comparison) -> String {
    let kind = match comparison.kind {
        Kind::Terminating => "terminating runs",
        Kind::Steady => "steady state, warm-up cut off run by run",
    };
    let settings = comparison.settings.len();
    let replications = comparison.replications();
    let incomplete = if comparison.complete {
        ""
    } else {
        " – INCOMPLETE: cancelled"
    };
    format!(
        "{settings} settings × {replications} replications with the same seeds; {kind}; \
         means with 95 % intervals{incomplete}"
    )
}

/// A head line and a line for each setting; what is best stands between marks.
fn rows(comparison: &Comparison, mark: &str) -> Vec<Vec<String>> {
    let head = |index: usize| {
        let metric = &comparison.metrics[index].metric;
        match metric.unit {
            "" => metric.title.clone(),
            unit => format!("{} [{unit}]", metric.title),
        }
    };
    let columns = 0..comparison.metrics.len();
    let mut rows = vec![vec!["setting".to_owned()]];
    rows[0].extend(columns.clone().map(head));
    for (index, setting) in comparison.settings.iter().enumerate() {
        let own = if setting.baseline { " (as it is)" } else { "" };
        let mut row = vec![format!("{}{own}", setting.label)];
        row.extend(columns.clone().map(|metric| {
            let result = &comparison.metrics[metric];
            let cell = words::cell(&result.cells[index]);
            let is_best = result.best == Some(index) && beats_any(result);
            match is_best {
                true if mark == "*" => format!("* {cell}"),
                true => format!("{mark}{cell}{mark}"),
                false => cell,
            }
        }));
        rows.push(row);
    }
    rows
}

/// Whether some setting is shown to be worse than the best one.
fn beats_any(result: &MetricResult) -> bool {
    let differences = result.cells.iter().filter_map(|cell| cell.against_best);
    differences
        .map(|difference| difference.verdict)
        .any(|verdict| verdict == Verdict::Worse)
}

/// A pipe ends a cell, even in code.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn capitalised(sentence: &str) -> String {
    let mut characters = sentence.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().collect::<String>() + characters.as_str(),
        None => String::new(),
    }
}
