//! Sends dead letters back to where they came from, and keeps a ledger of it. Joins kafka and
//! store.
//!
//! An intent (`pending`) is committed before a record is sent, what came of it after. Whatever is
//! still pending when the next replay begins was interrupted: `resolve` looks for it in its target
//! by the header `audit-replay-id`. So nothing is sent twice unawares, and nothing is left out. One
//! replay runs at a time in a database.

mod error;
mod pace;
mod recover;
mod send;

use std::collections::{BTreeSet, HashMap};

use crate::dead_letter::Candidate;
use crate::kafka::{self, Cluster};
use crate::store::{self, ResolvedSelection, Session, Settings};

pub use error::Error;
pub use recover::RecoveredReplays;
pub use send::{ReplayOptions, SendProgress};

/// The right to replay: a session that holds the lock, and Kafka's settings.
pub struct Replayer {
    session: Session,
    kafka: kafka::Settings,
}

impl Replayer {
    /// Connects, and takes the lock.
    ///
    /// # Errors
    /// `Error::AlreadyRunning` where another replay holds it; `Error::Store`.
    pub async fn open(database: &Settings, kafka: kafka::Settings) -> Result<Self, Error> {
        let session = Session::open(database, "audit replay-dlt").await?;
        store::lock_replays(&session)
            .await?
            .map_err(|process| Error::AlreadyRunning { process })?;
        Ok(Self { session, kafka })
    }

    /// The session.
    pub fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}

/// Reads what is selected now: everything later is about these.
///
/// # Errors
/// `Error::Query`.
pub async fn candidates(
    session: &Session,
    selection: &ResolvedSelection,
) -> Result<Vec<Candidate>, store::Error> {
    if selection.is_empty() {
        Ok(Vec::new())
    } else {
        store::replay_candidates(session, selection).await
    }
}

/// How many partitions each topic has that a candidate could go to; one that does not exist is left
/// out.
///
/// # Errors
/// `kafka::Error`.
pub async fn target_partitions(
    settings: &kafka::Settings,
    candidates: &[Candidate],
    to: Option<&str>,
) -> Result<HashMap<String, i32>, kafka::Error> {
    let topics: BTreeSet<&str> = match to {
        Some(to) => BTreeSet::from([to]),
        None => {
            candidates.iter().filter_map(|candidate| candidate.origin_topic.as_deref()).collect()
        }
    };
    let topics: Vec<String> = topics.into_iter().map(str::to_owned).collect();
    let settings = settings.clone();
    // A name that no topic can have is no topic, and the broker's refusal of it would hide the
    // others.
    kafka::blocking(move || {
        let topics: Vec<String> = topics.into_iter().filter(|topic| is_topic_name(topic)).collect();
        Cluster::new(&settings)?.partitions(&topics)
    })
    .await
}

/// Whether Kafka accepts the name for a topic (org.apache.kafka.common.internals.Topic).
fn is_topic_name(name: &str) -> bool {
    (1..=249).contains(&name.len())
        && name != "."
        && name != ".."
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}
