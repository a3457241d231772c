//! What the sources say: marks of rules, and the methods of ActiveMQ that they cite.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Where a mark is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// From the root: `src/client/receive.rs`.
    pub file: String,
    /// The test's name; empty in the model.
    pub test: String,
}

/// Of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder but our own, with its text, in order.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut entries: Vec<_> = fs::read_dir(root().join(folder))
        .expect("a folder")
        .map(|entry| entry.expect("an entry"))
        .collect();
    entries.sort_by_key(fs::DirEntry::path);
    let mut found = Vec::new();
    for entry in entries {
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if name == "src/fidelity" {
            continue;
        }
        if entry.path().is_dir() {
            found.extend(sources(&name));
        } else if name.ends_with(".rs") {
            found.push((name, fs::read_to_string(entry.path()).expect("text")));
        }
    }
    found
}

/// By rule: where the code says `rule!("name")`.
pub fn marks_of_code() -> BTreeMap<String, Vec<Place>> {
    let mut marks: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for (file, text) in sources("src") {
        for behind in text.split("rule!(").skip(1) {
            let name = behind.split('"').nth(1).expect("a name in quotes");
            let place = Place {
                file: file.clone(),
                test: String::new(),
            };
            marks.entry(name.to_owned()).or_default().push(place);
        }
    }
    marks
}

/// By rule: the tests that say `/// Rule: name, name`.
pub fn marks_of_tests() -> BTreeMap<String, Vec<Place>> {
    let mut marks: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for (file, text) in ["src", "tests"].into_iter().flat_map(sources) {
        for behind in text.split("/// Rule: ").skip(1) {
            let (names, code) = behind.split_once('\n').expect("a test follows");
            let Some((_, test)) = code.split_once("fn ") else {
                continue;
            };
            let ends = |c: char| !c.is_alphanumeric() && c != '_';
            let test = test.split(ends).next().unwrap_or_default();
            for name in names.split(", ") {
                let place = Place {
                    file: file.clone(),
                    test: test.to_owned(),
                };
                marks.entry(name.to_owned()).or_default().push(place);
            }
        }
    }
    marks
}

/// Every `Class.method` in backquotes in a doc comment of broker, client and world.
pub fn methods_cited_by_the_model() -> BTreeSet<String> {
    let rooms = ["src/broker", "src/client", "src/world"];
    let mut cited = BTreeSet::new();
    for (_, text) in rooms.into_iter().flat_map(sources) {
        for line in text
            .lines()
            .filter(|line| line.trim_start().starts_with("//"))
        {
            let quoted = line.split('`').skip(1).step_by(2);
            cited.extend(quoted.filter(|word| is_method(word)).map(method));
        }
    }
    cited
}

fn is_method(word: &str) -> bool {
    let word = word.split('(').next().unwrap_or_default();
    word.split_once('.').is_some_and(|(class, method)| {
        class.starts_with(|c: char| c.is_ascii_uppercase())
            && method.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_alphanumeric() || c == '.')
    })
}

fn method(word: &str) -> String {
    word.split('(').next().unwrap_or_default().to_owned()
}
