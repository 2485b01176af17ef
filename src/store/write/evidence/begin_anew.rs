//! Begins another log: after a restore, and where a copy gets an id of its own.

use std::ops::Deref;

use futures_util::FutureExt;
use tokio_postgres::types::Type;

use crate::evidence::leaf::LeafKind;
use crate::evidence::leaf::RestartLeaf;
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::time::PostgresMicros;

/// What it does, in errors.
const WHAT: &str = "beginning another log of evidence";

/// A transaction that holds the ledger's head, so that nothing is recorded while it is open. What
/// is read through it sees the log as it is held. Rolled back when it is dropped.
pub struct HeldLog<'a> {
    session: &'a Session,
    is_open: bool,
}

/// Holds the ledger's head; waits for a batch that is being written.
///
/// # Errors
/// `Error::Query`.
pub async fn hold_log(session: &mut Session) -> Result<HeldLog<'_>, Error> {
    // Makes the guard first: the transaction is ended also where this future is dropped.
    let held = HeldLog { session, is_open: true };
    let begin = "BEGIN; SELECT FROM ledger_head FOR UPDATE";
    held.client().batch_execute(begin).await.map_err(Error::query(WHAT))?;
    Ok(held)
}

impl HeldLog<'_> {
    /// The database's role, and its clock.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn role_and_time(&self) -> Result<(String, PostgresMicros), Error> {
        let sql = "SELECT session_user::text, clock_timestamp()";
        self.row(WHAT, sql, &[], |row| Ok((row.try_get(0)?, row.try_get(1)?))).await
    }

    /// Begins the log `leaf.number`, whose first leaf is this one, and commits.
    ///
    /// # Errors
    /// `Error::Query`, `Error::Evidence`.
    pub async fn begin_anew(self, leaf: &RestartLeaf) -> Result<(), Error> {
        let body = leaf.encode().map_err(Error::Evidence)?;
        let next = "UPDATE ledger_head SET log_no = $1, log_size = 0";
        self.execute(WHAT, next, &[(&leaf.number, Type::INT4)]).await?;
        let values =
            [(&(LeafKind::Restart as i32) as _, Type::INT4), (&vec![body] as _, Type::BYTEA_ARRAY)];
        self.execute(WHAT, "SELECT append_evidence($1, $2)", &values).await?;
        self.commit().await
    }

    /// Commits what was written through it.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.is_open = false;
        self.client().batch_execute("COMMIT").await.map_err(Error::query(WHAT))
    }
}

/// Gives the session, whose statements then run within the transaction.
impl Deref for HeldLog<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session
    }
}

impl Drop for HeldLog<'_> {
    fn drop(&mut self) {
        if self.is_open {
            // Polls once, which hands the statement to the connection's task.
            let _ = self.client().batch_execute("ROLLBACK").now_or_never();
        }
    }
}
