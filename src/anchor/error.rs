//! Why no checkpoint is signed.

use std::io;

use crate::evidence::note::{NoteError, Origin};
use crate::{kafka, store};

/// What can go wrong when a checkpoint is signed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Kafka failed.
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    /// There is nothing to sign.
    #[error("the log of evidence is empty: it begins when an ingester connects")]
    Empty,
    /// The key is of another log.
    #[error("the key is of {key}, and the log is {log}")]
    OtherKey {
        /// The key's name.
        key: Origin,
        /// The log's name.
        log: Origin,
    },
    /// A file could not be read or written.
    #[error("{doing} {path}: {source}")]
    File {
        /// `reading` or `writing`.
        doing: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds something else than a checkpoint of the log.
    #[error("{path} holds no checkpoint of this log: {reason}")]
    NoCheckpoint {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: NoteError,
    },
    /// The log is not what was signed.
    #[error("refusing to sign: {0}")]
    Refused(#[from] Refusal),
    /// There is no topic to publish to.
    #[error("there is no topic {0} to publish checkpoints to")]
    NoTopic(String),
    /// The checkpoint could not be published.
    #[error("publishing the checkpoint to {topic}: {reason}")]
    Unpublished {
        /// The topic.
        topic: String,
        /// What Kafka said.
        reason: String,
    },
}

impl Error {
    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Kafka(error) => error.hint().map(str::to_owned),
            Self::Empty => Some("record something first: `audit ingest --until-end`".to_owned()),
            Self::OtherKey { .. } => Some(
                "`audit evidence keygen --out FILE` makes a key for the log of this database"
                    .to_owned(),
            ),
            Self::NoCheckpoint { .. } => {
                Some("nothing was replaced: name another file, and keep this one".to_owned())
            }
            Self::Refused(_) => Some(
                "`audit verify --checkpoint FILE --vkey KEY` tells what was changed; after an honest restore, \
                 `audit evidence restart --reason TEXT --checkpoint FILE` begins another log; FILE holds the last one"
                    .to_owned(),
            ),
            Self::NoTopic(_) => Some(
                "make it, with one partition and retention.ms=-1, where whoever has the database can't write to it"
                    .to_owned(),
            ),
            Self::File { .. } | Self::Unpublished { .. } => None,
        }
    }

    /// Whether trying again later can help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Kafka(error) => !error.is_of_settings(),
            Self::Unpublished { .. } => true,
            _ => false,
        }
    }
}

/// How the log differs from what was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has fewer leaves than were signed.
    #[error(
        "the log has {size} leaves, and the checkpoint {place} covers {signed}: it was set back since"
    )]
    SetBack {
        /// Where the checkpoint is, in words.
        place: String,
        /// How many leaves it covers.
        signed: u64,
        /// How many the log has.
        size: u64,
    },
    /// The leaves that were signed are others now.
    #[error(
        "the first {signed} leaves of the log are not those that the checkpoint {place} covers: they were changed since"
    )]
    Changed {
        /// Where the checkpoint is, in words.
        place: String,
        /// How many leaves it covers.
        signed: u64,
    },
    /// A leaf is not made of what it stands for.
    #[error("leaf {index}{} is not what was entered into the log: what it is made of was changed since {since}", .batch_no.map(|number| format!(" (batch {number})")).unwrap_or_default())]
    Leaf {
        /// The place of the leaf.
        index: u64,
        /// The batch that it is of.
        batch_no: Option<i64>,
        /// The checkpoint before it, in words.
        since: String,
    },
    /// Leaves or tiles are missing.
    #[error("{0}")]
    Lacking(String),
    /// The tiles are not made of the leaves.
    #[error("the tiles of the log are not made of its leaves: they were changed since {since}")]
    Tiles {
        /// The checkpoint before them, in words.
        since: String,
    },
    /// A checkpoint that the database keeps was changed.
    #[error("the checkpoint of {size} leaves in the database is not what was signed: {reason}")]
    Note {
        /// How many leaves it is said to cover.
        size: u64,
        /// What is wrong with it.
        reason: String,
    },
}
