//! The reference: a plain `\copy` of the very same rows by psql.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::audit::forget_environment;
use super::usage::{self, Usage};

/// All columns of `event_logs`.
const COLUMNS: &str = "id, event_id, event_type, aggregate_id, source_service, is_dlt, payload, created_at, partition_id, \
                       kafka_offset, correlation_id, attributes";

/// The format of a file of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileFormat {
    Csv,
    Binary,
}

impl FileFormat {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Binary => "binary",
        }
    }
}

/// Files with the rows of `event_logs`.
#[derive(Debug)]
pub(crate) struct Reference {
    folder: PathBuf,
}

impl Reference {
    /// Writes the files, out of a database that has the rows.
    pub(crate) fn export(folder: &Path, database_url: &str) -> Result<Self, Box<dyn Error>> {
        let reference = Self { folder: folder.to_owned() };
        for format in [FileFormat::Csv, FileFormat::Binary] {
            let rows = format!("(select {COLUMNS} from event_logs order by id)");
            reference.psql(database_url, &rows, "to", format)?;
        }
        Ok(reference)
    }

    /// Copies a file into a database that has the schema.
    pub(crate) fn copy_in(
        &self,
        database_url: &str,
        format: FileFormat,
    ) -> Result<Usage, Box<dyn Error>> {
        self.psql(database_url, &format!("event_logs ({COLUMNS})"), "from", format)
    }

    fn psql(
        &self,
        database_url: &str,
        rows: &str,
        direction: &str,
        format: FileFormat,
    ) -> Result<Usage, Box<dyn Error>> {
        let file = self.folder.join(format!("rows.{}", format.name()));
        let copy = format!(
            "\\copy {rows} {direction} '{}' with (format {})",
            file.display(),
            format.name()
        );
        let mut command = Command::new("psql");
        forget_environment(&mut command);
        command.args([
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            "--dbname",
            database_url,
            "--command",
            &copy,
        ]);
        usage::run(&mut command, &self.folder.join("psql.log")).map_err(|error| {
            format!("the reference needs psql, PostgreSQL's own client, on PATH: {error}").into()
        })
    }
}
