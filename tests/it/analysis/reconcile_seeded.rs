//! A hundred discrepancies among many thousand stories: each is found, and nothing else.

use std::collections::BTreeMap;
use std::fmt::Write;

use sandbox::Sandbox;

use crate::support::rows::record;
use crate::support::{Audit, Database};

const STORIES: u32 = 100_000;

/// A discrepancy for each thousandth story: the payment has another amount, is missing, or was
/// made twice.
const SEEDED: &str = "n % 1000 = 7";
const KIND: &str = "(n / 1000) % 3";

#[test]
fn each_of_a_hundred_seeded_discrepancies_is_found_and_nothing_else() {
    let scope = Sandbox::shared().scope("reconcile_seeded");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    let event = |event_type: &str, id: &str, amount: &str, condition: &str| {
        format!(
            "SELECT gen_random_uuid(), '{event_type}', md5('{id}' || n)::uuid, 's', false, jsonb_build_object('amount', {amount}),
                    '2026-11-22'::timestamp + n * interval '1 second', md5('story' || n)::uuid
               FROM generate_series(1, {STORIES}) n WHERE {condition}"
        )
    };
    let other = format!(
        "((n % 9973) + 0.05 + CASE WHEN {SEEDED} AND {KIND} = 0 THEN 0.01 ELSE 0 END)::text"
    );
    let rows = [
        event("OrderConfirmed", "order", "(n % 9973) + 0.05", "true"),
        event("PaymentCaptured", "payment", &other, &format!("NOT ({SEEDED} AND {KIND} = 1)")),
        event("PaymentCaptured", "payment", &other, &format!("{SEEDED} AND {KIND} = 2")),
    ];
    record(&database, &rows.join(" UNION ALL "));
    database.execute("ANALYZE event_logs");

    let expected: BTreeMap<String, String> = database
        .rows(&format!("SELECT md5('story' || n)::uuid, {KIND} FROM generate_series(1, {STORIES}) n WHERE {SEEDED}"))
        .into_iter()
        .map(|row| {
            let verdict = if row[1] == "1" { "left only" } else { "differs" };
            (row[0].clone(), verdict.to_owned())
        })
        .collect();
    assert_eq!(expected.len(), 100);
    let found = |arguments: &[&str]| -> BTreeMap<String, String> {
        let text = audit.succeed(&[arguments, &["-o", "csv"]].concat());
        let rows = text.lines().skip(1).map(|row| {
            let cells: Vec<_> = row.split(',').collect();
            (cells[0].to_owned(), cells[4].to_owned())
        });
        rows.collect()
    };
    assert_eq!(
        found(&["reconcile", "OrderConfirmed:$.amount", "PaymentCaptured:$.amount"]),
        expected
    );

    // The same out of a file, which names each story by its order.
    let file = database.copy_out(
        "COPY (SELECT ordered.aggregate_id AS \"order\", captured.payload ->> 'amount' AS amount
                 FROM event_logs captured JOIN event_logs ordered USING (correlation_id)
                WHERE captured.event_type = 'PaymentCaptured' AND ordered.event_type = 'OrderConfirmed')
         TO STDOUT (FORMAT csv, HEADER)",
    );
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = folder.path().join("statement.csv");
    let mut statement = file;
    let _ = writeln!(statement, "unknown,1");
    std::fs::write(&path, statement).unwrap_or_else(|error| panic!("{error}"));
    let mut with_unknown = expected;
    with_unknown.insert("unknown".to_owned(), "right only".to_owned());
    let path = path.to_string_lossy().into_owned();
    let csv = ["--csv", &path, "--csv-key", "order", "--csv-amount", "amount"];
    assert_eq!(
        found(&[&["reconcile", "OrderConfirmed:$.amount"][..], &csv].concat()),
        with_unknown
    );
}
