//! The oracle for "nothing lost, nothing doubled": what a fresh `read_committed` consumer gets out
//! of Kafka has to be the rows of the database, each exactly once, with equal contents, under ids
//! and a ledger that add up.

pub(crate) mod counts;

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::metadata::MetadataTopic;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::Database;
use counts::{DIFFERING_KEYS, WRONG_DUPLICATES};

/// What must hold whatever the records contain.
const COVERAGE: [(&str, &str); 9] = [
    (
        "records without a row",
        "SELECT count(*) FROM oracle LEFT JOIN found USING (topic, partition, kafka_offset) WHERE found.id IS NULL",
    ),
    (
        "rows without a record",
        "SELECT count(*) FROM found LEFT JOIN oracle USING (topic, partition, kafka_offset)
          WHERE oracle.kafka_offset IS NULL",
    ),
    (
        "records with several rows",
        "SELECT count(*) FROM (SELECT FROM found GROUP BY topic, partition, kafka_offset HAVING count(*) > 1) AS twice",
    ),
    (
        "rows that are in no batch, or in several",
        "SELECT count(*) FROM (
             SELECT event_logs.id, count(batch_no) AS batches FROM event_logs
               LEFT JOIN ingest_batches ON id BETWEEN first_id AND last_id
              WHERE partition_id IS NOT NULL GROUP BY event_logs.id) AS covered WHERE batches <> 1",
    ),
    (
        "batches whose rows don't add up",
        "SELECT count(*) FROM ingest_batches WHERE row_count <> (
             SELECT count(*) FROM event_logs WHERE id BETWEEN first_id AND last_id)",
    ),
    (
        "gaps in the batch numbers",
        "SELECT (SELECT batch_no FROM ledger_head) - count(*) FROM ingest_batches",
    ),
    (
        "ranges that don't join up",
        "SELECT count(*) FROM (
             SELECT first_offset, lag(next_offset, 1, 0::bigint)
                    OVER (PARTITION BY partition_id ORDER BY first_offset) AS expected
               FROM ingest_batch_ranges) AS ranges WHERE first_offset <> expected",
    ),
    ("keys whose counts are not those of their rows", DIFFERING_KEYS),
    ("duplicates that are none, or are not known as such", WRONG_DUPLICATES),
];

/// What must hold for native events.
const CONTENT: (&str, &str) = (
    "rows that differ from their record",
    "SELECT count(*) FROM found JOIN oracle USING (topic, partition, kafka_offset)
          WHERE oracle.value LIKE '{%\"event_id\"%\"payload\"%'
            AND (found.event_id::text, found.payload)
                IS DISTINCT FROM (oracle.value::jsonb ->> 'event_id', oracle.value::jsonb -> 'payload')",
);

#[derive(Debug, Default)]
struct Records {
    topics: Vec<String>,
    partitions: Vec<i32>,
    offsets: Vec<i64>,
    values: Vec<Option<String>>,
}

/// What Kafka holds, loaded beside the rows.
pub(crate) struct Oracle<'a> {
    database: &'a Database,
    pub(crate) record_count: i64,
}

impl<'a> Oracle<'a> {
    /// Reads every record of the topics up to their ends now.
    pub(crate) fn read(database: &'a Database, brokers: &str, topics: &[&str]) -> Self {
        let records = read_all(brokers, topics);
        database.execute(
            "DROP TABLE IF EXISTS oracle; CREATE UNLOGGED TABLE oracle
             (topic TEXT, partition INT, kafka_offset BIGINT, value TEXT, PRIMARY KEY (topic, partition, kafka_offset))",
        );
        database.execute_with(
            "INSERT INTO oracle SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[])",
            &[&records.topics, &records.partitions, &records.offsets, &records.values],
        );
        Self { database, record_count: records.offsets.len() as i64 }
    }

    /// What is wrong, in words; empty where everything is right. `event_id` and payload are
    /// compared where the value is an event in the native envelope.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints_of(COVERAGE.iter().chain([&CONTENT]))
    }

    fn complaints_of<'c>(
        &self,
        checks: impl Iterator<Item = &'c (&'c str, &'c str)>,
    ) -> Vec<String> {
        let found = "WITH found AS MATERIALIZED (
            SELECT event_logs.*, topic, partition FROM event_logs JOIN kafka_partitions USING (partition_id)) ";
        checks
            .map(|(what, query)| {
                // Those that begin with tables of their own need no others.
                let has_own = query.trim_start().starts_with("WITH");
                let query = if has_own { (*query).to_owned() } else { format!("{found}{query}") };
                (what, self.database.number(&query))
            })
            .filter(|(_, count)| *count != 0)
            .map(|(what, count)| format!("{what}: {count}"))
            .collect()
    }

    /// Panics unless everything is right.
    pub(crate) fn approve(&self) {
        self.expect_none(&self.complaints());
    }

    /// Panics unless each record is exactly one row; for records that are no native events.
    pub(crate) fn approve_coverage(&self) {
        self.expect_none(&self.complaints_of(COVERAGE.iter()));
    }

    fn expect_none(&self, complaints: &[String]) {
        assert!(
            complaints.is_empty(),
            "of {} records: {}",
            self.record_count,
            complaints.join("; ")
        );
    }
}

fn read_all(brokers: &str, topics: &[&str]) -> Records {
    let consumer: BaseConsumer = match ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "oracle")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .create()
    {
        Ok(consumer) => consumer,
        Err(error) => panic!("no consumer: {error}"),
    };
    let mut open = TopicPartitionList::new();
    let mut ends = Vec::new();
    for topic in topics {
        let metadata = match consumer.fetch_metadata(Some(topic), Duration::from_secs(10)) {
            Ok(metadata) => metadata,
            Err(error) => panic!("{topic}: {error}"),
        };
        for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
            let limits = consumer.fetch_watermarks(topic, partition.id(), Duration::from_secs(10));
            let Ok((low, high)) = limits else { panic!("{topic}: {limits:?}") };
            if high > low {
                assert!(
                    open.add_partition_offset(topic, partition.id(), Offset::Offset(low)).is_ok()
                );
                ends.push(((*topic).to_owned(), partition.id(), high));
            }
        }
    }
    assert!(consumer.assign(&open).is_ok());
    let mut records = Records::default();
    let began = Instant::now();
    loop {
        match consumer.poll(Duration::from_millis(50)) {
            Some(Ok(message)) => {
                records.topics.push(message.topic().to_owned());
                records.partitions.push(message.partition());
                records.offsets.push(message.offset());
                let value =
                    message.payload().and_then(|value| String::from_utf8(value.to_vec()).ok());
                records.values.push(value.filter(|value| !value.contains('\0')));
            }
            Some(Err(error)) => panic!("reading Kafka again: {error}"),
            // The position passes transaction markers too, so it reaches the end in any case.
            None => {
                let Ok(positions) = consumer.position() else { continue };
                let is_read = |(topic, partition, end): &(String, i32, i64)| {
                    positions.find_partition(topic, *partition).is_some_and(|found| {
                        match found.offset() {
                            Offset::Offset(offset) => offset >= *end,
                            _ => false,
                        }
                    })
                };
                if ends.iter().all(is_read) {
                    return records;
                }
                assert!(
                    began.elapsed() < Duration::from_secs(60),
                    "Kafka could not be read again to its end"
                );
            }
        }
    }
}
