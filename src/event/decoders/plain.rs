//! Plain JSON: the whole value is the payload, and a header or its schema may name the type. A row
//! of an outbox table is the event that it carries.

use std::borrow::Cow;

use super::outbox_table;
use crate::event::column_source::ColumnOrigin;
use crate::event::envelope::{Envelope, Field, Outcome, Payload, Problem};
use crate::event::json::{MAX_DEPTH, Scan};
use crate::event::{Format, Reason, Record};

/// The type of plain JSON that neither a header nor a schema names.
const UNKNOWN_EVENT: &str = "UnknownEvent";

pub(in crate::event) fn decode<'a>(
    record: &Record<'a>,
    schema_name: Option<&'a str>,
    scan: &Scan<'a>,
) -> Outcome<'a> {
    if let Some(event) = outbox_row(scan) {
        return match event {
            Ok(envelope) => Outcome::Decoded(envelope),
            Err(problem) => Outcome::Invalid(problem),
        };
    }
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
            None => {
                let (name, origin) = match schema_name {
                    Some(name) => (name, ColumnOrigin::Schema),
                    None => (UNKNOWN_EVENT, ColumnOrigin::Rule),
                };
                envelope.made_type = Some((Cow::Borrowed(name), origin));
            }
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

/// The event of a row that a connector took out of an outbox table, without an envelope around it.
fn outbox_row<'a>(scan: &Scan<'a>) -> Option<Result<Envelope<'a>, Problem>> {
    // One look at the first letter spares most names the rest.
    let may_be = |name: &str| {
        matches!(name.as_bytes().get(1), Some(b'a' | b'A')) && outbox_table::may_be_row(name)
    };
    if !scan.members.iter().any(|member| may_be(member.raw_name)) {
        return None;
    }
    // Debezium's flattened deletes say so beside the columns.
    let is_deleted = scan
        .get("__deleted")
        .is_some_and(|value| value.text().as_deref().unwrap_or(value.raw) == "true");
    if is_deleted { None } else { outbox_table::event_of(scan) }
}

fn last_part(class: &str) -> &str {
    class.rsplit(['.', '$']).next().unwrap_or(class)
}
