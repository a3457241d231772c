//! Studies of synthetic models whose truth is known.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::statistics::{StoppingRule, Verdict};
use super::*;
use crate::kernel::Stream;
use crate::scenario::Semantics;

/// Latency falls towards prefetch 10 and rises beyond, around a part that all settings share.
fn model(prefetch: &u64, seed: u64) -> Result<RunResult, String> {
    let mut arrivals = Stream::new(seed, "producer", "arrivals");
    let mut own = Stream::new(seed, "worker", &prefetch.to_string());
    let distance = prefetch.abs_diff(10) as f64;
    let latency = 50.0 + 20.0 * arrivals.unit() + 0.4 * distance + 2.0 * own.unit();
    let starved = if *prefetch > 10 { 310.0 } else { 10.0 };
    let consumer = |held: f64, starved: f64| {
        json!({
            "connectedMs": 1000.0, "starvedMs": starved, "meanHeld": held, "maxHeld": held + 9.0,
            "busyMs": 600.0, "windowFullMs": 0.0, "crashes": 0, "aborts": 0,
        })
    };
    Ok(sound(json!({
        "run": {"simulatedMs": 1000.0},
        "messages": {"duplicates": 0, "redeliveries": 0, "lost": 0},
        "latencyMs": {"sendToProcessed": {"mean": latency, "p99": latency * 3.0, "count": 900}},
        "wire": {"acksPerMessage": 1.0, "commandsPerMessage": 3.0},
        "consumers": {
            "slow": consumer(0.71 * *prefetch as f64, 0.0),
            "fast-1": consumer(1.0, starved), "fast-2": consumer(1.0, starved),
        },
        "producers": {},
    })))
}

fn sound(metrics: Value) -> RunResult {
    RunResult {
        metrics,
        condition: Condition::Sound,
        warm_up_ms: 0.0,
    }
}

fn study(axis: &str, replications: Replications) -> Study<u64> {
    let axis = Axis::parse(axis).unwrap();
    let settings = axis
        .values
        .iter()
        .map(|value| value.as_u64().unwrap())
        .collect();
    let place = |name: &str| ConsumerPlace {
        name: name.to_owned(),
        destination: "queue://orders".to_owned(),
    };
    Study {
        scenario: "unequal workers".to_owned(),
        semantics: Some(Semantics::ActiveMq5_17),
        kind: Kind::Terminating,
        seed: 1,
        axes: vec![axis],
        settings,
        baseline: None,
        metrics: [
            "latencyMs.sendToProcessed.mean",
            "latencyMs.sendToProcessed.p99",
            "messages.duplicates",
        ]
        .map(Metric::at)
        .to_vec(),
        replications,
        practical: 0.01,
        consumers: ["slow", "fast-1", "fast-2"].map(place).to_vec(),
    }
}

fn run<S: Sync>(
    study: &Study<S>,
    jobs: usize,
    model: impl Fn(&S, u64) -> Result<RunResult, String> + Sync,
) -> Result<Comparison, StudyError> {
    let execution = Execution {
        jobs: NonZeroUsize::new(jobs),
        cancelled: &AtomicBool::new(false),
        progress: &|_, _| {},
    };
    study.run(&execution, model)
}

#[test]
fn a_clear_winner_is_named_with_interval_and_cause() {
    let study = study("*.prefetchSize=10,100", Replications::Fixed(12));
    let comparison = run(&study, 1, model).unwrap();
    let verdict = &comparison.metrics[0].verdicts[0];
    let difference = comparison.metrics[0].cells[1].against_best.unwrap();
    // The truth: 90 · 0.4 ms.
    assert!(difference.interval.contains(36.0), "{difference:?}");
    assert_eq!(difference.verdict, Verdict::Worse);
    assert!(
        verdict.starts_with("prefetch 10 beats 100 for mean latency by 3"),
        "{verdict}"
    );
    let cause = "; 12 paired runs): with 100, slow held 71.0 messages on average while the others \
                 starved 31 % of the time (1 % with 10).";
    assert!(verdict.contains(cause), "{verdict}");
}

#[test]
fn equal_seeds_make_the_difference_known_sooner() {
    let mut study = study("*.prefetchSize=10,12", Replications::Fixed(20));
    study.practical = 0.001;
    let difference = run(&study, 1, model).unwrap().metrics[0].cells[1].against_best;
    let difference = difference.expect("two settings are compared");
    let (paired, independent) = (
        difference.replications_paired,
        difference.replications_independent,
    );
    // Variances: 2 · 4/12 against 2 · (400 + 4)/12.
    let gain = independent.unwrap() as f64 / paired.unwrap() as f64;
    assert!((50.0..200.0).contains(&gain), "{gain}");
    let sentence = format!(
        "{} replications with the same seeds are enough; with",
        paired.unwrap()
    );
    let table = output::table(&run(&study, 1, model).unwrap());
    assert!(table.contains(&sentence), "{table}");
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let study = study("*.prefetchSize=1,5,10,50", Replications::Fixed(10));
    let outputs = |jobs| {
        let comparison = run(&study, jobs, model).unwrap();
        [output::json, output::csv, output::markdown, output::table].map(|write| write(&comparison))
    };
    assert_eq!(outputs(1), outputs(4));
}

#[test]
fn settings_that_are_equal_are_not_called_different() {
    let study = study("*.prefetchSize=9,11", Replications::Fixed(10));
    let comparison = run(&study, 1, model).unwrap();
    let result = &comparison.metrics[0];
    assert!(
        result.verdicts[0].starts_with("no difference shown in mean latency: "),
        "{}",
        result.verdicts[0]
    );
    assert!(
        result.verdicts[0].contains("would have been seen"),
        "{}",
        result.verdicts[0]
    );
    assert_eq!(
        comparison.metrics[2].verdicts[0],
        "duplicates: 0 in every setting."
    );
}

#[test]
fn a_tail_without_enough_samples_is_insufficient() {
    let study = study("*.prefetchSize=10,100", Replications::Fixed(12));
    let comparison = run(&study, 1, model).unwrap();
    let tail = &comparison.metrics[1];
    assert!(
        tail.cells
            .iter()
            .all(|cell| cell.word == Some(Word::Insufficient) && cell.mean.is_none())
    );
    assert_eq!(
        tail.verdicts[0],
        "no verdict on 99th percentile of latency: insufficient data in every setting."
    );
}

#[test]
fn an_unstable_setting_has_a_word_and_no_number() {
    let study = study("*.prefetchSize=1,10,100", Replications::Fixed(10));
    let comparison = run(&study, 1, |prefetch, seed| {
        let condition = if *prefetch == 1 {
            Condition::Unstable
        } else {
            Condition::Sound
        };
        model(prefetch, seed).map(|result| RunResult {
            condition,
            ..result
        })
    });
    let comparison = comparison.unwrap();
    assert_eq!(comparison.settings[0].word, Some(Word::Unstable));
    assert_eq!(comparison.metrics[0].cells[0].mean, None);
    let verdict = &comparison.metrics[0].verdicts[0];
    assert!(
        verdict.ends_with("Unstable (the backlog grows): 1."),
        "{verdict}"
    );
    assert!(output::table(&comparison).contains("unstable"));
}

#[test]
fn a_single_replication_shows_nothing() {
    let study = study("*.prefetchSize=10,100", Replications::Fixed(1));
    let comparison = run(&study, 1, model).unwrap();
    assert!(comparison.metrics[0].verdicts[0].contains("replicate at least 10 times"));
}

#[test]
fn a_sequential_study_stops_when_it_knows_enough() {
    let rule = StoppingRule {
        minimum: 10,
        maximum: 400,
        precision: 0.05,
        practical: 0.001,
    };
    let clear = run(
        &study("*.prefetchSize=10,100", Replications::Sequential(rule)),
        2,
        model,
    );
    assert_eq!(clear.unwrap().replications(), 10);
    let close = run(
        &study("*.prefetchSize=10,20", Replications::Sequential(rule)),
        2,
        model,
    )
    .unwrap();
    let difference = close.metrics[0].cells[1].against_best.unwrap();
    assert!(
        (30..150).contains(&close.replications()),
        "{}",
        close.replications()
    );
    assert!(difference.interval.half_width() <= 0.05 * difference.difference);
    let few = StoppingRule {
        maximum: 15,
        ..rule
    };
    let cut = run(
        &study("*.prefetchSize=10,11", Replications::Sequential(few)),
        2,
        model,
    );
    assert_eq!(cut.unwrap().replications(), 15);
}

#[test]
fn a_cancelled_study_keeps_what_is_complete() {
    let study = study("*.prefetchSize=10,100", Replications::Fixed(20));
    let (cancelled, runs) = (AtomicBool::new(false), AtomicUsize::new(0));
    let execution = Execution {
        jobs: NonZeroUsize::new(1),
        cancelled: &cancelled,
        progress: &|done, planned| {
            assert_eq!(planned, 40);
            cancelled.store(done == 7, Ordering::Relaxed);
            runs.store(done, Ordering::Relaxed);
        },
    };
    let comparison = study.run(&execution, model).unwrap();
    assert_eq!(runs.into_inner(), 7);
    assert!(!comparison.complete);
    assert_eq!(comparison.seeds, [1, 2, 3]);
    assert!(output::table(&comparison).contains("INCOMPLETE"));
}

#[test]
fn a_run_that_fails_says_with_which_setting_and_seed() {
    let study = study("*.prefetchSize=10,100", Replications::Fixed(3));
    let error = run(&study, 2, |prefetch, seed| match (prefetch, seed) {
        (100, 2) => Err("virtual time stands still".to_owned()),
        _ => model(prefetch, seed),
    });
    assert_eq!(
        error.unwrap_err().to_string(),
        "with prefetch 100, seed 2: virtual time stands still"
    );
}

#[test]
fn a_metric_that_does_not_exist_is_an_error() {
    let mut study = study("*.prefetchSize=10,100", Replications::Fixed(1));
    study.metrics.push(Metric::at("latencyMs.typo"));
    let error = run(&study, 1, model).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no metric latencyMs.typo in metrics.json"
    );
}

#[test]
fn a_grid_is_every_combination() {
    let axes = ["a.x=1,2", "b.y=true,false"].map(|text| Axis::parse(text).unwrap());
    let points = grid(&axes).unwrap();
    assert_eq!(
        json!(points),
        json!([[1, true], [1, false], [2, true], [2, false]])
    );
    let huge = ["a.x=1..200", "b.y=1..200"].map(|text| Axis::parse(text).unwrap());
    assert!(
        grid(&huge)
            .unwrap_err()
            .to_string()
            .contains("40000 settings")
    );
}

#[test]
fn the_recommendation_is_ready_to_deploy() {
    let study = study("*.prefetchSize=10,100", Replications::Fixed(12));
    let comparison = run(&study, 1, model).unwrap();
    let recommendation = &comparison.recommendations[0];
    assert_eq!(
        recommendation.options[0].text,
        "queue://orders?consumer.prefetchSize=10"
    );
    assert!(
        recommendation
            .price
            .starts_with("a client that dies gives back up to 16 messages; ")
    );
}

#[test]
fn tables_and_files_show_every_run_and_mark_the_best() {
    let study = study("*.prefetchSize=10,100", Replications::Fixed(12));
    let comparison = run(&study, 1, model).unwrap();
    let csv = output::csv(&comparison);
    assert_eq!(csv.lines().count(), 1 + 2 * 12);
    assert!(csv.starts_with("*.prefetchSize,seed,word,latencyMs.sendToProcessed.mean,"));
    assert!(csv.lines().nth(1).unwrap().starts_with("10,1,,"));
    let markdown = output::markdown(&comparison);
    assert!(markdown.contains("| prefetch 10 | **"), "{markdown}");
    let parsed: Value = serde_json::from_str(&output::json(&comparison)).unwrap();
    assert_eq!(
        parsed["metrics"][0]["cells"][1]["againstBest"]["verdict"],
        "worse"
    );
    assert_eq!(parsed["settings"][0]["label"], "prefetch 10");
}

#[test]
fn choices_are_compared_under_equal_circumstances() {
    let mut study = study("*.prefetchSize=10,100", Replications::Fixed(12));
    study
        .axes
        .push(Axis::parse("network.latency=1ms,10ms").unwrap());
    study.settings = vec![10, 12, 100, 102];
    let comparison = run(&study, 1, model).unwrap();
    let labels: Vec<&str> = comparison
        .groups
        .iter()
        .map(|group| group.label.as_str())
        .collect();
    assert_eq!(labels, ["latency 1ms", "latency 10ms"]);
    let verdicts = &comparison.metrics[0].verdicts;
    assert!(verdicts[0].starts_with("with latency 1ms: prefetch 10 beats 100 for mean latency by"));
    assert!(
        verdicts[1].starts_with("with latency 10ms: prefetch 10 beats 100 for mean latency by")
    );
    let recommended = comparison
        .recommendations
        .iter()
        .map(|one| (one.group, one.setting));
    assert_eq!(recommended.collect::<Vec<_>>(), [(0, 0), (1, 1)]);
    assert_eq!(
        comparison.recommendations[1].options.len(),
        1,
        "nobody can deploy a latency"
    );
}

#[test]
fn a_difference_too_small_to_matter_wins_nothing() {
    let mut study = study("*.prefetchSize=10,20", Replications::Fixed(12));
    study.practical = 0.2;
    let comparison = run(&study, 1, model).unwrap();
    let result = &comparison.metrics[0];
    assert_eq!(
        result.cells[1].against_best.unwrap().verdict,
        Verdict::Worse
    );
    let start = "no difference in mean latency that matters: prefetch 10 is ahead of 20 by";
    assert!(
        result.verdicts[0].starts_with(start),
        "{}",
        result.verdicts[0]
    );
    assert!(
        result.verdicts[0].ends_with("less than 20 %."),
        "{}",
        result.verdicts[0]
    );
    assert!(comparison.recommendations.is_empty());
}

#[test]
fn of_equals_by_the_first_metric_the_next_decides() {
    let mut study = study("*.prefetchSize=100,50,10", Replications::Fixed(12));
    study.metrics = ["messages.duplicates", "latencyMs.sendToProcessed.mean"]
        .map(Metric::at)
        .to_vec();
    let comparison = run(&study, 1, model).unwrap();
    let recommendation = &comparison.recommendations[0];
    assert_eq!(
        (recommendation.label.as_str(), recommendation.setting),
        ("prefetch 10", 2)
    );
    assert_eq!(recommendation.decided_by, ["mean latency"]);
}
