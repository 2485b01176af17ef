//! Change events of tables: found by their primary keys, and readable where they say how.

use serde_json::value::RawValue;

use super::{ORDER, Recorded, Row, member};

/// The Debeziums that look at the tables, by how their events are built.
const ENVELOPES: [&str; 6] =
    ["schemas", "connect_times", "nanoseconds", "iso_times", "bare", "bare_strings"];

/// The first change of the order, as each Debezium with schemas tells it, and where its row is.
fn order_as_created(recorded: &Recorded, connector: &str) -> Row {
    let topic = format!("{connector}.public.orders");
    let mut rows = recorded.rows(&topic, &["--aggregate", ORDER]);
    assert_eq!(rows.len(), 2, "{connector}: {rows:?}");
    rows.swap_remove(0)
}

/// Panics unless these columns stand in the row as they are written here.
#[track_caller]
fn assert_columns(connector: &str, row: &RawValue, path: &[&str], columns: &[(&str, &str)]) {
    for (column, expected) in columns {
        let found = member(row, &[path, &[*column]].concat());
        assert_eq!(found, *expected, "{connector}: {column}");
    }
}

#[test]
fn a_change_is_found_by_the_primary_key_that_people_know() {
    let Some(recorded) = Recorded::shared() else { return };
    for connector in ENVELOPES {
        let types = |table: &str, id: &str| {
            recorded.types(&format!("{connector}.public.{table}"), &["--aggregate", id])
        };
        assert_eq!(types("orders", ORDER), ["orders.created", "orders.updated"], "{connector}");
        assert_eq!(
            types("orders", "00000000-0000-4000-8000-000000000003"),
            ["orders.created", "orders.deleted", "audit.Tombstone"],
            "{connector}"
        );
        assert_eq!(types("customers", "C-SNAPSHOT"), ["customers.read"], "{connector}");
        // A row whose key changes is deleted under the old one, and created under the new.
        assert_eq!(
            types("customers", "C-4711"),
            ["customers.created", "customers.updated", "customers.deleted", "audit.Tombstone"],
            "{connector}"
        );
        assert_eq!(types("customers", "C-4712"), ["customers.created"], "{connector}");
        let of_two_columns = format!(r#"{{"order_id":"{ORDER}","line":1}}"#);
        assert_eq!(types("order_lines", &of_two_columns), ["order_lines.created"], "{connector}");
    }
}

#[test]
fn a_row_without_its_envelope_and_a_cloud_event_are_found_by_the_primary_key_too() {
    let Some(recorded) = Recorded::shared() else { return };
    // Of a deletion a row without its envelope has the tombstone alone.
    for (connector, expected) in
        [("flat", [2, 2, 3]), ("flat_bare", [2, 2, 3]), ("cloud_events", [2, 3, 4])]
    {
        let count = |table: &str, id: &str| {
            recorded.rows(&format!("{connector}.public.{table}"), &["--aggregate", id]).len()
        };
        let found = [
            count("orders", ORDER),
            count("orders", "00000000-0000-4000-8000-000000000003"),
            count("customers", "C-4711"),
        ];
        assert_eq!(found, expected, "{connector}");
        assert_eq!(count("customers", "C-SNAPSHOT"), 1, "{connector}");
        assert_eq!(count("customers", "C-4712"), 1, "{connector}");
    }
}

#[test]
fn amounts_are_exact_numbers_and_dates_are_readable_where_the_schema_is_there() {
    let Some(recorded) = Recorded::shared() else { return };
    for (connector, path) in [
        ("schemas", &["after"][..]),
        ("connect_times", &["after"]),
        ("nanoseconds", &["after"]),
        ("iso_times", &["after"]),
        ("flat", &[]),
        ("cloud_events", &["after"]),
    ] {
        let row = order_as_created(recorded, connector).payload;
        assert_columns(
            connector,
            &row,
            path,
            &[
                ("id", r#""7c1f6f1e-9a52-4a0e-8d5c-0d6b1d8f4711""#),
                ("total", "12.34"),
                ("weight", "0.000123456789"),
                ("at_zone", r#""2026-02-28T22:59:59.999999Z""#),
                ("time_zone", r#""22:59:59.999999Z""#),
                ("prices", "[1.10, 2.20]"),
                // What people can read, or no RFC 3339 can say, stays as it is.
                ("took", "93600000000"),
                ("ratio", "0.1"),
                ("count", "9007199254740993"),
                ("is_gift", "true"),
                ("seal", r#""AP8Q""#),
                ("tags", r#"["a", "b c"]"#),
            ],
        );
        let after_the_update = recorded
            .rows(&format!("{connector}.public.orders"), &["--aggregate", ORDER])
            .pop()
            .map(|row| member(&row.payload, &[path, &["total"]].concat()));
        assert_eq!(after_the_update.as_deref(), Some("9999999999.99"), "{connector}");
    }
    for (connector, path) in
        [("schemas", &["after"][..]), ("nanoseconds", &["after"]), ("flat", &[])]
    {
        let row = order_as_created(recorded, connector).payload;
        assert_columns(
            connector,
            &row,
            path,
            &[
                ("placed_on", r#""2026-02-28""#),
                ("at_millis", r#""2026-02-28T23:59:59.999Z""#),
                ("at_micros", r#""2026-02-28T23:59:59.999999Z""#),
                ("time_millis", r#""23:59:59.999""#),
                ("time_micros", r#""23:59:59.999999""#),
                ("days", r#"["2026-02-28", "1969-12-31"]"#),
            ],
        );
    }
    let row = order_as_created(recorded, "iso_times").payload;
    let columns = [
        ("placed_on", r#""2026-02-28""#),
        ("at_micros", r#""2026-02-28T23:59:59.999999Z""#),
        ("time_micros", r#""23:59:59.999999Z""#),
        ("days", r#"["2026-02-28", "1969-12-31"]"#),
    ];
    assert_columns("iso_times", &row, &["after"], &columns);
    // Connect's own types know milliseconds alone.
    let row = order_as_created(recorded, "connect_times").payload;
    let columns = [
        ("placed_on", r#""2026-02-28""#),
        ("at_micros", r#""2026-02-28T23:59:59.999Z""#),
        ("time_micros", r#""23:59:59.999""#),
        ("days", r#"["2026-02-28", "1969-12-31"]"#),
    ];
    assert_columns("connect_times", &row, &["after"], &columns);
}

#[test]
fn times_before_1970_negative_amounts_and_nulls_are_read_too() {
    let Some(recorded) = Recorded::shared() else { return };
    let old = recorded
        .rows("schemas.public.orders", &["--aggregate", "00000000-0000-4000-8000-000000000002"]);
    let columns = [
        ("total", "-1234567890.12"),
        ("placed_on", r#""1969-12-31""#),
        ("at_millis", r#""1969-12-31T23:59:59.999Z""#),
        ("at_micros", r#""1969-12-31T23:59:59.999999Z""#),
        ("at_zone", r#""0099-12-31T23:59:59.000000Z""#),
        ("time_micros", r#""00:00:00""#),
    ];
    assert_columns("schemas", &old[0].payload, &["after"], &columns);
    let nulls = recorded
        .rows("schemas.public.orders", &["--aggregate", "00000000-0000-4000-8000-000000000003"]);
    let columns = ["total", "weight", "placed_on", "at_micros", "time_micros", "days", "prices"]
        .map(|column| (column, "null"));
    assert_columns("schemas", &nulls[0].payload, &["after"], &columns);
}

#[test]
fn without_schemas_values_stay_as_debezium_wrote_them() {
    let Some(recorded) = Recorded::shared() else { return };
    let row = order_as_created(recorded, "bare").payload;
    let columns = [
        ("total", r#""BNI=""#),
        ("placed_on", "20512"),
        ("at_micros", "1772323199999999"),
        ("at_zone", r#""2026-02-28T22:59:59.999999Z""#),
    ];
    assert_columns("bare", &row, &["after"], &columns);
    // Who does without schemas asks Debezium for amounts that can be read.
    let row = order_as_created(recorded, "bare_strings").payload;
    assert_columns("bare_strings", &row, &["after"], &[("total", r#""12.34""#)]);
    let row = order_as_created(recorded, "flat_bare").payload;
    assert_columns("flat_bare", &row, &[], &[("total", r#""BNI=""#)]);
}
