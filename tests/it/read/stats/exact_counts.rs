//! Counts of whole hours and days, and of what is not among them, against a GROUP BY over the rows.

use sandbox::Sandbox;

use super::{column, rows};
use crate::support::rows::{commit, reserve};
use crate::support::{Audit, Database};

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap_or_default()
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }
}

/// When clocks change in Lord Howe (by half an hour), in Berlin and in New York, and a day on which
/// they don't.
const MOMENTS: [&str; 4] =
    ["2026-10-03 15:30", "2026-10-25 01:00", "2026-11-01 06:00", "2026-11-22 00:00"];

/// `count` rows around these moments, many of them at the same times and where hours begin.
fn random_rows(random: &mut Random, count: usize, is_hand_written: bool) -> String {
    let mut rows = Vec::new();
    for _ in 0..count {
        let moment = random.one_of(&MOMENTS);
        let seconds = match random.below(3) {
            0 => random.below(60) as i64 * 3_600,
            1 => random.below(360) as i64 * 600,
            _ => random.below(216_000) as i64,
        } - 108_000;
        let event_type = random.one_of(&["OrderCreated", "Paid", "audit.Quarantined"]);
        let service = random.one_of(&["'shop'", "'bank'", "''", "NULL"]);
        let is_dlt = match random.below(6) {
            0 => "TRUE",
            1 if is_hand_written => "NULL",
            _ => "FALSE",
        };
        let partition =
            if is_hand_written { "NULL".to_owned() } else { (1 + random.below(3)).to_string() };
        rows.push(format!(
            "('{event_type}', {service}, {is_dlt}, TIMESTAMP '{moment}' + {seconds} * interval '1 second', {partition}::int)"
        ));
    }
    rows.join(", ")
}

const COLUMNS: &str = "event_type, source_service, is_dlt, created_at, partition_id";

/// A database with counted batches, some of them merged, one that is not counted, and rows outside
/// batches.
fn recorded(audit: &Audit, random: &mut Random) -> Database {
    let database = Database::open(&audit.database_url);
    database.execute(
        "INSERT INTO kafka_partitions (cluster_id, topic, partition)
         VALUES ('c', 'orders', 0), ('c', 'orders', 1), ('c', 'payments', 0)",
    );
    for batch in 0..8 {
        let ids = reserve(&database, 250);
        let rows = random_rows(random, 250, false);
        database.execute(&format!(
            "BEGIN;
             INSERT INTO event_logs (id, event_id, payload, {COLUMNS})
             SELECT {} - 1 + row_number() OVER (), gen_random_uuid(), '{{}}', new.* FROM (VALUES {rows}) AS new({COLUMNS})",
            ids.start()
        ));
        commit(&database, &ids);
        match batch {
            2 | 4 => {
                database.execute("SELECT fill_event_counts(1000000), merge_event_counts(1000000)");
            }
            6 => database.execute("SELECT fill_event_counts(1000000)"),
            _ => {}
        }
    }
    let rows = random_rows(random, 60, true);
    database.execute(&format!(
        "INSERT INTO event_logs (event_id, payload, {COLUMNS})
         SELECT gen_random_uuid(), '{{}}', new.* FROM (VALUES {rows}) AS new({COLUMNS})"
    ));
    database
}

/// A zone, and the SQL of what its clocks show.
const ZONES: [(&str, &str); 6] = [
    ("UTC", "created_at"),
    ("Europe/Berlin", "created_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin'"),
    ("America/New_York", "created_at AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York'"),
    ("Australia/Lord_Howe", "created_at AT TIME ZONE 'UTC' AT TIME ZONE 'Australia/Lord_Howe'"),
    ("Asia/Kolkata", "created_at AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Kolkata'"),
    ("-02:00", "created_at - interval '2 hours'"),
];

/// A key, and its SQL as text, with `{local}` for what the clocks show.
const KEYS: [(&str, &str); 9] = [
    ("type", "event_type"),
    ("service", "source_service"),
    ("dlt", "(is_dlt IS TRUE)::text"),
    ("topic", "(SELECT topic FROM kafka_partitions known WHERE known.partition_id = event_logs.partition_id)"),
    (
        "hour",
        "to_char(date_trunc('hour', {local}), 'YYYY-MM-DD\"T\"HH24:MI') || CASE WHEN {local} = created_at THEN 'Z' ELSE
         CASE WHEN {local} < created_at THEN '-' ELSE '+' END ||
         to_char(greatest({local}, created_at) - least({local}, created_at), 'HH24:MI') END",
    ),
    ("day", "to_char({local}, 'YYYY-MM-DD')"),
    ("week", "to_char({local} - (extract(isodow FROM {local}) - 1) * interval '1 day', 'YYYY-MM-DD')"),
    ("month", "to_char({local}, 'YYYY-MM')"),
    ("hour-of-day", "extract(hour FROM {local})::text"),
];

/// A random range of time: its options, and its SQL.
fn random_times(random: &mut Random) -> (Vec<String>, String) {
    let time = |random: &mut Random| {
        let moment = random.one_of(&MOMENTS);
        let hours = random.below(60) as i64 - 30;
        let minutes = random.one_of(&["00:00", "00:00", "10:00", "34:56.789"]);
        format!("{} {:02}:{minutes}", &moment[..10], (hours + 30) % 24)
    };
    let one = time(random);
    match random.below(6) {
        0 => (vec![], "TRUE".to_owned()),
        1 => (vec!["--since".to_owned(), one.clone()], format!("created_at >= '{one}'")),
        2 => (vec!["--until".to_owned(), one.clone()], format!("created_at < '{one}'")),
        3 => {
            let (one, other) = (one[..10].to_owned(), time(random)[..10].to_owned());
            let sql = format!("created_at::date IN ('{one}', '{other}')");
            (vec!["--date".to_owned(), format!("{one},{other}")], sql)
        }
        _ => {
            let other = time(random);
            let (since, until) = (one.clone().min(other.clone()), one.max(other));
            let until = if since == until { "2026-12-01 00:00".to_owned() } else { until };
            let sql = format!("created_at >= '{since}' AND created_at < '{until}'");
            (vec!["--since".to_owned(), since, "--until".to_owned(), until], sql)
        }
    }
}

const OTHER_SELECTORS: [(&[&str], &str); 9] = [
    (&[], "TRUE"),
    (&[], "TRUE"),
    (&["--type", "Order*"], "event_type LIKE 'Order%'"),
    (&["--type", "!Paid"], "event_type <> 'Paid'"),
    (&["--service", "shop"], "source_service = 'shop'"),
    (&["--service", "!shop"], "source_service IS DISTINCT FROM 'shop'"),
    (&["--dlt"], "is_dlt"),
    (&["--no-dlt", "--topic", "orders"], "is_dlt IS NOT TRUE AND partition_id IN (1, 2)"),
    (
        &["--quarantined", "--topic", "!payments"],
        "event_type = 'audit.Quarantined' AND partition_id IS DISTINCT FROM 3",
    ),
];

#[test]
fn counts_are_those_of_the_rows_whatever_is_selected_and_grouped() {
    let scope = Sandbox::shared().scope("exact_counts");
    let audit = Audit::migrated(&scope);
    let mut random = Random(4_711);
    let database = recorded(&audit, &mut random);
    for round in 0..90 {
        // Times that were typed are of UTC, whatever the zone of the keys: they say so.
        let (zone, local) = ZONES[round % ZONES.len()];
        let mut keys: Vec<_> = (0..=random.below(2)).map(|_| random.one_of(&KEYS)).collect();
        keys.dedup_by_key(|(name, _)| *name);
        let (times, in_time) = random_times(&mut random);
        let is_of_days = times.first().is_some_and(|option| option == "--date");
        let (zone, local) = if is_of_days { ZONES[0] } else { (zone, local) };
        let times: Vec<_> = times
            .iter()
            .map(|word| if word.contains(' ') { format!("{word}Z") } else { word.clone() })
            .collect();
        let (selectors, selected) = random.one_of(&OTHER_SELECTORS);
        let names: Vec<_> = keys.iter().map(|(name, _)| *name).collect();
        let by = names.join(",");
        let mut arguments = vec!["--by", &by, "--tz", zone, "-n", "100000"];
        arguments.extend(times.iter().map(String::as_str));
        arguments.extend(selectors);
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Null => "∅".to_owned(),
            other => other.to_string(),
        };
        let figures = ["events", "quarantined", "first", "last"];
        let columns = names.iter().chain(&figures);
        let mut found: Vec<Vec<String>> = rows(&audit, &arguments)
            .iter()
            .map(|row| columns.clone().map(|name| text(&row[*name])).collect())
            .collect();
        let expressions: Vec<_> = keys
            .iter()
            .map(|(_, sql)| format!("({})", sql.replace("{local}", &format!("({local})"))))
            .collect();
        let numbers: Vec<_> = (1..=keys.len()).map(|number| number.to_string()).collect();
        let iso = "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'";
        let mut expected = database.rows(&format!(
            "SELECT {}, count(*), count(*) FILTER (WHERE event_type = 'audit.Quarantined'),
                    to_char(min(created_at), {iso}), to_char(max(created_at), {iso})
               FROM event_logs WHERE {in_time} AND {selected} GROUP BY {}",
            expressions.join(", "),
            numbers.join(", ")
        ));
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{arguments:?}");
    }
}

#[test]
fn the_drawings_count_the_same_as_the_rows() {
    let scope = Sandbox::shared().scope("drawn_counts");
    let audit = Audit::migrated(&scope);
    let database = recorded(&audit, &mut Random(17));
    for zone in ["UTC", "Europe/Berlin", "Asia/Kolkata"] {
        let drawn = |more: &[&str]| {
            let all = ["stats", "--histogram", "--heatmap", "--tz", zone];
            let drawn = audit.succeed(&[&all[..], more].concat());
            drawn.split_once("\n\n").map(|(_, drawn)| drawn.to_owned()).unwrap_or_default()
        };
        // A selector that only rows can answer, and that all of them pass.
        assert_eq!(drawn(&[]), drawn(&["--where", "!exists($.nothing)"]), "{zone}");
    }
    let merged = database.number("SELECT count(*) FROM event_counts_by_day");
    assert!(merged > 0);
}

#[test]
fn whole_hours_and_days_are_not_counted_again() {
    let scope = Sandbox::shared().scope("counted_once");
    let audit = Audit::migrated(&scope);
    let database = recorded(&audit, &mut Random(5));
    let events = |arguments: &[&str]| -> i64 {
        let rows = rows(&audit, &[&["--type", "Paid"], arguments].concat());
        column(&rows, "events").iter().filter_map(|events| events.parse::<i64>().ok()).sum()
    };
    let (all, hour) =
        (events(&[]), ["--since", "2026-11-22T10:00:00Z", "--until", "2026-11-22T11:00:00Z"]);
    let in_hour = events(&hour);
    // What no ingester would write, to see what is read.
    database.execute(
        "UPDATE event_counts_by_day SET events = events + 1000
          WHERE event_type = 'Paid' AND day = '2026-11-22' AND NOT is_dlt AND source_service = 'shop' AND partition_id = 1;
         UPDATE event_counts SET events = events + 10
          WHERE event_type = 'Paid' AND hour = '2026-11-22 10:00' AND merged",
    );
    assert_eq!(events(&[]), all + 1_000);
    assert!(events(&hour) > in_hour);
    assert_eq!(events(&["--where", "!exists($.nothing)"]), all);
}
