//! The tiles that the leaves give, beside those that are stored.

use std::collections::HashMap;

use super::stored::StoredTile;
use crate::count_text::counted_with;
use crate::evidence::Hash;
use crate::evidence::tree::{RootBuilder, TILE_WIDTH};
use crate::ledger::{Finding, Findings};

/// Computes the tiles of logs, one log after the other.
#[derive(Debug, Default)]
pub(super) struct Tiles {
    /// What is begun of each level of the log.
    begun: Vec<RootBuilder>,
    full: HashMap<(i32, i16, i64), Hash>,
    /// How many are full on each level of the log.
    counts: Vec<i64>,
}

impl Tiles {
    /// Goes on with the next leaf.
    pub(super) fn push(&mut self, log_no: i32, leaf: Hash) {
        let mut hash = leaf;
        for level in 0.. {
            if level == self.begun.len() {
                self.begun.push(RootBuilder::default());
                self.counts.push(0);
            }
            self.begun[level].push(hash);
            if self.begun[level].size() < TILE_WIDTH {
                return;
            }
            hash = std::mem::take(&mut self.begun[level]).root();
            self.full.insert((log_no, level as i16, self.counts[level]), hash);
            self.counts[level] += 1;
        }
    }

    /// Goes on with another log.
    pub(super) fn next_log(&mut self) {
        self.begun.clear();
        self.counts.clear();
    }

    /// Compares a stored tile.
    pub(super) fn stored(&mut self, tile: &StoredTile, findings: &mut Findings) {
        let StoredTile { log_no, level, tile_no, hash } = tile;
        let text = match self.full.remove(&(*log_no, *level, *tile_no)) {
            Some(known) if known == **hash => return,
            Some(_) => "is not what its leaves give",
            None => "is not full, and stored",
        };
        findings.push(Finding::altered(format!("tile {tile_no} of level {level}"), text));
    }

    /// Ends behind the last stored tile.
    pub(super) fn finish(self, findings: &mut Findings) {
        let missing = self.full.len();
        if missing > 0 {
            let text = format!("{} missing", counted_with(missing, "tile", ["is", "are"]));
            findings.push(Finding::altered("evidence_tiles", text));
        }
    }
}
