//! `acksim compare`

use serde_json::json;

use crate::place::{ORDERS, Place};

const VARY: [&str; 4] = ["compare", "a.json", "--vary", "worker.prefetchSize=1,10"];

/// What is compared by default, as files are named.
const PLOTTED: [&str; 6] = [
    "latencyMs.sendToProcessed.mean",
    "latencyMs.sendToProcessed.p99",
    "throughput.processedPerSecond",
    "consumers.all.starvedMs",
    "messages.duplicates",
    "wire.acksPerMessage",
];

fn compare(place: &Place, arguments: &[&str]) -> crate::place::Done {
    place.acksim(&[&VARY[..], arguments].concat())
}

#[test]
fn a_comparison_writes_tables_for_programs_and_people() {
    let place = Place::with("a.json", ORDERS);
    let done = compare(&place, &["--replications", "3", "-o", "out"]).exits(0);
    let done = done
        .says_nothing()
        .prints("prefetch 10")
        .prints("3 replications")
        .prints("compare.md");
    for file in ["out/compare.json", "out/compare.csv", "out/compare.md"] {
        assert!(place.path(file).exists(), "{file}");
    }
    let done = done.prints("throughput.processedPerSecond.svg");
    for metric in &PLOTTED {
        for file in [format!("{metric}.svg"), format!("{metric}.png")] {
            assert!(place.path("out").join(&file).exists(), "{file}");
            assert!(done.stdout.contains(&file), "{file} in {}", done.stdout);
        }
    }
    let written: serde_json::Value = serde_json::from_str(&place.text("out/compare.json")).unwrap();
    let printed = compare(&place, &["--replications", "3", "-o", "out", "--json"]).json();
    assert_eq!(written, printed);
    assert_eq!(written["complete"], true);
    assert_eq!(written["seeds"], json!([1, 2, 3]));
}

#[test]
fn the_number_of_jobs_does_not_show() {
    let place = Place::with("a.json", ORDERS);
    for jobs in ["1", "2"] {
        compare(&place, &["--jobs", jobs, "-o", jobs]).exits(0);
    }
    let files = |jobs: &str| -> Vec<String> {
        let within = format!("{jobs}/");
        let all = place.tree().into_iter();
        all.filter_map(|file| Some(file.strip_prefix(&within)?.to_owned()))
            .collect()
    };
    assert_eq!(files("1"), files("2"));
    assert!(files("1").len() > 2 * PLOTTED.len());
    for file in files("1").iter().filter(|file| !file.is_empty()) {
        let bytes = |jobs: &str| std::fs::read(place.path(jobs).join(file)).unwrap();
        assert!(bytes("1") == bytes("2"), "{file}");
    }
}

#[test]
fn what_matters_is_up_to_the_user() {
    let place = Place::with(
        "a.json",
        &ORDERS.replace("\"messages\": 3", "\"messages\": 30"),
    );
    let makespan = [
        "--metric",
        "timing.makespanMs",
        "--replications",
        "2",
        "--no-files",
        "--json",
    ];
    let of = |share: &str| {
        compare(&place, &[&makespan[..], &["--practical", share]].concat())
            .exits(0)
            .json()
    };
    assert_eq!(of("50%")["practical"], 0.5);
    assert_eq!(of("0.01")["practical"], 0.01);
}

#[test]
fn charts_can_be_left_out() {
    let place = Place::with("a.json", ORDERS);
    let done = compare(&place, &["--replications", "2", "-o", "out", "--no-charts"]).exits(0);
    assert!(!done.stdout.contains(".svg"), "{}", done.stdout);
    let mut files = place.tree();
    files.retain(|file| file.starts_with("out/"));
    let expected = [
        "out/",
        "out/.acksim",
        "out/compare.csv",
        "out/compare.json",
        "out/compare.md",
    ];
    assert_eq!(files, expected);
}

#[test]
fn crashes_have_a_plot_of_their_price() {
    let crashing = ORDERS.replace(
        "\"processing\": \"5ms\"",
        "\"processing\": \"5ms\", \"failures\": [{\"crash\": {\"afterDeliveries\": 60, \"restartAfter\": \"1s\"}}]",
    );
    let place = Place::with(
        "a.json",
        &crashing.replace("\"messages\": 3", "\"messages\": 200"),
    );
    let optimised = [
        "--vary",
        "worker.jms.optimizeAcknowledge=true,false",
        "--replications",
        "2",
        "-o",
        "out",
    ];
    compare(&place, &optimised).exits(0).prints("trade-off.svg");
    let text = place.text("out/trade-off.svg");
    assert!(
        text.contains("messages done twice for each crash"),
        "{text}"
    );
}

#[test]
fn a_file_may_bring_its_own_study() {
    let study = r#"{"compare": {"vary": {"worker.prefetchSize": [1, 5]}, "replications": 2,
                                "metrics": ["timing.makespanMs"]},"#;
    let place = Place::with("a.json", &ORDERS.replacen('{', study, 1));
    let json = place
        .acksim(&["compare", "a.json", "--json", "--no-files"])
        .exits(0)
        .json();
    assert_eq!(json["axes"][0]["values"], json!([1, 5]));
    assert_eq!(json["seeds"], json!([1, 2]));
    assert_eq!(json["metrics"].as_array().unwrap().len(), 1);
    assert_eq!(place.tree(), ["a.json"]);
}

#[test]
fn mistakes_are_errors_that_name_the_nearest() {
    let place = Place::with("a.json", ORDERS);
    for (arguments, message) in [
        (&[][..], "nothing is varied"),
        (&["--vary", "worker.prefetchSise=1,2"], "prefetchSize"),
        (&["--vary", "worker.prefetchSize"], "PATH=VALUES"),
        (
            &["--vary", "worker.prefetchSize=1", "--metric", "latency"],
            "latency",
        ),
        (
            &["--vary", "worker.prefetchSize=1", "--replications", "0"],
            "--replications",
        ),
        (
            &["--vary", "worker.prefetchSize=1", "--precision", "5"],
            "--precision",
        ),
    ] {
        let all = [&["compare", "a.json"][..], arguments].concat();
        place.acksim(&all).exits(2).prints_nothing().says(message);
    }
    assert_eq!(place.tree(), ["a.json"]);
}

#[cfg(unix)]
mod interrupted {
    use std::process::{Child, Command, Stdio};
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;
    use crate::place::Done;

    fn interrupt(child: Child) -> Done {
        let id = child.id().to_string();
        Command::new("kill").args(["-INT", &id]).status().unwrap();
        Done::from(child.wait_with_output().unwrap())
    }

    fn start(place: &Place, arguments: &[&str]) -> Child {
        let mut command = place.command(arguments);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    #[test]
    fn a_comparison_keeps_what_is_complete() {
        let place = Place::with("a.json", &long(10_000));
        let many = ["--replications", "100000", "-o", "out", "--jobs", "1"];
        let child = start(&place, &[&VARY[..], &many].concat());
        sleep(Duration::from_secs(2));
        interrupt(child).exits(130).prints("INCOMPLETE");
        let text = place.text("out/compare.json");
        let written: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(written["complete"], false);
        let plot = place.text("out/throughput.processedPerSecond.svg");
        assert!(plot.contains("INCOMPLETE"), "the picture says so");
    }

    #[test]
    fn a_run_leaves_nothing_behind() {
        let place = Place::with("a.json", &long(100_000_000));
        let child = start(&place, &["run", "--trace", "--no-charts", "a.json"]);
        while !place
            .tree()
            .iter()
            .any(|file| file.ends_with("trace.jsonl"))
        {
            sleep(Duration::from_millis(10));
        }
        interrupt(child).exits(130).prints_nothing();
        assert_eq!(place.tree(), ["a.json", "output/"]);
    }

    /// Takes so long that there is time to interrupt it.
    fn long(messages: u64) -> String {
        ORDERS.replace("\"messages\": 3", &format!("\"messages\": {messages}"))
    }
}
