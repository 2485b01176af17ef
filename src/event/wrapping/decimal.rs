//! Decimals of Kafka Connect: a whole number in two's complement, big-endian, in base64, and how
//! many of its digits stand behind the point.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::event::json;

/// The longest number that is read, in bytes: 2,466 digits, where PostgreSQL's columns declare at
/// most 1,000. The time to write one grows with the square of its length.
const MAX_BYTES: usize = 1_024;

/// The most digits behind the point that PostgreSQL's numeric holds.
const MAX_FRACTION_DIGITS: usize = 16_383;

/// The most digits before the point.
const MAX_INTEGER_DIGITS: usize = 131_072;

/// The number that a text in base64 holds.
pub(super) fn read(json: &str, scale: i32) -> Option<String> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    number(&STANDARD.decode(text.replace("\\/", "/")).ok()?, scale)
}

/// The number that bytes in two's complement hold; `None` where there are no bytes, or PostgreSQL's
/// numeric could not hold it.
pub(crate) fn number(bytes: &[u8], scale: i32) -> Option<String> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let is_negative = *bytes.first()? >= 0x80;
    let digits = digits_of(bytes, is_negative);
    let behind = scale.unsigned_abs() as usize;
    if scale <= 0 {
        if digits == "0" {
            return Some(digits);
        }
        if digits.len() + behind > MAX_INTEGER_DIGITS {
            return None;
        }
    } else if behind > MAX_FRACTION_DIGITS {
        return None;
    }
    let mut out = String::with_capacity(digits.len() + behind + 3);
    if is_negative {
        out.push('-');
    }
    if scale <= 0 {
        out.push_str(&digits);
        out.extend(std::iter::repeat_n('0', behind));
        return Some(out);
    }
    match digits.len().checked_sub(behind) {
        None | Some(0) => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', behind - digits.len()));
            out.push_str(&digits);
        }
        Some(before) => {
            let (before, behind) = digits.split_at(before);
            out.push_str(before);
            out.push('.');
            out.push_str(behind);
        }
    }
    Some(out)
}

/// The digits of a number without its sign.
fn digits_of(bytes: &[u8], is_negative: bool) -> String {
    // Nearly all fit into a word of the processor.
    if bytes.len() <= 8 {
        let mut word = [if is_negative { 0xFF } else { 0 }; 8];
        word[8 - bytes.len()..].copy_from_slice(bytes);
        return i64::from_be_bytes(word).unsigned_abs().to_string();
    }
    digits(&magnitude(bytes.to_vec(), is_negative))
}

/// The number of `{"scale": 2, "value": "BM4="}`.
pub(super) fn read_with_scale(json: &str) -> Option<String> {
    let scan = json::scan(json.as_bytes()).ok()?;
    read(scan.get("value")?.raw, scan.get("scale")?.raw.parse().ok()?)
}

/// The bytes of the number without its sign.
fn magnitude(mut bytes: Vec<u8>, is_negative: bool) -> Vec<u8> {
    if is_negative {
        let mut carry = true;
        for byte in bytes.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    bytes
}

/// The decimal digits of a number in bytes.
fn digits(bytes: &[u8]) -> String {
    /// As many digits as fit into 32 bits.
    const GROUP: u64 = 1_000_000_000;
    // Groups of nine digits, the last ones first.
    let mut groups: Vec<u32> = Vec::new();
    for word in bytes.rchunks(4).rev() {
        let mut carry = word.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        for group in &mut groups {
            let value = (u64::from(*group) << (8 * word.len())) + carry;
            *group = (value % GROUP) as u32;
            carry = value / GROUP;
        }
        while carry > 0 {
            groups.push((carry % GROUP) as u32);
            carry /= GROUP;
        }
    }
    let Some(first) = groups.pop() else {
        return "0".to_owned();
    };
    let rest = groups.iter().rev().map(|group| format!("{group:09}"));
    std::iter::once(first.to_string()).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::{read, read_with_scale};

    #[test]
    fn decimals_are_exact() {
        for (base64, scale, number) in [
            ("BM4=", 2, "12.30"),
            ("AA==", 2, "0.00"),
            ("AA==", 0, "0"),
            ("AA==", -3, "0"),
            ("/w==", 2, "-0.01"),
            ("gA==", 0, "-128"),
            ("AIA=", 0, "128"),
            ("Aw==", -2, "300"),
            ("Ag==", 5, "0.00002"),
            ("AJvTCjxkWUPdFpCgOhQ=", 2, "123456789012345678901234567890.12"),
            ("/2Qs9cObprwi6W9fxew=", 2, "-123456789012345678901234567890.12"),
        ] {
            assert_eq!(read(&format!("\"{base64}\""), scale).as_deref(), Some(number), "{base64}");
        }
        assert_eq!(read_with_scale(r#"{"scale":2,"value":"BM4="}"#).as_deref(), Some("12.30"));
        assert_eq!(read("\"\\/w==\"", 0).as_deref(), Some("-1"));
    }

    #[test]
    fn what_is_no_decimal_is_not_read() {
        for json in ["null", "12.30", "\"\"", "\"?\"", "\"BM4\"", "{}", "true"] {
            assert_eq!(read(json, 2), None, "{json}");
        }
        assert_eq!(read("\"BM4=\"", 20_000), None);
        assert_eq!(read_with_scale(r#"{"value":"BM4="}"#), None);
        let too_long = format!("\"{}\"", STANDARD.encode(vec![1; 1_025]));
        assert_eq!(read(&too_long, 0), None);
    }

    proptest! {
        #[test]
        fn any_number_of_128_bits_is_written_as_rust_writes_it(number: i128, length in 1_usize..=16) {
            // Java writes as few bytes as the number needs; more are the same number.
            let number = number >> (8 * (16 - length));
            for bytes in [&number.to_be_bytes()[..], &number.to_be_bytes()[16 - length..]] {
                let json = format!("\"{}\"", STANDARD.encode(bytes));
                let expected = number.to_string();
                prop_assert_eq!(read(&json, 0), Some(expected));
            }
        }

        #[test]
        fn the_point_stands_before_as_many_digits_as_the_scale_says(number: i64, scale in 1_i32..40) {
            let json = format!("\"{}\"", STANDARD.encode(number.to_be_bytes()));
            let found = read(&json, scale).unwrap_or_default();
            let (before, behind) = found.split_once('.').unwrap_or_default();
            prop_assert_eq!(behind.len(), scale as usize);
            let digits: i128 = format!("{before}{behind}").parse().unwrap_or(0);
            prop_assert_eq!(digits, i128::from(number));
        }
    }
}
