//! Shows how far it is, and hands holes on to be looked up in Kafka.

use std::ops::Range;

use super::holes::Holes;
use crate::cli::ui::{Failure, Progress, Total};
use crate::verification::Follow;

/// Shows the progress, and collects holes.
pub(super) struct Following<'a> {
    pub(super) progress: &'a Progress,
    pub(super) holes: Holes<'a>,
}

impl Follow for Following<'_> {
    type Error = Failure;

    fn doing(&mut self, what: &'static str) {
        self.progress.doing(what);
    }

    fn rows_expected(&mut self, rows: i64) {
        self.progress.counting("rows read", Total::Exact(rows.unsigned_abs()));
    }

    fn rows(&mut self, rows: u64) {
        self.progress.set(rows);
    }

    async fn holes(&mut self, holes: Vec<(i32, Range<i64>)>) -> Result<(), Failure> {
        for (partition_id, range) in holes {
            self.holes.add(partition_id, range);
        }
        self.holes.ask_if_many().await
    }
}
