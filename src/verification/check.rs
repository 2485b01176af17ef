//! What was checked, and what was found.

use crate::ledger::Finding;

/// One line of the result, and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was compared.
    pub check: &'static str,
    /// What it is about, such as "orders.events [0]".
    pub subject: String,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Figures, as a fragment.
    pub detail: String,
}
