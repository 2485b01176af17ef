//! The decoders in their order: each record becomes exactly one event.

use std::borrow::Cow;

use regex::Regex;

use super::column_source::{ColumnOrigin, ColumnSources};
use super::decoders::confluent;
use super::decoders::confluent::Wire;
use super::decoders::{cloud_event_schemas, cloud_events, debezium, native, plain};
use super::envelope::{Outcome, Problem};
use super::json::Scan;
use super::row::assemble;
use super::row::quarantine;
use super::row::quarantine::QUARANTINED;
use super::row::refused;
use super::row::refused::QuarantineForm;
use super::{Event, Format, Reason, Record, Unpacked, UnpackedValue, json, topic, wrapping};
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

    /// Makes the one event of a record: of its envelope, or quarantined. `unpacked` is what schemas
    /// made of it. `now` stands in where neither the envelope nor Kafka says when the event
    /// happened.
    pub fn decode<'a>(
        &self,
        record: &Record<'a>,
        unpacked: &'a Unpacked,
        now: UnixMicros,
    ) -> Decoded<'a> {
        let is_dlt = self.is_dead_letter_topic(record.topic);
        let input = Input { record, unpacked, is_dlt, now };
        let Some(value) = record.value else {
            let (event, sources) = input.event_without_envelope(TOMBSTONE, Cow::Borrowed("null"));
            return Decoded { event, format: Format::Tombstone, reason: None, sources };
        };
        match input.read(value) {
            Content::Json { scan, schema_id } => match wrapping::payload(&scan) {
                None => input.row(input.decode_json(&scan), schema_id),
                Some(Cow::Borrowed(payload)) => input.row(input.decode_payload(payload), schema_id),
                Some(Cow::Owned(payload)) => input.rewritten(&payload, schema_id),
            },
            Content::Rewritten(json) => input.rewritten(&json, None),
            Content::Decoded(outcome) => input.row(outcome, None),
            Content::Refused(problem) => input.quarantined(&problem),
        }
    }

    /// The quarantined event of a record that was found impossible later, by PostgreSQL alone. The
    /// detail says what it said; it is cut after 1,000 bytes. `form` is how much the row keeps.
    pub fn quarantine_refused<'a>(
        &self,
        record: &Record<'a>,
        unpacked: &'a Unpacked,
        form: QuarantineForm,
        detail: &str,
        now: UnixMicros,
    ) -> Event<'a> {
        let reason = Reason::RefusedByDatabase;
        let problem = Problem { reason, detail: detail.to_owned(), schema_id: None };
        let is_dlt = self.is_dead_letter_topic(record.topic);
        let input = Input { record, unpacked, is_dlt, now };
        let mut event = input.quarantined(&problem).event;
        refused::reduce_attributes(&mut event, record, form);
        if form == QuarantineForm::Sizes {
            event.payload = Cow::Owned(quarantine::payload_of_sizes(record, &problem));
        }
        event
    }
}

/// What the value of a record is, before its format is known.
#[expect(clippy::large_enum_variant, reason = "it is matched where it is returned, never stored")]
enum Content<'a> {
    /// JSON; its schema's id where only Confluent's wire format tells of it.
    Json { scan: Scan<'a>, schema_id: Option<u32> },
    /// JSON that was put together.
    Rewritten(String),
    /// An event in `CloudEvents`' binary mode, whose value may be anything.
    Decoded(Outcome<'a>),
    /// Nothing that a decoder could read.
    Refused(Problem),
}

/// A record on its way through the decoders.
#[derive(Clone, Copy)]
struct Input<'r, 'a> {
    record: &'r Record<'a>,
    unpacked: &'a Unpacked,
    is_dlt: bool,
    now: UnixMicros,
}

impl<'a> Input<'_, 'a> {
    fn read(&self, value: &'a [u8]) -> Content<'a> {
        if value.is_empty() {
            return Content::Refused(Reason::Empty.into());
        }
        if let Some(value) = &self.unpacked.value {
            return self.read_unpacked(value);
        }
        match cloud_events::decode_binary(self.record, value) {
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

    /// Takes up what a schema made of the value.
    fn read_unpacked(&self, value: &'a UnpackedValue) -> Content<'a> {
        let schema_id = value.schema.id;
        let refused = |problem: Problem| Content::Refused(Problem { schema_id, ..problem });
        let json = match &value.json {
            Ok(json) => json,
            Err(problem) => {
                let (reason, detail) = (problem.reason, problem.detail.clone());
                return Content::Refused(Problem { reason, detail, schema_id });
            }
        };
        let scan = match json::scan(json.as_bytes()) {
            Ok(scan) => scan,
            Err(refusal) => return refused(refusal.into()),
        };
        match cloud_events::decode_binary_unpacked(self.record, &scan) {
            Outcome::NotMine => {}
            Outcome::Invalid(problem) => return refused(problem),
            outcome @ Outcome::Decoded(_) => return Content::Decoded(outcome),
        }
        match cloud_event_schemas::structured(value.schema.name.as_deref(), &scan) {
            Some(json) => Content::Rewritten(json),
            None => Content::Json { scan, schema_id: None },
        }
    }

    /// The row of JSON that was put together for this record.
    fn rewritten(&self, json: &str, schema_id: Option<u32>) -> Decoded<'a> {
        let (record, is_dlt, now) = (self.record, self.is_dlt, self.now);
        let unpacked: &Unpacked = self.unpacked;
        let input = Input { record, unpacked, is_dlt, now };
        input.row(input.decode_payload(json), schema_id).into_owned()
    }

    /// The row of what the decoders found.
    fn row(&self, outcome: Outcome<'a>, schema_id: Option<u32>) -> Decoded<'a> {
        let problem = match outcome {
            Outcome::Decoded(envelope) => {
                let format = envelope.format;
                let schema = self.unpacked.schema(schema_id);
                let (event, sources, reason) = assemble::event(
                    self.record,
                    envelope,
                    schema,
                    self.unpacked,
                    self.is_dlt,
                    self.now,
                );
                let format = if reason.is_some() { Format::Quarantined } else { format };
                return Decoded { event, format, reason, sources };
            }
            Outcome::Invalid(problem) => problem,
            Outcome::NotMine => Reason::InvalidJson.into(),
        };
        self.quarantined(&problem)
    }

    fn quarantined(&self, problem: &Problem) -> Decoded<'a> {
        let (reason, payload) = quarantine::payload(self.record, problem);
        let (event, sources) = self.event_without_envelope(QUARANTINED, Cow::Owned(payload));
        Decoded { event, format: Format::Quarantined, reason: Some(reason), sources }
    }

    fn event_without_envelope(
        &self,
        event_type: &'static str,
        payload: Cow<'a, str>,
    ) -> (Event<'a>, ColumnSources) {
        let Self { record, unpacked, is_dlt, now } = *self;
        assemble::event_without_envelope(record, unpacked, event_type, payload, is_dlt, now)
    }

    /// Tries the decoders on JSON that something else held, such as Kafka Connect's wrapper.
    fn decode_payload(&self, payload: &'a str) -> Outcome<'a> {
        let mut outcome = match json::scan(payload.as_bytes()) {
            Ok(scan) => self.decode_json(&scan),
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
    fn decode_json(&self, scan: &Scan<'a>) -> Outcome<'a> {
        let record = self.record;
        let decoders: [&dyn Fn() -> Outcome<'a>; 5] = [
            &|| cloud_events::decode_structured(record, scan),
            &|| native::decode(scan),
            &|| debezium::decode_outbox(record, scan),
            &|| debezium::decode_change(scan),
            &|| plain::decode(record, self.unpacked.short_name(), scan),
        ];
        let outcome = decoders
            .iter()
            .map(|decode| decode())
            .find(|outcome| !matches!(outcome, Outcome::NotMine));
        outcome.unwrap_or(Outcome::NotMine)
    }
}
