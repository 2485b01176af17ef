//! The evidence log, on real servers.

mod replays;
mod retention;
