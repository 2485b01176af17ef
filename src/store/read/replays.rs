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

/// A replay and what became of it, as far as the audit can see: what the view
/// `dlt_replay_outcomes` derives, which every command shows.
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

/// The columns of `dlt_replay_outcomes replay` and `event_logs event` that [`outcome`] reads.
const OUTCOME_COLUMNS: &str = "replay.replay_id, replay.requested_at, replay.requested_by, replay.database_role, replay.reason, replay.state,
       replay.attempt, event.event_id, event.event_type, replay.event_log_id, replay.target_topic, replay.new_partition,
       replay.new_offset, replay.returned_as, replay.error";

/// The replays of these dead letters (`event_logs.id`), by dead letter, the oldest first.
///
/// # Errors
/// `Error::Query`.
pub async fn replays_of(session: &Session, row_ids: &[i64]) -> Result<Vec<ReplayOutcome>, Error> {
    let sql = format!(
        "SELECT {OUTCOME_COLUMNS}
  FROM dlt_replay_outcomes replay
  JOIN event_logs event ON event.id = replay.event_log_id
 WHERE replay.event_log_id = ANY($1)
 ORDER BY replay.event_log_id, replay.attempt, replay.requested_at, replay.replay_id"
    );
    session.rows("reading replays", &sql, &[(&row_ids, Type::INT8_ARRAY)], outcome).await
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

/// Chooses the replays before it asks what came of them, which reads the events of their stories.
fn outcomes_statement(selection: &ResolvedSelection, limit: i64) -> Statement {
    let mut parameters = Parameters::default();
    let conditions =
        selection_conditions(selection, "event", &mut parameters).join("\n           AND ");
    let limit = parameters.bind(limit, Type::INT8);
    let sql = format!(
        "WITH shown AS MATERIALIZED (
        SELECT asked.replay_id
          FROM dlt_replays asked
          JOIN event_logs event ON event.id = asked.event_log_id
         WHERE {conditions}
         ORDER BY asked.requested_at DESC, asked.replay_id DESC
         LIMIT {limit})
SELECT {OUTCOME_COLUMNS}
  FROM shown
  JOIN dlt_replay_outcomes replay ON replay.replay_id = shown.replay_id
  JOIN event_logs event ON event.id = replay.event_log_id
 ORDER BY replay.requested_at DESC, replay.replay_id DESC"
    );
    Statement { sql, parameters }
}

impl ReplayOutcome {
    /// What became of it, in words: its state, and why it failed or as which row it came back.
    pub fn describe(&self) -> String {
        match (&self.error, self.returned_as) {
            (_, Some(row)) => format!("{} as row {row}", self.state),
            (Some(error), None) => format!("{}: {error}", self.state),
            (None, None) => self.state.to_string(),
        }
    }
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
    fn replays_are_chosen_before_their_outcomes_are_derived() {
        let resolved =
            ResolvedSelection { dead_letters: Some(true), ..ResolvedSelection::default() };
        insta::assert_snapshot!(format!("{:?}", outcomes_statement(&resolved, 51)), @r#"
WITH shown AS MATERIALIZED (
        SELECT asked.replay_id
          FROM dlt_replays asked
          JOIN event_logs event ON event.id = asked.event_log_id
         WHERE event.is_dlt
         ORDER BY asked.requested_at DESC, asked.replay_id DESC
         LIMIT $1)
SELECT replay.replay_id, replay.requested_at, replay.requested_by, replay.database_role, replay.reason, replay.state,
       replay.attempt, event.event_id, event.event_type, replay.event_log_id, replay.target_topic, replay.new_partition,
       replay.new_offset, replay.returned_as, replay.error
  FROM shown
  JOIN dlt_replay_outcomes replay ON replay.replay_id = shown.replay_id
  JOIN event_logs event ON event.id = replay.event_log_id
 ORDER BY replay.requested_at DESC, replay.replay_id DESC
$1 int8 51
"#);
    }
}
