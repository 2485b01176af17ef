//! Which row is the first delivery of its event, in commit order.

use tokio_postgres::types::Type;

use super::event_query::commit_position;
use crate::event::{QUARANTINED, TOMBSTONE};
use crate::store::connection::session::Session;
use crate::store::connection::statement::Parameters;
use crate::store::error::Error;

/// How far `duplicate_deliveries` knows which rows deliver an event again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Deliveries {
    /// Rows below this id are known; those from it on may not have been looked at.
    rest_from: i64,
}

impl Deliveries {
    /// Reads how far it is.
    ///
    /// # Errors
    /// `Error::Query`.
    pub(in crate::store) async fn read(session: &Session) -> Result<Self, Error> {
        // OFFSET 0 keeps to the numbers of the batches: behind the known ones there are few.
        let sql = "SELECT min(first_id)
                     FROM (SELECT first_id FROM ingest_batches
                            WHERE batch_no > (SELECT duplicates_through FROM event_count_state) OFFSET 0) AS rest";
        let what = "asking which deliveries were looked at";
        let rest_from = session.row(what, sql, &[], |row| row.try_get::<_, Option<i64>>(0)).await?;
        Ok(Self { rest_from: rest_from.unwrap_or(i64::MAX) })
    }

    /// Where the rows below this id are known.
    #[cfg(test)]
    pub(in crate::store) fn known_below(rest_from: i64) -> Self {
        Self { rest_from }
    }

    /// The condition that `row`, which is no dead letter, is the first delivery of its event. Rows
    /// outside batches come last in commit order, by their ids; quarantined records and tombstones
    /// are no deliveries.
    pub(in crate::store) fn is_first(&self, row: &str, parameters: &mut Parameters) -> String {
        let rest_from = parameters.bind(self.rest_from, Type::INT8);
        let none = parameters.bind(vec![QUARANTINED, TOMBSTONE], Type::VARCHAR_ARRAY);
        format!(
            "NOT EXISTS (SELECT FROM duplicate_deliveries known WHERE known.event_log_id = {row}.id)
   AND ({row}.id < {rest_from} AND {row}.partition_id IS NOT NULL OR NOT EXISTS (
       SELECT FROM event_logs other
        WHERE other.event_id = {row}.event_id AND other.id <> {row}.id AND other.is_dlt IS NOT TRUE
          AND other.event_type <> ALL({none}) AND ({}, other.id) < ({}, {row}.id)))",
            commit_position("other"),
            commit_position(row)
        )
    }
}
