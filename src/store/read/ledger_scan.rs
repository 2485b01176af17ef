//! Reads the ledger and the rows beside it, for `verify`: one snapshot, in the order in which they
//! are compared.

use tokio_postgres::{IsolationLevel, Portal, Row, Transaction};

use crate::event::TopicPartition;
use crate::ledger::{BatchClaim, ChainLink, RangeClaim, StoredRow};
use crate::store::Error;
use crate::store::connection::session::Session;
use crate::time::PostgresMicros;

/// How many rows one round trip brings.
const ROWS_AT_ONCE: i32 = 50_000;
const BATCHES_AT_ONCE: i32 = 1_000;

/// A partition that the ledger knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPartition {
    /// `kafka_partitions.partition_id`.
    pub partition_id: i32,
    /// The cluster.
    pub cluster_id: String,
    /// The partition.
    pub partition: TopicPartition,
    /// Which incarnation of the topic.
    pub incarnation: i32,
    /// Whether it is the newest incarnation.
    pub is_newest: bool,
    /// The first offset that is not recorded yet.
    pub next_offset: i64,
}

/// A snapshot of the ledger and the rows.
pub struct LedgerScan<'a> {
    transaction: Transaction<'a>,
}

impl<'a> LedgerScan<'a> {
    /// Takes the snapshot.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn open(session: &'a mut Session) -> Result<Self, Error> {
        let transaction = session
            .client_mut()
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await
            .map_err(Error::query("taking a snapshot"))?;
        Ok(Self { transaction })
    }

    /// All partitions, by topic, partition and incarnation.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn partitions(&self) -> Result<Vec<KnownPartition>, Error> {
        let rows = self
            .transaction
            .query(
                "SELECT partition_id, cluster_id, topic, partition, incarnation,
                        incarnation = max(incarnation) OVER (PARTITION BY cluster_id, topic, partition), next_offset
                   FROM kafka_partitions ORDER BY topic, partition, cluster_id, incarnation",
                &[],
            )
            .await
            .map_err(Error::query("reading the partitions"))?;
        let partition = |row: &Row| KnownPartition {
            partition_id: row.get(0),
            cluster_id: row.get(1),
            partition: TopicPartition { topic: row.get(2), partition: row.get(3) },
            incarnation: row.get(4),
            is_newest: row.get(5),
            next_offset: row.get(6),
        };
        Ok(rows.iter().map(partition).collect())
    }

    /// The ranges of a partition, in the order of their offsets.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn chain(&self, partition_id: i32) -> Result<Vec<ChainLink>, Error> {
        let rows = self
            .transaction
            .query(
                "SELECT batch_no, first_offset, next_offset, row_count::bigint, kind = 'lost'
                   FROM ingest_batch_ranges WHERE partition_id = $1 ORDER BY first_offset",
                &[&partition_id],
            )
            .await
            .map_err(Error::query("reading the ranges of a partition"))?;
        let link = |row: &Row| ChainLink {
            batch_no: row.get(0),
            first_offset: row.get(1),
            next_offset: row.get(2),
            row_count: row.get(3),
            lost: row.get(4),
        };
        Ok(rows.iter().map(link).collect())
    }

    /// The last batch number and the number of rows that the head tells, and the number of batches,
    /// their highest number and their rows as they are.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn totals(&self) -> Result<(i64, i64, i64, i64, i64), Error> {
        let row = self
            .transaction
            .query_one(
                "SELECT head.batch_no, head.row_count, count(batch.batch_no), coalesce(max(batch.batch_no), 0),
                        coalesce(sum(batch.row_count), 0)::bigint
                   FROM ledger_head head LEFT JOIN ingest_batches batch ON true GROUP BY 1, 2",
                &[],
            )
            .await
            .map_err(Error::query("adding up the ledger"))?;
        Ok((row.get(0), row.get(1), row.get(2), row.get(3), row.get(4)))
    }

    /// All batches that have rows, in the order of their ids, a thousand at a time.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn batches(&self) -> Result<BatchScan<'_>, Error> {
        let portal = self
            .portal(
                "SELECT batch_no, first_id, last_id, partition_id, first_offset, next_offset, ranges.row_count::bigint,
                        min_created_at, max_created_at
                   FROM ingest_batches batches LEFT JOIN ingest_batch_ranges ranges USING (batch_no)
                  WHERE first_id IS NOT NULL ORDER BY first_id, partition_id, first_offset",
            )
            .await?;
        Ok(BatchScan {
            transaction: &self.transaction,
            portal,
            waiting: Vec::new().into_iter(),
            begun: None,
        })
    }

    /// All rows in the order of their ids.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn rows(&self) -> Result<RowScan<'_>, Error> {
        let portal = self
            .portal("SELECT id, partition_id, kafka_offset, created_at FROM event_logs ORDER BY id")
            .await?;
        Ok(RowScan { transaction: &self.transaction, portal, waiting: Vec::new().into_iter() })
    }

    async fn portal(&self, query: &str) -> Result<Portal, Error> {
        self.transaction.bind(query, &[]).await.map_err(Error::query("reading the ledger"))
    }
}

/// Batches, one after the other.
pub struct BatchScan<'a> {
    transaction: &'a Transaction<'a>,
    portal: Portal,
    waiting: std::vec::IntoIter<Row>,
    begun: Option<BatchClaim>,
}

impl BatchScan<'_> {
    /// The next batch with all its ranges; `None` behind the last.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn next(&mut self) -> Result<Option<BatchClaim>, Error> {
        while let Some(row) =
            next(self.transaction, &self.portal, &mut self.waiting, BATCHES_AT_ONCE).await?
        {
            let batch_no = row.get(0);
            let finished = self.begun.take_if(|batch| batch.batch_no != batch_no);
            let batch = self.begun.get_or_insert_with(|| BatchClaim {
                batch_no,
                first_id: row.get(1),
                last_id: row.get(2),
                created: microseconds(&row, 7).zip(microseconds(&row, 8)),
                ranges: Vec::new(),
            });
            if let Some(partition_id) = row.get(3) {
                batch.ranges.push(RangeClaim {
                    partition_id,
                    first_offset: row.get(4),
                    next_offset: row.get(5),
                    row_count: row.get(6),
                });
            }
            if finished.is_some() {
                return Ok(finished);
            }
        }
        Ok(self.begun.take())
    }
}

/// Rows, one after the other.
pub struct RowScan<'a> {
    transaction: &'a Transaction<'a>,
    portal: Portal,
    waiting: std::vec::IntoIter<Row>,
}

impl RowScan<'_> {
    /// The next row; `None` behind the last.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn next(&mut self) -> Result<Option<StoredRow>, Error> {
        let row = next(self.transaction, &self.portal, &mut self.waiting, ROWS_AT_ONCE).await?;
        Ok(row.map(|row| StoredRow {
            id: row.get(0),
            partition_id: row.get(1),
            kafka_offset: row.get(2),
            created_at: microseconds(&row, 3).unwrap_or_default(),
        }))
    }
}

/// A timestamp as PostgreSQL has it, the infinities included.
fn microseconds(row: &Row, column: usize) -> Option<PostgresMicros> {
    row.get(column)
}

async fn next(
    transaction: &Transaction<'_>,
    portal: &Portal,
    waiting: &mut std::vec::IntoIter<Row>,
    at_once: i32,
) -> Result<Option<Row>, Error> {
    if waiting.len() == 0 {
        *waiting = transaction
            .query_portal(portal, at_once)
            .await
            .map_err(Error::query("reading the record"))?
            .into_iter();
    }
    Ok(waiting.next())
}
