//! Consumer groups: which there are, who their members are, and what they committed. All of it is
//! copied out of librdkafka's answers here.
#![expect(unsafe_code, reason = "librdkafka's C interface")]

use std::collections::{BTreeMap, HashMap};
use std::ffi::CString;
use std::time::Duration;

use rdkafka::bindings;
use rdkafka::bindings::rd_kafka_admin_op_t as Kind;
use rdkafka::bindings::rd_kafka_consumer_group_state_t as NativeState;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;

use super::group::{GroupMember, GroupState};
use super::request::{Owned, Request, code_of, text};
use crate::event::TopicPartition;
use crate::kafka::Error;

const NO_ERROR: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR;

/// The state and the members of a group.
pub(super) struct Description {
    pub(super) state: GroupState,
    pub(super) members: Vec<GroupMember>,
}

/// Offsets by partition.
pub(super) type Committed = BTreeMap<TopicPartition, i64>;

/// An answer for each group, or why there is none.
pub(super) type ByGroup<T> = HashMap<String, Result<T, RDKafkaErrorCode>>;

/// The ids of all groups, and an error for each broker that did not answer.
pub(super) fn list<C: ClientContext>(
    client: &Client<C>,
    timeout: Duration,
) -> Result<(Vec<String>, Vec<RDKafkaErrorCode>), Error> {
    let kind = Kind::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS;
    let request = Request::new(client, kind, "the consumer groups", timeout);
    let options = request.options(0);
    // SAFETY: client, options and queue live until the end of the block, and what the event owns is
    // copied before the event is freed.
    unsafe {
        bindings::rd_kafka_ListConsumerGroups(request.client(), options.0, request.queue.0);
        let event = request.answer()?;
        if code_of(&event) != NO_ERROR {
            return Err(request.failed(code_of(&event)));
        }
        let result = bindings::rd_kafka_event_ListConsumerGroups_result(event.0);
        if result.is_null() {
            return Err(request.failed(RDKafkaRespErr::RD_KAFKA_RESP_ERR__FAIL));
        }
        let (mut groups, mut errors) = (0, 0);
        let listed = bindings::rd_kafka_ListConsumerGroups_result_valid(result, &raw mut groups);
        let failed = bindings::rd_kafka_ListConsumerGroups_result_errors(result, &raw mut errors);
        let ids = (0..groups)
            .map(|index| text(bindings::rd_kafka_ConsumerGroupListing_group_id(*listed.add(index))))
            .collect();
        let errors = (0..errors)
            .map(|index| bindings::rd_kafka_error_code(*failed.add(index)).into())
            .collect();
        Ok((ids, errors))
    }
}

/// The state and the members of each of the groups. A group that does not exist is dead.
pub(super) fn describe<C: ClientContext>(
    client: &Client<C>,
    ids: &[String],
    timeout: Duration,
) -> Result<ByGroup<Description>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let kind = Kind::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
    let request = Request::new(client, kind, "the members of the consumer groups", timeout);
    let options = request.options(0);
    let names = native(ids);
    let mut pointers: Vec<_> = names.iter().map(|(_, name)| name.as_ptr()).collect();
    let mut answers = HashMap::new();
    // SAFETY: librdkafka copies the names; for the rest as in `list`.
    unsafe {
        bindings::rd_kafka_DescribeConsumerGroups(
            request.client(),
            pointers.as_mut_ptr(),
            pointers.len(),
            options.0,
            request.queue.0,
        );
        let event = request.answer()?;
        if code_of(&event) != NO_ERROR {
            return Err(request.failed(code_of(&event)));
        }
        let result = bindings::rd_kafka_event_DescribeConsumerGroups_result(event.0);
        if result.is_null() {
            return Err(request.failed(RDKafkaRespErr::RD_KAFKA_RESP_ERR__FAIL));
        }
        let mut count = 0;
        let groups =
            bindings::rd_kafka_DescribeConsumerGroups_result_groups(result, &raw mut count);
        for index in 0..count {
            let group = *groups.add(index);
            let id = text(bindings::rd_kafka_ConsumerGroupDescription_group_id(group));
            let error = bindings::rd_kafka_ConsumerGroupDescription_error(group);
            answers.insert(id, description(group, error_code(error)));
        }
    }
    Ok(answers)
}

/// # Safety
/// `group` belongs to an answer that is still there.
unsafe fn description(
    group: *const bindings::rd_kafka_ConsumerGroupDescription_t,
    error: RDKafkaRespErr,
) -> Result<Description, RDKafkaErrorCode> {
    match error {
        NO_ERROR => {}
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND => {
            return Ok(Description { state: GroupState::Dead, members: Vec::new() });
        }
        code => return Err(code.into()),
    }
    // SAFETY: as the caller promises; indexes are below the count.
    unsafe {
        let state = state(bindings::rd_kafka_ConsumerGroupDescription_state(group));
        let count = bindings::rd_kafka_ConsumerGroupDescription_member_count(group);
        let members = (0..count)
            .map(|index| {
                let member = bindings::rd_kafka_ConsumerGroupDescription_member(group, index);
                let assignment = bindings::rd_kafka_MemberDescription_assignment(member);
                let partitions = match assignment.is_null() {
                    true => std::ptr::null(),
                    false => bindings::rd_kafka_MemberAssignment_partitions(assignment),
                };
                GroupMember {
                    client_id: text(bindings::rd_kafka_MemberDescription_client_id(member)),
                    host: text(bindings::rd_kafka_MemberDescription_host(member)),
                    partitions: elements(partitions)
                        .map(|element| TopicPartition {
                            topic: text(element.topic),
                            partition: element.partition,
                        })
                        .collect(),
                }
            })
            .collect();
        Ok(Description { state, members })
    }
}

/// What each of the groups committed, on any topic. All are asked at once.
pub(super) fn committed<C: ClientContext>(
    client: &Client<C>,
    ids: &[String],
    timeout: Duration,
) -> Result<ByGroup<Committed>, Error> {
    let kind = Kind::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS;
    let request = Request::new(client, kind, "the offsets of the consumer groups", timeout);
    let names = native(ids);
    for (number, (_, name)) in names.iter().enumerate() {
        let options = request.options(number);
        // SAFETY: librdkafka copies the question; the queue lives longer than this function waits.
        unsafe {
            let mut question = Owned(
                bindings::rd_kafka_ListConsumerGroupOffsets_new(name.as_ptr(), std::ptr::null()),
                bindings::rd_kafka_ListConsumerGroupOffsets_destroy,
            );
            bindings::rd_kafka_ListConsumerGroupOffsets(
                request.client(),
                &raw mut question.0,
                1,
                options.0,
                request.queue.0,
            );
        }
    }
    let mut answers = HashMap::new();
    for _ in &names {
        let event = request.answer()?;
        // SAFETY: the event lives until the end of the round, and what it owns is copied before.
        unsafe {
            let number = bindings::rd_kafka_event_opaque(event.0).addr();
            let Some((id, _)) = names.get(number) else { continue };
            answers.insert((*id).clone(), committed_of(&event));
        }
    }
    Ok(answers)
}

/// # Safety
/// The event answers a question for the offsets of one group.
unsafe fn committed_of(
    event: &Owned<bindings::rd_kafka_event_t>,
) -> Result<Committed, RDKafkaErrorCode> {
    if code_of(event) != NO_ERROR {
        return Err(code_of(event).into());
    }
    let mut committed = Committed::new();
    // SAFETY: as the caller promises; all of it belongs to the event.
    unsafe {
        let result = bindings::rd_kafka_event_ListConsumerGroupOffsets_result(event.0);
        if result.is_null() {
            return Err(RDKafkaErrorCode::Fail);
        }
        let mut count = 0;
        let groups =
            bindings::rd_kafka_ListConsumerGroupOffsets_result_groups(result, &raw mut count);
        for index in 0..count {
            let group = *groups.add(index);
            let error = error_code(bindings::rd_kafka_group_result_error(group));
            if error != NO_ERROR {
                return Err(error.into());
            }
            for element in elements(bindings::rd_kafka_group_result_partitions(group)) {
                if element.err != NO_ERROR {
                    return Err(element.err.into());
                }
                // A partition without a committed offset has a negative one.
                if element.offset >= 0 {
                    let partition =
                        TopicPartition { topic: text(element.topic), partition: element.partition };
                    committed.insert(partition, element.offset);
                }
            }
        }
    }
    Ok(committed)
}

fn native(ids: &[String]) -> Vec<(&String, CString)> {
    // A name with a null byte can't be one of Kafka's.
    ids.iter().filter_map(|id| Some((id, CString::new(id.as_str()).ok()?))).collect()
}

/// # Safety
/// The pointer is null, or that of a list which outlives the iterator.
unsafe fn elements<'a>(
    list: *const bindings::rd_kafka_topic_partition_list_t,
) -> impl Iterator<Item = &'a bindings::rd_kafka_topic_partition_t> {
    // SAFETY: as the caller promises; librdkafka's lists have `cnt` elements.
    let slice: &'a [_] = unsafe {
        match list.as_ref() {
            Some(list) if list.cnt > 0 => {
                std::slice::from_raw_parts(list.elems, list.cnt.unsigned_abs() as usize)
            }
            _ => &[],
        }
    };
    slice.iter()
}

/// # Safety
/// The pointer is null, or that of an error which is still there.
unsafe fn error_code(error: *const bindings::rd_kafka_error_t) -> RDKafkaRespErr {
    if error.is_null() {
        return NO_ERROR;
    }
    // SAFETY: as the caller promises.
    unsafe { bindings::rd_kafka_error_code(error) }
}

fn state(native: NativeState) -> GroupState {
    match native {
        NativeState::RD_KAFKA_CONSUMER_GROUP_STATE_PREPARING_REBALANCE => {
            GroupState::PreparingRebalance
        }
        NativeState::RD_KAFKA_CONSUMER_GROUP_STATE_COMPLETING_REBALANCE => {
            GroupState::CompletingRebalance
        }
        NativeState::RD_KAFKA_CONSUMER_GROUP_STATE_STABLE => GroupState::Stable,
        NativeState::RD_KAFKA_CONSUMER_GROUP_STATE_DEAD => GroupState::Dead,
        NativeState::RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY => GroupState::Empty,
        _ => GroupState::Unknown,
    }
}
