//! The other side in a CSV file of somebody else's.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use crate::analysis::reconcile::{CsvError, CsvLayout, CsvStatement, DecimalMark, read_statement};
use crate::cli::ui::{Failure, Ui};
use crate::count_text::{counted, counted_with};
use crate::filter::nearest;

/// The file, and how to read it.
#[derive(Debug, Args)]
#[command(next_help_heading = "A statement of somebody else's")]
pub(super) struct CsvArgs {
    /// Compare with this CSV file instead of RIGHT; '-' is the standard input
    #[arg(long, value_name = "FILE", requires_all = ["csv_key", "csv_amount"])]
    csv: Option<PathBuf>,
    /// The column that names the story: an aggregate, a correlation, or an event id
    #[arg(long, value_name = "COLUMN", requires = "csv")]
    csv_key: Option<String>,
    /// The column of the amounts; those of a repeated key are summed
    #[arg(long, value_name = "COLUMN", requires = "csv")]
    csv_amount: Option<String>,
    /// What stands between fields: one character, or 'tab' [default: ,]
    #[arg(long, value_name = "CHARACTER", requires = "csv")]
    csv_delimiter: Option<Delimiter>,
    /// '.' or ',' before decimals; then thousands may be apart, as in 1.234,50 [default: '.', no
    /// thousands apart]
    #[arg(long, value_name = "CHARACTER", requires = "csv")]
    csv_decimal: Option<DecimalMark>,
}

/// What stands between fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Delimiter(u8);

impl FromStr for Delimiter {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.as_bytes() {
            b"tab" | b"\\t" => Ok(Self(b'\t')),
            [b'"' | b'\r' | b'\n'] => {
                Err("a quote or the end of a line can't stand between fields")
            }
            [byte] if byte.is_ascii() => Ok(Self(*byte)),
            _ => Err("expected one ASCII character, or 'tab'"),
        }
    }
}

/// A file that was read.
pub(super) struct CsvSide {
    /// What it says.
    pub(super) statement: CsvStatement,
    name: String,
}

impl CsvArgs {
    /// Reads the file, where one was named.
    pub(super) async fn read(self) -> Result<Option<CsvSide>, Failure> {
        let (Some(file), Some(key), Some(amount)) = (self.csv, self.csv_key, self.csv_amount)
        else {
            return Ok(None);
        };
        let layout = CsvLayout {
            key,
            amount,
            delimiter: self.csv_delimiter.map_or(b',', |delimiter| delimiter.0),
            decimal: self.csv_decimal,
        };
        let is_stdin = file == Path::new("-");
        let name =
            if is_stdin { "the standard input".to_owned() } else { file.display().to_string() };
        let delimiter = layout.delimiter;
        // Waits for a disk, or for whoever writes to the pipe.
        let reading = tokio::task::spawn_blocking(move || match is_stdin {
            true => read_statement(io::stdin().lock(), &layout),
            false => read_statement(File::open(file)?, &layout),
        });
        let read =
            reading.await.map_err(|error| Failure::new(format!("reading {name}: {error}")))?;
        let statement = read.map_err(|error| failure(&name, delimiter, error))?;
        Ok(Some(CsvSide { statement, name }))
    }
}

/// What is told of a file that can't be read.
fn failure(name: &str, delimiter: u8, error: CsvError) -> Failure {
    match error {
        CsvError::NoColumn { option, column, columns } => {
            let alike = nearest(&column, &columns);
            let meant = match alike.is_empty() {
                true => String::new(),
                false => format!("; did you mean {}?", alike.join(" or ")),
            };
            let failure =
                Failure::usage(format!("{option}: {name} has no column '{column}'{meant}"));
            let other = match columns.as_slice() {
                [only] => [(b';', "';'"), (b'\t', "tab"), (b',', "','"), (b'|', "'|'")]
                    .into_iter()
                    .find(|(byte, _)| *byte != delimiter && only.as_bytes().contains(byte)),
                _ => None,
            };
            failure.with_hint(match other {
                Some((_, typed)) => {
                    format!("its first line is one column; try --csv-delimiter {typed}")
                }
                None => format!("its columns are {}", columns.join(", ")),
            })
        }
        CsvError::RepeatedColumn { option, column } => {
            Failure::usage(format!("{option}: {name} has several columns '{column}'"))
                .with_hint("give each column a name of its own")
        }
        CsvError::NotUtf8 { is_utf16, .. } => {
            let from = if is_utf16 { "UTF-16" } else { "WINDOWS-1252" };
            Failure::new(format!("{name}: {error}"))
                .with_hint(format!("convert it first, such as by: iconv -f {from} -t UTF-8 FILE"))
        }
        CsvError::Empty | CsvError::Read(_) => Failure::new(format!("{name}: {error}")),
    }
}

impl CsvSide {
    /// Says how much the file holds, and what of it is not compared.
    pub(super) fn tell(&self, ui: Ui) {
        let statement = &self.statement;
        let rows = counted(statement.rows, "row");
        let repeated = match statement.repeated_keys {
            0 => String::new(),
            keys => {
                let keys = counted_with(keys, "key", ["stands", "stand"]);
                format!("; {keys} in several, whose amounts are summed")
            }
        };
        ui.status(&format!("{}: {rows}{repeated}", self.name));
        for fault in &statement.faults {
            ui.status(&format!("line {} is not compared: {}", fault.line, fault.what));
        }
        let more = statement.faulty_rows - statement.faults.len() as u64;
        if more > 0 {
            let more = counted_with(more, "more row", ["is", "are"]);
            ui.status(&format!("{more} not compared, for such reasons"));
        }
    }
}
