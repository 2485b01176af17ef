//! The statements as they are sent.

use super::*;
use crate::store::search::event_column::EventColumn;

#[test]
fn each_statement_asks_for_the_same_rows() {
    let selection = ResolvedSelection { dead_letters: None, ..ResolvedSelection::default() };
    let chosen = Chosen { selection: &selection, deliveries: Deliveries::known_below(700) };
    let is_first = chosen.is_first(&mut Parameters::default());
    let columns = [EventColumn::SourceService.into()];
    let statements = [
        chosen.types(),
        chosen.objects(ObjectKind::Aggregate),
        chosen.objects(ObjectKind::Correlation),
        chosen.events(&columns),
    ];
    let shown: Vec<_> = statements
        .iter()
        .map(|statement| {
            assert!(statement.sql.contains(&is_first), "{statement:?}");
            format!("{statement:?}").replace(&is_first, "IS FIRST")
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"), @r"
SELECT event.event_type, count(*) FILTER (WHERE IS FIRST),
       count(*) FILTER (WHERE event.is_dlt), count(*)
  FROM event_logs event
 GROUP BY event.event_type
 ORDER BY event.event_type
$1 int8 700

SELECT DISTINCT event.aggregate_id, CASE WHEN get_byte(uuid_send(event.aggregate_id), 6) >> 4 = 5 THEN jsonb_build_array(event.aggregate_id, event.attributes #> '{original,aggregate_id}', event.attributes -> 'key') END
  FROM event_logs event
 WHERE IS FIRST
   AND event.aggregate_id IS NOT NULL
 ORDER BY 1
$1 int8 700

SELECT DISTINCT event.correlation_id, CASE WHEN get_byte(uuid_send(event.correlation_id), 6) >> 4 = 5 THEN jsonb_build_array(event.correlation_id, event.attributes #> '{original,correlation_id}') END
  FROM event_logs event
 WHERE IS FIRST
   AND event.correlation_id IS NOT NULL
 ORDER BY 1
$1 int8 700

SELECT event.id, event.event_id, event.event_type, event.created_at,
       event.aggregate_id, CASE WHEN get_byte(uuid_send(event.aggregate_id), 6) >> 4 = 5 THEN jsonb_build_array(event.aggregate_id, event.attributes #> '{original,aggregate_id}', event.attributes -> 'key') END,
       event.correlation_id, CASE WHEN get_byte(uuid_send(event.correlation_id), 6) >> 4 = 5 THEN jsonb_build_array(event.correlation_id, event.attributes #> '{original,correlation_id}') END,
       event.source_service
  FROM event_logs event
 WHERE IS FIRST
 ORDER BY event.id
$1 int8 700
");
}
