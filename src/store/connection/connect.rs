//! Connecting: within a limit, with TLS where the settings ask for it, and with what every session
//! sets.

use futures_util::stream::{Stream, StreamExt, poll_fn};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};

use super::settings::Settings;
use super::tls::{DeferredTls, TlsMode};
use crate::store::error::Error;

/// Sets what every session needs: times in UTC, plain text forms, names found in `public` alone. No
/// `jit`: compiling a statement takes longer than the first page of any query here.
const SESSION: &str = "SET TimeZone = 'UTC'; SET client_min_messages = warning; SET search_path = public; \
                       SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET jit = off";

/// Ends a statement within about a second of the loss of its client, instead of going on for
/// nobody. Servers whose platform can't notice that refuse the setting, which is no error.
const NOTICE_A_LOST_CLIENT: &str = "SET client_connection_check_interval = '1s'";

/// Connects and prepares the session. `application` is what `pg_stat_activity` shows; `notified`
/// counts the notifications that arrive.
///
/// # Errors
/// `Error::Connect`, `Error::NoAnswer`, or `Error::Settings` where TLS can't be set up.
pub(super) async fn connect(
    settings: &Settings,
    application: &str,
    notified: Option<watch::Sender<u64>>,
) -> Result<Client, Error> {
    let config = config(settings, application);
    // Limits the whole: the driver's own limit is about the connection alone, and a server may
    // accept one and then say nothing.
    let limit = settings.connect_limit();
    let opening = tokio::time::timeout(limit, open(settings, &config, notified));
    match opening.await {
        Ok(Ok((client, _))) => Ok(client),
        Ok(Err(source)) => Err(Error::Connect { target: settings.target(), source }),
        Err(_) => Err(Error::NoAnswer { target: settings.target(), seconds: limit.as_secs() }),
    }
}

/// The driver's settings for a connection under this name.
pub(super) fn config(settings: &Settings, application: &str) -> Config {
    let mut config = settings.config.clone();
    config.application_name(application);
    config.ssl_mode(match settings.tls.mode {
        TlsMode::Disable => SslMode::Disable,
        TlsMode::Prefer => SslMode::Prefer,
        TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
    });
    config
}

/// Connects without a limit, and returns the client with the task that drives its connection.
pub(super) async fn open(
    settings: &Settings,
    config: &Config,
    notified: Option<watch::Sender<u64>>,
) -> Result<(Client, JoinHandle<()>), tokio_postgres::Error> {
    let (client, task) = if settings.tls.mode == TlsMode::Disable {
        let (client, mut connection) = config.connect(NoTls).await?;
        (client, drive(poll_fn(move |context| connection.poll_message(context)), notified))
    } else {
        let (client, mut connection) = config.connect(DeferredTls::new(&settings.tls)).await?;
        (client, drive(poll_fn(move |context| connection.poll_message(context)), notified))
    };
    // Sends both at once: they are answered in one round trip.
    let (session, _) =
        tokio::join!(client.batch_execute(SESSION), client.batch_execute(NOTICE_A_LOST_CLIENT));
    session?;
    Ok((client, task))
}

/// Runs the connection until it ends. Its error isn't lost: every request on the client fails with
/// it.
fn drive<S>(messages: S, notified: Option<watch::Sender<u64>>) -> JoinHandle<()>
where
    S: Stream<Item = Result<AsyncMessage, tokio_postgres::Error>> + Send + 'static,
{
    tokio::spawn(async move {
        let mut messages = std::pin::pin!(messages);
        while let Some(message) = messages.next().await {
            match message {
                Ok(AsyncMessage::Notification(_)) => {
                    if let Some(notified) = &notified {
                        notified.send_modify(|count| *count += 1);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "a database connection ended");
                    break;
                }
            }
        }
    })
}
