//! The selector grammar: which rows a command is about. Pure: the present is handed in, nothing is
//! looked up.
//!
//! The same selector repeated is OR, and so are the items of its lists; different ones are AND.

mod comparison;
mod digits;
mod distance;
mod error;
mod glob;
mod glob_list;
mod identifier;
mod list;
mod nearest;
mod selection;
mod time;
mod zone;
mod zone_shifts;

pub use comparison::{Comparison, Literal, comparisons};
pub use distance::duration;
pub use error::Error;
pub use glob::Glob;
pub use glob_list::GlobList;
pub use identifier::Identifier;
pub use list::split_list;
pub use nearest::nearest;
pub use selection::Selection;
pub use time::{Clock, TimeRange, rfc3339};
pub use zone::Zone;
pub use zone_shifts::{ZoneShifts, offset_text};
