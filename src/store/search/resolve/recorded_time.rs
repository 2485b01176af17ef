//! Resolves times of recording: the batches of that time bound the ids and the times of their rows.

use tokio_postgres::types::Type;

use crate::filter::TimeRange;
use crate::store::connection::query::TypedValue;
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::search::resolved::{RecordedRange, RowScope};
use crate::time::PostgresMicros;

/// The batches recorded in a range of time; `None` where the range has no bounds.
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
    let sql = "SELECT min(first_id), max(last_id), min(coalesce(min_created_at, '-infinity')),
                    max(coalesce(max_created_at, 'infinity'))
               FROM ingest_batches
              WHERE first_id IS NOT NULL AND recorded_at >= coalesce($1, '-infinity') AND recorded_at < coalesce($2, 'infinity')";
    let values: [TypedValue<'_>; 2] = [(&since, Type::TIMESTAMPTZ), (&until, Type::TIMESTAMPTZ)];
    let range = session.row("reading the batches of that time", sql, &values, |row| {
        let (first, last): (Option<PostgresMicros>, Option<PostgresMicros>) =
            (row.try_get(2)?, row.try_get(3)?);
        Ok(RecordedRange {
            // Without a batch the range of ids is empty.
            first_id: row.try_get::<_, Option<i64>>(0)?.unwrap_or(1),
            last_id: row.try_get::<_, Option<i64>>(1)?.unwrap_or(0),
            created: first.zip(last),
            since,
            until,
        })
    });
    range.await.map(Some)
}
