//! Debezium: the outbox event router (headers `id` and `eventType`) and the change envelope (`op`
//! with `before`, `after` or `source`). A change of an outbox table is the event that it carries.

use std::borrow::Cow;

use super::outbox_table;
use crate::event::column_source::ColumnOrigin;
use crate::event::envelope::{Envelope, Field, Outcome, Payload, object_of};
use crate::event::json;
use crate::event::json::{Kind, MAX_DEPTH, Scan};
use crate::event::{Format, Reason, Record};

/// The members of a change envelope that are not the change itself.
const CHANGE_MEMBERS: [&str; 6] = ["op", "source", "ts_ms", "ts_us", "ts_ns", "transaction"];

/// An event of the outbox event router: the value is the payload column.
pub(in crate::event) fn decode_outbox<'a>(record: &Record<'a>, scan: &Scan<'a>) -> Outcome<'a> {
    if !record.has_header("id") || !record.has_header("eventType") {
        return Outcome::NotMine;
    }
    let mut envelope = Envelope {
        event_id: Field::header("id", record.last_header("id")),
        event_type: Field::header("eventType", record.last_header("eventType")),
        ..Envelope::new(Format::DebeziumOutbox, Payload::Raw("{}"), ColumnOrigin::Value)
    };
    match envelope.set_payload(scan.value, ColumnOrigin::Value) {
        Ok(()) => Outcome::Decoded(envelope),
        Err(problem) => Outcome::Invalid(problem),
    }
}

/// A change of one row of a table.
pub(in crate::event) fn decode_change<'a>(scan: &Scan<'a>) -> Outcome<'a> {
    let has_row = ["before", "after", "source"].iter().any(|name| scan.get(name).is_some());
    let Some(op) = scan.get("op").filter(|_| has_row).and_then(|op| op.text()) else {
        return Outcome::NotMine;
    };
    let verb = match op.as_ref() {
        "c" => "created",
        "u" => "updated",
        "d" => "deleted",
        "r" => "read",
        "t" => "truncated",
        _ => return Outcome::NotMine,
    };
    let (envelopes, row): (Vec<_>, Vec<_>) = scan
        .members
        .iter()
        .copied()
        .partition(|member| CHANGE_MEMBERS.contains(&member.name().as_ref()));
    if row.iter().any(|member| member.value.depth >= MAX_DEPTH) {
        return Outcome::Invalid(Reason::NestedTooDeep.into());
    }
    let source = scan.get("source").and_then(|source| json::scan(source.raw.as_bytes()).ok());
    let of_source = |name| source.as_ref().and_then(|source| source.get(name));
    // MongoDB has collections where the others have tables.
    let table =
        of_source("table").or_else(|| of_source("collection")).and_then(|table| table.text());
    let Some(table) = table.filter(|table| !table.is_empty()) else {
        return Outcome::NotMine;
    };
    let source_service = Field::member("source.name", of_source("name"));
    let occurred_at = Field::member("source.ts_ns", of_source("ts_ns"))
        .or_else(|| Field::member("source.ts_us", of_source("ts_us")))
        .or_else(|| Field::member("source.ts_ms", of_source("ts_ms")))
        .or_else(|| Field::member("ts_ms", scan.get("ts_ms")));
    let after = scan.get("after").filter(|after| outbox_table::may_be_row(after.raw));
    // A delete carries nothing: the router's own ones follow each event.
    let carried = after
        .filter(|_| matches!(op.as_ref(), "c" | "u" | "r"))
        .and_then(|after| outbox_table::event_of(&json::scan(after.raw.as_bytes()).ok()?));
    if let Some(event) = carried {
        let mut envelope = match event {
            Ok(envelope) => envelope,
            Err(problem) => return Outcome::Invalid(problem),
        };
        envelope.source_service = envelope.source_service.or(source_service);
        envelope.occurred_at = envelope.occurred_at.or(occurred_at);
        // Where a column is named like a member of the change, the column is the event's.
        let before = row
            .into_iter()
            .filter(|member| member.value.kind != Kind::Null && member.name() != "after");
        let own = std::mem::take(&mut envelope.unknown);
        envelope.unknown = envelopes.into_iter().chain(before).chain(own).collect();
        return Outcome::Decoded(envelope);
    }
    let mut envelope = Envelope {
        source_service,
        occurred_at,
        ..Envelope::new(
            Format::DebeziumChange,
            Payload::Built(object_of(&row)),
            ColumnOrigin::OtherMembers,
        )
    };
    envelope.made_type =
        Some((Cow::Owned(format!("{table}.{verb}")), ColumnOrigin::Member("source.table")));
    envelope.unknown = envelopes;
    Outcome::Decoded(envelope)
}
