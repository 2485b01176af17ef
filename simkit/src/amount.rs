//! Money as whole hundredths, written as decimal text: never a float.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest amount that `NUMERIC(12,2)` holds, in hundredths.
const MAX_HUNDREDTHS: i64 = 999_999_999_999;

/// An amount of money, not negative, as the database's `NUMERIC(12,2)` holds it. Its text form,
/// `"12.30"`, is the one in JSON and towards the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(i64);

/// The text is not an amount.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an amount: digits, a point and two decimals are expected, such as \"12.30\"")]
pub struct NotAnAmount(String);

impl Amount {
    /// An amount of so many hundredths; `None` if it is negative or larger than `NUMERIC(12,2)`
    /// holds.
    #[must_use]
    pub fn from_hundredths(hundredths: i64) -> Option<Self> {
        (0..=MAX_HUNDREDTHS).contains(&hundredths).then_some(Self(hundredths))
    }

    /// The amount in hundredths.
    #[must_use]
    pub fn hundredths(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl FromStr for Amount {
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let digits_only =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let not_an_amount = || NotAnAmount(text.chars().take(40).collect());
        let (whole, decimals) = text.split_once('.').ok_or_else(not_an_amount)?;
        if !digits_only(whole) || !digits_only(decimals) || decimals.len() != 2 {
            return Err(not_an_amount());
        }
        format!("{whole}{decimals}")
            .parse()
            .ok()
            .and_then(Self::from_hundredths)
            .ok_or_else(not_an_amount)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_amount_agree_from_nothing_to_the_largest() {
        for text in ["0.00", "0.05", "12.30", "9999999999.99"] {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_numeric_12_2_cannot_hold_exactly_is_no_amount() {
        for text in
            ["", "12", "12.3", "12.345", "-1.00", "+1.00", "1e2.00", ".50", "10000000000.00"]
        {
            assert!(text.parse::<Amount>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn json_holds_text_and_refuses_a_float() {
        let amount = Amount::from_hundredths(1230).unwrap();
        assert_eq!(serde_json::to_string(&amount).unwrap(), "\"12.30\"");
        assert!(serde_json::from_str::<Amount>("12.30").is_err());
    }
}
