//! Kafka's ids of topics, by `DescribeTopics`: rdkafka has no call for it, so librdkafka's C
//! interface is used. Source: librdkafka, rdkafka.h, "Admin API - `DescribeTopics`".
#![expect(unsafe_code, reason = "librdkafka's C interface")]

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::time::Duration;

use rdkafka::bindings;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;
use uuid::Uuid;

use super::Error;

/// Frees a librdkafka object when it goes out of scope.
struct Owned<T>(*mut T, unsafe extern "C" fn(*mut T));

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the pointer came from the function that this destructor belongs to, and is
            // freed once.
            unsafe { (self.1)(self.0) }
        }
    }
}

pub(super) fn describe<C: ClientContext>(
    client: &Client<C>,
    topics: &[String],
    timeout: Duration,
) -> Result<HashMap<String, Uuid>, Error> {
    let names: Vec<CString> =
        topics.iter().filter_map(|topic| CString::new(topic.as_str()).ok()).collect();
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    let milliseconds = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: every pointer lives until the end of the block; librdkafka copies the names and the
    // options; what the event owns (the result, its topics) is read before the event is freed,
    // because it is declared first.
    unsafe {
        let queue = Owned(
            bindings::rd_kafka_queue_new(client.native_ptr()),
            bindings::rd_kafka_queue_destroy,
        );
        let collection = Owned(
            bindings::rd_kafka_TopicCollection_of_topic_names(
                pointers.as_mut_ptr(),
                pointers.len(),
            ),
            bindings::rd_kafka_TopicCollection_destroy,
        );
        let options = Owned(
            bindings::rd_kafka_AdminOptions_new(
                client.native_ptr(),
                bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
            ),
            bindings::rd_kafka_AdminOptions_destroy,
        );
        bindings::rd_kafka_AdminOptions_set_request_timeout(
            options.0,
            milliseconds,
            std::ptr::null_mut(),
            0,
        );
        bindings::rd_kafka_DescribeTopics(client.native_ptr(), collection.0, options.0, queue.0);
        let event = Owned(
            bindings::rd_kafka_queue_poll(queue.0, milliseconds.saturating_add(1000)),
            bindings::rd_kafka_event_destroy,
        );
        if event.0.is_null() {
            return Err(failed(RDKafkaRespErr::RD_KAFKA_RESP_ERR__TIMED_OUT));
        }
        match bindings::rd_kafka_event_error(event.0) {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => {}
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE => return Ok(HashMap::new()),
            code => return Err(failed(code)),
        }
        let result = bindings::rd_kafka_event_DescribeTopics_result(event.0);
        if result.is_null() {
            return Ok(HashMap::new());
        }
        let mut count = 0;
        let descriptions = bindings::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        let mut found = HashMap::new();
        for index in 0..count {
            let description = *descriptions.add(index);
            let id = bindings::rd_kafka_TopicDescription_topic_id(description);
            let name = bindings::rd_kafka_TopicDescription_name(description);
            let error = bindings::rd_kafka_TopicDescription_error(description);
            let broken = !error.is_null()
                && bindings::rd_kafka_error_code(error)
                    != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR;
            if id.is_null() || name.is_null() || broken {
                continue;
            }
            let id = Uuid::from_u64_pair(
                bindings::rd_kafka_Uuid_most_significant_bits(id).cast_unsigned(),
                bindings::rd_kafka_Uuid_least_significant_bits(id).cast_unsigned(),
            );
            if !id.is_nil() {
                found.insert(CStr::from_ptr(name).to_string_lossy().into_owned(), id);
            }
        }
        Ok(found)
    }
}

fn failed(code: RDKafkaRespErr) -> Error {
    Error::Client {
        what: "asking for the ids of the topics".to_owned(),
        source: KafkaError::AdminOp(code.into()),
    }
}
