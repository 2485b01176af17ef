//! Stories: all events that belong together, how they follow each other, and what is usual.

mod assemble;
mod decimal;
mod event_types;
mod flow;
mod percentile;
pub mod reconcile;
mod sample;
mod spans;
mod story;
mod stuck;
#[cfg(test)]
mod test_stories;
mod usual;
mod variants;

pub use assemble::{Assembler, StoryChoice};
pub use decimal::Decimal;
pub use event_types::{EventType, EventTypes};
pub use flow::{FlowCounter, FlowRow};
pub use percentile::{Fraction, percentile};
pub use sample::{HourCount, windows};
pub use spans::Spans;
pub use story::{Step, Story, StoryEvent, StoryKey};
pub use stuck::{Ends, Rules, Silence, Verdict};
pub use usual::{Learner, Next, TypeCount, Usual};
pub use variants::{Example, Variant, VariantCounter};
