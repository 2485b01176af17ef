//! Selected events as files, or into a pipe.

use std::sync::Arc;

use super::{ExportArgs, ocel};
use crate::cli::shared::{Context, EventColumns, SelectorArgs, explain_selection};
use crate::cli::ui::{Exit, Failure, Progress, Total, interruption};
use crate::count_text::counted;
use crate::export::{
    Bookmark, Contents, FileFormat, PartitionBy, Source, Summary, Target, Wanted, Watch,
};
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
        refuse_moving_times(&args.selectors)?;
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
    let contents = Contents {
        installation: store::installation_id(&reading).await?.to_string(),
        selectors: args.selectors.typed_with_times(),
        columns: wanted.columns.names(),
        options: args.options(),
    };
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
        true => run(args, &source, &target).await?,
        false => uninterrupted(run(args, &source, &target)).await?,
    };
    if let (true, Some(limit)) = (summary.is_cut, args.limit) {
        ui.status(&format!(
            "only the first {} written: more match than --limit",
            counted(limit.unsigned_abs(), "row")
        ));
    }
    progress.clear();
    explain_selection(&reading, &selection, summary.rows > 0, ui).await?;
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

/// With a time that moves each run would select otherwise, and hand over its own part of what no
/// other run can be asked for again.
fn refuse_moving_times(selectors: &SelectorArgs) -> Result<(), Failure> {
    let Some(option) = selectors.moving_time()? else { return Ok(()) };
    Err(Failure::usage(format!(
        "{option} moves from run to run, and a bookmark is of one selection"
    ))
    .with_hint("leave it out: each run writes what is new; or give a date, such as 2026-11-22"))
}

/// What a file needs to be whole.
pub(super) async fn uninterrupted<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let interruption = interruption()?;
    tokio::select! {
        done = work => done,
        // Ending here removes the unfinished files.
        () = interruption => Err(Failure::new("interrupted before the export was whole")
            .with_exit(Exit::Interrupted)),
    }
}

async fn run(args: &ExportArgs, source: &Source<'_>, target: &Target) -> Result<Summary, Failure> {
    let written = match &args.incremental {
        None => source.write(target).await,
        Some(path) => {
            let mut bookmark = Bookmark::open(path, &source.contents)?;
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

impl ExportArgs {
    /// The options that change how values are written, or which deliveries count.
    pub(super) fn options(&self) -> Vec<String> {
        let mut options = self.values.typed();
        if self.dedup {
            options.push("--dedup".to_owned());
        }
        if self.no_header {
            options.push("--no-header".to_owned());
        }
        options
    }
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
