//! Who would read what a plan sends: the consumer groups that gave up on the dead letters.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::count_text::counted;
use crate::dead_letter::{Plan, PlannedAction};
use crate::event::TopicPartition;
use crate::kafka;
use crate::kafka::{Cluster, ConsumerGroup, ConsumerGroups, GroupState};
use crate::ledger::KafkaPartition;

/// How long one question to Kafka may take, and all of them.
const QUESTION: Duration = Duration::from_secs(3);
const LIMIT: Duration = Duration::from_secs(6);

/// What is known of the groups that gave up on what a plan sends, and of the topics that it sends
/// to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readers {
    /// Kafka told of them.
    Known {
        /// The groups that it told of.
        groups: BTreeMap<String, ConsumerGroup>,
        /// The partitions of the targets.
        offsets: BTreeMap<TopicPartition, KafkaPartition>,
    },
    /// Kafka could not be asked, for this reason.
    Unknown(String),
}

impl Readers {
    /// Asks Kafka once for all groups and targets of a plan, and waits no longer than a few
    /// seconds.
    pub async fn ask(settings: &kafka::Settings, plan: &Plan) -> Self {
        let sent = || plan.groups.iter().filter(|group| group.action == PlannedAction::Replay);
        let ids: BTreeSet<String> =
            sent().filter_map(|group| group.consumer_group.clone()).collect();
        let topics: BTreeSet<String> =
            sent().filter_map(|group| group.to.as_deref()).map(str::to_owned).collect();
        if ids.is_empty() {
            return Self::Known { groups: BTreeMap::new(), offsets: BTreeMap::new() };
        }
        let (ids, topics): (Vec<_>, Vec<_>) =
            (ids.into_iter().collect(), topics.into_iter().collect());
        let settings = settings.clone();
        let asked = kafka::blocking(move || {
            let answer = ConsumerGroups::named(&settings, &ids, QUESTION)?;
            let offsets = Cluster::new(&settings)?.all_offsets(&topics)?;
            let groups = answer.groups.into_iter().map(|group| (group.id.clone(), group)).collect();
            Ok(Self::Known { groups, offsets })
        });
        match tokio::time::timeout(LIMIT, asked).await {
            Ok(Ok(known)) => known,
            Ok(Err(error)) => Self::Unknown(error.to_string()),
            Err(_) => Self::Unknown(format!("Kafka gave no answer within {} s", LIMIT.as_secs())),
        }
    }

    /// Why a record that goes to `topic`, on which `group` gave up, may not be processed soon; or
    /// that this is not known. `None` where a member reads the topic, and nothing waits before the
    /// record.
    pub fn warning(&self, group: Option<&str>, topic: &str) -> Option<String> {
        let Some(id) = group else {
            return Some(format!(
                "no header tells which consumer group failed: whether one reads {topic} is not known"
            ));
        };
        let (groups, offsets) = match self {
            Self::Known { groups, offsets } => (groups, offsets),
            Self::Unknown(reason) => {
                return Some(format!(
                    "whether consumer group {id} reads {topic} is not known: {reason}"
                ));
            }
        };
        let Some(group) = groups.get(id) else {
            return Some(format!(
                "consumer group {id} could not be asked whether it reads {topic}"
            ));
        };
        let absence = absence(group, topic);
        let behind = lag(group, topic, offsets).map(|lag| match lag {
            Some(lag) => {
                format!("replayed records would wait behind {}", counted(lag, "record"))
            }
            None => "it committed no offset there: how far behind it is is not known".to_owned(),
        });
        match (absence, behind) {
            (None, None) => None,
            (Some(absence), None) => Some(absence),
            (Some(absence), Some(behind)) => Some(format!("{absence}; {behind}")),
            (None, Some(behind)) => Some(format!("consumer group {id} reads {topic}; {behind}")),
        }
    }
}

/// Why no member of the group reads the topic.
fn absence(group: &ConsumerGroup, topic: &str) -> Option<String> {
    let ConsumerGroup { id, .. } = group;
    match (group.members.len(), group.readers(topic)) {
        (0, _) if group.state == GroupState::Dead => {
            Some(format!("consumer group {id} does not exist: nobody reads {topic} for it"))
        }
        (0, _) => Some(format!("consumer group {id} has no live member to read {topic}")),
        (members, 0) if !group.is_settled() => Some(format!(
            "consumer group {id} is rebalancing: which of its {} reads {topic} is not known",
            counted(members, "member")
        )),
        (members, 0) => Some(format!(
            "consumer group {id} has {}, and none reads {topic}",
            counted(members, "live member")
        )),
        _ => None,
    }
}

/// How many offsets the group is behind the ends of the topic's partitions: `None` where it is not,
/// `Some(None)` where that is not known, because it committed nothing.
fn lag(
    group: &ConsumerGroup,
    topic: &str,
    offsets: &BTreeMap<TopicPartition, KafkaPartition>,
) -> Option<Option<i64>> {
    let filled = || {
        offsets
            .iter()
            .filter(|(partition, offsets)| partition.topic == topic && offsets.end > offsets.low)
    };
    let lags: Vec<i64> = filled()
        .filter_map(|(partition, offsets)| Some((offsets, group.committed.get(partition)?)))
        .map(|(offsets, committed)| (offsets.end - committed.max(&offsets.low)).max(0))
        .collect();
    match lags.iter().sum::<i64>() {
        _ if lags.is_empty() && filled().next().is_some() => Some(None),
        0 => None,
        lag => Some(Some(lag)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::GroupMember;

    fn partition(number: i32) -> TopicPartition {
        TopicPartition::new("orders", number)
    }

    fn readers(state: GroupState, read: &[&[i32]], committed: &[(i32, i64)]) -> Readers {
        let member = |partitions: &&[i32]| GroupMember {
            client_id: "c".to_owned(),
            host: "/127.0.0.1".to_owned(),
            partitions: partitions.iter().map(|number| partition(*number)).collect(),
        };
        let group = ConsumerGroup {
            id: "g".to_owned(),
            state,
            members: read.iter().map(member).collect(),
            committed: committed.iter().map(|(number, at)| (partition(*number), *at)).collect(),
        };
        Readers::Known {
            groups: BTreeMap::from([("g".to_owned(), group)]),
            offsets: BTreeMap::from([
                (partition(0), KafkaPartition { topic_id: None, low: 0, end: 10 }),
                (partition(1), KafkaPartition { topic_id: None, low: 5, end: 20 }),
            ]),
        }
    }

    #[test]
    fn whoever_reads_to_the_end_gives_no_warning() {
        let there = readers(GroupState::Stable, &[&[0], &[1]], &[(0, 10), (1, 20)]);
        assert_eq!(there.warning(Some("g"), "orders"), None);
        let empty = readers(GroupState::Stable, &[&[0], &[1]], &[(0, 12), (1, 20)]);
        assert_eq!(empty.warning(Some("g"), "orders"), None, "an aborted end may be behind it");
    }

    #[test]
    fn who_is_not_there_or_lags_is_named() {
        let warning = |readers: Readers| readers.warning(Some("g"), "orders").unwrap_or_default();
        assert_eq!(
            warning(readers(GroupState::Empty, &[], &[(0, 7), (1, 0)])),
            "consumer group g has no live member to read orders; \
             replayed records would wait behind 18 records"
        );
        assert_eq!(
            warning(readers(GroupState::Stable, &[&[0, 1]], &[(0, 9), (1, 20)])),
            "consumer group g reads orders; replayed records would wait behind 1 record"
        );
        assert!(warning(readers(GroupState::Dead, &[], &[])).contains("does not exist"));
        let other = readers(GroupState::Stable, &[&[0]], &[]);
        assert!(
            other.warning(Some("g"), "payments").is_some_and(|text| text.contains("none reads"))
        );
        assert!(
            warning(readers(GroupState::PreparingRebalance, &[&[]], &[(0, 10), (1, 20)]))
                .contains("is rebalancing")
        );
        assert!(warning(readers(GroupState::Stable, &[&[0]], &[])).contains("committed no offset"));
    }

    #[test]
    fn what_is_not_known_is_said() {
        let unknown = Readers::Unknown("no broker answers".to_owned());
        let said = unknown.warning(Some("g"), "orders").unwrap_or_default();
        assert!(said.ends_with("is not known: no broker answers"), "{said}");
        assert!(unknown.warning(None, "orders").is_some_and(|text| text.contains("no header")));
        let others = readers(GroupState::Stable, &[], &[]);
        assert!(
            others
                .warning(Some("h"), "orders")
                .is_some_and(|text| text.contains("could not be asked"))
        );
    }
}
