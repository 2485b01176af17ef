//! Finds the event that a typed id means.

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

/// Finds an event by its row id, its event id, or the beginning or short form of that.
///
/// # Errors
/// `Error::Query`.
pub async fn find_event(session: &Session, text: &str) -> Result<EventLookup, Error> {
    let deliveries = async |event_id: Identifier, limit| {
        events(session, &Selection { event_ids: vec![event_id], ..Selection::default() }, limit)
            .await
    };
    if let Ok(id) = text.parse::<i64>()
        && let Some(event) = event_of_row(session, id).await?
        && let Some(event_id) = event.uuid(EventColumn::EventId)?
    {
        return Ok(EventLookup::Event {
            deliveries: deliveries(Identifier::whole(event_id), MAX_DELIVERIES).await?,
            row_id: Some(id),
        });
    }
    let Ok(identifier) = Identifier::parse(text) else { return Ok(EventLookup::Nothing) };
    let candidates = deliveries(identifier, MAX_AMBIGUOUS_ROWS).await?;
    let mut event_ids = Vec::new();
    for candidate in &candidates {
        event_ids.extend(candidate.uuid(EventColumn::EventId)?);
    }
    event_ids.sort_unstable();
    event_ids.dedup();
    match event_ids.as_slice() {
        [] => Ok(EventLookup::Nothing),
        [event_id] => Ok(EventLookup::Event {
            deliveries: deliveries(Identifier::whole(*event_id), MAX_DELIVERIES).await?,
            row_id: None,
        }),
        _ => Ok(EventLookup::Ambiguous(candidates)),
    }
}
