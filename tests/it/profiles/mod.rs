//! Profiles: which setting wins, what is refused, and that no secret gets out.

mod file;
mod precedence;
mod secrets;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::Audit;

/// A configuration file of the test's own, and nothing else that `audit` could take a setting from.
struct Configured {
    folder: TempDir,
}

impl Configured {
    fn new(text: &str) -> Self {
        let folder = TempDir::new().unwrap_or_else(|error| panic!("no folder: {error}"));
        let configured = Self { folder };
        configured.write("config.toml", text, 0o600);
        configured
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.path(name);
        let folder = path.parent().unwrap_or(self.folder.path());
        let written = std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, text))
            .and_then(|()| std::fs::set_permissions(&path, Permissions::from_mode(mode)));
        assert!(written.is_ok(), "{}: {written:?}", path.display());
    }

    fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let nowhere = Audit { database_url: String::new(), brokers: String::new() };
        let mut command = nowhere.command(arguments);
        for name in ["AUDIT_DATABASE_URL", "AUDIT_BROKERS", "KAFKA_BROKERS", "XDG_CONFIG_HOME"] {
            command.env_remove(name);
        }
        command.env("HOME", self.folder.path()).env("USER", "anna");
        command.env("AUDIT_CONFIG", self.path("config.toml")).envs(variables.iter().copied());
        command
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        self.command(arguments, variables).output().unwrap_or_else(|error| panic!("{error}"))
    }

    fn succeed(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.run(arguments, variables);
        assert!(output.status.success(), "{arguments:?}: {}", self.text(&output.stderr));
        self.text(&output.stdout)
    }

    /// What it says on stderr when it refuses, with exit code 2.
    fn refused(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.run(arguments, variables);
        let stderr = self.text(&output.stderr);
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(2), 0),
            "{arguments:?}: {stderr}"
        );
        stderr
    }

    /// Output with the name of the folder taken out.
    fn text(&self, bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).replace(&self.folder.path().display().to_string(), "FOLDER")
    }

    /// The value of a setting and its source, as `config show` tells them.
    fn shown(&self, setting: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let arguments = [arguments, &["config", "show", "-o", "json"]].concat();
        let json = self.succeed(&arguments, variables);
        let rows: Vec<serde_json::Value> =
            serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
        let row = rows.iter().find(|row| row["setting"] == setting);
        let row = row.unwrap_or_else(|| panic!("there is no {setting}: {json}"));
        let word = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
        format!("{} {}", word("value"), word("source"))
    }
}
