//! How far the migration is that another session applies.

use tokio_postgres::types::Type;

use crate::store::connection::session::Session;
use crate::store::error::Error;

/// What a session that migrates is at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MigrationStep {
    /// The kind of lock that it waits for: `advisory` is another migration's.
    pub awaited_lock: Option<String>,
    /// The index that it builds.
    pub index: Option<IndexBuild>,
}

/// An index that is being built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexBuild {
    /// The table, or the leaf.
    pub table: String,
    /// What PostgreSQL does for it.
    pub phase: String,
    /// How much of that phase is done, in percent; `None` where it does not say.
    pub percent: Option<i64>,
    /// How many leaves have it, and how many there are.
    pub leaves: Option<(i64, i64)>,
}

/// The number of the session's process at the server.
///
/// # Errors
/// `Error::Query`.
pub async fn backend(session: &Session) -> Result<i32, Error> {
    let what = "asking for the process of the session";
    session.row(what, "SELECT pg_backend_pid()", &[], |row| row.try_get(0)).await
}

/// What the session of this process is at.
///
/// # Errors
/// `Error::Query`.
pub async fn migration_step(session: &Session, backend: i32) -> Result<MigrationStep, Error> {
    let step = session
        .optional_row(
        "asking how far the migration is",
        "SELECT CASE WHEN wait_event_type = 'Lock' THEN wait_event END,
                build.relid::regclass::text, build.phase,
                CASE WHEN build.phase LIKE '%scanning table%' THEN blocks_done * 100 / nullif(blocks_total, 0)
                     WHEN build.phase LIKE '%loading tuples%' THEN tuples_done * 100 / nullif(tuples_total, 0) END,
                partitions_done, nullif(partitions_total, 0)
           FROM pg_stat_activity activity LEFT JOIN pg_stat_progress_create_index build USING (pid)
          WHERE activity.pid = $1",
        &[(&backend, Type::INT4)],
        |row| {
            let table: Option<String> = row.try_get(1)?;
            let (done, all): (Option<i64>, Option<i64>) = (row.try_get(4)?, row.try_get(5)?);
            let index = match table {
                Some(table) => Some(IndexBuild {
                    table,
                    phase: row.try_get(2)?,
                    percent: row.try_get(3)?,
                    leaves: done.zip(all),
                }),
                None => None,
            };
            Ok(MigrationStep { awaited_lock: row.try_get(0)?, index })
        },
        )
        .await?;
    Ok(step.unwrap_or_default())
}
