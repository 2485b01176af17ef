//! How rows lie in a file.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use bytes::Bytes;
use parquet::basic::{Compression, LogicalType, Type};
use parquet::file::metadata::{
    PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};

use super::{KINDS, columns, numbered, numbered_columns, options, read, written};
use crate::column::Storage;
use crate::error::Error;
use crate::file::{Encoders, FileOptions, ParquetFile};
use crate::rows::{Rows, RowsBuilder};

fn small_groups(threads: usize) -> FileOptions {
    FileOptions { row_group_rows: 1_000, ..options(threads) }
}

fn metadata(file: &Bytes) -> ParquetMetaData {
    ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .parse_and_finish(file)
        .unwrap()
}

fn group_rows(metadata: &ParquetMetaData) -> Vec<i64> {
    metadata.row_groups().iter().map(RowGroupMetaData::num_rows).collect()
}

fn ids(file: Bytes) -> Vec<i64> {
    let ids =
        |rows: &Rows| rows.record_batch().column(0).as_primitive::<Int64Type>().values().to_vec();
    read(file).iter().flat_map(ids).collect()
}

#[test]
fn columns_have_the_types_of_parquet() {
    let (file, _) = written(&columns(&KINDS), Storage::Parquet, options(1), &[]);
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
    let schema = metadata.file_metadata().schema_descr();
    let types: Vec<_> = schema
        .columns()
        .iter()
        .map(|column| (column.physical_type(), column.logical_type_ref().cloned()))
        .collect();
    let utc = LogicalType::timestamp(true, parquet::basic::TimeUnit::MICROS);
    assert_eq!(
        types,
        [
            (Type::INT64, None),
            (Type::INT32, None),
            (Type::BOOLEAN, None),
            (Type::BYTE_ARRAY, Some(LogicalType::String)),
            (Type::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid)),
            (Type::BYTE_ARRAY, Some(LogicalType::Json)),
            (Type::INT64, Some(utc)),
        ]
    );
    assert_eq!(schema.column(4).type_length(), 16);
    assert!(schema.columns().iter().all(|column| column.self_type().is_optional()));
}

#[test]
fn columns_of_a_delta_table_have_the_types_of_delta() {
    let (file, _) = written(&columns(&KINDS), Storage::Delta, options(1), &[]);
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
    let schema = metadata.file_metadata().schema_descr();
    for text in [3, 4, 5] {
        assert_eq!(schema.column(text).physical_type(), Type::BYTE_ARRAY);
        assert_eq!(schema.column(text).logical_type_ref(), Some(&LogicalType::String));
    }
}

#[test]
fn row_groups_end_by_rows_wherever_the_rows_came_from() {
    let rows = [numbered(0..2_500, 4), numbered(2_500..2_600, 4), numbered(2_600..3_000, 4)];
    let (file, _) = written(&numbered_columns(), Storage::Parquet, small_groups(2), &rows);
    assert_eq!(group_rows(&metadata(&file)), [1_000, 1_000, 1_000]);
    assert_eq!(ids(file), (0..3_000).collect::<Vec<_>>());
}

#[test]
fn row_groups_end_by_bytes() {
    let options = FileOptions { row_group_bytes: 10_000, ..options(2) };
    let rows = [numbered(0..250, 88)];
    let (file, _) = written(&numbered_columns(), Storage::Parquet, options, &rows);
    assert_eq!(group_rows(&metadata(&file)), [100, 100, 50]);
}

#[test]
fn a_row_larger_than_a_row_group_has_one_of_its_own() {
    let options = FileOptions { row_group_bytes: 100, ..options(2) };
    let rows = [numbered(0..2, 20), numbered(2..4, 2_000), numbered(4..6, 20)];
    let (file, _) = written(&numbered_columns(), Storage::Parquet, options, &rows);
    assert_eq!(group_rows(&metadata(&file)), [2, 1, 1, 2]);
    assert_eq!(ids(file), (0..6).collect::<Vec<_>>());
}

#[test]
fn threads_change_no_byte_of_a_file() {
    let rows: Vec<Rows> = (0..40).map(|at| numbered(at * 700..(at + 1) * 700, 30)).collect();
    let file =
        |threads| written(&numbered_columns(), Storage::Parquet, small_groups(threads), &rows).0;
    let alone = file(0);
    assert_eq!(ids(alone.clone()), (0..28_000).collect::<Vec<_>>());
    for threads in [1, 2, 5] {
        assert!(file(threads) == alone, "{threads} threads write another file");
    }
}

#[test]
fn files_side_by_side_share_their_threads() {
    let encoders = Encoders::new(2);
    let mut files: Vec<_> = (0..5)
        .map(|_| {
            let options = FileOptions { encoders: encoders.clone(), ..small_groups(0) };
            ParquetFile::new(Vec::new(), &numbered_columns(), Storage::Parquet, options).unwrap()
        })
        .collect();
    for at in 0..20 {
        for file in &mut files {
            file.write(&numbered(at * 600..(at + 1) * 600, 30)).unwrap();
        }
    }
    for file in files {
        assert_eq!(ids(file.finish().unwrap().0.into()), (0..12_000).collect::<Vec<_>>());
    }
}

#[test]
fn a_reader_can_skip_by_statistics_and_page_indexes() {
    let columns = columns(&KINDS);
    let mut builder = RowsBuilder::new(&columns, Storage::Parquet);
    for number in 0..50_000 {
        builder.push_integer(0, number).unwrap();
        builder.push_integer(1, number % 6).unwrap();
        builder.push_boolean(2, number % 2 == 0).unwrap();
        builder.push_text(3, &"long topic ".repeat(30)).unwrap();
        builder.push_uuid(4, uuid::Uuid::from_u128(number as u128)).unwrap();
        builder.push_json(5, &format!("{{\"number\": {number}}}")).unwrap();
        builder.push_moment(6, number * 1_000_000).unwrap();
    }
    let rows = builder.finish().unwrap();
    let (file, _) = written(&columns, Storage::Parquet, options(1), &[rows]);
    let metadata = metadata(&file);
    let group = metadata.row_group(0);
    for (index, (name, _)) in KINDS.iter().enumerate() {
        let column = group.column(index);
        assert_eq!(column.statistics().is_some(), *name != "payload", "{name}");
        assert!(column.offset_index_offset().is_some(), "{name}");
        assert_eq!(column.column_index_offset().is_some(), *name != "payload", "{name}");
        assert!(matches!(column.compression(), Compression::ZSTD(_)), "{name}");
    }
    let pages = metadata.page_index_for_row_group(0);
    assert_eq!(pages.num_data_pages(0), Some(3), "a page ends after 20,000 rows");
    let topic = group.column(3).statistics().unwrap();
    assert_eq!(topic.null_count_opt(), Some(0));
    assert!(topic.max_bytes_opt().unwrap().len() <= 64, "statistics of long texts are cut");
    let id = group.column(0).statistics().unwrap();
    assert_eq!(id.min_bytes_opt().unwrap(), 0_i64.to_le_bytes());
    assert_eq!(id.max_bytes_opt().unwrap(), 49_999_i64.to_le_bytes());
}

#[test]
fn the_footer_says_who_wrote_the_file_and_what_the_caller_adds() {
    let options = FileOptions {
        metadata: vec![("audit.installation".to_owned(), "abc".to_owned())],
        ..options(1)
    };
    let (file, _) = written(&numbered_columns(), Storage::Parquet, options, &[]);
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
    let footer = metadata.file_metadata();
    assert_eq!(footer.created_by(), Some("audit 1.2.3"));
    let pairs = footer.key_value_metadata().unwrap();
    let found = pairs.iter().find(|pair| pair.key == "audit.installation").unwrap();
    assert_eq!(found.value.as_deref(), Some("abc"));
}

#[test]
fn a_file_without_rows_can_be_read() {
    let (file, metadata) = written(&columns(&KINDS), Storage::Parquet, options(1), &[]);
    assert_eq!(metadata.num_row_groups(), 0);
    assert!(read(file).is_empty());
}

#[test]
fn rows_of_other_columns_are_refused() {
    let other = columns(&KINDS);
    let mut file = ParquetFile::new(Vec::new(), &other, Storage::Parquet, options(1)).unwrap();
    assert!(matches!(file.write(&numbered(0..1, 1)), Err(Error::OtherColumns)));
}

#[test]
fn what_is_buffered_and_what_is_written_is_told() {
    let columns = numbered_columns();
    let mut file =
        ParquetFile::new(Vec::new(), &columns, Storage::Parquet, small_groups(0)).unwrap();
    let empty = file.written_bytes();
    let rows = numbered(0..999, 88);
    file.write(&rows).unwrap();
    assert_eq!((file.rows(), file.buffered_bytes()), (999, rows.bytes()));
    assert_eq!(file.written_bytes(), empty);
    assert!(file.expected_bytes() > empty);
    file.flush_row_group().unwrap();
    file.flush_row_group().unwrap();
    assert_eq!(file.buffered_bytes(), 0);
    assert!(file.written_bytes() > empty);
    assert_eq!(file.expected_bytes(), file.written_bytes());
    let before = file.written_bytes();
    let (bytes, metadata) = file.finish().unwrap();
    assert_eq!(group_rows(&metadata), [999]);
    assert!(bytes.len() > before, "the footer comes on top");
}
