//! `audit retention`: old leaves of `event_logs` are dropped, and what they were stays known.

mod handed_over;
mod plan;
mod retire;

use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use clap::Args;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, OutputArgs, Run, who, whole_number};
use crate::cli::ui::{Exit, Failure, interruption};
use crate::count_text::counted;
use crate::filter::{Clock, duration, rfc3339};
use crate::store;
use crate::store::{RetentionRight, RetirementNote, Session};
use plan::{Plan, Rules};
use retire::Patience;

/// Drop old events, whole partitions of event_logs at a time
///
/// A partition, a leaf, is dropped when it is full, its newest event and its newest batch lie
/// before the limit, and all of its events were handed over: as far as each --after tells, or
/// with --even-if-not-exported. Shows the plan first, and asks; where nobody can be asked, it
/// drops with --yes only.
///
/// The ledger, the counts of events (`stats`) and the evidence log stay, and each leaf that goes is
/// entered into the log: `verify` tells that its rows were retired, `show` and `status` when. Raw
/// dead letters of its rows go, too, but for those that were replayed.
///
/// Needs the rights of the owner of the tables. Nobody is held up for more than a tenth of a second
/// at a time: where another session uses the table, it is waited for, and named. Each leaf is a
/// transaction; killed anywhere, the next run goes on.
///
/// Exits with 4 where a leaf is old enough, and is held back.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit retention --keep 90d --dry-run                     # what would go
  audit retention --keep 90d --after warehouse.bookmark --yes
  audit retention --before 2026-01-01 --after lake/events --yes
  audit retention --keep 365d --even-if-not-exported --yes")]
pub(crate) struct RetentionArgs {
    /// Keep what is younger than this, such as '90d' or '52w'
    #[arg(
        long,
        value_name = "DURATION",
        conflicts_with = "before",
        value_parser = duration,
        help_heading = "Which events"
    )]
    keep: Option<i64>,
    /// Drop what happened and was recorded before: '2026-01-01', '2026-01-01T12:00:00Z', '1y ago'
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Which events")]
    before: Option<String>,
    /// Only what this bookmark (export --incremental) or Delta Lake table (export --delta) has been
    /// handed over; repeated, only what all of them have
    #[arg(
        long,
        value_name = "BOOKMARK|DELTA",
        conflicts_with = "even_if_not_exported",
        help_heading = "Which events"
    )]
    after: Vec<String>,
    /// Option of the store of a table, such as AWS_ENDPOINT_URL=…
    #[arg(long, value_name = "KEY=VALUE", requires = "after", help_heading = "Which events")]
    storage: Vec<String>,
    /// Whether it was handed over to anybody or not
    #[arg(long, help_heading = "Which events")]
    even_if_not_exported: bool,
    /// Only show the plan
    #[arg(long)]
    dry_run: bool,
    /// Drop without asking
    #[arg(short, long, conflicts_with = "dry_run")]
    yes: bool,
    /// How long to wait for other sessions that use the table, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = whole_number::<u64>(0..))]
    wait: u64,
    /// Time zone of --before without an offset: UTC, local, '+01:00', 'Europe/Berlin'
    #[arg(long, value_name = "ZONE", default_value = "UTC", allow_hyphen_values = true)]
    tz: String,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

impl Run for RetentionArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.tz(&mut self.tz);
        settings.output(&mut self.output.format.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        let asks = !self.dry_run && !self.yes;
        if asks && !ui.can_ask() {
            return Err(Failure::usage(
                "nobody can be asked whether to drop, so nothing was dropped",
            )
            .with_hint("--dry-run shows the plan, --yes drops"));
        }
        if !self.dry_run && self.after.is_empty() && !self.even_if_not_exported {
            return Err(Failure::usage("where were the events handed over to?").with_hint(
                "--after FILE names the bookmark of an incremental export, --after URL a Delta \
                 Lake table; --even-if-not-exported drops them in any case",
            ));
        }
        let before = self.limit()?;
        ui.status(&format!("what happened and was recorded before {}", rfc3339(before)));
        let settings = context.settings.database()?;
        let mut session = Session::open(&settings, "audit retention").await?;
        session.home().await?.check_writable(&settings)?;
        let installation = store::installation_id(&session).await?;
        let handed_over =
            handed_over::ask(&self.after, &self.storage, &installation.to_string()).await?;
        if !self.dry_run {
            acquire(&session).await?;
        }
        let rules = Rules { before, handed_over };
        let plan = Plan::new(store::closed_leaves(&session).await?, &rules);
        let shown = plan.show(&self.output, ui);
        let shown = match shown {
            // Who does not read the plan to its end asked for it all the same.
            Err(failure) if failure.is_closed_pipe() && self.yes => Exit::Done,
            shown => shown?,
        };
        let done = if plan.is_held_back() { Exit::Incomplete } else { shown };
        if self.dry_run {
            if self.after.is_empty() && !self.even_if_not_exported {
                ui.status("whether it was handed over to anybody was not asked: --after does");
            }
            return Ok(done);
        }
        let leaves = plan.retired();
        if !leaves.is_empty() {
            let question = format!("Drop {}?", counted(leaves.len(), "leaf"));
            let unheard = |error| Failure::new(format!("reading the answer: {error}"));
            if asks && !ui.ask(&question).await.map_err(unheard)? {
                ui.status("nothing was dropped");
                return Ok(Exit::Done);
            }
        }
        let (retired_by, condition) = (who(), self.condition(&rules));
        let note = RetirementNote { retired_by: &retired_by, condition: &condition, before };
        let patience = Patience { limit: Duration::from_secs(self.wait), ui };
        let stop = interruption()?;
        tokio::select! {
            retired = retire::retire(&mut session, &leaves, note, patience) => retired.map(|()| done),
            () = stop => Err(Failure::new("interrupted before all was dropped")
                .with_hint("the next run goes on")
                .with_exit(Exit::Interrupted)),
        }
    }
}

impl RetentionArgs {
    /// Before which all of it has to lie.
    fn limit(&self) -> Result<DateTime<Utc>, Failure> {
        let now = Utc::now().trunc_subsecs(6);
        if let Some(keep) = self.keep {
            let limit = now.checked_sub_signed(TimeDelta::microseconds(keep));
            return limit.filter(|limit| *limit <= now).ok_or_else(|| {
                Failure::usage("--keep: that is no age").with_hint("write it as '90d'")
            });
        }
        let zone = self.tz.parse().map_err(|error| Failure::usage(format!("--tz: {error}")))?;
        let before = self.before.as_deref().ok_or_else(|| {
            Failure::usage("how old is what is to be dropped?")
                .with_hint("--keep 90d drops what is older, --before '2026-01-01' what was before")
        })?;
        Clock { now, zone }
            .time(before)
            .map_err(|error| Failure::usage(format!("--before: {error}")))
    }

    /// What each leaf had to fulfil, for the evidence log.
    fn condition(&self, rules: &Rules) -> String {
        let mut text = format!("happened and recorded before {}", rfc3339(rules.before));
        for to in &rules.handed_over {
            text.push_str(&format!("; handed over to {} up to batch {}", to.name, to.batch_no));
        }
        if self.even_if_not_exported {
            text.push_str("; even if not exported");
        }
        text
    }
}

/// Takes the right to retire, or says who has it.
async fn acquire(session: &Session) -> Result<(), Failure> {
    match store::begin_retention(session).await? {
        RetentionRight::Acquired => Ok(()),
        RetentionRight::NotOwner { role, owner } => Err(Failure::new(format!(
            "{role} may not drop partitions: event_logs belongs to {owner}"
        ))
        .with_hint("connect as the owner of the tables, who ran `audit migrate`")),
        RetentionRight::HeldBy(process) => {
            let process = process.map(|process| format!(" (server process {process})"));
            Err(Failure::new(format!(
                "another retention is running in this database{}",
                process.unwrap_or_default()
            )))
        }
    }
}
