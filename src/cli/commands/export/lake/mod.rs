//! What is new into a Delta Lake table, once or for as long as nobody ends it.

mod follow;
mod run;

use lake::delta::Location;

use self::run::{Interruption, Runs, said};
use super::args::ExportArgs;
use crate::cli::shared::{Context, EventColumns};
use crate::cli::ui::{Exit, Failure, interruption};
use crate::output::Format;
use crate::store::EventColumn;

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
