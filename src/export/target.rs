//! Where a hand-over goes, and in which format.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::batch_range::BatchRange;
use super::error::Error;
use super::files::{Compression, FolderLayout, Layout, Rotation, folder_of, followed, make_folder};
use super::hive::PartitionBy;
use super::manifest_name::{ENDING, beside};

/// The format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// PostgreSQL's CSV.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// One array of objects.
    Json,
    /// Apache Parquet.
    Parquet,
    /// An object-centric event log, OCEL 2.0 in JSON.
    Ocel,
}

impl FileFormat {
    /// Its name in errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Ndjson => "NDJSON",
            Self::Json => "JSON",
            Self::Parquet => "Parquet",
            Self::Ocel => "OCEL",
        }
    }

    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
            Self::Parquet => "parquet",
            Self::Ocel => "jsonocel",
        }
    }
}

/// Where a hand-over goes, and in which format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The file, or the folder; `None` for stdout.
    pub path: Option<PathBuf>,
    /// The format.
    pub format: FileFormat,
    /// How text is compressed.
    pub compression: Option<Compression>,
    /// By what rows are divided among the folders of a folder.
    pub by: Option<PartitionBy>,
    /// When a file of a folder ends.
    pub rotation: Option<Rotation>,
}

impl Target {
    /// Whether `path` is a folder.
    pub fn is_folder(&self) -> bool {
        self.by.is_some() || self.rotation.is_some()
    }

    /// Whether it is stdout, a pipe or a device: then no file appears.
    pub fn is_stream(&self) -> bool {
        let Some(path) = self.path.as_deref() else { return true };
        let is_other = |found: std::fs::Metadata| !found.is_file() && !found.is_dir();
        !self.is_folder() && path.metadata().is_ok_and(is_other)
    }

    /// Where its files go. `batches` are those of a run that goes on behind another one.
    pub(super) fn layout(&self, batches: Option<BatchRange>) -> Layout {
        let Some(path) = self.path.clone() else { return Layout::Stdout };
        if !self.is_folder() {
            return Layout::File(path);
        }
        let compressed = self.compression.map(|compression| format!(".{}", compression.ending()));
        Layout::Folder(FolderLayout {
            folder: path,
            by: self.by,
            rotation: self.rotation,
            prefix: prefix(batches),
            ending: format!("{}{}", self.format.ending(), compressed.unwrap_or_default()),
        })
    }

    /// Where the manifest of a run goes; `None` where there is no file.
    pub(super) fn manifest(&self, batches: Option<BatchRange>) -> Option<PathBuf> {
        let path = self.path.as_deref()?;
        Some(match self.is_folder() {
            // What begins so is no data to Spark and pyarrow.
            true => path.join(format!("_{}{}", prefix(batches), ENDING)),
            false => beside(path),
        })
    }

    /// Makes the folder, where it is one and not there.
    pub(super) fn make_folder(&self) -> Result<(), Error> {
        match self.path.as_deref().filter(|_| self.is_folder()) {
            Some(path) => make_folder(path).map_err(Error::file("making", path)),
            None => Ok(()),
        }
    }

    /// The folder that unfinished files are in; `None` for stdout.
    pub(super) fn unfinished_in(&self) -> Option<PathBuf> {
        let path = self.path.as_deref()?;
        if self.is_folder() {
            return Some(path.to_owned());
        }
        Some(folder_of(&followed(path)).to_owned())
    }
}

/// How the names of the files of a run begin: those of later batches sort behind earlier ones.
fn prefix(batches: Option<BatchRange>) -> String {
    match batches {
        None => "events".to_owned(),
        Some(BatchRange { after, last }) => format!("events-{:012}-{last:012}", after + 1),
    }
}
