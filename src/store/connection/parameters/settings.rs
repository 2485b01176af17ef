//! The settings of a connection: the values of its parameters as types.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, SslNegotiation};

use super::parameter_source::ParameterSource;
use super::password_file::PasswordFile;
use super::servers::{self, Server};
use super::shown_parameters::{ConnectionParameter, shown};
use super::sourced_values::SourcedValues;
use super::tls_parameters;
use super::words::{self, TargetSession};
use crate::store::connection::tls::{Tls, TlsMode};
use crate::store::error::Error;

/// How long connecting to a server may take, unless `connect_timeout` says otherwise.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// No limit, as `connect_timeout=0` asks for it.
const NO_LIMIT: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Where the database is and who connects. Cheap to clone; its `Debug` never shows the password.
#[derive(Clone, Debug)]
pub struct Settings {
    /// In the order in which they are tried. At least one.
    pub(in crate::store) servers: Vec<Server>,
    /// Whether they are tried in any order.
    pub(in crate::store) is_shuffled: bool,
    pub(in crate::store) target_session: TargetSession,
    pub(in crate::store) connect_limit: Duration,
    pub(in crate::store) tls: Tls,
    /// What is the same for all servers.
    pub(in crate::store) config: Config,
    shown: Vec<ConnectionParameter>,
    notices: Vec<String>,
}

impl Settings {
    /// Settings out of a URL or a libpq key/value string, then the `password`, the service and the
    /// `PG*` variables filling what is left open. `environment` looks a variable up
    /// (`std::env::var` in the program).
    ///
    /// # Errors
    /// `Error::Url` or `Error::Settings` where one of them can't be read, or asks for what can't be
    /// done.
    pub fn resolve(
        url: Option<&str>,
        password: Option<String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let mut values = SourcedValues::of_text(url.unwrap_or_default())?;
        if let Some(password) = password {
            values.add("password", password, ParameterSource::Given);
        }
        values.add_environment(&environment)?;
        Self::of_values(values, &environment)
    }

    /// Whether a text can be read and asks for nothing that can't be done, whatever else there is.
    /// No file is read.
    ///
    /// # Errors
    /// `Error::Url` or `Error::Settings`.
    pub(super) fn check(text: &str) -> Result<(), Error> {
        let mut values = SourcedValues::of_text(text)?;
        values.remove("service");
        values.remove("passfile");
        Self::of_values(values, &|_| None).map(|_| ())
    }

    fn of_values(
        mut values: SourcedValues,
        environment: &impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let mut notices = values.check()?;
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let home = variable("HOME").map(PathBuf::from);
        let mut servers = servers::read(&values)?;
        values.add("host", "localhost".to_owned(), ParameterSource::Default);
        if values.text("user").is_none()
            && let Some(user) = variable("USER")
        {
            values.set("user", user, ParameterSource::Variable("USER"));
        }
        values.add("user", "postgres".to_owned(), ParameterSource::Default);
        values.add("dbname", "audit_db".to_owned(), ParameterSource::Default);
        let mut config = Config::new();
        let user = values.text("user").unwrap_or("postgres").to_owned();
        let database = values.text("dbname").unwrap_or("audit_db").to_owned();
        config.user(&user).dbname(&database);
        if let Some(options) = values.text("options") {
            config.options(options);
        }
        if let Some(password) = values.text("password") {
            config.password(password);
        } else {
            let source = values.source("passfile");
            let path = values.text("passfile").map(PathBuf::from);
            if let Some(path) = path.or_else(|| Some(home.as_ref()?.join(".pgpass"))) {
                let file = PasswordFile::read(&path);
                for server in &mut servers {
                    server.password = file.password(server, &database, &user);
                }
                if let Some(found) = servers.iter().find_map(|server| server.password.clone()) {
                    let source = match source {
                        ParameterSource::Default => ParameterSource::PasswordFile,
                        named => named,
                    };
                    values.set("password", found, source);
                }
                notices.extend(file.notice);
            }
        }
        let tls = tls_parameters::read(&mut values, home.as_deref())?;
        if tls.is_direct {
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        transport(&values, &mut config)?;
        let connect_limit = match words::number::<i32>(&values, "connect_timeout")? {
            Some(seconds) if seconds <= 0 => NO_LIMIT,
            _ => words::seconds(&values, "connect_timeout")?.unwrap_or(CONNECT_LIMIT),
        };
        let order = [("disable", false), ("random", true)];
        Ok(Self {
            servers,
            is_shuffled: words::word(&values, "load_balance_hosts", &order)?.unwrap_or(false),
            target_session: words::target_session(&values)?,
            connect_limit,
            shown: shown(&values, &tls),
            tls,
            config,
            notices,
        })
    }

    /// The database as `host:port/name`, for messages; of several servers all.
    pub fn target(&self) -> String {
        let servers: Vec<String> = self.servers.iter().map(ToString::to_string).collect();
        format!("{}/{}", servers.join(","), self.config.get_dbname().unwrap_or("audit_db"))
    }

    /// The same for one of the servers.
    pub(in crate::store) fn target_at(&self, server: &Server) -> String {
        format!("{server}/{}", self.config.get_dbname().unwrap_or("audit_db"))
    }

    /// Each parameter, and where it comes from. Of a password it says only whether there is one.
    pub fn parameters(&self) -> Vec<ConnectionParameter> {
        self.shown.clone()
    }

    /// What was given and is not heeded, in words for the user.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }
}

/// What the driver does with the bytes, and how the server lets it in.
fn transport(values: &SourcedValues, config: &mut Config) -> Result<(), Error> {
    let bindings = [
        ("disable", ChannelBinding::Disable),
        ("prefer", ChannelBinding::Prefer),
        ("require", ChannelBinding::Require),
    ];
    if let Some(binding) = words::word(values, "channel_binding", &bindings)? {
        config.channel_binding(binding);
    }
    config.keepalives(words::number::<i64>(values, "keepalives")? != Some(0));
    // Unless told otherwise, notices a half-open connection within about a minute instead of hours.
    let seconds =
        |name, usual| Ok(words::seconds(values, name)?.unwrap_or(Duration::from_secs(usual)));
    config.keepalives_idle(seconds("keepalives_idle", 20)?);
    config.keepalives_interval(seconds("keepalives_interval", 5)?);
    let count = words::number::<u32>(values, "keepalives_count")?.filter(|count| *count > 0);
    config.keepalives_retries(count.unwrap_or(4));
    // In milliseconds; 0 is the system's own.
    match words::number::<u32>(values, "tcp_user_timeout")? {
        Some(0) => {}
        Some(limit) => {
            config.tcp_user_timeout(Duration::from_millis(limit.into()));
        }
        None => {
            config.tcp_user_timeout(Duration::from_secs(40));
        }
    }
    Ok(())
}

impl Settings {
    /// Whether TLS is out of the question for a server: it is for every socket in the file system.
    pub(in crate::store) fn is_plain(&self, server: &Server) -> bool {
        server.is_socket() || self.tls.mode == TlsMode::Disable
    }
}

#[cfg(test)]
mod tests;
