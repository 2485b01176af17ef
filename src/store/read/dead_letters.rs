//! Dead letters: where they came from and why they died, one by one and in groups.

use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::dead_letter::error_line;
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::conditions::selection_conditions;
use crate::store::search::resolved::ResolvedSelection;
use crate::time::PostgresMicros;

/// Where a dead letter came from and why it died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterSummary {
    /// `event_logs.id`.
    pub event_log_id: i64,
    /// The topic that the record was in first.
    pub origin_topic: Option<String>,
    /// The partition there.
    pub origin_partition: Option<i32>,
    /// The offset there.
    pub origin_offset: Option<i64>,
    /// The consumer group that gave up on it.
    pub consumer_group: Option<String>,
    /// The exception's class.
    pub exception_class: Option<String>,
    /// The exception's message.
    pub exception_message: Option<String>,
    /// How often it was tried, where its producer counts that.
    pub attempts: Option<i32>,
}

impl DeadLetterSummary {
    /// The error in a line.
    pub fn error(&self) -> String {
        error_line(
            self.exception_class.as_deref(),
            self.exception_message.as_deref(),
            self.consumer_group.as_deref(),
        )
    }
}

/// The dead letters among these rows (`event_logs.id`), in the order of their ids.
///
/// # Errors
/// `Error::Query`.
pub async fn dead_letter_summaries(
    session: &Session,
    event_log_ids: &[i64],
) -> Result<Vec<DeadLetterSummary>, Error> {
    session
        .rows(
            "reading dead letters",
            "SELECT event_log_id, origin_topic, origin_partition, origin_offset, consumer_group, exception_class,
                    exception_message, attempts
               FROM dead_letters WHERE event_log_id = ANY($1) ORDER BY event_log_id",
            &[(&event_log_ids, Type::INT8_ARRAY)],
            |row| {
                Ok(DeadLetterSummary {
                    event_log_id: row.try_get(0)?,
                    origin_topic: row.try_get(1)?,
                    origin_partition: row.try_get(2)?,
                    origin_offset: row.try_get(3)?,
                    consumer_group: row.try_get(4)?,
                    exception_class: row.try_get(5)?,
                    exception_message: row.try_get(6)?,
                    attempts: row.try_get(7)?,
                })
            },
        )
        .await
}

/// Why a dead letter died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterError {
    /// The exception's class.
    pub class: Option<String>,
    /// The exception's message.
    pub message: Option<String>,
}

/// The errors of the dead letters that were recorded last.
///
/// # Errors
/// `Error::Query`.
pub async fn newest_errors(session: &Session, limit: i64) -> Result<Vec<DeadLetterError>, Error> {
    session
        .rows(
            "reading the errors of dead letters",
            "SELECT exception_class, exception_message FROM dead_letters ORDER BY event_log_id DESC LIMIT $1",
            &[(&limit, Type::INT8)],
            |row| Ok(DeadLetterError { class: row.try_get(0)?, message: row.try_get(1)? }),
        )
        .await
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
    /// How many dead letters the group has.
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

/// Groups the selected dead letters by origin topic, consumer group and error, the largest group
/// first. The selection has to be one of dead letters.
///
/// # Errors
/// `Error::Query`.
pub async fn dead_letter_groups(
    session: &Session,
    selection: &ResolvedSelection,
) -> Result<Vec<DeadLetterGroup>, Error> {
    groups_statement(selection).rows(session, "grouping dead letters", group).await
}

fn groups_statement(selection: &ResolvedSelection) -> Statement {
    let mut parameters = Parameters::default();
    let conditions = selection_conditions(selection, "event", &mut parameters).join("\n   AND ");
    // A replay with an error failed, unless it came back all the same. Asking for the state itself
    // would read the event's story, too.
    let sql = format!(
        "WITH grouped AS (
       SELECT letter.origin_topic, letter.consumer_group, letter.exception_class, count(*) AS records,
              count(*) FILTER (WHERE EXISTS (SELECT FROM dlt_replay_outcomes replay
                                              WHERE replay.event_log_id = event.id
                                                AND (replay.error IS NULL OR replay.returned_as IS NOT NULL))) AS replayed,
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
    fn groups_have_an_example() {
        insta::assert_snapshot!(format!("{:?}", groups_statement(&dead_letters())), @r#"
WITH grouped AS (
       SELECT letter.origin_topic, letter.consumer_group, letter.exception_class, count(*) AS records,
              count(*) FILTER (WHERE EXISTS (SELECT FROM dlt_replay_outcomes replay
                                              WHERE replay.event_log_id = event.id
                                                AND (replay.error IS NULL OR replay.returned_as IS NOT NULL))) AS replayed,
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
