//! `audit export -o ocel` on a real PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::Sandbox;
use serde_json::{Value, json};

use crate::support::rows::{commit, events, insert, partition, record, reserve};
use crate::support::{Audit, Database};

/// A row: the number of its event, type, aggregate, service, whether it is a dead letter, seconds
/// and correlation.
fn row(
    event: u32,
    event_type: &str,
    aggregate: &str,
    is_dlt: bool,
    seconds: &str,
    correlation: &str,
) -> String {
    format!(
        "('00000000-0000-4000-8000-{event:012}'::uuid, '{event_type}', {aggregate}::uuid, 'order-service', {is_dlt}, '{{}}'::jsonb, '2026-11-22 10:00:{seconds}'::timestamp, {correlation}::uuid)"
    )
}

fn values(rows: &[String]) -> String {
    format!("SELECT * FROM (VALUES {}) AS new", rows.join(", "))
}

/// Gives rows what they came with.
fn attributes(database: &Database, rows: &str, attributes: &Value) {
    database.execute("ALTER TABLE event_logs DISABLE TRIGGER append_only");
    database.execute_with(
        &format!("UPDATE event_logs SET attributes = $1 WHERE {rows}"),
        &[attributes],
    );
}

/// A log that was read: what the published schema demands holds, and what it can't say.
#[track_caller]
fn log(text: &str) -> Value {
    let log: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_members(&log, &["eventTypes", "events", "objectTypes", "objects"]);
    let types = |name: &str| -> BTreeMap<String, Vec<String>> {
        let types = list(&log[name]).iter().map(|named| {
            assert_members(named, &["attributes", "name"]);
            let attributes = list(&named["attributes"]).iter().map(|attribute| {
                assert_members(attribute, &["name", "type"]);
                let known = ["string", "time", "integer", "float", "boolean"];
                assert!(known.contains(&string(&attribute["type"])), "{attribute}");
                string(&attribute["name"]).to_owned()
            });
            (string(&named["name"]).to_owned(), attributes.collect())
        });
        let found: BTreeMap<_, _> = types.collect();
        assert_eq!(found.len(), list(&log[name]).len(), "a type is there twice: {log}");
        found
    };
    let (event_types, object_types) = (types("eventTypes"), types("objectTypes"));
    let objects: BTreeSet<_> = list(&log["objects"])
        .iter()
        .map(|object| {
            assert_members(object, &["attributes", "id", "type"]);
            assert!(object_types.contains_key(string(&object["type"])), "{object}");
            assert!(list(&object["attributes"]).is_empty(), "{object}");
            string(&object["id"])
        })
        .collect();
    assert_eq!(objects.len(), list(&log["objects"]).len(), "an object is there twice: {log}");
    let (mut ids, mut related, mut used) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for event in list(&log["events"]) {
        assert_members(event, &["attributes", "id", "relationships", "time", "type"]);
        assert!(ids.insert(string(&event["id"])), "an event is there twice: {event}");
        let time = string(&event["time"]);
        assert!(time.len() == 27 && time.ends_with('Z'), "{event}");
        assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{event}");
        let declared = &event_types[string(&event["type"])];
        used.insert(string(&event["type"]));
        for attribute in list(&event["attributes"]) {
            assert_members(attribute, &["name", "value"]);
            assert!(attribute["value"].is_string(), "the schema has text alone: {event}");
            assert!(declared.iter().any(|name| *name == string(&attribute["name"])), "{event}");
        }
        for relationship in list(&event["relationships"]) {
            assert_members(relationship, &["objectId", "qualifier"]);
            let object = string(&relationship["objectId"]);
            assert!(objects.contains(object), "no object of the log: {event}");
            assert!(object.starts_with(&format!("{}:", string(&relationship["qualifier"]))));
            related.insert(object);
        }
    }
    assert_eq!(related, objects, "objects that no event is about");
    assert_eq!(used.len(), event_types.len(), "types that no event has");
    log
}

#[track_caller]
fn assert_members(object: &Value, names: &[&str]) {
    let found: Vec<_> = object.as_object().into_iter().flat_map(|members| members.keys()).collect();
    let found: BTreeSet<_> = found.into_iter().map(String::as_str).collect();
    assert_eq!(found, names.iter().copied().collect(), "{object}");
}

#[track_caller]
fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no array: {value}"))
}

#[track_caller]
fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// The events of a log, as the last digits of their ids, and what they are about.
fn told(log: &Value) -> Vec<String> {
    let events = list(&log["events"]).iter().map(|event| {
        let about: Vec<_> = list(&event["relationships"])
            .iter()
            .map(|relationship| string(&relationship["objectId"]))
            .collect();
        let number = string(&event["id"]).rsplit('-').next().unwrap_or_default();
        let number = number.trim_start_matches('0');
        format!("{number} {} {}", string(&event["type"]), about.join(" "))
    });
    events.collect()
}

#[test]
fn an_event_is_in_the_log_once_as_its_first_delivery_and_what_is_no_delivery_is_told() {
    let scope = Sandbox::shared().scope("ocel_first");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let order = "'11111111-0000-4000-8000-000000000000'";
    let request = "'22222222-0000-4000-8000-000000000000'";
    // A batch with lower ids that commits later: the first delivery has the higher id.
    let late = reserve(&database, 2);
    record(
        &database,
        &values(&[
            row(1, "OrderCreated", order, false, "01.000001", request),
            row(2, "OrderConfirmed", order, false, "02.5", request),
            row(1, "OrderCreated", order, true, "03", request),
            row(3, "audit.Tombstone", order, false, "04", "NULL"),
            row(4, "audit.Quarantined", "NULL", false, "05", "NULL"),
            row(5, "Noted", "NULL", false, "06", "NULL"),
            row(6, "Noted", "NULL", false, "07", request),
            row(7, "Noted", order, false, "08", "NULL"),
        ]),
    );
    database.execute("BEGIN");
    insert(
        &database,
        &late,
        &values(&[
            row(2, "OrderConfirmed", order, false, "02.5", request),
            row(8, "OrderShipped", order, false, "09", request),
        ]),
    );
    commit(&database, &late);
    record(&database, &values(&[row(1, "OrderCreated", order, false, "01.000001", request)]));
    let output = audit.run(&["export", "-o", "ocel"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    insta::assert_snapshot!(stderr, @r"
6 events, 2 objects and 8 relations written
left out: 1 dead letter, 1 tombstone, 1 quarantined record, 2 later deliveries
");
    let text = String::from_utf8_lossy(&output.stdout);
    insta::assert_snapshot!(text, @r#"
{"objectTypes":[
{"name":"aggregate","attributes":[]},
{"name":"correlation","attributes":[]}],
"eventTypes":[
{"name":"Noted","attributes":[{"name":"source_service","type":"string"}]},
{"name":"OrderConfirmed","attributes":[{"name":"source_service","type":"string"}]},
{"name":"OrderCreated","attributes":[{"name":"source_service","type":"string"}]},
{"name":"OrderShipped","attributes":[{"name":"source_service","type":"string"}]}],
"objects":[
{"id":"aggregate:11111111-0000-4000-8000-000000000000","type":"aggregate","attributes":[]},
{"id":"correlation:22222222-0000-4000-8000-000000000000","type":"correlation","attributes":[]}],
"events":[
{"id":"00000000-0000-4000-8000-000000000008","type":"OrderShipped","time":"2026-11-22T10:00:09.000000Z","attributes":[{"name":"source_service","value":"order-service"}],"relationships":[{"objectId":"aggregate:11111111-0000-4000-8000-000000000000","qualifier":"aggregate"},{"objectId":"correlation:22222222-0000-4000-8000-000000000000","qualifier":"correlation"}]},
{"id":"00000000-0000-4000-8000-000000000001","type":"OrderCreated","time":"2026-11-22T10:00:01.000001Z","attributes":[{"name":"source_service","value":"order-service"}],"relationships":[{"objectId":"aggregate:11111111-0000-4000-8000-000000000000","qualifier":"aggregate"},{"objectId":"correlation:22222222-0000-4000-8000-000000000000","qualifier":"correlation"}]},
{"id":"00000000-0000-4000-8000-000000000002","type":"OrderConfirmed","time":"2026-11-22T10:00:02.500000Z","attributes":[{"name":"source_service","value":"order-service"}],"relationships":[{"objectId":"aggregate:11111111-0000-4000-8000-000000000000","qualifier":"aggregate"},{"objectId":"correlation:22222222-0000-4000-8000-000000000000","qualifier":"correlation"}]},
{"id":"00000000-0000-4000-8000-000000000005","type":"Noted","time":"2026-11-22T10:00:06.000000Z","attributes":[{"name":"source_service","value":"order-service"}],"relationships":[]},
{"id":"00000000-0000-4000-8000-000000000006","type":"Noted","time":"2026-11-22T10:00:07.000000Z","attributes":[{"name":"source_service","value":"order-service"}],"relationships":[{"objectId":"correlation:22222222-0000-4000-8000-000000000000","qualifier":"correlation"}]},
{"id":"00000000-0000-4000-8000-000000000007","type":"Noted","time":"2026-11-22T10:00:08.000000Z","attributes":[{"name":"source_service","value":"order-service"}],"relationships":[{"objectId":"aggregate:11111111-0000-4000-8000-000000000000","qualifier":"aggregate"}]}]}
"#);
    let first = log(&text);
    // Only of rows that an ingester wrote is it known.
    let topic = partition(&database, "orders.events");
    database.execute(&format!(
        "ALTER TABLE event_logs DISABLE TRIGGER append_only;
         UPDATE event_logs SET partition_id = {topic}"
    ));
    // The same with what a search knows, of a part and of all.
    for _ in 0..4 {
        database.execute("SELECT find_duplicate_deliveries(1)");
        assert_eq!(log(&audit.succeed(&["export", "-o", "ocel"])), first);
    }
    assert_eq!(database.number("SELECT count(*) FROM duplicate_deliveries"), 2);

    let chosen =
        log(&audit.succeed(&["export", "-o", "ocel", "--type", "OrderCreated,OrderShipped"]));
    insta::assert_snapshot!(told(&chosen).join("\n"), @r"
8 OrderShipped aggregate:11111111-0000-4000-8000-000000000000 correlation:22222222-0000-4000-8000-000000000000
1 OrderCreated aggregate:11111111-0000-4000-8000-000000000000 correlation:22222222-0000-4000-8000-000000000000
");
}

#[test]
fn objects_are_named_as_their_ids_came_and_each_has_one_name() {
    let scope = Sandbox::shared().scope("ocel_names");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let order = "audit_aggregate_id('order-17')";
    let hostile = "E'\\u001b[31m\"order\\\\\\n日本 👋🏽\\u202e:aggregate:'";
    record(
        &database,
        &values(&[
            row(1, "A", order, false, "01", "audit_correlation_id('request-7')"),
            // This row does not tell the text that its id was made of.
            row(2, "A", order, false, "02", "NULL"),
            row(3, "A", order, false, "03", "NULL"),
            row(4, "A", &format!("audit_aggregate_id({hostile})"), false, "04", "NULL"),
            // The id of another kind, made of the same text.
            row(5, "A", "audit_correlation_id('order-17')", false, "05", "NULL"),
            row(6, "A", "NULL", false, "06", "audit_correlation_id('order-17')"),
            row(7, "A", "'33333333-0000-5000-8000-000000000000'", false, "07", "NULL"),
            row(8, "A", "'44444444-0000-4000-8000-000000000000'", false, "08", "NULL"),
            row(9, "A", "audit_aggregate_id('4711')", false, "09", "NULL"),
        ]),
    );
    let hostile = database.value(&format!("SELECT {hostile}"));
    for (rows, given) in [
        ("id = 1", json!({"key": "order-17", "original": {"correlation_id": "request-7"}})),
        ("id = 3", json!({"original": {"aggregate_id": "order-17"}, "key": "other"})),
        ("id = 4", json!({"original": {"aggregate_id": hostile}})),
        ("id = 5", json!({"key": "order-17"})),
        ("id = 6", json!({"key": "order-17", "original": {"correlation_id": "order-17"}})),
        ("id IN (7, 8)", json!({"key": "not-this-one", "original": {"aggregate_id": {"n": 1}}})),
        ("id = 9", json!({"original": {"aggregate_id": 4711}})),
    ] {
        attributes(&database, rows, &given);
    }
    let log = log(&audit.succeed(&["export", "-o", "ocel"]));
    insta::assert_snapshot!(told(&log).join("\n").escape_debug().to_string().replace("\\n", "\n"), @r#"
1 A aggregate:order-17 correlation:request-7
2 A aggregate:order-17
3 A aggregate:order-17
4 A aggregate:\u{1b}[31m\"order\\
日本 👋🏽\u{202e}:aggregate:
5 A aggregate:16921265-35a3-5691-bb8a-a8dd5b66a9fd
6 A correlation:order-17
7 A aggregate:33333333-0000-5000-8000-000000000000
8 A aggregate:44444444-0000-4000-8000-000000000000
9 A aggregate:4711
"#);
}

#[test]
fn hostile_text_and_times_of_the_first_and_the_last_year_come_through() {
    let scope = Sandbox::shared().scope("ocel_hostile");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(
        &database,
        r#"SELECT gen_random_uuid(), event_type, NULL::uuid, source_service, NULL::boolean, '{"n": 1e400, "text": "\"\\"}'::jsonb, created_at, NULL::uuid
             FROM (VALUES
               ('', '', '0001-01-01 00:00:00'::timestamp),
               (' white space ', NULL, '9999-12-31 23:59:59.999999'),
               (E'a,b"c\nd\re\tf\\.', '=1+1', '1969-12-31 23:59:59.000001'),
               (E'\u001b[31m\u009b\u202e\u0001', '"', '2026-11-22 10:00:00.123456'),
               ('日本 👋🏽', E'\\u0000', '1582-10-10 00:00:00')
             ) AS odd(event_type, source_service, created_at)"#,
    );
    let exported = log(&audit.succeed(&["export", "-o", "ocel"]));
    let found: Vec<_> = list(&exported["events"])
        .iter()
        .map(|event| {
            let service = event["attributes"][0]["value"].as_str().unwrap_or("∅");
            [string(&event["type"]), service, string(&event["time"])].map(str::to_owned).to_vec()
        })
        .collect();
    let stored = database.rows(
        r#"SELECT event_type, source_service, to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM event_logs ORDER BY id"#,
    );
    assert_eq!(found, stored);

    let asked = "id,is_dlt,created_at,recorded_at,topic,payload,$.n,$.text,$.none";
    let asked = log(&audit.succeed(&["export", "-o", "ocel", "--columns", asked]));
    let attributes = list(&asked["events"][0]["attributes"]);
    let found: Vec<_> = attributes
        .iter()
        .filter(|attribute| attribute["name"] != "recorded_at")
        .map(|attribute| format!("{} {}", string(&attribute["name"]), string(&attribute["value"])))
        .collect();
    assert_eq!(found[0], "id 1");
    assert_eq!(found[1], "created_at 0001-01-01T00:00:00.000000Z");
    assert!(found[2].starts_with(r#"payload {"n": 1000"#), "{found:?}");
    assert!(found[3].starts_with("$.n 1000"), "{found:?}");
    assert_eq!(found[4..], [r#"$.text "\"#]);
    let declared: Vec<_> = list(&asked["eventTypes"][0]["attributes"])
        .iter()
        .map(|attribute| format!("{} {}", string(&attribute["name"]), string(&attribute["type"])))
        .collect();
    assert_eq!(
        declared.join(", "),
        "id integer, is_dlt boolean, created_at time, recorded_at time, topic string, payload string, \
         $.n string, $.text string, $.none string"
    );
}

#[test]
fn a_time_that_the_format_cannot_hold_ends_it_with_the_row_and_the_file_stays_as_it_was() {
    let scope = Sandbox::shared().scope("ocel_times");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 3, "2026-11-22"));
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = folder.path().join("log.json").display().to_string();
    audit.succeed(&["export", &path, "-o", "ocel"]);
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(list(&log(&before)["events"]).len(), 3);
    for (time, shown) in [
        ("infinity", "infinity"),
        ("-infinity", "-infinity"),
        ("0001-12-31 23:59:59 BC", "0001-12-31T23:59:59.000000Z BC"),
        ("10000-01-01", "10000-01-01T00:00:00.000000Z"),
    ] {
        let ids = record(&database, &events("OrderCreated", 1, "2026-11-22"));
        database.execute(&format!(
            "ALTER TABLE event_logs DISABLE TRIGGER append_only;
             UPDATE event_logs SET created_at = '{time}' WHERE id = {}",
            ids.start()
        ));
        let output = audit.run(&["export", &path, "-o", "ocel"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let expected = format!(
            "row {}: created_at is {shown}, and OCEL holds the years 1 to 9999",
            ids.start()
        );
        assert!(stderr.contains(&expected), "{stderr}");
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), before);
        // As the hint says.
        let range = ["--since", "0001-01-01", "--until", "9999-12-31T23:59:59Z"];
        let rest = audit.succeed(&[&["export", "-o", "ocel"][..], &range].concat());
        assert_eq!(list(&log(&rest)["events"]).len(), 3);
        database.execute(&format!("DELETE FROM event_logs WHERE id = {}", ids.start()));
    }
}

#[test]
fn a_log_of_nothing_is_a_log() {
    let scope = Sandbox::shared().scope("ocel_empty");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let empty = log(&audit.succeed(&["export", "-o", "ocel"]));
    record(&database, &events("OrderCreated", 3, "2026-11-22"));
    // A type that there is none of, and one that no row in the range has.
    let none = log(&audit.succeed(&["export", "-o", "ocel", "--type", "Nothing"]));
    let past = log(&audit.succeed(&["export", "-o", "ocel", "--until", "2020-01-01"]));
    assert_eq!((&none, &past), (&empty, &empty));
    let output = audit.run(&["export", "-o", "ocel", "--type", "Nothing", "--fail-on-empty"]);
    assert_eq!(output.status.code(), Some(3));
    for refused in ["--dedup", "--no-header", "--limit=3"] {
        assert_eq!(audit.run(&["export", "-o", "ocel", refused]).status.code(), Some(2));
    }
}
