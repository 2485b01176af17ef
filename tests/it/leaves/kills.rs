//! kill -9 of whoever seals, at any moment: every leaf ends sealed, with each row once.

use std::process::Command;
use std::time::{Duration, Instant};

use sandbox::Sandbox;

use super::{LEAF_SIZE, late_batches, unsealed, wrong_indexes};
use crate::handover::delta::random::Random;
use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Oracle, Producer, wait_until};

const LIMIT: Duration = Duration::from_secs(120);

/// How often something is killed, if `AUDIT_TEST_SEAL_KILLS` does not say it.
const KILLS: usize = 6;

/// How many events are sent before each kill, and how many of them before the leaf is nearly full.
const EVENTS: (usize, usize) = (1_200, 300);

/// How many more rows a leaf has, so that its indexes take a while.
const MORE_ROWS: u32 = 60_000;

/// Where kills hit.
#[derive(Debug, Default)]
struct Hits {
    ingester_before_the_leaf_was_closed: u32,
    ingester_between_closed_and_sealed: u32,
    ingester_behind_that: u32,
    backend_that_builds: u32,
    backend_between_builds: u32,
}

/// Closed and sealed leaves.
fn progress(database: &Database) -> (i64, i64) {
    (
        database.number("SELECT count(closed_at) FROM event_log_leaves"),
        database.number("SELECT count(sealed_at) FROM event_log_leaves"),
    )
}

/// Kills PostgreSQL's process that builds an index, or, where none is seen, another one of the
/// ingester's. PostgreSQL ends all others, and recovers.
fn kill_backend(database: &Database, hits: &mut Hits, random: &mut Random) {
    let began = Instant::now();
    let building = "SELECT coalesce(max(pid), 0) FROM pg_stat_progress_create_index WHERE datname = current_database()";
    let mut pid = 0;
    while pid == 0 && began.elapsed() < Duration::from_secs(4) {
        pid = database.number(building);
    }
    if pid == 0 {
        hits.backend_between_builds += 1;
        pid = database.number(
            "SELECT max(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'audit ingest%'",
        );
    } else {
        std::thread::sleep(random.below(Duration::from_millis(20)));
        hits.backend_that_builds += 1;
    }
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()), "process {pid} can't be killed");
    wait_until("all sessions are ended", LIMIT, || database.try_execute("SELECT 1").is_err());
}

#[test]
fn whoever_is_killed_while_a_leaf_is_sealed_it_ends_sealed_with_each_row_once() {
    // Servers of its own: the other tests would notice.
    let sandbox = Sandbox::start().unwrap_or_else(|error| panic!("{error}"));
    if sandbox.postgres().is_given() {
        eprintln!("skipped: only servers of our own can be killed");
        return;
    }
    let kills = std::env::var("AUDIT_TEST_SEAL_KILLS").ok().and_then(|text| text.parse().ok());
    let scope = sandbox.scope("seal_kills");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 4));
    let producer = Producer::new(scope.brokers());
    let (mut hits, mut random) = (Hits::default(), Random::new());
    // A group of its own needs not wait for the killed member's session to run out.
    let ingest = |round: usize| {
        let group = format!("{topic}-{round}");
        let options = ["--batch-rows", "100", "--batch-wait", "20", "--group", &group];
        audit.start(&[&["ingest", "--topics", &topic][..], &options].concat())
    };
    let rounds = kills.unwrap_or(KILLS);
    for round in 0..rounds {
        let mut ingester = ingest(round);
        let database = Database::open(&audit.database_url);
        let expected =
            |events: usize, fillings: usize| (events + fillings * MORE_ROWS as usize) as i64;
        let sent = round * EVENTS.0;
        producer.native_events(&topic, sent..sent + EVENTS.1);
        wait_until("rows of this leaf", LIMIT, || {
            database.event_count() == expected(sent + EVENTS.1, round)
        });
        record(&database, &events("Filling", MORE_ROWS, "2026-11-22"));
        let before = progress(&database);
        database.execute(&format!(
            "SELECT setval('event_logs_id_seq', (last_value / {LEAF_SIZE} + 1) * {LEAF_SIZE} - 200) FROM event_logs_id_seq"
        ));
        producer.native_events(&topic, sent + EVENTS.1..sent + EVENTS.0);
        if round % 2 == 0 {
            std::thread::sleep(random.below(Duration::from_millis(2_000)));
            ingester.kill();
            *match progress(&database) {
                (closed, _) if closed == before.0 => &mut hits.ingester_before_the_leaf_was_closed,
                (_, sealed) if sealed == before.1 => &mut hits.ingester_between_closed_and_sealed,
                _ => &mut hits.ingester_behind_that,
            } += 1;
            continue;
        }
        kill_backend(&database, &mut hits, &mut random);
        drop(database);
        // The ingester finds the server again, and goes on.
        let mut recovered = None;
        wait_until("the server is there again", LIMIT, || {
            let is_there = audit.run(&["migrate", "--status"]).status.success();
            recovered = is_there.then(|| Database::open(&audit.database_url));
            is_there
        });
        let Some(database) = recovered else { panic!("no connection") };
        wait_until("all rows", LIMIT, || {
            database.event_count() == expected(sent + EVENTS.0, round + 1)
        });
        wait_until("all leaves that are over are sealed", LIMIT, || unsealed(&database) == 0);
        ingester.stop();
    }
    let mut ingester = ingest(rounds);
    let database = Database::open(&audit.database_url);
    let all = (rounds * (EVENTS.0 + MORE_ROWS as usize)) as i64;
    wait_until("all rows", LIMIT, || database.event_count() == all);
    wait_until("all leaves that are over are sealed", LIMIT, || unsealed(&database) == 0);
    ingester.stop();
    eprintln!("{rounds} kills: {hits:?}; {:?} leaves closed and sealed", progress(&database));
    assert!(hits.backend_that_builds > 0, "{hits:?}");
    assert_eq!(wrong_indexes(&database), Vec::<Vec<String>>::new());
    assert_eq!(late_batches(&database), 0);
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
    assert_eq!(audit.schema_findings().1, Vec::<String>::new());
}
