//! Stories: all events that belong together, how they follow each other, and what is usual.

mod assemble;
mod event_types;
mod percentile;
mod sample;
mod story;
mod stuck;
mod usual;

pub use assemble::{Assembler, StoryChoice};
pub use event_types::{EventType, EventTypes};
pub use percentile::{Fraction, percentile};
pub use sample::{HourCount, windows};
pub use story::{Step, Story, StoryEvent, StoryKey};
pub use stuck::{Ends, Rules, Silence, Verdict};
pub use usual::{Learner, Next, TypeCount, Usual};
