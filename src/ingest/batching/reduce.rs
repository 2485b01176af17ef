//! Gives a row that PostgreSQL refuses its next form, which holds less that could be refused.

use super::encoder::{EncodedBatch, Encoder};
use super::event_rows::{write_dead_letter_from, write_event};
use crate::dead_letter::DeadLetter;
use crate::event::{QuarantineForm, Reason, Unpacked};
use crate::store::write::copy_buffer::CopyBuffer;
use crate::store::{IdBlock, TrialRows};
use crate::time::UnixMicros;

/// A table that a batch is copied into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum BatchTable {
    Events,
    DeadLetters,
}

impl EncodedBatch {
    /// The rows of a table.
    pub(in crate::ingest) fn rows_of(&self, table: BatchTable) -> &CopyBuffer {
        match table {
            BatchTable::Events => &self.events,
            BatchTable::DeadLetters => &self.dead_letters,
        }
    }

    /// The rows of a table, for a trial.
    pub(in crate::ingest) fn trial_rows<'a>(
        &'a self,
        table: BatchTable,
        ids: &'a IdBlock,
    ) -> TrialRows<'a> {
        match table {
            BatchTable::Events => TrialRows::Events(&self.events, ids),
            BatchTable::DeadLetters => TrialRows::DeadLetters(&self.dead_letters),
        }
    }

    /// Which row of `events` belongs to a row of a table.
    pub(in crate::ingest) fn event_of(&self, table: BatchTable, index: usize) -> usize {
        match table {
            BatchTable::Events => index,
            BatchTable::DeadLetters => self.dead_letter_rows[index],
        }
    }
}

impl Encoder {
    /// Gives a row its next form, and the id that it had. False where there is no other form. Each
    /// row has a few, and never gets one back, so whoever repeats this comes to an end.
    pub(in crate::ingest) fn reduce(
        &self,
        encoded: &mut EncodedBatch,
        table: BatchTable,
        index: usize,
        detail: &str,
        ids: &IdBlock,
    ) -> bool {
        let id = ids.first_id + encoded.event_of(table, index) as i64;
        let reduced = match table {
            BatchTable::Events => self.reduce_event(encoded, index, detail),
            BatchTable::DeadLetters => self.strip_dead_letter(encoded, index),
        };
        if reduced {
            match table {
                BatchTable::Events => encoded.events.fill_in_id(index, id),
                BatchTable::DeadLetters => encoded.dead_letters.fill_in_id(index, id),
            }
        }
        reduced
    }

    fn reduce_event(&self, encoded: &mut EncodedBatch, index: usize, detail: &str) -> bool {
        let before = encoded.refused_events.get(&index).copied();
        let form = match before {
            None => Some(QuarantineForm::Readable),
            Some(form) => form.next(),
        };
        let Some(form) = form else { return false };
        let now = UnixMicros::now();
        let mut headers = Vec::new();
        encoded.records.headers(index, &mut headers);
        let segment = &encoded.segments[encoded.records.partition_index(index) as usize];
        let record = self.record(&encoded.records, segment, index, &headers);
        // Without waiting: the key and the columns that come from it stay what they were.
        let schemas = self.schemas.as_ref();
        let unpacked =
            schemas.map_or_else(Unpacked::default, |access| access.unpack_again(&record));
        if before.is_none() {
            // It may have been quarantined for another reason.
            if let Some(reason) = self.decoder.decode(&record, &unpacked, now).reason
                && let Some(count) = encoded.quarantined.get_mut(&reason)
            {
                *count = count.saturating_sub(1);
            }
            *encoded.quarantined.entry(Reason::RefusedByDatabase).or_default() += 1;
        }
        let event = self.decoder.quarantine_refused(&record, &unpacked, form, detail, now);
        let partition_id = segment.partition.partition_id;
        write_event(&mut encoded.events, &event, partition_id, record.offset);
        encoded.events.replace_by_last(index);
        encoded.keys.replace(index, &event, partition_id);
        encoded.refused_events.insert(index, form);
        true
    }

    /// Leaves out what was read out of the headers of a dead letter: the raw key, value and headers
    /// are still kept.
    fn strip_dead_letter(&self, encoded: &mut EncodedBatch, index: usize) -> bool {
        if !encoded.raw_dead_letters.insert(index) {
            return false;
        }
        let event = encoded.event_of(BatchTable::DeadLetters, index);
        let mut headers = Vec::new();
        encoded.records.headers(event, &mut headers);
        let segment = &encoded.segments[encoded.records.partition_index(event) as usize];
        let record = self.record(&encoded.records, segment, event, &headers);
        write_dead_letter_from(&mut encoded.dead_letters, &record, &DeadLetter::default());
        encoded.dead_letters.replace_by_last(index);
        true
    }
}
