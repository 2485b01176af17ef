//! Forms that single libraries write, as they come from their defaults.

use chrono::DateTime;

use super::calendar;
use super::epoch::read_number;
use super::moment::{Clock, EARLIEST, ParsedTime, date, from_milliseconds, moment};
use crate::event::json;
use crate::event::json::{Kind, Value};
use crate::time::UnixMicros;

/// RFC 2822 and HTTP (`Sun, 22 Nov 2026 10:00:00 GMT`: Flask, JavaScript's `toUTCString`), and
/// `/Date(1795341600000+0100)/` (.NET's older serialisers).
pub(super) fn read_text(text: &str) -> Option<ParsedTime> {
    let certain = |time| ParsedTime { time, assumed_utc: false };
    if let Some(inner) = text.strip_prefix("/Date(").and_then(|text| text.strip_suffix(")/")) {
        // The offset only tells where it was written: the number is in UTC.
        let end = inner.get(1..)?.find(['+', '-']).map_or(inner.len(), |at| at + 1);
        let milliseconds: i64 = inner[..end].parse().ok()?;
        return from_milliseconds(milliseconds).map(certain);
    }
    // A zone that only has a name means two offsets in two countries.
    let (_, zone) = text.rsplit_once(' ')?;
    let has_offset =
        matches!(zone, "GMT" | "UT" | "Z") || (zone.len() == 5 && zone.starts_with(['+', '-']));
    let time = DateTime::parse_from_rfc2822(text).ok().filter(|_| has_offset)?;
    Some(certain(UnixMicros(time.timestamp_micros())))
}

/// Jackson's default for Java's `LocalDateTime` and `LocalDate`: year, month, day, hour, minute,
/// second, nanosecond; zeros at the end are left out, but never the minute.
pub(super) fn read_array(json: &str) -> Option<ParsedTime> {
    // Longer ones are no times; what is read stays small.
    let parts: Vec<i64> = serde_json::from_str(json.get(..200).unwrap_or(json)).ok()?;
    let part = |index: usize| parts.get(index).copied().unwrap_or(0);
    if !matches!(parts.len(), 3 | 5..=7)
        || !(1..=9_999).contains(&part(0))
        || !(0..1_000_000_000).contains(&part(6))
    {
        return None;
    }
    let clock = Clock { hour: part(3), minute: part(4), second: part(5), micros: part(6) / 1_000 };
    let time = moment(date(part(0), part(1), part(2))?, clock, 0)?;
    Some(ParsedTime { time, assumed_utc: true })
}

/// Seconds beside nanoseconds (Gson's `Instant`, protobuf's and Firestore's timestamps as plain
/// objects), and MongoDB's `{"$date": …}`.
pub(super) fn read_object(json: &str) -> Option<ParsedTime> {
    let scan = json::scan(json.as_bytes()).ok()?;
    if let [only] = scan.members.as_slice() {
        return read_date_of_mongodb(&only.value).filter(|_| only.name() == "$date");
    }
    let of = |names: &[&str]| names.iter().find_map(|name| scan.get(name)).and_then(integer);
    let seconds = of(&["seconds", "_seconds", "epochSecond"])?;
    let nanos = of(&["nanos", "_nanoseconds", "nano", "nanoseconds"])?;
    if scan.members.len() != 2 || !(0..1_000_000_000).contains(&nanos) {
        return None;
    }
    let time = UnixMicros(seconds.checked_mul(1_000_000)?.checked_add(nanos / 1_000)?);
    (time >= EARLIEST).then_some(ParsedTime { time, assumed_utc: false })
}

/// Text, milliseconds, or milliseconds as `{"$numberLong": "…"}`.
fn read_date_of_mongodb(value: &Value<'_>) -> Option<ParsedTime> {
    match value.kind {
        Kind::Text => calendar::read(value.text()?.as_bytes()),
        Kind::Number => read_number(value.raw),
        Kind::Object => {
            let scan = json::scan(value.raw.as_bytes()).ok()?;
            read_number(scan.get("$numberLong")?.text()?.as_ref())
        }
        _ => None,
    }
}

/// A whole number, as such or as text.
fn integer(value: Value<'_>) -> Option<i64> {
    value.text().as_deref().unwrap_or(value.raw).parse().ok()
}
