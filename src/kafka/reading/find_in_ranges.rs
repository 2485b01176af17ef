//! Looks for records at offsets that should hold none.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use super::assigned_consumer::{is_passing, reader};
use crate::kafka::cluster::REQUEST;
use crate::kafka::{Error, Settings};

/// Records between two ranges that are read over rather than jumped over: a jump throws away what
/// was fetched, which is about as many.
const WORTH_A_JUMP: i64 = 20_000;

/// What is still to be looked at in a partition.
struct Search<'a> {
    ranges: &'a [Range<i64>],
    found: Vec<i64>,
    /// How many offsets of the ranges are behind it.
    passed: u64,
}

/// Tells at which offsets of the ranges, by partition of the topic, Kafka shows a record to a
/// `read_committed` consumer. The ranges of a partition are in order and don't overlap. Offsets
/// that Kafka no longer has show nothing. `told` hears now and then how many offsets of the ranges
/// are behind it.
///
/// # Errors
/// `Error::Client`, and `Error::Search` where a partition can't be read to the end of its last
/// range.
pub fn find_in_ranges(
    settings: &Settings,
    topic: &str,
    ranges: &BTreeMap<i32, Vec<Range<i64>>>,
    told: impl Fn(u64),
) -> Result<BTreeMap<i32, Vec<i64>>, Error> {
    let what = || format!("looking for records in the holes of {topic}");
    let more = [("isolation.level", "read_committed"), ("enable.partition.eof", "true")];
    let consumer = reader(settings, &more, &what())?;
    let mut open: BTreeMap<i32, Search<'_>> = BTreeMap::new();
    let mut assignment = TopicPartitionList::new();
    for (partition, ranges) in ranges {
        let Some(first) = ranges.first() else { continue };
        assignment
            .add_partition_offset(topic, *partition, Offset::Offset(first.start))
            .map_err(Error::client(what()))?;
        open.insert(*partition, Search { ranges, found: Vec::new(), passed: 0 });
    }
    consumer.assign(&assignment).map_err(Error::client(what()))?;
    let mut found = BTreeMap::new();
    let mut passed = 0;
    let mut silent = Duration::ZERO;
    while !open.is_empty() {
        const WAIT: Duration = Duration::from_millis(200);
        if silent > REQUEST {
            return Err(Error::Search { topic: topic.to_owned() });
        }
        let polled = consumer.poll(WAIT);
        silent = if polled.is_some() { Duration::ZERO } else { silent + WAIT };
        let (partition, next) = match polled {
            Some(Ok(message)) => {
                let Some(search) = open.get_mut(&message.partition()) else { continue };
                let before = search.passed;
                let next = search.advance(message.offset());
                if search.passed > before {
                    passed += search.passed - before;
                    told(passed);
                }
                (message.partition(), next)
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => (partition, Next::Done),
            Some(Err(error)) if error.rdkafka_error_code().is_some_and(is_passing) => {
                silent += WAIT;
                continue;
            }
            Some(Err(source)) => return Err(Error::Client { what: what(), source }),
            None => continue,
        };
        match next {
            Next::Read => {}
            Next::Jump(offset) => consumer
                .seek(topic, partition, Offset::Offset(offset), REQUEST)
                .map_err(Error::client(what()))?,
            Next::Done => {
                let mut done = TopicPartitionList::new();
                done.add_partition(topic, partition);
                consumer.pause(&done).map_err(Error::client(what()))?;
                if let Some(search) = open.remove(&partition) {
                    passed += search.ranges.iter().map(length).sum::<u64>();
                    told(passed);
                    found.insert(partition, search.found);
                }
            }
        }
    }
    Ok(found)
}

/// What comes after a record.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Read,
    Jump(i64),
    Done,
}

impl Search<'_> {
    /// Takes note of a record.
    fn advance(&mut self, offset: i64) -> Next {
        while let Some((passed, rest)) = self.ranges.split_first()
            && passed.end <= offset
        {
            self.passed += length(passed);
            self.ranges = rest;
        }
        let Some(range) = self.ranges.first() else { return Next::Done };
        if range.contains(&offset) {
            self.found.push(offset);
        }
        if range.start - offset > WORTH_A_JUMP { Next::Jump(range.start) } else { Next::Read }
    }
}

fn length(range: &Range<i64>) -> u64 {
    (range.end - range.start).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_within_the_ranges_are_found_and_far_ranges_are_jumped_to() {
        let ranges = [3..4, 6..9, 100_000..100_001];
        let mut search = Search { ranges: &ranges, found: Vec::new(), passed: 0 };
        let next: Vec<Next> = [3, 5, 7, 8, 9, 100_000, 100_001]
            .into_iter()
            .map(|offset| search.advance(offset))
            .collect();
        assert_eq!(search.found, [3, 7, 8, 100_000]);
        assert_eq!(search.passed, 1 + 3 + 1);
        assert_eq!(next[..4], [Next::Read, Next::Read, Next::Read, Next::Read]);
        assert_eq!(next[4..], [Next::Jump(100_000), Next::Read, Next::Done]);
    }
}
