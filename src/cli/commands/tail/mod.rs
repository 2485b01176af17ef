//! `audit tail`: the last events, then new ones as they are recorded.

mod follow;

use std::pin::pin;
use std::time::Duration;

use clap::Args;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{
    Context, EventColumns, OutputArgs, Run, SelectorArgs, describe_columns, whole_number,
};
use crate::cli::ui::{Exit, Failure, interruption};
use crate::output;
use crate::output::Format;
use crate::store;
use crate::store::{EventColumn, RowScope};
use follow::{Start, Subscription, Tail};

/// How long the end of the output may take after a signal.
const LAST_WRITE: Duration = Duration::from_secs(1);

/// Show the last events, then new ones as they are recorded
///
/// Follows the order in which batches committed, so that no event is skipped or shown twice, also
/// when the database goes away and comes back. Rows that no batch covers are not shown here: `audit
/// query` has them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit tail
  audit tail -n 100 --type 'Payment*' --no-follow
  audit tail --dlt -n 5 -o ndjson | jq --unbuffered .payload
  audit tail --from-batch 1")]
#[command(mut_arg("columns", describe_columns))]
#[command(mut_arg("output", |output| {
    output.help("Format of the output [default: table; in a pipe ndjson]")
}))]
pub(crate) struct TailArgs {
    /// How many of the last events to begin with
    #[arg(short = 'n', long, value_name = "ROWS", default_value_t = 20, value_parser = whole_number::<u32>(0..=1_000_000))]
    lines: u32,
    /// End after the events that are there
    #[arg(long)]
    no_follow: bool,
    /// Begin with the first event of this batch
    #[arg(long, value_name = "BATCH_NO", conflicts_with = "lines", value_parser = whole_number::<i64>(1..))]
    from_batch: Option<i64>,
    #[command(flatten)]
    pub(crate) selectors: SelectorArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

impl Run for TailArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.tz(&mut self.selectors.tz);
        settings.output(&mut self.output.format.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        Some(Exit::Done)
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        let format = match self.output.format.asked() {
            Some(Format::Table) => Format::Lines,
            Some(format) => format,
            None if ui.is_on_terminal() => Format::Lines,
            None => Format::Ndjson,
        };
        let needed = [EventColumn::Id, EventColumn::BatchNo, EventColumn::Mark];
        let selection = self.selectors.selection(ui)?;
        let columns = EventColumns::new(&self.output.columns, format, &needed)?;
        let settings = context.settings.database()?;
        let subscription = Subscription::open(&settings).await?;
        if subscription.is_polling() {
            ui.status(&format!(
                "PostgreSQL at {} is a standby, which tells nobody of new batches: it is asked \
                 once a second",
                settings.target()
            ));
        }
        columns.check(&subscription.session).await?;
        let following = store::resolve(&subscription.session, &selection, RowScope::Future).await?;
        let mut renderer = output::renderer(format, self.output.format.style(ui));
        let mut head = Vec::new();
        renderer.begin(&columns.shown(), &mut head)?;
        let mut tail = Tail::new(selection, following, columns, renderer, ui)?;
        let start = self.from_batch.map_or(Start::LastRows(self.lines), Start::Batch);
        let mut interruption = pin!(interruption()?);
        let shown = tokio::select! {
            outcome = tail.show(start, !self.no_follow, &settings, subscription, head) => {
                outcome?;
                // A reader may take its time, unless the person loses patience.
                tokio::select! {
                    shown = tail.finish() => shown?,
                    () = &mut interruption => return Ok(Exit::Interrupted),
                }
            }
            () = &mut interruption => match tokio::time::timeout(LAST_WRITE, tail.finish()).await {
                Ok(shown) => shown?,
                Err(_) => return Ok(Exit::Done),
            },
        };
        if !shown.is_complete {
            return Ok(Exit::Incomplete);
        }
        Ok(self.output.empty.exit(shown.rows == 0))
    }
}
