//! What was checked, and what was found.

use crate::ledger::Finding;

/// One line of the result, and what was found.
pub(super) struct Check {
    /// What was compared.
    pub(super) check: &'static str,
    /// What it is about, such as "orders.events [0]".
    pub(super) subject: String,
    pub(super) findings: Vec<Finding>,
    /// Figures, as a fragment.
    pub(super) detail: String,
}
