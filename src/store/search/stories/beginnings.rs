//! The statement that reads the stories that began in a range of time, for a sample.

use super::{Events, StorySelection, Walk};
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::search::conditions::where_clause;
use crate::store::search::first_delivery::Deliveries;
use crate::store::search::story_by::StoryBy;

impl StorySelection {
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
        conditions.push(StoryBy::Correlation.has_key().to_owned());
        let light = self.light(&mut parameters);
        let sealed = self.looked_up(light.as_ref(), &mut parameters);
        let (correlation, aggregate) = StoryBy::Correlation.key();
        let mut before = format!(
            "in_period AS MATERIALIZED (
    SELECT {correlation} AS correlation, {aggregate} AS aggregate, min(event.created_at) AS first
      FROM event_logs event{}
     GROUP BY 1, 2
), ",
            where_clause(&conditions)
        );
        let is_earlier = "event.is_dlt IS NOT TRUE AND event.created_at < candidate.first";
        let (mut begun, mut begun_before) = (Vec::new(), Vec::new());
        for (_, id, condition) in StoryBy::Correlation.branches() {
            let not_light = match light.as_ref().filter(|_| !self.leaves_light_out) {
                None => String::new(),
                Some(light) => {
                    // Reads what is light once, instead of looking for each story.
                    begun_before.push(format!(
                        "SELECT candidate.{id} AS id, '{id}' AS kind
      FROM (SELECT DISTINCT ON ({id}) {id}, first FROM in_period WHERE {id} IS NOT NULL) candidate
      JOIN event_logs event ON {condition} AND event.id >= {light} AND {is_earlier}"
                    ));
                    format!(
                        "\n       AND NOT EXISTS (SELECT FROM begun_before WHERE id = candidate.{id} AND kind = '{id}')"
                    )
                }
            };
            // Looks each of them up: OFFSET 0 has it so.
            begun.push(format!(
                "SELECT correlation, aggregate FROM in_period candidate
     WHERE candidate.{id} IS NOT NULL{not_light}
       AND NOT EXISTS (SELECT FROM event_logs event WHERE {condition} AND {is_earlier}{sealed} OFFSET 0)"
            ));
        }
        if !begun_before.is_empty() {
            before.push_str(&format!(
                "begun_before AS MATERIALIZED (
    {}
), ",
                begun_before.join("\n    UNION ALL\n    ")
            ));
        }
        let events = Events {
            before,
            candidates: Some(begun.join("\n    UNION ALL\n    ")),
            longest: Some(longest),
            ..Events::default()
        };
        self.in_order(events, deliveries, parameters)
    }
}
