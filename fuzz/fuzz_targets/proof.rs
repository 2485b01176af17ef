//! A proof, a checkpoint or a key is accepted only where it means the same as one of those in
//! tests/vectors/proofs, which one key signed; and nothing panics.
//!
//! The first byte of the input says what the rest is: 0 a proof that a row is in the log, 1 a
//! consistency proof, 2 a checkpoint, 3 a verifier key, 4 the number of a file and what is edited
//! in it.

#![no_main]
// The pure modules alone, so that neither librdkafka nor OpenSSL has to be built for it.
#![allow(dead_code, unreachable_pub, unused_imports)]

#[path = "../../src/event/mod.rs"]
mod event;
#[path = "../../src/evidence/mod.rs"]
mod evidence;
#[path = "../../src/time/mod.rs"]
mod time;

use std::sync::LazyLock;

use evidence::note::{Checkpoint, VerifierKey};
use evidence::proof::{ConsistencyProof, InclusionProof};
use libfuzzer_sys::fuzz_target;

macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!("../../tests/vectors/proofs/", $name))
    };
}

const VKEY: &str = vector!("audit.vkey");
const CHECKPOINTS: [&str; 2] = [vector!("old.checkpoint"), vector!("new.checkpoint")];
const CONSISTENCY: &str = vector!("consistency.json");
const PROOFS: [&str; 6] = [
    vector!("row.json"),
    vector!("dead_letter.json"),
    vector!("nulls.json"),
    vector!("adopted.json"),
    vector!("last_text_time.json"),
    vector!("first_number_time.json"),
];

/// What may be accepted.
struct Known {
    key: VerifierKey,
    checkpoints: [Checkpoint; 2],
    consistency: ConsistencyProof,
    proofs: Vec<InclusionProof>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let key: VerifierKey = VKEY.trim_end().parse().expect("a key");
    let checkpoint = |note: &str| Checkpoint::verify(note.as_bytes(), &key).expect("signed");
    let proof = |json: &str| InclusionProof::read(json.as_bytes()).expect("a proof");
    Known {
        checkpoints: CHECKPOINTS.map(checkpoint),
        consistency: ConsistencyProof::read(CONSISTENCY.as_bytes()).expect("a proof"),
        proofs: PROOFS.map(proof).into(),
        key,
    }
});

fn check(kind: u8, input: &[u8]) {
    let known = &*KNOWN;
    match kind {
        0 => {
            let Ok(proof) = InclusionProof::read(input) else { return };
            // What can be read can be written, and says the same then.
            let again = InclusionProof::read(proof.to_json().expect("JSON").as_bytes());
            assert_eq!(again.expect("its own JSON"), proof);
            let Ok(proven) = proof.check(&known.key) else { return };
            assert!(known.checkpoints.contains(&proven.checkpoint));
            // Lines of others may stand below the checkpoint.
            let is_known = known.proofs.iter().any(|known| {
                InclusionProof { checkpoint: proof.checkpoint.clone(), ..known.clone() } == proof
            });
            assert!(is_known, "{proof:?}");
        }
        1 => {
            let Ok(proof) = ConsistencyProof::read(input) else { return };
            let [old, new] = &known.checkpoints;
            assert!(proof.check(old, new).is_err() || proof == known.consistency, "{proof:?}");
            assert!(proof.check(new, old).is_err());
            assert!(proof.check(new, new).is_err() || proof.path.is_empty());
        }
        2 => {
            if let Ok(checkpoint) = Checkpoint::verify(input, &known.key) {
                assert!(known.checkpoints.contains(&checkpoint), "{checkpoint:?}");
            }
            if let Ok(checkpoint) = Checkpoint::read_unverified(input) {
                assert!(input.starts_with(checkpoint.text().as_bytes()));
            }
        }
        _ => {
            let Ok(text) = str::from_utf8(input) else { return };
            let Ok(key) = text.parse::<VerifierKey>() else { return };
            assert_eq!(key.to_string(), text);
            let verifies = Checkpoint::verify(CHECKPOINTS[0].as_bytes(), &key).is_ok();
            assert!(!verifies || key.to_string() == known.key.to_string());
        }
    }
}

/// The number of a file, and edits of five bytes: what to do, where (two bytes), how much, and a
/// byte, or the number of a file to take as much from.
fn edited(input: &[u8]) -> Option<(u8, Vec<u8>)> {
    let files: Vec<(u8, &str)> = (PROOFS.iter().map(|proof| (0, *proof)))
        .chain([(1, CONSISTENCY), (2, CHECKPOINTS[0]), (2, CHECKPOINTS[1]), (3, VKEY.trim_end())])
        .collect();
    let (number, edits) = input.split_first()?;
    let (kind, file) = files[usize::from(*number) % files.len()];
    let mut content = file.as_bytes().to_vec();
    for edit in edits.chunks_exact(5) {
        let [what, high, low, length, with] = edit.try_into().ok()?;
        let length = usize::from(length);
        let start = usize::from(u16::from_be_bytes([high, low])) % (content.len() + 1);
        let end = (start + length).min(content.len());
        match what % 5 {
            0 => content[start..end].iter_mut().for_each(|byte| *byte ^= with),
            1 => drop(content.drain(start..end)),
            2 => content.insert(start, with),
            3 => {
                let part = content[start..end].to_vec();
                content.splice(end..end, part);
            }
            _ => {
                let (_, other) = files[usize::from(with) % files.len()];
                let other = other.as_bytes();
                let from = start.min(other.len());
                let part = other[from..(from + length).min(other.len())].to_vec();
                content.splice(start..end, part);
            }
        }
    }
    Some((kind, content))
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, rest)) = input.split_first() else { return };
    match kind {
        4 => {
            if let Some((kind, content)) = edited(rest) {
                check(kind, &content);
            }
        }
        kind => check(*kind, rest),
    }
});
