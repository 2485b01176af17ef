//! What a record would become, and why: for `audit decode`.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::json::compact;
use super::{ColumnOrigin, ColumnSource, Decoder, Format, Reason, Record, Unpacked, text_of_id};
use crate::time::UnixMicros;

/// One column of the row that a record would become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The column's name.
    pub name: &'static str,
    /// Its value as text; JSON without white space between its tokens for `payload` and
    /// `attributes`.
    pub value: Option<String>,
    /// Of an id: the text that it was made of.
    pub original: Option<String>,
    /// Where it came from.
    pub source: ColumnSource,
}

/// The names of the columns that [`explain`] tells of, in its order.
pub const COLUMN_NAMES: [&str; 9] = [
    "event_id",
    "event_type",
    "aggregate_id",
    "source_service",
    "is_dlt",
    "payload",
    "created_at",
    "correlation_id",
    "attributes",
];

/// What a record would become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The decoder that took the record.
    pub format: Format,
    /// Why it would be quarantined, where it would be.
    pub reason: Option<Reason>,
    /// The columns in the order of the table.
    pub columns: Vec<Column>,
}

/// Decodes a record and tells of each column where it came from.
pub fn explain(
    decoder: &Decoder,
    record: &Record<'_>,
    unpacked: &Unpacked,
    now: UnixMicros,
) -> Explanation {
    let decoded = decoder.decode(record, unpacked, now);
    let (event, sources) = (decoded.event, decoded.sources);
    let originals: Attributes<'_> = serde_json::from_str(&event.attributes).unwrap_or_default();
    let values_and_origins = [
        (Some(event.event_id.to_string()), sources.event_id),
        (Some(event.event_type.into_owned()), sources.event_type),
        (event.aggregate_id.map(|id| id.to_string()), sources.aggregate_id),
        (event.source_service.map(Cow::into_owned), sources.source_service),
        (Some(event.is_dlt.to_string()), ColumnSource::of(ColumnOrigin::Topic)),
        (Some(compact(&event.payload)), sources.payload),
        (Some(timestamp(event.created_at)), sources.created_at),
        (event.correlation_id.map(|id| id.to_string()), sources.correlation_id),
        (
            Some(compact(&event.attributes)),
            ColumnSource::noted(ColumnOrigin::Rule, "key, headers and what has no column"),
        ),
    ];
    let columns = COLUMN_NAMES
        .into_iter()
        .zip(values_and_origins)
        .map(|(name, (value, source))| Column {
            name,
            value,
            original: match name {
                "aggregate_id" => event.aggregate_id.and_then(|id| originals.aggregate(id)),
                "correlation_id" => event.correlation_id.and_then(|id| originals.correlation(id)),
                _ => None,
            },
            source,
        })
        .collect();
    Explanation { format: decoded.format, reason: decoded.reason, columns }
}

/// Where the texts stand that ids were made of.
#[derive(Default, Deserialize)]
struct Attributes<'a> {
    #[serde(borrow, default)]
    key: Option<&'a RawValue>,
    #[serde(borrow, default)]
    original: Originals<'a>,
}

#[derive(Default, Deserialize)]
struct Originals<'a> {
    #[serde(borrow, default)]
    aggregate_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    correlation_id: Option<&'a RawValue>,
}

impl Attributes<'_> {
    fn aggregate(&self, id: Uuid) -> Option<String> {
        let candidates = [self.original.aggregate_id, self.key];
        text_of_id(id, candidates.into_iter().flatten().map(unquoted))
    }

    fn correlation(&self, id: Uuid) -> Option<String> {
        text_of_id(id, self.original.correlation_id.map(unquoted))
    }
}

/// The characters of a JSON text; other JSON as it is.
fn unquoted(raw: &RawValue) -> String {
    serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned())
}

/// RFC 3339 in UTC; the number where the year has more digits than the calendar at hand goes to.
fn timestamp(time: UnixMicros) -> String {
    DateTime::from_timestamp_micros(time.0).map_or_else(
        || format!("{} microseconds since 1970", time.0),
        |time| time.to_rfc3339_opts(SecondsFormat::Micros, true),
    )
}

#[cfg(test)]
mod tests {
    use super::explain;
    use crate::event::{Decoder, Header, Record, Unpacked};
    use crate::time::UnixMicros;

    /// One line for each column: name, value, where it came from.
    fn lines(record: &Record<'_>) -> String {
        let now = UnixMicros(1_795_341_600_000_000);
        let explanation = explain(&Decoder::default(), record, Unpacked::nothing(), now);
        let mut out = format!("{} {:?}\n", explanation.format, explanation.reason);
        for column in explanation.columns {
            out.push_str(&format!(
                "{}: {} <- {}\n",
                column.name,
                column.value.as_deref().unwrap_or("∅"),
                column.source
            ));
        }
        out
    }

    #[test]
    fn each_column_tells_where_it_came_from() {
        let value = br#"{"eventId":"A-1","event_type":"OrderCreated","occurred_at":"2026-11-22T10:00:00","payload":{"a":1}}"#;
        let traceparent = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let record = Record {
            cluster_id: "cluster",
            topic: "orders.events-dlt",
            partition: 0,
            offset: 7,
            timestamp_ms: None,
            key: Some(b"7b0f6a0e-3d0c-4f64-9a5b-1f0f3b0e8c11"),
            value: Some(value),
            headers: &[Header { name: b"traceparent", value: Some(traceparent) }],
        };
        insta::assert_snapshot!(lines(&record), @r#"
        native envelope None
        event_id: d5f44e84-b4e6-52c1-a918-4bc35405e7a9 <- member eventId (other text than a UUID, mapped by UUID v5)
        event_type: OrderCreated <- member event_type
        aggregate_id: 7b0f6a0e-3d0c-4f64-9a5b-1f0f3b0e8c11 <- the key
        source_service: ∅ <- nowhere
        is_dlt: true <- the topic's name
        payload: {"a":1} <- member payload
        created_at: 2026-11-22T10:00:00.000000Z <- member occurred_at (without an offset: taken as UTC)
        correlation_id: 4bf92f35-77b3-4da6-a3ce-929d0e0e4736 <- header traceparent (its trace id)
        attributes: {"key":"7b0f6a0e-3d0c-4f64-9a5b-1f0f3b0e8c11","headers":[["traceparent","00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]],"original":{"event_id":"A-1","created_at":"2026-11-22T10:00:00"},"created_at_from":"assumed_utc"} <- a rule of the audit (key, headers and what has no column)
        "#);
    }

    #[test]
    fn a_quarantined_record_tells_its_reason() {
        let record = Record {
            cluster_id: "cluster",
            topic: "orders.events",
            partition: 0,
            offset: 7,
            timestamp_ms: None,
            key: None,
            value: Some(b"hello"),
            headers: &[],
        };
        insta::assert_snapshot!(lines(&record), @r#"
        quarantined Some(InvalidJson)
        event_id: 21777c0f-434c-5233-bbba-8d96eb91ef3b <- cluster, topic, partition and offset
        event_type: audit.Quarantined <- a rule of the audit
        aggregate_id: ∅ <- nowhere
        source_service: ∅ <- nowhere
        is_dlt: false <- the topic's name
        payload: {"reason":"invalid_json","detail":"the value is not JSON (byte 0)","value_base64":"aGVsbG8=","key_base64":null} <- the whole value
        created_at: 2026-11-22T10:00:00.000000Z <- the clock (no time was found)
        correlation_id: ∅ <- nowhere
        attributes: {"created_at_from":"now"} <- a rule of the audit (key, headers and what has no column)
        "#);
    }
}
