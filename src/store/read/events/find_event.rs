//! Finds the event that a typed id means.

use uuid::Uuid;

use super::stored_event::{StoredEvent, event_of_row, events};
use crate::filter::{Identifier, Selection};
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::search::event_column::EventColumn;

/// What a typed id means.
#[derive(Debug)]
pub enum EventLookup {
    /// Nothing has it.
    Nothing,
    /// One event.
    Event {
        /// Its rows, one for each delivery, oldest first.
        deliveries: Vec<StoredEvent>,
        /// The row that was asked for, where the id was a row's (`event_logs.id`).
        row_id: Option<i64>,
    },
    /// Several events, whose ids begin alike: some of their rows.
    Ambiguous(Vec<StoredEvent>),
}

/// How many rows are named at most where an id is ambiguous.
const MAX_AMBIGUOUS_ROWS: i64 = 10;

/// How many deliveries of one event are read at most.
const MAX_DELIVERIES: i64 = 1_000;

/// The rows of an event, oldest first.
///
/// # Errors
/// `Error::Query`.
pub async fn deliveries_of(session: &Session, event_id: Uuid) -> Result<Vec<StoredEvent>, Error> {
    let event_ids = vec![Identifier::whole(event_id)];
    events(session, &Selection { event_ids, ..Selection::default() }, MAX_DELIVERIES).await
}

/// Finds an event by its row id, its event id, or the beginning or short form of that.
///
/// # Errors
/// `Error::Query`.
pub async fn find_event(session: &Session, text: &str) -> Result<EventLookup, Error> {
    if let Ok(id) = text.parse::<i64>()
        && let Some(event) = event_of_row(session, id).await?
        && let Some(event_id) = event.uuid(EventColumn::EventId)?
    {
        return Ok(EventLookup::Event {
            deliveries: deliveries_of(session, event_id).await?,
            row_id: Some(id),
        });
    }
    let Ok(identifier) = Identifier::parse(text) else { return Ok(EventLookup::Nothing) };
    let selection = Selection { event_ids: vec![identifier], ..Selection::default() };
    let candidates = events(session, &selection, MAX_AMBIGUOUS_ROWS).await?;
    let mut event_ids = Vec::new();
    for candidate in &candidates {
        event_ids.extend(candidate.uuid(EventColumn::EventId)?);
    }
    event_ids.sort_unstable();
    event_ids.dedup();
    match event_ids.as_slice() {
        [] => Ok(EventLookup::Nothing),
        [event_id] => Ok(EventLookup::Event {
            deliveries: deliveries_of(session, *event_id).await?,
            row_id: None,
        }),
        _ => Ok(EventLookup::Ambiguous(candidates)),
    }
}
