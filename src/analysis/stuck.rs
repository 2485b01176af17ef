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

    /// Only stories whose last step happened before this can be stuck.
    pub fn silent_before(&self) -> PostgresMicros {
        // Where a type has no next one, its stories are stuck at once.
        let shortest = self.within.unwrap_or(0);
        PostgresMicros(self.now.0.saturating_sub(shortest))
    }
}
