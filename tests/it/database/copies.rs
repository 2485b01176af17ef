//! Copies of a database: they notice that they are copies, and wait to be told what they are.

use std::process::{Command, Stdio};

use sandbox::{Sandbox, Scope};

use crate::support::{Audit, Database, Oracle, Producer};

/// The name of the database that a URL leads to.
fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

/// An audit of a topic, of which 100 records are recorded.
fn recorded(scope: &Scope<'_>) -> (Audit, String) {
    let (audit, topic) = (Audit::migrated(scope), scope.create_topic("orders.events", 2));
    Producer::new(scope.brokers()).native_events(&topic, 0..100);
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    (audit, topic)
}

/// Pours the dump of a database into another, by PostgreSQL's own programs.
pub(super) fn restore(from: &str, to: &str) {
    let postgres = Sandbox::shared().postgres();
    let mut dump = Command::new(postgres.program("pg_dump"))
        .args(["--no-owner", from])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("pg_dump: {error}"));
    let output = dump.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let restored = Command::new(postgres.program("psql"))
        .args(["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--output=/dev/null", to])
        .stdin(output)
        .status();
    assert!(dump.wait().is_ok_and(|status| status.success()), "{from} can't be dumped");
    assert!(restored.is_ok_and(|status| status.success()), "{from} can't be restored");
}

/// Checks that a copy refuses to record and to replay, says why, and is read all the same.
fn refuses_to_write(copy: &Audit, topic: &str) {
    let before = Database::open(&copy.database_url).event_count();
    for arguments in [
        &["ingest", "--until-end", "--topics", topic][..],
        &["ingest", "--topics", topic],
        &["replay-dlt", "--yes"],
    ] {
        let output = copy.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        for words in ["is a copy of an audit database", "--adopt-copy new-id", "--adopt-copy moved"]
        {
            assert!(stderr.contains(words), "{arguments:?} does not say '{words}': {stderr}");
        }
    }
    assert_eq!(Database::open(&copy.database_url).event_count(), before);
    let reading: [&[&str]; 4] = [&["status"], &["verify"], &["query"], &["migrate"]];
    for arguments in reading {
        let output = copy.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_ne!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert_eq!(
            stderr.contains("is a copy of an audit database"),
            arguments != ["query"],
            "{arguments:?}: {stderr}"
        );
    }
}

#[test]
fn a_copy_by_template_records_nothing_until_it_has_an_id_of_its_own() {
    let scope = Sandbox::shared().scope("copy_template");
    let (audit, topic) = recorded(&scope);
    let template = format!("TEMPLATE \"{}\"", name_of(&audit.database_url));
    let copy = Audit {
        database_url: scope.database_with("copy", &template),
        brokers: audit.brokers.clone(),
    };
    refuses_to_write(&copy, &topic);

    let said = copy.succeed(&["migrate", "--adopt-copy", "new-id"]);
    let (original, adopted) =
        (Database::open(&audit.database_url), Database::open(&copy.database_url));
    let id = original.value("SELECT id FROM audit_installation");
    assert!(!said.contains(&id[..8]) && said.contains("consumer group is audit-"), "{said}");
    assert_eq!(adopted.value("SELECT copied_from FROM audit_installation"), id);
    assert_ne!(adopted.value("SELECT id FROM audit_installation"), id);

    // Both record everything, each for itself.
    Producer::new(scope.brokers()).native_events(&topic, 100..300);
    let (mut first, mut second) =
        (audit.start(&["ingest", "--topics", &topic]), copy.start(&["ingest", "--topics", &topic]));
    let limit = std::time::Duration::from_secs(60);
    for database in [&original, &adopted] {
        crate::support::wait_until("all is recorded", limit, || database.event_count() == 300);
        Oracle::read(database, scope.brokers(), &[&topic]).approve();
    }
    first.stop();
    second.stop();
}

#[test]
fn a_restored_dump_that_is_the_original_keeps_its_id() {
    let scope = Sandbox::shared().scope("copy_dump");
    let (audit, topic) = recorded(&scope);
    let moved = Audit { database_url: scope.database("moved"), brokers: audit.brokers.clone() };
    restore(&audit.database_url, &moved.database_url);
    refuses_to_write(&moved, &topic);

    let said = moved.succeed(&["migrate", "--adopt-copy", "moved"]);
    let database = Database::open(&moved.database_url);
    let id = Database::open(&audit.database_url).value("SELECT id FROM audit_installation");
    assert_eq!(database.value("SELECT id FROM audit_installation"), id);
    assert!(said.contains(&format!("audit-{}", &id[..8])), "{said}");
    Producer::new(scope.brokers()).native_events(&topic, 100..150);
    moved.succeed(&["ingest", "--until-end", "--topics", &topic]);
    assert_eq!(database.event_count(), 150);
    Oracle::read(&database, scope.brokers(), &[&topic]).approve();
}

#[test]
fn a_database_of_which_no_home_is_known_is_taken_for_no_copy() {
    let scope = Sandbox::shared().scope("copy_unknown");
    let (audit, topic) = recorded(&scope);
    let database = Database::open(&audit.database_url);
    let noted = "SELECT system_identifier = (SELECT system_identifier FROM pg_control_system()) AND database_oid =
                        (SELECT oid FROM pg_database WHERE datname = current_database()) FROM audit_installation";
    assert_eq!(database.value(noted), "t");
    database.execute("UPDATE audit_installation SET system_identifier = NULL, database_oid = NULL");
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    // One of both is enough to tell a copy.
    database.execute("UPDATE audit_installation SET system_identifier = 1");
    let output = audit.run(&["ingest", "--until-end", "--topics", &topic]);
    assert_eq!(output.status.code(), Some(1));
}
