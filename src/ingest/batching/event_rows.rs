//! The rows that an event and a dead letter become, in the order of the columns that
//! `store::write::batch` copies.

use crate::dead_letter::{self, DeadLetter, ReplayMark};
use crate::event::{Event, Record};
use crate::store::write::copy_buffer::CopyBuffer;
use crate::store::{DEAD_LETTER_COLUMN_COUNT, EVENT_COLUMN_COUNT};
use crate::time::UnixMicros;

/// Writes the row of `event_logs` that an event becomes. Its id is 0 until
/// [`CopyBuffer::fill_in_ids`] fills it in.
pub fn write_event(rows: &mut CopyBuffer, event: &Event<'_>, partition_id: i32, offset: i64) {
    let mut row = rows.begin(EVENT_COLUMN_COUNT);
    row.uuid(Some(event.event_id));
    row.text(Some(&event.event_type));
    row.uuid(event.aggregate_id);
    row.text(event.source_service.as_deref());
    row.boolean(event.is_dlt);
    row.jsonb(&event.payload);
    row.timestamp(Some(event.created_at));
    row.integer(Some(partition_id));
    row.bigint(Some(offset));
    row.uuid(event.correlation_id);
    row.jsonb(&event.attributes);
}

/// Writes the row of `dead_letters` that a record of a dead-letter topic becomes. The id of its
/// event is 0 until [`CopyBuffer::fill_in_ids`] fills it in.
pub fn write_dead_letter(rows: &mut CopyBuffer, record: &Record<'_>) {
    write_dead_letter_from(rows, record, &dead_letter::origin(record));
}

/// As [`write_dead_letter`], with what the headers say of its origin given.
pub(in crate::ingest) fn write_dead_letter_from(
    rows: &mut CopyBuffer,
    record: &Record<'_>,
    origin: &DeadLetter<'_>,
) {
    let mut row = rows.begin(DEAD_LETTER_COLUMN_COUNT);
    row.bytea(record.key);
    row.bytea(record.value);
    row.jsonb(&dead_letter::headers_json(record.headers));
    row.text(origin.origin_topic.as_deref());
    row.text(origin.origin_source.as_str());
    row.integer(origin.origin_partition);
    row.bigint(origin.origin_offset);
    row.timestamp(
        origin
            .origin_timestamp_ms
            .map(|milliseconds| UnixMicros(milliseconds.saturating_mul(1000))),
    );
    row.text(origin.consumer_group.as_deref());
    row.text(origin.exception_class.as_deref());
    row.text(origin.exception_message.as_deref());
    row.text(origin.stack_trace.as_deref());
    row.integer(origin.attempts);
    let mark = ReplayMark::of(record.headers);
    row.uuid(mark.map(|mark| mark.replay_id));
    row.integer(mark.map(|mark| mark.attempt));
}
