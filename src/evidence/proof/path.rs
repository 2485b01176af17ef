//! Paths of hashes: from a leaf to the root of its tree, and from one tree to a larger one.
//! Source: RFC 9162, sections 2.1.3.2 and 2.1.4.2.

use tlog_tiles::tlog;

use crate::evidence::tree::Hash;

/// How many hashes a path has at most: no tree has more than 2^63 leaves.
const LONGEST: usize = 64;

/// Whether the path leads from the hash of leaf `index` to the root of the tree of `size` leaves.
pub fn leads_to(root: &Hash, size: u64, index: u64, leaf: &Hash, path: &[Hash]) -> bool {
    let Some(path) = hashes(size, path) else { return false };
    index < size
        && tlog::check_record(&path, size, tlog::Hash(*root), index, tlog::Hash(*leaf)).is_ok()
}

/// Whether the path shows that the tree of `new_size` leaves begins with that of `old_size`. About
/// a tree of no leaves there is nothing to show.
pub fn is_consistent(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    path: &[Hash],
) -> bool {
    let Some(path) = hashes(new_size, path) else { return false };
    let (old, new) = (tlog::Hash(*old_root), tlog::Hash(*new_root));
    (1..=new_size).contains(&old_size)
        && tlog::check_tree(&path, new_size, new, old_size, old).is_ok()
}

/// `None` where there can be no such tree, and no such path.
fn hashes(size: u64, path: &[Hash]) -> Option<Vec<tlog::Hash>> {
    let is_possible = i64::try_from(size).is_ok() && path.len() <= LONGEST;
    is_possible.then(|| path.iter().copied().map(tlog::Hash).collect())
}

#[cfg(test)]
mod tests;
