//! The roots of a batch, for the log: over its rows as they are sent to PostgreSQL, and over the
//! records of Kafka.

use super::encoder::EncodedBatch;
use crate::evidence::canonical::write_record;
use crate::evidence::tree::{RootBuilder, leaf_hash};
use crate::evidence::{CanonicalError, Hash};
use crate::store::Roots;
use crate::store::write::row_root::row_root;

impl EncodedBatch {
    /// Computes the roots of the batch, whose rows have their ids.
    ///
    /// # Errors
    /// [`CanonicalError`] where a row is not what the encoder makes.
    pub(in crate::ingest) fn roots(&self) -> Result<Roots, CanonicalError> {
        let row_root = row_root(&self.events, &self.dead_letters, &self.dead_letter_rows)?;
        Ok(Roots { row_root, record_root: Some(self.record_root()) })
    }

    /// The records in the order of topic, partition and offset.
    fn record_root(&self) -> Hash {
        let mut of_segments = vec![Vec::new(); self.segments.len()];
        for index in 0..self.records.len() {
            of_segments[self.records.partition_index(index) as usize].push(index);
        }
        let mut segments: Vec<_> = self.segments.iter().zip(of_segments).collect();
        segments.sort_by_key(|(segment, _)| {
            (
                segment.partition.identity.name.topic.as_bytes(),
                segment.partition.identity.name.partition,
            )
        });
        let mut root = RootBuilder::default();
        let mut headers = Vec::new();
        let mut bytes = Vec::new();
        for (segment, indexes) in segments {
            let identity = &segment.partition.identity;
            for index in indexes {
                self.records.headers(index, &mut headers);
                let record =
                    self.records.record(index, &identity.cluster_id, &identity.name, &headers);
                bytes.clear();
                write_record(&mut bytes, &record, self.records.timestamp_type(index));
                root.push(leaf_hash(&bytes));
            }
        }
        root.root()
    }
}
