//! The log of the evidence beside the ledger, and beside checkpoints.

use std::collections::HashMap;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use uuid::Uuid;

use super::check::Check;
use crate::count_text::{counted, counted_with};
use crate::evidence::leaf::BatchLeaf;
use crate::evidence::note::{Checkpoint, NoteError, VerifierKey};
use crate::ledger::{
    CheckpointClaim, Finding, LogFound, LogHead, LogWalk, StoredLeaf, Unanchored, Verdict,
};
use crate::store::{Error, LedgerScan, StoredCheckpoint};
use crate::time::{PostgresMicros, Timestamp, UnixMicros, span_text, timestamp_text};

/// What the log is held against.
#[derive(Debug, Clone, Default)]
pub struct Anchors {
    /// Checkpoints that were kept elsewhere and whose signatures are right, each with the name that
    /// messages call it by.
    pub given: Vec<(String, Checkpoint)>,
    /// The keys of logs: those of the checkpoints that the database has are verified with them.
    pub keys: Vec<VerifierKey>,
    /// How long ago the first batch that no checkpoint confirms may have been recorded.
    pub max_unanchored: Option<Duration>,
}

/// What was found.
pub(super) struct FoundLog {
    pub(super) checks: Vec<Check>,
    /// The batches that lie under a given checkpoint.
    pub(super) covered: Vec<RangeInclusive<i64>>,
    /// The ids of rows that were retired.
    pub(super) retired: Vec<Range<i64>>,
}

/// Reads all logs.
pub(super) async fn check(scan: &LedgerScan<'_>, anchors: &Anchors) -> Result<FoundLog, Error> {
    let head = scan.log_head().await?.unwrap_or_default();
    let stored = scan.checkpoints().await?;
    let (claims, mut of_stored) = claims(&head, anchors, &stored);
    let mut walk = LogWalk::begin(head, claims);
    for claim in scan.replay_claims().await? {
        walk.replay(claim);
    }
    let mut leaves = scan.log_leaves().await?;
    loop {
        let page = leaves.next().await?;
        if page.is_empty() {
            break;
        }
        let batches = batches_of(scan, &page).await?;
        for leaf in &page {
            let batch = leaf.batch_no.and_then(|batch_no| batches.get(&(leaf.log_no, batch_no)));
            walk.leaf(leaf, batch);
        }
    }
    let mut tiles = scan.log_tiles().await?;
    loop {
        let page = tiles.next().await?;
        if page.is_empty() {
            break;
        }
        page.iter().for_each(|tile| walk.tile(tile));
    }
    let mut found = walk.finish();
    of_stored.extend(foreign(&stored, &found.installations));
    let unlogged = scan.unlogged(found.first_batch_no).await?;
    let mut findings = std::mem::take(&mut found.findings);
    if unlogged.batches > 0 {
        let batches = counted_with(unlogged.batches, "batch", ["is", "are"]);
        let rows = counted(unlogged.rows, "row");
        let text = format!(
            "{batches} from before the log, with {rows}, and can't be proven: `audit evidence adopt` enters them as they are now"
        );
        findings.push(Finding::incomplete("evidence_leaves", text));
    }
    if let Some(batch_no) = unlogged.due {
        findings.push(Finding::altered(format!("batch {batch_no}"), "is not in the log"));
    }
    if let Some(batch_no) = unlogged.adopted {
        let text = "is told to be adopted, and the log does not tell it";
        findings.push(Finding::altered(format!("batch {batch_no}"), text));
    }
    let mut detail = counted(found.leaves, "leaf");
    if found.unconfirmed_retirements > 0 {
        let retirements = counted(found.unconfirmed_retirements, "retirement");
        if anchors.given.is_empty() {
            detail.push_str(&format!(", {retirements} that no checkpoint confirms"));
        } else {
            let text = format!("{retirements} under no checkpoint that was given");
            findings.push(Finding::altered("evidence_leaves", text));
        }
    }
    let mut checks =
        vec![Check { check: "log", subject: "evidence_leaves".to_owned(), findings, detail }];
    checks.extend(checkpoint_checks(&found, stored.len(), &mut of_stored));
    if !anchors.given.is_empty() {
        checks.push(unanchored_check(&found.unanchored, anchors.max_unanchored));
    }
    Ok(FoundLog { checks, covered: found.covered, retired: found.retired })
}

/// What the ledger has of the batches that these leaves tell of.
async fn batches_of(
    scan: &LedgerScan<'_>,
    leaves: &[StoredLeaf],
) -> Result<HashMap<(i32, i64), BatchLeaf>, Error> {
    let mut runs: Vec<(i32, RangeInclusive<i64>)> = Vec::new();
    for leaf in leaves {
        let Some(batch_no) = leaf.batch_no else { continue };
        match runs.last_mut() {
            Some((log_no, run))
                if *log_no == leaf.log_no && run.end().checked_add(1) == Some(batch_no) =>
            {
                *run = *run.start()..=batch_no;
            }
            _ => runs.push((leaf.log_no, batch_no..=batch_no)),
        }
    }
    let mut batches = HashMap::new();
    for (log_no, run) in runs {
        for batch in scan.ledger_batches(log_no, run).await? {
            batches.extend(batch.leaf.map(|leaf| ((log_no, batch.batch_no), leaf)));
        }
    }
    Ok(batches)
}

/// The checkpoints to be judged, and what is wrong with those of the database by themselves.
fn claims(
    head: &LogHead,
    anchors: &Anchors,
    stored: &[StoredCheckpoint],
) -> (Vec<CheckpointClaim>, Vec<Finding>) {
    let mut claims = Vec::new();
    let mut findings = Vec::new();
    for (name, checkpoint) in &anchors.given {
        if head.installation != Some(checkpoint.origin.installation()) {
            let text = format!("is of {}, and not of this installation", checkpoint.origin);
            findings.push(Finding::altered(name, text));
        }
        claims.push(claim(name.clone(), checkpoint, true));
    }
    for StoredCheckpoint { log_no, size, note, .. } in stored {
        let name = format!("stored checkpoint of {}", counted(*size, "leaf"));
        let read = Checkpoint::read_unverified(note.as_bytes());
        let read = read.and_then(|read| match key_of(&anchors.keys, &read) {
            // One that an earlier key signed has to fit the log all the same.
            Some(key) => match Checkpoint::verify(note.as_bytes(), key) {
                Err(NoteError::OtherKeys(_)) => Ok(read),
                verified => verified,
            },
            None => Ok(read),
        });
        match read {
            Err(error) => findings.push(Finding::altered(name, error.to_string())),
            Ok(checkpoint) => {
                if checkpoint.origin.restart() == *log_no && *size == checkpoint.size {
                    claims.push(claim(name, &checkpoint, false));
                } else {
                    findings.push(of_another(name, &checkpoint));
                }
            }
        }
    }
    (claims, findings)
}

/// Stored checkpoints whose origin is not that of the log that they stand beside. A copy with an id
/// of its own has the logs and checkpoints of the original, too.
fn foreign(stored: &[StoredCheckpoint], installations: &HashMap<i32, Uuid>) -> Vec<Finding> {
    let read = stored.iter().filter_map(|stored| {
        let read = Checkpoint::read_unverified(stored.note.as_bytes()).ok()?;
        // Of a log that is not there, or has lost its beginning, the walk tells.
        let told = installations.get(&stored.log_no)?;
        let name = format!("stored checkpoint of {}", counted(stored.size, "leaf"));
        (*told != read.origin.installation()).then(|| of_another(name, &read))
    });
    read.collect()
}

fn of_another(name: String, checkpoint: &Checkpoint) -> Finding {
    let text = format!("is of {}, and {}", checkpoint.origin, counted(checkpoint.size, "leaf"));
    Finding::altered(name, text)
}

fn claim(name: String, checkpoint: &Checkpoint, is_given: bool) -> CheckpointClaim {
    let Checkpoint { origin, size, root } = *checkpoint;
    CheckpointClaim { name, log_no: origin.restart(), size, root, is_given }
}

fn key_of<'a>(keys: &'a [VerifierKey], checkpoint: &Checkpoint) -> Option<&'a VerifierKey> {
    keys.iter().find(|key| key.origin() == checkpoint.origin)
}

/// A check for each checkpoint that was given, and one for those of the database.
fn checkpoint_checks(found: &LogFound, stored: usize, of_stored: &mut Vec<Finding>) -> Vec<Check> {
    let mut checks = Vec::new();
    for (judged, finding) in &found.checkpoints {
        if !judged.claim.is_given {
            of_stored.extend(finding.clone());
            continue;
        }
        let mut detail = counted(judged.claim.size, "leaf");
        if let (Verdict::Fits, Some(batch_no)) = (judged.verdict, judged.last_batch) {
            detail.push_str(&format!(", up to batch {batch_no}"));
        }
        checks.push(Check {
            check: "checkpoint",
            subject: judged.claim.name.clone(),
            findings: finding.clone().into_iter().collect(),
            detail,
        });
    }
    if stored > 0 || !of_stored.is_empty() {
        checks.push(Check {
            check: "checkpoint",
            subject: "evidence_checkpoints".to_owned(),
            findings: std::mem::take(of_stored),
            detail: format!("{stored} stored"),
        });
    }
    checks
}

/// What lies behind the last checkpoint that was given.
fn unanchored_check(unanchored: &Unanchored, most: Option<Duration>) -> Check {
    let Unanchored { batches, rows, since } = *unanchored;
    let detail = match since {
        Some(since) if batches > 0 => format!(
            "{} with {} behind the last checkpoint, since {}",
            counted(batches, "batch"),
            counted(rows, "row"),
            timestamp_text(Timestamp::with_zone(since))
        ),
        _ => "no batch behind the last checkpoint".to_owned(),
    };
    let age = since.map_or(0, |since| PostgresMicros::from(UnixMicros::now()).since(since));
    let mut findings = Vec::new();
    if let Some(most) = most.and_then(|most| i64::try_from(most.as_micros()).ok())
        && age > most
    {
        let text = format!(
            "the first batch behind the last checkpoint is {} old (--max-unanchored {}): `audit evidence checkpoint` confirms it",
            span_text(age.unsigned_abs()),
            span_text(most.unsigned_abs())
        );
        findings.push(Finding::incomplete("evidence_leaves", text));
    }
    Check { check: "unanchored", subject: "evidence_leaves".to_owned(), findings, detail }
}
