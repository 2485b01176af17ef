//! The chosen stories, one after the other.

use std::pin::Pin;

use futures_util::TryStreamExt;
use tokio_postgres::{Row, RowStream};
use uuid::Uuid;

use crate::analysis::{Assembler, EventTypes, Story, StoryChoice, StoryEvent, StoryKey};
use crate::store::connection::session::Session;
use crate::store::connection::statement::Statement;
use crate::store::error::Error;
use crate::store::read::bounds::stored_rows;
use crate::store::search::first_delivery::Deliveries;
use crate::store::search::resolved::ResolvedSelection;
use crate::store::search::stories::{StorySelection, Walk};
use crate::store::search::story_by::StoryBy;
use crate::store::search::walk::leaves::Leaves;

/// What is being done, in errors.
const READING: &str = "reading stories";

/// From this part of all rows on (one in so many), reading every row is quicker than looking for
/// each story's.
const LARGE_PART: u64 = 2;

/// Below this number of rows it does not matter.
const FEW_ROWS: u64 = 100_000;

/// The column that has, in the first row of a story, how many events it has.
const ALL_EVENTS: usize = 8;

/// The chosen stories, as they arrive from the server.
pub struct Stories<'a> {
    rows: Pin<Box<RowStream>>,
    assembler: Assembler,
    /// Where only the events of a range of time arrive: what is known of the others.
    period: Option<Period<'a>>,
    is_over: bool,
}

/// Of the events of a range of time: which stories have others.
struct Period<'a> {
    session: &'a Session,
    chosen: StorySelection,
    deliveries: Deliveries,
    /// Of rows from this id on it is only known whether a story has others.
    light_from: i64,
    arriving: Option<Arriving>,
    incomplete: Vec<StoryKey>,
}

/// The story whose events arrive.
struct Arriving {
    key: StoryKey,
    /// How many of its events came, of those that are counted.
    arrived: i64,
    all: i64,
}

/// Reads the stories that a selection chooses: their first step happened in its range of time, and
/// one of their events has what its other selectors ask for. All steps of a chosen story are read.
///
/// # Errors
/// `Error::Query`.
pub async fn stories<'a>(
    session: &'a Session,
    selection: &ResolvedSelection,
) -> Result<Stories<'a>, Error> {
    settle(session).await?;
    let deliveries = Deliveries::read(session).await?;
    let light_from = Leaves::read(session).await?.light_from();
    let chosen = StorySelection::new(selection).with_light_from(light_from);
    let walk = walk(session, &chosen).await?;
    if walk != Walk::Period {
        let statement = chosen.statement(walk, &deliveries);
        return Stories::begin(session, selection, &statement).await;
    }
    let statement = chosen.in_period(&deliveries);
    let stories = Stories::begin(session, selection, &statement).await?;
    let (arriving, incomplete) = (None, Vec::new());
    let period = Period { session, chosen, deliveries, light_from, arriving, incomplete };
    Ok(Stories { period: Some(period), ..stories })
}

/// Sorts without a file what fits, and compiles nothing: that takes longer than it saves. Lets
/// PostgreSQL read a light leaf from end to end, also where a page is read besides.
pub(in crate::store::read) async fn settle(session: &Session) -> Result<(), Error> {
    let settings =
        "SET LOCAL work_mem = '64MB'; SET LOCAL jit = off; SET LOCAL enable_seqscan = on";
    session.client().batch_execute(settings).await.map_err(Error::query("beginning to read"))
}

/// Reads these of the stories that a selection chooses.
///
/// # Errors
/// `Error::Query`.
pub async fn stories_of(
    session: &Session,
    selection: &ResolvedSelection,
    keys: &[StoryKey],
) -> Result<Stories<'static>, Error> {
    settle(session).await?;
    let deliveries = Deliveries::read(session).await?;
    let light_from = Leaves::read(session).await?.light_from();
    let chosen = StorySelection::new(selection).with_light_from(light_from);
    let statement = chosen.of_keys(keys, &deliveries);
    Stories::begin(session, selection, &statement).await
}

/// How many selected steps belong to no story, because they have neither a correlation nor an
/// aggregate.
///
/// # Errors
/// `Error::Query`.
pub async fn steps_without_story(
    session: &Session,
    selection: &ResolvedSelection,
) -> Result<i64, Error> {
    let deliveries = Deliveries::read(session).await?;
    let statement =
        StorySelection::new(selection).without_story(StoryBy::Correlation, None, &deliveries);
    statement.row(session, "counting steps without a story", |row| row.try_get(0)).await
}

/// Chooses the quicker way.
pub(super) async fn walk(session: &Session, chosen: &StorySelection) -> Result<Walk, Error> {
    let walk = chosen.walk();
    if walk == Walk::All {
        return Ok(walk);
    }
    let candidates = chosen.candidate_rows(walk).expected_rows(session).await?;
    let all = stored_rows(session).await?;
    let is_large = candidates > FEW_ROWS && candidates.saturating_mul(LARGE_PART) > all;
    Ok(if is_large { Walk::All } else { walk })
}

impl Period<'_> {
    /// Takes note of an event. True where it begins another story, and the one before is not
    /// complete: it has to be read again.
    fn note(&mut self, event: &StoryEvent<'_>, all: Option<i64>) -> bool {
        let counted = i64::from(event.row_id < self.light_from);
        match &mut self.arriving {
            Some(arriving) if arriving.key == event.key => {
                arriving.arrived += counted;
                false
            }
            _ => {
                let is_incomplete = self.end();
                // Without the number the story counts as incomplete.
                let all = all.unwrap_or(i64::MAX);
                self.arriving = Some(Arriving { key: event.key, arrived: counted, all });
                is_incomplete
            }
        }
    }

    /// No more events of the story arrive. True where it is not complete.
    fn end(&mut self) -> bool {
        match self.arriving.take() {
            Some(Arriving { key, arrived, all }) if arrived != all => {
                self.incomplete.push(key);
                true
            }
            _ => false,
        }
    }

    /// All events of the stories that are not complete.
    async fn incomplete(self) -> Result<Option<RowStream>, Error> {
        if self.incomplete.is_empty() {
            return Ok(None);
        }
        let statement = self.chosen.of_keys(&self.incomplete, &self.deliveries);
        statement.stream(self.session, READING).await.map(Some)
    }
}

impl Stories<'_> {
    /// Those of a statement, as far as the selection chooses them.
    pub(super) async fn begin(
        session: &Session,
        selection: &ResolvedSelection,
        statement: &Statement,
    ) -> Result<Self, Error> {
        let rows = statement.stream(session, READING).await?;
        let choice = StoryChoice {
            created: selection.selection.created,
            days: selection.selection.days.clone(),
        };
        Ok(Self {
            rows: Box::pin(rows),
            assembler: Assembler::new(choice),
            period: None,
            is_over: false,
        })
    }

    /// The next story; `None` behind the last.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn next(&mut self) -> Result<Option<Story>, Error> {
        while !self.is_over {
            let row = self.rows.try_next().await.map_err(Error::query(READING))?;
            let finished = match row {
                Some(row) => self.take(&row).map_err(Error::query(READING))?,
                None => self.end().await?,
            };
            if finished.is_some() {
                return Ok(finished);
            }
        }
        Ok(None)
    }

    /// Takes an event; gives the story before it, where that is complete and chosen.
    fn take(&mut self, row: &Row) -> Result<Option<Story>, tokio_postgres::Error> {
        let Some(event) = story_event(row)? else { return Ok(None) };
        let is_incomplete = match &mut self.period {
            Some(period) => period.note(&event, row.try_get(ALL_EVENTS)?),
            None => false,
        };
        Ok(self.assembler.push(&event).filter(|_| !is_incomplete))
    }

    /// Behind the last event: the last story, and then those that are not complete.
    async fn end(&mut self) -> Result<Option<Story>, Error> {
        let Some(mut period) = self.period.take() else {
            self.is_over = true;
            return Ok(self.assembler.finish());
        };
        let is_incomplete = period.end();
        match period.incomplete().await? {
            Some(rows) => self.rows = Box::pin(rows),
            None => self.is_over = true,
        }
        Ok(self.assembler.finish().filter(|_| !is_incomplete))
    }

    /// The types of the steps that were read.
    pub fn types(&self) -> &EventTypes {
        self.assembler.types()
    }

    /// Ends it, and keeps the types.
    pub fn into_types(self) -> EventTypes {
        self.assembler.into_types()
    }
}

/// The story of an event with this correlation, or without one and with this aggregate.
pub(super) fn story_key(correlation: Option<Uuid>, aggregate: Option<Uuid>) -> Option<StoryKey> {
    correlation.map(StoryKey::Correlation).or(aggregate.map(StoryKey::Aggregate))
}

fn story_event(row: &Row) -> Result<Option<StoryEvent<'_>>, tokio_postgres::Error> {
    let Some(key) = story_key(row.try_get(0)?, row.try_get(1)?) else { return Ok(None) };
    Ok(Some(StoryEvent {
        key,
        at: row.try_get(2)?,
        row_id: row.try_get(3)?,
        event_type: row.try_get(4)?,
        is_dead_letter: row.try_get(5)?,
        is_step: row.try_get(6)?,
        matches: row.try_get(7)?,
    }))
}
