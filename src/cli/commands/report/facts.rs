//! Everything that a page tells, read in one snapshot.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::flow::Flow;
use super::period::Times;
use super::question::Question;
use super::stuck::Stuck;
use super::timeline::Spans;
use crate::cli::ui::{Failure, Progress};
use crate::filter::{Clock, Selection, ZoneShifts};
use crate::store;
use crate::store::{
    CountQuery, CountState, Counting, Counts, DeadLetterGroup, Duplicates, EventCount,
    EvidenceCoverage, Grouping, LostRange, PartitionStatus, ResolvedSelection, RowScope, Session,
};
use crate::time::PostgresMicros;

/// How many names are told apart at most.
pub(super) const MOST_NAMES: usize = 10_000;

/// With more services than this a chart does not tell them apart.
const MOST_SERIES: usize = 200;

/// More bars than a chart ever has, times its series.
const MOST_GROUPS: i64 = 1_000_000;

/// How many lost ranges are read.
pub(super) const MOST_LOSSES: usize = 20;

/// What was found.
pub(super) struct Facts {
    pub(super) selection: Selection,
    pub(super) now: DateTime<Utc>,
    pub(super) times: Times,
    /// By whether they are dead letters: what all of them have.
    pub(super) counts: Counts,
    pub(super) types: Vec<EventCount>,
    pub(super) services: Vec<EventCount>,
    pub(super) duplicates: Duplicates,
    /// Rows that are still to be counted or searched.
    pub(super) counting: Counting,
    /// The period's beginning and its end, as far as the chart shows it.
    pub(super) shown: Option<(PostgresMicros, PostgresMicros)>,
    /// By time, and by service where these are told apart.
    pub(super) over_time: Vec<EventCount>,
    pub(super) is_by_service: bool,
    pub(super) flow: Flow,
    pub(super) letters: Vec<DeadLetterGroup>,
    pub(super) stuck: Stuck,
    pub(super) partitions: Vec<PartitionStatus>,
    pub(super) lost: Vec<LostRange>,
    pub(super) evidence: EvidenceCoverage,
    pub(super) installation: Uuid,
    pub(super) batch_no: i64,
}

impl Facts {
    /// Reads them all.
    pub(super) async fn read(
        session: &Session,
        question: &Question<'_>,
        progress: &Progress,
    ) -> Result<Self, Failure> {
        let Question { selection, clock, .. } = question;
        let resolved = store::resolve(session, selection, RowScope::Existing).await?;
        let dead = Selection { dead_letters: Some(true), ..(*selection).clone() };
        let state = CountState::read(session).await?;
        let counts_of = EventCounts { session, resolved: &resolved, state: state.clone() };
        progress.doing("counting events");
        let span = store::time_span(session).await?;
        let times = times(clock, selection, span);
        let counts = counts_of.by(&[Grouping::Dlt], &times.shifts, 3).await?;
        let most = i64::try_from(MOST_NAMES + 1).unwrap_or(i64::MAX);
        let types = counts_of.by(&[Grouping::Type], &times.shifts, most).await?.groups;
        let services = counts_of.by(&[Grouping::Service], &times.shifts, most).await?.groups;
        let shown = shown(selection, &counts);
        let is_by_service = services.len() <= MOST_SERIES;
        let spans = shown.and_then(|(since, until)| Spans::new(since, until, &times.shifts));
        let over_time = match spans {
            None => Vec::new(),
            Some(spans) => {
                let mut by = vec![spans.unit.grouping()];
                by.extend(is_by_service.then_some(Grouping::Service));
                counts_of.by(&by, &times.shifts, MOST_GROUPS).await?.groups
            }
        };
        progress.doing("counting duplicate deliveries");
        let left = state.counting;
        let duplicates = match resolved.is_empty() {
            true => Duplicates::Exactly(0),
            false => store::repeated_deliveries(session, &resolved, &left).await?,
        };
        progress.doing("grouping dead letters");
        let letters = match selection.dead_letters {
            Some(false) => Vec::new(),
            _ => {
                let dead = store::resolve(session, &dead, RowScope::Existing).await?;
                match dead.is_empty() {
                    true => Vec::new(),
                    false => store::dead_letter_groups(session, &dead).await?,
                }
            }
        };
        progress.doing("following stories");
        let flow = Flow::read(session, &resolved, counts.total.rows).await?;
        progress.doing("searching for stories that did not end");
        let stuck = Stuck::read(session, &resolved, question, counts.total.rows).await?;
        progress.doing("reading how far the partitions are recorded");
        let most_losses = i64::try_from(MOST_LOSSES + 1).unwrap_or(i64::MAX);
        Ok(Self {
            selection: (*selection).clone(),
            now: clock.now,
            counts,
            types,
            services,
            duplicates,
            counting: left,
            shown,
            over_time,
            is_by_service,
            flow,
            letters,
            stuck,
            partitions: store::partition_statuses(session).await?,
            lost: store::lost_ranges(session, most_losses).await?,
            evidence: store::evidence_coverage(session).await?,
            installation: store::installation_id(session).await?,
            batch_no: store::snapshot(session).await?.batch_no,
            times,
        })
    }

    /// The spans of the chart.
    pub(super) fn spans(&self) -> Option<Spans<'_>> {
        let (since, until) = self.shown?;
        Spans::new(since, until, &self.times.shifts)
    }

    /// How many of all events are dead letters.
    pub(super) fn dead_letters(&self) -> i64 {
        self.counts.groups.iter().map(|group| group.dead_letters).sum()
    }

    /// How many of all events are quarantined.
    pub(super) fn quarantined(&self) -> i64 {
        self.counts.groups.iter().map(|group| group.quarantined).sum()
    }

    /// What the page lacks because it would have taken too long, a line each.
    pub(super) fn left_out(&self) -> Vec<String> {
        let flow = self.flow.left_out().map(|reason| format!("the flow is left out: {reason}"));
        let stuck =
            self.stuck.left_out().map(|reason| format!("stuck stories are left out: {reason}"));
        flow.into_iter().chain(stuck).collect()
    }
}

/// What every count needs.
struct EventCounts<'a> {
    session: &'a Session,
    resolved: &'a ResolvedSelection,
    state: CountState,
}

impl EventCounts<'_> {
    async fn by(
        &self,
        by: &[Grouping],
        shifts: &ZoneShifts,
        limit: i64,
    ) -> Result<Counts, Failure> {
        if self.resolved.is_empty() {
            return Ok(Counts::default());
        }
        let query = CountQuery {
            selection: self.resolved,
            before: None,
            by,
            shifts,
            figures: &[],
            duplicates: false,
            limit,
        };
        Ok(query.run(self.session, &self.state).await?)
    }
}

/// The clocks, from the first event of the period on.
fn times(
    clock: &Clock,
    selection: &Selection,
    (first, last): (Option<PostgresMicros>, Option<PostgresMicros>),
) -> Times {
    let days = selection.days.iter().filter_map(|day| day.since).min();
    let begin = selection.created.since.or(days).or(first.map(PostgresMicros::instant));
    let end = selection.created.until.or(last.map(PostgresMicros::instant));
    let end = end.unwrap_or(clock.now).max(clock.now);
    let shifts = ZoneShifts::of(&clock.zone, begin.unwrap_or(clock.now).min(end), end);
    Times { zone: clock.zone, shifts }
}

/// The period that a chart shows: where it is open, up to the first or last event.
fn shown(selection: &Selection, counts: &Counts) -> Option<(PostgresMicros, PostgresMicros)> {
    let (first, last) = counts.total.first.zip(counts.total.last)?;
    let days = &selection.days;
    let begin = days.iter().filter_map(|day| day.since).min().max(selection.created.since);
    let end = days.iter().filter_map(|day| day.until).max();
    let end = match (end, selection.created.until) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    let end = end.map_or(PostgresMicros(last.0.saturating_add(1)), Into::into);
    Some((begin.map_or(first, Into::into), end))
}
