//! The program that is measured, with a database and a Kafka.

use std::error::Error;
use std::process::Command;

/// The `audit` that was built with the benchmark.
pub(crate) const THIS_PROGRAM: &str = env!("CARGO_BIN_EXE_audit");

/// An `audit`, and what it works with.
#[derive(Debug)]
pub(crate) struct Audit<'a> {
    pub(crate) program: &'a str,
    pub(crate) database_url: &'a str,
    pub(crate) brokers: &'a str,
}

impl Audit<'_> {
    /// A command that hears only what the benchmark tells it.
    pub(crate) fn command<'s>(&self, arguments: impl IntoIterator<Item = &'s str>) -> Command {
        let mut command = Command::new(self.program);
        command.args(arguments);
        forget_environment(&mut command);
        // Whoever runs the benchmark may have profiles.
        command.env("AUDIT_CONFIG", "/dev/null");
        command.env("AUDIT_DATABASE_URL", self.database_url).env("AUDIT_BROKERS", self.brokers);
        command
    }

    /// Makes the schema.
    pub(crate) fn migrate(&self) -> Result<(), Box<dyn Error>> {
        let output = self.command(["migrate"]).output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!(
            "audit migrate: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )
        .into())
    }
}

/// Takes away the variables that would connect a program elsewhere.
pub(crate) fn forget_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("PG") || text.starts_with("AUDIT_") {
            command.env_remove(name);
        }
    }
}
