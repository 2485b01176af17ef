//! What must hold for any record at all.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::value::RawValue;

use super::json;
use super::json::{Kind, MAX_DEPTH};
use super::row::occurred_at;
use super::{
    Decoder, Format, Header, QUARANTINED, QuarantineForm, Reason, Record, RecordSchema, TOMBSTONE,
    Unpacked, UnpackedKey, UnpackedValue, Unreadable,
};
use crate::time::UnixMicros;

const NOW: UnixMicros = UnixMicros(1_795_341_600_000_000);

/// Names and values that send a record to every decoder, beside arbitrary ones.
fn header_name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..8),
        prop::sample::select(vec![
            "ce_specversion",
            "ce_id",
            "ce_type",
            "ce_source",
            "ce_subject",
            "ce_time",
            "ce_correlationid",
            "ce_traceparent",
            "content-type",
            "id",
            "eventType",
            "event_type",
            "type",
            "__TypeId__",
            "traceparent",
            "retry_topic-attempts",
            "kafka_dlt-original-topic",
            "kafka_dlt-original-partition",
            "dead-letter-topic",
            "x-original-topic",
            "x-exception-fqcn",
        ])
        .prop_map(|name| name.as_bytes().to_vec()),
    ]
}

fn header_value() -> impl Strategy<Value = Option<Vec<u8>>> {
    option::weighted(
        0.9,
        prop_oneof![
            vec(any::<u8>(), 0..12),
            ".{0,12}".prop_map(String::into_bytes),
            prop::sample::select(vec![
                "application/json",
                "application/cloudevents+json",
                "application/cloudevents-batch+json",
                "text/plain",
                "OrderCreated",
                "audit.x",
                "1.0",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "2026-11-22T10:00:00Z",
                "9e99",
                "com.example.A$B",
                "\"4711\"",
                "{\"schema\":{\"type\":\"string\"},\"payload\":\"OrderCreated\"}",
                "7b0f6a0e-3d0c-4f64-9a5b-1f0f3b0e8c11",
            ])
            .prop_map(|value| value.as_bytes().to_vec()),
        ],
    )
}

/// JSON text of any kind, with numbers and escapes that no serialiser would write.
fn json_text() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?",
        "\"[a-zé😀 ]{0,8}\"",
        r#""(\\["\\/bfnrt]|\\u00[1-9a-f]{2}|\\ud83d\\ude00|x){0,4}""#,
        any::<String>()
            .prop_map(|text| serde_json::Value::from(text.replace('\0', "")).to_string()),
    ];
    scalar.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(|elements| format!("[{}]", elements.join(" , "))),
            vec((member_name(), inner), 0..9).prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
                format!("{{\n{}}}", members.join(","))
            }),
        ]
    })
}

/// Names that decoders know, so that their rules are reached.
fn member_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,3}",
        prop::sample::select(vec![
            "event_id",
            "eventId",
            "event_type",
            "eventType",
            "event\\u005ftype",
            "aggregate_id",
            "source_service",
            "occurred_at",
            "correlation_id",
            "causation_id",
            "payload",
            "data",
            "specversion",
            "id",
            "type",
            "source",
            "subject",
            "time",
            "datacontenttype",
            "data_base64",
            "op",
            "before",
            "after",
            "ts_ms",
            "schema",
            "table",
            "aggregatetype",
            "AGGREGATE_ID",
            "key",
            "headers",
            "original",
            "attribute",
            "attributes",
            "spec_version",
            "text_data",
            "binary_data",
            "proto_data",
            "extensions",
        ])
        .prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => json_text().prop_map(String::into_bytes),
        1 => (json_text(), "int64|bytes", "Decimal|Timestamp|Other").prop_map(|(json, base, name)| {
            let schema = format!(
                r#"{{"type":"{base}","name":"org.apache.kafka.connect.data.{name}","parameters":{{"scale":"2"}}}}"#
            );
            format!(r#"{{"schema":{schema},"payload":{json}}}"#).into_bytes()
        }),
        1 => vec(any::<u8>(), 0..64),
        1 => (any::<u32>(), json_text())
            .prop_map(|(schema, json)| [&[0][..], &schema.to_be_bytes(), json.as_bytes()].concat()),
        // Nearly JSON: one byte of it is another one.
        2 => (json_text(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(json, at, byte)| {
            let mut bytes = json.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes
        }),
    ]
}

/// What schemas may make of a record: any text as JSON, under names that decoders know and others.
fn unpacked() -> impl Strategy<Value = Unpacked> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "io.cloudevents.v1.CloudEvent",
            "io.cloudevents.CloudEvent",
            "io.cloudevents.v1.avro.compact.CloudEvent",
            "com.acme.shop.OrderPlaced",
            "audit.Order",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    let refused = Unreadable { reason: Reason::SchemaMismatch, detail: "byte \0".to_owned() };
    let json = prop_oneof![
        4 => json_text().prop_map(Ok),
        1 => any::<String>().prop_map(Ok),
        1 => Just(Err(refused)),
    ];
    let unknown_fields = vec(("[a\0]{0,2}", vec(any::<u8>(), 0..4)), 0..3);
    let value = (name, json, option::of(any::<u32>()), unknown_fields).prop_map(
        |(name, json, id, unknown_fields)| UnpackedValue {
            schema: RecordSchema { id, name: Some(name.into()), ..RecordSchema::default() },
            json,
            unknown_fields,
        },
    );
    let key = (option::of(any::<u32>()), any::<String>())
        .prop_map(|(schema_id, text)| UnpackedKey { schema_id, text });
    (option::weighted(0.4, value), option::weighted(0.4, key))
        .prop_map(|(value, key)| Unpacked { value, key })
}

/// Whether `serde_json` finds the text valid. It skips raw values without building them, so that
/// depth does not matter.
fn is_valid_json(text: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(text).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2_000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_record_becomes_exactly_one_event_that_postgresql_can_store(
        key in option::of(prop_oneof![vec(any::<u8>(), 0..40), value()]),
        value in option::weighted(0.95, value()),
        owned in vec((header_name(), header_value()), 0..8),
        topic in prop_oneof!["[a-z.-]{1,12}", Just("orders-dlt".to_owned())],
        timestamp_ms in option::of(any::<i64>()),
        unpacked in unpacked(),
    ) {
        let headers: Vec<_> =
            owned.iter().map(|(name, value)| Header { name, value: value.as_deref() }).collect();
        let record = Record {
            cluster_id: "cluster", topic: &topic, partition: 3, offset: 7, timestamp_ms,
            key: key.as_deref(), value: value.as_deref(), headers: &headers,
        };
        let decoded = Decoder::default().decode(&record, &unpacked, NOW);
        let event = &decoded.event;
        for json in [event.payload.as_bytes(), event.attributes.as_bytes()] {
            prop_assert!(is_valid_json(json), "{}", String::from_utf8_lossy(json));
            prop_assert!(json::scan(json).is_ok(), "{}", String::from_utf8_lossy(json));
        }
        prop_assert_eq!(event.attributes.as_bytes().first(), Some(&b'{'));
        for text in [Some(&event.event_type), event.source_service.as_ref()].into_iter().flatten() {
            prop_assert!(text.chars().count() <= 100 && !text.contains('\0'));
        }
        prop_assert!(!event.event_type.is_empty());
        prop_assert!(event.created_at >= occurred_at::EARLIEST);
        prop_assert_eq!(value.is_none(), decoded.format == Format::Tombstone);
        prop_assert_eq!(value.is_none(), event.event_type == TOMBSTONE);
        prop_assert_eq!(decoded.reason.is_some(), event.event_type == QUARANTINED);
        // Decoding is repeatable: a second reading of the record gives the same row.
        prop_assert_eq!(&Decoder::default().decode(&record, &unpacked, NOW), &decoded);

        let mut form = Some(QuarantineForm::Readable);
        while let Some(current) = form {
            let refused = Decoder::default().quarantine_refused(&record, &unpacked, current, "22P05: \0", NOW);
            prop_assert!(json::scan(refused.payload.as_bytes()).is_ok());
            prop_assert!(json::scan(refused.attributes.as_bytes()).is_ok());
            prop_assert!(current == QuarantineForm::Readable || refused.attributes.is_ascii());
            prop_assert_eq!(refused.event_type.as_ref(), QUARANTINED);
            form = current.next();
        }
    }

    #[test]
    fn any_headers_of_a_dead_letter_are_read_without_a_panic(
        owned in vec((header_name(), header_value()), 0..12),
        topic in "[a-zA-Z0-9._-]{0,12}(-dlt)?",
    ) {
        let headers: Vec<_> =
            owned.iter().map(|(name, value)| Header { name, value: value.as_deref() }).collect();
        let letter = crate::dead_letter::origin(&Record {
            cluster_id: "cluster", topic: &topic, partition: 0, offset: 0, timestamp_ms: None,
            key: None, value: None, headers: &headers,
        });
        let texts = [&letter.origin_topic, &letter.consumer_group, &letter.exception_class, &letter.exception_message];
        prop_assert!(texts.into_iter().flatten().all(|text| !text.contains('\0')));
    }

    #[test]
    fn the_scan_finds_valid_what_serde_json_finds_valid(bytes in value()) {
        match json::scan(&bytes) {
            Ok(scan) => {
                prop_assert!(is_valid_json(&bytes));
                prop_assert_eq!(scan.value.kind == Kind::Object, bytes.trim_ascii().starts_with(b"{"));
                if scan.value.kind == Kind::Object {
                    // The members put together again are the object: none is lost, none is cut.
                    let members: Vec<_> =
                        scan.members.iter().map(|member| format!("{}:{}", member.raw_name, member.value.raw)).collect();
                    let again = format!("{{{}}}", members.join(","));
                    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
                    prop_assert_eq!(parse(&again), parse(scan.value.raw));
                }
            }
            // PostgreSQL's own limits, which RFC 8259 does not have, and pairs, which raw values
            // are not checked for.
            Err(json::Refusal {
                reason: Reason::NulEscape | Reason::NumberOutOfRange | Reason::LoneSurrogate, ..
            }) => {}
            Err(refusal) => {
                prop_assert!(!is_valid_json(&bytes), "{refusal:?} for {}", String::from_utf8_lossy(&bytes));
                prop_assert!(refusal.position <= bytes.len());
            }
        }
    }

    #[test]
    fn texts_are_read_as_serde_json_reads_them(text in json_text()) {
        if let Ok(expected) = serde_json::from_str::<String>(&text) {
            let scan = json::scan(text.as_bytes());
            let found = scan.ok().and_then(|scan| scan.value.text().map(std::borrow::Cow::into_owned));
            prop_assert_eq!(found, Some(expected));
        }
    }

    #[test]
    fn any_text_and_any_number_is_a_time_that_timestamp_holds_or_none(
        text in prop_oneof![
            ".{0,40}",
            "-?[0-9]{1,25}(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?",
            "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{0,10})?)?([zZ]|[+-][0-9]{2}:?[0-9]{2})?",
        ]
    ) {
        if let Some(moment) = occurred_at::read_text(&text) {
            prop_assert!(moment.time >= occurred_at::EARLIEST);
        }
    }

    #[test]
    fn rfc_3339_is_read_as_chrono_reads_it(
        text in "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-](0[0-9]|1[0-9]):[0-5][0-9])"
    ) {
        let expected = chrono::DateTime::parse_from_rfc3339(&text).ok();
        let expected = expected.map(|time| time.timestamp() * 1_000_000 + i64::from(time.timestamp_subsec_micros()));
        prop_assert_eq!(occurred_at::read_text(&text).map(|moment| moment.time.0), expected);
    }
}

#[test]
fn the_deepest_nesting_never_overflows_the_stack() {
    for depth in [MAX_DEPTH, MAX_DEPTH + 1, 20_000, 1_000_000] {
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let object = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        for text in [text, object] {
            let record = Record {
                cluster_id: "cluster",
                topic: "topic",
                partition: 0,
                offset: 0,
                timestamp_ms: None,
                key: None,
                value: Some(text.as_bytes()),
                headers: &[],
            };
            let decoded = Decoder::default().decode(&record, Unpacked::nothing(), NOW);
            let expected = (depth > MAX_DEPTH).then_some(Reason::NestedTooDeep);
            assert_eq!(decoded.reason, expected, "{depth}");
        }
    }
}

#[test]
fn a_value_whose_text_would_be_too_large_to_read_back_is_refused() {
    // Each number has 9 bytes here and 131,072 in what JSONB writes.
    let numbers = |count: usize| format!("[{}1]", "1e131071,".repeat(count));
    assert!(json::scan(numbers(2_000).as_bytes()).is_ok());
    let too_many = numbers(3_000);
    assert_eq!(
        json::scan(too_many.as_bytes()).err().map(|refusal| refusal.reason),
        Some(Reason::TooLarge)
    );
}

#[test]
fn containers_with_more_elements_than_postgresql_can_parse_are_refused() {
    let array = |count: usize| format!("[{}1]", "1,".repeat(count - 1));
    let object = |count: usize| format!("[{{{}\"\":1}}]", "\"\":1,".repeat(count - 1));
    for (text, is_accepted) in [
        (array(1 << 24), true),
        (array((1 << 24) + 1), false),
        (object(1 << 23), true),
        (object((1 << 23) + 1), false),
    ] {
        let reason = json::scan(text.as_bytes()).err().map(|refusal| refusal.reason);
        assert_eq!(reason, (!is_accepted).then_some(Reason::TooLarge));
    }
}
