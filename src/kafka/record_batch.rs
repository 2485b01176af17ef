//! Records copied into one block of memory, so that a batch has one allocation instead of five a
//! record.

use super::ReceivedRecord;
use crate::event::{Header, Record, TopicPartition};
use crate::evidence::canonical::TimestampType;

/// A piece of the block; a length of `NULL` is Kafka's null.
#[derive(Debug, Clone, Copy)]
struct Slice {
    start: u32,
    length: u32,
}

const NULL: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Entry {
    partition_index: u32,
    offset: i64,
    timestamp_ms: Option<i64>,
    timestamp_type: TimestampType,
    key: Slice,
    value: Slice,
    first_header: u32,
    header_count: u32,
}

/// Records of any partitions in the order in which they were read.
#[derive(Debug, Default)]
pub struct RecordBatch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    headers: Vec<(Slice, Slice)>,
}

impl RecordBatch {
    /// Copies a record. `partition_index` is whatever the caller knows its partition by.
    pub fn push<'a>(
        &mut self,
        record: ReceivedRecord<'a, impl IntoIterator<Item = Header<'a>>>,
        partition_index: u32,
    ) {
        let first_header = self.headers.len() as u32;
        for header in record.headers {
            let pair = (self.store(Some(header.name)), self.store(header.value));
            self.headers.push(pair);
        }
        let entry = Entry {
            partition_index,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            timestamp_type: record.timestamp_type,
            key: self.store(record.key),
            value: self.store(record.value),
            first_header,
            header_count: self.headers.len() as u32 - first_header,
        };
        self.entries.push(entry);
    }

    /// A Kafka message is at most 2 GiB, and a batch is closed at a few MiB, so 32 bits hold every
    /// position.
    fn store(&mut self, bytes: Option<&[u8]>) -> Slice {
        let start = self.bytes.len() as u32;
        match bytes {
            None => Slice { start, length: NULL },
            Some(bytes) => {
                self.bytes.extend_from_slice(bytes);
                Slice { start, length: bytes.len() as u32 }
            }
        }
    }

    /// Takes the records from a place on out of it.
    pub fn split_off(&mut self, at: usize) -> Self {
        let mut rest = Self::default();
        let mut headers = Vec::new();
        for index in at..self.len() {
            self.headers(index, &mut headers);
            let entry = &self.entries[index];
            let record = ReceivedRecord {
                topic: "",
                partition: 0,
                offset: entry.offset,
                timestamp_ms: entry.timestamp_ms,
                timestamp_type: entry.timestamp_type,
                key: self.bytes(entry.key),
                value: self.bytes(entry.value),
                headers: headers.iter().copied(),
            };
            rest.push(record, entry.partition_index);
        }
        if let Some(first) = self.entries.get(at) {
            let header = self.headers.get(first.first_header as usize);
            let start = match header {
                Some((name, _)) if first.header_count > 0 => name.start,
                _ => first.key.start,
            };
            self.headers.truncate(first.first_header as usize);
            self.bytes.truncate(start as usize);
            self.entries.truncate(at);
        }
        rest
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes of keys, values and headers it holds.
    pub fn byte_size(&self) -> usize {
        self.bytes.len()
    }

    /// What `push` was given for the record's partition.
    pub fn partition_index(&self, index: usize) -> u32 {
        self.entries[index].partition_index
    }

    /// The offset of a record.
    pub fn offset(&self, index: usize) -> i64 {
        self.entries[index].offset
    }

    /// Whose clock the timestamp of a record comes from.
    pub fn timestamp_type(&self, index: usize) -> TimestampType {
        self.entries[index].timestamp_type
    }

    /// Writes the headers of a record into a vector that can be used again.
    pub fn headers<'a>(&'a self, index: usize, into: &mut Vec<Header<'a>>) {
        let entry = &self.entries[index];
        let first = entry.first_header as usize;
        into.clear();
        into.extend(self.headers[first..first + entry.header_count as usize].iter().map(
            |(name, value)| Header {
                name: self.bytes(*name).unwrap_or_default(),
                value: self.bytes(*value),
            },
        ));
    }

    /// A record, with the headers that [`RecordBatch::headers`] wrote.
    pub fn record<'a>(
        &'a self,
        index: usize,
        cluster_id: &'a str,
        partition: &'a TopicPartition,
        headers: &'a [Header<'a>],
    ) -> Record<'a> {
        let entry = &self.entries[index];
        Record {
            cluster_id,
            topic: &partition.topic,
            partition: partition.partition,
            offset: entry.offset,
            timestamp_ms: entry.timestamp_ms,
            key: self.bytes(entry.key),
            value: self.bytes(entry.value),
            headers,
        }
    }

    fn bytes(&self, slice: Slice) -> Option<&[u8]> {
        let start = slice.start as usize;
        (slice.length != NULL).then(|| &self.bytes[start..start + slice.length as usize])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Bytes = Vec<u8>;

    fn bytes() -> impl Strategy<Value = Bytes> {
        proptest::collection::vec(any::<u8>(), 0..20)
    }

    #[derive(Debug, Clone)]
    struct Given {
        timestamp_ms: Option<i64>,
        key: Option<Bytes>,
        value: Option<Bytes>,
        headers: Vec<(Bytes, Option<Bytes>)>,
    }

    impl Given {
        fn headers(&self) -> Vec<Header<'_>> {
            self.headers
                .iter()
                .map(|(name, value)| Header { name, value: value.as_deref() })
                .collect()
        }
    }

    proptest! {
        #[test]
        fn a_record_comes_out_as_it_went_in(given in proptest::collection::vec(given(), 0..8)) {
            let mut batch = RecordBatch::default();
            for (index, record) in given.iter().enumerate() {
                batch.push(
                    ReceivedRecord {
                        topic: "orders.events",
                        partition: 3,
                        offset: index as i64 * 2,
                        timestamp_ms: record.timestamp_ms,
                        timestamp_type: TimestampType::Create,
                        key: record.key.as_deref(),
                        value: record.value.as_deref(),
                        headers: record.headers(),
                    },
                    index as u32 + 7,
                );
            }
            let partition = TopicPartition::new("orders.events", 3);
            let mut headers = Vec::new();
            prop_assert_eq!(batch.len(), given.len());
            for (index, record) in given.iter().enumerate() {
                batch.headers(index, &mut headers);
                let found = batch.record(index, "cluster", &partition, &headers);
                prop_assert_eq!(batch.partition_index(index), index as u32 + 7);
                prop_assert_eq!((found.topic, found.partition), ("orders.events", 3));
                prop_assert_eq!(found.offset, index as i64 * 2);
                prop_assert_eq!(found.timestamp_ms, record.timestamp_ms);
                prop_assert_eq!(found.key, record.key.as_deref());
                prop_assert_eq!(found.value, record.value.as_deref());
                prop_assert_eq!(found.headers, record.headers());
            }
        }
    }

    fn given() -> impl Strategy<Value = Given> {
        let header = (bytes(), proptest::option::of(bytes()));
        (
            any::<Option<i64>>(),
            proptest::option::of(bytes()),
            proptest::option::of(bytes()),
            proptest::collection::vec(header, 0..4),
        )
            .prop_map(|(timestamp_ms, key, value, headers)| Given {
                timestamp_ms,
                key,
                value,
                headers,
            })
    }

    #[test]
    fn a_batch_that_is_split_holds_the_same_records() {
        let headers =
            [Header { name: b"a", value: Some(b"1") }, Header { name: b"b", value: None }];
        let values: [Option<&[u8]>; 4] = [Some(b"one"), None, Some(b""), Some(b"four")];
        let whole = || {
            let mut batch = RecordBatch::default();
            for (index, value) in values.into_iter().enumerate() {
                let record = ReceivedRecord {
                    topic: "topic",
                    partition: 0,
                    offset: index as i64 * 2,
                    timestamp_ms: None,
                    timestamp_type: TimestampType::None,
                    key: Some(b"key"),
                    value,
                    headers: headers.into_iter().take(index % 3),
                };
                batch.push(record, index as u32);
            }
            batch
        };
        let shown = |batch: &RecordBatch| -> Vec<String> {
            let partition = TopicPartition::new("topic", 0);
            let mut headers = Vec::new();
            let records = (0..batch.len()).map(|index| {
                batch.headers(index, &mut headers);
                let record = batch.record(index, "cluster", &partition, &headers);
                format!("{record:?} {}", batch.partition_index(index))
            });
            records.collect()
        };
        for at in 0..=values.len() {
            let mut first = whole();
            let rest = first.split_off(at);
            assert_eq!(first.len(), at);
            assert_eq!(first.byte_size() + rest.byte_size(), whole().byte_size());
            assert_eq!([shown(&first), shown(&rest)].concat(), shown(&whole()), "{at}");
        }
    }
}
