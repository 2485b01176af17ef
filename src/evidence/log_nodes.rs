//! Which hashes of a log a root or a proof is made of, and where they are kept: those of leaves,
//! and those of full tiles. At most 256 hashes make up a node, however long the log is.

use std::cell::RefCell;

use tlog_tiles::{Error, HashReader, prove_record, prove_tree, split_stored_hash_index, tree_hash};

use super::tree::{Hash, root_of};

/// How many levels of nodes a tile sums up.
const TILE_HEIGHT: u8 = 8;

/// What is asked of a log of so many leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogQuestion {
    /// The root over the first leaves.
    Root {
        /// How many.
        size: u64,
    },
    /// The roots of the full trees that the first leaves make up, the largest first: what
    /// [`super::tree::RootBuilder::behind`] goes on from.
    FullTrees {
        /// How many leaves.
        size: u64,
    },
    /// The path from a leaf to the root over the first leaves.
    Inclusion {
        /// The leaf's place, from 0.
        leaf: u64,
        /// How many leaves.
        size: u64,
    },
    /// The path that leads from an old root to a new one.
    Consistency {
        /// How many leaves the old log has; at least 1.
        old: u64,
        /// How many the new one has.
        new: u64,
    },
}

/// Hashes that stand one after the other, whose root is a node of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashRange {
    /// The level of the tiles; `None` for leaves.
    pub tile_level: Option<u8>,
    /// The place of the first.
    pub first: u64,
    /// How many: 1, 2, 4, … 128.
    pub count: u64,
}

impl HashRange {
    /// What makes up the node that `tlog_tiles` stores at this index.
    fn of_stored(index: u64) -> Self {
        let (level, place) = split_stored_hash_index(index);
        let width = 1 << (level % TILE_HEIGHT);
        let tile_level = (level / TILE_HEIGHT).checked_sub(1);
        Self { tile_level, first: place * width, count: width }
    }

    /// The place of the last.
    pub fn last(&self) -> u64 {
        self.first + self.count - 1
    }
}

impl LogQuestion {
    /// Where the hashes stand that the answer is made of; `None` where the log has no such leaf or
    /// size.
    pub fn hashes(&self) -> Option<Vec<HashRange>> {
        let asked = Asked::default();
        self.ask(&asked)?;
        Some(asked.0.into_inner().into_iter().map(HashRange::of_stored).collect())
    }

    /// The answer, of what [`LogQuestion::hashes`] asked for, in that order: one hash for a root,
    /// those of the path for a path. `None` where other hashes were given.
    pub fn answer(&self, hashes: &[Vec<Hash>]) -> Option<Vec<Hash>> {
        let ranges = self.hashes()?;
        let are_those = ranges.len() == hashes.len()
            && ranges.iter().zip(hashes).all(|(range, hashes)| range.count == hashes.len() as u64);
        if !are_those {
            return None;
        }
        let nodes = hashes.iter().map(|hashes| tlog_tiles::Hash(root_of(hashes.iter().copied())));
        self.ask(&Given(nodes.collect()))
    }

    fn ask(&self, reader: &impl HashReader) -> Option<Vec<Hash>> {
        let plain = |hashes: Vec<tlog_tiles::Hash>| hashes.into_iter().map(|hash| hash.0).collect();
        match *self {
            Self::Root { size } => tree_hash(size, reader).ok().map(|root| vec![root.0]),
            Self::FullTrees { size } => {
                let indexes = tlog_tiles::sub_tree_index(0, size, Vec::new());
                reader.read_hashes(&indexes).ok().map(plain)
            }
            Self::Inclusion { leaf, size } => prove_record(size, leaf, reader).ok().map(plain),
            Self::Consistency { old, new } => prove_tree(new, old, reader).ok().map(plain),
        }
    }
}

/// Only notes what is asked for.
#[derive(Default)]
struct Asked(RefCell<Vec<u64>>);

impl HashReader for Asked {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, Error> {
        self.0.borrow_mut().extend_from_slice(indexes);
        Ok(vec![tlog_tiles::Hash([0; 32]); indexes.len()])
    }
}

/// Gives what was asked for.
struct Given(Vec<tlog_tiles::Hash>);

impl HashReader for Given {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, Error> {
        if indexes.len() == self.0.len() { Ok(self.0.clone()) } else { Err(Error::BadMath) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tree::{RootBuilder, TILE_WIDTH, leaf_hash};

    /// Leaves and tiles as the database keeps them.
    struct Log(Vec<Vec<Hash>>);

    impl Log {
        fn of(size: u64) -> Self {
            let leaves = (0..size).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
            let mut levels: Vec<Vec<Hash>> = vec![leaves];
            while let Some(last) = levels.last().filter(|last| last.len() as u64 >= TILE_WIDTH) {
                let tiles = last.chunks_exact(TILE_WIDTH as usize);
                levels.push(tiles.map(|tile| root_of(tile.iter().copied())).collect());
            }
            Self(levels)
        }

        fn answer(&self, question: LogQuestion) -> Vec<Hash> {
            let ranges = question.hashes().unwrap();
            assert!(ranges.iter().all(|range| range.count <= TILE_WIDTH));
            let hashes: Vec<Vec<Hash>> = ranges
                .iter()
                .map(|range| {
                    let level = range.tile_level.map_or(0, |level| usize::from(level) + 1);
                    self.0[level][range.first as usize..=range.last() as usize].to_vec()
                })
                .collect();
            question.answer(&hashes).unwrap()
        }
    }

    #[test]
    fn roots_and_paths_are_made_of_leaves_and_full_tiles() {
        for size in [1_u64, 2, 3, 255, 256, 257, 700, 66_000] {
            let log = Log::of(size);
            let root = root_of(log.0[0].iter().copied());
            assert_eq!(log.answer(LogQuestion::Root { size }), [root], "{size}");
            for leaf in [0, size / 3, size / 2, size - 1] {
                let path = log.answer(LogQuestion::Inclusion { leaf, size });
                let proof = path.into_iter().map(tlog_tiles::Hash).collect();
                let (root, hash) = (tlog_tiles::Hash(root), log.0[0][leaf as usize]);
                tlog_tiles::check_record(&proof, size, root, leaf, tlog_tiles::Hash(hash)).unwrap();
            }
            for old in [1, size / 3 + 1, size / 2 + 1, size] {
                let old_leaves = &log.0[0][..old as usize];
                let old_root = root_of(old_leaves.iter().copied());
                let path = log.answer(LogQuestion::Consistency { old, new: size });
                let proof = path.into_iter().map(tlog_tiles::Hash).collect();
                let (new_root, old_root) = (tlog_tiles::Hash(root), tlog_tiles::Hash(old_root));
                tlog_tiles::check_tree(&proof, size, new_root, old, old_root).unwrap();
                let trees = log.answer(LogQuestion::FullTrees { size: old });
                let mut builder = RootBuilder::behind(old, trees).unwrap();
                builder.extend(log.0[0][old as usize..].iter().copied());
                assert_eq!(builder.root(), root, "{size} behind {old}");
            }
        }
    }

    #[test]
    fn what_a_log_does_not_have_is_not_proven() {
        for question in [
            LogQuestion::Inclusion { leaf: 3, size: 3 },
            LogQuestion::Inclusion { leaf: 0, size: 0 },
            LogQuestion::Consistency { old: 0, new: 3 },
            LogQuestion::Consistency { old: 4, new: 3 },
        ] {
            assert_eq!(question.hashes(), None, "{question:?}");
        }
        assert_eq!(LogQuestion::Root { size: 2 }.answer(&[]), None);
        assert_eq!(LogQuestion::Root { size: 2 }.answer(&[vec![[0; 32]]]), None);
    }
}
