//! The proofs in tests/vectors/proofs, for whoever writes a verifier: they are those of the sample.

use std::path::Path;

use super::both::Cases;
use super::sample::{SIZES, Sample};

/// Right ones, and the keys and checkpoints that go with them.
pub(super) fn files() -> Vec<(&'static str, String)> {
    let sample = Sample::new();
    let [old, new] = SIZES;
    let json = |proof: audit::evidence::proof::InclusionProof| proof.to_json().expect("JSON");
    vec![
        ("audit.vkey", sample.vkey() + "\n"),
        ("old.checkpoint", sample.checkpoint(old)),
        ("new.checkpoint", sample.checkpoint(new)),
        ("consistency.json", sample.consistency(old, new).to_json().expect("JSON")),
        ("row.json", json(sample.proof(0, old))),
        ("dead_letter.json", json(sample.proof(1, new))),
        ("nulls.json", json(sample.proof(2, new))),
        ("adopted.json", json(sample.adopted_proof(0))),
        ("last_text_time.json", json(sample.proof(6, new))),
        ("first_number_time.json", json(sample.proof(7, new))),
    ]
}

#[test]
fn the_published_proofs_are_still_written_as_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/proofs");
    for (name, content) in files() {
        let path = folder.join(name);
        if std::env::var_os("UPDATE_VECTORS").is_some() {
            std::fs::write(&path, &content).unwrap_or_else(|error| panic!("{error}"));
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(published, content, "{name}: UPDATE_VECTORS=1 writes them anew");
    }
}

#[test]
fn both_verifiers_accept_every_row_of_the_log_under_each_checkpoint_that_covers_it() {
    let sample = Sample::new();
    let vkey = sample.vkey();
    let mut cases = Cases::new();
    for row in 0..8 {
        for size in [300, 301, 512, 777] {
            let json = sample.proof(row, size).to_json().expect("JSON");
            cases.proof(&format!("row {row}, {size} leaves"), json, &vkey);
        }
        let json = sample.adopted_proof(row).to_json().expect("JSON");
        cases.proof(&format!("adopted row {row}"), json, &vkey);
    }
    for old in [1, 2, 3, 255, 256, 257, 299, 300, 512, 776, 777] {
        for new in [300, 512, 513, 777].into_iter().filter(|new| *new >= old) {
            let json = sample.consistency(old, new).to_json().expect("JSON");
            let checkpoints = [&*sample.checkpoint(old), &*sample.checkpoint(new)];
            cases.consistency(&format!("{old} to {new}"), checkpoints, json, &vkey);
        }
    }
    cases.assert_proven();
}
