//! Which consumers share a session or a connection, and whether they agree about it.

use std::collections::{BTreeMap, BTreeSet};

use super::client::PrefetchPolicy;
use super::consumer::Entry;
use super::json::Place;
use super::model::{Connection, Receive, Session};
use super::report::Report;

/// Connections and sessions by number.
#[derive(Default)]
pub struct Sharing<'a> {
    /// In the order in which they first appear.
    pub connections: Vec<Connection>,
    /// In the order in which they first appear.
    pub sessions: Vec<Session>,
    /// Of sessions that somebody puts on a named connection.
    connection_of_session: BTreeMap<&'a str, &'a str>,
    connection_numbers: BTreeMap<Key<'a>, usize>,
    session_numbers: BTreeMap<&'a str, usize>,
    /// Who was first on each connection.
    connection_owners: Vec<(String, PrefetchPolicy)>,
    /// Who was first in each session.
    session_owners: Vec<(String, Receive)>,
    durable: BTreeSet<(usize, &'a str)>,
}

/// What identifies a connection that may be shared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Named(&'a str),
    OfSession(&'a str),
}

impl<'a> Sharing<'a> {
    /// Learns which session is on which connection.
    pub fn new(entries: &[Entry<'a>], report: &mut Report) -> Sharing<'a> {
        let mut sharing = Sharing::default();
        for entry in entries {
            let (Some(session), Some(connection)) = (entry.session, entry.connection) else {
                continue;
            };
            let first = *sharing
                .connection_of_session
                .entry(session)
                .or_insert(connection);
            if first != connection {
                let message = format!(
                    "session `{session}` is on two connections, `{first}` and `{connection}`"
                );
                report.error(entry.place_of("connection"), message);
            }
        }
        sharing
    }

    /// The session and the connection of one consumer, new or shared.
    pub fn join(&mut self, entry: &Entry<'a>, name: &str, report: &mut Report) -> (usize, usize) {
        let connection = self.join_connection(entry, name, report);
        let session = self.join_session(entry, name, connection, report);
        if let Some(durable) = entry.node.text("durable")
            && !self.durable.insert((connection, durable))
        {
            let message = format!("the durable subscription `{durable}` is already in use");
            let help = "consumers of one connection have one client id: use another name";
            report.error_with(entry.place_of("durable"), message, [help]);
        }
        (session, connection)
    }

    fn join_connection(&mut self, entry: &Entry<'a>, name: &str, report: &mut Report) -> usize {
        let on_session = |session| match self.connection_of_session.get(session) {
            Some(connection) => Key::Named(connection),
            None => Key::OfSession(session),
        };
        let key = entry
            .connection
            .map(Key::Named)
            .or_else(|| entry.session.map(on_session));
        if let Some(number) = key.and_then(|key| self.connection_numbers.get(&key)) {
            self.compare_connections(entry, *number, report);
            return *number;
        }
        let number = self.connections.len();
        let connection_name = match key {
            Some(Key::Named(name) | Key::OfSession(name)) => name,
            None => name,
        };
        self.connection_numbers.extend(key.map(|key| (key, number)));
        self.connection_owners
            .push((name.to_owned(), entry.prefetch_policy));
        self.connections.push(Connection {
            name: connection_name.to_owned(),
            options: entry.options.clone(),
        });
        number
    }

    fn compare_connections(&self, entry: &Entry, number: usize, report: &mut Report) {
        let (owner, prefetch_policy) = &self.connection_owners[number];
        let connection = &self.connections[number];
        if connection.options != entry.options || *prefetch_policy != entry.prefetch_policy {
            let message = format!(
                "`{owner}` and `{}` share a connection but differ in `url`",
                entry.name
            );
            let help = "its options belong to the connection: give all that share it the same url";
            report.error_with(sharing_place(entry), message, [help]);
        }
    }

    fn join_session(
        &mut self,
        entry: &Entry<'a>,
        name: &str,
        connection: usize,
        report: &mut Report,
    ) -> usize {
        let number = entry
            .session
            .and_then(|session| self.session_numbers.get(session));
        if let Some(number) = number {
            self.compare_sessions(entry, *number, report);
            return *number;
        }
        let number = self.sessions.len();
        self.session_numbers
            .extend(entry.session.map(|session| (session, number)));
        self.session_owners
            .push((name.to_owned(), entry.consumer.receive));
        self.sessions.push(Session {
            name: entry.session.unwrap_or(name).to_owned(),
            connection,
            mode: entry.mode,
            acknowledge: entry.acknowledge,
            transaction: entry.transaction.clone(),
        });
        number
    }

    fn compare_sessions(&self, entry: &Entry, number: usize, report: &mut Report) {
        let (owner, receive) = &self.session_owners[number];
        let (session, name) = (&self.sessions[number], &entry.name);
        let differences = [
            (session.mode != entry.mode, "acknowledgeMode"),
            (session.acknowledge != entry.acknowledge, "acknowledge"),
            (session.transaction != entry.transaction, "transaction"),
        ];
        if let Some((_, key)) = differences.iter().find(|(differ, _)| *differ) {
            let place = entry
                .node
                .get(key)
                .map_or(sharing_place(entry), |value| value.place);
            let message = format!("`{owner}` and `{name}` share a session but differ in `{key}`");
            report.error(place, message);
        }
        let listeners = [receive, &entry.consumer.receive].map(|it| *it == Receive::Listener);
        if listeners[0] != listeners[1] {
            let message = format!(
                "`{owner}` and `{name}` share a session, and only one of them has a listener"
            );
            let help = "ActiveMQ's receive throws in a session that has a listener";
            report.error_with(entry.place_of("receive"), message, [help]);
        } else if !listeners[0] {
            let message = format!(
                "`{owner}` and `{name}` both call receive on one session, which is for one thread"
            );
            report.warning(sharing_place(entry), message);
        }
    }
}

fn sharing_place(entry: &Entry) -> Place {
    match entry.session {
        Some(_) => entry.place_of("session"),
        None => entry.place_of("connection"),
    }
}
