//! Holds the log against the checkpoints that are known, and against what its leaves are made of.

use super::error::{Error, Refusal};
use super::known::Known;
use crate::evidence::Hash;
use crate::evidence::log_nodes::LogQuestion;
use crate::evidence::note::Origin;
use crate::evidence::tree::RootBuilder;
use crate::store;
use crate::store::{LogHead, Session};

/// How many leaves are looked at together.
const PIECE: u64 = 5_000;

/// A log that goes on from every checkpoint that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedLog {
    /// The log's name.
    pub origin: Origin,
    /// How many leaves it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The last checkpoint that was known, with what it covers.
    pub since: Option<Known>,
}

/// The name of the log that is written to.
///
/// # Errors
/// `Error::Refused` where its number can't be one.
pub(super) fn origin_of(head: &LogHead) -> Result<Origin, Error> {
    let origin = Origin::new(head.installation, head.log_no);
    origin.map_err(|_| Refusal::Lacking(format!("{} is no number of a log", head.log_no)).into())
}

/// Holds the log against checkpoints, and makes the leaves behind the last one of them anew. The
/// session has to see one snapshot.
///
/// # Errors
/// `Error::Refused` where the log is not what was signed; `Error::Empty`, `Error::Store`.
pub async fn check_log(
    session: &Session,
    head: &LogHead,
    known: &[Known],
) -> Result<CheckedLog, Error> {
    let (log_no, size) = (head.log_no, head.size);
    if size == 0 && known.is_empty() {
        return Err(Error::Empty);
    }
    for Known { place, checkpoint, .. } in known {
        let (place, signed) = (place.clone(), checkpoint.size);
        if signed > size {
            return Err(Refusal::SetBack { place, signed, size }.into());
        }
        if root(session, log_no, signed).await? != checkpoint.root {
            return Err(Refusal::Changed { place, signed }.into());
        }
    }
    let last = known.iter().filter(|known| known.is_ours).max_by_key(|known| known.checkpoint.size);
    let first = last.map_or(0, |known| known.checkpoint.size);
    let since = last.map_or_else(
        || "it was entered: nothing was signed before".to_owned(),
        |known| format!("the checkpoint of {first} leaves {}", known.place),
    );
    let trees = nodes(session, log_no, LogQuestion::FullTrees { size: first }).await?;
    let lacking =
        || Refusal::Lacking(format!("log {log_no} lacks hashes of its first {first} leaves"));
    let mut tree = RootBuilder::behind(first, trees).ok_or_else(lacking)?;
    let mut next = first;
    while next < size {
        let end = size.min(next + PIECE);
        let leaves = or_lacking(store::log_leaves(session, log_no, next, end).await)?;
        let hashes = store::recomputed_hashes(session, log_no, &leaves).await?;
        for (leaf, hash) in leaves.iter().zip(hashes) {
            if hash != Some(leaf.hash) {
                let (index, batch_no) = (leaf.index, leaf.batch_no);
                return Err(Refusal::Leaf { index, batch_no, since }.into());
            }
            tree.push(leaf.hash);
        }
        next = end;
    }
    // Proofs are made of the tiles.
    if root(session, log_no, size).await? != tree.root() {
        return Err(Refusal::Tiles { since }.into());
    }
    Ok(CheckedLog { origin: origin_of(head)?, size, root: tree.root(), since: last.cloned() })
}

/// The root over the first leaves, from the tiles.
async fn root(session: &Session, log_no: i32, size: u64) -> Result<Hash, Error> {
    let root = nodes(session, log_no, LogQuestion::Root { size }).await?;
    root.first()
        .copied()
        .ok_or_else(|| Refusal::Lacking(format!("log {log_no} has no root")).into())
}

async fn nodes(session: &Session, log_no: i32, question: LogQuestion) -> Result<Vec<Hash>, Error> {
    Ok(or_lacking(store::log_nodes(session, log_no, question).await)?.unwrap_or_default())
}

/// What is missing from the log is a reason not to sign.
fn or_lacking<T>(read: Result<T, store::Error>) -> Result<T, Error> {
    read.map_err(|error| match error {
        store::Error::EvidenceLacks { what } => Refusal::Lacking(what).into(),
        error => error.into(),
    })
}
