//! Claims partitions in PostgreSQL, and compares what is recorded with what Kafka has before the
//! first record is read.

use std::collections::HashMap;
use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;

use super::claim_check::{Decision, decide};
use super::rebalance::Claimer;
use crate::event::TopicPartition;
use crate::ingest::counters::{Counters, Wait};
use crate::ingest::error::Error;
use crate::ingest::fault::{Fault, FirstFault};
use crate::ingest::mutex::lock_mutex;
use crate::ingest::settings::IngestSettings;
use crate::ingest::stop::Stop;
use crate::kafka;
use crate::kafka::Cluster;
use crate::ledger::{Comparison, compare};
use crate::store::write::copy_buffer::CopyBuffer;
use crate::store::{
    self, Batch, BatchStatus, Claim, EventCounts, OffsetRange, RangeKind, Roots, Session,
    TopicIdPartition, Writer, Written,
};

/// After more waits for a lock (5 s each) than this, the session that holds it counts as frozen and
/// is ended.
const LOCK_WAITS: u32 = 2;
/// How often a partition that ends early is asked for its end again, once a second.
const END_RETRIES: usize = 5;

/// Takes claims on behalf of the consumer.
pub(in crate::ingest) struct Claims {
    pub(in crate::ingest) runtime: Handle,
    pub(in crate::ingest) settings: Arc<IngestSettings>,
    pub(in crate::ingest) cluster: Arc<Cluster>,
    pub(in crate::ingest) cluster_id: Arc<str>,
    pub(in crate::ingest) ingester: Arc<str>,
    pub(in crate::ingest) stop: Arc<Stop>,
    pub(in crate::ingest) faults: Arc<FirstFault>,
    pub(in crate::ingest) counters: Arc<Counters>,
    /// The partitions that can't be read, and why.
    pub(in crate::ingest) refused: Arc<Mutex<HashMap<TopicPartition, String>>>,
}

impl Claimer for Claims {
    /// Waits for a database or a broker that is away. Logs what can't be read.
    fn claim(&self, partitions: &[TopicPartition]) -> Vec<Claim> {
        let (mut failures, mut lock_waits) = (0, 0);
        let mut _waiting;
        while !self.stop.is_requested() && !self.faults.is_raised() {
            let end_holders = lock_waits > LOCK_WAITS;
            let error = match self.runtime.block_on(self.try_claim(partitions, end_holders)) {
                Ok(claims) => return claims,
                Err(error) => error,
            };
            if let Error::Store(error) = &error {
                lock_waits += u32::from(error.is_lock_not_available());
            }
            if !is_transient(&error) {
                self.faults.raise(Fault::Fatal(error));
                break;
            }
            let is_kafka = matches!(error, Error::Kafka(_));
            _waiting = self.counters.begin(if is_kafka { Wait::Kafka } else { Wait::PostgreSql });
            tracing::warn!(
                %error,
                "can't claim the assigned partitions now; trying again until it works"
            );
            self.runtime.block_on(self.stop.wait(store::back_off(failures)));
            failures += 1;
        }
        Vec::new()
    }
}

/// Whether claiming may work later. Kafka's side always may: the broker that gave the assignment
/// was there a moment ago.
fn is_transient(error: &Error) -> bool {
    match error {
        Error::Store(error) => error.is_transient(),
        Error::Kafka(_) => true,
        _ => false,
    }
}

impl Claims {
    async fn try_claim(
        &self,
        partitions: &[TopicPartition],
        end_holders: bool,
    ) -> Result<Vec<Claim>, Error> {
        let partitions = self.with_topic_ids(partitions)?;
        let mut session = Session::connect(&self.settings.database, &self.application()).await?;
        if end_holders {
            let ended = store::end_lock_holders(&session, &self.cluster_id, &partitions).await?;
            if ended > 0 {
                tracing::warn!(
                    sessions = ended,
                    "ended the session of an ingester that froze while it wrote a batch"
                );
            }
        }
        let claims =
            store::claim(&mut session, &self.cluster_id, &partitions, &self.ingester).await?;
        let mut readable = Vec::with_capacity(claims.len());
        for claim in claims {
            readable.extend(self.prepare(&mut session, claim).await?);
        }
        Ok(readable)
    }

    /// The name of the sessions in `pg_stat_activity`.
    fn application(&self) -> String {
        format!("audit ingest {} claims", self.ingester)
    }

    fn with_topic_ids(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<TopicIdPartition>, Error> {
        let mut topics: Vec<String> =
            partitions.iter().map(|partition| partition.topic.clone()).collect();
        topics.sort_unstable();
        topics.dedup();
        let ids = self.cluster.topic_ids(&topics)?;
        let with_id = |partition: &TopicPartition| TopicIdPartition {
            name: partition.clone(),
            topic_id: ids.get(&partition.topic).copied(),
        };
        Ok(partitions.iter().map(with_id).collect())
    }

    /// Makes a claim ready to be read: begins a new incarnation or declares a loss where that has
    /// to be. `None` where the partition can't be read.
    async fn prepare(
        &self,
        session: &mut Session,
        mut claim: Claim,
    ) -> Result<Option<Claim>, Error> {
        let partition = claim.partition.name.clone();
        let mut comparison = self.compare(&claim)?;
        for _ in 0..END_RETRIES {
            if !matches!(comparison, Comparison::EndsEarly { .. }) {
                break;
            }
            self.stop.wait(Duration::from_secs(1)).await;
            comparison = self.compare(&claim)?;
        }
        let accepts_recreated = self.settings.accept_recreated.contains(&partition.topic);
        let mut decision = decide(&claim, comparison, accepts_recreated);
        if decision == Decision::BeginIncarnation {
            claim = store::begin_incarnation(
                session,
                &self.cluster_id,
                &claim.partition,
                &self.ingester,
            )
            .await?;
            tracing::warn!(
                topic = partition.topic,
                partition = partition.partition,
                "the topic was made again: recording it as a new incarnation"
            );
            let comparison = self.compare(&claim)?;
            decision = decide(&claim, comparison, false);
        }
        match decision {
            Decision::Read | Decision::BeginIncarnation => {}
            Decision::DeclareLost { low } => self.declare_lost(&mut claim, low).await?,
            Decision::Refuse(text) => {
                tracing::error!("{text}");
                lock_mutex(&self.refused).insert(partition, text);
                return Ok(None);
            }
        }
        Ok(Some(claim))
    }

    fn compare(&self, claim: &Claim) -> Result<Comparison, kafka::Error> {
        let TopicIdPartition { name, topic_id } = &claim.partition;
        Ok(compare(&claim.recorded, &self.cluster.offsets(name, *topic_id)?))
    }

    /// Enters offsets that Kafka deleted before they were read into the ledger, and moves the claim
    /// behind them.
    async fn declare_lost(&self, claim: &mut Claim, low: i64) -> Result<(), store::Error> {
        let range = OffsetRange {
            partition_id: claim.partition_id,
            epoch: claim.epoch,
            first_offset: claim.recorded.next_offset,
            next_offset: low,
            row_count: 0,
            kind: RangeKind::Lost,
            identity: claim.identity(),
        };
        let mut writer = Writer::connect(&self.settings.database, &self.application()).await?;
        let batch = Batch {
            events: None,
            counts: Some(&EventCounts::default()),
            dead_letters: &CopyBuffer::default(),
            ranges: std::slice::from_ref(&range),
            ingester: &self.ingester,
        };
        if writer.write(&batch, ready(Ok(Roots::of_nothing()))).await? == Written::Fenced
            && writer.status(std::slice::from_ref(&range)).await? != BatchStatus::Recorded
        {
            // Another process claimed the partition in between, and will declare the loss.
            return Ok(());
        }
        let lost = low - claim.recorded.next_offset;
        tracing::error!(
            topic = claim.partition.name.topic,
            partition = claim.partition.name.partition,
            first_offset = claim.recorded.next_offset,
            next_offset = low,
            lost,
            "Kafka deleted offsets before they were recorded; they are declared lost"
        );
        self.counters.lost.inc_by(lost.unsigned_abs());
        claim.recorded.next_offset = low;
        Ok(())
    }
}
