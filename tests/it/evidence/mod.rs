//! The evidence log, on real servers.

mod replays;
