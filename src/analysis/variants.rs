//! Stories by the sequence of their types.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::event_types::{EventType, EventTypes};
use super::percentile::Fraction;
use super::spans::Spans;
use super::story::{Step, Story, StoryKey};

/// All stories of one sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// The types of the steps, in their order.
    pub types: Box<[EventType]>,
    /// How many stories.
    pub stories: u64,
    /// The part of all stories.
    pub share: f64,
    /// The median of the time from the first step to the last, in microseconds.
    pub p50: i64,
    /// Nineteen of twenty took no longer.
    pub p95: i64,
    /// The story of these that began last.
    pub example: Example,
}

/// A story to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// Which one.
    pub key: StoryKey,
    /// Its first step.
    pub first: Step,
}

/// Counts the sequences, story by story.
#[derive(Debug, Default)]
pub struct VariantCounter {
    stories: u64,
    variants: HashMap<Box<[EventType]>, Counted>,
    /// The sequence of the story that is looked at.
    sequence: Vec<EventType>,
}

#[derive(Debug)]
struct Counted {
    spans: Spans,
    example: Example,
}

impl VariantCounter {
    /// Adds a story.
    pub fn add(&mut self, story: &Story) {
        self.stories += 1;
        self.sequence.clear();
        self.sequence.extend(story.steps().map(|step| step.event_type));
        let example = Example { key: story.key, first: story.first };
        // Most sequences are known: nothing is copied for them.
        match self.variants.get_mut(self.sequence.as_slice()) {
            Some(counted) => {
                counted.spans.push(story.duration());
                let began = |example: &Example| (example.first.at, example.first.row_id);
                if began(&counted.example) < began(&example) {
                    counted.example = example;
                }
            }
            None => {
                let mut spans = Spans::default();
                spans.push(story.duration());
                let counted = Counted { spans, example };
                self.variants.insert(self.sequence.as_slice().into(), counted);
            }
        }
    }

    /// How many stories were added.
    pub fn stories(&self) -> u64 {
        self.stories
    }

    /// The variants, the most frequent first, and those that are equally frequent by their names.
    pub fn finish(self, types: &EventTypes) -> Vec<Variant> {
        let all = self.stories as f64;
        let variant = |(types, counted): (Box<[EventType]>, Counted)| {
            let stories = counted.spans.count() as u64;
            let [p50, p95] = counted.spans.percentiles([Fraction::P50, Fraction::P95])?;
            let share = stories as f64 / all;
            Some(Variant { types, stories, share, p50, p95, example: counted.example })
        };
        let mut variants: Vec<Variant> = self.variants.into_iter().filter_map(variant).collect();
        fn names<'a>(of: &'a Variant, types: &'a EventTypes) -> impl Iterator<Item = &'a str> {
            of.types.iter().map(|event_type| types.name(*event_type))
        }
        variants.sort_by(|one, other| {
            Reverse(one.stories)
                .cmp(&Reverse(other.stories))
                .then_with(|| names(one, types).cmp(names(other, types)))
        });
        variants
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::test_stories::{story, type_names};

    #[test]
    fn stories_of_one_sequence_are_one_variant_and_the_last_to_begin_is_its_example() {
        let stories: [&[(&str, i64)]; 5] = [
            &[("A", 0), ("B", 10)],
            &[("A", 8), ("B", 28)],
            &[("A", 7), ("B", 37)],
            &[("B", 1), ("A", 1)],
            &[("A", 3)],
        ];
        let mut types = EventTypes::default();
        let mut counter = VariantCounter::default();
        for steps in stories {
            counter.add(&story(steps, &mut types));
        }
        assert_eq!(counter.stories(), 5);
        let variants = counter.finish(&types);
        let line = |variant: &Variant| {
            let Variant { stories, share, p50, p95, example, .. } = variant;
            let names = type_names(variant.types.iter().copied(), &types);
            format!("{} {stories} {share:.1} {p50} {p95} {}", names.join("→"), example.first.at.0)
        };
        let lines: Vec<String> = variants.iter().map(line).collect();
        assert_eq!(lines, ["A→B 3 0.6 20 29 8", "A 1 0.2 0 0 3", "B→A 1 0.2 0 0 1"]);
    }
}
