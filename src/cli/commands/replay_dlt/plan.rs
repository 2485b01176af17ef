//! The plan of a replay: made of what is selected, and shown before anything is sent.

use std::collections::BTreeSet;

use crate::cli::shared::{Context, OutputArgs, explain_selection, print_rows};
use crate::cli::ui::{Exit, Failure, Ui};
use crate::dead_letter::{Plan, PlanGroup, PlannedAction, ReplayRules, short_class};
use crate::filter::Selection;
use crate::output::{Column, Emphasis};
use crate::replay;
use crate::replay::Readers;
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

/// A plan, and what is known of those who would read what it sends.
pub(super) struct CheckedPlan {
    pub(super) plan: Plan,
    readers: Readers,
    /// Whether Kafka told which topics exist.
    knows_topics: bool,
}

impl CheckedPlan {
    /// Why what the group sends may not be processed soon.
    fn warning(&self, group: &PlanGroup) -> Option<String> {
        match (&group.to, group.action) {
            (Some(to), PlannedAction::Replay) => {
                self.readers.warning(group.consumer_group.as_deref(), to)
            }
            _ => None,
        }
    }
}

/// Makes the plan of what is selected now. The partitions of `rules` are asked for here, and who
/// reads them.
pub(super) async fn make(
    rules: ReplayRules,
    session: &mut Session,
    selection: &Selection,
    partitions: Partitions,
    context: &Context<'_>,
) -> Result<CheckedPlan, Failure> {
    let progress = context.ui.progress();
    progress.doing("reading the dead letters");
    let reading = session.read(ReadMode::All).await?;
    let resolved = store::resolve(&reading, selection, RowScope::Existing).await?;
    let candidates = replay::candidates(&reading, &resolved).await?;
    explain_selection(&reading, selection, !candidates.is_empty(), context.ui).await?;
    reading.finish().await?;
    progress.doing("asking Kafka for the topics and who reads them");
    let asked = match context.settings.kafka() {
        Ok(kafka) => replay::target_partitions(&kafka, &candidates, rules.to.as_deref())
            .await
            .map(|found| (kafka, found))
            .map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    match (asked, partitions) {
        (Ok((kafka, found)), _) => {
            let rules = ReplayRules { partitions: Some(found), ..rules };
            let plan = Plan::new(&candidates, &rules);
            let readers = Readers::ask(&kafka, &plan).await;
            Ok(CheckedPlan { plan, readers, knows_topics: true })
        }
        (Err(failure), Partitions::Needed) => Err(failure),
        (Err(failure), Partitions::IfKnown) => {
            let reason = failure.message().to_owned();
            context.ui.status(&format!("whether the topics exist is unknown: {reason}"));
            let plan = Plan::new(&candidates, &rules);
            Ok(CheckedPlan { plan, readers: Readers::Unknown(reason), knows_topics: false })
        }
    }
}

/// Those of the table: the warnings are on stderr.
const IN_TABLES: [&str; 9] = [
    "action",
    "records",
    "from_topic",
    "to_topic",
    "consumer_group",
    "oldest",
    "newest",
    "error",
    "why",
];

fn columns() -> [Column; 10] {
    [
        Column::new("action").whole(),
        Column::new("records"),
        Column::new("from_topic").whole(),
        Column::new("to_topic").whole(),
        Column::new("consumer_group").optional(1),
        Column::new("error").explains().shortened(short_class),
        // They are in the sum, too.
        Column::new("oldest").optional(2),
        Column::new("newest").optional(2),
        Column::new("why").explains(),
        Column::new("warning"),
    ]
}

/// Shows the plan on stdout, and its sum and its warnings on stderr. A plan that does not know
/// which topics exist is incomplete.
pub(super) fn show(checked: &CheckedPlan, output: &OutputArgs, ui: Ui) -> Result<Exit, Failure> {
    let plan = &checked.plan;
    let warnings: Vec<_> = plan.groups.iter().map(|group| checked.warning(group)).collect();
    let rows = plan.groups.iter().zip(&warnings);
    let rows = rows
        .map(|(group, warning)| (cells(group, warning.as_deref()), emphasis(group.action)))
        .collect();
    let exit = print_rows(&columns(), &IN_TABLES, rows, "no dead letters match", output, ui)?;
    if !plan.groups.is_empty() {
        ui.status(&sum(plan));
    }
    for warning in warnings.into_iter().flatten().collect::<BTreeSet<_>>() {
        ui.status(&format!("warning: {warning}"));
    }
    let is_complete = checked.knows_topics || plan.groups.is_empty();
    Ok(if exit == Exit::Done && !is_complete { Exit::Incomplete } else { exit })
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

fn cells<'a>(group: &'a PlanGroup, warning: Option<&'a str>) -> Vec<Value<'a>> {
    vec![
        group.action.as_str().into(),
        Value::Integer(group.records as i64),
        group.from.as_deref().into(),
        group.to.as_deref().into(),
        group.consumer_group.as_deref().into(),
        group.error.as_deref().into(),
        Timestamp::without_zone(group.oldest).into(),
        Timestamp::without_zone(group.newest).into(),
        group.why.as_deref().into(),
        warning.into(),
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
