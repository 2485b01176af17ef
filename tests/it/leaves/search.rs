//! What is found does not depend on how far the leaves are that it lies in.

use sandbox::Sandbox;

use crate::analysis::random_log::{DAY, Random, begin, write};
use crate::support::rows::{commit, partition, reserve};
use crate::support::{Audit, Database};

/// How many logs are written, of up to 60 rows each.
const LOGS: i64 = 10;

/// Goes on in the next leaf, as if this one were full.
pub(super) fn next_leaf(database: &Database) {
    database.execute(
        "SELECT setval('event_logs_id_seq', (last_value / event_log_leaf_size() + 1) * event_log_leaf_size())
           FROM event_logs_id_seq",
    );
}

/// Takes a step towards sealing a leaf; false where nothing is left.
pub(super) fn seal_step(database: &Database) -> bool {
    !database.value("SELECT seal_event_log_leaf(0, false, false)").is_empty()
}

/// A time of a log.
fn time(microseconds: i64) -> String {
    chrono::DateTime::from_timestamp_micros(microseconds).unwrap_or_default().to_rfc3339()
}

/// Selectors, with the condition on a row of `event_logs` that they mean.
fn selectors(database: &Database) -> Vec<(Vec<String>, String)> {
    let last_log = begin(LOGS - 1);
    let (since, until) = (time(last_log + DAY / 2), time(last_log + 2 * DAY));
    let middle = time(begin(LOGS / 2) + DAY);
    let some = |column: &str| {
        database.value(&format!(
            "SELECT {column} FROM event_logs WHERE {column} IS NOT NULL AND id > event_log_leaf_size() ORDER BY id LIMIT 1"
        ))
    };
    let (aggregate, correlation, event) =
        (some("aggregate_id"), some("correlation_id"), some("event_id"));
    let of_topic = |topic: &str| {
        format!(
            "partition_id IN (SELECT partition_id FROM kafka_partitions WHERE topic = '{topic}')"
        )
    };
    let mut selectors = Vec::new();
    let mut add = |words: &[&str], condition: &str| {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        selectors.push((words, condition.to_owned()));
    };
    add(&[], "true");
    add(&["--type", "A"], "event_type = 'A'");
    add(&["--type", "Rare"], "event_type = 'Rare'");
    add(&["--type", "[AB]", "--type", "R*"], "event_type LIKE 'R%'");
    add(&["--type", "!A,!B"], "event_type NOT IN ('A', 'B')");
    add(&["--type", "NoSuchType"], "false");
    add(&["--service", "s1"], "source_service = 's1'");
    add(&["--service", "rare-service"], "source_service = 'rare-service'");
    add(&["--service", "!s1"], "source_service IS DISTINCT FROM 's1'");
    add(&["--service", "rare*"], "source_service = 'rare-service'");
    add(&["--type", "A", "--service", "s2"], "event_type = 'A' AND source_service = 's2'");
    add(&["--type", "Rare", "--service", "s2"], "false");
    add(&["--topic", "t1"], &of_topic("t1"));
    add(&["--topic", "rare-topic"], &of_topic("rare-topic"));
    add(&["--topic", "!t1"], &format!("({}) IS NOT TRUE", of_topic("t1")));
    add(
        &["--topic", "rare-topic", "--service", "rare-service"],
        &format!("source_service = 'rare-service' AND {}", of_topic("rare-topic")),
    );
    add(&["--dlt"], "is_dlt");
    add(&["--no-dlt", "--type", "B"], "is_dlt IS NOT TRUE AND event_type = 'B'");
    add(&["--aggregate", &aggregate], &format!("aggregate_id = '{aggregate}'"));
    add(&["--aggregate", &aggregate[..13]], &format!("aggregate_id = '{aggregate}'"));
    add(&["--correlation", &correlation], &format!("correlation_id = '{correlation}'"));
    add(&["--event-id", &event], &format!("event_id = '{event}'"));
    add(&["--where", "$.n == 2"], "payload @@ '$.n == 2'");
    add(&["--since", &middle], &format!("created_at >= timestamptz '{middle}' AT TIME ZONE 'UTC'"));
    add(
        &["--since", &since, "--until", &until, "--type", "A"],
        &format!(
            "event_type = 'A' AND created_at >= timestamptz '{since}' AT TIME ZONE 'UTC'
             AND created_at < timestamptz '{until}' AT TIME ZONE 'UTC'"
        ),
    );
    add(
        &["--until", &middle, "--type", "Rare"],
        &format!("event_type = 'Rare' AND created_at < timestamptz '{middle}' AT TIME ZONE 'UTC'"),
    );
    selectors
}

/// The ids that a query prints.
fn found(audit: &Audit, selectors: &[String], more: &[&str]) -> Vec<String> {
    let mut arguments = vec!["query", "-o", "csv", "--columns", "id"];
    arguments.extend(selectors.iter().map(String::as_str));
    arguments.extend(more);
    audit.succeed(&arguments).lines().skip(1).map(str::to_owned).collect()
}

/// What all other commands print.
fn analysed(audit: &Audit, selectors: &[Vec<String>]) -> Vec<String> {
    let middle = time(begin(LOGS / 2) + DAY / 3);
    let late = time(begin(LOGS - 1) + DAY / 3);
    let commands: &[&[&str]] = &[
        &["flow", "-o", "json"],
        &["flow", "-o", "json", "--since", &middle],
        &["flow", "-o", "json", "--since", &late],
        &[
            "stuck",
            "-o",
            "csv",
            "--columns",
            "correlation,aggregate,began,last_event_type,last_at,events",
            "--within",
            "1h",
            "--end",
            "B",
            "--since",
            &middle,
        ],
        &["stats", "-o", "json", "--by", "type,service,topic"],
        &["stats", "-o", "json", "--by", "day", "--since", &middle],
        &["stats", "-o", "json", "--by", "correlation", "--duplicates"],
        &["stats", "-o", "json", "--by", "aggregate"],
        &["reconcile", "A:$.n", "B:$.n", "-o", "json", "--since", &middle],
        &["tail", "--no-follow", "-o", "json"],
    ];
    let mut printed: Vec<_> = commands.iter().map(|command| output(audit, command)).collect();
    for selectors in selectors {
        let selectors: Vec<_> = selectors.iter().map(String::as_str).collect();
        for command in [&["flow", "-o", "json"][..], &["stats", "-o", "json"]] {
            printed.push(output(audit, &[command, &selectors].concat()));
        }
    }
    printed
}

fn output(audit: &Audit, arguments: &[&str]) -> String {
    let output = audit.run(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    format!("{arguments:?}\n{stdout}{stderr}")
}

/// Rows of a rare type, service and topic, without a service, and outside batches.
fn write_rare_rows(database: &Database, log: i64) {
    let insert = |id: i64, event_type: &str, service: &str, partition: &str| {
        database.execute(&format!(
            "INSERT INTO event_logs (id, event_id, event_type, source_service, payload, created_at, partition_id)
             VALUES ({id}, gen_random_uuid(), '{event_type}', {service}, '{{}}', timestamptz '{}' AT TIME ZONE 'UTC', {partition})",
            time(begin(log) + DAY)
        ));
    };
    let foreign = reserve(database, 2);
    insert(*foreign.start(), "Rare", "'rare-service'", "NULL");
    insert(*foreign.end(), "A", "NULL", "NULL");
    let partition_id = partition(database, "rare-topic").to_string();
    let batch = reserve(database, 1);
    database.execute("BEGIN");
    insert(*batch.start(), "B", "'rare-service'", &partition_id);
    commit(database, &batch);
}

#[test]
fn every_selector_finds_the_same_in_light_and_in_sealed_leaves() {
    let scope = Sandbox::shared().scope("leaves_search");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    for topic in ["t1", "t2"] {
        partition(&database, topic);
    }
    let mut random = Random(29);
    for log in 0..LOGS {
        write(&database, log, &mut random);
        if log % 3 == 1 {
            write_rare_rows(&database, log);
        }
        if log % 2 == 1 {
            next_leaf(&database);
        }
        if random.below(3) == 0 {
            database.execute("SELECT fill_event_counts(100), merge_event_counts(100)");
        }
    }
    let selectors = selectors(&database);
    let words: Vec<_> = selectors.iter().map(|(words, _)| words.clone()).collect();
    let expected = analysed(&audit, &words);
    let leaves = database.number("SELECT count(*) FROM event_log_leaves");
    let mut states = 0;
    loop {
        for (words, condition) in &selectors {
            for (order, more) in [
                ("created_at DESC, id DESC", &["--limit", "100000"][..]),
                ("created_at, id", &["--order", "oldest", "--limit", "7"]),
            ] {
                let limit = more.last().copied().unwrap_or_default();
                let rows = database.rows(&format!(
                    "SELECT id FROM event_logs WHERE {condition} ORDER BY {order} LIMIT {limit}"
                ));
                let ids: Vec<String> = rows.into_iter().flatten().collect();
                assert_eq!(found(&audit, words, more), ids, "{words:?} after {states} states");
            }
        }
        for (printed, expected) in analysed(&audit, &words).iter().zip(&expected) {
            assert_eq!(printed, expected, "after {states} states");
        }
        states += 1;
        database.execute(
            "SELECT fill_event_counts(50), find_duplicate_deliveries(70), merge_event_counts(40)",
        );
        let mut goes_on = false;
        for _ in 0..3 + random.below(8) {
            goes_on |= seal_step(&database);
        }
        if !goes_on {
            break;
        }
    }
    assert!(states > 2, "{states}");
    let sealed =
        "SELECT count(*) FROM event_log_leaves WHERE sealed_at IS NOT NULL AND NOT has_summaries";
    assert_eq!(database.number(sealed), leaves);
}
