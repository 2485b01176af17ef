//! Records copied out of librdkafka into one block of memory, so that a batch has one allocation
//! instead of five a record.
#![expect(unsafe_code, reason = "header names, which rdkafka takes for UTF-8")]

use std::ffi::CStr;

use rdkafka::bindings;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers, Message};
use rdkafka::types::RDKafkaRespErr;

use crate::event::{Header, Record, TopicPartition};

/// A piece of the block; a length of `NULL` is Kafka's null.
#[derive(Debug, Clone, Copy)]
struct Slice {
    start: u32,
    length: u32,
}

const NULL: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Entry {
    source: u32,
    offset: i64,
    timestamp_ms: Option<i64>,
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
    /// Adds a record. `source` is whatever the caller knows its partition by.
    pub fn push(&mut self, message: &BorrowedMessage<'_>, source: u32) {
        let first_header = self.headers.len() as u32;
        if let Some(headers) = message.headers() {
            self.push_headers(headers);
        }
        let entry = Entry {
            source,
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis(),
            key: self.store(message.key()),
            value: self.store(message.payload()),
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

    /// rdkafka's own accessor panics on a name that is not UTF-8, which any producer can send.
    fn push_headers(&mut self, headers: &BorrowedHeaders) {
        let native = std::ptr::from_ref(headers).cast::<bindings::rd_kafka_headers_t>();
        for index in 0..headers.count() {
            let (mut name, mut value, mut size) = (std::ptr::null(), std::ptr::null(), 0);
            // SAFETY: a `BorrowedHeaders` is librdkafka's list behind another type; name and value
            // stay valid as long as the message, which outlives this call; librdkafka ends every
            // name with a NUL.
            let (name, value) = unsafe {
                let error = bindings::rd_kafka_header_get_all(
                    native,
                    index,
                    &raw mut name,
                    &raw mut value,
                    &raw mut size,
                );
                if error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                    continue;
                }
                let value = (!value.is_null())
                    .then(|| std::slice::from_raw_parts(value.cast::<u8>(), size));
                (CStr::from_ptr(name).to_bytes(), value)
            };
            let pair = (self.store(Some(name)), self.store(value));
            self.headers.push(pair);
        }
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

    /// What the record's partition was called in `push`.
    pub fn source(&self, index: usize) -> u32 {
        self.entries[index].source
    }

    /// The headers of a record, into a vector that can be used again.
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

    /// A record with the headers that [`RecordBatch::headers`] gave.
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
