//! The URL of a schema registry, which can hold a password.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::error::Error;

/// The text in the place of a secret.
const HIDDEN: &str = "***";

/// A URL as it was given. Neither `Display` nor `Debug` shows the user or the password in it.
#[derive(Clone, PartialEq, Eq)]
pub struct RegistryUrl(String);

/// What a URL consists of.
pub(in crate::registry) struct UrlParts {
    /// Without user and password, and with a path that ends without a slash.
    pub(in crate::registry) base: Url,
    pub(in crate::registry) user: Option<String>,
    pub(in crate::registry) password: Option<String>,
}

impl From<String> for RegistryUrl {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for RegistryUrl {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl RegistryUrl {
    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it can be read.
    ///
    /// # Errors
    /// `Error::Url`, which shows no password.
    pub fn check(&self) -> Result<(), Error> {
        self.parts().map(drop)
    }

    /// Whether there is a password in it, or a token in its place.
    pub fn holds_password(&self) -> bool {
        self.parts().is_ok_and(|parts| parts.user.is_some() || parts.password.is_some())
    }

    pub(in crate::registry) fn parts(&self) -> Result<UrlParts, Error> {
        let refused = |reason: &str| Error::Url(reason.to_owned());
        // The parser's own words never show the text.
        let mut base = Url::parse(self.0.trim()).map_err(|error| {
            Error::Url(format!("{error}; write http://host:8081 or https://host"))
        })?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(refused("a schema registry is asked by http:// or https://"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(refused("the URL of a schema registry ends with its path"));
        }
        let decoded = |text: &str| {
            percent_decode_str(text)
                .decode_utf8()
                .map(Cow::into_owned)
                .map_err(|_| refused("the user or the password is not UTF-8"))
        };
        let user = match base.username() {
            "" => None,
            user => Some(decoded(user)?),
        };
        let password = base.password().map(decoded).transpose()?;
        if base.set_username("").and_then(|()| base.set_password(None)).is_err() {
            return Err(refused("the URL names no host"));
        }
        if let Ok(mut segments) = base.path_segments_mut() {
            segments.pop_if_empty();
        }
        Ok(UrlParts { base, user, password })
    }
}

/// Shows nothing of a text that can't be read: whatever is in it may be a part of a password.
impl fmt::Display for RegistryUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            Ok(parts) => formatter.write_str(&shown(&parts)),
            Err(_) => formatter.write_str(HIDDEN),
        }
    }
}

impl fmt::Debug for RegistryUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.to_string())
    }
}

fn shown(parts: &UrlParts) -> String {
    let text = parts.base.as_str().trim_end_matches('/');
    match text.split_once("://") {
        Some((scheme, rest)) if parts.user.is_some() || parts.password.is_some() => {
            format!("{scheme}://{HIDDEN}@{rest}")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::RegistryUrl;

    #[test]
    fn whoever_is_named_in_a_url_is_masked_where_it_is_shown() {
        for (given, shown) in [
            ("http://localhost:8081", "http://localhost:8081"),
            ("http://localhost:8081/", "http://localhost:8081"),
            ("https://audit:s3cr%40t@host/apis/ccompat/v7/", "https://***@host/apis/ccompat/v7"),
            ("https://token@host", "https://***@host"),
            ("https://:word@host:8443", "https://***@host:8443"),
            ("s3cr@t", "***"),
            ("http://[", "***"),
        ] {
            let url = RegistryUrl::from(given);
            assert_eq!((url.to_string(), format!("{url:?}")), (shown.into(), format!("{shown:?}")));
        }
    }

    #[test]
    fn what_a_url_holds_is_taken_apart() {
        let url = RegistryUrl::from("https://a%2Fb:p%40ss%3A@registry.example/apis/ccompat/v7/");
        let parts = url.parts().expect("it is a URL");
        assert_eq!(parts.base.as_str(), "https://registry.example/apis/ccompat/v7");
        assert_eq!(parts.user.as_deref(), Some("a/b"));
        assert_eq!(parts.password.as_deref(), Some("p@ss:"));
        assert!(url.holds_password());
        assert!(!RegistryUrl::from("http://host").holds_password());
    }

    #[test]
    fn what_is_no_url_of_a_registry_is_refused_without_showing_it() {
        for given in
            ["", "host:8081", "ftp://s3cret@host", "http://s3cret@host?x", "s3cret", "http://"]
        {
            let refused = RegistryUrl::from(given).check();
            let Err(refused) = refused else { panic!("{given} is taken for a URL") };
            assert!(!format!("{refused} {refused:?}").contains("s3cret"), "{refused}");
        }
    }
}
