//! What `verify` says of triggers, rights, indexes, constraints and functions.

use std::path::Path;

use audit::store::{LedgerScan, Session, Settings};
use sandbox::Sandbox;

use crate::support::{Audit, Database, Producer};

/// The facts of a database, a line each, as `sql/audit_db/catalog.txt` holds them.
fn facts(url: &str) -> String {
    let facts = tokio::runtime::Runtime::new().map(|runtime| {
        runtime.block_on(async {
            let settings = Settings::resolve(Some(url), None, |_| None)?;
            let mut session = Session::open(&settings, "catalog").await?;
            LedgerScan::open(&mut session).await?.schema_facts().await
        })
    });
    let mut lines: Vec<String> = match facts {
        Ok(Ok(facts)) => facts
            .iter()
            .map(|fact| format!("{} | {} | {}\n", fact.object, fact.kind, fact.fact))
            .collect(),
        other => panic!("the facts can't be read: {other:?}"),
    };
    lines.sort_unstable();
    lines.dedup();
    lines.concat()
}

#[test]
fn the_catalog_that_verify_compares_with_is_that_of_a_database_just_made() {
    let scope = Sandbox::shared().scope("catalog");
    let audit = Audit::migrated(&scope);
    audit.succeed(&["migrate", "--roles"]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/audit_db/catalog.txt");
    let facts = facts(&audit.database_url);
    if std::env::var_os("UPDATE_CATALOG").is_some() {
        assert!(std::fs::write(&path, &facts).is_ok());
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(facts, written, "after a new migration run this test with UPDATE_CATALOG=1");
}

#[test]
fn what_guards_the_record_and_is_missing_disabled_or_given_away_is_named() {
    let scope = Sandbox::shared().scope("guards");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    // Nothing is recorded yet, so it is incomplete, and nothing is wrong with the schema.
    assert_eq!(audit.schema_findings(), (Some(4), Vec::new()));
    let role = format!("clerk_{}", uuid::Uuid::new_v4().simple());
    database.execute(&format!("CREATE ROLE {role}"));
    for (damage, mended, finding) in [
        (
            "ALTER TABLE event_logs_000000 DISABLE TRIGGER append_only".to_owned(),
            "ALTER TABLE event_logs_000000 ENABLE ALWAYS TRIGGER append_only".to_owned(),
            "event_logs_000000: has a trigger that migrate did not make: append_only",
        ),
        (
            // Fires no more in a session that says it replicates.
            "ALTER TABLE ingest_batches ENABLE TRIGGER append_only".to_owned(),
            "ALTER TABLE ingest_batches ENABLE ALWAYS TRIGGER append_only".to_owned(),
            "ingest_batches: has a trigger that migrate did not make: append_only",
        ),
        (
            "DROP TRIGGER append_only ON dead_letters".to_owned(),
            "SELECT make_append_only('dead_letters')".to_owned(),
            "dead_letters: the trigger is missing: append_only",
        ),
        (
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
                .to_owned(),
            database.value("SELECT pg_get_functiondef('refuse_change()'::regprocedure)"),
            "refuse_change(): is not the function that migrate made",
        ),
        (
            format!("GRANT DELETE ON event_logs TO {role}"),
            format!("REVOKE DELETE ON event_logs FROM {role}"),
            "has the right DELETE, which roles.sql does not give",
        ),
        (
            format!("GRANT UPDATE (next_offset) ON kafka_partitions TO {role}"),
            format!("REVOKE UPDATE (next_offset) ON kafka_partitions FROM {role}"),
            "has the right UPDATE of next_offset",
        ),
        (
            "GRANT INSERT ON ledger_head TO PUBLIC".to_owned(),
            "REVOKE INSERT ON ledger_head FROM PUBLIC".to_owned(),
            "ledger_head: PUBLIC has the right INSERT",
        ),
        (
            "ALTER TABLE ingest_batch_ranges DROP CONSTRAINT ingest_batch_ranges_check".to_owned(),
            "ALTER TABLE ingest_batch_ranges ADD CONSTRAINT ingest_batch_ranges_check
               CHECK (next_offset > first_offset)"
                .to_owned(),
            "ingest_batch_ranges: the constraint is missing: CHECK ((next_offset > first_offset))",
        ),
        (
            "CREATE RULE silent AS ON DELETE TO ledger_head DO INSTEAD NOTHING".to_owned(),
            "DROP RULE silent ON ledger_head".to_owned(),
            "ledger_head: has a rule that migrate did not make: silent",
        ),
        (
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_ingest_batches_recorded_at'::regclass"
                .to_owned(),
            "REINDEX INDEX idx_ingest_batches_recorded_at".to_owned(),
            "ingest_batches: the index btree (recorded_at) is invalid",
        ),
        (
            "CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ingest_batches
               FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION refuse_change();
             ALTER TABLE ingest_batches ENABLE ALWAYS TRIGGER append_only"
                .to_owned(),
            "DROP TRIGGER append_only ON ingest_batches; SELECT make_append_only('ingest_batches')".to_owned(),
            "calls refuse_change under a condition",
        ),
        (
            "CREATE SCHEMA elsewhere;
             CREATE FUNCTION elsewhere.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
             CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dead_letters
               FOR EACH STATEMENT EXECUTE FUNCTION elsewhere.refuse_change();
             ALTER TABLE dead_letters ENABLE ALWAYS TRIGGER append_only"
                .to_owned(),
            "DROP SCHEMA elsewhere CASCADE; SELECT make_append_only('dead_letters')".to_owned(),
            "calls elsewhere.refuse_change",
        ),
        (
            format!("ALTER TABLE ingest_batches OWNER TO {role}"),
            "ALTER TABLE ingest_batches OWNER TO CURRENT_USER".to_owned(),
            "ingest_batches: is a table of another owner",
        ),
        (
            "ALTER FUNCTION reserve_event_log_ids(integer) RESET search_path".to_owned(),
            "ALTER FUNCTION reserve_event_log_ids(integer) SET search_path = public, pg_temp".to_owned(),
            "is not the function that migrate made",
        ),
        (
            "ALTER TABLE ingest_batches ALTER recorded_at SET DEFAULT '1970-01-01'".to_owned(),
            "ALTER TABLE ingest_batches ALTER recorded_at SET DEFAULT clock_timestamp()".to_owned(),
            "ingest_batches: the column is missing: recorded_at timestamp with time zone default clock_timestamp()",
        ),
        (
            "ALTER TABLE ingest_batch_ranges SET UNLOGGED".to_owned(),
            "ALTER TABLE ingest_batch_ranges SET LOGGED".to_owned(),
            "ingest_batch_ranges: is a table that is not logged",
        ),
        (
            "CREATE TABLE heir () INHERITS (ledger_head)".to_owned(),
            "DROP TABLE heir".to_owned(),
            "ledger_head: is a table with children",
        ),
        (
            "ALTER SEQUENCE event_logs_id_seq INCREMENT BY 2".to_owned(),
            "ALTER SEQUENCE event_logs_id_seq INCREMENT BY 1".to_owned(),
            "event_logs_id_seq: has a sequence that migrate did not make: counts by 2",
        ),
        (
            "CREATE FUNCTION reserve_event_log_ids(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT $1'".to_owned(),
            "DROP FUNCTION reserve_event_log_ids(bigint)".to_owned(),
            "has the name of a function of migrate's",
        ),
        (
            // Hides a row from all that read the view.
            format!(
                "CREATE OR REPLACE VIEW audit_events AS {} WHERE event.id <> 7",
                database.value("SELECT rtrim(pg_get_viewdef('audit_events'::regclass), ';')")
            ),
            format!(
                "CREATE OR REPLACE VIEW audit_events AS {}",
                database.value("SELECT pg_get_viewdef('audit_events'::regclass)")
            ),
            "audit_events: is not the view that migrate made",
        ),
        (
            "DROP INDEX idx_ingest_batches_recorded_at".to_owned(),
            "CREATE INDEX idx_ingest_batches_recorded_at ON ingest_batches (recorded_at)".to_owned(),
            "ingest_batches: the index is missing: btree (recorded_at)",
        ),
    ] {
        database.execute(&damage);
        let (code, findings) = audit.schema_findings();
        assert_eq!(code, Some(5), "{damage}: {findings:?}");
        assert_eq!(findings.len(), 1, "{damage}: {findings:?}");
        assert!(findings[0].contains(finding), "{damage}: {findings:?}");
        database.execute(&mended);
        assert_eq!(audit.schema_findings(), (Some(4), Vec::new()), "{mended}");
    }
    // What changes nothing of the record is fine.
    for harmless in [
        "ALTER INDEX event_logs_000000_pkey SET (fillfactor = 90)",
        "CREATE INDEX begun ON ONLY event_logs (kafka_offset)",
        "CREATE INDEX ON event_logs ((attributes ->> 'key'))",
        &format!("GRANT USAGE ON SCHEMA public TO {role}"),
        "CREATE TABLE theirs (id int)",
    ] {
        database.execute(harmless);
        assert_eq!(audit.schema_findings(), (Some(4), Vec::new()), "{harmless}");
    }
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_sequence_that_cannot_give_consecutive_ids_ends_the_ingester_instead_of_a_search_for_them() {
    let scope = Sandbox::shared().scope("sequence");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    Producer::new(scope.brokers()).native_events(&topic, 0..10);
    Database::open(&audit.database_url).execute("ALTER SEQUENCE event_logs_id_seq INCREMENT BY 2");
    let output = audit.run(&["ingest", "--until-end", "--topics", &topic]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("the sequence event_logs_id_seq was changed"), "{stderr}");
}
