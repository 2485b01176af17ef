//! A log in memory, for tests: what leads from its leaves to its roots, by somebody else's code.

use tlog_tiles::tlog;

use crate::evidence::tree::{Hash, leaf_hash, root_of};

/// All leaves, and all nodes as `tlog_tiles` wants to be given them.
#[derive(Default)]
pub(super) struct TestLog {
    leaves: Vec<Hash>,
    nodes: Vec<tlog::Hash>,
}

/// The nodes of a log.
struct Nodes<'a>(&'a [tlog::Hash]);

impl tlog::HashReader for Nodes<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes.iter().map(|index| self.0[*index as usize]).collect())
    }
}

impl TestLog {
    /// A log of so many leaves, which differ.
    pub(super) fn of(size: u64) -> Self {
        let mut log = Self::default();
        (0..size).for_each(|leaf| log.push(&leaf.to_be_bytes()));
        log
    }

    pub(super) fn push(&mut self, leaf: &[u8]) {
        let hash = leaf_hash(leaf);
        let place = self.leaves.len() as u64;
        self.leaves.push(hash);
        let nodes = Nodes(&self.nodes);
        let new = tlog::stored_hashes_for_record_hash(place, tlog::Hash(hash), &nodes).unwrap();
        self.nodes.extend(new);
    }

    pub(super) fn leaf(&self, place: u64) -> Hash {
        self.leaves[place as usize]
    }

    /// The root over the first leaves, by our code.
    pub(super) fn root(&self, size: u64) -> Hash {
        root_of(self.leaves[..size as usize].iter().copied())
    }

    /// The same by `tlog_tiles`.
    pub(super) fn other_root(&self, size: u64) -> Hash {
        tlog::tree_hash(size, &Nodes(&self.nodes)).unwrap().0
    }

    pub(super) fn path(&self, size: u64, place: u64) -> Vec<Hash> {
        plain(&tlog::prove_record(size, place, &Nodes(&self.nodes)).unwrap())
    }

    pub(super) fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
        plain(&tlog::prove_tree(new, old, &Nodes(&self.nodes)).unwrap())
    }
}

fn plain(path: &[tlog::Hash]) -> Vec<Hash> {
    path.iter().map(|hash| hash.0).collect()
}
