//! Kafka's ids of topics, by `DescribeTopics`: rdkafka has no call for it, so librdkafka's C
//! interface is used. Source: librdkafka, rdkafka.h, "Admin API - `DescribeTopics`".
#![expect(unsafe_code, reason = "librdkafka's C interface")]

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::time::Duration;

use rdkafka::bindings;
use rdkafka::client::{Client, ClientContext};
use rdkafka::types::RDKafkaRespErr;
use uuid::Uuid;

use super::request::{Owned, Request, code_of};
use crate::kafka::Error;

/// The ids of the topics; a broker that doesn't tell them gives an empty map.
pub(in crate::kafka) fn describe<C: ClientContext>(
    client: &Client<C>,
    topics: &[String],
    timeout: Duration,
) -> Result<HashMap<String, Uuid>, Error> {
    let names: Vec<CString> =
        topics.iter().filter_map(|topic| CString::new(topic.as_str()).ok()).collect();
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    let kind = bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
    let request = Request::new(client, kind, "the ids of the topics", timeout);
    let options = request.options(0);
    // SAFETY: every pointer lives until the end of the block; librdkafka copies the names and the
    // options; what the event owns (the result, its topics) is read before the event is freed,
    // because it is declared first.
    unsafe {
        let collection = Owned(
            bindings::rd_kafka_TopicCollection_of_topic_names(
                pointers.as_mut_ptr(),
                pointers.len(),
            ),
            bindings::rd_kafka_TopicCollection_destroy,
        );
        bindings::rd_kafka_DescribeTopics(
            request.client(),
            collection.0,
            options.0,
            request.queue.0,
        );
        let event = request.answer()?;
        match code_of(&event) {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => {}
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE => return Ok(HashMap::new()),
            code => return Err(request.failed(code)),
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
