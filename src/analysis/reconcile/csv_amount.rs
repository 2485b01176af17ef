//! An amount as a file of somebody else's writes it.

use std::fmt;
use std::str::FromStr;

use crate::analysis::decimal::Decimal;

/// The character before the decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalMark {
    /// `1234.50`.
    Point,
    /// `1234,50`.
    Comma,
}

impl DecimalMark {
    fn character(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }

    /// What may stand between groups of three digits: the other mark, an apostrophe, a blank.
    fn separators(self) -> [char; 6] {
        let other = match self {
            Self::Point => ',',
            Self::Comma => '.',
        };
        [other, '\'', '’', ' ', '\u{a0}', '\u{202f}']
    }

    /// Reads an amount. One and the same separator may stand between groups of three digits.
    fn read(self, text: &str) -> Option<Decimal> {
        let (whole, fraction) = match text.split_once(self.character()) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let Some(separator) = whole.chars().find(|it| self.separators().contains(it)) else {
            return match fraction {
                Some(fraction) => Decimal::parse(&format!("{whole}.{fraction}")),
                None => Decimal::parse(whole),
            };
        };
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let mut groups = whole.strip_prefix(['-', '+']).unwrap_or(whole).split(separator);
        let is_grouped =
            groups.next().is_some_and(|first| (1..=3).contains(&first.len()) && is_digits(first))
                && groups.all(|group| group.len() == 3 && is_digits(group));
        if !is_grouped || !fraction.is_none_or(is_digits) {
            return None;
        }
        let whole = whole.replace(separator, "");
        Decimal::parse(&format!("{whole}.{}", fraction.unwrap_or_default()))
    }
}

/// Reads an amount. Nothing is guessed: `None` for what has a currency, and where no mark was
/// agreed on for all but a plain number with a point, because `1,234` means one thing here and
/// another there.
pub(super) fn read_amount(text: &str, mark: Option<DecimalMark>) -> Option<Decimal> {
    let text = text.trim();
    match mark {
        Some(mark) => mark.read(text),
        None => Decimal::parse(text),
    }
}

impl FromStr for DecimalMark {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "." => Ok(Self::Point),
            "," => Ok(Self::Comma),
            _ => Err("expected '.' or ','"),
        }
    }
}

impl fmt::Display for DecimalMark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.character())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, mark: Option<DecimalMark>) -> Option<String> {
        read_amount(text, mark).map(|amount| amount.to_string())
    }

    #[test]
    fn with_a_mark_that_was_agreed_on_groups_of_three_digits_may_be_apart() {
        for text in [
            "1234567,5",
            "1.234.567,50",
            "1 234 567,5",
            "1'234'567,5",
            "1’234’567,5",
            "1\u{a0}234\u{a0}567,5",
            "1\u{202f}234\u{202f}567,5",
            "+1.234.567,5",
            " 1.234.567,5 ",
        ] {
            assert_eq!(
                read(text, Some(DecimalMark::Comma)).as_deref(),
                Some("1234567.5"),
                "{text}"
            );
        }
        let point = Some(DecimalMark::Point);
        assert_eq!(read("-1,234.5", point).as_deref(), Some("-1234.5"));
        assert_eq!(read("1,234", point).as_deref(), Some("1234"));
        assert_eq!(read("1,234", Some(DecimalMark::Comma)).as_deref(), Some("1.234"));
        assert_eq!(read(",5", Some(DecimalMark::Comma)).as_deref(), Some("0.5"));
        assert_eq!(read("12.50", None).as_deref(), Some("12.5"));
    }

    #[test]
    fn what_could_be_meant_in_two_ways_is_no_amount() {
        for text in ["1,234", "1,234.50", "1 234", "1'234", "12,50"] {
            assert_eq!(read(text, None), None, "{text}");
        }
        for text in [
            "",
            "1.5",
            "12.34,5",
            "1.2345,6",
            "1.234.56,7",
            ".123,4",
            "1.234 567,8",
            "1.234,5.6",
            "1,2,3",
            "12,50-",
            "(12,50)",
            "12,50 EUR",
            "€12,50",
            "1..234",
            "1234.567,8",
            "1.234,567 8",
            "1.234,-5",
            "1.234e5",
            "abc",
        ] {
            assert_eq!(read(text, Some(DecimalMark::Comma)), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_number_in_any_dialect_is_the_same_number(
            units in any::<i64>(), separator in "[.' ]?", is_comma in any::<bool>(),
        ) {
            let digits = format!("{:0>3}", units.unsigned_abs());
            let (whole, fraction) = digits.split_at(digits.len() - 2);
            let separator = if is_comma { separator } else { separator.replace('.', ",") };
            let mut grouped = String::new();
            for (place, digit) in whole.chars().enumerate() {
                if place > 0 && (whole.len() - place).is_multiple_of(3) {
                    grouped.push_str(&separator);
                }
                grouped.push(digit);
            }
            let sign = if units < 0 { "-" } else { "" };
            let mark = if is_comma { DecimalMark::Comma } else { DecimalMark::Point };
            let read = read_amount(&format!("{sign}{grouped}{mark}{fraction}"), Some(mark));
            prop_assert_eq!(read, Decimal::parse(&format!("{sign}{whole}.{fraction}")));
        }
    }
}
