//! A record that was just received, before anything of it is copied.
#![expect(unsafe_code, reason = "header names, which rdkafka takes for UTF-8")]

use std::ffi::CStr;

use rdkafka::bindings;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers, Message, Timestamp};
use rdkafka::types::RDKafkaRespErr;

use crate::event::Header;
use crate::evidence::canonical::TimestampType;

/// A record borrowed from whoever received it. `H` gives the headers one by one, so that they are
/// not collected before they are copied.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedRecord<'a, H> {
    /// The topic.
    pub topic: &'a str,
    /// The partition of that topic.
    pub partition: i32,
    /// The offset in that partition.
    pub offset: i64,
    /// Kafka's timestamp in milliseconds since the Unix epoch; `None` where the record has none.
    pub timestamp_ms: Option<i64>,
    /// Whose clock the timestamp comes from.
    pub timestamp_type: TimestampType,
    /// The key; `None` is null.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is null.
    pub value: Option<&'a [u8]>,
    /// The headers in their order.
    pub headers: H,
}

impl<'a> From<&'a BorrowedMessage<'_>> for ReceivedRecord<'a, MessageHeaders<'a>> {
    fn from(message: &'a BorrowedMessage<'_>) -> Self {
        let timestamp = message.timestamp();
        let timestamp_ms = timestamp.to_millis();
        Self {
            topic: message.topic(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp_ms,
            timestamp_type: match timestamp {
                _ if timestamp_ms.is_none() => TimestampType::None,
                Timestamp::LogAppendTime(_) => TimestampType::Append,
                Timestamp::CreateTime(_) | Timestamp::NotAvailable => TimestampType::Create,
            },
            key: message.key(),
            value: message.payload(),
            headers: MessageHeaders { headers: message.headers(), next: 0 },
        }
    }
}

/// The headers of a message of librdkafka. rdkafka's own accessor panics on a name that is not
/// UTF-8, which any producer can send.
#[derive(Clone)]
pub struct MessageHeaders<'a> {
    headers: Option<&'a BorrowedHeaders>,
    next: usize,
}

impl<'a> Iterator for MessageHeaders<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        let headers = self.headers?;
        let native = std::ptr::from_ref(headers).cast::<bindings::rd_kafka_headers_t>();
        while self.next < headers.count() {
            let index = self.next;
            self.next += 1;
            let (mut name, mut value, mut size) = (std::ptr::null(), std::ptr::null(), 0);
            // SAFETY: a `BorrowedHeaders` is librdkafka's list behind another type; name and value
            // stay valid as long as the message, which is borrowed for `'a`; librdkafka ends every
            // name with a NUL.
            unsafe {
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
                return Some(Header { name: CStr::from_ptr(name).to_bytes(), value });
            }
        }
        None
    }
}
