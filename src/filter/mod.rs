//! The selector grammar: which rows a command is about. Pure: the present is handed in, nothing is
//! looked up.
//!
//! The same selector repeated is OR, different ones are AND.

mod digits;
mod distance;
mod error;
mod glob;
mod identifier;
mod nearest;
mod selection;
mod time;
mod zone;

pub use error::Error;
pub use glob::Glob;
pub use identifier::Identifier;
pub use nearest::nearest;
pub use selection::Selection;
pub use time::{Clock, TimeRange, rfc3339};
pub use zone::Zone;
