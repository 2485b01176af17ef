//! What `audit status` shows of the database.

use chrono::{DateTime, Utc};

use crate::event::TopicPartition;
use crate::store::Error;
use crate::store::connection::session::Session;
use crate::time::PostgresMicros;

/// A partition, newest incarnation.
#[derive(Debug, Clone)]
pub struct PartitionStatus {
    /// The cluster.
    pub cluster_id: String,
    /// The partition.
    pub partition: TopicPartition,
    /// The first offset that is not recorded yet.
    pub next_offset: i64,
    /// Offsets that Kafka had deleted before they were read, of all incarnations.
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
    let rows = session.client()
        .query(
            "SELECT DISTINCT ON (topic, partition, cluster_id)
                    cluster_id, topic, partition, next_offset,
                    (SELECT coalesce(sum(lost.next_offset - lost.first_offset), 0)::bigint
                       FROM ingest_batch_ranges lost JOIN kafka_partitions each USING (partition_id)
                      WHERE kind = 'lost' AND each.topic = known.topic AND each.partition = known.partition
                        AND each.cluster_id = known.cluster_id),
                    (SELECT recorded_at FROM ingest_batches JOIN ingest_batch_ranges ranges USING (batch_no)
                      WHERE ranges.partition_id = known.partition_id ORDER BY first_offset DESC LIMIT 1),
                    claimed_by
               FROM kafka_partitions known ORDER BY topic, partition, cluster_id, incarnation DESC",
            &[],
        )
        .await
        .map_err(Error::query("reading the partitions"))?;
    let overview = |row: &tokio_postgres::Row| PartitionStatus {
        cluster_id: row.get(0),
        partition: TopicPartition { topic: row.get(1), partition: row.get(2) },
        next_offset: row.get(3),
        lost: row.get(4),
        recorded_at: row.get(5),
        claimed_by: row.get(6),
    };
    Ok(rows.iter().map(overview).collect())
}

/// Single facts about the database.
#[derive(Debug, Clone)]
pub struct DatabaseStatus {
    /// Rows that ingest recorded.
    pub rows: i64,
    /// The last batch.
    pub batches: i64,
    /// When it was recorded.
    pub newest_batch_at: Option<DateTime<Utc>>,
    /// When the newest event happened, in microseconds since 2000-01-01.
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
    let row = session.client()
        .query_one(
            "SELECT head.row_count, head.batch_no,
                    (SELECT recorded_at FROM ingest_batches batch WHERE batch.batch_no = head.batch_no),
                    (SELECT max(created_at) FROM event_logs),
                    (SELECT count(*) FROM event_logs WHERE event_type = 'audit.Quarantined'),
                    (SELECT count(*) FROM dead_letters),
                    (SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint FROM pg_partition_tree('event_logs'))
               FROM ledger_head head",
            &[],
        )
        .await
        .map_err(Error::query("reading the ledger"))?;
    Ok(DatabaseStatus {
        rows: row.get(0),
        batches: row.get(1),
        newest_batch_at: row.get(2),
        newest_event_at: row.get(3),
        quarantined: row.get(4),
        dead_letters: row.get(5),
        bytes: row.get(6),
    })
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
    let rows = session.client()
        .query(
            "SELECT topic, partition, first_offset, lost.next_offset, recorded_at
               FROM ingest_batch_ranges lost JOIN kafka_partitions USING (partition_id) JOIN ingest_batches USING (batch_no)
              WHERE kind = 'lost' ORDER BY batch_no DESC, topic, partition, first_offset LIMIT $1",
            &[&limit],
        )
        .await
        .map_err(Error::query("reading what was lost"))?;
    let range = |row: &tokio_postgres::Row| LostRange {
        partition: TopicPartition { topic: row.get(0), partition: row.get(1) },
        first_offset: row.get(2),
        next_offset: row.get(3),
        recorded_at: row.get(4),
    };
    Ok(rows.iter().map(range).collect())
}

/// Counts the rows that are a second or later delivery of their event. Reads the whole index on
/// `event_id`. Dead letters repeat their event by nature, and do not count.
///
/// # Errors
/// `Error::Query`.
pub async fn count_duplicates(session: &Session) -> Result<i64, Error> {
    let row = session.client()
        .query_one(
            "SELECT coalesce(sum(deliveries - 1), 0)::bigint
               FROM (SELECT count(*) AS deliveries FROM event_logs WHERE NOT is_dlt GROUP BY event_id HAVING count(*) > 1) AS repeated",
            &[],
        )
        .await
        .map_err(Error::query("counting duplicate deliveries"))?;
    Ok(row.get(0))
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
    let rows = session
        .client()
        .query(
            "SELECT split_part(application_name, ' ', 3) AS name, min(backend_start)
               FROM pg_stat_activity
              WHERE datname = current_database() AND application_name LIKE 'audit ingest _%'
              GROUP BY 1 ORDER BY 1",
            &[],
        )
        .await
        .map_err(Error::query("looking for ingesters"))?;
    Ok(rows
        .iter()
        .map(|row| IngesterStatus { name: row.get(0), connected_at: row.get(1) })
        .collect())
}
