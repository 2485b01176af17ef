//! Exact decimal numbers of any precision.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{AddAssign, Sub};

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, ToPrimitive, Zero};

/// What a text may have at most: beyond it a few bytes, such as `1e999999999`, would be a number
/// that fills the memory.
const LONGEST_TEXT: usize = 1_000;
const LARGEST_EXPONENT: i64 = 999;
/// JSON writes exponents out.
const LONGEST_JSON: usize = 2_000;

/// So many digits fit a short number, whatever they are.
const SHORT_DIGITS: usize = 18;

/// An exact decimal number. It has no zeros at its end behind the point, so that equal numbers are
/// equal; one of few digits takes 16 bytes, because millions are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// `units` / 10^`decimals`.
    Short { units: i64, decimals: u8 },
    /// Whatever is longer.
    Long(Box<BigDecimal>),
}

impl Decimal {
    /// 0.
    pub const ZERO: Self = Self(Form::Short { units: 0, decimals: 0 });

    /// Reads decimal text: a sign, digits, a point and an exponent where there are any, blanks
    /// around them. `None` where it is something else, has more than 1,000 characters, or an
    /// exponent beyond 999.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST_TEXT {
            return None;
        }
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, self::exponent(exponent)?),
            None => (text, 0),
        };
        Self::of_digits(number, exponent)
    }

    /// Reads a number as JSON has it. `None` where it has more than 1,000 digits or so.
    pub fn of_json(number: &str) -> Option<Self> {
        (number.len() <= LONGEST_JSON).then_some(())?;
        match number.split_once(['e', 'E']) {
            Some((number, exponent)) => Self::of_digits(number, self::exponent(exponent)?),
            None => Self::of_digits(number, 0),
        }
    }

    fn of_digits(number: &str, exponent: i64) -> Option<Self> {
        let (sign, unsigned) = match number.as_bytes().first()? {
            b'-' => ("-", &number[1..]),
            b'+' => ("", &number[1..]),
            _ => ("", number),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let decimals = i64::try_from(fraction.len()).ok()? - exponent;
        let digits = format!("{sign}{whole}{fraction}");
        if digits.len() <= SHORT_DIGITS && (0..=SHORT_DIGITS as i64).contains(&decimals) {
            return Some(Self::short(digits.parse().ok()?, u8::try_from(decimals).ok()?));
        }
        let digits = BigInt::parse_bytes(digits.as_bytes(), 10)?;
        Some(Self::long(&BigDecimal::new(digits, decimals)))
    }

    fn short(mut units: i64, mut decimals: u8) -> Self {
        while decimals > 0 && units % 10 == 0 {
            units /= 10;
            decimals -= 1;
        }
        Self(Form::Short { units, decimals })
    }

    fn long(number: &BigDecimal) -> Self {
        let number = number.normalized();
        let number =
            if number.fractional_digit_count() < 0 { number.with_scale(0) } else { number };
        let (digits, decimals) = number.as_bigint_and_scale();
        match (digits.to_i64(), u8::try_from(decimals)) {
            (Some(units), Ok(decimals)) => Self::short(units, decimals),
            _ => Self(Form::Long(Box::new(number))),
        }
    }

    fn to_big(&self) -> BigDecimal {
        match &self.0 {
            Form::Short { units, decimals } => BigDecimal::new((*units).into(), (*decimals).into()),
            Form::Long(number) => (**number).clone(),
        }
    }

    /// Without its sign.
    pub fn absolute(&self) -> Self {
        if self.is_negative() { &Self::ZERO - self } else { self.clone() }
    }

    /// Whether it is below 0.
    pub fn is_negative(&self) -> bool {
        *self < Self::ZERO
    }
}

/// A whole number of at most three digits behind a sign and zeros.
fn exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|exponent: &i64| exponent.abs() <= LARGEST_EXPONENT)
}

impl AddAssign<&Self> for Decimal {
    fn add_assign(&mut self, other: &Self) {
        if let (
            Form::Short { units, decimals },
            Form::Short { units: others, decimals: others_decimals },
        ) = (&self.0, &other.0)
            && decimals == others_decimals
            && let Some(sum) = units.checked_add(*others)
        {
            *self = Self::short(sum, *decimals);
        } else {
            *self = Self::long(&(self.to_big() + other.to_big()));
        }
    }
}

impl Sub for &Decimal {
    type Output = Decimal;

    fn sub(self, other: Self) -> Decimal {
        Decimal::long(&(self.to_big() - other.to_big()))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (
                Form::Short { units, decimals },
                Form::Short { units: others, decimals: others_decimals },
            ) if decimals == others_decimals || units.signum() != others.signum() => {
                units.cmp(others)
            }
            _ => self.to_big().cmp(&other.to_big()),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// All digits, without an exponent.
impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.to_big();
        if number.is_zero() {
            return formatter.write_str("0");
        }
        formatter.write_str(&number.to_plain_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<String> {
        Decimal::parse(text).map(|number| number.to_string())
    }

    #[test]
    fn decimal_text_is_read_without_loss_and_written_without_needless_zeros() {
        for (text, expected) in [
            ("12.50", "12.5"),
            (" -0012.500\n", "-12.5"),
            ("+7.", "7"),
            (".5", "0.5"),
            ("-0.00", "0"),
            ("1e3", "1000"),
            ("1.5E-3", "0.0015"),
            ("100", "100"),
            ("123456789012345678901234567890.10", "123456789012345678901234567890.1"),
            ("9223372036854775808", "9223372036854775808"),
            ("0.0000000000000000000000000001", "0.0000000000000000000000000001"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(read("1e999").map(|digits| digits.len()), Some(1_000));
    }

    #[test]
    fn what_is_no_number_or_would_fill_the_memory_is_none() {
        let long = "1".repeat(1_001);
        for text in [
            "",
            " ",
            "-",
            "+",
            ".",
            "-.",
            "e5",
            "1e",
            "1e+",
            "1e1000",
            "1e999999999",
            "1e99999999999999999999",
            "1e-999999999",
            "1,5",
            "1 000",
            "1_000",
            "0x10",
            "NaN",
            "Infinity",
            "--1",
            "1.2.3",
            "1e1.5",
            "١",
            "12 EUR",
            &long,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(Decimal::of_json("1e999999999"), None);
        assert_eq!(Decimal::of_json(&"9".repeat(2_001)), None);
    }

    #[test]
    fn a_number_of_few_digits_takes_16_bytes() {
        assert_eq!(size_of::<Decimal>(), 16);
        assert_eq!(size_of::<Option<Decimal>>(), 16);
    }

    proptest! {
        #[test]
        fn adding_taking_away_and_comparing_are_those_of_whole_numbers(
            one in any::<i64>(), other in any::<i64>(), decimals in 0usize..25,
        ) {
            // The same numbers with the point moved.
            let decimal = |number: i128| {
                let digits = format!("{:0>width$}", number.unsigned_abs(), width = decimals + 1);
                let (whole, fraction) = digits.split_at(digits.len() - decimals);
                let sign = if number < 0 { "-" } else { "" };
                Decimal::parse(&format!("{sign}{whole}.{fraction}")).expect("a number")
            };
            let (one, other) = (i128::from(one), i128::from(other));
            let mut sum = decimal(one);
            sum += &decimal(other);
            prop_assert_eq!(&sum, &decimal(one + other));
            prop_assert_eq!(&decimal(one) - &decimal(other), decimal(one - other));
            prop_assert_eq!(decimal(one).cmp(&decimal(other)), one.cmp(&other));
            prop_assert_eq!(Decimal::parse(&sum.to_string()), Some(sum));
        }

        #[test]
        fn numbers_of_any_two_scales_add_up(one in -9999i64..9999, other in -9999i64..9999, scale in 0u32..6) {
            let power = 10i64.pow(scale);
            let mut sum = Decimal::parse(&one.to_string()).expect("a number");
            sum += &Decimal::parse(&format!("{other}e-{scale}")).expect("a number");
            prop_assert_eq!(sum, Decimal::parse(&format!("{}e-{scale}", one * power + other)).expect("a number"));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[-+0-9.eE ]{0,24}") {
            let _ = (Decimal::parse(&text), Decimal::of_json(&text));
        }
    }
}
