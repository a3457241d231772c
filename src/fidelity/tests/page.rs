//! `docs/fidelity.md`.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Exercise;
use super::ledger::{Row, State};
use super::tree::Place;

type Marks = BTreeMap<String, Vec<Place>>;

/// So many recordings are named; the others are counted.
const NAMED: usize = 2;

const HEAD: &str = "\
# The ledger: which rules are modelled, and what shows it

<!-- Written by `UPDATE_DOCS=1 cargo test --lib fidelity`, from src/fidelity/rules.txt, the marks in the code and the
     recordings. Don't edit it here. -->

Each rule that decides who gets which message, with which counter, and which acks travel: the method of ActiveMQ 5.17.2 that
has it, the file here that follows it (look for `rule!(\"name\")`), the tests that hold it, and the recordings of the real
broker in whose matched runs it was followed. A rule is

* **recorded**: followed in a run that matches what the real broker did, message by message and ack by ack;
* **derived**: read in the source of ActiveMQ (the article's rules: in the article) and tested, but no recording here needs it;
* **simplified**: modelled, but not all of what the real one does;
* **absent**: left out.

Recordings fix who did what in which order, with every counter; they have no times. How well times are met is in
[accuracy](accuracy.md). The numbers of the chapters are those in the names of the tests.

What was decided where the real thing may go either way, and why some of it is left out, is in
[defended choices](defended-choices.md); what documentation and blogs say differently in [what the docs say](what-the-docs-say.md).

A rule in the code without a row here, a row without code and test, a method that the model cites and no rule names, and a
*recorded* without a recording fail `cargo test`.
";

/// The whole page.
pub fn page(rows: &[Row], exercises: &[Exercise], code: &Marks, tests: &Marks) -> String {
    let mut page = HEAD.to_owned();
    let count = |state| rows.iter().filter(|row| row.state == state).count();
    let _ = write!(
        page,
        "\nOf {} rules {} are recorded, {} derived, {} simplified and {} absent; {} recordings were looked at.\n",
        rows.len(),
        count(State::Recorded),
        count(State::Derived),
        count(State::Simplified),
        count(State::Absent),
        exercises.len(),
    );
    let mut chapter = "";
    for row in rows {
        if row.chapter != chapter {
            chapter = row.chapter;
            let _ = write!(
                page,
                "\n## {chapter}\n\n| rule | state | ActiveMQ | here | tests | recordings |\n"
            );
            page.push_str("| --- | --- | --- | --- | --- | --- |\n");
        }
        let _ = writeln!(
            page,
            "| **{}** {} | {} | {} | {} | {} | {} |",
            row.name,
            row.sentence,
            state(row.state),
            cited(row),
            files(code.get(row.name)),
            names(tests.get(row.name)),
            recordings(row.name, exercises),
        );
    }
    page
}

fn state(state: State) -> &'static str {
    match state {
        State::Recorded => "recorded",
        State::Derived => "derived",
        State::Simplified => "simplified",
        State::Absent => "absent",
    }
}

fn cited(row: &Row) -> String {
    let methods = row.cited.iter().map(|method| format!("`{method}`"));
    methods.collect::<Vec<_>>().join(", ")
}

fn files(places: Option<&Vec<Place>>) -> String {
    let mut links: Vec<String> = places
        .into_iter()
        .flatten()
        .map(|place| {
            format!(
                "[{}](../{})",
                place.file.trim_start_matches("src/"),
                place.file
            )
        })
        .collect();
    links.dedup();
    links.join(", ")
}

fn names(places: Option<&Vec<Place>>) -> String {
    let links = places
        .into_iter()
        .flatten()
        .map(|place| format!("[{}](../{})", place.test, place.file));
    links.collect::<Vec<_>>().join(", ")
}

fn recordings(rule: &str, exercises: &[Exercise]) -> String {
    let mut exercising = exercises
        .iter()
        .filter(|exercise| exercise.rules.contains(rule));
    let named: Vec<String> = exercising
        .by_ref()
        .take(NAMED)
        .map(|exercise| {
            let name = exercise.file.rsplit('/').next().unwrap_or_default();
            format!("[{}](../{})", name.trim_end_matches(".json"), exercise.file)
        })
        .collect();
    match exercising.count() {
        0 => named.join(", "),
        more => format!("{}, {more} more", named.join(", ")),
    }
}
