//! Rows to write, and how a table is read back without the code under test.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int64Type;
use delta_kernel::Snapshot;
use delta_kernel::engine::arrow_data::EngineDataArrowExt as _;
use delta_kernel_default_engine::DefaultEngine;
use lake::column::{Column, Kind};
use lake::delta::{AddedFile, Location, NewTable, Table};
use object_store::local::LocalFileSystem;
use parquet::arrow::ArrowWriter;

/// 2026-11-22, in days since 1970.
pub(crate) const DAY: i32 = 20_779;

/// The name under which rows are written.
pub(crate) const APP: &str = "app-1";

pub(crate) const WRITER: &str = "test/1.0";

pub(crate) fn columns() -> Vec<Column> {
    [
        ("id", Kind::Integer),
        ("event_id", Kind::Uuid),
        ("payload", Kind::Json),
        ("is_dlt", Kind::Boolean),
        ("partition", Kind::SmallInteger),
        ("created_at", Kind::Moment),
    ]
    .map(|(name, kind)| Column { name: name.to_owned(), kind })
    .to_vec()
}

/// Rows with the given ids.
pub(crate) fn rows(ids: &[i64]) -> RecordBatch {
    let texts = |of: fn(i64) -> Option<String>| -> ArrayRef {
        Arc::new(ids.iter().map(|id| of(*id)).collect::<StringArray>())
    };
    let moments = ids.iter().map(|id| Some(i64::from(DAY) * 86_400_000_000 + id * 1_001));
    let moments: TimestampMicrosecondArray = moments.collect();
    let dead: BooleanArray = ids.iter().map(|id| Some(id % 2 == 0)).collect();
    let partitions: Int32Array = ids.iter().map(|id| i32::try_from(id % 8).ok()).collect();
    let columns: [ArrayRef; 6] = [
        Arc::new(Int64Array::from(ids.to_vec())),
        texts(|id| Some(format!("00000000-0000-0000-0000-{id:012}"))),
        texts(|id| (id % 3 > 0).then(|| format!("{{\"amount\": {id}}}"))),
        Arc::new(dead),
        Arc::new(partitions),
        Arc::new(moments.with_timezone("UTC")),
    ];
    let names = self::columns().into_iter().map(|column| column.name);
    let columns = names.zip(columns).map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// Writes rows with the given ids into a new data file.
pub(crate) fn file(table: &Table, date: Option<i32>, ids: &[i64]) -> AddedFile {
    let rows = rows(ids);
    let mut output = table.new_file(date);
    let mut writer = ArrowWriter::try_new(&mut output, rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    let metadata = writer.finish().unwrap();
    drop(writer);
    output.finish(&metadata).unwrap()
}

/// A folder's location.
pub(crate) fn folder(folder: &Path) -> Location {
    Location::parse(folder.to_str().unwrap(), &[]).unwrap()
}

/// Makes a table.
pub(crate) fn create(location: &Location) -> Option<Table> {
    let properties = [("test.selection".to_owned(), "all".to_owned())];
    let new = NewTable { columns: &columns(), properties: &properties };
    Table::create(location, WRITER, &new).unwrap()
}

/// Makes a table, or opens the one that is there.
pub(crate) fn table(location: &Location) -> Table {
    match create(location) {
        Some(table) => table,
        None => Table::open(location, WRITER).unwrap().unwrap(),
    }
}

/// The ids of all rows of the table in `folder`, sorted.
pub(crate) fn ids(folder: &Path) -> Vec<i64> {
    let mut ids = ordered_ids(folder);
    ids.sort_unstable();
    ids
}

/// The ids of all rows of the table in `folder`, file by file.
pub(crate) fn ordered_ids(folder: &Path) -> Vec<i64> {
    let engine = Arc::new(DefaultEngine::builder(Arc::new(LocalFileSystem::new())).build());
    let url = url::Url::from_directory_path(folder).unwrap();
    let snapshot = Snapshot::builder_for(url.as_str()).build(engine.as_ref()).unwrap();
    let scan = snapshot.scan_builder().build().unwrap();
    let mut ids = Vec::new();
    for batch in scan.execute(engine).unwrap() {
        let batch = batch.unwrap().try_into_record_batch().unwrap();
        let column = batch.column_by_name("id").unwrap().as_primitive::<Int64Type>();
        assert_eq!(column.null_count(), 0);
        ids.extend_from_slice(column.values());
    }
    ids
}

/// The names of the data files in `folder`, whether a version names them or not.
pub(crate) fn data_files(folder: &Path) -> Vec<String> {
    let days = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let days = days.filter(|day| day.file_name().unwrap() != "_delta_log");
    days.flat_map(|day| std::fs::read_dir(day).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}
