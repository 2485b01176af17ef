//! The data files of a version, and which of them are worth putting together.

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::Int64Type;
use delta_kernel::engine::arrow_data::EngineDataArrowExt;
use delta_kernel::schema::SchemaRef;
use serde_json::Value;

use super::stats::date;
use super::{Error, Maintenance, PARTITION, Table};

/// A data file of a version.
#[derive(Debug, Clone)]
struct LiveFile {
    /// Its path below the table, as its action has it: escaped like a URL.
    path: String,
    /// The text of its day, as its action has it.
    date: Option<String>,
    bytes: u64,
    written_ms: i64,
    /// The least value of the column that orders files; none if that is not known.
    order: Option<i64>,
    /// Its row of the library's listing, if it may be put together with others.
    row: Option<RecordBatch>,
}

/// Small files of one day, next to each other in order.
#[derive(Debug)]
pub(super) struct Bundle {
    /// In days since 1970.
    pub(super) date: Option<i32>,
    pub(super) files: Vec<SmallFile>,
}

/// A file that is put together with others.
#[derive(Debug)]
pub(super) struct SmallFile {
    /// Its path below the table, escaped like a URL.
    pub(super) path: String,
    pub(super) bytes: u64,
    /// In milliseconds since 1970.
    pub(super) written_ms: i64,
    /// Its row of the library's listing.
    pub(super) row: RecordBatch,
}

/// What a version holds.
pub(super) struct Live {
    pub(super) bundles: Vec<Bundle>,
    /// The columns that data files have.
    pub(super) schema: SchemaRef,
}

impl Table {
    /// Lists the data files and bundles small ones.
    pub(super) fn live(&self, plan: &Maintenance) -> Result<Live, Error> {
        let failed =
            |error: &(dyn std::error::Error + 'static)| self.location.failed("list", error);
        let scan = self.snapshot.clone().scan_builder().build().map_err(|error| failed(&error))?;
        let mut files = Vec::new();
        let listing = scan.scan_metadata(self.engine.as_ref()).map_err(|error| failed(&error))?;
        for listed in listing {
            let rows = listed
                .and_then(|listed| listed.scan_files.apply_selection_vector())
                .and_then(EngineDataArrowExt::try_into_record_batch)
                .map_err(|error| failed(&error))?;
            read(&rows, plan, &mut files).map_err(|error| failed(&error))?;
        }
        Ok(Live { bundles: bundles(files, plan), schema: scan.physical_schema().clone() })
    }
}

/// Reads a part of the listing. Of files that stay as they are, little is kept in memory.
fn read(
    rows: &RecordBatch,
    plan: &Maintenance,
    files: &mut Vec<LiveFile>,
) -> Result<(), arrow::error::ArrowError> {
    let missing = |name: &str| {
        arrow::error::ArrowError::SchemaError(format!("the listing of files has no {name}"))
    };
    let column = |name: &str| rows.column_by_name(name).ok_or_else(|| missing(name));
    let paths = column("path")?.as_string_opt::<i32>().ok_or_else(|| missing("path"))?;
    let sizes = column("size")?.as_primitive_opt::<Int64Type>().ok_or_else(|| missing("size"))?;
    let times = column("modificationTime")?
        .as_primitive_opt::<Int64Type>()
        .ok_or_else(|| missing("modificationTime"))?;
    let stats = column("stats")?.as_string_opt::<i32>().ok_or_else(|| missing("stats"))?;
    let vectors = column("deletionVector")?;
    let values = column("fileConstantValues")?
        .as_struct_opt()
        .and_then(|values| values.column_by_name("partitionValues"))
        .and_then(|values| values.as_map_opt())
        .ok_or_else(|| missing("partitionValues"))?;
    for row in 0..rows.num_rows() {
        let bytes = u64::try_from(sizes.value(row)).unwrap_or_default();
        let statistics = if stats.is_valid(row) { stats.value(row) } else { "" };
        let statistics: Value = serde_json::from_str(statistics).unwrap_or_default();
        let entries = values.value(row);
        let (keys, texts) = (entries.column(0).as_string::<i32>(), entries.column(1));
        let texts = texts.as_string::<i32>();
        let date = (0..keys.len())
            .find(|entry| keys.value(*entry) == PARTITION && texts.is_valid(*entry))
            .map(|entry| texts.value(entry).to_owned());
        let order = statistics["minValues"][plan.order].as_i64();
        // A file some of whose rows another program has deleted is that program's.
        let small = bytes < plan.small && order.is_some() && vectors.is_null(row);
        files.push(LiveFile {
            path: if small { paths.value(row).to_owned() } else { String::new() },
            date,
            bytes,
            written_ms: times.value(row),
            order,
            row: small.then(|| rows.slice(row, 1)),
        });
    }
    Ok(())
}

/// Small files of one day that follow each other, up to the size that a file should have. Days
/// with few small files are left alone.
fn bundles(mut files: Vec<LiveFile>, plan: &Maintenance) -> Vec<Bundle> {
    files.sort_by(|one, other| (&one.date, one.order).cmp(&(&other.date, other.order)));
    let mut bundles = Vec::new();
    for day in files.chunk_by_mut(|one, other| one.date == other.date) {
        if day.iter().filter(|file| file.row.is_some()).count() < plan.least.max(2) {
            continue;
        }
        let (mut bundle, mut bytes) = (Vec::new(), 0);
        let days = day.first().and_then(|file| file.date.as_deref()).map(date);
        // A day that this program cannot read as one is another program's.
        let Some(days) = days.map_or(Some(None), |days| days.map(Some)) else { continue };
        let mut close = |files: &mut Vec<SmallFile>| {
            let files = std::mem::take(files);
            if files.len() > 1 {
                bundles.push(Bundle { date: days, files });
            }
        };
        for file in day {
            if file.row.is_none() || bytes + file.bytes > plan.target {
                close(&mut bundle);
                bytes = 0;
            }
            let Some(row) = file.row.take() else { continue };
            bytes += file.bytes;
            bundle.push(SmallFile {
                path: std::mem::take(&mut file.path),
                bytes: file.bytes,
                written_ms: file.written_ms,
                row,
            });
        }
        close(&mut bundle);
    }
    bundles
}
