//! Counts the rows of the types, services and topics, to know whether they are few, and when they
//! happened.
//!
//! The planner assumes that types, services and topics are independent of each other, and that a
//! page fills quickly: in search of orders that the payment service created it walks by time
//! through all there is. The counts tell at once, without a look at the rows, how many there are.

use tokio_postgres::types::Type;

use crate::filter::TimeRange;
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::conditions::{selection_conditions, where_clause};
use crate::store::search::counted::{Counting, MOST_READ};
use crate::store::search::resolved::{Cardinality, ResolvedSelection, TextFilter, TopicFilter};
use crate::time::PostgresMicros;

/// How many kinds of rows are told apart at most.
const MOST_KINDS: i64 = 1_000;

/// How many combinations of types, services and partitions are looked up one by one at most.
const MOST_LOOK_UPS: usize = 2_000;

/// The rows that a page has, as far as walking to it is concerned.
const PAGE: i64 = 50;

/// How many rows are looked into for one that has what is asked of its payload.
const LOOKED_INTO: i64 = 10;

/// How many rows are passed in their order in the time in which one is looked up.
const PASSED_FOR_ONE: i64 = 10;

/// The rows of one type and service.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kind {
    event_type: String,
    service: Option<String>,
    /// How many there are.
    rows: i64,
    /// How many there are on the days of the selected time, and between which times they happened.
    rows_in_time: i64,
    first: Option<PostgresMicros>,
    last: Option<PostgresMicros>,
    /// Whether some of them are no dead letters.
    has_others: bool,
    /// How many of them are not counted, and were looked at.
    read: i64,
}

/// Sets `resolved.cardinality`, and what else the counts tell: when the rows happened, whether all
/// of them are dead letters, and of few rows their types and services.
///
/// # Errors
/// `Error::Query`.
pub(in crate::store) async fn resolve(
    session: &Session,
    resolved: &mut ResolvedSelection,
) -> Result<(), Error> {
    if !is_worth_counting(resolved) {
        return Ok(());
    }
    let counting = Counting::read(session).await?;
    if counting.uncounted_rows > MOST_READ {
        return Ok(());
    }
    let what = "counting the rows of the types, services and topics";
    let kinds = kinds_statement(resolved, &counting)
        .rows(session, what, |row| {
            Ok(Kind {
                event_type: row.try_get(0)?,
                service: row.try_get(1)?,
                rows: row.try_get(2)?,
                rows_in_time: row.try_get(3)?,
                first: row.try_get(4)?,
                last: row.try_get(5)?,
                has_others: row.try_get(6)?,
                read: row.try_get(7)?,
            })
        })
        .await?;
    let read: i64 = kinds.iter().map(|kind| kind.read).sum();
    if kinds.len() as i64 > MOST_KINDS || read > MOST_READ {
        return Ok(());
    }
    if kinds.is_empty() {
        resolved.cardinality = Cardinality::None;
        return Ok(());
    }
    let walked = rows_in_time_statement(resolved)
        .row(session, "counting the rows of that time", |row| row.try_get(0))
        .await?;
    settle(resolved, &kinds, walked);
    Ok(())
}

/// Takes over what the kinds of the selected rows tell; `walked` is how many rows of all kinds
/// happened in the selected time.
fn settle(resolved: &mut ResolvedSelection, kinds: &[Kind], walked: i64) {
    let first = kinds.iter().filter_map(|kind| kind.first).min();
    let last = kinds.iter().filter_map(|kind| kind.last).max();
    let nothing = (PostgresMicros(i64::MAX), PostgresMicros(i64::MIN));
    resolved.extent.created = Some(first.zip(last).unwrap_or(nothing));
    // Dead letters have an index of their own.
    if resolved.dead_letters.is_none() && kinds.iter().all(|kind| !kind.has_others) {
        resolved.dead_letters = Some(true);
    }
    let rows: i64 = kinds.iter().map(|kind| kind.rows).sum();
    let rows_in_time: i64 = kinds.iter().map(|kind| kind.rows_in_time).sum();
    let page = if resolved.has_predicates() { PAGE * LOOKED_INTO } else { PAGE };
    if are_few(rows, rows_in_time, walked, page) && name_kinds(resolved, kinds) {
        resolved.cardinality = Cardinality::Few;
    }
}

/// Whether reading and sorting all `rows` is quicker than walking by time: to a page lead as many
/// of the rows that are `walked` as are in proportion to it.
fn are_few(rows: i64, rows_in_time: i64, walked: i64, page: i64) -> bool {
    let passed = walked.saturating_mul(page) / rows_in_time.max(page);
    rows.saturating_mul(PASSED_FOR_ONE) < passed
}

/// Names the types and services that occur, where others are asked for than types: the index is by
/// type, service and topic. False where they are too many.
fn name_kinds(resolved: &mut ResolvedSelection, kinds: &[Kind]) -> bool {
    let by_type_alone = resolved.services == TextFilter::Any && resolved.topics == TopicFilter::Any;
    if by_type_alone || resolved.dead_letters == Some(true) {
        return true;
    }
    let mut types: Vec<_> = kinds.iter().map(|kind| kind.event_type.clone()).collect();
    types.sort_unstable();
    types.dedup();
    let mut services: Vec<_> = kinds.iter().filter_map(|kind| kind.service.clone()).collect();
    services.sort_unstable();
    services.dedup();
    let partitions = match &resolved.topics {
        TopicFilter::Partitions(partitions) => partitions.len(),
        _ => 1,
    };
    if types.len() * services.len().max(1) * partitions > MOST_LOOK_UPS {
        return false;
    }
    resolved.event_types = TextFilter::Exact(types);
    // A condition that NULL fulfils, too, can't be looked up.
    if kinds.iter().all(|kind| kind.service.is_some()) {
        resolved.services = TextFilter::Exact(services);
    }
    true
}

/// Whether counting can lead to a better plan: an id has few rows, and dead letters have an index
/// of their own.
fn is_worth_counting(resolved: &ResolvedSelection) -> bool {
    let anything = resolved.event_types != TextFilter::Any
        || resolved.services != TextFilter::Any
        || resolved.topics != TopicFilter::Any;
    anything && !resolved.has_ids()
}

/// The statement that counts the rows of each kind: of what is counted by day, of what is not
/// merged yet, and of what is not counted.
fn kinds_statement(resolved: &ResolvedSelection, counting: &Counting) -> Statement {
    let categories = ResolvedSelection {
        event_types: resolved.event_types.clone(),
        services: resolved.services.clone(),
        topics: resolved.topics.clone(),
        dead_letters: resolved.dead_letters,
        ..ResolvedSelection::default()
    };
    let mut parameters = Parameters::default();
    let conditions = selection_conditions(&categories, "event", &mut parameters);
    let (selected, unmerged) =
        (where_clause(&conditions), where_clause(&with(&conditions, "NOT event.merged")));
    let uncounted = counting.uncounted("event", &mut parameters);
    let in_time = in_time(resolved, &mut parameters).unwrap_or("true".to_owned());
    let (most_read, most_kinds) =
        (parameters.bind(MOST_READ + 1, Type::INT8), parameters.bind(MOST_KINDS + 1, Type::INT8));
    let sql = format!(
        "SELECT event_type, source_service, sum(events)::bigint, coalesce(sum(events) FILTER (WHERE {in_time}), 0)::bigint,
       min(first_at) FILTER (WHERE {in_time}), max(last_at) FILTER (WHERE {in_time}), bool_or(NOT is_dlt), sum(read)::bigint
  FROM (SELECT event_type, source_service, is_dlt, events, first_at, last_at, 0 AS read FROM event_counts_by_day event{selected}
        UNION ALL
        SELECT event_type, source_service, is_dlt, events, first_at, last_at, 0 FROM event_counts event{unmerged}
        UNION ALL
        (SELECT event.event_type, event.source_service, event.is_dlt IS TRUE, 1, event.created_at, event.created_at, 1
           FROM {uncounted}{selected}
          LIMIT {most_read})) event
 GROUP BY event_type, source_service
 LIMIT {most_kinds}"
    );
    Statement { sql, parameters }
}

/// The statement that counts all rows of the selected time, by whole days.
fn rows_in_time_statement(resolved: &ResolvedSelection) -> Statement {
    let mut parameters = Parameters::default();
    let sql = match in_time(resolved, &mut parameters) {
        None => "SELECT row_count FROM ledger_head".to_owned(),
        Some(in_time) => format!(
            "SELECT coalesce(sum(events), 0)::bigint
  FROM (SELECT events FROM event_counts_by_day event WHERE {in_time}
        UNION ALL SELECT events FROM event_counts event WHERE NOT event.merged AND {in_time}) event"
        ),
    };
    Statement { sql, parameters }
}

/// The condition that a count may hold rows of the selected time.
fn in_time(resolved: &ResolvedSelection, parameters: &mut Parameters) -> Option<String> {
    let selection = &resolved.selection;
    let mut within = |range: &TimeRange| {
        let mut bounds = Vec::new();
        for (comparison, time) in
            [("event.last_at >=", range.since), ("event.first_at <", range.until)]
        {
            if let Some(time) = time {
                let time = parameters.bind(time.naive_utc(), Type::TIMESTAMP);
                bounds.push(format!("{comparison} {time}"));
            }
        }
        (!bounds.is_empty()).then(|| bounds.join(" AND "))
    };
    let created = within(&selection.created);
    let days: Vec<_> = selection.days.iter().filter_map(&mut within).collect();
    let days = (!days.is_empty()).then(|| format!("(({}))", days.join(") OR (")));
    let conditions: Vec<_> = created.into_iter().chain(days).collect();
    (!conditions.is_empty()).then(|| conditions.join(" AND "))
}

fn with(conditions: &[String], one_more: &str) -> Vec<String> {
    [conditions, &[one_more.to_owned()]].concat()
}

#[cfg(test)]
mod tests;
