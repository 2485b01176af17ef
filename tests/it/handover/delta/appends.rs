//! A table is made, and what is new is appended to it.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use record_file::Record;
use sandbox::Sandbox;
use tempfile::TempDir;

use super::Ends;
use super::table::{LakeTable, approve};
use crate::support::rows::{commit, events, insert, record, reserve};
use crate::support::{Audit, Database, Hostile};

/// Far times, long kept, large records.
const TOPIC_SETTINGS: [(&str, &str); 3] = [
    ("message.timestamp.after.max.ms", "9223372036854775807"),
    ("retention.ms", "-1"),
    ("max.message.bytes", "10485760"),
];

/// Rows at the ends of what a table holds.
const FAR_ROWS: &str = "
    SELECT gen_random_uuid(), 'Far', NULL::uuid, '', NULL::boolean, payload, created_at, NULL::uuid
      FROM (VALUES
        ('{\"big\": 1e400, \"exact\": 123456789012345678901234567890.10}'::jsonb, '0044-03-15 12:00:00 BC'::timestamp),
        ('null', '0001-01-01 00:00:00'),
        ('\"\"', '9999-12-31 23:59:59.999999'),
        ('[[[[{}]]]]', '10000-01-01 00:00:00'),
        ('true', '294246-12-31 23:59:59.999999'),
        ('0', '4713-01-01 00:00:00 BC'),
        ('1', '1969-12-31 23:59:59.999999')
      ) AS far(payload, created_at)";

const LIMIT: Duration = Duration::from_secs(60);

fn folder() -> TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_first_run_makes_the_table_and_the_next_ones_append_what_is_new() {
    let scope = Sandbox::shared().scope("delta_appends");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let folder = folder();
    let place = folder.path().join("made/lake");
    let url = place.to_str().unwrap_or_default();
    let run = |more: &[&str]| {
        let output = audit.run(&[&["export", "--delta", url], more].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said, LakeTable::read(&place))
    };
    record(&database, &events("OrderCreated", 500, "2026-11-22 23:55:00"));
    record(&database, &events("OrderCreated", 10, "2026-11-24"));
    let (code, said, first) = run(&[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("510 rows appended to {url} in version 1")), "{said}");
    assert_eq!((first.version, first.file_count()), (1, 3));
    approve(&first, &database);

    // Nothing new is no version.
    let (code, said, same) = run(&[]);
    assert_eq!((code, &same), (Some(0), &first), "{said}");
    assert!(said.contains(&format!("nothing new for {url}, which is at version 1")), "{said}");
    let (code, said, same) = run(&["--fail-on-empty"]);
    assert_eq!((code, &same), (Some(3), &first), "{said}");

    for batch in 3..=5 {
        record(&database, &events("OrderShipped", 7, "2026-11-24"));
        let (code, said, table) = run(&[]);
        assert_eq!((code, table.version), (Some(0), batch - 1), "{said}");
    }
    let table = LakeTable::read(&place);
    approve(&table, &database);
    let id = database.value("SELECT id FROM audit_installation");
    let app = format!("audit-{id}");
    let said: Vec<_> = table.transactions.iter().map(|(app, to)| (app.as_str(), *to)).collect();
    assert_eq!(said, [(&app[..], 2), (&app[..], 3), (&app[..], 4), (&app[..], 5)]);
}

#[test]
fn every_value_that_a_table_can_hold_is_the_one_that_was_recorded() {
    let scope = Sandbox::shared().scope("delta_values");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let topic = scope.create_topic_with("hostile", 1, &TOPIC_SETTINGS);
    let mut hostile = Hostile::new(20_261_126);
    let records: Vec<Record> = (0..400).map(|_| hostile.record(&topic, 20_000)).collect();
    let placed = sandbox::produce(scope.brokers(), &records);
    assert!(placed.is_ok_and(|placed| placed.len() == 400));
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    record(&database, FAR_ROWS);
    let folder = folder();
    let url = format!("file://{}", folder.path().join("a lake").display()).replace(' ', "%20");
    audit.succeed(&["export", "--delta", &url]);
    let table = LakeTable::read(&folder.path().join("a lake"));
    assert!(database.number("SELECT count(*) FROM audit_events") >= 407);
    approve(&table, &database);
}

#[test]
fn a_selection_without_rows_makes_an_empty_table_that_rows_join_later() {
    let scope = Sandbox::shared().scope("delta_selection");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let folder = folder();
    let url = folder.path().to_str().unwrap_or_default();
    let run = || {
        let columns = "id,event_type,payload";
        audit.succeed(&["export", "--delta", url, "--type", "Pay*", "--columns", columns]);
        LakeTable::read(folder.path())
    };
    record(&database, &events("OrderCreated", 5, "2026-11-22"));
    let empty = run();
    assert_eq!((empty.version, empty.file_count()), (0, 0));
    record(&database, &events("PaymentTaken", 3, "2026-11-22"));
    record(&database, &events("OrderCreated", 5, "2026-11-22"));
    let table = run();
    assert_eq!((table.version, table.ids()), (1, vec![6, 7, 8]));
    assert_eq!(table.all().0, ["id", "event_type", "payload", "date"]);
    // It looked at the batch without such a row, too.
    assert_eq!(table.transactions.iter().map(|one| one.1).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_long_stretch_without_a_selected_row_is_passed() {
    let scope = Sandbox::shared().scope("delta_stretch");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let folder = folder();
    let url = folder.path().to_str().unwrap_or_default();
    // As many ids as make a commit; all but the first of each batch stay empty.
    for _ in 0..2 {
        let ids = reserve(&database, 1_000_000);
        database.execute("BEGIN");
        insert(&database, &ids, &events("OrderCreated", 1, "2026-11-22"));
        commit(&database, &ids);
    }
    let paid = record(&database, &events("PaymentTaken", 3, "2026-11-22"));
    audit.succeed(&["export", "--delta", url, "--type", "Pay*"]);
    assert_eq!(LakeTable::read(folder.path()).ids(), paid.collect::<Vec<_>>());
}

#[test]
fn runs_at_once_beside_an_ingester_all_end_well() {
    let scope = Sandbox::shared().scope("delta_at_once");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let folder = folder();
    let url = folder.path().to_str().unwrap_or_default();
    let is_over = AtomicBool::new(false);
    thread::scope(|threads| {
        threads.spawn(|| {
            let database = Database::open(&audit.database_url);
            while !is_over.load(Relaxed) {
                record(&database, &events("OrderCreated", 20, "2026-11-22"));
            }
        });
        let _ends = Ends(&is_over);
        for _ in 0..8 {
            let runs = [(); 3].map(|()| audit.start(&["export", "--delta", url]));
            let ends = runs.map(|mut run| (run.wait(LIMIT).code(), run.log()));
            assert!(ends.iter().all(|(code, _)| *code == Some(0)), "{ends:?}");
        }
    });
    audit.succeed(&["export", "--delta", url]);
    approve(&LakeTable::read(folder.path()), &database);
}

#[test]
fn small_files_are_put_together_and_a_checkpoint_is_written_after_fifty_commits() {
    let scope = Sandbox::shared().scope("delta_many");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let folder = folder();
    let url = folder.path().to_str().unwrap_or_default();
    for _ in 0..55 {
        record(&database, &events("OrderCreated", 3, "2026-11-22"));
        audit.succeed(&["export", "--delta", url]);
    }
    let table = LakeTable::read(folder.path());
    assert!(table.version > 55 && table.file_count() < 20, "{table:?}");
    assert!(folder.path().join("_delta_log/_last_checkpoint").exists());
    approve(&table, &database);
}
