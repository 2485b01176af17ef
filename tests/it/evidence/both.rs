//! Runs both verifiers over the same files.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use audit::evidence::note::{Checkpoint, VerifierKey};
use audit::evidence::proof::{ConsistencyProof, InclusionProof};
use tempfile::TempDir;

use crate::support::Audit;

/// A case: what both verifiers are given, and what the program must say of it.
pub(super) struct Case {
    name: String,
    /// What the program gives: nothing where it is proven, else the reason.
    outcome: Result<(), String>,
    /// What the other one is given.
    arguments: Vec<String>,
}

/// Cases, with a folder for their files.
pub(super) struct Cases {
    folder: TempDir,
    cases: Vec<Case>,
}

impl Cases {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        Self { folder, cases: Vec::new() }
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(format!("{}-{name}", self.cases.len()));
        fs::write(&path, content).unwrap_or_else(|error| panic!("{error}"));
        path.display().to_string()
    }

    /// An inclusion proof.
    pub(super) fn proof(&mut self, name: &str, json: impl AsRef<[u8]>, vkey: &str) {
        let outcome = (|| {
            let key: VerifierKey = vkey.parse().map_err(Told::told)?;
            let proof = InclusionProof::read(json.as_ref()).map_err(Told::told)?;
            proof.check(&key).map(drop).map_err(Told::told)
        })();
        let file = self.file("proof.json", json.as_ref());
        let arguments = vec![file, "--vkey".to_owned(), vkey.to_owned()];
        self.cases.push(Case { name: name.to_owned(), outcome, arguments });
    }

    /// A consistency proof with both checkpoints.
    pub(super) fn consistency(
        &mut self,
        name: &str,
        [old, new]: [&str; 2],
        json: impl AsRef<[u8]>,
        vkey: &str,
    ) {
        let outcome = (|| {
            let key: VerifierKey = vkey.parse().map_err(Told::told)?;
            let old = Checkpoint::verify(old.as_bytes(), &key).map_err(Told::told)?;
            let new = Checkpoint::verify(new.as_bytes(), &key).map_err(Told::told)?;
            ConsistencyProof::read(json.as_ref())
                .and_then(|proof| proof.check(&old, &new))
                .map_err(Told::told)
        })();
        let arguments = vec![
            "--consistency".to_owned(),
            self.file("old", old.as_bytes()),
            self.file("new", new.as_bytes()),
            "--proof".to_owned(),
            self.file("proof.json", json.as_ref()),
            "--vkey".to_owned(),
            vkey.to_owned(),
        ];
        self.cases.push(Case { name: name.to_owned(), outcome, arguments });
    }

    /// All were accepted, by both.
    pub(super) fn assert_proven(&self) {
        for (case, (code, stdout, stderr)) in self.cases.iter().zip(self.python()) {
            assert_eq!(case.outcome, Ok(()), "{}", case.name);
            assert!(
                code == "0" && stdout.starts_with("proven: "),
                "{}: {code} {stderr}",
                case.name
            );
            assert_eq!((stdout.lines().count(), stderr.as_str()), (1, ""), "{}", case.name);
        }
    }

    /// All were refused, by both; gives what was said of each.
    pub(super) fn assert_refused(&self) -> Vec<(String, String, String)> {
        let mut said = Vec::new();
        for (case, (code, stdout, stderr)) in self.cases.iter().zip(self.python()) {
            let Err(reason) = &case.outcome else { panic!("{} was accepted", case.name) };
            let line = stderr.strip_prefix("refused: ").unwrap_or_default();
            assert!(code == "1" && !line.is_empty(), "{}: {code} {stdout}{stderr}", case.name);
            assert_eq!((stderr.lines().count(), stdout.as_str()), (1, ""), "{}", case.name);
            said.push((case.name.clone(), reason.clone(), line.trim_end().to_owned()));
        }
        said
    }

    fn python(&self) -> Vec<(String, String, String)> {
        let arguments: Vec<_> = self.cases.iter().map(|case| &case.arguments).collect();
        let input = serde_json::to_string(&arguments).unwrap_or_else(|error| panic!("{error}"));
        let output = python(&["tests/readers/verify_proofs.py"], &input);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`script/bootstrap --tests` installs it: {errors}");
        let outcomes: Vec<(serde_json::Value, String, String)> =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(outcomes.len(), self.cases.len());
        outcomes.into_iter().map(|(code, out, err)| (code.to_string(), out, err)).collect()
    }
}

/// Made into text, so that errors of different types can be told of in one way.
trait Told {
    fn told(self) -> String;
}

impl<E: std::error::Error> Told for E {
    fn told(self) -> String {
        self.to_string()
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Runs Python with what it needs of the machine alone.
pub(super) fn python(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new("python3");
    command.args(arguments).current_dir(repository());
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("python3: {error}"));
    if let Some(mut stdin) = child.stdin.take() {
        // One that fails at once reads nothing.
        let _ = stdin.write_all(input.as_bytes());
    }
    child.wait_with_output().unwrap_or_else(|error| panic!("python3: {error}"))
}

/// The program, without any configuration.
pub(super) fn audit(arguments: &[&str]) -> Output {
    let audit = Audit { database_url: String::new(), brokers: String::new() };
    let mut command = audit.command(arguments);
    // Would be refused by whatever heeds settings.
    command.env("AUDIT_CONFIG", "/nowhere/config.toml");
    command.env_remove("AUDIT_DATABASE_URL").env_remove("AUDIT_BROKERS").env_remove("HOME");
    command.output().unwrap_or_else(|error| panic!("{error}"))
}
