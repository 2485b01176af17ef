//! What came of a replay: every command says the same.

use sandbox::Sandbox;
use serde_json::{Value, json};

use super::{Header, World, event, stderr};
use crate::support::capture;

/// The id of the event with this number.
fn event_id(number: usize) -> String {
    member(number, "event_id")
}

fn member(number: usize, name: &str) -> String {
    let event: Value = serde_json::from_str(&event(number)).unwrap_or_default();
    event[name].as_str().unwrap_or_default().to_owned()
}

impl World<'_> {
    /// A consumer takes the replayed record, fails again, and dead-letters it as it came.
    fn fail_again(&self, number: usize) {
        let key = number.to_string().into_bytes();
        for record in capture(&self.audit.brokers, &self.topic) {
            if record.key.as_deref() != Some(&key) {
                continue;
            }
            let own: Vec<(String, Option<Vec<u8>>)> = record
                .headers
                .iter()
                .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.clone()))
                .collect();
            let errors = self.spring_headers(&[0; 8]);
            let headers: Vec<Header<'_>> = own
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_deref()))
                .chain(errors)
                .collect();
            self.producer.send(&self.dlt, None, Some(&key), record.value.as_deref(), &headers);
        }
        self.producer.flush();
    }

    /// Sends an event that names another as its cause.
    fn publish(&self, topic: &str, event_id: &str, more: &Value) {
        let mut event = json!({"event_id": event_id, "event_type": "OrderConfirmed",
            "source_service": "order-service", "payload": {}});
        if let (Some(event), Some(more)) = (event.as_object_mut(), more.as_object()) {
            event.extend(more.clone());
        }
        self.producer.send(topic, None, None, Some(event.to_string().as_bytes()), &[]);
        self.producer.flush();
    }

    /// The states of an event's replays, the oldest first, as the ledger's view has them.
    fn states_of(&self, number: usize) -> Vec<String> {
        let rows = self.database.rows(&format!(
            "SELECT replay.state FROM dlt_replay_outcomes replay JOIN event_logs event ON event.id = replay.event_log_id
              WHERE event.event_id = '{}' ORDER BY replay.requested_at",
            event_id(number)
        ));
        rows.into_iter().flatten().collect()
    }

    /// Replays one event, interrupted between Kafka's answer and the ledger's outcome.
    fn interrupt_replay(&self, number: usize) {
        self.interrupted_replay(&["--event-id", &event_id(number)]);
    }
}

/// Panics unless every command says that this came of the event's only replay.
fn assert_everywhere(world: &World<'_>, number: usize, state: &str, planned: &str, why: &str) {
    let id = event_id(number);
    assert_eq!(world.states_of(number), [state], "the view, event {number}");

    let status = world.json(&["replay-dlt", "--status", "--event-id", &id]);
    assert_eq!(status.len(), 1);
    assert_eq!(status[0]["state"], state, "--status -o json");
    for format in ["ndjson", "csv", "table"] {
        let arguments = ["replay-dlt", "--status", "--event-id", &id, "-o", format];
        let text = world.audit.succeed(&arguments);
        assert!(text.contains(state), "--status -o {format}: {text}");
    }

    let shown: Value = serde_json::from_str(&world.audit.succeed(&["show", &id, "-o", "json"]))
        .unwrap_or_default();
    assert_eq!(shown["replays"].as_array().map(Vec::len), Some(1), "{shown}");
    for name in ["state", "error", "returned_as", "new_partition", "new_offset", "replay_id"] {
        assert_eq!(shown["replays"][0][name], status[0][name], "show -o json: {name}");
    }
    let target = status[0]["target_topic"].as_str().unwrap_or_default();
    let said = format!("to {target}: {state}");
    let text = world.audit.succeed(&["show", &id]);
    let line = text.lines().find(|line| line.starts_with("replay")).unwrap_or_default();
    assert!(line.contains(&said), "show: {text}");

    for format in ["table", "json", "ndjson", "csv", "mermaid"] {
        let text = world.audit.succeed(&["trace", &id, "-o", format]);
        // A colon means something to Mermaid.
        let said = if format == "mermaid" { said.replace(':', "#58;") } else { said.clone() };
        assert!(text.contains(&said), "trace -o {format}: {text}");
        let states = ["pending", "sent", "failed", "returned", "processed"];
        for other in states.into_iter().filter(|other| *other != state) {
            let other = said.replace(state, other);
            assert!(!text.contains(&other), "trace -o {format} says {other}, too: {text}");
        }
    }

    let replayed: i64 = world
        .json(&["dlt", "--event-id", &id])
        .iter()
        .filter_map(|group| group["replayed"].as_i64())
        .sum();
    assert_eq!(replayed, i64::from(state != "failed"), "dlt");

    let plan = world.json(&["replay-dlt", "--dry-run", "--event-id", &id]);
    assert!(
        plan.iter().any(|group| group["action"] == planned
            && group["why"].as_str().unwrap_or_default().contains(why)),
        "the plan: {plan:?}"
    );
}

#[test]
fn every_command_says_the_same_about_a_replay_in_each_state() {
    let scope = Sandbox::shared().scope("replay_outcomes");
    let world = World::new(&scope, 1);
    world.dead_letters(0..3);
    // One that its topic refuses, and one whose replay is interrupted.
    let small = scope.create_topic_with("small.events", 1, &[("max.message.bytes", "600")]);
    let mut headers = world.spring_headers(&[0; 8]);
    headers[0].1 = Some(small.as_bytes());
    let large = event(3).replace("{\"number\":3}", &format!("{{\"x\":\"{}\"}}", "x".repeat(900)));
    world.producer.send(&world.dlt, None, Some(b"3"), Some(large.as_bytes()), &headers);
    world.dead_letters(4..5);
    world.ingest();
    let ids: Vec<String> = (0..4).map(event_id).collect();
    let output = world.replay(&[
        "--yes",
        "--event-id",
        &ids[0],
        "--event-id",
        &ids[1],
        "--event-id",
        &ids[2],
        "--event-id",
        &ids[3],
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    world.fail_again(2);
    let cause = json!({"correlation_id": member(1, "correlation_id"), "causation_id": ids[1]});
    world.publish(&world.topic, "01920000-0000-7000-8000-000000000001", &cause);
    world.ingest();
    world.interrupt_replay(4);

    assert_everywhere(&world, 0, "sent", "already replayed", "sent, and has not come back");
    assert_everywhere(&world, 1, "processed", "already replayed", "processed");
    assert_everywhere(
        &world,
        2,
        "returned",
        "already replayed",
        "came back as a later dead letter",
    );
    assert_everywhere(&world, 3, "failed", "replay", "");
    assert_everywhere(&world, 4, "pending", "pending", "interrupted");
}

#[test]
fn only_an_event_that_is_new_after_the_replay_proves_that_it_was_processed() {
    let scope = Sandbox::shared().scope("replay_effects");
    let world = World::new(&scope, 1);
    world.dead_letters(0..3);
    // Dead letters whose story is that of an aggregate.
    for number in 3..5 {
        let mut event: Value = serde_json::from_str(&event(number)).unwrap_or_default();
        event["correlation_id"] = Value::Null;
        let headers = world.spring_headers(&[0; 8]);
        world.producer.send(&world.dlt, None, None, Some(event.to_string().as_bytes()), &headers);
    }
    // Another consumer group had processed it long before.
    let early = "01920000-0000-7000-8000-00000000000a";
    let cause = |number: usize| json!({"correlation_id": member(number, "correlation_id"), "causation_id": event_id(number)});
    world.publish(&world.topic, early, &cause(0));
    world.ingest();
    world.replay_all(&[]);

    world.publish(&world.topic, early, &cause(0));
    world.publish(&world.dlt, "01920000-0000-7000-8000-00000000000b", &cause(1));
    let upper = json!({"correlation_id": member(2, "correlation_id"),
        "causation_id": event_id(2).to_uppercase()});
    world.publish(&world.topic, "01920000-0000-7000-8000-00000000000c", &upper);
    let by_aggregate =
        json!({"aggregate_id": member(3, "aggregate_id"), "causation_id": event_id(3)});
    world.publish(&world.topic, "01920000-0000-7000-8000-00000000000d", &by_aggregate);
    // Of another story: it says nothing of this one.
    let elsewhere = json!({"aggregate_id": member(0, "aggregate_id"), "causation_id": event_id(4)});
    world.publish(&world.topic, "01920000-0000-7000-8000-00000000000e", &elsewhere);
    world.ingest();
    let states: Vec<_> = (0..5).flat_map(|number| world.states_of(number)).collect();
    assert_eq!(states, ["sent", "sent", "processed", "processed", "sent"]);
}

#[test]
fn a_replay_that_was_taken_for_failed_and_came_back_stands_for_its_event() {
    let scope = Sandbox::shared().scope("replay_late");
    let world = World::new(&scope, 1);
    world.dead_letters(0..1);
    world.ingest();
    world.replay_all(&[]);
    world.fail_again(0);
    world.ingest();
    // The record arrived after the replay had been given up.
    world.database.execute(
        "UPDATE dlt_replays SET state = 'failed', new_partition = NULL, new_offset = NULL,
                error = 'interrupted before it was sent'",
    );
    assert_everywhere(
        &world,
        0,
        "returned",
        "already replayed",
        "came back as a later dead letter",
    );
    world.replay_all(&[]);
    let attempts = world.json(&["replay-dlt", "--status"]);
    let attempts: Vec<&Value> = attempts.iter().map(|replay| &replay["attempt"]).collect();
    assert_eq!(attempts, [2, 1], "only the later dead letter is sent");
}
