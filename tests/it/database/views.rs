//! The views for SQL and BI tools: stories, ids, and the examples of docs/sql.md.

use std::path::Path;

use chrono::{Duration, SecondsFormat, Utc};
use record_file::{Content, Record};
use sandbox::Sandbox;

use crate::support::rows::{commit, insert, record, reserve};
use crate::support::{Audit, Database, views_show_the_ids_that_the_program_shows};

const STORIES: &str = "SELECT correlation, correlation_id IS NULL, aggregate_id IS NULL, first::time, last::time, events, types
                         FROM audit_stories ORDER BY first, correlation";

/// An event of `rows::COLUMNS`: its id, type, aggregate, dead letter or not, second, correlation.
fn row(event: u32, kind: &str, aggregate: &str, is_dlt: bool, second: u32, story: &str) -> String {
    format!(
        "('00000000-0000-4000-8000-{event:012}'::uuid, '{kind}', {aggregate}::uuid, 'order-service', {is_dlt}, '{{}}'::jsonb,
          '2026-11-22 10:00:{second:02}'::timestamp, {story}::uuid)"
    )
}

fn values(rows: &[String]) -> String {
    format!("VALUES {}", rows.join(", "))
}

#[test]
fn a_story_has_each_event_once_as_it_committed_first_whether_duplicates_were_looked_for_or_not() {
    let scope = Sandbox::shared().scope("view_stories");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let order = format!("'{}'", audit::event::aggregate_uuid(b"order-17"));
    let request = "'11111111-0000-4000-8000-000000000000'";
    let both = "'22222222-0000-4000-8000-000000000000'";
    // The batch with the lower ids commits later: what it holds again is delivered a second time.
    let late = reserve(&database, 3);
    record(
        &database,
        &values(&[
            row(1, "OrderCreated", &order, false, 1, "NULL"),
            row(2, "OrderCreated", &order, false, 2, request),
            // Has an aggregate's id for its correlation: two stories all the same.
            row(3, "OrderCreated", both, false, 3, "NULL"),
            row(4, "OrderCreated", "NULL", false, 4, both),
            // Belongs to no story.
            row(5, "Heartbeat", "NULL", false, 5, "NULL"),
            // What is no step of a story that has none is no story.
            row(6, "OrderCreated", "'33333333-0000-4000-8000-000000000000'", true, 6, "NULL"),
            // Quarantined first, and delivered when it was put right.
            row(7, "audit.Quarantined", &order, false, 7, "NULL"),
            row(1, "OrderCreated", &order, true, 8, "NULL"),
        ]),
    );
    database.execute("BEGIN");
    insert(
        &database,
        &late,
        &values(&[
            row(1, "Again", &order, false, 0, "NULL"),
            row(7, "OrderConfirmed", &order, false, 9, "NULL"),
            row(8, "OrderConfirmed", &order, false, 1, "NULL"),
        ]),
    );
    commit(&database, &late);
    record(
        &database,
        &values(&[
            row(8, "Again", &order, false, 0, "NULL"),
            row(9, "audit.Tombstone", &order, false, 10, "NULL"),
            row(10, "OrderConfirmed", &order, false, 12, "NULL"),
        ]),
    );
    // By hand: comes last, whatever its id.
    database.execute(&format!(
        "INSERT INTO event_logs (event_id, event_type, aggregate_id, is_dlt, payload, created_at)
         VALUES ('00000000-0000-4000-8000-000000000010', 'Again', {order}, NULL, '{{}}', '2026-11-22 09:00'),
                ('00000000-0000-4000-8000-000000000011', 'Noted', {order}, NULL, '{{}}', '2026-11-22 10:00:20')"
    ));
    database.execute(
        "ALTER TABLE event_logs DISABLE TRIGGER append_only;
         UPDATE event_logs SET attributes = '{\"key\": \"order-17\"}', partition_id = 1 WHERE source_service IS NOT NULL",
    );
    let found = database.rows(STORIES);
    let text: Vec<_> = found.iter().map(|row| row.join(" | ")).collect();
    insta::assert_snapshot!(text.join("\n"), @r"
    order-17 | t | f | 10:00:01 | 10:00:20 | 5 | {OrderConfirmed,OrderCreated,OrderConfirmed,OrderConfirmed,Noted}
    11111111-0000-4000-8000-000000000000 | f | t | 10:00:02 | 10:00:02 | 1 | {OrderCreated}
    22222222-0000-4000-8000-000000000000 | t | f | 10:00:03 | 10:00:03 | 1 | {OrderCreated}
    22222222-0000-4000-8000-000000000000 | f | t | 10:00:04 | 10:00:04 | 1 | {OrderCreated}
    ");
    // The same with what a search knows, of a part and of all.
    for _ in 0..4 {
        database.execute("SELECT find_duplicate_deliveries(1)");
        assert_eq!(database.rows(STORIES), found);
    }
    assert_eq!(database.number("SELECT count(*) FROM duplicate_deliveries"), 2);
    assert_eq!(database.number("SELECT duplicates_through FROM event_count_state"), 3);
}

#[test]
fn conditions_on_a_view_are_answered_by_the_indexes_of_the_rows() {
    let scope = Sandbox::shared().scope("view_plans");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &crate::support::rows::events("OrderCreated", 20_000, "2026-11-22 10:00"));
    database.execute(
        "ALTER TABLE event_logs DISABLE TRIGGER append_only;
         UPDATE event_logs SET correlation_id = event_id WHERE id % 2 = 0; ANALYZE",
    );
    // A light leaf has no indexes of ids.
    while !database.value("SELECT seal_event_log_leaf(0, true, false)").is_empty() {}
    let id = database.value("SELECT correlation_id FROM event_logs WHERE id = 500");
    for (query, index) in [
        (format!("SELECT * FROM audit_stories WHERE correlation_id = '{id}'"), "correlation_id"),
        (
            "SELECT * FROM audit_stories WHERE aggregate_id = audit_aggregate_id('order-4711')"
                .to_owned(),
            "aggregate_id",
        ),
        (format!("SELECT * FROM audit_events WHERE correlation_id = '{id}'"), "correlation_id"),
        (
            "SELECT * FROM audit_events WHERE created_at >= '2026-11-22 15:30'".to_owned(),
            "created_at",
        ),
        ("SELECT * FROM audit_events WHERE event_type = 'OrderShipped'".to_owned(), "event_type"),
    ] {
        let plan = database.rows(&format!("EXPLAIN {query}"));
        let plan: Vec<_> = plan.iter().map(|line| line.join("")).collect();
        let scans: Vec<_> = plan.iter().filter(|line| line.contains("event_logs")).collect();
        let is_walk = |line: &&&String| line.contains("Seq Scan on event_logs");
        assert!(!scans.iter().any(|line| is_walk(&line)), "{query}: {plan:#?}");
        assert!(scans.iter().any(|line| line.contains(index)), "{query}: {plan:#?}");
    }
}

#[test]
fn a_login_with_a_right_on_the_views_alone_reads_them_and_nothing_else() {
    let scope = Sandbox::shared().scope("view_rights");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &crate::support::rows::events("OrderCreated", 3, "2026-11-22 10:00"));
    let role = format!("bi_{}", uuid::Uuid::new_v4().simple());
    database.execute(&format!(
        "CREATE ROLE {role}; GRANT SELECT ON audit_events, audit_stories TO {role}; SET ROLE {role};
         SET search_path = pg_catalog"
    ));
    assert_eq!(database.number("SELECT count(aggregate) FROM public.audit_events"), 3);
    assert_eq!(database.number("SELECT sum(events) FROM public.audit_stories"), 3);
    for table in ["event_logs", "audit_steps", "dead_letters"] {
        let refused = database.try_execute(&format!("SELECT FROM public.{table}"));
        assert!(refused.is_err_and(|error| error.contains("permission denied")), "{table}");
    }
    database.execute(&format!("RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}"));
}

/// The `sql` blocks of a document.
fn examples(document: &str) -> Vec<String> {
    let blocks = document.split("```sql\n").skip(1);
    blocks.filter_map(|block| Some(block.split_once("\n```")?.0.to_owned())).collect()
}

#[test]
fn every_example_of_the_document_on_sql_finds_rows() {
    let scope = Sandbox::shared().scope("sql_examples");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let (orders, letters) =
        (scope.create_topic("orders.events", 1), scope.create_topic("orders.events-dlt", 1));
    let records: Vec<_> = (4_700..4_720)
        .flat_map(|number| {
            let steps = ["OrderCreated", "PaymentCaptured", "OrderConfirmed"];
            let taken = if number == 4_711 { 2 } else { 3 };
            let orders = &orders;
            steps.into_iter().take(taken).zip(1..).map(move |(step, place)| {
                event(orders, number, step, Duration::minutes(i64::from(number - 4_800) + place))
            })
        })
        .collect();
    let letter = Record {
        headers: vec![
            header("kafka_dlt-exception-fqcn", "java.net.SocketTimeoutException"),
            header("kafka_dlt-exception-message", "Read timed out"),
        ],
        ..event(&letters, 4_711, "OrderConfirmed", Duration::minutes(-1))
    };
    let again = records[1].clone();
    let records = [records, vec![letter, again]].concat();
    sandbox::produce(scope.brokers(), &records).unwrap_or_else(|error| panic!("{error}"));
    audit.succeed(&["ingest", "--until-end", "--topics", &format!("{orders},{letters}")]);
    database.execute("SELECT fill_event_counts(1000000)");

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sql.md");
    let examples = examples(&std::fs::read_to_string(path).unwrap_or_default());
    assert!(examples.len() >= 10, "only {} examples were found", examples.len());
    for example in &examples {
        assert!(!database.rows(example).is_empty(), "finds nothing:\n{example}");
    }
    // What they say of this world.
    let answer = |words: &str| {
        let example = examples.iter().find(|example| example.contains(words));
        database.rows(example.unwrap_or_else(|| panic!("no example has {words}")))
    };
    let revenue = answer("AS revenue");
    assert_eq!(revenue[0][..], ["EUR", "246.00", "20"]);
    let stuck = answer("NOT 'OrderConfirmed'");
    assert_eq!(
        (stuck.len(), stuck[0][0].as_str(), stuck[0][3].as_str()),
        (1, "request-4711", "PaymentCaptured")
    );
    let letters = answer("error_class, error_message");
    assert_eq!(letters[0][0], "order-4711");
    assert_eq!(letters[0][3..], ["java.net.SocketTimeoutException", "Read timed out"]);
    let variants = answer("AS variant");
    assert_eq!(variants[0][..2], ["{OrderCreated,PaymentCaptured,OrderConfirmed}", "19"]);
    views_show_the_ids_that_the_program_shows(&audit, &database);
}

fn header(name: &str, value: &str) -> (Content, Option<Content>) {
    (Content(name.into()), Some(Content(value.into())))
}

/// An event of an order, a while before now.
fn event(topic: &str, order: i32, event_type: &str, ago: Duration) -> Record {
    let at = (Utc::now() + ago).to_rfc3339_opts(SecondsFormat::Micros, true);
    let value = serde_json::json!({
        "event_id": uuid::Uuid::now_v7(), "event_type": event_type, "aggregate_id": format!("order-{order}"),
        "correlation_id": format!("request-{order}"), "source_service": "order-service", "occurred_at": at,
        "payload": { "amount": "12.30", "currency": "EUR" },
    });
    Record {
        topic: topic.to_owned(),
        partition: Some(0),
        offset: None,
        timestamp_ms: None,
        key: Some(Content(format!("order-{order}").into())),
        headers: Vec::new(),
        value: Some(Content(value.to_string().into())),
    }
}
