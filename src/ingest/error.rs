//! Why ingestion ended other than by being asked to.

use crate::{anchor, kafka, registry, store};

/// An error that ends the ingester. What mends itself (a database or a broker that is away) is
/// waited for instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// PostgreSQL refuses for a reason that waiting does not mend.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Kafka refuses for a reason that waiting does not mend.
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    /// The schema registry refuses for a reason that waiting does not mend.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// Checkpoints can't be signed with this key.
    #[error("--checkpoint-key: {0}")]
    Anchor(#[from] anchor::Error),
    /// No checkpoint was signed; what was read is recorded.
    #[error("no checkpoint of the log of evidence is signed: {0}")]
    Unsigned(anchor::Error),
    /// The same, because it took too long.
    #[error("a checkpoint of the log of evidence could not be signed within {seconds} s")]
    NotSignedInTime {
        /// How long it may take.
        seconds: u64,
    },
    /// The consumer group records into another database, of which this one seems to be a copy.
    #[error("ingesters of the consumer group {group} are connected to another database: {members}")]
    GroupOfCopy {
        /// The group.
        group: String,
        /// The names of the ingesters.
        members: String,
    },
    /// With `--until-end`: a topic is not there.
    #[error("topic {0} does not exist")]
    NoTopic(String),
    /// With `--until-end`: partitions can't be read to their end, each with its reason.
    #[error("{}", .0.join("; "))]
    NotReadToEnd(Vec<String>),
    /// With `--until-end`: stopped before that.
    #[error("stopped before everything was recorded that was there: {partitions} {} open", if *.partitions == 1 { "partition is" } else { "partitions are" })]
    StoppedBeforeEnd {
        /// How many partitions are not recorded to their end.
        partitions: usize,
    },
    /// With `--until-end`: stopped before Kafka told what there is.
    #[error("stopped before it was known what there is to record")]
    StoppedAtStart,
    /// PostgreSQL refuses a batch, and accepts each row of it alone.
    #[error("PostgreSQL refuses a batch, but each of its rows by itself is accepted: {0}")]
    BatchRefused(store::Error),
    /// PostgreSQL refuses a dead letter, and then its raw key, value and headers, too.
    #[error(
        "PostgreSQL refuses the dead letter {record}, even without what its headers say: {detail}"
    )]
    DeadLetterRefused {
        /// The record: "orders.events-dlt [2] offset 57".
        record: String,
        /// What PostgreSQL says of it.
        detail: String,
    },
    /// PostgreSQL refuses a record, and then each quarantined row in its place.
    #[error("PostgreSQL refuses {record}, even as a quarantined row: {detail}")]
    QuarantineRefused {
        /// The record: "orders.events [2] offset 57".
        record: String,
        /// What PostgreSQL says of it.
        detail: String,
    },
    /// Stopped while PostgreSQL was away.
    #[error(
        "stopped before everything that was read could be recorded; the next run reads it again"
    )]
    StoppedEarly,
    /// Monitoring can't be answered where it was asked for.
    #[error("--metrics {address}: can't listen there: {source}")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A thread could not be started.
    #[error("can't start a thread: {0}")]
    Thread(std::io::Error),
}

impl Error {
    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Kafka(error) => error.hint().map(str::to_owned),
            Self::Registry(error) => error.hint().map(str::to_owned),
            Self::Anchor(error) | Self::Unsigned(error) => error.hint(),
            Self::GroupOfCopy { .. } => Some(
                "is this database a copy, or is theirs? `audit migrate --adopt-copy new-id` on the \
                 copy gives it a group of its own"
                    .to_owned(),
            ),
            Self::Listen { source, .. } if source.kind() == std::io::ErrorKind::AddrInUse => Some(
                "does another ingester listen there? Give each a port of its own, or 0 for one that \
                 is free"
                    .to_owned(),
            ),
            Self::NoTopic(_) => {
                Some("check --topics; without --until-end a missing topic is waited for".to_owned())
            }
            Self::BatchRefused(_)
            | Self::QuarantineRefused { .. }
            | Self::DeadLetterRefused { .. } => Some(
                "look for a column, an index, a constraint or a trigger that somebody added to the \
                 tables of the audit; nothing of the batch is recorded, and the next run reads it again"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
