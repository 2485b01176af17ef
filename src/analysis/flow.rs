//! Which event follows which: the directly-follows graph of process mining.
//! Source: W. van der Aalst, "Process Mining: Data Science in Action", 2nd edition, 6.2.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::event_types::{EventType, EventTypes};
use super::percentile::Fraction;
use super::spans::Spans;
use super::story::Story;

/// One way from a step to the next, by all stories that took it.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowRow {
    /// What happened first; `None` at the beginning of stories.
    pub from: Option<EventType>,
    /// What happened next; `None` at the end of stories.
    pub to: Option<EventType>,
    /// How often.
    pub count: u64,
    /// The part of all that leaves `from`, at the beginning of all stories.
    pub share: f64,
    /// The median of the time between, in microseconds; `None` at beginnings and ends.
    pub p50: Option<i64>,
    /// Nineteen of twenty took no longer.
    pub p95: Option<i64>,
}

/// Counts which event follows which, story by story.
#[derive(Debug, Default)]
pub struct FlowCounter {
    stories: u64,
    beginnings: HashMap<EventType, u64>,
    ends: HashMap<EventType, u64>,
    transitions: HashMap<(EventType, EventType), Spans>,
}

impl FlowCounter {
    /// Adds a story.
    pub fn add(&mut self, story: &Story) {
        self.stories += 1;
        *self.beginnings.entry(story.first.event_type).or_default() += 1;
        *self.ends.entry(story.last().event_type).or_default() += 1;
        for (step, next) in story.steps().zip(story.steps().skip(1)) {
            let way = (step.event_type, next.event_type);
            self.transitions.entry(way).or_default().push(next.at.since(step.at));
        }
    }

    /// How many stories were added.
    pub fn stories(&self) -> u64 {
        self.stories
    }

    /// The rows, the most frequent first, and those that are equally frequent by their names.
    pub fn finish(self, types: &EventTypes) -> Vec<FlowRow> {
        let mut leaving: HashMap<EventType, u64> = self.ends.clone();
        for ((from, _), spans) in &self.transitions {
            *leaving.entry(*from).or_default() += spans.count() as u64;
        }
        let share = |from: Option<EventType>, count: u64| {
            let all =
                from.map_or(self.stories, |from| leaving.get(&from).copied().unwrap_or(count));
            count as f64 / all as f64
        };
        let edge = |from: Option<EventType>, to: Option<EventType>, count: u64| FlowRow {
            from,
            to,
            count,
            share: share(from, count),
            p50: None,
            p95: None,
        };
        let beginnings = self.beginnings.iter().map(|(to, count)| edge(None, Some(*to), *count));
        let ends = self.ends.iter().map(|(from, count)| edge(Some(*from), None, *count));
        let mut rows: Vec<FlowRow> = beginnings.chain(ends).collect();
        for ((from, to), spans) in self.transitions {
            let row = edge(Some(from), Some(to), spans.count() as u64);
            let (p50, p95) =
                spans.percentiles([Fraction::P50, Fraction::P95]).map(Into::into).unzip();
            rows.push(FlowRow { p50, p95, ..row });
        }
        let name = |event_type: Option<EventType>| event_type.map(|known| types.name(known));
        rows.sort_by_key(|row| (Reverse(row.count), name(row.from), name(row.to)));
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::test_stories::{story, type_names};

    /// The rows as text: from, to, count, share, p50, p95.
    fn flow(stories: &[&[(&str, i64)]]) -> Vec<String> {
        let mut types = EventTypes::default();
        let mut counter = FlowCounter::default();
        for steps in stories {
            counter.add(&story(steps, &mut types));
        }
        assert_eq!(counter.stories(), stories.len() as u64);
        let rows = counter.finish(&types);
        let line = |row: &FlowRow| {
            let [from, to] = [row.from, row.to].map(|known| type_names(known, &types));
            let FlowRow { count, share, p50, p95, .. } = row;
            format!("{} {} {count} {share:.2} {p50:?} {p95:?}", from.join(""), to.join(""))
        };
        rows.iter().map(line).collect()
    }

    #[test]
    fn beginnings_ends_and_what_lies_between_are_counted() {
        let stories: [&[(&str, i64)]; 3] =
            [&[("A", 0), ("B", 10), ("B", 10), ("C", 40)], &[("A", 5), ("B", 25)], &[("A", 7)]];
        assert_eq!(
            flow(&stories),
            [
                " A 3 1.00 None None",
                "A B 2 0.67 Some(15) Some(20)",
                "A  1 0.33 None None",
                "B  1 0.33 None None",
                "B B 1 0.33 Some(0) Some(0)",
                "B C 1 0.33 Some(30) Some(30)",
                "C  1 1.00 None None",
            ]
        );
    }

    #[test]
    fn without_stories_there_are_no_rows() {
        assert_eq!(flow(&[]), [""; 0]);
    }
}
