//! Collects records into batches, on the consumer's thread.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use super::open_batch::{ClaimedPartition, OpenBatch, Segment};
use crate::event::{Header, TopicPartition};
use crate::ingest::in_flight::InFlight;
use crate::kafka::ReceivedRecord;

/// A batch is full at this many bytes of keys, values and headers, whatever its number of rows.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// The next offset that the consumer reads from each partition.
pub(in crate::ingest) type Positions = HashMap<TopicPartition, i64>;

/// When a batch is flushed.
#[derive(Debug, Clone, Copy)]
pub(in crate::ingest) struct Limits {
    /// When it has this many rows …
    pub(in crate::ingest) rows: usize,
    /// … or is this old.
    pub(in crate::ingest) wait: Duration,
}

/// Where the batches of a lane go, and how many of them are in flight.
pub(in crate::ingest) struct LaneInput {
    pub(in crate::ingest) encoder: Sender<OpenBatch>,
    pub(in crate::ingest) in_flight: Arc<InFlight>,
}

/// One pipeline: its partitions are written by one connection, one batch after the other.
struct Lane {
    input: LaneInput,
    open_batch: OpenBatch,
    /// When the open batch was begun; `None` where it has no segment.
    opened: Option<Instant>,
    /// Counts the batches of the lane, so that an assigned partition knows whether its segment is
    /// in the open one.
    generation: u64,
}

struct AssignedPartition {
    partition: Arc<ClaimedPartition>,
    lane: usize,
    /// The first offset that no batch accounts for yet.
    next_offset: i64,
    /// Where its segment is in the lane's batch of `segment_generation`.
    segment: u32,
    segment_generation: u64,
}

/// All lanes, and the partitions assigned to them.
pub(in crate::ingest) struct Batcher {
    lanes: Vec<Lane>,
    assigned: Vec<AssignedPartition>,
    /// Where the last record's partition stands in `assigned`: records come in runs.
    last: usize,
    limits: Limits,
}

impl Batcher {
    pub(in crate::ingest) fn new(lanes: Vec<LaneInput>, limits: Limits) -> Self {
        let lane =
            |input| Lane { input, open_batch: OpenBatch::default(), opened: None, generation: 1 };
        let lanes = lanes.into_iter().map(lane).collect();
        Self { lanes, assigned: Vec::new(), last: 0, limits }
    }

    /// Adds a partition to the lane that has the fewest.
    pub(in crate::ingest) fn assign(&mut self, partition: ClaimedPartition, next_offset: i64) {
        let load =
            |lane: usize| self.assigned.iter().filter(|assigned| assigned.lane == lane).count();
        let lane = (0..self.lanes.len()).min_by_key(|lane| load(*lane)).unwrap_or(0);
        self.assigned.push(AssignedPartition {
            partition: Arc::new(partition),
            lane,
            next_offset,
            segment: 0,
            segment_generation: 0,
        });
    }

    /// Removes a partition. [`Batcher::drain`] has to come first: what an open batch has of the
    /// partition is still flushed, but holes behind it are not seen any more.
    pub(in crate::ingest) fn release(&mut self, partition: &TopicPartition) {
        self.assigned.retain(|assigned| assigned.partition.identity.name != *partition);
        self.last = 0;
    }

    /// Ends the lanes. Batches in flight are still written, open ones are dropped, and no record is
    /// taken any more.
    pub(in crate::ingest) fn close(&mut self) {
        self.assigned.clear();
        self.lanes.clear();
    }

    pub(in crate::ingest) fn partition_count(&self) -> usize {
        self.assigned.len()
    }

    /// Adds a record to the open batch of its partition's lane.
    pub(in crate::ingest) fn push<'a>(
        &mut self,
        record: ReceivedRecord<'a, impl IntoIterator<Item = Header<'a>>>,
        now: Instant,
    ) {
        // A late record of a partition that was revoked is for its new owner to record.
        let Some(place) = self.find(record.topic, record.partition) else { return };
        let assigned = &mut self.assigned[place];
        let offset = record.offset;
        // A record from before the claim's offset was recorded by an earlier owner.
        if offset < assigned.next_offset {
            return;
        }
        let lane = &mut self.lanes[assigned.lane];
        let index = lane.segment_of(assigned, now);
        lane.open_batch.records.push(record, index);
        let segment = &mut lane.open_batch.segments[index as usize];
        segment.next_offset = offset + 1;
        segment.row_count += 1;
        assigned.next_offset = offset + 1;
    }

    fn find(&mut self, topic: &str, partition: i32) -> Option<usize> {
        let is_it = |assigned: &AssignedPartition| {
            assigned.partition.identity.name.partition == partition
                && assigned.partition.identity.name.topic == topic
        };
        if !self.assigned.get(self.last).is_some_and(is_it) {
            self.last = self.assigned.iter().position(is_it)?;
        }
        Some(self.last)
    }

    /// Opens a batch for offsets that hold no visible record (transaction markers, aborted
    /// records): where the consumer has passed them and no record follows, nothing else would
    /// account for them.
    pub(in crate::ingest) fn account_for_holes(&mut self, positions: &Positions, now: Instant) {
        for assigned in &mut self.assigned {
            if position_of(positions, assigned) > assigned.next_offset {
                // The flush moves the segment's end to the position.
                self.lanes[assigned.lane].segment_of(assigned, now);
            }
        }
    }

    /// Whether a lane's batch is full, so that nothing more may be read before it is flushed.
    pub(in crate::ingest) fn is_full(&self) -> bool {
        self.lanes.iter().any(|lane| lane.is_full(self.limits))
    }

    /// How long until the oldest open batch is due; `None` where all are empty.
    pub(in crate::ingest) fn due_in(&self, now: Instant) -> Option<Duration> {
        let oldest = self.lanes.iter().filter_map(|lane| lane.opened).min()?;
        Some((oldest + self.limits.wait).saturating_duration_since(now))
    }

    /// Flushes every batch that is full or old enough, where its lane has room. Asks for
    /// `positions` once at most.
    pub(in crate::ingest) fn flush_due(&mut self, now: Instant, positions: impl Fn() -> Positions) {
        let mut known = None;
        for index in 0..self.lanes.len() {
            let lane = &self.lanes[index];
            if lane.is_due(now, self.limits) && lane.input.in_flight.acquire(Duration::ZERO) {
                let known = known.get_or_insert_with(&positions);
                self.flush(index, known);
            }
        }
    }

    /// Waits for room in a lane whose batch is full.
    pub(in crate::ingest) fn wait_for_room(&self, timeout: Duration) {
        if let Some(lane) = self.lanes.iter().find(|lane| lane.is_full(self.limits))
            && lane.input.in_flight.acquire(timeout)
        {
            lane.input.in_flight.release();
        }
    }

    /// Flushes everything, and waits until all of it is committed. False where that took longer
    /// than `limit`, or `give_up` came true.
    pub(in crate::ingest) fn drain(
        &mut self,
        limit: Duration,
        positions: impl Fn() -> Positions,
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
                if self.lanes[index].input.in_flight.acquire(step) {
                    self.flush(index, &known);
                }
            }
        }
        while !self.lanes.iter().all(|lane| lane.input.in_flight.wait_until_idle(step)) {
            if give_up() || Instant::now() >= deadline {
                return false;
            }
        }
        true
    }

    /// Sends a lane's open batch to its encoder. A place in flight has to be acquired before.
    fn flush(&mut self, index: usize, positions: &Positions) {
        let lane = &mut self.lanes[index];
        let mut batch = std::mem::take(&mut lane.open_batch);
        lane.opened = None;
        for assigned in self.assigned.iter_mut().filter(|assigned| assigned.lane == index) {
            if assigned.segment_generation != lane.generation {
                continue;
            }
            // Everything below the consumer's position was read: what is missing there are holes.
            let segment = &mut batch.segments[assigned.segment as usize];
            segment.next_offset = segment.next_offset.max(position_of(positions, assigned));
            assigned.next_offset = segment.next_offset;
        }
        lane.generation += 1;
        batch.held = lane.input.in_flight.hold(batch.records.byte_size());
        let is_filled = batch.segments.iter().any(Segment::is_filled);
        if !is_filled || lane.input.encoder.send(batch).is_err() {
            // There is nothing to write, or the encoder ended with a fault, which the consumer's
            // loop sees.
            lane.input.in_flight.release();
        }
    }
}

impl Lane {
    fn is_full(&self, limits: Limits) -> bool {
        self.open_batch.records.len() >= limits.rows
            || self.open_batch.records.byte_size() >= BATCH_BYTES
    }

    fn is_due(&self, now: Instant, limits: Limits) -> bool {
        let is_old = self.opened.is_some_and(|opened| now.duration_since(opened) >= limits.wait);
        is_old || self.is_full(limits)
    }

    /// Where the partition's segment is in the open batch. Begins it where there is none.
    fn segment_of(&mut self, assigned: &mut AssignedPartition, now: Instant) -> u32 {
        if assigned.segment_generation != self.generation {
            self.opened.get_or_insert(now);
            assigned.segment_generation = self.generation;
            assigned.segment = self.open_batch.segments.len() as u32;
            let partition = Arc::clone(&assigned.partition);
            let segment = Segment::starting_at(partition, assigned.next_offset);
            self.open_batch.segments.push(segment);
        }
        assigned.segment
    }
}

fn position_of(positions: &Positions, assigned: &AssignedPartition) -> i64 {
    positions.get(&assigned.partition.identity.name).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
