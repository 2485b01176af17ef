//! `audit tail` on a real PostgreSQL: nothing skipped, nothing doubled, in the order of commits.

use std::process::Stdio;
use std::time::{Duration, Instant};

use sandbox::{Proxy, Sandbox};

use crate::support::rows::{commit, events, insert, record, reserve};
use crate::support::{Audit, Database, Follower, wait_until};

#[test]
fn the_last_rows_come_in_the_order_of_commits_then_the_new_ones_as_they_commit() {
    let scope = Sandbox::shared().scope("tail_order");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let slow = Database::open(&audit.database_url);
    let slow_ids = reserve(&slow, 2);
    slow.execute("BEGIN");
    insert(&slow, &slow_ids, &events("Slow", 2, "2026-11-22"));
    record(&database, &events("A", 3, "2026-11-22"));
    let slower_ids = reserve(&database, 1);
    commit(&slow, &slow_ids);
    record(&database, &events("A", 1, "2026-11-22"));
    let last = |arguments: &[&str]| {
        audit.succeed(
            &[&["tail", "--no-follow", "-o", "csv", "--columns", "id"], arguments].concat(),
        )
    };
    // Batch 1 is 3..=5, batch 2 is 1..=2, batch 3 is 7.
    assert_eq!(last(&[]), "id\n3\n4\n5\n1\n2\n7\n");
    assert_eq!(last(&["-n", "3"]), "id\n1\n2\n7\n");
    assert_eq!(last(&["-n", "4"]), "id\n5\n1\n2\n7\n");
    assert_eq!(last(&["-n", "0"]), "id\n");
    assert_eq!(last(&["-n", "2", "--type", "A"]), "id\n5\n7\n");
    assert_eq!(last(&["--from-batch", "2"]), "id\n1\n2\n7\n");

    let follower = Follower::start(&audit, &["-n", "1"]);
    assert_eq!(follower.id(), 7);
    slow.execute("BEGIN");
    insert(&slow, &slower_ids, &events("Slower", 1, "2026-11-22"));
    assert_eq!(record(&database, &events("B", 2, "2026-11-22")), 8..=9);
    assert_eq!(follower.ids(2), [8, 9]);
    commit(&slow, &slower_ids);
    assert_eq!(follower.ids(1), [6]);
    follower.stop();
}

#[test]
fn who_follows_an_aggregate_is_told_how_to_follow_the_whole_story() {
    let scope = Sandbox::shared().scope("tail_story");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let event = |aggregate: &str, correlation: &str| {
        record(
            &database,
            &format!(
                "SELECT gen_random_uuid(), 'OrderCreated', '{aggregate}'::uuid, 'shop', false, '{{}}'::jsonb,
                        '2026-11-22'::timestamp, {correlation}::uuid"
            ),
        );
    };
    let (order, alone, story) = (
        "00000000-0000-4000-8000-000000000001",
        "00000000-0000-4000-8000-000000000002",
        "00000000-0000-4000-9000-000000000003",
    );
    event(order, &format!("'{story}'"));
    event(alone, "NULL");
    let told = |selectors: &[&str]| {
        let output = audit.run(&[&["tail", "--no-follow"], selectors].concat());
        assert!(output.status.success() && !output.stdout.is_empty(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert_eq!(
        told(&["--aggregate", order]),
        format!(
            "--aggregate follows the aggregate's own events; --correlation {story} follows the whole \
             story\n"
        )
    );
    // Who follows the story already, or an aggregate that has none, is told nothing.
    assert_eq!(told(&["--correlation", story]), "");
    assert_eq!(told(&["--aggregate", alone]), "");
}

#[test]
fn types_that_appear_while_it_follows_are_selected_too() {
    let scope = Sandbox::shared().scope("tail_types");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 1, "2026-11-22"));
    let follower = Follower::start(&audit, &["--type", "*Created"]);
    assert_eq!(follower.id(), 1);
    record(&database, &events("Other", 1, "2026-11-22"));
    record(&database, &events("ShipmentCreated", 1, "2026-11-22"));
    assert_eq!(follower.id(), 3);
    follower.stop();
}

#[test]
fn a_row_is_shown_within_250_milliseconds_of_its_commit() {
    let scope = Sandbox::shared().scope("tail_latency");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("A", 1, "2026-11-22"));
    let follower = Follower::start(&audit, &[]);
    assert_eq!(follower.id(), 1);
    let mut delays: Vec<Duration> = (0..30)
        .map(|_| {
            let ids = record(&database, &events("A", 1, "2026-11-22"));
            let committed = Instant::now();
            let (at, id) = follower.timed_id();
            assert_eq!(id, *ids.start());
            at.saturating_duration_since(committed)
        })
        .collect();
    delays.sort_unstable();
    // The median, because other tests run at the same time.
    assert!(delays[15] < Duration::from_millis(250), "{delays:?}");
    follower.stop();
}

/// What is wrong with a session that should hold nothing; empty where nothing is.
const HELD: &str =
    "SELECT coalesce(string_agg(concat_ws(' ', state, backend_xmin, locks.relation::regclass), ', '), '')
                      FROM pg_stat_activity session LEFT JOIN pg_locks locks USING (pid)
                     WHERE datname = current_database() AND application_name = 'audit tail'
                       AND (state <> 'idle' OR backend_xmin IS NOT NULL OR locks.relation IS NOT NULL)";

#[test]
fn a_reader_that_does_not_read_holds_nothing_in_the_database_and_misses_nothing() {
    let scope = Sandbox::shared().scope("tail_slow");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let mut tail = audit.command(&["tail", "-o", "csv"]);
    let mut tail = tail.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{error}"));
    let limit = Duration::from_secs(30);
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'audit tail'";
    wait_until("it is connected", limit, || database.number(sessions) == 1);
    let mut recorded = Vec::new();
    for _ in 0..20 {
        // Far more than a pipe takes.
        recorded.extend(record(&database, &events("A", 2_000, "2026-11-22")));
    }
    wait_until("it waits for its reader", limit, || database.value(HELD).is_empty());
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(50));
        recorded.extend(record(&database, &events("A", 1, "2026-11-22")));
        assert_eq!(database.value(HELD), "");
    }
    let mut lines = csv::Reader::from_reader(tail.stdout.take().expect("it is a pipe"));
    assert!(lines.headers().is_ok_and(|header| &header[0] == "id"));
    let read: Vec<i64> = lines
        .records()
        .take(recorded.len())
        .map_while(Result::ok)
        .map(|record| record[0].parse().unwrap_or_default())
        .collect();
    drop(lines);
    assert_eq!(read, recorded);
    // Its reader has gone: it ends by itself.
    let status = tail.wait().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(status.code(), Some(0));
}

#[test]
fn connections_that_break_again_and_again_cost_no_row_and_double_none() {
    let scope = Sandbox::shared().scope("tail_cuts");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let port = Sandbox::shared().postgres().port();
    let proxy = Proxy::start(port).unwrap_or_else(|error| panic!("{error}"));
    let database_url =
        audit.database_url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
    assert_ne!(database_url, audit.database_url);
    record(&database, &events("A", 1, "2026-11-22"));
    let follower = Follower::start(&Audit { database_url, ..audit }, &[]);
    assert_eq!(follower.id(), 1);
    let mut recorded = Vec::new();
    for round in 0..40 {
        // Batches that take several reads, so that some are cut in the middle.
        recorded.extend(record(&database, &events("A", 2_000, "2026-11-22")));
        if round % 4 == 0 {
            proxy.cut();
        }
    }
    assert_eq!(follower.ids(recorded.len()), recorded);
    follower.stop();
}
