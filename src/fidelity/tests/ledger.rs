//! `rules.txt` as rows.

/// How much is known of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// A recording of the real broker exercises it, and is matched.
    Recorded,
    /// Read in ActiveMQ's source, or, for other sets of semantics, in their description.
    Derived,
    /// Modelled, but not in all that the real one does.
    Simplified,
    /// Not modelled.
    Absent,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Row {
    pub chapter: &'static str,
    pub name: &'static str,
    pub state: State,
    /// ActiveMQ's methods: `Class.method`.
    pub cited: Vec<String>,
    pub sentence: String,
}

/// All rules, in the order of the file.
pub fn ledger() -> Vec<Row> {
    let mut chapter = "";
    let mut rows: Vec<Row> = Vec::new();
    for line in include_str!("../rules.txt").lines() {
        if let Some(title) = line.strip_prefix("# ") {
            chapter = title;
        } else if let Some(words) = line.strip_prefix("    ") {
            let row = rows.last_mut().expect("a rule before its sentence");
            if !row.sentence.is_empty() {
                row.sentence.push(' ');
            }
            row.sentence.push_str(words);
        } else if !line.is_empty() {
            rows.push(row(chapter, line));
        }
    }
    rows
}

/// `name  state  Class.method, Class.method`
fn row(chapter: &'static str, line: &'static str) -> Row {
    let mut columns = line.splitn(3, "  ");
    let name = columns.next().unwrap_or_default();
    let state = match columns.next() {
        Some("recorded") => State::Recorded,
        Some("derived") => State::Derived,
        Some("simplified") => State::Simplified,
        Some("absent") => State::Absent,
        state => panic!("{name}: no such state: {state:?}"),
    };
    let cited = columns.next().unwrap_or_default().split(", ");
    Row {
        chapter,
        name,
        state,
        cited: cited
            .filter(|method| !method.is_empty())
            .map(str::to_owned)
            .collect(),
        sentence: String::new(),
    }
}
