//! Checkpoints beside the leaves that they sum up.

use std::ops::RangeInclusive;

use crate::count_text::counted;
use crate::evidence::Hash;
use crate::evidence::tree::RootBuilder;
use crate::ledger::Finding;
use crate::time::PostgresMicros;

/// A checkpoint, as somebody signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointClaim {
    /// What it is called in messages.
    pub name: String,
    /// The log.
    pub log_no: i32,
    /// How many leaves it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// Whether it was kept elsewhere and its signature is right: only that proves anything.
    pub is_given: bool,
}

/// Whether a checkpoint fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Fits,
    /// The leaves have another root.
    Differs,
    /// The log has fewer leaves.
    Beyond {
        /// How many.
        leaves: u64,
    },
}

/// A checkpoint and its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The checkpoint.
    pub claim: CheckpointClaim,
    /// Whether it fits.
    pub verdict: Verdict,
    /// The last batch of its leaves.
    pub last_batch: Option<i64>,
}

/// What lies behind the last checkpoint that was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unanchored {
    /// How many batches.
    pub batches: i64,
    /// How many rows they have.
    pub rows: i64,
    /// When the first of them entered the log.
    pub since: Option<PostgresMicros>,
}

/// Judges checkpoints as their leaves come.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// The last comes first.
    waiting: Vec<CheckpointClaim>,
    judged: Vec<Judged>,
    /// The batches of the leaves up to here.
    passed: Vec<RangeInclusive<i64>>,
    covered: Vec<RangeInclusive<i64>>,
    last_batch: Option<i64>,
    unanchored: Unanchored,
    /// The last leaf that lies under a given checkpoint.
    anchored: Option<(i32, u64)>,
}

impl Checkpoints {
    pub(super) fn new(mut claims: Vec<CheckpointClaim>) -> Self {
        claims.sort_by_key(|claim| std::cmp::Reverse((claim.log_no, claim.size)));
        Self {
            waiting: claims,
            judged: Vec::new(),
            passed: Vec::new(),
            covered: Vec::new(),
            last_batch: None,
            unanchored: Unanchored::default(),
            anchored: None,
        }
    }

    /// A leaf of a batch comes.
    pub(super) fn batch(&mut self, batch_no: i64, rows: i64, entered_at: Option<PostgresMicros>) {
        match self.passed.last_mut() {
            Some(run) if run.end().checked_add(1) == Some(batch_no) => {
                *run = *run.start()..=batch_no;
            }
            _ => self.passed.push(batch_no..=batch_no),
        }
        self.last_batch = Some(batch_no);
        self.unanchored.batches += 1;
        self.unanchored.rows += rows;
        self.unanchored.since = self.unanchored.since.or(entered_at);
    }

    /// The log has come as far as this.
    pub(super) fn reached(&mut self, log_no: i32, root: &RootBuilder) {
        while let Some(claim) =
            self.waiting.pop_if(|claim| (claim.log_no, claim.size) <= (log_no, root.size()))
        {
            let is_here = (claim.log_no, claim.size) == (log_no, root.size());
            let verdict = match is_here && claim.root == root.root() {
                true => Verdict::Fits,
                false => Verdict::Differs,
            };
            if claim.is_given && verdict == Verdict::Fits {
                self.unanchored = Unanchored::default();
                self.covered.clone_from(&self.passed);
                self.anchored = Some((log_no, claim.size));
            }
            self.judged.push(Judged { claim, verdict, last_batch: self.last_batch });
        }
    }

    /// The log ends here.
    pub(super) fn end_of_log(&mut self, log_no: i32, leaves: u64) {
        while let Some(claim) = self.waiting.pop_if(|claim| claim.log_no <= log_no) {
            let verdict = Verdict::Beyond { leaves };
            self.judged.push(Judged { claim, verdict, last_batch: self.last_batch });
        }
    }

    /// Whether a leaf lies under a given checkpoint that fits. Ask behind the last leaf.
    pub(super) fn is_anchored(&self, log_no: i32, leaf_index: i64) -> bool {
        let place = u64::try_from(leaf_index).map_or((log_no, 0), |index| (log_no, index));
        self.anchored.is_some_and(|(log, size)| place < (log, size))
    }

    /// Ends behind the last log: the verdicts, the batches that lie under a checkpoint in their
    /// order, and what does not.
    pub(super) fn finish(mut self) -> (Vec<Judged>, Vec<RangeInclusive<i64>>, Unanchored) {
        self.end_of_log(i32::MAX, 0);
        self.covered.sort_unstable_by_key(|run| *run.start());
        (self.judged, self.covered, self.unanchored)
    }
}

impl Judged {
    /// What is wrong where it does not fit; `before` are the checkpoints that were judged before.
    pub(super) fn finding(&self, before: &[Judged]) -> Option<Finding> {
        let Judged { claim, verdict, last_batch } = self;
        let holds = before
            .iter()
            .rfind(|judged| judged.verdict == Verdict::Fits && judged.claim.log_no == claim.log_no);
        let (first_leaf, first_batch) = match holds {
            Some(holds) => (holds.claim.size, holds.last_batch.map_or(1, |batch| batch + 1)),
            None => (
                0,
                before
                    .last()
                    .filter(|last| last.claim.log_no < claim.log_no)
                    .and_then(|last| last.last_batch)
                    .map_or(1, |batch| batch + 1),
            ),
        };
        let text = match verdict {
            Verdict::Fits => return None,
            Verdict::Beyond { leaves } => format!(
                "the log has {}, and had {} when this was signed",
                counted(leaves, "leaf"),
                claim.size
            ),
            Verdict::Differs => {
                let mut text = format!(
                    "does not fit: of leaves {first_leaf}–{} some were changed since this was signed",
                    claim.size - 1
                );
                if let Some(last) = last_batch.filter(|last| *last >= first_batch) {
                    text.push_str(&format!(", which are those of batches {first_batch}–{last}"));
                }
                text
            }
        };
        Some(Finding::altered(&claim.name, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tree::{leaf_hash, root_of};

    fn claim(size: u64, root: Hash) -> CheckpointClaim {
        CheckpointClaim { name: format!("of {size}"), log_no: 0, size, root, is_given: true }
    }

    #[test]
    fn what_was_changed_lies_between_the_last_that_fits_and_the_first_that_does_not() {
        let leaves: Vec<Hash> = (0..10_u8).map(|leaf| leaf_hash(&[leaf])).collect();
        let root = |size: usize| root_of(leaves[..size].iter().copied());
        let claims = vec![claim(8, [7; 32]), claim(4, root(4)), claim(12, [0; 32])];
        let mut checkpoints = Checkpoints::new(claims);
        let mut log = RootBuilder::default();
        for (batch_no, leaf) in (0..).zip(&leaves) {
            log.push(*leaf);
            if batch_no > 0 {
                checkpoints.batch(batch_no, 10, Some(PostgresMicros(batch_no)));
            }
            checkpoints.reached(0, &log);
        }
        checkpoints.end_of_log(0, log.size());
        assert!(checkpoints.is_anchored(0, 3) && !checkpoints.is_anchored(0, 4));
        let (judged, covered, unanchored) = checkpoints.finish();
        assert_eq!(covered, [1..=3]);
        let since = Some(PostgresMicros(4));
        assert_eq!(unanchored, Unanchored { batches: 6, rows: 60, since });
        let texts: Vec<Option<String>> = (0..judged.len())
            .map(|at| judged[at].finding(&judged[..at]).map(|finding| finding.text))
            .collect();
        assert_eq!(
            texts,
            [
                None,
                Some("does not fit: of leaves 4–7 some were changed since this was signed, which are those of batches 4–7".to_owned()),
                Some("the log has 10 leaves, and had 12 when this was signed".to_owned()),
            ]
        );
    }
}
