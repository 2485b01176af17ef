//! Claims partitions in PostgreSQL, and finds out before the first record is read whether Kafka
//! still has what comes next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::control::{Counters, Fault, Faults, Stop, lock};
use super::{Error, IngestSettings};
use crate::event::TopicPartition;
use crate::kafka::{self, Cluster, Offsets};
use crate::store::{
    self, Batch, BatchStatus, Claim, OffsetRange, RangeKind, TopicIdPartition, Writer, Written,
};

/// After more waits for a lock (5 s each) than this, the session that holds it is taken for frozen,
/// and ended.
const PATIENCE: u32 = 2;

/// Takes claims on behalf of the consumer.
pub(super) struct Claims {
    pub(super) runtime: Handle,
    pub(super) settings: Arc<IngestSettings>,
    pub(super) cluster: Arc<Cluster>,
    pub(super) cluster_id: Arc<str>,
    pub(super) ingester: Arc<str>,
    pub(super) stop: Arc<Stop>,
    pub(super) faults: Arc<Faults>,
    pub(super) counters: Arc<Counters>,
    /// The partitions that can't be read, and why.
    pub(super) refused: Arc<Mutex<HashMap<TopicPartition, String>>>,
}

/// Why an attempt failed.
enum Failure {
    Store(store::Error),
    Kafka(kafka::Error),
}

impl Claims {
    pub(super) fn report_partitions(&self, count: usize) {
        self.counters.partitions.store(count as u64, std::sync::atomic::Ordering::Relaxed);
    }

    /// Claims the partitions and returns from which offset each is to be read. What can't be read
    /// is left out and logged. Waits for a database or a broker that is away; gives up, with
    /// nothing, when the session is to end.
    pub(super) fn take(&self, partitions: &[TopicPartition]) -> Vec<Claim> {
        let (mut attempt, mut lock_waits) = (0, 0);
        loop {
            if self.stop.is_requested() || self.faults.is_raised() {
                return Vec::new();
            }
            let failure =
                match self.runtime.block_on(self.try_take(partitions, lock_waits > PATIENCE)) {
                    Ok(claims) => return claims,
                    Err(failure) => failure,
                };
            let (transient, text) = match &failure {
                Failure::Store(error) => {
                    lock_waits +=
                        u32::from(error.sql_state() == Some(&SqlState::LOCK_NOT_AVAILABLE));
                    (error.is_transient(), error.to_string())
                }
                Failure::Kafka(error) => (true, error.to_string()),
            };
            if !transient {
                self.faults.raise(Fault::Fatal(match failure {
                    Failure::Store(error) => Error::Store(error),
                    Failure::Kafka(error) => Error::Kafka(error),
                }));
                return Vec::new();
            }
            tracing::warn!(
                error = text,
                "can't claim the assigned partitions now; trying again until it works"
            );
            self.runtime.block_on(self.stop.wait(store::back_off(attempt)));
            attempt += 1;
        }
    }

    async fn try_take(
        &self,
        partitions: &[TopicPartition],
        end_holders: bool,
    ) -> Result<Vec<Claim>, Failure> {
        let keys = self.keys(partitions)?;
        let application = format!("audit ingest {} claims", self.ingester);
        let mut client = store::Session::connect(&self.settings.database, &application)
            .await
            .map_err(Failure::Store)?;
        if end_holders {
            let ended = store::end_lock_holders(&client, &self.cluster_id, &keys)
                .await
                .map_err(Failure::Store)?;
            if ended > 0 {
                tracing::warn!(
                    sessions = ended,
                    "ended the session of an ingester that froze while it wrote a batch"
                );
            }
        }
        let claims = store::claim(&mut client, &self.cluster_id, &keys, &self.ingester)
            .await
            .map_err(Failure::Store)?;
        let mut ready = Vec::with_capacity(claims.len());
        for claim in claims {
            if let Some(claim) = self.check(&mut client, claim).await? {
                ready.push(claim);
            }
        }
        Ok(ready)
    }

    fn keys(&self, partitions: &[TopicPartition]) -> Result<Vec<TopicIdPartition>, Failure> {
        let mut topics: Vec<String> =
            partitions.iter().map(|partition| partition.topic.clone()).collect();
        topics.sort_unstable();
        topics.dedup();
        let ids: HashMap<String, Uuid> = self.cluster.topic_ids(&topics).map_err(Failure::Kafka)?;
        let key = |partition: &TopicPartition| TopicIdPartition {
            partition: partition.clone(),
            topic_id: ids.get(&partition.topic).copied(),
        };
        Ok(partitions.iter().map(key).collect())
    }

    /// Compares what is recorded with what Kafka has. `None` where the partition can't be read.
    async fn check(
        &self,
        client: &mut store::Session,
        mut claim: Claim,
    ) -> Result<Option<Claim>, Failure> {
        let partition = claim.key.partition.clone();
        let topic = &partition.topic;
        let mut offsets = self.offsets(&partition)?;
        let recreated = matches!((claim.recorded_topic_id, claim.key.topic_id), (Some(recorded), Some(found)) if recorded != found);
        // A new leader may not know the end yet.
        for _ in 0..5 {
            if recreated || offsets.end >= claim.next_offset {
                break;
            }
            self.stop.wait(Duration::from_secs(1)).await;
            offsets = self.offsets(&partition)?;
        }
        if recreated || offsets.end < claim.next_offset {
            if !self.settings.accept_recreated.contains(topic) {
                let what = if recreated {
                    "was deleted and made again".to_owned()
                } else {
                    format!(
                        "ends at offset {} although offsets up to {} are recorded",
                        offsets.end, claim.next_offset
                    )
                };
                let text = format!(
                    "{partition} is not read: the topic {what}; \
                     to record it as a new incarnation, run ingest with --accept-recreated {topic}"
                );
                tracing::error!("{text}");
                lock(&self.refused).insert(partition, text);
                return Ok(None);
            }
            claim = store::begin_incarnation(client, &self.cluster_id, &claim.key, &self.ingester)
                .await
                .map_err(Failure::Store)?;
            tracing::warn!(
                topic,
                partition = partition.partition,
                "the topic was made again: recording it as a new incarnation"
            );
        }
        if offsets.low > claim.next_offset {
            self.declare_lost(&mut claim, offsets.low).await.map_err(Failure::Store)?;
        }
        Ok(Some(claim))
    }

    fn offsets(&self, partition: &TopicPartition) -> Result<Offsets, Failure> {
        self.cluster.offsets(partition).map_err(Failure::Kafka)
    }

    /// Kafka deleted offsets before they were read: says so in the ledger, for ever.
    async fn declare_lost(&self, claim: &mut Claim, low: i64) -> Result<(), store::Error> {
        let range = OffsetRange {
            partition_id: claim.partition_id,
            epoch: claim.epoch,
            first_offset: claim.next_offset,
            next_offset: low,
            row_count: 0,
            kind: RangeKind::Lost,
        };
        let application = format!("audit ingest {} claims", self.ingester);
        let mut writer = Writer::connect(&self.settings.database, &application).await?;
        let batch = Batch {
            events: None,
            dead_letters: &store::write::copy_buffer::CopyBuffer::default(),
            ranges: std::slice::from_ref(&range),
            ingester: &self.ingester,
        };
        if writer.write(&batch).await? == Written::Fenced
            && writer.status(std::slice::from_ref(&range)).await? != BatchStatus::Recorded
        {
            // Claimed by somebody else in between: whoever holds it now declares the loss.
            return Ok(());
        }
        let lost = low - claim.next_offset;
        tracing::error!(
            topic = claim.key.partition.topic,
            partition = claim.key.partition.partition,
            first_offset = claim.next_offset,
            next_offset = low,
            lost,
            "Kafka deleted offsets before they were recorded; they are declared lost"
        );
        Counters::add(&self.counters.lost, lost.unsigned_abs());
        claim.next_offset = low;
        Ok(())
    }
}
