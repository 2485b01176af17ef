//! What counts tell of a selection.

use super::*;
use crate::store::search::walk::leaves::PassedOver;

fn exact(values: &[&str]) -> TextFilter {
    TextFilter::Exact(values.iter().map(|value| (*value).to_owned()).collect())
}

fn kind(event_type: &str, service: Option<&str>, rows: i64, hour: i64) -> Kind {
    Kind {
        event_type: event_type.to_owned(),
        service: service.map(str::to_owned),
        rows,
        rows_in_time: rows,
        first: Some(PostgresMicros(hour)),
        last: Some(PostgresMicros(hour + 1)),
        has_others: true,
        read: 0,
    }
}

#[test]
fn kinds_are_counted_by_day_and_what_is_not_counted_is_looked_at() {
    let resolved = ResolvedSelection {
        event_types: exact(&["A"]),
        topics: TopicFilter::Partitions(vec![1, 2]),
        dead_letters: Some(false),
        ..ResolvedSelection::default()
    };
    let counting = Counting {
        filled_through: 7,
        duplicates_through: 7,
        duplicates: 0,
        uncounted_rows: 0,
        unsearched_rows: 0,
        without_foreign_rows: PassedOver::NONE,
    };
    insta::assert_snapshot!(format!("{:?}", kinds_statement(&resolved, &counting)), @r#"
SELECT event_type, source_service, sum(events)::bigint, coalesce(sum(events) FILTER (WHERE true), 0)::bigint,
       min(first_at) FILTER (WHERE true), max(last_at) FILTER (WHERE true), bool_or(NOT is_dlt), sum(read)::bigint
  FROM (SELECT event_type, source_service, is_dlt, events, first_at, last_at, 0 AS read FROM event_counts_by_day event
 WHERE event.event_type = $1
   AND event.is_dlt IS NOT TRUE
   AND event.partition_id = ANY($2)
        UNION ALL
        SELECT event_type, source_service, is_dlt, events, first_at, last_at, 0 FROM event_counts event
 WHERE event.event_type = $1
   AND event.is_dlt IS NOT TRUE
   AND event.partition_id = ANY($2)
   AND NOT event.merged
        UNION ALL
        (SELECT event.event_type, event.source_service, event.is_dlt IS TRUE, 1, event.created_at, event.created_at, 1
           FROM (SELECT event.* FROM event_logs event
 WHERE event.partition_id IS NULL) event
 WHERE event.event_type = $1
   AND event.is_dlt IS NOT TRUE
   AND event.partition_id = ANY($2)
          LIMIT $3)) event
 GROUP BY event_type, source_service
 LIMIT $4
$1 varchar "A"
$2 _int4 [1, 2]
$3 int8 20001
$4 int8 1001
"#);
}

#[test]
fn what_happened_when_is_taken_from_the_counts() {
    let mut resolved =
        ResolvedSelection { event_types: exact(&["A"]), ..ResolvedSelection::default() };
    settle(&mut resolved, &[kind("A", None, 5, 7), kind("A", Some("s"), 900, 3)], 1_000);
    assert_eq!(resolved.extent.created, Some((PostgresMicros(3), PostgresMicros(8))));
    assert_eq!(resolved.cardinality, Cardinality::Many);
    assert_eq!((resolved.event_types, resolved.dead_letters), (exact(&["A"]), None));
}

#[test]
fn where_all_rows_are_dead_letters_their_own_index_has_them() {
    let mut resolved = ResolvedSelection {
        topics: TopicFilter::Partitions(vec![3]),
        ..ResolvedSelection::default()
    };
    settle(&mut resolved, &[Kind { has_others: false, ..kind("A", None, 5, 7) }], 1_000_000);
    assert_eq!(resolved.dead_letters, Some(true));
    assert_eq!((resolved.event_types, resolved.services), (TextFilter::Any, TextFilter::Any));
}

#[test]
fn few_rows_are_looked_up_by_their_types_and_services() {
    let selected = || ResolvedSelection {
        topics: TopicFilter::Partitions(vec![3]),
        ..ResolvedSelection::default()
    };
    let mut resolved = selected();
    settle(&mut resolved, &[kind("B", Some("s"), 5, 7), kind("A", Some("s"), 1, 7)], 1_000_000);
    assert_eq!(resolved.cardinality, Cardinality::Few);
    assert_eq!((resolved.event_types, resolved.services), (exact(&["A", "B"]), exact(&["s"])));
    let mut resolved = selected();
    settle(&mut resolved, &[kind("B", Some("s"), 5, 7), kind("A", None, 1, 7)], 1_000_000);
    assert_eq!((resolved.event_types, resolved.services), (exact(&["A", "B"]), TextFilter::Any));
    let mut resolved = selected();
    let many: Vec<_> =
        (0..MOST_LOOK_UPS + 1).map(|n| kind(&n.to_string(), Some("s"), 1, 7)).collect();
    settle(&mut resolved, &many, i64::MAX);
    assert_eq!((resolved.cardinality, resolved.event_types), (Cardinality::Many, TextFilter::Any));
}

#[test]
fn few_is_what_is_sooner_read_than_walked_to() {
    assert!(are_few(7_000, 7_000, 10_000_000, PAGE));
    assert!(!are_few(8_000, 8_000, 10_000_000, PAGE));
    // Of rows whose payload is looked into, a walk passes ten times as many.
    assert!(are_few(20_000, 20_000, 10_000_000, PAGE * LOOKED_INTO));
    assert!(!are_few(30_000, 30_000, 10_000_000, PAGE * LOOKED_INTO));
    assert!(are_few(3, 3, 1_000, PAGE));
    assert!(are_few(90_000, 2, 1_000_000, PAGE));
    assert!(!are_few(110_000, 2, 1_000_000, PAGE));
    assert!(!are_few(i64::MAX, 1, i64::MAX, PAGE));
}

#[test]
fn ids_and_dead_letters_alone_are_not_counted() {
    let counted = |event_types, dead_letters| {
        is_worth_counting(&ResolvedSelection {
            event_types,
            dead_letters,
            ..ResolvedSelection::default()
        })
    };
    assert!(!counted(TextFilter::Any, Some(true)));
    assert!(counted(exact(&["A"]), None));
    assert!(counted(exact(&["A"]), Some(true)));
}
