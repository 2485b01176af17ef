//! Counts the rows of the types, services and topics, as far as it takes to know whether they are
//! few.
//!
//! The planner assumes that types, services and topics are independent of each other, and that a
//! page fills quickly: in search of orders that the payment service created it walks by time
//! through all there is. The indexes of these columns tell at once, without a look at the table,
//! whether there are such rows, and about how many.

use tokio_postgres::types::Type;

use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::conditions::selection_conditions;
use crate::store::search::distinct_values::{DistinctColumn, some_values};
use crate::store::search::resolved::{Cardinality, ResolvedSelection, TextFilter, TopicFilter};

/// How many types are listed at most, to step through an index that has them in the middle.
const MAX_TYPES: usize = 200;

/// Sets `resolved.cardinality`: counts the rows, but no further than `Few` goes.
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
    if let (TopicFilter::Partitions(partitions), None) = (&resolved.topics, resolved.dead_letters)
        && !has_other_rows(session, partitions).await?
    {
        resolved.dead_letters = Some(true);
    }
    let service_and_topic =
        resolved.services != TextFilter::Any && resolved.topics != TopicFilter::Any;
    if service_and_topic && resolved.event_types == TextFilter::Any {
        // Names all types that exist, which changes nothing about the rows: the index is by topic,
        // type and service.
        let limit = MAX_TYPES as i64 + 1;
        let types = some_values(session, DistinctColumn::EventType, "", limit).await?;
        if types.len() > MAX_TYPES {
            return Ok(());
        }
        resolved.event_types = TextFilter::Exact(types);
    }
    let categories = ResolvedSelection {
        event_types: resolved.event_types.clone(),
        services: resolved.services.clone(),
        topics: resolved.topics.clone(),
        // Ignores --no-dlt unless topics are given: only the index of the topics also has is_dlt.
        // The dead letters' own index has the other columns.
        dead_letters: resolved
            .dead_letters
            .filter(|is_dead_letter| *is_dead_letter || resolved.topics != TopicFilter::Any),
        ..ResolvedSelection::default()
    };
    let what = "counting the rows of the types, services and topics";
    resolved.cardinality = count_statement(&categories)
        .row(session, what, |row| {
            let (count, bound): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            Ok(match count {
                0 => Cardinality::None,
                count if count < bound => Cardinality::Few,
                _ => Cardinality::Many,
            })
        })
        .await?;
    Ok(())
}

/// Whether there are rows of these partitions that are no dead letters. A dead-letter topic has
/// none, and dead letters have an index of their own.
async fn has_other_rows(session: &Session, partitions: &Vec<i32>) -> Result<bool, Error> {
    let rows = session
        .rows(
            "looking for the kinds of a topic's rows",
            "SELECT FROM event_logs WHERE partition_id = ANY($1) AND is_dlt IS NOT TRUE LIMIT 1",
            &[(partitions, Type::INT4_ARRAY)],
            |_| Ok(()),
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Whether counting can lead to a better plan: an index gives the rows of one type in order, and an
/// id has few rows.
fn is_worth_counting(resolved: &ResolvedSelection) -> bool {
    let one_type_alone = matches!(&resolved.event_types, TextFilter::Exact(types) if types.len() == 1)
        && resolved.services == TextFilter::Any
        && resolved.topics == TopicFilter::Any
        && resolved.dead_letters != Some(true);
    let anything = resolved.event_types != TextFilter::Any
        || resolved.services != TextFilter::Any
        || resolved.topics != TopicFilter::Any;
    anything && !one_type_alone && !resolved.has_ids()
}

/// The statement that counts up to a bound. Of N rows, n have the categories. Reading and sorting
/// them costs n; walking by time to a page of 50 passes 50 N / n rows, each about a tenth as dear
/// because its neighbours are beside it. The two are equal at n = √(5 N).
fn count_statement(categories: &ResolvedSelection) -> Statement {
    let mut parameters = Parameters::default();
    let conditions =
        selection_conditions(categories, "event", &mut parameters).join("\n           AND ");
    let sql = format!(
        "WITH bound AS MATERIALIZED (SELECT 1 + sqrt(5.0 * row_count)::bigint AS rows FROM ledger_head)
SELECT count(*), (SELECT rows FROM bound)
  FROM (SELECT FROM event_logs event
         WHERE {conditions}
         LIMIT (SELECT rows FROM bound)) found"
    );
    Statement { sql, parameters }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_counted_up_to_a_bound() {
        let categories = ResolvedSelection {
            event_types: TextFilter::Exact(vec!["A".to_owned()]),
            topics: TopicFilter::Partitions(vec![1, 2]),
            dead_letters: Some(false),
            ..ResolvedSelection::default()
        };
        insta::assert_snapshot!(format!("{:?}", count_statement(&categories)), @r#"
WITH bound AS MATERIALIZED (SELECT 1 + sqrt(5.0 * row_count)::bigint AS rows FROM ledger_head)
SELECT count(*), (SELECT rows FROM bound)
  FROM (SELECT FROM event_logs event
         WHERE event.event_type = $1
           AND event.is_dlt IS NOT TRUE
           AND event.partition_id = ANY($2)
         LIMIT (SELECT rows FROM bound)) found
$1 varchar "A"
$2 _int4 [1, 2]
"#);
    }

    #[test]
    fn what_an_index_gives_in_order_is_not_counted() {
        let exact = |values: &[&str]| {
            TextFilter::Exact(values.iter().map(|value| (*value).to_owned()).collect())
        };
        let counted =
            |event_types: TextFilter, services: TextFilter, topics: TopicFilter, dead_letters| {
                is_worth_counting(&ResolvedSelection {
                    event_types,
                    services,
                    topics,
                    dead_letters,
                    ..ResolvedSelection::default()
                })
            };
        assert!(!counted(TextFilter::Any, TextFilter::Any, TopicFilter::Any, Some(false)));
        assert!(!counted(exact(&["A"]), TextFilter::Any, TopicFilter::Any, None));
        assert!(counted(exact(&["A", "B"]), TextFilter::Any, TopicFilter::Any, None));
        assert!(counted(exact(&["A"]), exact(&["s"]), TopicFilter::Any, None));
        assert!(counted(
            TextFilter::Any,
            TextFilter::Any,
            TopicFilter::Partitions(vec![1]),
            Some(false)
        ));
        assert!(counted(exact(&["A"]), TextFilter::Any, TopicFilter::Any, Some(true)));
        assert!(!counted(TextFilter::Any, TextFilter::Any, TopicFilter::Any, Some(true)));
    }
}
