//! Records and batches for the tests of this module.

use std::ops::Range;
use std::sync::Arc;

use super::encoder::{EncodedBatch, Encoder};
use super::open_batch::{ClaimedPartition, OpenBatch, Segment};
use crate::event::{Decoder, Header, TopicPartition};
use crate::evidence::canonical::TimestampType;
use crate::kafka::ReceivedRecord;
use crate::ledger::PartitionIdentity;

pub(in crate::ingest) const TOPIC: &str = "orders.events";
pub(in crate::ingest) const DEAD_LETTERS: &str = "orders.events-dlt";

/// A partition of `topic`, whose id in the database is its number plus 10.
pub(in crate::ingest) fn claimed(topic: &str, number: i32) -> ClaimedPartition {
    let name = TopicPartition::new(topic, number);
    let identity =
        PartitionIdentity { cluster_id: "cluster".into(), name, topic_id: None, incarnation: 1 };
    ClaimedPartition { identity, partition_id: number + 10, epoch: 1 }
}

/// A record of `topic` with a value that any decoder of JSON takes.
pub(in crate::ingest) fn record(
    topic: &str,
    partition: i32,
    offset: i64,
) -> ReceivedRecord<'_, Vec<Header<'_>>> {
    ReceivedRecord {
        topic,
        partition,
        offset,
        timestamp_ms: Some(1_700_000_000_000),
        timestamp_type: TimestampType::Create,
        key: Some(b"key"),
        value: Some(br#"{"total": 1}"#),
        headers: Vec::new(),
    }
}

pub(in crate::ingest) fn encoder() -> Encoder {
    Encoder {
        decoder: Arc::new(Decoder::default()),
        cluster_id: "cluster".into(),
        schemas: None,
        hint: Arc::default(),
    }
}

/// A batch of the records of partition 0 with these offsets.
pub(in crate::ingest) fn encoded(topic: &str, offsets: Range<i64>) -> EncodedBatch {
    let mut segment = Segment::starting_at(Arc::new(claimed(topic, 0)), offsets.start);
    let mut batch = OpenBatch::default();
    for offset in offsets {
        let mut record = record(topic, 0, offset);
        if topic == DEAD_LETTERS {
            let class =
                Header { name: b"kafka_dlt-exception-fqcn", value: Some(b"UnsupportedCurrency") };
            record.headers = vec![class];
        }
        batch.records.push(record, 0);
        segment.row_count += 1;
        segment.next_offset = offset + 1;
    }
    batch.segments.push(segment);
    without_registry(batch)
}

/// A batch of partition 0 that has holes only.
pub(in crate::ingest) fn holes(topic: &str, offsets: Range<i64>) -> EncodedBatch {
    let mut segment = Segment::starting_at(Arc::new(claimed(topic, 0)), offsets.start);
    segment.next_offset = offsets.end;
    without_registry(OpenBatch { segments: vec![segment], ..OpenBatch::default() })
}

fn without_registry(batch: OpenBatch) -> EncodedBatch {
    let (encoded, rest) = encoder().encode(batch).expect("no registry is waited for");
    assert!(rest.is_none(), "it is small");
    encoded
}
