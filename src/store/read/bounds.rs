//! What bounds the recorded events now.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::store::connection::query::TypedValue;
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::read::retirements::retired_totals;
use crate::store::search::conditions::where_clause;
use crate::store::search::walk::cursor::Snapshot;
use crate::store::search::walk::leaves::Leaves;
use crate::time::PostgresMicros;

/// The last batch and the highest id now. In a transaction that reads, all statements see this.
///
/// # Errors
/// `Error::Query`.
pub async fn snapshot(session: &Session) -> Result<Snapshot, Error> {
    let sql = "SELECT batch_no, coalesce((SELECT last_id FROM ingest_batches WHERE first_id IS NOT NULL ORDER BY first_id DESC LIMIT 1), 0)
                 FROM ledger_head";
    let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    let (batch_no, last_of_batches): (i64, i64) =
        session.row("reading the ledger's head", sql, &[], read).await?;
    // Opens the leaves from there on alone: rows outside batches may lie in them.
    let sql = "SELECT coalesce(max(id), $1) FROM event_logs WHERE id >= $1";
    let bound: [TypedValue<'_>; 1] = [(&last_of_batches, Type::INT8)];
    let last_id = session.row("reading the last id", sql, &bound, |row| row.try_get(0)).await?;
    Ok(Snapshot { batch_no, last_id })
}

/// `created_at` of the oldest and the newest row, those that were retired included; `None` where
/// there are no rows.
///
/// # Errors
/// `Error::Query`.
pub async fn time_span(
    session: &Session,
) -> Result<(Option<PostgresMicros>, Option<PostgresMicros>), Error> {
    let leaves = Leaves::read(session).await?;
    let mut parameters = Parameters::default();
    let (closed, known) = leaves.closed();
    let conditions: Vec<_> = closed.condition("event", &mut parameters).into_iter().collect();
    let sql = format!(
        "SELECT min(created_at), max(created_at) FROM event_logs event{}",
        where_clause(&conditions)
    );
    let what = "reading the range of created_at";
    let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    let (first, last): (Option<PostgresMicros>, Option<PostgresMicros>) =
        Statement { sql, parameters }.row(session, what, read).await?;
    let (known_first, known_last) = known.unzip();
    let retired = retired_totals(session).await?;
    let (gone_first, gone_last) =
        retired.map_or((None, None), |retired| (retired.first_at, retired.last_at));
    let first = first.into_iter().chain(known_first).chain(gone_first).min();
    Ok((first, last.into_iter().chain(known_last).chain(gone_last).max()))
}

/// How many rows there are: those that `ingest` recorded without those that were retired.
///
/// # Errors
/// `Error::Query`.
pub async fn stored_rows(session: &Session) -> Result<u64, Error> {
    let recorded = recorded_rows(session).await?;
    let retired = retired_totals(session).await?.map_or(0, |retired| retired.rows);
    Ok((recorded - retired).max(0).unsigned_abs())
}

/// How many rows `ingest` recorded, as the ledger counts them, those that were retired included.
///
/// # Errors
/// `Error::Query`.
pub async fn recorded_rows(session: &Session) -> Result<i64, Error> {
    let sql = "SELECT row_count FROM ledger_head";
    session.row("reading the ledger's head", sql, &[], |row| row.try_get(0)).await
}

/// The lowest and the highest id; `None` where there are no rows.
///
/// # Errors
/// `Error::Query`.
pub async fn id_span(session: &Session) -> Result<Option<(i64, i64)>, Error> {
    let sql = "SELECT min(id), max(id) FROM event_logs";
    let read = |row: &Row| {
        let (first, last): (Option<i64>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        Ok(first.zip(last))
    };
    session.row("reading the range of ids", sql, &[], read).await
}
