//! The settings part by part, as `audit config` shows them.

use super::known_parameters::PARAMETERS;
use super::parameter_source::ParameterSource;
use super::sourced_values::SourcedValues;
use crate::store::connection::tls::Tls;

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

/// Those that are always shown, in this order; of the others those that were given follow.
const ALWAYS: [&str; 9] =
    ["host", "port", "dbname", "user", "password", "sslmode", "sslrootcert", "sslcert", "sslkey"];

/// Each parameter, and where it comes from.
pub(super) fn shown(values: &SourcedValues, tls: &Tls) -> Vec<ConnectionParameter> {
    let given = PARAMETERS.iter().map(|known| known.name);
    let given = given.filter(|name| values.text(name).is_some() && !ALWAYS.contains(name));
    ALWAYS.into_iter().chain(given).map(|name| parameter(name, values, tls)).collect()
}

fn parameter(name: &'static str, values: &SourcedValues, tls: &Tls) -> ConnectionParameter {
    let text = values.text(name).map(str::to_owned);
    let value = match name {
        "password" | "sslpassword" => {
            Some(if text.is_some() { "set" } else { "not set" }.to_owned())
        }
        "port" => Some(text.unwrap_or_else(|| "5432".to_owned())),
        "sslmode" => Some(tls.mode.name().to_owned()),
        _ => text,
    };
    // Its name in what is shown, which scripts read.
    let shown = if name == "dbname" { "name" } else { name };
    ConnectionParameter { name: shown, value, source: values.source(name) }
}

#[cfg(test)]
mod tests {
    use crate::store::connection::parameters::Settings;
    use crate::store::error::Error;

    #[test]
    fn each_part_knows_where_it_comes_from() -> Result<(), Error> {
        let variables = [
            ("PGPORT", "7000"),
            ("PGUSER", "anna"),
            ("PGPASSWORD", "s3cret"),
            ("PGOPTIONS", "-c a=b"),
        ];
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
            parameters("host=h dbname=d sslrootcert=/ca.pem connect_timeout=3", None)?,
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
                "connect_timeout Some(\"3\") Url",
                "options Some(\"-c a=b\") Variable(\"PGOPTIONS\")",
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
