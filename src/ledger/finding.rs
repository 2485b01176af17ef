//! A fault of the record, in words.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something is missing, or could not be checked.
    Incomplete,
    /// Something is doubled, changed, or unknown to the ledger.
    Altered,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about, such as "batch 12" or "orders.events [0]".
    pub subject: String,
    /// What is wrong, as a fragment.
    pub text: String,
}

impl Finding {
    /// Something is missing, or could not be checked.
    pub fn incomplete(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { severity: Severity::Incomplete, subject: subject.into(), text: text.into() }
    }

    /// Something is doubled, changed, or unknown to the ledger.
    pub fn altered(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { severity: Severity::Altered, ..Self::incomplete(subject, text) }
    }
}
