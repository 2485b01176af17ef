//! Keeps a signed checkpoint in the database.

use tokio_postgres::types::Type;

use crate::store::connection::session::Session;
use crate::store::error::Error;

/// Keeps a checkpoint, and tells whether it was not there yet.
///
/// # Errors
/// `Error::Query`.
pub async fn keep_checkpoint(
    session: &Session,
    log_no: i32,
    size: u64,
    note: &str,
) -> Result<bool, Error> {
    let kept: Option<i64> = session
        .optional_row(
            "keeping the checkpoint",
            "INSERT INTO evidence_checkpoints (log_no, log_size, note) VALUES ($1, $2, $3)
             ON CONFLICT (log_no, log_size) DO NOTHING RETURNING log_size",
            &[(&log_no, Type::INT4), (&size.cast_signed(), Type::INT8), (&note, Type::TEXT)],
            |row| row.try_get(0),
        )
        .await?;
    Ok(kept.is_some())
}
