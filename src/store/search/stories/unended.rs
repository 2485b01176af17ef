//! The statement that looks for stories that may not have ended.

use tokio_postgres::types::Type;

use super::{StorySelection, step_condition};
use crate::filter::Selection;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::search::conditions::{selection_conditions, text_conditions};
use crate::store::search::first_delivery::Deliveries;
use crate::store::search::resolved::TextFilter;
use crate::time::PostgresMicros;

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
}
