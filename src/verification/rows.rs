//! Each row beside its batch.

use super::check::Check;
use super::findings::Findings;
use super::holes::Holes;
use crate::cli::ui::{Failure, Progress, Total};
use crate::count_text::counted;
use crate::ledger;
use crate::ledger::{CountKeys, Finding, KeyCounts, StoredRow};
use crate::store::LedgerScan;

/// What the rows of the batches are that `event_counts` counts.
pub(super) struct Recount {
    pub(super) keys: CountKeys,
    pub(super) counts: KeyCounts,
    /// How many rows of these batches are not there.
    pub(super) missing_rows: i64,
    /// How many rows the batches have that it does not count yet.
    pub(super) uncounted_rows: i64,
}

/// Reads every row, in the order of the ids, beside the batches, and collects the holes. The
/// batches claim `claimed` rows.
pub(super) async fn check(
    scan: &LedgerScan<'_>,
    claimed: i64,
    holes: &mut Holes<'_>,
    progress: &Progress,
) -> Result<(Check, Recount), Failure> {
    progress.counting("rows read", Total::Exact(claimed.unsigned_abs()));
    let mut batches = scan.batches().await?;
    let mut rows = scan.rows().await?;
    let mut findings = Findings::default();
    let mut counts = KeyCounts::default();
    let (mut missing_rows, mut uncounted_rows) = (0, 0);
    let (mut count, mut in_batches) = (0_u64, 0_u64);
    let mut row = rows.next().await?;
    while let Some(batch) = batches.next().await? {
        let mut of_batch: Vec<StoredRow> = Vec::new();
        while let Some(found) = row.filter(|row| row.id <= batch.last_id) {
            count += 1;
            progress.set(count);
            if found.id < batch.first_id {
                findings.push(unknown_row(found));
            } else {
                of_batch.push(found);
            }
            row = rows.next().await?;
        }
        in_batches += of_batch.len() as u64;
        if batch.is_counted {
            for row in &of_batch {
                if let Some(key) = row.key {
                    counts.add_one(key, row.created_at);
                }
            }
            missing_rows += batch.last_id - batch.first_id + 1 - of_batch.len() as i64;
        } else {
            uncounted_rows += of_batch.len() as i64;
        }
        for finding in ledger::check_batch(&batch, &of_batch) {
            findings.push(finding);
        }
        holes.add_batch(&batch, &of_batch).await?;
    }
    while let Some(found) = row {
        count += 1;
        findings.push(unknown_row(found));
        row = rows.next().await?;
    }
    let detail = format!(
        "{} read, {in_batches} of them in a batch, {} in none",
        counted(count, "row"),
        count - in_batches
    );
    let check = Check {
        check: "rows",
        subject: "event_logs".to_owned(),
        findings: findings.finish("event_logs"),
        detail,
    };
    let keys = rows.into_keys();
    Ok((check, Recount { keys, counts, missing_rows, uncounted_rows }))
}

fn unknown_row(row: StoredRow) -> Finding {
    Finding::altered(format!("row {}", row.id), "is in no batch: it was not recorded by ingest")
}
