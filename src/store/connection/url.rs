//! The URL of a database, which can hold a password.

use std::fmt;

use super::parsed_url::parse;
use crate::store::error::Error;

/// The text in the place of a secret.
const HIDDEN: &str = "***";

/// A URL or a libpq key/value string. Neither `Display` nor `Debug` shows its password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl From<String> for DatabaseUrl {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl DatabaseUrl {
    /// As it was given, password included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it can be read at all.
    ///
    /// # Errors
    /// `Error::Settings`, which shows nothing of it.
    pub fn check(&self) -> Result<(), Error> {
        parse(&self.0).map(|_| ())
    }

    /// Whether there is a password in it.
    pub fn holds_password(&self) -> bool {
        parse(&self.0).is_ok_and(|parsed| parsed.config.get_password().is_some())
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = match self.0.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://{}", without_credentials(rest)),
            None => without_pair(&self.0),
        };
        // Shows nothing where the driver still finds a password: it has the last word on what one
        // is.
        let hidden = parse(&shown).is_ok_and(|parsed| {
            parsed.config.get_password().is_none_or(|found| found == HIDDEN.as_bytes())
        });
        formatter.write_str(if hidden { &shown } else { HIDDEN })
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.to_string())
    }
}

/// Hides passwords in what follows a URL's scheme: `user:***@host/…?password=***`.
fn without_credentials(rest: &str) -> String {
    let place = match rest.split_once('@') {
        Some((credentials, place)) => match credentials.split_once(':') {
            Some((user, _)) => format!("{user}:{HIDDEN}@{place}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let Some((place, query)) = place.split_once('?') else { return place };
    let parameters: Vec<String> = query
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some(("password", _)) => format!("password={HIDDEN}"),
            _ => parameter.to_owned(),
        })
        .collect();
    format!("{place}?{}", parameters.join("&"))
}

/// Hides the password of a key/value string: `host=… password=***`. A value ends at a blank that no
/// backslash escapes, or at its closing quote.
fn without_pair(text: &str) -> String {
    let found = text.split_once("password").and_then(|(before, after)| {
        let value = after.trim_start().strip_prefix('=')?.trim_start();
        let quoted = value.starts_with('\'');
        let mut escaped = false;
        let end = value.char_indices().skip(usize::from(quoted)).find(|(_, character)| {
            let ends =
                !escaped && if quoted { *character == '\'' } else { character.is_whitespace() };
            escaped = *character == '\\' && !escaped;
            ends
        });
        let rest = end.map_or("", |(position, _)| &value[position + usize::from(quoted)..]);
        Some(format!("{before}password={HIDDEN}{rest}"))
    });
    found.unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_hidden_in_every_form() {
        let cases = [
            (
                "postgresql://me@h:6/d?sslmode=verify-full",
                "postgresql://me@h:6/d?sslmode=verify-full",
            ),
            ("postgresql://me:s3cret@h/d", "postgresql://me:***@h/d"),
            ("postgresql://:s3cret@h", "postgresql://:***@h"),
            ("postgresql://me:s3/c?ret@h/d", "postgresql://me:***@h/d"),
            (
                "postgresql://me@h/d?password=s3cret&sslmode=require",
                "postgresql://me@h/d?password=***&sslmode=require",
            ),
            ("postgresql://me@h/d?p%61ssword=s3cret", "***"),
            ("postgresql://me:s3cret@h:port/d", "***"),
            ("postgresql://me:x@s3cret@h/d", "***"),
            ("postgresql:/me:s3cret@h/d", "***"),
            ("host=h user=me", "host=h user=me"),
            ("host=h password=s3cret user=me", "host=h password=*** user=me"),
            (r"host=h password = 's3 \'cret' user=me", "host=h password=*** user=me"),
            (r"host=h password=s3\ cret", "host=h password=***"),
            ("password=s3cret password=s3cret", "***"),
            ("password='s3cret", "password=***"),
        ];
        for (given, shown) in cases {
            let url = DatabaseUrl::from(given.to_owned());
            assert_eq!(url.to_string(), shown, "{given}");
            assert!(!format!("{url:?}").contains("cret"), "{given}");
        }
    }

    #[test]
    fn it_is_known_whether_there_is_a_password() {
        let holds = |text: &str| DatabaseUrl::from(text.to_owned()).holds_password();
        assert!(holds("postgresql://me:s3cret@h/d") && holds("host=h password=s3cret"));
        assert!(!holds("postgresql://me@h/d") && !holds("") && !holds("host=h"));
    }
}
