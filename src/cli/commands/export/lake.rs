//! What is new into a Delta Lake table, once or for as long as nobody ends it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lake::delta::Location;

use super::ExportArgs;
use crate::cli::shared::{Context, EventColumns, explain_selection};
use crate::cli::ui::{Exit, Failure, Progress, Total, interruption};
use crate::count_text::counted;
use crate::export::{Appended, Contents, LakeTable, Source, Wanted};
use crate::filter::Selection;
use crate::output::{Format, Style};
use crate::store::{self, BATCH_CHANNEL, EventColumn, Notifications, ReadMode, RowScope, Session};

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

/// How often a standby, which tells nobody anything, is asked for new batches.
const ASK_AGAIN: Duration = Duration::from_secs(1);

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
    let stop = interruption()?;
    let selection = args.selectors.selection(ui)?;
    let mut run = Runs { args, context, selection, columns, location, table: None };
    let appended = async {
        match args.follow {
            false => run.once(&mut run_session(context).await?, true).await,
            true => run.follow().await,
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

async fn run_session(context: &Context<'_>) -> Result<Session, Failure> {
    context.settings.session("audit export").await
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
    table: Option<LakeTable>,
}

impl Runs<'_> {
    /// Appends what is new in one snapshot.
    async fn once(&mut self, session: &mut Session, is_first: bool) -> Result<Appended, Failure> {
        let (args, ui) = (self.args, self.context.ui);
        let settings = self.context.settings.quiet_database()?;
        let reading = session.read(ReadMode::All).await?;
        self.columns.check(&reading).await?;
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
        if is_first {
            explain_selection(&reading, &self.selection, appended.rows > 0, ui).await?;
        }
        reading.finish().await?;
        Ok(appended)
    }

    /// Appends what is new whenever it is enough, or waits for long.
    async fn follow(&mut self) -> Result<Appended, Failure> {
        let settings = self.context.settings.database()?;
        let (mut session, mut notifications) =
            Session::open_listening(&settings, "audit lake", BATCH_CHANNEL).await?;
        let url = self.args.delta.as_deref().unwrap_or_default();
        let mut is_first = true;
        loop {
            let before = store::recorded_rows(&session).await?;
            let appended = self.once(&mut session, is_first).await?;
            is_first = false;
            if appended.rows > 0 {
                self.context.ui.status(&said(&appended, url));
            }
            // `audit status` reads it there: nothing is written to the database.
            session.call_itself(&format!("audit lake {}", appended.batch_no)).await?;
            self.wait(&session, &mut notifications, before).await?;
        }
    }

    /// Waits until enough rows are new, or the first of them has waited for long.
    async fn wait(
        &self,
        session: &Session,
        notifications: &mut Option<Notifications>,
        before: i64,
    ) -> Result<(), Failure> {
        let longest = Duration::from_micros(self.args.max_wait.unsigned_abs());
        let mut since: Option<Instant> = None;
        loop {
            let new = store::recorded_rows(session).await? - before;
            if new >= self.args.min_rows {
                return Ok(());
            }
            if new > 0 && since.get_or_insert_with(Instant::now).elapsed() >= longest {
                return Ok(());
            }
            match notifications {
                None => tokio::time::sleep(ASK_AGAIN).await,
                Some(notifications) => {
                    let told = tokio::time::timeout(ASK_AGAIN, notifications.changed()).await;
                    if matches!(told, Ok(Err(_))) {
                        return Err(Failure::new("the database closed the connection")
                            .with_hint("start it again: it goes on from what the table holds"));
                    }
                }
            }
        }
    }
}
