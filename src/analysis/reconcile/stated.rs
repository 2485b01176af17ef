//! The amounts of somebody else's statement, by the story that each key means.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::csv_statement::{CsvEntry, CsvKey};
use crate::analysis::decimal::Decimal;
use crate::analysis::story::StoryKey;

/// A story that a key can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Which story.
    pub key: StoryKey,
    /// One of its rows (`event_logs.id`).
    pub row_id: i64,
    /// Whether the key is that of one of its events of the left side.
    pub is_left: bool,
}

/// What a story is said to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedAmount {
    /// The sum.
    pub amount: Decimal,
    /// One of the story's rows (`event_logs.id`).
    pub row_id: i64,
}

/// What is stated of each story.
#[derive(Debug, Default)]
pub struct StatedAmounts {
    amounts: BTreeMap<StoryKey, StatedAmount>,
    joined: u64,
    ambiguous: u64,
    ambiguous_keys: Vec<CsvKey>,
}

/// How many ambiguous keys are told.
const KEYS_TOLD: usize = 5;

impl StatedAmounts {
    /// Adds an entry to the story that its key means: where several have the key, the one whose
    /// left side has it. Gives the entry back where the key is that of nothing.
    pub fn add(&mut self, entry: CsvEntry, candidates: &[Candidate]) -> Option<CsvEntry> {
        let mut of_left = candidates.iter().filter(|candidate| candidate.is_left);
        let meant = match (candidates, of_left.next(), of_left.next()) {
            ([], ..) => return Some(entry),
            ([only], ..) | (_, Some(only), None) => only,
            _ => {
                self.ambiguous += 1;
                if self.ambiguous_keys.len() < KEYS_TOLD {
                    self.ambiguous_keys.push(entry.key);
                }
                return None;
            }
        };
        match self.amounts.entry(meant.key) {
            Entry::Vacant(place) => {
                place.insert(StatedAmount { amount: entry.amount, row_id: meant.row_id });
            }
            Entry::Occupied(mut place) => {
                place.get_mut().amount += &entry.amount;
                self.joined += 1;
            }
        }
        None
    }

    /// What is stated of a story, once.
    pub fn take(&mut self, story: StoryKey) -> Option<Decimal> {
        self.amounts.remove(&story).map(|stated| stated.amount)
    }

    /// What was not taken.
    pub fn rest(&mut self) -> impl Iterator<Item = (StoryKey, StatedAmount)> + use<> {
        std::mem::take(&mut self.amounts).into_iter()
    }

    /// How many keys mean a story that another key before them means.
    pub fn joined(&self) -> u64 {
        self.joined
    }

    /// How many keys mean several stories, and the first of these keys.
    pub fn ambiguous(&self) -> (u64, &[CsvKey]) {
        (self.ambiguous, &self.ambiguous_keys)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn entry(key: &str, amount: &str) -> CsvEntry {
        CsvEntry {
            key: CsvKey::Text(key.into()),
            amount: Decimal::parse(amount).expect("a number"),
        }
    }

    fn candidate(story: u128, is_left: bool) -> Candidate {
        let key = StoryKey::Correlation(Uuid::from_u128(story));
        Candidate { key, row_id: story as i64, is_left }
    }

    #[test]
    fn keys_of_one_story_are_summed() {
        let mut stated = StatedAmounts::default();
        let (one, other) = (candidate(1, true), candidate(2, false));
        assert_eq!(stated.add(entry("aggregate", "2"), &[one]), None);
        assert_eq!(stated.add(entry("correlation", "3"), &[one]), None);
        assert_eq!(stated.add(entry("other", "4"), &[other]), None);
        assert_eq!(stated.joined(), 1);
        assert_eq!(stated.take(one.key), Decimal::parse("5"));
        assert_eq!(stated.take(one.key), None);
        let rest: Vec<_> = stated.rest().map(|(key, stated)| (key, stated.row_id)).collect();
        assert_eq!(rest, [(other.key, 2)]);
    }

    #[test]
    fn of_several_stories_the_one_with_a_left_side_is_meant() {
        let mut stated = StatedAmounts::default();
        let stories = [candidate(1, false), candidate(2, true)];
        assert_eq!(stated.add(entry("order", "2"), &stories), None);
        assert_eq!(stated.take(stories[1].key), Decimal::parse("2"));
        for stories in [[candidate(1, true); 2], [candidate(1, false); 2]] {
            assert_eq!(stated.add(entry("order", "2"), &stories), None);
        }
        assert_eq!(
            stated.ambiguous(),
            (2, &[entry("order", "2").key, entry("order", "2").key][..])
        );
        assert_eq!(stated.add(entry("unknown", "2"), &[]), Some(entry("unknown", "2")));
        assert_eq!(stated.rest().count(), 0);
    }
}
