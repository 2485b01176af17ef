//! `audit export`: selected events to a file or a pipe.

use std::fs::Permissions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::pin;

use clap::{Args, ValueEnum};
use futures_util::TryStreamExt;
use tempfile::NamedTempFile;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{
    Context, EmptyArgs, EventColumns, Run, SelectorArgs, default_columns, name_in_list,
    row_count_text, suggest,
};
use crate::cli::ui::{Exit, Failure, Ui, interruption};
use crate::filter::Selection;
use crate::output;
use crate::output::{Emphasis, Format, Style};
use crate::store;
use crate::store::{EventQuery, ReadMode, ReadTransaction, ResolvedSelection, RowOrder, RowScope};

/// Write selected events as CSV, NDJSON or JSON, ordered by id
///
/// The format is that of -o, else of the file's ending, else CSV. CSV has the columns of the
/// original table unless --columns says otherwise, and can be loaded by PostgreSQL's COPY
/// unchanged. A file appears under its name when it is whole.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit export events.csv
  audit export --type 'Order*' --date today orders.ndjson
  audit export --since -7d --columns created_at,payload | gzip > week.csv.gz
  audit export --dedup -o ndjson | jq -c .payload")]
pub(crate) struct ExportArgs {
    /// File to write; stdout without one
    path: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) selectors: SelectorArgs,
    /// How many rows at most [default: all]
    #[arg(short = 'n', long, value_name = "ROWS", value_parser = clap::value_parser!(i64).range(1..))]
    limit: Option<i64>,
    /// Format of the output
    #[arg(short, long, alias = "format", value_name = "FORMAT", help_heading = "Output")]
    output: Option<ExportFormat>,
    /// Columns to write, by name
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', value_parser = name_in_list(), help_heading = "Output")]
    columns: Option<Vec<String>>,
    /// CSV without its header line
    #[arg(long, help_heading = "Output")]
    no_header: bool,
    /// In CSV, put an apostrophe before what a spreadsheet would take for a formula
    #[arg(long, help_heading = "Output")]
    spreadsheet_safe: bool,
    /// Of several deliveries of an event, only the one that committed first
    #[arg(long, help_heading = "Output")]
    dedup: bool,
    #[command(flatten)]
    empty: EmptyArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ExportFormat {
    /// PostgreSQL's CSV
    Csv,
    /// One object a line
    Ndjson,
    /// One array of objects
    Json,
}

impl ExportArgs {
    fn format(&self) -> Result<Format, Failure> {
        if let Some(format) = self.output {
            return Ok(match format {
                ExportFormat::Csv => Format::Csv,
                ExportFormat::Ndjson => Format::Ndjson,
                ExportFormat::Json => Format::Json,
            });
        }
        let Some(path) = self.file() else { return Ok(Format::Csv) };
        match path.extension().and_then(|ending| ending.to_str()).unwrap_or_default() {
            "csv" => Ok(Format::Csv),
            "ndjson" | "jsonl" => Ok(Format::Ndjson),
            "json" => Ok(Format::Json),
            _ => Err(Failure::usage(format!("the name {} tells no format", path.display()))
                .with_hint("say it with -o csv, -o ndjson or -o json")),
        }
    }

    fn file(&self) -> Option<&Path> {
        self.path.as_deref().filter(|path| path.as_os_str() != "-")
    }
}

impl Run for ExportArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.tz(&mut self.selectors.tz);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        self.file().is_none().then_some(Exit::Done)
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        let format = self.format()?;
        let style = Style {
            no_header: self.no_header,
            spreadsheet_safe: self.spreadsheet_safe,
            terminal: self.file().is_none() && ui.is_on_terminal(),
            ..Style::default()
        };
        let columns =
            EventColumns::new(self.columns.as_deref(), &default_columns(format, ui), &[])?;
        let selection = self.selectors.selection(ui)?;
        let mut session = context.settings.session("audit export").await?;
        let reading = session.read(ReadMode::All).await?;
        let resolved = store::resolve(&reading, &selection, RowScope::Existing).await?;
        let export =
            Export { args: &self, ui, format, style, columns, selection, resolved, reading };
        let written = match self.file() {
            None => export.write(std::io::stdout()).await?,
            Some(path) => {
                let interruption = interruption()?;
                let written = tokio::select! {
                    written = export.write_file(path) => written?,
                    // Ending here removes the unfinished file.
                    () = interruption => {
                        return Err(Failure::new("interrupted before the export was whole")
                            .with_exit(Exit::Interrupted));
                    }
                };
                ui.status(&format!("{} written to {}", row_count_text(written), path.display()));
                written
            }
        };
        Ok(self.empty.exit(written == 0))
    }
}

struct Export<'a> {
    args: &'a ExportArgs,
    ui: Ui,
    format: Format,
    style: Style,
    columns: EventColumns,
    selection: Selection,
    resolved: ResolvedSelection,
    reading: ReadTransaction<'a>,
}

impl Export<'_> {
    async fn write_file(&self, path: &Path) -> Result<u64, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(format!("writing {}: {error}", path.display()))
        };
        // A pipe or a device can't be replaced by a file; a link stays a link.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if target.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            let file = std::fs::OpenOptions::new()
                .write(true)
                .open(&target)
                .map_err(|error| failed(&error))?;
            return self.write(file).await;
        }
        if target.is_dir() {
            return Err(failed(&"it is a directory"));
        }
        let folder = target
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new()
            .prefix(".audit-export-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(|error| failed(&error))?;
        let rows = self.write(&mut file).await.map_err(|failure| failure.in_file(path))?;
        // The rename must not become durable before the content is.
        file.as_file().sync_all().map_err(|error| failed(&error))?;
        NamedTempFile::persist(file, &target).map_err(|error| failed(&error.error))?;
        Ok(rows)
    }

    async fn write(&self, destination: impl Write) -> Result<u64, Failure> {
        let mut writer = BufWriter::with_capacity(1 << 18, destination);
        let mut renderer = output::renderer(self.format, self.style);
        renderer.begin(&self.columns.shown(), &mut writer)?;
        let query = EventQuery {
            selection: &self.resolved,
            columns: self.columns.selected(),
            order: RowOrder::Id,
            // One more row than is written tells whether more match.
            limit: self.args.limit.map(|limit| limit.saturating_add(1)),
            dedup: self.args.dedup,
        };
        let mut count = 0;
        if !self.resolved.is_empty() {
            let mut found = pin!(query.stream(&self.reading).await?);
            while let Some(row) = found.try_next().await? {
                if self.args.limit.is_some_and(|limit| count == limit.unsigned_abs()) {
                    self.ui.status(&format!(
                        "only the first {} written: more match than --limit",
                        row_count_text(count)
                    ));
                    break;
                }
                renderer.row(&self.columns.cells(&row)?, Emphasis::None, &mut writer)?;
                count += 1;
            }
        }
        renderer.end(&mut writer)?;
        writer.flush()?;
        if count == 0 {
            suggest(&self.reading, &self.selection, self.ui).await?;
        }
        Ok(count)
    }
}
