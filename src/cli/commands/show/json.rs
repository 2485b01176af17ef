//! The details for programs: one JSON object, or the rows of the event.

use super::details::EventDetails;
use crate::cli::ui::Failure;
use crate::output;
use crate::output::{Column, Emphasis, Format, Style};
use crate::store::{BatchCover, EventColumn, StoredEvent};
use crate::time::Timestamp;
use crate::value::Value;

impl EventDetails {
    /// The rows of the event as CSV: the one that is shown, then its other deliveries.
    pub(crate) fn csv(&self, style: Style) -> Result<Vec<u8>, Failure> {
        let shown = std::iter::once(&self.deliveries[self.shown]);
        let mut output = Vec::new();
        let (columns, rows) = rows(shown.chain(self.others()))?;
        output::render(Format::Csv, style, &columns, rows, &mut output)?;
        Ok(output)
    }

    /// The details as one JSON object on one line.
    pub(crate) fn ndjson(&self, style: Style) -> Result<Vec<u8>, Failure> {
        let mut output = self.json(style)?;
        // A line break within a value is written `\\n`.
        output.retain(|byte| *byte != b'\n');
        output.push(b'\n');
        Ok(output)
    }

    /// All deliveries but the one that is shown.
    fn others(&self) -> impl Iterator<Item = &StoredEvent> {
        let others = self.deliveries.iter().enumerate();
        others.filter(|(index, _)| *index != self.shown).map(|(_, event)| event)
    }

    /// The details as one JSON object.
    pub(crate) fn json(&self, style: Style) -> Result<Vec<u8>, Failure> {
        let mut output = b"{\"event\":".to_vec();
        output.extend(events_json(style, &self.deliveries[self.shown..=self.shown], false)?);
        for (name, events) in [
            ("other_deliveries", self.others().collect::<Vec<_>>()),
            ("causes", self.causes.iter().collect()),
            ("effects", self.effects.iter().collect()),
        ] {
            let _ = std::io::Write::write_fmt(&mut output, format_args!(",\"{name}\":"));
            output.extend(events_json(style, events, true)?);
        }
        output.extend(b",\"dead_letters\":");
        let columns = [
            "event_log_id",
            "origin_topic",
            "origin_partition",
            "origin_offset",
            "consumer_group",
            "exception_class",
            "exception_message",
            "attempts",
        ];
        output.extend(rows_json(
            style,
            &columns,
            self.letters.iter().map(|letter| {
                vec![
                    letter.event_log_id.into(),
                    letter.origin_topic.clone().into(),
                    letter.origin_partition.into(),
                    letter.origin_offset.into(),
                    letter.consumer_group.clone().into(),
                    letter.exception_class.clone().into(),
                    letter.exception_message.clone().into(),
                    letter.attempts.into(),
                ]
            }),
        )?);
        output.extend(b",\"replays\":");
        let columns = [
            "event_log_id",
            "attempt",
            "requested_by",
            "requested_at",
            "reason",
            "target_topic",
            "state",
            "new_partition",
            "new_offset",
            "returned_as",
            "error",
            "replay_id",
        ];
        output.extend(rows_json(
            style,
            &columns,
            self.replays.iter().map(|replay| {
                vec![
                    replay.row_id.into(),
                    replay.attempt.into(),
                    replay.requested_by.as_str().into(),
                    Timestamp::with_zone(replay.requested_at).into(),
                    replay.reason.clone().into(),
                    replay.target_topic.as_str().into(),
                    replay.state.as_str().into(),
                    replay.new_partition.into(),
                    replay.new_offset.into(),
                    replay.returned_as.into(),
                    replay.error.as_deref().into(),
                    replay.replay_id.into(),
                ]
            }),
        )?);
        output.extend(b",\"evidence\":");
        output.extend(self.evidence_json(style)?);
        if let Some((_, changes)) = &self.changes {
            output.extend(b",\"changes\":");
            let json = |text: &Option<String>| {
                text.as_ref().map_or(Value::Null, |text| Value::Json(text.clone().into()))
            };
            output.extend(rows_json(
                style,
                &["path", "before", "after"],
                changes.iter().map(|change| {
                    vec![change.path.as_str().into(), json(&change.before), json(&change.after)]
                }),
            )?);
        }
        output.extend(b"}\n");
        Ok(output)
    }

    /// How the row's batch stands in the log of evidence.
    fn evidence_json(&self, style: Style) -> Result<Vec<u8>, Failure> {
        let (state, place, checkpoint) = match &self.cover {
            None | Some(BatchCover::Unproven) => ("unproven", None, None),
            Some(BatchCover::Behind(place)) => ("behind", Some(place), None),
            Some(BatchCover::Covered(place, checkpoint)) => {
                ("covered", Some(place), Some(checkpoint))
            }
        };
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let columns = ["state", "log_no", "leaf_index", "checkpoint_size", "checkpoint_at"];
        let cells = vec![
            state.into(),
            place.map(|place| place.log_no).into(),
            place.map(|place| count(place.index)).into(),
            checkpoint.map(|checkpoint| count(checkpoint.size)).into(),
            checkpoint.map(|checkpoint| Timestamp::from(checkpoint.signed_at)).into(),
        ];
        let columns = columns.map(Column::new).to_vec();
        json(style, Format::Ndjson, &columns, vec![(cells, Emphasis::None)])
    }
}

/// Columns, and rows of as many cells.
type Rows<'a> = (Vec<Column>, Vec<(Vec<Value<'a>>, Emphasis)>);

/// Events as an array of objects, or the only one as an object.
fn events_json<'a>(
    style: Style,
    events: impl IntoIterator<Item = &'a StoredEvent>,
    array: bool,
) -> Result<Vec<u8>, Failure> {
    let (columns, rows) = rows(events)?;
    json(style, if array { Format::Json } else { Format::Ndjson }, &columns, rows)
}

/// Events as rows of all columns.
fn rows<'a>(events: impl IntoIterator<Item = &'a StoredEvent>) -> Result<Rows<'a>, Failure> {
    let columns: Vec<_> =
        EventColumn::ALL.iter().map(|column| Column::new(column.name())).collect();
    let mut rows = Vec::new();
    for event in events {
        let cells = EventColumn::ALL.iter().map(|column| event.value(*column));
        rows.push((cells.collect::<Result<Vec<_>, crate::store::Error>>()?, Emphasis::None));
    }
    Ok((columns, rows))
}

fn rows_json<'a>(
    style: Style,
    names: &[&'static str],
    rows: impl Iterator<Item = Vec<Value<'a>>>,
) -> Result<Vec<u8>, Failure> {
    let columns: Vec<_> = names.iter().map(|name| Column::new(*name)).collect();
    json(style, Format::Json, &columns, rows.map(|cells| (cells, Emphasis::None)).collect())
}

fn json(
    style: Style,
    format: Format,
    columns: &[Column],
    rows: Vec<(Vec<Value<'_>>, Emphasis)>,
) -> Result<Vec<u8>, Failure> {
    let mut output = Vec::new();
    output::render(format, style, columns, rows, &mut output)?;
    output.truncate(output.trim_ascii_end().len());
    Ok(output)
}
