//! The ledger of replays, `dlt_replays`: intents before a record is sent, outcomes after.

use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::store::Error;
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::search::conditions::selection_conditions;
use crate::store::search::resolve::ResolvedSelection;
use crate::time::PostgresMicros;

/// Held by the session of a replay, so that one runs at a time in a database. The number has no
/// meaning.
const REPLAY_LOCK: i64 = 0x6175_6469_745f_7265;

/// A replay that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayIntent {
    /// Its id, which travels with the record.
    pub replay_id: Uuid,
    /// The dead letter: `event_logs.id`.
    pub row_id: i64,
    /// How often its event is replayed then.
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
    pub result: Result<(i32, i64), String>,
}

/// A replay of which it is not known whether it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingReplay {
    /// Its id.
    pub replay_id: Uuid,
    /// Where it was to go.
    pub target_topic: String,
    /// When the intent was written.
    pub requested_at: DateTime<Utc>,
    /// How many seconds ago that was, by the database's clock.
    pub age_seconds: f64,
}

/// A replay and what came of it, as far as the audit can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayOutcome {
    /// Its id.
    pub replay_id: Uuid,
    /// When it was asked for.
    pub requested_at: PostgresMicros,
    /// By whom: the user and the host that said so.
    pub requested_by: String,
    /// The database's role that it was written by.
    pub database_role: String,
    /// Why.
    pub reason: Option<String>,
    /// `pending`, `failed`, `sent`, `returned` (dead-lettered again) or `processed` (a later event
    /// was caused by it).
    pub state: String,
    /// How often the event was replayed by then.
    pub attempt: i32,
    /// The event.
    pub event_id: Uuid,
    /// Its type.
    pub event_type: String,
    /// The dead letter: `event_logs.id`.
    pub row_id: i64,
    /// Where it went.
    pub target_topic: String,
    /// The partition that it got.
    pub new_partition: Option<i32>,
    /// The offset that it got.
    pub new_offset: Option<i64>,
    /// The row of the dead letter as which it came back.
    pub returned_as: Option<i64>,
    /// Why it failed.
    pub error: Option<String>,
}

/// Takes the lock that lets one replay run at a time; the session's end releases it. Returns the
/// server process that holds it where it is taken.
///
/// # Errors
/// `Error::Query`.
pub async fn lock_replays(session: &Session) -> Result<Result<(), Option<i32>>, Error> {
    let failed = "locking the replays";
    // An intent that a crash of the server undoes would let a record be sent twice.
    session
        .client()
        .batch_execute("SET synchronous_commit = on")
        .await
        .map_err(Error::query(failed))?;
    let row = session
        .client()
        .query_one("SELECT pg_try_advisory_lock($1)", &[&REPLAY_LOCK])
        .await
        .map_err(Error::query(failed))?;
    if row.try_get(0).map_err(Error::query(failed))? {
        return Ok(Ok(()));
    }
    let holder = session
        .client()
        .query_opt(
            "SELECT pid FROM pg_locks
              WHERE locktype = 'advisory' AND granted AND objsubid = 1
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND (classid::bigint << 32 | objid::bigint) = $1",
            &[&REPLAY_LOCK],
        )
        .await
        .map_err(Error::query(failed))?;
    Ok(Err(holder.map(|row| row.try_get(0)).transpose().map_err(Error::query(failed))?))
}

/// Writes intents, which are committed when this returns, and gives the time that they have in
/// common.
///
/// # Errors
/// `Error::Query`. SQLSTATE 23505 means that another replay of one of the dead letters is on record
/// meanwhile.
pub async fn write_intents(
    session: &Session,
    intents: &[ReplayIntent],
    requested_by: &str,
    reason: Option<&str>,
) -> Result<DateTime<Utc>, Error> {
    let failed = "writing what is about to be sent";
    let ids: Vec<Uuid> = intents.iter().map(|intent| intent.replay_id).collect();
    let row_ids: Vec<i64> = intents.iter().map(|intent| intent.row_id).collect();
    let attempts: Vec<i32> = intents.iter().map(|intent| intent.attempt).collect();
    let topics: Vec<&str> = intents.iter().map(|intent| intent.target_topic.as_str()).collect();
    let partitions: Vec<Option<i32>> =
        intents.iter().map(|intent| intent.target_partition).collect();
    let row = session.client()
        .query_typed(
            "WITH written AS (
                 INSERT INTO dlt_replays (replay_id, event_log_id, attempt, target_topic, target_partition, requested_by, reason)
                 SELECT intent.*, $6, $7
                   FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::text[], $5::int[]) AS intent)
             SELECT now()",
            &[
                (&ids, Type::UUID_ARRAY),
                (&row_ids, Type::INT8_ARRAY),
                (&attempts, Type::INT4_ARRAY),
                (&topics, Type::TEXT_ARRAY),
                (&partitions, Type::INT4_ARRAY),
                (&requested_by, Type::TEXT),
                (&reason, Type::TEXT),
            ],
        )
        .await
        .map_err(Error::query(failed))?;
    match row.first() {
        Some(row) => row.try_get(0).map_err(Error::query(failed)),
        None => Err(Error::Protocol("the database did not tell the time of an intent".to_owned())),
    }
}

/// Writes what came of pending replays.
///
/// # Errors
/// `Error::Query`.
pub async fn settle_replays(session: &Session, outcomes: &[ReplayResult]) -> Result<(), Error> {
    let ids: Vec<Uuid> = outcomes.iter().map(|outcome| outcome.replay_id).collect();
    let place = |outcome: &ReplayResult| outcome.result.as_ref().ok().copied();
    let partitions: Vec<Option<i32>> =
        outcomes.iter().map(|outcome| place(outcome).map(|(partition, _)| partition)).collect();
    let offsets: Vec<Option<i64>> =
        outcomes.iter().map(|outcome| place(outcome).map(|(_, offset)| offset)).collect();
    let errors: Vec<Option<&str>> =
        outcomes.iter().map(|outcome| outcome.result.as_ref().err().map(String::as_str)).collect();
    session.client()
        .query_typed(
            "UPDATE dlt_replays replay
                SET state = CASE WHEN outcome.error IS NULL THEN 'sent' ELSE 'failed' END,
                    new_partition = outcome.new_partition, new_offset = outcome.new_offset, error = outcome.error,
                    resolved_at = now()
               FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::text[])
                    AS outcome (replay_id, new_partition, new_offset, error)
              WHERE replay.replay_id = outcome.replay_id AND replay.state = 'pending'",
            &[
                (&ids, Type::UUID_ARRAY),
                (&partitions, Type::INT4_ARRAY),
                (&offsets, Type::INT8_ARRAY),
                (&errors, Type::TEXT_ARRAY),
            ],
        )
        .await
        .map(drop)
        .map_err(Error::query("writing what was sent"))
}

/// The replays of which it is not known whether they were sent, the oldest first.
///
/// # Errors
/// `Error::Query`.
pub async fn pending_replays(session: &Session) -> Result<Vec<PendingReplay>, Error> {
    let failed = "reading interrupted replays";
    let rows = session
        .client()
        .query_typed(
            "SELECT replay_id, target_topic, requested_at,
                    extract(epoch FROM clock_timestamp() - requested_at)::float8
               FROM dlt_replays WHERE state = 'pending' ORDER BY requested_at, replay_id",
            &[],
        )
        .await
        .map_err(Error::query(failed))?;
    let pending = |row: &Row| {
        Ok(PendingReplay {
            replay_id: row.try_get(0)?,
            target_topic: row.try_get(1)?,
            requested_at: row.try_get(2)?,
            age_seconds: row.try_get(3)?,
        })
    };
    rows.iter().map(pending).collect::<Result<_, _>>().map_err(Error::query(failed))
}

/// The replays of the selected dead letters, the newest first, at most `limit`.
///
/// # Errors
/// `Error::Query`.
pub async fn replay_outcomes(
    session: &Session,
    selection: &ResolvedSelection,
    limit: i64,
) -> Result<Vec<ReplayOutcome>, Error> {
    let failed = "reading the replays";
    let rows = outcomes_statement(selection, limit).rows(session, failed).await?;
    rows.iter().map(outcome).collect::<Result<_, _>>().map_err(Error::query(failed))
}

fn outcomes_statement(selection: &ResolvedSelection, limit: i64) -> Statement {
    let mut parameters = Parameters::default();
    let conditions =
        selection_conditions(selection, "event", &mut parameters).join("\n           AND ");
    let limit = parameters.bind(limit, Type::INT8);
    // A consumer names the event that it processed as the cause of what it publishes, in the same
    // story. Only what was recorded after the replay can have been caused by it; ids are not in the
    // order of commits, batches are.
    let sql = format!(
        "WITH shown AS MATERIALIZED (
        SELECT replay.*, event.event_id, event.event_type, event.correlation_id,
               event.attributes -> 'original' ->> 'event_id' AS original_id
          FROM dlt_replay_outcomes replay
          JOIN event_logs event ON event.id = replay.event_log_id
         WHERE {conditions}
         ORDER BY replay.requested_at DESC, replay.replay_id DESC
         LIMIT {limit})
SELECT shown.replay_id, shown.requested_at, shown.requested_by, shown.database_role, shown.reason,
       CASE WHEN shown.state = 'sent' AND EXISTS (
                 SELECT FROM event_logs later
                   LEFT JOIN LATERAL (SELECT batch.recorded_at, batch.last_id FROM ingest_batches batch
                                       WHERE batch.first_id <= later.id ORDER BY batch.first_id DESC LIMIT 1) batch ON true
                  WHERE later.correlation_id = shown.correlation_id
                    AND later.attributes ->> 'causation_id' IN (shown.event_id::text, shown.original_id)
                    AND batch.last_id >= later.id AND batch.recorded_at > shown.requested_at)
            THEN 'processed' ELSE shown.state END,
       shown.attempt, shown.event_id, shown.event_type, shown.event_log_id, shown.target_topic, shown.new_partition,
       shown.new_offset, shown.returned_as, shown.error
  FROM shown
 ORDER BY shown.requested_at DESC, shown.replay_id DESC"
    );
    Statement { sql, parameters }
}

fn outcome(row: &Row) -> Result<ReplayOutcome, tokio_postgres::Error> {
    Ok(ReplayOutcome {
        replay_id: row.try_get(0)?,
        requested_at: row.try_get(1)?,
        requested_by: row.try_get(2)?,
        database_role: row.try_get(3)?,
        reason: row.try_get(4)?,
        state: row.try_get(5)?,
        attempt: row.try_get(6)?,
        event_id: row.try_get(7)?,
        event_type: row.try_get(8)?,
        row_id: row.try_get(9)?,
        target_topic: row.try_get(10)?,
        new_partition: row.try_get(11)?,
        new_offset: row.try_get(12)?,
        returned_as: row.try_get(13)?,
        error: row.try_get(14)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_look_for_a_return_and_for_what_was_caused() {
        let resolved =
            ResolvedSelection { dead_letters: Some(true), ..ResolvedSelection::default() };
        insta::assert_snapshot!(format!("{:?}", outcomes_statement(&resolved, 51)), @r#"
WITH shown AS MATERIALIZED (
        SELECT replay.*, event.event_id, event.event_type, event.correlation_id,
               event.attributes -> 'original' ->> 'event_id' AS original_id
          FROM dlt_replay_outcomes replay
          JOIN event_logs event ON event.id = replay.event_log_id
         WHERE event.is_dlt
         ORDER BY replay.requested_at DESC, replay.replay_id DESC
         LIMIT $1)
SELECT shown.replay_id, shown.requested_at, shown.requested_by, shown.database_role, shown.reason,
       CASE WHEN shown.state = 'sent' AND EXISTS (
                 SELECT FROM event_logs later
                   LEFT JOIN LATERAL (SELECT batch.recorded_at, batch.last_id FROM ingest_batches batch
                                       WHERE batch.first_id <= later.id ORDER BY batch.first_id DESC LIMIT 1) batch ON true
                  WHERE later.correlation_id = shown.correlation_id
                    AND later.attributes ->> 'causation_id' IN (shown.event_id::text, shown.original_id)
                    AND batch.last_id >= later.id AND batch.recorded_at > shown.requested_at)
            THEN 'processed' ELSE shown.state END,
       shown.attempt, shown.event_id, shown.event_type, shown.event_log_id, shown.target_topic, shown.new_partition,
       shown.new_offset, shown.returned_as, shown.error
  FROM shown
 ORDER BY shown.requested_at DESC, shown.replay_id DESC
$1 int8 51
"#);
    }
}
