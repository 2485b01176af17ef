//! The settings of a connection: out of a URL, the caller, environment variables and the password
//! file.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::parameter_source::{ParameterSource, ParameterSources};
use super::parsed_url::{ParsedUrl, parse};
use super::password_file;
use super::tls::Tls;
use crate::store::error::Error;

/// How long connecting may take, unless `connect_timeout` says otherwise.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

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
        // Notices a half-open connection within about a minute instead of hours.
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

    /// How long connecting may take.
    pub(in crate::store) fn connect_limit(&self) -> Duration {
        self.config.get_connect_timeout().copied().unwrap_or(CONNECT_LIMIT)
    }

    /// The database as `host:port/name`, for messages.
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::store::connection::tls::TlsMode;

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
