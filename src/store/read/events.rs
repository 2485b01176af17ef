//! Events with everything that is known of them: what `show` and `trace` are made of.

use std::borrow::Cow;

use futures_util::TryStreamExt;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::dead_letter::error_line;
use crate::filter::{Identifier, Selection};
use crate::store::connection::session::Session;
use crate::store::search::cursor::Order;
use crate::store::search::event_column::EventColumn;
use crate::store::search::event_query::{EventQuery, RowOrder};
use crate::store::search::event_row::EventRow;
use crate::store::search::resolve::{RowScope, resolve};
use crate::store::{Error, ResolvedSelection};
use crate::time::PostgresMicros;
use crate::value::Value;

/// A row of `event_logs` with its batch and its origin.
#[derive(Debug)]
pub struct StoredEvent(EventRow);

impl StoredEvent {
    /// A column's value.
    ///
    /// # Errors
    /// `Error::Query` where the row can't be read.
    pub fn value(&self, column: EventColumn) -> Result<Value<'_>, Error> {
        let index = EventColumn::ALL.iter().position(|other| *other == column).unwrap_or_default();
        self.0.value(index, column)
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

    /// Its row id.
    ///
    /// # Errors
    /// As [`StoredEvent::value`].
    pub fn id(&self) -> Result<i64, Error> {
        Ok(self.integer(EventColumn::Id)?.unwrap_or_default())
    }
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
    let cursor = crate::store::Cursor {
        order: Order::Newest,
        created_at: event.time(EventColumn::CreatedAt)?.unwrap_or_default(),
        id: event.id()?,
        snapshot: crate::store::snapshot(session).await?,
    };
    let selection = Selection { aggregates: vec![aggregate.to_string()], ..Selection::default() };
    let resolved = resolve(session, &selection, RowScope::Existing).await?;
    let own = event.uuid(EventColumn::EventId)?;
    let earlier = read(session, &resolved, RowOrder::After(cursor), 100).await?;
    // Another delivery of the same event is no event before it.
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
    let query = EventQuery {
        selection,
        columns: &EventColumn::ALL,
        order,
        limit: Some(limit),
        dedup: false,
    };
    query.stream(session).await?.map_ok(StoredEvent).try_collect().await
}

/// What an id that was typed may mean.
#[derive(Debug)]
pub enum EventLookup {
    /// Nothing has it.
    Nothing,
    /// All rows of one event, oldest first, and the row that was asked for by its own id.
    Event {
        /// Its deliveries.
        deliveries: Vec<StoredEvent>,
        /// The row that was asked for.
        row_id: Option<i64>,
    },
    /// Several events begin like this.
    Ambiguous(Vec<StoredEvent>),
}

/// Up to so many candidates are named where an id is ambiguous.
const CANDIDATES: i64 = 10;

/// Finds an event by its row id, its event id, or the beginning or short form of that.
///
/// # Errors
/// `Error::Query`.
pub async fn find_event(session: &Session, text: &str) -> Result<EventLookup, Error> {
    let deliveries = async |event_id: Identifier, limit| {
        events(session, &Selection { event_ids: vec![event_id], ..Selection::default() }, limit)
            .await
    };
    let whole = |event_id: Uuid| Identifier { low: event_id, high: event_id, suffix: None };
    if let Ok(id) = text.parse::<i64>()
        && let Some(event) = event_of_row(session, id).await?
        && let Some(event_id) = event.uuid(EventColumn::EventId)?
    {
        return Ok(EventLookup::Event {
            deliveries: deliveries(whole(event_id), 1_000).await?,
            row_id: Some(id),
        });
    }
    let Ok(identifier) = Identifier::parse(text) else { return Ok(EventLookup::Nothing) };
    let candidates = deliveries(identifier, CANDIDATES).await?;
    let mut event_ids = Vec::new();
    for candidate in &candidates {
        event_ids.extend(candidate.uuid(EventColumn::EventId)?);
    }
    event_ids.sort_unstable();
    event_ids.dedup();
    match event_ids.as_slice() {
        [] => Ok(EventLookup::Nothing),
        [event_id] => Ok(EventLookup::Event {
            deliveries: deliveries(whole(*event_id), 1_000).await?,
            row_id: None,
        }),
        _ => Ok(EventLookup::Ambiguous(candidates)),
    }
}

/// What made a dead letter of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterSummary {
    /// `event_logs.id`.
    pub event_log_id: i64,
    /// Where the record was first.
    pub origin_topic: Option<String>,
    /// The partition there.
    pub origin_partition: Option<i32>,
    /// The offset there.
    pub origin_offset: Option<i64>,
    /// Who failed on it.
    pub consumer_group: Option<String>,
    /// The exception's class.
    pub exception_class: Option<String>,
    /// The exception's message.
    pub exception_message: Option<String>,
    /// How often it was tried.
    pub attempts: Option<i32>,
}

impl DeadLetterSummary {
    /// The error in a line.
    pub fn error(&self) -> String {
        error_line(
            self.exception_class.as_deref(),
            self.exception_message.as_deref(),
            self.consumer_group.as_deref(),
        )
    }
}

/// The dead letters among rows.
///
/// # Errors
/// `Error::Query`.
pub async fn dead_letter_summaries(
    session: &Session,
    event_log_ids: &[i64],
) -> Result<Vec<DeadLetterSummary>, Error> {
    let failed = "reading dead letters";
    let rows = session.client()
        .query_typed(
            "SELECT event_log_id, origin_topic, origin_partition, origin_offset, consumer_group, exception_class,
                    exception_message, attempts
               FROM dead_letters WHERE event_log_id = ANY($1) ORDER BY event_log_id",
            &[(&event_log_ids, Type::INT8_ARRAY)],
        )
        .await
        .map_err(Error::query(failed))?;
    let letter = |row: &Row| {
        Ok(DeadLetterSummary {
            event_log_id: row.try_get(0)?,
            origin_topic: row.try_get(1)?,
            origin_partition: row.try_get(2)?,
            origin_offset: row.try_get(3)?,
            consumer_group: row.try_get(4)?,
            exception_class: row.try_get(5)?,
            exception_message: row.try_get(6)?,
            attempts: row.try_get(7)?,
        })
    };
    rows.iter().map(letter).collect::<Result<_, _>>().map_err(Error::query(failed))
}

/// One time that a dead letter was sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplaySummary {
    /// `event_logs.id` of the dead letter.
    pub event_log_id: i64,
    /// The how-manieth.
    pub attempt: i32,
    /// Who asked for it.
    pub requested_by: String,
    /// When, microseconds since 2000-01-01 UTC.
    pub requested_at: PostgresMicros,
    /// Why.
    pub reason: Option<String>,
    /// Where to.
    pub target_topic: String,
    /// `pending`, `sent`, `failed` or `returned`.
    pub state: String,
}

/// The replays of dead letters, in their order.
///
/// # Errors
/// `Error::Query`.
pub async fn replay_summaries(
    session: &Session,
    event_log_ids: &[i64],
) -> Result<Vec<ReplaySummary>, Error> {
    let failed = "reading replays";
    let rows = session.client()
        .query_typed(
            "SELECT event_log_id, attempt, requested_by, requested_at, reason, target_topic, state
               FROM dlt_replay_outcomes WHERE event_log_id = ANY($1) ORDER BY event_log_id, attempt",
            &[(&event_log_ids, Type::INT8_ARRAY)],
        )
        .await
        .map_err(Error::query(failed))?;
    let replay = |row: &Row| {
        Ok(ReplaySummary {
            event_log_id: row.try_get(0)?,
            attempt: row.try_get(1)?,
            requested_by: row.try_get(2)?,
            requested_at: row.try_get(3)?,
            reason: row.try_get(4)?,
            target_topic: row.try_get(5)?,
            state: row.try_get(6)?,
        })
    };
    rows.iter().map(replay).collect::<Result<_, _>>().map_err(Error::query(failed))
}
