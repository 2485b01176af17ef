//! What many rows share, looked up once: their batches and partitions.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::Error;
use super::pieces::IdRange;
use crate::store::{self, RowBatch, Session};

/// What the rows of a piece share.
#[derive(Debug, Clone, Default)]
pub(super) struct Lookups {
    /// Topic and partition, by `partition_id`.
    partitions: Arc<HashMap<i32, (String, i32)>>,
    /// The batches of the piece, by their ids.
    batches: Vec<RowBatch>,
}

impl Lookups {
    /// Those of all pieces of a run.
    pub(super) async fn of_run(session: &Session, has_partitions: bool) -> Result<Self, Error> {
        let partitions = match has_partitions {
            true => store::partition_names(session).await?,
            false => HashMap::new(),
        };
        Ok(Self { partitions: Arc::new(partitions), batches: Vec::new() })
    }

    /// The same, with what the rows of this piece share.
    pub(super) async fn of_piece(
        &mut self,
        session: &Session,
        piece: IdRange,
    ) -> Result<(), Error> {
        self.batches = store::batches_of_ids(session, piece.after, piece.last).await?;
        Ok(())
    }

    /// The batch of a row; `None` where no batch covers it.
    pub(super) fn batch(&self, id: i64) -> Option<&RowBatch> {
        let place = self.batches.partition_point(|batch| batch.first_id <= id);
        self.batches.get(place.checked_sub(1)?).filter(|batch| batch.last_id >= id)
    }

    /// Topic and partition.
    pub(super) fn partition(&self, id: i64) -> Option<&(String, i32)> {
        self.partitions.get(&i32::try_from(id).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::PostgresMicros;

    #[test]
    fn a_row_between_two_batches_is_of_neither() {
        let batch = |batch_no, first_id, last_id| RowBatch {
            batch_no,
            first_id,
            last_id,
            recorded_at: PostgresMicros(0),
        };
        let batches = vec![batch(2, 5, 7), batch(1, 10, 12)];
        let lookups = Lookups { batches, ..Lookups::default() };
        let found =
            [4, 5, 7, 8, 10, 12, 13].map(|id| lookups.batch(id).map(|batch| batch.batch_no));
        assert_eq!(found, [None, Some(2), Some(2), None, Some(1), Some(1), None]);
    }
}
