//! Runs the program that was built with the tests.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use refinery::{Runner, Target, load_sql_migrations};
use sandbox::Scope;
use tempfile::NamedTempFile;
use tokio::runtime::Runtime;
use tokio_postgres::NoTls;

/// `audit` with a database and a Kafka.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    pub(crate) database_url: String,
    pub(crate) brokers: String,
}

impl Audit {
    /// On a database of the test's own, with the schema.
    pub(crate) fn migrated(scope: &Scope<'_>) -> Self {
        let audit = Self {
            database_url: scope.database_url().to_owned(),
            brokers: scope.brokers().to_owned(),
        };
        let output = audit.run(&["migrate"]);
        assert!(output.status.success(), "migrate: {}", text(&output.stderr));
        audit
    }

    /// On a database of the test's own, whose schema has an earlier version.
    pub(crate) fn of_version(scope: &Scope<'_>, version: i32) -> Self {
        let migrations =
            load_sql_migrations(Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/audit_db"));
        let migrations = migrations.unwrap_or_else(|error| panic!("{error}"));
        let runner = Runner::new(&migrations).set_target(Target::Version(version));
        let runtime = Runtime::new().unwrap_or_else(|error| panic!("{error}"));
        runtime.block_on(async {
            let connected = tokio_postgres::connect(scope.database_url(), NoTls).await;
            let (mut client, connection) = connected.unwrap_or_else(|error| panic!("{error}"));
            tokio::spawn(connection);
            let applied = runner.run_async(&mut client).await;
            applied.unwrap_or_else(|error| panic!("version {version}: {error}"));
        });
        Self { database_url: scope.database_url().to_owned(), brokers: scope.brokers().to_owned() }
    }

    /// A command of a shell, in which `audit` is `"$0"`.
    pub(crate) fn shell(&self, script: &str) -> Command {
        let known = self.command(&[]);
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(known.get_program());
        for (name, value) in known.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_audit"));
        command.args(arguments).stdin(Stdio::null());
        for (name, _) in std::env::vars()
            .filter(|(name, _)| name.starts_with("PG") || name.starts_with("AUDIT_"))
        {
            command.env_remove(name);
        }
        // Whoever runs the tests may have profiles.
        command.env("AUDIT_CONFIG", "/dev/null");
        command.env("AUDIT_DATABASE_URL", &self.database_url).env("AUDIT_BROKERS", &self.brokers);
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        match self.command(arguments).output() {
            Ok(output) => output,
            Err(error) => panic!("audit {arguments:?} can't be run: {error}"),
        }
    }

    /// Runs it to its end, which has to be a good one, and gives its stdout.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "audit {arguments:?}: {}: {}",
            output.status,
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// The exit code of `verify`, and what it finds of the schema and the leaves.
    pub(crate) fn schema_findings(&self) -> (Option<i32>, Vec<String>) {
        let output = self.run(&["verify", "-o", "json", "--wait", "0"]);
        let lines: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let text = |line: &serde_json::Value, member: &str| {
            line[member].as_str().unwrap_or_default().to_owned()
        };
        let schema = lines.iter().skip_while(|line| line["check"] != "schema");
        let findings = schema
            .filter(|line| line["check"] == "finding")
            .map(|line| text(line, "subject") + ": " + &text(line, "detail"));
        (output.status.code(), findings.collect())
    }

    /// Starts it in the background.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A program in the background. It is killed when the test is done with it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    log: NamedTempFile,
}

impl Running {
    /// Starts a program in the background.
    pub(crate) fn start(command: &mut Command) -> Self {
        let log = match NamedTempFile::new() {
            Ok(log) => log,
            Err(error) => panic!("no file for the log: {error}"),
        };
        let open = || {
            File::options()
                .append(true)
                .open(log.path())
                .map_or_else(|_| Stdio::null(), Stdio::from)
        };
        match command.stdin(Stdio::null()).stdout(open()).stderr(open()).spawn() {
            Ok(child) => Self { child, log },
            Err(error) => panic!("{} can't be started: {error}", command.get_program().display()),
        }
    }

    /// What it wrote so far, stdout and stderr together.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap_or_default()
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it has ended.
    pub(crate) fn ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Sends a signal by its name, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "signal {name} could not be sent");
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        let began = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return status,
                Ok(None) if began.elapsed() < limit => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Ok(None) => panic!("it still runs after {limit:?}; its log:\n{}", self.log()),
                Err(error) => panic!("its end can't be waited for: {error}"),
            }
        }
    }

    /// Asks it to end, and checks that it does so with exit code 0.
    pub(crate) fn stop(&mut self) {
        self.signal("TERM");
        self.succeed(Duration::from_secs(40));
    }

    /// Waits for its end, which has to be a good one.
    pub(crate) fn succeed(&mut self, limit: Duration) {
        let status = self.wait(limit);
        assert!(
            status.success(),
            "{status} (signal {:?}); its log:\n{}",
            status.signal(),
            self.log()
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("the log of process {}:\n{}", self.child.id(), self.log());
        }
    }
}

/// Waits until something comes true, and says what was waited for where it does not.
pub(crate) fn wait_until(what: &str, limit: Duration, mut is_true: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_true() {
        assert!(began.elapsed() < limit, "waited {limit:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
