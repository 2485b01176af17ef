//! The settings part by part, as `audit config` shows them.

use tokio_postgres::config::Host;

use super::parameter_source::ParameterSource;
use super::settings::Settings;
use super::tls::Tls;

/// One parameter of the settings as text. Of a password it says only whether there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionParameter {
    /// What it is.
    pub name: &'static str,
    /// Its value, where it has one.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: ParameterSource,
}

impl Settings {
    /// Each parameter, and where it comes from.
    pub fn parameters(&self) -> Vec<ConnectionParameter> {
        let Self { config, sources, .. } = self;
        let hosts = config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let addresses = config.get_hostaddrs().iter().map(ToString::to_string);
        let hosts: Vec<String> =
            if config.get_hosts().is_empty() { addresses.collect() } else { hosts.collect() };
        let ports: Vec<String> = config.get_ports().iter().map(ToString::to_string).collect();
        let (ports, port_origin) = match ports.is_empty() {
            true => ("5432".to_owned(), ParameterSource::Default),
            false => (ports.join(","), sources.port),
        };
        let password = if config.get_password().is_some() { "set" } else { "not set" };
        let tls = Tls::PARAMETERS.into_iter().zip(self.tls.values()).zip(sources.tls);
        let parameter = |name, value, source| ConnectionParameter { name, value, source };
        let mut parameters = vec![
            parameter("host", Some(hosts.join(",")), sources.host),
            parameter("port", Some(ports), port_origin),
            parameter("name", config.get_dbname().map(str::to_owned), sources.database),
            parameter("user", config.get_user().map(str::to_owned), sources.user),
            parameter("password", Some(password.to_owned()), sources.password),
        ];
        parameters.extend(tls.map(|(((name, _), value), source)| parameter(name, value, source)));
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::error::Error;

    #[test]
    fn each_part_knows_where_it_comes_from() -> Result<(), Error> {
        let variables = [("PGPORT", "7000"), ("PGUSER", "anna"), ("PGPASSWORD", "s3cret")];
        let environment = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let parameters = |url, password| -> Result<Vec<String>, Error> {
            let settings = Settings::resolve(Some(url), password, environment)?;
            let shown = settings.parameters().into_iter();
            Ok(shown
                .map(|parameter| {
                    format!("{} {:?} {:?}", parameter.name, parameter.value, parameter.source)
                })
                .collect())
        };
        assert_eq!(
            parameters("host=h dbname=d sslrootcert=/ca.pem", None)?,
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
        assert_eq!(parameters("", Some("s3cret".to_owned()))?[4], "password Some(\"set\") Given");
        assert_eq!(
            parameters("postgresql://u:s3cret@h", Some("other".to_owned()))?[4],
            "password Some(\"set\") Url"
        );
        Ok(())
    }
}
