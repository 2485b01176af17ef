//! Where an export goes, as it was typed.

use clap::ValueEnum;

use super::ExportArgs;
use crate::cli::ui::Failure;
use crate::export::{Compression, FileFormat, PartitionBy, Rotation, Target};

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

impl ExportArgs {
    /// Where the files go.
    pub(super) fn target(&self) -> Result<Target, Failure> {
        let path = self.file();
        let is_folder = self.partition_by.is_some() || self.rotate.is_some();
        if is_folder && path.is_none() {
            return Err(Failure::usage(
                "--partition-by and --rotate need the folder to write into",
            )
            .with_hint("name it, as in: audit export events --partition-by date -o csv"));
        }
        let name = path.and_then(|path| path.file_name()).map(|name| name.to_string_lossy());
        let name = name.unwrap_or_default();
        let mut endings = name.rsplit('.');
        let last = endings.next().unwrap_or_default().to_ascii_lowercase();
        let compression = Compression::of_ending(&last);
        let ending = match compression {
            Some(_) => endings.next().unwrap_or_default().to_ascii_lowercase(),
            None => last,
        };
        let format = match self.output {
            Some(ExportFormat::Csv) => FileFormat::Csv,
            Some(ExportFormat::Ndjson) => FileFormat::Ndjson,
            Some(ExportFormat::Json) => FileFormat::Json,
            Some(ExportFormat::Parquet) => FileFormat::Parquet,
            Some(ExportFormat::Ocel) => FileFormat::Ocel,
            None if path.is_none() => FileFormat::Csv,
            None => match ending.as_str() {
                "csv" => FileFormat::Csv,
                "ndjson" | "jsonl" => FileFormat::Ndjson,
                "json" => FileFormat::Json,
                "parquet" => FileFormat::Parquet,
                "jsonocel" => FileFormat::Ocel,
                _ => {
                    return Err(Failure::usage(format!("the name {name} tells no format"))
                        .with_hint(
                            "say it with -o csv, -o ndjson, -o json, -o parquet or -o ocel",
                        ));
                }
            },
        };
        if format == FileFormat::Ocel {
            self.check_ocel()?;
        }
        if compression.is_some() && format == FileFormat::Parquet {
            return Err(Failure::usage(format!("{name}: Parquet is compressed within"))
                .with_hint("leave the ending of the compression away"));
        }
        let path = match path {
            // A bookmark remembers it for a run in another folder.
            Some(path) if self.incremental.is_some() => Some(
                std::path::absolute(path)
                    .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?,
            ),
            path => path.map(ToOwned::to_owned),
        };
        Ok(Target {
            path,
            format,
            compression,
            by: self.partition_by.map(PartitionBy::from),
            rotation: self.rotate,
        })
    }
}

impl ExportArgs {
    /// A log has each event once, and all of them.
    fn check_ocel(&self) -> Result<(), Failure> {
        let refused = [
            ("--limit", self.limit.is_some()),
            ("--dedup", self.dedup),
            ("--incremental", self.incremental.is_some()),
            ("--partition-by", self.partition_by.is_some()),
            ("--rotate", self.rotate.is_some()),
        ];
        if let Some((option, _)) = refused.iter().find(|(_, is_given)| *is_given) {
            return Err(Failure::usage(format!(
                "-o ocel is one log that has each event once, and all: it knows no {option}"
            )));
        }
        self.refuse_text_options("a log of events")
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
