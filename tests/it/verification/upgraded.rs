//! A record that moves to a newer major version of PostgreSQL, by a dump.

use std::io::Write;
use std::path::Path;

use sandbox::{Postgres, Sandbox};

use super::world::{World, pour};
use crate::support::{Audit, Database};

/// A server of version 17, or `None` where it can't be had, which is said; in CI that is a failure.
fn newer() -> Option<Postgres> {
    match Sandbox::shared().postgres_17("newer") {
        Ok(server) => Some(server),
        Err(reason) if in_ci() => panic!("PostgreSQL 17: {reason}"),
        Err(reason) => {
            // Past the capture of what tests print: a test that restores nothing must say so.
            let line = format!("skipped: a restore into PostgreSQL 17: {reason}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
            None
        }
    }
}

fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !["", "0", "false"].contains(&&*value))
}

#[test]
fn a_dump_that_is_restored_into_postgresql_17_is_as_it_was_recorded() {
    let Some(newer) = newer() else { return };
    let scope = Sandbox::shared().scope("verify_upgraded");
    let world = World::recorded(&scope);
    let (folder, given) = world.signed();
    // A dead letter, and a row of the last batch that is no dead letter.
    let rows = [
        "SELECT max(event_log_id) FROM dead_letters",
        "SELECT max(id) FROM event_logs WHERE NOT is_dlt",
    ];
    let rows = rows.map(|sql| world.database.value(sql));
    let prove = |audit: &Audit, row: &str| {
        audit.succeed(&["evidence", "prove", row, "--checkpoint", &given[1]])
    };
    let before = rows.each_ref().map(|row| prove(&world.audit, row));
    world.audit.succeed(&["verify", &given[0], &given[1], &given[2], &given[3]]);

    newer.create_database("upgraded").unwrap();
    let upgraded = Audit { database_url: newer.url("upgraded"), ..world.audit.clone() };
    pour(&world.audit.database_url, &upgraded.database_url);
    let restored = Database::open(&upgraded.database_url);
    assert!(restored.value("SHOW server_version").starts_with("17."));
    let verify = || {
        let output = upgraded.run(&["verify", &given[0], &given[1], &given[2], &given[3]]);
        let text =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (output.status.code(), text.concat())
    };
    let (code, text) = verify();
    assert_eq!(code, Some(0), "restored: {text}");

    // The proof is the same to the byte, and holds.
    assert_eq!(rows.each_ref().map(|row| prove(&upgraded, row)), before);
    for proof in &before {
        let path = folder.path().join("proof").display().to_string();
        std::fs::write(Path::new(&path), proof).unwrap();
        upgraded.succeed(&["evidence", "check", &path, "--vkey", &given[3]]);
    }

    // Were nothing compared there, this would pass as well.
    restored.execute(&format!(
        "ALTER TABLE dead_letters DISABLE TRIGGER append_only;
         UPDATE dead_letters SET exception_message = exception_message || '.' WHERE event_log_id = {};
         ALTER TABLE dead_letters ENABLE ALWAYS TRIGGER append_only",
        rows[0]
    ));
    let (code, text) = verify();
    assert_eq!(code, Some(5), "changed: {text}");
    assert!(text.contains(&format!("row {}", rows[0])), "{text}");
}
