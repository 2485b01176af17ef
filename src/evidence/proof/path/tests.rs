use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use flate2::read::GzDecoder;
use proptest::prelude::*;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::*;
use crate::evidence::proof::test_log::TestLog;

/// See tests/vectors/README.md.
const PUBLISHED: &[u8] = include_bytes!("../../../../tests/vectors/rfc6962.json.gz");

#[derive(Deserialize)]
struct Published {
    inclusion: Vec<PublishedInclusion>,
    consistency: Vec<PublishedConsistency>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublishedInclusion {
    name: String,
    leaf_idx: u64,
    tree_size: u64,
    root: String,
    leaf_hash: String,
    proof: Option<Vec<String>>,
    want_err: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublishedConsistency {
    name: String,
    size1: u64,
    size2: u64,
    root1: String,
    root2: String,
    proof: Option<Vec<String>>,
    want_err: bool,
}

/// `None` of what is no hash, which no proof can hold.
fn hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).unwrap().try_into().ok()
}

/// Roots for which the proof has no use stand there as words.
fn root(text: &str) -> Hash {
    hash(text).unwrap_or_else(|| Sha256::digest(text).into())
}

fn path(proof: Option<&Vec<String>>) -> Option<Vec<Hash>> {
    proof.into_iter().flatten().map(|text| hash(text)).collect()
}

#[test]
fn published_proofs_are_accepted_where_they_are_right_and_refused_where_they_are_wrong() {
    let mut json = Vec::new();
    GzDecoder::new(PUBLISHED).read_to_end(&mut json).unwrap();
    let published: Published = serde_json::from_slice(&json).unwrap();
    let mut right = [0; 2];
    for case in &published.inclusion {
        let is_right = (|| {
            let (root, leaf) = (hash(&case.root)?, hash(&case.leaf_hash)?);
            let path = path(case.proof.as_ref())?;
            Some(leads_to(&root, case.tree_size, case.leaf_idx, &leaf, &path))
        })();
        assert_eq!(is_right == Some(true), !case.want_err, "{}", case.name);
        right[0] += usize::from(!case.want_err);
    }
    for case in &published.consistency {
        let is_right = (|| {
            let (old, new) = (root(&case.root1), root(&case.root2));
            let path = path(case.proof.as_ref())?;
            Some(is_consistent(case.size1, &old, case.size2, &new, &path))
        })();
        assert_eq!(is_right == Some(true), !case.want_err, "{}", case.name);
        right[1] += usize::from(!case.want_err);
    }
    assert_eq!((published.inclusion.len(), published.consistency.len()), (98, 98));
    assert_eq!(right, [6, 6]);
}

/// The same tree in `ct_merkle`, which keeps leaves itself.
fn other_tree(size: u64) -> MemoryBackedTree<Sha256, [u8; 8]> {
    let mut tree = MemoryBackedTree::new();
    (0..size).for_each(|leaf| tree.push(leaf.to_be_bytes()));
    tree
}

fn flat(path: &[Hash]) -> Vec<u8> {
    path.concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn two_other_implementations_have_the_same_roots_and_paths(
        new in 1..600_u64,
        old in any::<u64>(),
        place in any::<u64>(),
    ) {
        let (old, place) = (old % new + 1, place % new);
        let (log, tree) = (TestLog::of(new), other_tree(new));
        let root = log.root(new);
        prop_assert_eq!(root, log.other_root(new));
        let other_root = tree.root();
        prop_assert_eq!(root.as_slice(), other_root.as_bytes().as_slice());
        let path = log.path(new, place);
        let other_path = tree.prove_inclusion(place as usize);
        prop_assert_eq!(&flat(&path), other_path.as_bytes());
        prop_assert!(leads_to(&root, new, place, &log.leaf(place), &path));
        let consistency = log.consistency(old, new);
        prop_assert!(is_consistent(old, &log.root(old), new, &root, &consistency));
        if old < new {
            let other = tree.prove_consistency((new - old) as usize);
            prop_assert_eq!(&flat(&consistency), other.as_bytes());
        }
    }

    /// A change of the place, of a size, of a hash or of the path's length; what `ct_merkle`
    /// accepts, too, is no change of what is proven.
    #[test]
    fn a_path_that_was_changed_leads_nowhere(
        size in 2..300_u64,
        place in any::<u64>(),
        other in any::<u64>(),
        change in 0..6_u8,
        at in any::<prop::sample::Index>(),
        bit in 0..256_usize,
    ) {
        let (log, place, other) = (TestLog::of(size), place % size, other % size);
        let (root, mut path, mut leaf, mut index) =
            (log.root(size), log.path(size, place), log.leaf(place), place);
        match change {
            0 => flip(&mut leaf, bit),
            1 => { let at = at.index(path.len()); flip(&mut path[at], bit) }
            2 => drop(path.remove(at.index(path.len()))),
            3 => path.insert(at.index(path.len() + 1), log.leaf(other)),
            4 => { prop_assume!(other != place); index = other }
            _ => {
                let swapped = at.index(path.len());
                prop_assume!(swapped > 0);
                path.swap(0, swapped);
            }
        }
        prop_assert!(!leads_to(&root, size, index, &leaf, &path));
        if index == place && leaf == log.leaf(place) {
            let others = RootHash::<Sha256>::new(root.into(), size);
            let proof = InclusionProof::<Sha256>::from_bytes(flat(&path));
            prop_assert!(others.verify_inclusion(&place.to_be_bytes(), place, &proof).is_err());
        }
    }

    #[test]
    fn a_log_that_was_changed_is_not_consistent(
        size in 2..300_u64,
        old in any::<u64>(),
        change in 0..7_u8,
        at in any::<prop::sample::Index>(),
        bit in 0..256_usize,
    ) {
        let (log, old) = (TestLog::of(size), old % (size - 1) + 1);
        let (mut old_root, mut new_root) = (log.root(old), log.root(size));
        let (mut path, mut sizes) = (log.consistency(old, size), (old, size));
        match change {
            0 => flip(&mut old_root, bit),
            1 => flip(&mut new_root, bit),
            2 => { let at = at.index(path.len()); flip(&mut path[at], bit) }
            3 => drop(path.remove(at.index(path.len()))),
            4 => path.insert(at.index(path.len() + 1), log.leaf(0)),
            5 => sizes = (size, old),
            _ => sizes.0 = 0,
        }
        prop_assert!(!is_consistent(sizes.0, &old_root, sizes.1, &new_root, &path));
        if sizes == (old, size)
            && let Ok(proof) = ConsistencyProof::<Sha256>::try_from_bytes(flat(&path))
        {
            let new = RootHash::<Sha256>::new(new_root.into(), size);
            let old = RootHash::<Sha256>::new(old_root.into(), old);
            prop_assert!(new.verify_consistency(&old, &proof).is_err());
        }
    }
}

fn flip(hash: &mut Hash, bit: usize) {
    hash[bit / 8] ^= 1 << (bit % 8);
}

#[test]
fn sizes_and_paths_beyond_all_bounds_are_refused_without_a_panic() {
    let hash = [7; 32];
    for size in [u64::MAX, 1 << 63, (1 << 63) - 1, 0] {
        for index in [0, 1, size.wrapping_sub(1), size, u64::MAX] {
            for length in [0, 1, 62, 63, 64, 65, 100_000] {
                let path = vec![hash; length];
                assert!(!leads_to(&hash, size, index, &hash, &path));
                let is_same = index == size && length == 0 && size == (1 << 63) - 1;
                assert_eq!(is_consistent(index, &hash, size, &hash, &path), is_same);
            }
        }
    }
}
