//! What `status` shows of leaves.

use sandbox::Sandbox;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::{fill_first_leaf, seal, step};
use crate::support::rows::{events, record};
use crate::support::{Audit, Database, Terminal};

/// The line about leaves in a table.
fn line(audit: &Audit) -> Option<String> {
    let output = audit.run(&["status"]);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    shown.lines().find_map(|line| line.strip_prefix("leaves")).map(|line| line.trim().to_owned())
}

/// Some members of each leaf.
fn leaves(audit: &Audit) -> Vec<(String, i64, Value)> {
    let output = audit.run(&["status", "-o", "json"]);
    let status: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let leaves = status["leaves"].as_array().cloned().unwrap_or_default();
    let state = |leaf: &Value| leaf["state"].as_str().unwrap_or_default().to_owned();
    let used = |leaf: &Value| leaf["ids_used"].as_i64().unwrap_or(-1);
    leaves.iter().map(|leaf| (state(leaf), used(leaf), leaf["percent_built"].clone())).collect()
}

#[test]
fn status_tells_which_leaves_wait_how_far_the_sealing_is_and_how_full_the_last_one_is() {
    let scope = Sandbox::shared().scope("status_leaves");
    let audit = Audit::migrated(&scope);
    let (database, other) =
        (Database::open(&audit.database_url), Database::open(&audit.database_url));
    let light = |used| ("light".to_owned(), used, Value::Null);
    let sealed = |used| ("sealed".to_owned(), used, Value::Null);
    assert_eq!((line(&audit), leaves(&audit)), (None, vec![light(0)]));
    record(&database, &events("OrderCreated", 10, "2026-11-22"));
    // Ids begin with 1, so one of them stays unused.
    assert_eq!((line(&audit), leaves(&audit)), (None, vec![light(11)]));
    fill_first_leaf(&database, 10);
    record(&database, &events("OrderCreated", 7, "2026-11-22"));
    // A leaf that holds 8 of 2,097,152 ids.
    assert_eq!(line(&audit).as_deref(), Some("0 of 2 sealed, 1 waits, the last one is 0 % full"));
    let size = super::LEAF_SIZE;
    let all_but = |state: &str, percent| (state.to_owned(), size, percent);
    assert_eq!(leaves(&audit), [all_but("waiting", Value::Null), light(8)]);
    assert_eq!(step(&database), "event_logs_000000: closed");
    let waits = line(&audit).unwrap_or_default();
    assert!(waits.starts_with("0 of 2 sealed, 1 waits since 20"), "{waits}");
    for percent in [0, 33, 66] {
        // Somebody builds an index, and has not committed it yet.
        other.execute("BEGIN");
        assert!(step(&other).contains("built btree"));
        assert_eq!(leaves(&audit), [all_but("sealing", percent.into()), light(8)]);
        let told = format!(
            "0 of 2 sealed, event_logs_000000 is being sealed: {percent} %, the last one is 0 % full"
        );
        assert_eq!(line(&audit), Some(told));
        for columns in [80, 120, 200] {
            let command = audit.shell("NO_COLOR=1 \"$0\" status 2>/dev/null");
            let (_, screen) = Terminal::start(command, columns).end();
            assert!(screen.contains("is being sealed"), "{screen}");
            let widest = screen.lines().map(UnicodeWidthStr::width).max();
            assert!(widest.is_some_and(|widest| widest <= columns.into()), "{columns}: {screen}");
        }
        other.execute("COMMIT");
    }
    assert!(!seal(&database).is_empty());
    assert_eq!(line(&audit).as_deref(), Some("1 of 2 sealed, the last one is 0 % full"));
    assert_eq!(leaves(&audit), [sealed(size), light(8)]);
}
