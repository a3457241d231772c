//! Pictures of studies of synthetic models, at and beyond the edge of what can be drawn.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::experiment::{
    Axis, Condition, Execution, Kind, Metric, Replications, RunResult, Study, grid,
};
use crate::kernel::Stream;
use crate::scenario::Semantics;

/// A study to be drawn.
struct Case {
    name: String,
    vary: Vec<String>,
    replications: usize,
    semantics: Option<Semantics>,
    kind: Kind,
    /// Of a setting (by the numbers of its values) and a seed.
    latency: fn(&[usize], f64) -> Option<f64>,
    condition: fn(&[usize]) -> Condition,
    crashes: u64,
    /// Runs before it is interrupted.
    interrupted: Option<usize>,
}

impl Case {
    fn new(name: &str, vary: &[&str]) -> Case {
        Case {
            name: name.to_owned(),
            vary: vary.iter().map(|text| (*text).to_owned()).collect(),
            replications: 12,
            semantics: Some(Semantics::ActiveMq5_17),
            kind: Kind::Terminating,
            latency: |values, chance| {
                let distance: f64 = values.iter().map(|value| value.abs_diff(1) as f64).sum();
                Some(10.0 + 30.0 * distance * distance + 3.0 * chance)
            },
            condition: |_| Condition::Sound,
            crashes: 0,
            interrupted: None,
        }
    }

    fn comparison(&self) -> Comparison {
        let axes: Vec<Axis> = self
            .vary
            .iter()
            .map(|text| Axis::parse(text).unwrap())
            .collect();
        let of_axis = |axis: &Axis, value: &Value| {
            axis.values
                .iter()
                .position(|other| other == value)
                .expect("one of them")
        };
        let numbers = |point: &Vec<Value>| {
            axes.iter()
                .zip(point)
                .map(|(axis, value)| of_axis(axis, value))
                .collect()
        };
        let settings: Vec<Vec<usize>> = grid(&axes).unwrap().iter().map(numbers).collect();
        let study = Study {
            scenario: self.name.clone(),
            semantics: self.semantics,
            kind: self.kind,
            seed: 1,
            axes,
            settings,
            baseline: None,
            metrics: [
                "latencyMs.sendToProcessed.mean",
                "messages.duplicates",
                "consumers.*.starvedMs",
            ]
            .map(Metric::at)
            .to_vec(),
            replications: Replications::Fixed(self.replications),
            practical: 0.05,
            consumers: Vec::new(),
        };
        let cancelled = AtomicBool::new(false);
        let execution = Execution {
            jobs: NonZeroUsize::new(1),
            cancelled: &cancelled,
            progress: &|done, _| cancelled.store(Some(done) == self.interrupted, Ordering::Relaxed),
        };
        study
            .run(&execution, |setting, seed| Ok(self.run(setting, seed)))
            .unwrap()
    }

    fn run(&self, setting: &[usize], seed: u64) -> RunResult {
        let chance = Stream::new(seed, "model", "chance").unit();
        let duplicates = self.crashes * setting.iter().sum::<usize>() as u64 * 2;
        RunResult {
            metrics: json!({
                "messages": {"duplicates": duplicates + u64::from(chance > 0.5 && duplicates > 0)},
                "latencyMs": {"sendToProcessed": {"mean": (self.latency)(setting, chance)}},
                "consumers": {"worker": {"crashes": self.crashes, "starvedMs": 0.0}},
            }),
            condition: (self.condition)(setting),
            warm_up_ms: 1_000.0 * chance,
        }
    }

    fn drawing(&self) -> Drawing {
        draw(&self.comparison(), &self.comparison().metrics[0])
    }
}

fn cases() -> Vec<Case> {
    let plain = Case::new("plain", &["*.prefetchSize=1,2,5,10,20,50,100,500,1000"]);
    let single = Case::new("a-single-setting", &["*.prefetchSize=10"]);
    let mut once = Case::new("a-single-run", &["*.prefetchSize=1,10,100"]);
    once.replications = 1;
    let mut absent = Case::new("absent", &["*.prefetchSize=1,10,100"]);
    absent.latency = |values, chance| (values[0] > 0).then_some(chance);
    let mut nothing = Case::new("nothing-at-all", &["*.prefetchSize=1,10,100"]);
    nothing.latency = |_, _| None;
    let mut unstable = Case::new("unstable", &["*.prefetchSize=0,1,10,100,1000"]);
    unstable.kind = Kind::Steady;
    unstable.condition = |values| match values[0] {
        0 | 3 => Condition::Unstable,
        4 => Condition::TooShort,
        _ => Condition::Sound,
    };
    let mut lines = Case::new(
        "lines",
        &["*.prefetchSize=1,10,100", "network.latency=1ms,10ms,50ms"],
    );
    lines.condition = |values| match values {
        [0, 2] => Condition::Unstable,
        [_, 1] => Condition::TooShort,
        _ => Condition::Sound,
    };
    let long =
        "a_name_that_nobody_would_want_to_read_but_somebody_has_given_to_a_consumer".repeat(3);
    let names = Case::new(
        &format!("<b>&\"{long}"),
        &[&format!("{long}.acknowledgeMode={long},{long}B,<i>")],
    );
    let mut crashes = Case::new(
        "crashes",
        &[
            "*.prefetchSize=1,10,100",
            "*.jms.optimizeAcknowledge=true,false",
        ],
    );
    crashes.crashes = 3;
    let mut surroundings = Case::new(
        "crashes-here-and-there",
        &["*.prefetchSize=1,10", "network.latency=1ms,2ms"],
    );
    surroundings.crashes = 1;
    let mut modes = Case::new("modes", &["*.acknowledgeMode=A,B,C", "*.jms.x=true,false"]);
    modes.crashes = 2;
    let mut article = Case::new("article", &["*.prefetchSize=1,10"]);
    article.semantics = Some(Semantics::Article);
    let mut interrupted = Case::new("interrupted", &["*.prefetchSize=1,10"]);
    interrupted.interrupted = Some(9);
    let mut many = Case::new("many-runs", &["*.prefetchSize=1,10"]);
    many.replications = 300;
    let mut negative = Case::new("odd-values", &["*.prefetchSize=1,10,100"]);
    negative.latency = |values, chance| Some([-1e12, 0.0, 1e15][values[0]] * chance);
    vec![
        plain,
        single,
        once,
        absent,
        nothing,
        unstable,
        lines,
        names,
        crashes,
        surroundings,
        modes,
        article,
        interrupted,
        many,
        negative,
        Case::new("forty", &["*.prefetchSize=1..40"]),
        Case::new("forty-names", &[&format!("*.mode={}", names_of(40))]),
        Case::new("hundred-names", &[&format!("*.mode={}", names_of(100))]),
        Case::new("map", &["*.prefetchSize=1..30", "network.latency=1ms..9ms"]),
        Case::new(
            "map-of-names",
            &[
                &format!("*.mode={}", names_of(12)),
                &format!("*.other={}", names_of(9)),
            ],
        ),
        Case::new(
            "panels",
            &[
                "*.prefetchSize=1..9",
                "a.x=1,2,3",
                "b.y=true,false",
                "c.z=u,v,w",
            ],
        ),
        Case::new("maps", &["*.prefetchSize=1..9", "a.x=1..8", "b.y=1..12"]),
    ]
}

fn names_of(count: usize) -> String {
    let names: Vec<String> = (0..count)
        .map(|number| format!("choice-{number}"))
        .collect();
    names.join(",")
}

fn every_drawing() -> impl Iterator<Item = (String, Drawing)> {
    cases().into_iter().flat_map(|case| {
        let drawings = drawings(&case.comparison()).into_iter();
        drawings.map(move |(file, drawing)| (format!("{:.30} {file}", case.name), drawing))
    })
}

/// How many dots of single runs a picture has, that of the legend included.
fn dots(drawing: &Drawing) -> usize {
    let svg = String::from_utf8(drawing.svg()).expect("SVG is text");
    svg.matches(" r=\"23\"").count()
}

fn texts(drawing: &Drawing) -> Vec<String> {
    drawing.texts().into_iter().map(|(_, text)| text).collect()
}

fn case(name: &str) -> Case {
    cases()
        .into_iter()
        .find(|case| case.name == name)
        .expect("there is one of this name")
}

#[test]
fn pictures_of_every_kind_of_study_can_be_read() {
    for (name, drawing) in every_drawing() {
        drawing.assert_on_page(&name);
        drawing.assert_legible(&name);
        drawing.assert_well_formed(&name);
    }
}

#[test]
fn every_run_has_a_dot() {
    assert_eq!(dots(&case("plain").drawing()), 9 * 12 + 1);
    assert_eq!(dots(&case("forty").drawing()), 40 * 12 + 1);
    assert_eq!(dots(&case("forty-names").drawing()), 40 * 12 + 1);
    assert_eq!(
        dots(&case("a-single-run").drawing()),
        0,
        "its mark is the dot"
    );
}

#[test]
fn of_very_many_runs_some_have_a_dot_and_the_picture_says_so() {
    let drawing = case("many-runs").drawing();
    assert_eq!(dots(&drawing), 2 * 60 + 1);
    assert!(
        texts(&drawing)
            .iter()
            .any(|text| text.contains("60 of them have a dot."))
    );
}

#[test]
fn the_axis_is_logarithmic_where_values_grow_by_ratio() {
    let is_logarithmic = |name: &str| {
        let texts = texts(&case(name).drawing());
        texts.iter().any(|text| text.contains("logarithmic"))
    };
    assert!(is_logarithmic("plain") && is_logarithmic("crashes"));
    assert!(!is_logarithmic("forty") && !is_logarithmic("panels"));
}

#[test]
fn the_best_setting_is_marked_and_named() {
    let drawing = case("plain").drawing();
    assert!(
        texts(&drawing).contains(&"best: 2".to_owned()),
        "{:?}",
        texts(&drawing)
    );
    let once = case("a-single-run").drawing();
    assert!(
        !texts(&once).iter().any(|text| text.starts_with("best")),
        "one run shows nothing"
    );
}

#[test]
fn settings_that_cannot_be_trusted_have_a_word_and_no_mark() {
    let drawing = case("unstable").drawing();
    let all = texts(&drawing);
    assert!(all.contains(&"unstable".to_owned()), "{all:?}");
    assert!(all.contains(&"insufficient".to_owned()), "{all:?}");
    assert_eq!(dots(&drawing), 2 * 12 + 1, "only sound settings have dots");
    let nothing = case("nothing-at-all").drawing();
    assert_eq!(dots(&nothing), 0);
    assert!(texts(&nothing).contains(&"insufficient".to_owned()));
}

#[test]
fn the_words_say_what_is_seen() {
    let title = |name: &str| case(name).drawing().title;
    let plain = title("plain");
    assert!(
        plain.starts_with("plain: mean latency by prefetch. Prefetch 2 beats 1000"),
        "{plain}"
    );
    assert!(title("article").starts_with("article (article\u{a0}semantics): mean latency"));
    let cut_off = title("interrupted");
    assert!(cut_off.contains("INCOMPLETE"), "{cut_off}");
    let notes = texts(&case("interrupted").drawing()).join(" ");
    assert!(
        notes.contains("4 runs of each setting, with the same seeds in all."),
        "{notes}"
    );
    assert!(notes.contains("was interrupted"), "{notes}");
    let steady = texts(&case("unstable").drawing()).join(" ");
    assert!(
        steady.contains("Steady state, without a warm-up of"),
        "{steady}"
    );
}

#[test]
fn lines_and_panels_have_names() {
    let lines = texts(&case("lines").drawing());
    for name in ["latency 1ms", "latency 50ms"] {
        assert!(lines.contains(&name.to_owned()), "{name}: {lines:?}");
    }
    assert!(
        lines.contains(&"latency 10ms: insufficient".to_owned()),
        "{lines:?}"
    );
    let panels = texts(&case("panels").drawing());
    assert!(
        panels.contains(&"y false, z w".to_owned()) && panels.contains(&"x 3".to_owned()),
        "{panels:?}"
    );
}

#[test]
fn a_map_has_a_number_in_each_cell_that_has_room() {
    let map = texts(&case("maps").drawing());
    let has = |text: &str| map.contains(&text.to_owned());
    assert!(
        has("x 6") && !has("x 7"),
        "as many panels as there is room for"
    );
    let small = Case::new(
        "small",
        &["*.prefetchSize=1..9", "network.latency=1ms..7ms"],
    );
    let numbers = texts(&small.drawing())
        .into_iter()
        .filter(|text| text.contains('\u{a0}'));
    assert!(numbers.count() >= 63);
}

#[test]
fn crashes_show_what_speed_costs() {
    let of = |name: &str| {
        let drawings = drawings(&case(name).comparison());
        drawings
            .into_iter()
            .find(|(name, _)| name == "trade-off")
            .map(|(_, drawing)| drawing)
    };
    assert!(of("plain").is_none(), "nobody crashes");
    let drawing = of("crashes").expect("there is a trade-off");
    assert!(
        drawing
            .title
            .starts_with("crashes: mean latency against duplicates.")
    );
    let texts = texts(&drawing);
    for label in [
        "1",
        "10",
        "100",
        "optimizeAcknowledge true",
        "optimizeAcknowledge false",
    ] {
        assert!(texts.contains(&label.to_owned()), "{label}: {texts:?}");
    }
    assert_eq!(dots(&drawing), 6 * 12 + 1);
    assert!(of("modes").is_some() && of("crashes-here-and-there").is_some());
}

#[test]
fn files_have_stable_and_safe_names() {
    let files = files(&case("crashes").comparison());
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "latencyMs.sendToProcessed.mean",
        "messages.duplicates",
        "consumers.all.starvedMs",
        "trade-off",
    ];
    let expected = expected
        .iter()
        .flat_map(|name| [format!("{name}.svg"), format!("{name}.png")]);
    assert_eq!(names, expected.collect::<Vec<_>>());
    let again = super::files(&case("crashes").comparison());
    assert!(files == again, "the same bytes");
}

/// `cargo test --lib charts::comparison::tests::pictures -- --ignored` draws pictures to be looked
/// at.
#[test]
#[ignore = "writes pictures for people to look at"]
fn pictures() {
    let folder = std::env::temp_dir().join("acksim-comparisons");
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    for case in cases() {
        let plain = case
            .name
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == '-');
        let case_name: String = plain.take(40).collect();
        for (name, bytes) in files(&case.comparison()) {
            let file = folder.join(format!("{case_name}-{name}"));
            std::fs::write(file, bytes).expect("a place for a picture");
        }
    }
}
