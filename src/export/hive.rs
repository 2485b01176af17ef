//! Hive's way to divide rows among folders: `date=2026-11-22/`.
//!
//! Source: Apache Spark, `ExternalCatalogUtils.escapePathName`. ASCII that means something in a
//! path is percent-encoded; other characters stand for themselves, because Spark decodes byte by
//! byte.

use std::collections::HashMap;

use openssl::sha::sha256;
use percent_encoding::percent_encode_byte;
use serde::{Deserialize, Serialize};

use super::columns::Columns;
use super::error::Error;
use crate::store::{EventColumn, EventRow};
use crate::time::{Date, PostgresMicros};
use crate::value::Value;

/// The folder of rows without a value.
const DEFAULT: &str = "__HIVE_DEFAULT_PARTITION__";

/// What a file system takes for a name, in bytes.
const LONGEST_NAME: usize = 255;

const DAY: i64 = 86_400_000_000;

/// By what rows are divided among folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartitionBy {
    /// The UTC day of `created_at`.
    Date,
    /// `event_type`.
    Type,
    /// `source_service`.
    Service,
}

impl PartitionBy {
    /// The column that tells.
    pub fn column(self) -> EventColumn {
        match self {
            Self::Date => EventColumn::CreatedAt,
            Self::Type => EventColumn::EventType,
            Self::Service => EventColumn::SourceService,
        }
    }

    /// The name of what divides them, before the `=`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Type => "type",
            Self::Service => "service",
        }
    }

    /// The folder of a value.
    pub(super) fn folder(self, value: Option<&str>) -> String {
        let name = self.name();
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return format!("{name}={DEFAULT}");
        };
        let mut encoded = encoded(value);
        if value == DEFAULT {
            // A type may be called so, and is another folder than that of no type.
            encoded = encoded.replacen('_', "%5F", 1);
        }
        let room = LONGEST_NAME - name.len() - 1;
        if encoded.len() > room {
            let hash: String =
                sha256(value.as_bytes())[..8].iter().map(|byte| format!("{byte:02x}")).collect();
            encoded.truncate(whole(&encoded, room - hash.len() - 1));
            encoded = format!("{encoded}-{hash}");
        }
        format!("{name}={encoded}")
    }
}

fn encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for character in value.chars() {
        match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() && !stands_for_itself(byte) => {
                encoded.push_str(percent_encode_byte(byte));
            }
            _ => encoded.push(character),
        }
    }
    encoded
}

fn stands_for_itself(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// Up to where an encoded text can be cut, at `end` at most, without tearing a character apart.
fn whole(encoded: &str, end: usize) -> usize {
    let is_whole = |end: &usize| {
        let Some(kept) = encoded.get(..*end) else { return false };
        let tears_an_escape = kept.bytes().rev().take(2).any(|byte| byte == b'%');
        !tears_an_escape
    };
    (0..=end).rev().find(is_whole).unwrap_or(0)
}

/// The values of some rows: each value once, and which row has which.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// The values.
    pub(super) values: Vec<Option<String>>,
    /// For each row the place of its value.
    pub(super) of_rows: Vec<u32>,
}

/// Notes the values of rows, one by one.
#[derive(Debug)]
pub(super) struct KeyNotes {
    by: PartitionBy,
    keys: Keys,
    places: HashMap<Option<String>, u32>,
    /// The day of the last row, most often that of the next one, too.
    last_day: Option<(i64, u32)>,
}

impl KeyNotes {
    pub(super) fn new(by: PartitionBy) -> Self {
        Self { by, keys: Keys::default(), places: HashMap::new(), last_day: None }
    }

    /// Notes the value of a row.
    pub(super) fn row(&mut self, columns: &Columns, row: &EventRow) -> Result<(), Error> {
        let place = match columns.value(row, self.by.column())? {
            Value::Timestamp(time) => self.day(time.time()),
            Value::Text(text) => self.text(&text),
            _ => self.place(None),
        };
        self.keys.of_rows.push(place);
        Ok(())
    }

    fn day(&mut self, time: PostgresMicros) -> u32 {
        let Some(unix) = time.to_unix() else { return self.place(None) };
        let days = unix.0.div_euclid(DAY);
        if let Some((_, place)) = self.last_day.filter(|(day, _)| *day == days) {
            return place;
        }
        let place = self.place(day_text(days));
        self.last_day = Some((days, place));
        place
    }

    fn text(&mut self, text: &str) -> u32 {
        // Most often the last value again: no text is made for it.
        let last = self.keys.of_rows.last().copied();
        let is_last = |place: &u32| {
            self.keys
                .values
                .get(*place as usize)
                .is_some_and(|value| value.as_deref() == Some(text))
        };
        if let Some(place) = last.filter(is_last) {
            return place;
        }
        self.place((!text.is_empty()).then(|| text.to_owned()))
    }

    fn place(&mut self, value: Option<String>) -> u32 {
        let next = self.keys.values.len() as u32;
        let values = &mut self.keys.values;
        *self.places.entry(value).or_insert_with_key(|value| {
            values.push(value.clone());
            next
        })
    }

    /// The values of the rows so far; forgets them.
    pub(super) fn take(&mut self) -> Keys {
        self.places.clear();
        self.last_day = None;
        std::mem::take(&mut self.keys)
    }
}

/// `2026-11-22`; `None` outside the years 1 to 9999.
fn day_text(days: i64) -> Option<String> {
    let Date { year, month, day } = Date::from_unix_days(days);
    (1..=9999).contains(&year).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// The days since 1970 of what [`Keys`] have for a day.
#[cfg(feature = "lake")]
pub(super) fn days_of(day: &str) -> Option<i32> {
    let mut parts = day.split('-').map(|part| part.parse::<i64>().ok());
    let mut next = || parts.next().flatten();
    let date = Date { year: next()?, month: next()?, day: next()? };
    i32::try_from(date.unix_days()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_folder_cannot_be_called_is_percent_encoded() {
        let folder = |value| PartitionBy::Type.folder(value);
        assert_eq!(folder(Some("OrderCreated")), "type=OrderCreated");
        assert_eq!(folder(Some("a/b=c %ü")), "type=a%2Fb%3Dc%20%25ü");
        assert_eq!(folder(None), "type=__HIVE_DEFAULT_PARTITION__");
        assert_eq!(folder(Some("")), folder(None));
        assert_eq!(folder(Some(DEFAULT)), "type=%5F_HIVE_DEFAULT_PARTITION__");
        assert_eq!(PartitionBy::Service.folder(Some("..")), "service=..");
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_between_characters_and_stays_its_own() {
        let long = "ü".repeat(200);
        let folder = PartitionBy::Type.folder(Some(&long));
        let other = PartitionBy::Type.folder(Some(&format!("{long}x")));
        assert!(folder.len() <= LONGEST_NAME, "{}", folder.len());
        assert_ne!(folder, other);
        assert!(folder.starts_with("type=üüü"), "{folder}");
        let escaped = PartitionBy::Type.folder(Some(&"/".repeat(200)));
        assert!(escaped.len() <= LONGEST_NAME && escaped.contains("%2F-"), "{escaped}");
    }

    #[test]
    fn days_outside_the_years_1_to_9999_are_not_dates_of_a_folder() {
        let day = |year, month, day| Date { year, month, day }.unix_days();
        assert_eq!(day_text(day(1, 1, 1)).as_deref(), Some("0001-01-01"));
        assert_eq!(day_text(day(9999, 12, 31)).as_deref(), Some("9999-12-31"));
        assert_eq!(day_text(day(0, 12, 31)), None);
        assert_eq!(day_text(day(10_000, 1, 1)), None);
    }

    #[test]
    fn each_value_is_noted_once() {
        let mut notes = KeyNotes::new(PartitionBy::Type);
        let places: Vec<u32> = ["a", "a", "b", "", "a"].map(|text| notes.text(text)).into();
        assert_eq!(places, [0, 0, 1, 2, 0]);
        assert_eq!(notes.take().values, [Some("a".to_owned()), Some("b".to_owned()), None]);
        assert_eq!(notes.text("b"), 0);
    }
}
