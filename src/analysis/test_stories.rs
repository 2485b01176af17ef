//! Stories for the tests of what is counted of them.

use uuid::Uuid;

use super::event_types::{EventType, EventTypes};
use super::story::{Step, Story, StoryKey};
use crate::time::PostgresMicros;

/// A story of these steps, at least one: their types, and their times in microseconds.
pub(super) fn story(steps: &[(&str, i64)], types: &mut EventTypes) -> Story {
    let mut steps = steps.iter().map(|(name, at)| Step {
        row_id: *at,
        event_type: types.of(name),
        at: PostgresMicros(*at),
    });
    let first = steps.next().expect("a story has a step");
    let rest = steps.collect();
    Story { key: StoryKey::Correlation(Uuid::nil()), first, rest, last_dead_letter: None }
}

/// The names of types.
pub(super) fn type_names(
    of: impl IntoIterator<Item = EventType>,
    types: &EventTypes,
) -> Vec<String> {
    of.into_iter().map(|event_type| types.name(event_type).to_owned()).collect()
}
