//! The log of evidence: how long it is, and what its leaves are.

use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::evidence::Hash;
use crate::store::connection::session::Session;
use crate::store::error::Error;

/// The log that is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// Whose it is: `audit_installation.id`.
    pub installation: Uuid,
    /// How often it was begun anew.
    pub log_no: i32,
    /// How many leaves it has.
    pub size: u64,
    /// The number of the last batch.
    pub batch_no: i64,
}

/// The log that is written to, as it is now.
///
/// # Errors
/// `Error::Query`.
pub async fn log_head(session: &Session) -> Result<LogHead, Error> {
    let sql = "SELECT id, log_no, log_size, batch_no FROM ledger_head, audit_installation";
    session
        .row("reading the log of evidence", sql, &[], |row| {
            Ok(LogHead {
                installation: row.try_get(0)?,
                log_no: row.try_get(1)?,
                size: row.try_get::<_, i64>(2)?.unsigned_abs(),
                batch_no: row.try_get(3)?,
            })
        })
        .await
}

/// A leaf as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLeaf {
    /// Its place, from 0.
    pub index: u64,
    /// The number of its kind.
    pub kind: i16,
    /// The batch that it is of.
    pub batch_no: Option<i64>,
    /// Its hash.
    pub hash: Hash,
    /// The leaf itself; `None` where it is made of a batch.
    pub body: Option<Vec<u8>>,
}

/// The leaves from `first` on and before `next`, in their order.
///
/// # Errors
/// `Error::Query`; `Error::EvidenceLacks` where one is missing.
pub async fn log_leaves(
    session: &Session,
    log_no: i32,
    first: u64,
    next: u64,
) -> Result<Vec<LogLeaf>, Error> {
    let leaves = session
        .rows(
            "reading the leaves of the log of evidence",
            "SELECT leaf_index, kind, batch_no, hash, body FROM evidence_leaves
              WHERE log_no = $1 AND leaf_index >= $2 AND leaf_index < $3 ORDER BY leaf_index",
            &[
                (&log_no, Type::INT4),
                (&first.cast_signed(), Type::INT8),
                (&next.cast_signed(), Type::INT8),
            ],
            |row| {
                let (index, hash): (i64, &[u8]) = (row.try_get(0)?, row.try_get(3)?);
                Ok(LogLeaf {
                    index: index.unsigned_abs(),
                    kind: row.try_get(1)?,
                    batch_no: row.try_get(2)?,
                    // One of another length becomes one of zeros: it fits nothing either.
                    hash: hash.try_into().unwrap_or_default(),
                    body: row.try_get(4)?,
                })
            },
        )
        .await?;
    let places = leaves.iter().map(|leaf| Some(leaf.index)).chain(std::iter::repeat(None));
    match (first..next).zip(places).find(|(expected, found)| *found != Some(*expected)) {
        Some((missing, _)) => Err(lacks_leaf(log_no, missing)),
        None => Ok(leaves),
    }
}

fn lacks_leaf(log_no: i32, index: u64) -> Error {
    Error::EvidenceLacks { what: format!("log {log_no} has no leaf {index}") }
}

/// A hash as the database keeps it.
pub(super) fn hash_of(bytes: &[u8]) -> Result<Hash, Error> {
    bytes.try_into().map_err(|_| Error::EvidenceLacks {
        what: format!("a hash has {} bytes and not 32", bytes.len()),
    })
}

/// Where the leaf of a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPlace {
    /// The log.
    pub log_no: i32,
    /// The leaf's place in it, from 0.
    pub index: u64,
}

/// The leaves of a batch, the one in the newest log first: in a log that was begun anew, batches
/// from before the log may have been adopted again.
///
/// # Errors
/// `Error::Query`.
pub async fn places_of_batch(session: &Session, batch_no: i64) -> Result<Vec<BatchPlace>, Error> {
    session
        .rows(
            "looking for the batch in the log of evidence",
            "SELECT log_no, leaf_index FROM evidence_leaves WHERE batch_no = $1 ORDER BY log_no DESC, leaf_index DESC",
            &[(&batch_no, Type::INT8)],
            |row| {
                let index: i64 = row.try_get(1)?;
                Ok(BatchPlace { log_no: row.try_get(0)?, index: index.unsigned_abs() })
            },
        )
        .await
}
