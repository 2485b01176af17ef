//! Any record becomes exactly one event that PostgreSQL can store, and its headers are read without
//! a panic.
//!
//! The input is laid out so that people and the fuzzer can write it: the topic, the key and each
//! header (`name=value`; null without `=`) on a line of their own, an empty line, and then the
//! value.

#![no_main]
// The pure modules alone, so that neither librdkafka nor OpenSSL has to be built for it.
#![allow(dead_code, unreachable_pub, unused_imports)]

#[path = "../../src/dead_letter/mod.rs"]
mod dead_letter;
#[path = "../../src/event/mod.rs"]
mod event;
#[path = "../../src/time/mod.rs"]
mod time;

use event::{
    Decoder, Format, Header, QUARANTINED, QuarantineForm, Record, TOMBSTONE, Unpacked, json,
    row::occurred_at,
};
use libfuzzer_sys::fuzz_target;
use time::UnixMicros;

const NOW: UnixMicros = UnixMicros(1_795_341_600_000_000);

fn can_be_stored(json: &str) -> bool {
    json::scan(json.as_bytes()).is_ok()
}

fuzz_target!(|input: &[u8]| {
    let (head, value) = match input.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&input[..end], Some(&input[end + 2..])),
        None => (input, None),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    // Kafka has no other characters in the names of topics.
    let is_legal = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let topic: String = lines
        .next()
        .unwrap_or_default()
        .iter()
        .filter(is_legal)
        .map(|byte| char::from(*byte))
        .collect();
    let key = lines.next();
    let headers: Vec<_> = lines
        .map(|line| match line.iter().position(|byte| *byte == b'=') {
            Some(end) => Header { name: &line[..end], value: Some(&line[end + 1..]) },
            None => Header { name: line, value: None },
        })
        .collect();
    let timestamp_ms = key.and_then(|key| Some(i64::from_be_bytes(*key.first_chunk()?)));
    let record = Record {
        cluster_id: "c",
        topic: &topic,
        partition: 0,
        offset: 7,
        timestamp_ms,
        key,
        value,
        headers: &headers,
    };

    let decoder = Decoder::default();
    let decoded = decoder.decode(&record, Unpacked::nothing(), NOW);
    let event = &decoded.event;
    assert!(can_be_stored(&event.payload) && can_be_stored(&event.attributes));
    assert!(event.attributes.starts_with('{'));
    for text in [Some(&event.event_type), event.source_service.as_ref()].into_iter().flatten() {
        assert!(text.chars().count() <= 100 && !text.contains('\0'));
    }
    assert!(!event.event_type.is_empty() && event.created_at >= occurred_at::EARLIEST);
    assert_eq!(
        value.is_none(),
        decoded.format == Format::Tombstone && event.event_type == TOMBSTONE
    );
    assert_eq!(decoded.reason.is_some(), event.event_type == QUARANTINED);
    assert_eq!(decoder.decode(&record, Unpacked::nothing(), NOW), decoded);

    let mut form = Some(QuarantineForm::Readable);
    while let Some(current) = form {
        let refused =
            decoder.quarantine_refused(&record, Unpacked::nothing(), current, "22P05", NOW);
        assert!(can_be_stored(&refused.payload) && can_be_stored(&refused.attributes));
        form = current.next();
    }

    let letter = dead_letter::origin(&record);
    let texts = [
        &letter.origin_topic,
        &letter.consumer_group,
        &letter.exception_message,
        &letter.stack_trace,
    ];
    assert!(texts.into_iter().flatten().all(|text| !text.contains('\0')));
    let stored = dead_letter::headers_json(&headers);
    assert!(can_be_stored(&stored));
    let read_back = dead_letter::headers_from_json(&stored).expect("what was written can be read");
    assert!(read_back.len() == headers.len());
    for (read, sent) in read_back.iter().zip(&headers) {
        assert_eq!((read.name.as_slice(), read.value.as_deref()), (sent.name, sent.value));
    }
});
