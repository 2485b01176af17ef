//! Light and sealed leaves of `event_logs`.

mod many;
mod search;
