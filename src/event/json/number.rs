//! What PostgreSQL's numeric can hold, as `numeric_in` decides it.

/// Digits before the decimal point.
const MAX_INTEGER_DIGITS: i64 = 131_072;
/// Digits after the decimal point, trailing zeros included.
const MAX_FRACTION_DIGITS: i64 = 16_383;
/// `numeric_in` refuses such exponents whatever the digits are.
const MAX_EXPONENT: i64 = i32::MAX as i64 / 2;

/// How many bytes JSONB writes for a number, or `None` where numeric cannot hold it exactly.
///
/// The number must be valid JSON. JSONB writes exponents out, so that `1e131071` has 131,072 bytes.
pub(super) fn written_length(number: &str) -> Option<u64> {
    let unsigned = number.strip_prefix('-').unwrap_or(number);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], exponent(&unsigned[at + 1..])?),
        None => (unsigned, 0),
    };
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction_digits = (fraction.len() as i64 - exponent).max(0);
    if fraction_digits > MAX_FRACTION_DIGITS {
        return None;
    }
    let leading_zeros = mantissa.bytes().take_while(|&byte| byte == b'0' || byte == b'.').count();
    let integer_digits = if leading_zeros == mantissa.len() {
        // Zero has no digit before the point, whatever its exponent is.
        0
    } else if !integer.starts_with('0') {
        integer.len() as i64 + exponent
    } else {
        // `0.00123`: the first digit that counts stands behind the point.
        exponent - fraction.bytes().take_while(|&byte| byte == b'0').count() as i64
    };
    if integer_digits > MAX_INTEGER_DIGITS {
        return None;
    }
    Some((integer_digits.max(1) + fraction_digits + 2) as u64)
}

/// The exponent as a number; `None` where it passes the limit.
fn exponent(text: &str) -> Option<i64> {
    // A valid exponent is a sign and digits, so that the only way to fail here is to be far too
    // large.
    let exponent: i64 = text.parse().ok()?;
    (exponent.abs() < MAX_EXPONENT).then_some(exponent)
}

#[cfg(test)]
mod tests {
    use super::written_length;

    #[test]
    fn numbers_at_the_limits_of_numeric_are_accepted() {
        for (number, length) in [
            ("0", 3),
            ("-1.5", 4),
            ("1e131071", 131_074),
            ("0.001e131074", 131_074),
            ("1e-16383", 16_386),
            ("0e999999", 3),
            ("-0.0", 4),
        ] {
            assert_eq!(written_length(number), Some(length), "{number}");
        }
        assert!(written_length(&"9".repeat(131_072)).is_some());
        assert!(written_length(&format!("0.{}", "9".repeat(16_383))).is_some());
    }

    #[test]
    fn numbers_beyond_the_limits_of_numeric_are_refused() {
        for number in [
            "1e131072",
            "0.001e131075",
            "10e131071",
            "1e-16384",
            "1.0e-16383",
            "0e-16384",
            "1e200000",
            "0e1073741823",
            "1e99999999999999999999999",
            "1e-99999999999999999999999",
        ] {
            assert_eq!(written_length(number), None, "{number}");
        }
        assert!(written_length(&"9".repeat(131_073)).is_none());
        assert!(written_length(&format!("0.{}", "0".repeat(16_384))).is_none());
    }
}
