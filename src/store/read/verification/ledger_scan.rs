//! Reads the ledger and the rows beside it, for `verify`: one snapshot, in the order in which they
//! are compared.

use std::ops::{Range, RangeInclusive};

use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, IsolationLevel, Portal, Row, Transaction};

use super::duplicates::DuplicateTotals;
use super::leaf_facts::LeafFacts;
use super::row_copy::{RowCopy, RowReader};
use super::schema_facts::SchemaFact;
use super::{day_counts, duplicates, leaf_facts, schema_facts};
use crate::event::TopicPartition;
use crate::ledger::{
    BatchClaim, ChainLink, CountKey, CountKeys, KeyCount, KeyCounts, RangeClaim, RecordedPartition,
};
use crate::store::connection::query;
use crate::store::connection::session::{Session, SharedSnapshot};
use crate::store::error::Error;
use crate::time::PostgresMicros;

/// What a scan does, in errors.
const READING: &str = "reading the record";

/// What its beginning is called in errors.
const SNAPSHOT: &str = "taking a snapshot";

/// How many rows one round trip brings.
const ROWS_AT_ONCE: i32 = 50_000;

/// How many ranges of batches one round trip brings.
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
    /// Whether it is the newest incarnation.
    pub is_newest: bool,
    /// What is recorded of this incarnation.
    pub recorded: RecordedPartition,
}

/// All partitions, by topic, partition and incarnation.
///
/// # Errors
/// `Error::Query`.
pub async fn known_partitions(session: &Session) -> Result<Vec<KnownPartition>, Error> {
    read_partitions(session.client()).await
}

async fn read_partitions(client: &impl GenericClient) -> Result<Vec<KnownPartition>, Error> {
    query::rows(
        client,
        "reading the partitions",
        "SELECT partition_id, cluster_id, topic, partition,
                    incarnation = max(incarnation) OVER (PARTITION BY cluster_id, topic, partition),
                    topic_id, incarnation, next_offset
               FROM kafka_partitions ORDER BY topic, partition, cluster_id, incarnation",
        &[],
        |row| {
            Ok(KnownPartition {
                partition_id: row.try_get(0)?,
                cluster_id: row.try_get(1)?,
                partition: TopicPartition { topic: row.try_get(2)?, partition: row.try_get(3)? },
                is_newest: row.try_get(4)?,
                recorded: RecordedPartition {
                    topic_id: row.try_get(5)?,
                    incarnation: row.try_get(6)?,
                    next_offset: row.try_get(7)?,
                },
            })
        },
    )
    .await
}

/// What the head of the ledger tells, and the sums of what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerTotals {
    /// The number of the last batch, as the head tells it; `None` where there is no head.
    pub head_batch_no: Option<i64>,
    /// How many rows there are in batches, as the head tells it.
    pub head_rows: Option<i64>,
    /// How many batches there are.
    pub batches: i64,
    /// How many more have a number that no batch can have.
    pub foreign_batches: i64,
    /// The highest number of a batch; 0 where there are none.
    pub last_batch_no: i64,
    /// How many rows the batches have together.
    pub rows: i64,
    /// How many ranges of offsets belong to no batch.
    pub ranges_without_batch: i64,
    /// How many rows all ranges have together.
    pub rows_of_ranges: i64,
    /// How many rows of dead letter topics have no raw record.
    pub missing_dead_letters: i64,
    /// How many raw records belong to no such row.
    pub unknown_dead_letters: i64,
    /// How many ids the database has; one.
    pub installations: i64,
}

/// A snapshot of the ledger and the rows.
pub struct LedgerScan<'a> {
    pub(super) transaction: Transaction<'a>,
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
            .map_err(Error::query(SNAPSHOT))?;
        Self::within(transaction).await
    }

    /// Reads what a transaction sees that is open already.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn within(transaction: Transaction<'a>) -> Result<Self, Error> {
        // Nobody's own tables or functions take the place of ours, and names are written alike. The
        // lock comes before the snapshot: no leaf loses an index that the snapshot still shows.
        let begin =
            "SET LOCAL search_path = public, pg_temp; LOCK TABLE event_logs IN ACCESS SHARE MODE";
        transaction.batch_execute(begin).await.map_err(Error::query(SNAPSHOT))?;
        Ok(Self { transaction })
    }

    /// Lets other sessions read the rows of the snapshot, for as long as this is open. Fewer of
    /// them, or not one, where the server does not let them: behind a pooler each may be of another
    /// server.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn share(&self, sessions: Vec<Session>) -> Result<Vec<RowReader>, Error> {
        if sessions.is_empty() {
            return Ok(Vec::new());
        }
        let sql = "SELECT pg_export_snapshot()";
        let name = query::row(&self.transaction, SNAPSHOT, sql, &[], |row| row.try_get(0)).await?;
        let snapshot = SharedSnapshot::named(name)?;
        let mut readers = Vec::with_capacity(sessions.len());
        for session in sessions {
            readers.extend(RowReader::begin(session, &snapshot).await.ok());
        }
        Ok(readers)
    }

    /// Begins to read the rows with these ids, in their order. They have to be read to their end
    /// before anything else is.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn copy_rows(&self, ids: &RangeInclusive<i64>) -> Result<RowCopy, Error> {
        RowCopy::begin(self.transaction.client(), ids).await
    }

    /// As [`known_partitions`], of the snapshot.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn partitions(&self) -> Result<Vec<KnownPartition>, Error> {
        read_partitions(&self.transaction).await
    }

    /// The ranges of a partition, in the order of their offsets.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn chain(&self, partition_id: i32) -> Result<Vec<ChainLink>, Error> {
        query::rows(
            &self.transaction,
            "reading the ranges of a partition",
            "SELECT batch_no, first_offset, next_offset, row_count::bigint, kind = 'lost'
                   FROM ingest_batch_ranges WHERE partition_id = $1 ORDER BY first_offset",
            &[(&partition_id, Type::INT4)],
            |row| {
                Ok(ChainLink {
                    batch_no: row.try_get(0)?,
                    first_offset: row.try_get(1)?,
                    next_offset: row.try_get(2)?,
                    row_count: row.try_get(3)?,
                    lost: row.try_get(4)?,
                })
            },
        )
        .await
    }

    /// Reads what the head of the ledger tells, and adds up the batches.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn totals(&self) -> Result<LedgerTotals, Error> {
        query::row(
            &self.transaction,
            "adding up the ledger",
            "SELECT (SELECT batch_no FROM ledger_head), (SELECT row_count FROM ledger_head),
                        count(*) FILTER (WHERE batch_no >= 1), count(*) FILTER (WHERE batch_no < 1),
                        coalesce(max(batch_no), 0), coalesce(sum(row_count), 0)::bigint,
                        (SELECT count(*) FROM ingest_batch_ranges
                          WHERE NOT EXISTS (SELECT FROM ingest_batches batch WHERE batch.batch_no = ingest_batch_ranges.batch_no)),
                        (SELECT coalesce(sum(row_count), 0)::bigint FROM ingest_batch_ranges),
                        (SELECT count(*) FROM event_logs WHERE is_dlt
                            AND NOT EXISTS (SELECT FROM dead_letters WHERE event_log_id = id)),
                        (SELECT count(*) FROM dead_letters
                          WHERE NOT EXISTS (SELECT FROM event_logs WHERE id = event_log_id AND is_dlt)
                            AND NOT EXISTS (SELECT FROM event_log_leaves WHERE retired_at IS NOT NULL
                                               AND first_id <= event_log_id AND next_id > event_log_id)),
                        (SELECT count(*) FROM audit_installation)
                   FROM ingest_batches",
            &[],
            |row| {
                Ok(LedgerTotals {
                    head_batch_no: row.try_get(0)?,
                    head_rows: row.try_get(1)?,
                    batches: row.try_get(2)?,
                    foreign_batches: row.try_get(3)?,
                    last_batch_no: row.try_get(4)?,
                    rows: row.try_get(5)?,
                    ranges_without_batch: row.try_get(6)?,
                    rows_of_ranges: row.try_get(7)?,
                    missing_dead_letters: row.try_get(8)?,
                    unknown_dead_letters: row.try_get(9)?,
                    installations: row.try_get(10)?,
                })
            },
        )
        .await
    }

    /// The ranges of batches without rows: the id of the partition, the first offset, and one past
    /// the last. All of their offsets are declared holes.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn ranges_without_rows(&self) -> Result<Vec<(i32, Range<i64>)>, Error> {
        query::rows(
            &self.transaction,
            "reading the ranges of batches without rows",
            "SELECT partition_id, first_offset, ranges.next_offset
                   FROM ingest_batches JOIN ingest_batch_ranges ranges USING (batch_no)
                  WHERE first_id IS NULL AND kind = 'stored'",
            &[],
            |row| Ok((row.try_get(0)?, row.try_get(1)?..row.try_get(2)?)),
        )
        .await
    }

    /// What the catalog says of the objects that `migrate` made, and the rights on them: each fact
    /// with the object that it is about.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn schema_facts(&self) -> Result<Vec<SchemaFact>, Error> {
        schema_facts::read(&self.transaction).await
    }

    /// The leaves of `event_logs`, beside what `event_log_leaves` tells of them, by their names.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn leaves(&self) -> Result<Vec<LeafFacts>, Error> {
        leaf_facts::read(&self.transaction).await
    }

    /// Looks for duplicate deliveries anew, beside what is known of them.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn duplicates(&self) -> Result<Option<DuplicateTotals>, Error> {
        duplicates::read(&self.transaction).await
    }

    /// How many keys of `event_counts_by_day` have other counts than their hours.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn differing_days(&self) -> Result<i64, Error> {
        day_counts::differing(&self.transaction).await
    }

    /// All batches that have rows, in the order of their ids.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn batches(&self) -> Result<BatchScan<'_>, Error> {
        let portal = self
            .portal(
                "SELECT batch_no, first_id, last_id, partition_id, first_offset, next_offset, ranges.row_count::bigint,
                        min_created_at, max_created_at,
                        counted OR coalesce(batch_no <= (SELECT filled_through FROM event_count_state), false),
                        CASE WHEN row_root IS NOT NULL THEN ARRAY[row_root] ELSE '{}' END || coalesce(adopted, '{}')
                   FROM ingest_batches batches LEFT JOIN ingest_batch_ranges ranges USING (batch_no)
                   LEFT JOIN (SELECT batch_no, array_agg(row_root) AS adopted FROM evidence_adoptions GROUP BY batch_no) adoptions USING (batch_no)
                  WHERE first_id IS NOT NULL ORDER BY first_id, partition_id, first_offset",
                BATCHES_AT_ONCE,
            )
            .await?;
        Ok(BatchScan { portal, begun: None })
    }

    /// Adds up `event_counts`, and numbers the keys that `keys` does not have yet.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn counts(&self, keys: &mut CountKeys) -> Result<KeyCounts, Error> {
        let sql = "SELECT hour, event_type, source_service, partition_id, is_dlt, events, first_at, last_at
                     FROM event_counts";
        let mut portal = self.portal(sql, ROWS_AT_ONCE).await?;
        let mut counts = KeyCounts::default();
        while let Some(row) = portal.next().await? {
            read_count(&row, keys, &mut counts).map_err(Error::query(READING))?;
        }
        Ok(counts)
    }

    pub(super) async fn portal(&self, sql: &str, at_once: i32) -> Result<PortalRows<'_>, Error> {
        let portal =
            self.transaction.bind(sql, &[]).await.map_err(Error::query("reading the ledger"))?;
        let fetched = Vec::new().into_iter();
        Ok(PortalRows { transaction: &self.transaction, portal, at_once, fetched })
    }
}

/// Batches, one after the other.
pub struct BatchScan<'a> {
    portal: PortalRows<'a>,
    /// The batch whose ranges are being collected.
    begun: Option<BatchClaim>,
}

impl BatchScan<'_> {
    /// The next batch with all its ranges; `None` behind the last.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn next(&mut self) -> Result<Option<BatchClaim>, Error> {
        while let Some(row) = self.portal.next().await? {
            let (batch, range) = read_batch(&row).map_err(Error::query(READING))?;
            let finished = self.begun.take_if(|begun| begun.batch_no != batch.batch_no);
            self.begun.get_or_insert(batch).ranges.extend(range);
            if finished.is_some() {
                return Ok(finished);
            }
        }
        Ok(self.begun.take())
    }
}

/// The batch of a row that joins batches and ranges, still without ranges, and the row's range.
fn read_batch(row: &Row) -> Result<(BatchClaim, Option<RangeClaim>), tokio_postgres::Error> {
    let (min, max): (Option<PostgresMicros>, Option<PostgresMicros>) =
        (row.try_get(7)?, row.try_get(8)?);
    let batch = BatchClaim {
        batch_no: row.try_get(0)?,
        first_id: row.try_get(1)?,
        last_id: row.try_get(2)?,
        created: min.zip(max),
        is_counted: row.try_get(9)?,
        roots: row.try_get(10)?,
        ranges: Vec::new(),
    };
    let range = match row.try_get(3)? {
        Some(partition_id) => Some(RangeClaim {
            partition_id,
            first_offset: row.try_get(4)?,
            next_offset: row.try_get(5)?,
            row_count: row.try_get(6)?,
        }),
        None => None,
    };
    Ok((batch, range))
}

/// Adds a row of `event_counts`.
fn read_count(
    row: &Row,
    keys: &mut CountKeys,
    counts: &mut KeyCounts,
) -> Result<(), tokio_postgres::Error> {
    let key = CountKey {
        hour: row.try_get(0)?,
        event_type: row.try_get(1)?,
        source_service: row.try_get(2)?,
        partition_id: row.try_get(3)?,
        is_dlt: row.try_get(4)?,
    };
    let count =
        KeyCount { events: row.try_get(5)?, first_at: row.try_get(6)?, last_at: row.try_get(7)? };
    counts.add(keys.number(key), count);
    Ok(())
}

/// The rows of a portal, fetched a number at a time.
pub(super) struct PortalRows<'a> {
    transaction: &'a Transaction<'a>,
    portal: Portal,
    at_once: i32,
    fetched: std::vec::IntoIter<Row>,
}

impl PortalRows<'_> {
    /// The next rows, as many as one round trip brings; none behind the last.
    pub(super) async fn page(&mut self) -> Result<Vec<Row>, Error> {
        let fetched = self.transaction.query_portal(&self.portal, self.at_once).await;
        fetched.map_err(Error::query(READING))
    }

    async fn next(&mut self) -> Result<Option<Row>, Error> {
        if self.fetched.len() == 0 {
            self.fetched = self.page().await?.into_iter();
        }
        Ok(self.fetched.next())
    }
}
