//! Databases that can't hold every character.

use sandbox::Sandbox;

use super::copies::restore;
use crate::support::rows::{events, record};
use crate::support::{Audit, Database};

const LATIN1: &str = "ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'";

#[test]
fn a_database_of_another_encoding_than_utf8_is_not_migrated_and_the_way_out_is_told() {
    let scope = Sandbox::shared().scope("encoding");
    let audit = Audit {
        database_url: scope.database_with("latin1", LATIN1),
        brokers: scope.brokers().to_owned(),
    };
    for arguments in [&["migrate"][..], &["migrate", "--roles"]] {
        let output = audit.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("is LATIN1") && stderr.contains("ENCODING 'UTF8'"), "{stderr}");
    }
    let database = Database::open(&audit.database_url);
    assert_eq!(database.value("SELECT to_regclass('event_logs')"), "∅");
}

#[test]
fn a_database_of_another_encoding_that_has_the_schema_is_read_and_no_longer_recorded_to() {
    let scope = Sandbox::shared().scope("old_encoding");
    let audit = Audit::migrated(&scope);
    record(&Database::open(&audit.database_url), &events("OrderCreated", 3, "2026-11-22"));
    let old = Audit { database_url: scope.database_with("latin1", LATIN1), ..audit.clone() };
    restore(&audit.database_url, &old.database_url);
    let topic = scope.create_topic("orders.events", 1);
    for arguments in [&["ingest", "--topics", &topic][..], &["replay-dlt", "--yes"], &["migrate"]] {
        let output = old.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.contains("is LATIN1") && stderr.contains("ENCODING 'UTF8'"), "{stderr}");
    }
    for arguments in [&["status"][..], &["verify"]] {
        let output = old.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_ne!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.contains("is LATIN1"), "{arguments:?}: {stderr}");
    }
    assert_eq!(old.succeed(&["query", "-o", "csv", "--columns", "id"]).lines().count(), 4);
}
