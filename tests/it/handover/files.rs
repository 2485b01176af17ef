//! One file: whole, in order, of one snapshot, and compressed as its name says.

use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};
use std::time::Duration;

use sandbox::Sandbox;

use super::folder::Folder;
use crate::support::rows::{commit, events, insert, record, reserve};
use crate::support::{Audit, Database, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

const COLUMNS: &str =
    "id, event_id, event_type, aggregate_id, source_service, is_dlt, payload, created_at";

/// What COPY writes of all rows for which a condition holds, by id.
fn copied(database: &Database, condition: &str) -> String {
    database.copy_out(&format!(
        "COPY (SELECT {COLUMNS} FROM event_logs WHERE {condition} ORDER BY id) TO STDOUT (FORMAT csv, HEADER)"
    ))
}

/// How many sessions of the exporter the database has.
fn sessions(database: &Database) -> i64 {
    database.number(
        "SELECT count(*) FROM pg_stat_activity
          WHERE application_name = 'audit export' AND datname = current_database()",
    )
}

#[test]
fn rows_that_several_sessions_read_are_of_one_snapshot_and_as_if_one_had_read_them() {
    let scope = Sandbox::shared().scope("handover_whole");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    // Holes between batches, one of them wider than what is read at once.
    let late = reserve(&database, 20_000);
    record(&database, &events("OrderCreated", 70_000, "2026-11-22"));
    reserve(&database, 3);
    record(&database, &events("OrderShipped", 50_001, "2026-11-23"));
    database.execute("ANALYZE event_logs");
    let before = copied(&database, "true");

    let spawned = audit.command(&["export"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.unwrap_or_else(|error| panic!("{error}"));
    // Nobody reads the pipe yet.
    wait_until("several sessions read", LIMIT, || sessions(&database) > 1);
    database.execute("BEGIN");
    insert(&database, &(*late.start()..=late.start() + 9), &events("Late", 10, "2026-11-24"));
    commit(&database, &(*late.start()..=late.start() + 9));
    record(&database, &events("Later", 10, "2026-11-24"));
    let mut exported = String::new();
    let read = child.stdout.take().map(|mut stdout| stdout.read_to_string(&mut exported));
    assert!(matches!(read, Some(Ok(_))), "{read:?}");
    assert!(child.wait().is_ok_and(|status| status.success()));
    assert!(exported == before, "the rows are not those of the snapshot, by id");

    let folder = Folder::new();
    audit.succeed(&["export", &folder.path("all.csv")]);
    let all = copied(&database, "true");
    assert!(folder.text("all.csv") == all, "a file differs from COPY");
    assert_eq!(folder.names(), ["all.csv", "all.csv.manifest.json"]);

    // Rotated, too: the files one after the other are the rows in order.
    audit.succeed(&["export", &folder.path("parts"), "-o", "csv", "--rotate", "50000"]);
    let header = all.lines().next().unwrap_or_default();
    let parts = ["events-000000.csv", "events-000001.csv", "events-000002.csv"]
        .map(|name| folder.text(&format!("parts/{name}")));
    let rows = parts.each_ref().map(|part| part.lines().count() - 1);
    assert_eq!(rows, [50_000, 50_000, 20_021]);
    let body = |part: &String| {
        part.split_once('\n').map(|(first, rest)| {
            assert_eq!(first, header);
            rest.to_owned()
        })
    };
    let joined: String = parts.iter().filter_map(body).collect();
    assert!(format!("{header}\n{joined}") == all, "the parts together differ from COPY");

    let limited = audit.run(&["export", "--limit", "70011"]);
    let limited_rows = String::from_utf8_lossy(&limited.stdout).into_owned();
    assert!(all.starts_with(&limited_rows) && limited_rows.lines().count() == 70_012);
    let said = String::from_utf8_lossy(&limited.stderr).into_owned();
    assert!(
        said.contains("only the first 70,011 rows written") || said.contains("70011"),
        "{said}"
    );
}

#[test]
fn few_rows_of_many_are_asked_for_at_once() {
    let scope = Sandbox::shared().scope("handover_narrow");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 105_000, "2026-11-22"));
    record(&database, &events("OrderShipped", 15_000, "2026-11-23"));
    database.execute("ANALYZE event_logs");
    let spawned =
        audit.command(&["export", "--type", "OrderShipped"]).stdout(Stdio::piped()).spawn();
    let mut child = spawned.unwrap_or_else(|error| panic!("{error}"));
    // Whether the server has sent all of it already depends on how much the sockets hold.
    let reading = "SELECT count(*) FROM pg_stat_activity
                    WHERE application_name = 'audit export' AND datname = current_database()
                      AND query LIKE '%FROM event_logs event%ORDER BY event.id%'
                      AND query NOT LIKE 'EXPLAIN%'";
    wait_until("it reads", LIMIT, || database.number(reading) == 1);
    assert_eq!(sessions(&database), 1);
    let mut exported = String::new();
    let read = child.stdout.take().map(|mut stdout| stdout.read_to_string(&mut exported));
    assert!(matches!(read, Some(Ok(_))), "{read:?}");
    assert!(child.wait().is_ok_and(|status| status.success()));
    assert!(exported == copied(&database, "event_type = 'OrderShipped'"));
}

#[test]
fn an_ending_compresses_and_the_usual_tools_unpack() {
    let scope = Sandbox::shared().scope("handover_packed");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 500, "2026-11-22"));
    let folder = Folder::new();
    for format in ["csv", "ndjson", "json"] {
        let plain = audit.succeed(&["export", "-o", format]);
        for packing in ["gz", "zst"] {
            let name = format!("events.{format}.{packing}");
            audit.succeed(&["export", &folder.path(&name)]);
            assert_eq!(folder.text(&name), plain, "{name}");
            let size = std::fs::metadata(folder.path(&name)).map_or(u64::MAX, |found| found.len());
            assert!(size < plain.len() as u64 / 2, "{name} has {size} bytes");
        }
    }
    let unpacked = Command::new("gzip").args(["-dc", &folder.path("events.csv.gz")]).output();
    let unpacked = unpacked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    assert_eq!(unpacked.ok(), Some(audit.succeed(&["export"])));
    // -o comes before the ending, and the compression stays.
    audit.succeed(&["export", &folder.path("rows.txt.gz"), "-o", "ndjson"]);
    assert!(folder.text("rows.txt.gz").starts_with("{\"id\":1,"));
    for wrong in ["events.parquet.gz", "events.gz", "events.xlsx", "events"] {
        assert_eq!(audit.run(&["export", &folder.path(wrong)]).status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn a_file_replaces_another_one_whole_and_keeps_its_mode_and_its_link() {
    let scope = Sandbox::shared().scope("handover_replace");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 3, "2026-11-22"));
    let folder = Folder::new();
    let export = |name: &str| audit.succeed(&["export", &folder.path(name)]);
    let mode = |name: &str| {
        std::fs::metadata(folder.path(name)).map_or(0, |found| found.permissions().mode() & 0o777)
    };
    let all = audit.succeed(&["export"]);

    // The umask decides of a new file.
    let script = format!("umask 027; \"$0\" export {}", folder.path("new.csv"));
    let made = audit.shell(&script).status();
    assert!(made.is_ok_and(|status| status.success()));
    assert_eq!((mode("new.csv"), mode("new.csv.manifest.json")), (0o640, 0o640));

    folder.write("secret.csv", "a longer text than what comes".repeat(1_000));
    let closed =
        std::fs::set_permissions(folder.path("secret.csv"), std::fs::Permissions::from_mode(0o600));
    assert!(closed.is_ok());
    export("secret.csv");
    assert_eq!((folder.text("secret.csv"), mode("secret.csv")), (all.clone(), 0o600));

    folder.make("elsewhere");
    folder.write("elsewhere/there.csv", "before");
    for (link, target) in [("there.csv", "there.csv"), ("new-link.csv", "not-yet.csv")] {
        let target = format!("elsewhere/{target}");
        assert!(symlink(&target, folder.path(link)).is_ok());
        export(link);
        assert_eq!(std::fs::read_link(folder.path(link)).ok(), Some(target.clone().into()));
        assert_eq!(folder.text(&target), all);
        audit.succeed(&["export", "--check", &folder.path(link)]);
    }
    assert!(folder.names().iter().all(|name| !name.contains("/.") && !name.starts_with('.')));
}
