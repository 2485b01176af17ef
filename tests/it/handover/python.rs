//! Python with the packages that read what is handed over.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

/// `required` makes it an error that there is no Python.
const WANTED: &str = "AUDIT_TEST_READERS";

/// A Python with the packages of one file of requirements.
#[derive(Debug, Clone)]
pub(super) struct Python {
    program: PathBuf,
}

impl Python {
    /// With the packages of this file in `tests/readers`. `None`, and a line on stderr, where they
    /// can't be had; in CI that is a failure.
    pub(super) fn with(requirements: &str) -> Option<Self> {
        static MADE: OnceLock<Mutex<HashMap<String, Option<Python>>>> = OnceLock::new();
        let mut made =
            MADE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(python) = made.get(requirements) {
            return python.clone();
        }
        let python = match make(requirements) {
            Ok(program) => Some(Self { program }),
            Err(reason) if is_required() => {
                panic!("Python with tests/readers/{requirements} can't be had: {reason}")
            }
            Err(reason) => {
                // Past the capture of what tests print: a test that reads nothing must say so.
                let line = format!("skipped: tests that read with {requirements}: {reason}\n");
                let _ = std::io::stderr().write_all(line.as_bytes());
                None
            }
        };
        made.insert(requirements.to_owned(), python.clone());
        python
    }

    /// What a script in `tests/readers` prints.
    pub(super) fn run(&self, script: &str, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new(&self.program);
        command.arg(readers().join(script)).args(arguments);
        // No folder of compiled scripts in the repository.
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{script}: {error}"));
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).unwrap_or_else(|error| panic!("{script}: {error}"));
        }
        let output = child.wait_with_output().unwrap_or_else(|error| panic!("{script}: {error}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {}: {errors}", output.status);
        String::from_utf8(output.stdout).unwrap_or_else(|error| panic!("{script}: {error}"))
    }
}

fn readers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers")
}

fn is_required() -> bool {
    let is_set =
        |name| std::env::var(name).is_ok_and(|value| !["", "0", "false"].contains(&&*value));
    is_set("CI") || is_set(WANTED)
}

fn make(requirements: &str) -> Result<PathBuf, String> {
    let mut command = Command::new("python3");
    command.arg(readers().join("environment.py")).arg(requirements).stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("python3: {error}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(errors.lines().last().unwrap_or("environment.py failed").to_owned());
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}
