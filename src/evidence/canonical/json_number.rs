//! Numbers, exactly and in one way: `1`, `1.0` and `1e0` are `1`.

use super::CanonicalError;

/// A number is written out where that takes no more zeros than this that are no digits of it.
const MOST_ZEROS: i64 = 20;

/// Writes the canonical form of a JSON number.
pub(super) fn write(number: &[u8], out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    // Nearly all are whole numbers as they should be.
    let is_plain = number.len() <= MOST_ZEROS as usize
        && number[0] != b'-'
        && number.iter().all(u8::is_ascii_digit);
    if is_plain {
        out.extend_from_slice(number);
        return Ok(());
    }
    let unsigned = number.strip_prefix(b"-").unwrap_or(number);
    let exponent_at = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let mantissa = &unsigned[..exponent_at.unwrap_or(unsigned.len())];
    let point_at = mantissa.iter().position(|byte| *byte == b'.');
    let (integer, fraction) = match point_at {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &[][..]),
    };
    let digits = || integer.iter().chain(fraction).copied();
    let count = integer.len() + fraction.len();
    let leading = digits().take_while(|digit| *digit == b'0').count();
    if leading == count {
        out.push(b'0');
        return Ok(());
    }
    let trailing = digits().rev().take_while(|digit| *digit == b'0').count();
    let length = count - leading - trailing;
    let digits = digits().skip(leading).take(length);
    let written = exponent_at.map_or(Ok(0), |at| exponent(&unsigned[at + 1..]))?;
    let power = written - fraction.len() as i64 + trailing as i64;
    if unsigned.len() < number.len() {
        out.push(b'-');
    }
    // How many zeros stand between the point and the digits.
    let zeros = -power - length as i64;
    match power {
        0..=MOST_ZEROS => {
            out.extend(digits);
            out.extend(std::iter::repeat_n(b'0', power as usize));
        }
        ..0 if zeros < 0 => {
            let before_point = (-zeros) as usize;
            out.extend(digits.clone().take(before_point));
            out.push(b'.');
            out.extend(digits.skip(before_point));
        }
        ..0 if zeros <= MOST_ZEROS => {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', zeros as usize));
            out.extend(digits);
        }
        _ => {
            out.extend(digits);
            out.push(b'e');
            out.extend_from_slice(power.to_string().as_bytes());
        }
    }
    Ok(())
}

/// The exponent as it is written. PostgreSQL holds no number whose exponent needs more than ten
/// digits.
fn exponent(text: &[u8]) -> Result<i64, CanonicalError> {
    let text = std::str::from_utf8(text).map_err(|_| CanonicalError::Exponent)?;
    let exponent: i64 = text.parse().map_err(|_| CanonicalError::Exponent)?;
    if exponent.unsigned_abs() > u64::from(u32::MAX) {
        return Err(CanonicalError::Exponent);
    }
    Ok(exponent)
}
