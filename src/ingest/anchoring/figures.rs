//! What is counted of checkpoints.

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use prometheus_client::metrics::counter::Counter;

use crate::ingest::mutex::lock_mutex;

/// What became of the checkpoints of this process.
#[derive(Debug, Default)]
pub(in crate::ingest) struct AnchorFigures {
    /// Checkpoints signed.
    pub(in crate::ingest) signed: Counter,
    /// Attempts in which the log was not what was signed before.
    pub(in crate::ingest) refusals: Counter,
    /// Attempts that failed for another reason.
    pub(in crate::ingest) failures: Counter,
    last_at: Mutex<Option<DateTime<Utc>>>,
}

impl AnchorFigures {
    /// Notes when the last checkpoint was signed, by whomever.
    pub(super) fn set_last_at(&self, at: DateTime<Utc>) {
        *lock_mutex(&self.last_at) = Some(at);
    }

    /// When the last checkpoint was signed, where this process signs and one is known.
    pub(in crate::ingest) fn last_at(&self) -> Option<DateTime<Utc>> {
        *lock_mutex(&self.last_at)
    }
}
