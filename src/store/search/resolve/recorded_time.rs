//! Times of recording: the batches of that time bound the ids and the times of their rows.

use chrono::{DateTime, Utc};
use tokio_postgres::types::Type;

use super::RowScope;
use crate::filter::TimeRange;
use crate::store::Error;
use crate::store::connection::session::Session;
use crate::time::PostgresMicros;

/// The ids that batches recorded in a range of time, and the range, because ids are not in the
/// order of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct RecordedRange {
    pub(in crate::store) first_id: i64,
    pub(in crate::store) last_id: i64,
    /// Between which times the events of those batches happened, both inclusive.
    pub(in crate::store) created: Option<(PostgresMicros, PostgresMicros)>,
    pub(in crate::store) since: Option<DateTime<Utc>>,
    pub(in crate::store) until: Option<DateTime<Utc>>,
}

/// What was recorded in a range of time.
pub(in crate::store) async fn resolve(
    session: &Session,
    range: TimeRange,
    scope: RowScope,
) -> Result<Option<RecordedRange>, Error> {
    if range.is_unbounded() {
        return Ok(None);
    }
    let (since, until) = (range.since, range.until);
    if scope == RowScope::Future {
        return Ok(Some(RecordedRange {
            first_id: i64::MIN,
            last_id: i64::MAX,
            created: None,
            since,
            until,
        }));
    }
    let failed = "reading the batches of that time";
    let rows = session.client()
        .query_typed(
            "SELECT min(first_id), max(last_id), min(coalesce(min_created_at, '-infinity')),
                    max(coalesce(max_created_at, 'infinity'))
               FROM ingest_batches
              WHERE first_id IS NOT NULL AND recorded_at >= coalesce($1, '-infinity') AND recorded_at < coalesce($2, 'infinity')",
            &[(&since, Type::TIMESTAMPTZ), (&until, Type::TIMESTAMPTZ)],
        )
        .await
        .map_err(Error::query(failed))?;
    let Some(row) = rows.first() else { return Ok(None) };
    let id = |index| row.try_get::<_, Option<i64>>(index).map_err(Error::query(failed));
    let time =
        |index| row.try_get::<_, Option<PostgresMicros>>(index).map_err(Error::query(failed));
    // Without a batch the range of ids is empty, too.
    let (first_id, last_id) = (id(0)?.unwrap_or(1), id(1)?.unwrap_or(0));
    Ok(Some(RecordedRange { first_id, last_id, created: time(2)?.zip(time(3)?), since, until }))
}
