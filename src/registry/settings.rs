//! Where a schema registry is, and who asks it.

use std::fmt;
use std::path::PathBuf;

use reqwest::Url;

use super::error::Error;
use super::url::RegistryUrl;

/// Who asks, as far as the URL does not say it. `Debug` shows no password.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The user.
    pub user: Option<String>,
    /// The password.
    pub password: Option<String>,
}

/// Where a schema registry is, and who asks it. `Debug` shows no password.
#[derive(Clone)]
pub struct Settings {
    base: Url,
    credentials: Credentials,
    ca_file: Option<PathBuf>,
}

impl Settings {
    /// What the URL says of the user and the password comes first.
    ///
    /// # Errors
    /// `Error::Url`.
    pub fn new(
        url: &RegistryUrl,
        credentials: Credentials,
        ca_file: Option<PathBuf>,
    ) -> Result<Self, Error> {
        let parts = url.parts()?;
        let credentials = Credentials {
            user: parts.user.or(credentials.user),
            password: parts.password.or(credentials.password),
        };
        Ok(Self { base: parts.base, credentials, ca_file })
    }

    /// The registry, without user and password.
    pub fn shown(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }

    pub(in crate::registry) fn base(&self) -> &Url {
        &self.base
    }

    pub(in crate::registry) fn ca_file(&self) -> Option<&PathBuf> {
        self.ca_file.as_ref()
    }

    /// User and password, where either is given.
    pub(in crate::registry) fn login(&self) -> Option<(&str, Option<&str>)> {
        let Credentials { user, password } = &self.credentials;
        match (user, password) {
            (None, None) => None,
            (user, password) => Some((user.as_deref().unwrap_or_default(), password.as_deref())),
        }
    }

    /// Whether the registry is on this computer, where no proxy leads.
    pub(in crate::registry) fn is_loopback(&self) -> bool {
        let host = self.base.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host.eq_ignore_ascii_case("localhost")
            || host.to_ascii_lowercase().ends_with(".localhost")
            || address.is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("user", &self.user.as_ref().map(|_| "***"))
            .field("password", &self.password.as_ref().map(|_| "***"))
            .finish()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("base", &self.shown())
            .field("credentials", &self.credentials)
            .field("ca_file", &self.ca_file)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> Settings {
        let user = Some("given".to_owned());
        let password = Some("s3cret".to_owned());
        Settings::new(&url.into(), Credentials { user, password }, None).expect("a usable URL")
    }

    #[test]
    fn the_url_comes_first_and_the_rest_fills_what_it_leaves_open() {
        assert_eq!(settings("http://host").login(), Some(("given", Some("s3cret"))));
        assert_eq!(settings("http://own@host").login(), Some(("own", Some("s3cret"))));
        assert_eq!(settings("http://own:pw@host").login(), Some(("own", Some("pw"))));
        let nobody = Settings::new(&"http://host".into(), Credentials::default(), None);
        assert_eq!(nobody.expect("a usable URL").login(), None);
    }

    #[test]
    fn nothing_that_is_shown_holds_a_secret() {
        let settings = settings("https://own:s3cret@host/path/");
        assert_eq!(settings.shown(), "https://host/path");
        let shown = format!("{settings:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("own"), "{shown}");
    }

    #[test]
    fn a_registry_on_this_computer_is_known_by_its_host() {
        for url in
            ["http://localhost:1", "http://127.0.0.2", "http://[::1]:8081", "http://a.localhost"]
        {
            assert!(settings(url).is_loopback(), "{url}");
        }
        for url in ["http://host", "http://128.0.0.1", "http://localhost.example"] {
            assert!(!settings(url).is_loopback(), "{url}");
        }
    }
}
