//! The consumer groups of a cluster, of the classic protocol and of KIP-848's.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

use super::group::ConsumerGroup;
use super::groups;
use crate::kafka::{Error, LogContext, Settings};

/// Kafka's answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsumerGroups {
    /// The groups, by id.
    pub groups: Vec<ConsumerGroup>,
    /// What could not be asked, and why; one text for each.
    pub unanswered: Vec<String>,
}

impl ConsumerGroups {
    /// Asks for all groups of the cluster. Each of three questions may take up to `timeout`.
    ///
    /// # Errors
    /// `Error::Client` where no broker answers, or a question as a whole is refused.
    pub fn all(settings: &Settings, timeout: Duration) -> Result<Self, Error> {
        let client = client(settings)?;
        let (mut ids, errors) = groups::list(client.client(), timeout)?;
        ids.sort_unstable();
        ids.dedup();
        let mut answer = Self::ask(&client, &ids, timeout)?;
        let unlisted =
            |error: RDKafkaErrorCode| format!("a broker did not list its groups: {error}");
        answer.unanswered.extend(errors.into_iter().map(unlisted));
        Ok(answer)
    }

    /// Asks for these groups, of which each is named once. One that does not exist is dead.
    ///
    /// # Errors
    /// As [`ConsumerGroups::all`].
    pub fn named(settings: &Settings, ids: &[String], timeout: Duration) -> Result<Self, Error> {
        Self::ask(&client(settings)?, ids, timeout)
    }

    fn ask(
        client: &BaseConsumer<LogContext>,
        ids: &[String],
        timeout: Duration,
    ) -> Result<Self, Error> {
        let mut descriptions = groups::describe(client.client(), ids, timeout)?;
        let mut committed = groups::committed(client.client(), ids, timeout)?;
        let mut answer = Self::default();
        for id in ids {
            let described = descriptions.remove(id).unwrap_or(Err(RDKafkaErrorCode::Fail));
            let committed = committed.remove(id).unwrap_or(Err(RDKafkaErrorCode::Fail));
            match (described, committed) {
                (Ok(description), Ok(committed)) => answer.groups.push(ConsumerGroup {
                    id: id.clone(),
                    state: description.state,
                    members: description.members,
                    committed,
                }),
                (Err(error), _) | (_, Err(error)) => {
                    answer.unanswered.push(format!("consumer group {id}: {error}"));
                }
            }
        }
        Ok(answer)
    }
}

fn client(settings: &Settings) -> Result<BaseConsumer<LogContext>, Error> {
    settings
        .client(&[])
        .create_with_context(LogContext::default())
        .map_err(Error::client("making a Kafka client"))
}
