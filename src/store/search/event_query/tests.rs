//! The statements that are made of selections.

use super::*;
use crate::filter::{Clock, Identifier, Selection, TimeRange, Zone};
use crate::store::search::resolved::{
    ErrorFilter, ErrorPatterns, Extent, LikePatterns, RecordedRange, TextFilter, TopicFilter,
};
use crate::store::search::selected_column::PayloadPath;
use crate::store::search::walk::cursor::Snapshot;
use crate::time::PostgresMicros;

/// Every selector at once.
fn everything() -> ResolvedSelection {
    let clock = Clock { now: chrono::DateTime::UNIX_EPOCH, zone: Zone::utc() };
    let range = |since: &str, until: &str| TimeRange {
        since: clock.time(since).ok(),
        until: clock.time(until).ok(),
    };
    let identifiers = |text: &str| Identifier::parse(text).into_iter().collect::<Vec<_>>();
    let selection = Selection {
        event_ids: [identifiers("019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a"), identifiers("4f2a…01")]
            .concat(),
        dead_letters: Some(true),
        quarantined: true,
        created: range("2026-11-22", "2026-11-23"),
        days: vec![range("2026-11-22", "2026-11-23"), range("2026-11-24", "2026-11-25")],
        payload_predicates: vec!["$.total > 100".to_owned()],
        ..Selection::default()
    };
    ResolvedSelection {
        event_types: TextFilter::Exact(vec![
            "OrderCreated".to_owned(),
            "'; DROP TABLE event_logs; --".to_owned(),
        ]),
        services: TextFilter::Like(LikePatterns {
            included: vec!["order-%".to_owned()],
            excluded: vec!["%-test".to_owned()],
        }),
        topics: TopicFilter::Partitions(vec![1, 2]),
        aggregates: identifiers("4f2a91c3-0000-4000-8000-000000000001"),
        correlations: identifiers("4f2a91c3"),
        recorded: Some(RecordedRange {
            first_id: 1,
            last_id: 99,
            created: Some((PostgresMicros(5), PostgresMicros(6))),
            since: clock.time("2026-11-22").ok(),
            until: None,
        }),
        dead_letters: Some(true),
        cardinality: Cardinality::Many,
        extent: Extent::default(),
        errors: ErrorFilter::Like {
            included: Some(ErrorPatterns {
                classes: vec!["%Timeout%".to_owned(), "%.%Timeout%".to_owned()],
                messages: vec!["%Timeout%".to_owned()],
            }),
            excluded: Some(ErrorPatterns {
                classes: vec!["%bank%".to_owned()],
                messages: vec!["%bank%".to_owned()],
            }),
        },
        selection,
    }
}

fn text(query: &EventQuery<'_>) -> String {
    format!("{:?}", query.statement(&PassedOver::default()))
}

#[test]
fn every_selector_is_one_condition_and_every_value_is_bound() {
    let selection = everything();
    let path = PayloadPath::new("$.it's").map(SelectedColumn::Payload).expect("a path");
    let query = EventQuery {
        selection: &selection,
        columns: &[EventColumn::Id.into(), EventColumn::BatchNo.into(), path],
        order: RowOrder::CreatedAt(Order::Newest),
        limit: Some(51),
        dedup: false,
    };
    assert!(!query.statement(&PassedOver::default()).sql.contains("DROP"));
    insta::assert_snapshot!(text(&query), @r#"
SELECT event.id,
       (SELECT CASE WHEN batch.last_id >= event.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1),
       jsonb_path_query_first(event.payload, $1::text::jsonpath, '{}', true)
  FROM event_logs event
 WHERE event.event_type = ANY($2)
   AND event.source_service LIKE ANY($3)
   AND (event.source_service LIKE ANY($4)) IS NOT TRUE
   AND event.aggregate_id = ANY($5)
   AND event.correlation_id BETWEEN $6 AND $7
   AND ((event.event_id = ANY($8)) OR (event.event_id BETWEEN $9 AND $10 AND replace(event.event_id::text, '-', '') LIKE $11))
   AND event.is_dlt
   AND event.partition_id = ANY($12)
   AND event.created_at >= $13 AND event.created_at < $14
   AND ((event.created_at >= $15 AND event.created_at < $16) OR (event.created_at >= $17 AND event.created_at < $18))
   AND event.created_at BETWEEN $19 AND $20
   AND event.id BETWEEN $21 AND $22
   AND (SELECT batch.last_id >= event.id AND batch.recorded_at >= coalesce($23, '-infinity') AND batch.recorded_at < coalesce($24, 'infinity') FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1)
   AND (SELECT letter.exception_class LIKE ANY($25) OR letter.exception_message LIKE ANY($26) FROM dead_letters letter WHERE letter.event_log_id = event.id)
   AND (SELECT letter.exception_class LIKE ANY($27) OR letter.exception_message LIKE ANY($28) FROM dead_letters letter WHERE letter.event_log_id = event.id) IS NOT TRUE
   AND event.payload @@ $29::text::jsonpath
 ORDER BY event.created_at DESC, event.id DESC
 LIMIT $30
$1 text "$.it's"
$2 _varchar ["OrderCreated", "'; DROP TABLE event_logs; --"]
$3 _text ["order-%"]
$4 _text ["%-test"]
$5 _uuid [4f2a91c3-0000-4000-8000-000000000001]
$6 uuid 4f2a91c3-0000-0000-0000-000000000000
$7 uuid 4f2a91c3-ffff-ffff-ffff-ffffffffffff
$8 _uuid [019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a]
$9 uuid 4f2a0000-0000-0000-0000-000000000000
$10 uuid 4f2affff-ffff-ffff-ffff-ffffffffffff
$11 text "%01"
$12 _int4 [1, 2]
$13 timestamp 2026-11-22T00:00:00
$14 timestamp 2026-11-23T00:00:00
$15 timestamp 2026-11-22T00:00:00
$16 timestamp 2026-11-23T00:00:00
$17 timestamp 2026-11-24T00:00:00
$18 timestamp 2026-11-25T00:00:00
$19 timestamp PostgresMicros(5)
$20 timestamp PostgresMicros(6)
$21 int8 1
$22 int8 99
$23 timestamptz Some(2026-11-22T00:00:00Z)
$24 timestamptz None
$25 _text ["%Timeout%", "%.%Timeout%"]
$26 _text ["%Timeout%"]
$27 _text ["%bank%"]
$28 _text ["%bank%"]
$29 text "$.total > 100"
$30 int8 51
"#);
}

#[test]
fn rows_that_are_few_are_all_read_before_they_are_sorted() {
    let selection = ResolvedSelection {
        event_types: TextFilter::Exact(vec!["A".to_owned()]),
        topics: TopicFilter::Partitions(vec![1]),
        cardinality: Cardinality::Few,
        ..ResolvedSelection::default()
    };
    let query = EventQuery {
        selection: &selection,
        columns: &[EventColumn::Id.into()],
        order: RowOrder::CreatedAt(Order::Newest),
        limit: Some(51),
        dedup: false,
    };
    insta::assert_snapshot!(text(&query), @r#"
SELECT event.id
  FROM (SELECT event.* FROM event_logs event
 WHERE event.event_type = $1
   AND event.partition_id = ANY($2)
 OFFSET 0) event
 ORDER BY event.created_at DESC, event.id DESC
 LIMIT $3
$1 varchar "A"
$2 _int4 [1]
$3 int8 51
"#);
    let all = text(&EventQuery { limit: None, ..query });
    assert!(!all.contains("OFFSET"), "{all}");
}

#[test]
fn a_page_behind_a_cursor_sees_what_the_first_page_saw() {
    let selection = ResolvedSelection::default();
    let snapshot = Snapshot { batch_no: 7, last_id: 900 };
    let query = EventQuery {
        selection: &selection,
        columns: &[EventColumn::Id.into()],
        order: RowOrder::After(Cursor {
            order: Order::Oldest,
            created_at: PostgresMicros(1),
            id: 2,
            snapshot,
        }),
        limit: Some(51),
        dedup: false,
    };
    insta::assert_snapshot!(text(&query), @r#"
SELECT event.id
  FROM event_logs event
 WHERE (event.created_at, event.id) > ($1, $2)
   AND event.id <= $3
   AND coalesce((SELECT batch.batch_no <= $4 OR batch.last_id < event.id FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1), true)
 ORDER BY event.created_at, event.id
 LIMIT $5
$1 timestamp PostgresMicros(1)
$2 int8 2
$3 int8 900
$4 int8 7
$5 int8 51
"#);
}

#[test]
fn dedup_asks_for_an_earlier_delivery_among_the_selected_rows() {
    let selection = ResolvedSelection {
        event_types: TextFilter::Exact(vec!["A".to_owned()]),
        ..ResolvedSelection::default()
    };
    let query = EventQuery {
        selection: &selection,
        columns: &[EventColumn::Id.into()],
        order: RowOrder::Id,
        limit: None,
        dedup: true,
    };
    insta::assert_snapshot!(text(&query), @r#"
SELECT event.id
  FROM event_logs event
 WHERE event.event_type = $1
   AND NOT EXISTS (SELECT FROM event_logs other WHERE other.event_id = event.event_id AND other.id <> event.id
   AND other.event_type = $2
   AND (coalesce((SELECT CASE WHEN batch.last_id >= other.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= other.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), other.id) < (coalesce((SELECT CASE WHEN batch.last_id >= event.id THEN batch.batch_no END FROM ingest_batches batch WHERE batch.first_id <= event.id ORDER BY batch.first_id DESC LIMIT 1), 9223372036854775807), event.id))
 ORDER BY event.id
$1 varchar "A"
$2 varchar "A"
"#);
}
