//! `audit replay-dlt` and `audit dlt` on a real Kafka and a real PostgreSQL.

mod crashes;
mod ledger;
mod outcomes;
mod plan;
mod sent_records;

use std::process::Output;

use sandbox::{Proxy, Sandbox, Scope};

use crate::support::{Audit, Database, Producer};

/// A header as a producer sends it.
type Header<'a> = (&'a str, Option<&'a [u8]>);

/// A topic, its topic of dead letters, and an audit of both.
pub(crate) struct World<'s> {
    pub(crate) audit: Audit,
    pub(crate) database: Database,
    pub(crate) producer: Producer,
    topic: String,
    pub(crate) dlt: String,
    _scope: &'s Scope<'s>,
}

impl<'s> World<'s> {
    pub(crate) fn new(scope: &'s Scope<'s>, partitions: i32) -> Self {
        let audit = Audit::migrated(scope);
        Self {
            database: Database::open(&audit.database_url),
            audit,
            producer: Producer::new(scope.brokers()),
            topic: scope.create_topic("orders.events", partitions),
            dlt: scope.create_topic("orders.events-dlt", partitions),
            _scope: scope,
        }
    }

    /// Dead letters as Spring Kafka writes them, one for each of the numbers; the event's number is
    /// its key and payload.
    pub(crate) fn dead_letters(&self, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let value = event(number);
            let key = number.to_string();
            let offset = (number as i64).to_be_bytes();
            let headers = self.spring_headers(&offset);
            self.producer.send(
                &self.dlt,
                None,
                Some(key.as_bytes()),
                Some(value.as_bytes()),
                &headers,
            );
        }
        self.producer.flush();
    }

    /// Events, one for each of the numbers, as their service publishes them.
    pub(crate) fn events(&self, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let value = event(number);
            self.producer.send(&self.topic, None, None, Some(value.as_bytes()), &[]);
        }
        self.producer.flush();
    }

    pub(crate) fn spring_headers<'a>(&'a self, offset: &'a [u8; 8]) -> [Header<'a>; 5] {
        [
            ("kafka_dlt-original-topic", Some(self.topic.as_bytes())),
            ("kafka_dlt-original-partition", Some(&[0, 0, 0, 0])),
            ("kafka_dlt-original-offset", Some(offset)),
            ("kafka_dlt-exception-fqcn", Some(b"com.example.TimeoutException")),
            ("kafka_dlt-exception-message", Some(b"the bank did not answer")),
        ]
    }

    pub(crate) fn ingest(&self) {
        let topics = format!("{},{}", self.topic, self.dlt);
        self.audit.succeed(&["ingest", "--until-end", "--topics", &topics]);
    }

    pub(crate) fn replay(&self, arguments: &[&str]) -> Output {
        self.audit.run(&[&["replay-dlt"], arguments].concat())
    }

    /// Replays, and loses the database between Kafka's answer and the ledger's outcome.
    pub(crate) fn interrupted_replay(&self, arguments: &[&str]) {
        let port = Sandbox::shared().postgres().port();
        let proxy = Proxy::start(port).unwrap_or_else(|error| panic!("{error}"));
        let database_url =
            self.audit.database_url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
        let behind = Audit { database_url, brokers: self.audit.brokers.clone() };
        proxy.cut_before(b"UPDATE dlt_replays");
        let output = behind.run(&[&["replay-dlt", "--yes"], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    }

    /// Replays what is selected, which has to succeed.
    pub(crate) fn replay_all(&self, arguments: &[&str]) {
        self.audit.succeed(&[&["replay-dlt", "--yes"], arguments].concat());
    }

    /// The rows of a command in JSON.
    fn json(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
        let stdout = self.audit.succeed(&[arguments, &["-o", "json"]].concat());
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{stdout}: {error}"))
    }

    /// How many replays are in each state, such as `sent 3`.
    pub(crate) fn states(&self) -> Vec<String> {
        let rows = self
            .database
            .rows("SELECT state || ' ' || count(*) FROM dlt_replay_outcomes GROUP BY state ORDER BY state");
        rows.into_iter().flatten().collect()
    }
}

/// An event in the native envelope; the same number is the same event.
fn event(number: usize) -> String {
    let id = uuid::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number as u128);
    let story = uuid::Uuid::from_u128(0x0191_0000_0000_7000_8000_0000_0000_0000 + number as u128);
    serde_json::json!({
        "event_id": id, "event_type": "OrderCreated", "aggregate_id": story, "source_service": "order-service",
        "occurred_at": format!("2026-11-22T10:{:02}:00Z", number % 60), "correlation_id": story,
        "payload": {"number": number},
    })
    .to_string()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
