//! Walks along the leaves of all logs, in their order, beside the batches that they tell of.

use std::collections::{HashMap, HashSet};
use std::ops::{Range, RangeInclusive};

use uuid::Uuid;

use super::checkpoints::{CheckpointClaim, Checkpoints, Judged, Unanchored};
use super::replays::{ReplayClaim, Replays};
use super::stored::{LogHead, StoredLeaf, StoredTile, leaf_name};
use super::tiles::Tiles;
use crate::evidence::Hash;
use crate::evidence::leaf::{BatchLeaf, InstallationLeaf, LeafKind, RestartLeaf, RetirementLeaf};
use crate::evidence::note::Origin;
use crate::evidence::tree::{RootBuilder, leaf_hash, root_of};
use crate::ledger::{Finding, Findings};
use crate::time::PostgresMicros;

/// A walk along the leaves.
#[derive(Debug)]
pub struct LogWalk {
    head: LogHead,
    log_no: i32,
    root: RootBuilder,
    /// How many leaves there are of all logs.
    leaves: u64,
    /// The installation that the first leaf of each log tells of.
    installations: HashMap<i32, Uuid>,
    first_batch_no: Option<i64>,
    begun_at: Option<PostgresMicros>,
    /// The batch whose leaf comes next.
    next_batch: Option<i64>,
    recorded_at: Option<PostgresMicros>,
    /// The batches that this log adopted.
    adopted: HashSet<i64>,
    retired: Vec<Retired>,
    checkpoints: Checkpoints,
    replays: Replays,
    tiles: Tiles,
    findings: Findings,
}

/// Rows that were retired, and the leaf that tells it.
#[derive(Debug)]
struct Retired {
    log_no: i32,
    leaf_index: i64,
    leaf: RetirementLeaf,
}

/// What was found along the log.
#[derive(Debug)]
pub struct LogFound {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How many leaves there are.
    pub leaves: u64,
    /// The installation that each log is of: another one behind `--adopt-copy new-id`.
    pub installations: HashMap<i32, Uuid>,
    /// The first batch of the log; `None` where there is no log.
    pub first_batch_no: Option<i64>,
    /// Each checkpoint with its verdict, and what is wrong, in the order of the leaves.
    pub checkpoints: Vec<(Judged, Option<Finding>)>,
    /// The numbers of the batches that lie under a checkpoint that was given, in order.
    pub covered: Vec<RangeInclusive<i64>>,
    /// What lies behind the last of them.
    pub unanchored: Unanchored,
    /// The ids of rows that were retired, in order.
    pub retired: Vec<Range<i64>>,
    /// How many retirements no given checkpoint confirms.
    pub unconfirmed_retirements: usize,
}

impl LogWalk {
    /// Begins before the first leaf of log 0.
    pub fn begin(head: LogHead, checkpoints: Vec<CheckpointClaim>) -> Self {
        Self {
            head,
            log_no: 0,
            root: RootBuilder::default(),
            leaves: 0,
            installations: HashMap::new(),
            first_batch_no: None,
            begun_at: None,
            next_batch: None,
            recorded_at: None,
            adopted: HashSet::new(),
            retired: Vec::new(),
            checkpoints: Checkpoints::new(checkpoints),
            replays: Replays::default(),
            tiles: Tiles::default(),
            findings: Findings::default(),
        }
    }

    /// Takes a line of `dlt_replays`, before the first leaf.
    pub fn replay(&mut self, claim: ReplayClaim) {
        self.replays.add(claim);
    }

    /// Goes on to the next leaf, in the order of the logs and their leaves. `batch` is what the
    /// ledger has of the batch that it tells of.
    pub fn leaf(&mut self, leaf: &StoredLeaf, batch: Option<&BatchLeaf>) {
        let name = leaf_name(leaf.log_no, leaf.leaf_index);
        let before = (leaf.log_no != self.log_no).then(|| {
            self.end_log();
            let before = (self.log_no, self.root.size(), self.root.root());
            self.root = RootBuilder::default();
            self.log_no = leaf.log_no;
            self.adopted.clear();
            self.tiles.next_log();
            before
        });
        if u64::try_from(leaf.leaf_index) != Ok(self.root.size()) {
            let text = format!("stands where leaf {} should", self.root.size());
            self.altered(&name, text);
        }
        let hash: Hash = leaf.hash.as_slice().try_into().unwrap_or_default();
        match content(leaf, batch) {
            Ok(content) if leaf_hash(&content) != hash => {
                let of_batch =
                    leaf.batch_no.map_or_else(String::new, |batch| format!(", batch {batch}"));
                let text = format!(
                    "has not the hash of what it tells of{of_batch}: one of them was changed"
                );
                self.altered(&name, text);
            }
            Ok(_) => {}
            Err(text) => self.altered(&name, text),
        }
        let is_first = self.root.size() == 0;
        self.root.push(hash);
        self.tiles.push(self.log_no, hash);
        self.leaves += 1;
        if let Some(text) = self.tell(leaf, batch, is_first, before) {
            self.altered(&name, text);
        }
        self.checkpoints.reached(self.log_no, &self.root);
    }

    /// What a leaf tells, and what is wrong with it.
    fn tell(
        &mut self,
        leaf: &StoredLeaf,
        batch: Option<&BatchLeaf>,
        is_first: bool,
        before: Option<(i32, u64, Hash)>,
    ) -> Option<String> {
        let body = leaf.body.as_deref().unwrap_or_default();
        let kind = LeafKind::of(leaf.kind)?;
        let begins = matches!(kind, LeafKind::Installation | LeafKind::Restart);
        if is_first != begins {
            let text = if is_first {
                "does not begin a log, and is the first"
            } else {
                "begins a log, and is not the first"
            };
            return Some(text.to_owned());
        }
        match kind {
            LeafKind::Installation => self.installation(&InstallationLeaf::decode(body).ok()?),
            LeafKind::Restart => self.restart(&RestartLeaf::decode(body).ok()?, before),
            LeafKind::Batch => self.batch(leaf.batch_no?, batch),
            LeafKind::Adopted => self.adopted(leaf.batch_no?, batch),
            LeafKind::ReplayRequest | LeafKind::ReplayOutcome => self.replays.leaf(kind, body),
            LeafKind::Retirement => {
                let (log_no, leaf_index) = (leaf.log_no, leaf.leaf_index);
                let leaf = RetirementLeaf::decode(body).ok()?;
                self.retired.push(Retired { log_no, leaf_index, leaf });
                None
            }
        }
    }

    fn installation(&mut self, leaf: &InstallationLeaf) -> Option<String> {
        self.first_batch_no = Some(leaf.first_batch_no);
        self.next_batch = Some(leaf.first_batch_no);
        self.begun_at = Some(leaf.begun_at);
        self.installations.insert(self.log_no, leaf.installation);
        (self.log_no != 0)
            .then(|| "begins the log of an installation, and only the first log does".to_owned())
    }

    fn restart(&mut self, leaf: &RestartLeaf, before: Option<(i32, u64, Hash)>) -> Option<String> {
        let Some((old_no, old_size, old_root)) = before else {
            return Some("is a restart, and no log stands before it".to_owned());
        };
        let old = self.installations.get(&old_no).copied();
        self.installations.insert(self.log_no, leaf.installation);
        let old = old.and_then(|installation| Origin::new(installation, old_no).ok());
        if old.is_some_and(|old| old.to_string() != leaf.old_origin) {
            return Some(format!("goes on from {}, which is not the log before", leaf.old_origin));
        }
        if leaf.number != self.log_no || old_no + 1 != self.log_no {
            return Some(format!("begins log {}, behind log {old_no}", leaf.number));
        }
        (u64::try_from(leaf.old_size) != Ok(old_size)
            || leaf.old_root.is_some_and(|root| root != old_root))
        .then(|| format!("does not fit the log that it goes on from, which has {old_size} leaves"))
    }

    fn batch(&mut self, batch_no: i64, batch: Option<&BatchLeaf>) -> Option<String> {
        let expected = self.next_batch.replace(batch_no.saturating_add(1));
        let rows = batch.map_or(0, |batch| i64::from(batch.row_count));
        let recorded_at = batch.map(|batch| batch.recorded_at);
        self.checkpoints.batch(batch_no, rows, recorded_at);
        let before = self.recorded_at;
        self.recorded_at = self.recorded_at.max(recorded_at);
        if expected.is_some_and(|expected| expected != batch_no) {
            let expected = expected.unwrap_or_default();
            return Some(format!(
                "is of batch {batch_no}, where that of batch {expected} should be"
            ));
        }
        if let Some(finding) = batch.and_then(without_rows) {
            return Some(finding);
        }
        (recorded_at < before)
            .then(|| format!("is of batch {batch_no}, which was recorded before the one before it"))
    }

    fn adopted(&mut self, batch_no: i64, batch: Option<&BatchLeaf>) -> Option<String> {
        let rows = batch.map_or(0, |batch| i64::from(batch.row_count));
        let adopted_at =
            batch.and_then(|batch| batch.adoption.as_ref()).map(|adoption| adoption.adopted_at);
        self.checkpoints.batch(batch_no, rows, adopted_at);
        if !self.adopted.insert(batch_no) {
            return Some(format!("adopts batch {batch_no} once more"));
        }
        if self.first_batch_no.is_none_or(|first| batch_no >= first) {
            return Some(format!("adopts batch {batch_no}, which is not from before the log"));
        }
        batch.and_then(without_rows)
    }

    /// Compares a stored tile, behind the last leaf.
    pub fn tile(&mut self, tile: &StoredTile) {
        self.tiles.stored(tile, &mut self.findings);
    }

    /// Ends behind the last tile.
    pub fn finish(mut self) -> LogFound {
        self.end_log();
        let LogHead { log_no, log_size, batch_no, recorded_at, .. } = self.head;
        let told = self.installations.get(&self.log_no).copied();
        if let Some(told) = told.filter(|told| self.head.installation != Some(*told)) {
            let text = format!("tells of the installation {told}, which is not this one");
            self.altered(&leaf_name(self.log_no, 0), text);
        }
        let ledger = "ledger_head";
        if (self.log_no, u64::try_from(log_size)) != (log_no, Ok(self.root.size())) {
            let text = format!(
                "tells of {log_size} leaves of log {log_no}, and the last log, {}, has {}",
                self.log_no,
                self.root.size()
            );
            self.altered(ledger, text);
        }
        if let Some(next) = self.next_batch.filter(|next| next - 1 != batch_no) {
            let text = format!("tells of batch {batch_no}, and the log's last one is {}", next - 1);
            self.altered(ledger, text);
        }
        if self.recorded_at.is_some() && self.recorded_at != recorded_at {
            self.altered(ledger, "has another time than the log's last batch".to_owned());
        }
        self.replays.finish(self.begun_at, &mut self.findings);
        self.tiles.finish(&mut self.findings);
        let mut unconfirmed = 0;
        let mut retired = Vec::new();
        for Retired { log_no, leaf_index, leaf } in &self.retired {
            unconfirmed += usize::from(!self.checkpoints.is_anchored(*log_no, *leaf_index));
            retired.push(leaf.first_id..leaf.next_id);
        }
        retired.sort_unstable_by_key(|ids| ids.start);
        let (checkpoints, covered, unanchored) = self.checkpoints.finish();
        let findings: Vec<_> = (0..checkpoints.len())
            .map(|number| checkpoints[number].finding(&checkpoints[..number]))
            .collect();
        LogFound {
            findings: self.findings.finish("evidence_leaves"),
            leaves: self.leaves,
            installations: self.installations,
            first_batch_no: self.first_batch_no,
            checkpoints: checkpoints.into_iter().zip(findings).collect(),
            covered,
            unanchored,
            retired,
            unconfirmed_retirements: unconfirmed,
        }
    }

    fn end_log(&mut self) {
        self.checkpoints.end_of_log(self.log_no, self.root.size());
    }

    fn altered(&mut self, subject: &str, text: String) {
        self.findings.push(Finding::altered(subject, text));
    }
}

/// What is hashed.
fn content(leaf: &StoredLeaf, batch: Option<&BatchLeaf>) -> Result<Vec<u8>, String> {
    match (LeafKind::of(leaf.kind), leaf.batch_no, &leaf.body) {
        (Some(LeafKind::Batch | LeafKind::Adopted), Some(batch_no), None) => match batch {
            Some(batch) if batch.adoption.is_some() != (leaf.kind == LeafKind::Adopted as i16) => {
                Err(format!("is of batch {batch_no}, and of another kind than that"))
            }
            Some(batch) => batch.encode().map_err(|error| error.to_string()),
            None => {
                Err(format!("is of batch {batch_no}, which is not in the ledger, or has no root"))
            }
        },
        (Some(kind), None, Some(body)) => {
            let is_read = match kind {
                LeafKind::Installation => InstallationLeaf::decode(body).is_ok(),
                LeafKind::Restart => RestartLeaf::decode(body).is_ok(),
                LeafKind::Retirement => RetirementLeaf::decode(body).is_ok(),
                // Their own check tells more.
                _ => true,
            };
            match is_read {
                true => Ok(body.clone()),
                false => Err("does not have the form of its kind".to_owned()),
            }
        }
        _ => Err("is of no kind that there is, or lacks what it tells".to_owned()),
    }
}

/// No row tells the root of a batch without rows: it is known.
fn without_rows(batch: &BatchLeaf) -> Option<String> {
    (batch.row_count == 0 && batch.row_root != root_of([]))
        .then(|| format!("is of batch {}, which has no rows and the root of some", batch.batch_no))
}
