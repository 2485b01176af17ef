//! What is usual, learned from stories: with which types they end, and how long after each type the
//! next step happens.

use std::collections::HashMap;

use super::event_types::{EventType, EventTypes};
use super::percentile::{Fraction, percentile};
use super::story::Story;

/// A type ends stories where it ends at least one in so many.
const ENDS_ONE_IN: u64 = 100;

/// Learns from one story after the other.
#[derive(Debug, Default)]
pub struct Learner {
    stories: u64,
    ends: HashMap<EventType, u64>,
    followed: HashMap<EventType, Followed>,
}

/// What followed a type.
#[derive(Debug, Default)]
struct Followed {
    microseconds: Vec<i64>,
    by: HashMap<EventType, u64>,
}

impl Learner {
    /// Learns from a story.
    pub fn add(&mut self, story: &Story) {
        self.stories += 1;
        *self.ends.entry(story.last().event_type).or_default() += 1;
        for (step, next) in story.steps().zip(&story.rest) {
            let followed = self.followed.entry(step.event_type).or_default();
            followed.microseconds.push(next.at.since(step.at));
            *followed.by.entry(next.event_type).or_default() += 1;
        }
    }

    /// What was learned; `types` has the names of the types.
    pub fn finish(self, types: &EventTypes) -> Usual {
        let Self { stories, ends, followed } = self;
        let ends: Vec<_> = ends
            .into_iter()
            .filter(|(_, count)| count.saturating_mul(ENDS_ONE_IN) >= stories)
            .collect();
        let next = followed.into_iter().map(|(event_type, followed)| {
            let Followed { mut microseconds, by } = followed;
            microseconds.sort_unstable();
            let next = Next {
                p50: percentile(&microseconds, Fraction::P50).unwrap_or_default(),
                p99: percentile(&microseconds, Fraction::P99).unwrap_or_default(),
                types: by_count(by, types),
            };
            (types.name(event_type).to_owned(), next)
        });
        Usual { stories, ends: by_count(ends, types), next: next.collect() }
    }
}

/// Types by their names, the most frequent first.
fn by_count(
    counts: impl IntoIterator<Item = (EventType, u64)>,
    types: &EventTypes,
) -> Vec<TypeCount> {
    let mut counts: Vec<_> = counts
        .into_iter()
        .map(|(event_type, count)| TypeCount { name: types.name(event_type).to_owned(), count })
        .collect();
    counts.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    counts
}

/// What is usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usual {
    /// How many stories it was learned from.
    pub stories: u64,
    /// The types that end stories, the most frequent first.
    pub ends: Vec<TypeCount>,
    next: HashMap<String, Next>,
}

/// A type, and how often it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeCount {
    /// Its name.
    pub name: String,
    /// How often it was seen.
    pub count: u64,
}

/// What follows steps of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Half of the steps were followed within this, in microseconds.
    pub p50: i64,
    /// 99 of 100 steps were followed within this, in microseconds.
    pub p99: i64,
    /// The types that followed, the most frequent first.
    pub types: Vec<TypeCount>,
}

impl Next {
    /// How many steps were followed.
    pub fn count(&self) -> u64 {
        self.types.iter().map(|next| next.count).sum()
    }
}

impl Usual {
    /// Whether stories end with the type.
    pub fn is_end(&self, name: &str) -> bool {
        self.ends.iter().any(|end| end.name == name)
    }

    /// What follows steps of the type; `None` where no such step was followed.
    pub fn next(&self, name: &str) -> Option<&Next> {
        self.next.get(name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::story::{Step, StoryKey};
    use super::*;
    use crate::time::PostgresMicros;

    /// A story of steps: the type, and how long after the step before it happened.
    fn story(types: &mut EventTypes, steps: &[(&str, i64)]) -> Story {
        let mut at = 0;
        let mut steps = steps.iter().map(|(event_type, after)| {
            at += after;
            Step { row_id: 0, event_type: types.of(event_type), at: PostgresMicros(at) }
        });
        Story {
            key: StoryKey::Correlation(uuid::Uuid::nil()),
            first: steps.next().expect("a first step"),
            rest: steps.collect(),
            last_dead_letter: None,
        }
    }

    fn learn(stories: &[Vec<(&str, i64)>]) -> Usual {
        let (mut types, mut learner) = (EventTypes::default(), Learner::default());
        for steps in stories {
            learner.add(&story(&mut types, steps));
        }
        learner.finish(&types)
    }

    fn names(counts: &[TypeCount]) -> Vec<String> {
        counts.iter().map(|count| format!("{} {}", count.name, count.count)).collect()
    }

    #[test]
    fn a_type_ends_stories_where_it_ends_one_in_a_hundred() {
        let paid = vec![("Created", 0), ("Paid", 2)];
        let mut stories = vec![paid; 99];
        stories.push(vec![("Created", 0)]);
        assert_eq!(names(&learn(&stories).ends), ["Paid 99", "Created 1"]);
        stories.push(vec![("Created", 0), ("Paid", 2)]);
        let usual = learn(&stories);
        assert_eq!((names(&usual.ends), usual.stories), (vec!["Paid 100".to_owned()], 101));
        assert!(usual.is_end("Paid") && !usual.is_end("Created"));
    }

    #[test]
    fn what_follows_is_known_by_type_with_its_times() {
        let usual = learn(&[
            vec![("Created", 0), ("Paid", 10), ("Shipped", 5)],
            vec![("Created", 0), ("Declined", 30)],
            vec![("Created", 0), ("Paid", 20)],
        ]);
        let next = usual.next("Created").expect("it was followed");
        assert_eq!((next.p50, next.p99, next.count()), (20, 30, 3));
        assert_eq!(names(&next.types), ["Paid 2", "Declined 1"]);
        assert_eq!(usual.next("Shipped"), None);
    }

    proptest! {
        #[test]
        fn it_is_what_a_naive_count_says(
            stories in prop::collection::vec(prop::collection::vec((0usize..4, 0i64..50), 1..6), 1..300)
        ) {
            const NAMES: [&str; 4] = ["A", "B", "C", "D"];
            let stories: Vec<Vec<(&str, i64)>> = stories
                .into_iter()
                .map(|steps| steps.into_iter().map(|(name, after)| (NAMES[name], after)).collect())
                .collect();
            let usual = learn(&stories);
            for name in NAMES {
                let ending = stories.iter().filter(|steps| steps.last().is_some_and(|step| step.0 == name)).count();
                prop_assert_eq!(usual.is_end(name), ending > 0 && ending * 100 >= stories.len());
                let mut after: Vec<i64> = stories
                    .iter()
                    .flat_map(|steps| steps.windows(2))
                    .filter(|pair| pair[0].0 == name)
                    .map(|pair| pair[1].1)
                    .collect();
                after.sort_unstable();
                let p99 = usual.next(name).map(|next| next.p99);
                prop_assert_eq!(p99, percentile(&after, Fraction::P99));
                prop_assert_eq!(usual.next(name).map_or(0, Next::count), after.len() as u64);
            }
        }
    }
}
