//! Who sent what, and what came of it.

use sandbox::Sandbox;
use serde_json::{Value, json};

use super::{Header, World, event, stderr};
use crate::support::capture;

#[test]
fn a_poison_event_is_parked_after_three_replays() {
    let scope = Sandbox::shared().scope("replay_poison");
    let world = World::new(&scope, 2);
    world.dead_letters(0..1);
    let mut read = 0;
    for round in 1..=3 {
        world.ingest();
        world.replay_all(&["--reason", "a new version"]);
        // A consumer that fails again: the record as it came, and its own error headers behind.
        let records = capture(scope.brokers(), &world.topic);
        assert_eq!(records.len(), round, "round {round}");
        for record in &records[read..] {
            let own: Vec<(String, Option<Vec<u8>>)> = record
                .headers
                .iter()
                .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.clone()))
                .collect();
            let errors = world.spring_headers(&[0; 8]);
            let headers: Vec<Header<'_>> = own
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_deref()))
                .chain(errors)
                .collect();
            world.producer.send(
                &world.dlt,
                None,
                record.key.as_deref(),
                record.value.as_deref(),
                &headers,
            );
        }
        read = records.len();
        world.producer.flush();
    }
    world.ingest();
    let output = world.replay(&["--yes"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("0 to replay, 3 already replayed, 1 parked"),
        "{}",
        stderr(&output)
    );
    assert_eq!(capture(scope.brokers(), &world.topic).len(), 3);
    assert_eq!(world.states(), ["returned 3"]);

    let status = world.json(&["replay-dlt", "--status"]);
    let attempts: Vec<&Value> = status.iter().map(|replay| &replay["attempt"]).collect();
    assert_eq!(attempts, [3, 2, 1], "the newest first");
    assert!(
        status
            .iter()
            .all(|replay| replay["state"] == "returned" && replay["reason"] == "a new version")
    );
    assert_eq!(status[2]["returned_as"], status[1]["event_log_id"]);
    assert_eq!(world.json(&["dlt"])[0]["returned"], 3);

    world.replay_all(&["--max-replays", "4"]);
    let records = capture(scope.brokers(), &world.topic);
    assert_eq!(records.len(), 4);
    let last: Vec<_> = records
        .iter()
        .filter(|record| record.header("audit-replay-attempt").as_deref() == Some("4"))
        .collect();
    let marks = last[0].headers.iter().filter(|(name, _)| name.starts_with(b"audit-replay-"));
    assert_eq!((last.len(), marks.count()), (1, 2), "the marks of earlier replays are replaced");
}

#[test]
fn status_tells_what_came_of_each_replay() {
    let scope = Sandbox::shared().scope("replay_status");
    let world = World::new(&scope, 1);
    world.dead_letters(0..2);
    // One that its topic refuses: it is larger than the topic takes.
    let small = scope.create_topic_with("small.events", 1, &[("max.message.bytes", "2000")]);
    let mut headers = world.spring_headers(&[0; 8]);
    headers[0].1 = Some(small.as_bytes());
    world.producer.send(&world.dlt, None, Some(b"2"), Some("x".repeat(5_000).as_bytes()), &headers);
    world.producer.send(&world.dlt, None, Some(b"3"), Some(event(3).as_bytes()), &headers);
    world.producer.flush();
    world.ingest();
    let output = world.replay(&["--yes"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("3 of 4 records sent, 1 failed"), "{}", stderr(&output));
    assert_eq!(capture(scope.brokers(), &small).len(), 1);

    // The consumer of the first event names it as the cause of what it publishes.
    let caused: Value = serde_json::from_str(&event(0)).unwrap_or_default();
    let caused = json!({
        "event_id": "01920000-0000-7000-8000-000000000000", "event_type": "OrderConfirmed",
        "correlation_id": caused["correlation_id"], "causation_id": caused["event_id"],
        "source_service": "order-service", "payload": {},
    });
    world.producer.send(&world.topic, None, None, Some(caused.to_string().as_bytes()), &[]);
    world.producer.flush();
    world.ingest();
    let status = world.json(&["replay-dlt", "--status"]);
    let mut states: Vec<String> = status
        .iter()
        .map(|replay| format!("{} {}", replay["event_type"], replay["state"]).replace('"', ""))
        .collect();
    states.sort();
    assert_eq!(
        states,
        [
            "OrderCreated processed",
            "OrderCreated sent",
            "OrderCreated sent",
            "audit.Quarantined failed"
        ]
    );
    let failed: Vec<&Value> = status.iter().filter(|replay| replay["state"] == "failed").collect();
    assert!(
        failed[0]["error"].as_str().is_some_and(|error| error.contains("too large")),
        "{failed:?}"
    );
    assert_eq!(world.json(&["replay-dlt", "--status", "--type", "OrderCreated"]).len(), 3);
    let output = world.replay(&["--status"]);
    let sum = "4 replays: 1 processed, 1 failed, 2 sent\n";
    assert!(stderr(&output).ends_with(sum), "{}", stderr(&output));
    let output = world.replay(&["--status", "--limit", "1", "--type", "OrderCreated"]);
    let sum = "1 replay shown: 1 ";
    assert!(stderr(&output).starts_with(sum), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("; more match; show more with --limit"),
        "{}",
        stderr(&output)
    );

    // A failed replay never reached Kafka: it is tried again, under the same number.
    assert_eq!(world.replay(&["--yes"]).status.code(), Some(1));
    assert_eq!(world.states(), ["failed 2", "processed 1", "sent 2"]);
    assert_eq!(world.database.value("SELECT max(attempt) FROM dlt_replays"), "1");
}

#[test]
fn the_ledger_says_who_sent_it_and_where_it_is() {
    let scope = Sandbox::shared().scope("replay_ledger");
    let world = World::new(&scope, 1);
    world.dead_letters(0..1);
    world.ingest();
    world.audit.succeed(&["migrate", "--roles"]);
    // The role may do all that a replay needs. It belongs to the whole server, so its name is this
    // test's own.
    let role = format!("operator_{}", uuid::Uuid::new_v4().simple());
    world
        .database
        .execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'x' IN ROLE audit_replayer"));
    let Some((_, server)) = world.audit.database_url.split_once('@') else {
        panic!("a URL without a user")
    };
    let mut command = world.audit.command(&["replay-dlt", "--yes", "--reason", "bank is back"]);
    command.env("AUDIT_DATABASE_URL", format!("postgres://{role}:x@{server}")).env("USER", "anna");
    let output = command.output().unwrap_or_else(|error| panic!("{error}"));
    let rows = world.database.rows(
        "SELECT split_part(requested_by, '@', 1), database_role, reason, state, target_topic, new_partition,
                new_offset, error, resolved_at >= requested_at FROM dlt_replays",
    );
    world.database.execute(&format!("DROP ROLE {role}"));
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(rows, [["anna", &role, "bank is back", "sent", &world.topic, "0", "0", "∅", "t"]]);
    let record = &capture(scope.brokers(), &world.topic)[0];
    assert_eq!(
        record.header("audit-replay-id"),
        Some(world.database.value("SELECT replay_id FROM dlt_replays"))
    );
}
