//! The section of the flow: which event follows which, the slowest steps, and variants.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::analysis::{EventType, EventTypes, FlowCounter, FlowRow, Variant, VariantCounter};
use crate::cli::ui::Failure;
use crate::count_text::counted;
use crate::output::html::{
    Block, Cell, Heading, PageSection, PageTable, Picture, grouped, percent,
};
use crate::output::{FlowEdge, FlowPicture, SvgTheme};
use crate::store;
use crate::store::{ResolvedSelection, Session, StoryIds};
use crate::time::span_text;
use crate::value::Value;

/// With more events than this in the period its stories are not read: that would take minutes.
pub(super) const MOST_EVENTS: i64 = 5_000_000;

/// How many ways a picture has.
const DRAWN: usize = 24;

/// How many slow steps, and how many variants, are listed.
const LISTED: usize = 10;

/// How many steps of a variant are shown.
const MOST_STEPS: usize = 24;

/// The stories of the period.
pub(super) enum Flow {
    /// They were read.
    Read(Read),
    /// There are too many events.
    TooMuch,
}

/// What they have in common.
pub(super) struct Read {
    stories: u64,
    rows: Vec<FlowRow>,
    variants: Vec<Variant>,
    types: EventTypes,
    examples: HashMap<i64, StoryIds>,
    without_story: i64,
}

impl Flow {
    /// Reads the stories that are selected; `events` is about how many events they have.
    pub(super) async fn read(
        session: &Session,
        selection: &ResolvedSelection,
        events: i64,
    ) -> Result<Self, Failure> {
        if events > MOST_EVENTS {
            return Ok(Self::TooMuch);
        }
        let (mut flow, mut variants) = (FlowCounter::default(), VariantCounter::default());
        let (types, without_story) = match selection.is_empty() {
            true => (EventTypes::default(), 0),
            false => {
                let mut stories = store::stories(session, selection).await?;
                while let Some(story) = stories.next().await? {
                    flow.add(&story);
                    variants.add(&story);
                }
                let without_story = store::steps_without_story(session, selection).await?;
                (stories.into_types(), without_story)
            }
        };
        let stories = flow.stories();
        let variants = variants.finish(&types);
        let rows: Vec<i64> =
            variants.iter().take(LISTED).map(|variant| variant.example.first.row_id).collect();
        let examples = store::story_ids(session, &rows).await?;
        let rows = flow.finish(&types);
        Ok(Self::Read(Read { stories, rows, variants, types, examples, without_story }))
    }

    /// How many stories there are.
    pub(super) fn stories(&self) -> Option<u64> {
        match self {
            Self::Read(read) => Some(read.stories),
            Self::TooMuch => None,
        }
    }

    /// Why they were not read.
    pub(super) fn left_out(&self) -> Option<String> {
        match self {
            Self::Read(_) => None,
            Self::TooMuch => Some(format!(
                "the period has more than {} events; a shorter one has it",
                grouped(MOST_EVENTS)
            )),
        }
    }
}

pub(super) fn section(flow: &Flow) -> PageSection {
    let (lead, blocks) = match flow {
        Flow::Read(read) if read.stories > 0 => (read.lead(), read.blocks()),
        Flow::Read(read) => {
            let lead = match read.without_story {
                0 => "No story began in the period.",
                _ => {
                    "No story began in the period: its events have neither a correlation nor an aggregate."
                }
            };
            (lead.to_owned(), Vec::new())
        }
        Flow::TooMuch => {
            let reason = flow.left_out().unwrap_or_default();
            (format!("The flow is left out: {reason}."), Vec::new())
        }
    };
    PageSection { id: "flow", title: "Flow", lead, blocks }
}

impl Read {
    fn lead(&self) -> String {
        let began = match self.stories {
            1 => "1 story began".to_owned(),
            many => format!("{} stories began", grouped(many)),
        };
        let without = match self.without_story {
            0 => String::new(),
            some => format!(
                " {} to no story, because they have neither a correlation nor an aggregate.",
                crate::count_text::counted_with(grouped(some), "event", ["belongs", "belong"])
            ),
        };
        format!(
            "{began} in the period; all of their steps count, also those behind it. A story is all \
             events of one correlation, or of one aggregate where they have none.{without}"
        )
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks = self.picture().map(Block::Picture).into_iter().collect::<Vec<_>>();
        let slowest = self.slowest();
        if !slowest.rows.is_empty() {
            blocks.push(Block::Heading("Slowest steps"));
            blocks.push(Block::Table(slowest));
        }
        blocks.push(Block::Heading("Variants"));
        blocks.push(Block::Table(self.variants()));
        blocks
    }

    fn name(&self, known: Option<EventType>) -> Option<String> {
        known.map(|known| self.types.name(known).to_owned())
    }

    fn picture(&self) -> Option<Picture> {
        let edge = |row: &FlowRow| FlowEdge {
            from: self.name(row.from),
            to: self.name(row.to),
            count: row.count,
            share: row.share,
            p50: row.p50,
            p95: row.p95,
        };
        let edges: Vec<FlowEdge> = self.rows.iter().map(edge).collect();
        let picture = FlowPicture::new(&edges, DRAWN);
        let mut svg = Vec::new();
        let title = "Which event follows which, how often, and the median of the time between";
        picture.write_svg(title, SvgTheme::Page, &mut svg).ok()?;
        let left_out = match picture.left_out() {
            0 => String::new(),
            more => format!(
                " {} not drawn.",
                crate::count_text::counted_with(grouped(more as i64), "rarer way", ["is", "are"])
            ),
        };
        let caption = format!(
            "From beginning to end: how often each way was taken, and the median of the time \
             between. Broken lines lead back.{left_out}"
        );
        Some(Picture { caption, svg: String::from_utf8(svg).ok()? })
    }

    fn slowest(&self) -> PageTable {
        let mut slow: Vec<(&FlowRow, i64, i64)> =
            self.rows.iter().filter_map(|row| Some((row, row.p50?, row.p95?))).collect();
        slow.sort_by_key(|(row, _, p95)| (Reverse(*p95), Reverse(row.count)));
        let row = |(row, p50, p95): &(&FlowRow, i64, i64)| {
            let names = [row.from, row.to].into_iter().filter_map(|known| self.name(known));
            vec![
                Cell::chain(names.collect()),
                Cell::new(grouped(row.count)),
                Cell::new(span(*p50)),
                Cell::new(span(*p95)),
            ]
        };
        let note = (slow.len() > LISTED)
            .then(|| format!("The slowest {LISTED} of {} by p95.", grouped(slow.len() as i64)));
        PageTable {
            caption: "Slowest steps".to_owned(),
            headings: vec![
                Heading::text("Step"),
                Heading::number("Count"),
                Heading::number("Median"),
                Heading::number("95 % within"),
            ],
            rows: slow.iter().take(LISTED).map(row).collect(),
            note,
        }
    }

    fn variants(&self) -> PageTable {
        let all = self.stories.try_into().unwrap_or(i64::MAX);
        let row = |variant: &Variant| {
            let stories = variant.stories.try_into().unwrap_or(i64::MAX);
            let example = self.examples.get(&variant.example.first.row_id);
            let example = example.map(story_name).unwrap_or_default();
            vec![
                Cell::chain(self.sequence(variant)),
                Cell::new(grouped(stories)),
                Cell::new(percent(stories, all)).with_share(stories, all),
                Cell::new(span(variant.p50)),
                Cell::new(span(variant.p95)),
                Cell::code(example),
            ]
        };
        let listed: u64 = self.variants.iter().take(LISTED).map(|variant| variant.stories).sum();
        let note = (self.variants.len() > LISTED).then(|| {
            let more = counted(grouped((self.variants.len() - LISTED) as i64), "variant");
            let stories = self.stories - listed;
            format!("{more} more, of {} stories together.", grouped(stories))
        });
        PageTable {
            caption: "Variants".to_owned(),
            headings: vec![
                Heading::text("Sequence"),
                Heading::number("Stories"),
                Heading::number("Share"),
                Heading::number("Median"),
                Heading::number("95 % within"),
                Heading::text("Example"),
            ],
            rows: self.variants.iter().take(LISTED).map(row).collect(),
            note,
        }
    }

    /// The names of a variant; what is repeated stands once.
    fn sequence(&self, variant: &Variant) -> Vec<String> {
        let mut names: Vec<(EventType, u64)> = Vec::new();
        for event_type in &variant.types {
            match names.last_mut() {
                Some((last, times)) if last == event_type => *times += 1,
                _ => names.push((*event_type, 1)),
            }
        }
        let shown = |(known, times): &(EventType, u64)| match times {
            1 => self.types.name(*known).to_owned(),
            _ => format!("{} ×{}", self.types.name(*known), grouped(*times)),
        };
        let mut sequence: Vec<String> = names.iter().take(MOST_STEPS).map(shown).collect();
        if names.len() > MOST_STEPS {
            sequence.push(format!("{} more", grouped((names.len() - MOST_STEPS) as i64)));
        }
        sequence
    }
}

/// What a story is called: text that somebody chose says more than a UUID.
pub(super) fn story_name(ids: &StoryIds) -> String {
    let id = match (&ids.aggregate, &ids.correlation) {
        (aggregate @ Value::Text(_), Value::Uuid(_)) => aggregate,
        (_, correlation) => correlation,
    };
    id.to_text().unwrap_or_default()
}

fn span(microseconds: i64) -> String {
    span_text(microseconds.unsigned_abs())
}
