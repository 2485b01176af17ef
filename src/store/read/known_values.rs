//! The values that a column has, for a person who is about to type one.

use std::time::Duration;

use tokio_postgres::types::Type;

use super::partitions::known_topics;
use crate::store::connection::parameters::Settings;
use crate::store::connection::query::TypedValue;
use crate::store::connection::session::{ReadMode, Session};
use crate::store::error::Error;
use crate::store::search::distinct_values::{DistinctColumn, some_values};

/// Values that can be looked up in no time, however many rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownValues {
    /// The types of events.
    EventTypes,
    /// The services that published them.
    Services,
    /// The topics they were read from.
    Topics,
    /// The exception classes of dead letters.
    ErrorClasses,
}

/// The most values that are given: a person reads no more.
const MOST: i64 = 1_000;

/// The values that exist, those of types and services from `from` on. The server gives up, too, on
/// a statement that takes longer than `limit`; whoever calls this has to end the connecting.
/// Whether the schema is the one that this program needs is not asked: what is missing there is an
/// error.
///
/// # Errors
/// Those of [`Session::connect`] and [`Session::read`]; `Error::Query`.
pub async fn known_values(
    settings: &Settings,
    values: KnownValues,
    from: &str,
    limit: Duration,
) -> Result<Vec<String>, Error> {
    let mut session = Session::connect(settings, "audit completion").await?;
    let reading = session.read(ReadMode::Page).await?;
    let limit = limit.as_millis().to_string();
    let sql = "SELECT pg_catalog.set_config('statement_timeout', $1, true)";
    reading.execute("limiting the time", sql, &[(&limit, Type::TEXT)]).await?;
    match values {
        KnownValues::EventTypes => {
            some_values(&reading, DistinctColumn::EventType, from, MOST).await
        }
        KnownValues::Services => {
            some_values(&reading, DistinctColumn::SourceService, from, MOST).await
        }
        KnownValues::Topics => known_topics(&reading).await,
        KnownValues::ErrorClasses => error_classes(&reading).await,
    }
}

/// Steps through the index of dead letters from each topic and class to the next.
async fn error_classes(session: &Session) -> Result<Vec<String>, Error> {
    let sql = "WITH RECURSIVE found(topic, class) AS (
                   (SELECT origin_topic, exception_class FROM dead_letters
                     WHERE origin_topic IS NOT NULL AND exception_class IS NOT NULL
                     ORDER BY origin_topic, exception_class LIMIT 1)
                   UNION ALL
                   SELECT following.* FROM found, LATERAL (
                       SELECT origin_topic, exception_class FROM dead_letters
                        WHERE (origin_topic, exception_class) > (found.topic, found.class)
                          AND exception_class IS NOT NULL
                        ORDER BY origin_topic, exception_class LIMIT 1) following)
               SELECT DISTINCT class FROM (SELECT class FROM found LIMIT $1) first ORDER BY class";
    let most: [TypedValue<'_>; 1] = [(&MOST, Type::INT8)];
    session.rows("listing the exception classes", sql, &most, |row| row.try_get(0)).await
}
