//! Databases that can't hold every character.

use sandbox::Sandbox;

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
