//! Proofs of the right form whose hashes, signatures or contents are not what they should be.

use audit::evidence::leaf::BatchLeaf;
use audit::evidence::note::{Checkpoint, Origin, SignerKey};
use audit::evidence::proof::{InclusionProof, RowColumns};
use audit::evidence::tree::{leaf_hash, root_of};

use super::both::Cases;
use super::sample::{SIZES, Sample};

const OLD: u64 = SIZES[0];
const NEW: u64 = SIZES[1];

/// Another key: of another seed, or of the log after a restart.
fn key(sample: &Sample, restart: i32, seed: u8) -> SignerKey {
    let installation = sample.key.verifier().origin().installation();
    let origin = Origin::new(installation, restart).expect("an origin");
    SignerKey::of_seed(origin, &[seed; 32]).expect("a key")
}

/// The same checkpoint, signed by this key in its own name.
fn signed_by(key: &SignerKey, note: &str) -> String {
    let checkpoint = Checkpoint::read_unverified(note.as_bytes()).expect("a checkpoint");
    Checkpoint { origin: key.verifier().origin(), ..checkpoint }.sign(key).expect("its own key")
}

/// The signature lines of one note behind the text of another.
fn mixed(text: &str, signatures: &str) -> String {
    let (text, _) = text.split_once("\n\n").expect("a note");
    let (_, signatures) = signatures.split_once("\n\n").expect("a note");
    format!("{text}\n\n{signatures}")
}

fn assert_reasons(cases: &Cases, expected: &[(&str, &str)]) {
    let said = cases.assert_refused();
    assert_eq!(said.len(), expected.len());
    for ((name, reason, other_reason), (expected, other_expected)) in said.iter().zip(expected) {
        assert!(reason.contains(expected), "{name}: {reason}");
        assert!(other_reason.contains(other_expected), "{name}: {other_reason}");
    }
}

#[test]
fn a_checkpoint_that_the_key_did_not_sign_is_refused() {
    let sample = Sample::new();
    let good = sample.proof(1, NEW);
    let note = good.checkpoint.clone();
    let other = key(&sample, 0, 8);
    let restarted = key(&sample, 1, 7);
    let unknown = ("is not signed with the key", "is not signed with the key");
    let wrong = ("is wrong", "is wrong");
    let edge = "— witness.example AAAAAAAAAAAA\n";
    let size = |to: &str| note.replacen("\n777\n", &format!("\n{to}\n"), 1);
    // The id of the key, and some bytes more.
    let line = note.lines().last().expect("a signature");
    let (name, signature) = line.rsplit_once(' ').expect("a signature");
    let short = format!("{name} {}", &signature[..12]);
    let checkpoints = [
        ("another key of the same name", signed_by(&other, &note), unknown),
        (
            "the key of the log after a restart",
            signed_by(&restarted, &note),
            ("is of audit/", "not signed with"),
        ),
        ("the signature of another checkpoint", mixed(&note, &sample.checkpoint(OLD)), wrong),
        ("a larger size", size("778"), wrong),
        ("a smaller size", size("776"), wrong),
        ("a size with a zero before it", size("0777"), wrong),
        ("a line more", note.replacen("\n\n", "\nmore\n\n", 1), wrong),
        ("a short signature", mixed(&note, &format!("\n\n{short}\n")), wrong),
        (
            "no signature",
            note.split_once('—').expect("one").0.to_owned(),
            ("empty line", "at its end"),
        ),
        ("only a witness", mixed(&note, &format!("\n\n{edge}")), unknown),
        ("text behind it", format!("{note}more"), ("else than signatures", "at its end")),
        ("an empty line behind it", format!("{note}\n"), ("else than signatures", "at its end")),
        ("text before it", format!("more\n{note}"), wrong),
        ("its line breaks of Windows", note.replace('\n', "\r\n"), ("control", "control")),
        ("its end missing", note.trim_end().to_owned(), ("else than signatures", "at its end")),
        ("nothing", String::new(), ("no signed note", "no signed note")),
        ("too many signatures", format!("{note}{}", edge.repeat(100)), ("at most 100", "100")),
        ("a megabyte", format!("{note}{}", edge.repeat(40_000)), ("at most 1000000", "1000000")),
    ];
    let mut cases = Cases::new();
    for (name, checkpoint, _) in &checkpoints {
        let proof = InclusionProof { checkpoint: checkpoint.clone(), ..good.clone() };
        cases.proof(name, proof.to_json().expect("JSON"), &sample.vkey());
    }
    let expected: Vec<_> = checkpoints.iter().map(|(.., expected)| *expected).collect();
    assert_reasons(&cases, &expected);

    // Signatures of others beside the right one are nobody's business.
    let mut cases = Cases::new();
    let (text, ours) = note.split_once("\n\n").expect("a note");
    let theirs = signed_by(&other, &note);
    let (_, theirs) = theirs.split_once("\n\n").expect("a note");
    for lines in [format!("{edge}{theirs}{ours}"), format!("{ours}{edge}"), format!("{ours}{ours}")]
    {
        let checkpoint = format!("{text}\n\n{lines}");
        let proof = InclusionProof { checkpoint, ..good.clone() };
        cases.proof(&lines, proof.to_json().expect("JSON"), &sample.vkey());
    }
    cases.assert_proven();
}

#[test]
fn what_another_key_verifies_is_refused() {
    let sample = Sample::new();
    let json = sample.proof(0, NEW).to_json().expect("JSON");
    let vkey = sample.vkey();
    let (name, rest) = vkey.split_once('+').expect("a key");
    let (id, base64) = rest.split_once('+').expect("a key");
    let mut cases = Cases::new();
    for (name, given) in [
        ("another key", key(&sample, 0, 8).verifier().to_string()),
        ("that after a restart", key(&sample, 1, 7).verifier().to_string()),
        ("another name", format!("{name}/1+{id}+{base64}")),
        ("another id", format!("{name}+00000000+{base64}")),
        ("another kind of key", format!("{name}+{id}+Ag{}", &base64[2..])),
        ("no log's name", format!("log.example+{id}+{base64}")),
        ("another base64", format!("{name}+{id}+{base64}==")),
        ("the signing key", sample.key.secret_text().to_owned()),
    ] {
        cases.proof(name, &json, &given);
    }
    for (name, reason, other_reason) in cases.assert_refused() {
        assert!(!format!("{reason}{other_reason}").contains("PRIVATE"), "{name}: {reason}");
    }
}

#[test]
fn parts_of_different_proofs_do_not_fit_together() {
    let sample = Sample::new();
    let [good, other, old, adopted] =
        [sample.proof(1, NEW), sample.proof(3, NEW), sample.proof(1, OLD), sample.adopted_proof(1)];
    let row = ("row 1001 is not what was recorded", "not lead to the batch's row_root");
    let batch = ("is not what was recorded", "do not lead to the checkpoint's root");
    let with = |change: &dyn Fn(&mut InclusionProof)| {
        let mut proof = good.clone();
        change(&mut proof);
        proof
    };
    let forged = [
        (
            "the row of another",
            with(&|proof| proof.row = other.row.clone()),
            ("row 1003 is not", "row_root"),
        ),
        ("the path of another row", with(&|proof| proof.row_path = other.row_path.clone()), row),
        ("no path of the row", with(&|proof| proof.row_path.clear()), row),
        ("a longer path of the row", with(&|proof| proof.row_path.push([0; 32])), row),
        (
            "the paths exchanged",
            with(&|proof| std::mem::swap(&mut proof.row_path, &mut proof.batch_path)),
            row,
        ),
        (
            "a path of a million hashes",
            with(&|proof| proof.batch_path = vec![[0; 32]; 100_000]),
            batch,
        ),
        ("the batch of another", with(&|proof| proof.batch = adopted.batch.clone()), batch),
        (
            "its path of another size",
            with(&|proof| proof.batch_path = old.batch_path.clone()),
            batch,
        ),
        ("the old checkpoint", with(&|proof| proof.checkpoint = old.checkpoint.clone()), batch),
        ("another leaf", with(&|proof| proof.leaf_index -= 1), batch),
        ("no path of the batch", with(&|proof| proof.batch_path.clear()), batch),
        (
            "what the old checkpoint does not cover",
            InclusionProof { checkpoint: old.checkpoint.clone(), ..adopted.clone() },
            ("leaf 640 of the log, and the checkpoint covers only 300", "not in a log of 300"),
        ),
        (
            "an adopted batch as an ordinary one",
            {
                let mut proof = adopted.clone();
                proof.batch.adoption = None;
                proof
            },
            batch,
        ),
        (
            "an ordinary batch as an adopted one",
            with(&|proof| {
                proof.batch.adoption = adopted.batch.adoption.clone();
            }),
            batch,
        ),
        (
            "a row whose root was computed anew",
            with(&|proof| {
                proof.row.payload = "{}".to_owned();
                let hash = leaf_hash(&proof.row.canonical().expect("canonical"));
                proof.row_path = vec![];
                proof.batch.row_root = hash;
                proof.batch.row_count = 1;
                proof.batch.first_id = Some(proof.row.id);
                proof.batch.last_id = Some(proof.row.id);
            }),
            batch,
        ),
        (
            "a log that was computed anew",
            with(&|proof| {
                proof.row.payload = "{}".to_owned();
                let sample = evil(proof.row.clone(), |_| {});
                *proof = sample.proof(0, 1);
                proof.checkpoint = old.checkpoint.clone();
            }),
            batch,
        ),
        (
            "a log that was computed anew and signed with another key",
            with(&|proof| {
                proof.row.payload = "{}".to_owned();
                *proof = evil(proof.row.clone(), |_| {}).proof(0, 1);
                let other = key(&Sample::new(), 0, 9);
                proof.checkpoint = signed_by(&other, &proof.checkpoint);
            }),
            ("is not signed with the key", "is not signed with the key"),
        ),
    ];
    let mut cases = Cases::new();
    for (name, proof, _) in &forged {
        cases.proof(name, proof.to_json().expect("JSON"), &sample.vkey());
    }
    let expected: Vec<_> = forged.iter().map(|(.., expected)| *expected).collect();
    assert_reasons(&cases, &expected);
}

/// A log of one batch of one row, by somebody who has the key.
struct Evil {
    key: SignerKey,
    row: RowColumns,
    batch: BatchLeaf,
}

fn evil(row: RowColumns, change: impl FnOnce(&mut BatchLeaf)) -> Evil {
    let sample = Sample::new();
    let mut batch = sample.proof(0, NEW).batch;
    batch.row_root = root_of([leaf_hash(&row.canonical().expect("canonical"))]);
    batch.row_count = 1;
    (batch.first_id, batch.last_id) = (Some(row.id), Some(row.id));
    change(&mut batch);
    Evil { key: sample.key, row, batch }
}

impl Evil {
    fn proof(&self, leaf_index: u64, size: u64) -> InclusionProof {
        let root = root_of([leaf_hash(&self.batch.encode().expect("a leaf"))]);
        let origin = self.key.verifier().origin();
        let checkpoint = Checkpoint { origin, size, root }.sign(&self.key).expect("its own key");
        InclusionProof {
            row: self.row.clone(),
            row_path: Vec::new(),
            batch: self.batch.clone(),
            leaf_index,
            batch_path: Vec::new(),
            checkpoint,
        }
    }
}

/// The hashes lead to a checkpoint that the key signed, and what they lead from makes no sense.
#[test]
fn a_log_that_contradicts_itself_proves_nothing_even_though_it_is_signed() {
    let sample = Sample::new();
    let row = sample.proof(1, NEW).row;
    let changed = |change: &dyn Fn(&mut RowColumns)| {
        let mut row = row.clone();
        change(&mut row);
        row
    };
    let count = ("as many ids as rows", "row_count is not the number of ids");
    let range = ("comes from no offset", "lies in no stored range");
    let no_record = ("comes from no offset", "no record of Kafka");
    let logs = [
        ("more ids than rows", evil(row.clone(), |batch| batch.last_id = Some(1005)), count),
        ("more rows than ids", evil(row.clone(), |batch| batch.row_count = 2), count),
        (
            "ids beyond all numbers",
            evil(row.clone(), |batch| {
                (batch.first_id, batch.last_id) = (Some(i64::MIN), Some(i64::MAX));
                batch.row_count = 0;
            }),
            count,
        ),
        (
            "an id before the batch",
            evil(changed(&|row| row.id = 1000), |batch| {
                (batch.first_id, batch.last_id) = (Some(1001), Some(1001));
            }),
            ("is not of batch 42", "is not of the batch"),
        ),
        (
            "an id behind the batch",
            evil(changed(&|row| row.id = 1002), |batch| {
                (batch.first_id, batch.last_id) = (Some(1001), Some(1001));
            }),
            ("is not of batch 42", "is not of the batch"),
        ),
        (
            "the dead letter of another row",
            evil(
                changed(&|row| {
                    row.dead_letter.as_mut().expect("one").event_log_id = 1002;
                }),
                |_| {},
            ),
            ("is of row 1002", "is of row 1002"),
        ),
        (
            "an offset that was lost",
            evil(changed(&|row| row.kafka_offset = Some(45)), |_| {}),
            range,
        ),
        (
            "an offset before the ranges",
            evil(changed(&|row| row.kafka_offset = Some(39)), |_| {}),
            range,
        ),
        (
            "an offset behind the range",
            evil(changed(&|row| row.kafka_offset = Some(60)), |_| {}),
            range,
        ),
        (
            "an offset of another partition",
            evil(changed(&|row| row.partition_id = Some(4)), |_| {}),
            range,
        ),
        ("a batch of no ranges", evil(row.clone(), |batch| batch.ranges.clear()), range),
        ("no partition", evil(changed(&|row| row.partition_id = None), |_| {}), no_record),
        ("no offset", evil(changed(&|row| row.kafka_offset = None), |_| {}), no_record),
    ];
    let mut cases = Cases::new();
    for (name, evil, _) in &logs {
        cases.proof(name, evil.proof(0, 1).to_json().expect("JSON"), &sample.vkey());
    }
    let expected: Vec<_> = logs.iter().map(|(.., expected)| *expected).collect();
    assert_reasons(&cases, &expected);

    let mut cases = Cases::new();
    for (name, evil) in [
        ("nothing is wrong", evil(row.clone(), |_| {})),
        ("the first offset of a range", evil(changed(&|row| row.kafka_offset = Some(50)), |_| {})),
        ("the last offset of a range", evil(changed(&|row| row.kafka_offset = Some(59)), |_| {})),
    ] {
        cases.proof(name, evil.proof(0, 1).to_json().expect("JSON"), &sample.vkey());
    }
    cases.assert_proven();
}

#[test]
fn a_log_that_does_not_go_on_from_the_old_one_is_told_from_one_that_does() {
    let sample = Sample::new();
    let key = &sample.key;
    let [old, new] = SIZES.map(|size| sample.checkpoint(size));
    let good = sample.consistency(OLD, NEW);
    let rewritten = |size| {
        let origin = key.verifier().origin();
        Checkpoint { origin, size, root: [9; 32] }.sign(key).expect("its own key")
    };
    let altered = ("the log was altered", "does not go on from");
    let about = ("the proof is about", "the proof is about");
    let older = ("only 300", "more leaves than the new one");
    let with = |change: &dyn Fn(&mut audit::evidence::proof::ConsistencyProof)| {
        let mut proof = good.clone();
        change(&mut proof);
        proof
    };
    let backwards = with(&|proof| std::mem::swap(&mut proof.old_size, &mut proof.new_size));
    let same = with(&|proof| (proof.new_size, proof.path) = (OLD, Vec::new()));
    let same_with_path = with(&|proof| proof.new_size = OLD);
    let restarted = self::key(&sample, 1, 7);
    let other_log = signed_by(&restarted, &new);
    let forged = [
        ("another old log", [rewritten(OLD), new.clone()], good.clone(), altered),
        ("another new log", [old.clone(), rewritten(NEW)], good.clone(), altered),
        ("another log of the same size", [old.clone(), rewritten(OLD)], same, altered),
        ("a path where there is none", [old.clone(), old.clone()], same_with_path, altered),
        ("no path", [old.clone(), new.clone()], with(&|proof| proof.path.clear()), altered),
        (
            "a longer path",
            [old.clone(), new.clone()],
            with(&|proof| proof.path.push([0; 32])),
            altered,
        ),
        (
            "a path of many hashes",
            [old.clone(), new.clone()],
            with(&|proof| proof.path = vec![[0; 32]; 100_000]),
            altered,
        ),
        (
            "a path of another",
            [old.clone(), new.clone()],
            with(&|proof| proof.path = sample.consistency(OLD, 776).path),
            altered,
        ),
        ("the checkpoints exchanged", [new.clone(), old.clone()], backwards, older),
        ("other sizes", [old.clone(), new.clone()], sample.consistency(OLD, 776), about),
        ("another checkpoint", [sample.checkpoint(OLD + 1), new.clone()], good.clone(), about),
        (
            "a log of another key",
            [old.clone(), other_log],
            good.clone(),
            ("is of audit/", "not signed with"),
        ),
    ];
    let mut cases = Cases::new();
    for (name, [old, new], proof, _) in &forged {
        cases.consistency(name, [old, new], proof.to_json().expect("JSON"), &sample.vkey());
    }
    let expected: Vec<_> = forged.iter().map(|(.., expected)| *expected).collect();
    assert_reasons(&cases, &expected);
}
