//! What an ingester starts from, and how far the partitions are recorded.

use std::collections::HashMap;

use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::event::TopicPartition;
use crate::ledger::RecordedPartition;
use crate::store::connection::session::Session;
use crate::store::error::Error;

/// How far a partition is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionProgress {
    /// The partition.
    pub partition: TopicPartition,
    /// What is recorded of its newest incarnation.
    pub recorded: RecordedPartition,
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
    session
        .rows(
            "reading how far the partitions are recorded",
            "SELECT DISTINCT ON (topic, partition) topic, partition, topic_id, incarnation, next_offset
               FROM kafka_partitions WHERE cluster_id = $1 AND topic = ANY ($2)
              ORDER BY topic, partition, incarnation DESC",
            &[(&cluster_id, Type::TEXT), (&topics, Type::TEXT_ARRAY)],
            |row| {
                Ok(PartitionProgress {
                    partition: TopicPartition {
                        topic: row.try_get(0)?,
                        partition: row.try_get(1)?,
                    },
                    recorded: RecordedPartition {
                        topic_id: row.try_get(2)?,
                        incarnation: row.try_get(3)?,
                        next_offset: row.try_get(4)?,
                    },
                })
            },
        )
        .await
}

/// Topic and partition of every `partition_id`.
///
/// # Errors
/// `Error::Query`.
pub async fn partition_names(session: &Session) -> Result<HashMap<i32, (String, i32)>, Error> {
    let sql = "SELECT partition_id, topic, partition FROM kafka_partitions";
    let named = |row: &Row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?)));
    Ok(session.rows("reading the partitions", sql, &[], named).await?.into_iter().collect())
}

/// The topics of which something is recorded, or claimed.
///
/// # Errors
/// `Error::Query`.
pub async fn known_topics(session: &Session) -> Result<Vec<String>, Error> {
    let sql = "SELECT DISTINCT topic FROM kafka_partitions ORDER BY topic";
    session.rows("reading the topics", sql, &[], |row| row.try_get(0)).await
}

/// The consumer group of the database with this id, where none is named.
pub fn default_group(installation_id: Uuid) -> String {
    format!("audit-{}", &installation_id.simple().to_string()[..8])
}

/// The id that `audit migrate` gave the database: the default consumer group is made of it.
///
/// # Errors
/// `Error::Query`.
pub async fn installation_id(session: &Session) -> Result<Uuid, Error> {
    let sql = "SELECT id FROM audit_installation";
    session.row("reading the id of this database", sql, &[], |row| row.try_get(0)).await
}
