//! The command line as other programs see it: exit codes, what goes to which stream, what is on the
//! disk afterwards.

mod check;
mod compare;
mod files;
mod input;
mod place;
mod run;
mod usage;
mod verify;
