//! Values that hold no others, as JSON.

use super::clock_text::{date, duration, local_timestamp, time_of_day, timestamp};
use super::cursor::Cursor;
use super::fault::{Fault, Refused};
use super::plan::{BytesMeaning, FixedMeaning, Meaning};
use crate::event::{LogicalType, Unreadable, decimal_number};
use crate::registry::json_writer::JsonWriter;

/// A whole number, as what it counts; as a number where no text can tell it.
pub(super) fn put_integer(
    json: &mut JsonWriter,
    value: i64,
    meaning: Meaning,
) -> Result<(), Unreadable> {
    let text = match meaning {
        Meaning::Number => None,
        Meaning::Date => date(value),
        Meaning::TimeOfDay(unit) => time_of_day(value, unit),
        Meaning::Timestamp(unit) => timestamp(value, unit),
        Meaning::LocalTimestamp(unit) => local_timestamp(value, unit),
        Meaning::Named(logical_type) => {
            return match logical_type.read_count(value) {
                Some(text) => json.raw(&text),
                None => json.display(value),
            };
        }
    };
    match text {
        Some(text) => json.raw(text.json()),
        None => json.display(value),
    }
}

/// Text, as its logical type has it.
pub(super) fn put_named_text(
    json: &mut JsonWriter,
    text: &str,
    logical_type: LogicalType,
) -> Result<(), Unreadable> {
    match logical_type {
        LogicalType::IsoDate => json.text(text.strip_suffix('Z').unwrap_or(text)),
        _ => json.text(text),
    }
}

/// Bytes, as what they mean.
pub(super) fn put_bytes(
    json: &mut JsonWriter,
    bytes: &[u8],
    meaning: BytesMeaning,
) -> Result<(), Refused> {
    match meaning {
        BytesMeaning::Base64 => Ok(json.base64(bytes)?),
        BytesMeaning::Decimal(scale) => put_decimal(json, bytes, scale.into()),
        BytesMeaning::BigDecimal => {
            let mut inner = Cursor::new(bytes);
            let not_one = |_| Fault::NotABigDecimal;
            let number = inner.bytes().map_err(not_one)?;
            let scale = inner.long().map_err(not_one)?;
            if inner.left() > 0 {
                return Err(Fault::NotABigDecimal.into());
            }
            put_decimal(json, number, scale)
        }
    }
}

/// Bytes of one length, as what they mean.
pub(super) fn put_fixed(
    json: &mut JsonWriter,
    bytes: &[u8],
    meaning: FixedMeaning,
) -> Result<(), Refused> {
    match meaning {
        FixedMeaning::Decimal(scale) => return put_decimal(json, bytes, scale.into()),
        FixedMeaning::Duration => {
            if let Ok(bytes) = bytes.try_into() {
                return Ok(json.raw(&duration(bytes))?);
            }
        }
        FixedMeaning::Uuid => {
            if let Ok(bytes) = bytes.try_into() {
                let mut text = uuid::Uuid::encode_buffer();
                let id = uuid::Uuid::from_bytes(bytes);
                return Ok(json.text(id.hyphenated().encode_lower(&mut text))?);
            }
        }
        FixedMeaning::Base64 => {}
    }
    Ok(json.base64(bytes)?)
}

/// Writes a whole number in two's complement whose last `scale` digits stand behind the point.
pub(super) fn put_decimal(json: &mut JsonWriter, bytes: &[u8], scale: i64) -> Result<(), Refused> {
    if bytes.is_empty() {
        return Err(Fault::NoDigits.into());
    }
    let number = i32::try_from(scale).ok().and_then(|scale| decimal_number(bytes, scale));
    match number {
        Some(number) => Ok(json.raw(&number)?),
        None => Err(Fault::NumberOutOfRange { bytes: bytes.len(), scale }.into()),
    }
}
