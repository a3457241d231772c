//! The ledger of rules: which of ActiveMQ's rules are here, and what shows it.
//!
//! `rules.txt` lists them. Where the code follows a rule it says `rule!("name")`; a test that holds it says
//! `/// Rule: name`. In this crate's own tests the marks note what a run has followed, so that the ledger
//! (`docs/fidelity.md`) knows which recordings exercise which rule. Everywhere else they are nothing.

/// Here a rule of the ledger is followed, if the condition holds.
macro_rules! rule {
    ($name:literal) => {
        #[cfg(test)]
        $crate::fidelity::tests::follow($name);
    };
    ($name:literal, $condition:expr) => {
        #[cfg(test)]
        if $condition {
            $crate::fidelity::tests::follow($name);
        }
    };
}

#[cfg(test)]
pub(crate) mod tests;
