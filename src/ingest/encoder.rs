//! Decodes the records of a batch and encodes their rows, on a thread of its own, while the batch
//! before is copied.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tokio::sync::mpsc::UnboundedSender;

use super::batcher::{OpenBatch, Segment};
use super::control::RecordedOffsets;
use crate::dead_letter::{self, DeadLetter, ReplayMark};
use crate::event::{Decoder, Event, Header, QUARANTINED, Reason, Record};
use crate::kafka::RecordBatch;
use crate::store::write::copy_buffer::CopyBuffer;
use crate::store::{DEAD_LETTER_COLUMN_COUNT, EVENT_COLUMN_COUNT, OffsetRange, RangeKind};
use crate::time::UnixMicros;

/// What every row needs to know besides its record.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    pub(super) decoder: Arc<Decoder>,
    pub(super) cluster_id: Arc<str>,
}

/// A batch whose rows are encoded; their ids are filled in when they are reserved.
#[derive(Debug)]
pub(super) struct EncodedBatch {
    records: RecordBatch,
    segments: Vec<Segment>,
    pub(super) events: CopyBuffer,
    pub(super) dead_letters: CopyBuffer,
    /// The rows of `events` that the rows of `dead_letters` belong to.
    dead_letter_rows: Vec<usize>,
    pub(super) quarantined: u64,
    /// Whether the dead letters were stripped of what their headers say.
    pub(super) dead_letters_are_bare: bool,
}

impl EncodedBatch {
    /// The offsets that the batch accounts for, in the order in which their partitions are locked.
    pub(super) fn ranges(&self) -> Vec<OffsetRange> {
        let mut ranges: Vec<OffsetRange> = self
            .segments
            .iter()
            .filter(|segment| segment.is_filled())
            .map(|segment| OffsetRange {
                partition_id: segment.partition.partition_id,
                epoch: segment.partition.epoch,
                first_offset: segment.first_offset,
                next_offset: segment.next_offset,
                row_count: segment.row_count,
                kind: RangeKind::Stored,
            })
            .collect();
        ranges.sort_unstable_by_key(|range| range.partition_id);
        ranges
    }

    /// Notes how far each partition is recorded now.
    pub(super) fn note_offsets(&self, offsets: &RecordedOffsets) {
        for segment in &self.segments {
            offsets.note(&segment.partition.name, segment.next_offset);
        }
    }

    /// Gives the rows their ids.
    pub(super) fn number_from(&mut self, first_id: i64) {
        self.events.number(first_id..);
        self.dead_letters.number(self.dead_letter_rows.iter().map(|row| first_id + *row as i64));
    }
}

impl Encoder {
    /// Encodes batches until there are no more, or nobody takes them.
    pub(super) fn run(
        &self,
        batches: &Receiver<OpenBatch>,
        next_stage: &UnboundedSender<EncodedBatch>,
    ) {
        while let Ok(open_batch) = batches.recv() {
            if next_stage.send(self.encode(open_batch)).is_err() {
                return;
            }
        }
    }

    fn encode(&self, open_batch: OpenBatch) -> EncodedBatch {
        let OpenBatch { records, segments } = open_batch;
        // A row takes about the size of its record, once more for what attributes keeps, and a
        // fixed part.
        let mut events =
            CopyBuffer::with_capacity(records.byte_size() * 3 / 2 + records.len() * 256);
        let mut dead_letters = CopyBuffer::default();
        let mut dead_letter_rows = Vec::new();
        let mut quarantined = 0;
        let now = UnixMicros::now();
        let mut headers = Vec::new();
        for index in 0..records.len() {
            records.headers(index, &mut headers);
            let segment = &segments[records.source(index) as usize];
            let record = self.record(&records, segment, index, &headers);
            let event = self.decoder.decode(&record, now).event;
            quarantined += u64::from(event.event_type == QUARANTINED);
            if event.is_dlt {
                write_dead_letter(&mut dead_letters, &record);
                dead_letter_rows.push(index);
            }
            write_event(&mut events, &event, segment.partition.partition_id, record.offset);
        }
        EncodedBatch {
            records,
            segments,
            events,
            dead_letters,
            dead_letter_rows,
            quarantined,
            dead_letters_are_bare: false,
        }
    }

    fn record<'a>(
        &'a self,
        records: &'a RecordBatch,
        segment: &'a Segment,
        index: usize,
        headers: &'a [Header<'a>],
    ) -> Record<'a> {
        records.record(index, &self.cluster_id, &segment.partition.name, headers)
    }

    /// Replaces the row of a record that PostgreSQL refuses by a quarantined one. The ids have to
    /// be filled in again.
    pub(super) fn quarantine(&self, encoded: &mut EncodedBatch, index: usize, detail: &str) {
        let mut headers = Vec::new();
        encoded.records.headers(index, &mut headers);
        let segment = &encoded.segments[encoded.records.source(index) as usize];
        let record = self.record(&encoded.records, segment, index, &headers);
        let event =
            self.decoder.quarantine(&record, Reason::RefusedByDatabase, detail, UnixMicros::now());
        write_event(&mut encoded.events, &event, segment.partition.partition_id, record.offset);
        encoded.events.replace_by_last(index);
        encoded.quarantined += 1;
    }

    /// Encodes the dead letters again without what was read out of their headers: where PostgreSQL
    /// refuses that, the raw key, value and headers are still kept.
    pub(super) fn strip_dead_letters(&self, encoded: &mut EncodedBatch) {
        let mut headers = Vec::new();
        encoded.dead_letters = CopyBuffer::default();
        encoded.dead_letters_are_bare = true;
        for index in &encoded.dead_letter_rows {
            encoded.records.headers(*index, &mut headers);
            let segment = &encoded.segments[encoded.records.source(*index) as usize];
            let record = self.record(&encoded.records, segment, *index, &headers);
            write_dead_letter_of(&mut encoded.dead_letters, &record, &DeadLetter::default());
        }
    }
}

/// Writes the row of `event_logs` that an event becomes, without its id: [`CopyBuffer::number`]
/// fills that in.
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

/// Writes the row of `dead_letters` that a record of a dead-letter topic becomes, without the id of
/// its event: [`CopyBuffer::number`] fills that in.
pub fn write_dead_letter(rows: &mut CopyBuffer, record: &Record<'_>) {
    write_dead_letter_of(rows, record, &dead_letter::origin(record));
}

fn write_dead_letter_of(rows: &mut CopyBuffer, record: &Record<'_>, origin: &DeadLetter<'_>) {
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
