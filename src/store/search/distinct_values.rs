//! Lists the values of a column that exist.

use tokio_postgres::types::Type;

use crate::store::connection::query::TypedValue;
use crate::store::connection::session::Session;
use crate::store::error::Error;

/// An indexed column of `event_logs` with few distinct values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DistinctColumn {
    /// `event_type`.
    EventType,
    /// `source_service`.
    SourceService,
}

/// The values that exist, in their order.
///
/// # Errors
/// `Error::Query`.
pub(in crate::store) async fn distinct_values(
    session: &Session,
    column: DistinctColumn,
) -> Result<Vec<String>, Error> {
    some_values(session, column, "", i64::MAX).await
}

/// The first values that exist from this one on, in their order. Steps through the index from each
/// value to the next, so that ten million rows of twenty types cost twenty look-ups in each leaf.
///
/// # Errors
/// `Error::Query`.
pub async fn some_values(
    session: &Session,
    column: DistinctColumn,
    from: &str,
    limit: i64,
) -> Result<Vec<String>, Error> {
    let sql = match column {
        DistinctColumn::EventType => {
            "WITH RECURSIVE found(value) AS (
                 SELECT min(event_type)::text FROM event_logs WHERE event_type >= $1
                 UNION ALL
                 SELECT (SELECT min(event_type)::text FROM event_logs WHERE event_type > found.value)
                   FROM found WHERE found.value IS NOT NULL)
             SELECT value FROM found WHERE value IS NOT NULL LIMIT $2"
        }
        DistinctColumn::SourceService => {
            "WITH RECURSIVE found(value) AS (
                 SELECT min(source_service)::text FROM event_logs WHERE source_service >= $1
                 UNION ALL
                 SELECT (SELECT min(source_service)::text FROM event_logs WHERE source_service > found.value)
                   FROM found WHERE found.value IS NOT NULL)
             SELECT value FROM found WHERE value IS NOT NULL LIMIT $2"
        }
    };
    let values: [TypedValue<'_>; 2] = [(&from, Type::VARCHAR), (&limit, Type::INT8)];
    session.rows("listing the values that exist", sql, &values, |row| row.try_get(0)).await
}
