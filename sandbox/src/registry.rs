//! The sandbox's schema registry: Apicurio, in memory, which speaks the interface of Confluent's.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::error::Error;
use crate::process::{Guardian, LOOK_EVERY, Process};
use crate::progress::Progress;
use crate::{blocking, fetch, ports};

/// Names a schema registry to use instead of one of the sandbox's own: its URL, as clients want it.
pub const GIVEN_SCHEMA_REGISTRY: &str = "SANDBOX_SCHEMA_REGISTRY_URL";

const SERVER: &str = "the schema registry";
const STARTS_WITHIN: Duration = Duration::from_secs(90);
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// A schema registry: one of the sandbox's own, which forgets all schemas when it ends, or the
/// given one.
#[derive(Debug)]
pub struct SchemaRegistry {
    url: String,
    port: Option<u16>,
    process: Option<Process>,
    /// Dropped after the process, which it watches over.
    _guardian: Option<Arc<Guardian>>,
}

impl SchemaRegistry {
    pub(crate) fn set_up(
        guardian: &Arc<Guardian>,
        progress: &Progress,
    ) -> Result<SchemaRegistry, Error> {
        if let Some(url) = std::env::var(GIVEN_SCHEMA_REGISTRY).ok().filter(|url| !url.is_empty()) {
            return SchemaRegistry::given(&url, progress);
        }
        let missing = |reason: String| Error::NoSchemaRegistry { reason };
        let java = fetch::java().map_err(missing)?;
        let home = fetch::schema_registry(guardian, progress)?
            .ok_or_else(|| missing("there is no Maven to fetch one".to_string()))?;
        let what = format!("Apicurio Registry {}", fetch::SCHEMA_REGISTRY_VERSION);
        let _step = progress.begin(&format!("starting {what}"));
        let mut attempts = 0;
        loop {
            attempts += 1;
            let folder = guardian.folder(&format!("schema-registry-{attempts}"), None)?;
            let [port] = ports::free_ports();
            match start(guardian, &folder, &java, &home, port) {
                // Quarkus has words of its own for it.
                Err(Error::NotStarted { log, .. })
                    if attempts < 5
                        && (ports::was_taken(&log) || log.contains("already bound")) => {}
                Err(error) => return Err(error),
                Ok(process) => {
                    let url = url(port);
                    progress.say(&format!("{what} listens on {url}"));
                    return Ok(SchemaRegistry {
                        url,
                        port: Some(port),
                        process: Some(process),
                        _guardian: Some(guardian.clone()),
                    });
                }
            }
        }
    }

    fn given(url: &str, progress: &Progress) -> Result<SchemaRegistry, Error> {
        let url = url.trim_end_matches('/').to_string();
        answers(&url, ANSWERS_WITHIN)
            .map_err(|reason| Error::Given { variable: GIVEN_SCHEMA_REGISTRY, reason })?;
        progress.say(&format!("the schema registry is the one that {GIVEN_SCHEMA_REGISTRY} names"));
        Ok(SchemaRegistry { url, port: None, process: None, _guardian: None })
    }

    /// Its URL, as clients of Confluent's registry want it: `{url}/subjects`,
    /// `{url}/schemas/ids/1`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its port on the loopback interface; `None` where it is given.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether the user gave it: then it keeps what is not deleted.
    pub fn is_given(&self) -> bool {
        self.process.is_none()
    }

    /// The number of its process, when it is the sandbox's own.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/apis/ccompat/v7")
}

/// Starts it, and waits until its interface answers.
fn start(
    guardian: &Guardian,
    folder: &Path,
    java: &Path,
    home: &Path,
    port: u16,
) -> Result<Process, Error> {
    let mut started = Process::start(guardian, folder, java, Signal::SIGKILL, |command| {
        arrange(command, folder, home, port);
    })?;
    let failed = |reason: String, log: String| Error::NotStarted { server: SERVER, reason, log };
    let deadline = Instant::now() + STARTS_WITHIN;
    // Its own log proves that it is this one that answers on the port.
    let listens = format!("Listening on: http://127.0.0.1:{port}");
    while !started.last_lines().contains(&listens) || answers(&url(port), ANSWERS_WITHIN).is_err() {
        if let Some(status) = started.ended() {
            return Err(failed(format!("it ended ({status})"), started.last_lines()));
        }
        if Instant::now() > deadline {
            let reason = format!("it does not answer after {} s", STARTS_WITHIN.as_secs());
            return Err(failed(reason, started.last_lines()));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(started)
}

fn arrange(command: &mut Command, folder: &Path, home: &Path, port: u16) {
    command
        .args(["-Xmx400m", "-XX:+UseSerialGC"])
        // It does little for a short time: compiling quickly starts it a fifth earlier.
        .arg("-XX:TieredStopAtLevel=1")
        // Java would leave statistics in the system's temporary directory when it is killed.
        .arg("-XX:-UsePerfData")
        .arg(format!("-Djava.io.tmpdir={}", folder.display()))
        .arg("-Dquarkus.http.host=127.0.0.1")
        .arg(format!("-Dquarkus.http.port={port}"))
        .arg("-jar")
        .arg(home.join(fetch::SCHEMA_REGISTRY_JAR));
    // Variables of the user's are settings of Quarkus and of the registry, too.
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if ["QUARKUS_", "REGISTRY_"].iter().any(|start| name_text.starts_with(start)) {
            command.env_remove(&name);
        }
    }
}

/// Whether a URL names this computer, where no proxy leads. The sandbox's own registry is there.
fn is_loopback(url: &str) -> bool {
    let url = reqwest::Url::parse(url).ok();
    let host = url.as_ref().and_then(reqwest::Url::host_str).unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost"
        || host.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback())
}

/// Whether a registry answers at the URL; otherwise why not, without the URL, which may hold a
/// password.
fn answers(url: &str, within: Duration) -> Result<(), String> {
    let subjects = format!("{url}/subjects");
    let asked = blocking::wait(async move {
        let mut builder = reqwest::Client::builder().timeout(within);
        if is_loopback(&subjects) {
            builder = builder.no_proxy();
        }
        builder.build()?.get(subjects).send().await.map(|response| response.status())
    });
    match asked {
        Ok(Ok(status)) if status.is_success() => Ok(()),
        Ok(Ok(status)) => Err(format!("it answers {status} when it is asked for its subjects")),
        Ok(Err(error)) => Err(format!("it does not answer: {}", error.without_url())),
        Err(error) => Err(error.to_string()),
    }
}
