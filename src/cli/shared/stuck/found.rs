//! Judges the stories.

use std::sync::Arc;

use crate::analysis::{Ends, EventTypes, Rules, Silence, Story, StoryKey, Verdict};
use crate::cli::ui::Failure;
use crate::store;
use crate::store::{ResolvedSelection, Session, StoryEnd};
use crate::time::PostgresMicros;

/// What is asked for, as the database understands it.
pub(crate) struct Question {
    /// Which stories are judged.
    pub(crate) selection: ResolvedSelection,
    /// `--start`.
    pub(crate) starts: ResolvedSelection,
    /// `--end`.
    pub(crate) ends: ResolvedSelection,
}

/// The stories that are stuck, the longest silent first.
pub(crate) struct Found {
    pub(crate) stuck: Vec<StuckStory>,
    /// How many were judged.
    pub(crate) of: i64,
    /// Whether it is exactly so many.
    pub(crate) is_exact: bool,
}

/// A story that is stuck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StuckStory {
    pub(crate) key: StoryKey,
    /// The row of its first step.
    pub(crate) first_row: i64,
    pub(crate) began: PostgresMicros,
    pub(crate) last_type: Arc<str>,
    pub(crate) last_at: PostgresMicros,
    pub(crate) silence: Silence,
    /// How many steps it has.
    pub(crate) steps: usize,
    /// The row of its last dead letter.
    pub(crate) last_dead_letter: Option<i64>,
}

impl StuckStory {
    fn new(story: &Story, silence: Silence, types: &EventTypes) -> Self {
        let last = story.last();
        Self {
            key: story.key,
            first_row: story.first.row_id,
            began: story.first.at,
            last_type: types.shared_name(last.event_type),
            last_at: last.at,
            silence,
            steps: story.step_count(),
            last_dead_letter: story.last_dead_letter,
        }
    }
}

/// Finds the selected stories that are stuck.
pub(crate) async fn find_stuck(
    session: &Session,
    question: &Question,
    rules: &Rules<'_>,
) -> Result<Found, Failure> {
    let Question { selection, starts, ends } = question;
    if selection.is_empty() || starts.is_empty() {
        return Ok(Found { stuck: Vec::new(), of: 0, is_exact: true });
    }
    let learned: Vec<String> = rules.usual.ends.iter().map(|end| end.name.clone()).collect();
    let end = match rules.ends {
        Ends::Given(_) => StoryEnd::Anywhere(ends),
        Ends::Learned => StoryEnd::Last(&learned),
    };
    let unended =
        store::unended_stories(session, selection, starts, end, rules.silent_since()).await?;
    let mut stories = match &unended {
        Some(unended) => store::stories_of(session, selection, &unended.keys).await?,
        None => store::stories(session, selection).await?,
    };
    let (mut stuck, mut of) = (Vec::new(), 0);
    while let Some(story) = stories.next().await? {
        match rules.judge(&story, stories.types()) {
            Verdict::NotAsked => continue,
            Verdict::Ended | Verdict::UnderWay => {}
            Verdict::Stuck(silence) => {
                stuck.push(StuckStory::new(&story, silence, stories.types()));
            }
        }
        of += 1;
    }
    stuck.sort_unstable_by_key(|story| (story.last_at, story.key));
    Ok(match unended {
        // Of those that ended, only their number is known.
        Some(unended) => Found { stuck, of: unended.of, is_exact: false },
        None => Found { stuck, of, is_exact: true },
    })
}
