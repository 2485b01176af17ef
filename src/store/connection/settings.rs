//! Connections: where the settings come from, TLS, and what every session sets.

use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::connect::CONNECT_LIMIT;
use super::parameters::{ParameterSource, ParameterSources};
use super::password_file;
use super::tls::{Tls, TlsMode};
use crate::store::Error;

/// What a URL says. What it says of TLS is our own: the driver does not know all of libpq's
/// parameters.
pub(in crate::store) struct ParsedUrl {
    pub(in crate::store) config: Config,
    /// The values of [`Tls::PARAMETERS`].
    tls: [Option<String>; 4],
}

/// Reads a URL or a libpq key/value string.
pub(in crate::store) fn parse(url: &str) -> Result<ParsedUrl, Error> {
    // The parser's message can hold parts of the URL, and so of a password: it isn't shown.
    let unreadable = || {
        Error::Settings(
            "the URL can't be read; expected postgresql://user@host:port/database or 'host=… dbname=…'"
                .to_owned(),
        )
    };
    let mut url = url.to_owned();
    let tls = Tls::PARAMETERS.map(|(name, _)| take_parameter(&mut url, name));
    let config = Config::from_str(&url).map_err(|_| unreadable())?;
    // An '@' that is not written %40 ends the password too early; the rest of it would be shown as
    // the host.
    if config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(name) if name.contains('@'))) {
        return Err(unreadable());
    }
    if let Some(mode) = &tls[0] {
        mode.parse::<TlsMode>()?;
    }
    Ok(ParsedUrl { config, tls })
}

/// Where the database is and who connects. Cheap to clone; its `Debug` never shows the password.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(in crate::store) config: Config,
    pub(in crate::store) tls: Tls,
    pub(in crate::store) sources: ParameterSources,
}

impl Settings {
    /// Settings out of a URL or a libpq key/value string, then the `password`, the `PG*` variables
    /// filling what is left open. `environment` looks a variable up (`std::env::var` in the
    /// program).
    ///
    /// # Errors
    /// `Error::Settings` where the URL, a variable or the password file can't be read.
    pub fn resolve(
        url: Option<&str>,
        password: Option<String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let ParsedUrl { mut config, mut tls } = parse(url.unwrap_or_default())?;
        let mut sources = ParameterSources::default();
        let variable = |name: &'static str, source: &mut ParameterSource| {
            let value = environment(name).filter(|value| !value.is_empty());
            *source = if value.is_some() {
                ParameterSource::Variable(name)
            } else {
                ParameterSource::Default
            };
            value
        };
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            match variable("PGHOST", &mut sources.host) {
                Some(hosts) => hosts.split(',').for_each(|host| {
                    config.host(host);
                }),
                None => {
                    config.host("localhost");
                }
            }
        }
        if config.get_ports().is_empty()
            && let Some(port) = variable("PGPORT", &mut sources.port)
        {
            let port = port
                .parse()
                .map_err(|_| Error::Settings(format!("PGPORT '{port}' is no port number")))?;
            config.port(port);
        }
        if config.get_user().is_none() {
            let user = variable("PGUSER", &mut sources.user)
                .or_else(|| variable("USER", &mut sources.user))
                .unwrap_or_else(|| "postgres".to_owned());
            config.user(user);
        }
        if config.get_dbname().is_none() {
            let name = variable("PGDATABASE", &mut sources.database);
            config.dbname(name.unwrap_or_else(|| "audit_db".to_owned()));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_LIMIT);
        }
        if config.get_password().is_none() {
            let source = &mut sources.password;
            let password = if password.is_some() {
                *source = ParameterSource::Given;
                password
            } else if let Some(password) = variable("PGPASSWORD", source) {
                Some(password)
            } else {
                let lookup = |name: &str| environment(name).filter(|value| !value.is_empty());
                let found = password_file::look_up(&config, &lookup)?;
                if found.is_some() && variable("PGPASSFILE", source).is_none() {
                    *source = ParameterSource::PasswordFile;
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
        for ((value, (_, name)), source) in
            tls.iter_mut().zip(Tls::PARAMETERS).zip(&mut sources.tls)
        {
            if value.is_none() {
                *value = variable(name, source);
            }
        }
        Ok(Self { config, tls: Tls::new(tls)?, sources })
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
}

/// Takes `name=value` out of a URL's query or a key/value string: the driver knows neither all of
/// libpq's `sslmode`s nor where certificates are.
fn take_parameter(url: &mut String, name: &str) -> Option<String> {
    let is_url = url.contains("://");
    let (head, parameters, separator) = match (is_url, url.split_once('?')) {
        (true, Some((head, query))) => (head, query, '&'),
        (true, None) => return None,
        (false, _) => ("", url.as_str(), ' '),
    };
    let mut value = None;
    let kept: Vec<&str> = parameters
        .split(separator)
        .filter(|part| match part.split_once('=') {
            Some((key, found)) if key.trim() == name => {
                value = Some(if is_url {
                    percent_decode_str(found).decode_utf8_lossy().into_owned()
                } else {
                    found.trim_matches('\'').to_owned()
                });
                false
            }
            _ => true,
        })
        .collect();
    let kept = kept.join(&separator.to_string());
    *url = match (is_url, kept.is_empty()) {
        (true, true) => head.to_owned(),
        (true, false) => format!("{head}?{kept}"),
        (false, _) => kept,
    };
    value
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn resolve(url: &str, variables: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::resolve(Some(url), None, |name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_url_wins_and_the_variables_fill_what_it_leaves_open() -> Result<(), Error> {
        let settings = resolve(
            "postgresql://db.example:6000",
            &[("PGPORT", "7000"), ("PGDATABASE", "ledger")],
        )?;
        assert_eq!(settings.target(), "db.example:6000/ledger");
        assert_eq!(
            resolve("", &[("PGHOST", "h"), ("PGPORT", "7000")])?.target(),
            "h:7000/audit_db"
        );
        Ok(())
    }

    #[test]
    fn every_sslmode_of_libpq_is_understood_in_both_forms() -> Result<(), Error> {
        let url = "postgresql://h/d?sslmode=verify-full&sslrootcert=%2Fetc%2Fca%20of%20us.pem&application_name=x";
        let settings = resolve(url, &[])?;
        assert_eq!(settings.tls.mode, TlsMode::VerifyFull);
        assert_eq!(settings.tls.root_certificate, Some(PathBuf::from("/etc/ca of us.pem")));
        assert_eq!(resolve("host=h sslmode=verify-ca", &[])?.tls.mode, TlsMode::VerifyCa);
        assert_eq!(resolve("", &[("PGSSLMODE", "require")])?.tls.mode, TlsMode::Require);
        assert!(resolve("host=h sslmode=sometimes", &[]).is_err());
        Ok(())
    }

    #[test]
    fn a_password_is_never_shown() -> Result<(), Error> {
        let settings = resolve("postgresql://u:s3cret@h/d", &[])?;
        assert!(!format!("{settings:?} {}", settings.target()).contains("s3cret"));
        let error =
            resolve("postgresql://u:s3cret@h:port/d", &[]).expect_err("the port is no number");
        assert!(!format!("{error} {error:?}").contains("s3cret"));
        Ok(())
    }
}
