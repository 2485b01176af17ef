//! How many selected rows deliver an event again.

use tokio_postgres::types::Type;

use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::conditions::selection_conditions;
use crate::store::search::first_delivery::Deliveries;
use crate::store::search::resolved::ResolvedSelection;

/// With more rows than this that were not searched yet, those are not looked at: it would take
/// longer than a few seconds.
const MUCH: i64 = 1_000_000;

/// How many rows deliver an event again, and in how many it was not looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repeated {
    /// So many of the selected rows do.
    pub rows: i64,
    /// So many rows, selected or not, were not looked at.
    pub unsearched: i64,
}

/// Counts the selected rows that deliver an event that committed before, within the selection or
/// not. Dead letters repeat their event by nature, and do not count.
///
/// # Errors
/// `Error::Query`.
pub async fn repeated_deliveries(
    session: &Session,
    selection: &ResolvedSelection,
) -> Result<Repeated, Error> {
    let what = "counting duplicate deliveries";
    let sql = "SELECT (SELECT coalesce(sum(row_count), 0)::bigint FROM ingest_batches
                        WHERE batch_no > (SELECT duplicates_through FROM event_count_state)),
                      (SELECT count(*) FROM (SELECT FROM event_logs WHERE partition_id IS NULL LIMIT $1 + 1) AS foreign_rows)";
    let rest: i64 = session
        .row(what, sql, &[(&MUCH, Type::INT8)], |row| {
            Ok(row.try_get::<_, i64>(0)? + row.try_get::<_, i64>(1)?)
        })
        .await?;
    let mut parameters = Parameters::default();
    let known = selected(selection, "TRUE", &mut parameters);
    let known = format!(
        "SELECT event.id FROM duplicate_deliveries known JOIN event_logs event ON event.id = known.event_log_id WHERE {known}"
    );
    let counted = match rest {
        ..=MUCH => {
            let deliveries = Deliveries::read(session).await?;
            let is_first = deliveries.is_first("event", &mut parameters);
            let again = format!("event.is_dlt IS NOT TRUE AND NOT ({is_first})");
            let again = selected(selection, &again, &mut parameters);
            // UNION takes each row once.
            format!(
                "{known}
UNION
SELECT event.id FROM ingest_batches batch JOIN event_logs event ON event.id BETWEEN batch.first_id AND batch.last_id
 WHERE batch.batch_no > (SELECT duplicates_through FROM event_count_state) AND {again}
UNION
SELECT event.id FROM event_logs event WHERE event.partition_id IS NULL AND {again}"
            )
        }
        _ => known,
    };
    let sql = format!("SELECT count(*) FROM ({counted}) AS repeated");
    let rows = Statement { sql, parameters }.row(session, what, |row| row.try_get(0)).await?;
    Ok(Repeated { rows, unsearched: if rest > MUCH { rest } else { 0 } })
}

fn selected(selection: &ResolvedSelection, also: &str, parameters: &mut Parameters) -> String {
    let mut conditions = selection_conditions(selection, "event", parameters);
    conditions.push(also.to_owned());
    conditions.join("\n   AND ")
}
