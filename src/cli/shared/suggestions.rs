//! What may have been meant, where a word was wrong or an id too short.

use crate::cli::ui::{Failure, Ui};
use crate::filter::{Glob, Selection, nearest};
use crate::store;
use crate::store::{DistinctColumn, EventColumn, Session, StoredEvent, distinct_values};
use crate::time::{Timestamp, timestamp_text};

/// How many values are listed where no value is like the word.
const LISTED: usize = 12;

/// Says of each type, service and topic that was asked for and doesn't exist what may have been
/// meant.
pub(crate) async fn suggest(
    session: &Session,
    selection: &Selection,
    ui: Ui,
) -> Result<(), Failure> {
    if !selection.event_types.is_empty() {
        let values = distinct_values(session, DistinctColumn::EventType).await?;
        say(ui, "event type", &selection.event_types, &values, "audit stats --by type");
    }
    if !selection.services.is_empty() {
        let values = distinct_values(session, DistinctColumn::SourceService).await?;
        say(ui, "service", &selection.services, &values, "audit stats --by service");
    }
    if !selection.topics.is_empty() {
        let values = store::known_topics(session).await?;
        say(ui, "topic", &selection.topics, &values, "audit status");
    }
    Ok(())
}

/// Says what may have been meant by those of the globs that match none of the values. `listing` is
/// the command that shows all.
fn say(ui: Ui, what: &str, globs: &[Glob], values: &[String], listing: &str) {
    for glob in globs.iter().filter(|glob| !values.iter().any(|value| glob.matches(value))) {
        ui.status(&suggestion(what, glob, values, listing));
    }
}

fn suggestion(what: &str, glob: &Glob, values: &[String], listing: &str) -> String {
    let none = format!("no {what} matches '{glob}'");
    let alike = nearest(&glob.to_string(), values);
    if !alike.is_empty() {
        return format!("{none}; did you mean {}?", alike.join(" or "));
    }
    match values.len() {
        0 => none,
        1..=LISTED => format!("{none}; there are {}", values.join(", ")),
        count => format!("{none}; there are {count}: see `{listing}`"),
    }
}

/// Several events begin like that: names them.
pub(crate) fn ambiguous(id: &str, candidates: &[StoredEvent]) -> Result<Failure, Failure> {
    let mut lines = vec!["give more of its digits:".to_owned()];
    for candidate in candidates {
        let created_at = candidate.time(EventColumn::CreatedAt)?;
        lines.push(format!(
            "  {}  {}  {}",
            candidate.uuid(EventColumn::EventId)?.unwrap_or_default(),
            created_at.map_or_else(
                || "-".to_owned(),
                |time| timestamp_text(Timestamp::without_zone(time))
            ),
            candidate.text(EventColumn::EventType)?.unwrap_or_default(),
        ));
    }
    Ok(Failure::usage(format!("'{id}' is the beginning of several events"))
        .with_hint(lines.join("\n")))
}
