use std::cell::RefCell;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use prometheus_client::metrics::gauge::Gauge;

use super::*;
use crate::ingest::batching::batcher::{LaneInput, Limits};
use crate::ingest::batching::open_batch::OpenBatch;
use crate::ingest::batching::test_batch::{TOPIC, record};
use crate::ingest::error::Error;
use crate::ingest::in_flight::InFlight;
use crate::ledger::RecordedPartition;
use crate::store::TopicIdPartition;

/// Far longer than any test waits.
const LONG: Duration = Duration::from_secs(60);

/// Claims every partition but one from offset 5.
#[derive(Default)]
struct FakeClaimer {
    refuses: Option<i32>,
    asked: RefCell<Vec<Vec<TopicPartition>>>,
}

impl Claimer for FakeClaimer {
    fn claim(&self, partitions: &[TopicPartition]) -> Vec<Claim> {
        self.asked.borrow_mut().push(partitions.to_vec());
        let readable =
            partitions.iter().filter(|partition| Some(partition.partition) != self.refuses);
        readable
            .map(|partition| Claim {
                partition: TopicIdPartition { name: partition.clone(), topic_id: None },
                partition_id: partition.partition + 10,
                epoch: 1,
                recorded: RecordedPartition { topic_id: None, incarnation: 1, next_offset: 5 },
                cluster_id: "cluster".into(),
            })
            .collect()
    }
}

/// A change of the assignment.
#[derive(Debug, PartialEq, Eq)]
enum Call {
    Assign(Vec<(i32, i64)>),
    Unassign {
        partitions: Vec<i32>,
        /// Whether all that was read of them was committed then.
        is_committed: bool,
    },
}

struct FakeMember {
    is_lost: bool,
    refuses_changes: bool,
    positions: Positions,
    assignment: RefCell<HashSet<TopicPartition>>,
    in_flight: Arc<InFlight>,
    calls: RefCell<Vec<Call>>,
}

impl FakeMember {
    fn answer(&self) -> Result<(), kafka::Error> {
        match self.refuses_changes {
            true => Err(kafka::Error::CutOff("refused".to_owned())),
            false => Ok(()),
        }
    }
}

impl GroupMember for FakeMember {
    fn is_assignment_lost(&self) -> bool {
        self.is_lost
    }

    fn assignment(&self) -> HashSet<TopicPartition> {
        self.assignment.borrow().clone()
    }

    fn positions(&self) -> Positions {
        self.positions.clone()
    }

    fn assign(&self, claims: &[Claim]) -> Result<(), kafka::Error> {
        self.assignment
            .borrow_mut()
            .extend(claims.iter().map(|claim| claim.partition.name.clone()));
        let starts =
            claims.iter().map(|claim| (claim.partition.name.partition, claim.recorded.next_offset));
        self.calls.borrow_mut().push(Call::Assign(starts.collect()));
        self.answer()
    }

    fn unassign(&self, partitions: &[TopicPartition]) -> Result<(), kafka::Error> {
        let mut assignment = self.assignment.borrow_mut();
        for partition in partitions {
            assert!(assignment.remove(partition), "librdkafka refuses what it does not read");
        }
        self.calls.borrow_mut().push(Call::Unassign {
            partitions: partitions.iter().map(|partition| partition.partition).collect(),
            is_committed: self.in_flight.wait_until_idle(Duration::ZERO),
        });
        self.answer()
    }
}

/// A member with one lane.
struct Group {
    rebalancer: Rebalancer<FakeClaimer>,
    batcher: Batcher,
    member: FakeMember,
    batches: Receiver<OpenBatch>,
}

impl Group {
    fn new() -> Self {
        let (encoder, batches) = channel();
        let in_flight = Arc::new(InFlight::new(3, Gauge::default()));
        let input = LaneInput { encoder, in_flight: Arc::clone(&in_flight) };
        let limits = Limits { rows: 1000, wait: LONG };
        Self {
            rebalancer: Rebalancer {
                claimer: FakeClaimer::default(),
                faults: Arc::new(FirstFault::default()),
                counters: Arc::new(Counters::default()),
                drain_limit: LONG,
            },
            batcher: Batcher::new(vec![input], limits),
            member: FakeMember {
                is_lost: false,
                refuses_changes: false,
                positions: Positions::new(),
                assignment: RefCell::default(),
                in_flight,
                calls: RefCell::default(),
            },
            batches,
        }
    }

    fn assign(&mut self, numbers: &[i32]) {
        self.rebalancer.assign(&mut self.batcher, &self.member, &partitions(numbers));
    }

    fn revoke(&mut self, numbers: &[i32]) {
        self.rebalancer.revoke(&mut self.batcher, &self.member, &partitions(numbers));
    }

    fn read(&mut self, partition: i32, offset: i64) {
        self.batcher.push(record(TOPIC, partition, offset), Instant::now());
    }

    fn calls(&self) -> Vec<Call> {
        self.member.calls.take()
    }

    fn fault(&self) -> Option<String> {
        self.rebalancer.faults.take().map(|fault| match fault {
            Fault::Recoverable(reason) => reason,
            Fault::Fatal(error) => panic!("{error}"),
        })
    }

    fn partition_count(&self) -> i64 {
        self.rebalancer.counters.partitions.get()
    }
}

fn partitions(numbers: &[i32]) -> Vec<TopicPartition> {
    numbers.iter().map(|number| TopicPartition::new(TOPIC, *number)).collect()
}

fn unassigned(partitions: &[i32], is_committed: bool) -> Call {
    Call::Unassign { partitions: partitions.to_vec(), is_committed }
}

#[test]
fn assigned_partitions_are_claimed_and_read_from_what_is_recorded() {
    let mut group = Group::new();
    group.assign(&[0, 2]);
    assert_eq!(group.rebalancer.claimer.asked.take(), [partitions(&[0, 2])]);
    assert_eq!(group.calls(), [Call::Assign(vec![(0, 5), (2, 5)])]);
    assert_eq!(group.partition_count(), 2);
    group.read(0, 4);
    assert_eq!(group.batcher.due_in(Instant::now()), None, "recorded before the claim");
    group.read(2, 5);
    assert!(group.batcher.due_in(Instant::now()).is_some());
}

#[test]
fn an_assignment_of_nothing_claims_nothing_and_is_still_confirmed() {
    let mut group = Group::new();
    group.assign(&[]);
    assert!(group.rebalancer.claimer.asked.take().is_empty());
    assert_eq!(group.calls(), [Call::Assign(Vec::new())]);
}

#[test]
fn a_partition_that_cannot_be_read_is_neither_assigned_nor_taken_away() {
    let mut group = Group::new();
    group.rebalancer.claimer.refuses = Some(1);
    group.assign(&[0, 1]);
    assert_eq!(group.calls(), [Call::Assign(vec![(0, 5)])]);
    assert_eq!(group.partition_count(), 1);
    group.revoke(&[0, 1]);
    assert_eq!(group.calls(), [unassigned(&[0], true)]);
    assert_eq!(group.partition_count(), 0);
    assert_eq!(group.fault(), None);
}

#[test]
fn a_revoked_partition_is_committed_before_it_is_given_away() {
    let mut group = Group::new();
    group.assign(&[0, 1]);
    group.calls();
    group.read(0, 5);
    group.member.positions = Positions::from([(TopicPartition::new(TOPIC, 0), 8)]);
    let in_flight = Arc::clone(&group.member.in_flight);
    let (_, closed) = channel();
    let batches = std::mem::replace(&mut group.batches, closed);
    let committing = thread::spawn(move || {
        let batch = batches.recv_timeout(LONG).expect("the batch is flushed");
        in_flight.release();
        batch.segments[0].next_offset
    });
    group.revoke(&[0]);
    assert_eq!(group.calls(), [unassigned(&[0], true)]);
    let next_offset = committing.join().expect("the batch is committed");
    assert_eq!(next_offset, 8, "the holes behind the last record are in the batch");
    assert_eq!(group.fault(), None);
    assert_eq!(group.partition_count(), 1);
    group.read(0, 8);
    assert_eq!(group.batcher.due_in(Instant::now()), None, "it is the new owner's to record");
}

#[test]
fn a_lost_assignment_is_given_away_at_once_and_ends_the_session() {
    let mut group = Group::new();
    group.assign(&[0]);
    group.calls();
    group.read(0, 5);
    group.member.is_lost = true;
    group.rebalancer.drain_limit = Duration::ZERO;
    group.revoke(&[0]);
    assert!(group.batches.try_recv().is_err(), "others may write the partition already");
    assert_eq!(group.calls(), [unassigned(&[0], true)]);
    assert_eq!(group.fault().as_deref(), Some("the group took our partitions away"));
    assert_eq!(group.partition_count(), 0);
}

#[test]
fn a_drain_that_takes_too_long_gives_the_partition_away_and_ends_the_session() {
    let mut group = Group::new();
    group.assign(&[0]);
    group.calls();
    group.rebalancer.drain_limit = Duration::ZERO;
    assert!(group.member.in_flight.acquire(Duration::ZERO));
    group.revoke(&[0]);
    assert_eq!(group.calls(), [unassigned(&[0], false)]);
    assert_eq!(
        group.fault().as_deref(),
        Some("a revoked partition could not be committed in time")
    );
}

#[test]
fn a_session_that_ends_anyway_gives_its_partitions_away_without_a_drain() {
    let mut group = Group::new();
    group.assign(&[0]);
    group.calls();
    group.read(0, 5);
    group.rebalancer.faults.raise(Fault::Recoverable("before".to_owned()));
    group.revoke(&[0]);
    assert!(group.batches.try_recv().is_err());
    assert_eq!(group.calls(), [unassigned(&[0], true)]);
    assert_eq!(group.fault().as_deref(), Some("before"));
}

#[test]
fn a_change_that_kafka_refuses_ends_the_session() {
    let mut group = Group::new();
    group.member.refuses_changes = true;
    group.assign(&[0]);
    let reason = group.fault().expect("the session ends");
    assert!(reason.starts_with("the group's assignment failed: "), "{reason}");
    let mut group = Group::new();
    group.assign(&[0]);
    group.member.refuses_changes = true;
    group.revoke(&[0]);
    assert!(group.fault().is_some());
}

#[test]
fn a_claimer_that_gives_up_leaves_the_fault_that_it_raised() {
    let mut group = Group::new();
    group.rebalancer.claimer.refuses = Some(0);
    group.rebalancer.faults.raise(Fault::Fatal(Error::StoppedEarly));
    group.assign(&[0]);
    assert_eq!(group.calls(), [Call::Assign(Vec::new())]);
    let fault = group.rebalancer.faults.take();
    assert!(matches!(fault, Some(Fault::Fatal(Error::StoppedEarly))));
}

#[test]
fn the_log_names_partitions_by_topic() {
    let mut named = partitions(&[0, 2]);
    named.push(TopicPartition::new("payments.events", 1));
    assert_eq!(by_topic(&named), "orders.events [0, 2], payments.events [1]");
}
