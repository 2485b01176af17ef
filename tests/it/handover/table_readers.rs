//! Delta Lake tables, as deltalake, pyarrow, pandas and Polars read them.

use std::path::Path;

use sandbox::Sandbox;

use super::python::Python;
use super::seen::{Exports, Times, assert_same, odd_rows, read, table};
use crate::support::rows::record;
use crate::support::{Audit, Database};

const DELTALAKE: &str = "read_deltalake.py";
const POLARS: &str = "read_polars.py";

#[test]
fn readers_of_delta_lake_find_each_value_and_each_row_that_is_asked_for() {
    let Some(python) = Python::with("requirements.txt") else { return };
    let scope = Sandbox::shared().scope("readers_delta");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, &odd_rows());
    let exports = Exports::new(&audit);
    let odd_path = exports.path("odd");
    audit.succeed(&["export", "--delta", &odd_path]);
    record(&database, include_str!("far_times.sql"));
    let far_path = exports.path("far");
    audit.succeed(&["export", "--delta", &far_path, "--type", "Far"]);
    let odd = table(&database, "event_type <> 'Far'", Times::Micros);
    let far = table(&database, "event_type = 'Far'", Times::Micros);

    let pyarrow = "id int64, event_id string, event_type string, aggregate_id string, source_service string, is_dlt bool, payload string, created_at timestamp[us, tz=UTC], ";
    let pandas = "id int64, event_id str, event_type str, aggregate_id str, source_service str, is_dlt object, payload str, created_at datetime64[us, UTC], ";
    let polars = "id Int64, event_id String, event_type String, aggregate_id String, source_service String, is_dlt Boolean, payload String, created_at Datetime(time_unit='us', time_zone='UTC'), ";
    for (script, ways) in [
        (
            DELTALAKE,
            &[("delta", pyarrow), ("delta, filtered", pyarrow), ("delta, by pandas", pandas)][..],
        ),
        (POLARS, &[("delta", polars), ("delta, filtered", polars)]),
    ] {
        for (path, table) in [(&odd_path, &odd), (&far_path, &far)] {
            let orders: Vec<_> = ways.iter().map(|(way, _)| (*way, path.as_str())).collect();
            for (seen, (way, types)) in read(&python, script, &orders).into_iter().zip(ways) {
                let what = format!("{script}, {way}, {path}");
                let seen = seen.unwrap_or_else(|error| panic!("{what}: {error}"));
                // Files of years that a bound can't be written in have none of created_at, and
                // pyarrow's dataset finds nothing by it.
                let is_limit = script == DELTALAKE && *way == "delta, filtered";
                if is_limit && path == &far_path {
                    assert_eq!(seen.rows.len(), 0, "{what}");
                    continue;
                }
                assert_same(&what, &seen.rows, table, |_, _| None);
                if path == &odd_path {
                    assert!(seen.types.starts_with(types), "{what}: {}", seen.types);
                }
            }
        }
    }
}

#[test]
fn delta_lake_refuses_a_time_that_it_cannot_hold_and_names_the_row() {
    let scope = Sandbox::shared().scope("delta_refused");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    record(&database, include_str!("endless_times.sql"));
    let exports = Exports::new(&audit);
    let path = exports.path("never");
    let output = audit.run(&["export", "--delta", &path]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    let id = database.value("SELECT min(id) FROM event_logs");
    let expected = format!("row {id}: created_at is infinity, which Delta Lake cannot hold");
    assert!(errors.contains(&expected), "{errors}");
    assert!(!Path::new(&path).join("_delta_log/00000000000000000001.json").exists());
}
