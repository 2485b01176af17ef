//! The plan of a replay: made of what is selected, and shown before anything is sent.

use crate::cli::shared::{Context, OutputArgs, print_rows};
use crate::cli::ui::{Exit, Failure, Ui, WidthClass};
use crate::dead_letter::{Plan, PlanGroup, PlannedAction, ReplayRules};
use crate::filter::Selection;
use crate::output::{Column, Emphasis};
use crate::replay;
use crate::store;
use crate::store::{ReadMode, RowScope, Session};
use crate::time::{Timestamp, timestamp_text};
use crate::value::Value;

/// Whether the plan has to know which topics exist.
pub(super) enum Partitions {
    /// It is carried out.
    Needed,
    /// It is only shown.
    IfKnown,
}

/// Makes the plan of what is selected now. The partitions of `rules` are asked for here.
pub(super) async fn make(
    rules: ReplayRules,
    session: &mut Session,
    selection: &Selection,
    partitions: Partitions,
    context: &Context<'_>,
) -> Result<Plan, Failure> {
    let reading = session.read(ReadMode::All).await?;
    let resolved = store::resolve(&reading, selection, RowScope::Existing).await?;
    let candidates = replay::candidates(&reading, &resolved).await?;
    reading.finish().await?;
    let to = rules.to.as_deref();
    let kafka = context.settings.kafka();
    let partitions = match partitions {
        Partitions::Needed => Some(replay::target_partitions(&kafka?, &candidates, to).await?),
        Partitions::IfKnown => {
            let asked = match kafka {
                Ok(kafka) => replay::target_partitions(&kafka, &candidates, to)
                    .await
                    .map_err(|error| error.to_string()),
                Err(failure) => Err(failure.message().to_owned()),
            };
            let unknown = |reason| {
                context.ui.status(&format!("whether the topics exist is unknown: {reason}"));
            };
            asked.map_err(unknown).ok()
        }
    };
    Ok(Plan::new(&candidates, &ReplayRules { partitions, ..rules }))
}

const COLUMNS: [&str; 8] =
    ["action", "records", "from_topic", "to_topic", "error", "oldest", "newest", "why"];

/// Without the times, which are in the sum.
const IN_NARROW_TABLES: [&str; 6] = ["action", "records", "from_topic", "to_topic", "error", "why"];

/// Shows the plan on stdout, and its sum on stderr.
pub(super) fn show(plan: &Plan, output: &OutputArgs, ui: Ui) -> Result<Exit, Failure> {
    let columns = COLUMNS.map(Column::new);
    let has_room = ui.width() == WidthClass::Widest;
    let in_tables = if has_room { &COLUMNS[..] } else { &IN_NARROW_TABLES };
    let rows = plan.groups.iter().map(|group| (cells(group), emphasis(group.action))).collect();
    let exit = print_rows(&columns, in_tables, rows, "no dead letters match", output, ui)?;
    if !plan.groups.is_empty() {
        ui.status(&sum(plan));
    }
    Ok(exit)
}

/// The plan in a line: how many of each, and from when those are that are sent.
fn sum(plan: &Plan) -> String {
    let counts = PlannedAction::ALL
        .into_iter()
        .map(|action| (action, plan.count(action)))
        .filter(|(action, count)| *count > 0 || *action == PlannedAction::Replay);
    let words = |(action, count): (PlannedAction, usize)| match action {
        PlannedAction::Replay => format!("{count} to replay"),
        other => format!("{count} {}", other.as_str()),
    };
    let counts: Vec<String> = counts.map(words).collect();
    let time = |time| timestamp_text(Timestamp::without_zone(time));
    let range = plan
        .range()
        .map(|(oldest, newest)| format!("; events of {} to {}", time(oldest), time(newest)));
    format!("{}{}", counts.join(", "), range.unwrap_or_default())
}

fn cells(group: &PlanGroup) -> Vec<Value<'_>> {
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

fn emphasis(action: PlannedAction) -> Emphasis {
    match action {
        PlannedAction::Replay | PlannedAction::Later | PlannedAction::AlreadyReplayed => {
            Emphasis::None
        }
        PlannedAction::Pending | PlannedAction::Parked => Emphasis::Notice,
        PlannedAction::NotReplayable => Emphasis::Alarm,
    }
}
