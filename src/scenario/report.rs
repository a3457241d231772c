//! Where errors and notes are collected while a scenario is read.

use std::sync::Arc;

use super::diagnostic::{Diagnostic, Errors, Note, Text, printable};
use super::json::Place;
use super::limits;

/// Errors and notes about some texts.
pub struct Report {
    texts: Vec<Arc<Text>>,
    errors: Vec<(Place, Diagnostic)>,
    notes: Vec<(Place, Note)>,
}

impl Report {
    /// Nothing to say yet. The texts are those that places point into.
    pub fn new(texts: Vec<Arc<Text>>) -> Report {
        Report {
            texts,
            errors: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds an error.
    pub fn error(&mut self, place: Place, message: impl Into<String>) {
        self.error_with(place, message, None::<String>);
    }

    /// Adds an error with lines of help.
    pub fn error_with<H: Into<String>>(
        &mut self,
        place: Place,
        message: impl Into<String>,
        help: impl IntoIterator<Item = H>,
    ) {
        if self.errors.len() < limits::ERRORS {
            let text = &self.texts[place.text as usize];
            let diagnostic = Diagnostic::at(text, place, message);
            let diagnostic = help.into_iter().fold(diagnostic, Diagnostic::with_help);
            self.errors.push((place, diagnostic));
        }
    }

    /// Says that something is probably not meant so.
    pub fn warning(&mut self, place: Place, message: impl Into<String>) {
        self.add_note(place, true, message.into());
    }

    /// Says that something has no effect here.
    pub fn note(&mut self, place: Place, message: impl Into<String>) {
        self.add_note(place, false, message.into());
    }

    fn add_note(&mut self, place: Place, warning: bool, message: String) {
        if self.notes.len() == limits::NOTES {
            return;
        }
        let text = &self.texts[place.text as usize];
        let (line, column) = text.position(place.start);
        let (file, message) = (printable(&text.source.name), printable(&message));
        self.notes.push((
            place,
            Note {
                file,
                line,
                column,
                warning,
                message,
            },
        ));
    }

    /// Line and column of a place, from 1.
    pub fn position(&self, place: Place) -> (u32, u32) {
        self.texts[place.text as usize].position(place.start)
    }

    /// Whether anything is wrong so far.
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// The text of a source.
    pub fn text(&self, number: u32) -> &str {
        &self.texts[number as usize].source.text
    }

    /// The text of a key or string, without its quotes.
    pub fn quoted(&self, place: Place) -> String {
        let raw = &self.text(place.text)[place.start as usize..place.end as usize];
        raw.trim_matches('"').to_owned()
    }

    /// The errors, in the order of the file.
    pub fn into_errors(mut self) -> Errors {
        self.errors.sort_by_key(|(place, _)| *place);
        Errors {
            list: self.errors.into_iter().map(|(_, error)| error).collect(),
        }
    }

    /// The notes, or the errors if there are any, in the order of the file.
    ///
    /// # Errors
    /// All that were added.
    pub fn finish(mut self) -> Result<Vec<Note>, Errors> {
        if self.has_errors() {
            return Err(self.into_errors());
        }
        self.notes.sort_by_key(|(place, _)| *place);
        let mut notes: Vec<Note> = self.notes.into_iter().map(|(_, note)| note).collect();
        notes.dedup();
        Ok(notes)
    }
}
