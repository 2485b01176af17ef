//! The column `attributes`: what a record holds beside the other columns. Its layout is documented
//! in docs/attributes.md.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::event::envelope::Raw;
use crate::event::json::{Member, put_base64, put_bytes, put_text};
use crate::event::{Record, RecordSchema, SchemaType, Unpacked};
use crate::time::{Timestamp, UnixMicros, timestamp_text};

/// The most bytes of key and headers that are kept here. More than a broker takes by default, and
/// few enough that a row stays storable whatever a record holds.
pub(super) const MAX_BYTES: usize = 64 << 20;

/// What a header costs inside JSONB beyond its bytes, at most.
const BYTES_PER_HEADER: usize = 32;

/// What stood in a record where a column now holds something else.
pub(in crate::event) enum Original<'a> {
    /// As it came.
    AsItCame(Raw<'a>),
    /// The id inside quotes or a struct.
    Carried(Cow<'a, [u8]>),
}

impl Original<'_> {
    fn put(&self, out: &mut String) {
        match self {
            Self::AsItCame(raw) => raw.put(out),
            Self::Carried(id) => put_bytes(out, id),
        }
    }
}

/// The originals of columns whose text was mapped or could not be read.
#[derive(Default)]
pub(in crate::event) struct Originals<'a> {
    pub(in crate::event) event_id: Option<Original<'a>>,
    pub(in crate::event) aggregate_id: Option<Original<'a>>,
    pub(in crate::event) source_service: Option<Original<'a>>,
    pub(in crate::event) correlation_id: Option<Original<'a>>,
    pub(in crate::event) created_at: Option<Original<'a>>,
}

/// What a row's attributes hold beside key and headers.
#[derive(Default)]
pub(in crate::event) struct Attributes<'a> {
    /// What has no column and a name of its own.
    pub(in crate::event) named: Vec<(&'static str, Raw<'a>)>,
    /// The schema of a value in Confluent's wire format.
    pub(in crate::event) schema: RecordSchema,
    /// Members of the envelope that no rule knows.
    pub(in crate::event) unknown: Vec<Member<'a>>,
    pub(in crate::event) originals: Originals<'a>,
    /// Members that held an id inside quotes or a struct, as they came.
    pub(in crate::event) wrapped: Vec<(&'static str, Raw<'a>)>,
    /// What stands in `created_at` where it is not the envelope's own time.
    pub(in crate::event) created_at_from: Option<&'static str>,
    /// Kafka's timestamp, where the envelope's time lies far from it.
    pub(in crate::event) created_at_far_from: Option<UnixMicros>,
    /// Whether the payload was a text that held the object.
    pub(in crate::event) payload_was_text: bool,
}

impl Attributes<'_> {
    /// Writes the JSON object.
    pub(in crate::event) fn to_json(&self, record: &Record<'_>, unpacked: &Unpacked) -> String {
        let key = unpacked.key(record);
        let key_length = key.map_or(0, <[u8]>::len);
        let mut out = String::with_capacity(128 + key_length + record.headers.len() * 64);
        out.push('{');
        let mut budget = MAX_BYTES;
        if let Some(key) = key {
            if key.len() <= budget {
                name(&mut out, "key");
                put_bytes(&mut out, key);
                budget -= key.len();
            } else {
                name(&mut out, "key_bytes");
                out.push_str(&key.len().to_string());
            }
        }
        put_headers(&mut out, record, budget);
        for (own_name, raw) in &self.named {
            name(&mut out, own_name);
            raw.put(&mut out);
        }
        put_schemas(&mut out, &self.schema, unpacked);
        if !self.unknown.is_empty() {
            name(&mut out, "envelope");
            out.push_str(&crate::event::envelope::object_of(&self.unknown));
        }
        self.originals.put(&mut out);
        if !self.wrapped.is_empty() {
            name(&mut out, "wrapped");
            out.push('{');
            for (column, raw) in &self.wrapped {
                name(&mut out, column);
                raw.put(&mut out);
            }
            out.push('}');
        }
        if let Some(created_at_from) = self.created_at_from {
            name(&mut out, "created_at_from");
            put_bytes(&mut out, created_at_from.as_bytes());
        }
        if let Some(kafka) = self.created_at_far_from {
            name(&mut out, "created_at_far_from");
            put_text(&mut out, &timestamp_text(Timestamp::without_zone(kafka.into())));
        }
        if self.payload_was_text {
            name(&mut out, "payload_from");
            out.push_str("\"text\"");
        }
        out.push('}');
        out
    }
}

impl Originals<'_> {
    fn put(&self, out: &mut String) {
        let all = [
            ("event_id", &self.event_id),
            ("aggregate_id", &self.aggregate_id),
            ("source_service", &self.source_service),
            ("correlation_id", &self.correlation_id),
            ("created_at", &self.created_at),
        ];
        if all.iter().all(|(_, original)| original.is_none()) {
            return;
        }
        name(out, "original");
        out.push('{');
        for (column, original) in all {
            if let Some(original) = original {
                name(out, column);
                original.put(out);
            }
        }
        out.push('}');
    }
}

fn put_headers(out: &mut String, record: &Record<'_>, mut budget: usize) {
    if record.headers.is_empty() {
        return;
    }
    name(out, "headers");
    out.push('[');
    let mut kept = 0;
    for header in record.headers {
        let cost = header.name.len() + header.value.map_or(0, <[u8]>::len) + BYTES_PER_HEADER;
        let Some(left) = budget.checked_sub(cost) else {
            break;
        };
        budget = left;
        out.push_str(if kept == 0 { "[" } else { ",[" });
        put_bytes(out, header.name);
        out.push(',');
        match header.value {
            Some(value) => put_bytes(out, value),
            None => out.push_str("null"),
        }
        out.push(']');
        kept += 1;
    }
    out.push(']');
    if kept < record.headers.len() {
        name(out, "headers_left_out");
        out.push_str(&(record.headers.len() - kept).to_string());
    }
}

fn put_schemas(out: &mut String, schema: &RecordSchema, unpacked: &Unpacked) {
    if let Some(id) = schema.id {
        name(out, "schema_id");
        out.push_str(&id.to_string());
    }
    let subject = schema.subject.as_deref();
    let schema_type = schema.schema_type.map(SchemaType::as_str);
    for (own_name, text) in [
        ("schema_subject", subject),
        ("schema_type", schema_type),
        ("schema_name", schema.name.as_deref()),
    ] {
        if let Some(text) = text {
            name(out, own_name);
            put_bytes(out, text.as_bytes());
        }
    }
    if let Some(id) = unpacked.key.as_ref().and_then(|key| key.schema_id) {
        name(out, "key_schema_id");
        out.push_str(&id.to_string());
    }
    let Some(value) = &unpacked.value else { return };
    // A message can hold unknown fields in several places that are called the same.
    let mut places: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for (path, bytes) in &value.unknown_fields {
        places.entry(path).or_default().extend(bytes);
    }
    if let Some(own) = places.remove("") {
        name(out, "unknown_fields");
        put_base64(out, &own);
    }
    if !places.is_empty() {
        name(out, "unknown_fields_within");
        out.push('{');
        for (path, bytes) in places {
            out.push_str(if out.ends_with('{') { "" } else { "," });
            // The key of a map is part of a place, and may hold what JSONB cannot.
            put_text(out, &path.replace('\0', "\u{FFFD}"));
            out.push(':');
            put_base64(out, &bytes);
        }
        out.push('}');
    }
}

/// Appends a member's name, with the comma before it where another member stands there.
fn name(out: &mut String, name: &str) {
    out.push_str(if out.ends_with('{') { "\"" } else { ",\"" });
    out.push_str(name);
    out.push_str("\":");
}
