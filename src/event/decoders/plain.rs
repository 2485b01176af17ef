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
    envelope.event_type = named("event_type")
        .or_else(|| named("eventType"))
        .or_else(|| named("type"))
        .or_else(|| {
            // Spring Kafka writes the class name; its last part is the type.
            let class = record.last_header("__TypeId__")?;
            let start =
                class.iter().rposition(|byte| matches!(byte, b'.' | b'$')).map_or(0, |at| at + 1);
            Field::header("__TypeId__", class.get(start..))
        });
    if envelope.event_type.is_none() {
        envelope.made_type = Some((Cow::Borrowed(UNKNOWN_EVENT), ColumnOrigin::Rule));
    }
    Outcome::Decoded(envelope)
}
