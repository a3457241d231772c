//! Durations, sizes, numbers and distributions.

use super::{consumer, refusal, scenario};
use crate::kernel::{Distribution, Span};
use crate::scenario::values::{parse_duration, parse_size, parse_whole};

#[test]
fn durations_are_exact() {
    let nanos = |text| parse_duration(text).map(|span| span.0);
    assert_eq!(nanos("250us"), Ok(250_000));
    assert_eq!(nanos("1.5s"), Ok(1_500_000_000));
    assert_eq!(nanos("30 s"), Ok(30_000_000_000));
    assert_eq!(nanos("0.1ms"), Ok(100_000));
    assert_eq!(nanos("2h"), Ok(7_200_000_000_000));
    assert_eq!(nanos("0.5ns"), Ok(1));
    assert_eq!(nanos("0.4ns"), Ok(0));
    assert_eq!(nanos("9223372036.854775807s"), Ok(i64::MAX as u64));
    assert_eq!(nanos("0.000000000000000000000001h"), Ok(0));
}

#[test]
fn what_is_no_duration_says_why() {
    let fault = |text| parse_duration(text).unwrap_err();
    assert_eq!(fault("-5ms").message, "is negative");
    assert_eq!(
        fault("5").help.unwrap(),
        "units are ns us ms s m h: did you mean \"5ms\"?"
    );
    assert_eq!(
        fault("5min").help.unwrap(),
        "units are ns us ms s m h: did you mean \"5m\"?"
    );
    assert_eq!(
        fault("5 MS").help.unwrap(),
        "units are ns us ms s m h: did you mean \"5ms\"?"
    );
    assert_eq!(
        fault("5d").help.unwrap(),
        "units are ns us ms s m h: write days in hours"
    );
    assert_eq!(
        fault("5parsec").message,
        "is a duration with an unknown unit: `parsec`"
    );
    for text in ["", "ms", "1.ms", ".5ms", "1.2.3ms", "1e3ms", "١ms"] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
    for text in [
        "9223372036.854775808s",
        "300000h0",
        "99999999999999999999999h",
    ] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}

#[test]
fn sizes_are_powers_of_1024() {
    assert_eq!(parse_size("1kb"), Ok(1024));
    assert_eq!(parse_size("1.5mb"), Ok(1_572_864));
    assert_eq!(parse_size("7b"), Ok(7));
    let fault = parse_size("1KB").unwrap_err();
    assert_eq!(
        fault.help.unwrap(),
        "units are b kb mb gb: did you mean \"1kb\"?"
    );
}

#[test]
fn whole_numbers_may_be_written_in_any_way() {
    assert_eq!(parse_whole("1000"), Ok(1000));
    assert_eq!(parse_whole("1e3"), Ok(1000));
    assert_eq!(parse_whole("1000.0"), Ok(1000));
    assert_eq!(parse_whole("-0"), Ok(0));
    assert_eq!(parse_whole("9223372036854775808"), Ok(1 << 63));
    assert_eq!(
        parse_whole("1.5").unwrap_err().message,
        "must be a whole number, but is 1.5"
    );
    assert_eq!(
        parse_whole("1e400").unwrap_err().message,
        "is too large: 1e400"
    );
    assert!(parse_whole(&"9".repeat(1000)).is_err());
}

#[test]
fn seeds_take_all_of_64_bits() {
    assert_eq!(scenario(r#"{"seed": 18446744073709551615}"#).seed, u64::MAX);
    assert_eq!(
        refusal(r#"{"seed": 18446744073709551616}"#),
        "test.json:1:10: `seed` must be at most 18446744073709551615"
    );
    assert_eq!(
        refusal(r#"{"seed": -1}"#),
        "test.json:1:10: `seed` must not be negative"
    );
}

fn processing(value: &str) -> Distribution {
    consumer(&format!(r#""processing": {value}"#)).consumers[0]
        .processing
        .clone()
}

#[test]
fn every_distribution_can_be_written() {
    let ms = Span::from_millis;
    assert_eq!(processing(r#""5ms""#), Distribution::Constant(ms(5)));
    assert_eq!(
        processing(r#"{"constant": "5ms"}"#),
        Distribution::Constant(ms(5))
    );
    assert_eq!(
        processing(r#"{"uniform": {"min": "1ms", "max": "9ms"}}"#),
        Distribution::Uniform {
            min: ms(1),
            max: ms(9)
        }
    );
    assert_eq!(
        processing(r#"{"exponential": {"mean": "5ms"}}"#),
        Distribution::Exponential { mean: ms(5) }
    );
    assert_eq!(
        processing(r#"{"normal": {"mean": "5ms", "standardDeviation": "1ms"}}"#),
        Distribution::Normal {
            mean: ms(5),
            standard_deviation: ms(1)
        }
    );
    assert_eq!(
        processing(r#"{"logNormal": {"median": "5ms", "p99": "50ms"}}"#),
        Distribution::LogNormal {
            median: ms(5),
            p99: ms(50)
        }
    );
    assert_eq!(
        processing(r#"{"pareto": {"scale": "1ms", "shape": 1.5}}"#),
        Distribution::Pareto {
            scale: ms(1),
            shape: 1.5
        }
    );
    assert_eq!(
        processing(r#"{"erlang": {"shape": 3, "mean": "5ms"}}"#),
        Distribution::Erlang {
            shape: 3,
            mean: ms(5)
        }
    );
    assert_eq!(
        processing(r#"{"empirical": ["1ms", "2ms"]}"#),
        Distribution::Empirical(vec![ms(1), ms(2)])
    );
    assert_eq!(
        processing(
            r#"{"mixture": [{"weight": 9, "of": {"constant": "1ms"}},
            {"weight": 0.5, "of": {"exponential": {"mean": "2ms"}}}]}"#
        ),
        Distribution::Mixture(vec![
            (9.0, Distribution::Constant(ms(1))),
            (0.5, Distribution::Exponential { mean: ms(2) }),
        ])
    );
}

#[test]
fn senseless_distributions_are_refused() {
    let refused = |value: &str| {
        refusal(&format!(
            r#"{{"consumers": [{{"destination": "queue://q", "processing": {value}}}]}}"#
        ))
    };
    assert!(
        refused(r#"{"uniform": {"min": "9ms", "max": "1ms"}}"#)
            .ends_with("`min` (9ms) is longer than `max` (1ms)")
    );
    assert!(
        refused(r#"{"logNormal": {"median": "9ms", "p99": "9ms"}}"#)
            .ends_with("`p99` (9ms) must be longer than `median` (9ms)")
    );
    assert!(refused(r#"{"exponential": {"mean": "0ms"}}"#).ends_with("must be longer than zero"));
    assert!(refused(r#"{"pareto": {"scale": "1ms", "shape": 0}}"#).ends_with("must be above 0"));
    assert!(refused(r#"{"erlang": {"shape": 0, "mean": "1ms"}}"#).ends_with("must be at least 1"));
    assert!(refused(r#"{"empirical": []}"#).ends_with("must not be empty"));
    assert!(
        refused(r#"{"mixture": [{"weight": 0, "of": {"constant": "1ms"}}]}"#)
            .ends_with("must be above 0")
    );
    assert!(
        refused(r#"{"uniform": {"min": "1ms", "max": "2ms"}, "constant": "1ms"}"#)
            .ends_with("must have exactly one key")
    );
}
