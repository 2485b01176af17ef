//! librdkafka's callbacks: it calls them from `poll`, on the consumer's thread.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use super::claims::Claims;
use super::rebalance::{GroupMember, Rebalancer};
use crate::event::TopicPartition;
use crate::ingest::batching::batcher::{Batcher, Positions};
use crate::ingest::fault::FirstFault;
use crate::ingest::mutex::lock_mutex;
use crate::ingest::stop::Stop;
use crate::kafka;
use crate::store::Claim;

/// What the callbacks of the consumer work on.
pub(in crate::ingest) struct GroupContext {
    /// Both the callbacks and the consumer's loop use it, on the same thread.
    pub(in crate::ingest) batcher: Mutex<Batcher>,
    pub(in crate::ingest) rebalancer: Rebalancer<Claims>,
    pub(in crate::ingest) faults: Arc<FirstFault>,
    pub(in crate::ingest) stop: Arc<Stop>,
    pub(in crate::ingest) refusals: kafka::Refusals,
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if let Some(reason) = self.refusals.keep_line(facility, message) {
            tracing::warn!(reason, "waiting for Kafka");
        }
        kafka::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(reason) = self.refusals.keep(&error, reason) {
            tracing::warn!(reason, "waiting for Kafka");
        }
        kafka::log_error(&error, reason);
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let mut batcher = lock_mutex(&self.batcher);
        let partitions: Vec<TopicPartition> = names(partitions).collect();
        if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.rebalancer.assign(&mut batcher, consumer, &partitions);
        } else {
            self.rebalancer.revoke(&mut batcher, consumer, &partitions);
        }
    }
}

impl GroupMember for BaseConsumer<GroupContext> {
    fn is_assignment_lost(&self) -> bool {
        self.assignment_lost()
    }

    fn assignment(&self) -> HashSet<TopicPartition> {
        Consumer::assignment(self).map_or_else(|_| HashSet::new(), |list| names(&list).collect())
    }

    fn positions(&self) -> Positions {
        self.position().map_or_else(|_| Positions::new(), |list| offsets(&list))
    }

    fn assign(&self, claims: &[Claim]) -> Result<(), kafka::Error> {
        let failed = || kafka::Error::client("assigning partitions");
        let mut list = TopicPartitionList::new();
        for claim in claims {
            let TopicPartition { topic, partition } = &claim.partition.name;
            list.add_partition_offset(
                topic,
                *partition,
                Offset::Offset(claim.recorded.next_offset),
            )
            .map_err(failed())?;
        }
        match self.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.incremental_assign(&list),
            RebalanceProtocol::Eager | RebalanceProtocol::None => Consumer::assign(self, &list),
        }
        .map_err(failed())
    }

    fn unassign(&self, partitions: &[TopicPartition]) -> Result<(), kafka::Error> {
        let mut list = TopicPartitionList::new();
        for TopicPartition { topic, partition } in partitions {
            list.add_partition(topic, *partition);
        }
        match self.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.incremental_unassign(&list),
            RebalanceProtocol::Eager | RebalanceProtocol::None => Consumer::unassign(self),
        }
        .map_err(kafka::Error::client("taking partitions away"))
    }
}

fn names(list: &TopicPartitionList) -> impl Iterator<Item = TopicPartition> {
    let elements = list.elements();
    elements.into_iter().map(|element| TopicPartition::new(element.topic(), element.partition()))
}

/// Leaves out partitions of which nothing was read yet.
fn offsets(list: &TopicPartitionList) -> Positions {
    let elements = list.elements();
    let known = elements.iter().filter_map(|element| match element.offset() {
        Offset::Offset(offset) => {
            Some((TopicPartition::new(element.topic(), element.partition()), offset))
        }
        _ => None,
    });
    known.collect()
}
