//! Enters batches from before the log into it.

use tokio_postgres::types::Type;

use crate::evidence::leaf::{Adoption, BatchLeaf, LeafKind};
use crate::store::connection::query;
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::write::evidence_log;
use crate::time::PostgresMicros;

/// The advisory lock that a session holds while it adopts. The number has no meaning.
const ADOPTION_LOCK: i64 = 0x6175_6469_745f_6164;

/// What it does, in errors.
const WHAT: &str = "adopting batches into the log of evidence";

/// Takes the lock that lets one session adopt at a time; `false` where another one has it. The
/// session's end releases it.
///
/// # Errors
/// `Error::Query`.
pub async fn lock_adoption(session: &Session) -> Result<bool, Error> {
    let sql = "SELECT pg_try_advisory_lock($1)";
    session.row(WHAT, sql, &[(&ADOPTION_LOCK, Type::INT8)], |row| row.try_get(0)).await
}

/// Fails where the connected role may not adopt batches, or begin the log anew: only the owner of
/// the tables may.
///
/// # Errors
/// `Error::NotOwnerOfLog`, `Error::Query`.
pub async fn check_owner(session: &Session) -> Result<(), Error> {
    let sql = "SELECT pg_get_userbyid(relowner)::text, pg_has_role(relowner, 'USAGE') FROM pg_class
                WHERE oid = 'evidence_leaves'::regclass";
    let (owner, is_ours): (String, bool) =
        session.row(WHAT, sql, &[], |row| Ok((row.try_get(0)?, row.try_get(1)?))).await?;
    if is_ours { Ok(()) } else { Err(Error::NotOwnerOfLog { owner }) }
}

/// Adopts batches, whose leaves have their roots, in one transaction: enters a line for each into
/// `evidence_adoptions`, and a leaf into the log, which is begun where it has not begun.
///
/// # Errors
/// `Error::Query`, `Error::Evidence`.
pub async fn adopt_batches(
    session: &mut Session,
    mut leaves: Vec<BatchLeaf>,
    adopted_by: &str,
) -> Result<(), Error> {
    evidence_log::begin(session.client_mut()).await?;
    let failed = Error::query(WHAT);
    let transaction = session.client_mut().transaction().await.map_err(failed)?;
    let head = "SELECT log_no, clock_timestamp() FROM ledger_head FOR UPDATE";
    let (log_no, adopted_at): (i32, PostgresMicros) =
        query::row(&transaction, WHAT, head, &[], |row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .await?;
    let mut bodies = Vec::with_capacity(leaves.len());
    for leaf in &mut leaves {
        leaf.adoption = Some(Adoption { adopted_at, adopted_by: adopted_by.to_owned() });
        bodies.push(leaf.encode().map_err(Error::Evidence)?);
    }
    let batch_nos: Vec<i64> = leaves.iter().map(|leaf| leaf.batch_no).collect();
    let roots: Vec<&[u8]> = leaves.iter().map(|leaf| leaf.row_root.as_slice()).collect();
    let enter =
        "INSERT INTO evidence_adoptions (batch_no, log_no, row_root, adopted_at, adopted_by)
                 SELECT adopted.batch_no, $1, adopted.row_root, $2, $3
                   FROM unnest($4::bigint[], $5::bytea[]) AS adopted (batch_no, row_root)";
    let values: [query::TypedValue<'_>; 5] = [
        (&log_no, Type::INT4),
        (&adopted_at, Type::TIMESTAMPTZ),
        (&adopted_by, Type::TEXT),
        (&batch_nos, Type::INT8_ARRAY),
        (&roots, Type::BYTEA_ARRAY),
    ];
    query::execute(&transaction, WHAT, enter, &values).await?;
    let append = "SELECT append_evidence($1, $2, $3)";
    let values: [query::TypedValue<'_>; 3] = [
        (&(LeafKind::Adopted as i32), Type::INT4),
        (&bodies, Type::BYTEA_ARRAY),
        (&batch_nos, Type::INT8_ARRAY),
    ];
    query::execute(&transaction, WHAT, append, &values).await?;
    transaction.commit().await.map_err(failed)
}
