//! Nothing is sent twice, and nothing is left out, whenever a replay ends.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbox::Sandbox;

use super::{World, stderr};
use crate::support::{capture, wait_until};

const LIMIT: Duration = Duration::from_secs(90);

impl World<'_> {
    /// Panics unless the topic holds each of the events once, and the ledger says where.
    fn assert_each_sent_once(&self, count: usize) {
        let records = capture(&self.audit.brokers, &self.topic);
        let mut times: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for record in &records {
            *times.entry(record.key.clone().unwrap_or_default()).or_default() += 1;
        }
        let twice = times.values().filter(|times| **times > 1).count();
        assert_eq!((times.len(), twice), (count, 0), "sent once, sent twice; {:?}", self.states());
        let ledger = self.database.rows(
            "SELECT replay_id, new_partition, new_offset FROM dlt_replays WHERE state = 'sent' ORDER BY new_partition, new_offset",
        );
        let found: Vec<_> = records
            .iter()
            .map(|record| {
                let id = record.header("audit-replay-id").unwrap_or_default();
                vec![id, record.partition.to_string(), record.offset.to_string()]
            })
            .collect();
        assert_eq!(ledger, found);
    }

    fn sent(&self) -> i64 {
        self.database.number("SELECT count(*) FROM dlt_replays WHERE state = 'sent'")
    }
}

#[test]
fn a_replay_that_is_killed_again_and_again_sends_each_event_once() {
    let scope = Sandbox::shared().scope("replay_killed");
    let world = World::new(&scope, 3);
    world.dead_letters(0..20_000);
    world.ingest();
    for round in 1..=2 {
        let mut replay = world.audit.start(&["replay-dlt", "--yes"]);
        wait_until("some are sent", LIMIT, || world.sent() >= round * 4_000);
        replay.kill();
    }
    let before = world.sent();
    assert!(before < 20_000, "it was never interrupted");
    world.replay_all(&[]);
    world.assert_each_sent_once(20_000);
}

#[test]
fn what_had_arrived_before_its_outcome_was_written_is_found_and_not_sent_again() {
    let scope = Sandbox::shared().scope("replay_cut");
    let world = World::new(&scope, 3);
    world.dead_letters(0..600);
    world.ingest();
    world.interrupted_replay(&[]);
    assert_eq!(world.states(), ["pending 250"]);
    assert_eq!(capture(scope.brokers(), &world.topic).len(), 250);
    let plan = world.json(&["replay-dlt", "--dry-run"]);
    let pending: Vec<_> = plan.iter().filter(|group| group["action"] == "pending").collect();
    assert_eq!((pending.len(), &pending[0]["records"]), (1, &serde_json::json!(250)));

    let output = world.replay(&["--yes"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = "an earlier replay was interrupted: of 250 records, 250 had arrived, and 0 had not";
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
    world.assert_each_sent_once(600);
    assert_eq!(world.states(), ["sent 600"]);
}

#[test]
fn what_was_written_down_and_never_sent_is_sent_by_the_next_replay() {
    let scope = Sandbox::shared().scope("replay_unsent");
    let world = World::new(&scope, 3);
    world.dead_letters(0..10);
    world.ingest();
    world.database.execute(&format!(
        "INSERT INTO dlt_replays (replay_id, event_log_id, attempt, requested_by, target_topic, requested_at)
         SELECT gen_random_uuid(), event_log_id, 1, 'test', '{}', now() - interval '1 minute'
           FROM dead_letters ORDER BY event_log_id LIMIT 4",
        world.topic
    ));
    let output = world.replay(&["--yes"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("0 had arrived, and 4 had not"), "{}", stderr(&output));
    assert_eq!(world.states(), ["failed 4", "sent 10"]);
    world.assert_each_sent_once(10);
}

#[test]
fn one_replay_runs_at_a_time_and_an_interrupt_ends_it_between_records() {
    let scope = Sandbox::shared().scope("replay_two");
    let world = World::new(&scope, 1);
    world.dead_letters(0..30);
    world.ingest();
    let mut first = world.audit.start(&["replay-dlt", "--yes", "--rate", "5"]);
    wait_until("the first one sends", LIMIT, || world.sent() >= 2);
    let second = world.replay(&["--yes"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(
        stderr(&second).contains("another replay is running in this database (server process"),
        "{}",
        stderr(&second)
    );
    assert!(world.replay(&["--dry-run"]).status.success(), "looking is always allowed");

    first.signal("INT");
    assert_eq!(first.wait(LIMIT).code(), Some(130));
    let sent = world.sent();
    assert!(sent < 30);
    assert_eq!(world.states(), [format!("sent {sent}")], "nothing is left in between");
    let log = first.log();
    assert!(log.contains(&format!("{sent} of 30 records sent")), "{log}");
    assert!(log.contains(&format!("interrupted; {} records were not sent", 30 - sent)), "{log}");
    world.replay_all(&[]);
    world.assert_each_sent_once(30);
}

#[test]
fn a_broker_that_is_away_is_named_before_anything_is_written_down() {
    let scope = Sandbox::shared().scope("replay_no_broker");
    let mut world = World::new(&scope, 1);
    world.dead_letters(0..3);
    world.ingest();
    let brokers = std::mem::replace(&mut world.audit.brokers, "127.0.0.1:9".to_owned());
    let output = world.replay(&["--yes"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("no Kafka broker answers at 127.0.0.1:9"),
        "{}",
        stderr(&output)
    );
    assert_eq!(world.database.number("SELECT count(*) FROM dlt_replays"), 0);
    world.audit.brokers = brokers;
    world.replay_all(&[]);
    world.assert_each_sent_once(3);
}

#[test]
fn a_broker_that_dies_under_a_replay_leaves_what_is_unclear_to_the_next_one() {
    // Servers of its own: the other tests would notice.
    let sandbox = match Sandbox::start() {
        Ok(sandbox) => sandbox,
        Err(error) => panic!("{error}"),
    };
    if sandbox.kafka().is_given() || sandbox.kafka().is_mock() {
        eprintln!("skipped: only a server of our own can be killed");
        return;
    }
    let scope = sandbox.scope("replay_killed_broker");
    let world = World::new(&scope, 1);
    world.dead_letters(0..300);
    world.ingest();
    let mut replay = world.audit.start(&["replay-dlt", "--yes", "--rate", "100"]);
    wait_until("some are sent", LIMIT, || world.sent() >= 50);
    assert!(sandbox.kafka().kill().is_ok());
    assert_eq!(replay.wait(LIMIT).code(), Some(1));
    assert!(replay.log().contains("records may have arrived or not"), "{}", replay.log());
    let pending = world.database.number("SELECT count(*) FROM dlt_replays WHERE state = 'pending'");
    assert!((1..=10).contains(&pending), "{:?}", world.states());
    assert!(sandbox.kafka().start().is_ok());
    world.replay_all(&[]);
    world.assert_each_sent_once(300);
}
