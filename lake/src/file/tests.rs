//! Files are written, and read back by the `parquet` crate.

mod broken_output;
mod layout;
mod values;

use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{Encoders, FileOptions, ParquetFile, ParquetMetaData};
use crate::column::{Column, Kind, Storage};
use crate::rows::{Rows, RowsBuilder};

/// Each kind once, under a name of its own.
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

fn options(threads: usize) -> FileOptions {
    FileOptions { encoders: Encoders::new(threads), ..FileOptions::new("audit 1.2.3") }
}

/// Numbers, each with a text of `width` bytes.
fn numbered(numbers: std::ops::Range<i64>, width: usize) -> Rows {
    let mut builder = RowsBuilder::new(&numbered_columns(), Storage::Parquet);
    for number in numbers {
        builder.push_integer(0, number).unwrap();
        builder.push_text(1, &format!("{number:0width$}")).unwrap();
    }
    builder.finish().unwrap()
}

fn numbered_columns() -> Vec<Column> {
    columns(&[("id", Kind::Integer), ("text", Kind::Text)])
}

fn written(
    columns: &[Column],
    storage: Storage,
    options: FileOptions,
    rows: &[Rows],
) -> (Bytes, ParquetMetaData) {
    let mut file = ParquetFile::new(Vec::new(), columns, storage, options).unwrap();
    for rows in rows {
        file.write(rows).unwrap();
    }
    let (bytes, metadata) = file.finish().unwrap();
    (bytes.into(), metadata)
}

/// Reads all rows of a file, in its order.
fn read(file: Bytes) -> Vec<Rows> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    reader.map(|batch| Rows::from(batch.unwrap())).collect()
}
