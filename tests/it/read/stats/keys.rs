//! Every key of `audit stats --by`, as files have it.

use sandbox::Sandbox;
use uuid::Uuid;

use super::{column, rows};
use crate::support::rows::record;
use crate::support::{Audit, Database};

/// Four events: three of an order whose ids came as text, one of them in its aggregate's story,
/// and one without ids.
fn shop(audit: &Audit) -> Database {
    let database = Database::open(&audit.database_url);
    let id = |name: &str| Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
    let (order, request) = (id("aggregate:order-17"), id("correlation:request-7"));
    record(
        &database,
        &format!(
            "SELECT * FROM (VALUES
               (gen_random_uuid(), 'OrderCreated', '{order}'::uuid, 'shop', false, '{{\"currency\": \"EUR\", \"n\": 1.50}}'::jsonb, '2026-10-25 00:30'::timestamp, '{request}'::uuid),
               (gen_random_uuid(), 'OrderCreated', '{order}', 'shop', true, '{{\"currency\": \"EUR\", \"n\": 1.5}}', '2026-10-25 01:30', '{request}'),
               (gen_random_uuid(), 'OrderShipped', '{order}', '', false, '{{\"currency\": [1, 2]}}', '2026-10-31 23:15:10.5', NULL),
               (gen_random_uuid(), 'Paid', NULL, NULL, false, '{{}}', '2026-11-01 00:00', NULL)) new"
        ),
    );
    database.execute(
        "INSERT INTO kafka_partitions (cluster_id, topic, partition) VALUES ('c', 'orders', 0);
         ALTER TABLE event_logs DISABLE TRIGGER append_only;
         UPDATE event_logs SET partition_id = 1 WHERE event_type LIKE 'Order%';
         UPDATE event_logs SET attributes = '{\"key\": \"order-17\", \"original\": {\"correlation_id\": \"request-7\"}}'
          WHERE event_type LIKE 'Order%' AND is_dlt;
         UPDATE event_logs SET attributes = '{\"key\": \"order-17\"}' WHERE event_type = 'OrderShipped';
         INSERT INTO dead_letters (event_log_id, headers, exception_class) VALUES (2, '[]', 'java.io.IOException')",
    );
    database
}

#[test]
fn every_key_is_a_column_of_its_name() {
    let scope = Sandbox::shared().scope("every_key");
    let audit = Audit::migrated(&scope);
    shop(&audit);
    let keys = [
        "type",
        "service",
        "topic",
        "dlt",
        "error",
        "aggregate",
        "correlation",
        "minute",
        "hour",
        "day",
        "week",
        "month",
        "hour-of-day",
        "$.currency",
        "$.n",
    ];
    let mut text = String::new();
    for key in keys {
        for zone in ["UTC", "Europe/Berlin", "Asia/Kolkata"] {
            let is_time = ["minute", "hour", "day", "week", "month", "hour-of-day"].contains(&key);
            if !is_time && zone != "UTC" {
                continue;
            }
            let arguments = ["--by", key, "--tz", zone];
            let csv = audit.succeed(&[&["stats", "-o", "csv"], &arguments[..]].concat());
            let json = column(&rows(&audit, &arguments), key);
            text.push_str(&format!("{key} {zone}: {}\n", json.join(" ")));
            for line in csv.lines().skip(1) {
                text.push_str(&format!("  {line}\n"));
            }
        }
    }
    insta::assert_snapshot!(text, @r#"
type UTC: "OrderCreated" "OrderShipped" "Paid"
  OrderCreated,2,0.5,0,1,0,2026-10-25 00:30:00,2026-10-25 01:30:00
  OrderShipped,1,0.25,0,0,0,2026-10-31 23:15:10.5,2026-10-31 23:15:10.5
  Paid,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
service UTC: "shop" "" null
  shop,2,0.5,0,1,0,2026-10-25 00:30:00,2026-10-25 01:30:00
  "",1,0.25,0,0,0,2026-10-31 23:15:10.5,2026-10-31 23:15:10.5
  ,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
topic UTC: "orders" null
  orders,3,0.75,0,1,0,2026-10-25 00:30:00,2026-10-31 23:15:10.5
  ,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
dlt UTC: "false" "true"
  false,3,0.75,0,0,2026-10-25 00:30:00,2026-11-01 00:00:00
  true,1,0.25,0,0,2026-10-25 01:30:00,2026-10-25 01:30:00
error UTC: null "java.io.IOException"
  ,3,0.75,0,0,0,2026-10-25 00:30:00,2026-11-01 00:00:00
  java.io.IOException,1,0.25,0,1,0,2026-10-25 01:30:00,2026-10-25 01:30:00
aggregate UTC: "order-17" null
  order-17,3,0.75,0,1,0,2026-10-25 00:30:00,2026-10-31 23:15:10.5
  ,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
correlation UTC: "request-7" "order-17" null
  request-7,2,0.5,0,1,0,2026-10-25 00:30:00,2026-10-25 01:30:00
  order-17,1,0.25,0,0,0,2026-10-31 23:15:10.5,2026-10-31 23:15:10.5
  ,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
minute UTC: "2026-10-25T00:30Z" "2026-10-25T01:30Z" "2026-10-31T23:15Z" "2026-11-01T00:00Z"
  2026-10-25T00:30Z,1,0.25,0,0,0,2026-10-25 00:30:00,2026-10-25 00:30:00
  2026-10-25T01:30Z,1,0.25,0,1,0,2026-10-25 01:30:00,2026-10-25 01:30:00
  2026-10-31T23:15Z,1,0.25,0,0,0,2026-10-31 23:15:10.5,2026-10-31 23:15:10.5
  2026-11-01T00:00Z,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
minute Europe/Berlin: "2026-10-25T02:30+02:00" "2026-10-25T02:30+01:00" "2026-11-01T00:15+01:00" "2026-11-01T01:00+01:00"
  2026-10-25T02:30+02:00,1,0.25,0,0,0,2026-10-25 00:30:00,2026-10-25 00:30:00
  2026-10-25T02:30+01:00,1,0.25,0,1,0,2026-10-25 01:30:00,2026-10-25 01:30:00
  2026-11-01T00:15+01:00,1,0.25,0,0,0,2026-10-31 23:15:10.5,2026-10-31 23:15:10.5
  2026-11-01T01:00+01:00,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
minute Asia/Kolkata: "2026-10-25T06:00+05:30" "2026-10-25T07:00+05:30" "2026-11-01T04:45+05:30" "2026-11-01T05:30+05:30"
  2026-10-25T06:00+05:30,1,0.25,0,0,0,2026-10-25 00:30:00,2026-10-25 00:30:00
  2026-10-25T07:00+05:30,1,0.25,0,1,0,2026-10-25 01:30:00,2026-10-25 01:30:00
  2026-11-01T04:45+05:30,1,0.25,0,0,0,2026-10-31 23:15:10.5,2026-10-31 23:15:10.5
  2026-11-01T05:30+05:30,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
hour UTC: "2026-10-25T00:00Z" "2026-10-25T01:00Z" "2026-10-31T23:00Z" "2026-11-01T00:00Z"
  2026-10-25T00:00Z,1,0.25,0,0,0,2026-10-25 00:30:00,2026-10-25 00:30:00
  2026-10-25T01:00Z,1,0.25,0,1,0,2026-10-25 01:30:00,2026-10-25 01:30:00
  2026-10-31T23:00Z,1,0.25,0,0,0,2026-10-31 23:15:10.5,2026-10-31 23:15:10.5
  2026-11-01T00:00Z,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
hour Europe/Berlin: "2026-10-25T02:00+02:00" "2026-10-25T02:00+01:00" "2026-11-01T00:00+01:00" "2026-11-01T01:00+01:00"
  2026-10-25T02:00+02:00,1,0.25,0,0,0,2026-10-25 00:30:00,2026-10-25 00:30:00
  2026-10-25T02:00+01:00,1,0.25,0,1,0,2026-10-25 01:30:00,2026-10-25 01:30:00
  2026-11-01T00:00+01:00,1,0.25,0,0,0,2026-10-31 23:15:10.5,2026-10-31 23:15:10.5
  2026-11-01T01:00+01:00,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
hour Asia/Kolkata: "2026-10-25T06:00+05:30" "2026-10-25T07:00+05:30" "2026-11-01T04:00+05:30" "2026-11-01T05:00+05:30"
  2026-10-25T06:00+05:30,1,0.25,0,0,0,2026-10-25 00:30:00,2026-10-25 00:30:00
  2026-10-25T07:00+05:30,1,0.25,0,1,0,2026-10-25 01:30:00,2026-10-25 01:30:00
  2026-11-01T04:00+05:30,1,0.25,0,0,0,2026-10-31 23:15:10.5,2026-10-31 23:15:10.5
  2026-11-01T05:00+05:30,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
day UTC: "2026-10-25" "2026-10-31" "2026-11-01"
  2026-10-25,2,0.5,0,1,0,2026-10-25 00:30:00,2026-10-25 01:30:00
  2026-10-31,1,0.25,0,0,0,2026-10-31 23:15:10.5,2026-10-31 23:15:10.5
  2026-11-01,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
day Europe/Berlin: "2026-10-25" "2026-11-01"
  2026-10-25,2,0.5,0,1,0,2026-10-25 00:30:00,2026-10-25 01:30:00
  2026-11-01,2,0.5,0,0,0,2026-10-31 23:15:10.5,2026-11-01 00:00:00
day Asia/Kolkata: "2026-10-25" "2026-11-01"
  2026-10-25,2,0.5,0,1,0,2026-10-25 00:30:00,2026-10-25 01:30:00
  2026-11-01,2,0.5,0,0,0,2026-10-31 23:15:10.5,2026-11-01 00:00:00
week UTC: "2026-10-19" "2026-10-26"
  2026-10-19,2,0.5,0,1,0,2026-10-25 00:30:00,2026-10-25 01:30:00
  2026-10-26,2,0.5,0,0,0,2026-10-31 23:15:10.5,2026-11-01 00:00:00
week Europe/Berlin: "2026-10-19" "2026-10-26"
  2026-10-19,2,0.5,0,1,0,2026-10-25 00:30:00,2026-10-25 01:30:00
  2026-10-26,2,0.5,0,0,0,2026-10-31 23:15:10.5,2026-11-01 00:00:00
week Asia/Kolkata: "2026-10-19" "2026-10-26"
  2026-10-19,2,0.5,0,1,0,2026-10-25 00:30:00,2026-10-25 01:30:00
  2026-10-26,2,0.5,0,0,0,2026-10-31 23:15:10.5,2026-11-01 00:00:00
month UTC: "2026-10" "2026-11"
  2026-10,3,0.75,0,1,0,2026-10-25 00:30:00,2026-10-31 23:15:10.5
  2026-11,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
month Europe/Berlin: "2026-10" "2026-11"
  2026-10,2,0.5,0,1,0,2026-10-25 00:30:00,2026-10-25 01:30:00
  2026-11,2,0.5,0,0,0,2026-10-31 23:15:10.5,2026-11-01 00:00:00
month Asia/Kolkata: "2026-10" "2026-11"
  2026-10,2,0.5,0,1,0,2026-10-25 00:30:00,2026-10-25 01:30:00
  2026-11,2,0.5,0,0,0,2026-10-31 23:15:10.5,2026-11-01 00:00:00
hour-of-day UTC: 0 1 23
  0,2,0.5,0,0,0,2026-10-25 00:30:00,2026-11-01 00:00:00
  1,1,0.25,0,1,0,2026-10-25 01:30:00,2026-10-25 01:30:00
  23,1,0.25,0,0,0,2026-10-31 23:15:10.5,2026-10-31 23:15:10.5
hour-of-day Europe/Berlin: 0 1 2
  0,1,0.25,0,0,0,2026-10-31 23:15:10.5,2026-10-31 23:15:10.5
  1,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
  2,2,0.5,0,1,0,2026-10-25 00:30:00,2026-10-25 01:30:00
hour-of-day Asia/Kolkata: 4 5 6 7
  4,1,0.25,0,0,0,2026-10-31 23:15:10.5,2026-10-31 23:15:10.5
  5,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
  6,1,0.25,0,0,0,2026-10-25 00:30:00,2026-10-25 00:30:00
  7,1,0.25,0,1,0,2026-10-25 01:30:00,2026-10-25 01:30:00
$.currency UTC: "EUR" [1,2] null
  EUR,2,0.5,0,1,0,2026-10-25 00:30:00,2026-10-25 01:30:00
  "[1, 2]",1,0.25,0,0,0,2026-10-31 23:15:10.5,2026-10-31 23:15:10.5
  ,1,0.25,0,0,0,2026-11-01 00:00:00,2026-11-01 00:00:00
$.n UTC: 1.5 null
  1.50,2,0.5,0,1,0,2026-10-25 00:30:00,2026-10-25 01:30:00
  ,2,0.5,0,0,0,2026-10-31 23:15:10.5,2026-11-01 00:00:00
"#);
}

#[test]
fn a_count_of_dead_letters_is_left_out_where_they_are_the_key() {
    let scope = Sandbox::shared().scope("dlt_key");
    let audit = Audit::migrated(&scope);
    shop(&audit);
    let csv = audit.succeed(&["stats", "--by", "dlt", "-o", "csv"]);
    let header = csv.lines().next().unwrap_or_default();
    assert_eq!(header, "dlt,events,share,per_second,quarantined,first,last");
}

#[test]
fn times_at_the_ends_of_postgresqls_range_fail_no_count() {
    let scope = Sandbox::shared().scope("ends_of_time");
    let audit = Audit::migrated(&scope);
    let database = shop(&audit);
    database.execute(
        "INSERT INTO event_logs (event_id, event_type, payload, created_at)
         SELECT gen_random_uuid(), 'Far', '{}', time::timestamp
           FROM unnest(ARRAY['-infinity', '4714-11-24 BC', '294276-12-31 23:59:59.999999', 'infinity']) time",
    );
    for key in ["minute", "hour", "day", "week", "month", "hour-of-day"] {
        for zone in ["UTC", "Asia/Tokyo", "-18:00", "Asia/Kolkata"] {
            let found = rows(&audit, &["--by", key, "--tz", zone, "--type", "Far"]);
            let events: i64 = found.iter().filter_map(|row| row["events"].as_i64()).sum();
            assert_eq!(events, 4, "{key} {zone}: {found:?}");
        }
    }
    let days = column(&rows(&audit, &["--by", "day", "--type", "Far"]), "day");
    assert_eq!(days, ["\"-infinity\"", "\"4714-11-24 BC\"", "\"294276-12-31\"", "\"infinity\""]);
    let drawn = audit.succeed(&["stats", "--histogram", "--heatmap"]);
    assert!(drawn.contains("Mon "), "{drawn}");
}
