//! Signs a checkpoint, keeps it, and puts it where it goes.

use std::path::PathBuf;

use super::checked_log::{CheckedLog, check_log, origin_of};
use super::checkpoint_file::{last_in_file, replace};
use super::checkpoint_topic::{last_in_topic, publish};
use super::error::{Error, Refusal};
use super::known::Known;
use crate::evidence::note::{Checkpoint, SignerKey};
use crate::kafka;
use crate::store;
use crate::store::{ReadMode, Session};

/// How checkpoints are signed, and where they go.
#[derive(Debug, Clone)]
pub struct Anchor {
    /// The key.
    pub key: SignerKey,
    /// The file that keeps the last one.
    pub out: Option<PathBuf>,
    /// The topic that they are published to.
    pub publish: Option<Publish>,
}

/// A topic that checkpoints are published to.
#[derive(Debug, Clone)]
pub struct Publish {
    /// Kafka.
    pub kafka: kafka::Settings,
    /// The topic.
    pub topic: String,
}

/// A checkpoint that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note.
    pub note: String,
    /// How many leaves it covers that no checkpoint covered before.
    pub new_leaves: u64,
}

/// Fails where the key is not that of the log that is written to.
///
/// # Errors
/// `Error::OtherKey`, `Error::Store`.
pub async fn check_key(session: &Session, key: &SignerKey) -> Result<(), Error> {
    let log = origin_of(&store::log_head(session).await?)?;
    let key = key.verifier().origin();
    if key == log { Ok(()) } else { Err(Error::OtherKey { key, log }) }
}

impl Anchor {
    /// Signs what the log is now, unless it does not go on from the last checkpoint that is known;
    /// puts the checkpoint into the file and the topic, and keeps it in the database.
    ///
    /// # Errors
    /// Every variant of [`Error`].
    pub async fn sign(&self, session: &mut Session) -> Result<Signed, Error> {
        let verifier = self.key.verifier();
        // Read before the log, which then can't be behind a checkpoint that is signed meanwhile.
        let mut known = Vec::new();
        if let Some(path) = &self.out {
            known.extend(last_in_file(path, verifier)?);
        }
        if let Some(Publish { kafka, topic }) = &self.publish {
            known.extend(last_in_topic(kafka, topic, verifier).await?);
        }
        let reading = session.read(ReadMode::Page).await?;
        let head = store::log_head(&reading).await?;
        let (key, log) = (verifier.origin(), origin_of(&head)?);
        if key != log {
            return Err(Error::OtherKey { key, log });
        }
        if let Some(stored) = store::last_checkpoint(&reading, head.log_no).await? {
            let changed = |reason: String| Refusal::Note { size: stored.size, reason };
            let read = Known::read(stored.note.as_bytes(), verifier, "in the database".to_owned());
            let read = read.map_err(|error| changed(error.to_string()))?;
            if read.checkpoint.size != stored.size {
                return Err(changed(format!("it is of {} leaves", read.checkpoint.size)).into());
            }
            known.push(read);
        }
        let CheckedLog { origin, size, root, since } = check_log(&reading, &head, &known).await?;
        reading.finish().await?;
        let checkpoint = Checkpoint { origin, size, root };
        let note = checkpoint.sign(&self.key);
        let note =
            note.map_err(|reason| Error::NoCheckpoint { path: "this".to_owned(), reason })?;
        if let Some(path) = &self.out {
            // Another ingester may have signed more meanwhile.
            let newest = last_in_file(path, verifier)?;
            if newest.is_none_or(|newest| newest.checkpoint.size <= size) {
                replace(path, &note)?;
            }
        }
        if let Some(Publish { kafka, topic }) = &self.publish {
            publish(kafka, topic, &origin.to_string(), &note).await?;
        }
        // Last: what the database keeps, was put where it belongs.
        store::keep_checkpoint(session, head.log_no, size, &note).await?;
        let before = since.map_or(0, |known| known.checkpoint.size);
        Ok(Signed { checkpoint, note, new_leaves: size - before })
    }
}
