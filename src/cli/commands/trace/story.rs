//! A story in each of its forms: a timeline, rows, a sequence diagram.

use std::collections::HashMap;
use std::io::Write;

use uuid::Uuid;

use super::timeline::{TimelineEntry, TimelineEvent, arrange};
use crate::cli::ui::Failure;
use crate::dead_letter::UNKNOWN_ERROR;
use crate::output;
use crate::output::{Column, Emphasis, Format, SequenceMessage, Style, short_uuid};
use crate::store::{DeadLetterSummary, EventColumn, ReplayOutcome, StoredEvent};
use crate::time::{Timestamp, duration_text};
use crate::value::Value;

/// From this on a pause stands out: 60 s in microseconds.
const PAUSE: i64 = 60_000_000;

/// A story and what is known of its failures.
pub(super) struct Story<'a> {
    events: &'a [StoredEvent],
    entries: Vec<TimelineEntry>,
    letters: HashMap<i64, &'a DeadLetterSummary>,
    replays: HashMap<i64, Vec<&'a ReplayOutcome>>,
}

impl<'a> Story<'a> {
    pub(super) fn new(
        events: &'a [StoredEvent],
        letters: &'a [DeadLetterSummary],
        replays: &'a [ReplayOutcome],
    ) -> Result<Self, Failure> {
        let mut timeline_events = Vec::new();
        for event in events {
            timeline_events.push(TimelineEvent {
                event_id: event.uuid(EventColumn::EventId)?.unwrap_or_default(),
                cause: event.uuid(EventColumn::CausationId)?,
                time: event.time(EventColumn::CreatedAt)?.unwrap_or_default(),
                is_dead_letter: event.mark()?.dead_letter,
            });
        }
        let mut replays_of: HashMap<i64, Vec<&ReplayOutcome>> = HashMap::new();
        for replay in replays {
            replays_of.entry(replay.row_id).or_default().push(replay);
        }
        let letters = letters.iter().map(|letter| (letter.event_log_id, letter)).collect();
        Ok(Self { events, entries: arrange(&timeline_events), letters, replays: replays_of })
    }

    /// What a person should know about a row besides its columns.
    fn note(&self, entry: &TimelineEntry) -> Result<String, Failure> {
        let event = &self.events[entry.index];
        let id = event.id()?;
        let mut notes = Vec::new();
        if let Some(letter) = self.letters.get(&id) {
            notes.push(letter.error());
        }
        for replay in self.replays.get(&id).into_iter().flatten() {
            notes.push(format!(
                "replay {} to {}: {}",
                replay.attempt,
                replay.target_topic,
                replay.describe()
            ));
        }
        if entry.is_repeated && !self.letters.contains_key(&id) {
            notes.push("delivered again".to_owned());
        }
        if let (true, Some(cause)) = (entry.cause_is_missing, event.text(EventColumn::CausationId)?)
        {
            let cause = Uuid::parse_str(cause).map_or_else(|_| cause.to_owned(), short_uuid);
            notes.push(format!("its cause {cause} is not recorded here"));
        }
        notes.retain(|note| !note.is_empty());
        // The mark is left out where there is no room for it.
        if notes.is_empty() && event.mark()?.dead_letter {
            notes.push(UNKNOWN_ERROR.to_owned());
        }
        Ok(notes.join("; "))
    }

    fn emphasis(&self, entry: &TimelineEntry) -> Result<Emphasis, Failure> {
        let event = &self.events[entry.index];
        let mark = event.mark()?;
        Ok(if mark.dead_letter {
            Emphasis::Alarm
        } else if !mark.is_empty()
            || entry.delta >= PAUSE
            || entry.cause_is_missing
            || sounds_failed(event)?
        {
            Emphasis::Notice
        } else {
            Emphasis::None
        })
    }

    pub(super) fn write_timeline(
        &self,
        style: Style,
        output: &mut dyn Write,
    ) -> Result<(), Failure> {
        let columns = [
            Column::new("created_at"),
            Column::new("delta"),
            Column::new("source_service").optional(2),
            Column::new("event_type").category(),
            Column::new("mark").optional(1),
            // The number of the row is short, and `audit show` takes both.
            Column::new("id"),
            Column::new("aggregate").optional(4).whole(),
            Column::new("event_id").optional(3),
            Column::new("note").explains(),
        ];
        let mut rows = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let event = &self.events[entry.index];
            let branch = if entry.depth == 0 { "" } else { "└ " };
            let event_type = event.text(EventColumn::EventType)?.unwrap_or_default();
            let indent = " ".repeat(entry.depth.saturating_sub(1).min(20));
            let cells: Vec<Value<'_>> = vec![
                event.time(EventColumn::CreatedAt)?.map(Timestamp::without_zone).into(),
                if index == 0 { "".into() } else { duration_text(entry.delta).into() },
                event.text(EventColumn::SourceService)?.into(),
                format!("{indent}{branch}{event_type}").into(),
                event.text(EventColumn::Mark)?.into(),
                event.id()?.into(),
                event.value(EventColumn::Aggregate)?,
                event.uuid(EventColumn::EventId)?.into(),
                self.note(entry)?.into(),
            ];
            rows.push((cells, self.emphasis(entry)?));
        }
        Ok(output::render(Format::Table, style, &columns, rows, output)?)
    }

    pub(super) fn write_rows(
        &self,
        format: Format,
        style: Style,
        output: &mut dyn Write,
    ) -> Result<(), Failure> {
        let names = [
            "created_at",
            "delta_seconds",
            "depth",
            "source_service",
            "event_type",
            "mark",
            "event_id",
            "causation_id",
            "aggregate_id",
            "correlation_id",
            "aggregate",
            "correlation",
            "note",
            "id",
            "payload",
        ];
        let columns = names.map(Column::new);
        let mut rows = Vec::new();
        for entry in &self.entries {
            let event = &self.events[entry.index];
            let cells: Vec<Value<'_>> = vec![
                event.time(EventColumn::CreatedAt)?.map(Timestamp::without_zone).into(),
                Value::Float(entry.delta as f64 / 1_000_000.0),
                Value::Integer(entry.depth as i64),
                event.text(EventColumn::SourceService)?.into(),
                event.text(EventColumn::EventType)?.into(),
                event.text(EventColumn::Mark)?.into(),
                event.uuid(EventColumn::EventId)?.into(),
                event.text(EventColumn::CausationId)?.into(),
                event.uuid(EventColumn::AggregateId)?.into(),
                event.uuid(EventColumn::CorrelationId)?.into(),
                event.value(EventColumn::Aggregate)?,
                event.value(EventColumn::Correlation)?,
                self.note(entry)?.into(),
                event.id()?.into(),
                event
                    .text(EventColumn::Payload)?
                    .map_or(Value::Null, |json| Value::Json(json.into())),
            ];
            rows.push((cells, self.emphasis(entry)?));
        }
        Ok(output::render(format, style, &columns, rows, output)?)
    }

    pub(super) fn messages(&self) -> Result<Vec<SequenceMessage>, Failure> {
        let mut service_of: HashMap<Uuid, String> = HashMap::new();
        let mut messages = Vec::new();
        for entry in &self.entries {
            let event = &self.events[entry.index];
            let service = event.text(EventColumn::SourceService)?.unwrap_or("unknown").to_owned();
            let event_type = event.text(EventColumn::EventType)?.unwrap_or_default();
            let mark = event.text(EventColumn::Mark)?.unwrap_or_default();
            let note = self.note(entry)?;
            let details: Vec<_> =
                [mark, note.as_str()].into_iter().filter(|detail| !detail.is_empty()).collect();
            let text = if details.is_empty() {
                event_type.to_owned()
            } else {
                format!("{event_type} ({})", details.join(", "))
            };
            let cause = event.uuid(EventColumn::CausationId)?;
            let from = cause.and_then(|cause| service_of.get(&cause).cloned());
            if let Some(event_id) = event.uuid(EventColumn::EventId)? {
                service_of.entry(event_id).or_insert_with(|| service.clone());
            }
            messages.push(SequenceMessage {
                from,
                to: service,
                text,
                failed: event.mark()?.dead_letter,
            });
        }
        Ok(messages)
    }
}

/// Whether the type's name tells of something that went wrong.
fn sounds_failed(event: &StoredEvent) -> Result<bool, Failure> {
    let event_type = event.text(EventColumn::EventType)?.unwrap_or_default().to_lowercase();
    Ok(["fail", "declin", "reject", "cancel", "error", "timeout", "timedout"]
        .iter()
        .any(|word| event_type.contains(word)))
}
