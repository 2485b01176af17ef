//! What real clients write is found and read as what it is: Debezium and Kafka Connect with their
//! converters, and Spring for Apache Kafka with its dead letters.
//!
//! The clients run once for all tests here. They are fetched through Maven (48 MB) into the folder
//! where Kafka is; without Java and Maven the tests skip themselves.

mod change_events;
mod clients;
mod connectors;
mod dead_letters;
mod outbox_events;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use record_file::{Content, Record};
use sandbox::{Sandbox, Scope};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::support::{Audit, Database};
use clients::Clients;
use connectors::DEBEZIUMS;

/// The UUID that the order of the shop has.
const ORDER: &str = "7c1f6f1e-9a52-4a0e-8d5c-0d6b1d8f4711";

/// What all clients wrote, recorded by an audit.
struct Recorded {
    audit: Audit,
    database: Database,
    scope: Scope<'static>,
}

/// A row as `audit query` prints it.
#[derive(Debug, Deserialize)]
struct Row {
    event_id: String,
    event_type: String,
    payload: Box<RawValue>,
}

impl Recorded {
    /// The one of this process, or `None` where there is no client.
    fn shared() -> Option<&'static Self> {
        // Where it fails, it fails at once for all tests after the first.
        static SHARED: LazyLock<Option<Recorded>> = LazyLock::new(|| match Recorded::record() {
            Ok(recorded) => Some(recorded),
            Err(reason) => {
                eprintln!("skipped: real clients (Debezium, Kafka Connect, Spring): {reason}");
                None
            }
        });
        SHARED.as_ref()
    }

    fn record() -> Result<Self, String> {
        let sandbox = Sandbox::shared();
        if sandbox.kafka().is_mock() || sandbox.kafka().is_given() {
            return Err("they are tried on a Kafka of our own alone".to_owned());
        }
        let clients = Clients::find(sandbox)?;
        let scope = sandbox.scope("clients");
        let audit = Audit::migrated(&scope);
        // What is sent has a time of its own, which is long ago for Kafka.
        let topic = |name| scope.create_topic_with(name, 1, &[("retention.ms", "-1")]);
        let shop = ["shop.events", "shop.events-dlq"].map(topic);
        let stock = ["stock.events", "stock.retried", "stock.retried-retry"].map(topic);
        let stock_dead = ["stock.events-dlt", "stock.retried-dlt"].map(topic);

        let sent: Vec<_> =
            shop_events(&shop[0]).into_iter().chain(stock_events(&stock[0], &stock[1])).collect();
        sandbox::produce(scope.brokers(), &sent).unwrap_or_else(|error| panic!("{error}"));

        let mut of_connect = vec![(shop[1].clone(), 3)];
        for (topic, records) in DEBEZIUMS.iter().flat_map(connectors::Debezium::topics) {
            of_connect.push((scope.topic(&topic), records));
        }
        let of_spring = [(stock_dead[0].clone(), 4), (stock_dead[1].clone(), 2)];
        let prefix = scope.topic("");
        let prefix = prefix.trim_end_matches('.');
        std::thread::scope(|threads| {
            threads.spawn(|| {
                clients.run_connect(sandbox, prefix, [&shop[0], &shop[1]], &of_connect);
            });
            threads.spawn(|| clients.run_spring(sandbox, &stock[0], &stock[1], &of_spring));
        });

        let topics: Vec<_> = of_connect
            .iter()
            .chain(&of_spring)
            .map(|(topic, _)| topic.as_str())
            .chain(shop[..1].iter().chain(&stock).map(String::as_str))
            .collect();
        audit.succeed(&["ingest", "--until-end", "--topics", &topics.join(",")]);
        Ok(Self { database: Database::open(&audit.database_url), audit, scope })
    }

    /// The rows of a topic that a user finds by these selectors, the oldest first.
    fn rows(&self, topic: &str, selectors: &[&str]) -> Vec<Row> {
        let topic = self.scope.topic(topic);
        let common = ["query", "--topic", &topic, "--order", "oldest", "-o", "ndjson", "--columns"];
        let columns = ["event_id,event_type,payload"];
        let stdout = self.audit.succeed(&[&common[..], &columns, selectors].concat());
        let row = |line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{topic}: {line}: {error}"))
        };
        stdout.lines().map(row).collect()
    }

    /// The types of these rows.
    fn types(&self, topic: &str, selectors: &[&str]) -> Vec<String> {
        self.rows(topic, selectors).into_iter().map(|row| row.event_type).collect()
    }
}

/// A member of JSON as it is written there, so that no digit of a number is lost.
fn member(json: &RawValue, path: &[&str]) -> String {
    let Some((name, rest)) = path.split_first() else { return json.get().to_owned() };
    let members: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(json.get()).unwrap_or_else(|error| panic!("{json}: {error}"));
    let found = members.get(*name).unwrap_or_else(|| panic!("no member {name} in {json}"));
    member(found, rest)
}

fn record(topic: &str, key: &[u8], value: &[u8]) -> Record {
    Record {
        topic: topic.to_owned(),
        partition: Some(0),
        offset: None,
        timestamp_ms: Some(1_772_323_199_999),
        key: Some(Content(key.to_vec())),
        headers: own_headers(),
        value: Some(Content(value.to_vec())),
    }
}

/// Headers of the producer's own.
fn own_headers() -> Vec<(Content, Option<Content>)> {
    let header = |name: &str, value: Option<&[u8]>| {
        (Content(name.as_bytes().to_vec()), value.map(|value| Content(value.to_vec())))
    };
    vec![
        header("trace", Some(b"first")),
        header("trace", Some(b"second")),
        header("binary", Some(b"\x00\xff")),
        header("nothing", None),
    ]
}

/// What the sink is given; it understands the second alone.
fn shop_events(topic: &str) -> Vec<Record> {
    let event = br#"{"event_type": "OrderPlaced",  "payload": {"total": 12.30}}"#;
    vec![
        record(topic, b"ORDER-4711", event),
        record(topic, b"ORDER-1", br#"{"schema":{"type":"string"},"payload":"fine"}"#),
        record(topic, b"ORDER-4712", b"{not json"),
        Record { key: None, ..record(topic, b"", b"\xff\x00") },
    ]
}

/// What the service on Spring is given: a good event, a value, a key, and both that it can't read;
/// and to the topic whose events it tries again, a good one and a key.
fn stock_events(topic: &str, retried: &str) -> Vec<Record> {
    let event = br#"{"event_type":"StockTaken","payload":{"item":"lamp","total":12.5}}"#;
    let key = ORDER.as_bytes();
    vec![
        record(topic, key, event),
        record(topic, key, b"{not json"),
        record(topic, b"ORDER-4711", event),
        record(topic, b"ORDER-4711", b"{not json"),
        record(retried, key, event),
        record(retried, b"ORDER-4711", event),
    ]
}
