//! The wrapper of Kafka Connect's JSON converter: `{"schema": …, "payload": …}`. The value is the
//! payload; the schema only says how to read it, and is read for that.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use super::logical_type::Reading;
use super::rewrite;
use crate::event::json;
use crate::event::json::{Kind, Scan, Value};

/// The types that a schema of Connect can have.
const TYPES: [&str; 12] = [
    "struct", "map", "array", "string", "bytes", "boolean", "int8", "int16", "int32", "int64",
    "float", "double",
];

/// How many schemas a thread remembers, and up to which length.
const MAX_KNOWN: usize = 16;
const MAX_KNOWN_BYTES: usize = 64 << 10;

thread_local! {
    /// The schemas that were read last: the values of a topic repeat theirs, which is longer than
    /// they are.
    static KNOWN: RefCell<Vec<(Box<str>, Option<Rc<Reading>>)>> = const { RefCell::new(Vec::new()) };
}

/// The payload inside the wrapper, its logical types read; `None` where the value is not wrapped.
pub(in crate::event) fn payload<'a>(scan: &Scan<'a>) -> Option<Cow<'a, str>> {
    if scan.members.len() != 2 {
        return None;
    }
    let (schema, payload) = (scan.get("schema")?, scan.get("payload")?);
    let reading = reading(schema)?;
    let rewritten = reading.and_then(|reading| rewrite::rewritten(payload.raw, &reading));
    Some(rewritten.map_or(Cow::Borrowed(payload.raw), Cow::Owned))
}

/// As [`payload`], of JSON that was scanned only as a part of something else.
pub(in crate::event) fn payload_of_text(json: &str) -> Option<Cow<'_, str>> {
    // One look at the first name spares nearly all values a scan.
    let first = json.strip_prefix('{')?.trim_start();
    if !first.starts_with("\"schema\"") && !first.starts_with("\"payload\"") {
        return None;
    }
    payload(&json::scan(json.as_bytes()).ok()?)
}

/// What a schema says of its values, if anything; `None` where it is none of Connect's.
fn reading(schema: Value<'_>) -> Option<Option<Rc<Reading>>> {
    let known = KNOWN.with_borrow(|known| {
        known.iter().find(|(json, _)| **json == *schema.raw).map(|(_, reading)| reading.clone())
    });
    if known.is_some() {
        return known;
    }
    if !is_schema(schema) {
        return None;
    }
    let reading = Reading::of_schema(schema.raw).map(Rc::new);
    if schema.raw.len() <= MAX_KNOWN_BYTES {
        KNOWN.with_borrow_mut(|known| {
            known.truncate(MAX_KNOWN - 1);
            known.insert(0, (schema.raw.into(), reading.clone()));
        });
    }
    Some(reading)
}

/// Whether it is a schema as Connect writes it: null, or an object whose type is one of Connect's.
fn is_schema(schema: Value<'_>) -> bool {
    match schema.kind {
        Kind::Null => true,
        Kind::Object => json::scan(schema.raw.as_bytes())
            .ok()
            .and_then(|scan| scan.get("type")?.text())
            .is_some_and(|name| TYPES.contains(&name.as_ref())),
        _ => false,
    }
}
