//! What a story is made of.

use uuid::Uuid;

use super::event_types::EventType;
use crate::time::PostgresMicros;

/// The story that an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoryKey {
    /// That of its correlation.
    Correlation(Uuid),
    /// That of its aggregate, where it has no correlation. The two never join.
    Aggregate(Uuid),
}

/// An event of a story, as it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoryEvent<'a> {
    /// The story.
    pub key: StoryKey,
    /// `event_logs.id`.
    pub row_id: i64,
    /// Its type.
    pub event_type: &'a str,
    /// When it happened.
    pub at: PostgresMicros,
    /// Whether it is a step: the first delivery of an event, and no tombstone, dead letter or
    /// quarantined record.
    pub is_step: bool,
    /// Whether it came from a topic of dead letters.
    pub is_dead_letter: bool,
    /// Whether it has what the selectors ask for, those of its time left out.
    pub matches: bool,
}

/// A step of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// `event_logs.id`.
    pub row_id: i64,
    /// Its type.
    pub event_type: EventType,
    /// When it happened.
    pub at: PostgresMicros,
}

/// A story: its steps in the order in which they happened, one at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Which one.
    pub key: StoryKey,
    /// The first step.
    pub first: Step,
    /// The steps behind the first.
    pub rest: Vec<Step>,
    /// The row of its last dead letter.
    pub last_dead_letter: Option<i64>,
}

impl Story {
    /// All steps.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &Step> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// The last step.
    pub fn last(&self) -> &Step {
        self.rest.last().unwrap_or(&self.first)
    }

    /// How many steps it has.
    pub fn step_count(&self) -> usize {
        self.rest.len() + 1
    }

    /// From the first step to the last, in microseconds.
    pub fn duration(&self) -> i64 {
        self.last().at.since(self.first.at)
    }
}
