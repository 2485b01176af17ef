//! A small record with all that there is: several partitions, holes, dead letters, replays, batches
//! of one row and of several, and enough leaves for a tile.

use std::process::{Command, Stdio};

use audit::evidence::note::{Checkpoint, Origin};
use audit::evidence::tree::RootBuilder;
use audit::ledger::{Finding, Severity};
use audit::store::LedgerScan;
use audit::verification::{Anchors, check_record};
use sandbox::{Sandbox, Scope};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls, Transaction};
use uuid::Uuid;

use crate::support::{Audit, Database, Producer};

/// What evidence tells of: where they are as before, nothing was altered.
pub(super) const TABLES: [&str; 11] = [
    "event_logs",
    "dead_letters",
    "dlt_replays",
    "ingest_batches",
    "ingest_batch_ranges",
    "kafka_partitions",
    "ledger_head",
    "audit_installation",
    "evidence_leaves",
    "evidence_tiles",
    "evidence_adoptions",
];

/// Those that only ever grow.
const APPEND_ONLY: [&str; 10] = [
    "event_logs",
    "event_logs_000000",
    "dead_letters",
    "dlt_replays",
    "ingest_batches",
    "ingest_batch_ranges",
    "evidence_leaves",
    "evidence_tiles",
    "evidence_checkpoints",
    "evidence_adoptions",
];

/// The record, and the program.
pub(super) struct World {
    pub(super) audit: Audit,
    pub(super) database: Database,
    pub(super) topics: String,
}

impl World {
    /// Records it.
    pub(super) fn recorded(scope: &Scope<'_>) -> Self {
        let audit = Audit::migrated(scope);
        let orders = scope.create_topic("orders.events", 3);
        let payments = scope.create_topic("payments.events", 2);
        let dead = scope.create_topic("orders.events-dlt", 1);
        let topics = [orders.as_str(), &payments, &dead].join(",");
        let producer = Producer::new(scope.brokers());
        let ingest = |rows: &str| {
            audit.succeed(&["ingest", "--until-end", "--topics", &topics, "--batch-rows", rows]);
        };
        producer.native_events(&orders, 0..40);
        let transactional = Producer::transactional(scope.brokers(), &scope.topic("transactions"));
        for (number, topic) in (0..12).zip([&orders, &payments].into_iter().cycle()) {
            transactional.begin();
            let value = format!("{{\"any\": {number}}}");
            transactional.send(topic, Some(number % 2), None, Some(value.as_bytes()), &[]);
            if number % 4 == 3 { transactional.abort() } else { transactional.commit() }
        }
        dead_letters(&producer, &orders, &dead, 0..16);
        ingest("7");
        // Some are delivered again.
        producer.native_events(&payments, 30..60);
        ingest("5");
        producer.native_events(&orders, 60..300);
        ingest("1");
        audit.succeed(&["replay-dlt", "--yes", "--limit", "6"]);
        producer.native_events(&orders, 300..320);
        dead_letters(&producer, &orders, &dead, 16..22);
        ingest("4");
        let database = Database::open(&audit.database_url);
        Self { audit, database, topics }
    }

    /// Takes away what keeps an administrator from a mistake.
    pub(super) fn disarm(&self) {
        for table in APPEND_ONLY {
            let disabled = format!("ALTER TABLE {table} DISABLE TRIGGER ALL");
            self.database.execute(&disabled);
        }
    }

    /// Disables, or enables again, the triggers that keep an administrator from a mistake.
    pub(super) fn arm(&self, armed: bool) {
        for table in APPEND_ONLY.iter().filter(|table| **table != "dlt_replays") {
            let how = if armed { "ENABLE ALWAYS" } else { "DISABLE" };
            self.database.execute(&format!("ALTER TABLE {table} {how} TRIGGER append_only"));
        }
    }

    /// A checkpoint in a folder, and the options of `verify` that name it.
    pub(super) fn signed(&self) -> (TempDir, Vec<String>) {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let key = self.audit.succeed(&["evidence", "keygen", "--out", &path("key")]);
        std::fs::write(path("vkey"), key).unwrap();
        let signed =
            ["evidence", "checkpoint", "--key", &path("key"), "--out", &path("checkpoint")];
        self.audit.succeed(&signed);
        let options = ["--checkpoint", &path("checkpoint"), "--vkey", &path("vkey")];
        (folder, options.map(str::to_owned).to_vec())
    }

    /// A session of its own, and what it runs on.
    pub(super) async fn client(&self) -> Client {
        let connected = tokio_postgres::connect(&self.audit.database_url, NoTls).await;
        let (client, connection) = connected.unwrap_or_else(|error| panic!("{error}"));
        tokio::spawn(connection);
        client
    }

    /// Checkpoints that were kept elsewhere: over all leaves, and over some.
    pub(super) fn anchors(&self) -> Anchors {
        let leaves = self.leaves();
        let given = [leaves.len() * 2 / 3, leaves.len()].map(|size| {
            let mut root = RootBuilder::default();
            root.extend(leaves[..size].iter().copied());
            let checkpoint =
                Checkpoint { origin: self.origin(), size: size as u64, root: root.root() };
            (format!("checkpoint of {size}"), checkpoint)
        });
        Anchors { given: given.to_vec(), ..Anchors::default() }
    }

    fn origin(&self) -> Origin {
        let id: Uuid = self.database.value("SELECT id FROM audit_installation").parse().unwrap();
        Origin::new(id, 0).unwrap()
    }

    fn leaves(&self) -> Vec<[u8; 32]> {
        let rows = self
            .database
            .rows("SELECT encode(hash, 'hex') FROM evidence_leaves ORDER BY log_no, leaf_index");
        let byte = |hex: &str, at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
        rows.iter().map(|row| std::array::from_fn(|at| byte(&row[0], at))).collect()
    }
}

/// Dead letters as Spring Kafka writes them.
fn dead_letters(
    producer: &Producer,
    topic: &str,
    dead_letter_topic: &str,
    numbers: std::ops::Range<usize>,
) {
    for number in numbers {
        let value = format!("{{\"number\": {number}}}");
        let offset = (number as i64).to_be_bytes();
        let headers = [
            ("kafka_dlt-original-topic", Some(topic.as_bytes())),
            ("kafka_dlt-original-partition", Some(&[0, 0, 0, 0][..])),
            ("kafka_dlt-original-offset", Some(&offset[..])),
            ("kafka_dlt-exception-fqcn", Some(&b"com.example.TimeoutException"[..])),
            ("kafka_dlt-exception-message", Some(&b"the bank did not answer"[..])),
        ];
        let key = number.to_string();
        producer.send(
            dead_letter_topic,
            None,
            Some(key.as_bytes()),
            Some(value.as_bytes()),
            &headers,
        );
    }
    producer.flush();
}

/// What is found in what a transaction sees, without Kafka and the schema.
pub(super) async fn found(
    transaction: &mut Transaction<'_>,
    anchors: &Anchors,
) -> Result<Vec<Finding>, audit::store::Error> {
    let within = transaction.transaction().await.unwrap_or_else(|error| panic!("{error}"));
    let scan = LedgerScan::within(within).await?;
    let checks = check_record(&scan, anchors).await?;
    let chains = checks.chains.into_iter().flat_map(|chain| chain.findings);
    Ok(chains.chain(checks.record.into_iter().flat_map(|check| check.findings)).collect())
}

/// The worst of them.
pub(super) fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

/// Pours the text of a dump into another database, by PostgreSQL's own programs.
pub(super) fn pour(from: &str, to: &str) {
    let postgres = Sandbox::shared().postgres();
    let mut dump = Command::new(postgres.program("pg_dump"))
        .args(["--no-owner", from])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let poured = Command::new(postgres.program("psql"))
        .args(["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--output=/dev/null", to])
        .stdin(dump.stdout.take().unwrap())
        .status();
    assert!(dump.wait().unwrap().success() && poured.unwrap().success());
}
