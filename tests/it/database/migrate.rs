//! The schema: migrations, roles, append-only.

use sandbox::Sandbox;

use crate::support::{Audit, Database};

#[test]
fn eight_migrations_at_once_make_one_schema() {
    let scope = Sandbox::shared().scope("eight_migrations");
    let audit = Audit {
        database_url: scope.database_url().to_owned(),
        brokers: scope.brokers().to_owned(),
    };
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| audit.succeed(&["migrate"]));
        }
    });
    assert!(audit.succeed(&["migrate"]).contains("up to date"));
    let database = Database::open(&audit.database_url);
    assert_eq!(database.number("SELECT count(*) FROM audit_installation"), 1);
}

#[test]
fn a_database_without_the_schema_is_named_with_the_next_step() {
    let scope = Sandbox::shared().scope("no_schema");
    let audit = Audit {
        database_url: scope.database_url().to_owned(),
        brokers: scope.brokers().to_owned(),
    };
    assert_eq!(audit.run(&["migrate", "--status"]).status.code(), Some(1));
    let output = audit.run(&["ingest", "--until-end"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("is missing") && stderr.contains("audit migrate"), "{stderr}");
}

#[test]
fn a_database_of_a_newer_program_is_refused() {
    let scope = Sandbox::shared().scope("newer_schema");
    let audit = Audit::migrated(&scope);
    Database::open(&audit.database_url).execute(
        "INSERT INTO refinery_schema_history VALUES (999, 'from_the_future', '2030-01-01T00:00:00Z', '1')",
    );
    let output = audit.run(&["migrate"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("newer than"));
}

#[test]
fn recorded_rows_and_the_ledger_refuse_every_change() {
    let scope = Sandbox::shared().scope("append_only");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    database.execute(
        "INSERT INTO event_logs (event_id, event_type, payload) VALUES (gen_random_uuid(), 'T', '{}')",
    );
    for statement in [
        "UPDATE event_logs SET event_type = 'X'",
        "DELETE FROM event_logs",
        "TRUNCATE event_logs",
        "UPDATE event_logs_000000 SET event_type = 'X'",
        "DELETE FROM event_logs_000000",
        "TRUNCATE event_logs_000000",
        "UPDATE ingest_batches SET ingester = 'X'",
        "DELETE FROM ingest_batch_ranges",
        "TRUNCATE dead_letters CASCADE",
        "SET session_replication_role = replica; DELETE FROM event_logs",
    ] {
        let refused = database.try_execute(statement);
        assert!(
            refused.as_ref().is_err_and(|message| message.contains("append-only")),
            "{statement}: {refused:?}"
        );
        database.execute("RESET session_replication_role");
    }
    assert_eq!(database.event_count(), 1);
}

/// Roles belong to the whole server, so one test has all that is to be said about them.
#[test]
fn the_ingester_can_only_add_the_reader_only_read_and_the_replayer_keep_its_ledger() {
    let scope = Sandbox::shared().scope("roles");
    let audit = Audit::migrated(&scope);
    audit.succeed(&["migrate", "--roles"]);
    audit.succeed(&["migrate", "--roles"]);
    let database = Database::open(&audit.database_url);
    database.execute("SELECT ensure_event_log_leaf(2097152)");
    let may = |role: &str, statement: &str| {
        let outcome = database.try_execute(&format!("BEGIN; SET LOCAL ROLE {role}; {statement}"));
        database.execute("ROLLBACK");
        if let Err(message) = &outcome {
            let refusals = ["permission denied", "must be owner", "append-only"];
            assert!(
                refusals.iter().any(|refusal| message.contains(refusal)),
                "{statement}: {message}"
            );
        }
        outcome.is_ok()
    };
    let insert = |table: &str| {
        format!(
            "INSERT INTO {table} (id, event_id, event_type, payload) VALUES (2097200, gen_random_uuid(), 'T', '{{}}')"
        )
    };
    assert!(may("audit_ingester", "SELECT * FROM reserve_event_log_ids(10)"));
    // A leaf that was made after the roles were given has what the table has.
    assert!(may("audit_ingester", &insert("event_logs_000001")));
    assert!(may("audit_ingester", "SELECT * FROM ingest_batches"));
    for statement in [
        "SELECT enter_event_log_leaf('event_logs_000001')",
        "SELECT summarize_event_log_leaves(0)",
        "SELECT seal_event_log_leaf(2, true, true)",
        "SELECT * FROM event_log_leaves",
    ] {
        assert!(may("audit_ingester", statement), "the ingester may not {statement}");
    }
    for statement in [
        "UPDATE event_log_leaves SET sealed_at = now()",
        "INSERT INTO event_log_leaves (first_id, next_id, name) VALUES (-1, 0, 'x')",
        "DELETE FROM event_log_leaves",
        "CREATE INDEX ON event_logs_000001 (aggregate_id)",
        "LOCK TABLE event_logs_000001 IN SHARE ROW EXCLUSIVE MODE",
        "ALTER TABLE event_logs DETACH PARTITION event_logs_000001",
        "SELECT * FROM event_logs",
        "SELECT value FROM dead_letters",
        "DELETE FROM event_logs",
        "UPDATE ingest_batches SET ingester = ''",
        "DELETE FROM kafka_partitions",
        "DROP TABLE event_logs",
        "CREATE TABLE mine (n int)",
        "SELECT make_append_only('event_logs')",
    ] {
        assert!(!may("audit_ingester", statement), "the ingester may {statement}");
    }
    assert!(may(
        "audit_reader",
        "SELECT * FROM event_logs, dead_letters, ingest_batches, event_log_leaves"
    ));
    for statement in [
        insert("event_logs").as_str(),
        "DELETE FROM event_logs",
        "SELECT reserve_event_log_ids(1)",
        "SELECT enter_event_log_leaf('event_logs_000001')",
        "SELECT summarize_event_log_leaves(0)",
        "SELECT seal_event_log_leaf(0, false, false)",
        "UPDATE event_log_leaves SET closed_at = now()",
        "TRUNCATE event_logs",
    ] {
        assert!(!may("audit_reader", statement), "the reader may {statement}");
    }
    let replay = "INSERT INTO dlt_replays (replay_id, event_log_id, attempt, requested_by, target_topic)
                  SELECT gen_random_uuid(), event_log_id, 1, 'me', 'orders.events' FROM dead_letters";
    assert!(may(
        "audit_replayer",
        "SELECT * FROM event_logs, dead_letters, dlt_replay_outcomes, event_logs_000001"
    ));
    assert!(may("audit_replayer", replay));
    assert!(may(
        "audit_replayer",
        "UPDATE dlt_replays SET state = 'failed', error = 'no', resolved_at = now()"
    ));
    for statement in [
        insert("event_logs").as_str(),
        "UPDATE dlt_replays SET requested_by = 'somebody else'",
        "DELETE FROM dlt_replays",
        "DELETE FROM dead_letters",
    ] {
        assert!(!may("audit_replayer", statement), "the replayer may {statement}");
    }
    assert!(!may("audit_reader", replay) && !may("audit_ingester", replay));
}

#[test]
fn a_batch_of_an_ingester_from_before_the_log_is_refused_by_the_name_of_the_reason() {
    let scope = Sandbox::shared().scope("older_ingester");
    let database = Database::open(&Audit::migrated(&scope).database_url);
    let batch = |root: &str| {
        format!(
            "INSERT INTO ingest_batches (batch_no, row_count, ingester, row_root) VALUES (1, 0, 'old', {root})"
        )
    };
    let refusal = database.try_execute(&batch("NULL")).unwrap_err();
    assert!(refusal.contains("ingester_is_older_than_the_schema"), "{refusal}");
    assert_eq!(database.try_execute(&batch("sha256('')")), Ok(()));
}
