//! The answer about one record.

use std::borrow::Cow;

use chrono::DateTime;
use record_file::Record;
use serde::Deserialize;

use crate::dead_letter;
use crate::dead_letter::{DeadLetter, OriginSource};
use crate::event;
use crate::event::{Decoder, Explanation, Header, RecordSchema, Unpacked};
use crate::time::{Timestamp, UnixMicros};
use crate::value::Value;

/// The answer about one record.
pub(super) struct Answer {
    pub(super) explanation: Explanation,
    /// Why it would be quarantined, in words.
    pub(super) detail: Option<String>,
    /// The schema that its value was read by, in words.
    pub(super) schema: Option<String>,
    /// The row of `dead_letters` that it would have, too: name, value, where it came from.
    pub(super) dead_letter: Vec<(&'static str, Value<'static>, String)>,
}

/// The headers of a record.
pub(super) fn headers(record: &Record) -> Vec<Header<'_>> {
    record
        .headers
        .iter()
        .map(|(name, value)| Header {
            name: &name.0,
            value: value.as_ref().map(|value| value.0.as_slice()),
        })
        .collect()
}

/// A record as Kafka would deliver it.
pub(super) fn received<'a>(
    cluster_id: &'a str,
    record: &'a Record,
    headers: &'a [Header<'a>],
) -> event::Record<'a> {
    event::Record {
        cluster_id,
        topic: &record.topic,
        partition: record.partition.unwrap_or(0),
        offset: record.offset.unwrap_or(0),
        timestamp_ms: record.timestamp_ms,
        key: record.key.as_ref().map(|key| key.0.as_slice()),
        value: record.value.as_ref().map(|value| value.0.as_slice()),
        headers,
    }
}

/// Decodes a record, and tells why it became what it became.
pub(super) fn decode(
    decoder: &Decoder,
    record: &event::Record<'_>,
    unpacked: &Unpacked,
    now: UnixMicros,
) -> Answer {
    /// A part of a quarantined row's payload.
    #[derive(Deserialize)]
    struct Quarantined {
        detail: String,
    }
    let explanation = event::explain(decoder, record, unpacked, now);
    let payload = explanation.columns.iter().find(|column| column.name == "payload");
    let detail = explanation.reason.and(payload).and_then(|payload| {
        serde_json::from_str::<Quarantined>(payload.value.as_deref()?)
            .ok()
            .map(|payload| payload.detail)
    });
    let dead_letter = if decoder.is_dead_letter_topic(record.topic) {
        dead_letter_row(dead_letter::origin(record))
    } else {
        Vec::new()
    };
    let schema = unpacked.value.as_ref().and_then(|value| schema_words(&value.schema));
    Answer { explanation, detail, schema, dead_letter }
}

/// `the AVRO schema com.acme.OrderPlaced, id 3 of orders.events-value`
fn schema_words(schema: &RecordSchema) -> Option<String> {
    let mut words = format!("the {} schema", schema.schema_type?.as_str());
    if let Some(name) = &schema.name {
        words += &format!(" {name}");
    }
    if let Some(id) = schema.id {
        words += &format!(", id {id}");
    }
    if let Some(subject) = &schema.subject {
        words += &format!(" of {subject}");
    }
    Some(words)
}

/// The columns of `dead_letters` beside the raw key, value and headers, which are kept as they are.
fn dead_letter_row(letter: DeadLetter<'_>) -> Vec<(&'static str, Value<'static>, String)> {
    let headers =
        letter.family.map_or_else(|| "headers".to_owned(), |family| format!("headers of {family}"));
    let topic = match letter.origin_source {
        OriginSource::Suffix => "the topic's name without its ending: a guess",
        OriginSource::Header | OriginSource::Unknown => headers.as_str(),
    };
    let text = |text: Option<Cow<'_, str>>| Value::from(text.map(Cow::into_owned));
    let time =
        letter.origin_timestamp_ms.and_then(DateTime::from_timestamp_millis).map(Timestamp::from);
    let columns = [
        ("origin_topic", text(letter.origin_topic)),
        ("origin_partition", letter.origin_partition.into()),
        ("origin_offset", letter.origin_offset.into()),
        ("origin_timestamp", time.into()),
        ("consumer_group", text(letter.consumer_group)),
        ("exception_class", text(letter.exception_class)),
        ("exception_message", text(letter.exception_message)),
        ("stack_trace", text(letter.stack_trace)),
        ("attempts", letter.attempts.into()),
    ];
    let from = |name, value: &Value<'_>| match (name, value) {
        (_, Value::Null) => "nowhere".to_owned(),
        ("origin_topic", _) => topic.to_owned(),
        _ => headers.clone(),
    };
    columns
        .into_iter()
        .map(|(name, value)| {
            let from = from(name, &value);
            (name, value, from)
        })
        .collect()
}
