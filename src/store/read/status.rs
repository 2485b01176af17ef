//! What `audit status` shows of the database.

use chrono::{DateTime, Utc};
use tokio_postgres::types::Type;

use crate::event::TopicPartition;
use crate::ledger::RecordedPartition;
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::counted::Counting;
use crate::store::search::first_delivery::{Deliveries, is_delivery};
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

/// With more rows than this that are not counted yet, or were not searched, the rest is not read
/// for a status: it would take longer than a few seconds.
const MUCH: i64 = 1_000_000;

/// Reads the facts, in a transaction that reads `counting`, too. The number of rows is the
/// ledger's, how many are quarantined or dead letters comes from `event_counts`.
///
/// # Errors
/// `Error::Query`.
pub async fn database_status(
    session: &Session,
    counting: &Counting,
) -> Result<DatabaseStatus, Error> {
    let mut parameters = Parameters::default();
    // Two indexes count the whole table sooner than a join counts the most of it.
    let marked = if counting.uncounted_rows > MUCH {
        "(SELECT (SELECT count(*) FROM event_logs WHERE event_type = 'audit.Quarantined') AS quarantined,
                 (SELECT count(*) FROM dead_letters) AS dead_letters) marked"
            .to_owned()
    } else {
        let uncounted = counting.uncounted("event", &mut parameters);
        format!(
            "(SELECT coalesce(sum(events) FILTER (WHERE event_type = 'audit.Quarantined'), 0)::bigint AS quarantined,
                 coalesce(sum(events) FILTER (WHERE is_dlt), 0)::bigint AS dead_letters
            FROM (SELECT event_type, is_dlt, events FROM event_counts_by_day
                  UNION ALL
                  SELECT event_type, is_dlt, events FROM event_counts WHERE NOT merged
                  UNION ALL
                  SELECT event_type, is_dlt, 1 FROM {uncounted}) AS counted) marked"
        )
    };
    let sql = format!(
        "SELECT head.row_count, head.batch_no,
       (SELECT recorded_at FROM ingest_batches batch WHERE batch.batch_no = head.batch_no),
       (SELECT max(created_at) FROM event_logs),
       quarantined, dead_letters,
       (SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint FROM pg_partition_tree('event_logs'))
  FROM ledger_head head, {marked}"
    );
    Statement { sql, parameters }
        .row(session, "reading the ledger", |row| {
            Ok(DatabaseStatus {
                rows: row.try_get(0)?,
                batches: row.try_get(1)?,
                newest_batch_at: row.try_get(2)?,
                newest_event_at: row.try_get(3)?,
                quarantined: row.try_get(4)?,
                dead_letters: row.try_get(5)?,
                bytes: row.try_get(6)?,
            })
        })
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

/// How many rows deliver an event again. Dead letters, tombstones and quarantined records are no
/// deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// So many.
    Exactly(i64),
    /// So many among the rows that were searched.
    AtLeast(i64),
}

/// Adds what is known to what is found in the rest, in a transaction that reads `counting`, too; of
/// a large rest only where `all` are asked for, which reads the whole index on `event_id`.
///
/// # Errors
/// `Error::Query`.
pub async fn duplicates(
    session: &Session,
    counting: &Counting,
    all: bool,
) -> Result<Duplicates, Error> {
    let counted = "counting duplicate deliveries";
    if !has_much_to_search(session, counting).await? {
        let deliveries = Deliveries::read(session).await?;
        let mut parameters = Parameters::default();
        let unsearched = counting.unsearched("event", &mut parameters);
        let is_repeated = deliveries.is_repeated("event", &mut parameters);
        let sql = format!("SELECT count(*) FROM {unsearched}\n WHERE {is_repeated}");
        let statement = Statement { sql, parameters };
        let rest: i64 = statement.row(session, counted, |row| row.try_get(0)).await?;
        return Ok(Duplicates::Exactly(counting.duplicates + rest));
    }
    if !all {
        return Ok(Duplicates::AtLeast(counting.duplicates));
    }
    let sql = format!(
        "SELECT coalesce(sum(deliveries - 1), 0)::bigint
                 FROM (SELECT count(*) AS deliveries FROM event_logs event WHERE {}
                        GROUP BY event_id HAVING count(*) > 1) AS repeated",
        is_delivery("event")
    );
    Ok(Duplicates::Exactly(session.row(counted, &sql, &[], |row| row.try_get(0)).await?))
}

/// How many rows are known to deliver an event again: all but those that were not searched yet.
///
/// # Errors
/// `Error::Query`.
pub async fn known_duplicates(session: &Session) -> Result<i64, Error> {
    let sql = "SELECT coalesce(max(duplicates), 0) FROM event_count_state";
    session.row("reading how many duplicates are known", sql, &[], |row| row.try_get(0)).await
}

/// Whether so many rows were not searched, or not written by an ingester, that looking at them
/// would take longer than a few seconds.
pub(super) async fn has_much_to_search(
    session: &Session,
    counting: &Counting,
) -> Result<bool, Error> {
    if counting.unsearched_rows > MUCH {
        return Ok(true);
    }
    let mut parameters = Parameters::default();
    let foreign = counting.outside_batches("event", &mut parameters);
    let much = parameters.bind(MUCH, Type::INT8);
    let sql = format!("SELECT count(*) > {much} FROM ({foreign} LIMIT {much} + 1) AS foreign_rows");
    let what = "counting rows outside the ledger";
    Statement { sql, parameters }.row(session, what, |row| row.try_get(0)).await
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

/// A process that appends to a table of a data lake, and is connected to the database now.
#[derive(Debug, Clone)]
pub struct LakeWriter {
    /// The last batch that its table holds, as it says itself; `None` where it says none.
    pub batch_no: Option<i64>,
    /// How many batches its table lacks.
    pub batches_behind: Option<i64>,
    /// When the first of those was recorded.
    pub behind_since: Option<DateTime<Utc>>,
    /// Since when it is connected.
    pub connected_at: Option<DateTime<Utc>>,
}

/// The lake writers that are alive, by their connections' `application_name`.
///
/// # Errors
/// `Error::Query`.
pub async fn lake_writers(session: &Session) -> Result<Vec<LakeWriter>, Error> {
    session
        .rows(
            "looking for lake writers",
            "SELECT writer.batch_no, head.batch_no - writer.batch_no,
                    (SELECT recorded_at FROM ingest_batches next WHERE next.batch_no = writer.batch_no + 1),
                    writer.connected_at
               FROM (SELECT substring(application_name FROM '^audit lake ([0-9]{1,18})$')::bigint AS batch_no,
                            backend_start AS connected_at
                       FROM pg_stat_activity
                      WHERE datname = current_database() AND application_name LIKE 'audit lake%') AS writer
              CROSS JOIN ledger_head head
              ORDER BY writer.connected_at",
            &[],
            |row| {
                Ok(LakeWriter {
                    batch_no: row.try_get(0)?,
                    batches_behind: row.try_get(1)?,
                    behind_since: row.try_get(2)?,
                    connected_at: row.try_get(3)?,
                })
            },
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
