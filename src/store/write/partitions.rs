//! Claims on partitions: who may write, from which offset on.

use tokio_postgres::Transaction;
use uuid::Uuid;

use crate::event::TopicPartition;
use crate::store::Error;
use crate::store::connection::session::Session;

/// A partition as Kafka has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionKey {
    /// The topic and the number.
    pub partition: TopicPartition,
    /// Kafka's id of the topic, where the broker tells it.
    pub topic_id: Option<Uuid>,
}

/// A partition that this process may write, until somebody else claims it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The partition as Kafka has it now.
    pub key: PartitionKey,
    /// `kafka_partitions.partition_id`.
    pub partition_id: i32,
    /// The fence: a batch commits only while the row still has this epoch.
    pub epoch: i64,
    /// The first offset that is not recorded yet.
    pub next_offset: i64,
    /// The topic id that the recorded offsets belong to; another one than the key's means a
    /// re-created topic.
    pub recorded_topic_id: Option<Uuid>,
}

/// How far a partition is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionProgress {
    /// The partition.
    pub partition: TopicPartition,
    /// The first offset that is not recorded yet.
    pub next_offset: i64,
}

/// Claims the newest incarnation of each partition in one transaction: raises its epoch, so that no
/// batch of an earlier owner can commit any more, and reads from where to go on. Waits up to 5 s
/// for an owner whose batch is just being written.
///
/// # Errors
/// `Error::Query`; SQLSTATE 55P03 (transient) where the wait was too long.
pub async fn claim(
    session: &mut Session,
    cluster_id: &str,
    keys: &[PartitionKey],
    claimed_by: &str,
) -> Result<Vec<Claim>, Error> {
    let failed = || Error::query("claiming partitions");
    let transaction = session.client_mut().transaction().await.map_err(failed())?;
    transaction.batch_execute("SET LOCAL lock_timeout = '5s'").await.map_err(failed())?;
    let (topics, ids, numbers) = columns(keys);
    transaction
        .execute(
            "INSERT INTO kafka_partitions (cluster_id, topic, topic_id, partition)
             SELECT $1, wanted.topic, wanted.topic_id, wanted.partition
               FROM unnest($2::text[], $3::uuid[], $4::int[]) AS wanted (topic, topic_id, partition)
              WHERE NOT EXISTS (SELECT FROM kafka_partitions known
                                 WHERE known.cluster_id = $1 AND known.topic = wanted.topic
                                   AND known.partition = wanted.partition)
             ON CONFLICT DO NOTHING",
            &[&cluster_id, &topics, &ids, &numbers],
        )
        .await
        .map_err(failed())?;
    let newest = transaction
        .query(
            "SELECT DISTINCT ON (known.topic, known.partition) known.partition_id, wanted.place
               FROM unnest($2::text[], $3::int[]) WITH ORDINALITY AS wanted (topic, partition, place)
               JOIN kafka_partitions known
                 ON known.cluster_id = $1 AND known.topic = wanted.topic AND known.partition = wanted.partition
              ORDER BY known.topic, known.partition, known.incarnation DESC",
            &[&cluster_id, &topics, &numbers],
        )
        .await
        .map_err(failed())?;
    let mut newest: Vec<(i32, i64)> = newest.iter().map(|row| (row.get(0), row.get(1))).collect();
    // In the order in which batches lock them, so that claims and batches can't wait for each other
    // in a circle.
    newest.sort_unstable();
    let mut claims = Vec::with_capacity(newest.len());
    for (partition_id, place) in newest {
        let Some(key) = usize::try_from(place - 1).ok().and_then(|index| keys.get(index)) else {
            continue;
        };
        claims.push(raise_epoch(&transaction, partition_id, key, claimed_by).await?);
    }
    transaction.commit().await.map_err(failed())?;
    Ok(claims)
}

async fn raise_epoch(
    transaction: &Transaction<'_>,
    partition_id: i32,
    key: &PartitionKey,
    claimed_by: &str,
) -> Result<Claim, Error> {
    let row = transaction
        .query_one(
            "UPDATE kafka_partitions
                SET epoch = epoch + 1, claimed_by = $2, claimed_at = clock_timestamp(), topic_id = coalesce(topic_id, $3)
              WHERE partition_id = $1
             RETURNING epoch, next_offset, topic_id",
            &[&partition_id, &claimed_by, &key.topic_id],
        )
        .await
        .map_err(Error::query("claiming a partition"))?;
    Ok(Claim {
        key: key.clone(),
        partition_id,
        epoch: row.get(0),
        next_offset: row.get(1),
        recorded_topic_id: row.get(2),
    })
}

/// Begins a new incarnation of a partition whose topic was deleted and made again: its offsets
/// start at 0, and what was recorded of the old topic stays.
///
/// # Errors
/// `Error::Query`.
pub async fn begin_incarnation(
    session: &mut Session,
    cluster_id: &str,
    key: &PartitionKey,
    claimed_by: &str,
) -> Result<Claim, Error> {
    let failed = || Error::query("beginning a new incarnation of a partition");
    let transaction = session.client_mut().transaction().await.map_err(failed())?;
    let partition_id: i32 = transaction
        .query_one(
            "INSERT INTO kafka_partitions (cluster_id, topic, topic_id, partition, incarnation)
             SELECT $1, $2, $3, $4, max(incarnation) + 1 FROM kafka_partitions
              WHERE cluster_id = $1 AND topic = $2 AND partition = $4
             RETURNING partition_id",
            &[&cluster_id, &key.partition.topic, &key.topic_id, &key.partition.partition],
        )
        .await
        .map_err(failed())?
        .get(0);
    let claim = raise_epoch(&transaction, partition_id, key, claimed_by).await?;
    transaction.commit().await.map_err(failed())?;
    Ok(claim)
}

/// Ends the sessions that hold the rows of these partitions locked, and returns how many: an owner
/// that froze in the middle of a batch would keep everybody else waiting for as long as its machine
/// answers TCP. A role may end the sessions of its own members.
///
/// # Errors
/// `Error::Query`.
pub async fn end_lock_holders(
    session: &Session,
    cluster_id: &str,
    keys: &[PartitionKey],
) -> Result<usize, Error> {
    let (topics, _, numbers) = columns(keys);
    let ended = session.client()
        .query(
            "SELECT pg_terminate_backend(holder.pid)
               FROM kafka_partitions known
               JOIN unnest($2::text[], $3::int[]) AS wanted (topic, partition) USING (topic, partition)
               JOIN pg_locks holder ON holder.locktype = 'transactionid' AND holder.transactionid = known.xmax
                                   AND holder.granted AND holder.pid <> pg_backend_pid()
              WHERE known.cluster_id = $1",
            &[&cluster_id, &topics, &numbers],
        )
        .await
        .map_err(Error::query("ending the session of a frozen ingester"))?;
    Ok(ended.len())
}

/// How far every known partition of the topics is recorded, newest incarnations only.
///
/// # Errors
/// `Error::Query`.
pub async fn partition_progress(
    session: &Session,
    cluster_id: &str,
    topics: &[String],
) -> Result<Vec<PartitionProgress>, Error> {
    let rows = session
        .client()
        .query(
            "SELECT DISTINCT ON (topic, partition) topic, partition, next_offset
               FROM kafka_partitions WHERE cluster_id = $1 AND topic = ANY ($2)
              ORDER BY topic, partition, incarnation DESC",
            &[&cluster_id, &topics],
        )
        .await
        .map_err(Error::query("reading how far the partitions are recorded"))?;
    Ok(rows
        .iter()
        .map(|row| PartitionProgress {
            partition: TopicPartition { topic: row.get(0), partition: row.get(1) },
            next_offset: row.get(2),
        })
        .collect())
}

/// The topics of which something is recorded, or claimed.
///
/// # Errors
/// `Error::Query`.
pub async fn known_topics(session: &Session) -> Result<Vec<String>, Error> {
    let rows = session
        .client()
        .query("SELECT DISTINCT topic FROM kafka_partitions ORDER BY topic", &[])
        .await
        .map_err(Error::query("reading the topics"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The id that `audit migrate` gave the database: the default consumer group is made of it.
///
/// # Errors
/// `Error::Query`.
pub async fn installation_id(session: &Session) -> Result<Uuid, Error> {
    let row = session
        .client()
        .query_one("SELECT id FROM audit_installation", &[])
        .await
        .map_err(Error::query("reading the id of this database"))?;
    Ok(row.get(0))
}

fn columns(keys: &[PartitionKey]) -> (Vec<&str>, Vec<Option<Uuid>>, Vec<i32>) {
    let topics = keys.iter().map(|key| key.partition.topic.as_str()).collect();
    let ids = keys.iter().map(|key| key.topic_id).collect();
    let numbers = keys.iter().map(|key| key.partition.partition).collect();
    (topics, ids, numbers)
}
