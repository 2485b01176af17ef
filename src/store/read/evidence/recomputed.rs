//! The hashes of leaves, made anew of what the leaves are made of.

use super::batch_leaves::batch_leaves;
use super::log::LogLeaf;
use crate::evidence::Hash;
use crate::evidence::leaf::LeafKind;
use crate::evidence::tree::leaf_hash;
use crate::store::connection::session::Session;
use crate::store::error::Error;

/// The hash of each leaf as the ledger and the leaf's body give it; `None` where they give none.
///
/// # Errors
/// `Error::Query`.
pub async fn recomputed_hashes(
    session: &Session,
    log_no: i32,
    leaves: &[LogLeaf],
) -> Result<Vec<Option<Hash>>, Error> {
    let mut hashes: Vec<Option<Hash>> = leaves.iter().map(hash_of_body).collect();
    for kind in [LeafKind::Batch, LeafKind::Adopted] {
        // The batches of one kind follow each other.
        let of_kind = || leaves.iter().filter(|leaf| leaf.kind == kind as i16);
        let numbers = || of_kind().filter_map(|leaf| leaf.batch_no);
        let (Some(first), Some(last)) = (numbers().min(), numbers().max()) else { continue };
        let batches = batch_leaves(session.client(), log_no, first..=last).await?;
        for (leaf, hash) in leaves.iter().zip(&mut hashes) {
            let Some(number) = leaf.batch_no.filter(|_| leaf.kind == kind as i16) else { continue };
            let place = batches.binary_search_by_key(&number, |batch| batch.batch_no);
            let batch = place.ok().and_then(|place| batches[place].leaf.as_ref());
            let bytes = batch.and_then(|batch| batch.encode().ok());
            // Says itself of which kind it is.
            *hash = bytes.filter(|bytes| bytes[0] == kind as u8).map(|bytes| leaf_hash(&bytes));
        }
    }
    Ok(hashes)
}

fn hash_of_body(leaf: &LogLeaf) -> Option<Hash> {
    let body = leaf.body.as_ref()?;
    (body.first().copied().map(i16::from) == Some(leaf.kind)).then(|| leaf_hash(body))
}
