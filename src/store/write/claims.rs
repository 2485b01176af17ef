//! Claims on partitions: who may write, from which offset on.

use std::sync::Arc;

use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Transaction};
use uuid::Uuid;

use crate::event::TopicPartition;
use crate::ledger::{PartitionIdentity, RecordedPartition};
use crate::store::connection::query;
use crate::store::connection::session::Session;
use crate::store::error::Error;

/// A partition as Kafka has it, whose topic may have been deleted and made again under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicIdPartition {
    /// The topic and the number.
    pub name: TopicPartition,
    /// Kafka's id of the topic, where the broker tells it.
    pub topic_id: Option<Uuid>,
}

/// A partition that this process may write, until somebody else claims it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The partition as Kafka has it now.
    pub partition: TopicIdPartition,
    /// `kafka_partitions.partition_id`.
    pub partition_id: i32,
    /// The fence: a batch commits only while the row still has this epoch.
    pub epoch: i64,
    /// What is recorded of it. Another topic id than the partition's means a re-created topic.
    pub recorded: RecordedPartition,
    /// The cluster.
    pub cluster_id: Arc<str>,
}

impl Claim {
    /// What the ledger's log knows the partition by.
    pub fn identity(&self) -> PartitionIdentity {
        PartitionIdentity {
            cluster_id: Arc::clone(&self.cluster_id),
            name: self.partition.name.clone(),
            topic_id: self.recorded.topic_id,
            incarnation: self.recorded.incarnation,
        }
    }
}

/// What claiming does, in errors.
const CLAIMING: &str = "claiming partitions";

/// Claims the newest incarnation of each partition in one transaction: raises its epoch, so that no
/// batch of an earlier owner can commit any more, and reads from where to go on. Waits up to 5 s
/// for an owner whose batch is just being written.
///
/// # Errors
/// `Error::Query`; SQLSTATE 55P03 (transient) where the wait was too long.
pub async fn claim(
    session: &mut Session,
    cluster_id: &str,
    partitions: &[TopicIdPartition],
    claimed_by: &str,
) -> Result<Vec<Claim>, Error> {
    let failed = || Error::query(CLAIMING);
    let transaction = session.client_mut().transaction().await.map_err(failed())?;
    transaction.batch_execute("SET LOCAL lock_timeout = '5s'").await.map_err(failed())?;
    let columns = PartitionColumns::new(partitions);
    register(&transaction, cluster_id, &columns).await?;
    let mut newest: Vec<(i32, i64)> = query::rows(
        &transaction,
        CLAIMING,
        "SELECT DISTINCT ON (known.topic, known.partition) known.partition_id, wanted.place
               FROM unnest($2::text[], $3::int[]) WITH ORDINALITY AS wanted (topic, partition, place)
               JOIN kafka_partitions known
                 ON known.cluster_id = $1 AND known.topic = wanted.topic AND known.partition = wanted.partition
              ORDER BY known.topic, known.partition, known.incarnation DESC",
        &[
            (&cluster_id, Type::TEXT),
            (&columns.topics, Type::TEXT_ARRAY),
            (&columns.partitions, Type::INT4_ARRAY),
        ],
        |row| Ok((row.try_get(0)?, row.try_get(1)?)),
    )
    .await?;
    // Sorts them into the order in which batches lock them, so that claims and batches can't wait
    // for each other in a circle.
    newest.sort_unstable();
    let mut claims = Vec::with_capacity(newest.len());
    for (partition_id, place) in newest {
        let Some(partition) =
            usize::try_from(place - 1).ok().and_then(|index| partitions.get(index))
        else {
            continue;
        };
        claims.push(raise_epoch(&transaction, partition_id, partition, claimed_by).await?);
    }
    transaction.commit().await.map_err(failed())?;
    Ok(claims)
}

/// Makes partitions known that are not yet, so that whoever asks what is recorded hears of them,
/// also before an ingester gets them.
///
/// # Errors
/// `Error::Query`.
pub async fn register_partitions(
    session: &Session,
    cluster_id: &str,
    partitions: &[TopicIdPartition],
) -> Result<(), Error> {
    register(session.client(), cluster_id, &PartitionColumns::new(partitions)).await
}

async fn register(
    client: &impl GenericClient,
    cluster_id: &str,
    columns: &PartitionColumns<'_>,
) -> Result<(), Error> {
    query::execute(
        client,
        CLAIMING,
        "INSERT INTO kafka_partitions (cluster_id, topic, topic_id, partition)
             SELECT $1, wanted.topic, wanted.topic_id, wanted.partition
               FROM unnest($2::text[], $3::uuid[], $4::int[]) AS wanted (topic, topic_id, partition)
              WHERE NOT EXISTS (SELECT FROM kafka_partitions known
                                 WHERE known.cluster_id = $1 AND known.topic = wanted.topic
                                   AND known.partition = wanted.partition)
             ON CONFLICT DO NOTHING",
        &[
            (&cluster_id, Type::TEXT),
            (&columns.topics, Type::TEXT_ARRAY),
            (&columns.topic_ids, Type::UUID_ARRAY),
            (&columns.partitions, Type::INT4_ARRAY),
        ],
    )
    .await?;
    Ok(())
}

async fn raise_epoch(
    transaction: &Transaction<'_>,
    partition_id: i32,
    partition: &TopicIdPartition,
    claimed_by: &str,
) -> Result<Claim, Error> {
    query::row(
        transaction,
        "claiming a partition",
        "UPDATE kafka_partitions
                SET epoch = epoch + 1, claimed_by = $2, claimed_at = clock_timestamp(), topic_id = coalesce(topic_id, $3)
              WHERE partition_id = $1
             RETURNING epoch, topic_id, incarnation, next_offset, cluster_id",
        &[(&partition_id, Type::INT4), (&claimed_by, Type::TEXT), (&partition.topic_id, Type::UUID)],
        |row| {
            Ok(Claim {
                partition: partition.clone(),
                partition_id,
                epoch: row.try_get(0)?,
                recorded: RecordedPartition {
                    topic_id: row.try_get(1)?,
                    incarnation: row.try_get(2)?,
                    next_offset: row.try_get(3)?,
                },
                cluster_id: row.try_get::<_, &str>(4)?.into(),
            })
        },
    )
    .await
}

/// Begins a new incarnation of a partition whose topic was deleted and made again: its offsets
/// start at 0, and what was recorded of the old topic stays.
///
/// # Errors
/// `Error::Query`.
pub async fn begin_incarnation(
    session: &mut Session,
    cluster_id: &str,
    partition: &TopicIdPartition,
    claimed_by: &str,
) -> Result<Claim, Error> {
    let what = "beginning a new incarnation of a partition";
    let transaction = session.client_mut().transaction().await.map_err(Error::query(what))?;
    let partition_id = query::row(
        &transaction,
        what,
        "INSERT INTO kafka_partitions (cluster_id, topic, topic_id, partition, incarnation)
             SELECT $1, $2, $3, $4, max(incarnation) + 1 FROM kafka_partitions
              WHERE cluster_id = $1 AND topic = $2 AND partition = $4
             RETURNING partition_id",
        &[
            (&cluster_id, Type::TEXT),
            (&partition.name.topic, Type::TEXT),
            (&partition.topic_id, Type::UUID),
            (&partition.name.partition, Type::INT4),
        ],
        |row| row.try_get(0),
    )
    .await?;
    let claim = raise_epoch(&transaction, partition_id, partition, claimed_by).await?;
    transaction.commit().await.map_err(Error::query(what))?;
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
    partitions: &[TopicIdPartition],
) -> Result<usize, Error> {
    let columns = PartitionColumns::new(partitions);
    let ended = session
        .rows(
            "ending the session of a frozen ingester",
            "SELECT pg_terminate_backend(holder.pid)
               FROM kafka_partitions known
               JOIN unnest($2::text[], $3::int[]) AS wanted (topic, partition) USING (topic, partition)
               JOIN pg_locks holder ON holder.locktype = 'transactionid' AND holder.transactionid = known.xmax
                                   AND holder.granted AND holder.pid <> pg_backend_pid()
              WHERE known.cluster_id = $1",
            &[
                (&cluster_id, Type::TEXT),
                (&columns.topics, Type::TEXT_ARRAY),
                (&columns.partitions, Type::INT4_ARRAY),
            ],
            |_| Ok(()),
        )
        .await?;
    Ok(ended.len())
}

/// The partitions column by column, as `unnest` takes them.
struct PartitionColumns<'a> {
    topics: Vec<&'a str>,
    topic_ids: Vec<Option<Uuid>>,
    partitions: Vec<i32>,
}

impl<'a> PartitionColumns<'a> {
    fn new(partitions: &'a [TopicIdPartition]) -> Self {
        Self {
            topics: partitions.iter().map(|partition| partition.name.topic.as_str()).collect(),
            topic_ids: partitions.iter().map(|partition| partition.topic_id).collect(),
            partitions: partitions.iter().map(|partition| partition.name.partition).collect(),
        }
    }
}
