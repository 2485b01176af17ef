//! The log that batches are entered into.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Transaction};

use crate::evidence::leaf::{InstallationLeaf, LeafKind};
use crate::store::connection::query;
use crate::store::error::Error;

/// What it does, in errors.
const BEGINNING: &str = "beginning the evidence log";

/// Begins the log with the leaf that tells whose it is, unless it has begun. The next batch is its
/// first.
///
/// # Errors
/// `Error::Query`.
pub(super) async fn begin(client: &mut Client) -> Result<(), Error> {
    let size = "SELECT log_size FROM ledger_head";
    let size: i64 = query::row(client, BEGINNING, size, &[], |row| row.try_get(0)).await?;
    if size > 0 {
        return Ok(());
    }
    let transaction = client.transaction().await.map_err(Error::query(BEGINNING))?;
    // Appending nothing locks the head, which a replayer may not do itself.
    if append(&transaction, LeafKind::Installation, &[]).await? == 0 {
        let facts =
            "SELECT id, batch_no + 1, clock_timestamp() FROM ledger_head, audit_installation";
        let leaf = query::row(&transaction, BEGINNING, facts, &[], |row| {
            Ok(InstallationLeaf {
                installation: row.try_get(0)?,
                first_batch_no: row.try_get(1)?,
                begun_at: row.try_get(2)?,
            })
        })
        .await?;
        let leaf = leaf.encode().map_err(Error::Evidence)?;
        append(&transaction, LeafKind::Installation, &[leaf]).await?;
    }
    transaction.commit().await.map_err(Error::query(BEGINNING))
}

/// Appends leaves to the log, and returns the place of the first. Holds the ledger's head until the
/// transaction ends.
///
/// # Errors
/// `Error::Query`.
pub(super) async fn append(
    transaction: &Transaction<'_>,
    kind: LeafKind,
    leaves: &[Vec<u8>],
) -> Result<i64, Error> {
    let sql = "SELECT append_evidence($1, $2)";
    let values: [query::TypedValue<'_>; 2] =
        [(&(kind as i32), Type::INT4), (&leaves, Type::BYTEA_ARRAY)];
    query::row(transaction, "entering leaves into the evidence log", sql, &values, |row| {
        row.try_get(0)
    })
    .await
}
