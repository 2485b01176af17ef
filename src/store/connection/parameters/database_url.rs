//! The URL of a database, which can hold a password.

use std::fmt;

use super::connection_string;
use super::known_parameters::KnownParameter;
use super::settings::Settings;
use super::sourced_values::SourcedValues;
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

    /// Whether it can be read, and asks for nothing that can't be done.
    ///
    /// # Errors
    /// `Error::Url` or `Error::Settings`, which shows no password.
    pub fn check(&self) -> Result<(), Error> {
        Settings::check(&self.0)
    }

    /// Whether there is a password in it.
    pub fn holds_password(&self) -> bool {
        SourcedValues::of_text(&self.0).is_ok_and(|values| {
            ["password", "sslpassword"].iter().any(|name| values.text(name).is_some())
        })
    }
}

/// Shows nothing of a text that can't be read: whatever is in it may be a part of a password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Ok(found), Ok(_)) =
            (connection_string::read(&self.0), SourcedValues::of_text(&self.0))
        else {
            return formatter.write_str(HIDDEN);
        };
        let mut written = 0;
        for given in found {
            if KnownParameter::named(&given.name).is_ok_and(KnownParameter::is_secret) {
                formatter.write_str(self.0.get(written..given.place.start).unwrap_or_default())?;
                formatter.write_str(HIDDEN)?;
                written = given.place.end;
            }
        }
        formatter.write_str(self.0.get(written..).unwrap_or_default())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.to_string())
    }
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
            ("postgresql://me@h/d?p%61ssword=s3cret", "postgresql://me@h/d?p%61ssword=***"),
            (
                "postgresql://me:s3cret@h?sslpassword=s3cret",
                "postgresql://me:***@h?sslpassword=***",
            ),
            ("postgresql://me:s3cret@h:port/d", "***"),
            ("postgresql://me:x@s3cret@h/d", "***"),
            ("postgresql:/me:s3cret@h/d", "***"),
            ("host=h user=me", "host=h user=me"),
            ("host=h password=s3cret user=me", "host=h password=*** user=me"),
            (r"host=h password = 's3 \'cret' user=me", "host=h password = *** user=me"),
            (r"host=h password=s3\ cret", "host=h password=***"),
            ("password=s3cret password=s3cret", "password=*** password=***"),
            ("password=s3 c=ret", "***"),
            ("port= password=s3cret", "***"),
            ("password='s3cret", "***"),
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
