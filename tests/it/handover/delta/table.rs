//! Reads a table without the code under test: its log as JSON, its files as Parquet.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::support::Database;

/// What stands for NULL, as in [`Database::rows`].
const NULL: &str = "∅";

/// The newest version of a table in a folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LakeTable {
    folder: PathBuf,
    /// The newest version.
    pub(crate) version: u64,
    /// The paths of the data files, and the texts of their days.
    files: BTreeMap<String, Option<String>>,
    /// The `txn` actions, oldest first: who, and how far.
    pub(crate) transactions: Vec<(String, i64)>,
}

impl LakeTable {
    pub(crate) fn read(folder: &Path) -> Self {
        Self::find(folder).unwrap_or_else(|| panic!("{} has no version", folder.display()))
    }

    /// `None` where there is no version yet.
    pub(crate) fn find(folder: &Path) -> Option<Self> {
        let mut table = Self {
            folder: folder.to_owned(),
            version: 0,
            files: BTreeMap::new(),
            transactions: Vec::new(),
        };
        let mut next = 0;
        while let Ok(log) = fs::read_to_string(folder.join(format!("_delta_log/{next:020}.json"))) {
            log.lines().for_each(|line| table.apply(line));
            table.version = next;
            next += 1;
        }
        (next > 0).then_some(table)
    }

    fn apply(&mut self, line: &str) {
        let action: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}"));
        let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
        let (add, remove, transaction) = (&action["add"], &action["remove"], &action["txn"]);
        if add.is_object() {
            let day = add["partitionValues"]["date"].as_str().filter(|day| !day.is_empty());
            let before = self.files.insert(text(&add["path"]), day.map(str::to_owned));
            assert_eq!(before, None, "a file is added twice: {line}");
        }
        if remove.is_object() {
            assert!(self.files.remove(&text(&remove["path"])).is_some(), "never added: {line}");
        }
        if let Some(version) = transaction["version"].as_i64() {
            self.transactions.push((text(&transaction["appId"]), version));
        }
    }

    /// How many data files it has.
    pub(crate) fn file_count(&self) -> usize {
        self.files.len()
    }

    /// The ids of all rows, sorted; an id that is there twice comes twice.
    pub(crate) fn ids(&self) -> Vec<i64> {
        let rows = self.rows(Some("id")).1;
        let mut ids: Vec<i64> = rows.iter().filter_map(|row| row[0].parse().ok()).collect();
        ids.sort_unstable();
        ids
    }

    /// The names of the columns, and all rows by id: times in microseconds, NULL as "∅", the day
    /// last.
    pub(crate) fn all(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let (names, mut rows) = self.rows(None);
        rows.sort_by_key(|row| row[0].parse::<i64>().ok());
        (names, rows)
    }

    fn rows(&self, only: Option<&str>) -> (Vec<String>, Vec<Vec<String>>) {
        let (mut names, mut rows) = (Vec::new(), Vec::new());
        for (path, day) in &self.files {
            let file = File::open(self.folder.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
            let reader = ParquetRecordBatchReaderBuilder::try_new(file)
                .and_then(ParquetRecordBatchReaderBuilder::build);
            for batch in reader.unwrap_or_else(|error| panic!("{path}: {error}")) {
                let batch = batch.unwrap_or_else(|error| panic!("{path}: {error}"));
                let schema = batch.schema();
                let fields = schema.fields().iter().map(|field| field.name().as_str());
                let wanted =
                    fields.enumerate().filter(|(_, name)| only.is_none_or(|one| one == *name));
                let (places, found): (Vec<_>, Vec<_>) = wanted.unzip();
                let columns: Vec<_> =
                    places.iter().map(|place| texts(batch.column(*place))).collect();
                names = found.iter().map(|name| (*name).to_owned()).collect();
                let day = day.as_deref().unwrap_or(NULL);
                for row in 0..batch.num_rows() {
                    let mut cells: Vec<_> =
                        columns.iter().map(|texts| texts[row].clone()).collect();
                    cells.push(day.to_owned());
                    rows.push(cells);
                }
            }
        }
        names.push("date".to_owned());
        (names, rows)
    }
}

/// The cells of a column as text.
fn texts(column: &ArrayRef) -> Vec<String> {
    let to = |column: &ArrayRef, wanted: &DataType| {
        cast(column, wanted).unwrap_or_else(|error| panic!("{error}"))
    };
    let column = match column.data_type() {
        DataType::Timestamp(unit, zone) => {
            assert_eq!((unit.to_string().as_str(), zone.as_deref()), ("µs", Some("UTC")));
            to(column, &DataType::Int64)
        }
        _ => column.clone(),
    };
    let texts = to(&column, &DataType::Utf8);
    let texts = texts.as_string::<i32>();
    (0..texts.len())
        .map(|row| if texts.is_null(row) { NULL } else { texts.value(row) }.to_owned())
        .collect()
}

/// The same of the view with all columns, as PostgreSQL tells it.
pub(crate) fn recorded(database: &Database) -> (Vec<String>, Vec<Vec<String>>) {
    let columns = database.rows(
        "SELECT column_name, data_type FROM information_schema.columns
          WHERE table_name = 'audit_events' ORDER BY ordinal_position",
    );
    let text = |column: &Vec<String>| match column[1].starts_with("timestamp") {
        true => format!("(extract(epoch FROM {}) * 1000000)::bigint::text", column[0]),
        false => format!("{}::text", column[0]),
    };
    let list: Vec<_> = columns.iter().map(text).collect();
    let rows = database.rows(&format!(
        "SELECT {}, CASE WHEN extract(year FROM created_at) BETWEEN 1 AND 9999
                         THEN created_at::date::text END
           FROM audit_events ORDER BY audit_events.id",
        list.join(", ")
    ));
    let names = columns.into_iter().map(|column| column[0].clone());
    (names.chain(["date".to_owned()]).collect(), rows)
}

/// Holds a table against the record: each row once, and every value.
pub(crate) fn approve(table: &LakeTable, database: &Database) {
    let ((names, rows), (wanted_names, wanted)) = (table.all(), recorded(database));
    assert_eq!(names, wanted_names);
    for (row, wanted) in rows.iter().zip(&wanted) {
        for ((name, cell), wanted) in names.iter().zip(row).zip(wanted) {
            assert_eq!(cell, wanted, "{name} of row {}", row[0]);
        }
    }
    assert_eq!(rows.len(), wanted.len());
}
