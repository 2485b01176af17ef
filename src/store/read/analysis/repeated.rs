//! How many selected rows deliver an event again.

use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::read::status::{Duplicates, has_much_to_search};
use crate::store::search::conditions::selection_conditions;
use crate::store::search::counted::Counting;
use crate::store::search::first_delivery::Deliveries;
use crate::store::search::resolved::ResolvedSelection;

/// Counts the selected rows that deliver an event that committed before, within the selection or
/// not, in a transaction that reads `counting`, too. Dead letters, tombstones and
/// quarantined records are no deliveries.
///
/// # Errors
/// `Error::Query`.
pub async fn repeated_deliveries(
    session: &Session,
    selection: &ResolvedSelection,
    counting: &Counting,
) -> Result<Duplicates, Error> {
    let is_known_alone = has_much_to_search(session, counting).await?;
    let deliveries = Deliveries::read(session).await?;
    let statement = statement(selection, counting, (!is_known_alone).then_some(&deliveries));
    let what = "counting duplicate deliveries";
    let rows = statement.row(session, what, |row| row.try_get(0)).await?;
    Ok(if is_known_alone { Duplicates::AtLeast(rows) } else { Duplicates::Exactly(rows) })
}

/// Counts those that are known, and with `deliveries` those among the rows that were not searched.
fn statement(
    selection: &ResolvedSelection,
    counting: &Counting,
    deliveries: Option<&Deliveries>,
) -> Statement {
    let mut parameters = Parameters::default();
    let selected = |also: &str, parameters: &mut Parameters| {
        let mut conditions = selection_conditions(selection, "event", parameters);
        conditions.push(also.to_owned());
        conditions.join("\n   AND ")
    };
    // What was found when it was searched is no longer among the rest, but for rows that no
    // ingester wrote: those are never searched.
    let known = selected("event.partition_id IS NOT NULL", &mut parameters);
    let mut sql = format!(
        "SELECT (SELECT count(*) FROM duplicate_deliveries known
          JOIN event_logs event ON event.id = known.event_log_id
         WHERE {known})"
    );
    if let Some(deliveries) = deliveries {
        let rest = counting.unsearched("event", &mut parameters);
        let again = deliveries.is_repeated("event", &mut parameters);
        let again = selected(&again, &mut parameters);
        sql.push_str(&format!("\n     + (SELECT count(*) FROM {rest}\n         WHERE {again})"));
    }
    Statement { sql, parameters }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::search::walk::leaves::PassedOver;

    #[test]
    fn what_is_known_and_what_is_found_in_the_rest_is_added_up() {
        let selection =
            ResolvedSelection { dead_letters: Some(false), ..ResolvedSelection::default() };
        let counting = Counting {
            filled_through: 7,
            duplicates_through: 6,
            duplicates: 1,
            uncounted_rows: 0,
            unsearched_rows: 10,
            without_foreign_rows: PassedOver::NONE,
        };
        insta::assert_snapshot!(format!("{:?}", statement(&selection, &counting, None)), @r"
SELECT (SELECT count(*) FROM duplicate_deliveries known
          JOIN event_logs event ON event.id = known.event_log_id
         WHERE event.is_dlt IS NOT TRUE
   AND event.partition_id IS NOT NULL)
");
    }
}
