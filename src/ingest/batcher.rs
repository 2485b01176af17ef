//! Collects records into batches, on the consumer's thread.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{Offset, TopicPartitionList};

use super::control::InFlight;
use crate::event::TopicPartition;
use crate::kafka::RecordBatch;

/// A batch is closed at this many bytes of keys, values and headers, however few rows that are.
pub(super) const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// A partition under our claim.
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) name: TopicPartition,
    pub(super) partition_id: i32,
    pub(super) epoch: i64,
}

/// The part of a batch that comes from one partition.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) partition: Arc<Partition>,
    pub(super) first_offset: i64,
    pub(super) next_offset: i64,
    pub(super) row_count: i32,
}

impl Segment {
    /// Whether it accounts for any offset. One that was begun for holes may turn out to have none.
    pub(super) fn is_filled(&self) -> bool {
        self.next_offset > self.first_offset
    }
}

/// Records of a lane's partitions, and which offsets they account for.
#[derive(Debug, Default)]
pub(super) struct OpenBatch {
    pub(super) records: RecordBatch,
    pub(super) segments: Vec<Segment>,
}

/// One pipeline: its partitions are written by one connection, one batch after the other.
struct Lane {
    open_batch: OpenBatch,
    opened: Option<Instant>,
    /// Which open batch it is: an assigned partition remembers its segment together with this
    /// number.
    generation: u64,
    in_flight: Arc<InFlight>,
    next_stage: Sender<OpenBatch>,
}

struct Assigned {
    partition: Arc<Partition>,
    lane: usize,
    next_offset: i64,
    segment: (u64, u32),
}

/// When a batch is closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) rows: usize,
    pub(super) wait: Duration,
}

/// All lanes, and the partitions assigned to them.
pub(super) struct Batcher {
    lanes: Vec<Lane>,
    assigned: Vec<Assigned>,
    /// Where the last record's partition stands in `assigned`: records come in runs.
    last: usize,
    limits: Limits,
}

impl Batcher {
    pub(super) fn new(lanes: Vec<(Sender<OpenBatch>, Arc<InFlight>)>, limits: Limits) -> Self {
        let lanes = lanes
            .into_iter()
            .map(|(next_stage, in_flight)| Lane {
                open_batch: OpenBatch::default(),
                opened: None,
                generation: 1,
                in_flight,
                next_stage,
            })
            .collect();
        Self { lanes, assigned: Vec::new(), last: 0, limits }
    }

    /// Takes a partition on, in the lane that has the fewest.
    pub(super) fn assign(&mut self, partition: Partition, next_offset: i64) {
        let load =
            |lane: usize| self.assigned.iter().filter(|assigned| assigned.lane == lane).count();
        let lane = (0..self.lanes.len()).min_by_key(|lane| load(*lane)).unwrap_or(0);
        self.assigned.push(Assigned {
            partition: Arc::new(partition),
            lane,
            next_offset,
            segment: (0, 0),
        });
    }

    /// Lets a partition go. What it had in a batch must have been drained before.
    pub(super) fn release(&mut self, partition: &TopicPartition) {
        self.assigned.retain(|assigned| assigned.partition.name != *partition);
        self.last = 0;
    }

    /// Ends the lanes: what was handed on is still worked off, the rest is dropped, and nothing
    /// more is taken.
    pub(super) fn close(&mut self) {
        self.assigned.clear();
        self.lanes.clear();
    }

    pub(super) fn partition_count(&self) -> usize {
        self.assigned.len()
    }

    /// Adds a record to the batch of its lane.
    pub(super) fn push(&mut self, message: &BorrowedMessage<'_>, now: Instant) {
        // What comes late from a partition that was taken away is somebody else's to record.
        let Some(place) = self.find(message) else { return };
        let assigned = &mut self.assigned[place];
        let offset = message.offset();
        // A record from before the claim's offset was recorded by an earlier owner.
        if offset < assigned.next_offset {
            return;
        }
        let lane = &mut self.lanes[assigned.lane];
        let index = segment_of(assigned, lane, now);
        lane.open_batch.records.push(message, index);
        let segment = &mut lane.open_batch.segments[index as usize];
        segment.next_offset = offset + 1;
        segment.row_count += 1;
        assigned.next_offset = offset + 1;
    }

    fn find(&mut self, message: &BorrowedMessage<'_>) -> Option<usize> {
        let is_it = |assigned: &Assigned| {
            assigned.partition.name.partition == message.partition()
                && assigned.partition.name.topic == message.topic()
        };
        if !self.assigned.get(self.last).is_some_and(is_it) {
            self.last = self.assigned.iter().position(is_it)?;
        }
        Some(self.last)
    }

    /// Whether a lane has as much as a batch may hold, so that nothing more must be read until it
    /// was handed on.
    pub(super) fn is_full(&self) -> bool {
        self.lanes.iter().any(|lane| lane.is_full(self.limits))
    }

    /// How long until the oldest open batch has to be handed on; `None` where all are empty.
    pub(super) fn due_in(&self, now: Instant) -> Option<Duration> {
        let oldest = self.lanes.iter().filter_map(|lane| lane.opened).min()?;
        Some((oldest + self.limits.wait).saturating_duration_since(now))
    }

    /// Hands on every batch that is full or old enough, as far as places are free. `positions` is
    /// asked once at most.
    pub(super) fn hand_on_due(
        &mut self,
        now: Instant,
        positions: impl Fn() -> Option<TopicPartitionList>,
    ) {
        let mut known = None;
        for index in 0..self.lanes.len() {
            let lane = &self.lanes[index];
            let old =
                lane.opened.is_some_and(|opened| now.duration_since(opened) >= self.limits.wait);
            if (old || lane.is_full(self.limits)) && lane.in_flight.enter(Duration::ZERO) {
                let known = known.get_or_insert_with(&positions);
                self.hand_on(index, known.as_ref());
            }
        }
    }

    /// Hands on everything, and waits until all of it is committed. False where that took longer
    /// than `limit`, or `give_up` came true.
    pub(super) fn drain(
        &mut self,
        limit: Duration,
        positions: impl Fn() -> Option<TopicPartitionList>,
        give_up: impl Fn() -> bool,
    ) -> bool {
        let deadline = Instant::now() + limit;
        let step = Duration::from_millis(100);
        let known = positions();
        for index in 0..self.lanes.len() {
            while self.lanes[index].opened.is_some() {
                if give_up() || Instant::now() >= deadline {
                    return false;
                }
                if self.lanes[index].in_flight.enter(step) {
                    self.hand_on(index, known.as_ref());
                }
            }
        }
        while !self.lanes.iter().all(|lane| lane.in_flight.wait_empty(step)) {
            if give_up() || Instant::now() >= deadline {
                return false;
            }
        }
        true
    }

    /// Waits for a place in a lane that is full.
    pub(super) fn wait_for_place(&self, limit: Duration) {
        if let Some(lane) = self.lanes.iter().find(|lane| lane.is_full(self.limits))
            && lane.in_flight.enter(limit)
        {
            lane.in_flight.leave();
        }
    }

    /// Opens a batch for offsets that hold no record a reader may see (transaction markers, aborted
    /// records): the consumer passed them, and no record behind them says so.
    pub(super) fn note_holes(&mut self, positions: &TopicPartitionList, now: Instant) {
        for assigned in &mut self.assigned {
            if position_of(positions, &assigned.partition) > assigned.next_offset {
                // Handing the batch on moves the segment's end to the position.
                segment_of(assigned, &mut self.lanes[assigned.lane], now);
            }
        }
    }

    fn hand_on(&mut self, index: usize, positions: Option<&TopicPartitionList>) {
        let lane = &mut self.lanes[index];
        let mut open_batch = std::mem::take(&mut lane.open_batch);
        lane.opened = None;
        for assigned in self.assigned.iter_mut().filter(|assigned| assigned.lane == index) {
            let (generation, segment) = assigned.segment;
            if generation != lane.generation {
                continue;
            }
            // Everything below the consumer's position was read: what is missing there are holes.
            let position =
                positions.map_or(0, |positions| position_of(positions, &assigned.partition));
            let segment = &mut open_batch.segments[segment as usize];
            segment.next_offset = segment.next_offset.max(position);
            assigned.next_offset = segment.next_offset;
        }
        lane.generation += 1;
        let accounts_for_something = open_batch.segments.iter().any(Segment::is_filled);
        if !accounts_for_something || lane.next_stage.send(open_batch).is_err() {
            // Nothing to write, or the next stage ended with a fault, which the consumer's loop
            // sees.
            lane.in_flight.leave();
        }
    }
}

impl Lane {
    fn is_full(&self, limits: Limits) -> bool {
        self.open_batch.records.len() >= limits.rows
            || self.open_batch.records.byte_size() >= BATCH_BYTES
    }
}

/// The partition's segment in the lane's batch, begun if need be.
fn segment_of(assigned: &mut Assigned, lane: &mut Lane, now: Instant) -> u32 {
    if assigned.segment.0 != lane.generation {
        lane.opened.get_or_insert(now);
        assigned.segment = (lane.generation, lane.open_batch.segments.len() as u32);
        lane.open_batch.segments.push(Segment {
            partition: Arc::clone(&assigned.partition),
            first_offset: assigned.next_offset,
            next_offset: assigned.next_offset,
            row_count: 0,
        });
    }
    assigned.segment.1
}

fn position_of(positions: &TopicPartitionList, partition: &Partition) -> i64 {
    match positions
        .find_partition(&partition.name.topic, partition.name.partition)
        .map(|found| found.offset())
    {
        Some(Offset::Offset(offset)) => offset,
        _ => 0,
    }
}
