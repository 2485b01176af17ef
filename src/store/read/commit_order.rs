//! The ledger as a reader's cursor: batch numbers become visible in order and without gaps.

use tokio_postgres::types::Type;

use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::search::event_column::EventColumn;
use crate::store::search::event_query::EventQuery;
use crate::store::search::event_row::EventRow;
use crate::store::search::walk::row_order::RowOrder;
use crate::time::PostgresMicros;

/// A batch of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedBatch {
    /// Its number.
    pub batch_no: i64,
    /// The first and the last id of its rows, both inclusive; `None` for a batch without rows.
    pub ids: Option<(i64, i64)>,
}

/// The batches behind `batch_no`, in order, `limit` of them at most.
///
/// # Errors
/// `Error::Query`.
pub async fn batches_after(
    session: &Session,
    batch_no: i64,
    limit: i64,
) -> Result<Vec<RecordedBatch>, Error> {
    session
        .rows(
            "reading the ledger",
            "SELECT batch_no, first_id, last_id FROM ingest_batches WHERE batch_no > $1 ORDER BY batch_no LIMIT $2",
            &[(&batch_no, Type::INT8), (&limit, Type::INT8)],
            |row| {
                let (first, last): (Option<i64>, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
                Ok(RecordedBatch { batch_no: row.try_get(0)?, ids: first.zip(last) })
            },
        )
        .await
}

/// How many rows the batches behind `batch_no` have.
///
/// # Errors
/// `Error::Query`.
pub async fn rows_after(session: &Session, batch_no: i64) -> Result<u64, Error> {
    let sql = "SELECT coalesce(sum(row_count), 0)::bigint FROM ingest_batches WHERE batch_no > $1";
    let rows: i64 = session
        .row("reading the ledger", sql, &[(&batch_no, Type::INT8)], |row| row.try_get(0))
        .await?;
    Ok(rows.unsigned_abs())
}

/// A batch as its rows know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowBatch {
    /// Its number.
    pub batch_no: i64,
    /// The first id of its rows.
    pub first_id: i64,
    /// The last one, inclusive.
    pub last_id: i64,
    /// When it was recorded.
    pub recorded_at: PostgresMicros,
}

/// The batches of the rows with ids behind `after` up to `last`, by their ids.
///
/// # Errors
/// `Error::Query`.
pub async fn batches_of_ids(
    session: &Session,
    after: i64,
    last: i64,
) -> Result<Vec<RowBatch>, Error> {
    session
        .rows(
            "reading the ledger",
            "SELECT batch_no, first_id, last_id, recorded_at FROM ingest_batches
              WHERE first_id <= $2
                AND first_id >= coalesce((SELECT max(first_id) FROM ingest_batches WHERE first_id <= $1 + 1), 0)
              ORDER BY first_id",
            &[(&after, Type::INT8), (&last, Type::INT8)],
            |row| {
                Ok(RowBatch {
                    batch_no: row.try_get(0)?,
                    first_id: row.try_get(1)?,
                    last_id: row.try_get(2)?,
                    recorded_at: row.try_get(3)?,
                })
            },
        )
        .await
}

/// The last `count` rows that a query of [`RowOrder::LastOfBatches`] selects, in the order in which
/// they committed. The query must select the id and the batch.
///
/// The rows with the highest ids are the last to commit, except where ingesters overlapped: a batch
/// that committed later than the earliest of these rows can lie below them. The ledger tells which,
/// and they are few.
///
/// # Errors
/// `Error::Query`.
pub async fn last_in_commit_order(
    session: &Session,
    query: &EventQuery<'_>,
    count: i64,
) -> Result<Vec<EventRow>, Error> {
    let failed = "reading the last rows";
    let place = |column: EventColumn| {
        query.columns.iter().position(|selected| *selected == column.into()).unwrap_or_default()
    };
    let (id_at, batch_at) = (place(EventColumn::Id), place(EventColumn::BatchNo));
    let key = |EventRow(row): &EventRow| {
        Ok::<(i64, i64), Error>((
            row.try_get(batch_at).map_err(Error::query(failed))?,
            row.try_get(id_at).map_err(Error::query(failed))?,
        ))
    };
    let mut keyed = Vec::new();
    for row in query.rows(session).await? {
        keyed.push((key(&row)?, row));
    }
    let lowest_id = keyed.iter().map(|((_, id), _)| *id).min();
    let earliest = keyed.iter().map(|((batch_no, _), _)| *batch_no).min();
    if let (Some(lowest_id), Some(earliest), true) =
        (lowest_id, earliest, keyed.len() as i64 == count)
    {
        for (first_id, last_id) in overlapping(session, earliest, lowest_id, query).await? {
            let range = RowOrder::IdRange { after: first_id - 1, last: last_id.min(lowest_id - 1) };
            for row in (EventQuery { order: range, limit: None, ..*query }).rows(session).await? {
                keyed.push((key(&row)?, row));
            }
        }
    }
    keyed.sort_by_key(|(key, _)| *key);
    let surplus = keyed.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
    Ok(keyed.into_iter().skip(surplus).map(|(_, row)| row).collect())
}

/// The first and last ids of the batches behind `batch_no` that begin below `id`. Leaves out
/// `batch_no` itself: its rows below `id` come before all that are read already.
async fn overlapping(
    session: &Session,
    batch_no: i64,
    id: i64,
    query: &EventQuery<'_>,
) -> Result<Vec<(i64, i64)>, Error> {
    let RowOrder::LastOfBatches(last_batch_no) = query.order else { return Ok(Vec::new()) };
    session
        .rows(
            "reading the ledger",
            "SELECT first_id, last_id FROM ingest_batches WHERE batch_no > $1 AND batch_no <= $2 AND first_id < $3",
            &[(&batch_no, Type::INT8), (&last_batch_no, Type::INT8), (&id, Type::INT8)],
            |row| Ok((row.try_get(0)?, row.try_get(1)?)),
        )
        .await
}
