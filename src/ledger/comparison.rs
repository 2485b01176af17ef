//! How a recorded partition compares with the one that Kafka has: whether both are the same
//! incarnation, and if so, how far apart they are.

use uuid::Uuid;

/// The newest incarnation of a partition, as far as it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedPartition {
    /// Kafka's id of the topic; `None` where the broker did not tell it.
    pub topic_id: Option<Uuid>,
    /// How often the topic was made again and accepted; the first incarnation is 1.
    pub incarnation: i32,
    /// The first offset that is not recorded yet.
    pub next_offset: i64,
}

/// A partition as Kafka has it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KafkaPartition {
    /// Kafka's id of the topic; `None` where the broker does not tell it (before Kafka 2.8).
    pub topic_id: Option<Uuid>,
    /// The first offset that Kafka still has.
    pub low: i64,
    /// The last stable offset: one past the last record that a `read_committed` consumer may see.
    pub end: i64,
}

/// How what Kafka has compares with what is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The next offset is there, or will be the next one to be written.
    Continues,
    /// Kafka deleted offsets before they were recorded: it begins at `low`.
    Lost {
        /// The first offset that Kafka still has.
        low: i64,
    },
    /// The partition ends, at `end`, before offsets that are recorded: the topic was made again or
    /// cut off. A new leader may just not know the end yet.
    EndsEarly {
        /// Where it ends.
        end: i64,
    },
    /// The topic has another id than the one that is recorded.
    OtherTopic,
}

impl Comparison {
    /// Whether the offsets of both sides belong to one incarnation, and may be compared.
    pub fn is_same_incarnation(self) -> bool {
        matches!(self, Self::Continues | Self::Lost { .. })
    }
}

/// Compares the two. Where one of the topic ids is missing, the offsets alone decide.
pub fn compare(recorded: &RecordedPartition, found: &KafkaPartition) -> Comparison {
    match (recorded.topic_id, found.topic_id) {
        (Some(recorded), Some(found)) if recorded != found => Comparison::OtherTopic,
        _ if found.end < recorded.next_offset => Comparison::EndsEarly { end: found.end },
        _ if found.low > recorded.next_offset => Comparison::Lost { low: found.low },
        _ => Comparison::Continues,
    }
}

/// How many offsets of Kafka are not recorded: up to its end, those that it deleted before they
/// were read included. All of what it has, where that is another incarnation than the recorded one
/// or nothing is recorded.
pub fn unrecorded_offsets(recorded: Option<&RecordedPartition>, found: &KafkaPartition) -> i64 {
    match recorded {
        None => found.end,
        Some(recorded) if compare(recorded, found).is_same_incarnation() => {
            found.end - recorded.next_offset
        }
        Some(_) => found.end - found.low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Option<Uuid> = Some(Uuid::from_u128(1));
    const NEW: Option<Uuid> = Some(Uuid::from_u128(2));

    fn recorded(topic_id: Option<Uuid>) -> RecordedPartition {
        RecordedPartition { topic_id, incarnation: 1, next_offset: 10 }
    }

    fn found(topic_id: Option<Uuid>, low: i64, end: i64) -> KafkaPartition {
        KafkaPartition { topic_id, low, end }
    }

    #[test]
    fn another_topic_is_taken_neither_for_a_loss_nor_for_more_of_the_same() {
        for (low, end) in [(0, 5), (0, 10), (0, 60), (50, 60)] {
            let compared = compare(&recorded(OLD), &found(NEW, low, end));
            assert_eq!(compared, Comparison::OtherTopic, "{low}..{end}");
        }
    }

    #[test]
    fn without_a_topic_id_the_offsets_alone_decide() {
        for (mine, theirs) in [(None, NEW), (OLD, None), (None, None), (OLD, OLD)] {
            let compare = |low, end| compare(&recorded(mine), &found(theirs, low, end));
            assert_eq!(compare(0, 10), Comparison::Continues);
            assert_eq!(compare(10, 20), Comparison::Continues);
            assert_eq!(compare(11, 20), Comparison::Lost { low: 11 });
            assert_eq!(compare(0, 9), Comparison::EndsEarly { end: 9 });
        }
    }

    #[test]
    fn the_ends_of_different_incarnations_are_never_subtracted() {
        for (mine, low, end, offsets) in [
            (Some(NEW), 0, 25, 15),
            (Some(NEW), 20, 25, 15),
            (Some(OLD), 0, 25, 25),
            (Some(OLD), 3, 7, 4),
            (Some(None), 0, 7, 7),
            (None, 3, 7, 7),
        ] {
            let mine = mine.map(recorded);
            assert_eq!(unrecorded_offsets(mine.as_ref(), &found(NEW, low, end)), offsets);
        }
    }
}
