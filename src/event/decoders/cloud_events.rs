//! CloudEvents 1.0 in the two modes of its Kafka protocol binding: binary (headers `ce_*`) and
//! structured (an object with `specversion`). The batched mode is recognised, and refused: one
//! record is one row.

use std::str;

use super::confluent;
use crate::event::column_source::ColumnOrigin;
use crate::event::envelope::{Envelope, Field, Outcome, Payload, Problem};
use crate::event::json;
use crate::event::json::{Kind, MAX_DEPTH, MAX_JSONB_BYTES, Scan};
use crate::event::wrapping::carried;
use crate::event::{Format, Reason, Record};

/// How the value of a record in binary mode is to be read.
enum Content {
    Json,
    Text,
    Binary,
}

/// Binary mode: the attributes are headers, the value is the data.
pub(in crate::event) fn decode_binary<'a>(record: &Record<'a>, value: &'a [u8]) -> Outcome<'a> {
    if !is_binary(record) {
        return Outcome::NotMine;
    }
    let content_type =
        record.last_header("content-type").or_else(|| record.last_header("ce_datacontenttype"));
    let payload = match content(content_type, value) {
        Content::Json => match json::scan(confluent::strip_json(value)) {
            Ok(scan) if scan.value.depth > MAX_DEPTH => {
                return Outcome::Invalid(Reason::NestedTooDeep.into());
            }
            Ok(scan) => Payload::of(scan.value.raw),
            Err(refusal) => return Outcome::Invalid(refusal.into()),
        },
        Content::Text
            if value.len() as u64 <= MAX_JSONB_BYTES
                && str::from_utf8(value).is_ok()
                && !value.contains(&0) =>
        {
            let mut out = String::with_capacity(value.len() + 2);
            json::put_bytes(&mut out, value);
            Payload::Built(out)
        }
        Content::Text | Content::Binary => match base64_payload(value, content_type) {
            Ok(payload) => payload,
            Err(problem) => return Outcome::Invalid(problem),
        },
    };
    Outcome::Decoded(binary_event(record, payload))
}

/// Binary mode, where a schema made JSON of the data, whatever its content type says.
pub(in crate::event) fn decode_binary_unpacked<'a>(
    record: &Record<'a>,
    scan: &Scan<'a>,
) -> Outcome<'a> {
    if !is_binary(record) {
        Outcome::NotMine
    } else if scan.value.depth > MAX_DEPTH {
        Outcome::Invalid(Reason::NestedTooDeep.into())
    } else {
        Outcome::Decoded(binary_event(record, Payload::of(scan.value.raw)))
    }
}

/// Whether the headers say so. In structured mode the same attributes may be repeated as headers;
/// the value decides then.
fn is_binary(record: &Record<'_>) -> bool {
    let is_event =
        ["ce_specversion", "ce_type", "ce_id"].iter().any(|name| record.has_header(name));
    is_event
        && !record.last_header("content-type").is_some_and(|content_type| {
            media_type(content_type).starts_with("application/cloudevents")
        })
}

fn binary_event<'a>(record: &Record<'a>, payload: Payload<'a>) -> Envelope<'a> {
    let header = |name| Field::header(name, record.last_header(name));
    let mut envelope = Envelope {
        event_id: header("ce_id"),
        event_type: header("ce_type"),
        aggregate_id: header("ce_subject"),
        source_service: header("ce_source"),
        occurred_at: header("ce_time"),
        correlation_id: header("ce_correlationid"),
        traceparent: header("ce_traceparent"),
        ..Envelope::new(Format::CloudEventsBinary, payload, ColumnOrigin::Value)
    };
    envelope.keep("causation_id", header("ce_causationid"));
    envelope
}

/// Structured mode: one object holds attributes and data.
pub(in crate::event) fn decode_structured<'a>(record: &Record<'a>, scan: &Scan<'a>) -> Outcome<'a> {
    let content_type = record.last_header("content-type").map(media_type).unwrap_or_default();
    if content_type.starts_with("application/cloudevents-batch") || is_batch(scan) {
        return Outcome::Invalid(Reason::Batched.into());
    }
    if scan.get("specversion").is_none() {
        if content_type.starts_with("application/cloudevents") && scan.value.kind != Kind::Object {
            return Outcome::Invalid(Reason::NotAnObject.into());
        }
        return Outcome::NotMine;
    }
    let mut envelope =
        Envelope::new(Format::CloudEventsStructured, Payload::Raw("{}"), ColumnOrigin::Rule);
    let (mut data, mut data_base64, mut data_content_type) = (None, None, None);
    for member in &scan.members {
        let value = Some(member.value);
        match member.name().as_ref() {
            "id" => envelope.event_id = Field::member("id", value),
            "type" => envelope.event_type = Field::member("type", value),
            "subject" => envelope.aggregate_id = Field::member("subject", value),
            "source" => envelope.source_service = Field::member("source", value),
            "time" => envelope.occurred_at = Field::member("time", value),
            "correlationid" => envelope.correlation_id = Field::member("correlationid", value),
            "traceparent" => envelope.traceparent = Field::member("traceparent", value),
            "data" => data = value,
            "data_base64" => data_base64 = value,
            "datacontenttype" => data_content_type = Field::member("datacontenttype", value),
            "causationid" => envelope.keep("causation_id", Field::member("causationid", value)),
            "specversion" => envelope.keep("specversion", Field::member("specversion", value)),
            "dataschema" => envelope.keep("dataschema", Field::member("dataschema", value)),
            _ => envelope.unknown.push(*member),
        }
    }
    if let Some(data) = data {
        if data.depth > MAX_DEPTH {
            return Outcome::Invalid(Reason::NestedTooDeep.into());
        }
        envelope.payload = Payload::of(data.raw);
        envelope.payload_origin = ColumnOrigin::Member("data");
    } else if let Some(base64) = data_base64 {
        let mut out = format!("{{\"data_base64\":{}", base64.raw);
        if let Some(field) = &data_content_type {
            out.push_str(",\"datacontenttype\":");
            field.raw.put(&mut out);
        }
        out.push('}');
        envelope.payload = Payload::Built(out);
        envelope.payload_origin = ColumnOrigin::Member("data_base64");
    }
    envelope.keep("datacontenttype", data_content_type);
    Outcome::Decoded(envelope)
}

/// Whether the value is an array whose first element is an event, whatever the headers say.
fn is_batch(scan: &Scan<'_>) -> bool {
    if scan.value.kind != Kind::Array {
        return false;
    }
    let Some(inner) =
        scan.value.raw.get(1..).map(str::trim_start).filter(|inner| inner.starts_with('{'))
    else {
        return false;
    };
    // The first element ends where the scan of it finds something that follows.
    let first = match json::scan(inner.as_bytes()) {
        Err(refusal) if refusal.reason == Reason::TrailingData => &inner[..refusal.position],
        _ => return false,
    };
    json::scan(first.as_bytes())
        .is_ok_and(|scan| scan.get("specversion").is_some() && scan.get("type").is_some())
}

fn content(content_type: Option<&[u8]>, value: &[u8]) -> Content {
    let Some(content_type) = content_type.map(media_type) else {
        // Without a type, what looks like JSON is held to be JSON.
        let value = confluent::strip_json(value);
        let first = value.iter().find(|byte| !byte.is_ascii_whitespace());
        let looks_like_json = matches!(first, Some(b'{' | b'[')) || json::scan(value).is_ok();
        return if looks_like_json { Content::Json } else { Content::Binary };
    };
    if is_json(&content_type) {
        Content::Json
    } else if content_type.starts_with("text/") {
        Content::Text
    } else {
        Content::Binary
    }
}

/// Whether a media type is JSON's, or of a format that is JSON.
pub(super) fn is_json(media_type: &str) -> bool {
    matches!(media_type, "application/json" | "text/json") || media_type.ends_with("+json")
}

/// The media type in lower case, without parameters.
pub(super) fn media_type(content_type: &[u8]) -> String {
    let content_type = carried(content_type);
    let end = content_type.iter().position(|&byte| byte == b';').unwrap_or(content_type.len());
    String::from_utf8_lossy(&content_type[..end]).trim().to_ascii_lowercase()
}

fn base64_payload<'a>(value: &[u8], content_type: Option<&[u8]>) -> Result<Payload<'a>, Problem> {
    let length = value.len().div_ceil(3) as u64 * 4
        + content_type.map_or(0, |name| name.len() as u64 * 2)
        + 256;
    if length > MAX_JSONB_BYTES {
        return Err(Reason::TooLarge.into());
    }
    let mut out = String::with_capacity(length as usize);
    out.push_str("{\"data_base64\":");
    json::put_base64(&mut out, value);
    if let Some(content_type) = content_type {
        out.push_str(",\"datacontenttype\":");
        json::put_bytes(&mut out, content_type);
    }
    out.push('}');
    Ok(Payload::Built(out))
}
