//! Whether what the database holds is complete and as it was recorded, as far as the database alone
//! can tell: everything is computed anew from the rows. Kafka is asked elsewhere.

mod chains;
mod check;
mod counts;
mod follow;
mod leaves;
mod ledger;
mod log;
mod row_scan;
mod rows;
mod schema;

pub use chains::PartitionChain;
pub use check::Check;
pub(crate) use follow::Follow;
pub use log::Anchors;

use follow::Nobody;

use crate::ledger::Expected;
use crate::store::{Error, KnownPartition, LedgerScan, RowReader};

/// What was found in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChecks {
    /// Each partition's ranges.
    pub chains: Vec<PartitionChain>,
    /// The ledger and its sums, the log, the checkpoints, the rows, and the counts.
    pub record: Vec<Check>,
}

/// Checks all of a snapshot: the rows on these sessions, which share it, or else on its own.
pub(crate) async fn check<F: Follow>(
    scan: &LedgerScan<'_>,
    readers: Vec<RowReader>,
    known: &[KnownPartition],
    anchors: &Anchors,
    follow: &mut F,
) -> Result<RecordChecks, F::Error> {
    follow.doing("reading the ledger");
    let chains = chains::check(scan, known).await?;
    let holes = scan.ranges_without_rows().await?;
    follow.holes(holes).await?;
    let totals = scan.totals().await?;
    let mut record = vec![ledger::check(&totals)];
    follow.doing("reading the log");
    let found = log::check(scan, anchors).await?;
    record.extend(found.checks);
    follow.rows_expected(totals.rows);
    let expected = Expected { covered: found.covered, retired: found.retired };
    let (rows, recount) = rows::check(scan, readers, expected, follow).await?;
    record.push(rows);
    follow.doing("looking for duplicate deliveries");
    record.extend(counts::check(scan, recount, known).await?);
    Ok(RecordChecks { chains, record })
}

/// Checks the schema of a snapshot, and the leaves of `event_logs`.
pub(crate) async fn check_schema(scan: &LedgerScan<'_>) -> Result<Vec<Check>, Error> {
    Ok(vec![schema::check(scan).await?, leaves::check(scan).await?])
}

/// Checks all of a snapshot but its schema, and tells nobody of the progress.
///
/// # Errors
/// `Error::Query`.
pub async fn check_record(scan: &LedgerScan<'_>, anchors: &Anchors) -> Result<RecordChecks, Error> {
    let known = scan.partitions().await?;
    check(scan, Vec::new(), &known, anchors, &mut Nobody).await
}
