//! Whether Kafka still has what comes next in a claimed partition.

use crate::ledger::Comparison;
use crate::store::Claim;

/// What is done with a claimed partition before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ingest) enum Decision {
    /// It is read from the claim's next offset.
    Read,
    /// The offsets below `low` are declared lost, then it is read from there.
    DeclareLost { low: i64 },
    /// A new incarnation begins. It has to be compared again: Kafka may have deleted some of it.
    BeginIncarnation,
    /// It is not read, for this reason.
    Refuse(String),
}

/// Decides what to do with a claimed partition. `accepts_recreated` is whether
/// `--accept-recreated` names its topic.
pub(in crate::ingest) fn decide(
    claim: &Claim,
    comparison: Comparison,
    accepts_recreated: bool,
) -> Decision {
    let change = match comparison {
        Comparison::Continues => return Decision::Read,
        Comparison::Lost { low } => return Decision::DeclareLost { low },
        Comparison::EndsEarly { .. } | Comparison::OtherTopic if accepts_recreated => {
            return Decision::BeginIncarnation;
        }
        Comparison::OtherTopic => "was deleted and made again".to_owned(),
        Comparison::EndsEarly { end } => {
            let recorded = claim.recorded.next_offset;
            format!("ends at offset {end} although offsets up to {recorded} are recorded")
        }
    };
    let partition = &claim.partition.name;
    let topic = &partition.topic;
    Decision::Refuse(format!(
        "{partition} is not read: the topic {change}; \
         to record it as a new incarnation, run ingest with --accept-recreated {topic}"
    ))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::event::TopicPartition;
    use crate::ledger::{KafkaPartition, RecordedPartition, compare};
    use crate::store::TopicIdPartition;

    const OLD: Uuid = Uuid::from_u128(1);
    const NEW: Uuid = Uuid::from_u128(2);

    fn claim(recorded: Option<Uuid>, found: Option<Uuid>, next_offset: i64) -> Claim {
        let partition = TopicPartition::new("orders.events", 2);
        Claim {
            partition: TopicIdPartition { name: partition, topic_id: found },
            partition_id: 7,
            epoch: 3,
            recorded: RecordedPartition { topic_id: recorded, incarnation: 1, next_offset },
            cluster_id: "cluster".into(),
        }
    }

    fn decision(claim: &Claim, low: i64, end: i64, accepts_recreated: bool) -> Decision {
        let found = KafkaPartition { topic_id: claim.partition.topic_id, low, end };
        decide(claim, compare(&claim.recorded, &found), accepts_recreated)
    }

    #[test]
    fn a_partition_that_goes_on_is_read_from_what_is_recorded() {
        for (low, end) in [(0, 10), (10, 10), (10, 20), (3, 20)] {
            let claim = claim(Some(OLD), Some(OLD), 10);
            assert_eq!(decision(&claim, low, end, false), Decision::Read, "{low}..{end}");
        }
    }

    #[test]
    fn offsets_that_kafka_deleted_before_they_were_recorded_are_declared_lost() {
        let claim = claim(Some(OLD), Some(OLD), 10);
        assert_eq!(decision(&claim, 11, 20, false), Decision::DeclareLost { low: 11 });
        assert_eq!(decision(&claim, 20, 20, true), Decision::DeclareLost { low: 20 });
    }

    #[test]
    fn a_recreated_topic_is_refused_until_it_is_accepted() {
        let claim = claim(Some(OLD), Some(NEW), 10);
        let Decision::Refuse(text) = decision(&claim, 0, 100, false) else {
            panic!("another topic was taken for the recorded one");
        };
        assert_eq!(
            text,
            "orders.events [2] is not read: the topic was deleted and made again; \
             to record it as a new incarnation, run ingest with --accept-recreated orders.events"
        );
        assert_eq!(decision(&claim, 0, 100, true), Decision::BeginIncarnation);
    }

    #[test]
    fn a_partition_that_ends_before_what_is_recorded_is_refused_until_it_is_accepted() {
        for ids in [(None, None), (Some(OLD), None), (None, Some(NEW)), (Some(OLD), Some(OLD))] {
            let claim = claim(ids.0, ids.1, 10);
            let Decision::Refuse(text) = decision(&claim, 0, 9, false) else {
                panic!("{ids:?}: the end lies before what is recorded");
            };
            assert!(text.contains("ends at offset 9 although offsets up to 10"), "{text}");
            assert_eq!(decision(&claim, 0, 9, true), Decision::BeginIncarnation);
        }
    }
}
