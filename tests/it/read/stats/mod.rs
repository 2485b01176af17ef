//! `audit stats` on a real PostgreSQL.

mod compared;
mod exact_counts;
mod figures;
mod keys;

use serde_json::Value;

use crate::support::Audit;

/// The rows that `audit stats -o json` with these arguments gives.
fn rows(audit: &Audit, arguments: &[&str]) -> Vec<Value> {
    let json = audit.succeed(&[&["stats", "-o", "json"], arguments].concat());
    match serde_json::from_str(&json) {
        Ok(Value::Array(rows)) => rows,
        other => panic!("{arguments:?}: {other:?}"),
    }
}

/// One column of the rows, each as JSON.
fn column(rows: &[Value], name: &str) -> Vec<String> {
    rows.iter().map(|row| row[name].to_string()).collect()
}

/// What it says on stderr.
fn said(audit: &Audit, arguments: &[&str]) -> String {
    let output = audit.run(&[&["stats"], arguments].concat());
    String::from_utf8_lossy(&output.stderr).into_owned()
}
