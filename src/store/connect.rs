//! Connections: where the settings come from, TLS, and what every session sets.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use futures_util::stream::{Stream, StreamExt, poll_fn};
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use postgres_openssl::MakeTlsConnector;
use tokio::sync::watch;
use tokio_postgres::config::Host;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};

use super::Error;
use super::parts::{Origin, Origins};
use super::password_file;
use super::tls::DeferredTls;

/// How far the server's certificate is checked, as libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsMode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl FromStr for TlsMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "disable" => Self::Disable,
            "allow" | "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            other => {
                return Err(Error::Settings(format!(
                    "sslmode '{other}' is none of disable, prefer, require, verify-ca, verify-full"
                )));
            }
        })
    }
}

impl TlsMode {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// What a URL says. `sslmode` and `sslrootcert` are our own: the driver does not know all of them.
pub(super) struct ParsedUrl {
    pub(super) config: Config,
    tls: Option<TlsMode>,
    root_certificate: Option<PathBuf>,
}

/// Reads a URL or a libpq key/value string.
pub(super) fn parse(url: &str) -> Result<ParsedUrl, Error> {
    // The parser's message can hold parts of the URL, and so of a password: it isn't shown.
    let unreadable = || {
        Error::Settings(
            "the URL can't be read; expected postgresql://user@host:port/database or 'host=… dbname=…'"
                .to_owned(),
        )
    };
    let (url, mode) = take_parameter(url, "sslmode");
    let (url, root_certificate) = take_parameter(&url, "sslrootcert");
    let config = Config::from_str(&url).map_err(|_| unreadable())?;
    // An '@' that is not written %40 ends the password too early; the rest of it would be shown as the host.
    if config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(name) if name.contains('@'))) {
        return Err(unreadable());
    }
    let tls = mode.map(|mode| mode.parse()).transpose()?;
    Ok(ParsedUrl { config, tls, root_certificate: root_certificate.map(PathBuf::from) })
}

/// Where the database is and who connects. Cheap to clone; its `Debug` never shows the password.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) config: Config,
    pub(super) tls: TlsMode,
    pub(super) root_certificate: Option<PathBuf>,
    pub(super) origins: Origins,
}

impl Settings {
    /// Settings out of a URL or a libpq key/value string, then the `password`, the `PG*` variables filling what is left open.
    /// `environment` looks a variable up (`std::env::var` in the program).
    ///
    /// # Errors
    /// `Error::Settings` where the URL, a variable or the password file can't be read.
    pub fn resolve(
        url: Option<&str>,
        password: Option<String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let ParsedUrl { mut config, tls, root_certificate } = parse(url.unwrap_or_default())?;
        let mut origins = Origins::default();
        let variable = |name: &'static str, origin: &mut Origin| {
            let value = environment(name).filter(|value| !value.is_empty());
            *origin = if value.is_some() { Origin::Variable(name) } else { Origin::Default };
            value
        };
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            match variable("PGHOST", &mut origins.host) {
                Some(hosts) => hosts.split(',').for_each(|host| {
                    config.host(host);
                }),
                None => {
                    config.host("localhost");
                }
            }
        }
        if config.get_ports().is_empty()
            && let Some(port) = variable("PGPORT", &mut origins.port)
        {
            let port =
                port.parse().map_err(|_| Error::Settings(format!("PGPORT '{port}' is no port number")))?;
            config.port(port);
        }
        if config.get_user().is_none() {
            let user = variable("PGUSER", &mut origins.user)
                .or_else(|| variable("USER", &mut origins.user))
                .unwrap_or_else(|| "postgres".to_owned());
            config.user(user);
        }
        if config.get_dbname().is_none() {
            let name = variable("PGDATABASE", &mut origins.database);
            config.dbname(name.unwrap_or_else(|| "audit_db".to_owned()));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        if config.get_password().is_none() {
            let origin = &mut origins.password;
            let password = if password.is_some() {
                *origin = Origin::Given;
                password
            } else if let Some(password) = variable("PGPASSWORD", origin) {
                Some(password)
            } else {
                let lookup = |name: &str| environment(name).filter(|value| !value.is_empty());
                let found = password_file::look_up(&config, &lookup)?;
                if found.is_some() && variable("PGPASSFILE", origin).is_none() {
                    *origin = Origin::PasswordFile;
                }
                found
            };
            if let Some(password) = password {
                config.password(password);
            }
        }
        // A half-open connection is noticed within about a minute instead of hours.
        config.keepalives_idle(Duration::from_secs(20));
        config.keepalives_interval(Duration::from_secs(5));
        config.keepalives_retries(4);
        config.tcp_user_timeout(Duration::from_secs(40));
        let tls = match tls {
            Some(tls) => tls,
            None => {
                variable("PGSSLMODE", &mut origins.tls).map_or(Ok(TlsMode::Prefer), |mode| mode.parse())?
            }
        };
        let root_certificate = root_certificate
            .or_else(|| variable("PGSSLROOTCERT", &mut origins.root_certificate).map(PathBuf::from));
        Ok(Self { config, tls, root_certificate, origins })
    }

    /// The database as `host:port/name`, for messages: without the user's password.
    pub fn target(&self) -> String {
        let host = self.config.get_hosts().first().map_or_else(
            || {
                self.config
                    .get_hostaddrs()
                    .first()
                    .map_or_else(|| "localhost".to_owned(), ToString::to_string)
            },
            |host| match host {
                Host::Tcp(name) => name.clone(),
                Host::Unix(path) => path.display().to_string(),
            },
        );
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        format!("{host}:{port}/{}", self.config.get_dbname().unwrap_or("audit_db"))
    }

    /// The TLS side of a connection.
    pub(super) fn connector(&self) -> Result<MakeTlsConnector, Error> {
        let failed = |error| Error::Settings(format!("TLS: {error}"));
        let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(failed)?;
        if let Some(path) = &self.root_certificate
            && path.as_os_str() != "system"
        {
            builder
                .set_ca_file(path)
                .map_err(|error| Error::Settings(format!("sslrootcert {}: {error}", path.display())))?;
        }
        let mode = self.tls;
        if matches!(mode, TlsMode::Prefer | TlsMode::Require) && self.root_certificate.is_none() {
            builder.set_verify(SslVerifyMode::NONE);
        }
        let mut connector = MakeTlsConnector::new(builder.build());
        connector.set_callback(move |connection, _host| {
            connection.set_verify_hostname(mode == TlsMode::VerifyFull);
            Ok(())
        });
        Ok(connector)
    }

    fn config_for(&self, application: &str) -> Config {
        let mut config = self.config.clone();
        config.application_name(application);
        config.ssl_mode(match self.tls {
            TlsMode::Disable => tokio_postgres::config::SslMode::Disable,
            TlsMode::Prefer => tokio_postgres::config::SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => {
                tokio_postgres::config::SslMode::Require
            }
        });
        config
    }
}

/// Takes `name=value` out of a URL's query or a key/value string: the driver knows neither all of libpq's `sslmode`s nor
/// `sslrootcert`.
fn take_parameter(url: &str, name: &str) -> (String, Option<String>) {
    let is_url = url.contains("://");
    let (head, parameters, separator) = match (is_url, url.split_once('?')) {
        (true, Some((head, query))) => (head, query, '&'),
        (true, None) => return (url.to_owned(), None),
        (false, _) => ("", url, ' '),
    };
    let mut value = None;
    let kept: Vec<&str> = parameters
        .split(separator)
        .filter(|part| match part.split_once('=') {
            Some((key, found)) if key.trim() == name => {
                value = Some(found.trim().trim_matches('\'').replace("%2F", "/").replace("%2f", "/"));
                false
            }
            _ => true,
        })
        .collect();
    let kept = kept.join(&separator.to_string());
    let rest = match (is_url, kept.is_empty()) {
        (true, true) => head.to_owned(),
        (true, false) => format!("{head}?{kept}"),
        (false, _) => kept,
    };
    (rest, value)
}

/// Every session: times in UTC, plain text forms, no statement of another's search path.
const SESSION: &str = "SET TimeZone = 'UTC'; SET client_min_messages = warning; SET search_path = public; \
                       SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'";

/// Connects and prepares the session. `application` is what `pg_stat_activity` shows.
///
/// # Errors
/// `Error::Connect`, or `Error::Settings` where TLS can't be set up.
pub async fn connect(settings: &Settings, application: &str) -> Result<Client, Error> {
    open(settings, application, None).await
}

/// Counts the notifications that arrived: a receiver that falls behind sees the newest count only, so a slow reader holds
/// nothing up. Closed when the connection ends.
pub type Notifications = watch::Receiver<u64>;

/// As [`connect`], and listens to `channel`.
///
/// # Errors
/// As [`connect`], or `Error::Query` where LISTEN fails.
pub async fn connect_listening(
    settings: &Settings,
    application: &str,
    channel: &'static str,
) -> Result<(Client, Notifications), Error> {
    let (sender, receiver) = watch::channel(0);
    let client = open(settings, application, Some(sender)).await?;
    client
        .batch_execute(&format!("LISTEN {channel}"))
        .await
        .map_err(Error::query("listening for new batches"))?;
    Ok((client, receiver))
}

async fn open(
    settings: &Settings,
    application: &str,
    sender: Option<watch::Sender<u64>>,
) -> Result<Client, Error> {
    let failed = |source| Error::Connect { target: settings.target(), source };
    let config = settings.config_for(application);
    let client = if settings.tls == TlsMode::Disable {
        let (client, mut connection) = config.connect(NoTls).await.map_err(failed)?;
        drive(poll_fn(move |context| connection.poll_message(context)), sender);
        client
    } else {
        let (client, mut connection) = config.connect(DeferredTls::new(settings)).await.map_err(failed)?;
        drive(poll_fn(move |context| connection.poll_message(context)), sender);
        client
    };
    client.batch_execute(SESSION).await.map_err(failed)?;
    Ok(client)
}

/// Runs the connection until it ends. Its error isn't lost: every request on the client fails with it.
fn drive<S>(messages: S, sender: Option<watch::Sender<u64>>)
where
    S: Stream<Item = Result<AsyncMessage, tokio_postgres::Error>> + Send + 'static,
{
    tokio::spawn(async move {
        let mut messages = std::pin::pin!(messages);
        while let Some(message) = messages.next().await {
            match message {
                Ok(AsyncMessage::Notification(_)) => {
                    if let Some(sender) = &sender {
                        sender.send_modify(|count| *count += 1);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(url: &str, variables: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::resolve(Some(url), None, |name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_url_wins_and_the_variables_fill_what_it_leaves_open() -> Result<(), Error> {
        let settings =
            resolve("postgresql://db.example:6000", &[("PGPORT", "7000"), ("PGDATABASE", "ledger")])?;
        assert_eq!(settings.target(), "db.example:6000/ledger");
        assert_eq!(resolve("", &[("PGHOST", "h"), ("PGPORT", "7000")])?.target(), "h:7000/audit_db");
        Ok(())
    }

    #[test]
    fn every_sslmode_of_libpq_is_understood_in_both_forms() -> Result<(), Error> {
        let url = "postgresql://h/d?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&application_name=x";
        let settings = resolve(url, &[])?;
        assert_eq!(settings.tls, TlsMode::VerifyFull);
        assert_eq!(settings.root_certificate, Some(PathBuf::from("/etc/ca.pem")));
        assert_eq!(resolve("host=h sslmode=verify-ca", &[])?.tls, TlsMode::VerifyCa);
        assert_eq!(resolve("", &[("PGSSLMODE", "require")])?.tls, TlsMode::Require);
        assert!(resolve("host=h sslmode=sometimes", &[]).is_err());
        Ok(())
    }

    #[test]
    fn a_password_is_never_shown() -> Result<(), Error> {
        let settings = resolve("postgresql://u:s3cret@h/d", &[])?;
        assert!(!format!("{settings:?} {}", settings.target()).contains("s3cret"));
        let error = resolve("postgresql://u:s3cret@h:port/d", &[]).expect_err("the port is no number");
        assert!(!format!("{error} {error:?}").contains("s3cret"));
        Ok(())
    }
}
