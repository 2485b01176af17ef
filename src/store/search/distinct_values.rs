//! Lists the values of a column that exist.

use tokio_postgres::types::Type;

use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::counted::Counting;

/// A column of `event_logs` with few distinct values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DistinctColumn {
    /// `event_type`.
    EventType,
    /// `source_service`.
    SourceService,
}

/// The values that exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct DistinctValues {
    /// The values, in their order.
    pub(in crate::store) values: Vec<String>,
    /// Whether a row has none.
    pub(in crate::store) has_null: bool,
}

impl DistinctColumn {
    fn name(self) -> &'static str {
        match self {
            Self::EventType => "event_type",
            Self::SourceService => "source_service",
        }
    }
}

/// All values that exist.
///
/// # Errors
/// `Error::Query`.
pub(in crate::store) async fn distinct_values(
    session: &Session,
    column: DistinctColumn,
    counting: &Counting,
) -> Result<DistinctValues, Error> {
    let found: Vec<Option<String>> = statement(column, counting, "", i64::MAX, true)
        .rows(session, "listing the values that exist", |row| row.try_get(0))
        .await?;
    let has_null = found.iter().any(Option::is_none);
    Ok(DistinctValues { values: found.into_iter().flatten().collect(), has_null })
}

/// The first values that exist from this one on, in their order.
///
/// # Errors
/// `Error::Query`.
pub async fn some_values(
    session: &Session,
    column: DistinctColumn,
    from: &str,
    limit: i64,
) -> Result<Vec<String>, Error> {
    let counting = Counting::read(session).await?;
    statement(column, &counting, from, limit, false)
        .rows(session, "listing the values that exist", |row| row.try_get(0))
        .await
}

/// Reads the counts, and the rows that they do not hold.
fn statement(
    column: DistinctColumn,
    counting: &Counting,
    from: &str,
    limit: i64,
    with_null: bool,
) -> Statement {
    let name = column.name();
    let mut parameters = Parameters::default();
    let uncounted = counting.uncounted("event", &mut parameters);
    let from = parameters.bind(from.to_owned(), Type::VARCHAR);
    let or_null = if with_null { " OR value IS NULL" } else { "" };
    let limit = parameters.bind(limit, Type::INT8);
    let sql = format!(
        "SELECT DISTINCT value::text
  FROM (SELECT {name} AS value FROM event_counts_by_day
         UNION ALL
        SELECT {name} FROM event_counts WHERE NOT merged
         UNION ALL
        SELECT event.{name} FROM {uncounted}) named
 WHERE value >= {from}{or_null}
 ORDER BY 1
 LIMIT {limit}"
    );
    Statement { sql, parameters }
}
