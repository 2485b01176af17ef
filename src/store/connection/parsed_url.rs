//! Reads a URL or a libpq key/value string.

use std::str::FromStr;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::tls::{Tls, TlsMode};
use crate::store::error::Error;

/// The settings that a URL gives.
pub(super) struct ParsedUrl {
    /// What the driver reads.
    pub(super) config: Config,
    /// The values of [`Tls::PARAMETERS`], which the driver does not know in all of libpq's forms.
    pub(super) tls: [Option<String>; 4],
}

/// Reads a URL or a libpq key/value string.
///
/// # Errors
/// `Error::Settings`, which shows nothing of the text.
pub(super) fn parse(url: &str) -> Result<ParsedUrl, Error> {
    // Hides the parser's message, which can hold parts of the URL, and so of a password.
    let unreadable = || {
        Error::Settings(
            "the URL can't be read; expected postgresql://user@host:port/database or 'host=… dbname=…'"
                .to_owned(),
        )
    };
    let mut url = url.to_owned();
    let tls = Tls::PARAMETERS.map(|(name, _)| take_parameter(&mut url, name));
    let config = Config::from_str(&url).map_err(|_| unreadable())?;
    // Refuses a host with '@': an '@' in a password that is not written %40 ends the password too
    // early, and the rest of it would be shown as the host.
    if config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(name) if name.contains('@'))) {
        return Err(unreadable());
    }
    if let Some(mode) = &tls[0] {
        mode.parse::<TlsMode>()?;
    }
    Ok(ParsedUrl { config, tls })
}

/// Takes `name=value` out of a URL's query or a key/value string, and returns the value.
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
