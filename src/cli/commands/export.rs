//! `audit export`: selected events to a file or a pipe.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;

use clap::{Args, ValueEnum, ValueHint};
use futures_util::TryStreamExt;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{
    Context, EmptyArgs, EventColumns, ListItems, Run, SelectorArgs, ValueArgs, WholeFile,
    describe_columns, explain_selection, whole_number,
};
use crate::cli::ui::{Exit, Failure, Progress, Total, Ui, interruption};
use crate::count_text::counted;
use crate::export::ocel::{OcelSummary, write_ocel};
use crate::filter::Selection;
use crate::output;
use crate::output::{Emphasis, Format, Style};
use crate::store;
use crate::store::{
    EventColumn, EventQuery, ReadMode, ReadTransaction, ResolvedSelection, RowOrder, RowScope,
};

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
#[command(mut_arg("columns", describe_columns))]
pub(crate) struct ExportArgs {
    /// File to write; stdout without one
    #[arg(value_hint = ValueHint::FilePath)]
    path: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) selectors: SelectorArgs,
    /// How many rows at most [default: all]
    #[arg(short = 'n', long, value_name = "ROWS", value_parser = whole_number::<i64>(1..))]
    limit: Option<i64>,
    /// Format of the output [default: that of PATH's ending, else csv]
    #[arg(short, long, alias = "format", value_name = "FORMAT", help_heading = "Output")]
    output: Option<ExportFormat>,
    /// Columns to write, by name
    #[arg(long, value_name = "A,B,C", help_heading = "Output")]
    columns: Vec<ListItems>,
    /// CSV without its header line
    #[arg(long, help_heading = "Output")]
    no_header: bool,
    #[command(flatten)]
    values: ValueArgs,
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
    /// An object-centric event log, OCEL 2.0 in JSON
    Ocel,
}

impl ExportArgs {
    fn format(&self) -> Result<Format, Failure> {
        if let Some(format) = self.output {
            return Ok(match format {
                ExportFormat::Csv => Format::Csv,
                ExportFormat::Ndjson => Format::Ndjson,
                // Written by itself: no renderer knows it.
                ExportFormat::Json | ExportFormat::Ocel => Format::Json,
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
        if matches!(self.output, Some(ExportFormat::Ocel)) {
            return self.run_ocel(context).await;
        }
        let ui = context.ui;
        let format = self.format()?;
        let style = self.values.style(Style {
            no_header: self.no_header,
            terminal: self.file().is_none() && ui.is_on_terminal(),
            ..Style::default()
        });
        let selection = self.selectors.selection(ui)?;
        let columns = EventColumns::new(&self.columns, format, &[])?;
        let mut session = context.settings.session("audit export").await?;
        let reading = session.read(ReadMode::All).await?;
        columns.check(&reading).await?;
        let resolved = store::resolve(&reading, &selection, RowScope::Existing).await?;
        // On one terminal rows and progress would stand in each other's way.
        let progress = if style.terminal { Progress::hidden() } else { ui.progress() };
        let export = Export {
            args: &self,
            ui,
            format,
            style,
            columns,
            selection,
            resolved,
            reading,
            progress,
        };
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
                ui.status(&format!("{} written to {}", counted(written, "row"), path.display()));
                written
            }
        };
        Ok(self.empty.exit(written == 0))
    }
}

impl ExportArgs {
    /// Writes an object-centric event log.
    async fn run_ocel(&self, context: &Context<'_>) -> Result<Exit, Failure> {
        if self.limit.is_some() || self.dedup || self.no_header {
            return Err(Failure::usage(
                "-o ocel has each event once, and all: no --limit, --dedup or --no-header",
            ));
        }
        let ui = context.ui;
        let selection = self.selectors.selection(ui)?;
        let columns = EventColumns::new(&self.columns, Format::Json, &[])?;
        let attributes = match self.columns.is_empty() {
            true => vec![EventColumn::SourceService.into()],
            false => columns.selected().to_vec(),
        };
        let mut session = context.settings.session("audit export").await?;
        let reading = session.read(ReadMode::All).await?;
        columns.check(&reading).await?;
        let resolved = store::resolve(&reading, &selection, RowScope::Existing).await?;
        let progress = ui.progress();
        let told = |written, all| {
            if written == 1 {
                progress.counting("events", Total::Exact(all));
            }
            progress.set(written);
        };
        let summary = match self.file() {
            None => {
                let destination =
                    Counted { destination: io::stdout(), bytes: 0, progress: &progress };
                let mut writer = BufWriter::with_capacity(1 << 18, destination);
                let summary =
                    write_ocel(&reading, &resolved, &attributes, &mut writer, told).await?;
                writer.flush()?;
                summary
            }
            Some(path) => {
                let interruption = interruption()?;
                let mut file = WholeFile::create(path)?;
                let destination = Counted { destination: &mut file, bytes: 0, progress: &progress };
                let mut writer = BufWriter::with_capacity(1 << 18, destination);
                let written = write_ocel(&reading, &resolved, &attributes, &mut writer, told);
                let summary = tokio::select! {
                    written = written => {
                        written.map_err(|error| Failure::from(error).in_file(path))?
                    }
                    () = interruption => {
                        return Err(Failure::new("interrupted before the export was whole")
                            .with_exit(Exit::Interrupted));
                    }
                };
                writer.flush()?;
                drop(writer);
                file.finish()?;
                summary
            }
        };
        progress.clear();
        let OcelSummary { events, objects, relations, .. } = summary;
        ui.status(&format!(
            "{}, {} and {} written{}",
            counted(events, "event"),
            counted(objects, "object"),
            counted(relations, "relation"),
            self.file().map(|path| format!(" to {}", path.display())).unwrap_or_default()
        ));
        if let Some(left_out) = summary.left_out() {
            ui.status(&left_out);
        }
        explain_selection(&reading, &selection, events > 0, ui).await?;
        Ok(self.empty.exit(events == 0))
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
    progress: Progress,
}

impl Export<'_> {
    async fn write_file(&self, path: &Path) -> Result<u64, Failure> {
        let mut file = WholeFile::create(path)?;
        let rows = self.write(&mut file).await.map_err(|failure| failure.in_file(path))?;
        file.finish()?;
        Ok(rows)
    }

    async fn write(&self, destination: impl Write) -> Result<u64, Failure> {
        let destination = Counted { destination, bytes: 0, progress: &self.progress };
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
            if self.progress.is_seen() {
                self.progress.counting("rows", self.total(&query).await?);
            }
            let mut found = pin!(query.stream(&self.reading).await?);
            while let Some(row) = found.try_next().await? {
                if self.args.limit.is_some_and(|limit| count == limit.unsigned_abs()) {
                    self.ui.status(&format!(
                        "only the first {} written: more match than --limit",
                        counted(count, "row")
                    ));
                    break;
                }
                renderer.row(&self.columns.cells(&row)?, Emphasis::None, &mut writer)?;
                count += 1;
                self.progress.set(count);
            }
        }
        renderer.end(&mut writer)?;
        writer.flush()?;
        self.progress.clear();
        explain_selection(&self.reading, &self.selection, count > 0, self.ui).await?;
        Ok(count)
    }

    /// How many rows there are to write: what the ledger counts, or what PostgreSQL expects.
    async fn total(&self, query: &EventQuery<'_>) -> Result<Total, Failure> {
        let is_all = self.selection == Selection::default() && !self.args.dedup;
        let total = if is_all {
            Total::Exact(store::recorded_rows(&self.reading).await?.unsigned_abs())
        } else if self.selection.payload_predicates.is_empty() {
            Total::About(query.expected_rows(&self.reading).await?)
        } else {
            // PostgreSQL knows nothing of what a payload holds.
            Total::Unknown
        };
        Ok(total.up_to(self.args.limit.map(i64::unsigned_abs)))
    }
}

/// Tells the progress how many bytes were written.
struct Counted<'a, W> {
    destination: W,
    bytes: u64,
    progress: &'a Progress,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.destination.write(bytes)?;
        self.bytes += written as u64;
        self.progress.set_bytes(self.bytes);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.destination.flush()
    }
}
