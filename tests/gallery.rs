//! The gallery: every scenario under `scenarios/` is described, tests what it shows, and is listed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use acksim::scenario;
use assert_cmd::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every scenario below a folder, in the order of their paths.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("the entry can be read").path())
        .flat_map(|path| {
            if path.is_dir() {
                json_files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| is_scenario(&path.to_string_lossy()))
        .collect();
    files.sort();
    files
}

fn is_scenario(path: &str) -> bool {
    path.ends_with(".json") && !path.ends_with(".reference.json")
}

fn gallery() -> Vec<PathBuf> {
    json_files(&root().join("scenarios"))
}

#[test]
fn every_scenario_has_a_name_a_description_and_expectations() {
    let mut names = BTreeMap::new();
    for file in gallery() {
        let loaded = scenario::read_file(&file).unwrap_or_else(|errors| panic!("{errors}"));
        let stem = file
            .file_stem()
            .expect("a file has a stem")
            .to_string_lossy()
            .into_owned();
        let scenario = loaded.scenario;
        assert_eq!(scenario.name, stem, "a scenario is called as its file");
        assert!(
            scenario.description.len() > 80,
            "{stem} does not say what it shows"
        );
        assert!(!scenario.expect.is_empty(), "{stem} tests nothing");
        assert_eq!(names.insert(stem, file), None, "two scenarios of one name");
    }
    assert!(
        names.contains_key("hoarding-slow-consumer"),
        "the first one a newcomer sees"
    );
}

#[test]
fn the_list_of_the_gallery_is_complete() {
    let list = fs::read_to_string(root().join("scenarios/README.md")).expect("there is a list");
    let linked = |file: &Path| {
        let path = file
            .strip_prefix(root().join("scenarios"))
            .expect("it is in the gallery");
        list.contains(&format!("({})", path.display()))
    };
    let missing: Vec<PathBuf> = gallery().into_iter().filter(|file| !linked(file)).collect();
    assert!(
        missing.is_empty(),
        "not in scenarios/README.md: {missing:#?}"
    );
    assert_eq!(
        list.matches(".json)").count(),
        gallery().len(),
        "a link without its file"
    );
}

#[test]
fn studies_say_what_they_compare() {
    for file in json_files(&root().join("scenarios/studies")) {
        let loaded = scenario::read_file(&file).unwrap_or_else(|errors| panic!("{errors}"));
        let study = loaded
            .study
            .unwrap_or_else(|| panic!("{} compares nothing", file.display()));
        assert!(
            !study.vary.is_empty() && !study.metrics.is_empty() && study.replications.is_some()
        );
        for variation in &study.vary {
            if let scenario::Values::List(values) = &variation.values {
                for value in values {
                    let varied = loaded
                        .document
                        .set(&variation.path, value)
                        .unwrap_or_else(|errors| panic!("{errors}"));
                    scenario::resolve(varied).unwrap_or_else(|errors| panic!("{errors}"));
                }
            }
        }
    }
}

#[test]
fn every_expectation_holds() {
    let mut check = Command::new(assert_cmd::cargo::cargo_bin!("acksim"));
    check
        .args(["check", "scenarios"])
        .current_dir(root())
        .assert()
        .success();
}

#[test]
fn the_real_broker_did_the_same() {
    let mut verify = Command::new(assert_cmd::cargo::cargo_bin!("acksim"));
    verify
        .args(["verify", "scenarios"])
        .current_dir(root())
        .assert()
        .success();
}
