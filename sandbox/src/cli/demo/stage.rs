//! Where the demo plays: a folder, its variables, and the programs of the workspace on PATH.
//! Commands are lines for a shell, so that what is shown is what is run.

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use sandbox::{Process, Sandbox};

use super::{foreground, services};

const PROGRAMS: [&str; 3] = ["audit", "order-sim", "payment-sim"];

/// How often something that is waited for is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) struct Stage<'s> {
    sandbox: &'s Sandbox,
    /// Where the commands run, and leave their files.
    folder: PathBuf,
    path: OsString,
}

impl<'s> Stage<'s> {
    pub(super) fn new(sandbox: &'s Sandbox) -> Result<Stage<'s>, Box<dyn Error>> {
        let own = std::env::current_exe()?;
        let programs = own.parent().ok_or("this program is in no folder")?;
        if let Some(missing) = PROGRAMS.iter().find(|name| !programs.join(name).is_file()) {
            return Err(format!(
                "there is no {missing} in {}; `cargo build --workspace` makes it",
                programs.display()
            )
            .into());
        }
        let known = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(programs.to_path_buf()).chain(std::env::split_paths(&known));
        let stage = Stage {
            sandbox,
            folder: sandbox.folder("demo")?,
            path: std::env::join_paths(folders)?,
        };
        fs::write(stage.profile(), stage.profile_text())?;
        Ok(stage)
    }

    pub(super) fn sandbox(&self) -> &Sandbox {
        self.sandbox
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The configuration file, which is the demo's own: the tour is the same whatever profiles the
    /// person has.
    fn profile(&self) -> PathBuf {
        self.folder.join("config.toml")
    }

    fn profile_text(&self) -> String {
        let topics: Vec<_> = services::TOPICS
            .iter()
            .chain([&services::SHOP_TOPIC])
            .map(|topic| format!("  {topic:?},\n"))
            .collect();
        format!(
            "[profiles.demo]\ndatabase_url = {:?}\nbrokers = {:?}\ntopics = [\n{}]\n",
            self.sandbox.postgres().url("audit_db"),
            self.sandbox.kafka().brokers(),
            topics.concat()
        )
    }

    fn arrange(&self, command: &mut Command) {
        command
            .current_dir(&self.folder)
            .envs(services::variables(self.sandbox, true))
            .env("AUDIT_CONFIG", self.profile())
            .env_remove("AUDIT_PROFILE")
            .env_remove("AUDIT_OUTPUT")
            .env_remove("SCHEMA_REGISTRY")
            .env("PATH", &self.path);
    }

    fn line(&self, line: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]).stdin(Stdio::null());
        self.arrange(&mut command);
        command
    }

    /// Shows a line, and runs it to its end, which must be a good one.
    pub(super) fn run(&self, line: &str) -> Result<(), Box<dyn Error>> {
        writeln!(stdout(), "$ {line}")?;
        // A pager would stop the tour.
        let status = self.line(line).env("PAGER", "cat").status()?;
        if status.success() { Ok(()) } else { Err(format!("`{line}` ended with {status}").into()) }
    }

    /// Shows a line, and runs it in the background, also where it does not say so with `&`. It ends
    /// with the sandbox at the latest.
    pub(super) fn start(&self, name: &str, line: &str) -> Result<Process, Box<dyn Error>> {
        writeln!(stdout(), "$ {line}")?;
        let line = line.trim_end_matches(" &");
        let started = self.sandbox.spawn(name, Path::new("/bin/sh"), |command| {
            command.args(["-c", &format!("exec {line}")]);
            self.arrange(command);
        })?;
        Ok(started)
    }

    /// Runs a program in the foreground, with the terminal, and gives its exit code.
    pub(super) fn foreground(&self, words: &[OsString]) -> Result<ExitCode, Box<dyn Error>> {
        let [program, arguments @ ..] = words else { return Ok(ExitCode::SUCCESS) };
        let mut command = Command::new(program);
        command.args(arguments);
        self.arrange(&mut command);
        foreground::run(command)
            .map_err(|error| format!("cannot run {}: {error}", program.to_string_lossy()).into())
    }

    /// Runs a line again and again, unseen, until it ends well.
    pub(super) fn wait_until(&self, line: &str, within: Duration) -> Result<(), Box<dyn Error>> {
        let deadline = Instant::now() + within;
        loop {
            let output = self.line(line).output()?;
            if output.status.success() {
                return Ok(());
            }
            if Instant::now() > deadline {
                let text = [output.stdout, output.stderr].concat();
                let text = String::from_utf8_lossy(&text).into_owned();
                let within = within.as_secs();
                return Err(format!("`{line}` found nothing in {within} s: {text}").into());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
