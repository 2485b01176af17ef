//! What happens when the group gives partitions to this process or takes them away.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::event::TopicPartition;
use crate::ingest::batching::batcher::{Batcher, Positions};
use crate::ingest::batching::open_batch::ClaimedPartition;
use crate::ingest::counters::Counters;
use crate::ingest::fault::{Fault, FirstFault};
use crate::kafka;
use crate::store::Claim;

/// How a rebalance gets the right to write partitions.
pub(in crate::ingest) trait Claimer {
    /// Claims the partitions, and leaves out those that can't be read. Returns with nothing when
    /// the session is to end.
    fn claim(&self, partitions: &[TopicPartition]) -> Vec<Claim>;
}

/// The consumer as a member of its group.
pub(in crate::ingest) trait GroupMember {
    /// Whether the group took the assignment away without waiting for this member.
    fn is_assignment_lost(&self) -> bool;

    /// The partitions that are read now.
    fn assignment(&self) -> HashSet<TopicPartition>;

    /// The next offset of each partition that is read now.
    fn positions(&self) -> Positions;

    /// Reads these partitions too, each from its claim's next offset. Has to be called at every
    /// assignment, also with nothing.
    fn assign(&self, claims: &[Claim]) -> Result<(), kafka::Error>;

    /// Stops reading these partitions. Has to be called at every revocation, also with nothing.
    fn unassign(&self, partitions: &[TopicPartition]) -> Result<(), kafka::Error>;
}

/// Follows the group's assignments.
pub(in crate::ingest) struct Rebalancer<C> {
    pub(in crate::ingest) claimer: C,
    pub(in crate::ingest) faults: Arc<FirstFault>,
    pub(in crate::ingest) counters: Arc<Counters>,
    /// How long the batches of revoked partitions may take to be committed.
    pub(in crate::ingest) drain_limit: Duration,
}

impl<C: Claimer> Rebalancer<C> {
    /// Claims partitions that the group gave to this member, and begins to read them.
    pub(in crate::ingest) fn assign(
        &self,
        batcher: &mut Batcher,
        member: &impl GroupMember,
        partitions: &[TopicPartition],
    ) {
        let claims =
            if partitions.is_empty() { Vec::new() } else { self.claimer.claim(partitions) };
        for claim in &claims {
            let partition = ClaimedPartition {
                identity: claim.identity(),
                partition_id: claim.partition_id,
                epoch: claim.epoch,
            };
            batcher.assign(partition, claim.recorded.next_offset);
        }
        self.report(batcher);
        if !partitions.is_empty() {
            tracing::info!(partitions = by_topic(partitions), "assigned");
        }
        self.check(member.assign(&claims));
        if !self.faults.is_raised() {
            self.counters.is_assigned.store(true, Ordering::Relaxed);
        }
    }

    /// Commits what was read of partitions that the group takes away, then lets them go.
    pub(in crate::ingest) fn revoke(
        &self,
        batcher: &mut Batcher,
        member: &impl GroupMember,
        partitions: &[TopicPartition],
    ) {
        if member.is_assignment_lost() {
            // Others may write these partitions already. What is not committed yet is theirs to
            // read again; the fence keeps out what is just being written.
            self.end_session("the group took our partitions away");
        } else if !self.faults.is_raised() && !partitions.is_empty() {
            let began = Instant::now();
            let is_ending = || self.faults.is_raised();
            if !batcher.drain(self.drain_limit, || member.positions(), is_ending) {
                self.end_session("a revoked partition could not be committed in time");
            }
            let milliseconds = began.elapsed().as_millis() as u64;
            tracing::info!(partitions = by_topic(partitions), milliseconds, "revoked");
        }
        for partition in partitions {
            batcher.release(partition);
        }
        self.report(batcher);
        // librdkafka refuses to take away what it never read: a partition without a claim.
        let read = member.assignment();
        let read: Vec<TopicPartition> =
            partitions.iter().filter(|partition| read.contains(partition)).cloned().collect();
        self.check(member.unassign(&read));
    }

    fn report(&self, batcher: &Batcher) {
        self.counters.partitions.set(i64::try_from(batcher.partition_count()).unwrap_or(i64::MAX));
    }

    fn check(&self, changed: Result<(), kafka::Error>) {
        if let Err(error) = changed {
            self.end_session(&format!("the group's assignment failed: {error}"));
        }
    }

    fn end_session(&self, reason: &str) {
        self.faults.raise(Fault::Recoverable(reason.to_owned()));
    }
}

/// Lists partitions by topic: "orders.events [0, 1, 2], payments.events [0]".
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

#[cfg(test)]
mod tests;
