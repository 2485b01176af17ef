//! Every record of fixtures/ goes through a real Kafka into a real PostgreSQL, and becomes the row
//! that its file says.
//!
//! What depends on where a record stands (topics that are the test's own, the offsets that Kafka
//! gives, its cluster's id) is computed here from the documentation, and compared like everything
//! else.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use record_file::{Content, Record};
use sandbox::{Placed, Sandbox, Scope};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::registry::fake::FakeRegistry;
use crate::support::fixtures::{self, CreatedAt, EventId, Fixture};
use crate::support::{Audit, Database, Oracle, views_show_the_ids_that_the_program_shows};

/// The columns that are compared: name, the type in which PostgreSQL compares it.
const COLUMNS: [(&str, &str); 8] = [
    ("event_id", "uuid"),
    ("event_type", "text"),
    ("aggregate_id", "uuid"),
    ("source_service", "text"),
    ("is_dlt", "boolean"),
    ("correlation_id", "uuid"),
    // As text: JSONB takes 1.0 and 1.00 for equal.
    ("payload", "jsonb::text"),
    ("attributes", "jsonb::text"),
];

/// The topic of a fixture on servers that tests share. Names that tell dead letters by how they
/// begin keep their beginning.
fn topic_on_server(scope: &Scope<'_>, topic: &str) -> String {
    let beginning =
        ["error.", "dead-letter-topic-"].into_iter().find(|start| topic.starts_with(start));
    let beginning = beginning.unwrap_or_default();
    scope.topic_behind(beginning, &topic[beginning.len()..])
}

/// Sends the fixtures, records them, and tells where Kafka put each.
fn recorded(
    scope: &Scope<'_>,
    audit: &Audit,
    fixtures: &[Fixture],
    registry: Option<&str>,
) -> Vec<(Record, Placed)> {
    let records: Vec<_> = fixtures
        .iter()
        .map(|fixture| Record {
            topic: topic_on_server(scope, &fixture.record.topic),
            ..fixture.record.clone()
        })
        .collect();
    let topics: BTreeSet<_> = records.iter().map(|record| record.topic.as_str()).collect();
    for topic in &topics {
        // Some of the times are far from now, in both directions.
        let settings =
            [("message.timestamp.after.max.ms", "9223372036854775807"), ("retention.ms", "-1")];
        let created = Sandbox::shared().kafka().create_topic(topic, 1, &settings);
        created.unwrap_or_else(|error| panic!("{error}"));
    }
    let placed =
        sandbox::produce(scope.brokers(), &records).unwrap_or_else(|error| panic!("{error}"));
    let topics: Vec<_> = topics.into_iter().collect();
    let topic_list = topics.join(",");
    let mut ingest = vec!["ingest", "--until-end", "--topics", &topic_list];
    ingest.extend(registry.iter().flat_map(|registry| ["--schema-registry", registry]));
    audit.succeed(&ingest);
    let database = Database::open(&audit.database_url);
    Oracle::read(&database, scope.brokers(), &topics).approve_coverage();
    records.into_iter().zip(placed).collect()
}

fn cluster_id(brokers: &str) -> String {
    let consumer: Result<BaseConsumer, _> =
        ClientConfig::new().set("bootstrap.servers", brokers).create();
    let id = consumer
        .ok()
        .and_then(|consumer| consumer.client().fetch_cluster_id(Duration::from_secs(10)));
    id.unwrap_or_else(|| panic!("{brokers} does not tell its cluster's id"))
}

/// The expected values of [`COLUMNS`], as text.
fn expected_columns(
    fixture: &Fixture,
    cluster_id: &str,
    record: &Record,
    placed: Placed,
) -> [Option<String>; 8] {
    let row = &fixture.row;
    let event_id = match &row.event_id {
        EventId::Given(id) => id.clone(),
        EventId::Of { .. } => {
            let place = format!(
                "kafka://{cluster_id}/{}/{}/{}",
                record.topic, placed.partition, placed.offset
            );
            Uuid::new_v5(&Uuid::NAMESPACE_URL, place.as_bytes()).to_string()
        }
    };
    [
        Some(event_id),
        Some(row.event_type.clone()),
        row.aggregate_id.clone(),
        row.source_service.clone(),
        Some(row.is_dlt.to_string()),
        row.correlation_id.clone(),
        Some(row.payload.get().to_owned()),
        Some(row.attributes.get().to_owned()),
    ]
}

#[test]
fn every_fixture_becomes_the_row_that_its_file_says_through_kafka_and_postgresql() {
    let scope = Sandbox::shared().scope("fixtures");
    let fixtures = fixtures::all().into_iter().filter(|fixture| fixture.schemas.is_none());
    become_the_rows_of_their_files(&scope, &fixtures.collect::<Vec<_>>(), None);
}

#[test]
fn every_fixture_with_schemas_becomes_the_row_that_its_file_says() {
    let scope = Sandbox::shared().scope("schema_fixtures");
    let registry = FakeRegistry::start();
    let fixtures = fixtures::all().into_iter().filter(|fixture| fixture.schemas.is_some());
    let mut fixtures: Vec<_> = fixtures.collect();
    rename_subjects(&scope, &mut fixtures);
    let mut schemas: Vec<_> =
        fixtures.iter().flat_map(|fixture| fixture.schemas.iter().flatten()).collect();
    // Each file has the subjects that there were when it was recorded.
    schemas.sort_by_key(|schema| schema.versions.len());
    schemas.into_iter().for_each(|schema| registry.register_fixture(schema));
    become_the_rows_of_their_files(&scope, &fixtures, Some(&registry.url()));
}

/// The subjects of topics that have other names here.
fn rename_subjects(scope: &Scope<'_>, fixtures: &mut [Fixture]) {
    let topics: BTreeSet<_> = fixtures.iter().map(|fixture| fixture.record.topic.clone()).collect();
    for fixture in fixtures {
        let versions = fixture.schemas.iter_mut().flatten().flat_map(|schema| &mut schema.versions);
        for version in versions {
            let topic = version.subject.strip_suffix("-value").filter(|own| topics.contains(*own));
            let Some(topic) = topic else { continue };
            let renamed = format!("{}-value", topic_on_server(scope, topic));
            let member = |subject: &str| format!("\"schema_subject\": \"{subject}\"");
            let attributes = fixture.row.attributes.get();
            let attributes = attributes.replace(&member(&version.subject), &member(&renamed));
            fixture.row.attributes = RawValue::from_string(attributes)
                .unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
            version.subject = renamed;
        }
    }
}

fn become_the_rows_of_their_files(scope: &Scope<'_>, fixtures: &[Fixture], registry: Option<&str>) {
    let audit = Audit::migrated(scope);
    let database = Database::open(&audit.database_url);
    let began = database.value("SELECT clock_timestamp() AT TIME ZONE 'UTC'");
    let recorded = recorded(scope, &audit, fixtures, registry);
    let ended = database.value("SELECT clock_timestamp() AT TIME ZONE 'UTC'");
    assert_eq!(database.event_count(), fixtures.len() as i64);

    let names = COLUMNS.map(|(name, _)| format!("{name} TEXT")).join(", ");
    database.execute(&format!(
        "CREATE TABLE expected (fixture TEXT, topic TEXT, partition INT, kafka_offset BIGINT,
                                created_from TIMESTAMP, created_until TIMESTAMP, {names})"
    ));
    let cluster_id = cluster_id(scope.brokers());
    for (fixture, (record, placed)) in fixtures.iter().zip(&recorded) {
        let (from, until) = match &fixture.row.created_at {
            CreatedAt::Given(time) => (time.as_str(), time.as_str()),
            CreatedAt::Clock { .. } => (began.as_str(), ended.as_str()),
        };
        let columns = expected_columns(fixture, &cluster_id, record, *placed);
        database.execute_with(
            "INSERT INTO expected VALUES ($1, $2, $3, $4, $5::text::timestamp, $6::text::timestamp,
                                          $7, $8, $9, $10, $11, $12, $13, $14)",
            &[
                &fixture.name,
                &record.topic,
                &placed.partition,
                &placed.offset,
                &from,
                &until,
                &columns[0],
                &columns[1],
                &columns[2],
                &columns[3],
                &columns[4],
                &columns[5],
                &columns[6],
                &columns[7],
            ],
        );
    }
    let found = "FROM expected JOIN kafka_partitions USING (topic, partition)
                 JOIN event_logs USING (partition_id, kafka_offset)";
    assert_eq!(database.number(&format!("SELECT count(*) {found}")), fixtures.len() as i64);
    let mut differences = database.rows(&format!(
        "SELECT fixture, 'created_at', created_from, created_at {found}
          WHERE created_at NOT BETWEEN created_from AND created_until"
    ));
    for (column, kind) in COLUMNS {
        let text = if kind == "jsonb::text" { "::text" } else { "" };
        differences.extend(database.rows(&format!(
            "SELECT fixture, '{column}', expected.{column}, event_logs.{column} {found}
              WHERE event_logs.{column}{text} IS DISTINCT FROM expected.{column}::{kind}"
        )));
    }
    assert!(differences.is_empty(), "{differences:#?}");
    dead_letters_are_what_was_produced(scope, &database, fixtures, &recorded);
    views_show_the_ids_that_the_program_shows(&audit, &database);
}

/// Key, value and headers byte for byte, and what the headers say.
fn dead_letters_are_what_was_produced(
    scope: &Scope<'_>,
    database: &Database,
    fixtures: &[Fixture],
    recorded: &[(Record, Placed)],
) {
    let expected_count = fixtures.iter().filter(|fixture| fixture.dead_letter.is_some()).count();
    assert_eq!(database.number("SELECT count(*) FROM dead_letters"), expected_count as i64);
    for (fixture, (record, placed)) in fixtures.iter().zip(recorded) {
        let Some(says) = &fixture.dead_letter else { continue };
        let rows = database.rows(&format!(
            "SELECT encode(key, 'base64'), encode(value, 'base64'), headers, origin_topic, origin_partition, origin_offset,
                    (extract(epoch FROM origin_timestamp) * 1000)::bigint, consumer_group, exception_class,
                    exception_message, stack_trace, attempts
               FROM dead_letters JOIN event_logs ON id = event_log_id JOIN kafka_partitions USING (partition_id)
              WHERE topic = '{}' AND kafka_offset = {}",
            record.topic, placed.offset
        ));
        let [row] = &rows[..] else { panic!("{}: {} dead letters", fixture.name, rows.len()) };
        let bytes = |text: &String| (text != "∅").then(|| Content(base64_of_postgresql(text)));
        assert_eq!(bytes(&row[0]), record.key, "{}: key", fixture.name);
        assert_eq!(bytes(&row[1]), record.value, "{}: value", fixture.name);
        assert_eq!(stored_headers(&row[2]), record.headers, "{}: headers", fixture.name);
        let origin_topic = match says["origin_source"].as_str() {
            // Made of the topic's own name, which is another one here.
            Some("suffix") => says["origin_topic"].as_str().map(|topic| scope.topic(topic)),
            _ => says["origin_topic"].as_str().map(str::to_owned),
        };
        let members = [
            "origin_partition",
            "origin_offset",
            "origin_timestamp_ms",
            "consumer_group",
            "exception_class",
            "exception_message",
            "stack_trace",
            "attempts",
        ];
        let expected = members.map(|member| match &says[member] {
            // Read out of the topic's own name, too.
            _ if member == "consumer_group" && says["family"] == "Spring Cloud Stream" => {
                "∅".to_owned()
            }
            serde_json::Value::Null => "∅".to_owned(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        assert_eq!(row[3], origin_topic.unwrap_or_else(|| "∅".to_owned()), "{}", fixture.name);
        assert_eq!(row[4..], expected, "{}", fixture.name);
    }
}

/// PostgreSQL breaks base64 into lines.
fn base64_of_postgresql(text: &str) -> Vec<u8> {
    let text: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What stands in `dead_letters.headers`, read as its comment says.
pub(crate) fn stored_headers(json: &str) -> Vec<(Content, Option<Content>)> {
    let headers: Vec<serde_json::Value> =
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    let base64 =
        |value: &serde_json::Value| value.as_str().map(|text| Content(base64_of_postgresql(text)));
    let name = |header: &serde_json::Value| match header["name"].as_str() {
        Some(name) => Content(name.as_bytes().to_vec()),
        None => base64(&header["name_base64"])
            .unwrap_or_else(|| panic!("{json}: a header without a name")),
    };
    headers.iter().map(|header| (name(header), base64(&header["value_base64"]))).collect()
}
