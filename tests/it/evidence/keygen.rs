//! `audit evidence keygen`: whose key it is, and that nobody else can read it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use audit::evidence::note::{Checkpoint, SignerKey, VerifierKey};
use sandbox::Sandbox;

use super::both::audit;
use crate::support::{Audit, Database};

const ORIGIN: &str = "audit/5b3c9a52-0c5e-4c58-9a3c-0f5c3fb0d1a7/2";

#[test]
fn a_key_is_made_without_a_database_where_its_log_is_named() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let file = folder.path().join("audit.key");
    let out = file.display().to_string();
    let arguments = ["evidence", "keygen", "--out", &out, "--origin", ORIGIN];
    let output = audit(&arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let mode = fs::metadata(&file).map(|data| data.permissions().mode() & 0o777);
    assert_eq!(mode.ok(), Some(0o600));
    let secret = fs::read_to_string(&file).unwrap_or_default();
    let signer: SignerKey = secret.trim_end().parse().expect("a signing key");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let verifier: VerifierKey = stdout.trim_end().parse().expect("a verifier key");
    assert_eq!((verifier.origin().to_string(), stdout.lines().count()), (ORIGIN.to_owned(), 1));
    let checkpoint = Checkpoint { origin: verifier.origin(), size: 1, root: [1; 32] };
    let note = checkpoint.sign(&signer).expect("signed");
    assert_eq!(Checkpoint::verify(note.as_bytes(), &verifier), Ok(checkpoint));
    let base64 = secret.trim_end().rsplit_once('+').expect("a key").1.to_owned();
    assert!(!stdout.contains(&base64) && !stderr.contains(&base64));

    // It is never replaced.
    let again = audit(&arguments);
    let stderr = String::from_utf8_lossy(&again.stderr).into_owned();
    assert_eq!((again.status.code(), again.stdout.len()), (Some(1), 0), "{stderr}");
    assert!(stderr.contains("File exists") && stderr.contains("never replaced"), "{stderr}");
    assert_eq!(fs::read_to_string(&file).unwrap_or_default(), secret);

    let nowhere = folder.path().join("nowhere/audit.key").display().to_string();
    let output = audit(&["evidence", "keygen", "--out", &nowhere, "--origin", ORIGIN]);
    assert_eq!(output.status.code(), Some(1));
    for origin in ["audit/x", "log.example", "audit/5B3C9A52-0c5e-4c58-9a3c-0f5c3fb0d1a7"] {
        let output = audit(&["evidence", "keygen", "--out", &nowhere, "--origin", origin]);
        assert_eq!(output.status.code(), Some(2), "{origin}");
    }
}

#[test]
fn a_key_whose_other_half_could_not_be_printed_is_not_kept() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let file = folder.path().join("audit.key");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
    let status = Command::new(env!("CARGO_BIN_EXE_audit"))
        .args(["evidence", "keygen", "--origin", ORIGIN, "--out"])
        .arg(&file)
        .stdout(full)
        .status();
    assert_eq!(status.ok().and_then(|status| status.code()), Some(1));
    assert!(!file.exists());
}

#[test]
fn two_keys_are_never_the_same() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let keys = ["a", "b"].map(|name| {
        let out = folder.path().join(name).display().to_string();
        audit(&["evidence", "keygen", "--out", &out, "--origin", ORIGIN]).stdout
    });
    assert!(!keys[0].is_empty() && keys[0] != keys[1]);
}

#[test]
fn a_key_has_the_name_of_the_databases_log() {
    let scope = Sandbox::shared().scope("evidence_keygen");
    let audit = Audit::migrated(&scope);
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let database = Database::open(scope.database_url());
    let id = database.value("SELECT id::text FROM audit_installation");
    for (log_no, name) in [(0, format!("audit/{id}")), (3, format!("audit/{id}/3"))] {
        database.execute(&format!("UPDATE ledger_head SET log_no = {log_no}"));
        let out = folder.path().join(log_no.to_string()).display().to_string();
        let key = audit.succeed(&["evidence", "keygen", "--out", &out]);
        assert!(key.starts_with(&format!("{name}+")), "{key}");
    }
}
