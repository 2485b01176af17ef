//! Which stories may not have ended, without reading all events of each.

use tokio_postgres::Row;

use super::stories::settle;
use crate::analysis::StoryKey;
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::search::first_delivery::Deliveries;
use crate::store::search::resolved::{ResolvedSelection, TextFilter};
use crate::store::search::stories::unended::Unended;
use crate::store::search::stories::{StorySelection, Walk};
use crate::time::PostgresMicros;

/// What is being done, in errors.
const SEARCHING: &str = "searching for stories that did not end";

/// Below this number of rows the stories are read one by one.
const FEW_ROWS: u64 = 20_000;

/// Where the rows since the range of time began are more than so many times those within it, the
/// stories are read one by one.
const FAR_PAST: u64 = 4;

/// What ends a story.
#[derive(Debug, Clone, Copy)]
pub enum StoryEnd<'a> {
    /// A step of these types ([`ResolvedSelection`] of `--type`), wherever it stands.
    Anywhere(&'a ResolvedSelection),
    /// A last step of these types.
    Last(&'a [String]),
}

/// Stories that may not have ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnendedStories {
    /// Which ones: all that did not end, and some more.
    pub keys: Vec<StoryKey>,
    /// How many stories are selected, those that began shortly before the range of time included.
    pub of: i64,
}

/// The selected stories that may not have ended and whose last step happened by
/// `silent_since`, of those that hold a step of the types that `starts` selects. `None` where they
/// are too few for a search of its own, or where it would take longer than reading all of them.
///
/// # Errors
/// `Error::Query`.
pub async fn unended_stories(
    session: &Session,
    selection: &ResolvedSelection,
    starts: &ResolvedSelection,
    end: StoryEnd<'_>,
    silent_since: PostgresMicros,
) -> Result<Option<UnendedStories>, Error> {
    let chosen = StorySelection::new(selection);
    if chosen.walk() != Walk::Period {
        return Ok(None);
    }
    let Some(since) = chosen.rows_since() else { return Ok(None) };
    let rows = since.expected_rows(session).await?;
    let within = chosen.candidate_rows(Walk::Period).expected_rows(session).await?;
    if rows < FEW_ROWS || rows > within.saturating_mul(FAR_PAST) {
        return Ok(None);
    }
    settle(session).await?;
    let deliveries = Deliveries::read(session).await?;
    let (ends, anywhere) = match end {
        StoryEnd::Anywhere(types) => (types.event_types.clone(), true),
        StoryEnd::Last(types) => (TextFilter::Exact(types.to_vec()), false),
    };
    let starts = starts.event_types.clone();
    let unended = Unended { starts, ends, anywhere, silent_since };
    let Some(statement) = chosen.unended(&unended, &deliveries) else { return Ok(None) };
    let mut found = UnendedStories::default();
    for (key, count) in statement.rows(session, SEARCHING, key_or_count).await? {
        found.keys.extend(key);
        found.of += count.unwrap_or_default();
    }
    Ok(Some(found))
}

fn key_or_count(row: &Row) -> Result<(Option<StoryKey>, Option<i64>), tokio_postgres::Error> {
    let correlation: Option<_> = row.try_get(0)?;
    let aggregate: Option<_> = row.try_get(1)?;
    let key = correlation.map(StoryKey::Correlation).or_else(|| aggregate.map(StoryKey::Aggregate));
    Ok((key, row.try_get(2)?))
}
