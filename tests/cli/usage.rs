//! Usage, generated texts, and streams.

use std::io::Read;
use std::process::Stdio;

use crate::place::{ORDERS, Place};

#[test]
fn usage_errors_exit_with_2_and_print_nothing() {
    let place = Place::new();
    for arguments in [
        &[][..],
        &["run"],
        &["dance"],
        &["run", "--dance", "a.json"],
        &["run", "a.json", "--seed", "-1"],
        &["run", "a.json", "-q", "-v"],
        &["completions", "tcsh"],
        &["man", "dance"],
    ] {
        let done = place.acksim(arguments).exits(2).prints_nothing();
        assert_ne!(done.stderr, "", "{arguments:?}");
    }
    assert_eq!(place.tree(), Vec::<String>::new());
}

#[test]
fn help_and_version_go_to_standard_output() {
    let place = Place::new();
    place
        .acksim(&["--help"])
        .exits(0)
        .prints("Exit codes:")
        .says_nothing();
    place
        .acksim(&["--version"])
        .exits(0)
        .prints("ActiveMQ Classic 5.17.2")
        .says_nothing();
}

#[test]
fn the_schema_is_a_json_schema() {
    let schema = Place::new()
        .acksim(&["schema"])
        .exits(0)
        .says_nothing()
        .json();
    assert!(
        schema["$schema"]
            .as_str()
            .unwrap()
            .contains("json-schema.org"),
        "{schema}"
    );
    assert!(schema["properties"]["consumers"].is_object());
}

#[test]
fn completions_and_manual_name_every_subcommand() {
    let place = Place::new();
    let subcommands = [
        "run",
        "verify",
        "check",
        "compare",
        "schema",
        "completions",
        "man",
    ];
    for arguments in [
        &["completions", "bash"][..],
        &["completions", "zsh"],
        &["man"],
    ] {
        let done = place.acksim(arguments).exits(0).says_nothing();
        for subcommand in subcommands {
            assert!(
                done.stdout.contains(subcommand),
                "{arguments:?} lacks {subcommand}"
            );
        }
    }
    for subcommand in subcommands {
        place
            .acksim(&["man", subcommand])
            .exits(0)
            .prints(&format!("acksim\\-{subcommand}"));
    }
}

#[test]
fn a_broken_pipe_ends_quietly() {
    let place = Place::with("a.json", ORDERS);
    for arguments in [
        &["run", "--json", "--no-files", "a.json"][..],
        &["run", "--no-files", "a.json"],
        &["check", "a.json"],
        &["schema"],
        &["completions", "bash"],
        &["man"],
    ] {
        let mut child = place
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        assert_eq!(
            child.wait().unwrap().code(),
            Some(0),
            "{arguments:?}: {stderr}"
        );
        assert_eq!(stderr, "", "{arguments:?}");
    }
}

#[test]
fn colours_are_for_terminals_or_on_demand() {
    let place = Place::with("a.json", ORDERS);
    let arguments = ["run", "--no-files", "a.json"];
    let escapes = |colour: &[&str]| {
        let all = [&arguments[..], colour].concat();
        place.acksim(&all).exits(0).stdout.contains('\u{1b}')
    };
    assert!(!escapes(&[]));
    assert!(escapes(&["--color", "always"]));
    assert!(!escapes(&["--color", "never"]));
}
