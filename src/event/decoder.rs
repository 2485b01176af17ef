//! The decoders in their order: each record becomes exactly one event.

use std::borrow::Cow;

use regex::Regex;

use super::column_source::{ColumnOrigin, ColumnSources};
use super::decoders::confluent;
use super::decoders::confluent::Wire;
use super::decoders::{cloud_events, debezium, native, plain};
use super::envelope::{Outcome, Problem};
use super::json::Scan;
use super::row::assemble;
use super::row::quarantine;
use super::row::quarantine::QUARANTINED;
use super::row::refused;
use super::row::refused::QuarantineForm;
use super::{Event, Format, Reason, Record, json, topic, wrapping};
use crate::time::UnixMicros;

/// The event type of a record whose value is null.
pub const TOMBSTONE: &str = "audit.Tombstone";

/// What a record became, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The row.
    pub event: Event<'a>,
    /// The decoder that took the record.
    pub format: Format,
    /// Why the record is quarantined, where it is.
    pub reason: Option<Reason>,
    /// Where the columns came from.
    pub sources: ColumnSources,
}

impl Decoded<'_> {
    /// The same with an event that borrows nothing.
    fn into_owned<'a>(self) -> Decoded<'a> {
        let Self { event, format, reason, sources } = self;
        Decoded { event: event.into_owned(), format, reason, sources }
    }
}

/// Makes events of records. It holds settings only, so that one serves all threads.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    dead_letter_pattern: Option<Regex>,
}

impl Decoder {
    /// A decoder that takes topics matching the pattern for dead-letter topics too, beside those of
    /// the usual names.
    pub fn new(dead_letter_pattern: Option<Regex>) -> Self {
        Self { dead_letter_pattern }
    }

    /// Whether a topic holds dead letters, by its name.
    pub fn is_dead_letter_topic(&self, name: &str) -> bool {
        topic::is_dead_letter_topic(name)
            || self.dead_letter_pattern.as_ref().is_some_and(|pattern| pattern.is_match(name))
    }

    /// Makes the one event of a record: of its envelope, or quarantined. `now`
    /// stands in where neither the envelope nor Kafka says when the event
    /// happened.
    pub fn decode<'a>(&self, record: &Record<'a>, now: UnixMicros) -> Decoded<'a> {
        let is_dlt = self.is_dead_letter_topic(record.topic);
        let Some(value) = record.value else {
            let payload = Cow::Borrowed("null");
            let (event, sources) =
                assemble::event_without_envelope(record, TOMBSTONE, payload, is_dlt, now);
            return Decoded { event, format: Format::Tombstone, reason: None, sources };
        };
        match read(record, value) {
            Content::Json { scan, schema_id } => match wrapping::payload(&scan) {
                None => row(record, decode_json(record, &scan), schema_id, is_dlt, now),
                Some(Cow::Borrowed(payload)) => {
                    row(record, decode_payload(record, payload), schema_id, is_dlt, now)
                }
                Some(Cow::Owned(payload)) => {
                    row(record, decode_payload(record, &payload), schema_id, is_dlt, now)
                        .into_owned()
                }
            },
            Content::Decoded(outcome) => row(record, outcome, None, is_dlt, now),
            Content::Refused(problem) => quarantined(record, &problem, is_dlt, now),
        }
    }

    /// The quarantined event of a record that was found impossible later, by PostgreSQL alone. The
    /// detail says what it said; it is cut after 1,000 bytes. `form` is how much the row keeps.
    pub fn quarantine_refused<'a>(
        &self,
        record: &Record<'a>,
        form: QuarantineForm,
        detail: &str,
        now: UnixMicros,
    ) -> Event<'a> {
        let reason = Reason::RefusedByDatabase;
        let problem = Problem { reason, detail: detail.to_owned(), schema_id: None };
        let is_dlt = self.is_dead_letter_topic(record.topic);
        let mut event = quarantined(record, &problem, is_dlt, now).event;
        refused::reduce_attributes(&mut event, record, form);
        if form == QuarantineForm::Sizes {
            event.payload = Cow::Owned(quarantine::payload_of_sizes(record, &problem));
        }
        event
    }
}

fn quarantined<'a>(
    record: &Record<'a>,
    problem: &Problem,
    is_dlt: bool,
    now: UnixMicros,
) -> Decoded<'a> {
    let (reason, payload) = quarantine::payload(record, problem);
    let (event, sources) =
        assemble::event_without_envelope(record, QUARANTINED, Cow::Owned(payload), is_dlt, now);
    Decoded { event, format: Format::Quarantined, reason: Some(reason), sources }
}

/// The row of what the decoders found.
fn row<'a>(
    record: &Record<'a>,
    outcome: Outcome<'a>,
    schema_id: Option<u32>,
    is_dlt: bool,
    now: UnixMicros,
) -> Decoded<'a> {
    let problem = match outcome {
        Outcome::Decoded(envelope) => {
            let format = envelope.format;
            let (event, sources, reason) =
                assemble::event(record, envelope, schema_id, is_dlt, now);
            let format = if reason.is_some() { Format::Quarantined } else { format };
            return Decoded { event, format, reason, sources };
        }
        Outcome::Invalid(problem) => problem,
        Outcome::NotMine => Reason::InvalidJson.into(),
    };
    quarantined(record, &problem, is_dlt, now)
}

/// What the value of a record is, before its format is known.
#[expect(clippy::large_enum_variant, reason = "it is matched where it is returned, never stored")]
enum Content<'a> {
    /// JSON; its schema's id where it is in Confluent's wire format.
    Json { scan: Scan<'a>, schema_id: Option<u32> },
    /// A CloudEvent in binary mode, whose value may be anything.
    Decoded(Outcome<'a>),
    /// Nothing that a decoder could read.
    Refused(Problem),
}

fn read<'a>(record: &Record<'a>, value: &'a [u8]) -> Content<'a> {
    if value.is_empty() {
        return Content::Refused(Reason::Empty.into());
    }
    match cloud_events::decode_binary(record, value) {
        Outcome::NotMine => {}
        outcome => return Content::Decoded(outcome),
    }
    if let Some(reason) = json::foreign_encoding(value) {
        return Content::Refused(reason.into());
    }
    let (json, schema_id) = match confluent::wire(value) {
        Wire::No => (value, None),
        Wire::Json { schema_id, json } => (json, Some(schema_id)),
        Wire::Opaque(problem) => return Content::Refused(problem),
    };
    match json::scan(json) {
        Ok(scan) => Content::Json { scan, schema_id },
        Err(refusal) => Content::Refused(match schema_id {
            Some(schema_id) => confluent::refused(refusal, schema_id),
            None => refusal.into(),
        }),
    }
}

/// Tries the decoders on what Kafka Connect's wrapper held.
fn decode_payload<'a>(record: &Record<'a>, payload: &'a str) -> Outcome<'a> {
    let mut outcome = match json::scan(payload.as_bytes()) {
        Ok(scan) => decode_json(record, &scan),
        Err(refusal) => return Outcome::Invalid(refusal.into()),
    };
    if let Outcome::Decoded(envelope) = &mut outcome
        && envelope.payload_origin == ColumnOrigin::Value
    {
        envelope.payload_origin = ColumnOrigin::Member("payload");
    }
    outcome
}

/// Tries the decoders in their order.
fn decode_json<'a>(record: &Record<'a>, scan: &Scan<'a>) -> Outcome<'a> {
    let decoders: [&dyn Fn() -> Outcome<'a>; 5] = [
        &|| cloud_events::decode_structured(record, scan),
        &|| native::decode(scan),
        &|| debezium::decode_outbox(record, scan),
        &|| debezium::decode_change(scan),
        &|| plain::decode(record, scan),
    ];
    let outcome =
        decoders.iter().map(|decode| decode()).find(|outcome| !matches!(outcome, Outcome::NotMine));
    outcome.unwrap_or(Outcome::NotMine)
}
