//! The command line of acksim.

fn main() {}
