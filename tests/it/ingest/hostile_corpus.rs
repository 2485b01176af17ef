//! Records that mean harm, through a real Kafka into a real PostgreSQL: each is exactly one row,
//! the good record right behind it is a good row, and the ingester neither stops nor loops.

use record_file::{Content, Record};
use sandbox::{Sandbox, Scope};

use super::fixtures_on_servers::stored_headers;
use crate::support::{Audit, Database, Hostile, Oracle, views_show_the_ids_that_the_program_shows};

/// Far times, long kept, large records.
const TOPIC_SETTINGS: [(&str, &str); 3] = [
    ("message.timestamp.after.max.ms", "9223372036854775807"),
    ("retention.ms", "-1"),
    ("max.message.bytes", "10485760"),
];

/// What must never reach a terminal.
const CONTROLS: [char; 5] = ['\x1b', '\x07', '\u{9b}', '\u{202e}', '\r'];

fn good(topic: &str, number: usize) -> Record {
    let value = format!(
        r#"{{"event_id":"00000000-0000-4000-8000-{number:012}","event_type":"Good","payload":{{"number":{number}}}}}"#
    );
    Record {
        topic: topic.to_owned(),
        partition: Some(0),
        offset: None,
        timestamp_ms: Some(1_795_341_601_000),
        key: Some(Content(b"good".to_vec())),
        headers: Vec::new(),
        value: Some(Content(value.into_bytes())),
    }
}

/// Hostile records at the even offsets, good ones at the odd.
fn send(
    scope: &Scope<'_>,
    name: &str,
    seed: u64,
    pairs: usize,
    limit: usize,
) -> (String, Vec<Record>) {
    let topic = scope.create_topic_with(name, 1, &TOPIC_SETTINGS);
    let mut hostile = Hostile::new(seed);
    let records: Vec<_> = (0..pairs)
        .flat_map(|number| [hostile.record(&topic, limit), good(&topic, number)])
        .collect();
    let placed =
        sandbox::produce(scope.brokers(), &records).unwrap_or_else(|error| panic!("{error}"));
    assert!(placed.iter().enumerate().all(|(index, placed)| placed.offset == index as i64));
    (topic, records)
}

fn every_good_record_is_a_good_row(database: &Database, topic: &str, pairs: usize) {
    let good = database.number(&format!(
        "SELECT count(*) FROM event_logs JOIN kafka_partitions USING (partition_id)
          WHERE topic = '{topic}' AND kafka_offset % 2 = 1 AND event_type = 'Good'
            AND (payload ->> 'number')::bigint = kafka_offset / 2
            AND event_id::text = '00000000-0000-4000-8000-' || lpad((kafka_offset / 2)::text, 12, '0')"
    ));
    assert_eq!(good, pairs as i64, "{topic}");
}

#[test]
fn thousands_of_hostile_records_are_one_row_each_with_a_good_one_behind() {
    const PAIRS: usize = 3_000;
    let scope = Sandbox::shared().scope("hostile");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let (topic, _) = send(&scope, "orders.events", 1, PAIRS, 1_000_000);
    let mut ingester = audit.start(&["ingest", "--until-end", "--topics", &topic]);
    ingester.succeed(std::time::Duration::from_secs(300));
    assert_eq!(database.event_count(), 2 * PAIRS as i64);
    every_good_record_is_a_good_row(&database, &topic, PAIRS);
    Oracle::read(&database, scope.brokers(), &[&topic]).approve_coverage();
    // The corpus reaches what it is meant to reach.
    assert!(database.number("SELECT count(DISTINCT payload ->> 'reason') FROM event_logs WHERE event_type = 'audit.Quarantined'") >= 15);
    assert!(
        database.number("SELECT count(*) FROM event_logs WHERE length(payload::text) > 500000") > 0
    );
    assert!(database.number("SELECT count(*) FROM event_logs WHERE event_type ~ '\x1b'") > 0);
    // Nothing was left for PostgreSQL to find: batches stay fast.
    assert_eq!(
        database.number(
            "SELECT count(*) FROM event_logs WHERE payload ->> 'reason' = 'refused_by_database'"
        ),
        0
    );
    views_show_the_ids_that_the_program_shows(&audit, &database);
}

#[test]
fn hostile_dead_letters_are_kept_byte_for_byte_and_reach_no_terminal_as_controls() {
    const PAIRS: usize = 1_000;
    let scope = Sandbox::shared().scope("hostile_letters");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let (topic, records) = send(&scope, "orders.events-dlt", 2, PAIRS, 50_000);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    every_good_record_is_a_good_row(&database, &topic, PAIRS);
    let rows = database.rows(
        "SELECT encode(key, 'hex'), encode(value, 'hex'), headers
           FROM dead_letters JOIN event_logs ON id = event_log_id ORDER BY kafka_offset",
    );
    assert_eq!(rows.len(), records.len());
    let hex = |content: &Option<Content>| {
        content.as_ref().map_or_else(
            || "∅".to_owned(),
            |content| content.0.iter().map(|byte| format!("{byte:02x}")).collect(),
        )
    };
    for (offset, (row, record)) in rows.iter().zip(&records).enumerate() {
        assert_eq!(row[0], hex(&record.key), "key at offset {offset}");
        assert_eq!(row[1], hex(&record.value), "value at offset {offset}");
        assert_eq!(stored_headers(&row[2]), record.headers, "headers at offset {offset}");
    }
    Oracle::read(&database, scope.brokers(), &[&topic]).approve_coverage();
    views_show_the_ids_that_the_program_shows(&audit, &database);
    for command in
        [&["query", "-n", "10000"][..], &["tail", "--no-follow", "-n", "10000", "-o", "table"]]
    {
        let shown = audit.succeed(command);
        assert!(shown.lines().count() >= 2 * PAIRS, "{command:?}");
        assert!(!shown.contains(CONTROLS), "{command:?}");
    }
}

#[test]
fn records_of_nine_megabytes_are_one_row_each_in_bounded_batches() {
    const PAIRS: usize = 24;
    let scope = Sandbox::shared().scope("hostile_large");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let topic = scope.create_topic_with("orders.events", 1, &TOPIC_SETTINGS);
    let sizes = [9_000_000, 1_000_000, 100];
    let records: Vec<_> = (0..PAIRS)
        .flat_map(|number| {
            let size = sizes[number % sizes.len()];
            let value = match number % 4 {
                0 => {
                    format!(
                        "{{\"event_type\":\"Large\",\"payload\":{{\"text\":\"{}\"}}}}",
                        "x".repeat(size)
                    )
                }
                1 => {
                    format!("{{\"event_type\":\"Large\",\"payload\":[{}0]}}", "0,".repeat(size / 2))
                }
                2 => "\u{1b}".repeat(size),
                _ => format!("{{\"event_type\":\"Large\",\"payload\":\"{}", "x".repeat(size)),
            };
            let large = Record { value: Some(Content(value.into_bytes())), ..good(&topic, number) };
            [large, good(&topic, number)]
        })
        .collect();
    sandbox::produce(scope.brokers(), &records).unwrap_or_else(|error| panic!("{error}"));
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    every_good_record_is_a_good_row(&database, &topic, PAIRS);
    assert_eq!(database.event_count(), 2 * PAIRS as i64);
    Oracle::read(&database, scope.brokers(), &[&topic]).approve_coverage();
}

#[test]
fn a_header_name_is_kept_up_to_a_nul_and_its_value_whole() {
    let scope = Sandbox::shared().scope("nul_in_header_name");
    let audit = Audit::migrated(&scope);
    let topic = scope.create_topic("orders.events", 1);
    let headers = vec![(Content(b"na\0me".to_vec()), Some(Content(b"v\0".to_vec())))];
    let record = Record { headers, ..good(&topic, 0) };
    sandbox::produce(scope.brokers(), &[record]).unwrap_or_else(|error| panic!("{error}"));
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    let database = Database::open(&audit.database_url);
    // librdkafka tells no more of the name (docs/formats.md).
    let stored = database.value("SELECT attributes -> 'headers' FROM event_logs");
    assert_eq!(stored, r#"[["na", {"base64": "dgA="}]]"#);
}
