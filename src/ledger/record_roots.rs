//! Whether the records that Kafka has are those that batches were made of.

use std::collections::BTreeMap;
use std::ops::Range;

use super::holes::join_ranges;
use crate::event::TopicPartition;
use crate::evidence::Hash;
use crate::evidence::tree::root_of;

/// A batch whose records are read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordClaim {
    /// Its number.
    pub batch_no: i64,
    /// The root over its records.
    pub record_root: Hash,
    /// The ranges that hold them.
    pub ranges: Vec<RecordRange>,
}

/// Offsets of a partition that a batch has the records of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRange {
    /// The partition.
    pub partition: TopicPartition,
    /// The offsets.
    pub offsets: Range<i64>,
    /// How many records they hold.
    pub records: i32,
}

/// What Kafka shows of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordVerdict {
    /// What was recorded.
    Same,
    /// Something else.
    Other,
    /// So many records more than were recorded.
    More(usize),
    /// Fewer records: not to be told.
    Fewer,
}

/// Some batches beside the records of their ranges: the hashes are in memory, and nothing else.
#[derive(Debug, Default)]
pub struct RecordRoots {
    batches: Vec<(RecordClaim, Vec<Vec<Hash>>)>,
    /// By partition, in the order of the offsets: where a batch has what.
    places: BTreeMap<TopicPartition, Vec<(Range<i64>, usize, usize)>>,
    expected: u64,
}

impl RecordRoots {
    /// Takes a batch.
    pub fn add(&mut self, mut claim: RecordClaim) {
        claim.ranges.sort_by(|one, other| {
            let key = |range: &RecordRange| (range.partition.partition, range.offsets.start);
            one.partition
                .topic
                .as_bytes()
                .cmp(other.partition.topic.as_bytes())
                .then(key(one).cmp(&key(other)))
        });
        let batch = self.batches.len();
        for (place, range) in claim.ranges.iter().enumerate() {
            let places = self.places.entry(range.partition.clone()).or_default();
            let at = places.partition_point(|(offsets, ..)| offsets.start < range.offsets.start);
            places.insert(at, (range.offsets.clone(), batch, place));
            self.expected += u64::from(range.records.unsigned_abs());
        }
        let hashes = vec![Vec::new(); claim.ranges.len()];
        self.batches.push((claim, hashes));
    }

    /// How many records the batches have.
    pub fn expected(&self) -> u64 {
        self.expected
    }

    /// How many batches there are.
    pub fn batches(&self) -> u64 {
        self.batches.len() as u64
    }

    /// Whether there is no batch.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// What is to be read, by topic and partition, in order.
    pub fn ranges(&self) -> BTreeMap<String, BTreeMap<i32, Vec<Range<i64>>>> {
        let mut topics: BTreeMap<String, BTreeMap<i32, Vec<Range<i64>>>> = BTreeMap::new();
        for (partition, places) in &self.places {
            let ranges = places.iter().map(|(offsets, ..)| offsets.clone()).collect();
            topics
                .entry(partition.topic.clone())
                .or_default()
                .insert(partition.partition, join_ranges(ranges));
        }
        topics
    }

    /// Takes the hash of a record. Those of a partition come in order.
    pub fn record(&mut self, partition: &TopicPartition, offset: i64, hash: Hash) {
        let Some(places) = self.places.get(partition) else { return };
        let behind = places.partition_point(|(offsets, ..)| offsets.start <= offset);
        let Some((offsets, batch, place)) = behind.checked_sub(1).map(|at| &places[at]) else {
            return;
        };
        if offsets.contains(&offset) {
            self.batches[*batch].1[*place].push(hash);
        }
    }

    /// Judges each batch by the records that were there.
    pub fn judged(self) -> impl Iterator<Item = (RecordClaim, RecordVerdict)> {
        self.batches.into_iter().map(|(claim, hashes)| {
            let found = |place: usize| hashes[place].len();
            let counts = claim.ranges.iter().enumerate();
            let counts =
                counts.map(|(place, range)| (found(place), range.records.unsigned_abs() as usize));
            let (mut more, mut is_fewer) = (0, false);
            for (found, recorded) in counts {
                more += found.saturating_sub(recorded);
                is_fewer |= found < recorded;
            }
            let verdict = match more {
                0 if is_fewer => RecordVerdict::Fewer,
                0 if root_of(hashes.into_iter().flatten()) == claim.record_root => {
                    RecordVerdict::Same
                }
                0 => RecordVerdict::Other,
                more => RecordVerdict::More(more),
            };
            (claim, verdict)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tree::leaf_hash;

    fn hash(topic: &str, partition: i32, offset: i64) -> Hash {
        leaf_hash(format!("{topic} {partition} {offset}").as_bytes())
    }

    fn range(topic: &str, partition: i32, offsets: Range<i64>, records: i32) -> RecordRange {
        RecordRange { partition: TopicPartition::new(topic, partition), offsets, records }
    }

    /// Two batches, the second of which lies before the first in one of the partitions.
    fn roots() -> RecordRoots {
        let first = [("a", 1, 5), ("a", 1, 7), ("b", 0, 0)];
        let second = [("a", 1, 0), ("a", 1, 4), ("a", 10, 3)];
        let root = |records: [(&str, i32, i64); 3]| {
            root_of(records.map(|(topic, partition, offset)| hash(topic, partition, offset)))
        };
        let mut roots = RecordRoots::default();
        roots.add(RecordClaim {
            batch_no: 1,
            record_root: root(first),
            ranges: vec![range("b", 0, 0..1, 1), range("a", 1, 5..9, 2)],
        });
        roots.add(RecordClaim {
            batch_no: 2,
            record_root: root(second),
            ranges: vec![range("a", 10, 3..4, 1), range("a", 1, 0..5, 2)],
        });
        roots
    }

    const ALL: [(&str, i32, i64); 6] =
        [("b", 0, 0), ("a", 10, 3), ("a", 1, 0), ("a", 1, 4), ("a", 1, 5), ("a", 1, 7)];

    fn verdicts(
        records: &[(&str, i32, i64)],
        other: Option<(&str, i32, i64)>,
    ) -> Vec<RecordVerdict> {
        let mut roots = roots();
        for (topic, partition, offset) in records {
            let mut hash = hash(topic, *partition, *offset);
            if other == Some((*topic, *partition, *offset)) {
                hash[0] ^= 1;
            }
            roots.record(&TopicPartition::new(*topic, *partition), *offset, hash);
        }
        roots.judged().map(|(_, verdict)| verdict).collect()
    }

    #[test]
    fn records_are_summed_up_in_the_order_of_topic_partition_and_offset() {
        assert_eq!(verdicts(&ALL, None), [RecordVerdict::Same; 2]);
        let ranges = roots().ranges();
        let of_a: Vec<_> = ranges["a"]
            .iter()
            .map(|(number, ranges)| (*number, ranges.iter().cloned().flatten().collect::<Vec<_>>()))
            .collect();
        assert_eq!(of_a, [(1, (0..9).collect()), (10, vec![3])]);
        assert_eq!(roots().expected(), 6);
    }

    #[test]
    fn what_is_other_more_or_fewer_is_told_apart() {
        let other = verdicts(&ALL, Some(("a", 1, 4)));
        assert_eq!(other, [RecordVerdict::Same, RecordVerdict::Other]);
        let fewer = verdicts(&ALL[1..], None);
        assert_eq!(fewer, [RecordVerdict::Fewer, RecordVerdict::Same]);
        let mut more = ALL.to_vec();
        more.push(("a", 1, 8));
        assert_eq!(verdicts(&more, None), [RecordVerdict::More(1), RecordVerdict::Same]);
        let mut beyond = ALL.to_vec();
        beyond.extend([("a", 1, 9), ("c", 0, 0)]);
        assert_eq!(verdicts(&beyond, None), [RecordVerdict::Same; 2]);
    }
}
