//! Whatever is written is read back.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use proptest::prelude::*;
use uuid::Uuid;

use super::{KINDS, columns, options, read, written};
use crate::column::{Column, Kind, Storage};
use crate::file::FileOptions;
use crate::rows::{Limits, Rows, RowsBuilder};

/// A cell that is not NULL. Its kind is that of its column.
#[derive(Debug, Clone)]
enum Cell {
    Integer(i64),
    Boolean(bool),
    Text(String),
    Uuid(Uuid),
    Json(String),
    Moment(i64),
}

fn cell(kind: Kind) -> BoxedStrategy<Option<Cell>> {
    let cell = match kind {
        Kind::Integer => any::<i64>().prop_map(Cell::Integer).boxed(),
        Kind::SmallInteger => any::<i32>().prop_map(|number| Cell::Integer(number.into())).boxed(),
        Kind::Boolean => any::<bool>().prop_map(Cell::Boolean).boxed(),
        Kind::Text => {
            prop_oneof![Just(String::new()), ".{0,40}", "[ab]"].prop_map(Cell::Text).boxed()
        }
        Kind::Uuid => any::<u128>().prop_map(|bits| Cell::Uuid(Uuid::from_u128(bits))).boxed(),
        Kind::Json => ".{0,40}".prop_map(|text| Cell::Json(format!("{text:?}"))).boxed(),
        Kind::Moment => any::<i64>().prop_map(Cell::Moment).boxed(),
    };
    prop::option::weighted(0.8, cell).boxed()
}

fn row() -> impl Strategy<Value = Vec<Option<Cell>>> {
    KINDS.iter().map(|(_, kind)| cell(*kind)).collect::<Vec<_>>()
}

fn push(builder: &mut RowsBuilder, row: &[Option<Cell>]) {
    for (index, cell) in row.iter().enumerate() {
        match cell {
            None => builder.push_null(index),
            Some(Cell::Integer(value)) => builder.push_integer(index, *value),
            Some(Cell::Boolean(value)) => builder.push_boolean(index, *value),
            Some(Cell::Text(value)) => builder.push_text(index, value),
            Some(Cell::Uuid(value)) => builder.push_uuid(index, *value),
            Some(Cell::Json(value)) => builder.push_json(index, value),
            Some(Cell::Moment(value)) => builder.push_moment(index, *value),
        }
        .unwrap();
    }
}

fn joined(columns: &[Column], storage: Storage, parts: &[Rows]) -> RecordBatch {
    let schema = crate::schema::arrow_schema(columns, storage);
    concat_batches(&schema, parts.iter().map(Rows::record_batch)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_rows_are_read_back_as_they_were(
        rows in prop::collection::vec(row(), 0..60),
        part in 1_usize..30,
        row_group_rows in 1_usize..40,
        row_group_bytes in 100_usize..5_000,
        threads in 0_usize..3,
        delta in any::<bool>(),
    ) {
        let storage = if delta { Storage::Delta } else { Storage::Parquet };
        let columns = columns(&KINDS);
        let mut builder = RowsBuilder::new(&columns, storage);
        let parts: Vec<Rows> = rows
            .chunks(part)
            .map(|rows| {
                rows.iter().for_each(|row| push(&mut builder, row));
                builder.finish().unwrap()
            })
            .collect();
        let options = FileOptions { row_group_rows, row_group_bytes, ..options(threads) };
        let (file, metadata) = written(&columns, storage, options, &parts);
        prop_assert_eq!(metadata.file_metadata().num_rows(), rows.len() as i64);
        prop_assert_eq!(
            joined(&columns, storage, &read(file)),
            joined(&columns, storage, &parts)
        );
    }
}

#[test]
fn one_huge_value_among_small_ones_is_read_back() {
    let columns = columns(&[("payload", Kind::Json)]);
    let limits = Limits { bytes: 1 << 20, ..Limits::default() };
    let mut builder = RowsBuilder::with_limits(&columns, Storage::Parquet, limits);
    let huge = format!("\"{}\"", "0123456789abcdef".repeat(1 << 18));
    let mut parts = Vec::new();
    for value in ["{}", &huge, "[]"] {
        builder.push_json(0, value).unwrap();
        if builder.is_full() {
            parts.push(builder.finish().unwrap());
        }
    }
    parts.push(builder.finish().unwrap());
    assert_eq!(parts.iter().map(Rows::len).collect::<Vec<_>>(), [2, 1]);
    let options = FileOptions { row_group_bytes: 1 << 20, ..options(2) };
    let (file, metadata) = written(&columns, Storage::Parquet, options, &parts);
    assert_eq!(metadata.num_row_groups(), 3, "the huge value has a row group of its own");
    let read = joined(&columns, Storage::Parquet, &read(file));
    assert_eq!(read, joined(&columns, Storage::Parquet, &parts));
}
