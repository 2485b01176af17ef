//! The two epochs.

use chrono::{DateTime, Utc};

/// Microseconds from 1970-01-01 to 2000-01-01.
const UNIX_TO_POSTGRES: i64 = 946_684_800_000_000;

/// Microseconds since 1970-01-01 00:00:00 UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMicros(
    /// The number.
    pub i64,
);

/// Microseconds since 2000-01-01 00:00:00 UTC, as PostgreSQL stores TIMESTAMP and TIMESTAMPTZ.
/// `i64::MAX` and `i64::MIN` are the infinities.
/// Source: PostgreSQL, src/include/datatype/timestamp.h.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostgresMicros(
    /// The number.
    pub i64,
);

impl UnixMicros {
    /// The present.
    pub fn now() -> Self {
        Utc::now().into()
    }
}

impl PostgresMicros {
    /// How many microseconds lie between `earlier` and this; negative where it is the later one.
    /// A distance that 64 bits can't hold ends at their limit.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The instant; beyond chrono's range the nearest one in it.
    pub fn instant(self) -> DateTime<Utc> {
        self.to_utc().unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    /// The same for chrono; `None` for an infinity, and beyond the years that chrono knows.
    pub fn to_utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.to_unix()?.0)
    }

    /// The same since 1970; `None` for an infinity, and in the last years of PostgreSQL's range,
    /// which 64 bits do not hold then.
    pub fn to_unix(self) -> Option<UnixMicros> {
        if matches!(self.0, i64::MIN | i64::MAX) {
            return None;
        }
        self.0.checked_add(UNIX_TO_POSTGRES).map(UnixMicros)
    }
}

impl From<UnixMicros> for PostgresMicros {
    fn from(time: UnixMicros) -> Self {
        Self(time.0.saturating_sub(UNIX_TO_POSTGRES))
    }
}

impl From<DateTime<Utc>> for UnixMicros {
    fn from(instant: DateTime<Utc>) -> Self {
        Self(instant.timestamp_micros())
    }
}

impl From<DateTime<Utc>> for PostgresMicros {
    fn from(instant: DateTime<Utc>) -> Self {
        UnixMicros::from(instant).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgresql_counts_from_2000() {
        let time = DateTime::parse_from_rfc3339("2000-01-01T00:00:01Z").expect("a time");
        assert_eq!(PostgresMicros::from(time.with_timezone(&Utc)), PostgresMicros(1_000_000));
        assert_eq!(PostgresMicros::from(UnixMicros(0)), PostgresMicros(-UNIX_TO_POSTGRES));
        assert_eq!(PostgresMicros(1_000_000).to_utc(), Some(time.to_utc()));
        assert_eq!(PostgresMicros(i64::MAX).to_utc(), None);
    }

    #[test]
    fn a_distance_beyond_64_bits_ends_at_their_limit() {
        assert_eq!(PostgresMicros(i64::MAX).since(PostgresMicros(-1)), i64::MAX);
        assert_eq!(PostgresMicros(3).since(PostgresMicros(5)), -2);
    }
}
