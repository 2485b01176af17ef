//! What a record becomes.

use std::borrow::Cow;

use uuid::Uuid;

use crate::time::UnixMicros;

/// What a record becomes: the columns of one row of `event_logs`, without those that ingest alone
/// knows (`id`, `partition_id`, `kafka_offset`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// `event_id`.
    pub event_id: Uuid,
    /// `event_type`, at most 100 code points.
    pub event_type: Cow<'a, str>,
    /// `aggregate_id`.
    pub aggregate_id: Option<Uuid>,
    /// `source_service`, at most 100 code points.
    pub source_service: Option<Cow<'a, str>>,
    /// `is_dlt`: whether the topic is one of dead letters.
    pub is_dlt: bool,
    /// `payload`: JSON text that PostgreSQL's JSONB holds unchanged in meaning.
    pub payload: Cow<'a, str>,
    /// `created_at`.
    pub created_at: UnixMicros,
    /// `correlation_id`.
    pub correlation_id: Option<Uuid>,
    /// `attributes`: a JSON object as text.
    pub attributes: String,
}

impl Event<'_> {
    /// The same event, borrowing nothing.
    pub(in crate::event) fn into_owned<'a>(self) -> Event<'a> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Event {
            event_id: self.event_id,
            event_type: owned(self.event_type),
            aggregate_id: self.aggregate_id,
            source_service: self.source_service.map(owned),
            is_dlt: self.is_dlt,
            payload: owned(self.payload),
            created_at: self.created_at,
            correlation_id: self.correlation_id,
            attributes: self.attributes,
        }
    }
}
