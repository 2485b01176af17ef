//! The statements that select the events of stories.

use tokio_postgres::types::Type;

use super::conditions::{selection_conditions, text_conditions, where_clause};
use super::first_delivery::{Deliveries, is_delivery};
use super::resolved::{ErrorFilter, ResolvedSelection, TextFilter};
use super::story_by::StoryBy;
use crate::analysis::StoryKey;
use crate::filter::{Selection, TimeRange};
use crate::store::connection::statement::{Parameters, Statement};
use crate::time::PostgresMicros;

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

/// What tells, before all events of a story are read, that it did not end.
pub(in crate::store) struct Unended {
    /// It holds a step of these types.
    pub(in crate::store) starts: TextFilter,
    /// The types that end a story.
    pub(in crate::store) ends: TextFilter,
    /// Whether a step of these types ends it wherever it stands, or only as the last one.
    pub(in crate::store) anywhere: bool,
    /// Its last step happened by then.
    pub(in crate::store) silent_since: PostgresMicros,
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
        let events = match walk {
            Walk::All => Events::default(),
            Walk::Period | Walk::Matches => {
                let conditions = self.candidate_conditions(walk, &mut parameters);
                let candidates = candidates(StoryBy::Correlation, conditions);
                Events { candidates: Some(candidates), ..Events::default() }
            }
        };
        self.in_order(events, deliveries, parameters)
    }

    /// The same of these stories.
    pub(in crate::store) fn of_keys(
        &self,
        keys: &[StoryKey],
        deliveries: &Deliveries,
    ) -> Statement {
        let (mut correlations, mut aggregates) = (Vec::new(), Vec::new());
        for key in keys {
            match key {
                StoryKey::Correlation(id) => correlations.push(*id),
                StoryKey::Aggregate(id) => aggregates.push(*id),
            }
        }
        let mut parameters = Parameters::default();
        let correlations = parameters.bind(correlations, Type::UUID_ARRAY);
        let aggregates = parameters.bind(aggregates, Type::UUID_ARRAY);
        let candidates = format!(
            "SELECT unnest({correlations}) AS correlation, NULL::uuid AS aggregate
     UNION ALL SELECT NULL, unnest({aggregates})"
        );
        let events = Events { candidates: Some(candidates), ..Events::default() };
        self.in_order(events, deliveries, parameters)
    }

    /// The same of the stories that began in the range of time, as far as it can be told without
    /// reading all of them. Of a story at most `longest` events are read.
    pub(in crate::store) fn of_beginnings(
        &self,
        longest: i64,
        deliveries: &Deliveries,
    ) -> Statement {
        let mut parameters = Parameters::default();
        let mut conditions = self.candidate_conditions(Walk::Period, &mut parameters);
        conditions.push("event.is_dlt IS NOT TRUE".to_owned());
        let is_earlier = "earlier.is_dlt IS NOT TRUE AND earlier.created_at < event.created_at";
        conditions.push(format!(
            "CASE WHEN event.correlation_id IS NOT NULL
              THEN NOT EXISTS (SELECT FROM event_logs earlier
                                WHERE earlier.correlation_id = event.correlation_id AND {is_earlier})
              ELSE NOT EXISTS (SELECT FROM event_logs earlier
                                WHERE earlier.aggregate_id = event.aggregate_id AND earlier.correlation_id IS NULL
                                  AND {is_earlier}) END"
        ));
        let candidates = candidates(StoryBy::Correlation, conditions);
        let events =
            Events { candidates: Some(candidates), longest: Some(longest), ..Events::default() };
        self.in_order(events, deliveries, parameters)
    }

    /// The events of the range of time, in the same order, and a column more: in the first row of a
    /// story how many events have its correlation, else its aggregate. Where that is how many came,
    /// the story lies within the range; the others have to be read by their keys. Most rows are
    /// read once like this, in the order in which they lie, and only the index is asked for each
    /// story.
    pub(in crate::store) fn in_period(&self, deliveries: &Deliveries) -> Statement {
        let mut parameters = Parameters::default();
        let matches = self.matches(&mut parameters);
        let is_step = step_condition(deliveries, &mut parameters);
        let mut conditions = self.candidate_conditions(Walk::Period, &mut parameters);
        conditions.push(
            "(event.correlation_id IS NOT NULL OR event.aggregate_id IS NOT NULL)".to_owned(),
        );
        let sql = format!(
            "SELECT correlation, aggregate, created_at, id, event_type, is_dlt, is_step, matches,
       CASE WHEN row_number() OVER (PARTITION BY correlation, aggregate ORDER BY created_at, id) > 1 THEN NULL
            WHEN correlation IS NULL THEN (SELECT count(*) FROM event_logs event WHERE event.aggregate_id = story.aggregate)
            ELSE (SELECT count(*) FROM event_logs event WHERE event.correlation_id = story.correlation) END
  FROM (SELECT event.correlation_id AS correlation,
               CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END AS aggregate,
               event.created_at, event.id, event.event_type, event.is_dlt IS TRUE AS is_dlt,
               {is_step} AS is_step,
               {matches} AS matches
          FROM event_logs event{}
        OFFSET 0) AS story
 ORDER BY correlation, aggregate, created_at, id",
            where_clause(&conditions)
        );
        Statement { sql, parameters }
    }

    /// Whether the row `event` has what the other selectors ask for. What is NULL matches nothing.
    fn matches(&self, parameters: &mut Parameters) -> String {
        let others = selection_conditions(&self.others, "event", parameters);
        match others.is_empty() {
            true => "true".to_owned(),
            false => format!("({}) IS TRUE", others.join(" AND ")),
        }
    }

    /// These events, story by story and in the order of their times.
    fn in_order(
        &self,
        events: Events<'_>,
        deliveries: &Deliveries,
        mut parameters: Parameters,
    ) -> Statement {
        let events = self.events(events, &mut parameters);
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

    /// The common table expressions that end with `event`: `correlation`, `aggregate`, the columns
    /// that [`step_condition`] asks for, `matches`, and those that are asked for.
    fn events(&self, events: Events<'_>, parameters: &mut Parameters) -> String {
        let Events { candidates, longest, by, columns, conditions } = events;
        let matches = self.matches(parameters);
        let more: String = columns.iter().map(|column| format!(", {column}")).collect();
        let columns = format!(
            "event.id, event.event_id, event.event_type, event.created_at, event.is_dlt, event.partition_id, {matches} AS matches{more}"
        );
        let Some(candidates) = candidates else {
            let (correlation, aggregate) = by.key();
            // Plans it by itself, too: the order of stories would be had by an index that leads
            // through every row.
            let fence = if conditions.is_empty() { "" } else { "\n    OFFSET 0" };
            let conditions = [&[by.has_key().to_owned()], conditions].concat();
            return format!(
                "event AS (
    SELECT {correlation} AS correlation,
           {aggregate} AS aggregate,
           {columns}
      FROM event_logs event{}{fence}
)",
                where_clause(&conditions)
            );
        };
        // Plans the events of each story by themselves: an index has them.
        let each = match longest {
            None => "OFFSET 0".to_owned(),
            Some(longest) => format!("LIMIT {}", parameters.bind(longest, Type::INT8)),
        };
        let branches = by.branches().map(|(key, id, condition)| {
            format!(
                "SELECT {key}, event.*
      FROM candidate
     CROSS JOIN LATERAL (SELECT {columns} FROM event_logs event
                          WHERE {condition} {each}) event
     WHERE candidate.{id} IS NOT NULL"
            )
        });
        format!(
            "candidate AS MATERIALIZED (
    {candidates}
), event AS (
    {}
)",
            branches.collect::<Vec<_>>().join("\n    UNION ALL\n    ")
        )
    }

    /// The same, found by such a walk, for a statement of another kind. Where every row is read,
    /// only those with these `conditions` are.
    pub(in crate::store) fn events_with(
        &self,
        walk: Walk,
        by: StoryBy,
        columns: &[String],
        conditions: &[String],
        parameters: &mut Parameters,
    ) -> String {
        let candidates = match walk {
            Walk::All => None,
            Walk::Period | Walk::Matches => {
                Some(candidates(by, self.candidate_conditions(walk, parameters)))
            }
        };
        let events = Events { candidates, longest: None, by, columns, conditions };
        self.events(events, parameters)
    }

    /// The rows that the steps of the stories are among, where one range of time has them all: no
    /// step happened before its story began.
    pub(in crate::store) fn rows_since(&self) -> Option<Statement> {
        let mut parameters = Parameters::default();
        let since = self.since_condition(&mut parameters)?;
        Some(Statement {
            sql: format!("SELECT event.id\n  FROM event_logs event\n WHERE {since}"),
            parameters,
        })
    }

    fn since_condition(&self, parameters: &mut Parameters) -> Option<String> {
        let Selection { created, days, .. } = &self.period.selection;
        let since = match created.since {
            Some(since) => since,
            None => days.iter().map(|day| day.since).min()??,
        };
        let since = parameters.bind(since.naive_utc(), Type::TIMESTAMP);
        Some(format!("event.created_at >= {since}"))
    }

    /// The stories that may not have ended, of those that have a step in the range of time:
    /// correlation, aggregate where there is no correlation; then in a row of its own how many
    /// stories are selected. Stories that began before the range are among them.
    pub(in crate::store) fn unended(
        &self,
        unended: &Unended,
        deliveries: &Deliveries,
    ) -> Option<Statement> {
        let mut parameters = Parameters::default();
        let since = self.since_condition(&mut parameters)?;
        // What asks for nothing is not looked at: it would be for every row.
        let all_of = |conditions: Vec<String>| match conditions.is_empty() {
            true => None,
            false => Some(format!("({}) IS TRUE", conditions.join(" AND "))),
        };
        let of_type =
            |types, parameters: &mut _| text_conditions("event.event_type", types, parameters);
        let has_an_end =
            self.period.selection.created.until.is_some() || !self.period.selection.days.is_empty();
        let begins = match has_an_end {
            true => all_of(selection_conditions(&self.period, "event", &mut parameters)),
            false => None,
        };
        let matches = all_of(selection_conditions(&self.others, "event", &mut parameters));
        let starts = all_of(of_type(&unended.starts, &mut parameters));
        let ends = all_of(of_type(&unended.ends, &mut parameters)).unwrap_or("true".to_owned());
        let is_step = step_condition(deliveries, &mut parameters);
        let silent_since = parameters.bind(unended.silent_since, Type::TIMESTAMP);
        let goes_on = match unended.anywhere {
            true => "last_end IS NULL",
            // Of equal times the order is asked when all events are there.
            false => "(last_end IS NULL OR last_other >= last_end)",
        };
        let named = [(&begins, "begins"), (&matches, "matches"), (&starts, "starts")]
            .map(|(condition, name)| condition.as_ref().map(|condition| (condition, name)));
        let columns: String = named
            .iter()
            .flatten()
            .map(|(condition, name)| format!(",\n                   {condition} AS {name}"))
            .collect();
        let holds: String = named
            .iter()
            .flatten()
            .map(|(_, name)| match *name {
                // A dead letter is an event that matches, but no step.
                "matches" => " AND bool_or(matches)".to_owned(),
                name => format!(" AND bool_or(is_step AND {name})"),
            })
            .collect();
        let sql = format!(
            "WITH story AS MATERIALIZED (
    SELECT correlation, aggregate, max(created_at) FILTER (WHERE is_step) AS last,
           max(created_at) FILTER (WHERE is_step AND ends) AS last_end,
           max(created_at) FILTER (WHERE is_step AND NOT ends) AS last_other
      FROM (SELECT event.correlation_id AS correlation,
                   CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END AS aggregate,
                   event.created_at, {is_step} AS is_step, {ends} AS ends{columns}
              FROM event_logs event
             WHERE {since} AND (event.correlation_id IS NOT NULL OR event.aggregate_id IS NOT NULL)
            OFFSET 0) event
     GROUP BY correlation, aggregate
    HAVING max(created_at) FILTER (WHERE is_step) IS NOT NULL{holds}
)
SELECT correlation, aggregate, NULL::bigint FROM story WHERE last <= {silent_since} AND {goes_on}
UNION ALL SELECT NULL, NULL, count(*) FROM story"
        );
        Some(Statement { sql, parameters })
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

/// Which events a statement is about.
#[derive(Default)]
struct Events<'a> {
    /// The query of the stories, of which each event is looked for; without it every row is read.
    candidates: Option<String>,
    /// How many events of a story are read at most.
    longest: Option<i64>,
    /// What makes events one story.
    by: StoryBy,
    /// More columns of each event.
    columns: &'a [String],
    /// Where every row is read: only those with these.
    conditions: &'a [String],
}

/// The query of the stories of the rows that have these conditions.
fn candidates(by: StoryBy, mut conditions: Vec<String>) -> String {
    let (correlation, aggregate) = by.key();
    conditions.push(by.has_key().to_owned());
    format!(
        "SELECT DISTINCT {correlation} AS correlation,
           {aggregate} AS aggregate
      FROM event_logs event{}",
        where_clause(&conditions)
    )
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
    format!("{} AND {}", is_delivery("event"), deliveries.is_first("event", parameters))
}

#[cfg(test)]
mod tests;
