//! Locks that let one session at a time do something in a database.

use std::time::Duration;

use tokio_postgres::types::Type;

use super::query::TypedValue;
use super::session::Session;
use crate::store::error::Error;

/// How often a lock is tried, and the pause between: a session that has just ended holds its locks
/// until the server has noticed.
const TRIES: usize = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// Who holds a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionLock {
    /// This session does now.
    Acquired,
    /// Another session: its server process, where PostgreSQL tells it.
    HeldBy(Option<i32>),
}

/// Takes an advisory lock, or tells who holds it. The session's end releases it. Makes every commit
/// of the session wait until it is durable; where this process freezes in a transaction, the server
/// ends the session, and its locks.
///
/// # Errors
/// `Error::Query`.
pub(in crate::store) async fn lock_for_session(
    session: &Session,
    what: &'static str,
    key: i64,
) -> Result<SessionLock, Error> {
    session
        .client()
        .batch_execute(
            "SET synchronous_commit = on; SET idle_in_transaction_session_timeout = '20s'",
        )
        .await
        .map_err(Error::query(what))?;
    let key: [TypedValue<'_>; 1] = [(&key, Type::INT8)];
    let try_lock = "SELECT pg_try_advisory_lock($1)";
    for _ in 0..TRIES {
        if session.row(what, try_lock, &key, |row| row.try_get(0)).await? {
            return Ok(SessionLock::Acquired);
        }
        tokio::time::sleep(PAUSE).await;
    }
    let holder = "SELECT pid FROM pg_locks
              WHERE locktype = 'advisory' AND granted AND objsubid = 1
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND (classid::bigint << 32 | objid::bigint) = $1";
    let holder = session.optional_row(what, holder, &key, |row| row.try_get(0)).await?;
    Ok(SessionLock::HeldBy(holder))
}
