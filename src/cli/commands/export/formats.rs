//! What the options of an export take.

use clap::ValueEnum;

use crate::export::{PartitionBy, Rotation};

/// What `-o` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportFormat {
    /// PostgreSQL's CSV
    Csv,
    /// One object a line
    Ndjson,
    /// One array of objects
    Json,
    /// Apache Parquet
    Parquet,
    /// An object-centric event log, OCEL 2.0 in JSON
    Ocel,
}

/// What `--partition-by` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PartitionColumn {
    /// The UTC day of `created_at`
    Date,
    /// `event_type`
    Type,
    /// `source_service`
    Service,
}

impl From<PartitionColumn> for PartitionBy {
    fn from(column: PartitionColumn) -> Self {
        match column {
            PartitionColumn::Date => Self::Date,
            PartitionColumn::Type => Self::Type,
            PartitionColumn::Service => Self::Service,
        }
    }
}

/// `500000`, `64MB`, `1GiB`
pub(super) fn rotation(text: &str) -> Result<Rotation, String> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|one: char| one.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let wrong = || {
        format!("{text:?} is neither a number of rows, such as 500000, nor a size, such as 64MB")
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" if number > 0 => return Ok(Rotation::Rows(number)),
        "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(wrong()),
    };
    match number.checked_mul(factor) {
        Some(bytes) if bytes > 0 => Ok(Rotation::Size(bytes)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_ends_with_rows_or_with_its_size() {
        assert_eq!(rotation("500000"), Ok(Rotation::Rows(500_000)));
        assert_eq!(rotation("64MB"), Ok(Rotation::Size(64_000_000)));
        assert_eq!(rotation("1 GiB"), Ok(Rotation::Size(1 << 30)));
        for wrong in ["", "0", "0MB", "MB", "-1", "1.5MB", "64XB", "99999999999999GB"] {
            assert!(rotation(wrong).is_err(), "{wrong}");
        }
    }
}
