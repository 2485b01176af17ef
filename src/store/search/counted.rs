//! What is not in `event_counts`, and how it is counted from the rows.

use tokio_postgres::types::Type;

use super::resolved::{ErrorFilter, ResolvedSelection};
use crate::store::connection::session::Session;
use crate::store::connection::statement::Parameters;
use crate::store::error::Error;

/// How far `event_counts` goes. Holds for the snapshot in which it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountState {
    /// The batches up to this one are counted, whether they counted themselves or not.
    filled_through: i64,
    /// How many rows the batches behind it have that did not count themselves.
    rest: i64,
    /// How many rows all batches have.
    rows: i64,
    /// Whether there are rows outside batches.
    has_hand_written: bool,
}

impl CountState {
    /// Reads it.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn read(session: &Session) -> Result<Self, Error> {
        let sql = "SELECT filled_through, head.row_count,
       (SELECT coalesce(sum(batch.row_count), 0)::bigint FROM ingest_batches batch
         WHERE NOT batch.counted AND batch.batch_no > filled_through),
       EXISTS (SELECT FROM event_logs WHERE partition_id IS NULL)
  FROM event_count_state, ledger_head head";
        let state = session.row("reading how far events are counted", sql, &[], |row| {
            Ok(Self {
                filled_through: row.try_get(0)?,
                rows: row.try_get(1)?,
                rest: row.try_get(2)?,
                has_hand_written: row.try_get(3)?,
            })
        });
        state.await
    }

    /// Whether the counts hold most of what there is: reading a large rest batch by batch takes
    /// longer than reading all rows.
    fn is_useful(&self) -> bool {
        self.rest < self.rows / 4
    }

    /// Whether the counts know which rows a selection means, times aside.
    pub fn can_tell(&self, selection: &ResolvedSelection) -> bool {
        self.is_useful()
            && !selection.has_ids()
            && selection.recorded.is_none()
            && selection.errors == ErrorFilter::Any
            && selection.selection.payload_predicates.is_empty()
    }

    /// FROM and the first condition of each query that gives rows which are not in `event_counts`,
    /// as `event`.
    pub(in crate::store) fn rest(
        &self,
        parameters: &mut Parameters,
    ) -> Vec<(&'static str, String)> {
        let mut rest = Vec::new();
        if self.has_hand_written {
            rest.push(("event_logs event", "event.partition_id IS NULL".to_owned()));
        }
        if self.rest > 0 {
            let filled_through = parameters.bind(self.filled_through, Type::INT8);
            rest.push((
                "ingest_batches batch JOIN event_logs event ON event.id BETWEEN batch.first_id AND batch.last_id",
                format!(
                    "NOT batch.counted AND batch.batch_no > {filled_through} AND event.partition_id IS NOT NULL"
                ),
            ));
        }
        rest
    }
}
