//! From an id of any kind to the story that it belongs to.

use std::collections::BTreeSet;

use crate::cli::shared::ambiguous;
use crate::cli::ui::Failure;
use crate::filter::Selection;
use crate::store;
use crate::store::{EventColumn, EventLookup, Session, StoredEvent};

/// The rows of the story that an id belongs to, oldest first; one more than `limit` where there are
/// more. `None` where nothing has the id.
pub(super) async fn find_story(
    session: &Session,
    id: &str,
    limit: i64,
) -> Result<Option<Vec<StoredEvent>>, Failure> {
    let limit = limit.saturating_add(1);
    let seeds = match store::find_event(session, id).await? {
        EventLookup::Event { deliveries, .. } => deliveries,
        EventLookup::Ambiguous(candidates) => {
            // The first events of one order begin alike: that is no ambiguity here.
            let mut stories = BTreeSet::new();
            for candidate in &candidates {
                stories.insert(candidate.uuid(EventColumn::CorrelationId)?.ok_or(candidate.id()?));
            }
            if stories.len() > 1 {
                return Err(ambiguous(id, &candidates)?);
            }
            candidates
        }
        EventLookup::Nothing => {
            let correlation =
                Selection { correlations: vec![id.to_owned()], ..Selection::default() };
            let aggregate = Selection { aggregates: vec![id.to_owned()], ..Selection::default() };
            let mut seeds = store::events(session, &correlation, limit).await?;
            seeds.extend(store::events(session, &aggregate, limit).await?);
            seeds
        }
    };
    let (mut correlations, mut aggregates) = (BTreeSet::new(), BTreeSet::new());
    for seed in &seeds {
        match (seed.uuid(EventColumn::CorrelationId)?, seed.uuid(EventColumn::AggregateId)?) {
            (Some(correlation), _) => correlations.insert(correlation.to_string()),
            (None, Some(aggregate)) => aggregates.insert(aggregate.to_string()),
            (None, None) => false,
        };
    }
    if seeds.is_empty() || (correlations.is_empty() && aggregates.is_empty()) {
        return Ok((!seeds.is_empty()).then_some(seeds));
    }
    let mut events = Vec::new();
    for selection in [
        Selection { correlations: correlations.into_iter().collect(), ..Selection::default() },
        Selection { aggregates: aggregates.into_iter().collect(), ..Selection::default() },
    ] {
        if selection != Selection::default() {
            events.extend(store::events(session, &selection, limit).await?);
        }
    }
    let mut keyed = Vec::new();
    for event in events {
        keyed.push(((event.time(EventColumn::CreatedAt)?, event.id()?), event));
    }
    keyed.sort_by_key(|(key, _)| *key);
    keyed.dedup_by_key(|(key, _)| *key);
    Ok(Some(keyed.into_iter().map(|(_, event)| event).collect()))
}
