//! Scenario files as a whole: those that must load, and those that must be refused with a helpful message.

use std::fs;
use std::path::{Path, PathBuf};

use acksim::scenario::read_file;

/// Every scenario below a directory, in the order of paths.
fn scenarios(directory: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(directory)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                directories.push(path);
            } else if name.ends_with(".json") && !name.ends_with(".reference.json") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What the recorder could run on a real broker must load here, and have nothing odd about it.
#[test]
fn recorded_scenarios_load() {
    let mut files = scenarios("tests/reference");
    files.extend(scenarios("tests/accuracy/scenarios"));
    assert_eq!(files.len(), 164);
    for file in files {
        let loaded = read_file(&file).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(
            loaded.scenario.name,
            file.file_stem().unwrap().to_string_lossy()
        );
        for note in &loaded.notes {
            println!("{note}");
        }
    }
}
