//! One test's pair of services: their databases, their topics, and their processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use rdkafka::{ClientConfig, Offset, Timestamp, TopicPartitionList};
use sandbox::{Sandbox, Scope};
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// Longer than anything takes: a test that waits so long has failed.
const DEADLINE: Duration = Duration::from_secs(60);

/// A pair of services on their own databases and topics.
pub(crate) struct World {
    scope: Scope<'static>,
    pub(crate) order_db: String,
    pub(crate) payment_db: String,
    pub(crate) orders_topic: String,
    pub(crate) payments_topic: String,
}

/// A record as it is on a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    /// The value as an event.
    pub(crate) fn event(&self) -> serde_json::Value {
        serde_json::from_slice(self.value.as_deref().expect("an event has a value"))
            .expect("an event is JSON")
    }

    /// All values of the headers of this name, in their order.
    pub(crate) fn header(&self, name: &str) -> Vec<&[u8]> {
        let named = self.headers.iter().filter(|(own, _)| own == name);
        named.map(|(_, value)| value.as_deref().expect("the header has a value")).collect()
    }
}

impl World {
    pub(crate) fn new(name: &str) -> Self {
        let scope = Sandbox::shared().scope(name);
        Self {
            order_db: scope.database("order_db"),
            payment_db: scope.database("payment_db"),
            orders_topic: scope.topic("orders.events"),
            payments_topic: scope.topic("payments.events"),
            scope,
        }
    }

    /// Another database on the same server.
    pub(crate) fn another_database(&self) -> String {
        self.scope.database("another_db")
    }

    pub(crate) fn order_sim(&self, options: &str) -> Service {
        self.start(Path::new(env!("CARGO_BIN_EXE_order-sim")), &self.order_db, options)
    }

    pub(crate) fn payment_sim(&self, options: &str) -> Service {
        self.start(payment_sim(), &self.payment_db, options)
    }

    /// Starts a service on the database that a URL names.
    pub(crate) fn start(&self, program: &Path, database_url: &str, options: &str) -> Service {
        // Groups belong to the whole cluster: each test has its own.
        let group =
            format!("{}-{}", self.orders_topic, program.file_name().unwrap_or_default().display());
        let child = Command::new(program)
            .env("DATABASE_URL", database_url)
            .env("KAFKA_BROKERS", self.scope.brokers())
            .env("ORDERS_TOPIC", &self.orders_topic)
            .env("PAYMENTS_TOPIC", &self.payments_topic)
            .env_remove("SCHEMA_REGISTRY")
            .env_remove("AUDIT_SCHEMA_REGISTRY")
            .args(["--group", &group])
            .args(options.split_whitespace())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the service starts");
        Service { child, name: program.display().to_string() }
    }

    /// The rows of a query, each value as text; NULL is empty.
    pub(crate) fn rows(&self, database_url: &str, sql: &str) -> Vec<Vec<String>> {
        query(database_url, sql).expect("the query is one that the server takes")
    }

    /// The one number that a query gives.
    pub(crate) fn number(&self, database_url: &str, sql: &str) -> i64 {
        self.rows(database_url, sql)[0][0].parse().expect("the query gives a number")
    }

    /// How many rows have which text: of a query with a text and a count.
    pub(crate) fn counts(&self, database_url: &str, sql: &str) -> BTreeMap<String, i64> {
        let rows = self.rows(database_url, sql).into_iter();
        rows.map(|row| (row[0].clone(), row[1].parse().expect("a count"))).collect()
    }

    /// Everything on a topic from its beginning to its present end, by partition and offset.
    pub(crate) fn records(&self, topic: &str) -> Vec<Record> {
        self.wait_for_records(topic, 0)
    }

    /// Waits until a topic, which may not exist yet, holds so many records, and gives all that it
    /// holds.
    pub(crate) fn wait_for_records(&self, topic: &str, count: usize) -> Vec<Record> {
        let what = format!("{count} records on {topic}");
        wait_until(&what, || match self.read(topic) {
            Ok(records) => records.filter(|records| records.len() >= count),
            // The partitions of a new topic have no leader for a moment.
            Err(error) => {
                eprintln!("{what}: {error}");
                None
            }
        })
    }

    /// What a topic holds; none if there is no such topic.
    fn read(&self, topic: &str) -> Result<Option<Vec<Record>>, KafkaError> {
        let consumer: BaseConsumer = self.client().set("group.id", "unused").create()?;
        // Asked for by its name, the topic might be made.
        let all = consumer.fetch_metadata(None, DEADLINE)?;
        let Some(found) = all.topics().iter().find(|found| found.name() == topic) else {
            return Ok(None);
        };
        let mut missing = 0;
        let mut assignment = TopicPartitionList::new();
        for partition in found.partitions() {
            let (low, high) = consumer.fetch_watermarks(topic, partition.id(), DEADLINE)?;
            missing += high - low;
            assignment.add_partition_offset(topic, partition.id(), Offset::Offset(low))?;
        }
        consumer.assign(&assignment)?;
        let mut records = Vec::new();
        while missing > 0 {
            let message = consumer.poll(DEADLINE).expect("a record in time")?;
            let Timestamp::CreateTime(timestamp) = message.timestamp() else {
                panic!("a time of creation")
            };
            let headers = message.headers().map(|headers| {
                headers
                    .iter()
                    .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
                    .collect()
            });
            records.push(Record {
                partition: message.partition(),
                offset: message.offset(),
                timestamp,
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
                headers: headers.unwrap_or_default(),
            });
            missing -= 1;
        }
        records.sort_by_key(|record| (record.partition, record.offset));
        Ok(Some(records))
    }

    /// Waits until a query gives this number.
    pub(crate) fn wait_for_number(&self, database_url: &str, sql: &str, expected: i64) {
        wait_until(&format!("{expected} from {sql}"), || {
            // The schema may not be there yet.
            let rows = query(database_url, sql).ok()?;
            (rows[0][0] == expected.to_string()).then_some(())
        });
    }

    /// Sends records to a topic, each to its own partition.
    pub(crate) fn send(&self, topic: &str, records: &[Record]) {
        let producer: ThreadedProducer<_> = self.client().create().expect("a producer");
        for record in records {
            let headers =
                record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
                    headers.insert(rdkafka::message::Header { key, value: value.as_ref() })
                });
            let mut message =
                BaseRecord::<[u8], [u8]>::to(topic).partition(record.partition).headers(headers);
            message.key = record.key.as_deref();
            message.payload = record.value.as_deref();
            producer.send(message).map_err(|(error, _)| error).expect("the record is queued");
        }
        producer.flush(DEADLINE).expect("the records are taken");
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.scope.brokers());
        config
    }
}

/// The rows of a query, or what the server says.
pub(crate) fn query(
    database_url: &str,
    sql: &str,
) -> Result<Vec<Vec<String>>, tokio_postgres::Error> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(database_url, NoTls).await?;
        tokio::spawn(connection);
        let messages = client.simple_query(sql).await?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        Ok(rows
            .map(|row| {
                (0..row.len())
                    .map(|column| row.get(column).unwrap_or_default().to_owned())
                    .collect()
            })
            .collect())
    })
}

/// A transaction that stays open until it is dropped.
pub(crate) struct OpenTransaction {
    _runtime: tokio::runtime::Runtime,
}

impl OpenTransaction {
    /// Begins a transaction with this statement.
    pub(crate) fn begin(database_url: &str, statement: &str) -> Self {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(database_url, NoTls).await.expect("a connection");
            // The runtime keeps the connection, and closes it when it is dropped.
            let connection = tokio::spawn(connection);
            client
                .batch_execute(&format!("BEGIN; {statement}"))
                .await
                .expect("the server takes the statement");
            tokio::spawn(async move {
                let _client = client;
                let _ = connection.await;
            });
        });
        Self { _runtime: runtime }
    }
}

/// Tries until there is a result.
pub(crate) fn wait_until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(result) = attempt() {
            return result;
        }
        assert!(start.elapsed() < DEADLINE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A running service; killed when the test ends.
pub(crate) struct Service {
    child: Child,
    name: String,
}

impl Service {
    /// SIGKILL: it gets no chance to finish anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("the service is killed");
        self.child.wait().expect("the service is gone");
    }

    /// SIGTERM, and what it said.
    pub(crate) fn terminate(self) -> (ExitStatus, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
        self.wait()
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let mut stderr = self.child.stderr.take().expect("stderr is a pipe");
        let reader =
            std::thread::spawn(move || std::io::read_to_string(&mut stderr).unwrap_or_default());
        let status = wait_until(&format!("the end of {}", self.name), || {
            self.child.try_wait().expect("a status")
        });
        (status, reader.join().expect("what the service said"))
    }

    /// Waits until it ends by itself with exit code 0; gives its last line.
    pub(crate) fn succeed(self) -> String {
        let name = self.name.clone();
        let (status, said) = self.wait();
        assert!(status.success(), "{name} ended with {status}: {said}");
        said.lines().last().unwrap_or_default().to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The other service's program. Cargo makes the programs of the tested package alone, so this one
/// is asked for here; where it is up to date that takes a moment.
pub(crate) fn payment_sim() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let profile = Path::new(env!("CARGO_BIN_EXE_order-sim"))
            .parent()
            .expect("a program is in a directory");
        let name = profile.file_name().unwrap_or_default();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "payment-sim", "--target-dir"]);
        build.arg(profile.parent().expect("the profile's directory is in the target directory"));
        build.arg("--profile").arg(if name == "debug" { "dev".as_ref() } else { name });
        assert!(build.status().expect("cargo runs").success(), "payment-sim can't be built");
        profile.join("payment-sim")
    })
}
