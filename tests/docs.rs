//! What README and docs show is true: their scenarios load, their links lead somewhere, their commands exist, and the
//! glossary knows every metric.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use acksim::experiment::measure;
use acksim::scenario::{self, Source};
use assert_cmd::Command;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README, the gallery's list, and every page of `docs/`.
fn pages() -> Vec<(PathBuf, String)> {
    let docs = fs::read_dir(root().join("docs")).expect("there are docs");
    let docs = docs.map(|entry| entry.expect("an entry").path());
    let mut pages: Vec<PathBuf> = docs.filter(|path| path.is_file()).collect();
    pages.push(root().join("README.md"));
    pages.push(root().join("scenarios/README.md"));
    pages.sort();
    pages
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(path).expect("text")))
        .collect()
}

/// The fenced blocks of a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let behind_fences = page.split(fence.as_str()).skip(1);
    behind_fences
        .map(|rest| rest.split("\n```").next().expect("the block ends"))
        .collect()
}

#[test]
fn scenarios_in_the_docs_can_be_run() {
    let mut seen = 0;
    for (path, page) in pages() {
        for block in blocks(&page, "json") {
            let Ok(Value::Object(keys)) = serde_json::from_str(block) else {
                continue; // a part of a scenario, or a result
            };
            if keys.contains_key("producers") && keys.contains_key("consumers") {
                let source = Source {
                    name: path.display().to_string(),
                    text: block.to_owned(),
                };
                scenario::read(&source, "example").unwrap_or_else(|errors| panic!("{errors}"));
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "the README shows a scenario");
}

#[test]
fn links_lead_somewhere() {
    for (path, page) in pages() {
        let targets = page
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("http")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let folder = path.parent().expect("a page is in a folder");
            let linked = if file.is_empty() {
                path.clone()
            } else {
                folder.join(file)
            };
            assert!(linked.exists(), "{} links to {target}", path.display());
            if !heading.is_empty() {
                let text = fs::read_to_string(&linked).expect("text");
                assert!(
                    anchors(&text).contains(heading),
                    "{}: no {target}",
                    path.display()
                );
            }
        }
    }
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings
        .map(|line| line.trim_start_matches('#').trim().to_lowercase())
        .map(|line| {
            line.chars()
                .filter(kept)
                .collect::<String>()
                .replace(' ', "-")
        })
        .collect()
}

#[test]
fn the_glossary_knows_every_metric() {
    let file = root().join("scenarios/prefetch/hoarding-slow-consumer.json");
    let scenario = scenario::read_file(&file).expect("it loads").scenario;
    let metrics = measure(&scenario).expect("it ends");
    let metrics = serde_json::to_value(metrics).expect("plain data");

    let glossary = fs::read_to_string(root().join("docs/metrics.md")).expect("there is a glossary");
    let mut keys = BTreeSet::new();
    collect_keys(&metrics, &mut keys);
    let is_missing = |key: &&String| !glossary.contains(&format!("`{key}`"));
    let missing: Vec<&String> = keys.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "not in docs/metrics.md: {missing:?}");
}

/// Every key of an object and of what is in it, but for names that the scenario gave.
fn collect_keys(value: &Value, keys: &mut BTreeSet<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        keys.insert(key.clone());
        if matches!(key.as_str(), "consumers" | "producers" | "destinations") {
            value
                .as_object()
                .into_iter()
                .flatten()
                .for_each(|(_, value)| collect_keys(value, keys));
        } else {
            collect_keys(value, keys);
        }
    }
}

/// The command lines of a page's shell blocks that call acksim: what stands behind `--`.
fn commands(page: &str) -> Vec<&str> {
    let lines = blocks(page, "sh").into_iter().flat_map(str::lines);
    lines
        .filter_map(|line| line.trim().strip_prefix("cargo run --release -- "))
        .collect()
}

#[test]
fn commands_of_the_docs_exist_and_so_do_their_files() {
    let mut seen = 0;
    for (path, page) in pages() {
        for command in commands(&page) {
            let mut words = command.split_whitespace();
            let subcommand = words.next().expect("a subcommand");
            acksim().args(["help", subcommand]).assert().success();
            for file in
                words.filter(|word| word.starts_with("scenarios") || word.ends_with(".json"))
            {
                assert!(root().join(file).exists(), "{}: {command}", path.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 3);
}

/// With `UPDATE_DOCS=1` in the environment this test rewrites what it would compare.
#[test]
fn the_readme_shows_what_run_prints_and_draws() {
    let command = "run scenarios/prefetch/hoarding-slow-consumer.json";
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("scenarios/prefetch");
    fs::create_dir_all(&folder).expect("a folder");
    let file = "hoarding-slow-consumer.json";
    fs::copy(
        root().join("scenarios/prefetch").join(file),
        folder.join(file),
    )
    .expect("a copy");
    let output = acksim()
        .args(command.split(' '))
        .current_dir(place.path())
        .output()
        .expect("it runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    let drawn = fs::read_to_string(
        place
            .path()
            .join("output/hoarding-slow-consumer/timeline.svg"),
    );

    let readme = fs::read_to_string(root().join("README.md")).expect("text");
    let (_, rest) = readme
        .split_once(&format!("cargo run --release -- {command}\n"))
        .expect("it is shown");
    let shown = blocks(rest, "text")[0];
    let updated = readme.replace(shown, printed.trim_end());
    same_or_updated("README.md", &updated);
    let picture = "docs/images/hoarding-slow-consumer-timeline.svg";
    same_or_updated(picture, &drawn.expect("it draws"));
}

/// With `UPDATE_DOCS=1` in the environment this test rewrites what it would compare.
#[test]
fn the_docs_show_what_compare_draws() {
    for (study, plot, picture) in [
        (
            "three-unequal-workers",
            "latencyMs.sendToProcessed.mean.svg",
            "docs/images/three-unequal-workers-latency.svg",
        ),
        (
            "crash-exposure",
            "trade-off.svg",
            "docs/images/crash-exposure-trade-off.svg",
        ),
    ] {
        let place = tempfile::tempdir().expect("a folder");
        let file = root().join(format!("scenarios/studies/{study}.json"));
        let mut compare = acksim();
        compare.arg("compare").arg(file).current_dir(place.path());
        compare.assert().success();
        let drawn = place
            .path()
            .join(format!("output/{study}-compare"))
            .join(plot);
        same_or_updated(picture, &fs::read_to_string(drawn).expect("it draws"));
    }
}

/// With `UPDATE_DOCS=1` in the environment this test rewrites what it would compare.
#[test]
fn the_docs_say_what_equal_seeds_are_worth() {
    let page = fs::read_to_string(root().join("docs/studies.md")).expect("text");
    let is_shown = |command: &&str| command.starts_with("compare ") && command.contains("10,12");
    let command = commands(&page)
        .into_iter()
        .find(is_shown)
        .expect("it is shown");
    let words = command
        .split_whitespace()
        .map(|word| word.trim_matches('\''));
    let output = acksim()
        .args(words)
        .arg("--no-files")
        .current_dir(root())
        .output()
        .expect("it runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    let (_, sentence) = printed.split_once("To know how far").expect("it says so");
    let (sentence, _) = sentence.split_once("\n\n").expect("it ends");
    let (before, rest) = page.split_once(command).expect("it is shown");
    let shown = blocks(rest, "text")[0];
    let now = rest.replacen(shown, &format!("To know how far{sentence}"), 1);
    same_or_updated("docs/studies.md", &format!("{before}{command}{now}"));
}

/// The tables of hostile input: a message that has a file beside it is what that file is told.
#[test]
fn the_messages_to_hostile_input_are_true() {
    let page = fs::read_to_string(root().join("docs/hostile-input.md")).expect("text");
    let mut seen = 0;
    for row in page.lines().filter(|line| line.contains("](../tests/bad/")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [_, message, link] = cells[..] else {
            continue; // in running text
        };
        let (_, rest) = link.split_once("](../").expect("a link");
        let file = rest.split(')').next().expect("it ends");
        let bytes = fs::read(root().join(file)).expect("a file");
        let errors = scenario::read_bytes(bytes, "bad.json", "bad").expect_err("it is refused");
        let is_told = errors.to_string().contains(message);
        assert!(
            is_told || message.starts_with("read as"),
            "{file} is told: {errors}"
        );
        seen += 1;
    }
    assert!(seen > 20);
}

/// Whether a file of the docs is still what the program makes.
fn same_or_updated(file: &str, now: &str) {
    let path = root().join(file);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, now).expect("it can be written");
    }
    let shown = fs::read_to_string(&path).expect("text");
    assert!(
        shown == now,
        "UPDATE_DOCS=1 cargo test --test docs rewrites {file}"
    );
}

fn acksim() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("acksim"))
}
