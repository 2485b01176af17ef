//! Rows are collected, refused, cut and selected.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use uuid::Uuid;

use super::{Limits, Rows, RowsBuilder};
use crate::column::{Column, Kind, Storage};
use crate::error::Error;

const KINDS: [(&str, Kind); 7] = [
    ("id", Kind::Integer),
    ("partition", Kind::SmallInteger),
    ("is_dlt", Kind::Boolean),
    ("topic", Kind::Text),
    ("event_id", Kind::Uuid),
    ("payload", Kind::Json),
    ("created_at", Kind::Moment),
];

fn columns(kinds: &[(&str, Kind)]) -> Vec<Column> {
    kinds.iter().map(|(name, kind)| Column { name: (*name).to_owned(), kind: *kind }).collect()
}

/// Numbers from 0 on, each with its text.
fn numbered(count: i64) -> Rows {
    let columns = columns(&[("id", Kind::Integer), ("text", Kind::Text)]);
    let mut builder = RowsBuilder::new(&columns, Storage::Parquet);
    for number in 0..count {
        builder.push_integer(0, number).unwrap();
        builder.push_text(1, &number.to_string()).unwrap();
    }
    builder.finish().unwrap()
}

fn ids(rows: &Rows) -> Vec<i64> {
    rows.record_batch().column(0).as_primitive::<Int64Type>().values().to_vec()
}

#[test]
fn a_cell_of_another_kind_is_refused() {
    for storage in [Storage::Parquet, Storage::Delta] {
        let columns = columns(&KINDS);
        let mut builder = RowsBuilder::new(&columns, storage);
        for (index, Column { kind, .. }) in columns.iter().enumerate() {
            let pushes = [
                (builder.push_boolean(index, true), &[Kind::Boolean][..]),
                (builder.push_text(index, "a"), &[Kind::Text]),
                (builder.push_json(index, "{}"), &[Kind::Json]),
                (builder.push_uuid(index, Uuid::nil()), &[Kind::Uuid]),
                (builder.push_moment(index, 1), &[Kind::Moment]),
                (builder.push_integer(index, 1), &[Kind::Integer, Kind::SmallInteger]),
            ];
            for (result, kinds) in pushes {
                match result {
                    Ok(()) => assert!(kinds.contains(kind), "{kind:?} took {kinds:?}"),
                    Err(Error::WrongKind { holds, .. }) => {
                        assert_eq!(holds, *kind);
                        assert!(!kinds.contains(kind), "{kind:?} refused {kinds:?}");
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        }
        assert_eq!(builder.finish().unwrap().len(), 1, "one push of each column was its own");
    }
}

#[test]
fn a_column_that_is_not_there_is_refused() {
    let mut builder = RowsBuilder::new(&columns(&KINDS), Storage::Parquet);
    let error = builder.push_null(7).unwrap_err();
    assert_eq!(error.to_string(), "no column 7: there are 7");
    assert!(matches!(builder.push_moment(9, 0), Err(Error::NoColumn { index: 9, columns: 7 })));
}

#[test]
fn a_number_past_32_bits_is_refused_by_a_small_column() {
    let mut builder =
        RowsBuilder::new(&columns(&[("partition", Kind::SmallInteger)]), Storage::Parquet);
    builder.push_integer(0, i64::from(i32::MIN)).unwrap();
    let error = builder.push_integer(0, 1 << 31).unwrap_err();
    assert_eq!(
        error.to_string(),
        "2147483648 does not fit into column `partition`, which holds 32-bit numbers"
    );
    assert_eq!(builder.finish().unwrap().len(), 1);
}

#[test]
fn a_row_that_is_not_whole_is_refused() {
    let columns = columns(&[("id", Kind::Integer), ("text", Kind::Text)]);
    let mut builder = RowsBuilder::new(&columns, Storage::Parquet);
    builder.push_integer(0, 1).unwrap();
    let error = builder.finish().unwrap_err();
    assert_eq!(error.to_string(), "column `text` has 0 cells, the first column 1");
    assert!(builder.finish().unwrap().is_empty(), "the builder begins anew");
}

#[test]
fn texts_past_what_a_column_holds_are_refused_and_what_was_there_stays() {
    let limits = Limits { rows: 100, bytes: 1 << 20, text: 10 };
    let columns = columns(&[("text", Kind::Text)]);
    let mut builder = RowsBuilder::with_limits(&columns, Storage::Parquet, limits);
    builder.push_text(0, "12345").unwrap();
    builder.push_text(0, "67890").unwrap();
    assert!(matches!(builder.push_text(0, "1"), Err(Error::Full { limit: 10, .. })));
    builder.push_text(0, "").unwrap();
    assert_eq!(builder.finish().unwrap().len(), 3);
    builder.push_text(0, "1234567890").unwrap();
}

#[test]
fn a_builder_is_full_by_rows_and_by_bytes() {
    let columns = columns(&[("text", Kind::Text)]);
    let limits = Limits { rows: 2, bytes: 50, text: 1_000 };
    let mut builder = RowsBuilder::with_limits(&columns, Storage::Parquet, limits);
    builder.push_null(0).unwrap();
    assert!(!builder.is_full());
    builder.push_null(0).unwrap();
    assert!(builder.is_full());
    assert_eq!(builder.rows(), 2);
    builder.finish().unwrap();
    assert!(!builder.is_full());
    assert_eq!((builder.rows(), builder.bytes()), (0, 0));
    builder.push_text(0, &"a".repeat(50)).unwrap();
    assert!(builder.is_full());
}

#[test]
fn a_builder_goes_on_after_its_rows_were_handed_over() {
    let columns = columns(&[("event_id", Kind::Uuid), ("text", Kind::Text)]);
    let mut builder = RowsBuilder::new(&columns, Storage::Delta);
    for round in 0..3 {
        builder.push_uuid(0, Uuid::from_u128(round)).unwrap();
        builder.push_text(1, "").unwrap();
        let rows = builder.finish().unwrap();
        let ids = rows.record_batch().column(0).as_string::<i32>();
        assert_eq!(ids.value(0), Uuid::from_u128(round).to_string());
        assert_eq!(rows.len(), 1);
    }
}

#[test]
fn a_slice_has_the_rows_and_the_bytes_of_its_own() {
    let rows = numbered(1_000);
    let slice = rows.slice(998, 10);
    assert_eq!(ids(&slice), [998, 999]);
    assert_eq!(slice.bytes(), 2 * (8 + 4 + 3));
    assert!(rows.slice(2_000, 1).is_empty());
    assert_eq!(rows.slice(0, 400).bytes() + rows.slice(400, 600).bytes(), rows.bytes());
}

#[test]
fn rows_are_selected_in_the_order_asked_for() {
    let rows = numbered(10).slice(2, 8);
    let selected = rows.select(&[7, 0, 0]).unwrap();
    assert_eq!(ids(&selected), [9, 2, 2]);
    assert_eq!(selected.record_batch().column(1).as_string::<i32>().value(0), "9");
    assert_eq!(selected.record_batch().schema(), rows.record_batch().schema());
    assert!(rows.select(&[8]).is_err());
}

#[test]
fn as_many_rows_as_fit_into_bytes_are_told() {
    let rows = numbered(10);
    assert_eq!(rows.fitting(0), 0);
    assert_eq!(rows.fitting(12), 0);
    assert_eq!(rows.fitting(13), 1);
    assert_eq!(rows.fitting(27), 2);
    assert_eq!(rows.fitting(1_000), 10);
    assert_eq!(rows.slice(5, 5).fitting(13), 1);
}

#[test]
fn null_is_kept_apart_from_empty_text() {
    let mut builder = RowsBuilder::new(&columns(&[("text", Kind::Text)]), Storage::Parquet);
    builder.push_text(0, "").unwrap();
    builder.push_null(0).unwrap();
    let rows = builder.finish().unwrap();
    let texts = rows.record_batch().column(0);
    assert!(texts.is_valid(0) && texts.is_null(1));
}
