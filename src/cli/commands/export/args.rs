//! What was typed.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::formats::{ExportFormat, PartitionColumn, rotation};
use crate::cli::shared::{
    EmptyArgs, ListItems, SelectorArgs, ValueArgs, describe_columns, whole_number,
};
use crate::cli::ui::Failure;
use crate::export::{Columns, Contents, Rotation};
use crate::filter::duration;
use crate::store::{self, Session};

/// Hand selected events over: as files, as a folder of files, or into a pipe
///
/// The format is that of -o, else of the name's ending, else CSV; .gz and .zst compress CSV, NDJSON
/// and JSON. CSV and Parquet have the columns of the original table unless --columns says
/// otherwise; PostgreSQL's COPY loads the CSV unchanged. Rows come by id, of one snapshot. A file
/// appears under its name when it is whole, with a manifest beside it, which --check holds it
/// against.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit export events.csv
  audit export --type 'Order*' --date today orders.ndjson.gz
  audit export --since -7d --columns created_at,payload | gzip > week.csv.gz
  audit export events -o parquet --partition-by date
  audit export hours -o csv --rotate 500000 --incremental warehouse.bookmark
  audit export --delta lake/events
  audit export --check events.csv")]
#[command(mut_arg("columns", describe_columns))]
pub(crate) struct ExportArgs {
    /// File to write, or the folder; stdout without one
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(super) path: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) selectors: SelectorArgs,
    /// How many rows at most [default: all]
    #[arg(short = 'n', long, value_name = "ROWS", value_parser = whole_number::<i64>(1..))]
    pub(super) limit: Option<i64>,
    /// Format of the output [default: that of PATH's ending, else csv]
    #[arg(short, long, alias = "format", value_name = "FORMAT", help_heading = "Output")]
    pub(super) output: Option<ExportFormat>,
    /// Columns to write, by name
    #[arg(long, value_name = "A,B,C", help_heading = "Output")]
    pub(super) columns: Vec<ListItems>,
    /// CSV without its header line
    #[arg(long, help_heading = "Output")]
    pub(super) no_header: bool,
    #[command(flatten)]
    pub(super) values: ValueArgs,
    /// Of several deliveries of an event, only the one that committed first
    #[arg(long, help_heading = "Output")]
    pub(super) dedup: bool,
    /// Divide the rows among folders of PATH by their UTC day, type or service:
    /// date=2026-11-22/events-000000.csv
    #[arg(long, value_name = "BY", help_heading = "Files")]
    pub(super) partition_by: Option<PartitionColumn>,
    /// Begin another file in PATH after so many rows (500000), or with the row that makes it as
    /// large as this (64MB)
    #[arg(long, value_name = "ROWS|SIZE", value_parser = rotation, help_heading = "Files")]
    pub(super) rotate: Option<Rotation>,
    /// Go on behind the last batch that was handed over, which this file remembers; each row once,
    /// in commit order, wherever a run is killed
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        conflicts_with = "limit",
        group = "remembered",
        help_heading = "Files"
    )]
    pub(super) incremental: Option<PathBuf>,
    /// With --incremental or --delta: go on also where rows were retired before they were handed
    /// over
    #[arg(long, requires = "remembered", help_heading = "Files")]
    pub(super) skip_retired: bool,
    /// Append what is new to the Delta Lake table at this folder, file:// or s3:// URL, which
    /// remembers how far it is; made where nothing is
    #[arg(
        long,
        value_name = "URL",
        value_hint = ValueHint::AnyPath,
        conflicts_with_all = ["path", "output", "partition_by", "rotate", "incremental", "limit"],
        group = "remembered",
        help_heading = "Delta Lake"
    )]
    pub(super) delta: Option<String>,
    /// Option of the store of --delta, such as AWS_ENDPOINT_URL=…; wins over the variable of the
    /// same name
    #[arg(long, value_name = "KEY=VALUE", requires = "delta", help_heading = "Delta Lake")]
    pub(super) storage: Vec<String>,
    /// Stay, and append what is recorded from now on
    #[arg(long, requires = "delta", help_heading = "Delta Lake")]
    pub(super) follow: bool,
    /// With --follow, append when so many rows are new
    #[arg(
        long,
        value_name = "ROWS",
        requires = "follow",
        default_value_t = 100_000,
        value_parser = whole_number::<i64>(1..),
        help_heading = "Delta Lake"
    )]
    pub(super) min_rows: i64,
    /// With --follow, append what is new after so long at the latest, such as 30s or 10m
    #[arg(
        long,
        value_name = "DURATION",
        requires = "follow",
        default_value = "1m",
        value_parser = duration,
        help_heading = "Delta Lake"
    )]
    pub(super) max_wait: i64,
    /// Check the files of a manifest or of a folder: 0 all as written, 4 a file is missing, 5 one
    /// is altered
    #[arg(
        long,
        value_name = "MANIFEST|FOLDER",
        value_hint = ValueHint::AnyPath,
        conflicts_with_all = [
            "path", "limit", "output", "columns", "no_header", "dedup", "partition_by", "rotate",
            "incremental", "delta", "SelectorArgs", "ValueArgs", "EmptyArgs",
        ],
        help_heading = "Files"
    )]
    pub(super) check: Option<PathBuf>,
    #[command(flatten)]
    pub(super) empty: EmptyArgs,
}

impl ExportArgs {
    pub(super) fn file(&self) -> Option<&Path> {
        self.path.as_deref().filter(|path| path.as_os_str() != "-")
    }

    /// Fails where an option says how text is written, and no text is.
    pub(super) fn refuse_text_options(&self, format: &str) -> Result<(), Failure> {
        let header = self.no_header.then(|| "--no-header".to_owned());
        match self.values.typed().into_iter().chain(header).next() {
            Some(option) => {
                Err(Failure::usage(format!("{option} is about text, and {format} is none")))
            }
            None => Ok(()),
        }
    }

    /// The options that change how values are written, or which deliveries count.
    fn options(&self) -> Vec<String> {
        let mut options = self.values.typed();
        if self.dedup {
            options.push("--dedup".to_owned());
        }
        if self.no_header {
            options.push("--no-header".to_owned());
        }
        options
    }

    /// With a time that moves each run would select otherwise, and hand over its own part of what
    /// no other run can be asked for again.
    pub(super) fn refuse_moving_times(&self) -> Result<(), Failure> {
        let Some(option) = self.selectors.moving_time()? else { return Ok(()) };
        Err(Failure::usage(format!(
            "{option} moves from run to run, and all runs are of one selection"
        ))
        .with_hint("leave it out: each run writes what is new; or give a date, such as 2026-11-22"))
    }

    /// What is handed over, with these columns.
    pub(super) async fn contents(
        &self,
        reading: &Session,
        columns: &Columns,
    ) -> Result<Contents, store::Error> {
        Ok(Contents {
            installation: store::installation_id(reading).await?.to_string(),
            selectors: self.selectors.typed_with_times(),
            columns: columns.names(),
            options: self.options(),
        })
    }
}
