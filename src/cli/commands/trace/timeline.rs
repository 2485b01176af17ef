//! The order of a story: by time, but never an effect before its cause, and how deep each event lies below the first.

use std::collections::HashMap;

use uuid::Uuid;

/// An event, as far as its place in the story goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// The event.
    pub(crate) event_id: Uuid,
    /// The event that led to it.
    pub(crate) cause: Option<Uuid>,
    /// When it happened, in microseconds.
    pub(crate) time: i64,
}

/// An event's place in the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which of the moments.
    pub(crate) index: usize,
    /// How many causes lead to it.
    pub(crate) depth: usize,
    /// Since the event before it, in microseconds; 0 for the first.
    pub(crate) delta: i64,
    /// Whether its cause is named but not among the moments.
    pub(crate) cause_is_missing: bool,
    /// Whether the same event stands above already.
    pub(crate) is_repeated: bool,
}

/// Puts moments, given in the order of their times, in the order of the story.
pub(crate) fn arrange(moments: &[Moment]) -> Vec<Place> {
    let mut first: HashMap<Uuid, usize> = HashMap::new();
    for (index, moment) in moments.iter().enumerate() {
        first.entry(moment.event_id).or_insert(index);
    }
    let cause_of = |index: usize| moments[index].cause.and_then(|cause| first.get(&cause).copied());
    let mut keyed: Vec<(i64, usize, usize)> = (0..moments.len())
        .map(|index| {
            let (mut time, mut depth, mut above) = (moments[index].time, 0, cause_of(index));
            // A cause that is its own effect would go on for ever.
            while let Some(cause) = above.filter(|_| depth < moments.len()) {
                time = time.max(moments[cause].time);
                depth += 1;
                above = cause_of(cause);
            }
            (time, depth, index)
        })
        .collect();
    keyed.sort_unstable();
    let mut before = None;
    keyed
        .into_iter()
        .map(|(_, depth, index)| {
            let moment = &moments[index];
            let delta = before.map_or(0, |before| moment.time.saturating_sub(before));
            before = Some(moment.time);
            Place {
                index,
                depth,
                delta,
                cause_is_missing: moment.cause.is_some_and(|cause| !first.contains_key(&cause)),
                is_repeated: first.get(&moment.event_id) != Some(&index),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(event_id: u128, cause: Option<u128>, time: i64) -> Moment {
        Moment { event_id: Uuid::from_u128(event_id), cause: cause.map(Uuid::from_u128), time }
    }

    #[test]
    fn an_effect_never_comes_before_its_cause_even_where_clocks_differ() {
        let places = arrange(&[
            moment(2, Some(1), 5),
            moment(1, None, 9),
            moment(3, Some(2), 7),
            moment(4, Some(99), 20),
        ]);
        let shown: Vec<_> = places.iter().map(|place| (place.index, place.depth, place.delta)).collect();
        assert_eq!(shown, [(1, 0, 0), (0, 1, -4), (2, 2, 2), (3, 0, 13)]);
        assert!(places[3].cause_is_missing);
    }

    #[test]
    fn a_second_delivery_is_marked() {
        let places = arrange(&[moment(1, None, 1), moment(1, None, 1), moment(2, Some(1), 2)]);
        let shown: Vec<_> = places.iter().map(|place| (place.index, place.is_repeated)).collect();
        assert_eq!(shown, [(0, false), (1, true), (2, false)]);
    }

    proptest! {
        #[test]
        fn every_moment_has_its_place_also_where_causes_go_in_circles(
            moments in proptest::collection::vec((0u128..8, proptest::option::of(0u128..8), 0i64..10), 0..20),
        ) {
            let mut moments: Vec<_> = moments.into_iter().map(|(id, cause, time)| moment(id, cause, time)).collect();
            moments.sort_by_key(|moment| moment.time);
            let mut indexes: Vec<_> = arrange(&moments).iter().map(|place| place.index).collect();
            indexes.sort_unstable();
            prop_assert_eq!(indexes, (0..moments.len()).collect::<Vec<_>>());
        }
    }
}
