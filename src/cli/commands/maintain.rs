//! `audit maintain`: what is done to the database beside the recording.

use std::io::Write;
use std::sync::Arc;

use clap::Args;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run, maintain};
use crate::cli::ui::{Exit, Failure, LogFormat, on_stop};
use crate::ingest;
use crate::ingest::{Counters, Stop};
use crate::store::Session;

/// Seal full partitions of event_logs, repair their indexes and count events
///
/// `audit ingest` does all of this by itself, a little at a time. This is for those who want it on
/// another machine or at another time (`ingest --no-maintenance`), and for an index that `verify`
/// misses. Any number may run at once; whoever interrupts it loses a step.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit maintain             # what is due now, for cron
  audit maintain --follow    # until it is stopped")]
pub(crate) struct MaintainArgs {
    /// Stay, and do what becomes due
    #[arg(long)]
    follow: bool,
}

impl Run for MaintainArgs {
    fn apply_settings(&mut self, _: &ArgumentSettings<'_>) {}

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let settings = context.settings.database()?;
        let session = Session::open(&settings, "audit maintain").await?;
        session.home().await?.check_writable(&settings)?;
        if self.follow {
            context.ui.start_log(LogFormat::Text);
            let stop = Arc::new(Stop::default());
            on_stop({
                let stop = Arc::clone(&stop);
                move || stop.request()
            })?;
            tracing::info!(database = settings.target(), "maintaining");
            ingest::maintain(&settings, "audit maintain", &stop, &Counters::default()).await;
            return Ok(Exit::Done);
        }
        let done = maintain(&session, context.ui).await?;
        let mut stdout = context.ui.stdout();
        for step in &done {
            writeln!(stdout, "{step}")?;
        }
        if done.is_empty() {
            writeln!(
                stdout,
                "{}: no leaf waits to be sealed, and no index is missing",
                settings.target()
            )?;
        }
        stdout.flush()?;
        Ok(Exit::Done)
    }
}
