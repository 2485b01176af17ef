//! SQL that asks the ledger about the batch of a row.

/// A subquery that gives `expression`, which may use `batch` and `row`, for the batch with the
/// highest first id that is not above the id of `row`. Blocks of ids never overlap: where a batch
/// covers the row, it is this one; whether it does, `expression` has to ask (`batch.last_id`).
/// NULL where no batch begins at or below the row.
pub(super) fn nearest_batch(row: &str, expression: &str) -> String {
    format!(
        "(SELECT {expression} FROM ingest_batches batch WHERE batch.first_id <= {row}.id ORDER BY batch.first_id DESC LIMIT 1)"
    )
}

/// A column of the batch that recorded `row`; NULL for a row that no batch covers.
pub(super) fn batch_column(row: &str, column: &str) -> String {
    nearest_batch(row, &format!("CASE WHEN batch.last_id >= {row}.id THEN batch.{column} END"))
}

/// The number of the batch of `row`; the highest number there is where no batch covers it, so that
/// such rows come last.
pub(super) fn commit_position(row: &str) -> String {
    format!("coalesce({}, {})", batch_column(row, "batch_no"), i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_ends_below_the_row_does_not_count() {
        assert_eq!(
            batch_column("event", "batch_no"),
            "(SELECT CASE WHEN batch.last_id >= event.id THEN batch.batch_no END FROM ingest_batches batch \
             WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1)"
        );
    }
}
