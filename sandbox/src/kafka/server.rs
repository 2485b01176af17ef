//! The sandbox's Kafka.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nix::sys::signal::Signal;
use uuid::Uuid;

use crate::error::Error;
use crate::process::{Guardian, Process};
use crate::progress::Progress;
use crate::{fetch, ports};

use super::mock::Mock;
use super::topics;

/// Names a Kafka to use instead of one of the sandbox's own: `host:port`, several separated by
/// commas.
pub const GIVEN_BROKERS: &str = "SANDBOX_BROKERS";

/// Who can log in at [`Kafka::sasl_brokers`]: the user and the password.
pub const SASL_USER: (&str, &str) = ("auditor", "the-auditors-password");

/// Names the folder of an unpacked Apache Kafka to start.
const KAFKA_HOME: &str = "KAFKA_HOME";
const SERVER: &str = "Kafka";
const STARTS_WITHIN: Duration = Duration::from_secs(90);
const STOPS_WITHIN: Duration = Duration::from_secs(60);

/// A Kafka cluster: a broker of the sandbox's own, the given ones, or a mock.
#[derive(Debug)]
pub struct Kafka(Cluster);

#[derive(Debug)]
enum Cluster {
    Given { brokers: String },
    Own(Own),
    Mock(Mock),
}

/// A broker in a folder of its own. Fields drop in their order: the process ends before the
/// guardian clears up.
#[derive(Debug)]
struct Own {
    process: Mutex<Option<Process>>,
    brokers: String,
    /// Its listener for those who log in.
    sasl_brokers: String,
    cluster_id: String,
    java: PathBuf,
    /// Java's class path: all jars of a folder.
    jars: String,
    folder: PathBuf,
    guardian: Arc<Guardian>,
}

impl Kafka {
    pub(crate) fn set_up(guardian: &Arc<Guardian>, progress: &Progress) -> Result<Kafka, Error> {
        if let Some(brokers) =
            std::env::var(GIVEN_BROKERS).ok().filter(|brokers| !brokers.is_empty())
        {
            return Kafka::given(brokers, progress);
        }
        let java = match fetch::java() {
            Ok(java) => java,
            Err(reason) => return Kafka::mock(&reason, progress),
        };
        let home = std::env::var_os(KAFKA_HOME).filter(|home| !home.is_empty()).map(PathBuf::from);
        let (libraries, what) = match home {
            Some(home) if !home.join("libs").is_dir() => {
                let reason = format!("there is no folder libs in {}", home.display());
                return Err(Error::Given { variable: KAFKA_HOME, reason });
            }
            Some(home) => (home.join("libs"), format!("Kafka of {}", home.display())),
            None => match fetch::kafka(guardian, progress)? {
                Some(libraries) => (libraries, format!("Apache Kafka {}", fetch::KAFKA_VERSION)),
                None => return Kafka::mock("there is no Maven to fetch Apache Kafka", progress),
            },
        };
        let _step = progress.begin(&format!("starting {what}"));
        let mut attempts = 0;
        loop {
            attempts += 1;
            let folder = guardian.folder(&format!("kafka-{attempts}"), None)?;
            let [port, controller_port, sasl_port] = ports::free_ports();
            let own = Own {
                process: Mutex::new(None),
                brokers: format!("127.0.0.1:{port}"),
                sasl_brokers: format!("127.0.0.1:{sasl_port}"),
                cluster_id: URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes()),
                java: java.clone(),
                jars: format!("{}/*", libraries.display()),
                folder,
                guardian: guardian.clone(),
            };
            own.format(&format!("127.0.0.1:{controller_port}"))?;
            match own.start() {
                Err(Error::NotStarted { log, .. }) if attempts < 5 && ports::was_taken(&log) => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    progress.say(&format!("{what} listens on {}", own.brokers));
                    return Ok(Kafka(Cluster::Own(own)));
                }
            }
        }
    }

    fn given(brokers: String, progress: &Progress) -> Result<Kafka, Error> {
        let unusable = |reason: String| Error::Given { variable: GIVEN_BROKERS, reason };
        let client = topics::client(&brokers).map_err(|error| unusable(error.to_string()))?;
        client
            .inner()
            .fetch_metadata(None, Duration::from_secs(30))
            .map_err(|error| unusable(format!("no broker answers: {error}")))?;
        progress.say(&format!("Kafka is the one that {GIVEN_BROKERS} names"));
        Ok(Kafka(Cluster::Given { brokers }))
    }

    fn mock(reason: &str, progress: &Progress) -> Result<Kafka, Error> {
        let mock = Mock::start()?;
        progress.say(&format!(
            "Kafka is only a MOCK in memory (librdkafka's) on {}, because {reason}; install Java 17 and Maven for a \
             real one",
            mock.brokers()
        ));
        Ok(Kafka(Cluster::Mock(mock)))
    }

    /// The brokers, as `bootstrap.servers` wants them. They stay the same over a restart.
    pub fn brokers(&self) -> &str {
        match &self.0 {
            Cluster::Given { brokers } => brokers,
            Cluster::Own(own) => &own.brokers,
            Cluster::Mock(mock) => mock.brokers(),
        }
    }

    /// The brokers for clients that log in as [`SASL_USER`] with SASL's mechanism PLAIN, without
    /// TLS. `None` where Kafka is given or a mock.
    pub fn sasl_brokers(&self) -> Option<&str> {
        match &self.0 {
            Cluster::Own(own) => Some(&own.sasl_brokers),
            Cluster::Given { .. } | Cluster::Mock(_) => None,
        }
    }

    /// Whether it is librdkafka's mock, which keeps nothing and knows no administrative requests.
    pub fn is_mock(&self) -> bool {
        matches!(self.0, Cluster::Mock(_))
    }

    /// Whether the user gave it: then it can't be stopped, and keeps what is not deleted.
    pub fn is_given(&self) -> bool {
        matches!(self.0, Cluster::Given { .. })
    }

    /// The number of the broker's process, while it runs and is the sandbox's own.
    pub fn process_id(&self) -> Option<u32> {
        match &self.0 {
            Cluster::Own(own) => own.process().as_ref().map(Process::id),
            Cluster::Given { .. } | Cluster::Mock(_) => None,
        }
    }

    /// Stops the broker in order. Nothing happens when it is stopped already.
    ///
    /// # Errors
    /// When Kafka is given or a mock, or doesn't stop within a minute.
    pub fn stop(&self) -> Result<(), Error> {
        self.end("stopped", Signal::SIGTERM)
    }

    /// Ends the broker with SIGKILL, as a crash would.
    ///
    /// # Errors
    /// When Kafka is given or a mock.
    pub fn kill(&self) -> Result<(), Error> {
        self.end("killed", Signal::SIGKILL)
    }

    fn end(&self, action: &'static str, signal: Signal) -> Result<(), Error> {
        let mut process = self.own(action)?.process();
        if let Some(running) = process.as_mut() {
            running.signal(signal);
            if !running.wait(STOPS_WITHIN) {
                let reason = format!("it still runs after {} s", STOPS_WITHIN.as_secs());
                return Err(Error::NotStopped { server: SERVER, reason });
            }
        }
        *process = None;
        Ok(())
    }

    /// Starts the broker again, on the same port and with its data, and waits until all partitions
    /// have a leader. Nothing happens when it runs.
    ///
    /// # Errors
    /// When Kafka is given or a mock, or doesn't come up: the error has the last lines of its log.
    pub fn start(&self) -> Result<(), Error> {
        self.own("started")?.start()
    }

    /// Stops the broker in order and starts it again.
    ///
    /// # Errors
    /// As [`Kafka::stop`] and [`Kafka::start`].
    pub fn restart(&self) -> Result<(), Error> {
        self.stop()?;
        self.start()
    }

    /// Creates a topic, and waits until its partitions have leaders. `config` is the topic's own,
    /// such as `("retention.ms", "1000")`; a mock ignores it.
    ///
    /// # Errors
    /// When it exists ([`Error::Exists`]), or Kafka does not answer or refuses.
    pub fn create_topic(
        &self,
        name: &str,
        partitions: i32,
        config: &[(&str, &str)],
    ) -> Result<(), Error> {
        match &self.0 {
            Cluster::Mock(mock) => mock.create_topic(name, partitions),
            Cluster::Given { .. } | Cluster::Own(_) => {
                topics::create(self.brokers(), name, partitions, config)
            }
        }
    }

    /// Deletes a topic. Does nothing where no topic has that name.
    ///
    /// # Errors
    /// When Kafka is a mock, does not answer, or refuses.
    pub fn delete_topic(&self, name: &str) -> Result<(), Error> {
        topics::delete(self.brokers(), name)
    }

    /// Deletes the records of a partition before an offset, as Kafka's retention does.
    ///
    /// # Errors
    /// When Kafka is a mock, does not answer, or there is no such partition or offset.
    pub fn delete_records(
        &self,
        topic: &str,
        partition: i32,
        before_offset: i64,
    ) -> Result<(), Error> {
        topics::delete_records(self.brokers(), topic, partition, before_offset)
    }

    fn own(&self, action: &'static str) -> Result<&Own, Error> {
        let what = match &self.0 {
            Cluster::Own(own) => return Ok(own),
            Cluster::Given { .. } => "the given one",
            Cluster::Mock(_) => "a mock",
        };
        Err(Error::NotOurs { server: SERVER, action, what })
    }
}

impl Own {
    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settings(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    /// Writes the settings, and gives the broker's empty data folder its cluster's id.
    fn format(&self, controller: &str) -> Result<(), Error> {
        let settings = settings(&self.brokers, &self.sasl_brokers, controller, &self.folder);
        let path = self.settings();
        std::fs::write(&path, settings)
            .map_err(|error| Error::Directory { path: path.clone(), reason: error.to_string() })?;
        Process::run(&self.guardian, &self.folder, &self.java, |command| {
            self.arrange(command);
            command.args(["kafka.tools.StorageTool", "format", "-c"]).arg(path);
            // In one word, because an id may begin with a hyphen.
            command.arg(format!("--cluster-id={}", self.cluster_id));
        })
    }

    fn start(&self) -> Result<(), Error> {
        let mut process = self.process();
        if process.as_mut().is_some_and(|running| running.ended().is_none()) {
            return Ok(());
        }
        *process = None;
        let mut started =
            Process::start(&self.guardian, &self.folder, &self.java, Signal::SIGKILL, |command| {
                self.arrange(command);
                command.arg("kafka.Kafka").arg(self.settings());
            })?;
        let failed =
            |reason: String, log: String| Error::NotStarted { server: SERVER, reason, log };
        let client = topics::client(&self.brokers)
            .map_err(|error| failed(error.to_string(), String::new()))?;
        let deadline = Instant::now() + STARTS_WITHIN;
        let moment = Duration::from_millis(200);
        // The cluster's id proves that it is this broker that answers on the port.
        while !topics::has_leaders(&client, None, moment)
            || client.inner().fetch_cluster_id(moment).as_ref() != Some(&self.cluster_id)
        {
            if let Some(status) = started.ended() {
                return Err(failed(format!("it ended ({status})"), started.last_lines()));
            }
            if Instant::now() > deadline {
                let reason = format!("it does not answer after {} s", STARTS_WITHIN.as_secs());
                return Err(failed(reason, started.last_lines()));
            }
        }
        *process = Some(started);
        Ok(())
    }

    /// What the format tool and the broker have in common.
    fn arrange(&self, command: &mut Command) {
        command
            // JIT-compiled code, stacks and buffers come on top of the heap: about 350 MB resident.
            .arg("-Xmx512m")
            // Java would leave both in the system's temporary directory when it is killed:
            // statistics of each process, and the native libraries of the compression formats.
            .arg("-XX:-UsePerfData")
            .arg(format!("-Djava.io.tmpdir={}", self.folder.display()))
            .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
            .args(["-cp", &self.jars]);
    }
}

/// The broker's settings: Kafka's defaults, but for one broker that is its own controller, with
/// short waits.
fn settings(brokers: &str, sasl_brokers: &str, controller: &str, folder: &Path) -> String {
    let (user, password) = SASL_USER;
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{brokers},SASL_PLAINTEXT://{sasl_brokers},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{brokers},SASL_PLAINTEXT://{sasl_brokers}
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=\
 org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}=\"{password}\";
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
delete.topic.enable=true
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
message.max.bytes=10485760
replica.fetch.max.bytes=10485760
log.initial.task.delay.ms=1000
log.retention.check.interval.ms=1000
log.segment.delete.delay.ms=1000
log.cleaner.dedupe.buffer.size=4194304
log.message.timestamp.after.max.ms=9223372036854775807
",
        data = folder.join("data").display(),
    )
}
