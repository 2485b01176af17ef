//! `audit replay-dlt --status`: earlier replays, and what came of each.

use crate::cli::shared::{Context, OutputArgs, explain_selection, print_rows};
use crate::cli::ui::{Exit, Failure};
use crate::count_text::counted;
use crate::dead_letter::ReplayState;
use crate::filter::Selection;
use crate::output::{Column, Emphasis};
use crate::store;
use crate::store::{ReadMode, ReplayOutcome, RowScope};
use crate::time::Timestamp;
use crate::value::Value;

/// How many are shown unless `--limit` says otherwise.
const SHOWN: u32 = 50;

const COLUMNS: [&str; 15] = [
    "requested_at",
    "state",
    "event_type",
    "event_id",
    "attempt",
    "target_topic",
    "new_partition",
    "new_offset",
    "returned_as",
    "error",
    "reason",
    "requested_by",
    "database_role",
    "event_log_id",
    "replay_id",
];

const IN_TABLES: [&str; 9] = [
    "requested_at",
    "state",
    "event_type",
    "event_log_id",
    "event_id",
    "attempt",
    "target_topic",
    "reason",
    "error",
];

/// Shows the replays of the selected dead letters, the newest first.
pub(super) async fn show(
    selection: &Selection,
    limit: Option<u32>,
    output: &OutputArgs,
    context: &Context<'_>,
) -> Result<Exit, Failure> {
    let mut session = context.settings.session("audit replay-dlt --status").await?;
    let reading = session.read(ReadMode::All).await?;
    let resolved = store::resolve(&reading, selection, RowScope::Existing).await?;
    let limit = limit.unwrap_or(SHOWN) as usize;
    let mut replays = match resolved.is_empty() {
        true => Vec::new(),
        // One more than is shown tells whether more match.
        false => store::replay_outcomes(&reading, &resolved, limit as i64 + 1).await?,
    };
    let more = replays.len() > limit;
    replays.truncate(limit);
    let columns = COLUMNS.map(|name| match name {
        "event_type" => Column::new(name).category(),
        "error" | "reason" => Column::new(name).explains(),
        "attempt" => Column::new(name).optional(1),
        "event_id" => Column::new(name).optional(2),
        "target_topic" => Column::new(name).optional(3).whole(),
        "state" => Column::new(name).whole(),
        _ => Column::new(name),
    });
    let rows = replays.iter().map(|replay| (cells(replay), emphasis(replay.state))).collect();
    let empty = "no dead letter was replayed";
    let exit = print_rows(&columns, &IN_TABLES, rows, empty, output, context.ui)?;
    explain_selection(&reading, selection, !replays.is_empty(), context.ui).await?;
    if let Some(sum) = sum(&replays, more) {
        context.ui.status(&sum);
    }
    Ok(exit)
}

/// How many came to what, and whether there are more than those that are shown.
fn sum(replays: &[ReplayOutcome], more: bool) -> Option<String> {
    let count = |state| (replays.iter().filter(|replay| replay.state == state).count(), state);
    let counts: Vec<String> = ReplayState::ALL
        .into_iter()
        .rev()
        .map(count)
        .filter(|(count, _)| *count > 0)
        .map(|(count, state)| format!("{count} {}", state.as_str()))
        .collect();
    let all = counted(replays.len(), "replay");
    match (replays.is_empty(), more) {
        (true, _) => None,
        (false, false) => Some(format!("{all}: {}", counts.join(", "))),
        (false, true) => {
            let counts = counts.join(", ");
            Some(format!("{all} shown: {counts}; more match; show more with --limit"))
        }
    }
}

fn cells(replay: &ReplayOutcome) -> Vec<Value<'_>> {
    vec![
        Timestamp::with_zone(replay.requested_at).into(),
        replay.state.as_str().into(),
        replay.event_type.as_str().into(),
        replay.event_id.into(),
        replay.attempt.into(),
        replay.target_topic.as_str().into(),
        replay.new_partition.into(),
        replay.new_offset.into(),
        replay.returned_as.into(),
        replay.error.as_deref().into(),
        replay.reason.as_deref().into(),
        replay.requested_by.as_str().into(),
        replay.database_role.as_str().into(),
        replay.row_id.into(),
        replay.replay_id.into(),
    ]
}

fn emphasis(state: ReplayState) -> Emphasis {
    match state {
        ReplayState::Failed | ReplayState::Returned => Emphasis::Alarm,
        ReplayState::Pending => Emphasis::Notice,
        ReplayState::Sent | ReplayState::Processed => Emphasis::None,
    }
}
