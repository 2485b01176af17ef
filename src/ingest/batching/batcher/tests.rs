//! A batcher whose lanes end in the test.

mod batches;
mod lanes;
mod ranges;

use std::sync::mpsc::{Receiver, channel};

use prometheus_client::metrics::gauge::Gauge;

use super::*;
use crate::ingest::batching::test_batch::{TOPIC, claimed, record};

/// Far longer than any test waits.
const LONG: Duration = Duration::from_secs(60);

const LIMITS: Limits = Limits { rows: 3, wait: Duration::from_millis(500) };

/// A batcher, and the ends of its lanes.
struct Lanes {
    batcher: Batcher,
    batches: Vec<Receiver<OpenBatch>>,
    in_flight: Vec<Arc<InFlight>>,
    now: Instant,
}

impl Lanes {
    /// Lanes that may have `room` batches in flight, with the partitions `0..partitions`, each from
    /// offset 10.
    fn new(lanes: usize, room: usize, partitions: i32) -> Self {
        let (mut inputs, mut batches, mut in_flight) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..lanes {
            let (encoder, receiver) = channel();
            let bound = Arc::new(InFlight::new(room, Gauge::default()));
            inputs.push(LaneInput { encoder, in_flight: Arc::clone(&bound) });
            batches.push(receiver);
            in_flight.push(bound);
        }
        let mut batcher = Batcher::new(inputs, LIMITS);
        for partition in 0..partitions {
            batcher.assign(claimed(TOPIC, partition), 10);
        }
        Self { batcher, batches, in_flight, now: Instant::now() }
    }

    fn push(&mut self, partition: i32, offset: i64) {
        self.batcher.push(record(TOPIC, partition, offset), self.now);
    }

    fn flush_due(&mut self, positions: &[(i32, i64)]) {
        self.batcher.flush_due(self.now, || self::positions(positions));
    }

    fn flush_all(&mut self, positions: &[(i32, i64)]) {
        self.now += LIMITS.wait;
        self.flush_due(positions);
    }

    /// The next batch that a lane's encoder would get.
    fn batch(&self, lane: usize) -> Option<OpenBatch> {
        self.batches[lane].try_recv().ok()
    }

    fn segments(&self, lane: usize) -> Vec<Part> {
        self.batch(lane).map(|batch| parts(&batch)).unwrap_or_default()
    }
}

/// A segment: the partition, its first and its next offset, its number of rows.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    partition: i32,
    offsets: (i64, i64),
    rows: i32,
}

fn part(partition: i32, offsets: (i64, i64), rows: i32) -> Part {
    Part { partition, offsets, rows }
}

fn parts(batch: &OpenBatch) -> Vec<Part> {
    let part = |segment: &Segment| Part {
        partition: segment.partition.identity.name.partition,
        offsets: (segment.first_offset, segment.next_offset),
        rows: segment.row_count,
    };
    batch.segments.iter().map(part).collect()
}

fn positions(of: &[(i32, i64)]) -> Positions {
    of.iter().map(|(partition, next)| (TopicPartition::new(TOPIC, *partition), *next)).collect()
}
