//! Runs the clients: Kafka Connect with Debezium and a sink, and a service on Spring.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::metadata::MetadataTopic;
use sandbox::{Peculiarities, Process, Sandbox};

use super::connectors::{self, DEBEZIUMS};
use crate::support::{Database, wait_until};

const POM: &str = include_str!("pom.xml");
const SOURCE: &str = include_str!("source.sql");
const CHANGES: &str = include_str!("changes.sql");
const SERVICE: &str = include_str!("SpringService.java");

/// All of it, while other tests have the processors, too.
const LIMIT: Duration = Duration::from_secs(240);

/// A Java, and the jars of the clients.
pub(super) struct Clients {
    java: PathBuf,
    jars: PathBuf,
}

impl Clients {
    /// Out of the user's cache folder, or fetched into it.
    pub(super) fn find(sandbox: &Sandbox) -> Result<Self, String> {
        let java = sandbox.java()?;
        match sandbox.jars("real-clients", POM) {
            Ok(Some(jars)) => Ok(Self { java, jars }),
            Ok(None) => Err("they were not fetched yet, and there is no Maven".to_owned()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Lets Debezium look at a shop while things happen there, and a sink read a topic. Returns
    /// when all topics have what belongs there.
    pub(super) fn run_connect(
        &self,
        sandbox: &Sandbox,
        prefix: &str,
        sink: [&str; 2],
        topics: &[(String, usize)],
    ) {
        let peculiarities = Peculiarities {
            settings: &["wal_level=logical", "max_wal_senders=40", "max_replication_slots=40"],
            ..Peculiarities::default()
        };
        let source = sandbox
            .another_postgres("real_clients_source", peculiarities)
            .unwrap_or_else(|error| panic!("{error}"));
        let shop = Database::open(&source.url("postgres"));
        shop.execute(SOURCE);

        let folder = sandbox.folder("connect").unwrap_or_else(|error| panic!("{error}"));
        let mut configurations = vec![("worker", connectors::worker(sandbox.kafka().brokers()))];
        configurations.push(("sink", connectors::sink(sink[0], sink[1])));
        for debezium in &DEBEZIUMS {
            configurations.push((debezium.name, debezium.configuration(prefix, source.port())));
        }
        for (name, configuration) in &configurations {
            write(&folder.join(format!("{name}.properties")), configuration);
        }
        let mut worker = self.start(sandbox, "connect", &[], |command| {
            command.args(["-Xmx768m", "org.apache.kafka.connect.cli.ConnectStandalone"]);
            command.args(configurations.iter().map(|(name, _)| format!("{name}.properties")));
        });
        // A slot that has its first place has seen all that was there before, and nothing of what
        // comes.
        let looking = format!(
            "SELECT count(*) = {} FROM pg_replication_slots WHERE active AND confirmed_flush_lsn IS NOT NULL",
            DEBEZIUMS.len()
        );
        wait_until("every Debezium looks on", LIMIT, || {
            assert!(worker.ended().is_none(), "Connect ended: {}", worker.last_lines());
            shop.value(&looking) == "t"
        });
        shop.execute(CHANGES);
        wait_for(sandbox, &mut worker, topics);
    }

    /// Lets a service on Spring fail over what is in its topics. Returns when all topics have what
    /// belongs there.
    pub(super) fn run_spring(
        &self,
        sandbox: &Sandbox,
        topic: &str,
        retried: &str,
        topics: &[(String, usize)],
    ) {
        let folder = sandbox.folder("spring").unwrap_or_else(|error| panic!("{error}"));
        write(&folder.join("SpringService.java"), SERVICE);
        let jars = self.each_jar().join(":");
        let mut compiler = self.start(sandbox, "spring", &[], |command| {
            command
                .args(["org.eclipse.jdt.internal.compiler.batch.Main", "-17", "-proc:none"])
                .args(["-nowarn", "-d", ".", "-cp", &jars, "SpringService.java"]);
        });
        compiler.wait(LIMIT);
        let good = compiler.ended().is_some_and(|status| status.success());
        assert!(good, "the service can't be compiled: {}", compiler.last_lines());
        drop(compiler);

        let mut service = self.start(sandbox, "spring", &["."], |command| {
            command
                .arg(format!("-Dbrokers={}", sandbox.kafka().brokers()))
                .arg(format!("-Dtopic={topic}"))
                .arg(format!("-Dretried={retried}"))
                .arg("-Dgroup=stock-service")
                .arg("SpringService");
        });
        wait_for(sandbox, &mut service, topics);
    }

    /// Starts a Java program, with these folders before the jars.
    fn start(
        &self,
        sandbox: &Sandbox,
        name: &str,
        folders: &[&str],
        arrange: impl FnOnce(&mut Command),
    ) -> Process {
        let jars = format!("{}/*", self.jars.display());
        let path = folders.iter().copied().chain([jars.as_str()]).collect::<Vec<_>>().join(":");
        sandbox
            .spawn(name, &self.java, |command| {
                // A program that ends soon is not worth the work of the second compiler.
                command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
                command.args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", &path]);
                arrange(command);
            })
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn each_jar(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.jars).unwrap_or_else(|error| panic!("{error}"));
        entries.filter_map(|entry| Some(entry.ok()?.path().display().to_string())).collect()
    }
}

/// Waits until each topic has as many records as it will have.
fn wait_for(sandbox: &Sandbox, client: &mut Process, topics: &[(String, usize)]) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", sandbox.kafka().brokers())
        .create()
        .unwrap_or_else(|error| panic!("{error}"));
    let second = Duration::from_secs(1);
    let mut missing: Vec<_> = topics.iter().collect();
    let began = Instant::now();
    while !missing.is_empty() {
        let log = client.last_lines();
        assert!(client.ended().is_none(), "it ended: {log}");
        assert!(began.elapsed() < LIMIT, "missing: {missing:?}; its log: {log}");
        std::thread::sleep(Duration::from_millis(100));
        let Ok(metadata) = consumer.fetch_metadata(None, second) else { continue };
        let there: Vec<_> = metadata.topics().iter().map(MetadataTopic::name).collect();
        missing.retain(|(topic, records)| {
            let end = there
                .contains(&topic.as_str())
                .then(|| consumer.fetch_watermarks(topic, 0, second).ok())
                .flatten();
            end.is_none_or(|(_, end)| end < *records as i64)
        });
    }
}

fn write(path: &Path, content: &str) {
    std::fs::write(path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
