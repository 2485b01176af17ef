//! Stories: all events that belong together, how they follow each other, and what is usual.

mod assemble;
mod event_types;
mod flow;
mod percentile;
mod spans;
mod story;
#[cfg(test)]
mod test_stories;
mod variants;

pub use assemble::{Assembler, StoryChoice};
pub use event_types::{EventType, EventTypes};
pub use flow::{FlowCounter, FlowRow};
pub use percentile::{Fraction, percentile};
pub use spans::Spans;
pub use story::{Step, Story, StoryEvent, StoryKey};
pub use variants::{Example, Variant, VariantCounter};
