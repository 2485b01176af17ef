//! Events with everything that is known of them: what `show` and `trace` are made of.

use std::borrow::Cow;

use futures_util::TryStreamExt;
use uuid::Uuid;

use crate::event::Mark;
use crate::filter::Selection;
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::read::bounds::snapshot;
use crate::store::search::event_column::EventColumn;
use crate::store::search::event_query::EventQuery;
use crate::store::search::event_row::EventRow;
use crate::store::search::resolve::selection::resolve;
use crate::store::search::resolved::{ResolvedSelection, RowScope};
use crate::store::search::selected_column::SelectedColumn;
use crate::store::search::walk::cursor::{Cursor, Order};
use crate::store::search::walk::row_order::RowOrder;
use crate::time::PostgresMicros;
use crate::value::Value;

/// A row of all columns ([`EventColumn::ALL`]): an event with its batch and its origin. A row of
/// some columns is an [`EventRow`].
#[derive(Debug)]
pub struct StoredEvent(EventRow);

impl StoredEvent {
    /// A column's value.
    ///
    /// # Errors
    /// `Error::Column` where the row holds something else there.
    pub fn value(&self, column: EventColumn) -> Result<Value<'_>, Error> {
        self.0.value(index_of(column), &column.into())
    }

    /// A column of numbers.
    ///
    /// # Errors
    /// As [`StoredEvent::value`].
    pub fn integer(&self, column: EventColumn) -> Result<Option<i64>, Error> {
        Ok(match self.value(column)? {
            Value::Integer(number) => Some(number),
            _ => None,
        })
    }

    /// A column of times.
    ///
    /// # Errors
    /// As [`StoredEvent::value`].
    pub fn time(&self, column: EventColumn) -> Result<Option<PostgresMicros>, Error> {
        Ok(match self.value(column)? {
            Value::Timestamp(timestamp) => Some(timestamp.time()),
            _ => None,
        })
    }

    /// A column of text or JSON.
    ///
    /// # Errors
    /// As [`StoredEvent::value`].
    pub fn text(&self, column: EventColumn) -> Result<Option<&str>, Error> {
        Ok(match self.value(column)? {
            // What a row holds is borrowed from it.
            Value::Text(Cow::Borrowed(text)) | Value::Json(Cow::Borrowed(text)) => Some(text),
            _ => None,
        })
    }

    /// A column of UUIDs; of the cause, where it is one.
    ///
    /// # Errors
    /// As [`StoredEvent::value`].
    pub fn uuid(&self, column: EventColumn) -> Result<Option<Uuid>, Error> {
        Ok(match self.value(column)? {
            Value::Uuid(uuid) => Some(uuid),
            Value::Text(text) => Uuid::parse_str(&text).ok(),
            _ => None,
        })
    }

    /// What stands out about it.
    ///
    /// # Errors
    /// As [`StoredEvent::value`].
    pub fn mark(&self) -> Result<Mark, Error> {
        self.0.mark(index_of(EventColumn::Mark))
    }

    /// Its row id.
    ///
    /// # Errors
    /// As [`StoredEvent::value`].
    pub fn id(&self) -> Result<i64, Error> {
        Ok(self.integer(EventColumn::Id)?.unwrap_or_default())
    }
}

/// The place of a column among all of them.
fn index_of(column: EventColumn) -> usize {
    EventColumn::ALL.iter().position(|other| *other == column).unwrap_or_default()
}

/// The rows of a selection, oldest first, `limit` at most.
///
/// # Errors
/// `Error::Query`.
pub async fn events(
    session: &Session,
    selection: &Selection,
    limit: i64,
) -> Result<Vec<StoredEvent>, Error> {
    let resolved = resolve(session, selection, RowScope::Existing).await?;
    read(session, &resolved, RowOrder::CreatedAt(Order::Oldest), limit).await
}

/// The last row of a selection, by the time it happened.
///
/// # Errors
/// `Error::Query`.
pub(super) async fn newest_event(
    session: &Session,
    selection: &ResolvedSelection,
) -> Result<Option<StoredEvent>, Error> {
    Ok(read(session, selection, RowOrder::CreatedAt(Order::Newest), 1).await?.pop())
}

/// The row of an id.
///
/// # Errors
/// `Error::Query`.
pub async fn event_of_row(session: &Session, id: i64) -> Result<Option<StoredEvent>, Error> {
    let Some(after) = id.checked_sub(1) else { return Ok(None) };
    let order = RowOrder::IdRange { after, last: id };
    Ok(read(session, &ResolvedSelection::default(), order, 1).await?.pop())
}

/// The event of the same aggregate before this one, by the time it happened.
///
/// # Errors
/// `Error::Query`.
pub async fn event_before(
    session: &Session,
    event: &StoredEvent,
) -> Result<Option<StoredEvent>, Error> {
    let Some(aggregate) = event.uuid(EventColumn::AggregateId)? else { return Ok(None) };
    let cursor = Cursor {
        order: Order::Newest,
        created_at: event.time(EventColumn::CreatedAt)?.unwrap_or_default(),
        id: event.id()?,
        snapshot: snapshot(session).await?,
    };
    let selection = Selection { aggregates: vec![aggregate.to_string()], ..Selection::default() };
    let resolved = resolve(session, &selection, RowScope::Existing).await?;
    let own = event.uuid(EventColumn::EventId)?;
    let earlier = read(session, &resolved, RowOrder::After(cursor), 100).await?;
    // Skips other deliveries of the same event: they are no event before it.
    for candidate in earlier {
        if candidate.uuid(EventColumn::EventId)? != own {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

async fn read(
    session: &Session,
    selection: &ResolvedSelection,
    order: RowOrder,
    limit: i64,
) -> Result<Vec<StoredEvent>, Error> {
    let columns = EventColumn::ALL.map(SelectedColumn::from);
    let query =
        EventQuery { selection, columns: &columns, order, limit: Some(limit), dedup: false };
    query.stream(session).await?.map_ok(StoredEvent).try_collect().await
}
