//! What is shown for an id that no event has: the last event of the aggregate or correlation.

use crate::cli::shared::{in_a_shell, retired_hint};
use crate::cli::ui::{Exit, Failure};
use crate::count_text::counted;
use crate::store;
use crate::store::{EventColumn, IdColumn, IdEvents, MOST_COUNTED, Session, StoredEvent};

/// The last event of what has the id, and words that say what it was taken for.
pub(super) async fn last_event_of(
    session: &Session,
    id: &str,
) -> Result<(StoredEvent, String), Failure> {
    let found = store::events_of_id(session, id).await?;
    if let Some(failure) = ambiguous(id, &found) {
        return Err(failure);
    }
    let words = taken_for(id, &found);
    let mut last = None;
    for IdEvents { last: event, .. } in found {
        let key = (event.time(EventColumn::CreatedAt)?, event.id()?);
        if last.as_ref().is_none_or(|(newest, _)| *newest < key) {
            last = Some((key, event));
        }
    }
    if let Some((_, event)) = last {
        return Ok((event, words));
    }
    let text = format!("no event, aggregate or correlation has the id '{id}'");
    let failure = Failure::new(text).with_exit(Exit::NothingMatched);
    let hint = retired_hint(session).await?;
    Err(match hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    })
}

fn noun(column: IdColumn) -> &'static str {
    match column {
        IdColumn::Event => "event",
        IdColumn::Aggregate => "aggregate",
        IdColumn::Correlation => "correlation",
    }
}

/// Several ids of one kind begin like what was typed: names them.
fn ambiguous(id: &str, found: &[IdEvents]) -> Option<Failure> {
    /// How many are named.
    const NAMED: usize = 10;
    let several = found.iter().find(|events| events.ids.len() > 1)?;
    let mut lines = vec!["give more of its digits:".to_owned()];
    lines.extend(several.ids.iter().take(NAMED).map(|id| format!("  {id}")));
    let text = format!("'{id}' is the beginning of several {}s", noun(several.column));
    Some(Failure::usage(text).with_hint(lines.join("\n")))
}

fn taken_for(id: &str, found: &[IdEvents]) -> String {
    let kinds: Vec<_> = found
        .iter()
        .map(|events| {
            let noun = noun(events.column);
            let article = if events.column == IdColumn::Aggregate { "an" } else { "a" };
            match events.rows > MOST_COUNTED {
                true => format!("{article} {noun} with more than {MOST_COUNTED} events"),
                false => format!("{article} {noun} with {}", counted(events.rows, "event")),
            }
        })
        .collect();
    let of_them = if found.len() > 1 { "the last of both" } else { "its last one" };
    let command = in_a_shell(id);
    format!(
        "{id} is {}: {of_them} is shown; `audit trace {command}` shows all",
        kinds.join(", and ")
    )
}
