//! Why a replay ended before it was done.

use crate::count_text::counted;
use crate::{kafka, store};

/// An error of a replay. What was sent before it is on record.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// PostgreSQL refuses, or is away.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Kafka refuses, or is away.
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    /// Another replay holds the lock.
    #[error(
        "another replay is running in this database{}; only one may at a time",
        .process.map(|process| format!(" (server process {process})")).unwrap_or_default()
    )]
    AlreadyRunning {
        /// The server process of its session, where PostgreSQL tells it.
        process: Option<i32>,
    },
    /// Kafka refuses what the next record would meet, too.
    #[error("sending to {topic} was refused: {reason}")]
    Refused {
        /// The topic.
        topic: String,
        /// What Kafka said.
        reason: String,
    },
    /// It is not known whether some records arrived.
    #[error("sending to {topic}: {reason}; {} may have arrived or not", counted(.records, "record"))]
    Unknown {
        /// The topic of the first of them.
        topic: String,
        /// What librdkafka said.
        reason: String,
        /// How many.
        records: usize,
    },
}

impl Error {
    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Kafka(error) => error.hint().map(str::to_owned),
            Self::AlreadyRunning { .. } => Some(
                "wait for it to end; `audit replay-dlt --status` shows what it sends".to_owned(),
            ),
            Self::Refused { .. } => {
                Some("check the rights on the topic, then run it again".to_owned())
            }
            Self::Unknown { .. } => {
                Some("run it again: it looks for these records before it sends".to_owned())
            }
        }
    }
}
