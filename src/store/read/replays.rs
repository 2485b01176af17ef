//! Replays of dead letters, and what became of them.

use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::dead_letter::ReplayState;
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::conditions::selection_conditions;
use crate::store::search::resolved::ResolvedSelection;
use crate::time::PostgresMicros;

/// One replay of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplaySummary {
    /// `event_logs.id` of the dead letter.
    pub event_log_id: i64,
    /// How often the event was replayed by then, this time included.
    pub attempt: i32,
    /// By whom it was asked for: the user and the host that said so.
    pub requested_by: String,
    /// When it was asked for.
    pub requested_at: PostgresMicros,
    /// Why it was asked for.
    pub reason: Option<String>,
    /// The topic that it was sent to.
    pub target_topic: String,
    /// What became of it, but for `Processed`: effects are not looked for.
    pub state: ReplayState,
}

/// The replays of these dead letters (`event_logs.id`), by dead letter and attempt.
///
/// # Errors
/// `Error::Query`.
pub async fn replay_summaries(
    session: &Session,
    event_log_ids: &[i64],
) -> Result<Vec<ReplaySummary>, Error> {
    session
        .rows(
            "reading replays",
            "SELECT event_log_id, attempt, requested_by, requested_at, reason, target_topic, state
               FROM dlt_replay_outcomes WHERE event_log_id = ANY($1) ORDER BY event_log_id, attempt",
            &[(&event_log_ids, Type::INT8_ARRAY)],
            |row| {
                Ok(ReplaySummary {
                    event_log_id: row.try_get(0)?,
                    attempt: row.try_get(1)?,
                    requested_by: row.try_get(2)?,
                    requested_at: row.try_get(3)?,
                    reason: row.try_get(4)?,
                    target_topic: row.try_get(5)?,
                    state: row.try_get(6)?,
                })
            },
        )
        .await
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

/// The replays of which it is not known whether they were sent, the oldest first.
///
/// # Errors
/// `Error::Query`.
pub async fn pending_replays(session: &Session) -> Result<Vec<PendingReplay>, Error> {
    session
        .rows(
            "reading interrupted replays",
            "SELECT replay_id, target_topic, requested_at,
                    extract(epoch FROM clock_timestamp() - requested_at)::float8
               FROM dlt_replays WHERE state = 'pending' ORDER BY requested_at, replay_id",
            &[],
            |row| {
                Ok(PendingReplay {
                    replay_id: row.try_get(0)?,
                    target_topic: row.try_get(1)?,
                    requested_at: row.try_get(2)?,
                    age_seconds: row.try_get(3)?,
                })
            },
        )
        .await
}

/// A replay and what became of it, as far as the audit can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayOutcome {
    /// Its id.
    pub replay_id: Uuid,
    /// When it was asked for.
    pub requested_at: PostgresMicros,
    /// By whom it was asked for: the user and the host that said so.
    pub requested_by: String,
    /// The database role that wrote it.
    pub database_role: String,
    /// Why it was asked for.
    pub reason: Option<String>,
    /// What became of it.
    pub state: ReplayState,
    /// How often the event was replayed by then, this time included.
    pub attempt: i32,
    /// The event.
    pub event_id: Uuid,
    /// Its type.
    pub event_type: String,
    /// The dead letter: `event_logs.id`.
    pub row_id: i64,
    /// The topic that it was sent to.
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

/// The replays of the selected dead letters, the newest first, at most `limit`.
///
/// # Errors
/// `Error::Query`.
pub async fn replay_outcomes(
    session: &Session,
    selection: &ResolvedSelection,
    limit: i64,
) -> Result<Vec<ReplayOutcome>, Error> {
    outcomes_statement(selection, limit).rows(session, "reading the replays", outcome).await
}

fn outcomes_statement(selection: &ResolvedSelection, limit: i64) -> Statement {
    let mut parameters = Parameters::default();
    let conditions =
        selection_conditions(selection, "event", &mut parameters).join("\n           AND ");
    let limit = parameters.bind(limit, Type::INT8);
    // Looks for an effect: a consumer names the event that it processed as the cause of what it
    // publishes, in the same story. Only what was recorded after the replay can have been caused by
    // it; batches are in the order of commits, ids are not.
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
