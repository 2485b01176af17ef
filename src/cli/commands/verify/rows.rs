//! Each row beside its batch.

use super::check::Check;
use super::holes::Holes;
use crate::cli::ui::{Failure, Progress, Total};
use crate::count_text::counted;
use crate::ledger;
use crate::ledger::{BatchClaim, Finding, Severity, StoredRow};
use crate::store::LedgerScan;

/// How many findings are listed; the rest is counted.
const LISTED: usize = 1000;

/// Reads every row, in the order of the ids, beside the batches, and collects the holes. The
/// batches claim `claimed` rows.
pub(super) async fn check(
    scan: &LedgerScan<'_>,
    claimed: i64,
    holes: &mut Holes<'_>,
    progress: &Progress,
) -> Result<Check, Failure> {
    progress.counting("rows read", Total::Exact(claimed.unsigned_abs()));
    let mut batches = scan.batches().await?;
    let mut rows = scan.rows().await?;
    let mut findings = Findings::default();
    let (mut count, mut in_batches) = (0_u64, 0_u64);
    let mut row = rows.next().await?;
    while let Some(batch) = batches.next().await? {
        let mut of_batch: Vec<StoredRow> = Vec::new();
        while let Some(found) = row.filter(|row| row.id <= batch.last_id) {
            count += 1;
            progress.set(count);
            if found.id < batch.first_id {
                findings.unknown_row(found);
            } else {
                of_batch.push(found);
            }
            row = rows.next().await?;
        }
        in_batches += of_batch.len() as u64;
        findings.add(&batch, &of_batch);
        holes.add_batch(&batch, &of_batch).await?;
    }
    while let Some(found) = row {
        count += 1;
        findings.unknown_row(found);
        row = rows.next().await?;
    }
    let detail = format!("{} read, {in_batches} of them in a batch", counted(count, "row"));
    Ok(Check {
        check: "rows",
        subject: "event_logs".to_owned(),
        findings: findings.finish(),
        detail,
    })
}

/// Findings about rows. Of very many, only the first are kept.
#[derive(Default)]
struct Findings {
    kept: Vec<Finding>,
    altered_beyond: u64,
    incomplete_beyond: u64,
}

impl Findings {
    fn push(&mut self, finding: Finding) {
        match finding.severity {
            _ if self.kept.len() < LISTED => self.kept.push(finding),
            Severity::Altered => self.altered_beyond += 1,
            Severity::Incomplete => self.incomplete_beyond += 1,
        }
    }

    fn add(&mut self, batch: &BatchClaim, rows: &[StoredRow]) {
        for finding in ledger::check_batch(batch, rows) {
            self.push(finding);
        }
    }

    fn unknown_row(&mut self, row: StoredRow) {
        self.push(Finding::altered(
            format!("row {}", row.id),
            "is in no batch: it was not recorded by ingest",
        ));
    }

    fn finish(mut self) -> Vec<Finding> {
        let more = "more findings of this kind are not listed";
        if self.altered_beyond > 0 {
            self.kept
                .push(Finding::altered("event_logs", format!("{} {more}", self.altered_beyond)));
        }
        if self.incomplete_beyond > 0 {
            self.kept.push(Finding::incomplete(
                "event_logs",
                format!("{} {more}", self.incomplete_beyond),
            ));
        }
        self.kept
    }
}
