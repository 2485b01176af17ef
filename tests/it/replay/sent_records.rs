//! What is sent is what died, byte for byte, in the right place.

use sandbox::Sandbox;

use super::{Header, World};
use crate::support::{Captured, CapturedHeader, capture};

/// Headers of the producer's own, of every kind.
const OWN: [Header<'_>; 6] = [
    ("trace", Some(b"first")),
    ("trace", None),
    ("trace", Some(b"\xff\x00")),
    ("empty", Some(b"")),
    ("Ümläut", Some(b"\xc3\xbc")),
    ("kafka_offset", Some(b"looks alike")),
];

/// A family of error headers around the own ones; `{topic}` stands for the origin.
struct Family {
    name: &'static str,
    before: &'static [Header<'static>],
    behind: &'static [Header<'static>],
}

const ORIGIN: Bytes = Some(b"{topic}");

const FAMILIES: [Family; 6] = [
    Family {
        name: "spring",
        before: &[],
        behind: &[
            ("kafka_dlt-exception-fqcn", Some(b"java.lang.IllegalStateException")),
            ("kafka_dlt-exception-cause-fqcn", None),
            ("kafka_dlt-exception-message", Some(b"\xff")),
            ("kafka_dlt-exception-stacktrace", Some(b"at A.b")),
            ("kafka_dlt-key-exception-message", Some(b"key")),
            ("kafka_dlt-original-topic", ORIGIN),
            ("kafka_dlt-original-partition", Some(&[0, 0, 0, 1])),
            ("kafka_dlt-original-offset", Some(&[0, 0, 0, 0, 0, 0, 0, 7])),
            ("kafka_dlt-original-timestamp", Some(&[0, 0, 1, 0xA2, 0, 0, 0, 0])),
            ("kafka_dlt-original-timestamp-type", Some(b"CreateTime")),
            ("kafka_dlt-original-consumer-group", Some(b"payment-service")),
            // A second hop.
            ("kafka_dlt-original-topic", Some(b"orders.events-repair")),
            ("kafka_dlt-exception-fqcn", Some(b"java.lang.Error")),
        ],
    },
    Family {
        name: "spring retry topics",
        before: &[],
        behind: &[
            ("retry_topic-attempts", Some(&[0, 0, 0, 3])),
            ("retry_topic-original-timestamp", Some(&[1, 0xA2, 0, 0, 0, 0])),
            ("retry_topic-backoff-timestamp", Some(&[1, 0xA2, 0, 0, 0, 9])),
            ("kafka_original-topic", ORIGIN),
            ("kafka_original-partition", Some(&[0, 0, 0, 1])),
            ("kafka_exception-fqcn", Some(b"java.lang.IllegalStateException")),
        ],
    },
    Family {
        name: "connect",
        before: &[],
        behind: &[
            ("__connect.errors.topic", ORIGIN),
            ("__connect.errors.partition", Some(b"1")),
            ("__connect.errors.offset", Some(b"7")),
            ("__connect.errors.connector.name", Some(b"sink")),
            ("__connect.errors.task.id", Some(b"0")),
            ("__connect.errors.stage", Some(b"VALUE_CONVERTER")),
            ("__connect.errors.class.name", Some(b"org.example.Converter")),
            ("__connect.errors.exception.class.name", Some(b"org.example.DataException")),
            ("__connect.errors.exception.message", None),
            ("__connect.errors.exception.stacktrace", Some(b"at A.b")),
        ],
    },
    Family {
        name: "streams",
        before: &[],
        behind: &[
            ("__streams.errors.topic", ORIGIN),
            ("__streams.errors.partition", Some(b"1")),
            ("__streams.errors.offset", Some(b"7")),
            ("__streams.errors.exception", Some(b"java.lang.RuntimeException: no")),
            ("__streams.errors.stacktrace", Some(b"at A.b")),
            ("__streams.errors.message", Some(b"no")),
        ],
    },
    Family {
        name: "smallrye",
        before: &[
            ("dead-letter-reason", Some(b"no")),
            ("dead-letter-cause", Some(b"cause")),
            ("dead-letter-topic", ORIGIN),
            ("dead-letter-partition", Some(b"1")),
            ("dead-letter-offset", Some(b"7")),
        ],
        behind: &[],
    },
    Family { name: "the topic's name alone", before: &[], behind: &[] },
];

/// Null, or bytes.
type Bytes = Option<&'static [u8]>;

/// Keys and values of every kind, one of each for every family.
const CONTENTS: [(Bytes, Bytes); 4] = [
    (Some(b"foobar"), Some(b"{\"a\": 1,  \"a\": 2}")),
    (None, Some(b"\x00\x01 no JSON \xff")),
    (Some(b"\x00\xff"), None),
    (Some(b""), Some(b"")),
];

#[test]
fn every_family_of_headers_returns_to_its_origin_byte_for_byte() {
    let scope = Sandbox::shared().scope("replay_families");
    let world = World::new(&scope, 4);
    for family in &FAMILIES {
        for (key, value) in CONTENTS {
            let topic = Some(world.topic.as_bytes());
            let headers: Vec<Header<'_>> = [("family", Some(family.name.as_bytes()))]
                .into_iter()
                .chain(family.before.iter().copied())
                .chain(OWN)
                .chain(family.behind.iter().copied())
                .map(|(name, value)| (name, if value == ORIGIN { topic } else { value }))
                .collect();
            world.producer.send(&world.dlt, None, key, value, &headers);
        }
    }
    world.producer.flush();
    world.ingest();
    world.replay_all(&[]);

    let records = capture(scope.brokers(), &world.topic);
    assert_eq!(records.len(), FAMILIES.len() * CONTENTS.len());
    for family in &FAMILIES {
        let of_family: Vec<&Captured> = records
            .iter()
            .filter(|record| record.header("family").as_deref() == Some(family.name))
            .collect();
        for (key, value) in CONTENTS {
            let same = |record: &&&Captured| {
                (record.key.as_deref(), record.value.as_deref()) == (key, value)
            };
            let found: Vec<_> = of_family.iter().filter(same).collect();
            assert_eq!(found.len(), 1, "{}: {key:?} {value:?} of {of_family:?}", family.name);
            assert_eq!(
                found[0].headers,
                expected_headers(&world, family, found[0]),
                "{}",
                family.name
            );
        }
    }
    let places = world.database.rows("SELECT state, count(*) FROM dlt_replays GROUP BY state");
    assert_eq!(places, [["sent".to_owned(), records.len().to_string()]]);
}

/// The own headers in their order, and the marks of the replay that the ledger has for this place.
fn expected_headers(world: &World<'_>, family: &Family, record: &Captured) -> Vec<CapturedHeader> {
    let replay_id = world.database.value(&format!(
        "SELECT replay_id FROM dlt_replays WHERE target_topic = '{}' AND new_partition = {} AND new_offset = {}",
        world.topic, record.partition, record.offset
    ));
    let header = |(name, value): Header<'_>| (name.as_bytes().to_vec(), value.map(<[u8]>::to_vec));
    [("family", Some(family.name.as_bytes()))]
        .into_iter()
        .chain(OWN)
        .chain([
            ("audit-replay-id", Some(replay_id.as_bytes())),
            ("audit-replay-attempt", Some(b"1")),
        ])
        .map(header)
        .collect()
}

#[test]
fn names_of_headers_that_are_no_utf_8_are_sent_as_they_came() {
    let scope = Sandbox::shared().scope("replay_names");
    let world = World::new(&scope, 1);
    // rdkafka's own producer takes no such name.
    let runtime = tokio::runtime::Runtime::new().unwrap_or_else(|error| panic!("{error}"));
    runtime.block_on(async {
        let settings = audit::kafka::Settings::new(scope.brokers(), &[])
            .unwrap_or_else(|error| panic!("{error}"));
        let producer =
            audit::kafka::Producer::new(&settings).unwrap_or_else(|error| panic!("{error}"));
        let headers = [
            audit::event::Header { name: b"\xff\xfe", value: Some(b"1") },
            audit::event::Header { name: b"", value: None },
        ];
        let record = audit::kafka::OutgoingRecord {
            topic: &world.dlt,
            partition: Some(0),
            timestamp_ms: 1_795_341_600_000,
            key: None,
            value: Some(b"value"),
            headers: &headers,
        };
        let delivery = producer.send(&record).await;
        assert!(
            matches!(delivery, audit::kafka::Delivery::Delivered(position) if position.partition == 0),
            "{delivery:?}"
        );
    });
    world.ingest();
    world.replay_all(&[]);
    let records = capture(scope.brokers(), &world.topic);
    assert_eq!(records.len(), 1);
    assert_eq!(
        records[0].headers[..2],
        [(b"\xff\xfe".to_vec(), Some(b"1".to_vec())), (Vec::new(), None)]
    );
}

/// Source of the hashes: Apache Kafka, UtilsTest.testMurmur2 (foobar -790332482, abc 479470107, 21
/// -973932308).
#[test]
fn a_key_decides_the_partition_as_in_java_unless_the_same_partition_is_asked_for() {
    let scope = Sandbox::shared().scope("replay_partitions");
    let world = World::new(&scope, 4);
    let expected = [("foobar", 2), ("abc", 3), ("21", 0)];
    for (key, _) in expected {
        let mut headers = world.spring_headers(&[0; 8]);
        headers[1].1 = Some(&[0, 0, 0, 1]);
        world.producer.send(&world.dlt, Some(1), Some(key.as_bytes()), Some(b"{}"), &headers);
    }
    world.producer.flush();
    world.ingest();
    world.replay_all(&[]);
    for (key, partition) in expected {
        let records = capture(scope.brokers(), &world.topic);
        let of_key: Vec<i32> = records
            .iter()
            .filter(|record| record.key.as_deref() == Some(key.as_bytes()))
            .map(|record| record.partition)
            .collect();
        assert_eq!(of_key, [partition], "{key}");
    }
    world.replay_all(&["--again", "--same-partition"]);
    let again = capture(scope.brokers(), &world.topic)
        .into_iter()
        .filter(|record| record.header("audit-replay-attempt").as_deref() == Some("2"));
    assert_eq!(again.map(|record| record.partition).collect::<Vec<_>>(), [1, 1, 1]);
}
