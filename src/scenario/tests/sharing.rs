//! Who has which session and connection.

use super::{refusal, scenario};
use crate::scenario::Scenario;

fn consumers(list: &str) -> String {
    format!(r#"{{"until": "1s", "consumers": [{list}]}}"#)
}

fn of(scenario: &Scenario) -> Vec<(&str, &str, &str)> {
    let names = |it: &crate::scenario::Consumer| (it.session, it.connection);
    scenario
        .consumers
        .iter()
        .map(|it| {
            let (session, connection) = names(it);
            assert_eq!(scenario.sessions[session].connection, connection);
            let session = &scenario.sessions[session].name;
            (
                it.name.as_str(),
                session.as_str(),
                scenario.connections[connection].name.as_str(),
            )
        })
        .collect()
}

#[test]
fn everybody_has_their_own_unless_they_name_one() {
    let scenario = scenario(&consumers(
        r#"{"name": "a", "destination": "queue://q"},
           {"name": "b", "destination": "queue://q", "session": "s"},
           {"name": "c", "destination": "queue://q", "session": "s"},
           {"name": "d", "destination": "queue://q", "connection": "x"},
           {"name": "e", "destination": "queue://q", "connection": "x"}"#,
    ));
    let expected = [
        ("a", "a", "a"),
        ("b", "s", "s"),
        ("c", "s", "s"),
        ("d", "d", "x"),
        ("e", "e", "x"),
    ];
    assert_eq!(of(&scenario), expected);
    assert_eq!(
        (scenario.sessions.len(), scenario.connections.len()),
        (4, 3)
    );
}

#[test]
fn a_session_is_on_the_connection_that_any_of_its_consumers_names() {
    let scenario = scenario(&consumers(
        r#"{"name": "a", "destination": "queue://q", "session": "s"},
           {"name": "b", "destination": "queue://q", "session": "s", "connection": "x"},
           {"name": "c", "destination": "queue://q", "connection": "x"}"#,
    ));
    assert_eq!(
        of(&scenario),
        [("a", "s", "x"), ("b", "s", "x"), ("c", "c", "x")]
    );
}

/// A consumer called `x` and a connection called `x` have nothing to do with each other.
#[test]
fn names_of_consumers_and_of_connections_do_not_mix() {
    let scenario = scenario(&consumers(
        r#"{"name": "x", "destination": "queue://q"},
           {"name": "b", "destination": "queue://q", "connection": "x"}"#,
    ));
    assert_eq!(scenario.connections.len(), 2);
}

#[test]
fn count_makes_consumers_alike_with_numbers() {
    let scenario = scenario(&consumers(
        r#"{"name": "w", "destination": "queue://q", "count": 3}, {"destination": "queue://q"},
           {"destination": "queue://q", "count": 2}"#,
    ));
    let names: Vec<&str> = scenario
        .consumers
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "w-1",
            "w-2",
            "w-3",
            "consumer-4",
            "consumer-5-1",
            "consumer-5-2"
        ]
    );
    assert_eq!(scenario.connections.len(), 6);
}

#[test]
fn sharers_must_agree() {
    let differ = |first: &str, second: &str| {
        refusal(&consumers(&format!(
            r#"{{"name": "a", "destination": "queue://q", {first}}},
               {{"name": "b", "destination": "queue://q", {second}}}"#
        )))
    };
    assert!(
        differ(
            r#""session": "s""#,
            r#""session": "s", "acknowledgeMode": "CLIENT_ACKNOWLEDGE""#
        )
        .ends_with("`a` and `b` share a session but differ in `acknowledgeMode`")
    );
    let transacted = r#""session": "s", "acknowledgeMode": "SESSION_TRANSACTED""#;
    assert!(
        differ(
            transacted,
            &format!(r#"{transacted}, "transaction": {{"size": 2}}"#)
        )
        .ends_with("`a` and `b` share a session but differ in `transaction`")
    );
    assert!(
        differ(
            r#""connection": "x""#,
            r#""connection": "x", "url": "tcp://b:1?jms.sendAcksAsync=false""#
        )
        .ends_with("`a` and `b` share a connection but differ in `url`")
    );
    assert!(
        differ(
            r#""connection": "x""#,
            r#""connection": "x", "url": "tcp://b:1?jms.prefetchPolicy.all=3""#
        )
        .ends_with("`a` and `b` share a connection but differ in `url`")
    );
    assert!(
        differ(
            r#""session": "s", "connection": "x""#,
            r#""session": "s", "connection": "y""#
        )
        .ends_with("session `s` is on two connections, `x` and `y`")
    );
    assert!(
        differ(
            r#""session": "s""#,
            r#""session": "s", "receive": "receive""#
        )
        .ends_with("`a` and `b` share a session, and only one of them has a listener")
    );
}

/// What is written differently may mean the same.
#[test]
fn sharers_agree_where_the_meaning_is_the_same() {
    scenario(&consumers(
        r#"{"name": "a", "destination": "queue://q", "connection": "x", "url": "tcp://a:1"},
           {"name": "b", "destination": "queue://q", "connection": "x",
            "url": "tcp://b:2?jms.sendAcksAsync=true"}"#,
    ));
}

#[test]
fn names_are_unique_with_count_expanded() {
    let text = consumers(
        r#"{"name": "w", "destination": "queue://q", "count": 2},
           {"name": "w-2", "destination": "queue://q"}"#,
    );
    assert!(refusal(&text).ends_with("two consumers are named `w-2`"));
}
