//! The ledger of replays, `dlt_replays`: intents before a record is sent, results after.

use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::evidence_log;
use crate::event::RecordPosition;
use crate::evidence::leaf::{LeafKind, ReplayOutcomeLeaf, ReplayRequestLeaf};
use crate::store::connection::query;
use crate::store::connection::session::Session;
use crate::store::connection::session_lock::{SessionLock, lock_for_session};
use crate::store::error::Error;

/// The advisory lock that the session of a replay holds, so that one runs at a time in a database.
/// The number has no meaning.
const REPLAY_LOCK: i64 = 0x6175_6469_745f_7265;

/// A replay that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayIntent {
    /// Its id, which travels with the record.
    pub replay_id: Uuid,
    /// The dead letter: `event_logs.id`.
    pub row_id: i64,
    /// How often its event is replayed with this, at least 1.
    pub attempt: i32,
    /// Where it goes.
    pub target_topic: String,
    /// The partition; `None` where the key decides.
    pub target_partition: Option<i32>,
}

/// What came of a replay that was pending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayResult {
    /// Its id.
    pub replay_id: Uuid,
    /// Where it is in Kafka, or why it is not there.
    pub result: Result<RecordPosition, String>,
}

/// Takes the lock that lets one replay run at a time, or tells who holds it. The session's end
/// releases it. An intent that a crash of the server undoes would let a record be sent twice, so
/// commits are waited for.
///
/// # Errors
/// `Error::Query`.
pub async fn lock_replays(session: &Session) -> Result<SessionLock, Error> {
    lock_for_session(session, "locking the replays", REPLAY_LOCK).await
}

/// Writes intents and enters them into the evidence log, which is committed when this returns, and
/// gives the time of all of them.
///
/// # Errors
/// `Error::Query`. SQLSTATE 23505 means that another replay of one of the dead letters is on record
/// meanwhile.
pub async fn write_replay_intents(
    session: &mut Session,
    intents: &[ReplayIntent],
    requested_by: &str,
    reason: Option<&str>,
) -> Result<DateTime<Utc>, Error> {
    let what = "writing what is about to be sent";
    let ids: Vec<Uuid> = intents.iter().map(|intent| intent.replay_id).collect();
    let row_ids: Vec<i64> = intents.iter().map(|intent| intent.row_id).collect();
    let attempts: Vec<i32> = intents.iter().map(|intent| intent.attempt).collect();
    let topics: Vec<&str> = intents.iter().map(|intent| intent.target_topic.as_str()).collect();
    let partitions: Vec<Option<i32>> =
        intents.iter().map(|intent| intent.target_partition).collect();
    evidence_log::begin(session.client_mut()).await?;
    let transaction = session.client_mut().transaction().await.map_err(Error::query(what))?;
    let requested_at =
        query::row(&transaction, what, "SELECT now()", &[], |row| row.try_get(0)).await?;
    let leaves = query::rows(
        &transaction,
        what,
        "INSERT INTO dlt_replays (replay_id, event_log_id, attempt, target_topic, target_partition, requested_by, reason)
         SELECT intent.*, $6, $7
           FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::text[], $5::int[]) AS intent
         RETURNING replay_id, event_log_id, attempt, requested_by, database_role, requested_at, reason, target_topic,
                   target_partition",
        &[
            (&ids, Type::UUID_ARRAY),
            (&row_ids, Type::INT8_ARRAY),
            (&attempts, Type::INT4_ARRAY),
            (&topics, Type::TEXT_ARRAY),
            (&partitions, Type::INT4_ARRAY),
            (&requested_by, Type::TEXT),
            (&reason, Type::TEXT),
        ],
        request_leaf,
    )
    .await?;
    let leaves: Vec<_> = leaves
        .iter()
        .map(ReplayRequestLeaf::encode)
        .collect::<Result<_, _>>()
        .map_err(Error::Evidence)?;
    evidence_log::append(&transaction, LeafKind::ReplayRequest, &leaves).await?;
    transaction.commit().await.map_err(Error::query(what))?;
    Ok(requested_at)
}

/// Writes what came of pending replays, and enters it into the evidence log.
///
/// # Errors
/// `Error::Query`.
pub async fn write_replay_results(
    session: &mut Session,
    results: &[ReplayResult],
) -> Result<(), Error> {
    if results.is_empty() {
        return Ok(());
    }
    let what = "writing what was sent";
    let position = |result: &ReplayResult| result.result.as_ref().ok().copied();
    let ids: Vec<Uuid> = results.iter().map(|result| result.replay_id).collect();
    let partitions: Vec<Option<i32>> =
        results.iter().map(|result| position(result).map(|position| position.partition)).collect();
    let offsets: Vec<Option<i64>> =
        results.iter().map(|result| position(result).map(|position| position.offset)).collect();
    let errors: Vec<Option<&str>> =
        results.iter().map(|result| result.result.as_ref().err().map(String::as_str)).collect();
    evidence_log::begin(session.client_mut()).await?;
    let transaction = session.client_mut().transaction().await.map_err(Error::query(what))?;
    let leaves = query::rows(
        &transaction,
        what,
        "UPDATE dlt_replays replay
            SET state = CASE WHEN outcome.error IS NULL THEN 'sent' ELSE 'failed' END,
                new_partition = outcome.new_partition, new_offset = outcome.new_offset, error = outcome.error,
                resolved_at = now()
           FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::text[])
                AS outcome (replay_id, new_partition, new_offset, error)
          WHERE replay.replay_id = outcome.replay_id AND replay.state = 'pending'
         RETURNING replay.replay_id, replay.state, replay.new_partition, replay.new_offset, replay.error,
                   replay.resolved_at",
        &[
            (&ids, Type::UUID_ARRAY),
            (&partitions, Type::INT4_ARRAY),
            (&offsets, Type::INT8_ARRAY),
            (&errors, Type::TEXT_ARRAY),
        ],
        outcome_leaf,
    )
    .await?;
    if !leaves.is_empty() {
        let leaves: Vec<_> = leaves
            .iter()
            .map(ReplayOutcomeLeaf::encode)
            .collect::<Result<_, _>>()
            .map_err(Error::Evidence)?;
        evidence_log::append(&transaction, LeafKind::ReplayOutcome, &leaves).await?;
    }
    transaction.commit().await.map_err(Error::query(what))
}

fn request_leaf(row: &Row) -> Result<ReplayRequestLeaf, tokio_postgres::Error> {
    Ok(ReplayRequestLeaf {
        replay_id: row.try_get(0)?,
        event_log_id: row.try_get(1)?,
        attempt: row.try_get(2)?,
        requested_by: row.try_get(3)?,
        database_role: row.try_get(4)?,
        requested_at: row.try_get(5)?,
        reason: row.try_get(6)?,
        target_topic: row.try_get(7)?,
        target_partition: row.try_get(8)?,
    })
}

fn outcome_leaf(row: &Row) -> Result<ReplayOutcomeLeaf, tokio_postgres::Error> {
    Ok(ReplayOutcomeLeaf {
        replay_id: row.try_get(0)?,
        state: row.try_get(1)?,
        new_partition: row.try_get(2)?,
        new_offset: row.try_get(3)?,
        error: row.try_get(4)?,
        resolved_at: row.try_get(5)?,
    })
}
