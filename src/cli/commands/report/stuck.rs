//! The section of stories that are stuck.

use std::collections::HashMap;

use super::flow::{MOST_EVENTS, story_name};
use super::period::Times;
use super::question::{Question, sentence};
use crate::analysis::{Ends, Rules, Usual};
use crate::cli::shared::{History, Question as StuckQuestion, StuckStory, find_stuck};
use crate::cli::ui::Failure;
use crate::dead_letter::UNKNOWN_ERROR;
use crate::filter::Selection;
use crate::output::html::{Block, Cell, Finding, Heading, PageSection, PageTable, Tone, grouped};
use crate::store;
use crate::store::{DeadLetterSummary, ResolvedSelection, RowScope, Session, StoryIds};
use crate::time::{PostgresMicros, span_text};

/// How many stories are listed.
const LISTED: usize = 20;

/// The stories of the period that are stuck.
pub(super) enum Stuck {
    /// They were judged.
    Judged(Judged),
    /// They could not be judged, because of this.
    NotJudged(String),
    /// There are too many events.
    TooMuch,
}

/// What was found.
pub(super) struct Judged {
    /// How many there are.
    count: i64,
    /// The longest silent, the first of them first.
    listed: Vec<StuckStory>,
    /// How it was told that a story is stuck, a sentence each.
    told: Vec<String>,
    ids: HashMap<i64, StoryIds>,
    letters: HashMap<i64, DeadLetterSummary>,
}

impl Stuck {
    /// Judges the stories that are selected; `events` is about how many events they have.
    pub(super) async fn read(
        session: &Session,
        selection: &ResolvedSelection,
        question: &Question<'_>,
        events: i64,
    ) -> Result<Self, Failure> {
        if events > MOST_EVENTS {
            return Ok(Self::TooMuch);
        }
        let now = question.clock.now;
        let (mut told, mut usual) = (Vec::new(), Usual::default());
        if question.ends.is_empty() || question.within.is_none() {
            let history = History::before(question.selection, now);
            let learned = history.learn(session).await?;
            if learned.usual.stories > 0 {
                told.extend(history.told(&learned).iter().map(|line| sentence(line)));
            } else if question.ends.is_empty() {
                let reason = history.nothing(question.within.is_some());
                return Ok(Self::NotJudged(reason.message().to_owned()));
            } else {
                told.push(sentence(&history.nothing_known()));
            }
            usual = learned.usual;
        }
        let starts = Default::default();
        let rules = Rules {
            now: PostgresMicros::from(now),
            starts: &starts,
            ends: match question.ends.is_empty() {
                true => Ends::Learned,
                false => Ends::Given(question.ends),
            },
            within: question.within,
            usual: &usual,
        };
        let ends = Selection { event_types: question.ends.clone(), ..Selection::default() };
        let all = Selection::default();
        let asked = StuckQuestion {
            selection: selection.clone(),
            starts: store::resolve(session, &all, RowScope::Existing).await?,
            ends: store::resolve(session, &ends, RowScope::Existing).await?,
        };
        let mut stuck = find_stuck(session, &asked, &rules).await?.stuck;
        let count = i64::try_from(stuck.len()).unwrap_or(i64::MAX);
        stuck.truncate(LISTED);
        let letter_rows: Vec<i64> =
            stuck.iter().filter_map(|story| story.last_dead_letter).collect();
        let first_rows: Vec<i64> = stuck.iter().map(|story| story.first_row).collect();
        let letters = store::dead_letter_summaries(session, &letter_rows).await?;
        Ok(Self::Judged(Judged {
            count,
            listed: stuck,
            told,
            ids: store::story_ids(session, &first_rows).await?,
            letters: letters.into_iter().map(|letter| (letter.event_log_id, letter)).collect(),
        }))
    }

    /// How many stories are stuck, where they were judged.
    pub(super) fn count(&self) -> Option<i64> {
        match self {
            Self::Judged(judged) => Some(judged.count),
            Self::NotJudged(_) | Self::TooMuch => None,
        }
    }

    /// Why they were not judged, where it would have taken too long.
    pub(super) fn left_out(&self) -> Option<String> {
        matches!(self, Self::TooMuch).then(|| {
            format!(
                "the period has more than {} events; audit stuck judges them",
                grouped(MOST_EVENTS)
            )
        })
    }

    /// What a reader should know first.
    pub(super) fn finding(&self) -> Option<Finding> {
        let Self::Judged(Judged { count: count @ 1.., listed, .. }) = self else { return None };
        let longest = listed.first().map(|story| span(story.silence.silent)).unwrap_or_default();
        let text = match count {
            1 => format!("1 story is stuck, silent for {longest}."),
            _ => {
                format!("{} stories are stuck, the longest silent for {longest}.", grouped(*count))
            }
        };
        Some(Finding { text, tone: Tone::Notice, section: Some("stuck") })
    }
}

pub(super) fn section(stuck: &Stuck, times: &Times) -> Option<PageSection> {
    let (lead, blocks) = match stuck {
        Stuck::TooMuch => return None,
        Stuck::NotJudged(reason) => (
            format!("Not judged: {reason}. With --end TYPE the page is told what ends a story."),
            Vec::new(),
        ),
        Stuck::Judged(judged) if judged.count == 0 => {
            (format!("No story of the period is stuck. {}", judged.told.join(" ")), Vec::new())
        }
        Stuck::Judged(judged) => (
            format!(
                "They began in the period, did not end, and have been silent for longer than is \
                 usual, as of when the page was made. {}",
                judged.told.join(" ")
            ),
            vec![Block::Table(judged.table(times))],
        ),
    };
    Some(PageSection { id: "stuck", title: "Stuck stories", lead, blocks })
}

impl Judged {
    fn table(&self, times: &Times) -> PageTable {
        let note = (self.count > LISTED as i64)
            .then(|| format!("The {LISTED} longest silent of {}.", grouped(self.count)));
        PageTable {
            caption: "Stuck stories".to_owned(),
            headings: vec![
                Heading::text("Story"),
                Heading::text("Last event"),
                Heading::time("At"),
                Heading::number("Silent"),
                Heading::number("Usual"),
                Heading::number("Steps"),
                Heading::text("Error"),
            ],
            rows: self.listed.iter().map(|story| self.row(story, times)).collect(),
            note,
        }
    }

    fn row(&self, story: &StuckStory, times: &Times) -> Vec<Cell> {
        let id = self.ids.get(&story.first_row).map(story_name).unwrap_or_default();
        let error = story.last_dead_letter.map(|row| {
            let letter = self.letters.get(&row).map(DeadLetterSummary::error);
            letter.filter(|error| !error.is_empty()).unwrap_or_else(|| UNKNOWN_ERROR.to_owned())
        });
        let error = error.unwrap_or_default();
        vec![
            Cell::code(id),
            Cell::code(story.last_type.to_string()),
            Cell::new(times.text(story.last_at)),
            Cell::new(span(story.silence.silent)),
            Cell::new(story.silence.usual.map_or("unknown".to_owned(), span)),
            Cell::new(grouped(story.steps as i64)),
            Cell::new(error).alarming(true),
        ]
    }
}

fn span(microseconds: i64) -> String {
    span_text(microseconds.unsigned_abs())
}
