//! Figures of payloads: exact, and never an error.

use sandbox::Sandbox;

use super::{column, rows, said};
use crate::support::rows::record;
use crate::support::{Audit, Database};

/// One event for each of these payloads, a second apart.
fn payloads(audit: &Audit, payloads: &[&str]) -> Database {
    let database = Database::open(&audit.database_url);
    let rows: Vec<_> =
        (0..).zip(payloads).map(|(n, payload)| format!("({n}, '{payload}'::jsonb)")).collect();
    record(
        &database,
        &format!(
            "SELECT gen_random_uuid(), 'Paid', NULL::uuid, 'bank', false, payload,
                    TIMESTAMP '2026-11-22' + n * interval '1 second', NULL::uuid
               FROM (VALUES {}) new(n, payload)",
            rows.join(", ")
        ),
    );
    database
}

const ALL: [&str; 12] = [
    "--sum", "$.a", "--avg", "$.a", "--min", "$.a", "--max", "$.a", "--p50", "$.a", "--p95", "$.a",
];

fn figures(audit: &Audit, more: &[&str]) -> Vec<String> {
    let csv = audit.succeed(&[&["stats", "-o", "csv"], &ALL[..], more].concat());
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let first = lines[0].iter().position(|name| *name == "sum($.a)").unwrap_or_default();
    lines[1..].iter().map(|line| line[first..first + 6].join(" ")).collect()
}

#[test]
fn decimals_are_added_up_digit_by_digit_as_numbers_and_as_text() {
    let scope = Sandbox::shared().scope("exact_decimals");
    let audit = Audit::migrated(&scope);
    payloads(
        &audit,
        &[
            r#"{"a": 0.1}"#,
            r#"{"a": "0.2"}"#,
            r#"{"a": 12345678901234567890.123456789}"#,
            r#"{"a": " 1e2 "}"#,
            r#"{"a": -7}"#,
            "{}",
            r#"{"a": null}"#,
        ],
    );
    assert_eq!(
        figures(&audit, &[]),
        [
            "12345678901234567983.423456789 2469135780246913596.684691358 -7 12345678901234567890.123456789 0.2 \
          9876543120987654332.0987654312"
        ]
    );
    assert!(!said(&audit, &["--sum", "$.a"]).contains("no number"));
}

#[test]
fn a_percentile_lies_between_the_two_numbers_next_to_it() {
    let scope = Sandbox::shared().scope("percentiles");
    let audit = Audit::migrated(&scope);
    let database = payloads(&audit, &["{}"]);
    record(
        &database,
        "SELECT gen_random_uuid(), 'Type' || n % 7, NULL::uuid, 'bank', false, jsonb_build_object('a', (n * 37 % 101)::numeric / 8),
                TIMESTAMP '2026-11-22' + n * interval '1 second', NULL::uuid FROM generate_series(1, 500) n",
    );
    let found: Vec<_> = figures(&audit, &["--by", "type", "--type", "Type*"])
        .iter()
        .map(|line| {
            line.split(' ').map(|number| number.parse().unwrap_or(f64::NAN)).collect::<Vec<_>>()
        })
        .collect();
    let expected: Vec<Vec<f64>> = database
        .rows(
            "SELECT sum(a), avg(a), min(a), max(a), percentile_cont(0.5) WITHIN GROUP (ORDER BY a),
                    percentile_cont(0.95) WITHIN GROUP (ORDER BY a)
               FROM (SELECT event_type, (payload ->> 'a')::float8 AS a FROM event_logs WHERE event_type LIKE 'Type%') numbers
              GROUP BY event_type ORDER BY count(*) DESC, event_type",
        )
        .iter()
        .map(|row| row.iter().map(|number| number.parse().unwrap_or(f64::NAN)).collect())
        .collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((found - expected).abs() < 0.000_001, "{found} {expected}");
    }
}

#[test]
fn what_is_no_number_is_counted_and_said_and_never_an_error() {
    let scope = Sandbox::shared().scope("no_numbers");
    let audit = Audit::migrated(&scope);
    let huge = format!(r#"{{"a": {}}}"#, "9".repeat(5_000));
    let long = format!(r#"{{"a": "{}"}}"#, "9".repeat(5_000));
    payloads(
        &audit,
        &[
            r#"{"a": "1e999999"}"#,
            r#"{"a": "-1E-99999999999999999999"}"#,
            r#"{"a": 1e100000}"#,
            r#"{"a": "NaN"}"#,
            r#"{"a": "Infinity"}"#,
            r#"{"a": "1,50"}"#,
            r#"{"a": "0x1F"}"#,
            r#"{"a": "1_000"}"#,
            r#"{"a": "١٢"}"#,
            r#"{"a": "\u00a01"}"#,
            r#"{"a": ""}"#,
            r#"{"a": "."}"#,
            r#"{"a": true}"#,
            r#"{"a": {"b": 1}}"#,
            r#"{"a": []}"#,
            &huge,
            &long,
            r#"{"a": "+.5"}"#,
            r#"{"a": "1."}"#,
            r#"{"a": 1e400}"#,
            r#"{"a": -1e400}"#,
            "{}",
            "[1]",
        ],
    );
    let said = said(&audit, &["--sum", "$.a", "--max", "$.a"]);
    assert!(said.contains("17 values are no numbers at $.a: left out of its figures"), "{said}");
    assert_eq!(column(&rows(&audit, &["--sum", "$.a"]), "sum($.a)"), ["1.5"]);
    // A group without a number has no figures.
    let csv = audit.succeed(&[
        "stats", "-o", "csv", "--sum", "$.b", "--avg", "$.b", "--p50", "$.b", "--max", "$.b",
    ]);
    assert!(csv.contains("Paid,23,1,1.045,0,0,,,,,2026"), "{csv}");
}

#[test]
fn a_path_finds_the_first_and_what_is_wrong_with_it_is_said_of_its_option() {
    let scope = Sandbox::shared().scope("figure_paths");
    let audit = Audit::migrated(&scope);
    payloads(
        &audit,
        &[
            r#"{"items": [{"n": 1}, {"n": 2}], "c,d": "EUR"}"#,
            r#"{"items": [{"n": 5}, {"n": 2}], "c,d": "EUR"}"#,
            r#"{"items": [], "c,d": "USD"}"#,
            r#"{"c,d": null}"#,
        ],
    );
    let found = rows(
        &audit,
        &["--by", r#"$."c,d",type"#, "--sum", "$.items[0,1].n", "--max", "$.items[*].n ? (@ > 1)"],
    );
    assert_eq!(column(&found, r#"$."c,d""#), ["\"EUR\"", "\"USD\"", "null"]);
    assert_eq!(column(&found, "sum($.items[0,1].n)"), ["6", "null", "null"]);
    assert_eq!(column(&found, "max($.items[*].n ? (@ > 1))"), ["5", "null", "null"]);
    for (arguments, expected) in [
        (&["--p95", "$.a["][..], "--p95"),
        (&["--by", "$.a[0,b"], "--by"),
        (&["--sum", "amount"], "--sum: 'amount' is no JSON path"),
        (&["--by", "currency"], "--by: there is no key 'currency'"),
    ] {
        let output = audit.run(&[&["stats"], arguments].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}
