//! Ids as people type them: whole, by their beginning, or in the short form that tables show on a
//! terminal.

use std::fmt;

use uuid::Uuid;

use super::error::{Error, SHORTEST_PREFIX};

/// The UUIDs that a typed id means: one, or all from `low` to `high`; with `suffix`, only those
/// that end with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// The lowest UUID meant.
    pub low: Uuid,
    /// The highest UUID meant.
    pub high: Uuid,
    /// The last hexadecimal digits, where the short form `019aa4c5…4b5a` was typed.
    pub suffix: Option<String>,
}

impl Identifier {
    /// A whole id.
    pub fn whole(id: Uuid) -> Self {
        Self { low: id, high: id, suffix: None }
    }

    /// Reads a UUID in any usual spelling, its first digits, or the short form `019aa4c5…4b5a`
    /// (`..` for `…` too).
    ///
    /// # Errors
    /// `Error::Identifier` with the text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if let Ok(uuid) = Uuid::parse_str(text) {
            return Ok(Self::whole(uuid));
        }
        let wrong = || Error::Identifier(text.to_owned());
        let (head, tail) =
            text.split_once('…').or_else(|| text.split_once("..")).unwrap_or((text, ""));
        let head =
            digits(head).filter(|digits| digits.len() >= SHORTEST_PREFIX).ok_or_else(wrong)?;
        let tail = digits(tail).ok_or_else(wrong)?;
        let bound = |filler: &str| {
            let filled = format!("{head}{}", filler.repeat(32 - head.len()));
            Uuid::parse_str(&filled).map_err(|_| wrong())
        };
        Ok(Self { low: bound("0")?, high: bound("f")?, suffix: (!tail.is_empty()).then_some(tail) })
    }

    /// The one UUID meant, where it was typed whole.
    pub fn exact(&self) -> Option<Uuid> {
        (self.low == self.high).then_some(self.low)
    }
}

/// As it can be typed: a UUID, its beginning, or its short form.
impl fmt::Display for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(uuid) = self.exact() {
            return uuid.fmt(formatter);
        }
        let (low, high) = (self.low.to_string(), self.high.to_string());
        let length = low.bytes().zip(high.bytes()).take_while(|(low, high)| low == high).count();
        formatter.write_str(low[..length].trim_end_matches('-'))?;
        match &self.suffix {
            Some(suffix) => write!(formatter, "…{suffix}"),
            None => Ok(()),
        }
    }
}

/// The hexadecimal digits of a part of a UUID, lowercase, its hyphens removed. `None` where it is
/// no such part.
fn digits(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|character| *character != '-').collect();
    (digits.len() < 32 && digits.chars().all(|character| character.is_ascii_hexdigit()))
        .then(|| digits.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_its_beginning_or_its_short_form() {
        let whole = Identifier::parse("019AA4C5-7d1e-7c3a-9b0e-3f6f1d2c4b5a").expect("a UUID");
        assert_eq!(
            whole.exact().map(|uuid| uuid.to_string()).as_deref(),
            Some("019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a")
        );
        let prefix = Identifier::parse("019aa4c5-7d1").expect("a prefix");
        assert_eq!(prefix.low.to_string(), "019aa4c5-7d10-0000-0000-000000000000");
        assert_eq!(prefix.high.to_string(), "019aa4c5-7d1f-ffff-ffff-ffffffffffff");
        assert_eq!(prefix.exact(), None);
        for short in ["019aa4c5…4B5a", "019aa4c5..4b5a"] {
            let short = Identifier::parse(short).expect("a short form");
            assert_eq!(short.high.to_string(), "019aa4c5-ffff-ffff-ffff-ffffffffffff");
            assert_eq!(short.suffix.as_deref(), Some("4b5a"));
        }
        for text in ["019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a", "019aa4c5-7d1", "019aa4c5…4b5a"] {
            let identifier = Identifier::parse(text).expect("an id");
            assert_eq!(identifier.to_string(), text);
        }
        for wrong in
            ["", "019", "order-17", "…4b5a", "019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a0", "019aa4c5…x"]
        {
            assert!(Identifier::parse(wrong).is_err(), "{wrong}");
        }
    }
}
