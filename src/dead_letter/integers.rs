//! Integers in error headers: big-endian bytes, or decimal digits.

use std::str;

use crate::event::row::occurred_at;

/// How a family writes integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Integers {
    /// Java's `ByteBuffer`: 4 bytes of a partition, 8 of an offset or timestamp, big-endian.
    Binary,
    /// Decimal digits.
    Text,
}

/// A partition; `None` for what cannot be one.
pub(super) fn partition(bytes: &[u8], integers: Integers) -> Option<i32> {
    integer(bytes, integers, 4)
        .and_then(|partition| i32::try_from(partition).ok())
        .filter(|partition| *partition >= 0)
}

/// An offset; `None` for what cannot be one.
pub(super) fn offset(bytes: &[u8], integers: Integers) -> Option<i64> {
    integer(bytes, integers, 8).filter(|offset| *offset >= 0)
}

/// A timestamp in milliseconds; Kafka writes -1 for a record without one.
pub(super) fn timestamp(bytes: &[u8], integers: Integers) -> Option<i64> {
    integer(bytes, integers, 8).filter(is_timestamp)
}

/// A timestamp that Spring's retry topics write as Java's `BigInteger`: as many bytes as it needs.
pub(super) fn variable_length_timestamp(bytes: &[u8]) -> Option<i64> {
    big_endian(bytes).filter(is_timestamp)
}

/// Whether a timestamp is one that PostgreSQL's TIMESTAMP can hold.
fn is_timestamp(milliseconds: &i64) -> bool {
    *milliseconds >= 0 && occurred_at::from_milliseconds(*milliseconds).is_some()
}

/// The number of attempts: 4 bytes, or as few as it needs in older versions.
pub(super) fn attempts(bytes: &[u8]) -> Option<i32> {
    decimal(bytes)
        .or_else(|| big_endian(bytes))
        .and_then(|attempts| i32::try_from(attempts).ok())
        .filter(|attempts| *attempts >= 0)
}

fn integer(bytes: &[u8], integers: Integers, length: usize) -> Option<i64> {
    // Programs outside Java write digits under Spring's names too. Four digits or more read as
    // binary would be a partition above 800 million, and eight an offset above 3 * 10^18: digits
    // are what is meant.
    decimal(bytes).or_else(|| {
        if integers == Integers::Binary && bytes.len() == length { big_endian(bytes) } else { None }
    })
}

/// Decimal digits, also in quotes.
fn decimal(bytes: &[u8]) -> Option<i64> {
    let bytes =
        bytes.strip_prefix(b"\"").and_then(|bytes| bytes.strip_suffix(b"\"")).unwrap_or(bytes);
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(bytes).ok()?.parse().ok()
}

/// A two's complement number of one to eight bytes.
fn big_endian(bytes: &[u8]) -> Option<i64> {
    let first = *bytes.first()?;
    let mut buffer = if first < 0x80 { [0; 8] } else { [0xFF; 8] };
    let start = buffer.len().checked_sub(bytes.len())?;
    buffer[start..].copy_from_slice(bytes);
    Some(i64::from_be_bytes(buffer))
}

#[cfg(test)]
mod tests {
    use super::{Integers, attempts, offset, partition, timestamp, variable_length_timestamp};

    #[test]
    fn binary_integers_are_read_in_their_exact_length() {
        assert_eq!(partition(&[0, 0, 1, 2], Integers::Binary), Some(258));
        assert_eq!(offset(&[0, 0, 0, 0, 0, 0, 1, 2], Integers::Binary), Some(258));
        assert_eq!(
            timestamp(&1_795_341_600_123_i64.to_be_bytes(), Integers::Binary),
            Some(1_795_341_600_123)
        );
        for truncated in [&[][..], &[0], &[0, 0, 1], &[0, 0, 0, 0, 1]] {
            assert_eq!(partition(truncated, Integers::Binary), None, "{truncated:?}");
            assert_eq!(offset(truncated, Integers::Binary), None, "{truncated:?}");
        }
    }

    #[test]
    fn digits_are_read_in_every_family() {
        for integers in [Integers::Binary, Integers::Text] {
            assert_eq!(partition(b"3", integers), Some(3));
            assert_eq!(partition(b"1234", integers), Some(1234));
            assert_eq!(partition(b"\"12\"", integers), Some(12));
            assert_eq!(offset(b"12345678", integers), Some(12_345_678));
        }
        assert_eq!(partition(&[0, 0, 0, 1], Integers::Text), None);
    }

    #[test]
    fn absurd_integers_are_nothing() {
        assert_eq!(partition(b"-1", Integers::Text), None);
        assert_eq!(partition(b"2147483648", Integers::Text), None);
        assert_eq!(partition(&[0xFF; 4], Integers::Binary), None);
        assert_eq!(offset(b"99999999999999999999", Integers::Text), None);
        assert_eq!(offset(b"12x", Integers::Text), None);
        assert_eq!(timestamp(&[0xFF; 8], Integers::Binary), None);
        assert_eq!(timestamp(&i64::MAX.to_be_bytes(), Integers::Binary), None);
    }

    #[test]
    fn integers_of_retry_topics_have_any_length() {
        assert_eq!(attempts(&[0, 0, 0, 3]), Some(3));
        assert_eq!(attempts(&[3]), Some(3));
        assert_eq!(attempts(b"3"), Some(3));
        assert_eq!(attempts(&[0xFF]), None);
        assert_eq!(attempts(&[]), None);
        assert_eq!(
            variable_length_timestamp(&1_795_341_600_123_i64.to_be_bytes()[2..]),
            Some(1_795_341_600_123)
        );
        assert_eq!(variable_length_timestamp(&[1; 9]), None);
    }
}
