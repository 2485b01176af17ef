//! The amounts of the chosen stories, one story after the other.

use std::pin::Pin;

use futures_util::TryStreamExt;
use tokio_postgres::types::Type;
use tokio_postgres::{Row, RowStream};

use super::stories::{settle, story_key, walk};
use crate::analysis::StoryChoice;
use crate::analysis::reconcile::{AmountAssembler, AmountEvent, StoryAmounts};
use crate::filter::GlobList;
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::distinct_values::{DistinctColumn, some_values};
use crate::store::search::first_delivery::Deliveries;
use crate::store::search::resolve::names;
use crate::store::search::resolved::{ResolvedSelection, RowScope, TextFilter};
use crate::store::search::selected_column::PayloadPath;
use crate::store::search::stories::{StorySelection, Walk, of_types, step_condition};
use crate::store::search::story_by::StoryBy;
use crate::store::search::walk::leaves::Leaves;

/// What is being done, in errors.
const READING: &str = "reading amounts";

/// One side of a story: the events of some types, and the place of their amounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmountSide {
    /// The types.
    pub types: Vec<String>,
    /// The place in the payload.
    pub path: PayloadPath,
}

/// Both sides; the right one may be elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmountSides {
    /// The left side.
    pub left: AmountSide,
    /// The right side.
    pub right: Option<AmountSide>,
    /// What makes events one story.
    pub by: StoryBy,
}

impl AmountSides {
    /// The types of both sides.
    fn types(&self) -> Vec<String> {
        let sides = [Some(&self.left), self.right.as_ref()];
        sides.into_iter().flatten().flat_map(|side| side.types.iter().cloned()).collect()
    }
}

/// The types that exist and that globs mean; those that are named whole whether they exist or not.
///
/// # Errors
/// `Error::Query`.
pub async fn types_of(session: &Session, globs: &GlobList) -> Result<Vec<String>, Error> {
    match names::types(session, globs, RowScope::Existing).await? {
        TextFilter::Exact(types) | TextFilter::ExactOrNull(types) => Ok(types),
        TextFilter::Any | TextFilter::Like(_) => {
            some_values(session, DistinctColumn::EventType, "", i64::MAX).await
        }
    }
}

/// The chosen stories with their amounts, as they arrive from the server. Without a selector these
/// are the stories that have an event of one of the types.
pub struct AmountStories {
    rows: Pin<Box<RowStream>>,
    assembler: AmountAssembler,
    is_over: bool,
}

/// Reads the amounts of the stories that a selection chooses.
///
/// # Errors
/// `Error::Query`.
pub async fn story_amounts(
    session: &Session,
    selection: &ResolvedSelection,
    sides: &AmountSides,
) -> Result<AmountStories, Error> {
    settle(session).await?;
    let deliveries = Deliveries::read(session).await?;
    let light_from = Leaves::read(session).await?.light_from();
    let chosen = StorySelection::new(selection).with_light_from(light_from);
    let walk = walk(session, &chosen).await?;
    let rows = statement(&chosen, walk, sides, &deliveries).stream(session, READING).await?;
    let choice = StoryChoice {
        created: selection.selection.created,
        days: selection.selection.days.clone(),
    };
    let assembler = AmountAssembler::new(choice);
    Ok(AmountStories { rows: Box::pin(rows), assembler, is_over: false })
}

/// How many events of the sides that the selectors match belong to no story.
///
/// # Errors
/// `Error::Query`.
pub async fn amounts_without_story(
    session: &Session,
    selection: &ResolvedSelection,
    sides: &AmountSides,
) -> Result<i64, Error> {
    let deliveries = Deliveries::read(session).await?;
    let statement =
        StorySelection::new(selection).without_story(sides.by, Some(&sides.types()), &deliveries);
    statement.row(session, "counting events without a story", |row| row.try_get(0)).await
}

/// The events of the stories, story by story: key, id, time, whether it is a step, whether it has
/// what the other selectors ask for, what the path of either side finds.
fn statement(
    chosen: &StorySelection,
    walk: Walk,
    sides: &AmountSides,
    deliveries: &Deliveries,
) -> Statement {
    let mut parameters = Parameters::default();
    let left = found("left", Some(&sides.left), &mut parameters);
    let right = found("right", sides.right.as_ref(), &mut parameters);
    // Where every story is chosen, events of other types tell nothing.
    let conditions = match chosen.walk() {
        Walk::All => vec![of_types(&sides.types(), &mut parameters)],
        Walk::Period | Walk::Matches => Vec::new(),
    };
    let events = chosen.events_with(walk, sides.by, &[left, right], &conditions, &mut parameters);
    let is_step = step_condition(deliveries, &mut parameters);
    let sql = format!(
        "WITH {events}
SELECT correlation, aggregate, id, created_at,
       {is_step},
       matches, left_found, right_found
  FROM event
 ORDER BY correlation, aggregate"
    );
    Statement { sql, parameters }
}

/// The column of what the path of a side finds in an event of the side: all of it, silently where
/// the path does not fit.
fn found(name: &str, side: Option<&AmountSide>, parameters: &mut Parameters) -> String {
    let Some(side) = side else { return format!("NULL::text AS {name}_found") };
    let is_of_side = of_types(&side.types, parameters);
    let path = parameters.bind(side.path.as_str().to_owned(), Type::TEXT);
    format!(
        "CASE WHEN {is_of_side} THEN jsonb_path_query_array(event.payload, {path}::text::jsonpath, '{{}}', true)::text END AS {name}_found"
    )
}

impl AmountStories {
    /// The next story; `None` behind the last.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn next(&mut self) -> Result<Option<StoryAmounts>, Error> {
        while !self.is_over {
            let row = self.rows.try_next().await.map_err(Error::query(READING))?;
            let finished = match row {
                Some(row) => {
                    let event = amount_event(&row).map_err(Error::query(READING))?;
                    event.and_then(|event| self.assembler.push(&event))
                }
                None => {
                    self.is_over = true;
                    self.assembler.finish()
                }
            };
            if finished.is_some() {
                return Ok(finished);
            }
        }
        Ok(None)
    }
}

fn amount_event(row: &Row) -> Result<Option<AmountEvent<'_>>, tokio_postgres::Error> {
    let Some(key) = story_key(row.try_get(0)?, row.try_get(1)?) else { return Ok(None) };
    Ok(Some(AmountEvent {
        key,
        row_id: row.try_get(2)?,
        at: row.try_get(3)?,
        is_step: row.try_get(4)?,
        matches: row.try_get(5)?,
        left: row.try_get(6)?,
        right: row.try_get(7)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Selection, TimeRange};

    fn sent(selection: &ResolvedSelection, by: StoryBy) -> String {
        let side = |types: &str, path: &str| AmountSide {
            types: vec![types.to_owned()],
            path: PayloadPath::new(path).expect("a path"),
        };
        let sides = AmountSides {
            left: side("it's confirmed", "$.it's"),
            right: (by == StoryBy::Correlation).then(|| side("paid", "$.amount")),
            by,
        };
        let chosen = StorySelection::new(selection);
        let deliveries = Deliveries::known_below(100);
        let statement = statement(&chosen, chosen.walk(), &sides, &deliveries);
        let first = statement.sql.find("       event.is_dlt IS NOT TRUE").expect("what a step is");
        let last = statement.sql.find("       matches, left_found").expect("what was found");
        // What a step is has its own test.
        format!("{}…\n{}", &statement.sql[..first], &statement.sql[last..])
    }

    #[test]
    fn without_a_selector_only_events_of_both_sides_are_read() {
        insta::assert_snapshot!(sent(&ResolvedSelection::default(), StoryBy::Correlation), @"
        WITH event AS (
            SELECT event.correlation_id AS correlation,
                   CASE WHEN event.correlation_id IS NULL THEN event.aggregate_id END AS aggregate,
                   event.id, event.event_id, event.event_type, event.created_at, event.is_dlt, event.partition_id, true AS matches, CASE WHEN event.event_type = ANY($1) THEN jsonb_path_query_array(event.payload, $2::text::jsonpath, '{}', true)::text END AS left_found, CASE WHEN event.event_type = ANY($3) THEN jsonb_path_query_array(event.payload, $4::text::jsonpath, '{}', true)::text END AS right_found
              FROM event_logs event
         WHERE (event.correlation_id IS NOT NULL OR event.aggregate_id IS NOT NULL)
           AND event.event_type = ANY($5)
            OFFSET 0
        )
        SELECT correlation, aggregate, id, created_at,
        …
               matches, left_found, right_found
          FROM event
         ORDER BY correlation, aggregate
        ");
    }

    #[test]
    fn in_a_period_the_events_of_its_aggregates_are_read() {
        let created = TimeRange { since: Some(chrono::DateTime::UNIX_EPOCH), until: None };
        let selection = Selection { created, ..Selection::default() };
        let resolved = ResolvedSelection { selection, ..ResolvedSelection::default() };
        insta::assert_snapshot!(sent(&resolved, StoryBy::Aggregate), @"
        WITH candidate AS MATERIALIZED (
            SELECT DISTINCT NULL::uuid AS correlation,
                   event.aggregate_id AS aggregate
              FROM event_logs event
         WHERE event.created_at >= $3
           AND event.aggregate_id IS NOT NULL
        ), event AS (
            SELECT NULL::uuid AS correlation, candidate.aggregate, event.*
              FROM candidate
             CROSS JOIN LATERAL (SELECT event.id, event.event_id, event.event_type, event.created_at, event.is_dlt, event.partition_id, true AS matches, CASE WHEN event.event_type = ANY($1) THEN jsonb_path_query_array(event.payload, $2::text::jsonpath, '{}', true)::text END AS left_found, NULL::text AS right_found FROM event_logs event
                                  WHERE event.aggregate_id = candidate.aggregate OFFSET 0) event
             WHERE candidate.aggregate IS NOT NULL
        )
        SELECT correlation, aggregate, id, created_at,
        …
               matches, left_found, right_found
          FROM event
         ORDER BY correlation, aggregate
        ");
    }
}
