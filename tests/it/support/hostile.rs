//! Makes records that mean harm: the same ones for the same seed.

use record_file::{Content, Record};

/// Texts that break one layer or another on the way from a producer to a terminal.
const TEXTS: [&str; 30] = [
    "",
    " ",
    "\u{1b}]0;pwned\u{7}\u{1b}[31m",
    "\u{9b}2J\u{202e}gnp.exe",
    "\u{2028}\u{2066}\u{feff}",
    "line\r\nline\ttab",
    "nul \0 inside",
    "'; DROP TABLE event_logs; --",
    "=cmd|' /C calc'!A0",
    "\"\\\",,\\N\n",
    "{\"event_type\":\"Inner\"}",
    "audit.Quarantined",
    "audit.",
    "ÅÄÖ日本👋🏽\u{301}\u{301}\u{301}",
    "\u{fffd}\u{ffff}\u{10ffff}",
    "7b0f6a0e-3d0c-4f64-9a5b-1f0f3b0e8c11",
    "{7B0F6A0E-3D0C-4F64-9A5B-1F0F3B0E8C11}",
    "urn:uuid:00000000-0000-0000-0000-000000000000",
    "7b0f6a0e-3d0c-4f64-9a5b-1f0f3b0e8c1",
    "2026-11-22T10:00:00.123456789123456789+23:59",
    "9999-12-31T23:59:60Z",
    "-4713-01-01T00:00:00Z",
    "0000-02-30T25:61:61",
    "99999999999999999999999999",
    "-1",
    "1e309",
    "NaN",
    "infinity",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "application/cloudevents+json; charset=\"\u{1b}",
];

/// JSON values that are no text, and text that only JSON can spell.
const JSON: [&str; 24] = [
    "null",
    "true",
    "0",
    "-0",
    "-0.0e-0",
    "1E400",
    "1e200000",
    "-1e-20000",
    "1795341600000000000",
    "123456789012345678901234567890.123456789012345678901234567890",
    "[]",
    "{}",
    "[null,[{}]]",
    "{\"\":{\"\":\"\"}}",
    "{\"a\":1,\"a\":2,\"\\u0061\":3}",
    "\"\\u0000\"",
    "\"\\ud83d\"",
    "\"\\udc4b\\ud83d\"",
    "\"\\ud83d\\udc4b\"",
    "\"\\u001b[2J\\u009b\"",
    "NaN",
    "01",
    "\"\u{1}\"",
    "'single'",
];

/// Members of all envelopes that the audit knows, and headers that speak to its decoders.
const MEMBERS: [&str; 26] = [
    "event_id",
    "eventId",
    "event_type",
    "eventType",
    "aggregate_id",
    "aggregateId",
    "source_service",
    "occurred_at",
    "correlation_id",
    "causation_id",
    "payload",
    "data",
    "data_base64",
    "specversion",
    "id",
    "type",
    "source",
    "subject",
    "time",
    "datacontenttype",
    "op",
    "before",
    "after",
    "ts_ms",
    "schema",
    "traceparent",
];
const HEADERS: [&str; 24] = [
    "ce_specversion",
    "ce_id",
    "ce_type",
    "ce_source",
    "ce_subject",
    "ce_time",
    "content-type",
    "id",
    "eventType",
    "type",
    "__TypeId__",
    "traceparent",
    "kafka_dlt-original-topic",
    "kafka_dlt-original-partition",
    "kafka_dlt-original-offset",
    "kafka_dlt-original-timestamp",
    "kafka_dlt-exception-fqcn",
    "kafka_dlt-exception-message",
    "kafka_original-timestamp",
    "retry_topic-attempts",
    "retry_topic-original-timestamp",
    "__connect.errors.offset",
    "__streams.errors.partition",
    "dead-letter-reason",
];

/// Times of Kafka that no calendar or no arithmetic likes.
const TIMES: [Option<i64>; 8] = [
    None,
    Some(1),
    Some(-62_135_596_800_001),
    Some(-999_999_999_999_999),
    Some(9_224_318_016_000_000),
    Some(253_402_300_800_000),
    Some(i64::MAX),
    Some(1_795_341_601_000),
];

/// A generator of records.
pub(crate) struct Hostile {
    state: u64,
}

impl Hostile {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The texts that PostgreSQL can hold.
    pub(crate) fn texts() -> impl Iterator<Item = &'static str> {
        TEXTS.into_iter().filter(|text| !text.contains('\0'))
    }

    /// Steele, Lea and Flood's `SplitMix64`.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn bytes(&mut self, limit: usize) -> Vec<u8> {
        let length = self.below(limit + 1);
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// A record for partition 0 of a topic, of at most about `limit` bytes.
    pub(crate) fn record(&mut self, topic: &str, limit: usize) -> Record {
        Record {
            topic: topic.to_owned(),
            partition: Some(0),
            offset: None,
            timestamp_ms: self.one_of(&TIMES),
            key: self.key().map(Content),
            headers: (0..self.below(9)).map(|_| self.header()).collect(),
            value: self.value(limit).map(Content),
        }
    }

    fn key(&mut self) -> Option<Vec<u8>> {
        match self.below(6) {
            0 => None,
            1 => Some(Vec::new()),
            2 => Some(self.bytes(40)),
            3 => Some(vec![0xff; 20_000]),
            _ => Some(self.one_of(&TEXTS).as_bytes().to_vec()),
        }
    }

    fn header(&mut self) -> (Content, Option<Content>) {
        let name = match self.below(8) {
            0 => Vec::new(),
            // librdkafka ends the name that it tells at a NUL, so none has one inside.
            1 => self.bytes(12).into_iter().filter(|byte| *byte != 0).collect(),
            2 => "n".repeat(5_000).into_bytes(),
            3 => self.one_of(&TEXTS).replace('\0', "").into_bytes(),
            _ => self.one_of(&HEADERS).as_bytes().to_vec(),
        };
        let value = match self.below(8) {
            0 => None,
            1 => Some(Vec::new()),
            2 => Some(vec![0; 4]),
            3 => Some((self.next() as i64).to_be_bytes().to_vec()),
            4 => Some(self.bytes(24)),
            5 => Some(b"1.0".to_vec()),
            _ => Some(self.one_of(&TEXTS).as_bytes().to_vec()),
        };
        (Content(name), value.map(Content))
    }

    fn value(&mut self, limit: usize) -> Option<Vec<u8>> {
        Some(match self.below(12) {
            0 => return None,
            1 => self.bytes(300),
            2 => self.one_of(&TEXTS).as_bytes().to_vec(),
            3 => self.nested(limit),
            4 if self.below(8) == 0 => self.large(limit),
            5 => self.damaged(),
            6 => {
                let registry = [0, 0, 0, 0, self.next() as u8];
                [&registry[..], self.object().as_bytes()].concat()
            }
            7 => self.object().encode_utf16().flat_map(u16::to_le_bytes).collect(),
            _ => self.object().into_bytes(),
        })
    }

    /// An object of an envelope's members with values that do not belong there.
    fn object(&mut self) -> String {
        let mut members = Vec::new();
        if self.below(4) > 0 {
            members.push("\"event_type\": \"Hostile\"".to_owned());
        }
        for _ in 0..self.below(8) {
            let name = self.one_of(&MEMBERS);
            members.push(format!("\"{name}\": {}", self.json()));
        }
        format!("{{{}}}", members.join(","))
    }

    fn json(&mut self) -> String {
        match self.below(5) {
            0 => self.one_of(&JSON).to_owned(),
            1 => format!("\"{}\"", "x".repeat(99 + self.below(3))),
            2 => format!("\"{}\"", "é".repeat(99 + self.below(3))),
            3 => format!("[{}, {{\"deeper\": {}}}]", self.one_of(&JSON), self.one_of(&JSON)),
            _ => serde_json::Value::from(self.one_of(&TEXTS)).to_string(),
        }
    }

    fn nested(&mut self, limit: usize) -> Vec<u8> {
        let depth = self.one_of(&[998, 999, 1_000, 1_001, 5_000, 20_000]).min(limit / 8);
        let (open, close) = self.one_of(&[("[", "]"), ("{\"a\":", "}")]);
        let inside = if open == "[" { "" } else { "0" };
        let deep = format!("{}{inside}{}", open.repeat(depth), close.repeat(depth));
        match self.below(3) {
            0 => open.repeat(depth).into_bytes(),
            1 => deep.into_bytes(),
            _ => format!("{{\"event_type\":\"Deep\",\"payload\":{deep}}}").into_bytes(),
        }
    }

    fn large(&mut self, limit: usize) -> Vec<u8> {
        let size = limit - limit / 16;
        match self.below(4) {
            0 => vec![self.next() as u8; size],
            1 => {
                format!("{{\"event_type\":\"Large\",\"payload\":\"\\u001b{}\"}}", "x".repeat(size))
                    .into_bytes()
            }
            2 => format!("{{\"event_type\":\"Large\",\"payload\":[{}0]}}", "0,".repeat(size / 2))
                .into_bytes(),
            _ => format!(
                "{{\"event_type\":\"Large\",\"payload\":{}}}",
                "9".repeat(size.min(140_000))
            )
            .into_bytes(),
        }
    }

    /// An event that was whole once.
    fn damaged(&mut self) -> Vec<u8> {
        let mut bytes = self.object().into_bytes();
        let place = self.below(bytes.len());
        match self.below(4) {
            0 => bytes.truncate(place),
            1 => bytes[place] ^= self.next() as u8,
            2 => bytes.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
            _ => bytes.extend_from_slice(b" {}"),
        }
        bytes
    }
}
