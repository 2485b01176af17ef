//! `audit stuck` on a real PostgreSQL: which stories it finds, and what it says of them.

use std::process::Output;

use sandbox::{Sandbox, Scope};
use serde_json::Value;

use crate::support::rows::record;
use crate::support::{Audit, Database, Terminal};

/// Rows of stories: each event's type, whether it is a dead letter, and how long after its story
/// began; `begins` gives `story`, a number, and `began`.
fn stories(begins: &str, events: &[(&str, bool, &str)]) -> String {
    let events: Vec<_> = events
        .iter()
        .enumerate()
        .map(|(number, (event_type, dlt, after))| {
            format!("({number}, '{event_type}', {dlt}, interval '{after}')")
        })
        .collect();
    format!(
        "SELECT md5(story || ' ' || event_type)::uuid, event_type, md5('order ' || story)::uuid, 'order-service', dlt,
                '{{}}'::jsonb, began + after, md5(story::text)::uuid
           FROM ({begins}) AS begins (story, began), (VALUES {}) AS event (number, event_type, dlt, after)
          ORDER BY began + after, number",
        events.join(", ")
    )
}

/// When stories began: so many with numbers from `first` on, the first of them `ago`, each a minute
/// later than the one before.
fn began(first: i64, count: i64, ago: &str) -> String {
    format!(
        "SELECT n, now()::timestamp - interval '{ago}' + (n - {first}) * interval '1 minute'
           FROM generate_series({first}, {first} + {count} - 1) n"
    )
}

const PAID_AND_SHIPPED: [(&str, bool, &str); 3] =
    [("Created", false, "0 s"), ("Paid", false, "2 min"), ("Shipped", false, "10 min")];

/// A hundred healthy orders of ten days ago, two of them cancelled.
fn history(database: &Database) {
    record(database, &stories(&began(1_000, 98, "10 days"), &PAID_AND_SHIPPED));
    let cancelled = [("Created", false, "0 s"), ("Cancelled", false, "1 min")];
    record(database, &stories(&began(1_100, 2, "10 days"), &cancelled));
}

/// The orders of today: one that is paid and shipped, one that was never paid, one whose payment
/// became a dead letter, one that is under way, one that was cancelled and noted afterwards.
fn today(database: &Database) {
    record(database, &stories(&began(1, 1, "5 hours"), &PAID_AND_SHIPPED));
    record(database, &stories(&began(2, 1, "4 hours"), &PAID_AND_SHIPPED[..1]));
    let failed = [("Created", false, "0 s"), ("Paid", false, "1 min"), ("Paid", true, "1 min")];
    let letter = record(database, &stories(&began(3, 1, "3 hours"), &failed));
    record(database, &stories(&began(4, 1, "3 min"), &PAID_AND_SHIPPED[..2]));
    let noted =
        [("Created", false, "0 s"), ("Cancelled", false, "1 min"), ("Noted", false, "2 min")];
    record(database, &stories(&began(5, 1, "2 hours"), &noted));
    database.execute(&format!(
        "INSERT INTO dead_letters (event_log_id, headers, origin_topic, exception_class, exception_message)
         VALUES ({}, '[]', 'orders.events', 'java.net.SocketTimeoutException', 'Read timed out')",
        letter.end()
    ));
}

fn shop(name: &str) -> (Scope<'static>, Audit, Database) {
    let scope = Sandbox::shared().scope(name);
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    (scope, audit, database)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The rows in JSON.
fn rows(audit: &Audit, arguments: &[&str]) -> Vec<Value> {
    let stdout = audit.succeed(&[&["stuck", "-o", "json"], arguments].concat());
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{stdout}: {error}"))
}

/// The stories that are stuck, by their numbers, with their last types.
fn found(audit: &Audit, database: &Database, arguments: &[&str]) -> Vec<String> {
    let numbers = database.rows("SELECT n, md5(n::text)::uuid FROM generate_series(1, 2000) n");
    let number = |correlation: &Value| {
        let is_it = |row: &&Vec<String>| correlation == row[1].as_str();
        numbers.iter().find(is_it).map_or("?", |row| row[0].as_str()).to_owned()
    };
    let line = |row: &Value| {
        let last = row["last_event_type"].as_str().unwrap_or_default();
        format!("{} {last}", number(&row["correlation"]))
    };
    rows(audit, arguments).iter().map(line).collect()
}

#[test]
fn stuck_finds_what_did_not_end_for_longer_than_is_usual() {
    let (_scope, audit, database) = shop("stuck_learned");
    history(&database);
    today(&database);
    assert_eq!(found(&audit, &database, &[]), ["2 Created", "3 Paid", "5 Noted"]);

    let rows = rows(&audit, &[]);
    let members = |row: &Value| row.as_object().map(|row| row.keys().cloned().collect::<Vec<_>>());
    let mut names = [
        "correlation",
        "aggregate",
        "began",
        "last_event_type",
        "last_at",
        "silent_seconds",
        "usual_seconds",
        "events",
        "error",
    ]
    .map(str::to_owned);
    let csv = audit.succeed(&["stuck", "-o", "csv"]);
    assert_eq!(csv.lines().next(), Some(names.join(",").as_str()));
    names.sort_unstable();
    let mut found = members(&rows[0]).unwrap_or_default();
    found.sort_unstable();
    assert_eq!(found, names);

    let [created, paid, noted] = [&rows[0], &rows[1], &rows[2]];
    let silent = created["silent_seconds"].as_f64().unwrap_or_default();
    assert!((14_400.0..14_700.0).contains(&silent), "{created}");
    assert_eq!((&created["usual_seconds"], &created["events"]), (&120.0.into(), &1.into()));
    assert_eq!(created["began"], created["last_at"]);
    assert_eq!(created["aggregate"], database.value("SELECT md5('order 2')::uuid").as_str());
    assert_eq!((&created["error"], &noted["usual_seconds"]), (&Value::Null, &Value::Null));
    assert_eq!((&paid["usual_seconds"], &paid["events"]), (&480.0.into(), &2.into()));
    assert_eq!(paid["error"], "java.net.SocketTimeoutException: Read timed out");

    let said = stderr(&audit.run(&["stuck"]));
    for expected in [
        "stories that began in the last 24 h, since ",
        "learned from 100 stories that began from ",
        "they end with Shipped (98.0 %), Cancelled (2.0 %)\n",
        "3 of 5 stories are stuck\n",
    ] {
        assert!(said.contains(expected), "{expected} is not in\n{said}");
    }
}

#[test]
fn given_ends_count_wherever_they_stand_and_what_is_given_needs_no_history() {
    let (_scope, audit, database) = shop("stuck_given");
    today(&database);
    let given = ["--end", "Shipped", "Cancelled"];
    assert_eq!(found(&audit, &database, &given), ["2 Created", "3 Paid", "4 Paid"]);
    let said = stderr(&audit.run(&[&["stuck"], &given[..]].concat()));
    assert!(
        said.contains("nothing is known of how long a story may be silent: no story began from"),
        "{said}"
    );
    assert_eq!(rows(&audit, &given)[0]["usual_seconds"], Value::Null);
    for given in [
        ["--end", "Shipped,Cancelled", "--within", "10m"],
        ["--end", "Ship*,Cancel*", "--within", "10m"],
    ] {
        assert_eq!(found(&audit, &database, &given), ["2 Created", "3 Paid"]);
        assert_eq!(rows(&audit, &given)[0]["usual_seconds"], 600.0);
    }
    let of_paid = ["--start", "Paid", "--end", "Shipped,Cancelled", "--within", "2m30s"];
    let said = stderr(&audit.run(&[&["stuck"], &of_paid[..]].concat()));
    assert!(said.contains("1 of 3 stories are stuck"), "{said}");

    let nothing = audit.run(&["stuck"]);
    assert_eq!((nothing.status.code(), nothing.stdout.len()), (Some(1), 0));
    let said = stderr(&nothing);
    assert!(said.contains("error: nothing to learn from: no story began from "), "{said}");
    assert!(said.contains("--end TYPE") && said.contains("--within 10m"), "{said}");
    let misspelt = stderr(&audit.run(&["stuck", "--end", "Shiped", "--within", "1m"]));
    assert!(misspelt.contains("did you mean Shipped?"), "{misspelt}");
}

#[test]
fn selectors_choose_the_stories_that_are_judged() {
    let (_scope, audit, database) = shop("stuck_selected");
    history(&database);
    today(&database);
    assert_eq!(found(&audit, &database, &["--error", "*Timeout*"]), ["3 Paid"]);
    assert_eq!(found(&audit, &database, &["--type", "Noted"]), ["5 Noted"]);
    assert_eq!(found(&audit, &database, &["--since", "3h30m ago"]), ["3 Paid", "5 Noted"]);
    assert_eq!(found(&audit, &database, &["--limit", "1"]), ["2 Created"]);
    // A period that is over is judged as of now.
    let until = ["--since", "1 day ago", "--until", "3h30m ago"];
    assert_eq!(found(&audit, &database, &until), ["2 Created"]);
    let empty = audit.run(&["stuck", "--since", "10m ago", "--fail-on-empty"]);
    assert_eq!(empty.status.code(), Some(3), "{}", stderr(&empty));
    assert!(stderr(&empty).contains("0 of 1 stories are stuck"), "{}", stderr(&empty));
    let unknown = audit.run(&["stuck", "--within", "2 months"]);
    assert_eq!(unknown.status.code(), Some(2));
}

/// An outage that is judged teaches nothing: in it no order was ever paid.
#[test]
fn an_outage_does_not_teach_itself() {
    let (_scope, audit, database) = shop("stuck_outage");
    history(&database);
    record(&database, &stories(&began(1, 300, "6 hours"), &PAID_AND_SHIPPED[..1]));
    assert_eq!(found(&audit, &database, &[]).len(), 300);
}

#[test]
fn second_deliveries_and_other_stories_rows_change_nothing() {
    let (_scope, audit, database) = shop("stuck_again");
    history(&database);
    today(&database);
    // The shipping of the first order, delivered again later; the creation of the second, too.
    for (story, event_type) in [(1, "Shipped"), (2, "Created")] {
        let again = [(event_type, false, "1 hour")];
        record(&database, &stories(&began(story, 1, "1 hour"), &again));
    }
    // Without a correlation an event belongs to the story of its aggregate.
    let alone = stories(&began(6, 1, "90 min"), &PAID_AND_SHIPPED[..1]);
    record(&database, &alone.replace("md5(story::text)::uuid\n", "NULL::uuid\n"));
    let rows = rows(&audit, &[]);
    let last = &rows[rows.len() - 1];
    assert_eq!(rows.len(), 4, "{rows:?}");
    let silent = rows[0]["silent_seconds"].as_f64().unwrap_or_default();
    assert!(silent >= 14_400.0, "{rows:?}");
    assert_eq!(last["correlation"], last["aggregate"]);
    assert_eq!(last["aggregate"], database.value("SELECT md5('order 6')::uuid").as_str());
}

/// More stories than are read one by one, and a history that is said to be too long to be read: the
/// answer is the same.
#[test]
fn of_many_events_stuck_finds_the_same_and_learns_from_a_sample() {
    let (_scope, audit, database) = shop("stuck_many");
    let begins = |first: i64, count: i64, ago: &str, step: &str| {
        format!(
            "SELECT n, now()::timestamp - interval '{ago}' + (n - {first}) * interval '{step}'
               FROM generate_series({first}, {first} + {count} - 1) n"
        )
    };
    let whole = PAID_AND_SHIPPED;
    record(&database, &stories(&begins(100_000, 3_000, "29 days", "800 s"), &whole));
    record(&database, &stories(&begins(1, 7_500, "23 hours", "10 s"), &whole));
    database.execute(
        "INSERT INTO event_counts (hour, event_type, partition_id, is_dlt, events, first_at, last_at)
         SELECT hour, 'Created', 1, false, 1000, hour, hour
           FROM generate_series(date_trunc('hour', now()::timestamp - interval '30 days'), now()::timestamp, interval '1 hour') hour",
    );
    record(&database, &stories(&begins(200_001, 20, "22 hours", "1 min"), &whole[..2]));
    // Began before what is judged, and never ended.
    record(&database, &stories(&begins(200_101, 1, "25 hours", "1 min"), &whole[..1]));
    record(&database, &stories(&begins(200_101, 1, "20 hours", "1 min"), &whole[1..2]));
    // Ends, and goes on.
    let noted = [whole[0], whole[2], ("Noted", false, "20 min")];
    record(&database, &stories(&begins(200_201, 3, "10 hours", "1 min"), &noted));
    database.execute("ANALYZE event_logs");
    let expected: Vec<_> = database.rows(
        "SELECT md5(n::text)::uuid FROM generate_series(200001, 200203) n WHERE n <= 200020 OR n > 200200 ORDER BY n",
    );
    for arguments in [&[][..], &["--end", "Shipped", "--within", "10m"]] {
        let output = audit.run(&[&["stuck", "-o", "json"], arguments].concat());
        let said = stderr(&output);
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let found: Vec<_> = rows
            .iter()
            .map(|row| vec![row["correlation"].as_str().unwrap_or_default().to_owned()])
            .collect();
        let of_noted = if arguments.is_empty() { 23 } else { 20 };
        assert_eq!(found, expected[..of_noted], "{said}");
        assert!(said.contains(&format!("{of_noted} of about 7,52")), "{said}");
        if arguments.is_empty() {
            assert!(
                said.contains(" of about 2") && said.contains("they end with Shipped (100.0 %)"),
                "{said}"
            );
            assert_eq!(rows[0]["usual_seconds"], 480.0);
        }
    }
}

/// What a person sees on terminals of three widths.
#[test]
fn a_table_shows_what_matters_at_any_width() {
    let (_scope, audit, database) = shop("stuck_table");
    history(&database);
    today(&database);
    let id = audit::event::aggregate_uuid(b"order-4711");
    let order =
        stories(&began(7, 1, "130 min"), &[("Created", false, "0 s"), ("Created", true, "0 s")])
            .replace("md5('order ' || story)::uuid", &format!("'{id}'::uuid"));
    let letter = record(&database, &order);
    database.execute(&format!(
        "ALTER TABLE event_logs DISABLE TRIGGER append_only;
         UPDATE event_logs SET attributes = '{{\"original\": {{\"aggregate_id\": \"order-4711\"}}}}' WHERE aggregate_id = '{id}';
         INSERT INTO dead_letters (event_log_id, headers, origin_topic, exception_class, exception_message)
         VALUES ({}, '[]', 'orders.events', 'payment_sim::ProviderUnavailable', 'the provider does not answer')",
        letter.end()
    ));
    for width in [80, 120, 200] {
        let command = audit.command(&["stuck", "--since", "150 min ago"]);
        let (status, screen) = Terminal::start(command, width).end();
        assert!(status.success(), "{screen}");
        let shown: Vec<_> = screen.lines().map(str::trim_end).collect();
        let shown = shown.join("\n");
        for expected in [
            "order-4711",
            "Created",
            "2h10m",
            "2m00s",
            "ProviderUnavailable: the provider does not answer",
        ] {
            assert!(shown.contains(expected), "{expected} is not in\n{shown}");
        }
        assert!(!shown.contains("payment_sim"), "{shown}");
        assert!(shown.contains("\n  audit trace order-4711\n"), "{shown}");
        assert!(shown.contains("audit replay-dlt --aggregate order-4711 --dry-run"), "{shown}");
    }
}
