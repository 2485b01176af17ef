//! One test for each family, and for what records with several hops, or broken headers, say.

use super::{DeadLetter, Family, OriginSource, is_error_header, origin};
use super::{error_line, short_class};
use crate::event::{Header, Record};

type Pair<'a> = (&'a str, &'a [u8]);

fn with_letter(topic: &str, pairs: &[Pair<'_>], check: impl FnOnce(DeadLetter<'_>)) {
    let headers: Vec<_> = pairs
        .iter()
        .map(|(name, value)| Header { name: name.as_bytes(), value: Some(value) })
        .collect();
    check(origin(&Record {
        cluster_id: "cluster",
        topic,
        partition: 0,
        offset: 0,
        timestamp_ms: None,
        key: None,
        value: None,
        headers: &headers,
    }));
}

const SPRING: [Pair<'_>; 8] = [
    ("kafka_dlt-original-topic", b"orders.events"),
    ("kafka_dlt-original-partition", &[0, 0, 0, 2]),
    ("kafka_dlt-original-offset", &[0, 0, 0, 0, 0, 0, 1, 0]),
    ("kafka_dlt-original-timestamp", &[0, 0, 1, 0xA2, 0, 0, 0, 0]),
    ("kafka_dlt-original-consumer-group", b"payment-service"),
    ("kafka_dlt-exception-fqcn", b"java.lang.IllegalStateException"),
    ("kafka_dlt-exception-message", b"card expired"),
    ("kafka_dlt-exception-stacktrace", b"java.lang.IllegalStateException: card expired\n\tat A.b"),
];

#[test]
fn spring_headers_hold_binary_integers() {
    with_letter("orders.events-dlt", &SPRING, |letter| {
        assert_eq!(
            letter,
            DeadLetter {
                origin_topic: Some("orders.events".into()),
                origin_source: OriginSource::Header,
                origin_partition: Some(2),
                origin_offset: Some(256),
                origin_timestamp_ms: Some(0x1A2_0000_0000),
                consumer_group: Some("payment-service".into()),
                exception_class: Some("java.lang.IllegalStateException".into()),
                exception_message: Some("card expired".into()),
                stack_trace: Some("java.lang.IllegalStateException: card expired\n\tat A.b".into()),
                attempts: None,
                family: Some(Family::Spring),
            }
        );
    });
}

#[test]
fn of_several_hops_the_first_is_the_origin_and_the_last_is_the_error() {
    let second: [Pair<'_>; 6] = [
        ("kafka_dlt-original-topic", b"orders.events-dlt"),
        ("kafka_dlt-original-partition", &[0, 0, 0, 9]),
        ("kafka_dlt-original-offset", &[0, 0, 0, 0, 0, 0, 0, 9]),
        ("kafka_dlt-original-consumer-group", b"second-group"),
        ("kafka_dlt-exception-fqcn", b"second.Exception"),
        ("kafka_dlt-exception-message", b"second"),
    ];
    with_letter("orders.events-dlt-dlt", &[&SPRING[..], &second].concat(), |letter| {
        assert_eq!(letter.origin_topic.as_deref(), Some("orders.events"));
        assert_eq!((letter.origin_partition, letter.origin_offset), (Some(2), Some(256)));
        assert_eq!(letter.consumer_group.as_deref(), Some("second-group"));
        assert_eq!(letter.exception_class.as_deref(), Some("second.Exception"));
        assert_eq!(letter.exception_message.as_deref(), Some("second"));
    });
}

#[test]
fn the_hops_of_two_families_are_told_apart_by_their_order() {
    let connect: [Pair<'_>; 4] = [
        ("__connect.errors.topic", b"orders.events-dlt"),
        ("__connect.errors.partition", b"7"),
        ("__connect.errors.exception.class.name", b"sink.Exception"),
        ("__connect.errors.connector.name", b"sink"),
    ];
    with_letter("connect-dlq", &[&SPRING[..], &connect].concat(), |letter| {
        assert_eq!(letter.origin_topic.as_deref(), Some("orders.events"));
        assert_eq!(letter.origin_partition, Some(2));
        assert_eq!(letter.exception_class.as_deref(), Some("sink.Exception"));
        assert_eq!(letter.exception_message, None, "a message of another hop would be misleading");
        assert_eq!(letter.consumer_group.as_deref(), Some("connect-sink"));
        assert_eq!(letter.family, Some(Family::Connect));
    });
}

#[test]
fn spring_s_wrapper_gives_way_to_its_cause() {
    let headers: [Pair<'_>; 2] = [
        (
            "kafka_dlt-exception-fqcn",
            b"org.springframework.kafka.listener.ListenerExecutionFailedException",
        ),
        ("kafka_dlt-exception-cause-fqcn", b"java.io.IOException"),
    ];
    with_letter("t-dlt", &headers, |letter| {
        assert_eq!(letter.exception_class.as_deref(), Some("java.io.IOException"));
    });
    with_letter("t-dlt", &headers[..1], |letter| {
        assert!(
            letter
                .exception_class
                .is_some_and(|class| class.ends_with("ListenerExecutionFailedException"))
        );
    });
}

#[test]
fn retry_topics_count_attempts_and_know_the_first_timestamp() {
    let headers: [Pair<'_>; 8] = [
        ("kafka_original-topic", b"orders.events"),
        ("kafka_dlt-original-consumer-group", b"payment-service"),
        ("kafka_original-partition", &[0, 0, 0, 1]),
        ("kafka_original-offset", &[0, 0, 0, 0, 0, 0, 0, 5]),
        ("kafka_exception-fqcn", b"java.lang.RuntimeException"),
        ("kafka_exception-message", b"try again"),
        ("retry_topic-attempts", &[0, 0, 0, 4]),
        ("retry_topic-original-timestamp", &[0x01, 0xA2, 0, 0, 0, 0]),
    ];
    with_letter("orders.events-retry-0-dlt", &headers, |letter| {
        assert_eq!(letter.family, Some(Family::SpringRetry));
        assert_eq!(letter.origin_topic.as_deref(), Some("orders.events"));
        assert_eq!((letter.origin_partition, letter.origin_offset), (Some(1), Some(5)));
        assert_eq!(letter.origin_timestamp_ms, Some(0x1A2_0000_0000));
        assert_eq!(letter.attempts, Some(3));
        assert_eq!(letter.exception_message.as_deref(), Some("try again"));
        assert_eq!(letter.consumer_group.as_deref(), Some("payment-service"));
    });
}

#[test]
fn a_key_that_spring_could_not_read_is_the_error_unless_the_value_could_not_be_read_either() {
    for (dlt, exception) in [("kafka_dlt-", "kafka_dlt-exception-"), ("kafka_", "kafka_exception-")]
    {
        let topic = format!("{dlt}original-topic");
        let names = |kind: &str| format!("{dlt}{kind}exception-fqcn");
        let [key_class, message] = [names("key-"), format!("{dlt}key-exception-message")];
        let trace = format!("{dlt}key-exception-stacktrace");
        let value_class = format!("{exception}fqcn");
        let headers: [Pair<'_>; 5] = [
            (&key_class, b"org.example.KeyException"),
            (&message, b"no key"),
            (&trace, b"at Key"),
            (&value_class, b"org.example.ValueException"),
            (&topic, b"orders.events"),
        ];
        with_letter("t-dlt", &headers, |letter| {
            let class = letter.exception_class.as_deref();
            assert_eq!(class, Some("org.example.ValueException"));
            assert_eq!(letter.exception_message, None);
        });
        let key_alone = [headers[0], headers[1], headers[2], headers[4]];
        with_letter("t-dlt", &key_alone, |letter| {
            assert_eq!(letter.exception_class.as_deref(), Some("org.example.KeyException"));
            assert_eq!(letter.exception_message.as_deref(), Some("no key"));
            assert_eq!(letter.stack_trace.as_deref(), Some("at Key"));
            assert_eq!(letter.origin_topic.as_deref(), Some("orders.events"));
        });
    }
}

const SPRING_CLOUD_STREAM: [Pair<'_>; 8] = [
    ("x-original-topic", b"orders.events"),
    ("x-original-partition", &[0, 0, 0, 2]),
    ("x-original-offset", &[0, 0, 0, 0, 0, 0, 0, 41]),
    ("x-original-timestamp", &[0, 0, 1, 0xA2, 0, 0, 0, 0]),
    ("x-original-timestamp-type", b"CreateTime"),
    ("x-exception-fqcn", b"org.springframework.messaging.MessageHandlingException"),
    ("x-exception-message", b"/ by zero"),
    ("x-exception-stacktrace", b"at demo.Sink"),
];

#[test]
fn spring_cloud_stream_names_the_group_in_the_topic_alone() {
    with_letter("error.orders.events.billing.eu", &SPRING_CLOUD_STREAM, |letter| {
        let expected = DeadLetter {
            origin_topic: Some("orders.events".into()),
            origin_source: OriginSource::Header,
            origin_partition: Some(2),
            origin_offset: Some(41),
            origin_timestamp_ms: Some(0x1A2_0000_0000),
            consumer_group: Some("billing.eu".into()),
            exception_class: Some("org.springframework.messaging.MessageHandlingException".into()),
            exception_message: Some("/ by zero".into()),
            stack_trace: Some("at demo.Sink".into()),
            attempts: None,
            family: Some(Family::SpringCloudStream),
        };
        assert_eq!(letter, expected);
    });
    for topic in ["orders-events-billing-dlq", "error.orders.billing", "error.orders.events."] {
        with_letter(topic, &SPRING_CLOUD_STREAM, |letter| {
            assert_eq!(letter.origin_topic.as_deref(), Some("orders.events"), "{topic}");
            assert_eq!(letter.consumer_group, None, "{topic}");
        });
    }
}

#[test]
fn only_the_value_that_does_not_fit_is_cut_and_marked() {
    let (long, name) = ("x".repeat(6_000), "y".repeat(2_000));
    let headers: [Pair<'_>; 6] = [
        ("kafka_dlt-original-topic", b"orders.events"),
        ("kafka_dlt-original-partition", &[0, 0, 0, 2]),
        ("kafka_dlt-original-consumer-group", name.as_bytes()),
        ("kafka_dlt-exception-fqcn", long.as_bytes()),
        ("kafka_dlt-exception-message", long.as_bytes()),
        ("kafka_dlt-exception-stacktrace", long.as_bytes()),
    ];
    with_letter("orders.events-dlt", &headers, |letter| {
        assert_eq!(letter.origin_topic.as_deref(), Some("orders.events"));
        assert_eq!(letter.origin_partition, Some(2));
        let class = format!("{}… (6000 bytes)", &long[..1_000]);
        assert_eq!(letter.exception_class.as_deref(), Some(class.as_str()));
        let group = format!("{}… (2000 bytes)", &name[..1_000]);
        assert_eq!(letter.consumer_group.as_deref(), Some(group.as_str()));
        assert_eq!(letter.exception_message.as_deref(), Some(long.as_str()));
        assert_eq!(letter.stack_trace.as_deref(), Some(long.as_str()));
    });
    with_letter("t-dlt", &[("kafka_dlt-original-topic", long.as_bytes())], |letter| {
        let topic = format!("{}… (6000 bytes)", &long[..249]);
        assert_eq!(letter.origin_topic.as_deref(), Some(topic.as_str()));
    });
}

#[test]
fn words_in_quotes_are_read_and_messages_stay_as_they_came() {
    let headers: [Pair<'_>; 4] = [
        ("x-original-topic", b"\"orders.events\""),
        ("x-original-partition", b"\"3\""),
        ("x-exception-fqcn", b"\"java.lang.IllegalStateException\""),
        ("x-exception-message", b"\"EUR\""),
    ];
    with_letter("error.orders.events.billing", &headers, |letter| {
        assert_eq!(letter.origin_topic.as_deref(), Some("orders.events"));
        assert_eq!(letter.origin_partition, Some(3));
        assert_eq!(letter.consumer_group.as_deref(), Some("billing"));
        assert_eq!(letter.exception_class.as_deref(), Some("java.lang.IllegalStateException"));
        assert_eq!(letter.exception_message.as_deref(), Some("\"EUR\""));
    });
}

#[test]
fn a_header_without_a_name_is_no_family_s() {
    let headers: [Pair<'_>; 2] = [("__streams.errors.message", b"no"), ("", b"a group?")];
    with_letter("streams-dlq", &headers, |letter| assert_eq!(letter.consumer_group, None));
}

#[test]
fn connect_writes_decimal_text_and_names_the_connector() {
    let headers: [Pair<'_>; 7] = [
        ("__connect.errors.topic", b"orders.events"),
        ("__connect.errors.partition", b"3"),
        ("__connect.errors.offset", b"42"),
        ("__connect.errors.connector.name", b"jdbc-sink"),
        ("__connect.errors.exception.class.name", b"org.apache.kafka.connect.errors.DataException"),
        ("__connect.errors.exception.message", b"bad schema"),
        ("__connect.errors.exception.stacktrace", b"at X"),
    ];
    with_letter("sink-failures", &headers, |letter| {
        assert_eq!(letter.family, Some(Family::Connect));
        assert_eq!((letter.origin_partition, letter.origin_offset), (Some(3), Some(42)));
        assert_eq!(letter.consumer_group.as_deref(), Some("connect-jdbc-sink"));
        assert_eq!(
            letter.exception_class.as_deref(),
            Some("org.apache.kafka.connect.errors.DataException")
        );
        assert_eq!(letter.stack_trace.as_deref(), Some("at X"));
    });
}

#[test]
fn streams_writes_class_and_message_together() {
    let headers: [Pair<'_>; 6] = [
        ("__streams.errors.exception", b"org.acme.BadEvent: no amount: null"),
        ("__streams.errors.message", b"no amount: null"),
        ("__streams.errors.stacktrace", b"at Y"),
        ("__streams.errors.topic", b"orders.events"),
        ("__streams.errors.partition", b"0"),
        ("__streams.errors.offset", b"17"),
    ];
    with_letter("streams-dlq", &headers, |letter| {
        assert_eq!(letter.family, Some(Family::Streams));
        assert_eq!(letter.exception_class.as_deref(), Some("org.acme.BadEvent"));
        assert_eq!(letter.exception_message.as_deref(), Some("no amount: null"));
        assert_eq!((letter.origin_partition, letter.origin_offset), (Some(0), Some(17)));
    });
}

#[test]
fn smallrye_puts_the_latest_hop_first() {
    let headers: [Pair<'_>; 8] = [
        ("dead-letter-exception-class-name", b"second.Exception"),
        ("dead-letter-reason", b"second"),
        ("dead-letter-topic", b"dead-letter-topic-orders"),
        ("dead-letter-partition", b"0"),
        ("dead-letter-exception-class-name", b"first.Exception"),
        ("dead-letter-reason", b"first"),
        ("dead-letter-topic", b"orders.events"),
        ("dead-letter-partition", b"4"),
    ];
    with_letter("dead-letter-topic-retry", &headers, |letter| {
        assert_eq!(letter.family, Some(Family::SmallRye));
        assert_eq!(letter.origin_topic.as_deref(), Some("orders.events"));
        assert_eq!(letter.origin_partition, Some(4));
        assert_eq!(letter.exception_class.as_deref(), Some("second.Exception"));
        assert_eq!(letter.exception_message.as_deref(), Some("second"));
    });
}

#[test]
fn broken_values_give_nothing_and_never_another_hop_s() {
    let headers: [Pair<'_>; 6] = [
        ("kafka_dlt-original-topic", b"orders.events"),
        ("kafka_dlt-original-partition", &[0, 0, 1]),
        ("kafka_dlt-original-offset", &[0xFF; 8]),
        ("kafka_dlt-original-timestamp", b""),
        ("kafka_dlt-original-partition", &[0, 0, 0, 1]),
        ("kafka_dlt-exception-message", b"\xffbroken\0"),
    ];
    with_letter("orders.events-dlt", &headers, |letter| {
        assert_eq!(letter.origin_topic.as_deref(), Some("orders.events"));
        assert_eq!(
            (letter.origin_partition, letter.origin_offset, letter.origin_timestamp_ms),
            (None, None, None)
        );
        assert_eq!(letter.exception_message.as_deref(), Some("\u{FFFD}broken\u{FFFD}"));
    });
}

#[test]
fn a_hop_without_a_message_does_not_get_the_message_of_another() {
    let second: [Pair<'_>; 1] = [("kafka_dlt-exception-fqcn", b"second.Exception")];
    with_letter("t-dlt", &[&SPRING[..], &second].concat(), |letter| {
        assert_eq!(letter.exception_class.as_deref(), Some("second.Exception"));
        assert_eq!((letter.exception_message, letter.stack_trace), (None, None));
    });
}

#[test]
fn without_headers_only_the_ending_of_the_topic_suggests_the_origin() {
    for (topic, origin_topic) in [
        ("orders.events-dlt", Some("orders.events")),
        ("orders.events.DLT", Some("orders.events")),
        ("orders-dlq", Some("orders")),
        ("orders.dlq", Some("orders")),
        ("orders.events-retry-0-dlt", None),
        ("orders.events-retry-dlt", None),
        ("dead-letter-topic-orders", None),
        ("error.orders.billing", None),
        ("-dlt", None),
    ] {
        with_letter(topic, &[], |letter| {
            assert_eq!(letter.origin_topic.as_deref(), origin_topic, "{topic}");
            let expected =
                if origin_topic.is_some() { OriginSource::Suffix } else { OriginSource::Unknown };
            assert_eq!(letter.origin_source, expected, "{topic}");
        });
    }
}

#[test]
fn error_headers_are_told_from_the_producer_s_own() {
    for (name, _) in SPRING.into_iter().chain(SPRING_CLOUD_STREAM) {
        assert!(is_error_header(name.as_bytes()), "{name}");
    }
    for name in [
        "kafka_exception-fqcn",
        "kafka_original-topic",
        "retry_topic-attempts",
        "__connect.errors.stage",
        "__streams.errors.offset",
        "dead-letter-cause",
        "springDeserializerExceptionValue",
    ] {
        assert!(is_error_header(name.as_bytes()), "{name}");
    }
    for name in [
        "traceparent",
        "ce_id",
        "kafka_correlationId",
        "dead-letter-policy",
        "x-original-uri",
        "audit-replay-id",
        "",
        "__TypeId__",
    ] {
        assert!(!is_error_header(name.as_bytes()), "{name}");
    }
}

#[test]
fn a_class_is_known_without_its_package() {
    for (class, short) in [
        ("java.net.SocketTimeoutException", "SocketTimeoutException"),
        ("com.example.Outer$Inner", "Inner"),
        ("payment_sim::payments::UnsupportedCurrency", "UnsupportedCurrency"),
        ("Timeout", "Timeout"),
        ("odd.", "odd."),
        ("", ""),
    ] {
        assert_eq!(short_class(class), short);
    }
    assert_eq!(
        error_line(Some("a.B"), Some("no answer"), Some("billing")),
        "B: no answer (billing)"
    );
    assert_eq!(error_line(None, None, None), "");
    assert_eq!(error_line(Some(""), Some("no answer"), None), "no answer");
    assert_eq!(error_line(Some("a.B"), Some(""), None), "B");
    assert_eq!(error_line(None, Some(""), Some("billing")), "(billing)");
}
