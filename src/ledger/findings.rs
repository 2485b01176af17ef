//! Findings of which there may be very many.

use super::{Finding, Severity};

/// How many findings are listed; the rest is counted.
const LISTED: usize = 1000;

/// Findings about rows. Of very many, only the first are kept.
#[derive(Debug, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    altered_beyond: u64,
    incomplete_beyond: u64,
}

impl Findings {
    /// Adds one.
    pub fn push(&mut self, finding: Finding) {
        match finding.severity {
            _ if self.kept.len() < LISTED => self.kept.push(finding),
            Severity::Altered => self.altered_beyond += 1,
            Severity::Incomplete => self.incomplete_beyond += 1,
        }
    }

    /// Those that are listed, and how many of `subject` are not.
    pub fn finish(mut self, subject: &str) -> Vec<Finding> {
        let more = "more findings of this kind are not listed";
        if self.altered_beyond > 0 {
            self.kept.push(Finding::altered(subject, format!("{} {more}", self.altered_beyond)));
        }
        if self.incomplete_beyond > 0 {
            self.kept
                .push(Finding::incomplete(subject, format!("{} {more}", self.incomplete_beyond)));
        }
        self.kept
    }
}
