//! What counts can tell.

use crate::store::connection::session::Session;
use crate::store::connection::statement::Parameters;
use crate::store::error::Error;
use crate::store::read::bounds::recorded_rows;
use crate::store::search::counted::Counting;
use crate::store::search::resolved::{ErrorFilter, ResolvedSelection};

/// How far events are counted, in the snapshot that this was read in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountState {
    /// What counts do not hold yet.
    pub counting: Counting,
    /// How many rows all batches have.
    pub(super) rows: i64,
}

impl CountState {
    /// Reads it.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn read(session: &Session) -> Result<Self, Error> {
        Ok(Self { counting: Counting::read(session).await?, rows: recorded_rows(session).await? })
    }

    /// Whether the counts know which rows a selection means, times aside, and hold most of what
    /// there is: to read a large rest batch by batch takes longer than to read all rows.
    pub fn can_tell(&self, selection: &ResolvedSelection) -> bool {
        self.counting.uncounted_rows <= self.rows / 4
            && !selection.has_ids()
            && selection.recorded.is_none()
            && selection.errors == ErrorFilter::Any
            && selection.selection.payload_predicates.is_empty()
    }

    /// SQL for FROM, as `event`: the rows that no count holds.
    pub(super) fn rest(&self, parameters: &mut Parameters) -> String {
        self.counting.uncounted("event", parameters)
    }
}
