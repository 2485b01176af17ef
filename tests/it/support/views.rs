//! The views for SQL, held against the program.

use serde_json::Value;

use super::{Audit, Database};

/// Where the views can't tell the text (docs/sql.md): the envelope's own is no id, and the key
/// wraps one.
const KEY_WRAPS_THE_ONLY_ID: &str = "left(attributes ->> 'key', 1) IN ('\"', '{')
    AND attributes #> '{original,aggregate_id}' IS NOT NULL
    AND (jsonb_typeof(attributes #> '{original,aggregate_id}') NOT IN ('string', 'number')
         OR left(attributes #>> '{original,aggregate_id}', 1) IN ('', '\"', '{'))";

/// The ids as they came are those that the program shows, in every row.
pub(crate) fn views_show_the_ids_that_the_program_shows(audit: &Audit, database: &Database) {
    const COLUMNS: &str =
        "id,aggregate,correlation,batch_no,topic,partition,error_class,error_message";
    let shown = audit.succeed(&["export", "-o", "ndjson", "--columns", COLUMNS]);
    let text = |value: &Value| match value {
        Value::Null => "∅".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut expected: Vec<Vec<String>> = shown
        .lines()
        .map(|line| {
            let row: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}"));
            COLUMNS.split(',').map(|name| text(&row[name])).collect()
        })
        .collect();
    let mut found = database.rows(&format!("SELECT {COLUMNS} FROM audit_events"));
    expected.sort();
    found.sort();
    let untold = database
        .rows(&format!("SELECT id, aggregate_id FROM audit_events WHERE {KEY_WRAPS_THE_ONLY_ID}"));
    let is_untold = |found: &[String]| untold.iter().any(|row| row[..] == found[..2]);
    let differences: Vec<_> = found
        .iter()
        .zip(&expected)
        .filter(|(found, expected)| found != expected && !is_untold(found))
        .collect();
    assert!(differences.is_empty(), "the view, the program: {differences:#?}");
    assert_eq!(found.len(), expected.len());
    // Of a text that is shown, the functions make the id that an index finds.
    let lost = database.rows(
        "SELECT id, aggregate, correlation FROM audit_events
          WHERE aggregate_id <> audit_aggregate_id(aggregate)
             OR correlation_id <> audit_correlation_id(correlation)",
    );
    assert!(lost.is_empty(), "{lost:?}");
}
