//! The right to replay.

use super::error::Error;
use crate::kafka;
use crate::store;
use crate::store::{Session, SessionLock, Settings};

/// The right to replay: a session that holds the lock, and Kafka's settings.
pub struct Replayer {
    pub(super) session: Session,
    pub(super) kafka: kafka::Settings,
}

impl Replayer {
    /// Connects, and takes the lock.
    ///
    /// # Errors
    /// `Error::AlreadyRunning` where another replay holds it; `Error::Store`, also where the
    /// database is a copy or its server a standby: its ledger of replays is not the one that
    /// counts.
    pub async fn open(database: &Settings, kafka: kafka::Settings) -> Result<Self, Error> {
        let session = Session::open(database, "audit replay-dlt").await?;
        session.home().await?.check_writable(database)?;
        match store::lock_replays(&session).await? {
            SessionLock::Acquired => Ok(Self { session, kafka }),
            SessionLock::HeldBy(process) => Err(Error::AlreadyRunning { process }),
        }
    }

    /// The session.
    pub fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}
