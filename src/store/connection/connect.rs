//! Connecting to one server: within a limit, with TLS where the settings ask for it, and with what
//! every session sets.

use futures_util::stream::{Stream, StreamExt, poll_fn};
use tokio::sync::watch;
use tokio_postgres::config::{LoadBalanceHosts, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};

use super::parameters::{Server, Settings};
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
/// `Error::Connect`, also where TLS can't be set up, or `Error::NoAnswer`.
pub(super) async fn connect(
    settings: &Settings,
    server: &Server,
    application: &str,
    notified: Option<&watch::Sender<u64>>,
) -> Result<Client, Error> {
    // Limits the whole: the driver's own limit is about the connection alone, and a server may
    // accept one and then say nothing.
    let limit = settings.connect_limit;
    let opening = tokio::time::timeout(limit, open(settings, server, application, notified));
    match opening.await {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(source)) => Err(Error::Connect { target: settings.target_at(server), source }),
        Err(_) => {
            Err(Error::NoAnswer { target: settings.target_at(server), seconds: limit.as_secs() })
        }
    }
}

/// Connects with TLS or without, whichever is to be tried first, and then the other way where the
/// server does not let this user in like that and `sslmode` leaves it open.
async fn open(
    settings: &Settings,
    server: &Server,
    application: &str,
    notified: Option<&watch::Sender<u64>>,
) -> Result<Client, tokio_postgres::Error> {
    let (first, then) = match settings.tls.mode {
        _ if settings.is_plain(server) => (SslMode::Disable, None),
        TlsMode::Allow => (SslMode::Disable, Some(SslMode::Require)),
        TlsMode::Prefer => (SslMode::Prefer, Some(SslMode::Disable)),
        _ => (SslMode::Require, None),
    };
    let mut config = config(settings, server, application);
    config.ssl_mode(first);
    let error = match open_with(settings, &config, notified).await {
        Ok(client) => return Ok(client),
        Err(error) => error,
    };
    match then.filter(|_| is_turned_away(&error)) {
        None => Err(error),
        Some(then) => {
            config.ssl_mode(then);
            // The first error says more, unless the other way led further.
            open_with(settings, &config, notified).await.map_err(|second| {
                let is_further = second.code().is_some() && !is_turned_away(&second);
                if is_further { second } else { error }
            })
        }
    }
}

/// Whether the server does not let this user in like this, whatever the password.
fn is_turned_away(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

/// The driver's settings for a connection to this server under this name.
fn config(settings: &Settings, server: &Server, application: &str) -> Config {
    let mut config = settings.config.clone();
    config.application_name(application).connect_timeout(settings.connect_limit);
    config.host(&server.host).port(server.port);
    if let Some(address) = server.address {
        config.hostaddr(address);
    }
    if let Some(password) = &server.password {
        config.password(password);
    }
    if settings.is_shuffled {
        config.load_balance_hosts(LoadBalanceHosts::Random);
    }
    config
}

async fn open_with(
    settings: &Settings,
    config: &Config,
    notified: Option<&watch::Sender<u64>>,
) -> Result<Client, tokio_postgres::Error> {
    let notified = notified.cloned();
    let client = if config.get_ssl_mode() == SslMode::Disable {
        let (client, mut connection) = config.connect(NoTls).await?;
        drive(poll_fn(move |context| connection.poll_message(context)), notified);
        client
    } else {
        let (client, mut connection) = config.connect(DeferredTls::new(&settings.tls)).await?;
        drive(poll_fn(move |context| connection.poll_message(context)), notified);
        client
    };
    // Sends both at once: they are answered in one round trip.
    let (session, _) =
        tokio::join!(client.batch_execute(SESSION), client.batch_execute(NOTICE_A_LOST_CLIENT));
    session?;
    Ok(client)
}

/// Runs the connection until it ends. Its error isn't lost: every request on the client fails with
/// it.
fn drive<S>(messages: S, notified: Option<watch::Sender<u64>>)
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
    });
}
