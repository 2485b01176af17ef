//! Checkpoints of the log of evidence, and what is proven by them: on real servers.

mod adopted;
mod beside;
mod proven;
mod refused;
mod restarted;
mod shown;

use std::path::PathBuf;

use sandbox::Scope;
use tempfile::TempDir;

use crate::support::{Audit, Database, Producer};

/// A database with a log, and a key that signs its checkpoints.
struct Anchored {
    audit: Audit,
    folder: TempDir,
}

impl Anchored {
    /// Over a database that exists.
    fn over(audit: Audit) -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        Self { audit, folder }
    }

    /// With some events of a topic recorded, in batches of 10 at most.
    fn recorded(scope: &Scope<'_>, topic: &str, count: usize) -> Self {
        let anchored = Self::over(Audit::migrated(scope));
        Producer::new(scope.brokers()).native_events(topic, 0..count);
        anchored.record(topic);
        anchored
    }

    /// Records what the topic has.
    fn record(&self, topic: &str) {
        self.audit.succeed(&["ingest", "--until-end", "--topics", topic, "--batch-rows", "10"]);
    }

    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        path.display().to_string()
    }

    /// Makes a key, and returns its file; the verifier key is the file with `.vkey` behind it.
    fn key(&self, name: &str) -> String {
        let file = self.path(name);
        let vkey = self.audit.succeed(&["evidence", "keygen", "--out", &file]);
        self.write(&format!("{name}.vkey"), &vkey);
        file
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap_or_else(|error| panic!("{error}"));
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Signs a checkpoint into a file, which has to go well.
    fn checkpoint(&self, key: &str, name: &str) {
        let out = self.path(name);
        self.audit.succeed(&["evidence", "checkpoint", "--key", key, "--out", &out]);
    }

    /// Runs `audit evidence` with these arguments: the exit code, stdout, and stderr.
    fn evidence(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = self.audit.run(&[&["evidence"], arguments].concat());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    fn database(&self) -> Database {
        Database::open(&self.audit.database_url)
    }
}

/// How many leaves a checkpoint covers.
fn size_of(note: &str) -> u64 {
    let line = note.lines().nth(1).unwrap_or_default();
    line.parse().unwrap_or_else(|error| panic!("{note}: {error}"))
}

/// Changes tables as whoever owns them can, past the triggers that refuse it.
fn tamper(database: &Database, tables: &[&str], statements: &str) {
    let switch = |word: &str| -> String {
        let lines = tables.iter().map(|table| format!("ALTER TABLE {table} {word} TRIGGER ALL;"));
        lines.collect()
    };
    // Enabled as they were: some fire for replicas, too.
    let triggers = database.rows(
        "SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'A'",
    );
    database.execute(&format!(
        "BEGIN; {} {statements}; {} COMMIT",
        switch("DISABLE"),
        switch("ENABLE")
    ));
    for trigger in triggers {
        database
            .execute(&format!("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}", trigger[0], trigger[1]));
    }
}
