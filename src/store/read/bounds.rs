//! What bounds the recorded events now.

use tokio_postgres::Row;

use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::search::walk::cursor::Snapshot;
use crate::time::PostgresMicros;

/// The last batch and the highest id now. In a transaction that reads, all statements see this.
///
/// # Errors
/// `Error::Query`.
pub async fn snapshot(session: &Session) -> Result<Snapshot, Error> {
    let sql = "SELECT batch_no, coalesce((SELECT max(id) FROM event_logs), 0) FROM ledger_head";
    let snapshot = session.row("reading the ledger's head", sql, &[], |row| {
        Ok(Snapshot { batch_no: row.try_get(0)?, last_id: row.try_get(1)? })
    });
    snapshot.await
}

/// `created_at` of the oldest and the newest row; `None` where there are no rows.
///
/// # Errors
/// `Error::Query`.
pub async fn time_span(
    session: &Session,
) -> Result<(Option<PostgresMicros>, Option<PostgresMicros>), Error> {
    let sql = "SELECT min(created_at), max(created_at) FROM event_logs";
    let what = "reading the range of created_at";
    session.row(what, sql, &[], |row| Ok((row.try_get(0)?, row.try_get(1)?))).await
}

/// How many rows `ingest` recorded, as the ledger counts them.
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
