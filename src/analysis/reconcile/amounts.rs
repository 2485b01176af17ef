//! The amounts of each side of a story.

use serde_json::value::RawValue;

use crate::analysis::assemble::StoryChoice;
use crate::analysis::decimal::Decimal;
use crate::analysis::story::StoryKey;
use crate::time::PostgresMicros;

/// An event of a story, as it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AmountEvent<'a> {
    /// The story.
    pub key: StoryKey,
    /// `event_logs.id`.
    pub row_id: i64,
    /// When it happened.
    pub at: PostgresMicros,
    /// Whether it is a step.
    pub is_step: bool,
    /// Whether it has what the selectors ask for, those of its time left out.
    pub matches: bool,
    /// Where it is of the left side: a JSON array of what the path finds.
    pub left: Option<&'a str>,
    /// Where it is of the right side: the same.
    pub right: Option<&'a str>,
}

/// The amounts of one side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Their sum; `None` where there is no number.
    pub sum: Option<Decimal>,
    /// How many events it has.
    pub events: u64,
    /// In how many events the path finds nothing.
    pub missing: u64,
    /// In how many events it finds something that is no number.
    pub not_numbers: u64,
}

/// Both sides of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryAmounts {
    /// Which story.
    pub key: StoryKey,
    /// The row of its first step, of those that were read (`event_logs.id`).
    pub row_id: i64,
    /// Its left side.
    pub left: Amounts,
    /// Its right side.
    pub right: Amounts,
}

/// Takes events story by story, and gives the chosen stories.
#[derive(Debug)]
pub struct AmountAssembler {
    choice: StoryChoice,
    begun: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    story: StoryAmounts,
    /// When the first step happened, and its row.
    first_step: Option<(PostgresMicros, i64)>,
    matches: bool,
}

impl AmountAssembler {
    /// An assembler that saw nothing yet.
    pub fn new(choice: StoryChoice) -> Self {
        Self { choice, begun: None }
    }

    /// Takes the next event; gives the story before it where the event begins another, and that
    /// story is chosen.
    pub fn push(&mut self, event: &AmountEvent<'_>) -> Option<StoryAmounts> {
        let finished = match &self.begun {
            Some(begun) if begun.story.key == event.key => None,
            _ => self.finish(),
        };
        let begun = self.begun.get_or_insert_with(|| Begun {
            story: StoryAmounts {
                key: event.key,
                row_id: event.row_id,
                left: Amounts::default(),
                right: Amounts::default(),
            },
            first_step: None,
            matches: false,
        });
        begun.matches |= event.matches;
        if event.is_step {
            let step = (event.at, event.row_id);
            begun.first_step = Some(begun.first_step.map_or(step, |first| first.min(step)));
            for (side, found) in
                [(&mut begun.story.left, event.left), (&mut begun.story.right, event.right)]
            {
                if let Some(found) = found {
                    side.add(found);
                }
            }
        }
        finished
    }

    /// Behind the last event: the last story, where it is chosen.
    pub fn finish(&mut self) -> Option<StoryAmounts> {
        let Begun { mut story, first_step, matches } = self.begun.take()?;
        let (began, row_id) = first_step?;
        story.row_id = row_id;
        (matches && self.choice.holds(began)).then_some(story)
    }
}

/// What a path can find.
enum Found {
    Number(Decimal),
    Nothing,
    NoNumber,
}

impl Amounts {
    /// Counts the events of another story, too; its sum stays its own.
    pub fn count(&mut self, other: &Self) {
        self.events += other.events;
        self.missing += other.missing;
        self.not_numbers += other.not_numbers;
    }

    /// Adds what was found in an event: a JSON array.
    fn add(&mut self, found: &str) {
        let found: Vec<&RawValue> = serde_json::from_str(found).unwrap_or_default();
        let (mut is_missing, mut is_no_number) = (true, false);
        for value in found {
            match read(value.get()) {
                Found::Nothing => continue,
                Found::NoNumber => is_no_number = true,
                Found::Number(number) => *self.sum.get_or_insert(Decimal::ZERO) += &number,
            }
            is_missing = false;
        }
        self.events += 1;
        self.missing += u64::from(is_missing);
        self.not_numbers += u64::from(is_no_number);
    }
}

fn read(json: &str) -> Found {
    let number = match json.as_bytes().first() {
        Some(b'n') | None => return Found::Nothing,
        Some(b'"') => {
            serde_json::from_str::<String>(json).ok().and_then(|text| Decimal::parse(&text))
        }
        Some(b'-' | b'0'..=b'9') => Decimal::of_json(json),
        Some(_) => None,
    };
    number.map_or(Found::NoNumber, Found::Number)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Duration};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::filter::TimeRange;

    fn number(text: &str) -> Option<Decimal> {
        Decimal::parse(text)
    }

    fn amounts(found: &[&str]) -> (Option<Decimal>, u64, u64) {
        let mut amounts = Amounts::default();
        found.iter().for_each(|found| amounts.add(found));
        (amounts.sum, amounts.missing, amounts.not_numbers)
    }

    #[test]
    fn numbers_and_decimal_text_are_summed_and_all_else_is_counted() {
        assert_eq!(amounts(&["[10.5]", r#"["-3.25"]"#]), (number("7.25"), 0, 0));
        assert_eq!(amounts(&["[1, 2, \"3\"]"]), (number("6"), 0, 0));
        assert_eq!(amounts(&["[]", "[null]"]), (None, 2, 0));
        assert_eq!(
            amounts(&[r#"["ten"]"#, "[true]", "[[1]]", r#"[{"a": 1}]"#, r#"["1e999999999"]"#]),
            (None, 0, 5)
        );
        // An event is counted once, and what is a number counts.
        assert_eq!(amounts(&[r#"["ten", "eleven", 12, null]"#]), (number("12"), 0, 1));
        assert_eq!(amounts(&["[0.1]", "[0.2]"]), (number("0.3"), 0, 0));
    }

    fn event(story: u128, second: i64) -> AmountEvent<'static> {
        AmountEvent {
            key: StoryKey::Correlation(Uuid::from_u128(story)),
            row_id: story as i64,
            at: PostgresMicros(second * 1_000_000),
            is_step: true,
            matches: true,
            left: None,
            right: None,
        }
    }

    fn assemble(choice: StoryChoice, events: &[AmountEvent<'_>]) -> Vec<StoryAmounts> {
        let mut assembler = AmountAssembler::new(choice);
        let mut stories: Vec<_> = events.iter().filter_map(|event| assembler.push(event)).collect();
        stories.extend(assembler.finish());
        stories
    }

    fn seconds(since: i64, until: i64) -> StoryChoice {
        let epoch = DateTime::parse_from_rfc3339("2000-01-01T00:00:00Z").expect("a time").to_utc();
        let at = |seconds| Some(epoch + Duration::seconds(seconds));
        let created = TimeRange { since: at(since), until: at(until) };
        StoryChoice { created, days: Vec::new() }
    }

    #[test]
    fn a_story_is_chosen_by_its_first_step_in_whatever_order_its_events_come() {
        let events = [event(1, 5), event(1, 2), event(2, 5), event(2, 1), event(3, 9), event(4, 2)];
        let chosen: Vec<_> =
            assemble(seconds(2, 9), &events).into_iter().map(|story| story.key).collect();
        assert_eq!(chosen, [event(1, 0).key, event(4, 0).key]);
    }

    #[test]
    fn what_is_no_step_has_no_amount_but_can_choose_its_story() {
        let dead = AmountEvent { is_step: false, left: Some("[5]"), ..event(1, 1) };
        let step = AmountEvent { matches: false, left: Some("[7]"), ..event(1, 2) };
        let other = AmountEvent { matches: false, ..event(2, 2) };
        let stories = assemble(StoryChoice::default(), &[dead, step, other]);
        assert_eq!(stories.len(), 1);
        assert_eq!(stories[0].left.sum, number("7"));
        let only_dead = assemble(StoryChoice::default(), &[dead]);
        assert_eq!(only_dead, []);
    }

    proptest! {
        /// Against a model that groups, filters and adds up one after the other.
        #[test]
        fn sums_are_those_of_a_naive_model(
            rows in proptest::collection::vec((0u128..5, 0i64..10, any::<bool>(), any::<bool>(), 0u8..4, -50i64..50), 0..40),
            since in 0i64..10, length in 0i64..10,
        ) {
            let mut rows = rows;
            rows.sort_by_key(|row| row.0);
            let found: Vec<String> = rows.iter().map(|row| match row.5 % 7 {
                0 => "[]".to_owned(),
                1 => r#"["no"]"#.to_owned(),
                _ => format!("[{}]", row.5),
            }).collect();
            let events: Vec<_> = rows.iter().zip(&found).map(|(row, found)| AmountEvent {
                is_step: row.2,
                matches: row.3,
                left: (row.4 & 1 == 1).then_some(found),
                right: (row.4 & 2 == 2).then_some(found),
                ..event(row.0, row.1)
            }).collect();
            let mut expected = Vec::new();
            for story in 0..5 {
                let own: Vec<_> = rows.iter().filter(|row| row.0 == story).collect();
                let first = own.iter().filter(|row| row.2).map(|row| row.1).min();
                let is_chosen = own.iter().any(|row| row.3)
                    && first.is_some_and(|first| (since..since + length).contains(&first));
                if is_chosen {
                    let side = |bit: u8| {
                        let events = own.iter().filter(|row| row.2 && row.4 & bit == bit);
                        let numbers: Vec<i64> = events.clone().map(|row| row.5).filter(|number| ![0, 1].contains(&(number % 7))).collect();
                        Amounts {
                            sum: (!numbers.is_empty()).then(|| number(&numbers.iter().sum::<i64>().to_string()).expect("a number")),
                            events: events.clone().count() as u64,
                            missing: events.clone().filter(|row| row.5 % 7 == 0).count() as u64,
                            not_numbers: events.filter(|row| row.5 % 7 == 1).count() as u64,
                        }
                    };
                    expected.push(StoryAmounts { key: event(story, 0).key, row_id: story as i64, left: side(1), right: side(2) });
                }
            }
            prop_assert_eq!(assemble(seconds(since, since + length), &events), expected);
        }
    }
}
