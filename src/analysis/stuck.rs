//! Which stories began and did not end.

use super::event_types::{EventType, EventTypes};
use super::story::Story;
use super::usual::Usual;
use crate::filter::GlobList;
use crate::time::PostgresMicros;

/// How to tell that a story has ended.
#[derive(Debug, Clone, Copy)]
pub enum Ends<'a> {
    /// It holds a step of these types, wherever.
    Given(&'a GlobList),
    /// Its last step is of a type that ends stories.
    Learned,
}

/// How to tell that a story is stuck.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The present.
    pub now: PostgresMicros,
    /// Only stories that hold a step of these types; of any where it is empty.
    pub starts: &'a GlobList,
    /// What ends a story.
    pub ends: Ends<'a>,
    /// How long a story may be silent, in microseconds; what is usual where it is not given.
    pub within: Option<i64>,
    /// What was learned.
    pub usual: &'a Usual,
}

/// What is said of a story that is stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// How long ago its last step was, in microseconds.
    pub silent: i64,
    /// How long it may be silent; `None` where nothing is known of that.
    pub usual: Option<i64>,
}

/// What became of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The story holds no step of the types that are asked for.
    NotAsked,
    /// It has ended.
    Ended,
    /// It goes on, as far as can be told: it is not silent for longer than is usual.
    UnderWay,
    /// It is stuck.
    Stuck(Silence),
}

impl Rules<'_> {
    /// Judges a story; `types` has the names of its types.
    pub fn judge(&self, story: &Story, types: &EventTypes) -> Verdict {
        let is_one_of =
            |globs: &GlobList, event_type: EventType| globs.matches(types.name(event_type));
        let holds = |globs: &GlobList| story.steps().any(|step| is_one_of(globs, step.event_type));
        if !self.starts.is_empty() && !holds(self.starts) {
            return Verdict::NotAsked;
        }
        let last = story.last();
        let last_type = types.name(last.event_type);
        let has_ended = match self.ends {
            Ends::Given(ends) => holds(ends),
            Ends::Learned => self.usual.is_end(last_type),
        };
        if has_ended {
            return Verdict::Ended;
        }
        let silent = self.now.since(last.at);
        let usual = self.within.or_else(|| self.usual.next(last_type).map(|next| next.p99));
        match usual {
            Some(usual) if silent <= usual => Verdict::UnderWay,
            // A step that is still to come is no silence.
            None if silent < 0 => Verdict::UnderWay,
            _ => Verdict::Stuck(Silence { silent, usual }),
        }
    }

    /// Only stories whose last step happened by then can be stuck.
    pub fn silent_since(&self) -> PostgresMicros {
        // Where a type has no next one, its stories are stuck at once.
        let shortest = self.within.unwrap_or(0);
        PostgresMicros(self.now.0.saturating_sub(shortest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::super::story::{Step, StoryKey};
    use super::super::usual::Learner;
    use super::*;

    const NAMES: [&str; 5] = ["Created", "Paid", "Shipped", "Cancelled", "Noted"];
    const NOW: i64 = 1_000;

    /// A story of steps: which of the names, and when.
    fn story(types: &mut EventTypes, steps: &[(usize, i64)]) -> Story {
        let mut steps = steps.iter().map(|(name, at)| Step {
            row_id: 0,
            event_type: types.of(NAMES[*name]),
            at: PostgresMicros(*at),
        });
        Story {
            key: StoryKey::Aggregate(Uuid::nil()),
            first: steps.next().expect("a first step"),
            rest: steps.collect(),
            last_dead_letter: None,
        }
    }

    fn globs(items: &[&str]) -> GlobList {
        GlobList::new(items.iter().copied()).expect("no item is empty")
    }

    /// What is learned of orders that are paid 10 after they were created, and then shipped.
    fn usual(types: &mut EventTypes) -> Usual {
        let mut learner = Learner::default();
        for _ in 0..10 {
            learner.add(&story(types, &[(0, 0), (1, 10), (2, 40)]));
        }
        learner.finish(types)
    }

    /// The verdict about a story.
    fn judged(
        starts: &[&str],
        ends: &[&str],
        within: Option<i64>,
        steps: &[(usize, i64)],
    ) -> Verdict {
        let mut types = EventTypes::default();
        let (usual, starts, ends) = (usual(&mut types), globs(starts), globs(ends));
        let rules = Rules {
            now: PostgresMicros(NOW),
            starts: &starts,
            ends: if ends.is_empty() { Ends::Learned } else { Ends::Given(&ends) },
            within,
            usual: &usual,
        };
        let story = story(&mut types, steps);
        let verdict = rules.judge(&story, &types);
        if matches!(verdict, Verdict::Stuck(_)) {
            assert!(story.last().at <= rules.silent_since());
        }
        verdict
    }

    fn stuck(silent: i64, usual: impl Into<Option<i64>>) -> Verdict {
        Verdict::Stuck(Silence { silent, usual: usual.into() })
    }

    #[test]
    fn a_story_that_is_silent_for_longer_than_is_usual_is_stuck() {
        assert_eq!(judged(&[], &[], None, &[(0, 989)]), stuck(11, 10));
        assert_eq!(judged(&[], &[], None, &[(0, 990)]), Verdict::UnderWay);
        assert_eq!(judged(&[], &[], None, &[(0, 0), (1, 969)]), stuck(31, 30));
        assert_eq!(judged(&[], &[], Some(10), &[(0, 0), (1, 989)]), stuck(11, 10));
    }

    #[test]
    fn learned_ends_count_at_the_end_and_given_ones_wherever_they_stand() {
        assert_eq!(judged(&[], &[], None, &[(0, 0), (2, 5)]), Verdict::Ended);
        assert_eq!(judged(&[], &[], None, &[(0, 0), (2, 5), (1, 6)]), stuck(994, 30));
        assert_eq!(judged(&[], &["Ship*"], None, &[(0, 0), (2, 5), (1, 6)]), Verdict::Ended);
        assert_eq!(judged(&[], &["Cancelled"], None, &[(0, 0), (2, 5)]), stuck(995, None));
    }

    #[test]
    fn where_nothing_is_known_of_the_next_step_a_story_is_stuck_at_once() {
        assert_eq!(judged(&[], &[], None, &[(4, 1_000)]), stuck(0, None));
        assert_eq!(judged(&[], &[], None, &[(4, 1_001)]), Verdict::UnderWay);
    }

    #[test]
    fn only_stories_that_hold_the_start_are_judged() {
        assert_eq!(judged(&["Paid"], &[], None, &[(0, 0)]), Verdict::NotAsked);
        assert_eq!(judged(&["Paid", "Created"], &[], None, &[(0, 0)]), stuck(1_000, 10));
    }

    proptest! {
        #[test]
        fn the_verdict_is_that_of_a_naive_reading(
            steps in prop::collection::vec((0usize..5, 0i64..1_010), 1..6),
            starts in prop::sample::subsequence(NAMES.to_vec(), 0..3),
            ends in prop::sample::subsequence(NAMES.to_vec(), 0..3),
            within in prop::option::of(0i64..1_000),
        ) {
            let mut steps = steps;
            steps.sort_by_key(|step| step.1);
            let names: Vec<_> = steps.iter().map(|step| NAMES[step.0]).collect();
            let (last, last_at) = (names[names.len() - 1], steps[steps.len() - 1].1);
            let is_asked = starts.is_empty() || names.iter().any(|name| starts.contains(name));
            let ended = match ends.is_empty() {
                true => last == "Shipped",
                false => names.iter().any(|name| ends.contains(name)),
            };
            let usual = within.or(match last { "Created" => Some(10), "Paid" => Some(30), _ => None });
            let silent = NOW - last_at;
            let expected = match (is_asked, ended) {
                (false, _) => Verdict::NotAsked,
                (_, true) => Verdict::Ended,
                _ if silent > usual.unwrap_or(-1) => stuck(silent, usual),
                _ => Verdict::UnderWay,
            };
            prop_assert_eq!(judged(&starts, &ends, within, &steps), expected);
        }
    }
}
