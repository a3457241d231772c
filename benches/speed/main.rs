//! How fast the simulator is on this machine: `cargo bench --bench speed` prints the table of the README.
//!
//! Everything is measured in rounds, one of each kind after the other, and the median counts: on a machine that others
//! use, what slows one down slows its neighbours in the table down as well. Trust the ratios before the nanoseconds.
//! `-- --memory` adds the peak memory of 1,000,000 and of 100,000,000 messages, which takes a minute or two.

mod bare;
mod model;
mod subsystems;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, hint, io};

use acksim::experiment::measure;
use model::Variant;

/// Of each model and round.
const MESSAGES: u64 = 500_000;
/// What costs are counted by: four for each message, as in the bare loop. (Here a message takes five, and six if its
/// sender waits for the answer.)
const EVENTS: u64 = 4 * MESSAGES;
const ROUNDS: usize = 7;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().collect();
    if let Some(place) = arguments.iter().position(|argument| argument == "--peak") {
        return peak(&arguments[place + 1]);
    }
    if let Some(place) = arguments.iter().position(|argument| argument == "--bare") {
        bare_loop(&arguments[place + 1]);
        return Ok(());
    }
    let folder = env::temp_dir().join(format!("acksim-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let done = tables(
        &folder,
        arguments.iter().any(|argument| argument == "--memory"),
    );
    fs::remove_dir_all(&folder)?;
    done
}

fn tables(folder: &Path, memory: bool) -> io::Result<()> {
    models(folder)?;
    subsystems::table();
    commands(folder)?;
    if memory {
        memories()?;
    }
    Ok(())
}

/// The median of what `ROUNDS` rounds took, for each of some works that take turns.
fn medians(works: &mut [Box<dyn FnMut() + '_>]) -> Vec<Duration> {
    let mut times = vec![Vec::new(); works.len()];
    for _ in 0..ROUNDS {
        for (work, times) in works.iter_mut().zip(&mut times) {
            times.push(clocked(work));
        }
    }
    times.iter_mut().map(|times| median(times)).collect()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn clocked(work: &mut dyn FnMut()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

/// The whole program on each model, beside the bare loop of the same system.
fn models(folder: &Path) -> io::Result<()> {
    let this = env::current_exe()?;
    let mut works: Vec<Box<dyn FnMut()>> = Vec::new();
    for variant in Variant::ALL {
        // A process of its own, as the other is.
        let this = this.clone();
        works.push(Box::new(move || {
            let arguments = ["--bare", variant.name()];
            let done = Command::new(&this).args(arguments).status();
            assert!(done.is_ok_and(|status| status.success()));
        }));
        let file = folder.join(format!("{}.json", variant.name()));
        fs::write(&file, variant.scenario(MESSAGES))?;
        works.push(Box::new(move || {
            acksim(&["run", "--no-charts", "--no-files"], &file);
        }));
    }
    let times = medians(&mut works);
    println!("| {MESSAGES} messages, start to end | ns an event | bare loop | ratio | to AUTO |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let auto = times[1].as_secs_f64();
    for (variant, times) in Variant::ALL.iter().zip(times.chunks(2)) {
        let per_event = |time: Duration| time.as_secs_f64() * 1e9 / EVENTS as f64;
        let (bare, whole) = (per_event(times[0]), per_event(times[1]));
        println!(
            "| {} | {whole:.1} | {bare:.1} | {:.2} | {:.2} |",
            variant.label(),
            whole / bare,
            times[1].as_secs_f64() / auto
        );
    }
    Ok(())
}

/// What a user waits for.
fn commands(folder: &Path) -> io::Result<()> {
    let (small, loaded) = (folder.join("small.json"), folder.join("loaded.json"));
    fs::write(&small, Variant::Auto.scenario(100))?;
    fs::write(&loaded, Variant::Auto.scenario(MESSAGES))?;
    let study = folder.join("study.json");
    fs::write(&study, Variant::Auto.scenario(100_000))?;
    // A folder of its own for each: to replace a large one takes time.
    let outs = ["a", "b", "c", "d"].map(|out| folder.join(out).display().to_string());
    let with = |more: &[&str], file: &Path| {
        let arguments: Vec<String> = more.iter().map(|word| (*word).to_owned()).collect();
        let file = file.to_owned();
        let work: Box<dyn FnMut()> = Box::new(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            acksim(&arguments, &file);
        });
        work
    };
    let times = medians(&mut [
        with(&["run", "--no-charts", "-o", &outs[0]], &small),
        with(&["run", "-o", &outs[1]], &small),
        with(&["run", "--no-charts", "-o", &outs[2]], &loaded),
        with(&["run", "--no-charts", "--trace", "-o", &outs[3]], &loaded),
        // Else the disk is still busy with one trace when the next begins.
        Box::new(|| {
            let _ = fs::remove_dir_all(&outs[3]);
        }),
    ]);
    let seconds: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
    println!("\n| command | takes |");
    println!("| --- | ---: |");
    println!(
        "| a scenario of 100 messages, no charts | {:.1} ms |",
        1e3 * seconds[0]
    );
    println!(
        "| its charts | {:.0} ms more |",
        1e3 * (seconds[1] - seconds[0])
    );
    println!(
        "| a trace of {MESSAGES} messages | {:.2} times as long as without |",
        seconds[3] / seconds[2]
    );
    let vary = "*.prefetchSize=1,2,5,10,20,50,100,500,1000";
    let compare = [
        "compare",
        "--vary",
        vary,
        "--replications",
        "30",
        "--jobs",
        "1",
        "--no-files",
    ];
    let mut work = with(&compare, &study);
    let time = clocked(&mut *work);
    println!(
        "| 9 settings × 30 replications × 100,000 messages, one core | {:.1} s |",
        time.as_secs_f64()
    );
    Ok(())
}

fn bare_loop(name: &str) {
    let variant = Variant::ALL
        .into_iter()
        .find(|variant| variant.name() == name);
    let model = variant.map(|variant| variant.bare(MESSAGES));
    hint::black_box(bare::run(model.expect("the name of a variant")));
}

fn acksim(arguments: &[&str], file: &Path) {
    let done = Command::new(env!("CARGO_BIN_EXE_acksim"))
        .args(arguments)
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(
        done.is_ok_and(|status| status.success()),
        "acksim {arguments:?} failed"
    );
}

/// Peak memory of processes that run a few and very many messages.
fn memories() -> io::Result<()> {
    println!("\n| messages | peak memory |");
    println!("| ---: | ---: |");
    for messages in ["1000000", "100000000"] {
        let told = Command::new(env::current_exe()?)
            .args(["--peak", messages])
            .output()?;
        println!(
            "| {messages} | {} |",
            String::from_utf8_lossy(&told.stdout).trim()
        );
    }
    Ok(())
}

/// Runs so many messages, then says how much memory this process had at most (on Linux).
fn peak(messages: &str) -> io::Result<()> {
    let messages = messages.parse().map_err(io::Error::other)?;
    let metrics = measure(&Variant::Auto.resolved(messages)).map_err(io::Error::other)?;
    assert_eq!(metrics.messages.acknowledged, messages);
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!("{}", line.unwrap_or("unknown").trim());
    Ok(())
}
