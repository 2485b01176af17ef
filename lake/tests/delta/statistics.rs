//! What a table says of its files, by which readers leave out those that they do not need.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use lake::delta::{Progress, Table};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

use crate::rows::{APP, DAY, WRITER, folder, table};

/// The statistics that a table has of a file with these columns, two rows a row group.
fn statistics(columns: Vec<(&str, ArrayRef)>) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let mut table = table(&folder(directory.path()));
    let names = columns.into_iter().map(|(name, column)| (name, column, true));
    let rows = RecordBatch::try_from_iter_with_nullable(names).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
    let mut output = table.new_file(Some(DAY));
    let mut writer = ArrowWriter::try_new(&mut output, rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    let metadata = writer.finish().unwrap();
    drop(writer);
    let files = [output.finish(&metadata).unwrap()];
    table.append(&files, &Progress { app_id: APP, from: None, to: 1 }).unwrap();
    let log = directory.path().join("_delta_log/00000000000000000001.json");
    let text = std::fs::read_to_string(log).unwrap();
    let actions = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut stats = actions.filter_map(|action| action["add"]["stats"].as_str().map(str::to_owned));
    serde_json::from_str(&stats.next().unwrap()).unwrap()
}

#[test]
fn bounds_cover_all_row_groups_and_nulls_are_counted() {
    let moments = [Some(-1), Some(1_500_999), None, None, Some(2_000_001)];
    let moments = TimestampMicrosecondArray::from(moments.to_vec()).with_timezone("UTC");
    let found = statistics(vec![
        ("id", Arc::new(Int64Array::from(vec![Some(5), Some(-3), None, None, Some(9)]))),
        ("payload", Arc::new(StringArray::from(vec![None::<&str>; 5]))),
        ("created_at", Arc::new(moments)),
    ]);
    let expected = json!({
        "numRecords": 5,
        // Moments are in milliseconds, rounded down: readers know that.
        "minValues": {"id": -3, "created_at": "1969-12-31T23:59:59.999Z"},
        "maxValues": {"id": 9, "created_at": "1970-01-01T00:00:02.000Z"},
        "nullCount": {"id": 2, "payload": 5, "created_at": 2},
    });
    assert_eq!(found, expected);
}

#[test]
fn the_bounds_of_long_texts_are_short_and_still_bounds() {
    let (low, high) = ("a".repeat(200), "ü".repeat(200));
    let found = statistics(vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("payload", Arc::new(StringArray::from(vec![low.as_str(), "", high.as_str()]))),
        ("event_id", Arc::new(StringArray::from(vec![low.as_str(), &high, &high]))),
    ]);
    assert_eq!(found["minValues"]["payload"], "");
    assert_eq!(found["minValues"]["event_id"], "a".repeat(32));
    for column in ["payload", "event_id"] {
        let bound = found["maxValues"][column].as_str().unwrap();
        assert!(bound > high.as_str() && bound.chars().count() <= 33, "{bound}");
    }
}

#[test]
fn moments_that_no_reader_could_parse_have_no_bound() {
    // The years 1 and 10000.
    let moments = vec![-62_135_596_800_000_000, 253_402_300_800_000_000];
    let moments = TimestampMicrosecondArray::from(moments).with_timezone("UTC");
    let found = statistics(vec![("created_at", Arc::new(moments))]);
    assert_eq!(found["minValues"], json!({"created_at": "0001-01-01T00:00:00.000Z"}));
    assert_eq!(found["maxValues"], Value::Null);
}

#[test]
fn a_day_that_no_reader_could_parse_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let location = folder(directory.path());
    table(&location);
    let table = Table::open(&location, WRITER).unwrap().unwrap();
    for (date, day) in [
        (Some(DAY), "2026-11-22"),
        (Some(-719_162), "0001-01-01"),
        (Some(2_932_896), "9999-12-31"),
        (Some(-719_163), "__HIVE_DEFAULT_PARTITION__"),
        (Some(2_932_897), "__HIVE_DEFAULT_PARTITION__"),
        (Some(i32::MIN), "__HIVE_DEFAULT_PARTITION__"),
        (None, "__HIVE_DEFAULT_PARTITION__"),
    ] {
        let file = crate::rows::file(&table, date, &[1]);
        assert!(file.name().starts_with(&format!("date={day}/part-")), "{}", file.name());
    }
}

#[test]
fn a_table_names_the_columns_that_have_bounds_so_that_no_reader_waits_for_others() {
    let directory = tempfile::tempdir().unwrap();
    table(&folder(directory.path()));
    let log = directory.path().join("_delta_log/00000000000000000000.json");
    let text = std::fs::read_to_string(log).unwrap();
    let actions = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut said = actions.filter_map(|action| {
        let configuration = &action["metaData"]["configuration"];
        configuration["delta.dataSkippingStatsColumns"].as_str().map(str::to_owned)
    });
    assert_eq!(said.next().as_deref(), Some("id,event_id,partition,created_at"));
}
