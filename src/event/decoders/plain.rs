//! Plain JSON: the whole value is the payload, and a header may name the type.

use std::borrow::Cow;

use crate::event::column_source::ColumnOrigin;
use crate::event::envelope::{Envelope, Field, Outcome, Payload};
use crate::event::json::{MAX_DEPTH, Scan};
use crate::event::{Format, Reason, Record};

/// The type of plain JSON that no header names.
const UNKNOWN_EVENT: &str = "UnknownEvent";

pub(in crate::event) fn decode<'a>(record: &Record<'a>, scan: &Scan<'a>) -> Outcome<'a> {
    if scan.value.depth > MAX_DEPTH {
        return Outcome::Invalid(Reason::NestedTooDeep.into());
    }
    let mut envelope =
        Envelope::new(Format::PlainJson, Payload::Raw(scan.value.raw), ColumnOrigin::Value);
    let named = |name| Field::header(name, record.last_header(name));
    envelope.event_type =
        named("event_type").or_else(|| named("eventType")).or_else(|| named("type"));
    if envelope.event_type.is_none() {
        match Field::header("__TypeId__", record.last_header("__TypeId__")) {
            None => envelope.made_type = Some((Cow::Borrowed(UNKNOWN_EVENT), ColumnOrigin::Rule)),
            Some(class) => match class.raw.text() {
                // Spring Kafka writes the class name; its last part is the type.
                Some(name) => {
                    let name = match name {
                        Cow::Borrowed(name) => Cow::Borrowed(last_part(name)),
                        Cow::Owned(name) => Cow::Owned(last_part(&name).to_owned()),
                    };
                    envelope.made_type = Some((name, class.origin));
                }
                None => envelope.event_type = Some(class),
            },
        }
    }
    Outcome::Decoded(envelope)
}

fn last_part(class: &str) -> &str {
    class.rsplit(['.', '$']).next().unwrap_or(class)
}
