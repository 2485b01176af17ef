//! Stories: all events that belong together, how they follow each other, and what is usual.

mod assemble;
mod decimal;
mod event_types;
mod percentile;
pub mod reconcile;
mod story;

pub use assemble::{Assembler, StoryChoice};
pub use decimal::Decimal;
pub use event_types::{EventType, EventTypes};
pub use percentile::{Fraction, percentile};
pub use story::{Step, Story, StoryEvent, StoryKey};
