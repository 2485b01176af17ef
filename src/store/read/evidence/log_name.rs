//! What the log of this database is named by.

use uuid::Uuid;

use crate::store::Error;
use crate::store::connection::session::Session;

/// The id of the installation, and how often its log was begun anew.
///
/// # Errors
/// `Error::Query`.
pub async fn log_name(session: &Session) -> Result<(Uuid, i32), Error> {
    let sql = "SELECT id, log_no FROM audit_installation, ledger_head";
    session
        .row("reading the name of the log", sql, &[], |row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .await
}
