//! A comparison as a file or a table. Each function gives the whole text, the same bytes for the
//! same comparison.

use super::comparison::{Cell, Comparison, MetricResult, SettingResult};
use super::figures::{self, Scale};
use super::recommendation::Recommendation;
use super::study::Kind;
use super::vary::plain;
use super::verdict::pairing;

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
    let rows = rows(comparison, |cell| format!("**{cell}**"));
    let title = escaped(&comparison.scenario);
    let mut text = format!("### {title}\n\n{}\n\n", about(comparison));
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        text += &format!("| {} |\n", cells.join(" | "));
        if number == 0 {
            text += &format!("|---|{}\n", "---:|".repeat(row.len() - 1));
        }
    }
    text.push('\n');
    for verdict in verdicts(comparison) {
        text += &format!("* {}\n", escaped(&verdict));
    }
    for recommendation in &comparison.recommendations {
        let head = head(comparison, recommendation);
        text += &format!("\n**{}**\n\n", escaped(&head));
        for option in &recommendation.options {
            text += &format!("* {}: `{}`\n", escaped(&option.place), option.text);
        }
        text += &format!("\nIts price: {}.\n", escaped(&recommendation.price));
    }
    text
}

/// For the terminal. What is shown to be best has a star.
pub fn table(comparison: &Comparison) -> String {
    let rows = rows(comparison, |cell| format!("* {cell}"));
    let mut text = format!("{}: {}\n\n", comparison.scenario, about(comparison));
    text += &aligned(&rows);
    text.push('\n');
    for verdict in verdicts(comparison) {
        text += &format!("{verdict}\n");
    }
    for recommendation in &comparison.recommendations {
        text += &format!("\n{}\n", head(comparison, recommendation));
        for option in &recommendation.options {
            text += &format!("  {}: {}\n", option.place, option.text);
        }
        text += &format!("  Its price: {}.\n", recommendation.price);
    }
    text
}

/// Names to the left, numbers to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let cell = |(column, cell): (usize, &String)| {
        let width = width(column).unwrap_or(0);
        if column == 0 {
            format!("{cell:<width$}")
        } else {
            format!("{cell:>width$}")
        }
    };
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// What the numbers are.
fn about(comparison: &Comparison) -> String {
    let kind = match comparison.kind {
        Kind::Terminating => "terminating runs",
        Kind::Steady => "steady state, warm-up cut off run by run",
    };
    let settings = counted(comparison.settings.len(), "setting");
    let replications = counted(comparison.replications(), "replication");
    let incomplete = if comparison.complete {
        ""
    } else {
        " – INCOMPLETE: cancelled"
    };
    format!(
        "{settings} × {replications} with the same seeds, the first of them audited; {kind}; means \
         with 95 % intervals{incomplete}"
    )
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// All sentences, metric by metric.
fn verdicts(comparison: &Comparison) -> impl Iterator<Item = String> {
    let all = comparison
        .metrics
        .iter()
        .flat_map(|result| &result.verdicts);
    all.map(|verdict| capitalised(verdict))
        .chain(pairing(comparison))
}

/// A head line and a line for each setting, with marks at what is shown to be best.
fn rows(comparison: &Comparison, marked: impl Fn(String) -> String) -> Vec<Vec<String>> {
    let columns: Vec<Vec<String>> = comparison
        .metrics
        .iter()
        .map(|result| column(comparison, result, &marked))
        .collect();
    let label = |setting: &SettingResult| match setting.baseline {
        true => format!("{} (as it is)", setting.label),
        false => setting.label.clone(),
    };
    let labels = comparison.settings.iter().map(label);
    let names: Vec<String> = std::iter::once("setting".to_owned())
        .chain(labels)
        .collect();
    let row = |(line, name): (usize, String)| {
        let cells = columns.iter().map(|column| column[line].clone());
        std::iter::once(name).chain(cells).collect()
    };
    names.into_iter().enumerate().map(row).collect()
}

/// Title and cells of a metric, all in one unit.
fn column(
    comparison: &Comparison,
    result: &MetricResult,
    marked: &impl Fn(String) -> String,
) -> Vec<String> {
    let scale = Scale::of_column(result);
    let title = &result.metric.title;
    let head = match scale.unit {
        "" => title.clone(),
        unit => format!("{title} [{unit}]"),
    };
    let winners: Vec<usize> = comparison
        .groups
        .iter()
        .filter(|group| result.has_winner(group))
        .filter_map(|group| result.best_of(group))
        .collect();
    let cell = |(setting, cell): (usize, &Cell)| {
        let text = figures::cell(cell, scale);
        if winners.contains(&setting) {
            marked(text)
        } else {
            text
        }
    };
    let cells = result.cells.iter().enumerate().map(cell);
    std::iter::once(head).chain(cells).collect()
}

/// The mean of a setting with its interval, in the unit of its column: `12.7 ± 0.04`; or a word.
pub fn number(result: &MetricResult, setting: usize) -> String {
    figures::cell(&result.cells[setting], Scale::of_column(result))
}

/// The same with the unit behind it.
pub fn number_with_unit(result: &MetricResult, setting: usize) -> String {
    let number = number(result, setting);
    match (Scale::of_column(result).unit, result.cells[setting].mean) {
        ("", _) | (_, None) => number,
        (unit, Some(_)) => format!("{number} {unit}"),
    }
}

/// `Recommended with latency 10ms: prefetch 10 (by mean latency)`
fn head(comparison: &Comparison, recommendation: &Recommendation) -> String {
    let group = match comparison.groups[recommendation.group].label.as_str() {
        "" => String::new(),
        label => format!(" with {label}"),
    };
    let decided_by = recommendation.decided_by.join(", then ");
    format!(
        "Recommended{group}: {} (by {decided_by})",
        recommendation.label
    )
}

/// A pipe ends a cell, even in code.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// A sentence with a capital letter at its start, unless that is a name like `optimizeAcknowledge`.
pub fn capitalised(sentence: &str) -> String {
    let is_name = sentence
        .split(' ')
        .next()
        .is_some_and(|word| word.contains(char::is_uppercase));
    let mut characters = sentence.chars();
    match characters.next() {
        Some(first) if !is_name => first.to_uppercase().chain(characters).collect(),
        _ => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::capitalised;

    #[test]
    fn names_of_options_stay_as_they_are() {
        assert_eq!(capitalised("prefetch 2 beats 10."), "Prefetch 2 beats 10.");
        let option = "optimizeAcknowledge true beats false.";
        assert_eq!(capitalised(option), option);
        assert_eq!(capitalised(""), "");
    }
}
