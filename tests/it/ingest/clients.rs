//! What clients write by default, found again by what people know of it.

use sandbox::Sandbox;

use crate::support::{Audit, Database, Producer, capture};

#[test]
fn an_aggregate_is_found_by_its_id_whichever_client_wrote_it() {
    let scope = Sandbox::shared().scope("clients_ids");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let producer = Producer::new(scope.brokers());
    let keys = [
        "order-4711",
        "\"order-4711\"",
        "{\"id\":\"order-4711\"}",
        "{\"schema\":{\"type\":\"string\",\"optional\":false},\"payload\":\"order-4711\"}",
        "\0\0\0\0\u{7}\"order-4711\"",
    ];
    for key in keys {
        producer.send(&topic, Some(0), Some(key.as_bytes()), Some(b"{\"a\":1}"), &[]);
    }
    producer.send(&topic, Some(0), Some(b"order-4712"), Some(b"{\"a\":1}"), &[]);
    producer.flush();
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    for typed in ["order-4711", "\"order-4711\"", "{\"id\":\"order-4711\"}"] {
        // A comma would part two values, and there is none in these.
        let count = audit.succeed(&["query", "--aggregate", typed, "--count"]);
        assert_eq!(count.trim(), keys.len().to_string(), "{typed}");
    }
    let database = Database::open(&audit.database_url);
    let texts = database.rows(
        "SELECT DISTINCT coalesce(attributes #>> '{original,aggregate_id}', attributes ->> 'key')
           FROM event_logs WHERE kafka_offset < 5",
    );
    assert_eq!(texts, [["order-4711"]], "the id as people know it can be read from each row");
}

#[test]
fn values_that_no_index_holds_are_cut_and_the_other_dead_letters_keep_their_origin() {
    let scope = Sandbox::shared().scope("clients_long");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events-dlt", 1));
    let producer = Producer::new(scope.brokers());
    // Random text, which PostgreSQL cannot compress into its index.
    let mut state = 1_u32;
    let long: String = (0..60_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'!' + (state >> 16) as u8 % 90)
        })
        .collect();
    let names = [
        "kafka_dlt-original-topic",
        "kafka_dlt-original-consumer-group",
        "kafka_dlt-exception-fqcn",
        "kafka_dlt-exception-message",
        "kafka_dlt-exception-stacktrace",
    ];
    let broken = [long.as_bytes(), b"\0\xff"].concat();
    for which in 0..=names.len() {
        let value = |index: usize| if index == which { broken.as_slice() } else { b"short" };
        let headers: Vec<_> =
            names.iter().enumerate().map(|(index, name)| (*name, Some(value(index)))).collect();
        producer.send(&topic, Some(0), Some(b"k"), Some(b"{}"), &headers);
    }
    producer.flush();
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    let database = Database::open(&audit.database_url);
    let lengths = database.rows(
        "SELECT length(origin_topic), length(consumer_group), length(exception_class),
                length(exception_message), length(stack_trace)
           FROM dead_letters ORDER BY event_log_id",
    );
    // 249 and 1,000 bytes, and `… (60006 bytes)`: NUL and what is not UTF-8 are replaced before.
    let expected = [
        ["264", "5", "5", "5", "5"],
        ["5", "1015", "5", "5", "5"],
        ["5", "5", "1015", "5", "5"],
        ["5", "5", "5", "60002", "5"],
        ["5", "5", "5", "5", "60002"],
        ["5", "5", "5", "5", "5"],
    ];
    assert_eq!(lengths, expected);
    assert_eq!(database.number("SELECT count(*) FROM event_logs"), expected.len() as i64);
}

#[test]
fn a_dead_letter_of_spring_cloud_stream_goes_back_without_its_error_headers() {
    let scope = Sandbox::shared().scope("clients_cloud_stream");
    let audit = Audit::migrated(&scope);
    let origin = scope.create_topic("orders.events", 3);
    let topic = scope.create_topic("orders-events-billing-dlq", 1);
    let producer = Producer::new(scope.brokers());
    let headers: [(&str, Option<&[u8]>); 9] = [
        ("contentType", Some(b"application/json")),
        ("x-original-topic", Some(origin.as_bytes())),
        ("x-original-partition", Some(&[0, 0, 0, 2])),
        ("x-original-offset", Some(&[0, 0, 0, 0, 0, 0, 0, 41])),
        ("x-original-timestamp", Some(&[0, 0, 1, 0xA2, 2, 0xB2, 0xC5, 0])),
        ("x-original-timestamp-type", Some(b"CreateTime")),
        ("x-exception-fqcn", Some(b"java.lang.ArithmeticException")),
        ("x-exception-message", Some(b"/ by zero")),
        ("x-exception-stacktrace", Some(b"at demo.Sink")),
    ];
    producer.send(&topic, Some(0), Some(b"k"), Some(b"{\"a\":1}"), &headers);
    producer.flush();
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    let database = Database::open(&audit.database_url);
    let rows = database.rows(
        "SELECT origin_topic, origin_partition, origin_offset, exception_class FROM dead_letters",
    );
    assert_eq!(rows, [[origin.as_str(), "2", "41", "java.lang.ArithmeticException"]]);
    audit.succeed(&["replay-dlt", "--yes"]);
    let replayed = capture(scope.brokers(), &origin);
    let [record] = replayed.as_slice() else { panic!("{} records", replayed.len()) };
    let names: Vec<_> =
        record.headers.iter().map(|(name, _)| String::from_utf8_lossy(name)).collect();
    assert_eq!(names, ["contentType", "audit-replay-id", "audit-replay-attempt"]);
    assert_eq!(record.value.as_deref(), Some(&b"{\"a\":1}"[..]));
}
