//! What `audit status` shows of the database.

use chrono::{DateTime, Utc};
use tokio_postgres::types::Type;

use crate::event::TopicPartition;
use crate::ledger::RecordedPartition;
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::time::PostgresMicros;

/// The newest incarnation of a partition.
#[derive(Debug, Clone)]
pub struct PartitionStatus {
    /// The cluster.
    pub cluster_id: String,
    /// The partition.
    pub partition: TopicPartition,
    /// What is recorded of it; `None` where Kafka has it and nobody has claimed it yet.
    pub recorded: Option<RecordedPartition>,
    /// How many offsets Kafka had deleted before they were read, of all incarnations.
    pub lost: i64,
    /// When its last batch was recorded.
    pub recorded_at: Option<DateTime<Utc>>,
    /// The ingester that claimed it last.
    pub claimed_by: Option<String>,
}

/// Every partition, by topic and number.
///
/// # Errors
/// `Error::Query`.
pub async fn partition_statuses(session: &Session) -> Result<Vec<PartitionStatus>, Error> {
    session
        .rows(
            "reading the partitions",
            "SELECT DISTINCT ON (topic, partition, cluster_id)
                    cluster_id, topic, partition, topic_id, incarnation, next_offset,
                    (SELECT coalesce(sum(lost.next_offset - lost.first_offset), 0)::bigint
                       FROM ingest_batch_ranges lost JOIN kafka_partitions each USING (partition_id)
                      WHERE kind = 'lost' AND each.topic = known.topic AND each.partition = known.partition
                        AND each.cluster_id = known.cluster_id),
                    (SELECT recorded_at FROM ingest_batches JOIN ingest_batch_ranges ranges USING (batch_no)
                      WHERE ranges.partition_id = known.partition_id ORDER BY first_offset DESC LIMIT 1),
                    claimed_by
               FROM kafka_partitions known ORDER BY topic, partition, cluster_id, incarnation DESC",
            &[],
            |row| {
                Ok(PartitionStatus {
                    cluster_id: row.try_get(0)?,
                    partition: TopicPartition { topic: row.try_get(1)?, partition: row.try_get(2)? },
                    recorded: Some(RecordedPartition {
                        topic_id: row.try_get(3)?,
                        incarnation: row.try_get(4)?,
                        next_offset: row.try_get(5)?,
                    }),
                    lost: row.try_get(6)?,
                    recorded_at: row.try_get(7)?,
                    claimed_by: row.try_get(8)?,
                })
            },
        )
        .await
}

/// Facts about the database as a whole.
#[derive(Debug, Clone)]
pub struct DatabaseStatus {
    /// Rows that ingest recorded.
    pub rows: i64,
    /// The number of the last batch, which is how many there are.
    pub batches: i64,
    /// When it was recorded.
    pub newest_batch_at: Option<DateTime<Utc>>,
    /// When the newest event happened.
    pub newest_event_at: Option<PostgresMicros>,
    /// Quarantined rows.
    pub quarantined: i64,
    /// Rows of dead letter topics.
    pub dead_letters: i64,
    /// Size of `event_logs` with its indexes, in bytes.
    pub bytes: i64,
}

/// Reads the facts. The counts use indexes; the number of rows is the ledger's.
///
/// # Errors
/// `Error::Query`.
pub async fn database_status(session: &Session) -> Result<DatabaseStatus, Error> {
    session
        .row(
            "reading the ledger",
            "SELECT head.row_count, head.batch_no,
                    (SELECT recorded_at FROM ingest_batches batch WHERE batch.batch_no = head.batch_no),
                    (SELECT max(created_at) FROM event_logs),
                    (SELECT count(*) FROM event_logs WHERE event_type = 'audit.Quarantined'),
                    (SELECT count(*) FROM dead_letters),
                    (SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint FROM pg_partition_tree('event_logs'))
               FROM ledger_head head",
            &[],
            |row| {
                Ok(DatabaseStatus {
                    rows: row.try_get(0)?,
                    batches: row.try_get(1)?,
                    newest_batch_at: row.try_get(2)?,
                    newest_event_at: row.try_get(3)?,
                    quarantined: row.try_get(4)?,
                    dead_letters: row.try_get(5)?,
                    bytes: row.try_get(6)?,
                })
            },
        )
        .await
}

/// Offsets that Kafka had deleted before they were read.
#[derive(Debug, Clone)]
pub struct LostRange {
    /// The partition.
    pub partition: TopicPartition,
    /// The first offset.
    pub first_offset: i64,
    /// One past the last offset.
    pub next_offset: i64,
    /// When the loss was declared.
    pub recorded_at: DateTime<Utc>,
}

/// The ranges that were lost, the latest first, `limit` of them at most.
///
/// # Errors
/// `Error::Query`.
pub async fn lost_ranges(session: &Session, limit: i64) -> Result<Vec<LostRange>, Error> {
    session
        .rows(
            "reading what was lost",
            "SELECT topic, partition, first_offset, lost.next_offset, recorded_at
               FROM ingest_batch_ranges lost JOIN kafka_partitions USING (partition_id) JOIN ingest_batches USING (batch_no)
              WHERE kind = 'lost' ORDER BY batch_no DESC, topic, partition, first_offset LIMIT $1",
            &[(&limit, Type::INT8)],
            |row| {
                Ok(LostRange {
                    partition: TopicPartition { topic: row.try_get(0)?, partition: row.try_get(1)? },
                    first_offset: row.try_get(2)?,
                    next_offset: row.try_get(3)?,
                    recorded_at: row.try_get(4)?,
                })
            },
        )
        .await
}

/// Counts the rows that are a second or later delivery of their event. Reads the whole index on
/// `event_id`. Dead letters repeat their event by nature, and do not count.
///
/// # Errors
/// `Error::Query`.
pub async fn count_duplicates(session: &Session) -> Result<i64, Error> {
    session
        .row(
            "counting duplicate deliveries",
            "SELECT coalesce(sum(deliveries - 1), 0)::bigint
               FROM (SELECT count(*) AS deliveries FROM event_logs WHERE NOT is_dlt GROUP BY event_id HAVING count(*) > 1) AS repeated",
            &[],
            |row| row.try_get(0),
        )
        .await
}

/// An ingester that is connected to the database now.
#[derive(Debug, Clone)]
pub struct IngesterStatus {
    /// Host and process, as the ledger names it.
    pub name: String,
    /// Since when it is connected.
    pub connected_at: Option<DateTime<Utc>>,
}

/// The ingesters that are alive, by their connections' `application_name`.
///
/// # Errors
/// `Error::Query`.
pub async fn ingester_statuses(session: &Session) -> Result<Vec<IngesterStatus>, Error> {
    session
        .rows(
            "looking for ingesters",
            "SELECT split_part(application_name, ' ', 3) AS name, min(backend_start)
               FROM pg_stat_activity
              WHERE datname = current_database() AND application_name LIKE 'audit ingest _%'
              GROUP BY 1 ORDER BY 1",
            &[],
            |row| Ok(IngesterStatus { name: row.try_get(0)?, connected_at: row.try_get(1)? }),
        )
        .await
}

/// When the server was started, as a number that names this run of it.
///
/// # Errors
/// `Error::Query`.
pub async fn server_start(session: &Session) -> Result<String, Error> {
    let sql = "SELECT to_hex((extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint)";
    session.row("asking when the server was started", sql, &[], |row| row.try_get(0)).await
}
