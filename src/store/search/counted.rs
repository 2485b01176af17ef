//! What `event_counts` does not hold yet, and is counted from the rows.

use tokio_postgres::types::Type;

use crate::store::connection::session::Session;
use crate::store::connection::statement::Parameters;
use crate::store::error::Error;
use crate::store::search::conditions::where_clause;
use crate::store::search::walk::leaves::{Leaves, PassedOver};

/// Rows that are not counted are looked at to know what there is, up to so many.
pub(in crate::store) const MOST_READ: i64 = 20_000;

/// How far counting is, in the snapshot that this was read in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counting {
    /// The batches up to this one are in `event_counts`.
    pub(in crate::store) filled_through: i64,
    /// The batches up to this one were searched for deliveries of events that were there before.
    pub(in crate::store) duplicates_through: i64,
    /// How many such deliveries are known.
    pub(in crate::store) duplicates: i64,
    /// How many rows of batches are not in `event_counts`.
    pub uncounted_rows: i64,
    /// How many rows of batches were not searched.
    pub unsearched_rows: i64,
    /// The leaves that have no rows outside batches.
    pub(in crate::store) without_foreign_rows: PassedOver,
}

impl Counting {
    /// Reads how far counting is.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn read(session: &Session) -> Result<Self, Error> {
        let sql = "SELECT filled_through, duplicates_through, duplicates,
                          (SELECT coalesce(sum(row_count), 0)::bigint FROM ingest_batches
                            WHERE NOT counted AND batch_no > filled_through),
                          (SELECT coalesce(sum(row_count), 0)::bigint FROM ingest_batches
                            WHERE batch_no > duplicates_through)
                     FROM event_count_state";
        let counting = session
            .optional_row("reading how far events are counted", sql, &[], |row| {
                Ok(Self {
                    filled_through: row.try_get(0)?,
                    duplicates_through: row.try_get(1)?,
                    duplicates: row.try_get(2)?,
                    uncounted_rows: row.try_get(3)?,
                    unsearched_rows: row.try_get(4)?,
                    without_foreign_rows: PassedOver::default(),
                })
            })
            .await?;
        let counting = counting.ok_or_else(|| {
            Error::Protocol(
                "the table event_count_state has lost its row: restore it from a backup, and run `audit verify`"
                    .to_owned(),
            )
        })?;
        let without_foreign_rows = Leaves::read(session).await?.without_foreign_rows();
        Ok(Self { without_foreign_rows, ..counting })
    }

    /// A subquery for FROM, called `row`: the rows of `event_logs` that are not in `event_counts`,
    /// with all of their columns. The rows of each batch are looked up by their ids (OFFSET 0 has
    /// it so): how many there are between two ids of another table PostgreSQL can't estimate.
    pub(in crate::store) fn uncounted(&self, row: &str, parameters: &mut Parameters) -> String {
        if self.uncounted_rows == 0 {
            // Spares the planner a join that it takes for a large one.
            return format!("({}) {row}", self.outside_batches(row, parameters));
        }
        let through = parameters.bind(self.filled_through, Type::INT8);
        let batches = format!("NOT batch.counted AND batch.batch_no > {through}");
        self.rest(row, &batches, parameters)
    }

    /// As [`Counting::uncounted`]: the rows that `event_count_state.duplicates` says nothing of.
    pub(in crate::store) fn unsearched(&self, row: &str, parameters: &mut Parameters) -> String {
        let through = parameters.bind(self.duplicates_through, Type::INT8);
        self.rest(row, &format!("batch.batch_no > {through}"), parameters)
    }

    /// The rows of these batches, and those that no ingester wrote.
    fn rest(&self, row: &str, batches: &str, parameters: &mut Parameters) -> String {
        format!(
            "(SELECT {row}.* FROM ingest_batches batch
    CROSS JOIN LATERAL (SELECT {row}.* FROM event_logs {row}
                         WHERE {row}.id BETWEEN batch.first_id AND batch.last_id AND {row}.partition_id IS NOT NULL
                        OFFSET 0) {row}
    WHERE {batches}
   UNION ALL
   {}) {row}",
            self.outside_batches(row, parameters)
        )
    }

    /// The rows that no ingester wrote, with all of their columns.
    pub(in crate::store) fn outside_batches(
        &self,
        row: &str,
        parameters: &mut Parameters,
    ) -> String {
        let mut conditions = vec![format!("{row}.partition_id IS NULL")];
        conditions.extend(self.without_foreign_rows.condition(row, parameters));
        format!("SELECT {row}.* FROM event_logs {row}{}", where_clause(&conditions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_left_to_be_counted_once_at_most() {
        let counting = Counting {
            filled_through: 7,
            duplicates_through: 5,
            duplicates: 2,
            uncounted_rows: 3,
            unsearched_rows: 0,
            without_foreign_rows: PassedOver::NONE,
        };
        let mut parameters = Parameters::default();
        insta::assert_snapshot!(counting.uncounted("event", &mut parameters), @r"
(SELECT event.* FROM ingest_batches batch
    CROSS JOIN LATERAL (SELECT event.* FROM event_logs event
                         WHERE event.id BETWEEN batch.first_id AND batch.last_id AND event.partition_id IS NOT NULL
                        OFFSET 0) event
    WHERE NOT batch.counted AND batch.batch_no > $1
   UNION ALL
   SELECT event.* FROM event_logs event
 WHERE event.partition_id IS NULL) event
");
        let all_counted = Counting { uncounted_rows: 0, ..counting.clone() };
        insta::assert_snapshot!(all_counted.uncounted("event", &mut Parameters::default()), @r"
(SELECT event.* FROM event_logs event
 WHERE event.partition_id IS NULL) event
");
        let unsearched = counting.unsearched("event", &mut parameters);
        assert!(unsearched.contains("WHERE batch.batch_no > $2\n"), "{unsearched}");
    }
}
