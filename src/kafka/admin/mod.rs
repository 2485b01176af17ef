//! Questions of librdkafka's admin interface that rdkafka has no call for. Source: librdkafka,
//! rdkafka.h, "Admin API".

mod consumer_groups;
mod group;
mod groups;
mod request;
mod topic_ids;

pub use consumer_groups::ConsumerGroups;
pub use group::{ConsumerGroup, GroupMember, GroupState};
pub(super) use topic_ids::describe as topic_ids;
