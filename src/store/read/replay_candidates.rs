//! Dead letters that a replay may send: what its plan has to know of them, and their raw records.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::dead_letter::{OriginSource, PreviousReplay, ReplayCandidate, ReplayState};
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::conditions::selection_conditions;
use crate::store::search::resolved::ResolvedSelection;

/// The raw record of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawDeadLetter {
    /// `event_logs.id`.
    pub row_id: i64,
    /// The key; `None` is null.
    pub key: Option<Vec<u8>>,
    /// The value; `None` is null.
    pub value: Option<Vec<u8>>,
    /// The headers, as `dead_letter::headers_from_json` reads them.
    pub headers: String,
}

/// Every selected dead letter, by row. The selection has to be one of dead letters.
///
/// # Errors
/// `Error::Query`.
pub async fn replay_candidates(
    session: &Session,
    selection: &ResolvedSelection,
) -> Result<Vec<ReplayCandidate>, Error> {
    candidates_statement(selection).rows(session, "selecting dead letters", candidate).await
}

fn candidates_statement(selection: &ResolvedSelection) -> Statement {
    let mut parameters = Parameters::default();
    let conditions = selection_conditions(selection, "event", &mut parameters).join("\n   AND ");
    // Joins laterally: one row has few replays. Counts those that reached Kafka, or may have; one
    // that was taken for failed and came back is `returned`.
    let sql = format!(
        "SELECT event.id, event.created_at, source.topic, letter.event_log_id IS NOT NULL,
       (coalesce(octet_length(letter.key), 0) + coalesce(octet_length(letter.value), 0)
        + coalesce(pg_column_size(letter.headers), 0))::bigint,
       letter.consumer_group, letter.exception_class, letter.origin_topic, letter.origin_source, letter.origin_partition,
       coalesce(previous.attempt, letter.replay_attempt, 0),
       coalesce(previous.states, '{{}}')
  FROM event_logs event
  LEFT JOIN dead_letters letter ON letter.event_log_id = event.id
  LEFT JOIN kafka_partitions source ON source.partition_id = event.partition_id
  LEFT JOIN LATERAL (
       SELECT max(replay.attempt) AS attempt, array_agg(replay.state) AS states
         FROM dlt_replay_outcomes replay
        WHERE replay.event_log_id = event.id AND replay.state <> 'failed') previous ON true
 WHERE {conditions}
 ORDER BY event.id"
    );
    Statement { sql, parameters }
}

fn candidate(row: &Row) -> Result<ReplayCandidate, tokio_postgres::Error> {
    let states: Vec<ReplayState> = row.try_get(11)?;
    Ok(ReplayCandidate {
        row_id: row.try_get(0)?,
        created_at: row.try_get(1)?,
        topic: row.try_get(2)?,
        is_stored: row.try_get(3)?,
        byte_size: row.try_get(4)?,
        consumer_group: row.try_get(5)?,
        error: row.try_get(6)?,
        origin_topic: row.try_get(7)?,
        origin_source: OriginSource::from_column(row.try_get(8)?),
        origin_partition: row.try_get(9)?,
        attempts: row.try_get(10)?,
        previous: PreviousReplay::of(&states),
    })
}

/// The raw records of dead letters, in the order of their rows; a row without one is left out.
///
/// # Errors
/// `Error::Query`.
pub async fn raw_dead_letters(
    session: &Session,
    row_ids: &[i64],
) -> Result<Vec<RawDeadLetter>, Error> {
    session
        .rows(
            "reading raw dead letters",
            "SELECT event_log_id, key, value, headers::text FROM dead_letters
              WHERE event_log_id = ANY($1) ORDER BY event_log_id",
            &[(&row_ids, Type::INT8_ARRAY)],
            |row| {
                Ok(RawDeadLetter {
                    row_id: row.try_get(0)?,
                    key: row.try_get(1)?,
                    value: row.try_get(2)?,
                    headers: row.try_get(3)?,
                })
            },
        )
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::search::resolved::ErrorFilter;

    fn dead_letters() -> ResolvedSelection {
        ResolvedSelection {
            errors: ErrorFilter::Ids(vec![7, 9]),
            dead_letters: Some(true),
            ..ResolvedSelection::default()
        }
    }

    #[test]
    fn candidates_know_what_became_of_their_replays() {
        insta::assert_snapshot!(format!("{:?}", candidates_statement(&dead_letters())), @r#"
SELECT event.id, event.created_at, source.topic, letter.event_log_id IS NOT NULL,
       (coalesce(octet_length(letter.key), 0) + coalesce(octet_length(letter.value), 0)
        + coalesce(pg_column_size(letter.headers), 0))::bigint,
       letter.consumer_group, letter.exception_class, letter.origin_topic, letter.origin_source, letter.origin_partition,
       coalesce(previous.attempt, letter.replay_attempt, 0),
       coalesce(previous.states, '{}')
  FROM event_logs event
  LEFT JOIN dead_letters letter ON letter.event_log_id = event.id
  LEFT JOIN kafka_partitions source ON source.partition_id = event.partition_id
  LEFT JOIN LATERAL (
       SELECT max(replay.attempt) AS attempt, array_agg(replay.state) AS states
         FROM dlt_replay_outcomes replay
        WHERE replay.event_log_id = event.id AND replay.state <> 'failed') previous ON true
 WHERE event.is_dlt
   AND event.id = ANY($1)
 ORDER BY event.id
$1 _int8 [7, 9]
"#);
    }
}
