//! Judges the stories.

use std::sync::Arc;

use crate::analysis::{Ends, EventTypes, Rules, Silence, Story, StoryKey, Verdict};
use crate::cli::ui::Failure;
use crate::store;
use crate::store::{ResolvedSelection, Session, StoryEnd};
use crate::time::PostgresMicros;

/// What is asked for, as the database understands it.
pub(super) struct Question {
    /// Which stories are judged.
    pub(super) selection: ResolvedSelection,
    /// `--start`.
    pub(super) starts: ResolvedSelection,
    /// `--end`.
    pub(super) ends: ResolvedSelection,
}

/// The stories that are stuck, the longest silent first.
pub(super) struct Found {
    pub(super) stuck: Vec<StuckStory>,
    /// How many were judged.
    pub(super) of: i64,
    /// Whether it is exactly so many.
    pub(super) is_exact: bool,
}

/// A story that is stuck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StuckStory {
    pub(super) key: StoryKey,
    /// The row of its first step.
    pub(super) first_row: i64,
    pub(super) began: PostgresMicros,
    pub(super) last_type: Arc<str>,
    pub(super) last_at: PostgresMicros,
    pub(super) silence: Silence,
    /// How many steps it has.
    pub(super) steps: usize,
    /// The row of its last dead letter.
    pub(super) last_dead_letter: Option<i64>,
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
pub(super) async fn find(
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
        store::unended_stories(session, selection, starts, end, rules.silent_before()).await?;
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
