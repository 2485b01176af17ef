//! The ids of stories as they came.

use std::collections::HashMap;

use tokio_postgres::types::Type;

use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::search::event_column::EventColumn;
use crate::value::Value;

/// The ids of an event as they came.
#[derive(Debug, Clone, PartialEq)]
pub struct StoryIds {
    /// Its correlation; its aggregate where it has none.
    pub correlation: Value<'static>,
    /// Its aggregate.
    pub aggregate: Value<'static>,
}

/// The ids of these rows (`event_logs.id`).
///
/// # Errors
/// `Error::Query`, `Error::Column`.
pub async fn story_ids(session: &Session, rows: &[i64]) -> Result<HashMap<i64, StoryIds>, Error> {
    let (correlation, aggregate) = (EventColumn::Correlation, EventColumn::Aggregate);
    let sql = format!(
        "SELECT event.id, {}, {} FROM event_logs event WHERE event.id = ANY($1)",
        correlation.expression(),
        aggregate.expression()
    );
    let what = "reading the ids of stories";
    let ids = session
        .rows(what, &sql, &[(&rows, Type::INT8_ARRAY)], |row| {
            let ids = StoryIds {
                correlation: owned(&correlation.value(row, 1)?),
                aggregate: owned(&aggregate.value(row, 2)?),
            };
            Ok((row.try_get(0)?, ids))
        })
        .await?;
    Ok(ids.into_iter().collect())
}

fn owned(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Uuid(id) => Value::Uuid(*id),
        other => other.to_text().into(),
    }
}
