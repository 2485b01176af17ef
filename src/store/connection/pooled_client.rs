//! How a pool makes a client, and tells whether one is still good.

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use tokio_postgres::Client;

use super::choose_server::connect;
use super::parameters::Settings;
use crate::store::error::Error;

/// Connects as every other session does: to the server that is asked for, TLS and session settings
/// included.
#[derive(Debug)]
pub(super) struct PooledClients {
    pub(super) settings: Settings,
    /// What `pg_stat_activity` shows.
    pub(super) application: String,
}

impl Manager for PooledClients {
    type Type = Client;
    type Error = Error;

    async fn create(&self) -> Result<Client, Error> {
        connect(&self.settings, &self.application, None).await
    }

    async fn recycle(&self, client: &mut Client, _: &Metrics) -> RecycleResult<Error> {
        match client.is_closed() {
            true => Err(RecycleError::message("the connection is closed")),
            false => Ok(()),
        }
    }
}
