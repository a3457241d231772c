//! Ctrl-C: the first asks for an end, the second makes one. Nothing half-written stays behind.

use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};

use acksim::output;

/// What a shell reports of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on, Ctrl-C makes the end at once.
pub fn ends_the_program() {
    handle(|| true);
}

/// From now on, the first Ctrl-C is told by what is returned, and the second makes the end.
pub fn asks_for_an_end() -> &'static AtomicBool {
    handle(|| ASKED.swap(true, Ordering::Relaxed));
    &ASKED
}

/// Where no handler can be set, Ctrl-C keeps its plain meaning.
fn handle(is_the_end: impl Fn() -> bool + Send + 'static) {
    let _ = ctrlc::set_handler(move || {
        if is_the_end() {
            output::abandon();
            exit(INTERRUPTED);
        }
    });
}
