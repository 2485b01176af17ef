//! The checkpoints that were signed here.

use chrono::{DateTime, Utc};
use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use crate::store::connection::query;
use crate::store::connection::session::Session;
use crate::store::error::Error;

/// A checkpoint that the database keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// The log.
    pub log_no: i32,
    /// How many leaves it covers.
    pub size: u64,
    /// The signed note.
    pub note: String,
    /// When it was stored.
    pub signed_at: DateTime<Utc>,
}

fn read(row: &tokio_postgres::Row) -> Result<StoredCheckpoint, tokio_postgres::Error> {
    Ok(StoredCheckpoint {
        log_no: row.try_get(0)?,
        size: row.try_get::<_, i64>(1)?.unsigned_abs(),
        note: row.try_get(2)?,
        signed_at: row.try_get(3)?,
    })
}

/// All of them, in the order of the logs and their leaves.
///
/// # Errors
/// `Error::Query`.
pub(in crate::store) async fn all_checkpoints(
    client: &impl GenericClient,
) -> Result<Vec<StoredCheckpoint>, Error> {
    let sql = "SELECT log_no, log_size, note, signed_at FROM evidence_checkpoints ORDER BY log_no, log_size";
    query::rows(client, "reading the checkpoints", sql, &[], read).await
}

/// The newest checkpoint of a log.
///
/// # Errors
/// `Error::Query`.
pub async fn last_checkpoint(
    session: &Session,
    log_no: i32,
) -> Result<Option<StoredCheckpoint>, Error> {
    session
        .optional_row(
            "reading the checkpoints",
            "SELECT log_no, log_size, note, signed_at FROM evidence_checkpoints
              WHERE log_no = $1 ORDER BY log_size DESC LIMIT 1",
            &[(&log_no, Type::INT4)],
            read,
        )
        .await
}

/// The first checkpoint of a log that covers this leaf.
///
/// # Errors
/// `Error::Query`.
pub async fn first_checkpoint_over(
    session: &Session,
    log_no: i32,
    leaf: u64,
) -> Result<Option<StoredCheckpoint>, Error> {
    session
        .optional_row(
            "reading the checkpoints",
            "SELECT log_no, log_size, note, signed_at FROM evidence_checkpoints
              WHERE log_no = $1 AND log_size > $2 ORDER BY log_size LIMIT 1",
            &[(&log_no, Type::INT4), (&leaf.cast_signed(), Type::INT8)],
            read,
        )
        .await
}
