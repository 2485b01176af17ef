//! The statements that read stories, as they are sent.

use super::*;
use crate::filter::{Clock, Zone};
use crate::store::search::resolved::TextFilter;

/// Of one day and one type.
fn chosen() -> StorySelection {
    let clock = Clock { now: chrono::DateTime::UNIX_EPOCH, zone: Zone::utc() };
    let created =
        TimeRange { since: clock.time("2026-11-22").ok(), until: clock.time("2026-11-23").ok() };
    StorySelection::new(&ResolvedSelection {
        event_types: TextFilter::Exact(vec!["OrderCreated".to_owned()]),
        selection: Selection { created, ..Selection::default() },
        ..ResolvedSelection::default()
    })
}

const DELIVERIES: Deliveries = Deliveries { rest_from: 1_000 };

#[test]
fn events_of_a_range_are_read_once_and_the_index_tells_which_stories_have_others() {
    assert_eq!(chosen().walk(), Walk::Period);
    insta::assert_snapshot!(format!("{:?}", chosen().in_period(&DELIVERIES)), @r#"
SELECT correlation, aggregate, created_at, id, event_type, is_dlt, is_step, matches,
       CASE WHEN row_number() OVER (PARTITION BY correlation, aggregate ORDER BY created_at, id) > 1 THEN NULL
            WHEN correlation IS NULL
            THEN (SELECT count(*) FROM event_logs event WHERE event.aggregate_id = story.aggregate) + is_outside
            ELSE (SELECT count(*) FROM event_logs event WHERE event.correlation_id = story.correlation) + is_outside END
  FROM (SELECT event.correlation_id AS correlation,
               CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END AS aggregate,
               event.created_at, event.id, event.event_type, event.is_dlt IS TRUE AS is_dlt,
               event.is_dlt IS NOT TRUE AND event.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined') AND NOT EXISTS (SELECT FROM duplicate_deliveries known WHERE known.event_log_id = event.id)
   AND (event.id < $2 AND event.partition_id IS NOT NULL
        OR NOT EXISTS (SELECT FROM event_logs earlier
                        WHERE earlier.event_id = event.event_id AND earlier.id <> event.id AND earlier.is_dlt IS NOT TRUE AND earlier.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined')
                          AND (coalesce((SELECT CASE WHEN batch.last_id >= earlier.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= earlier.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), earlier.id) < (coalesce((SELECT CASE WHEN batch.last_id >= event.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), event.id))) AS is_step,
               (event.event_type = $1) IS TRUE AS matches, 0 AS is_outside
          FROM event_logs event
 WHERE event.created_at >= $3 AND event.created_at < $4
   AND (event.correlation_id IS NOT NULL OR event.aggregate_id IS NOT NULL)
        OFFSET 0) AS story
 ORDER BY correlation, aggregate, created_at, id
$1 varchar "OrderCreated"
$2 int8 1000
$3 timestamp 2026-11-22T00:00:00
$4 timestamp 2026-11-23T00:00:00
"#);
}

#[test]
fn events_of_chosen_stories_are_looked_for_story_by_story() {
    insta::assert_snapshot!(format!("{:?}", chosen().statement(Walk::Matches, &DELIVERIES)), @r#"
    WITH candidate AS MATERIALIZED (
        SELECT DISTINCT event.correlation_id AS correlation,
               CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END AS aggregate
          FROM event_logs event
     WHERE event.event_type = $1
       AND (event.correlation_id IS NOT NULL OR event.aggregate_id IS NOT NULL)
    ), event AS (
        SELECT candidate.correlation, NULL::uuid AS aggregate, event.*
          FROM candidate
         CROSS JOIN LATERAL (SELECT event.id, event.event_id, event.event_type, event.created_at, event.is_dlt, event.partition_id, (event.event_type = $2) IS TRUE AS matches FROM event_logs event
                              WHERE event.correlation_id = candidate.correlation OFFSET 0) event
         WHERE candidate.correlation IS NOT NULL
        UNION ALL
        SELECT NULL::uuid AS correlation, candidate.aggregate, event.*
          FROM candidate
         CROSS JOIN LATERAL (SELECT event.id, event.event_id, event.event_type, event.created_at, event.is_dlt, event.partition_id, (event.event_type = $2) IS TRUE AS matches FROM event_logs event
                              WHERE event.aggregate_id = candidate.aggregate AND event.correlation_id IS NULL OFFSET 0) event
         WHERE candidate.aggregate IS NOT NULL
    )
    SELECT correlation, aggregate, created_at, id, event_type, is_dlt IS TRUE,
           event.is_dlt IS NOT TRUE AND event.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined') AND NOT EXISTS (SELECT FROM duplicate_deliveries known WHERE known.event_log_id = event.id)
       AND (event.id < $3 AND event.partition_id IS NOT NULL
            OR NOT EXISTS (SELECT FROM event_logs earlier
                            WHERE earlier.event_id = event.event_id AND earlier.id <> event.id AND earlier.is_dlt IS NOT TRUE AND earlier.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined')
                              AND (coalesce((SELECT CASE WHEN batch.last_id >= earlier.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= earlier.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), earlier.id) < (coalesce((SELECT CASE WHEN batch.last_id >= event.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), event.id))),
           matches
      FROM event
     ORDER BY correlation, aggregate, created_at, id
    $1 varchar "OrderCreated"
    $2 varchar "OrderCreated"
    $3 int8 1000
    "#);
}

#[test]
fn without_selectors_every_row_is_read() {
    let all = StorySelection::new(&ResolvedSelection::default());
    assert_eq!(all.walk(), Walk::All);
    insta::assert_snapshot!(format!("{:?}", all.statement(Walk::All, &DELIVERIES)), @"
    WITH event AS (
        SELECT event.correlation_id AS correlation,
               CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END AS aggregate,
               event.id, event.event_id, event.event_type, event.created_at, event.is_dlt, event.partition_id, true AS matches
          FROM event_logs event
     WHERE (event.correlation_id IS NOT NULL OR event.aggregate_id IS NOT NULL)
    )
    SELECT correlation, aggregate, created_at, id, event_type, is_dlt IS TRUE,
           event.is_dlt IS NOT TRUE AND event.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined') AND NOT EXISTS (SELECT FROM duplicate_deliveries known WHERE known.event_log_id = event.id)
       AND (event.id < $1 AND event.partition_id IS NOT NULL
            OR NOT EXISTS (SELECT FROM event_logs earlier
                            WHERE earlier.event_id = event.event_id AND earlier.id <> event.id AND earlier.is_dlt IS NOT TRUE AND earlier.event_type NOT IN ('audit.Tombstone', 'audit.Quarantined')
                              AND (coalesce((SELECT CASE WHEN batch.last_id >= earlier.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= earlier.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), earlier.id) < (coalesce((SELECT CASE WHEN batch.last_id >= event.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), event.id))),
           matches
      FROM event
     ORDER BY correlation, aggregate, created_at, id
    $1 int8 1000
    ");
}
