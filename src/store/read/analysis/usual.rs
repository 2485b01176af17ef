//! What is usual, learned from earlier stories.

use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::stories::{Stories, settle, stories};
use crate::analysis::{HourCount, Learner, Usual, windows};
use crate::filter::{Selection, TimeRange};
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::search::first_delivery::Deliveries;
use crate::store::search::resolved::ResolvedSelection;
use crate::store::search::stories::StorySelection;
use crate::store::search::walk::leaves::Leaves;
use crate::time::PostgresMicros;

/// A sample is not learned from stories with more events: some systems give all their events one
/// correlation.
const LONGEST: usize = 1_000;

/// A sample is looked for in so many of the newest sealed leaves, where there are many more.
const SAMPLED_LEAVES: usize = 16;

/// How many events are read at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LearnFrom {
    /// Up to so many events all stories are read.
    pub all_of: u64,
    /// Of more, a sample among so many events.
    pub sample: u64,
}

/// What was learned, and from what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    /// What is usual.
    pub usual: Usual,
    /// About how many stories there are, where it was learned from a sample of them.
    pub of_about: Option<u64>,
}

/// Learns what is usual from the stories that began in `period`, which has a beginning and an end.
///
/// # Errors
/// `Error::Query`.
pub async fn learn(
    session: &Session,
    period: TimeRange,
    from: LearnFrom,
) -> Result<Learned, Error> {
    let hours = hours(session, period).await?;
    let events: u64 = hours.iter().map(|hour| hour.events).sum();
    if events <= from.all_of {
        let selection = Selection { created: period, ..Selection::default() };
        let stories = stories(session, &begun(selection)).await?;
        let (usual, _) = read(stories, usize::MAX).await?;
        return Ok(Learned { usual, of_about: None });
    }
    settle(session).await?;
    let deliveries = Deliveries::read(session).await?;
    let leaves = Leaves::read(session).await?;
    let light_from = leaves.light_from();
    let (hours, leaves_light_out) = before_light(session, hours, light_from, from.all_of).await?;
    let newest = leaves.newest_sealed_from(SAMPLED_LEAVES);
    let (hours, sampled_from) = since_leaf(session, hours, newest, from.all_of).await?;
    let days = windows(&hours, period, from.sample);
    let selection = begun(Selection { days, ..Selection::default() });
    // One event more than a story may have tells that it has more.
    let longest = i64::try_from(LONGEST + 1).unwrap_or(i64::MAX);
    let mut chosen =
        StorySelection::new(&selection).with_light_from(light_from).sampled_from(sampled_from);
    if leaves_light_out {
        chosen = chosen.without_light();
    }
    let statement = chosen.of_beginnings(longest, &deliveries);
    let stories = Stories::begin(session, &selection, &statement).await?;
    let (usual, steps) = read(stories, LONGEST).await?;
    let of_about = events.saturating_mul(usual.stories) / steps.max(1);
    Ok(Learned { usual, of_about: Some(of_about) })
}

/// The hours that end before the first event of a light leaf, if they have enough events to learn
/// from: stories that begin so early have few events in light leaves, and to look for those takes a
/// second. Says whether it is these.
async fn before_light(
    session: &Session,
    mut hours: Vec<HourCount>,
    light_from: i64,
    enough: u64,
) -> Result<(Vec<HourCount>, bool), Error> {
    if light_from == i64::MAX {
        return Ok((hours, false));
    }
    let sql = "SELECT date_trunc('hour', min(created_at)) AT TIME ZONE 'UTC' FROM event_logs WHERE id >= $1";
    let first: Option<PostgresMicros> = session
        .row(
            "looking for the first event of a light leaf",
            sql,
            &[(&light_from, Type::INT8)],
            |row| row.try_get(0),
        )
        .await?;
    let is_before = |hour: &HourCount| first.is_none_or(|first| hour.begin < first.instant());
    let events: u64 = hours.iter().filter(|hour| is_before(hour)).map(|hour| hour.events).sum();
    if events < enough {
        return Ok((hours, false));
    }
    hours.retain(is_before);
    Ok((hours, true))
}

/// The hours that begin behind the first events of a leaf, if they have enough events to learn
/// from, and then the first id of that leaf. Events come about in the order of their times: the
/// middle one of the first few tells when the leaf was begun.
async fn since_leaf(
    session: &Session,
    mut hours: Vec<HourCount>,
    first_id: Option<i64>,
    enough: u64,
) -> Result<(Vec<HourCount>, Option<i64>), Error> {
    let Some(first_id) = first_id else { return Ok((hours, None)) };
    let sql = "SELECT date_trunc('hour', percentile_disc(0.5) WITHIN GROUP (ORDER BY created_at)) AT TIME ZONE 'UTC'
                 FROM (SELECT created_at FROM event_logs WHERE id >= $1 AND isfinite(created_at) ORDER BY id LIMIT 101) first";
    let begun: Option<DateTime<Utc>> = session
        .row("looking for the first events of a leaf", sql, &[(&first_id, Type::INT8)], |row| {
            row.try_get(0)
        })
        .await?;
    let is_behind = |hour: &HourCount| begun.is_some_and(|begun| hour.begin > begun);
    let events: u64 = hours.iter().filter(|hour| is_behind(hour)).map(|hour| hour.events).sum();
    if events < enough {
        return Ok((hours, None));
    }
    hours.retain(is_behind);
    Ok((hours, Some(first_id)))
}

fn begun(selection: Selection) -> ResolvedSelection {
    ResolvedSelection { selection, ..ResolvedSelection::default() }
}

/// Learns from all of them that are no longer than this; says how many steps they had, too.
async fn read(mut stories: Stories<'_>, longest: usize) -> Result<(Usual, u64), Error> {
    let (mut learner, mut steps) = (Learner::default(), 0);
    while let Some(story) = stories.next().await? {
        if story.step_count() <= longest {
            steps += story.step_count() as u64;
            learner.add(&story);
        }
    }
    Ok((learner.finish(stories.types()), steps))
}

/// About how many events each hour has: those of batches. Where a batch is not counted yet, its
/// hours have equal parts of it.
async fn hours(session: &Session, period: TimeRange) -> Result<Vec<HourCount>, Error> {
    let [since, until] = [period.since, period.until].map(|time| time.map(|time| time.naive_utc()));
    let hour = |row: &Row| {
        let (begin, events): (DateTime<Utc>, i64) = (row.try_get(0)?, row.try_get(1)?);
        Ok(HourCount { begin, events: events.unsigned_abs() })
    };
    session
        .rows(
            "counting the events of each hour",
            "SELECT hour AT TIME ZONE 'UTC', ceil(sum(events))::bigint
               FROM (SELECT hour, events::numeric FROM event_counts
                      WHERE hour > $1 - interval '1 hour' AND hour < $2
                     UNION ALL
                     SELECT hour, row_count / (extract(epoch FROM last - first) / 3600 + 1)
                       FROM (SELECT row_count, date_trunc('hour', min_created_at) AS first,
                                    date_trunc('hour', max_created_at) AS last FROM ingest_batches
                              WHERE NOT counted AND batch_no > (SELECT filled_through FROM event_count_state)
                                AND max_created_at >= $1 AND min_created_at < $2
                                AND isfinite(min_created_at) AND isfinite(max_created_at)) AS batch,
                            generate_series(greatest(first, date_trunc('hour', $1::timestamp)), least(last, $2),
                                            interval '1 hour') AS hour) AS counted
              GROUP BY 1 ORDER BY 1",
            &[(&since, Type::TIMESTAMP), (&until, Type::TIMESTAMP)],
            hour,
        )
        .await
}
