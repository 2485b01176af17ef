//! Where an export goes, as it was typed.

use std::path::Path;

use super::args::ExportArgs;
use super::formats::ExportFormat;
use crate::cli::ui::Failure;
use crate::export::{Compression, FileFormat, PartitionBy, Target};

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
        if let Some(path) = path {
            refuse_name(path, is_folder, self.incremental.is_some())?;
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

/// Refuses what can't be the name of a file, or can't be noted.
fn refuse_name(path: &Path, is_folder: bool, is_noted: bool) -> Result<(), Failure> {
    if !is_folder && path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(Failure::usage(format!("{} is no name of a file", path.display())).with_hint(
            "name a file in it, or write a folder of files with --partition-by or --rotate",
        ));
    }
    // A manifest names the files of a folder from there.
    let noted = match (is_noted, is_folder) {
        (true, _) => Some(path.as_os_str()),
        (false, true) => None,
        (false, false) => path.file_name(),
    };
    if noted.is_some_and(|name| name.to_str().is_none()) {
        let problem = "is not UTF-8, and a manifest or a bookmark could not name it";
        return Err(Failure::usage(format!("{} {problem}", path.display())));
    }
    Ok(())
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
