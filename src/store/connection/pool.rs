//! Sessions for what runs beside the writing of batches, such as progress and lag: connected when
//! first asked for, and again after a connection broke.

use std::future::Future;
use std::pin::Pin;

use deadpool_postgres::{
    Connect, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, Timeouts,
};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config};

use super::connect::{config, open};
use super::session::Session;
use super::settings::Settings;
use crate::store::error::Error;

/// How many sessions are connected at once.
const SESSIONS: usize = 2;

/// A few sessions that are shared. Their schema is not checked: their process has done so already,
/// by [`Session::open`].
#[derive(Debug, Clone)]
pub struct SessionPool {
    pool: Pool,
    settings: Settings,
}

impl SessionPool {
    /// A pool that connects to nothing yet. `application` is what `pg_stat_activity` shows.
    ///
    /// # Errors
    /// `Error::Settings` where the pool can't be set up.
    pub fn new(settings: &Settings, application: &str) -> Result<Self, Error> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let connector = Connector(settings.clone());
        let manager = Manager::from_connect(config(settings, application), connector, recycling);
        let limit = settings.connect_limit();
        let pool = Pool::builder(manager)
            .max_size(SESSIONS)
            .timeouts(Timeouts { create: Some(limit), ..Timeouts::new() })
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| Error::Settings(format!("the pool of sessions: {error}")))?;
        Ok(Self { pool, settings: settings.clone() })
    }

    /// A session that is free, or a new one. It goes back when it is dropped.
    ///
    /// # Errors
    /// `Error::Connect`, `Error::NoAnswer`.
    pub async fn session(&self) -> Result<Session, Error> {
        let target = || self.settings.target();
        match self.pool.get().await {
            Ok(object) => Ok(Session::pooled(object)),
            Err(PoolError::Backend(source)) => Err(Error::Connect { target: target(), source }),
            // Of the pool's own errors, only its time limit on connecting can happen here.
            Err(_) => {
                let seconds = self.settings.connect_limit().as_secs();
                Err(Error::NoAnswer { target: target(), seconds })
            }
        }
    }
}

/// Connects as every other session does, TLS and session settings included.
struct Connector(Settings);

type Connecting<'a> = Pin<
    Box<dyn Future<Output = Result<(Client, JoinHandle<()>), tokio_postgres::Error>> + Send + 'a>,
>;

impl Connect for Connector {
    fn connect(&self, config: &Config) -> Connecting<'_> {
        let config = config.clone();
        Box::pin(async move { open(&self.0, &config, None).await })
    }
}
