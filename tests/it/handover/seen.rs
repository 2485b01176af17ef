//! What a reader sees in a file, and what the table holds, in one form.

use std::collections::BTreeMap;

use super::python::Python;
use crate::support::{Audit, Database, Hostile};

/// A row: each column as text, times in microseconds since 1970; `None` is NULL.
pub(super) type Row = BTreeMap<String, Option<String>>;

/// The columns of the original table.
pub(super) const COLUMNS: &str =
    "id,event_id,event_type,aggregate_id,source_service,is_dlt,payload,created_at";

/// What a reader sees in a file or a folder.
#[derive(Debug)]
pub(super) struct Seen {
    /// Names and types, as the reader calls them.
    pub(super) types: String,
    /// By id.
    pub(super) rows: Vec<Row>,
}

impl Seen {
    /// A cell of the row with this id.
    pub(super) fn cell(&self, id: &str, column: &str) -> Option<&str> {
        let row = self.rows.iter().find(|row| row["id"].as_deref() == Some(id));
        row.unwrap_or_else(|| panic!("no row {id}"))[column].as_deref()
    }
}

/// A way to read, and the path to read so.
pub(super) type Order<'a> = (&'a str, &'a str);

/// What a script of `tests/readers` sees; an error is the reader's own.
pub(super) fn read(
    python: &Python,
    script: &str,
    orders: &[Order<'_>],
) -> Vec<Result<Seen, String>> {
    let order =
        |(way, path): &Order<'_>| format!("{}\n", serde_json::json!({ "way": way, "path": path }));
    let printed = python.run(script, &[], &orders.iter().map(order).collect::<String>());
    let mut lines = printed.lines();
    let mut next = || lines.next().unwrap_or_else(|| panic!("{script} printed too little"));
    let seen = orders.iter().map(|_| {
        let head: serde_json::Value = parsed(next());
        if let Some(error) = head["error"].as_str() {
            return Err(error.to_owned());
        }
        let count = head["rows"].as_u64().unwrap_or_default();
        let rows = sorted((0..count).map(|_| parsed(next())).collect());
        Ok(Seen { types: head["types"].as_str().unwrap_or_default().to_owned(), rows })
    });
    let seen = seen.collect();
    assert_eq!(lines.next(), None, "{script} printed more");
    seen
}

/// How the table's times are told.
#[derive(Clone, Copy)]
pub(super) enum Times {
    /// In microseconds since 1970; those that never come as text.
    Micros,
    /// As PostgreSQL has them.
    Text,
}

/// The rows of the table that meet a condition, with what folders are called after: the columns
/// `date`, `type` and `service`.
pub(super) fn table(database: &Database, condition: &str, times: Times) -> Vec<Row> {
    let time = match times {
        Times::Text => "created_at::text",
        Times::Micros => {
            "CASE WHEN isfinite(created_at)
                  THEN trim_scale(extract(epoch FROM created_at) * 1000000)::text
                  ELSE created_at::text END"
        }
    };
    let rows = database.rows(&format!(
        "SELECT row_to_json(shown)
           FROM (SELECT id::text, event_id::text, event_type, aggregate_id::text, source_service,
                        is_dlt::text, payload::text, {time} AS created_at,
                        CASE WHEN created_at >= '0001-01-01' AND created_at < '10000-01-01'
                             THEN to_char(created_at, 'YYYY-MM-DD') END AS date,
                        nullif(event_type, '') AS type, nullif(source_service, '') AS service
                   FROM event_logs WHERE {condition}) AS shown"
    ));
    sorted(rows.iter().map(|row| parsed(&row[0])).collect())
}

fn parsed<T: serde::de::DeserializeOwned>(line: &str) -> T {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:.300}"))
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_key(|row| row["id"].as_deref().and_then(|id| id.parse::<i64>().ok()));
    rows
}

/// Fails unless a reader sees the rows of the table, all of their original columns, and what their
/// folders are called after. `differs` gives what it sees instead, where that is known.
pub(super) fn assert_same(
    what: &str,
    seen: &[Row],
    table: &[Row],
    differs: impl Fn(&str, &Option<String>) -> Option<Option<String>>,
) {
    assert_eq!(seen.len(), table.len(), "{what}: rows");
    for (seen, held) in seen.iter().zip(table) {
        for column in COLUMNS.split(',') {
            assert!(seen.contains_key(column), "{what}: {column} is missing");
        }
        for (column, value) in seen {
            // A Delta table has more columns.
            let Some(held) = held.get(column) else { continue };
            let expected = differs(column, held).unwrap_or_else(|| held.clone());
            let is_folder = matches!(column.as_str(), "date" | "type" | "service");
            let is_same = match (value, &expected) {
                // What is too long for a folder's name is cut, and ends with a hash.
                (Some(value), Some(expected)) if is_folder && expected.len() > 250 => {
                    let begun: String = expected.chars().take(50).collect();
                    value.starts_with(&begun) && value.len() < 255
                }
                (value, expected) => value == expected,
            };
            let id = &seen["id"];
            assert!(is_same, "{what}: row {id:?}, {column}: {value:?} is not {expected:?}");
        }
    }
}

/// Rows that formats and readers stumble over; all of them fit into every format.
pub(super) fn odd_rows() -> String {
    let texts = Hostile::texts().map(|text| format!("('{}')", text.replace('\'', "''")));
    format!(
        "SELECT gen_random_uuid(), hostile, NULL::uuid, hostile, false, to_jsonb(hostile::text), '2026-11-22'::timestamp, NULL::uuid
           FROM (VALUES {}) AS hostile(hostile)
          UNION ALL {}",
        texts.collect::<Vec<_>>().join(", "),
        include_str!("odd_rows.sql"),
    )
}

/// A folder of files that a test exports.
pub(super) struct Exports<'a> {
    audit: &'a Audit,
    folder: tempfile::TempDir,
}

impl<'a> Exports<'a> {
    pub(super) fn new(audit: &'a Audit) -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        Self { audit, folder }
    }

    /// The path of a name in it.
    pub(super) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Exports the original columns under a name, and gives its path.
    pub(super) fn export(&self, name: &str, options: &str) -> String {
        let path = self.path(name);
        let mut arguments = vec!["export", &path];
        arguments.extend(options.split_whitespace());
        if !options.contains("--columns") {
            arguments.extend(["--columns", COLUMNS]);
        }
        self.audit.succeed(&arguments);
        path
    }
}
