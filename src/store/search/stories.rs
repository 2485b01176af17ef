//! The statements that select the events of stories.

use super::conditions::{selection_conditions, where_clause};
use super::first_delivery::{Deliveries, is_delivery};
use super::resolved::{ErrorFilter, ResolvedSelection};
use crate::filter::{Selection, TimeRange};
use crate::store::connection::statement::{Parameters, Statement};

/// How the events of stories are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Walk {
    /// Reads every row.
    All,
    /// Looks for the stories that have an event in the range of time, then for their events.
    Period,
    /// Looks for the stories that have an event with what the other selectors ask for, then for
    /// their events.
    Matches,
}

/// A selection of stories: its range of time is that of the first step, the rest asks for one
/// event.
pub(in crate::store) struct StorySelection {
    period: ResolvedSelection,
    others: ResolvedSelection,
}

impl StorySelection {
    pub(in crate::store) fn new(resolved: &ResolvedSelection) -> Self {
        let Selection { created, days, .. } = resolved.selection.clone();
        let selection = Selection {
            created: TimeRange::default(),
            days: Vec::new(),
            ..resolved.selection.clone()
        };
        Self {
            period: ResolvedSelection {
                selection: Selection { created, days, ..Selection::default() },
                ..ResolvedSelection::default()
            },
            others: ResolvedSelection { selection, ..resolved.clone() },
        }
    }

    /// How to find the events, as far as the selectors tell it.
    pub(in crate::store) fn walk(&self) -> Walk {
        let is_empty =
            |part| selection_conditions(part, "event", &mut Parameters::default()).is_empty();
        let others = &self.others;
        let is_narrow = others.has_ids()
            || others.dead_letters == Some(true)
            || others.errors != ErrorFilter::Any
            || others.selection.quarantined
            || others.recorded.is_some();
        match (is_empty(&self.period), is_empty(others)) {
            (true, true) => Walk::All,
            (false, _) if !is_narrow => Walk::Period,
            _ => Walk::Matches,
        }
    }

    /// The rows whose stories are looked for: to ask how many there are.
    pub(in crate::store) fn candidate_rows(&self, walk: Walk) -> Statement {
        let mut parameters = Parameters::default();
        let conditions = where_clause(&self.candidate_conditions(walk, &mut parameters));
        Statement {
            sql: format!("SELECT event.id\n  FROM event_logs event{conditions}"),
            parameters,
        }
    }

    fn candidate_conditions(&self, walk: Walk, parameters: &mut Parameters) -> Vec<String> {
        match walk {
            Walk::All => Vec::new(),
            Walk::Period => selection_conditions(&self.period, "event", parameters),
            Walk::Matches => selection_conditions(&self.others, "event", parameters),
        }
    }

    /// The events of the stories, story by story and in the order of their times: correlation,
    /// aggregate where there is no correlation, time, id, type, whether it is a dead letter,
    /// whether it is a step, whether it has what the other selectors ask for.
    pub(in crate::store) fn statement(&self, walk: Walk, deliveries: &Deliveries) -> Statement {
        let mut parameters = Parameters::default();
        let others = selection_conditions(&self.others, "event", &mut parameters);
        // What is NULL matches nothing.
        let matches = match others.is_empty() {
            true => "true".to_owned(),
            false => format!("({}) IS TRUE", others.join(" AND ")),
        };
        let columns = format!(
            "event.id, event.event_id, event.event_type, event.created_at, event.is_dlt, event.partition_id, {matches} AS matches"
        );
        let candidates = self.candidate_conditions(walk, &mut parameters);
        let events = match walk {
            Walk::All => format!(
                "SELECT event.correlation_id AS correlation,
           CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END AS aggregate,
           {columns}
      FROM event_logs event
     WHERE event.correlation_id IS NOT NULL OR event.aggregate_id IS NOT NULL"
            ),
            // Plans the events of each story by themselves (OFFSET 0 does that): an index has them.
            Walk::Period | Walk::Matches => format!(
                "SELECT candidate.correlation, NULL::uuid AS aggregate, event.*
      FROM candidate
     CROSS JOIN LATERAL (SELECT {columns} FROM event_logs event
                          WHERE event.correlation_id = candidate.correlation OFFSET 0) event
    UNION ALL
    SELECT NULL, candidate.aggregate, event.*
      FROM candidate
     CROSS JOIN LATERAL (SELECT {columns} FROM event_logs event
                          WHERE event.aggregate_id = candidate.aggregate AND event.correlation_id IS NULL OFFSET 0) event"
            ),
        };
        let candidate = match walk {
            Walk::All => String::new(),
            Walk::Period | Walk::Matches => format!(
                "candidate AS MATERIALIZED (
    SELECT DISTINCT event.correlation_id AS correlation,
           CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END AS aggregate
      FROM event_logs event{}
), ",
                where_clause(&candidates)
            ),
        };
        let is_step = step_condition(deliveries, &mut parameters);
        let sql = format!(
            "WITH {candidate}event AS (
    {events}
)
SELECT correlation, aggregate, created_at, id, event_type, is_dlt IS TRUE,
       {is_step},
       matches
  FROM event
 ORDER BY correlation, aggregate, created_at, id"
        );
        Statement { sql, parameters }
    }

    /// The statement that counts the selected steps that belong to no story.
    pub(in crate::store) fn without_story(&self, deliveries: &Deliveries) -> Statement {
        let mut parameters = Parameters::default();
        let mut conditions =
            vec!["event.aggregate_id IS NULL AND event.correlation_id IS NULL".to_owned()];
        conditions.extend(selection_conditions(&self.period, "event", &mut parameters));
        conditions.extend(selection_conditions(&self.others, "event", &mut parameters));
        conditions.push(step_condition(deliveries, &mut parameters));
        let sql = format!("SELECT count(*) FROM event_logs event{}", where_clause(&conditions));
        Statement { sql, parameters }
    }
}

/// The condition that the row `event` is a step.
pub(in crate::store) fn step_condition(
    deliveries: &Deliveries,
    parameters: &mut Parameters,
) -> String {
    format!("{} AND {}", is_delivery("event"), deliveries.is_first("event", parameters))
}
