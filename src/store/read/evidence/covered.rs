//! Which checkpoint covers what: as the database says, which nobody has verified.

use chrono::{DateTime, Utc};
use tokio_postgres::types::Type;

use super::checkpoints::{StoredCheckpoint, first_checkpoint_over, last_checkpoint};
use super::log::{BatchPlace, log_head, places_of_batch};
use crate::store::connection::session::Session;
use crate::store::error::Error;

/// How a batch stands in the log of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchCover {
    /// It has no leaf: it was recorded before there was a log, and is not adopted.
    Unproven,
    /// It has one, and no checkpoint covers it.
    Behind(BatchPlace),
    /// This checkpoint was the first that covered it.
    Covered(BatchPlace, StoredCheckpoint),
}

/// How a batch stands.
///
/// # Errors
/// `Error::Query`.
pub async fn batch_cover(session: &Session, batch_no: i64) -> Result<BatchCover, Error> {
    let places = places_of_batch(session, batch_no).await?;
    for place in &places {
        if let Some(first) = first_checkpoint_over(session, place.log_no, place.index).await? {
            return Ok(BatchCover::Covered(*place, first));
        }
    }
    Ok(places.first().map_or(BatchCover::Unproven, |place| BatchCover::Behind(*place)))
}

/// How far the log that is written to is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogCover {
    /// Its last checkpoint.
    pub checkpoint: Option<StoredCheckpoint>,
    /// How many of its batches were recorded behind that.
    pub batches_behind: i64,
    /// When the first of those was.
    pub behind_since: Option<DateTime<Utc>>,
}

/// How far the log that is written to is signed: a few look-ups, however long it is.
///
/// # Errors
/// `Error::Query`.
pub async fn log_cover(session: &Session) -> Result<LogCover, Error> {
    let head = log_head(session).await?;
    let checkpoint = last_checkpoint(session, head.log_no).await?;
    let size = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size.cast_signed());
    // The batches of a log follow each other without gaps.
    let sql = "
        WITH covered AS MATERIALIZED (
            SELECT coalesce(
                (SELECT batch_no FROM evidence_leaves WHERE log_no = $1 AND leaf_index < $2 AND kind = 2
                  ORDER BY leaf_index DESC LIMIT 1),
                (SELECT batch_no - 1 FROM evidence_leaves WHERE log_no = $1 AND leaf_index >= $2 AND kind = 2
                  ORDER BY leaf_index LIMIT 1),
                $3) AS batch_no)
        SELECT $3 - covered.batch_no, (SELECT recorded_at FROM ingest_batches next WHERE next.batch_no = covered.batch_no + 1)
          FROM covered";
    let values = [
        (&head.log_no as _, Type::INT4),
        (&size as _, Type::INT8),
        (&head.batch_no as _, Type::INT8),
    ];
    session
        .row("reading how far the log of evidence is signed", sql, &values, |row| {
            Ok(LogCover {
                checkpoint: checkpoint.clone(),
                batches_behind: row.try_get(0)?,
                behind_since: row.try_get(1)?,
            })
        })
        .await
}
