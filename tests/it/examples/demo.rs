//! The demo, as a person in its shell has it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::lines::Line;
use crate::support::{Terminal, programs, wait_until};

/// What the demo takes for the person's shell: leaves its environment in a file, and stays until
/// Enter is pressed.
const SHELL: &str = r#"#!/bin/sh
file="$0.environment"
env -0 PWD="$(pwd)" >"$file.new" && mv "$file.new" "$file" && read -r _
"#;

const STARTS_WITHIN: Duration = Duration::from_secs(240);
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// How long a command is watched that goes on until it is stopped.
const WATCHED: Duration = Duration::from_secs(4);

pub(super) struct Demo {
    terminal: Terminal,
    environment: Vec<(String, String)>,
    folder: PathBuf,
    /// The person's home, with the folders that completions go to.
    home: TempDir,
}

/// What came of a line.
pub(super) struct Outcome {
    pub(super) exit: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Demo {
    /// Starts it on a terminal, and waits for its shell.
    pub(super) fn start() -> Self {
        let home = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        for folder in
            [".local/share/bash-completion/completions", ".config/fish/completions", ".zfunc"]
        {
            fs::create_dir_all(home.path().join(folder)).unwrap_or_else(|error| panic!("{error}"));
        }
        let shell = home.path().join("shell");
        let made = fs::write(&shell, SHELL)
            .and_then(|()| fs::set_permissions(&shell, Permissions::from_mode(0o755)));
        made.unwrap_or_else(|error| panic!("{}: {error}", shell.display()));
        let mut command = Command::new(programs().join("sandbox"));
        command.arg("demo").env("SHELL", &shell);
        for variable in ["AUDIT_PROFILE", "AUDIT_OUTPUT"] {
            command.env(variable, "not the demo's");
        }
        let terminal = Terminal::start(command, 80);
        let environment = home.path().join("shell.environment");
        wait_until("the shell of the demo", STARTS_WITHIN, || {
            let screen = terminal.screen();
            assert!(!screen.lines().any(|line| line.starts_with("error: ")), "{screen}");
            environment.exists()
        });
        let environment = fs::read_to_string(&environment).unwrap_or_default();
        let environment: Vec<_> = environment
            .split_terminator('\0')
            .filter_map(|variable| variable.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let folder = environment.iter().find(|(name, _)| name == "PWD");
        let folder = folder.map(|(_, folder)| PathBuf::from(folder)).unwrap_or_default();
        Self { terminal, environment, folder, home }
    }

    /// What it showed until now.
    pub(super) fn screen(&self) -> String {
        self.terminal.screen().replace('\r', "")
    }

    /// Runs a line as a person types it. One that goes on is stopped after a while.
    pub(super) fn run(&self, line: &Line) -> Outcome {
        let files = ["stdout", "stderr"].map(|name| self.home.path().join(name));
        let [stdout, stderr] = files
            .each_ref()
            .map(|path| File::create(path).map_or_else(|_| Stdio::null(), Stdio::from));
        let mut command = Command::new("bash");
        command.args(["-c", &line.in_a_shell()]).current_dir(&self.folder).env_clear();
        command.envs(self.environment.iter().cloned()).env("HOME", self.home.path());
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", line.text));
        let exit = wait(&mut child, line);
        let [stdout, stderr] = files.map(|path| text(&path));
        Outcome { exit, stdout, stderr }
    }

    /// Whether a word of the line names something that was written.
    pub(super) fn has_written(&self, line: &Line) -> bool {
        let home = self.home.path().display().to_string();
        line.text.split_whitespace().any(|word| {
            let path = self.folder.join(word.replace('~', &home));
            let is_written = |path: PathBuf| path.metadata().is_ok_and(|data| data.len() > 0);
            match fs::read_dir(&path) {
                Ok(mut entries) => {
                    entries.any(|entry| entry.is_ok_and(|entry| is_written(entry.path())))
                }
                Err(_) => is_written(path),
            }
        })
    }

    /// Leaves its shell, and waits for its end, which has to be a good one that leaves no file.
    pub(super) fn end(mut self) {
        self.terminal.press("\r");
        let (status, screen) = self.terminal.end();
        assert!(status.success(), "{status}: {screen}");
        assert!(!self.folder.exists(), "{} is left", self.folder.display());
    }
}

/// The exit code; 0 for a line that went on until it was stopped.
fn wait(child: &mut Child, line: &Line) -> i32 {
    let limit = if line.follows() { WATCHED } else { ENDS_WITHIN };
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if !line.follows() => return status.code().unwrap_or(-1),
            Ok(None) if began.elapsed() < limit => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) => break,
            _ => return -1,
        }
    }
    let group = format!("-{}", child.id());
    let _ = Command::new("kill").args(["-TERM", "--", &group]).status();
    let _ = child.wait();
    if line.follows() { 0 } else { -1 }
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}
