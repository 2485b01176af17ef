//! All that is known of one event.

use crate::cli::ui::Failure;
use crate::filter::Selection;
use crate::output::{Change, json_changes};
use crate::store;
use crate::store::{
    BatchCover, DeadLetterSummary, EventColumn, ReplayOutcome, Session, StoredEvent,
};

/// How many events of the story are searched for causes and effects.
pub(crate) const MOST_RELATED: i64 = 1_000;

/// An event and all that is known of it.
pub(crate) struct EventDetails {
    /// All rows of the event, in the order of their commits.
    pub(crate) deliveries: Vec<StoredEvent>,
    /// Which of them is shown.
    pub(crate) shown: usize,
    /// How its batch stands in the log of evidence; `None` where no batch has the row.
    pub(crate) cover: Option<BatchCover>,
    pub(crate) letters: Vec<DeadLetterSummary>,
    pub(crate) replays: Vec<ReplayOutcome>,
    pub(crate) causes: Vec<StoredEvent>,
    pub(crate) effects: Vec<StoredEvent>,
    /// Whether the story has more events than were searched.
    pub(crate) has_more: bool,
    /// The event before, and what changed since, where that was asked for.
    pub(crate) changes: Option<(Option<StoredEvent>, Vec<Change>)>,
}

impl EventDetails {
    /// Reads what is known of the event whose rows these are; `row_id` tells which of them to show.
    pub(crate) async fn read(
        session: &Session,
        deliveries: Vec<StoredEvent>,
        row_id: Option<i64>,
        diff: bool,
    ) -> Result<Self, Failure> {
        let mut keyed = Vec::new();
        for delivery in deliveries {
            let batch = delivery.integer(EventColumn::BatchNo)?.unwrap_or(i64::MAX);
            keyed.push(((batch, delivery.id()?), delivery));
        }
        keyed.sort_by_key(|(key, _)| *key);
        let shown = keyed.iter().position(|((_, id), _)| Some(*id) == row_id).unwrap_or_default();
        let deliveries: Vec<_> = keyed.into_iter().map(|(_, delivery)| delivery).collect();
        let ids = deliveries.iter().map(StoredEvent::id).collect::<Result<Vec<_>, _>>()?;
        let Related { causes, effects, has_more } = related(session, &deliveries[shown]).await?;
        let changes = if diff {
            let before = store::event_before(session, &deliveries[shown]).await?;
            let old = before
                .as_ref()
                .map(|before| before.text(EventColumn::Payload))
                .transpose()?
                .flatten();
            let new = deliveries[shown].text(EventColumn::Payload)?.unwrap_or("null");
            let changes = old.map(|old| json_changes(old, new)).unwrap_or_default();
            Some((before, changes))
        } else {
            None
        };
        let cover = match deliveries[shown].integer(EventColumn::BatchNo)? {
            Some(batch_no) => Some(store::batch_cover(session, batch_no).await?),
            None => None,
        };
        Ok(Self {
            cover,
            letters: store::dead_letter_summaries(session, &ids).await?,
            replays: store::replays_of(session, &ids).await?,
            deliveries,
            shown,
            causes,
            effects,
            has_more,
            changes,
        })
    }
}

/// What is around an event in its story.
#[derive(Default)]
struct Related {
    causes: Vec<StoredEvent>,
    effects: Vec<StoredEvent>,
    has_more: bool,
}

/// What caused an event and what it caused, among the events of its correlation, or of its
/// aggregate where it has no correlation.
async fn related(session: &Session, event: &StoredEvent) -> Result<Related, Failure> {
    let selection =
        match (event.uuid(EventColumn::CorrelationId)?, event.uuid(EventColumn::AggregateId)?) {
            (Some(correlation), _) => {
                Selection { correlations: vec![correlation.to_string()], ..Selection::default() }
            }
            (None, Some(aggregate)) => {
                Selection { aggregates: vec![aggregate.to_string()], ..Selection::default() }
            }
            (None, None) => return Ok(Related::default()),
        };
    let (own, cause) = (event.uuid(EventColumn::EventId)?, event.uuid(EventColumn::CausationId)?);
    let mut related = Related::default();
    // One more than is searched tells whether there are more.
    let mut others = store::events(session, &selection, MOST_RELATED + 1).await?;
    related.has_more = others.len() as i64 > MOST_RELATED;
    others.truncate(MOST_RELATED as usize);
    for other in others {
        let event_id = other.uuid(EventColumn::EventId)?;
        if event_id == own {
            continue;
        }
        if cause.is_some() && event_id == cause && related.causes.is_empty() {
            related.causes.push(other);
        } else if own.is_some() && other.uuid(EventColumn::CausationId)? == own {
            related.effects.push(other);
        }
    }
    Ok(related)
}
