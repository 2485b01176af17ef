//! The parts of the settings one by one, for people who ask where each comes from.

use tokio_postgres::config::Host;

use super::connect::Settings;
use super::tls::Tls;

/// Where a part of the settings comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Origin {
    /// The URL.
    #[default]
    Url,
    /// The caller, beside the URL.
    Given,
    /// An environment variable.
    Variable(&'static str),
    /// `~/.pgpass`.
    PasswordFile,
    /// Nowhere.
    Default,
}

/// The origins of what can come from several places.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins {
    pub(super) host: Origin,
    pub(super) port: Origin,
    pub(super) user: Origin,
    pub(super) database: Origin,
    pub(super) password: Origin,
    /// Of `Tls::PARAMETERS`.
    pub(super) tls: [Origin; 4],
}

/// A part of the settings for people. Of a password it says only whether there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub name: &'static str,
    /// Its value, where it has one.
    pub value: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
}

impl Settings {
    /// Each part for people, and where it comes from.
    pub fn parts(&self) -> Vec<Part> {
        let Self { config, origins, .. } = self;
        let hosts = config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let addresses = config.get_hostaddrs().iter().map(ToString::to_string);
        let hosts: Vec<String> =
            if config.get_hosts().is_empty() { addresses.collect() } else { hosts.collect() };
        let ports: Vec<String> = config.get_ports().iter().map(ToString::to_string).collect();
        let (ports, port_origin) = match ports.is_empty() {
            true => ("5432".to_owned(), Origin::Default),
            false => (ports.join(","), origins.port),
        };
        let password = if config.get_password().is_some() { "set" } else { "not set" };
        let tls = Tls::PARAMETERS.into_iter().zip(self.tls.values()).zip(origins.tls);
        let part = |name, value, origin| Part { name, value, origin };
        let mut parts = vec![
            part("host", Some(hosts.join(",")), origins.host),
            part("port", Some(ports), port_origin),
            part("name", config.get_dbname().map(str::to_owned), origins.database),
            part("user", config.get_user().map(str::to_owned), origins.user),
            part("password", Some(password.to_owned()), origins.password),
        ];
        parts.extend(tls.map(|(((name, _), value), origin)| part(name, value, origin)));
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Error;

    #[test]
    fn each_part_knows_where_it_comes_from() -> Result<(), Error> {
        let variables = [("PGPORT", "7000"), ("PGUSER", "anna"), ("PGPASSWORD", "s3cret")];
        let environment =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let parts = |url, password| -> Result<Vec<String>, Error> {
            let settings = Settings::resolve(Some(url), password, environment)?;
            let shown = settings.parts().into_iter();
            Ok(shown.map(|part| format!("{} {:?} {:?}", part.name, part.value, part.origin)).collect())
        };
        assert_eq!(
            parts("host=h dbname=d sslrootcert=/ca.pem", None)?,
            [
                "host Some(\"h\") Url",
                "port Some(\"7000\") Variable(\"PGPORT\")",
                "name Some(\"d\") Url",
                "user Some(\"anna\") Variable(\"PGUSER\")",
                "password Some(\"set\") Variable(\"PGPASSWORD\")",
                "sslmode Some(\"prefer\") Default",
                "sslrootcert Some(\"/ca.pem\") Url",
                "sslcert None Default",
                "sslkey None Default",
            ]
        );
        assert_eq!(parts("", Some("s3cret".to_owned()))?[4], "password Some(\"set\") Given");
        assert_eq!(
            parts("postgresql://u:s3cret@h", Some("other".to_owned()))?[4],
            "password Some(\"set\") Url"
        );
        Ok(())
    }
}
