//! The details as text.

use std::fmt::Write as _;

use uuid::Uuid;

use super::details::EventDetails;
use crate::cli::ui::Failure;
use crate::count_text::counted;
use crate::output::{
    Change, Style, TimeForm, escape_controls, palette, pretty_json, short_uuid, wrap_text,
};
use crate::store::{BatchCover, DeadLetterSummary, EventColumn, StoredEvent};
use crate::time::{Timestamp, duration_text};

/// How wide the names at the left are.
const LABEL: usize = 12;

impl EventDetails {
    /// The details as text. Lines are broken where the style's width is too small for them.
    pub(crate) fn text(&self, style: Style) -> Result<String, Failure> {
        let (color, width) = (style.color, style.width);
        let form = style.times.unwrap_or(TimeForm::Rfc3339);
        let dim = |text: &str| palette::paint(color, palette::DIM, text.to_owned());
        let event = &self.deliveries[self.shown];
        let mark = event.text(EventColumn::Mark)?.filter(|mark| !mark.is_empty());
        let is_dead_letter = event.mark()?.dead_letter;
        let mut text = String::new();
        let mut line = |label: &str, value: &str| {
            let style = match label {
                "type" if is_dead_letter => palette::ALARM,
                "type" if mark.is_some() => palette::NOTICE,
                "dead letter" => palette::ALARM,
                _ => anstyle::Style::new(),
            };
            let value = escape_controls(value);
            let lines = match width {
                Some(width) => wrap_text(&value, usize::from(width).saturating_sub(LABEL + 1)),
                None => vec![value.into_owned()],
            };
            for (index, line) in lines.into_iter().enumerate() {
                let label = if index == 0 { label } else { "" };
                let line = palette::paint(color, style, line);
                // Writing to memory can't fail.
                let _ = writeln!(text, "{} {line}", dim(&format!("{label:<LABEL$}")));
            }
        };
        let event_type = event.text(EventColumn::EventType)?.unwrap_or_default();
        line(
            "type",
            &mark.map_or_else(|| event_type.to_owned(), |mark| format!("{event_type} [{mark}]")),
        );
        line("event", &uuid(event, EventColumn::EventId)?);
        line("service", event.text(EventColumn::SourceService)?.unwrap_or("-"));
        line("aggregate", &id(event, EventColumn::Aggregate, EventColumn::AggregateId)?);
        line(
            "correlation",
            &match event.uuid(EventColumn::CorrelationId)? {
                Some(_) => id(event, EventColumn::Correlation, EventColumn::CorrelationId)?,
                None => "-".to_owned(),
            },
        );
        line("happened", &time(event, EventColumn::CreatedAt, form)?);
        line("recorded", &recorded(event, form)?);
        line("row", &event.id()?.to_string());
        line("from", &origin(event)?);
        if let Some(cover) = &self.cover {
            line("evidence", &evidence(cover, form));
        }
        for cause in &self.causes {
            line("caused by", &relative(event, cause)?);
        }
        if let (true, Some(cause)) = (self.causes.is_empty(), event.text(EventColumn::CausationId)?)
        {
            let absence = match self.has_more {
                true => "is not among the first events of its story",
                false => "is not recorded in the same correlation",
            };
            line("caused by", &format!("{cause}, which {absence}"));
        }
        for effect in &self.effects {
            line("led to", &relative(event, effect)?);
        }
        for (index, delivery) in
            self.deliveries.iter().enumerate().filter(|(index, _)| *index != self.shown)
        {
            let which = if index < self.shown { "earlier" } else { "again" };
            let mark = delivery.text(EventColumn::Mark)?.filter(|mark| !mark.is_empty());
            let mark = mark.map(|mark| format!(" [{mark}]")).unwrap_or_default();
            line(
                which,
                &format!(
                    "row {}{mark}, {}, recorded {}",
                    delivery.id()?,
                    origin(delivery)?,
                    recorded(delivery, form)?
                ),
            );
        }
        for letter in &self.letters {
            line("dead letter", &format!("row {}: {}", letter.event_log_id, letter.error()));
            line("", &letter_origin(letter));
        }
        for replay in &self.replays {
            let reason = replay
                .reason
                .as_deref()
                .map(|reason| format!(", because: {reason}"))
                .unwrap_or_default();
            line(
                "replay",
                &format!(
                    "{} of row {} to {}: {}, by {} at {}{reason}",
                    replay.attempt,
                    replay.row_id,
                    replay.target_topic,
                    replay.describe(),
                    replay.requested_by,
                    form.text(Timestamp::with_zone(replay.requested_at)),
                ),
            );
        }
        for (name, column) in
            [("payload", EventColumn::Payload), ("attributes", EventColumn::Attributes)]
        {
            if let Some(json) = event.text(column)? {
                let _ = writeln!(text, "\n{}\n{}", dim(name), pretty_json(json, 2));
            }
        }
        if let Some((before, changes)) = &self.changes {
            text.push_str(&changes_text(event, before.as_ref(), changes)?);
        }
        Ok(text)
    }
}

fn uuid(event: &StoredEvent, column: EventColumn) -> Result<String, Failure> {
    Ok(event.uuid(column)?.map_or_else(|| "-".to_owned(), |uuid: Uuid| uuid.to_string()))
}

/// An id as it came, and the UUID that was made of it where it is text.
fn id(event: &StoredEvent, came: EventColumn, stored: EventColumn) -> Result<String, Failure> {
    let came = event.value(came)?.to_text().unwrap_or_else(|| "-".to_owned());
    Ok(match event.uuid(stored)?.map(|uuid| uuid.to_string()).filter(|uuid| *uuid != came) {
        Some(uuid) => format!("{came} ({uuid})"),
        None => came,
    })
}

fn time(event: &StoredEvent, column: EventColumn, form: TimeForm) -> Result<String, Failure> {
    Ok(event
        .time(column)?
        .map_or_else(|| "-".to_owned(), |time| form.text(Timestamp::with_zone(time))))
}

fn recorded(event: &StoredEvent, form: TimeForm) -> Result<String, Failure> {
    let Some(recorded_at) = event.time(EventColumn::RecordedAt)? else {
        return Ok("by no batch: the ledger does not know this row".to_owned());
    };
    let later = recorded_at.since(event.time(EventColumn::CreatedAt)?.unwrap_or_default());
    let batch = event.integer(EventColumn::BatchNo)?.unwrap_or_default();
    Ok(format!(
        "{} ({}), batch {batch}",
        time(event, EventColumn::RecordedAt, form)?,
        duration_text(later)
    ))
}

fn origin(event: &StoredEvent) -> Result<String, Failure> {
    let partition = event.integer(EventColumn::Partition)?;
    Ok(
        match (event.text(EventColumn::Topic)?, partition, event.integer(EventColumn::KafkaOffset)?)
        {
            (Some(topic), Some(partition), Some(offset)) => {
                format!("{topic}, partition {partition}, offset {offset}")
            }
            _ => "no Kafka record stands behind it".to_owned(),
        },
    )
}

/// Which checkpoint covers the row.
fn evidence(cover: &BatchCover, form: TimeForm) -> String {
    match cover {
        BatchCover::Unproven => "none: its batch is not in the log".to_owned(),
        BatchCover::Behind(place) => {
            format!("leaf {} of the log, which no checkpoint covers yet", place.index)
        }
        BatchCover::Covered(place, checkpoint) => format!(
            "leaf {} of the log, covered by the checkpoint of {} from {}",
            place.index,
            counted(checkpoint.size, "leaf"),
            form.text(Timestamp::from(checkpoint.signed_at)),
        ),
    }
}

fn relative(event: &StoredEvent, other: &StoredEvent) -> Result<String, Failure> {
    let at = |event: &StoredEvent| {
        Ok::<_, Failure>(event.time(EventColumn::CreatedAt)?.unwrap_or_default())
    };
    let event_id = other.uuid(EventColumn::EventId)?.unwrap_or_default();
    Ok(format!(
        "{} {event_id} ({})",
        other.text(EventColumn::EventType)?.unwrap_or_default(),
        duration_text(at(other)?.since(at(event)?))
    ))
}

fn letter_origin(letter: &DeadLetterSummary) -> String {
    let topic = letter.origin_topic.as_deref().unwrap_or("an unknown topic");
    let number = |what: &str, number: Option<i64>| {
        number.map(|number| format!(", {what} {number}")).unwrap_or_default()
    };
    format!(
        "first in {topic}{}{}{}",
        number("partition", letter.origin_partition.map(i64::from)),
        number("offset", letter.origin_offset),
        number("attempts", letter.attempts.map(i64::from)),
    )
}

fn changes_text(
    event: &StoredEvent,
    before: Option<&StoredEvent>,
    changes: &[Change],
) -> Result<String, Failure> {
    let Some(before) = before else {
        return Ok("\nchanges\n  this is the aggregate's first event\n".to_owned());
    };
    let mut text = String::new();
    let event_id = before.uuid(EventColumn::EventId)?.unwrap_or_default();
    let since = relative(event, before)?;
    let since = since.replace(&event_id.to_string(), &short_uuid(event_id));
    let _ = writeln!(text, "\nchanges since {}", escape_controls(&since));
    for change in changes {
        let shown = match (&change.before, &change.after) {
            (Some(before), Some(after)) => format!("~ {}: {before} → {after}", change.path),
            (None, Some(after)) => format!("+ {}: {after}", change.path),
            (before, None) => format!("- {}: {}", change.path, before.as_deref().unwrap_or("null")),
        };
        let _ = writeln!(text, "  {}", escape_controls(&shown));
    }
    if changes.is_empty() {
        text.push_str("  none\n");
    }
    Ok(text)
}
