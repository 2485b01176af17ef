//! What becomes of records, and how the ingester behaves at the edges.

use std::time::Duration;

use sandbox::Sandbox;

use crate::support::{Audit, Database, Oracle, Producer, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn every_record_becomes_one_row_whatever_it_contains() {
    let scope = Sandbox::shared().scope("every_record");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let producer = Producer::new(scope.brokers());
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let large =
        format!(r#"{{"event_type":"Large","payload":{{"text":"{}"}}}}"#, "x".repeat(900_000));
    let values: [Option<&[u8]>; 9] = [
        Some(b"garbage"),
        Some(b""),
        None,
        Some(br#"{"event_type":"Nul","payload":{"a":"\u0000"}}"#),
        Some(br#"{"event_type":"Huge","payload":{"a":1e200000}}"#),
        Some(b"\xff\xfe{\x00"),
        Some(deep.as_bytes()),
        Some(large.as_bytes()),
        Some(br#"{"event_type":"Last","payload":{}}"#),
    ];
    for value in values {
        producer.send(
            &topic,
            Some(0),
            Some(b"key"),
            value,
            &[("h", Some(b"1")), ("h", None), ("b", Some(b"\xff"))],
        );
    }
    producer.flush();
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    let database = Database::open(&audit.database_url);
    let types: Vec<_> = database
        .rows("SELECT event_type FROM event_logs ORDER BY kafka_offset")
        .into_iter()
        .flatten()
        .collect();
    let q = "audit.Quarantined";
    assert_eq!(types, [q, q, "audit.Tombstone", q, q, q, q, "Large", "Last"]);
    let headers = database.value("SELECT DISTINCT attributes -> 'headers' FROM event_logs");
    assert_eq!(headers, r#"[["h", "1"], ["h", null], ["b", {"base64": "/w=="}]]"#);
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
}

#[test]
fn a_row_that_only_postgresql_refuses_is_quarantined_alone() {
    let scope = Sandbox::shared().scope("refused_by_database");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    Producer::new(scope.brokers()).native_events(&topic, 0..3000);
    let database = Database::open(&audit.database_url);
    // Stands for whatever a later PostgreSQL may refuse.
    database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF NEW.event_type <> 'audit.Quarantined' AND (NEW.payload ->> 'number')::int IN (7, 8, 2500) THEN
                 RAISE EXCEPTION 'not this one' USING ERRCODE = '22023';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON event_logs_000000 FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    assert_eq!(database.event_count(), 3000);
    let quarantined = database.rows(
        "SELECT kafka_offset, payload ->> 'reason', payload ->> 'detail' FROM event_logs
          WHERE event_type = 'audit.Quarantined' ORDER BY kafka_offset",
    );
    let expected: Vec<Vec<String>> = ["7", "8", "2500"]
        .map(|offset| {
            [offset, "refused_by_database", "not this one [SQLSTATE 22023]"]
                .map(str::to_owned)
                .to_vec()
        })
        .to_vec();
    assert_eq!(quarantined, expected);
}

#[test]
fn transaction_markers_and_aborted_records_are_declared_holes() {
    let scope = Sandbox::shared().scope("transactions");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let producer = Producer::transactional(scope.brokers(), &topic);
    producer.begin();
    producer.native_events(&topic, 0..10);
    producer.commit();
    producer.begin();
    producer.native_events(&topic, 10..15);
    producer.abort();
    // Ends only when the markers behind the last record are accounted for too.
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    let database = Database::open(&audit.database_url);
    assert_eq!(database.event_count(), 10);
    assert_eq!(database.number("SELECT next_offset FROM kafka_partitions"), 17);
    assert_eq!(
        database.number("SELECT sum(next_offset - first_offset) FROM ingest_batch_ranges"),
        17
    );
    assert_eq!(database.number("SELECT count(*) FROM ingest_batch_ranges WHERE kind = 'lost'"), 0);
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
}

#[test]
fn offsets_that_kafka_deleted_before_they_were_read_are_declared_lost() {
    let scope = Sandbox::shared().scope("lost_range");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let producer = Producer::new(scope.brokers());
    producer.native_events(&topic, 0..100);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    producer.native_events(&topic, 100..300);
    assert!(Sandbox::shared().kafka().delete_records(&topic, 0, 250).is_ok());
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    let database = Database::open(&audit.database_url);
    assert_eq!(database.event_count(), 150);
    let lost = database.rows(
        "SELECT first_offset, ranges.next_offset, ranges.row_count, batches.row_count, first_id
           FROM ingest_batch_ranges ranges JOIN ingest_batches batches USING (batch_no) WHERE kind = 'lost'",
    );
    assert_eq!(lost, [["100", "250", "0", "0", "∅"]]);
}

#[test]
fn a_block_of_ids_never_crosses_a_leaf_and_the_next_leaf_is_made_ahead() {
    let scope = Sandbox::shared().scope("leaf_boundary");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    let database = Database::open(&audit.database_url);
    database.execute("SELECT setval('event_logs_id_seq', 2097152 - 1500)");
    Producer::new(scope.brokers()).native_events(&topic, 0..5000);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic, "--batch-rows", "1000"]);
    assert_eq!(
        database.number(
            "SELECT count(*) FROM ingest_batches WHERE first_id / 2097152 <> last_id / 2097152"
        ),
        0
    );
    assert!(database.number("SELECT count(*) FROM event_logs_000000") >= 1000);
    assert!(database.number("SELECT count(*) FROM event_logs_000001") >= 3000);
    assert_eq!(database.number("SELECT count(*) FROM event_logs_000002"), 0);
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
}

#[test]
fn hand_written_inserts_get_ids_of_their_own_while_batches_are_written() {
    let scope = Sandbox::shared().scope("hand_written");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    Producer::new(scope.brokers()).native_events(&topic, 0..20_000);
    let mut ingester =
        audit.start(&["ingest", "--until-end", "--topics", &topic, "--batch-rows", "200"]);
    let database = Database::open(&audit.database_url);
    let mut inserted = 0;
    while database.number("SELECT coalesce(sum(next_offset), 0) FROM kafka_partitions") < 20_000 {
        database.execute("INSERT INTO event_logs (event_id, event_type, payload) VALUES (gen_random_uuid(), 'Manual', '{}')");
        inserted += 1;
    }
    ingester.succeed(LIMIT);
    assert!(inserted > 100, "only {inserted} rows were inserted meanwhile");
    assert_eq!(database.event_count(), 20_000 + inserted);
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
}

#[test]
fn dead_letters_keep_key_value_and_headers_byte_for_byte() {
    let scope = Sandbox::shared().scope("dead_letters");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events-dlt", 1));
    let producer = Producer::new(scope.brokers());
    let headers: [(&str, Option<&[u8]>); 7] = [
        ("kafka_dlt-original-topic", Some(b"orders.events")),
        ("kafka_dlt-original-partition", Some(&[0, 0, 0, 2])),
        ("kafka_dlt-original-offset", Some(&[0, 0, 0, 0, 0, 0, 1, 0])),
        ("kafka_dlt-exception-fqcn", Some(b"java.lang.IllegalStateException")),
        ("trace", Some(b"first")),
        ("trace", None),
        ("trace", Some(b"\xff\x00")),
    ];
    producer.send(&topic, Some(0), Some(b"\x00key\xff"), Some(b"\x00\x01 no JSON \xff"), &headers);
    producer.flush();
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    let database = Database::open(&audit.database_url);
    let row = database.rows(
        "SELECT encode(key, 'hex'), encode(value, 'hex'), origin_topic, origin_partition, origin_offset, exception_class,
                (SELECT string_agg(header ->> 'name' || '=' || coalesce(encode(decode(header ->> 'value_base64', 'base64'), 'hex'), 'null'), ' ')
                   FROM jsonb_array_elements(headers) AS header WHERE header ->> 'name' = 'trace'),
                is_dlt, event_type
           FROM dead_letters JOIN event_logs ON id = event_log_id",
    );
    let expected = [
        "006b6579ff",
        "0001206e6f204a534f4e20ff",
        "orders.events",
        "2",
        "256",
        "java.lang.IllegalStateException",
        "trace=6669727374 trace=null trace=ff00",
        "t",
        "audit.Quarantined",
    ];
    assert_eq!(row, [expected]);
}

#[test]
fn a_topic_that_does_not_exist_yet_is_waited_for_but_not_until_the_end() {
    let scope = Sandbox::shared().scope("late_topic");
    let (audit, topic) = (Audit::migrated(&scope), scope.topic("orders.events"));
    let output = audit.run(&["ingest", "--until-end", "--topics", &topic]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("does not exist"));
    let mut ingester = audit.start(&["ingest", "--topics", &topic]);
    wait_until("it says that it waits", LIMIT, || ingester.log().contains("does not exist yet"));
    scope.create_topic("orders.events", 1);
    Producer::new(scope.brokers()).native_events(&topic, 0..10);
    let database = Database::open(&audit.database_url);
    wait_until("the late topic is recorded", LIMIT, || database.event_count() == 10);
    ingester.stop();
}

#[test]
fn a_broker_that_is_not_there_is_named_with_the_next_step() {
    let scope = Sandbox::shared().scope("no_broker");
    let mut audit = Audit::migrated(&scope);
    audit.brokers = "127.0.0.1:9".to_owned();
    let mut waiting = audit.start(&["ingest"]);
    wait_until("it says that it waits", LIMIT, || {
        waiting.log().contains("no Kafka broker answers at 127.0.0.1:9")
    });
    waiting.stop();
}

#[test]
fn the_log_can_be_json_line_by_line() {
    let scope = Sandbox::shared().scope("json_log");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    Producer::new(scope.brokers()).native_events(&topic, 0..10);
    let output = audit.run(&["ingest", "--until-end", "--topics", &topic, "--log-format", "json"]);
    assert!(output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<serde_json::Value> =
        stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(lines.len(), stderr.lines().count(), "{stderr}");
    assert!(lines.iter().any(|line| line["message"] == "ended" && line["rows"] == 10), "{stderr}");
}

#[test]
fn until_end_that_is_stopped_while_kafka_is_away_does_not_count_as_done() {
    let scope = Sandbox::shared().scope("until_end_away");
    let audit = Audit::migrated(&scope);
    // Nobody listens there.
    let nowhere = ["--brokers", "127.0.0.1:1"];
    for (arguments, code) in [(&["ingest", "--until-end"][..], 130), (&["ingest"], 0)] {
        let mut ingest = audit.start(&[arguments, &nowhere].concat());
        wait_until("it waits", Duration::from_secs(20), || {
            ingest.log().contains("waiting for Kafka")
        });
        ingest.signal("TERM");
        let status = ingest.wait(Duration::from_secs(20));
        assert_eq!(status.code(), Some(code), "{}", ingest.log());
    }
}
