use super::drawing::Drawing;
use super::toy::{Toy, ToyConsumer, gallery};
use super::*;

const MS: u64 = 1_000_000;

/// Runs at the edge of what can be drawn.
fn degenerate() -> Vec<Toy> {
    let worker = || ToyConsumer::new("worker", 10, 5 * MS);
    let crowd = (0..200).map(|number| ToyConsumer::new(&format!("worker-{number}"), 5, MS));
    let named = |name: &str| ToyConsumer::new(name, 10, 7 * MS);
    let marked = "<b>&\"'".repeat(17);
    let names = vec![named(&marked), named(&"W".repeat(100)), named("")];
    let mut instant = worker();
    instant.processing = 0;
    let mut at_once = Toy::new("at-once", 500, 0, vec![instant.clone(), instant]);
    at_once.latency = 0;
    let mut age = ToyConsumer::new("patient", 10, 1_000_000_000_000_000);
    age.crash = Some((3, 1_000_000_000_000_000));
    let ages = Toy::new("ages", 50, 1_000_000_000_000_000, vec![age, worker()]);
    let mut idle = Toy::new("mostly-idle", 20, MS, vec![worker()]);
    idle.until = Some(3_600_000 * MS);
    let mut cut_off = Toy::new("cut-off", 100, MS, vec![worker()]);
    cut_off.until = Some(0);
    vec![
        Toy::new("no-messages", 0, MS, vec![worker()]),
        Toy::new("no-consumers", 10, MS, Vec::new()),
        Toy::new("nothing", 0, MS, Vec::new()),
        Toy::new("one-message", 1, MS, vec![worker()]),
        Toy::new("crowd", 300, MS, crowd.collect()),
        Toy::new(&marked, 100, MS, names),
        at_once,
        ages,
        idle,
        cut_off,
    ]
}

fn every_drawing() -> impl Iterator<Item = (String, Drawing)> {
    gallery().into_iter().chain(degenerate()).flat_map(|toy| {
        let drawings = toy.charts().drawings();
        drawings
            .into_iter()
            .map(move |(name, drawing)| (format!("{} {name}", toy.name), drawing))
    })
}

#[test]
fn every_shape_has_a_place_on_the_page() {
    for (name, drawing) in every_drawing() {
        drawing.assert_on_page(&name);
    }
}

#[test]
fn no_text_runs_over_the_edge_or_over_another() {
    for (name, drawing) in every_drawing() {
        drawing.assert_legible(&name);
    }
}

#[test]
fn names_cannot_break_the_markup() {
    for (name, drawing) in every_drawing() {
        drawing.assert_well_formed(&name);
    }
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let files = || {
        let mut files = Vec::new();
        let toy = &gallery()[2];
        toy.charts()
            .write(&mut |name, bytes| files.push((name.to_owned(), bytes)));
        files
    };
    let first = files();
    assert!(first == files());
    let names: Vec<&str> = first.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["timeline", "queue", "latency", "consumers", "acks"];
    let expected = expected
        .iter()
        .flat_map(|name| [format!("{name}.svg"), format!("{name}.png")]);
    assert_eq!(names, expected.collect::<Vec<_>>());
}

#[test]
fn a_png_can_be_read_and_shows_something() {
    let drawing = &gallery()[0].charts().drawings()[0].1;
    let bytes = drawing.png();
    let mut decoder = png::Decoder::new(bytes.as_slice());
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().expect("a PNG header");
    let mut pixels = vec![0; reader.output_buffer_size()];
    let info = reader.next_frame(&mut pixels).expect("a PNG image");
    assert_eq!(info.width, 1600);
    let colors: std::collections::BTreeSet<&[u8]> = pixels.chunks(3).collect();
    for color in [palette::SKY, palette::BLUE, palette::GREEN, palette::WHITE] {
        let (red, green, blue) = color.rgb;
        assert!(colors.contains(&[red, green, blue][..]), "{:?}", color.rgb);
    }
}

#[test]
fn the_point_says_who_hoards_while_who_starves() {
    let charts = gallery()[0].charts();
    let title = &charts.drawings()[0].1.title;
    let held = charts.consumers[0].max_held;
    // The slow consumer works 100 times 40 ms; the quickest is done with its share after half a
    // second of four.
    assert!(
        title.contains(&format!(
            "slow held up to {held} messages while quicker starved 8"
        )),
        "{title}"
    );
}

#[test]
fn the_title_says_whose_rules_apply() {
    let mut toy = gallery().pop().expect("a toy");
    for (semantics, text) in [
        (Semantics::ActiveMq5_17, None),
        (
            Semantics::ActiveMq6,
            Some("(activemq-6: derived, not recorded)"),
        ),
        (Semantics::Article, Some("(article\u{a0}semantics)")),
    ] {
        toy.semantics = semantics;
        for (_, drawing) in toy.charts().drawings() {
            assert_eq!(
                drawing.title.contains(" ("),
                text.is_some(),
                "{}",
                drawing.title
            );
            assert!(
                text.is_none_or(|text| drawing.title.contains(text)),
                "{}",
                drawing.title
            );
        }
    }
}

#[test]
fn a_long_run_shows_the_first_crash() {
    let mut worker = ToyConsumer::new("worker", 10, MS);
    worker.crash = Some((5_000, 50 * MS));
    let other = ToyConsumer::new("other", 10, MS);
    let view = Toy::new("late-crash", 30_000, MS, vec![worker, other])
        .charts()
        .view;
    assert_eq!(view.reason, Some(window::Reason::Crash));
    assert!(!view.is_whole && view.shown == 150);
    let crash = view
        .records
        .iter()
        .find(|record| record.event == window::Event::Mark(window::Mark::Crash));
    let at = crash.expect("the crash").at;
    assert!(at > 4_000 * MS && view.from.0 < at && at < view.to.0);
}

#[test]
fn a_run_in_which_nothing_can_go_wrong_shows_its_beginning() {
    let view = gallery()[1].charts().view;
    assert_eq!(
        (view.from, view.shown, view.reason),
        (Time::ZERO, 150, None)
    );
}

#[test]
fn a_quiet_end_is_left_out() {
    let mut toy = Toy::new("idle", 20, MS, vec![ToyConsumer::new("worker", 10, 5 * MS)]);
    toy.until = Some(3_600_000 * MS);
    let charts = toy.charts();
    assert_eq!(charts.ended_at, Time(3_600_000 * MS));
    assert!(charts.shown_until < Time(200 * MS));
    toy.until = Some(150 * MS);
    let charts = toy.charts();
    assert_eq!(charts.shown_until, charts.ended_at, "a short one is shown");
}

/// `cargo test --lib charts::tests::pictures -- --ignored` draws pictures to be looked at.
#[test]
#[ignore = "writes pictures for people to look at"]
fn pictures() {
    let folder = std::env::temp_dir().join("acksim-charts");
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    for toy in gallery().into_iter().chain(degenerate()) {
        let toy_name: String = toy
            .name
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == '-')
            .collect();
        toy.charts().write(&mut |name, bytes| {
            let file = folder.join(format!("{toy_name}-{name}"));
            std::fs::write(file, bytes).expect("a place for a picture");
        });
    }
}

/// `cargo test --release --lib charts::tests::speed -- --ignored --nocapture`
#[test]
#[ignore = "measures, asserts nothing"]
#[expect(clippy::disallowed_methods, reason = "a measurement needs a clock")]
fn speed() {
    for toy in gallery() {
        let scenario = toy.scenario();
        let begin = std::time::Instant::now();
        let charts = toy.charts();
        let recorded = begin.elapsed();
        let begin = std::time::Instant::now();
        toy.run(Collector::new(&scenario));
        let collected = begin.elapsed();
        let begin = std::time::Instant::now();
        let mut bytes = 0;
        charts.write(&mut |_, file| bytes += file.len());
        let drawn = begin.elapsed();
        let nanos =
            (recorded.as_nanos() as f64 - collected.as_nanos() as f64) / toy.messages as f64;
        println!(
            "{}: {nanos:.0} ns for each message, drawn in {drawn:?}, {} KB",
            toy.name,
            bytes / 1024
        );
    }
}
