//! `audit status --consumers` on a real Kafka.

use std::collections::BTreeMap;

use sandbox::{Sandbox, Scope};
use serde_json::{Value, json};

use crate::support::{Audit, Database, GroupReader, Producer};

/// A recorded topic of two partitions: three records in the first, one in the second.
fn recorded(scope: &Scope<'_>) -> (Audit, String) {
    let (audit, topic) = (Audit::migrated(scope), scope.create_topic("orders.events", 2));
    let producer = Producer::new(scope.brokers());
    for partition in [0, 0, 0, 1] {
        producer.send(&topic, Some(partition), None, Some(b"{}"), &[]);
    }
    producer.flush();
    audit.succeed(&["ingest", "--until-end", "--topics", &topic]);
    (audit, topic)
}

fn rows(audit: &Audit) -> Vec<Value> {
    let stdout = audit.succeed(&["status", "--consumers", "-o", "json"]);
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{stdout}: {error}"))
}

#[test]
fn every_group_on_the_recorded_topics_is_shown_with_its_members_and_its_lag() {
    let scope = Sandbox::shared().scope("consumers");
    let (audit, topic) = recorded(&scope);
    let brokers = scope.brokers();
    let name = |name: &str| format!("{name}-{topic}");
    let classic = GroupReader::join(brokers, &name("classic"), "classic", &topic);
    classic.commit(&topic, &[(0, 1)]);
    let _new = GroupReader::join(brokers, &name("new"), "consumer", &topic);
    GroupReader::commit_alone(brokers, &name("left"), &topic, &[(0, 3), (1, 0)]);
    let other = scope.create_topic("other.events", 1);
    GroupReader::commit_alone(brokers, &name("elsewhere"), &other, &[(0, 0)]);

    let mut groups: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for row in rows(&audit) {
        groups.entry(row["group"].as_str().unwrap_or_default().to_owned()).or_default().push(row);
    }
    let own = format!(
        "audit-{}",
        Database::open(&audit.database_url)
            .value("SELECT left(replace(id::text, '-', ''), 8) FROM audit_installation")
    );
    let mut expected = vec![own.clone(), name("classic"), name("left"), name("new")];
    expected.sort();
    assert_eq!(groups.keys().cloned().collect::<Vec<_>>(), expected);
    let seen = |group: &str, partition: usize| {
        let row = &groups[group][partition];
        assert_eq!((&row["topic"], &row["partition"]), (&json!(topic), &json!(partition)));
        let columns =
            ["is_audit", "state", "members", "client_id", "committed_offset", "end_offset", "lag"];
        Value::Array(columns.iter().map(|column| row[*column].clone()).collect())
    };
    assert_eq!(seen(&own, 0), json!([true, "Empty", 0, null, 3, 3, 0]));
    // Where nothing is committed the lag is not known, and not 0.
    assert_eq!(seen(&name("classic"), 0), json!([false, "Stable", 1, "a-service", 1, 3, 2]));
    assert_eq!(seen(&name("classic"), 1), json!([false, "Stable", 1, "a-service", null, 1, null]));
    assert_eq!(seen(&name("new"), 0), json!([false, "Stable", 1, "a-service", null, 3, null]));
    assert_eq!(seen(&name("left"), 0), json!([false, "Empty", 0, null, 3, 3, 0]));
    assert_eq!(seen(&name("left"), 1), json!([false, "Empty", 0, null, 0, 1, 1]));

    let table = audit.succeed(&["status", "--consumers"]);
    let line = |group: &str| {
        let line = table.lines().find(|line| line.starts_with(group)).unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line(&name("classic")), format!("{} Stable 1 {topic} 2 1 2 2", name("classic")));
    assert_eq!(line(&name("new")), format!("{} Stable 1 {topic} 2 1 - -", name("new")));
    assert_eq!(line(&own), format!("{own} (this audit) Empty 0 {topic} 2 0 0 0"));
    GroupReader::commit_alone(scope.brokers(), &own, &topic, &[(0, 1)]);
    let output = audit.run(&["status", "--consumers"]);
    let status = String::from_utf8_lossy(&output.stderr);
    assert_eq!(status, "what this audit told Kafka trails what it recorded: see `audit status`\n");
    let csv = audit.succeed(&["status", "--consumers", "-o", "csv"]);
    assert_eq!(csv.lines().count(), 1 + 8, "{csv}");
}

#[test]
fn the_end_of_a_partition_is_what_a_read_committed_consumer_sees() {
    let scope = Sandbox::shared().scope("consumers_open");
    let (audit, topic) = recorded(&scope);
    GroupReader::commit_alone(scope.brokers(), &format!("r-{topic}"), &topic, &[(0, 2), (1, 2)]);
    let producer = Producer::transactional(scope.brokers(), &format!("t-{topic}"));
    producer.begin();
    producer.send(&topic, Some(0), None, Some(b"{}"), &[]);
    producer.flush();
    let group = format!("r-{topic}");
    let lags: Vec<Value> = rows(&audit)
        .into_iter()
        .filter(|row| row["group"] == group)
        .map(|row| json!([row["committed_offset"], row["end_offset"], row["lag"]]))
        .collect();
    // A consumer of uncommitted records may be further than that: then it has no lag.
    assert_eq!(lags, [json!([2, 3, 1]), json!([2, 1, 0])]);
    producer.abort();
}

#[test]
fn what_could_not_be_asked_is_named_and_the_answer_is_incomplete() {
    let scope = Sandbox::shared().scope("consumers_unknown");
    let (audit, topic) = recorded(&scope);
    let database = Database::open(&audit.database_url);
    let ask = |audit: &Audit| {
        let output = audit.run(&["status", "--consumers", "-o", "json"]);
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), rows.len(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, rows, said) = ask(&Audit { brokers: "127.0.0.1:9".to_owned(), ..audit.clone() });
    assert_eq!((code, rows), (Some(4), 0), "{said}");
    assert!(said.contains("the consumer groups are unknown"), "{said}");

    let add = "INSERT INTO kafka_partitions (cluster_id, topic, partition)";
    database.execute(&format!(
        "{add} SELECT cluster_id, 'gone.{topic}', 0 FROM kafka_partitions LIMIT 1"
    ));
    let (code, rows, said) = ask(&audit);
    assert_eq!((code, rows), (Some(4), 2), "{said}");
    assert!(said.contains(&format!("Kafka has no topic gone.{topic} now")), "{said}");

    let empty = sandbox::Sandbox::shared().scope("consumers_elsewhere");
    let elsewhere = Audit::migrated(&empty);
    Database::open(&elsewhere.database_url)
        .execute(&format!("{add} VALUES ('another', '{topic}', 0)"));
    let (code, rows, said) = ask(&elsewhere);
    assert_eq!((code, rows), (Some(4), 0), "{said}");
    assert!(said.contains("was recorded from another cluster"), "{said}");
}
