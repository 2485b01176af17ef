//! The rules that all formats share: from what a decoder found to the columns of a row.

use std::borrow::Cow;

use uuid::Uuid;

use super::attributes::{Attributes, Original};
use super::ids;
use super::occurred_at;
use super::quarantine;
use super::quarantine::QUARANTINED;
use crate::event::column_source::{ColumnOrigin, ColumnSource, ColumnSources};
use crate::event::envelope::{Envelope, Field, Payload, Problem, Raw};
use crate::event::wrapping::carried;
use crate::event::{Event, Reason, Record, RecordSchema, Unpacked};
use crate::time::UnixMicros;

/// The longest text that `event_type` and `source_service` hold, in code points.
const MAX_CHARACTERS: usize = 100;

/// Event types that begin so are the audit's own.
const RESERVED_PREFIX: &str = "audit.";

const MAPPED: &str = "other text than a UUID, mapped by UUID v5";
const UNWRAPPED: &str = "unwrapped";
const UNWRAPPED_AND_MAPPED: &str = "unwrapped; other text than a UUID, mapped by UUID v5";

/// Makes the row of an envelope. Where a column's rule is broken, the row is quarantined for the
/// reason that is told, and keeps what the other columns and the attributes can hold.
pub(in crate::event) fn event<'a>(
    record: &Record<'a>,
    envelope: Envelope<'a>,
    schema: RecordSchema,
    unpacked: &'a Unpacked,
    is_dlt: bool,
    now: UnixMicros,
) -> (Event<'a>, ColumnSources, Option<Reason>) {
    let mut sources = ColumnSources::default();
    let mut attributes =
        Attributes { schema, payload_was_text: envelope.payload_was_text, ..Attributes::default() };
    let mut broken_rule = None;

    let (event_type, origin) = event_type(&envelope).unwrap_or_else(|reason| {
        broken_rule = Some(reason);
        (Cow::Borrowed(QUARANTINED), ColumnOrigin::Rule)
    });
    sources.event_type = ColumnSource::of(origin);

    let source_service = envelope.source_service.as_ref().and_then(|field| {
        let source = source_service(field).unwrap_or_else(|reason| {
            broken_rule = broken_rule.or(Some(reason));
            None
        });
        if source.is_some() {
            sources.source_service = ColumnSource::of(field.origin);
        } else {
            attributes.originals.source_service = Some(Original::AsItCame(field.raw));
            sources.source_service = ColumnSource::noted(
                ColumnOrigin::Nowhere,
                "the envelope's cannot stand in the column",
            );
        }
        source
    });

    let source = source_service.as_deref().unwrap_or_default();
    let id = read_id(envelope.event_id.as_ref(), |id| ids::event_uuid(source, id));
    attributes.originals.event_id = id.original;
    attributes.wrapped.extend(id.wrapped.map(|raw| ("event_id", raw)));
    let event_id = id.uuid.unwrap_or_else(|| ids::coordinates_uuid(record));
    sources.event_id =
        if id.uuid.is_some() { id.source } else { ColumnSource::of(ColumnOrigin::Coordinates) };

    let id = read_id(envelope.aggregate_id.as_ref(), ids::made_aggregate);
    attributes.originals.aggregate_id = id.original;
    attributes.wrapped.extend(id.wrapped.map(|raw| ("aggregate_id", raw)));
    sources.aggregate_id = id.source;
    let aggregate_id = id.uuid.or_else(|| {
        let (aggregate_id, source) = key_aggregate(unpacked.key(record), &mut attributes)?;
        sources.aggregate_id = source;
        Some(aggregate_id)
    });

    let id = read_id(envelope.correlation_id.as_ref(), ids::made_correlation);
    attributes.originals.correlation_id = id.original;
    attributes.wrapped.extend(id.wrapped.map(|raw| ("correlation_id", raw)));
    sources.correlation_id = id.source;
    let correlation_id = id.uuid;
    let correlation_id = correlation_id.or_else(|| {
        let (correlation_id, source) = trace(record, envelope.traceparent.as_ref())?;
        sources.correlation_id = source;
        Some(correlation_id)
    });

    let (created_at, source) =
        created_at(record, envelope.occurred_at.as_ref(), now, &mut attributes);
    sources.created_at = source;

    sources.payload = ColumnSource {
        origin: envelope.payload_origin,
        note: envelope.payload_was_text.then_some("the object that the text holds"),
    };
    attributes.named = envelope.named;
    attributes.unknown = envelope.unknown;
    let mut event = Event {
        event_id,
        event_type,
        aggregate_id,
        source_service,
        is_dlt,
        payload: match envelope.payload {
            Payload::Raw(json) => Cow::Borrowed(json),
            Payload::Built(json) => Cow::Owned(json),
        },
        created_at,
        correlation_id,
        attributes: String::new(),
    };
    let reason = broken_rule.map(|reason| {
        let (reason, payload) = quarantine::payload(
            record,
            &Problem { schema_id: attributes.schema.id, ..reason.into() },
        );
        event.event_type = Cow::Borrowed(QUARANTINED);
        event.payload = Cow::Owned(payload);
        attributes.payload_was_text = false;
        sources.event_type = ColumnSource::of(ColumnOrigin::Rule);
        sources.payload = ColumnSource::of(ColumnOrigin::Value);
        reason
    });
    event.attributes = attributes.to_json(record, unpacked);
    (event, sources, reason)
}

/// Makes a row that holds nothing of the value: a tombstone, or a quarantined record.
pub(in crate::event) fn event_without_envelope<'a>(
    record: &Record<'a>,
    unpacked: &'a Unpacked,
    event_type: &'static str,
    payload: Cow<'a, str>,
    is_dlt: bool,
    now: UnixMicros,
) -> (Event<'a>, ColumnSources) {
    let mut attributes = Attributes { schema: unpacked.schema(None), ..Attributes::default() };
    let (created_at, time_source) = created_at(record, None, now, &mut attributes);
    let (aggregate_id, aggregate_origin) =
        key_aggregate(unpacked.key(record), &mut attributes).unzip();
    let (correlation_id, correlation_origin) = trace(record, None).unzip();
    let event = Event {
        event_id: ids::coordinates_uuid(record),
        event_type: Cow::Borrowed(event_type),
        aggregate_id,
        source_service: None,
        is_dlt,
        payload,
        created_at,
        correlation_id,
        attributes: attributes.to_json(record, unpacked),
    };
    let sources = ColumnSources {
        event_id: ColumnSource::of(ColumnOrigin::Coordinates),
        event_type: ColumnSource::of(ColumnOrigin::Rule),
        aggregate_id: aggregate_origin.unwrap_or_default(),
        source_service: ColumnSource::default(),
        payload: ColumnSource::of(ColumnOrigin::Value),
        created_at: time_source,
        correlation_id: correlation_origin.unwrap_or_default(),
    };
    (event, sources)
}

fn event_type<'a>(envelope: &Envelope<'a>) -> Result<(Cow<'a, str>, ColumnOrigin), Reason> {
    let (text, origin) = match (&envelope.event_type, &envelope.made_type) {
        (Some(field), _) => (field.raw.text().ok_or(Reason::EventTypeNotText)?, field.origin),
        (None, Some((text, origin))) => (text.clone(), *origin),
        (None, None) => return Err(Reason::EventTypeMissing),
    };
    if text.is_empty() {
        return Err(Reason::EventTypeEmpty);
    }
    if is_too_long(&text) {
        return Err(Reason::EventTypeTooLong);
    }
    if text.contains('\0') {
        return Err(Reason::NulCharacter);
    }
    if text.starts_with(RESERVED_PREFIX) {
        return Err(Reason::EventTypeReserved);
    }
    Ok((text, origin))
}

/// The source; `None` where it is not text, and the envelope's member is kept in the attributes
/// instead.
fn source_service<'a>(field: &Field<'a>) -> Result<Option<Cow<'a, str>>, Reason> {
    let Some(text) = field.raw.text() else {
        return Ok(None);
    };
    if is_too_long(&text) {
        return Err(Reason::SourceServiceTooLong);
    }
    if text.contains('\0') {
        return Err(Reason::NulCharacter);
    }
    Ok(Some(text))
}

fn is_too_long(text: &str) -> bool {
    text.len() > MAX_CHARACTERS && text.chars().nth(MAX_CHARACTERS).is_some()
}

/// An id of any kind as a UUID.
#[derive(Default)]
struct Id<'a> {
    uuid: Option<Uuid>,
    source: ColumnSource,
    /// The id itself, where it does not stand in the column as it was.
    original: Option<Original<'a>>,
    /// The member that it was taken out of, as it came.
    wrapped: Option<Raw<'a>>,
}

fn read_id<'a>(field: Option<&Field<'a>>, map: impl Fn(&[u8]) -> Uuid) -> Id<'a> {
    let Some(field) = field else {
        return Id::default();
    };
    let Some(id) = field.raw.id() else {
        return Id { original: Some(Original::AsItCame(field.raw)), ..Id::default() };
    };
    let is_wrapped = field.raw.wraps(&id);
    let found = ids::uuid_of(&id);
    let uuid = found.unwrap_or_else(|| map(&id));
    let note = match (found.is_some(), is_wrapped) {
        (true, false) => None,
        (true, true) => Some(UNWRAPPED),
        (false, false) => Some(MAPPED),
        (false, true) => Some(UNWRAPPED_AND_MAPPED),
    };
    let original = match (found.is_some(), is_wrapped) {
        (true, _) => None,
        (false, false) => Some(Original::AsItCame(field.raw)),
        (false, true) => Some(Original::Carried(id)),
    };
    let source = ColumnSource { origin: field.origin, note };
    Id { uuid: Some(uuid), source, original, wrapped: is_wrapped.then_some(field.raw) }
}

/// The aggregate that the key names. The key itself stands in the attributes; the id that was taken
/// out of it is kept beside where it is not the column's.
fn key_aggregate<'a>(
    key: Option<&'a [u8]>,
    attributes: &mut Attributes<'a>,
) -> Option<(Uuid, ColumnSource)> {
    let key = key?;
    let id = carried(key);
    if id.is_empty() {
        return None;
    }
    let is_wrapped = id.as_ref() != key;
    if let Some(uuid) = ids::uuid_of(&id) {
        let note = is_wrapped.then_some(UNWRAPPED);
        return Some((uuid, ColumnSource { origin: ColumnOrigin::Key, note }));
    }
    let uuid = ids::made_aggregate(&id);
    let note = if is_wrapped { UNWRAPPED_AND_MAPPED } else { MAPPED };
    // What the envelope had, and could not be an id, goes before.
    if is_wrapped && attributes.originals.aggregate_id.is_none() {
        attributes.originals.aggregate_id = Some(Original::Carried(id));
    }
    Some((uuid, ColumnSource::noted(ColumnOrigin::Key, note)))
}

/// The trace that a `traceparent` names: the record's header, else the envelope's own.
fn trace(record: &Record<'_>, field: Option<&Field<'_>>) -> Option<(Uuid, ColumnSource)> {
    const NOTE: &str = "its trace id";
    let of_header =
        record.last_header("traceparent").and_then(|header| ids::trace_uuid(&carried(header)));
    if let Some(trace) = of_header {
        return Some((trace, ColumnSource::noted(ColumnOrigin::Header("traceparent"), NOTE)));
    }
    let field = field?;
    let trace = ids::trace_uuid(&field.raw.id()?)?;
    Some((trace, ColumnSource::noted(field.origin, NOTE)))
}

/// When the event happened; the attributes note where that is not the envelope's own time.
fn created_at<'a>(
    record: &Record<'_>,
    field: Option<&Field<'a>>,
    now: UnixMicros,
    attributes: &mut Attributes<'a>,
) -> (UnixMicros, ColumnSource) {
    let moment = field.and_then(|field| match &field.raw {
        Raw::Json(value) => occurred_at::read_value(value),
        raw => raw.text().and_then(|text| occurred_at::read_text(&text)),
    });
    let kafka = record.timestamp_ms.and_then(occurred_at::from_milliseconds);
    if let (Some(field), Some(moment)) = (field, moment) {
        let far_from = kafka.filter(|kafka| occurred_at::is_far(moment.time, *kafka));
        attributes.created_at_far_from = far_from;
        attributes.created_at_from = moment.assumed_utc.then_some("assumed_utc");
        let note = match (moment.assumed_utc, far_from) {
            (false, None) => return (moment.time, ColumnSource::of(field.origin)),
            (true, None) => "without an offset: taken as UTC",
            (false, Some(_)) => "more than a year from Kafka's timestamp",
            (true, Some(_)) => "taken as UTC; more than a year from Kafka's timestamp",
        };
        attributes.originals.created_at = Some(Original::AsItCame(field.raw));
        return (moment.time, ColumnSource::noted(field.origin, note));
    }
    attributes.originals.created_at = field.map(|field| Original::AsItCame(field.raw));
    let note =
        if field.is_some() { "the envelope's time cannot be read" } else { "no time was found" };
    if let Some(time) = kafka {
        attributes.created_at_from = Some("kafka_timestamp");
        return (time, ColumnSource::noted(ColumnOrigin::KafkaTimestamp, note));
    }
    attributes.created_at_from = Some("now");
    (now.max(occurred_at::EARLIEST), ColumnSource::noted(ColumnOrigin::Clock, note))
}
