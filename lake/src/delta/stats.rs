//! What a table knows of a data file: where it is, how large, and the bounds of its columns.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, Int32Array, Int64Array, MapBuilder, MapFieldNames, RecordBatch,
    StringArray, StringBuilder, StructArray, TimestampMicrosecondArray,
};
use arrow::compute::kernels::cast_utils::Parser as _;
use arrow::datatypes::{Date32Type, Field, Fields, Schema};
use arrow::error::ArrowError;
use parquet::basic::{LogicalType, Type as Physical};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescriptor;

use super::PARTITION;

/// Of how many columns a table has bounds, by default.
const COLUMNS: usize = 32;
/// Of texts the bounds are prefixes of so many characters.
const PREFIX: usize = 32;
/// The moments of the years 1 and 10000, in microseconds since 1970: what a bound can be written
/// as.
const MOMENTS: std::ops::Range<i64> = -62_135_596_800_000_000..253_402_300_800_000_000;

/// The days of the years 1 to 9999, since 1970.
const DAYS: std::ops::Range<i32> = -719_162..2_932_897;

/// An add action, but for its statistics.
pub(super) struct Action<'a> {
    pub(super) name: &'a str,
    /// In days since 1970.
    pub(super) date: Option<i32>,
    pub(super) bytes: u64,
    /// In milliseconds since 1970.
    pub(super) written_ms: i64,
}

impl Action<'_> {
    /// The row that the library makes the action of, with the statistics of `metadata`.
    pub(super) fn batch(&self, metadata: &ParquetMetaData) -> Result<RecordBatch, ArrowError> {
        let names = MapFieldNames {
            entry: "key_value".to_owned(),
            key: "key".to_owned(),
            value: "value".to_owned(),
        };
        let mut partition =
            MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
        partition.keys().append_value(PARTITION);
        partition.values().append_option(self.date.and_then(day));
        partition.append(true)?;
        let bytes = i64::try_from(self.bytes).unwrap_or(i64::MAX);
        let columns: [(&str, ArrayRef); 5] = [
            ("path", Arc::new(StringArray::from(vec![self.name]))),
            ("partitionValues", Arc::new(partition.finish())),
            ("size", Arc::new(Int64Array::from(vec![bytes]))),
            ("modificationTime", Arc::new(Int64Array::from(vec![self.written_ms]))),
            ("stats", Arc::new(stats(metadata)?)),
        ];
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, column)| Field::new(*name, column.data_type().clone(), *name == "stats"))
            .collect();
        let columns = columns.into_iter().map(|(_, column)| column).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }
}

/// `days` since 1970 as `2026-11-22`; none outside the years 1 to 9999.
pub(super) fn day(days: i32) -> Option<String> {
    if !DAYS.contains(&days) {
        return None;
    }
    arrow::temporal_conversions::date32_to_datetime(days)
        .map(|moment| moment.format("%Y-%m-%d").to_string())
}

/// The days since 1970 of `text`, such as `2026-11-22`.
pub(super) fn date(text: &str) -> Option<i32> {
    Date32Type::parse(text)
}

fn stats(metadata: &ParquetMetaData) -> Result<StructArray, ArrowError> {
    let mut nulls: Vec<(String, ArrayRef)> = Vec::new();
    let mut least: Vec<(String, ArrayRef)> = Vec::new();
    let mut greatest: Vec<(String, ArrayRef)> = Vec::new();
    let schema = metadata.file_metadata().schema_descr();
    for (index, column) in schema.columns().iter().enumerate().take(COLUMNS) {
        let groups: Option<Vec<&Statistics>> =
            metadata.row_groups().iter().map(|group| group.column(index).statistics()).collect();
        // What one group does not say, the file cannot.
        let Some(groups) = groups else { continue };
        let counts: Option<Vec<u64>> = groups.iter().map(|group| group.null_count_opt()).collect();
        let Some(counts) = counts else { continue };
        let count = counts.iter().sum::<u64>();
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        nulls.push((column.name().to_owned(), Arc::new(Int64Array::from(vec![count]))));
        // A group of nothing but NULL has no bounds and needs none.
        let filled: Vec<&Statistics> = groups
            .iter()
            .zip(metadata.row_groups())
            .zip(&counts)
            .filter(|((_, group), nulls)| u64::try_from(group.num_rows()).ok() != Some(**nulls))
            .map(|((statistics, _), _)| *statistics)
            .collect();
        if let Some((low, high)) = bounds(column, &filled) {
            least.extend(low.map(|low| (column.name().to_owned(), low)));
            greatest.extend(high.map(|high| (column.name().to_owned(), high)));
        }
    }
    let rows: ArrayRef = Arc::new(Int64Array::from(vec![metadata.file_metadata().num_rows()]));
    let mut parts = vec![("numRecords".to_owned(), rows)];
    for (name, columns) in [("minValues", least), ("maxValues", greatest), ("nullCount", nulls)] {
        if !columns.is_empty() {
            parts.push((name.to_owned(), Arc::new(structure(columns)?)));
        }
    }
    structure(parts)
}

fn structure(columns: Vec<(String, ArrayRef)>) -> Result<StructArray, ArrowError> {
    let fields: Fields = columns
        .iter()
        .map(|(name, column)| Field::new(name, column.data_type().clone(), true))
        .collect();
    StructArray::try_new(fields, columns.into_iter().map(|(_, column)| column).collect(), None)
}

/// The bounds of a column over `groups`, as far as it has any.
fn bounds(
    column: &ColumnDescriptor,
    groups: &[&Statistics],
) -> Option<(Option<ArrayRef>, Option<ArrayRef>)> {
    match column.physical_type() {
        Physical::INT32 => {
            let (low, high) = extremes(groups, |group| match group {
                Statistics::Int32(values) => Some((*values.min_opt()?, *values.max_opt()?)),
                _ => None,
            })?;
            let array = |value| -> ArrayRef { Arc::new(Int32Array::from(vec![value])) };
            Some((Some(array(low)), Some(array(high))))
        }
        Physical::INT64 => {
            let (low, high) = extremes(groups, |group| match group {
                Statistics::Int64(values) => Some((*values.min_opt()?, *values.max_opt()?)),
                _ => None,
            })?;
            if !matches!(column.logical_type_ref(), Some(LogicalType::Timestamp(_))) {
                let array = |value| -> ArrayRef { Arc::new(Int64Array::from(vec![value])) };
                return Some((Some(array(low)), Some(array(high))));
            }
            // The library writes them in whole milliseconds, rounded down; readers allow for it.
            let array = |value| -> Option<ArrayRef> {
                let moment = TimestampMicrosecondArray::from(vec![value]).with_timezone("UTC");
                MOMENTS.contains(&value).then(|| Arc::new(moment) as ArrayRef)
            };
            Some((array(low), array(high)))
        }
        Physical::BYTE_ARRAY => {
            let (low, high) = extremes(groups, |group| match group {
                Statistics::ByteArray(values) => {
                    let low = str::from_utf8(values.min_bytes_opt()?).ok()?;
                    Some((low, str::from_utf8(values.max_bytes_opt()?).ok()?))
                }
                _ => None,
            })?;
            let array = |value: String| -> ArrayRef { Arc::new(StringArray::from(vec![value])) };
            Some((Some(array(prefix(low))), above(high).map(array)))
        }
        // Neither booleans nor what this crate does not write.
        _ => None,
    }
}

/// The least and the greatest of what `read` gives; none where a group gives nothing.
fn extremes<'a, T: Ord + Copy>(
    groups: &[&'a Statistics],
    read: impl Fn(&'a Statistics) -> Option<(T, T)>,
) -> Option<(T, T)> {
    let pairs: Option<Vec<(T, T)>> = groups.iter().map(|group| read(group)).collect();
    pairs?.into_iter().reduce(|(low, high), (low_of, high_of)| (low.min(low_of), high.max(high_of)))
}

fn prefix(text: &str) -> String {
    text.chars().take(PREFIX).collect()
}

/// A short text that nothing which begins like `text` is behind, in the order of code points.
fn above(text: &str) -> Option<String> {
    let Some(cut) = text.chars().nth(PREFIX) else {
        return Some(text.to_owned());
    };
    // As other writers do it: a character behind all that may have followed.
    (cut != char::MAX).then(|| format!("{}{}", prefix(text), char::MAX))
}
