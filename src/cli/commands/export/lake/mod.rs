//! What is new into a Delta Lake table, once or for as long as nobody ends it.

mod follow;

use std::sync::Arc;

use lake::delta::Location;

use self::follow::Interruption;
use super::args::ExportArgs;
use crate::cli::shared::{Context, EventColumns, explain_selection};
use crate::cli::ui::{Exit, Failure, Progress, Total, interruption};
use crate::count_text::counted;
use crate::export::{Appended, Contents, LakeTable, Source, Wanted};
use crate::filter::Selection;
use crate::output::{Format, Style};
use crate::store::{self, EventColumn, ReadMode, RowScope, Session};

/// The columns of a table where no others are asked for: those of the view `audit_events`.
const COLUMNS: [EventColumn; 20] = [
    EventColumn::Id,
    EventColumn::EventId,
    EventColumn::EventType,
    EventColumn::AggregateId,
    EventColumn::SourceService,
    EventColumn::IsDlt,
    EventColumn::Payload,
    EventColumn::CreatedAt,
    EventColumn::PartitionId,
    EventColumn::KafkaOffset,
    EventColumn::CorrelationId,
    EventColumn::Attributes,
    EventColumn::Topic,
    EventColumn::Partition,
    EventColumn::BatchNo,
    EventColumn::RecordedAt,
    EventColumn::Aggregate,
    EventColumn::Correlation,
    EventColumn::ErrorClass,
    EventColumn::ErrorMessage,
];

/// Appends what is new; with `--follow` for as long as nobody ends it.
pub(super) async fn append(args: &ExportArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    let ui = context.ui;
    let Some(url) = &args.delta else { return Ok(Exit::Done) };
    let location = location(url, &args.storage)?;
    let asked: &[_] = &args.columns;
    let names = COLUMNS.map(EventColumn::name).join(",");
    let all = [names.parse().map_err(|_| Failure::new("the columns of a table can't be read"))?];
    let needed = [EventColumn::Id, EventColumn::CreatedAt];
    let columns = if asked.is_empty() { &all } else { asked };
    let columns = EventColumns::new(columns, Format::Csv, &needed)?;
    args.refuse_moving_times()?;
    let stop = interruption()?;
    let selection = args.selectors.selection(ui)?;
    let mut run =
        Runs { args, context, selection, columns, location, table: None, is_checked: false };
    let appended = async {
        match args.follow {
            false => {
                let mut session = context.settings.session("audit export").await?;
                run.once(&mut session).await.map_err(Interruption::into_failure)
            }
            true => Err(run.follow().await),
        }
    };
    let appended = tokio::select! {
        appended = appended => appended?,
        // What is committed stays; what was under way is taken back.
        () = stop => {
            return match args.follow {
                true => Ok(Exit::Done),
                false => Err(Failure::new("interrupted before all was appended")
                    .with_exit(Exit::Interrupted)),
            };
        }
    };
    ui.status(&said(&appended, url));
    Ok(args.empty.exit(appended.rows == 0))
}

fn location(url: &str, storage: &[String]) -> Result<Location, Failure> {
    let option = |text: &String| match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err(Failure::usage(
            "--storage: an option is KEY=VALUE, such as AWS_REGION=eu-central-1",
        )),
    };
    let options = storage.iter().map(option).collect::<Result<Vec<_>, _>>()?;
    Location::parse(url, &options).map_err(|error| Failure::usage(format!("--delta: {error}")))
}

fn said(appended: &Appended, url: &str) -> String {
    let Appended { rows, versions, version, .. } = *appended;
    match versions {
        0 => format!("nothing new for {url}, which is at version {version}"),
        1 => format!("{} appended to {url} in version {version}", counted(rows, "row")),
        _ => format!("{} appended to {url} in {versions} versions", counted(rows, "row")),
    }
}

/// What appends.
struct Runs<'a> {
    args: &'a ExportArgs,
    context: &'a Context<'a>,
    selection: Selection,
    columns: EventColumns,
    location: Location,
    /// None before it was opened, and while it has to be opened again.
    table: Option<LakeTable>,
    /// Whether the selection and the columns were held against what there is.
    is_checked: bool,
}

impl Runs<'_> {
    /// Appends what is new in one snapshot.
    async fn once(&mut self, session: &mut Session) -> Result<Appended, Interruption> {
        let (args, ui) = (self.args, self.context.ui);
        let settings = self.context.settings.quiet_database()?;
        let reading = session.read(ReadMode::All).await?;
        if !self.is_checked {
            self.columns.check(&reading).await?;
        }
        let wanted = Wanted {
            selection: store::resolve(&reading, &self.selection, RowScope::Existing).await?,
            columns: self.columns.of_files(true),
            dedup: args.dedup,
            limit: None,
        };
        let contents = Contents {
            installation: store::installation_id(&reading).await?.to_string(),
            selectors: args.selectors.typed_with_times(),
            columns: wanted.columns.names(),
            options: args.options(),
        };
        let table = match &mut self.table {
            Some(table) => table,
            none => none
                .insert(LakeTable::open(self.location.clone(), &contents, &wanted.columns).await?),
        };
        let progress = if args.follow { Progress::hidden() } else { ui.progress() };
        progress.counting("rows", Total::Unknown);
        let source = Source {
            reading: &reading,
            settings: &settings,
            wanted: Arc::new(wanted),
            style: Style::default(),
            contents,
            watch: &progress,
        };
        let appended = table.append_new(&source).await?;
        progress.clear();
        if !self.is_checked {
            self.is_checked = true;
            explain_selection(&reading, &self.selection, appended.rows > 0, ui).await?;
        }
        reading.finish().await?;
        Ok(appended)
    }
}
