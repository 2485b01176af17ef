//! Sessions for what runs beside the writing of batches, such as progress and lag: connected when
//! first asked for, and again after a connection broke.

use deadpool::managed::{Pool, PoolError};

use super::parameters::Settings;
use super::pooled_client::PooledClients;
use super::session::Session;
use crate::store::error::Error;

/// How many sessions are connected at once.
const SESSIONS: usize = 2;

/// A few sessions that are shared. Their schema is not checked: their process has done so already,
/// by [`Session::open`].
#[derive(Debug, Clone)]
pub struct SessionPool {
    pool: Pool<PooledClients>,
}

impl SessionPool {
    /// A pool that connects to nothing yet. `application` is what `pg_stat_activity` shows.
    ///
    /// # Errors
    /// `Error::Settings` where the pool can't be set up.
    pub fn new(settings: &Settings, application: &str) -> Result<Self, Error> {
        let clients =
            PooledClients { settings: settings.clone(), application: application.to_owned() };
        let pool = Pool::builder(clients)
            .max_size(SESSIONS)
            .build()
            .map_err(|error| Error::Settings(format!("the pool of sessions: {error}")))?;
        Ok(Self { pool })
    }

    /// A session that is free, or a new one. It goes back when it is dropped.
    ///
    /// # Errors
    /// Those of connecting.
    pub async fn session(&self) -> Result<Session, Error> {
        match self.pool.get().await {
            Ok(object) => Ok(Session::pooled(object)),
            Err(PoolError::Backend(error)) => Err(error),
            // The pool is never closed, and has no limits of its own.
            Err(other) => Err(Error::Protocol(format!("the pool of sessions: {other}"))),
        }
    }
}
