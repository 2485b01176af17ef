//! What happens when the group gives partitions to this process or takes them away. Runs inside the
//! consumer's `poll`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use super::batcher::{Batcher, Partition};
use super::claims::Claims;
use super::control::{Fault, Faults, Stop, lock};
use crate::event::TopicPartition;
use crate::kafka;

/// How long the batches of a partition may take to be committed before it is given away
/// uncommitted. Well below the consumer's max.poll.interval.ms of 5 minutes.
const DRAIN: Duration = Duration::from_secs(30);

/// librdkafka calls it from `poll`, on the consumer's thread.
pub(super) struct GroupContext {
    pub(super) batcher: Mutex<Batcher>,
    pub(super) claims: Claims,
    pub(super) faults: Arc<Faults>,
    pub(super) stop: Arc<Stop>,
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        kafka::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "audit::librdkafka", %error, reason, "client error");
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let done = if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.assign(consumer, partitions)
        } else {
            self.revoke(consumer, partitions)
        };
        if let Err(error) = done {
            self.faults.raise(Fault::Restart(format!("the group's assignment failed: {error}")));
        }
    }
}

fn names(partitions: &TopicPartitionList) -> Vec<TopicPartition> {
    partitions
        .elements()
        .iter()
        .map(|element| TopicPartition::new(element.topic(), element.partition()))
        .collect()
}

/// One log line tells them all: "orders.events [0, 1, 2], payments.events [0]".
fn by_topic(partitions: &[TopicPartition]) -> String {
    let mut topics: Vec<(&str, Vec<String>)> = Vec::new();
    for TopicPartition { topic, partition } in partitions {
        match topics.iter_mut().find(|(known, _)| known == topic) {
            Some((_, numbers)) => numbers.push(partition.to_string()),
            None => topics.push((topic, vec![partition.to_string()])),
        }
    }
    topics
        .iter()
        .map(|(topic, numbers)| format!("{topic} [{}]", numbers.join(", ")))
        .collect::<Vec<_>>()
        .join(", ")
}

impl GroupContext {
    fn assign(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &TopicPartitionList,
    ) -> KafkaResult<()> {
        let wanted = names(partitions);
        let claims = if wanted.is_empty() { Vec::new() } else { self.claims.take(&wanted) };
        let mut offsets = TopicPartitionList::new();
        let mut batcher = lock(&self.batcher);
        for claim in claims {
            let name = claim.key.partition;
            let next_offset = Offset::Offset(claim.next_offset);
            offsets.add_partition_offset(&name.topic, name.partition, next_offset)?;
            let partition =
                Partition { name, partition_id: claim.partition_id, epoch: claim.epoch };
            batcher.assign(partition, claim.next_offset);
        }
        self.claims.report_partitions(batcher.partition_count());
        if !wanted.is_empty() {
            tracing::info!(partitions = by_topic(&wanted), "assigned");
        }
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_assign(&offsets),
            RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.assign(&offsets),
        }
    }

    fn revoke(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &TopicPartitionList,
    ) -> KafkaResult<()> {
        let leaving = names(partitions);
        let mut batcher = lock(&self.batcher);
        if consumer.assignment_lost() {
            // Others may write these partitions already. What is not committed yet is theirs to
            // read again; the fence keeps out what is just being written.
            self.faults.raise(Fault::Restart("the group took our partitions away".to_owned()));
        } else if !self.faults.is_raised() && !leaving.is_empty() {
            let began = Instant::now();
            let gone = || self.faults.is_raised();
            if !batcher.drain(DRAIN, || consumer.position().ok(), gone) {
                self.faults.raise(Fault::Restart(
                    "a revoked partition could not be committed in time".to_owned(),
                ));
            }
            let milliseconds = began.elapsed().as_millis() as u64;
            tracing::info!(partitions = by_topic(&leaving), milliseconds, "revoked");
        }
        let mut assigned: HashSet<TopicPartition> = HashSet::new();
        if let Ok(current) = consumer.assignment() {
            assigned.extend(names(&current));
        }
        let mut known = TopicPartitionList::new();
        for partition in &leaving {
            batcher.release(partition);
            // A partition that was refused was never assigned, and librdkafka refuses to take it
            // away.
            if assigned.contains(partition) {
                known.add_partition(&partition.topic, partition.partition);
            }
        }
        self.claims.report_partitions(batcher.partition_count());
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(&known),
            RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
        }
    }
}
