//! `audit replay-dlt`: dead letters go back to where they came from.

mod plan;
mod send;
mod status;

use clap::Args;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, OutputArgs, Run, SelectorArgs, whole_number};
use crate::cli::ui::{Exit, Failure, Ui};
use crate::count_text::counted;
use crate::dead_letter::{PlannedAction, ReplayRules};
use crate::filter::Selection;
use crate::replay::{RecoveredReplays, Replayer};

/// Send dead letters back to the topics they came from
///
/// Shows the plan first: how many go from which topic to which, and what is not sent, and why. Asks
/// before it sends; where nobody can be asked, it sends with --yes only.
///
/// Key, value and headers are sent as they were, except that the headers that describe the error
/// are taken away, and audit-replay-id and audit-replay-attempt are added. The origin is what the
/// headers say (Spring, Kafka Connect, Kafka Streams, SmallRye), else what the name of the topic
/// suggests; --to takes the place of both. A dead letter that was sent and has not come back is not
/// sent again. A replay that fails again comes back as a new dead letter: from then on only that
/// one is replayed, up to --max-replays times.
///
/// Each replay is written down before it is sent, and what came of it after. One replay runs at a
/// time; one that was interrupted is cleared up by the next, which looks in Kafka for what had
/// arrived.
///
/// Exits with 4 where some of what was selected can't be replayed, with 1 where Kafka refused some.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit replay-dlt --dry-run            # only the plan
  audit replay-dlt --status             # what came of each replay
  audit replay-dlt --error '*Unavailable*' --reason 'they are back' --yes
  audit replay-dlt --since today --rate 50 --yes       # 50 a second
  audit replay-dlt --topic orders.events-dlt --to orders.events --again --yes
                                        # where no header tells the origin")]
pub(crate) struct ReplayDltArgs {
    #[command(flatten)]
    pub(crate) selectors: SelectorArgs,
    /// Only show the plan. Needs Kafka only to say which topics don't exist
    #[arg(long, help_heading = "Replay")]
    dry_run: bool,
    /// Send without asking
    #[arg(short, long, conflicts_with = "dry_run", help_heading = "Replay")]
    yes: bool,
    /// Send at most this many, the oldest recorded first; with --status, show at most this many
    /// [default: all]
    #[arg(short = 'n', long, value_name = "RECORDS", value_parser = whole_number::<u32>(1..), help_heading = "Replay")]
    limit: Option<u32>,
    /// Send at most this many a second [default: no limit]
    #[arg(long, value_name = "RECORDS", value_parser = whole_number::<u32>(1..), help_heading = "Replay")]
    rate: Option<u32>,
    /// Stop replaying an event after this many attempts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = whole_number::<i32>(1..), help_heading = "Replay")]
    max_replays: i32,
    /// Send to this topic [default: the one that each came from]
    #[arg(long, value_name = "TOPIC", help_heading = "Replay")]
    to: Option<String>,
    /// Send to the partition that each record came from; otherwise its key decides, as in Java's
    /// producers
    #[arg(long, help_heading = "Replay")]
    same_partition: bool,
    /// Send what was sent before and has not come back, too
    #[arg(long, help_heading = "Replay")]
    again: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT", help_heading = "Replay")]
    reason: Option<String>,
    /// Show earlier replays, the newest first, and what came of each
    #[arg(
        long,
        conflicts_with_all = ["dry_run", "yes", "rate", "to", "same_partition", "again", "reason"],
        help_heading = "Replay"
    )]
    status: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

impl Run for ReplayDltArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.tz(&mut self.selectors.tz);
        settings.output(&mut self.output.format.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let ui = context.ui;
        let asks = !self.dry_run && !self.yes && !self.status;
        if asks && !ui.can_ask() {
            return Err(Failure::usage("nobody can be asked whether to send, so nothing was sent")
                .with_hint("--dry-run shows the plan, --yes sends"));
        }
        let selection = self.selectors.dead_letters(ui)?;
        if self.status {
            return status::show(&selection, self.limit, &self.output, context).await;
        }
        if self.dry_run {
            return self.dry_run(&selection, context).await;
        }
        let settings = context.settings;
        let mut replayer = Replayer::open(&settings.database()?, settings.kafka()?).await?;
        let recovered = replayer
            .recover_pending(|time| {
                ui.status(&format!(
                    "an earlier replay was interrupted; waiting {} s for what it may still have \
                     under way",
                    time.as_secs() + 1
                ));
            })
            .await?;
        say_recovered(recovered, ui);
        let partitions = plan::Partitions::Needed;
        let checked =
            plan::make(self.rules(), replayer.session_mut(), &selection, partitions, context)
                .await?;
        let shown = match plan::show(&checked, &self.output, ui) {
            // Who does not read the plan to its end asked for the replay all the same.
            Err(failure) if failure.is_closed_pipe() && self.yes => Exit::Done,
            shown => shown?,
        };
        let plan = checked.plan;
        let unsendable =
            plan.count(PlannedAction::NotReplayable) + plan.count(PlannedAction::Pending);
        let done = if unsendable > 0 { Exit::Incomplete } else { Exit::Done };
        if plan.steps.is_empty() {
            return Ok(if shown == Exit::Done { done } else { shown });
        }
        let question = format!("Send {}?", counted(plan.steps.len(), "record"));
        let unheard = |error| Failure::new(format!("reading the answer: {error}"));
        if asks && !ui.ask(&question).await.map_err(unheard)? {
            ui.status("nothing was sent");
            return Ok(Exit::Done);
        }
        send::send(&mut replayer, &plan, self.reason, self.rate, ui).await?;
        Ok(done)
    }
}

impl ReplayDltArgs {
    /// The rules of the plan, as far as they were typed.
    fn rules(&self) -> ReplayRules {
        ReplayRules {
            to: self.to.clone(),
            max_replays: self.max_replays,
            again: self.again,
            same_partition: self.same_partition,
            limit: self.limit.map(|limit| limit as usize),
            partitions: None,
        }
    }

    /// Shows only the plan.
    async fn dry_run(&self, selection: &Selection, context: &Context<'_>) -> Result<Exit, Failure> {
        context.settings.check_kafka()?;
        let mut session = context.settings.session("audit replay-dlt --dry-run").await?;
        let partitions = plan::Partitions::IfKnown;
        let plan = plan::make(self.rules(), &mut session, selection, partitions, context).await?;
        plan::show(&plan, &self.output, context.ui)
    }
}

fn say_recovered(recovered: RecoveredReplays, ui: Ui) {
    if recovered != RecoveredReplays::default() {
        ui.status(&format!(
            "an earlier replay was interrupted: of {}, {} had arrived, and {} had not",
            counted(recovered.arrived + recovered.missing, "record"),
            recovered.arrived,
            recovered.missing
        ));
    }
}
