//! Who is in a consumer group.

use rdkafka::consumer::Consumer;
use rdkafka::groups::GroupInfo;

use super::cluster::{Cluster, REQUEST};
use super::error::Error;

impl Cluster {
    /// The client ids of a group's members.
    ///
    /// # Errors
    /// `Error::Client`.
    pub fn group_client_ids(&self, group: &str) -> Result<Vec<String>, Error> {
        let listed = self
            .client
            .client()
            .fetch_group_list(Some(group), REQUEST)
            .map_err(Error::client("asking for the members of the consumer group"))?;
        let groups = listed.groups().iter().filter(|found| found.name() == group);
        let members = groups.flat_map(GroupInfo::members);
        Ok(members.map(|member| member.client_id().to_owned()).collect())
    }
}
