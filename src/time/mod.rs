//! Points in time: which epoch they count from, the calendar, and their text. Pure.
//!
//! Two epochs meet here. Kafka and most producers count from 1970 ([`UnixMicros`]), PostgreSQL
//! counts from 2000 ([`PostgresMicros`]), because 64 bits of microseconds since 1970 do not reach
//! the end of its range. They are types of their own, so that the compiler keeps them apart.

mod calendar;
mod duration;
mod epoch;
mod timestamp;

pub use calendar::{Date, days_in_month};
pub use duration::{duration_text, seconds_text, span_text};
pub use epoch::{PostgresMicros, UnixMicros};
pub use timestamp::{Timestamp, timestamp_text};
