//! What came behind events of a type in earlier stories: whether a story that is silent is over.

use tokio_postgres::types::Type;

use crate::analysis::StoryKey;
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::time::PostgresMicros;

/// How many events of the type are looked at, the latest before.
const EVENTS: i64 = 100;

/// Stories of so many events are left out, because some systems give all their events one
/// correlation: together they are as many rows as are read in some hundredths of a second.
const EVENTS_A_STORY: i64 = 200;

/// How earlier stories went on behind an event of one type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Continuation {
    /// How many stories held one.
    pub stories: i64,
    /// In how many of them another event followed.
    pub went_on: i64,
    /// How long after, in seconds, in half of these; `None` where no story went on.
    pub p50_seconds: Option<f64>,
}

/// How other stories than this one went on that held an event of this type before `before`, the
/// latest ones. Dead letters are no steps.
///
/// # Errors
/// `Error::Query`.
pub async fn continuation(
    session: &Session,
    key: StoryKey,
    event_type: &str,
    before: PostgresMicros,
) -> Result<Continuation, Error> {
    let (story_id, id) = match key {
        StoryKey::Correlation(id) => ("correlation_id", id),
        StoryKey::Aggregate(id) => ("aggregate_id", id),
    };
    session
        .row(
            "reading how earlier stories went on",
            &statement(story_id),
            &[
                (&event_type, Type::VARCHAR),
                (&before, Type::TIMESTAMP),
                (&EVENTS, Type::INT8),
                (&EVENTS_A_STORY, Type::INT8),
                (&id, Type::UUID),
            ],
            |row| {
                Ok(Continuation {
                    stories: row.try_get(0)?,
                    went_on: row.try_get(1)?,
                    p50_seconds: row.try_get(2)?,
                })
            },
        )
        .await
}

fn statement(story_id: &'static str) -> String {
    format!(
        "WITH earlier AS (
    SELECT DISTINCT ON (story_id) id, story_id, created_at
      FROM (SELECT id, {story_id} AS story_id, created_at
              FROM event_logs
             WHERE event_type = $1 AND created_at < $2 AND is_dlt IS NOT TRUE
             ORDER BY created_at DESC, id DESC
             LIMIT $3) newest
     WHERE story_id <> $5
     ORDER BY story_id, created_at DESC, id DESC
)
SELECT count(*), count(next.created_at),
       percentile_cont(0.5) WITHIN GROUP (
           ORDER BY extract(epoch FROM next.created_at - earlier.created_at)::float8)
  FROM earlier
  JOIN LATERAL (
           SELECT count(*) AS events,
                  min(step.created_at) FILTER (
                      WHERE (step.created_at, step.id) > (earlier.created_at, earlier.id)
                        AND step.is_dlt IS NOT TRUE) AS created_at
             FROM (SELECT event.created_at, event.id, event.is_dlt
                     FROM event_logs event
                    WHERE event.{story_id} = earlier.story_id
                    LIMIT $4) step
       ) next ON next.events < $4"
    )
}
