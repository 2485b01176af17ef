//! Why a selector can't be read.

/// An id is not searched by fewer digits.
pub(super) const SHORTEST_PREFIX: usize = 4;

/// What can't be read as a selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a time.
    #[error(
        "'{0}' is no time; write '2026-11-22T10:00:00Z', '2026-11-22 10:00', '2026-11-22', 'today', \
         'yesterday 17:00', '17:00', 'now', '1h30m' or '2 months ago' (before now), '-3d', '+2h', 'now-1h', or the \
         Unix epoch in s, ms, µs or ns"
    )]
    Time(String),
    /// Not a length of time.
    #[error("'{0}' is no length of time; write '30s', '10m', '1h30m' or '2 days'")]
    Duration(String),
    /// Not a day.
    #[error("'{0}' is no date; write '2026-11-22', 'today' or 'yesterday'")]
    Date(String),
    /// Not a time zone.
    #[error("'{0}' is no time zone; write 'Europe/Berlin', 'UTC' or '+02:00'")]
    Zone(String),
    /// Not an id, nor the beginning of one.
    #[error(
        "'{0}' is no id; write a UUID such as '019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a', or at least its first {min} \
         digits",
        min = SHORTEST_PREFIX
    )]
    Identifier(String),
    /// Nothing stands between two commas of a list.
    #[error("an item of the list is empty; a comma within an item is written '\\,'")]
    EmptyItem,
    /// Nothing can be in the range.
    #[error("{options} leave nothing: {since} is not before {until}")]
    EmptyRange {
        /// The options that give the range: `--since and --until`.
        options: &'static str,
        /// The beginning, RFC 3339.
        since: String,
        /// The end, RFC 3339.
        until: String,
    },
}
