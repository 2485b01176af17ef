//! Retires leaves of `event_logs`: their rows go, and what they were stays in `event_log_leaves`,
//! in the ledger, in the counts, and in the evidence log.

use chrono::{DateTime, Utc};
use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::evidence_log;
use crate::evidence::leaf::{LeafKind, RetirementLeaf};
use crate::store::connection::query;
use crate::store::connection::session::Session;
use crate::store::connection::session_lock::{SessionLock, lock_for_session};
use crate::store::error::Error;

/// The advisory lock of the session that retires leaves. The number has no meaning.
const RETENTION_LOCK: i64 = 0x6175_6469_745f_7274;

/// How long a lock is waited for: so long, at most, those queue up who come behind.
const LOCK_TIMEOUT: &str =
    "SET LOCAL lock_timeout = '100ms'; SET LOCAL search_path = public, pg_temp";

/// How many dead letters are removed in one transaction: writers wait for it.
const LETTERS_AT_ONCE: i64 = 2_000;

const RETIRING: &str = "retiring a leaf of event_logs";
const REMOVING: &str = "removing the dead letters of retired rows";

/// Who may retire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetentionRight {
    /// This session, from now on.
    Acquired,
    /// The session's role has not the rights of the owner of the tables.
    NotOwner {
        /// The session's role.
        role: String,
        /// The owner.
        owner: String,
    },
    /// Another session is at it: its server process, where PostgreSQL tells it.
    HeldBy(Option<i32>),
}

/// Prepares a session to retire leaves: one does so at a time, and with the rights of the owner.
///
/// # Errors
/// `Error::Query`.
pub async fn begin_retention(session: &Session) -> Result<RetentionRight, Error> {
    let what = "asking for the right to retire leaves";
    let owner =
        "SELECT pg_has_role(relowner, 'USAGE'), current_user::text, pg_get_userbyid(relowner)::text
                   FROM pg_class WHERE oid = to_regclass('public.event_logs')";
    let (owns, role, owner): (bool, String, String) = session
        .row(what, owner, &[], |row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
        .await?;
    if !owns {
        return Ok(RetentionRight::NotOwner { role, owner });
    }
    Ok(match lock_for_session(session, what, RETENTION_LOCK).await? {
        SessionLock::Acquired => RetentionRight::Acquired,
        SessionLock::HeldBy(process) => RetentionRight::HeldBy(process),
    })
}

/// A session that uses what is to be dropped or changed.
#[derive(Debug, Clone, PartialEq)]
pub struct LockHolder {
    /// Its server process.
    pub process: i32,
    /// What it calls itself; empty where that is not for us to see.
    pub application: String,
    /// How long its transaction lasts, in seconds; `None` where that is not for us to see.
    pub seconds: Option<f64>,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum RetireStep<T> {
    /// It is done.
    Done(T),
    /// Others use the table: nothing was done.
    InUse(Vec<LockHolder>),
    /// The leaf is not what it was when it was chosen: nothing was done.
    Changed,
}

/// What is written down of a retirement.
#[derive(Debug, Clone, Copy)]
pub struct RetirementNote<'a> {
    /// Who asks for it.
    pub retired_by: &'a str,
    /// What the leaf had to fulfil.
    pub condition: &'a str,
    /// Before which its events have to lie.
    pub before: DateTime<Utc>,
}

/// Retires a leaf by its name, in a transaction of its own, and returns how many rows it had.
/// Waits for a lock for a tenth of a second at most.
///
/// # Errors
/// `Error::Query`.
pub async fn retire_leaf(
    session: &mut Session,
    leaf: &str,
    note: RetirementNote<'_>,
) -> Result<RetireStep<i64>, Error> {
    evidence_log::begin(session.client_mut()).await?;
    let transaction = session.client_mut().transaction().await.map_err(Error::query(RETIRING))?;
    let retired = retire(&transaction, leaf, note).await;
    match retired {
        Ok(None) => Ok(RetireStep::Changed),
        Ok(Some(rows)) => {
            transaction.commit().await.map_err(Error::query(RETIRING))?;
            Ok(RetireStep::Done(rows))
        }
        Err(error) => {
            transaction.rollback().await.map_err(Error::query(RETIRING))?;
            in_use(session, error, &["event_logs", leaf]).await
        }
    }
}

async fn retire(
    transaction: &Transaction<'_>,
    leaf: &str,
    note: RetirementNote<'_>,
) -> Result<Option<i64>, Error> {
    let run =
        async |sql: &str| transaction.batch_execute(sql).await.map_err(Error::query(RETIRING));
    let table = format!("\"{}\"", leaf.replace('"', "\"\""));
    run(LOCK_TIMEOUT).await?;
    // Keeps rows from being written by hand while the others are counted; readers go on.
    run(&format!("LOCK TABLE ONLY {table} IN SHARE ROW EXCLUSIVE MODE")).await?;
    let count = format!("SELECT count(*) FROM ONLY {table}");
    let rows: i64 = query::row(transaction, RETIRING, &count, &[], |row| row.try_get(0)).await?;
    let mark = "UPDATE event_log_leaves SET retired_at = clock_timestamp(), retired_rows = $2, has_summaries = false
                 WHERE name = $1 AND closed_at IS NOT NULL AND retired_at IS NULL
                   AND coalesce(max_created_at < $3::timestamptz AT TIME ZONE 'UTC', true)
                 RETURNING first_id, next_id, min_created_at, max_created_at, retired_at, session_user::text";
    let values: [query::TypedValue<'_>; 3] =
        [(&leaf, Type::TEXT), (&rows, Type::INT8), (&note.before, Type::TIMESTAMPTZ)];
    let retirement = query::optional_row(transaction, RETIRING, mark, &values, |row| {
        Ok(RetirementLeaf {
            name: leaf.to_owned(),
            first_id: row.try_get(0)?,
            next_id: row.try_get(1)?,
            rows,
            min_created_at: row.try_get(2)?,
            max_created_at: row.try_get(3)?,
            retired_at: row.try_get(4)?,
            retired_by: note.retired_by.to_owned(),
            database_role: row.try_get(5)?,
            condition: note.condition.to_owned(),
        })
    })
    .await?;
    let Some(retirement) = retirement else { return Ok(None) };
    // Everybody waits from here on to the end of the transaction.
    run(&format!("ALTER TABLE event_logs DETACH PARTITION {table}; DROP TABLE {table}")).await?;
    let leaves = [retirement.encode().map_err(Error::Evidence)?];
    evidence_log::append(transaction, LeafKind::Retirement, &leaves).await?;
    Ok(Some(rows))
}

/// Removes raw dead letters of retired rows that no replay refers to, some at a time, and returns
/// how many; 0 where none is left.
///
/// # Errors
/// `Error::Query`.
pub async fn remove_retired_dead_letters(session: &mut Session) -> Result<RetireStep<u64>, Error> {
    let transaction = session.client_mut().transaction().await.map_err(Error::query(REMOVING))?;
    match remove_letters(&transaction).await {
        Ok(removed) => {
            transaction.commit().await.map_err(Error::query(REMOVING))?;
            Ok(RetireStep::Done(removed))
        }
        Err(error) => {
            transaction.rollback().await.map_err(Error::query(REMOVING))?;
            in_use(session, error, &["dead_letters"]).await
        }
    }
}

async fn remove_letters(transaction: &Transaction<'_>) -> Result<u64, Error> {
    let run =
        async |sql: &str| transaction.batch_execute(sql).await.map_err(Error::query(REMOVING));
    run(LOCK_TIMEOUT).await?;
    // One that came back from a replay tells what came of it.
    let found = "SELECT event_log_id
                   FROM event_log_leaves JOIN dead_letters ON event_log_id >= first_id AND event_log_id < next_id
                  WHERE retired_at IS NOT NULL
                    AND NOT EXISTS (SELECT FROM dlt_replays WHERE dlt_replays.event_log_id = dead_letters.event_log_id)
                    AND NOT EXISTS (SELECT FROM dlt_replays WHERE dlt_replays.replay_id = dead_letters.replay_id)
                  LIMIT $1";
    let at_once: [query::TypedValue<'_>; 1] = [(&LETTERS_AT_ONCE, Type::INT8)];
    let ids: Vec<i64> =
        query::rows(transaction, REMOVING, found, &at_once, |row| row.try_get(0)).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    // Nobody else sees the trigger switched off: the lock that this takes lasts until the commit.
    run("ALTER TABLE dead_letters DISABLE TRIGGER append_only").await?;
    let delete = "DELETE FROM dead_letters WHERE event_log_id = ANY ($1)";
    query::execute(transaction, REMOVING, delete, &[(&ids, Type::INT8_ARRAY)]).await?;
    run("ALTER TABLE dead_letters ENABLE ALWAYS TRIGGER append_only").await?;
    Ok(ids.len() as u64)
}

/// Who uses the tables, where an error says that a lock was not to be had.
async fn in_use<T>(
    session: &Session,
    error: Error,
    tables: &[&str],
) -> Result<RetireStep<T>, Error> {
    let is_busy = [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED];
    if !error.sql_state().is_some_and(|state| is_busy.contains(state)) {
        return Err(error);
    }
    let sql = "SELECT pid, coalesce(nullif(application_name, ''), backend_type, ''),
                      extract(epoch FROM clock_timestamp() - xact_start)::float8
                 FROM (SELECT DISTINCT pid FROM pg_locks
                        WHERE granted AND relation = ANY (SELECT to_regclass(name) FROM unnest($1::text[]) AS name)) AS locks
                 JOIN pg_stat_activity USING (pid)
                WHERE pid <> pg_backend_pid()
                ORDER BY xact_start NULLS LAST";
    let tables: Vec<String> = tables.iter().map(|table| format!("public.\"{table}\"")).collect();
    let what = "asking who uses event_logs";
    let holders = session
        .rows(what, sql, &[(&tables, Type::TEXT_ARRAY)], |row| {
            Ok(LockHolder {
                process: row.try_get(0)?,
                application: row.try_get(1)?,
                seconds: row.try_get(2)?,
            })
        })
        .await?;
    Ok(RetireStep::InUse(holders))
}
