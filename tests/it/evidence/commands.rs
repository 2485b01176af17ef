//! `audit evidence check` and `witness`: what is proven, and how they exit.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::both::{audit, python};
use super::vectors::files;

/// The published proofs in a folder.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap_or_else(|error| panic!("{error}")));
        files().iter().for_each(|(name, content)| folder.write(name, content));
        folder
    }

    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        path.display().to_string()
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap_or_else(|error| panic!("{error}"));
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{error}"))
    }

    fn check(&self, name: &str, more: &[&str]) -> Output {
        let (proof, vkey) = (self.path(name), self.path("audit.vkey"));
        audit(&[&["evidence", "check", &proof, "--vkey", &vkey], more].concat())
    }

    fn witness(&self, old: &str, new: &str, proof: &str) -> Output {
        let [old, new, proof, vkey] = [old, new, proof, "audit.vkey"].map(|name| self.path(name));
        audit(&["evidence", "witness", &old, &new, "--proof", &proof, "--vkey", &vkey])
    }
}

fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[test]
fn check_shows_what_is_proven_without_any_configuration() {
    let folder = Folder::new();
    let (code, stdout, stderr) = told(&folder.check("adopted.json", &[]));
    assert_eq!(code, 0, "{stderr}");
    insta::assert_snapshot!(stdout, @r#"
    proven        value
    id            1000
    event_id      aa000000-0000-4000-8000-000000000001
    event_type    Bestellt "ü" 🔑\u{7f}\u{202e}\n
    aggregate_id  aa000000-0000-4000-8000-000000000002
    created_at    2026-11-22T10:00:00.000000Z
    batch_no      9
    recorded_at   2026-11-22T10:00:00.000001Z
    adopted_at    2026-11-22T10:00:00.000005Z
    cluster_id    cluster
    topic         orders.events
    partition     0
    kafka_offset  50
    origin        audit/5b3c9a52-0c5e-4c58-9a3c-0f5c3fb0d1a7
    leaf_index    640
    log_size      777
    "#);
    insta::assert_snapshot!(
        stderr,
        @"proven: row 1000 is what was recorded, as the checkpoint of 777 leaves shows"
    );
    let (code, stdout, _) = told(&folder.check("row.json", &["-o", "json"]));
    let proven: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}"));
    let expected = json!({
        "id": 1000,
        "event_id": "aa000000-0000-4000-8000-000000000001",
        "event_type": "Bestellt \"ü\" 🔑\u{7f}\u{202e}\n",
        "aggregate_id": "aa000000-0000-4000-8000-000000000002",
        "created_at": "2026-11-22T10:00:00.000000Z",
        "batch_no": 42,
        "recorded_at": "2026-11-22T10:00:00.000001Z",
        "adopted_at": null,
        "cluster_id": "cluster",
        "topic": "orders.events",
        "partition": 0,
        "kafka_offset": 50,
        "origin": "audit/5b3c9a52-0c5e-4c58-9a3c-0f5c3fb0d1a7",
        "leaf_index": 299,
        "log_size": 300,
    });
    assert_eq!((code, proven), (0, expected));
    // The key itself, and a proof from stdin.
    let (proof, vkey) = (folder.path("row.json"), folder.read("audit.vkey"));
    let script = "exec \"$0\" evidence check - --vkey \"$1\" < \"$2\"";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_audit"), vkey.trim_end(), &proof])
        .output();
    assert_eq!(told(&output.unwrap_or_else(|error| panic!("{error}"))).0, 0);
}

#[test]
fn the_exit_code_tells_what_was_altered_from_what_is_no_proof() {
    let folder = Folder::new();
    let proof = folder.read("row.json");
    folder.write("altered.json", &proof.replace("12e21", "13e21"));
    folder.write("other_batch.json", &proof.replace("\"batch_no\": 42", "\"batch_no\": 43"));
    folder.write("other_id.json", &proof.replace("\"id\": 1000", "\"id\": 2000"));
    folder.write("cut_off.json", &proof[..proof.len() / 2]);
    folder.write("signature.json", &proof.replace("\\n300\\n", "\\n301\\n"));
    for (name, code, words) in [
        ("altered.json", 5, "row 1000 is not what was recorded"),
        ("other_batch.json", 5, "batch 43 is not what was recorded"),
        ("other_id.json", 5, "row 2000 is not of batch 42"),
        ("cut_off.json", 1, "not a proof"),
        ("signature.json", 1, "signature of audit/5b3c9a52-0c5e-4c58-9a3c-0f5c3fb0d1a7 is wrong"),
        ("consistency.json", 1, "unknown field `old_size`"),
        ("audit.vkey", 1, "not a proof"),
        ("nowhere.json", 1, "No such file"),
    ] {
        let (found, stdout, stderr) = told(&folder.check(name, &[]));
        assert_eq!((found, stdout.as_str()), (code, ""), "{name}: {stderr}");
        assert!(stderr.contains(words) && stderr.contains(name), "{stderr}");
    }
    let vkey = folder.path("audit.vkey");
    let proof = folder.path("row.json");
    for arguments in [
        vec!["evidence", "check"],
        vec!["evidence", "check", &proof],
        vec!["evidence", "check", "--vkey", &vkey],
    ] {
        assert_eq!(told(&audit(&arguments)).0, 2, "{arguments:?}");
    }
    let wrong_key = audit(&["evidence", "check", &proof, "--vkey", "/nowhere/audit.vkey"]);
    let (code, _, stderr) = told(&wrong_key);
    assert!(code == 1 && stderr.contains("--vkey: reading /nowhere/audit.vkey"), "{stderr}");
}

#[test]
fn witness_tells_a_log_that_goes_on_from_one_that_was_altered() {
    let folder = Folder::new();
    let (code, stdout, stderr) =
        told(&folder.witness("old.checkpoint", "new.checkpoint", "consistency.json"));
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(
        stdout,
        "consistent: the log audit/5b3c9a52-0c5e-4c58-9a3c-0f5c3fb0d1a7 of 777 leaves begins with \
         the 300 leaves of before\n"
    );
    let proof: Value = serde_json::from_str(&folder.read("consistency.json")).unwrap_or_default();
    let mut altered = proof.clone();
    altered["path"][0] = altered["path"][1].clone();
    folder.write("altered.json", &altered.to_string());
    for (old, new, proof, code, words) in [
        ("old.checkpoint", "new.checkpoint", "altered.json", 5, "the log was altered"),
        (
            "new.checkpoint",
            "old.checkpoint",
            "consistency.json",
            1,
            "covers 777 leaves, the new one only 300",
        ),
        ("old.checkpoint", "old.checkpoint", "consistency.json", 1, "the proof is about"),
        ("old.checkpoint", "new.checkpoint", "row.json", 1, "unknown field"),
        ("old.checkpoint", "row.json", "consistency.json", 1, "row.json: no signed note"),
        ("old.checkpoint", "nowhere", "consistency.json", 1, "nowhere: No such file"),
    ] {
        let (found, stdout, stderr) = told(&folder.witness(old, new, proof));
        assert_eq!((found, stdout.as_str()), (code, ""), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
}

/// As its own documentation says, in a process of its own.
#[test]
fn the_other_verifier_can_be_run_by_itself() {
    let folder = Folder::new();
    let script = "examples/verify_proof.py";
    let [row, old, new, proof, vkey] =
        ["row.json", "old.checkpoint", "new.checkpoint", "consistency.json", "audit.vkey"]
            .map(|name| folder.path(name));
    let (code, stdout, stderr) = told(&python(&[script, &row, "--vkey", &vkey], ""));
    assert_eq!((code, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(stdout, @r#"proven: event aa000000-0000-4000-8000-000000000001 ('Bestellt "ü" 🔑\x7f\u202e\n') is row 1000 of batch 42, recorded at 2026-11-22T10:00:00.000001Z, from 'orders.events' partition 0 offset 50; checkpoint of 300 leaves of audit/5b3c9a52-0c5e-4c58-9a3c-0f5c3fb0d1a7"#);
    let consistency = [script, "--consistency", &old, &new, "--proof", &proof, "--vkey", &vkey];
    let (code, stdout, stderr) = told(&python(&consistency, ""));
    assert_eq!((code, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(
        stdout,
        @"proven: audit/5b3c9a52-0c5e-4c58-9a3c-0f5c3fb0d1a7 with 777 leaves begins with its 300 leaves of before"
    );
    let exchanged = [script, "--consistency", &new, &old, "--proof", &proof, "--vkey", &vkey];
    for (arguments, code) in
        [(&exchanged[..], 1), (&[script, &row], 2), (&[script, "--vkey", &vkey], 2)]
    {
        let (found, stdout, stderr) = told(&python(arguments, ""));
        assert_eq!((found, stdout.as_str()), (code, ""), "{stderr}");
    }
}
