//! A writer that stays outlives a database or a store that goes away for a while.

use std::time::Duration;

use sandbox::{Peculiarities, Sandbox};

use super::bucket::Bucket;
use super::server::SECRET;
use super::table::{LakeTable, approve};
use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Running, wait_until};

const LIMIT: Duration = Duration::from_secs(120);

/// Each append is a version soon after the rows are there.
const FOLLOW: [&str; 3] = ["--follow", "--min-rows", "1"];

/// How often it said so.
fn said(writer: &Running, what: &str) -> usize {
    writer.log().matches(what).count()
}

#[test]
fn a_database_that_is_restarted_is_waited_for() {
    let server = Sandbox::shared().another_postgres("lake", Peculiarities::default());
    let server = server.unwrap_or_else(|error| panic!("{error}"));
    assert!(server.create_database("lake").is_ok());
    let audit = Audit { database_url: server.url("lake"), brokers: String::new() };
    audit.succeed(&["migrate"]);
    record(&Database::open(&audit.database_url), &events("OrderCreated", 5, "2026-11-22"));
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let url = folder.path().to_str().unwrap_or_default();
    let mut writer = audit.start(&[&["export", "--delta", url], &FOLLOW[..]].concat());
    let has = |rows| LakeTable::find(folder.path()).is_some_and(|table| table.ids().len() == rows);
    wait_until("the first rows", LIMIT, || has(5));
    for restarts in 1..=3 {
        assert!(server.stop().is_ok());
        wait_until("it says so", LIMIT, || said(&writer, "trying again") == restarts);
        assert!(server.start().is_ok());
        let database = Database::open(&audit.database_url);
        record(&database, &events("OrderCreated", 5, "2026-11-22"));
        wait_until("the new rows", LIMIT, || has(5 + 5 * restarts));
        wait_until("it says so", LIMIT, || said(&writer, "going on behind batch") == restarts);
    }
    approve(&LakeTable::read(folder.path()), &Database::open(&audit.database_url));
    writer.stop();
}

#[test]
fn a_store_that_is_away_is_waited_for_and_one_that_refuses_ends_it() {
    let scope = Sandbox::shared().scope("delta_outage");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let bucket = Bucket::new();
    record(&database, &events("OrderCreated", 5, "2026-11-22"));
    let mut writer = Running::start(&mut bucket.export(&audit, &FOLLOW));
    let has = |rows| bucket.find().is_some_and(|table| table.ids().len() == rows);
    wait_until("the first rows", LIMIT, || has(5));

    bucket.server.set_away(true);
    record(&database, &events("OrderCreated", 5, "2026-11-22"));
    wait_until("it says so", LIMIT, || said(&writer, "trying again") == 1);
    assert!(writer.log().contains("s3://lake/a/table/"), "{}", writer.log());
    bucket.server.set_away(false);
    wait_until("the new rows", LIMIT, || has(10));
    wait_until("it says so", LIMIT, || said(&writer, "going on behind batch 2") == 1);

    // A signal ends it also while it waits.
    bucket.server.set_away(true);
    record(&database, &events("OrderCreated", 5, "2026-11-22"));
    wait_until("it says so", LIMIT, || said(&writer, "trying again") == 2);
    writer.stop();
    bucket.server.set_away(false);

    let mut writer = Running::start(&mut bucket.export(&audit, &FOLLOW));
    wait_until("the rows that it missed", LIMIT, || has(15));
    bucket.server.forbid();
    record(&database, &events("OrderCreated", 5, "2026-11-22"));
    assert_eq!(writer.wait(LIMIT).code(), Some(1));
    assert!(!writer.log().contains(SECRET), "{}", writer.log());
    assert_eq!(said(&writer, "trying again"), 0);
    assert_eq!(bucket.table().ids().len(), 15);
}
