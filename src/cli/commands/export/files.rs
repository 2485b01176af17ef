//! Selected events as files, or into a pipe.

use std::sync::Arc;

use super::args::ExportArgs;
use super::ocel;
use super::uninterrupted::uninterrupted;
use crate::cli::shared::{Context, EventColumns, explain_names, explain_selection};
use crate::cli::ui::{Exit, Failure, Progress, Total, Ui};
use crate::count_text::counted;
use crate::export::{Bookmark, FileFormat, PartitionBy, Source, Summary, Target, Wanted, Watch};
use crate::output::{Format, Style};
use crate::store::{self, EventColumn, ReadMode, RowScope};

/// Writes them.
pub(super) async fn export(args: &ExportArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    let ui = context.ui;
    let target = args.target()?;
    if target.format == FileFormat::Parquet {
        args.refuse_text_options("Parquet")?;
    }
    let is_terminal = target.path.is_none() && ui.is_on_terminal();
    if is_terminal && target.format == FileFormat::Parquet {
        return Err(Failure::usage("Parquet is no text for a terminal")
            .with_hint("name a file, or pipe it: audit export -o parquet > events.parquet"));
    }
    let style = args.values.style(Style {
        no_header: args.no_header,
        terminal: is_terminal,
        ..Style::default()
    });
    if args.incremental.is_some() {
        args.refuse_moving_times()?;
    }
    let selection = args.selectors.selection(ui)?;
    let (columns, once) = match target.format {
        FileFormat::Csv => (Format::Csv, false),
        FileFormat::Ndjson | FileFormat::Json | FileFormat::Ocel => (Format::Ndjson, true),
        FileFormat::Parquet => (Format::Csv, true),
    };
    let mut needed: Vec<EventColumn> = target.by.map(PartitionBy::column).into_iter().collect();
    if target.format == FileFormat::Parquet {
        // Names the row whose value can't be written.
        needed.push(EventColumn::Id);
    }
    let columns = EventColumns::new(&args.columns, columns, &needed)?;
    let settings = context.settings.database()?;
    let mut session = context.settings.session("audit export").await?;
    let reading = session.read(ReadMode::All).await?;
    columns.check(&reading).await?;
    let wanted = Wanted {
        selection: store::resolve(&reading, &selection, RowScope::Existing).await?,
        columns: columns.of_files(once),
        dedup: args.dedup,
        limit: args.limit.map(i64::unsigned_abs),
    };
    let contents = args.contents(&reading, &wanted.columns).await?;
    // On one terminal rows and progress would stand in each other's way.
    let progress = if is_terminal { Progress::hidden() } else { ui.progress() };
    let source = Source {
        reading: &reading,
        settings: &settings,
        wanted: Arc::new(wanted),
        style,
        contents,
        watch: &progress,
    };
    if target.format == FileFormat::Ocel {
        return ocel::write(args, context, &source, &target, &progress, &selection).await;
    }
    progress.counting("rows", Total::Unknown);
    // A pipe that nobody reads holds everything up: Ctrl-C ends the process then, as it would have.
    let summary = match target.is_stream() {
        true => run(args, &source, &target, ui).await?,
        false => uninterrupted(run(args, &source, &target, ui)).await?,
    };
    if let (true, Some(limit)) = (summary.is_cut, args.limit) {
        ui.status(&format!(
            "only the first {} written: more match than --limit",
            counted(limit.unsigned_abs(), "row")
        ));
    }
    progress.clear();
    match args.incremental.is_some() {
        true => explain_names(&reading, &selection, summary.rows > 0, ui).await?,
        false => explain_selection(&reading, &selection, summary.rows > 0, ui).await?,
    }
    if let Some(path) = args.file() {
        let files = match target.is_folder() {
            true => format!(" in {}", counted(summary.files as u64, "file")),
            false => String::new(),
        };
        let rows = counted(summary.rows, "row");
        ui.status(&format!("{rows} written to {}{files}", path.display()));
    }
    Ok(args.empty.exit(summary.rows == 0))
}

async fn run(
    args: &ExportArgs,
    source: &Source<'_>,
    target: &Target,
    ui: Ui,
) -> Result<Summary, Failure> {
    let written = match &args.incremental {
        None => source.write(target).await,
        Some(path) => {
            let mut bookmark = Bookmark::open(path, &source.contents)?;
            let name = path.display().to_string();
            args.refuse_retired(source.reading, &name, bookmark.batch_no(), ui).await?;
            source.write_behind(target, &mut bookmark).await
        }
    };
    let failure = match written {
        Ok(summary) => return Ok(summary),
        Err(error) => Failure::from(error),
    };
    // The rows did not arrive, and the bookmark has not moved: that is no success.
    let is_lost = args.incremental.is_some() && failure.is_closed_pipe();
    Err(if is_lost { failure.with_exit(Exit::Failed) } else { failure })
}

impl Watch for Progress {
    fn expects(&self, rows: u64, is_exact: bool) {
        let total = if is_exact { Total::Exact(rows) } else { Total::About(rows) };
        self.counting("rows", total);
    }

    fn wrote(&self, rows: u64, bytes: u64) {
        self.set(rows);
        self.set_bytes(bytes);
    }
}
