//! Destinations by number, with the policy of each, and the dead-letter queues that follow from
//! them.

use std::collections::BTreeMap;

use super::model::{Destination, DestinationKind, Policy};
use super::nearest::nearest;
use super::policy::{Entry, choose, default_dead_letters};
use super::report::Report;

/// All destinations of a scenario.
pub struct Destinations {
    list: Vec<Destination>,
    numbers: BTreeMap<(DestinationKind, String), usize>,
    entries: Vec<Entry>,
    /// The entry that applies to each.
    chosen: Vec<Option<usize>>,
    /// Of a dead-letter queue that nobody names: the destination that it was made for.
    made_for: Vec<Option<usize>>,
}

impl Destinations {
    /// None yet.
    pub fn new(entries: Vec<Entry>) -> Destinations {
        Destinations {
            list: Vec::new(),
            numbers: BTreeMap::new(),
            entries,
            chosen: Vec::new(),
            made_for: Vec::new(),
        }
    }

    /// The number of a destination that the scenario names.
    pub fn number(&mut self, kind: DestinationKind, name: &str) -> usize {
        self.number_of(kind, name, None)
    }

    fn number_of(&mut self, kind: DestinationKind, name: &str, made_for: Option<usize>) -> usize {
        let key = (kind, name.to_owned());
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = self.list.len();
        let chosen = choose(&self.entries, kind, name);
        let policy =
            chosen.map_or_else(Policy::default, |entry| self.entries[entry].policy.clone());
        self.numbers.insert(key, number);
        self.list.push(Destination {
            kind,
            name: name.to_owned(),
            policy,
        });
        self.chosen.push(chosen);
        self.made_for.push(made_for);
        number
    }

    /// Adds the dead-letter queues of all destinations, those of dead-letter queues included.
    pub fn close(&mut self) {
        let mut number = 0;
        while number < self.list.len() {
            let queue = self.dead_letter_queue(number);
            self.list[number].policy.dead_letter_strategy.queue = queue;
            number += 1;
        }
    }

    fn dead_letter_queue(&mut self, number: usize) -> Option<usize> {
        let Destination { kind, name, .. } = &self.list[number];
        let dead_letters = match self.chosen[number] {
            Some(entry) => self.entries[entry].dead_letters.clone(),
            None => default_dead_letters(),
        };
        let (kind, name) = dead_letters.of(*kind, name)?;
        let exists = self.numbers.contains_key(&(kind, name.clone()));
        if !exists && self.repeats(number) {
            // DLQ.DLQ.DLQ.orders … would never end. What is sent from a queue to itself is dropped
            // (RegionBroker.sendToDeadLetterQueue), and a second time round the strategy's audit
            // would drop it anyway.
            return Some(number);
        }
        Some(self.number_of(kind, &name, Some(number)))
    }

    /// Whether a dead-letter queue has the strategy of a destination that it was made for.
    fn repeats(&self, number: usize) -> bool {
        let strategy = |number: usize| self.list[number].policy.dead_letter_strategy.audit;
        let mut maker = self.made_for[number];
        while let Some(above) = maker {
            if strategy(above) == strategy(number) {
                return true;
            }
            maker = self.made_for[above];
        }
        false
    }

    /// Warns of policies that apply to nothing.
    pub fn warn_of_unused_policies(&self, report: &mut Report) {
        for (number, entry) in self.entries.iter().enumerate() {
            if !self.chosen.contains(&Some(number)) {
                let pattern = report.quoted(entry.place);
                let names: Vec<String> = self.list.iter().map(Destination::uri).collect();
                let near = nearest(&pattern, names.iter().map(String::as_str));
                let hint = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
                let message =
                    format!("the policy of {pattern} applies to no destination here{hint}");
                report.warning(entry.place, message);
            }
        }
    }

    /// The finished list.
    pub fn into_list(self) -> Vec<Destination> {
        self.list
    }
}
