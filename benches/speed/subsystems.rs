//! Where the time goes, part by part.

use std::hint::black_box;
use std::io;

use acksim::facts::Observer;
use acksim::kernel::{Distribution, Due, EventQueue, Lane, Sampler, Span, Stream, Time};
use acksim::metrics::{Collector, RunEnd};
use acksim::scenario::Scenario;
use acksim::trace::Trace;
use acksim::world::simulate_for;

use super::medians;
use super::model::Variant;

const MESSAGES: u64 = 200_000;
const TIMES: u64 = 1_000_000;

/// Prints the second table.
pub fn table() {
    let scenario = Variant::Auto.resolved(MESSAGES);
    let parts = medians(&mut [
        Box::new(|| hold(12)),
        Box::new(|| hold(1200)),
        Box::new(|| {
            sample(&Distribution::Exponential {
                mean: Span::from_millis(4),
            })
        }),
        Box::new(|| {
            let (median, p99) = (Span::from_millis(3), Span::from_millis(15));
            sample(&Distribution::LogNormal { median, p99 });
        }),
        Box::new(|| watched(&scenario, &mut ())),
        Box::new(|| {
            let mut collector = Collector::new(&scenario);
            watched(&scenario, &mut collector);
            black_box(collector.finish(RunEnd::default()));
        }),
        Box::new(|| watched(&scenario, &mut Trace::new(&scenario, io::sink()))),
    ]);
    let each = |part: usize, times: u64| parts[part].as_nanos() as f64 / times as f64;
    let model = each(4, MESSAGES);
    println!("\n| part | ns |");
    println!("| --- | ---: |");
    println!(
        "| event queue, 12 actors: schedule and pop | {:.1} |",
        each(0, TIMES)
    );
    println!("| event queue, 1,200 actors | {:.1} |", each(1, TIMES));
    println!("| an exponential draw | {:.1} |", each(2, TIMES));
    println!("| a log-normal draw | {:.1} |", each(3, TIMES));
    println!("| state machines, links and queue, a message | {model:.0} |");
    println!(
        "| all metrics, a message | {:.0} |",
        each(5, MESSAGES) - model
    );
    println!("| trace, a message | {:.0} |", each(6, MESSAGES) - model);
}

/// Each actor has one thing to do, and then the next.
fn hold(actors: u32) {
    let mut queue = EventQueue::<()>::new(actors);
    let mut lanes: Vec<Lane<u32>> = (0..actors).map(Lane::new).collect();
    let delay = Sampler::new(&Distribution::Exponential {
        mean: Span::from_millis(1),
    });
    let mut stream = Stream::new(1, "queue", "bench");
    for (actor, lane) in (0..).zip(&mut lanes) {
        let at = Time::ZERO + delay.sample(&mut stream);
        queue.schedule_in(lane, at, actor);
    }
    for _ in 0..TIMES {
        let Some((now, Due::Lane(actor))) = queue.pop() else {
            unreachable!("every actor always has something to do");
        };
        let lane = &mut lanes[actor as usize];
        let actor = queue.take(lane);
        queue.schedule_in(lane, now + delay.sample(&mut stream), actor);
    }
    black_box(queue.len());
}

fn sample(distribution: &Distribution) {
    let sampler = Sampler::new(distribution);
    let mut stream = Stream::new(1, "sampler", "bench");
    for _ in 0..TIMES {
        black_box(sampler.sample(&mut stream));
    }
}

fn watched(scenario: &Scenario, observer: &mut impl Observer) {
    let end = simulate_for(scenario, observer).expect("the model makes progress");
    black_box(end.events);
}
