//! Makes stories of events that arrive story by story.

use super::event_types::EventTypes;
use super::story::{Step, Story, StoryEvent, StoryKey};
use crate::filter::TimeRange;
use crate::time::PostgresMicros;

/// Which stories are chosen: those whose first step happened then. The other selectors are asked of
/// each event ([`StoryEvent::matches`]).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoryChoice {
    /// `--since` and `--until`.
    pub created: TimeRange,
    /// `--date`: one of these, where there are any.
    pub days: Vec<TimeRange>,
}

impl StoryChoice {
    /// Whether a story whose first step happened then is chosen.
    pub(super) fn holds(&self, time: PostgresMicros) -> bool {
        self.created.holds(time)
            && (self.days.is_empty() || self.days.iter().any(|day| day.holds(time)))
    }
}

/// Takes events in the order of their stories, within a story in that of their times, and gives the
/// chosen stories.
#[derive(Debug)]
pub struct Assembler {
    choice: StoryChoice,
    types: EventTypes,
    begun: Option<Begun>,
}

/// The story that is being put together.
#[derive(Debug)]
struct Begun {
    key: StoryKey,
    steps: Vec<Step>,
    last_dead_letter: Option<i64>,
    matches: bool,
}

impl Assembler {
    /// An assembler that saw nothing yet.
    pub fn new(choice: StoryChoice) -> Self {
        Self { choice, types: EventTypes::default(), begun: None }
    }

    /// The types of all events that were seen.
    pub fn types(&self) -> &EventTypes {
        &self.types
    }

    /// Ends it, and keeps the types.
    pub fn into_types(self) -> EventTypes {
        self.types
    }

    /// Takes the next event; gives the story before it where the event begins another, and that
    /// story is chosen.
    pub fn push(&mut self, event: &StoryEvent<'_>) -> Option<Story> {
        let finished = match &self.begun {
            Some(begun) if begun.key == event.key => None,
            _ => self.finish(),
        };
        let step = event.is_step.then(|| Step {
            row_id: event.row_id,
            event_type: self.types.of(event.event_type),
            at: event.at,
        });
        let begun = self.begun.get_or_insert_with(|| Begun {
            key: event.key,
            steps: Vec::new(),
            last_dead_letter: None,
            matches: false,
        });
        begun.steps.extend(step);
        begun.matches |= event.matches;
        if event.is_dead_letter {
            begun.last_dead_letter = Some(event.row_id);
        }
        finished
    }

    /// Behind the last event: the last story, where it is chosen.
    pub fn finish(&mut self) -> Option<Story> {
        let Begun { key, steps, last_dead_letter, matches } = self.begun.take()?;
        let mut steps = steps.into_iter();
        let first = steps.next()?;
        (matches && self.choice.holds(first.at)).then(|| Story {
            key,
            first,
            rest: steps.collect(),
            last_dead_letter,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Duration};
    use uuid::Uuid;

    fn event(story: u128, second: i64, event_type: &str) -> StoryEvent<'_> {
        StoryEvent {
            key: StoryKey::Correlation(Uuid::from_u128(story)),
            row_id: second,
            event_type,
            at: PostgresMicros(second * 1_000_000),
            is_step: true,
            is_dead_letter: false,
            matches: true,
        }
    }

    /// The types of each chosen story.
    fn assemble(choice: StoryChoice, events: &[StoryEvent<'_>]) -> Vec<Vec<String>> {
        let mut assembler = Assembler::new(choice);
        let mut stories: Vec<Story> =
            events.iter().filter_map(|event| assembler.push(event)).collect();
        stories.extend(assembler.finish());
        let name = |step: &Step| assembler.types().name(step.event_type).to_owned();
        stories.iter().map(|story| story.steps().map(name).collect()).collect()
    }

    #[test]
    fn events_of_one_story_become_one_and_what_is_no_step_is_left_out() {
        let no_step = StoryEvent { is_step: false, ..event(1, 2, "A") };
        let aggregate =
            StoryEvent { key: StoryKey::Aggregate(Uuid::from_u128(2)), ..event(2, 5, "A") };
        let only_dead = StoryEvent { is_step: false, is_dead_letter: true, ..event(3, 6, "A") };
        let events =
            [event(1, 1, "A"), no_step, event(1, 3, "B"), event(2, 4, "A"), aggregate, only_dead];
        assert_eq!(
            assemble(StoryChoice::default(), &events),
            [vec!["A", "B"], vec!["A"], vec!["A"]]
        );
    }

    #[test]
    fn a_story_is_chosen_by_its_first_step_and_then_all_of_it_counts() {
        let epoch = DateTime::parse_from_rfc3339("2000-01-01T00:00:00Z").expect("a time").to_utc();
        let second = |seconds| Some(epoch + Duration::seconds(seconds));
        let created = TimeRange { since: second(2), until: second(4) };
        let choice = StoryChoice { created, days: Vec::new() };
        let events = [
            event(1, 1, "before"),
            event(1, 3, "within"),
            event(2, 2, "at the beginning"),
            event(2, 9, "behind the end"),
            event(3, 4, "at the end"),
        ];
        assert_eq!(assemble(choice.clone(), &events), [["at the beginning", "behind the end"]]);
        let days = vec![TimeRange { since: second(3), until: None }];
        assert_eq!(assemble(StoryChoice { days, ..choice }, &events), [[""; 0]; 0]);
    }

    #[test]
    fn one_event_that_matches_chooses_its_story_also_a_dead_letter() {
        let other = |event| StoryEvent { matches: false, ..event };
        let letter = StoryEvent { is_step: false, is_dead_letter: true, ..event(1, 2, "A") };
        let events = [other(event(1, 1, "A")), letter, other(event(2, 3, "B"))];
        assert_eq!(assemble(StoryChoice::default(), &events), [["A"]]);
    }
}
