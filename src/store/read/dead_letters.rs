//! Dead letters: what a replay needs to know of them, their raw records, and what they have in
//! common.

use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::dead_letter::{Candidate, OriginSource, PreviousReplay};
use crate::store::Error;
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::search::conditions::selection_conditions;
use crate::store::search::resolve::ResolvedSelection;
use crate::time::PostgresMicros;

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

/// Dead letters with the same origin, consumer group and error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterGroup {
    /// The topic that they came from.
    pub origin_topic: Option<String>,
    /// The consumer group that gave up on them.
    pub consumer_group: Option<String>,
    /// The class of the error.
    pub exception_class: Option<String>,
    /// How many they are.
    pub records: i64,
    /// How many of them were sent back, or were about to be.
    pub replayed: i64,
    /// How many of them are replays that failed again.
    pub returned: i64,
    /// When the first of their events happened.
    pub first_at: PostgresMicros,
    /// When the last of their events happened.
    pub last_at: PostgresMicros,
    /// The event of the latest of them, by row.
    pub example: Uuid,
    /// Its error's message.
    pub example_message: Option<String>,
}

/// Every selected dead letter, in the order in which they were recorded.
///
/// # Errors
/// `Error::Query`.
pub async fn replay_candidates(
    session: &Session,
    selection: &ResolvedSelection,
) -> Result<Vec<Candidate>, Error> {
    let failed = "selecting dead letters";
    let rows = candidates_statement(selection).rows(session, failed).await?;
    rows.iter().map(candidate).collect::<Result<_, _>>().map_err(Error::query(failed))
}

fn candidates_statement(selection: &ResolvedSelection) -> Statement {
    let mut parameters = Parameters::default();
    let conditions = conditions(selection, &mut parameters);
    // One row's replays are few; of those that reached Kafka, or may have, the last attempt counts,
    // and any that came back.
    let sql = format!(
        "SELECT event.id, event.created_at, source.topic, letter.event_log_id IS NOT NULL,
       (coalesce(octet_length(letter.key), 0) + coalesce(octet_length(letter.value), 0)
        + coalesce(pg_column_size(letter.headers), 0))::bigint,
       letter.exception_class, letter.origin_topic, letter.origin_source, letter.origin_partition,
       coalesce(previous.attempt, letter.replay_attempt, 0),
       previous.attempt IS NOT NULL, coalesce(previous.is_pending, false), coalesce(previous.came_back, false)
  FROM event_logs event
  LEFT JOIN dead_letters letter ON letter.event_log_id = event.id
  LEFT JOIN kafka_partitions source ON source.partition_id = event.partition_id
  LEFT JOIN LATERAL (
       SELECT max(replay.attempt) AS attempt, bool_or(replay.state = 'pending') AS is_pending,
              bool_or(EXISTS (SELECT FROM dead_letters later WHERE later.replay_id = replay.replay_id)) AS came_back
         FROM dlt_replays replay
        WHERE replay.event_log_id = event.id AND replay.state <> 'failed') previous ON true
 WHERE {conditions}
 ORDER BY event.id"
    );
    Statement { sql, parameters }
}

fn candidate(row: &Row) -> Result<Candidate, tokio_postgres::Error> {
    let (was_replayed, is_pending, came_back): (bool, bool, bool) =
        (row.try_get(10)?, row.try_get(11)?, row.try_get(12)?);
    let previous = match (was_replayed, is_pending, came_back) {
        (false, _, _) => PreviousReplay::None,
        (true, _, true) => PreviousReplay::Returned,
        (true, true, false) => PreviousReplay::Pending,
        (true, false, false) => PreviousReplay::Sent,
    };
    Ok(Candidate {
        row_id: row.try_get(0)?,
        created_at: row.try_get(1)?,
        topic: row.try_get(2)?,
        is_stored: row.try_get(3)?,
        byte_size: row.try_get(4)?,
        error: row.try_get(5)?,
        origin_topic: row.try_get(6)?,
        origin_source: OriginSource::from_column(row.try_get(7)?),
        origin_partition: row.try_get(8)?,
        attempts: row.try_get(9)?,
        previous,
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
    let failed = "reading raw dead letters";
    let rows = session
        .client()
        .query_typed(
            "SELECT event_log_id, key, value, headers::text FROM dead_letters
              WHERE event_log_id = ANY($1) ORDER BY event_log_id",
            &[(&row_ids, Type::INT8_ARRAY)],
        )
        .await
        .map_err(Error::query(failed))?;
    let letter = |row: &Row| {
        Ok(RawDeadLetter {
            row_id: row.try_get(0)?,
            key: row.try_get(1)?,
            value: row.try_get(2)?,
            headers: row.try_get(3)?,
        })
    };
    rows.iter().map(letter).collect::<Result<_, _>>().map_err(Error::query(failed))
}

/// Groups the selected dead letters by origin topic, consumer group and error, the largest group
/// first.
///
/// # Errors
/// `Error::Query`.
pub async fn dead_letter_groups(
    session: &Session,
    selection: &ResolvedSelection,
) -> Result<Vec<DeadLetterGroup>, Error> {
    let failed = "grouping dead letters";
    let rows = groups_statement(selection).rows(session, failed).await?;
    rows.iter().map(group).collect::<Result<_, _>>().map_err(Error::query(failed))
}

fn groups_statement(selection: &ResolvedSelection) -> Statement {
    let mut parameters = Parameters::default();
    let conditions = conditions(selection, &mut parameters);
    let sql = format!(
        "WITH grouped AS (
       SELECT letter.origin_topic, letter.consumer_group, letter.exception_class, count(*) AS records,
              count(*) FILTER (WHERE EXISTS (SELECT FROM dlt_replays replay
                                              WHERE replay.event_log_id = event.id AND replay.state <> 'failed')) AS replayed,
              count(letter.replay_id) AS returned,
              min(event.created_at) AS first_at, max(event.created_at) AS last_at, max(event.id) AS example
         FROM event_logs event
         LEFT JOIN dead_letters letter ON letter.event_log_id = event.id
        WHERE {conditions}
        GROUP BY letter.origin_topic, letter.consumer_group, letter.exception_class)
SELECT grouped.origin_topic, grouped.consumer_group, grouped.exception_class, grouped.records, grouped.replayed,
       grouped.returned, grouped.first_at, grouped.last_at, event.event_id, letter.exception_message
  FROM grouped
  JOIN event_logs event ON event.id = grouped.example
  LEFT JOIN dead_letters letter ON letter.event_log_id = grouped.example
 ORDER BY grouped.records DESC, grouped.last_at DESC, grouped.example DESC"
    );
    Statement { sql, parameters }
}

fn group(row: &Row) -> Result<DeadLetterGroup, tokio_postgres::Error> {
    Ok(DeadLetterGroup {
        origin_topic: row.try_get(0)?,
        consumer_group: row.try_get(1)?,
        exception_class: row.try_get(2)?,
        records: row.try_get(3)?,
        replayed: row.try_get(4)?,
        returned: row.try_get(5)?,
        first_at: row.try_get(6)?,
        last_at: row.try_get(7)?,
        example: row.try_get(8)?,
        example_message: row.try_get(9)?,
    })
}

/// The selection's conditions; it has to be one of dead letters.
fn conditions(selection: &ResolvedSelection, parameters: &mut Parameters) -> String {
    selection_conditions(selection, "event", parameters).join("\n   AND ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::search::resolve::Errors;

    fn dead_letters() -> ResolvedSelection {
        ResolvedSelection {
            errors: Errors::Ids(vec![7, 9]),
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
       letter.exception_class, letter.origin_topic, letter.origin_source, letter.origin_partition,
       coalesce(previous.attempt, letter.replay_attempt, 0),
       previous.attempt IS NOT NULL, coalesce(previous.is_pending, false), coalesce(previous.came_back, false)
  FROM event_logs event
  LEFT JOIN dead_letters letter ON letter.event_log_id = event.id
  LEFT JOIN kafka_partitions source ON source.partition_id = event.partition_id
  LEFT JOIN LATERAL (
       SELECT max(replay.attempt) AS attempt, bool_or(replay.state = 'pending') AS is_pending,
              bool_or(EXISTS (SELECT FROM dead_letters later WHERE later.replay_id = replay.replay_id)) AS came_back
         FROM dlt_replays replay
        WHERE replay.event_log_id = event.id AND replay.state <> 'failed') previous ON true
 WHERE event.is_dlt
   AND event.id = ANY($1)
 ORDER BY event.id
$1 _int8 [7, 9]
"#);
    }

    #[test]
    fn groups_have_an_example() {
        insta::assert_snapshot!(format!("{:?}", groups_statement(&dead_letters())), @r#"
WITH grouped AS (
       SELECT letter.origin_topic, letter.consumer_group, letter.exception_class, count(*) AS records,
              count(*) FILTER (WHERE EXISTS (SELECT FROM dlt_replays replay
                                              WHERE replay.event_log_id = event.id AND replay.state <> 'failed')) AS replayed,
              count(letter.replay_id) AS returned,
              min(event.created_at) AS first_at, max(event.created_at) AS last_at, max(event.id) AS example
         FROM event_logs event
         LEFT JOIN dead_letters letter ON letter.event_log_id = event.id
        WHERE event.is_dlt
   AND event.id = ANY($1)
        GROUP BY letter.origin_topic, letter.consumer_group, letter.exception_class)
SELECT grouped.origin_topic, grouped.consumer_group, grouped.exception_class, grouped.records, grouped.replayed,
       grouped.returned, grouped.first_at, grouped.last_at, event.event_id, letter.exception_message
  FROM grouped
  JOIN event_logs event ON event.id = grouped.example
  LEFT JOIN dead_letters letter ON letter.event_log_id = grouped.example
 ORDER BY grouped.records DESC, grouped.last_at DESC, grouped.example DESC
$1 _int8 [7, 9]
"#);
    }
}
