//! `audit replay-dlt`: dead letters go back to where they came from.

mod status;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::dlt::of_dead_letters;
use crate::cli::settings::connection_args::ConnectionArgs;
use crate::cli::shared::output_args::OutputArgs;
use crate::cli::shared::result_table;
use crate::cli::shared::selector_args::SelectorArgs;
use crate::cli::ui::failure::{Exit, Failure};
use crate::cli::ui::{signals, terminal};
use crate::dead_letter::{Action, Group, Plan, Rules};
use crate::filter::Selection;
use crate::output::{Column, Emphasis};
use crate::replay::{self, RecoveredReplays, ReplayOptions, Replayer, SendProgress};
use crate::store::{self, ReadMode, RowScope, Session};
use crate::time::{Timestamp, timestamp_text};
use crate::value::Value;

/// Send dead letters back to the topics they came from
///
/// Shows the plan first: how many go from which topic to which, and what is not sent, and why. Asks
/// before it sends; where nobody can be asked, it sends with --yes only.
///
/// Key, value and headers are sent as they were, except that the headers that describe the error
/// are taken away, and audit-replay-id and audit-replay-attempt are added. The origin is what the
/// headers say (Spring, Kafka Connect, Kafka Streams, SmallRye), else what the name of the topic
/// suggests; --to takes the place of both. A dead letter that was sent and has not come back is not
/// sent again; one that came back stands for its event, until --max-replays is reached.
///
/// Each replay is written down before it is sent, and what came of it after. One replay runs at a
/// time; one that was interrupted is cleared up by the next, which looks in Kafka for what had
/// arrived.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit replay-dlt --dry-run                                   # only the plan
  audit replay-dlt --error '*Timeout*' --reason 'bank is back'
  audit replay-dlt --since today --rate 50 --yes               # 50 a second, without asking
  audit replay-dlt --topic orders-retry-0-dlt --to orders      # where no header tells the origin
  audit replay-dlt --status                                    # what came of each replay")]
pub(crate) struct ReplayDltArgs {
    #[command(flatten)]
    pub(crate) selectors: SelectorArgs,
    /// Only show the plan. Needs Kafka only to say which topics don't exist
    #[arg(long, help_heading = "Replay")]
    dry_run: bool,
    /// Send without asking
    #[arg(short, long, conflicts_with = "dry_run", help_heading = "Replay")]
    yes: bool,
    /// Send at most so many, those first that were recorded first; with --status, show at most so
    /// many
    #[arg(short = 'n', long, value_name = "RECORDS", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Replay")]
    limit: Option<u32>,
    /// Send at most so many a second
    #[arg(long, value_name = "RECORDS", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Replay")]
    rate: Option<u32>,
    /// An event that was replayed so often and came back is not sent any more
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..), help_heading = "Replay")]
    max_replays: i32,
    /// Send to this topic instead
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

pub(crate) async fn run(
    args: &ReplayDltArgs,
    connection: &ConnectionArgs,
) -> Result<Exit, Failure> {
    let asks = !args.dry_run && !args.yes && !args.status;
    if asks && !terminal::can_ask() {
        return Err(Failure::usage("nobody can be asked whether to send, so nothing was sent")
            .with_hint("--dry-run shows the plan, --yes sends"));
    }
    let selection = of_dead_letters(args.selectors.selection()?)?;
    if args.status {
        return status::run(&selection, args.limit, &args.output, connection).await;
    }
    if args.dry_run {
        return dry_run(args, connection, &selection).await;
    }

    let mut replayer = Replayer::open(&connection.database()?, connection.kafka()?).await?;
    let resolved = replayer
        .recover_pending(|time| {
            terminal::status(&format!(
                "an earlier replay was interrupted; waiting {} s for what it may still have under way",
                time.as_secs() + 1
            ));
        })
        .await?;
    say_resolved(resolved);
    let plan =
        make_plan(args, replayer.session_mut(), &selection, Targets::Must(connection)).await?;
    let shown = show(&plan, &args.output)?;
    if plan.steps.is_empty() {
        return Ok(shown);
    }
    let question = format!("Send {}?", records(plan.steps.len()));
    let unheard = |error| Failure::new(format!("reading the answer: {error}"));
    if asks && !terminal::ask(&question).await.map_err(unheard)? {
        terminal::status("nothing was sent");
        return Ok(Exit::Done);
    }
    send(args, &replayer, &plan).await
}

async fn dry_run(
    args: &ReplayDltArgs,
    connection: &ConnectionArgs,
    selection: &Selection,
) -> Result<Exit, Failure> {
    let mut session = connection.session("audit replay-dlt --dry-run").await?;
    let plan = make_plan(args, &mut session, selection, Targets::May(connection)).await?;
    show(&plan, &args.output)
}

/// Whether the plan has to know which topics exist.
enum Targets<'a> {
    /// It is carried out.
    Must(&'a ConnectionArgs),
    /// It is only shown.
    May(&'a ConnectionArgs),
}

async fn make_plan(
    args: &ReplayDltArgs,
    session: &mut Session,
    selection: &Selection,
    targets: Targets<'_>,
) -> Result<Plan, Failure> {
    let reading = session.read(ReadMode::All).await?;
    let resolved = store::resolve(&reading, selection, RowScope::Existing).await?;
    let candidates = replay::candidates(&reading, &resolved).await?;
    reading.finish().await?;
    let to = args.to.as_deref();
    let partitions = match targets {
        Targets::Must(connection) => {
            Some(replay::target_partitions(&connection.kafka()?, &candidates, to).await?)
        }
        Targets::May(connection) => {
            let asked = match connection.kafka() {
                Ok(kafka) => replay::target_partitions(&kafka, &candidates, to)
                    .await
                    .map_err(|error| error.to_string()),
                Err(failure) => Err(failure.message().to_owned()),
            };
            match asked {
                Ok(partitions) => Some(partitions),
                Err(reason) => {
                    terminal::status(&format!("whether the topics exist is unknown: {reason}"));
                    None
                }
            }
        }
    };
    let rules = Rules {
        to: args.to.clone(),
        max_replays: args.max_replays,
        again: args.again,
        same_partition: args.same_partition,
        limit: args.limit.map(|limit| limit as usize),
        partitions,
    };
    Ok(Plan::new(&candidates, &rules))
}

const COLUMNS: [&str; 8] =
    ["action", "records", "from_topic", "to_topic", "error", "oldest", "newest", "why"];

/// Without the times, which are in the sum.
const IN_NARROW_TABLES: [&str; 6] = ["action", "records", "from_topic", "to_topic", "error", "why"];

/// From this width on a terminal has room for the times.
const WIDE_TERMINAL: u16 = 180;

/// Shows the plan on stdout, and its sum on stderr.
fn show(plan: &Plan, output: &OutputArgs) -> Result<Exit, Failure> {
    let columns = COLUMNS.map(Column::new);
    let narrow = terminal::width().is_some_and(|width| width < WIDE_TERMINAL);
    let in_tables = if narrow { &IN_NARROW_TABLES[..] } else { &COLUMNS };
    let rows = plan.groups.iter().map(|group| (cells(group), emphasis(group.action))).collect();
    let exit = result_table::show(&columns, in_tables, rows, "no dead letters match", output)?;
    if !plan.groups.is_empty() {
        terminal::status(&sum(plan));
    }
    Ok(exit)
}

/// The plan in a line: how many of each, and from when those are that are sent.
fn sum(plan: &Plan) -> String {
    let counts = Action::ALL
        .into_iter()
        .map(|action| (action, plan.count(action)))
        .filter(|(action, count)| *count > 0 || *action == Action::Replay);
    let words = |(action, count): (Action, usize)| match action {
        Action::Replay => format!("{count} to replay"),
        other => format!("{count} {}", other.as_str()),
    };
    let counts: Vec<String> = counts.map(words).collect();
    let time = |time| timestamp_text(Timestamp::without_zone(time));
    let range = plan
        .range()
        .map(|(oldest, newest)| format!("; events of {} to {}", time(oldest), time(newest)));
    format!("{}{}", counts.join(", "), range.unwrap_or_default())
}

fn cells(group: &Group) -> Vec<Value<'_>> {
    vec![
        group.action.as_str().into(),
        Value::Integer(group.records as i64),
        group.from.as_deref().into(),
        group.to.as_deref().into(),
        group.error.as_deref().into(),
        Timestamp::without_zone(group.oldest).into(),
        Timestamp::without_zone(group.newest).into(),
        group.why.as_deref().into(),
    ]
}

fn emphasis(action: Action) -> Emphasis {
    match action {
        Action::Replay | Action::Later | Action::AlreadyReplayed => Emphasis::None,
        Action::Pending | Action::Parked => Emphasis::Notice,
        Action::NotReplayable => Emphasis::Alarm,
    }
}

async fn send(args: &ReplayDltArgs, replayer: &Replayer, plan: &Plan) -> Result<Exit, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    signals::on_stop({
        let stop = Arc::clone(&stop);
        move || stop.store(true, Ordering::Relaxed)
    })?;
    let total = plan.steps.len();
    let bar = progress_bar(total);
    let options = ReplayOptions {
        requested_by: requested_by(),
        reason: args.reason.clone(),
        rate: args.rate,
    };
    let mut so_far = SendProgress::default();
    let outcome = replayer
        .send(&plan.steps, &options, &stop, |sent| {
            so_far = sent;
            if let Some(bar) = &bar {
                bar.set_position(sent.total() as u64);
            }
        })
        .await;
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    let mut line = format!("{} of {} sent", so_far.sent, records(total));
    if so_far.failed > 0 {
        line.push_str(&format!(", {} failed", so_far.failed));
    }
    terminal::status(&line);
    outcome?;
    if so_far.total() < total && stop.load(Ordering::Relaxed) {
        return Err(Failure::new(format!(
            "interrupted; {} were not sent",
            records(total - so_far.total())
        ))
        .with_hint("the next run goes on with them")
        .with_exit(Exit::Interrupted));
    }
    if so_far.failed > 0 {
        return Err(Failure::new(format!("{} could not be sent", records(so_far.failed)))
            .with_hint("`audit replay-dlt --status` says why"));
    }
    Ok(Exit::Done)
}

fn say_resolved(resolved: RecoveredReplays) {
    if resolved != RecoveredReplays::default() {
        terminal::status(&format!(
            "an earlier replay was interrupted: of {}, {} had arrived, and {} had not",
            records(resolved.arrived + resolved.missing),
            resolved.arrived,
            resolved.missing
        ));
    }
}

fn records(count: usize) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}

fn progress_bar(total: usize) -> Option<ProgressBar> {
    if !terminal::stderr_is_terminal() {
        return None;
    }
    let bar = ProgressBar::new(total as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} sent, {eta} left") {
        bar.set_style(style);
    }
    Some(bar)
}

/// Who asks for it, as the operating system says: `user@host`. The database's role is recorded
/// beside it.
fn requested_by() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    let user = user.ok().filter(|user| !user.is_empty()).unwrap_or_else(|| "unknown".to_owned());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    match host.trim() {
        "" => user,
        host => format!("{user}@{host}"),
    }
}

impl From<replay::Error> for Failure {
    fn from(error: replay::Error) -> Self {
        let failure = Self::new(error.to_string());
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}
