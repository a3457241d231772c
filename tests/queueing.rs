//! Where queueing theory has a closed form, the simulator agrees with it.

use acksim::experiment::measure;
use acksim::metrics::Metrics;
use acksim::scenario::{Source, read};
use serde_json::{Value, json};

fn run(scenario: &Value) -> Metrics {
    let source = Source {
        name: "scenario".to_owned(),
        text: scenario.to_string(),
    };
    let scenario = read(&source, "scenario").unwrap().scenario;
    measure(&scenario).unwrap()
}

/// Work for `servers` consumers without any latency: a message that finds one free is begun at once.
fn station(servers: u32, arrivals_per_second: f64, prefetch: u32, messages: u32) -> Value {
    json!({
        "network": {"latency": "0us"},
        "producers": [{
            "destination": "queue://work",
            "messages": messages,
            "deliveryMode": "NON_PERSISTENT",
            "arrivals": {"poisson": {"perSecond": arrivals_per_second}}
        }],
        "consumers": [{
            "count": servers,
            "destination": "queue://work",
            "prefetchSize": prefetch,
            "processing": {"exponential": {"mean": "10ms"}}
        }]
    })
}

fn assert_within_2_percent(found: f64, expected: f64) {
    assert!(
        (found / expected - 1.0).abs() < 0.02,
        "{found}, expected {expected}"
    );
}

/// Mean wait of M/M/1: rho / (mu - lambda).
#[test]
fn one_server_waits_as_m_m_1() {
    let metrics = run(&station(1, 60.0, 1000, 1_000_000));
    let expected_ms = 1000.0 * 0.6 / (100.0 - 60.0);
    assert_within_2_percent(
        metrics.latency_ms.send_to_delivered.mean.unwrap(),
        expected_ms,
    );
}

/// Mean wait of M/M/c by Erlang's formula C. With prefetch 1 a message waits at the broker until somebody is free.
#[test]
fn four_servers_with_prefetch_1_wait_as_m_m_4() {
    let (servers, offered) = (4, 2.8_f64);
    let metrics = run(&station(servers, 100.0 * offered, 1, 1_000_000));
    let mut terms = vec![1.0];
    for n in 1..=servers {
        terms.push(terms[n as usize - 1] * offered / f64::from(n));
    }
    let all_busy = terms[4] * f64::from(servers) / (f64::from(servers) - offered);
    let waits = all_busy / (terms[..4].iter().sum::<f64>() + all_busy);
    let expected_ms = 1000.0 * waits / (100.0 * (f64::from(servers) - offered));
    assert_within_2_percent(
        metrics.latency_ms.send_to_delivered.mean.unwrap(),
        expected_ms,
    );
}

/// A worker over a link of 50 ms each way that needs 4 ms for a message.
fn over_a_long_link(prefetch: u32) -> f64 {
    let metrics = run(&json!({
        "network": {"latency": "50ms"},
        "producers": [{"destination": "queue://work", "messages": 3000, "deliveryMode": "NON_PERSISTENT"}],
        "consumers": [{
            "destination": "queue://work",
            "prefetchSize": prefetch,
            "processing": "4ms",
            "start": "1s"
        }]
    }));
    metrics.timing.steady_per_second.unwrap() * 0.004
}

/// The arithmetic of RabbitMQ's "finding bottlenecks": 4 ms of 104 with a window of one, all of them with 26.
#[test]
fn a_window_of_26_hides_a_round_trip_of_100_ms() {
    let alone = over_a_long_link(1);
    assert!((0.0380..0.0390).contains(&alone), "{alone}");
    assert!(over_a_long_link(26) >= 0.99);
}
