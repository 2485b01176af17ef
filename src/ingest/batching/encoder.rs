//! Decodes the records of a batch and encodes their rows, on a thread of its own, while the batch
//! before is copied.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::mpsc::UnboundedSender;

use super::event_rows::{write_dead_letter, write_event};
use super::open_batch::{OpenBatch, Segment};
use super::row_keys::RowKeys;
use super::unpacking::{RegistryHint, SchemaAccess};
use crate::event::{Decoder, Header, QuarantineForm, Reason, Record, Unpacked};
use crate::ingest::in_flight::{HeldBytes, InFlight};
use crate::kafka::RecordBatch;
use crate::store::write::copy_buffer::CopyBuffer;
use crate::store::{OffsetRange, RangeKind};
use crate::time::UnixMicros;

/// A batch whose rows have more bytes than this is recorded in parts: a few bytes of Avro can
/// become hundreds of megabytes of JSON.
const MOST_ENCODED_BYTES: usize = 64 << 20;

/// Makes rows of records.
#[derive(Debug, Clone)]
pub(in crate::ingest) struct Encoder {
    pub(in crate::ingest) decoder: Arc<Decoder>,
    pub(in crate::ingest) cluster_id: Arc<str>,
    /// Where schemas come from; `None` where no registry is given.
    pub(in crate::ingest) schemas: Option<SchemaAccess>,
    pub(in crate::ingest) hint: Arc<RegistryHint>,
}

/// A batch whose rows are encoded; their ids are filled in when they are reserved.
#[derive(Debug)]
pub(in crate::ingest) struct EncodedBatch {
    pub(super) records: RecordBatch,
    pub(super) segments: Vec<Segment>,
    /// The rows of `event_logs`, one for each record.
    pub(in crate::ingest) events: CopyBuffer,
    /// What the rows of `events` have in common.
    pub(in crate::ingest) keys: RowKeys,
    /// The rows of `dead_letters`.
    pub(in crate::ingest) dead_letters: CopyBuffer,
    /// The rows of `events` that the rows of `dead_letters` belong to.
    pub(super) dead_letter_rows: Vec<usize>,
    /// How many rows of `events` are quarantined, by reason.
    pub(in crate::ingest) quarantined: HashMap<Reason, u64>,
    /// The forms of the rows of `events` that were replaced because PostgreSQL refused them.
    pub(super) refused_events: HashMap<usize, QuarantineForm>,
    /// The rows of `dead_letters` that lack what the headers say, because PostgreSQL refused it.
    pub(super) raw_dead_letters: HashSet<usize>,
    /// Counts its bytes as long as it is in flight.
    _held: HeldBytes,
    /// Dropped with it: tells that the next part of the same batch may be encoded.
    _next_part: Option<Sender<()>>,
}

impl EncodedBatch {
    /// The offsets that the batch accounts for, in the order in which their partitions are locked.
    pub(in crate::ingest) fn ranges(&self) -> Vec<OffsetRange> {
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
                identity: segment.partition.identity.clone(),
            })
            .collect();
        ranges.sort_unstable_by_key(|range| range.partition_id);
        ranges
    }

    pub(in crate::ingest) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// How many bytes of keys, values and headers its records have.
    pub(in crate::ingest) fn byte_size(&self) -> usize {
        self.records.byte_size()
    }

    /// Names the record of a row: "orders.events [2] offset 57".
    pub(in crate::ingest) fn name_of(&self, index: usize) -> String {
        let segment = &self.segments[self.records.partition_index(index) as usize];
        format!("{} offset {}", segment.partition.identity.name, self.records.offset(index))
    }

    /// Gives the rows their ids.
    pub(in crate::ingest) fn fill_in_ids_from(&mut self, first_id: i64) {
        self.events.fill_in_ids(first_id..);
        self.dead_letters
            .fill_in_ids(self.dead_letter_rows.iter().map(|row| first_id + *row as i64));
    }
}

impl Encoder {
    /// Encodes batches until there are no more, the writer ended, or the session ends while the
    /// schema registry is waited for.
    pub(in crate::ingest) fn run(
        &self,
        batches: &Receiver<OpenBatch>,
        writer: &UnboundedSender<EncodedBatch>,
        in_flight: &InFlight,
    ) {
        while let Ok(open_batch) = batches.recv() {
            let mut next = Some(open_batch);
            while let Some(open_batch) = next {
                let Some((mut encoded, rest)) = self.encode(open_batch) else { return };
                let (next_part, is_done) = channel();
                if rest.is_some() {
                    in_flight.acquire_part();
                    encoded._next_part = Some(next_part);
                }
                if writer.send(encoded).is_err() {
                    return;
                }
                if rest.is_some() {
                    // Nothing is ever sent: it ends when the part is recorded, or given up.
                    let _ = is_done.recv();
                }
                next = rest;
            }
        }
    }

    /// Encodes a batch, or its first part, and gives the rest. `None` where the session ended
    /// before its schemas were there.
    pub(in crate::ingest) fn encode(
        &self,
        mut open_batch: OpenBatch,
    ) -> Option<(EncodedBatch, Option<OpenBatch>)> {
        let OpenBatch { records, segments, .. } = &open_batch;
        // A row takes about the size of its record, once more for what attributes keeps, and a
        // fixed part.
        let mut events =
            CopyBuffer::with_capacity(records.byte_size() * 3 / 2 + records.len() * 256);
        let mut keys = RowKeys::default();
        let mut dead_letters = CopyBuffer::default();
        let mut dead_letter_rows = Vec::new();
        let mut quarantined = HashMap::new();
        let now = UnixMicros::now();
        let mut headers = Vec::new();
        let mut schemas = self.schemas.as_ref().map(|access| (access, access.unpacker()));
        let mut rest_from = records.len();
        for index in 0..records.len() {
            if events.byte_size() > MOST_ENCODED_BYTES {
                rest_from = index;
                break;
            }
            records.headers(index, &mut headers);
            let segment = &segments[records.partition_index(index) as usize];
            let record = self.record(records, segment, index, &headers);
            let unpacked = match &mut schemas {
                Some((access, unpacker)) => Cow::Owned(access.unpack(unpacker, &record)?),
                None => Cow::Borrowed(Unpacked::nothing()),
            };
            let decoded = self.decoder.decode(&record, &unpacked, now);
            if let Some(reason) = decoded.reason {
                *quarantined.entry(reason).or_default() += 1;
                if reason == Reason::SchemaRegistry {
                    self.hint.tell(&record);
                }
            }
            let event = decoded.event;
            if event.is_dlt {
                write_dead_letter(&mut dead_letters, &record);
                dead_letter_rows.push(index);
            }
            let partition_id = segment.partition.partition_id;
            keys.push(&event, partition_id);
            write_event(&mut events, &event, partition_id, record.offset);
        }
        let is_part = rest_from < records.len();
        let rest = is_part.then(|| open_batch.split_off(rest_from));
        let OpenBatch { records, segments, held } = open_batch;
        let encoded = EncodedBatch {
            records,
            segments,
            events,
            keys,
            dead_letters,
            dead_letter_rows,
            quarantined,
            refused_events: HashMap::new(),
            raw_dead_letters: HashSet::new(),
            _held: held,
            _next_part: None,
        };
        Some((encoded, rest))
    }

    pub(super) fn record<'a>(
        &'a self,
        records: &'a RecordBatch,
        segment: &'a Segment,
        index: usize,
        headers: &'a [Header<'a>],
    ) -> Record<'a> {
        records.record(index, &self.cluster_id, &segment.partition.identity.name, headers)
    }
}
