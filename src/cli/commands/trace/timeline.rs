//! The order of a story: by time, but never an effect before its cause, and how deep each event
//! lies below the first.

use std::collections::HashMap;

use uuid::Uuid;

use crate::time::PostgresMicros;

/// An event, as far as its place in the story goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimelineEvent {
    /// The event.
    pub(crate) event_id: Uuid,
    /// The event that led to it.
    pub(crate) cause: Option<Uuid>,
    /// When it happened.
    pub(crate) time: PostgresMicros,
    /// Whether it is the copy of an event that could not be processed.
    pub(crate) is_dead_letter: bool,
}

/// An event's place in the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimelineEntry {
    /// Which of the events.
    pub(crate) index: usize,
    /// How many causes lead to it.
    pub(crate) depth: usize,
    /// Since the event before it, in microseconds; 0 for the first.
    pub(crate) delta: i64,
    /// Whether its cause is named but not among the events.
    pub(crate) cause_is_missing: bool,
    /// Whether the same event stands above already.
    pub(crate) is_repeated: bool,
}

/// Puts events, given in the order of their times, in the order of the story.
pub(crate) fn arrange(events: &[TimelineEvent]) -> Vec<TimelineEntry> {
    let mut first: HashMap<Uuid, usize> = HashMap::new();
    // A dead letter repeats the event that it is of, also where it was recorded before it.
    for is_dead_letter in [false, true] {
        for (index, event) in events.iter().enumerate() {
            if event.is_dead_letter == is_dead_letter {
                first.entry(event.event_id).or_insert(index);
            }
        }
    }
    let cause_of = |index: usize| events[index].cause.and_then(|cause| first.get(&cause).copied());
    let mut keyed: Vec<(PostgresMicros, usize, bool, usize)> = (0..events.len())
        .map(|index| {
            let (mut time, mut depth, mut above) = (events[index].time, 0, cause_of(index));
            // A cause that is its own effect would go on for ever.
            while let Some(cause) = above.filter(|_| depth < events.len()) {
                time = time.max(events[cause].time);
                depth += 1;
                above = cause_of(cause);
            }
            (time, depth, first.get(&events[index].event_id) != Some(&index), index)
        })
        .collect();
    keyed.sort_unstable();
    let mut before = None;
    keyed
        .into_iter()
        .map(|(_, depth, is_repeated, index)| {
            let event = &events[index];
            let delta = before.map_or(0, |before| event.time.since(before));
            before = Some(event.time);
            TimelineEntry {
                index,
                depth,
                delta,
                cause_is_missing: event.cause.is_some_and(|cause| !first.contains_key(&cause)),
                is_repeated,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(event_id: u128, cause: Option<u128>, time: i64) -> TimelineEvent {
        TimelineEvent {
            event_id: Uuid::from_u128(event_id),
            cause: cause.map(Uuid::from_u128),
            time: PostgresMicros(time),
            is_dead_letter: false,
        }
    }

    #[test]
    fn an_effect_never_comes_before_its_cause_even_where_clocks_differ() {
        let entries = arrange(&[
            event(2, Some(1), 5),
            event(1, None, 9),
            event(3, Some(2), 7),
            event(4, Some(99), 20),
        ]);
        let shown: Vec<_> =
            entries.iter().map(|entry| (entry.index, entry.depth, entry.delta)).collect();
        assert_eq!(shown, [(1, 0, 0), (0, 1, -4), (2, 2, 2), (3, 0, 13)]);
        assert!(entries[3].cause_is_missing);
    }

    #[test]
    fn a_second_delivery_is_marked() {
        let entries = arrange(&[event(1, None, 1), event(1, None, 1), event(2, Some(1), 2)]);
        let shown: Vec<_> = entries.iter().map(|entry| (entry.index, entry.is_repeated)).collect();
        assert_eq!(shown, [(0, false), (1, true), (2, false)]);
    }

    #[test]
    fn a_dead_letter_that_was_recorded_before_its_event_stands_below_it() {
        let letter = TimelineEvent { is_dead_letter: true, ..event(1, None, 1) };
        let entries = arrange(&[letter, event(1, None, 1), event(1, None, 1)]);
        let shown: Vec<_> = entries.iter().map(|entry| (entry.index, entry.is_repeated)).collect();
        assert_eq!(shown, [(1, false), (0, true), (2, true)]);
    }

    proptest! {
        #[test]
        fn every_moment_has_its_place_also_where_causes_go_in_circles(
            events in proptest::collection::vec((0u128..8, proptest::option::of(0u128..8), 0i64..10), 0..20),
        ) {
            let mut events: Vec<_> = events.into_iter().map(|(id, cause, time)| event(id, cause, time)).collect();
            events.sort_by_key(|event| event.time);
            let mut indexes: Vec<_> = arrange(&events).iter().map(|entry| entry.index).collect();
            indexes.sort_unstable();
            prop_assert_eq!(indexes, (0..events.len()).collect::<Vec<_>>());
        }
    }
}
