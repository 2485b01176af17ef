//! The batch of a row, as a log has it.

use tokio_postgres::types::Type;

use super::batch_leaves::batch_leaves;
use crate::evidence::leaf::BatchLeaf;
use crate::store::connection::session::Session;
use crate::store::error::Error;

/// The number of the batch that has the row, where there is one.
///
/// # Errors
/// `Error::Query`.
pub async fn batch_of_row(session: &Session, id: i64) -> Result<Option<i64>, Error> {
    let sql =
        "SELECT batch_no FROM (SELECT batch_no, last_id FROM ingest_batches WHERE first_id <= $1
                                      ORDER BY first_id DESC LIMIT 1) batch
                WHERE last_id >= $1";
    let values = [(&id as _, Type::INT8)];
    session
        .optional_row("looking for the batch of the row", sql, &values, |row| row.try_get(0))
        .await
}

/// A batch as log `log_no` has it; `None` where it has no root there.
///
/// # Errors
/// `Error::Query`.
pub async fn proven_batch(
    session: &Session,
    log_no: i32,
    batch_no: i64,
) -> Result<Option<BatchLeaf>, Error> {
    let batches = batch_leaves(session.client(), log_no, batch_no..=batch_no).await?;
    Ok(batches.into_iter().next().and_then(|batch| batch.leaf))
}
