//! Searches open the leaves that can hold what is asked for, and no row is hidden by that.

use sandbox::Sandbox;

use super::search::{next_leaf, seal_step};
use crate::support::rows::{events, record};
use crate::support::{Audit, Database};

/// More than are opened at once.
const LEAVES: u32 = 20;

/// A leaf for each day, of four rows each; all but the last are sealed.
fn filled(database: &Database) {
    for day in 0..LEAVES {
        let day = format!("2026-10-{:02}", day + 1);
        record(database, &events("Happened", 4, &day));
        next_leaf(database);
    }
    // One without rows.
    database.execute("SELECT ensure_event_log_leaf(last_value) FROM event_logs_id_seq");
    next_leaf(database);
    record(database, &events("Happened", 2, "2026-11-01"));
    while seal_step(database) {}
    let open = "SELECT count(*) FROM event_log_leaves WHERE closed_at IS NULL";
    assert_eq!(database.number(open), 1);
    let empty = "SELECT count(*) FROM event_log_leaves WHERE closed_at IS NOT NULL AND min_created_at IS NULL";
    assert_eq!(database.number(empty), 1);
}

/// A row by hand, with an id of the first leaf, which is closed.
fn late_row(database: &Database, id: i64, created_at: &str) {
    database.execute(&format!(
        "INSERT INTO event_logs (id, event_id, event_type, payload, created_at)
         VALUES ({id}, gen_random_uuid(), 'Late', '{{}}', '{created_at}')"
    ));
}

/// The ids of all pages, one after the other.
fn walked(audit: &Audit, arguments: &[&str]) -> Vec<i64> {
    let mut ids = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut page = vec!["query", "-o", "csv", "--columns", "id", "--limit", "7"];
        page.extend(arguments);
        if let Some(cursor) = &cursor {
            page.extend(["--after", cursor]);
        }
        let output = audit.run(&page);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{page:?}: {stderr}");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        ids.extend(stdout.lines().skip(1).map(|id| id.parse::<i64>().expect("an id")));
        match stderr.split_once("--after ") {
            Some((_, next)) => cursor = Some(next.trim().to_owned()),
            None => return ids,
        }
    }
}

#[track_caller]
fn assert_walks(audit: &Audit, database: &Database, arguments: &[&str], condition: &str) {
    for (order, by) in [("newest", "created_at DESC, id DESC"), ("oldest", "created_at, id")] {
        let sql = format!("SELECT id FROM event_logs WHERE {condition} ORDER BY {by}");
        let expected: Vec<i64> = database
            .rows(&sql)
            .into_iter()
            .flatten()
            .map(|id| id.parse().expect("an id"))
            .collect();
        let arguments = [arguments, &["--order", order]].concat();
        assert_eq!(walked(audit, &arguments), expected, "{arguments:?}");
    }
}

#[track_caller]
fn assert_all_are_found(audit: &Audit, database: &Database) {
    assert_walks(audit, database, &[], "true");
    assert_walks(audit, database, &["--type", "Happened"], "event_type = 'Happened'");
    assert_walks(audit, database, &["--type", "Late"], "event_type = 'Late'");
    assert_walks(
        audit,
        database,
        &["--since", "2026-10-03", "--until", "2026-10-05"],
        "created_at >= '2026-10-03' AND created_at < '2026-10-05'",
    );
    assert_walks(audit, database, &["--date", "2026-10-07"], "created_at::date = '2026-10-07'");
    assert_walks(audit, database, &["--since", "2026-10-30"], "created_at >= '2026-10-30'");
    assert_walks(audit, database, &["--until", "2026-10-02"], "created_at < '2026-10-02'");
}

#[test]
fn pages_lead_through_all_leaves_and_late_rows_are_found_in_closed_ones() {
    let scope = Sandbox::shared().scope("leaves_many");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    filled(&database);
    assert_all_are_found(&audit, &database);
    database.execute("SELECT fill_event_counts(1000), find_duplicate_deliveries(1000)");
    assert_all_are_found(&audit, &database);
    late_row(&database, 100, "2026-10-04 12:00");
    assert_all_are_found(&audit, &database);
    late_row(&database, 101, "2026-12-01");
    late_row(&database, 102, "2025-01-01");
    assert_all_are_found(&audit, &database);
    late_row(&database, 103, "infinity");
    late_row(&database, 104, "-infinity");
    assert_all_are_found(&audit, &database);
    let empty = database.number("SELECT first_id FROM event_log_leaves WHERE min_created_at IS NULL AND closed_at IS NOT NULL");
    late_row(&database, empty + 1, "2026-10-04 13:00");
    assert_all_are_found(&audit, &database);
}

#[test]
fn a_page_opens_few_of_many_leaves() {
    let scope = Sandbox::shared().scope("leaves_pruned");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    filled(&database);
    let opened = |arguments: &[&str]| {
        let plan = audit.succeed(&[&["query", "--explain"], arguments].concat());
        let count = (0..=LEAVES + 1)
            .filter(|leaf| plan.contains(&format!(" on event_logs_{leaf:06} ")))
            .count();
        assert!(count > 0, "{plan}");
        count
    };
    assert_eq!(opened(&["--since", "2026-10-03", "--until", "2026-10-05"]), 3, "and the open one");
    assert!(opened(&["--limit", "5"]) <= 3);
    assert!(opened(&["--limit", "5", "--order", "oldest"]) <= 3);
    assert_eq!(opened(&["--limit", "1000"]), LEAVES as usize + 2, "all of them");
}

#[test]
fn the_last_rows_are_found_behind_leaves_without_any() {
    let scope = Sandbox::shared().scope("leaves_tail");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    filled(&database);
    let last = |count: &str| {
        let printed = audit.succeed(&[
            "tail",
            "--no-follow",
            "--lines",
            count,
            "-o",
            "csv",
            "--columns",
            "id",
        ]);
        printed.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let ids = |count: &str| {
        let sql = format!(
            "SELECT id FROM (SELECT id FROM event_logs ORDER BY id DESC LIMIT {count}) last ORDER BY id"
        );
        database.rows(&sql).into_iter().flatten().collect::<Vec<_>>()
    };
    for count in ["1", "3", "70", "100"] {
        assert_eq!(last(count), ids(count), "{count}");
    }
}
