//! Object-centric event logs (OCEL 2.0) as JSON, for process mining:
//! <https://www.ocel-standard.org>.
//!
//! An event of the log is an event of the audit at its first delivery; its objects are its
//! aggregate and its correlation. The file is written from its beginning to its end, so memory does
//! not grow with it: first the types and the objects, which PostgreSQL lists, then the events.

mod attribute;
mod document;
mod error;
mod names;

use std::io::Write;
use std::pin::pin;

use futures_util::TryStreamExt;

pub(super) use error::Error;

use crate::event::{QUARANTINED, TOMBSTONE};
use crate::store::{
    FirstDeliveries, FirstDelivery, ObjectKind, ReadTransaction, ResolvedSelection, SelectedColumn,
};
use attribute::{AttributeType, time_text};
use document::{Document, Event, NamedType, Object, Part, Relationship};
use names::Names;

/// What an event can be about, in the order in which it is written.
const KINDS: [ObjectKind; 2] = [ObjectKind::Aggregate, ObjectKind::Correlation];

/// What was written, and what was selected and is no event of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OcelSummary {
    /// How many events.
    pub events: u64,
    /// How many objects.
    pub objects: u64,
    /// How many relations of events to objects.
    pub relations: u64,
    /// Selected rows that are dead letters.
    pub dead_letters: u64,
    /// Selected rows that are tombstones.
    pub tombstones: u64,
    /// Selected rows that are quarantined records, and no dead letters.
    pub quarantined: u64,
    /// Selected rows that deliver an event again, whose first delivery may lie outside the
    /// selection.
    pub repeated: u64,
}

impl OcelSummary {
    /// What was selected and is not in the log, in words: `left out: 2 dead letters, 1 later
    /// delivery`. `None` where there is nothing.
    pub fn left_out(&self) -> Option<String> {
        let parts = [
            (self.dead_letters, "dead letter", "dead letters"),
            (self.tombstones, "tombstone", "tombstones"),
            (self.quarantined, "quarantined record", "quarantined records"),
            (self.repeated, "later delivery", "later deliveries"),
        ];
        let parts = parts.into_iter().filter(|(count, ..)| *count > 0);
        let parts: Vec<_> = parts
            .map(|(count, one, more)| format!("{count} {}", if count == 1 { one } else { more }))
            .collect();
        (!parts.is_empty()).then(|| format!("left out: {}", parts.join(", ")))
    }
}

/// Writes the selected events, by the ids of their rows, and all that they are about. `attributes`
/// are the columns that an event has as attributes, each once; NULL is no attribute. `progress` is
/// told how many events are written, and of how many.
///
/// # Errors
/// `Error::Time` for a time that the format can't hold; `Error::Store`; `Error::Output`. What was
/// written until then is no whole log.
pub(super) async fn write_ocel(
    reading: &ReadTransaction<'_>,
    selection: &ResolvedSelection,
    attributes: &[SelectedColumn],
    output: &mut (dyn Write + Send),
    mut progress: impl FnMut(u64, u64),
) -> Result<OcelSummary, Error> {
    let mut summary = OcelSummary::default();
    let mut document = Document::begin(output)?;
    if selection.is_empty() {
        write_object_types(&mut document)?;
        document.begin_part(Part::EventTypes)?;
        document.begin_part(Part::Objects)?;
        document.begin_part(Part::Events)?;
        document.end()?;
        return Ok(summary);
    }
    let deliveries = FirstDeliveries::new(reading, selection).await?;
    write_object_types(&mut document)?;
    let all = write_event_types(&deliveries, attributes, &mut document, &mut summary).await?;
    let names = write_objects(&deliveries, &mut document, &mut summary).await?;

    document.begin_part(Part::Events)?;
    let mut events = pin!(deliveries.events(attributes).await?);
    while let Some(event) = events.try_next().await? {
        summary.relations += write_event(&event, attributes, &names, &mut document)?;
        summary.events += 1;
        progress(summary.events, all);
    }
    document.end()?;
    Ok(summary)
}

fn write_object_types(document: &mut Document<'_>) -> Result<(), Error> {
    document.begin_part(Part::ObjectTypes)?;
    for kind in KINDS {
        document.item(&NamedType { name: names::of_kind(kind), attributes: &[] })?;
    }
    Ok(())
}

/// Writes the type of each event that there is, and returns how many events there are.
async fn write_event_types(
    deliveries: &FirstDeliveries<'_>,
    attributes: &[SelectedColumn],
    document: &mut Document<'_>,
    summary: &mut OcelSummary,
) -> Result<u64, Error> {
    document.begin_part(Part::EventTypes)?;
    let declared: Vec<_> = attributes.iter().map(AttributeType::of).collect();
    let mut all = 0;
    let mut types = pin!(deliveries.types().await?);
    while let Some(found) = types.try_next().await? {
        let others = found.rows - found.first - found.dead_letters;
        summary.dead_letters += found.dead_letters;
        match found.event_type.as_str() {
            TOMBSTONE => summary.tombstones += others,
            QUARANTINED => summary.quarantined += others,
            _ => summary.repeated += others,
        }
        if found.first > 0 {
            document.item(&NamedType { name: &found.event_type, attributes: &declared })?;
            all += found.first;
        }
    }
    Ok(all)
}

/// Writes each object once, and returns what their names are.
async fn write_objects(
    deliveries: &FirstDeliveries<'_>,
    document: &mut Document<'_>,
    summary: &mut OcelSummary,
) -> Result<Names, Error> {
    document.begin_part(Part::Objects)?;
    let mut names = Names::default();
    for kind in KINDS {
        let mut listed = pin!(deliveries.objects(kind).await?);
        let mut next = listed.try_next().await?;
        while let Some(mut object) = next {
            // The rows of one object follow each other.
            next = listed.try_next().await?;
            while let Some(same) = next.take_if(|next| next.id == object.id) {
                object = names.joined(kind, object, same);
                next = listed.try_next().await?;
            }
            let id = names.of_object(kind, &object);
            document.item(&Object { id: &id, kind: names::of_kind(kind), attributes: [] })?;
            summary.objects += 1;
        }
    }
    Ok(names)
}

/// Writes an event, and returns how many objects it is about.
fn write_event(
    event: &FirstDelivery,
    attributes: &[SelectedColumn],
    names: &Names,
    document: &mut Document<'_>,
) -> Result<u64, Error> {
    let row = event.id()?;
    let mut relationships = Vec::with_capacity(KINDS.len());
    for kind in KINDS {
        if let Some(object) = event.object(kind)? {
            let object_id = names.of_object(kind, &object);
            relationships.push(Relationship { object_id, qualifier: names::of_kind(kind) });
        }
    }
    let mut values = Vec::with_capacity(attributes.len());
    for (index, column) in attributes.iter().enumerate() {
        values.extend(attribute::value(row, column, &event.value(index, column)?)?);
    }
    document.item(&Event {
        id: event.event_id()?,
        event_type: event.event_type()?,
        time: &time_text(row, "created_at", event.created_at()?)?,
        attributes: &values,
        relationships: &relationships,
    })?;
    Ok(relationships.len() as u64)
}
