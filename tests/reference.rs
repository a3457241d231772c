//! Every recording of the real broker is matched, in every view that it compares.

use std::path::{Path, PathBuf};

use acksim::reference::{Recorder, Reference};
use acksim::scenario;
use acksim::world::simulate;

/// All scenario files below a folder that have a recording beside them, in order.
fn recorded(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            recorded(&path, found);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
            && Reference::path_beside(&path).exists()
        {
            found.push(path);
        }
    }
}

/// What differs, in words; empty if every compared view matches.
fn differences(path: &Path) -> Vec<String> {
    let reference = Reference::read(&Reference::path_beside(path)).unwrap();
    let loaded = match scenario::read_file(path) {
        Ok(loaded) => loaded,
        Err(errors) => return vec![format!("{errors}")],
    };
    let mut recorder = Recorder::new(&loaded.scenario);
    let end = simulate(&loaded.scenario, &mut recorder).unwrap();
    let views = recorder.finish(end.ended_at, &end.messages);
    reference
        .differences(&views)
        .iter()
        .map(|difference| format!("{difference:?}"))
        .collect()
}

#[test]
fn every_recording_is_matched() {
    let mut paths = Vec::new();
    recorded(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference"),
        &mut paths,
    );
    assert!(
        paths.len() >= 105,
        "only {} recordings are there",
        paths.len()
    );
    let mut failed = 0;
    for path in &paths {
        let differences = std::panic::catch_unwind(|| differences(path))
            .unwrap_or_else(|_| vec!["panic".to_owned()]);
        failed += usize::from(!differences.is_empty());
        for difference in differences {
            println!(
                "{}: {difference}",
                path.file_stem().unwrap().to_string_lossy()
            );
        }
    }
    assert_eq!(failed, 0, "of {} recordings", paths.len());
}
