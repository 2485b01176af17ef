//! The events of an aggregate or a correlation, as far as a person asks for one of them.

use tokio_postgres::types::Type;
use uuid::Uuid;

use super::id_columns::IdColumn;
use super::stored_event::{StoredEvent, newest_event};
use crate::filter::Selection;
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::conditions::{selection_conditions, where_clause};
use crate::store::search::resolve::selection::resolve;
use crate::store::search::resolved::RowScope;

/// How many rows are counted.
pub const MOST_COUNTED: i64 = 10_000;

/// What has an id in one column.
#[derive(Debug)]
pub struct IdEvents {
    /// The column.
    pub column: IdColumn,
    /// How many rows have it; [`MOST_COUNTED`] and one where there are more.
    pub rows: i64,
    /// The ids that were meant: several where only a beginning was typed.
    pub ids: Vec<Uuid>,
    /// The last row, by the time it happened.
    pub last: StoredEvent,
}

/// The events whose aggregate or correlation an id is, for each of the two that has any.
///
/// # Errors
/// `Error::Query`.
pub async fn events_of_id(session: &Session, id: &str) -> Result<Vec<IdEvents>, Error> {
    let mut found = Vec::new();
    for column in [IdColumn::Aggregate, IdColumn::Correlation] {
        let mut selection = Selection::default();
        match column {
            IdColumn::Aggregate => selection.aggregates.push(id.to_owned()),
            _ => selection.correlations.push(id.to_owned()),
        }
        let resolved = resolve(session, &selection, RowScope::Existing).await?;
        let Some(last) = newest_event(session, &resolved).await? else { continue };
        let mut parameters = Parameters::default();
        let conditions = selection_conditions(&resolved, "event", &mut parameters);
        let limit = parameters.bind(MOST_COUNTED + 1, Type::INT8);
        let sql = format!(
            "SELECT count(*), array_agg(DISTINCT id)
  FROM (SELECT event.{} AS id FROM event_logs event{} LIMIT {limit}) counted",
            column.name(),
            where_clause(&conditions)
        );
        let statement = Statement { sql, parameters };
        let (rows, ids) = statement
            .row(session, "counting events", |row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .await?;
        found.push(IdEvents { column, rows, ids, last });
    }
    Ok(found)
}
