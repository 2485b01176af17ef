//! Object-centric event logs, as pm4py reads them.

use sandbox::Sandbox;

use super::python::Python;
use super::seen::{Exports, odd_rows};
use crate::support::rows::{events, record};
use crate::support::{Audit, Database};

#[test]
fn pm4py_reads_an_object_centric_log_of_odd_rows_and_the_schema_holds() {
    let Some(python) = Python::with("requirements-ocel.txt") else { return };
    let scope = Sandbox::shared().scope("readers_ocel");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &events("OrderCreated", 100, "2026-11-22"));
    record(&database, &odd_rows());
    let exports = Exports::new(&audit);
    let path = exports.path("log.json");
    // Process mining's tools have times of the years that 64 bits of nanoseconds hold.
    let selected = ["--since", "2026-01-01", "--until", "2027-01-01"];
    audit.succeed(&[&["export", &path, "-o", "ocel"][..], &selected].concat());
    let printed = python.run("ocel.py", &[&path], "");
    // Above it pm4py greets.
    let line = printed.lines().last().unwrap_or_default();
    let found: serde_json::Value =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{printed}: {error}"));
    // Events of no object are in the log, and pm4py leaves them away.
    let held = database.rows(
        "SELECT count(*), count(DISTINCT aggregate_id) FROM event_logs
          WHERE is_dlt IS NOT TRUE AND aggregate_id IS NOT NULL
            AND created_at >= '2026-01-01' AND created_at < '2027-01-01'",
    );
    assert_eq!(
        [found["events"].to_string(), found["objects"].to_string()].as_slice(),
        held[0],
        "{found}"
    );
}
