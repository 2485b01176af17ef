//! What PostgreSQL refuses because somebody added an index, a constraint, a trigger or a column.

use std::time::{Duration, Instant};

use sandbox::{Sandbox, Scope};

use crate::support::{Audit, Database, Producer, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// The types, reasons and details of quarantined rows, by offset.
const QUARANTINED: &str = "SELECT kafka_offset, payload ->> 'reason', payload ->> 'detail'
                             FROM event_logs WHERE event_type = 'audit.Quarantined' ORDER BY kafka_offset";

/// An audit, a topic of one partition, and a database to which somebody has added something.
struct World<'s> {
    audit: Audit,
    topic: String,
    database: Database,
    producer: Producer,
    _scope: &'s Scope<'s>,
}

impl<'s> World<'s> {
    fn new(scope: &'s Scope<'s>, topic: &str, added: &str) -> Self {
        let audit = Audit::migrated(scope);
        let database = Database::open(&audit.database_url);
        database.execute(added);
        Self {
            topic: scope.create_topic(topic, 1),
            producer: Producer::new(scope.brokers()),
            audit,
            database,
            _scope: scope,
        }
    }

    fn send(&self, key: &str, value: &str) {
        let header: (&str, Option<&[u8]>) = ("note", Some(b"h"));
        self.producer.send(
            &self.topic,
            None,
            Some(key.as_bytes()),
            Some(value.as_bytes()),
            &[header],
        );
        self.producer.flush();
    }

    fn ingest(&self) {
        self.audit.succeed(&["ingest", "--until-end", "--topics", &self.topic]);
    }
}

/// Text that doesn't become smaller when it is compressed.
fn incompressible(characters: usize) -> String {
    let mut text = String::new();
    while text.len() < characters {
        text.push_str(&uuid::Uuid::new_v4().simple().to_string());
    }
    text
}

#[test]
fn a_key_that_is_too_long_for_an_index_that_somebody_made_is_only_counted() {
    let scope = Sandbox::shared().scope("refused_key");
    let index = "CREATE INDEX somebodys ON event_logs ((attributes ->> 'key'))";
    let world = World::new(&scope, "orders.events", index);
    world.producer.native_events(&world.topic, 0..10);
    let key = incompressible(9_000);
    world.send(&key, r#"{"event_type":"LongKey","payload":{}}"#);
    world.producer.native_events(&world.topic, 10..20);
    world.ingest();
    assert_eq!(world.database.event_count(), 21);
    let quarantined = world.database.rows(QUARANTINED);
    assert_eq!(quarantined.len(), 1);
    assert_eq!(quarantined[0][..2], ["10", "refused_by_database"]);
    let detail = &quarantined[0][2];
    assert!(detail.contains("index row") && detail.ends_with("[SQLSTATE 54000]"), "{detail}");
    let kept = "SELECT attributes, convert_from(decode(payload ->> 'key_base64', 'base64'), 'UTF8')
                  FROM event_logs WHERE event_type = 'audit.Quarantined'";
    let attributes = format!(
        r#"{{"key_bytes": {}, "created_at_from": "kafka_timestamp", "headers_left_out": 1}}"#,
        key.len()
    );
    assert_eq!(world.database.rows(kept), [[attributes, key]]);
}

#[test]
fn a_payload_that_is_too_long_for_an_index_that_somebody_made_leaves_its_size() {
    let scope = Sandbox::shared().scope("refused_payload");
    let index = "CREATE INDEX somebodys ON event_logs (payload)";
    let world = World::new(&scope, "orders.events", index);
    let value =
        format!(r#"{{"event_type":"Long","payload":{{"text":"{}"}}}}"#, incompressible(20_000));
    world.producer.native_events(&world.topic, 0..5);
    world.send("k-1", &value);
    world.ingest();
    assert_eq!(world.database.event_count(), 6);
    let payload = world
        .database
        .value("SELECT payload - 'detail' FROM event_logs WHERE event_type = 'audit.Quarantined'");
    assert_eq!(
        payload,
        format!(
            r#"{{"reason": "refused_by_database", "key_bytes": 3, "key_base64": null, "value_bytes": {}, "value_base64": null}}"#,
            value.len()
        )
    );
    world.audit.succeed(&["verify"]);
}

#[test]
fn what_a_constraint_a_domain_or_a_trigger_refuses_is_quarantined_alone() {
    let additions = [
        "ALTER TABLE event_logs ADD CONSTRAINT somebodys CHECK (payload ->> 'number' <> '3')",
        "CREATE UNIQUE INDEX somebodys ON event_logs_000000 ((payload ->> 'customer_id')) WHERE payload ->> 'customer_id' = 'C-00003';
         INSERT INTO event_logs (event_id, event_type, payload) VALUES (gen_random_uuid(), 'Manual', '{\"customer_id\": \"C-00003\"}')",
        "CREATE DOMAIN somebodys AS jsonb CHECK (VALUE ->> 'number' <> '3');
         DROP VIEW audit_stories, audit_steps, audit_events;
         ALTER TABLE event_logs ALTER COLUMN payload TYPE somebodys",
        "CREATE FUNCTION somebodys() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF NEW.payload ->> 'number' = '3' THEN RAISE 'somebodys'; END IF; RETURN NEW;
         END $$;
         CREATE TRIGGER somebodys BEFORE INSERT ON event_logs FOR EACH ROW EXECUTE FUNCTION somebodys()",
    ];
    for added in additions {
        let scope = Sandbox::shared().scope("refused_row");
        let world = World::new(&scope, "orders.events", added);
        let before = world.database.event_count();
        world.producer.native_events(&world.topic, 0..2_000);
        world.ingest();
        assert_eq!(world.database.event_count(), before + 2_000, "{added}");
        let quarantined = world.database.rows(QUARANTINED);
        assert_eq!(quarantined.len(), 1, "{added}: {quarantined:?}");
        assert_eq!(quarantined[0][..2], ["3", "refused_by_database"], "{added}");
        assert!(quarantined[0][2].contains("somebodys"), "{added}: {quarantined:?}");
        // The decoder's own words for the rest are as ever.
        let attributes =
            "SELECT attributes ? 'key' FROM event_logs WHERE event_type = 'audit.Quarantined'";
        assert_eq!(world.database.value(attributes), "t", "{added}");
    }
}

#[test]
fn second_deliveries_are_quarantined_where_somebody_wants_each_event_once() {
    let scope = Sandbox::shared().scope("refused_duplicates");
    let index = "CREATE UNIQUE INDEX somebodys ON event_logs_000000 (event_id)";
    let world = World::new(&scope, "orders.events", index);
    let events: Vec<String> = (0..700)
        .map(|number| {
            format!(
                r#"{{"event_id":"{}","event_type":"Again","payload":{{"number":{number}}}}}"#,
                uuid::Uuid::new_v4()
            )
        })
        .collect();
    for _ in 0..3 {
        for event in &events {
            world.producer.send(&world.topic, None, Some(b"k"), Some(event.as_bytes()), &[]);
        }
    }
    world.producer.flush();
    let output = world.audit.run(&["ingest", "--until-end", "--topics", &world.topic]);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    assert!(log.matches(" WARN ").count() < 20, "{log}");
    let counts = "SELECT event_type, count(*) FROM event_logs GROUP BY 1 ORDER BY 1";
    assert_eq!(world.database.rows(counts), [["Again", "700"], ["audit.Quarantined", "1400"]]);
}

#[test]
fn a_row_that_is_refused_in_every_form_ends_ingest_soon_and_the_next_run_goes_on() {
    let additions = [
        (
            "ALTER TABLE event_logs ADD COLUMN somebodys INT",
            "ALTER TABLE event_logs ALTER COLUMN somebodys SET NOT NULL",
            "ALTER TABLE event_logs DROP COLUMN somebodys",
        ),
        (
            "ALTER TABLE event_logs ADD CONSTRAINT somebodys CHECK (event_type ~ '^O')",
            "SELECT 1",
            "ALTER TABLE event_logs DROP CONSTRAINT somebodys",
        ),
        (
            "CREATE UNIQUE INDEX somebodys ON event_logs_000000 (is_dlt) WHERE event_type = 'audit.Quarantined'",
            "SELECT 1",
            "DROP INDEX somebodys",
        ),
    ];
    for (added, more, taken_away) in additions {
        let scope = Sandbox::shared().scope("refused_always");
        let world = World::new(&scope, "orders.events", &format!("{added}; {more}"));
        world.producer.native_events(&world.topic, 0..3_000);
        world.send("k", "no JSON");
        world.send("k", "no JSON either");
        let began = Instant::now();
        let output = world.audit.run(&["ingest", "--until-end", "--topics", &world.topic]);
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{added}: {log}");
        assert!(began.elapsed() < Duration::from_secs(20), "{added}: {:?}: {log}", began.elapsed());
        let error = log.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        assert!(
            error.contains(&world.topic) && error.contains("even as a quarantined row"),
            "{added}: {log}"
        );
        assert!(error.contains("somebodys"), "{added}: {log}");
        assert!(log.contains("hint: look for a column, an index"), "{added}: {log}");
        assert!(log.lines().count() < 20, "{added}: {log}");
        world.database.execute(taken_away);
        world.ingest();
        assert_eq!(world.database.event_count(), 3_002, "{added}");
    }
}

#[test]
fn a_dead_letter_that_is_refused_costs_the_others_of_its_batch_nothing() {
    let scope = Sandbox::shared().scope("refused_dead_letter");
    let added =
        "ALTER TABLE dead_letters ADD CONSTRAINT somebodys CHECK (exception_message <> 'bad')";
    let world = World::new(&scope, "orders.events-dlt", added);
    for message in ["good", "bad", "good", "good"] {
        let headers: [(&str, Option<&[u8]>); 2] = [
            ("kafka_dlt-exception-fqcn", Some(b"java.lang.IllegalStateException")),
            ("kafka_dlt-exception-message", Some(message.as_bytes())),
        ];
        world.producer.send(&world.topic, None, Some(b"k"), Some(b"{}"), &headers);
    }
    world.producer.flush();
    world.ingest();
    let letters = "SELECT exception_class, exception_message, jsonb_array_length(headers) FROM dead_letters ORDER BY event_log_id";
    let class = "java.lang.IllegalStateException";
    assert_eq!(
        world.database.rows(letters),
        [[class, "good", "2"], ["∅", "∅", "2"], [class, "good", "2"], [class, "good", "2"]]
    );
    assert_eq!(world.database.rows(QUARANTINED), [[""; 3]; 0]);
}

#[test]
fn a_stop_is_heeded_while_rows_are_tried() {
    let scope = Sandbox::shared().scope("refused_slowly");
    let added = "CREATE FUNCTION somebodys() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     PERFORM pg_sleep(0.05);
                     IF NEW.event_type <> 'audit.Quarantined' THEN RAISE 'somebodys'; END IF;
                     RETURN NEW;
                 END $$;
                 CREATE TRIGGER somebodys BEFORE INSERT ON event_logs FOR EACH ROW EXECUTE FUNCTION somebodys()";
    let world = World::new(&scope, "orders.events", added);
    world.producer.native_events(&world.topic, 0..2_000);
    let mut ingester =
        world.audit.start(&["ingest", "--topics", &world.topic, "--batch-wait", "2000"]);
    let trying = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'audit ingest%'
                     AND backend_xid IS NOT NULL";
    wait_until("rows are tried", LIMIT, || world.database.number(trying) > 0);
    std::thread::sleep(Duration::from_secs(2));
    let began = Instant::now();
    ingester.signal("TERM");
    let status = ingester.wait(Duration::from_secs(15));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    // Not all that was read could be recorded: the next run reads it again.
    assert_eq!(status.code(), Some(1), "{}", ingester.log());
    assert!(ingester.log().contains("the next run reads it again"), "{}", ingester.log());
    world.database.execute("DROP TRIGGER somebodys ON event_logs");
    world.ingest();
    assert_eq!(world.database.event_count(), 2_000);
}
