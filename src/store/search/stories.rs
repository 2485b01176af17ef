//! The statements that select the events of stories.

use tokio_postgres::types::Type;

use super::conditions::{selection_conditions, where_clause};
use super::first_delivery::{Deliveries, is_delivery};
use super::resolved::{ErrorFilter, Extent, ResolvedSelection};
use super::story_by::StoryBy;
use crate::analysis::StoryKey;
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
    /// From this id on, rows lie in light leaves: those of many stories are found by reading all of
    /// them, because a look-up takes milliseconds there.
    light_from: i64,
    /// Whether light leaves are left out.
    leaves_light_out: bool,
    /// Where it is a sample of the newest leaves only: their first id.
    sampled_from: Option<i64>,
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
            // Where the rows of both together lie tells nothing of either.
            others: ResolvedSelection { selection, extent: Extent::default(), ..resolved.clone() },
            light_from: i64::MAX,
            leaves_light_out: false,
            sampled_from: None,
        }
    }

    /// The same where some leaves are light.
    pub(in crate::store) fn with_light_from(self, light_from: i64) -> Self {
        Self { light_from, ..self }
    }

    /// Leaves out what lies in light leaves: for a sample.
    pub(in crate::store) fn without_light(self) -> Self {
        Self { leaves_light_out: true, ..self }
    }

    /// Leaves out what lies below this id: for a sample, where there are too many leaves to look
    /// for each of its stories in all of them.
    pub(in crate::store) fn sampled_from(self, id: Option<i64>) -> Self {
        Self { sampled_from: id, ..self }
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

    /// The events of the range of time, in the same order, and a column more: in the first row of a
    /// story how many events below [`Self::light_from`] have its correlation, else its aggregate,
    /// and one more where there are others that are not in the range. Where that is how many came
    /// from below, the story lies within the range; the others have to be read by their keys. Most
    /// rows are read once like this, in the order in which they lie, and only the index is asked
    /// for each story.
    pub(in crate::store) fn in_period(&self, deliveries: &Deliveries) -> Statement {
        let mut parameters = Parameters::default();
        let matches = self.matches(&mut parameters);
        let is_step = step_condition(deliveries, &mut parameters);
        let mut conditions = self.candidate_conditions(Walk::Period, &mut parameters);
        conditions.push(
            "(event.correlation_id IS NOT NULL OR event.aggregate_id IS NOT NULL)".to_owned(),
        );
        let mut from = String::new();
        let (mut is_outside, mut sealed) = ("0", String::new());
        if let Some(light) = self.light(&mut parameters) {
            let in_period = self.candidate_conditions(Walk::Period, &mut parameters).join(" AND ");
            // Names each id once, in a column of its own: so the planner knows that no event is
            // joined twice. Where two stories have the same id, both are read again.
            from = format!(
                "
          LEFT JOIN (SELECT DISTINCT coalesce(event.correlation_id, event.aggregate_id) AS id FROM event_logs event
                      WHERE event.id >= {light} AND NOT ({in_period})) outside
            ON outside.id = coalesce(event.correlation_id, event.aggregate_id)"
            );
            is_outside = "(outside.id IS NOT NULL)::int";
            sealed = format!(" AND event.id < {light}");
        }
        from.push_str(&where_clause(&conditions));
        let sql = format!(
            "SELECT correlation, aggregate, created_at, id, event_type, is_dlt, is_step, matches,
       CASE WHEN row_number() OVER (PARTITION BY correlation, aggregate ORDER BY created_at, id) > 1 THEN NULL
            WHEN correlation IS NULL
            THEN (SELECT count(*) FROM event_logs event WHERE event.aggregate_id = story.aggregate{sealed}) + is_outside
            ELSE (SELECT count(*) FROM event_logs event WHERE event.correlation_id = story.correlation{sealed}) + is_outside END
  FROM (SELECT event.correlation_id AS correlation,
               CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END AS aggregate,
               event.created_at, event.id, event.event_type, event.is_dlt IS TRUE AS is_dlt,
               {is_step} AS is_step,
               {matches} AS matches, {is_outside} AS is_outside
          FROM event_logs event{from}
        OFFSET 0) AS story
 ORDER BY correlation, aggregate, created_at, id"
        );
        Statement { sql, parameters }
    }

    /// The id from which on rows lie in light leaves, bound; `None` where no leaf is light.
    fn light(&self, parameters: &mut Parameters) -> Option<String> {
        (self.light_from < i64::MAX).then(|| parameters.bind(self.light_from, Type::INT8))
    }

    /// The condition that the row `event` lies where look-ups are made: behind AND; empty where
    /// that is everywhere.
    fn looked_up(&self, light: Option<&String>, parameters: &mut Parameters) -> String {
        let mut condition = String::new();
        if let Some(from) = self.sampled_from {
            condition.push_str(&format!(" AND event.id >= {}", parameters.bind(from, Type::INT8)));
        }
        if let Some(light) = light {
            condition.push_str(&format!(" AND event.id < {light}"));
        }
        condition
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
        let Events { before, candidates, longest, by, columns, conditions } = events;
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
        let longest = longest.map(|longest| parameters.bind(longest, Type::INT8));
        let light = self.light(parameters);
        // Plans the events of each story by themselves: an index has them.
        let each = match &longest {
            None => "OFFSET 0".to_owned(),
            Some(longest) => format!("LIMIT {longest}"),
        };
        let sealed = self.looked_up(light.as_ref(), parameters);
        let mut branches = Vec::new();
        for (key, id, condition) in by.branches() {
            branches.push(format!(
                "SELECT {key}, event.*
      FROM candidate
     CROSS JOIN LATERAL (SELECT {columns} FROM event_logs event
                          WHERE {condition}{sealed} {each}) event
     WHERE candidate.{id} IS NOT NULL"
            ));
            let Some(light) = light.as_ref().filter(|_| !self.leaves_light_out) else { continue };
            // Tells the planner that each story is named once: it makes a hash table of the
            // stories, not of the events.
            let from = format!(
                "FROM (SELECT DISTINCT {id} FROM candidate WHERE {id} IS NOT NULL) candidate
      JOIN event_logs event ON {condition} AND event.id >= {light}"
            );
            branches.push(match &longest {
                None => format!("SELECT {key}, {columns}\n      {from}"),
                Some(longest) => format!(
                    "SELECT correlation, aggregate, id, event_id, event_type, created_at, is_dlt, partition_id, matches
      FROM (SELECT {key}, {columns}, row_number() OVER (PARTITION BY candidate.{id}) AS nth
              {from}) event
     WHERE nth <= {longest}"
                ),
            });
        }
        format!(
            "{before}candidate AS MATERIALIZED (
    {candidates}
), event AS (
    {}
)",
            branches.join("\n    UNION ALL\n    ")
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
        let events = Events { candidates, by, columns, conditions, ..Events::default() };
        self.events(events, parameters)
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
    /// Common table expressions that the query of the stories needs.
    before: String,
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

mod beginnings;
#[cfg(test)]
mod tests;
pub(in crate::store) mod unended;
