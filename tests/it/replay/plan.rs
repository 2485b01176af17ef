//! The plan comes first, and tells everything.

use std::process::Stdio;
use std::time::{Duration, Instant};

use sandbox::Sandbox;
use serde_json::{Value, json};

use super::{World, event, stderr, stdout};
use crate::support::{GroupReader, capture, wait_until};

#[test]
fn a_dry_run_shows_the_plan_and_sends_nothing() {
    let scope = Sandbox::shared().scope("replay_dry_run");
    let mut world = World::new(&scope, 2);
    world.dead_letters(0..5);
    world.ingest();
    let plan = world.json(&["replay-dlt", "--dry-run"]);
    assert_eq!(
        plan,
        [json!({
            "action": "replay", "from_topic": world.dlt, "to_topic": world.topic,
            "error": "com.example.TimeoutException", "records": 5, "oldest": "2026-11-22T10:00:00.000000Z",
            "newest": "2026-11-22T10:04:00.000000Z", "why": null, "consumer_group": null,
            "warning": format!("no header tells which consumer group failed: whether one reads {} is not known", world.topic),
        })]
    );
    assert_eq!(capture(scope.brokers(), &world.topic), []);
    assert_eq!(world.database.number("SELECT count(*) FROM dlt_replays"), 0);

    // Without Kafka the plan is shown as far as it is known.
    world.audit.brokers = "127.0.0.1:9".to_owned();
    let output = world.replay(&["--dry-run", "-o", "csv"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stderr(&output).contains("whether the topics exist is unknown"), "{}", stderr(&output));
    assert!(stderr(&output).contains("5 to replay"), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 2);
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_sent_and_it_is_wrong_usage() {
    let scope = Sandbox::shared().scope("replay_no_yes");
    let world = World::new(&scope, 1);
    world.dead_letters(0..3);
    world.ingest();
    let output = world.replay(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--yes"), "{}", stderr(&output));
    for wrong in [&["--yes", "--no-dlt"][..], &["--yes", "--dry-run"], &["--status", "--yes"]] {
        assert_eq!(world.replay(wrong).status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(capture(scope.brokers(), &world.topic), []);
    assert_eq!(world.database.number("SELECT count(*) FROM dlt_replays"), 0);
}

#[test]
fn what_can_not_be_replayed_is_shown_with_the_reason_and_the_rest_is_sent() {
    let scope = Sandbox::shared().scope("replay_reasons");
    let world = World::new(&scope, 1);
    world.dead_letters(0..2);
    let mut missing = world.spring_headers(&[0; 8]);
    missing[0].1 = Some(b"a.topic.that.never.was");
    world.producer.send(&world.dlt, None, None, Some(event(2).as_bytes()), &missing);
    missing[0].1 = Some(b"a name that no topic can have");
    world.producer.send(&world.dlt, None, None, Some(event(3).as_bytes()), &missing);
    let retry = scope.create_topic("orders.events-retry-0-dlt", 1);
    world.producer.send(&retry, None, None, Some(event(4).as_bytes()), &[]);
    world.producer.flush();
    world.ingest();
    world.audit.succeed(&["ingest", "--until-end", "--topics", &retry]);
    world.database.execute(
        "INSERT INTO event_logs (id, event_id, event_type, payload, is_dlt, created_at)
         SELECT first_id, gen_random_uuid(), 'ByHand', '{}', true, '2026-11-22' FROM reserve_event_log_ids(1)",
    );

    let reasons = |plan: &[Value]| {
        let mut reasons: Vec<String> = plan
            .iter()
            .map(|group| {
                format!("{} {} {}", group["action"], group["records"], group["why"])
                    .replace('"', "")
            })
            .collect();
        reasons.sort();
        reasons
    };
    let expected = [
        "not replayable 1 neither a header nor the topic's name tells the origin (--to)",
        "not replayable 1 the raw record is not stored",
        "not replayable 1 the target topic does not exist",
        "not replayable 1 the target topic does not exist",
        "replay 2 null",
    ];
    assert_eq!(reasons(&world.json(&["replay-dlt", "--dry-run"])), expected);
    // What can be sent is sent, and the exit code tells that it is not all.
    let output = world.replay(&["--yes", "-o", "json"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let sent: Vec<Value> = serde_json::from_str(&stdout(&output)).unwrap_or_default();
    assert_eq!(reasons(&sent), expected);
    assert_eq!(world.replay(&["--yes"]).status.code(), Some(4), "nothing is left to send");
    assert_eq!(capture(scope.brokers(), &world.topic).len(), 2);

    let already =
        world.json(&["replay-dlt", "--dry-run", "--topic", &world.dlt, "--type", "OrderCreated"]);
    assert!(
        already.iter().any(|group| group["action"] == "already replayed" && group["records"] == 2)
    );
    let other = scope.create_topic("orders.repair", 1);
    world.replay_all(&["--topic", "*retry-0-dlt", "--to", &other]);
    let repaired = capture(scope.brokers(), &other);
    assert_eq!(repaired.len(), 1);
    assert_eq!(repaired[0].value, Some(event(4).into_bytes()));
}

#[test]
fn selectors_and_limit_narrow_it_and_the_next_run_goes_on() {
    let scope = Sandbox::shared().scope("replay_limit");
    let world = World::new(&scope, 1);
    world.dead_letters(0..5);
    world.ingest();
    let output = world.replay(&["--yes", "--type", "PaymentDeclined"]);
    assert!(output.status.success() && stderr(&output).contains("no dead letters match"));
    assert_eq!(
        world.replay(&["--dry-run", "--type", "Payment*", "--fail-on-empty"]).status.code(),
        Some(3)
    );
    let output = world.replay(&["--yes", "--error", "*timeout*", "--fail-on-empty"]);
    assert_eq!(output.status.code(), Some(3), "globs are exact about case: {}", stdout(&output));

    let output = world.replay(&["--yes", "--error", "TimeoutException", "--limit", "2"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("2 to replay, 3 later"), "{}", stderr(&output));
    assert!(stderr(&output).contains("2 of 2 records sent"), "{}", stderr(&output));
    let numbers = || -> Vec<String> {
        let records = capture(scope.brokers(), &world.topic);
        records
            .iter()
            .filter_map(|record| record.key.clone())
            .map(|key| String::from_utf8_lossy(&key).into_owned())
            .collect()
    };
    assert_eq!(numbers(), ["0", "1"]);
    world.replay_all(&[]);
    assert_eq!(numbers(), ["0", "1", "2", "3", "4"]);
    world.replay_all(&[]);
    assert_eq!(numbers().len(), 5);
}

#[test]
fn a_rate_is_roughly_kept() {
    let scope = Sandbox::shared().scope("replay_rate");
    let world = World::new(&scope, 1);
    world.dead_letters(0..60);
    world.ingest();
    let began = Instant::now();
    world.replay_all(&["--rate", "40"]);
    let elapsed = began.elapsed();
    assert_eq!(capture(scope.brokers(), &world.topic).len(), 60);
    assert!(elapsed > Duration::from_millis(1_300), "{elapsed:?}");
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
}

#[test]
fn dead_letters_are_grouped_by_origin_and_error_with_an_example() {
    let scope = Sandbox::shared().scope("dlt_groups");
    let world = World::new(&scope, 1);
    world.dead_letters(0..4);
    let mut other = world.spring_headers(&[0; 8]).to_vec();
    other[3].1 = Some(b"com.example.\x1b[31mPoison");
    other.push(("kafka_dlt-original-consumer-group", Some(b"billing")));
    world.producer.send(&world.dlt, None, None, Some(event(9).as_bytes()), &other);
    world.producer.flush();
    world.ingest();
    world.replay_all(&["--limit", "1"]);
    let groups = world.json(&["dlt"]);
    assert_eq!(
        groups[0],
        json!({
            "origin_topic": world.topic, "consumer_group": null, "exception_class": "com.example.TimeoutException",
            "records": 4, "replayed": 1, "returned": 0, "first_at": "2026-11-22T10:00:00.000000Z",
            "last_at": "2026-11-22T10:03:00.000000Z", "example": "01900000-0000-7000-8000-000000000003",
            "example_message": "the bank did not answer",
        })
    );
    assert_eq!((groups.len(), &groups[1]["consumer_group"]), (2, &json!("billing")));
    assert_eq!(world.json(&["dlt", "--error", "*Poison"]).len(), 1);
    let table = world.audit.succeed(&["dlt"]);
    assert!(table.contains("Poison") && !table.contains('\x1b'), "{table}");
    assert_eq!(world.audit.run(&["dlt", "--columns", "nothing"]).status.code(), Some(2));
    assert_eq!(
        world.audit.run(&["dlt", "--type", "Nothing", "--fail-on-empty"]).status.code(),
        Some(3)
    );
}

#[test]
fn the_plan_warns_where_the_group_that_failed_does_not_read_the_target_or_lags() {
    let scope = Sandbox::shared().scope("replay_readers");
    let mut world = World::new(&scope, 1);
    let group = format!("payment-{}", world.topic);
    let mut headers = world.spring_headers(&[0; 8]).to_vec();
    headers.push(("kafka_dlt-original-consumer-group", Some(group.as_bytes())));
    world.producer.send(&world.dlt, None, Some(b"0"), Some(event(0).as_bytes()), &headers);
    world.producer.flush();
    world.ingest();
    let warning = |world: &World<'_>| {
        let output = world.replay(&["--dry-run", "-o", "json"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let plan: Vec<Value> = serde_json::from_str(&stdout(&output)).unwrap_or_default();
        let warning = plan[0]["warning"].as_str().map(str::to_owned);
        // What the member says, stderr says, too.
        match &warning {
            Some(text) => assert!(stderr(&output).contains(&format!("warning: {text}"))),
            None => assert!(!stderr(&output).contains("warning"), "{}", stderr(&output)),
        }
        assert_eq!(plan[0]["consumer_group"], group);
        warning.unwrap_or_default()
    };
    let topic = world.topic.clone();
    let dead = format!("consumer group {group} does not exist: nobody reads {topic} for it");
    assert_eq!(warning(&world), dead);

    let reader = GroupReader::join(scope.brokers(), &group, "classic", &topic);
    assert_eq!(warning(&world), "");
    for number in 10..13 {
        world.producer.send(&topic, None, None, Some(event(number).as_bytes()), &[]);
    }
    world.producer.flush();
    let unknown = format!("consumer group {group} reads {topic}; it committed no offset there");
    assert!(warning(&world).starts_with(&unknown));
    reader.commit(&topic, &[(0, 1)]);
    let lags = format!(
        "consumer group {group} reads {topic}; replayed records would wait behind 2 records"
    );
    assert_eq!(warning(&world), lags);
    reader.commit(&topic, &[(0, 3)]);
    assert_eq!(warning(&world), "");
    drop(reader);
    let away = format!("consumer group {group} has no live member to read {topic}");
    assert_eq!(warning(&world), away);

    // It is a warning: the replay goes on.
    let output = world.replay(&["--yes"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains(&away), "{}", stderr(&output));
    let sent = "1 of 1 record sent; `audit replay-dlt --status` tells what comes of it";
    assert!(stderr(&output).contains(sent), "{}", stderr(&output));
    world.audit.brokers = "127.0.0.1:9".to_owned();
    let output = world.replay(&["--dry-run", "--again", "-o", "json"]);
    let plan: Vec<Value> = serde_json::from_str(&stdout(&output)).unwrap_or_default();
    let unknown = format!("whether consumer group {group} reads {topic} is not known");
    assert!(plan[0]["warning"].as_str().is_some_and(|text| text.contains(&unknown)), "{plan:?}");
}

#[test]
fn a_replay_does_not_depend_on_a_reader_of_its_plan() {
    let scope = Sandbox::shared().scope("replay_unread");
    let world = World::new(&scope, 1);
    world.dead_letters(0..2);
    world.ingest();
    let mut command = world.audit.command(&["replay-dlt", "--yes"]);
    let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut replay = spawned.unwrap_or_else(|error| panic!("{error}"));
    drop(replay.stdout.take());
    let output = replay.wait_with_output().unwrap_or_else(|error| panic!("{error}"));
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("2 of 2 records sent"), "{}", stderr(&output));
    assert_eq!(capture(scope.brokers(), &world.topic).len(), 2);
}

#[test]
fn a_dead_letter_that_goes_before_it_is_sent_makes_the_replay_incomplete() {
    let scope = Sandbox::shared().scope("replay_vanished");
    let world = World::new(&scope, 1);
    world.dead_letters(0..3);
    world.ingest();
    world.database.execute("ALTER TABLE dead_letters DISABLE TRIGGER ALL");
    let mut replay = world.audit.start(&["replay-dlt", "--yes", "--rate", "1"]);
    wait_until("the first is sent", Duration::from_secs(60), || {
        world.database.number("SELECT count(*) FROM dlt_replays WHERE state = 'sent'") == 1
    });
    world.database.execute(
        "DELETE FROM dead_letters WHERE event_log_id = (SELECT max(event_log_id) FROM dead_letters)",
    );
    let status = replay.wait(Duration::from_secs(60));
    assert_eq!(status.code(), Some(4), "{}", replay.log());
    assert!(replay.log().contains("2 of 3 records sent"), "{}", replay.log());
    assert!(replay.log().contains("no longer stored: 1 record"), "{}", replay.log());
}
