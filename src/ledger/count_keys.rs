//! What events are counted by: the keys of `event_counts`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::time::PostgresMicros;

const HOUR: i64 = 3_600_000_000;

/// A key, as it is read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountKey<'a> {
    /// The hour of `created_at`, UTC.
    pub hour: PostgresMicros,
    /// `event_type`.
    pub event_type: &'a str,
    /// `source_service`.
    pub source_service: Option<&'a str>,
    /// `partition_id`.
    pub partition_id: i32,
    /// `is_dlt`.
    pub is_dlt: bool,
}

/// Numbers keys in the order in which they come. A key that is known costs no allocation.
#[derive(Debug, Default)]
pub struct CountKeys {
    /// Event types and services, by their numbers.
    names: Vec<Arc<str>>,
    name_numbers: HashMap<Arc<str>, u32>,
    keys: Vec<NumberedKey>,
    key_numbers: HashMap<NumberedKey, u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct NumberedKey {
    hour: PostgresMicros,
    event_type: u32,
    source_service: Option<u32>,
    partition_id: i32,
    is_dlt: bool,
}

impl CountKeys {
    /// The number of a key, which gets the next one if it is new.
    pub fn number(&mut self, key: CountKey<'_>) -> u32 {
        let key = NumberedKey {
            hour: key.hour,
            event_type: self.name_number(key.event_type),
            source_service: key.source_service.map(|name| self.name_number(name)),
            partition_id: key.partition_id,
            is_dlt: key.is_dlt,
        };
        let next = self.keys.len() as u32;
        let number = *self.key_numbers.entry(key).or_insert(next);
        if number == next {
            self.keys.push(key);
        }
        number
    }

    /// All keys, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = CountKey<'_>> {
        self.keys.iter().map(|key| CountKey {
            hour: key.hour,
            event_type: self.name(key.event_type),
            source_service: key.source_service.map(|number| self.name(number)),
            partition_id: key.partition_id,
            is_dlt: key.is_dlt,
        })
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    fn name_number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.name_numbers.get(name) {
            return *number;
        }
        let (number, name) = (self.names.len() as u32, Arc::<str>::from(name));
        self.names.push(Arc::clone(&name));
        self.name_numbers.insert(name, number);
        number
    }

    fn name(&self, number: u32) -> &str {
        &self.names[number as usize]
    }
}

/// `date_trunc('hour', …)`: rounds down before 2000, too, and leaves the infinities alone.
pub fn hour_of(time: PostgresMicros) -> PostgresMicros {
    match time.0 {
        i64::MIN | i64::MAX => time,
        micros => PostgresMicros(micros.saturating_sub(micros.rem_euclid(HOUR))),
    }
}

/// How many events a key has, and between which times they happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyCount {
    /// How many.
    pub events: i64,
    /// The lowest `created_at` among them.
    pub first_at: PostgresMicros,
    /// The highest `created_at` among them.
    pub last_at: PostgresMicros,
}

/// How many events each key has, by its number.
#[derive(Debug, Default)]
pub struct KeyCounts(Vec<Option<KeyCount>>);

impl KeyCounts {
    /// Adds events of a key.
    pub fn add(&mut self, key: u32, added: KeyCount) {
        let at = key as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, None);
        }
        let sum = self.0[at].get_or_insert(KeyCount { events: 0, ..added });
        sum.events += added.events;
        sum.first_at = sum.first_at.min(added.first_at);
        sum.last_at = sum.last_at.max(added.last_at);
    }

    /// Adds one event of a key.
    pub fn add_one(&mut self, key: u32, created_at: PostgresMicros) {
        self.add(key, KeyCount { events: 1, first_at: created_at, last_at: created_at });
    }

    /// What a key has; `None` where it has no event.
    pub fn of(&self, key: u32) -> Option<KeyCount> {
        self.0.get(key as usize).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_begin_where_postgresql_has_them_begin() {
        let hour = |micros| hour_of(PostgresMicros(micros)).0;
        assert_eq!([hour(0), hour(HOUR - 1), hour(HOUR)], [0, 0, HOUR]);
        assert_eq!([hour(-1), hour(-HOUR), hour(-HOUR - 1)], [-HOUR, -HOUR, -2 * HOUR]);
        assert_eq!([hour(i64::MAX), hour(i64::MIN)], [i64::MAX, i64::MIN]);
    }
}
