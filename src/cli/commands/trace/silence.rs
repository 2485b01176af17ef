//! How long a story has been silent, and whether it is over.

use crate::analysis::StoryKey;
use crate::cli::ui::Failure;
use crate::store;
use crate::store::{Continuation, EventColumn, Session, StoredEvent};
use crate::time::{PostgresMicros, UnixMicros, span_text};

/// The types that the audit itself gives are no steps.
const OWN_TYPES: &str = "audit.";

/// Fewer stories tell nothing about the next.
const FEWEST_STORIES: i64 = 5;

/// A shorter silence is none.
const SHORTEST: i64 = 1_000_000;

/// Says how long ago the last step of a story was, unless most stories end with such a step. The
/// events are in the order of their times.
pub(super) async fn silence(
    session: &Session,
    events: &[StoredEvent],
) -> Result<Option<String>, Failure> {
    let mut last = None;
    for event in events {
        let event_type = event.text(EventColumn::EventType)?.unwrap_or_default();
        if !event.mark()?.dead_letter && !event_type.starts_with(OWN_TYPES) {
            last = Some((event, event_type));
        }
    }
    let Some((event, event_type)) = last else { return Ok(None) };
    let Some(time) = event.time(EventColumn::CreatedAt)? else { return Ok(None) };
    let correlation = event.uuid(EventColumn::CorrelationId)?.map(StoryKey::Correlation);
    let aggregate = event.uuid(EventColumn::AggregateId)?.map(StoryKey::Aggregate);
    let Some(key) = correlation.or(aggregate) else { return Ok(None) };
    let silent = PostgresMicros::from(UnixMicros::now()).since(time);
    if silent < SHORTEST {
        return Ok(None);
    }
    let earlier = store::continuation(session, key, event_type, time).await?;
    Ok(text(silent.unsigned_abs(), event_type, earlier))
}

fn text(silent: u64, event_type: &str, earlier: Continuation) -> Option<String> {
    let silent = format!("silent for {} since {event_type}", span_text(silent));
    let Continuation { stories, went_on, p50_seconds } = earlier;
    match p50_seconds {
        _ if stories == 0 => Some(silent),
        Some(_) if stories < FEWEST_STORIES => Some(silent),
        Some(p50) if went_on * 2 >= stories => Some(format!(
            "{silent}: {went_on} of {stories} earlier stories went on, p50 after {}",
            span_text((p50 * 1_000_000.0) as u64)
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_is_over_where_most_stories_end() {
        let said = |stories, went_on| {
            let p50_seconds = (went_on > 0).then_some(2.5);
            let earlier = Continuation { stories, went_on, p50_seconds };
            text(7_500_000_000, "OrderConfirmed", earlier)
        };
        let went_on = "silent for 2h05m since OrderConfirmed: 98 of 100 earlier stories went on, \
                       p50 after 2.500s";
        assert_eq!(said(100, 98).as_deref(), Some(went_on));
        assert_eq!(said(100, 49), None);
        assert_eq!(said(100, 0), None);
        assert_eq!(said(2, 0), None);
        let unknown = Some("silent for 2h05m since OrderConfirmed");
        assert_eq!([said(2, 1).as_deref(), said(0, 0).as_deref()], [unknown; 2]);
    }
}
