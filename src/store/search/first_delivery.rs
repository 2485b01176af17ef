//! Which of several deliveries of an event committed first.

use tokio_postgres::types::Type;

use super::batch_of_row::commit_position;
use crate::event::{QUARANTINED, TOMBSTONE};
use crate::store::connection::session::Session;
use crate::store::connection::statement::Parameters;
use crate::store::error::Error;

/// The condition that `row` delivers an event. Dead letters, tombstones and quarantined records do
/// not: one that was quarantined and comes again, put right, is delivered for the first time.
pub(in crate::store) fn is_delivery(row: &str) -> String {
    format!("{row}.is_dlt IS NOT TRUE AND {row}.event_type NOT IN ('{TOMBSTONE}', '{QUARANTINED}')")
}

/// How far deliveries of events that were there before are known: those of most rows stand in
/// `duplicate_deliveries`, those of the rest are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Deliveries {
    /// The lowest id of the batches that were not searched yet. Batches that were may lie above
    /// it, too: looking for theirs again finds the same.
    pub(super) rest_from: i64,
}

impl Deliveries {
    /// Reads how far they are known. The condition holds for the snapshot that this was read in.
    ///
    /// # Errors
    /// `Error::Query`.
    pub(in crate::store) async fn read(session: &Session) -> Result<Self, Error> {
        // `+ 0` keeps PostgreSQL from walking through all batches by first_id up to the first that
        // is behind: the few behind are found by their number.
        let sql = "SELECT coalesce(min(first_id + 0), $1) FROM ingest_batches
                    WHERE batch_no > (SELECT duplicates_through FROM event_count_state)";
        session
            .row("reading how far deliveries are known", sql, &[(&i64::MAX, Type::INT8)], |row| {
                Ok(Self { rest_from: row.try_get(0)? })
            })
            .await
    }

    /// Where the rows below this id are known.
    #[cfg(test)]
    pub(in crate::store) const fn known_below(rest_from: i64) -> Self {
        Self { rest_from }
    }

    /// The condition that `row` delivers an event of which another delivery committed before it.
    pub(in crate::store) fn is_repeated(&self, row: &str, parameters: &mut Parameters) -> String {
        format!("{} AND NOT ({})", is_delivery(row), self.is_first(row, parameters))
    }

    /// The condition that no other delivery of the event of `row` committed before it. `row` is an
    /// alias of `event_logs` for a row that delivers an event ([`is_delivery`]). Rows that no batch
    /// covers come last.
    pub(in crate::store) fn is_first(&self, row: &str, parameters: &mut Parameters) -> String {
        let rest_from = parameters.bind(self.rest_from, Type::INT8);
        let (before, own) = (commit_position("earlier"), commit_position(row));
        let is_delivery = is_delivery("earlier");
        format!(
            "NOT EXISTS (SELECT FROM duplicate_deliveries known WHERE known.event_log_id = {row}.id)
   AND ({row}.id < {rest_from} AND {row}.partition_id IS NOT NULL
        OR NOT EXISTS (SELECT FROM event_logs earlier
                        WHERE earlier.event_id = {row}.event_id AND earlier.id <> {row}.id AND {is_delivery}
                          AND ({before}, earlier.id) < ({own}, {row}.id)))"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::connection::statement::Statement;

    #[test]
    fn only_rows_that_were_not_searched_yet_are_compared_with_others() {
        let mut parameters = Parameters::default();
        let sql = Deliveries { rest_from: 700 }.is_first("event", &mut parameters);
        insta::assert_snapshot!(format!("{:?}", Statement { sql, parameters }), @r"
NOT EXISTS (SELECT FROM duplicate_deliveries known WHERE known.event_log_id = event.id)
   AND (event.id < $1 AND event.partition_id IS NOT NULL
        OR NOT EXISTS (SELECT FROM event_logs earlier
                        WHERE earlier.event_id = event.event_id AND earlier.id <> event.id AND earlier.is_dlt IS NOT TRUE AND earlier.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined')
                          AND (coalesce((SELECT CASE WHEN batch.last_id >= earlier.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= earlier.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), earlier.id) < (coalesce((SELECT CASE WHEN batch.last_id >= event.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), event.id)))
$1 int8 700
");
    }
}
