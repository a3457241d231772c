//! Scenario files as a whole: those that must load, and those that must be refused with a helpful
//! message.

use std::fs;
use std::path::{Path, PathBuf};

use acksim::scenario::{read_bytes, read_file};

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

/// What the recorder could run on a real broker must load here. There is nothing odd about it but what
/// the cases of ignored options are about.
#[test]
fn recorded_scenarios_load() {
    let mut files = scenarios("tests/reference");
    files.extend(scenarios("tests/accuracy/scenarios"));
    assert!(files.len() >= 164);
    for file in files {
        let loaded = read_file(&file).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(
            loaded.scenario.name,
            file.file_stem().unwrap().to_string_lossy()
        );
        for note in loaded.notes.iter().filter(|note| note.warning) {
            let message = "ActiveMQ ignores `jms.optimizeAcknowledge` in a session";
            assert!(note.message.starts_with(message), "{note}");
        }
    }
}

/// Each file of `bad/` is refused; the snapshots say with what words.
/// Rule: unknown-options-are-refused
#[test]
fn bad_files_are_refused() {
    insta::glob!("bad/*.json", |path| {
        let name = path.file_name().unwrap().to_string_lossy();
        let refused = read_bytes(fs::read(path).unwrap(), &name, "bad");
        let errors = refused.expect_err("this file should be refused");
        insta::assert_snapshot!(errors);
    });
}

/// Each file of `noted/` loads; the snapshots say what there is to know about it.
/// Rule: foreign-options-are-ignored
#[test]
fn odd_files_load_with_notes() {
    insta::glob!("noted/*.json", |path| {
        let name = path.file_name().unwrap().to_string_lossy();
        let loaded = read_bytes(fs::read(path).unwrap(), &name, "noted");
        let loaded = loaded.unwrap_or_else(|errors| panic!("{errors}"));
        let notes: Vec<String> = loaded.notes.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(notes.join("\n"));
    });
}

#[test]
fn what_is_no_file_is_refused() {
    let refused = |path: &Path| {
        read_file(path)
            .expect_err("this should be refused")
            .to_string()
    };
    let directory = tempfile::tempdir().unwrap();
    let name = directory.path().display().to_string();
    let expected = format!("{name}: is a directory, not a scenario file");
    assert_eq!(refused(directory.path()), expected);

    let missing = directory.path().join("missing.json");
    let expected = format!("{}: there is no such file", missing.display());
    assert_eq!(refused(&missing), expected);

    let large = directory.path().join("large.json");
    fs::write(
        &large,
        format!("{{\"description\": \"{}\"}}", "x".repeat(50 << 20)),
    )
    .unwrap();
    assert_eq!(
        refused(&large),
        format!("{}: is larger than 16 MiB", large.display())
    );
}

#[test]
fn a_file_just_below_the_limit_is_read() {
    let text = format!("{{\"description\": \"{}\"}}", "x".repeat((16 << 20) - 19));
    assert_eq!(text.len(), 16 << 20);
    read_bytes(text.into_bytes(), "large.json", "large").unwrap();
}

/// What is huge is refused, and not told in full.
#[test]
fn huge_texts_are_refused_in_few_words() {
    let huge = "x".repeat(1 << 20);
    let told = |text: String| {
        let errors = read_bytes(text.into_bytes(), "huge.json", "huge").unwrap_err();
        errors.to_string()
    };
    let url = told(format!(
        r#"{{"consumers": [{{"destination": "queue://q", "url": "tcp://{huge}"}}]}}"#
    ));
    assert!(url.contains("this is longer than 65536 bytes"), "{url}");
    let key = told(format!(r#"{{"{huge}": 1}}"#));
    assert!(
        key.contains("unknown key `xxx") && key.len() < 2000,
        "{} bytes",
        key.len()
    );
}
