//! The name of a log, which is the name of its key, too.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The name of a log: of an installation, and of how often its log began again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin {
    installation: Uuid,
    restart: i32,
}

/// Text that names no log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an origin is audit/ and the id of an installation, as {example}", example = EXAMPLE)]
pub struct OriginError;

const EXAMPLE: &str = "audit/5b3c9a52-0c5e-4c58-9a3c-0f5c3fb0d1a7";

impl Origin {
    /// The name of the log of an installation after its nth restart; 0 is the first log.
    ///
    /// # Errors
    /// [`OriginError`] where the number of restarts is negative.
    pub fn new(installation: Uuid, restart: i32) -> Result<Self, OriginError> {
        if restart < 0 { Err(OriginError) } else { Ok(Self { installation, restart }) }
    }

    /// The id of the installation.
    pub fn installation(&self) -> Uuid {
        self.installation
    }

    /// How often the log began again.
    pub fn restart(&self) -> i32 {
        self.restart
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "audit/{}", self.installation)?;
        if self.restart > 0 { write!(formatter, "/{}", self.restart) } else { Ok(()) }
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let name = text.strip_prefix("audit/").ok_or(OriginError)?;
        let (id, restart) = match name.split_once('/') {
            Some((id, number)) => (id, number.parse().map_err(|_| OriginError)?),
            None => (name, 0),
        };
        let installation = Uuid::try_parse(id).map_err(|_| OriginError)?;
        let origin = Self::new(installation, restart)?;
        // Only one text names it: no upper case, no zeros before a number, no restart 0.
        if origin.to_string() == text { Ok(origin) } else { Err(OriginError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_alone_names_a_log() {
        for text in [EXAMPLE.to_owned(), format!("{EXAMPLE}/1"), format!("{EXAMPLE}/2147483647")] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), text);
        }
        let id = &EXAMPLE[6..];
        for text in [
            String::new(),
            "audit/".to_owned(),
            id.to_owned(),
            format!("audit/{}", id.to_uppercase()),
            format!("audit/{}", id.replace('-', "")),
            format!("audit/{{{id}}}"),
            format!("audit/urn:uuid:{id}"),
            format!(" {EXAMPLE}"),
            format!("{EXAMPLE}\n"),
            format!("{EXAMPLE}/"),
            format!("{EXAMPLE}/0"),
            format!("{EXAMPLE}/01"),
            format!("{EXAMPLE}/+1"),
            format!("{EXAMPLE}/-1"),
            format!("{EXAMPLE}/2147483648"),
            format!("{EXAMPLE}/1/1"),
            format!("other/{id}"),
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError), "{text}");
        }
        assert_eq!(Origin::new(Uuid::nil(), -1), Err(OriginError));
    }
}
