//! Numbers: the Unix epoch in any unit, and dates written as one number.

use super::compact;
use super::moment::{EARLIEST, ParsedTime};
use crate::time::UnixMicros;

/// Reads a number: a JSON number, or the same as text. A date in digits is told from an epoch
/// number by [`compact::read`].
pub fn read_number(number: &str) -> Option<ParsedTime> {
    let (mantissa, exponent) = match number.find(['e', 'E']) {
        Some(at) => (
            &number[..at],
            number[at + 1..].parse::<i32>().ok().filter(|exponent| exponent.abs() < 100)?,
        ),
        None => (number, 0),
    };
    let (is_negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => (true, mantissa),
        None => (false, mantissa),
    };
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(integer) || !is_digits(fraction) {
        return None;
    }
    // Digits behind the 15th decimal cannot count for a microsecond.
    let fraction = &fraction[..fraction.len().min(15)];
    let mut value: i128 = integer.parse().ok()?;
    for digit in fraction.bytes() {
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    if is_negative {
        value = -value;
    }
    let exponent = exponent - fraction.len() as i32;
    let whole = shifted(value, exponent)?;
    let micros_of_unit = shifted(value, exponent + 6)? - whole.checked_mul(1_000_000)?;
    if let Some(time) = compact::read(whole, micros_of_unit as i64) {
        return Some(ParsedTime { time, assumed_utc: true });
    }
    let unit = match whole.abs() {
        0..100_000_000_000 => 6,
        100_000_000_000..100_000_000_000_000 => 3,
        100_000_000_000_000..100_000_000_000_000_000 => 0,
        _ => -3,
    };
    let time = UnixMicros(i64::try_from(shifted(value, exponent + unit)?).ok()?);
    (time >= EARLIEST).then_some(ParsedTime { time, assumed_utc: false })
}

/// `value` times ten to the `exponent`, rounded down; `None` where 128 bits cannot hold it.
fn shifted(value: i128, exponent: i32) -> Option<i128> {
    let power = 10_i128.checked_pow(exponent.unsigned_abs());
    if exponent >= 0 {
        value.checked_mul(power?)
    } else {
        // Where even the power does not fit, nothing but the sign is left of the value.
        Some(power.map_or(if value < 0 { -1 } else { 0 }, |power| value.div_euclid(power)))
    }
}
