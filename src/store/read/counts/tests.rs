//! The statements that count, as they are sent.

use chrono::DateTime;

use super::figure::{Figure, FigureKind};
use super::grouping::Grouping;
use super::groups::CountQuery;
use super::state::CountState;
use crate::filter::{Selection, TimeRange, ZoneShifts};
use crate::store::search::counted::Counting;
use crate::store::search::resolved::ResolvedSelection;
use crate::store::search::selected_column::PayloadPath;
use crate::store::search::walk::leaves::PassedOver;

const STATE: CountState = CountState {
    counting: Counting {
        filled_through: 7,
        duplicates_through: 7,
        duplicates: 0,
        uncounted_rows: 3,
        unsearched_rows: 0,
        without_foreign_rows: PassedOver::NONE,
    },
    rows: 1_000,
};

fn selected(since: Option<&str>, until: Option<&str>) -> ResolvedSelection {
    let time = |text: Option<&str>| {
        let time = text.map(|text| DateTime::parse_from_rfc3339(text).expect("a time"));
        time.map(Into::into)
    };
    let created = TimeRange { since: time(since), until: time(until) };
    let selection = Selection { created, ..Selection::default() };
    ResolvedSelection { selection, ..ResolvedSelection::default() }
}

fn query<'a>(
    selection: &'a ResolvedSelection,
    by: &'a [Grouping],
    shifts: &'a ZoneShifts,
) -> CountQuery<'a> {
    CountQuery { selection, before: None, by, shifts, figures: &[], duplicates: false, limit: 50 }
}

#[test]
fn everything_by_type_reads_counts_and_what_no_count_holds() {
    let (selection, shifts) = (selected(None, None), ZoneShifts::utc());
    let statement = query(&selection, &[Grouping::Type], &shifts).statement(&STATE, None);
    insta::assert_snapshot!(format!("{statement:?}"), @r#"
    SELECT key_1,
           coalesce(sum(event.events), 0)::bigint,
           coalesce(sum(event.events) FILTER (WHERE event.is_dlt), 0)::bigint,
           coalesce(sum(event.events) FILTER (WHERE event.event_type = $2), 0)::bigint,
           min(event.first_at),
           max(event.last_at),
           NULL::bigint,
           NULL::bigint,
           (sum(coalesce(sum(event.events), 0)::bigint) OVER ())::bigint,
           min(min(event.first_at)) OVER (),
           max(max(event.last_at)) OVER ()
      FROM (SELECT event.event_type::text AS key_1,
           event.event_type,
           event.is_dlt,
           event.first_at AS first_at,
           event.last_at AS last_at,
           event.events
      FROM (SELECT event.event_type, event.source_service, event.is_dlt, event.day AS created_at, event.partition_id, event.events AS events, event.first_at AS first_at, event.last_at AS last_at
      FROM event_counts_by_day event
      UNION ALL
    SELECT event.event_type, event.source_service, event.is_dlt, event.hour AS created_at, event.partition_id, event.events AS events, event.first_at AS first_at, event.last_at AS last_at
      FROM event_counts event
     WHERE NOT event.merged
      UNION ALL
    SELECT event.event_type, event.source_service, event.is_dlt, event.created_at AS created_at, event.partition_id, 1::bigint AS events, event.created_at AS first_at, event.created_at AS last_at
      FROM (SELECT event.* FROM ingest_batches batch
        CROSS JOIN LATERAL (SELECT event.* FROM event_logs event
                             WHERE event.id BETWEEN batch.first_id AND batch.last_id AND event.partition_id IS NOT NULL
                            OFFSET 0) event
        WHERE NOT batch.counted AND batch.batch_no > $1
       UNION ALL
       SELECT event.* FROM event_logs event
     WHERE event.partition_id IS NULL) event) event) event
     GROUP BY 1
     ORDER BY 2 DESC, 1
     LIMIT $3
    $1 int8 7
    $2 varchar "audit.Quarantined"
    $3 int8 50
    "#);
}

#[test]
fn hours_of_a_range_have_edges_that_are_counted_from_rows() {
    let selection = selected(Some("2026-11-22T09:30:00Z"), Some("2026-11-23T00:00:00Z"));
    let shifts = ZoneShifts::utc();
    let by = [Grouping::Topic, Grouping::Hour];
    let statement = query(&selection, &by, &shifts).statement(&STATE, None);
    insta::assert_snapshot!(format!("{statement:?}"), @r#"
    SELECT key_1,
           key_2,
           coalesce(sum(event.events), 0)::bigint,
           coalesce(sum(event.events) FILTER (WHERE event.is_dlt), 0)::bigint,
           coalesce(sum(event.events) FILTER (WHERE event.event_type = $8), 0)::bigint,
           min(event.first_at),
           max(event.last_at),
           NULL::bigint,
           NULL::bigint,
           (sum(coalesce(sum(event.events), 0)::bigint) OVER ())::bigint,
           min(min(event.first_at)) OVER (),
           max(max(event.last_at)) OVER ()
      FROM (SELECT origin.topic AS key_1,
           date_trunc('hour', event.created_at) AS key_2,
           event.event_type,
           event.is_dlt,
           event.first_at AS first_at,
           event.last_at AS last_at,
           event.events
      FROM (SELECT event.event_type, event.source_service, event.is_dlt, event.hour AS created_at, event.partition_id, event.events AS events, event.first_at AS first_at, event.last_at AS last_at
      FROM event_counts event
     WHERE event.hour >= $2 AND event.hour < $3
      UNION ALL
    SELECT event.event_type, event.source_service, event.is_dlt, event.created_at AS created_at, event.partition_id, 1::bigint AS events, event.created_at AS first_at, event.created_at AS last_at
      FROM event_logs event
     WHERE event.created_at >= $4 AND event.created_at < $5
      UNION ALL
    SELECT event.event_type, event.source_service, event.is_dlt, event.created_at AS created_at, event.partition_id, 1::bigint AS events, event.created_at AS first_at, event.created_at AS last_at
      FROM (SELECT event.* FROM ingest_batches batch
        CROSS JOIN LATERAL (SELECT event.* FROM event_logs event
                             WHERE event.id BETWEEN batch.first_id AND batch.last_id AND event.partition_id IS NOT NULL
                            OFFSET 0) event
        WHERE NOT batch.counted AND batch.batch_no > $1
       UNION ALL
       SELECT event.* FROM event_logs event
     WHERE event.partition_id IS NULL) event
     WHERE event.created_at >= $6 AND event.created_at < $7) event
      LEFT JOIN kafka_partitions origin ON origin.partition_id = event.partition_id) event
     GROUP BY 1, 2
     ORDER BY 3 DESC, 1, 2
     LIMIT $9
    $1 int8 7
    $2 timestamp PostgresMicros(848656800000000)
    $3 timestamp PostgresMicros(848707200000000)
    $4 timestamp PostgresMicros(848655000000000)
    $5 timestamp PostgresMicros(848656800000000)
    $6 timestamp PostgresMicros(848656800000000)
    $7 timestamp PostgresMicros(848707200000000)
    $8 varchar "audit.Quarantined"
    $9 int8 50
    "#);
}

#[test]
fn figures_are_computed_of_rows_in_steps() {
    let (selection, shifts) = (selected(None, None), ZoneShifts::utc());
    let path = |text| PayloadPath::new(text).expect("a path");
    let figures = [(FigureKind::Average, "$.a"), (FigureKind::Percentile95, "$.a")]
        .map(|(kind, text)| Figure { kind, path: path(text) });
    let by = [Grouping::Payload(path("$.currency"))];
    let query = CountQuery { figures: &figures, ..query(&selection, &by, &shifts) };
    insta::assert_snapshot!(format!("{:?}", query.statement(&STATE, None)), @r#"
SELECT key_1,
       count(*),
       count(*) FILTER (WHERE event.is_dlt),
       count(*) FILTER (WHERE event.event_type = $3),
       min(event.first_at),
       max(event.last_at),
       NULL::bigint,
       NULL::bigint,
       (sum(count(*)) OVER ())::bigint,
       min(min(event.first_at)) OVER (),
       max(max(event.last_at)) OVER (),
       trim_scale(round(round(sum(number_1), greatest(max(scale(number_1)), 6) + 20) / nullif(count(number_1), 0), greatest(max(scale(number_1)), 6)))::text,
       trim_scale(sum(number_1 * (1 - abs(rank_1 - 0.95 * last_1))) FILTER (WHERE abs(rank_1 - 0.95 * last_1) < 1))::text,
       (sum(count(*) FILTER (WHERE found_1 IS NOT NULL AND number_1 IS NULL)) OVER ())::bigint
  FROM (SELECT event.*,
       row_number() OVER (PARTITION BY key_1 ORDER BY number_1) - 1 AS rank_1,
       count(number_1) OVER (PARTITION BY key_1 ) - 1 AS last_1
  FROM (SELECT event.*,
       CASE jsonb_typeof(found_1)
         WHEN 'number' THEN CASE WHEN length(found_1 #>> '{}') <= 2000 THEN found_1::numeric END
         WHEN 'string' THEN CASE WHEN length(found_1 #>> '{}') <= 1000 AND found_1 #>> '{}' ~
              '^[ \t\n\r]*[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?0*[0-9]{1,3})?[ \t\n\r]*$'
              THEN (found_1 #>> '{}')::numeric END
       END AS number_1
  FROM (SELECT NULLIF(jsonb_path_query_first(event.payload, $1::text::jsonpath, '{}', true), 'null') AS key_1,
       event.event_type,
       event.is_dlt,
       event.created_at AS first_at,
       event.created_at AS last_at,
       NULLIF(jsonb_path_query_first(event.payload, $2::text::jsonpath, '{}', true), 'null') AS found_1
  FROM (SELECT event.id, event.event_id, event.event_type, event.aggregate_id, event.source_service, event.is_dlt, event.payload, event.created_at, event.partition_id, event.correlation_id
  FROM event_logs event) event
OFFSET 0) event
OFFSET 0) event) event
 GROUP BY 1
 ORDER BY 2 DESC, 1
 LIMIT $4
$1 text "$.currency"
$2 text "$.a"
$3 varchar "audit.Quarantined"
$4 int8 50
"#);
}

#[test]
fn two_periods_are_read_together() {
    let selection = selected(Some("2026-11-22T00:00:00Z"), Some("2026-11-22T00:30:00Z"));
    let before = selected(Some("2026-11-21T23:30:00Z"), Some("2026-11-22T00:00:00Z"));
    let shifts = ZoneShifts::utc();
    let by = [Grouping::Correlation];
    let query = CountQuery { before: Some(&before), ..query(&selection, &by, &shifts) };
    insta::assert_snapshot!(format!("{:?}", query.statement(&STATE, None)), @r#"
SELECT key_1,
       key_2,
       count(*) FILTER (WHERE event.is_now),
       count(*) FILTER (WHERE event.is_now AND event.is_dlt),
       count(*) FILTER (WHERE event.is_now AND event.event_type = $5),
       min(event.first_at) FILTER (WHERE event.is_now),
       max(event.last_at) FILTER (WHERE event.is_now),
       NULL::bigint,
       count(*) FILTER (WHERE NOT event.is_now),
       (sum(count(*) FILTER (WHERE event.is_now)) OVER ())::bigint,
       min(min(event.first_at) FILTER (WHERE event.is_now)) OVER (),
       max(max(event.last_at) FILTER (WHERE event.is_now)) OVER ()
  FROM (SELECT event.correlation_id AS key_1,
       CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END AS key_2,
       event.event_type,
       event.is_dlt,
       event.created_at AS first_at,
       event.created_at AS last_at,
       event.is_now
  FROM (SELECT event.id, event.event_id, event.event_type, event.aggregate_id, event.source_service, event.is_dlt, event.payload, event.created_at, event.partition_id, event.correlation_id, TRUE AS is_now
  FROM event_logs event
 WHERE event.created_at >= $1 AND event.created_at < $2
  UNION ALL
SELECT event.id, event.event_id, event.event_type, event.aggregate_id, event.source_service, event.is_dlt, event.payload, event.created_at, event.partition_id, event.correlation_id, FALSE AS is_now
  FROM event_logs event
 WHERE event.created_at >= $3 AND event.created_at < $4) event) event
 GROUP BY 1, 2
 ORDER BY abs(count(*) FILTER (WHERE event.is_now) - count(*) FILTER (WHERE NOT event.is_now)) DESC, 1, 2
 LIMIT $6
$1 timestamp 2026-11-22T00:00:00
$2 timestamp 2026-11-22T00:30:00
$3 timestamp 2026-11-21T23:30:00
$4 timestamp 2026-11-22T00:00:00
$5 varchar "audit.Quarantined"
$6 int8 50
"#);
}

#[test]
fn counts_are_left_aside_where_much_is_not_counted_yet() {
    let (selection, shifts) = (selected(None, None), ZoneShifts::utc());
    let counting = Counting { uncounted_rows: 500, ..STATE.counting };
    let state = CountState { counting, ..STATE };
    let statement = query(&selection, &[Grouping::Type], &shifts).statement(&state, None);
    assert!(!statement.sql.contains("event_counts"), "{statement:?}");
    let by = [Grouping::Minute];
    let statement = query(&selection, &by, &shifts).statement(&STATE, None);
    assert!(!statement.sql.contains("event_counts"), "{statement:?}");
}
