//! The statements that select the events of stories.

use tokio_postgres::types::Type;

use super::conditions::{selection_conditions, where_clause};
use super::first_delivery::Deliveries;
use super::resolved::{ErrorFilter, ResolvedSelection};
use crate::event::{QUARANTINED, TOMBSTONE};
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

/// What makes events one story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoryBy {
    /// The correlation, else the aggregate.
    Correlation,
    /// The aggregate, whatever the correlation.
    Aggregate,
}

impl StoryBy {
    /// The SQL of both parts of an event's key.
    pub(in crate::store) fn key(self) -> (&'static str, &'static str) {
        match self {
            Self::Correlation => (
                "event.correlation_id",
                "CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END",
            ),
            Self::Aggregate => ("NULL::uuid", "event.aggregate_id"),
        }
    }

    /// The condition that an event belongs to a story.
    fn has_key(self) -> &'static str {
        match self {
            Self::Correlation => {
                "(event.correlation_id IS NOT NULL OR event.aggregate_id IS NOT NULL)"
            }
            Self::Aggregate => "event.aggregate_id IS NOT NULL",
        }
    }

    /// The condition that an event belongs to no story.
    fn has_no_key(self) -> &'static str {
        match self {
            Self::Correlation => "event.aggregate_id IS NULL AND event.correlation_id IS NULL",
            Self::Aggregate => "event.aggregate_id IS NULL",
        }
    }

    /// The ways from a candidate to its events: the key of these, and the condition.
    fn branches(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let of_correlation = (
            "candidate.correlation, NULL::uuid AS aggregate",
            "event.correlation_id = candidate.correlation",
        );
        let of_aggregate = match self {
            Self::Correlation => (
                "NULL::uuid AS correlation, candidate.aggregate",
                "event.aggregate_id = candidate.aggregate AND event.correlation_id IS NULL",
            ),
            Self::Aggregate => (
                "NULL::uuid AS correlation, candidate.aggregate",
                "event.aggregate_id = candidate.aggregate",
            ),
        };
        let is_asked = self == Self::Correlation;
        is_asked.then_some(of_correlation).into_iter().chain([of_aggregate])
    }
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
        let events = self.events(walk, StoryBy::Correlation, &[], &[], &mut parameters);
        let is_step = step_condition(deliveries, &mut parameters);
        let sql = format!(
            "WITH {events}
SELECT correlation, aggregate, created_at, id, event_type, is_dlt IS TRUE,
       {is_step},
       matches
  FROM event
 ORDER BY correlation, aggregate, created_at, id"
        );
        Statement { sql, parameters }
    }

    /// The common table expression `event`, the events of the stories: `correlation`, `aggregate`,
    /// the columns that [`step_condition`] asks for, `matches`, and these `columns`. Where every
    /// row is read, only those with these `conditions`.
    pub(in crate::store) fn events(
        &self,
        walk: Walk,
        by: StoryBy,
        columns: &[String],
        conditions: &[String],
        parameters: &mut Parameters,
    ) -> String {
        let others = selection_conditions(&self.others, "event", parameters);
        // What is NULL matches nothing.
        let matches = match others.is_empty() {
            true => "true".to_owned(),
            false => format!("({}) IS TRUE", others.join(" AND ")),
        };
        let mut columns: Vec<_> = columns.iter().map(|column| format!(", {column}")).collect();
        columns.insert(
            0,
            format!(
                "event.id, event.event_id, event.event_type, event.created_at, event.is_dlt, event.partition_id, {matches} AS matches"
            ),
        );
        let columns = columns.concat();
        let (correlation, aggregate) = by.key();
        let mut candidates = self.candidate_conditions(walk, parameters);
        candidates.push(by.has_key().to_owned());
        match walk {
            Walk::All => {
                // Plans it by itself, too: the order of stories would be had by an index that leads
                // through every row.
                let fence = if conditions.is_empty() { "" } else { "\n OFFSET 0" };
                candidates.extend_from_slice(conditions);
                format!(
                    "event AS (
    SELECT {correlation} AS correlation,
           {aggregate} AS aggregate,
           {columns}
      FROM event_logs event{}{fence}
)",
                    where_clause(&candidates)
                )
            }
            // Plans the events of each story by themselves (OFFSET 0 does that): an index has them.
            Walk::Period | Walk::Matches => {
                let branches = by.branches().map(|(key, condition)| {
                    format!(
                        "SELECT {key}, event.*
      FROM candidate
     CROSS JOIN LATERAL (SELECT {columns} FROM event_logs event
                          WHERE {condition} OFFSET 0) event"
                    )
                });
                format!(
                    "candidate AS MATERIALIZED (
    SELECT DISTINCT {correlation} AS correlation,
           {aggregate} AS aggregate
      FROM event_logs event{}
), event AS (
    {}
)",
                    where_clause(&candidates),
                    branches.collect::<Vec<_>>().join("\n    UNION ALL\n    ")
                )
            }
        }
    }

    /// The statement that counts the selected steps that belong to no story, of these types where
    /// some are named.
    pub(in crate::store) fn without_story(
        &self,
        by: StoryBy,
        types: Option<&[String]>,
        deliveries: &Deliveries,
    ) -> Statement {
        let mut parameters = Parameters::default();
        let mut conditions = vec![by.has_no_key().to_owned()];
        if let Some(types) = types {
            conditions.push(of_types(types, &mut parameters));
        }
        conditions.extend(selection_conditions(&self.period, "event", &mut parameters));
        conditions.extend(selection_conditions(&self.others, "event", &mut parameters));
        conditions.push(step_condition(deliveries, &mut parameters));
        let sql = format!("SELECT count(*) FROM event_logs event{}", where_clause(&conditions));
        Statement { sql, parameters }
    }
}

/// The condition that the row `event` is of one of these types.
pub(in crate::store) fn of_types(types: &[String], parameters: &mut Parameters) -> String {
    format!("event.event_type = ANY({})", parameters.bind(types.to_vec(), Type::VARCHAR_ARRAY))
}

/// The condition that the row `event` is a step.
pub(in crate::store) fn step_condition(
    deliveries: &Deliveries,
    parameters: &mut Parameters,
) -> String {
    let others = parameters.bind(vec![QUARANTINED, TOMBSTONE], Type::VARCHAR_ARRAY);
    format!(
        "event.is_dlt IS NOT TRUE AND event.event_type <> ALL({others}) AND {}",
        deliveries.is_first("event", parameters)
    )
}
