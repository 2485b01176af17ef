//! Merkle trees as RFC 6962, section 2.1, has them, with SHA-256.

use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// How many hashes a tile sums up.
pub const TILE_WIDTH: u64 = 256;

/// The hash of a leaf.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new_with_prefix([0]).chain_update(leaf).finalize().into()
}

/// The hash of a node.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root over leaves that come one after the other, in memory for as many hashes as their number
/// has bits.
#[derive(Debug, Clone, Default)]
pub struct RootBuilder {
    size: u64,
    /// The roots of the full trees that the leaves make up, the largest first.
    roots: Vec<Hash>,
}

impl RootBuilder {
    /// Goes on behind the first `size` leaves, which make up these full trees: one for each bit of
    /// `size` that is 1, the largest first. `None` where their number is another.
    pub fn behind(size: u64, roots: Vec<Hash>) -> Option<Self> {
        (roots.len() == size.count_ones() as usize).then_some(Self { size, roots })
    }

    /// Adds the hash of the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over the leaves up to here.
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        match roots.next() {
            None => Sha256::digest([]).into(),
            Some(last) => roots.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

impl Extend<Hash> for RootBuilder {
    fn extend<T: IntoIterator<Item = Hash>>(&mut self, leaves: T) {
        for leaf in leaves {
            self.push(leaf);
        }
    }
}

/// The root over these hashes of leaves.
pub fn root_of(leaves: impl IntoIterator<Item = Hash>) -> Hash {
    let mut root = RootBuilder::default();
    root.extend(leaves);
    root.root()
}

/// The path from a leaf to the root over these hashes of leaves, from the bottom up: RFC 6962,
/// section 2.1.1. Empty where there is no such leaf.
pub fn inclusion_path(leaves: &[Hash], leaf: usize) -> Vec<Hash> {
    let mut path = Vec::new();
    let (mut leaves, mut leaf) = (leaves, leaf);
    while leaves.len() > 1 && leaf < leaves.len() {
        // The largest power of two below the number of leaves.
        let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
        let other;
        (leaves, other) = if leaf < left.len() {
            (left, right)
        } else {
            leaf -= left.len();
            (right, left)
        };
        path.push(root_of(other.iter().copied()));
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_from_each_leaf_to_the_root() {
        for size in [1_usize, 2, 3, 7, 8, 9, 100] {
            let leaves: Vec<Hash> = (0..size).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
            let root = tlog_tiles::Hash(root_of(leaves.iter().copied()));
            for (place, leaf) in leaves.iter().enumerate() {
                let path = inclusion_path(&leaves, place).into_iter().map(tlog_tiles::Hash);
                let (size, place) = (size as u64, place as u64);
                let leaf = tlog_tiles::Hash(*leaf);
                tlog_tiles::check_record(&path.collect(), size, root, place, leaf).unwrap();
            }
            assert_eq!(inclusion_path(&leaves, size), [] as [Hash; 0]);
        }
    }

    #[test]
    fn a_builder_that_goes_on_gives_the_root_of_all_leaves() {
        let leaves: Vec<Hash> = (0..100_u8).map(|leaf| leaf_hash(&[leaf])).collect();
        for size in 0..100_usize {
            let mut first = RootBuilder::default();
            first.extend(leaves[..size].iter().copied());
            let mut onward = RootBuilder::behind(size as u64, first.roots.clone()).unwrap();
            onward.extend(leaves[size..].iter().copied());
            assert_eq!(onward.root(), root_of(leaves.iter().copied()), "{size}");
            assert!(
                RootBuilder::behind(size as u64 + 1, first.roots.clone()).is_none()
                    || size % 2 == 1
            );
        }
    }
}
