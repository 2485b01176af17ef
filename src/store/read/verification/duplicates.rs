//! Which rows deliver an event again, found anew.

use tokio_postgres::GenericClient;

use crate::store::connection::query;
use crate::store::error::Error;

/// What is known of duplicate deliveries, beside what the rows say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DuplicateTotals {
    /// Whether `event_count_state` tells of batches that do not exist.
    pub is_beyond_ledger: bool,
    /// How many rows `duplicate_deliveries` has.
    pub listed: i64,
    /// How many of them are ids that no batch has.
    pub unknown: i64,
    /// How many it should have, as `event_count_state` says.
    pub claimed: i64,
    /// How many rows of the batches that were searched deliver an event again and are not listed.
    pub unlisted: i64,
    /// How many are listed that are there and deliver their event for the first time.
    pub first: i64,
    /// How many rows of batches were not searched yet.
    pub unsearched_rows: i64,
}

/// Looks for every event that was delivered again, whatever is known of it. `None` where
/// `event_count_state` has no row.
///
/// # Errors
/// `Error::Query`.
pub(super) async fn read(client: &impl GenericClient) -> Result<Option<DuplicateTotals>, Error> {
    query::optional_row(client, "looking for duplicate deliveries", TOTALS, &[], |row| {
        Ok(DuplicateTotals {
            is_beyond_ledger: row.try_get(5)?,
            unknown: row.try_get(6)?,
            listed: row.try_get(0)?,
            claimed: row.try_get(1)?,
            unlisted: row.try_get(2)?,
            first: row.try_get(3)?,
            unsearched_rows: row.try_get(4)?,
        })
    })
    .await
}

// Events that have one row are the most, and are passed over within the index. Rows that no batch
// covers come last.
const TOTALS: &str = "
WITH repeated AS MATERIALIZED (
    SELECT event_id FROM event_logs GROUP BY event_id HAVING count(*) > 1
), placed AS MATERIALIZED (
    SELECT row_.id, row_.event_id, row_.partition_id,
           (SELECT CASE WHEN batch.last_id >= row_.id THEN batch.batch_no END FROM ingest_batches batch
             WHERE batch.first_id <= row_.id ORDER BY batch.first_id DESC LIMIT 1) AS batch_no
      FROM repeated JOIN event_logs row_ USING (event_id)
     WHERE row_.is_dlt IS NOT TRUE AND row_.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined')
), again AS MATERIALIZED (
    SELECT id FROM (SELECT id, partition_id, batch_no,
                           row_number() OVER (PARTITION BY event_id ORDER BY batch_no NULLS LAST, id) AS nth
                      FROM placed) AS numbered
     WHERE nth > 1 AND partition_id IS NOT NULL AND batch_no <= (SELECT duplicates_through FROM event_count_state)
)
SELECT (SELECT count(*) FROM duplicate_deliveries),
       duplicates,
       (SELECT count(*) FROM again WHERE NOT EXISTS (SELECT FROM duplicate_deliveries WHERE event_log_id = id)),
       (SELECT count(*) FROM duplicate_deliveries JOIN event_logs ON id = event_log_id
         WHERE NOT EXISTS (SELECT FROM again WHERE again.id = event_log_id)),
       (SELECT coalesce(sum(row_count), 0)::bigint FROM ingest_batches WHERE batch_no > duplicates_through),
       greatest(filled_through, duplicates_through) > (SELECT coalesce(max(batch_no), 0) FROM ingest_batches),
       (SELECT count(*) FROM duplicate_deliveries
         WHERE (SELECT batch.last_id >= event_log_id FROM ingest_batches batch
                 WHERE batch.first_id <= event_log_id ORDER BY batch.first_id DESC LIMIT 1) IS NOT TRUE)
  FROM event_count_state";
