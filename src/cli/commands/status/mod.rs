//! `audit status`: what an operator looks at first.

mod consumers;
mod leaves;
mod overview;
mod partitions;
mod watch;

use std::io::Write;

use clap::Args;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, FormatArgs, Run, whole_number};
use crate::cli::ui::{Exit, Failure};
use overview::Overview;

/// Show how far each partition is recorded, what is lost or quarantined, and which ingesters are
/// alive
///
/// Needs Kafka only for the lag, in records and in seconds that the first of them waits: without
/// Kafka the rest is shown, and the exit code is 4. JSON is one object with a member for each
/// table: database, partitions, open_transactions, lost_ranges, ingesters, lake_writers and leaves.
/// CSV has the partitions, with what waits in each behind an open transaction.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit status
  audit status --watch 2                # looks again, until Ctrl-C
  audit status --consumers              # who else reads the topics, how far
  audit status -o csv > partitions.csv  # a row for each partition
  audit status -o json | jq '[.partitions[].lag] | add'")]
pub(crate) struct StatusArgs {
    /// Show it again every so many seconds, until Ctrl-C [default without a number: 2]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = whole_number::<u64>(1..))]
    watch: Option<u64>,
    /// In a table, list every partition, also those that are up to date and lost nothing
    #[arg(long)]
    all: bool,
    /// Count the duplicates also where more than 1,000,000 rows were not searched for them yet:
    /// this reads for a while
    #[arg(long)]
    duplicates: bool,
    /// Instead, show every consumer group that reads the recorded topics, or committed offsets of
    /// them: its members, and its lag behind what a read_committed consumer sees. JSON and CSV have
    /// a row for each partition
    #[arg(long, conflicts_with_all = ["watch", "all", "duplicates"])]
    consumers: bool,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

impl Run for StatusArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.output(&mut self.format.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        Some(Exit::Done)
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        context.settings.check_kafka()?;
        if self.consumers {
            return consumers::run(&self.format, context).await;
        }
        if let Some(seconds) = self.watch {
            return watch::run(seconds, self.duplicates, self.all, &self.format, context).await;
        }
        let database = context.settings.database()?;
        let progress = context.ui.progress();
        let overview = Overview::gather(self.duplicates, context, &database, &progress).await?;
        progress.clear();
        let mut stdout = context.ui.stdout();
        stdout.write_all(&overview.render(&self.format, self.all, context.ui)?)?;
        stdout.flush()?;
        for note in &overview.notes {
            context.ui.status(note);
        }
        Ok(if overview.is_complete() { Exit::Done } else { Exit::Incomplete })
    }
}
