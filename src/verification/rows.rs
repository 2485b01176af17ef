//! Each row beside its batch, and the root over them.

use super::check::Check;
use super::follow::Follow;
use super::row_scan::RowScan;
use crate::count_text::{counted, counted_with};
use crate::ledger::{CountKeys, Expected, Finding, Findings, KeyCounts, Mismatch, Walked};
use crate::store::{Error, LedgerScan, RowReader};

/// Of how many batches the rows are named that somebody else wrote.
const BATCHES_NAMED: usize = 20;

/// How many rows of a batch are named.
const ROWS_NAMED: usize = 5;

/// What the rows of the batches are that `event_counts` counts.
pub(super) struct Recount {
    pub(super) keys: CountKeys,
    pub(super) counts: KeyCounts,
    /// How many rows of these batches are not there.
    pub(super) missing_rows: i64,
    /// How many rows the batches have that it does not count yet.
    pub(super) uncounted_rows: i64,
}

/// Reads every row, in the order of the ids, beside the batches.
pub(super) async fn check<F: Follow>(
    scan: &LedgerScan<'_>,
    readers: Vec<RowReader>,
    expected: Expected,
    follow: &mut F,
) -> Result<(Check, Recount), F::Error> {
    let mut rows = RowScan::begin(scan, readers, expected).await?;
    let mut findings = Findings::default();
    let mut all = Walked::default();
    while let Some(mut walked) = rows.next().await? {
        for finding in walked.findings.drain(..) {
            findings.push(finding);
        }
        let holes = std::mem::take(&mut walked.holes);
        all.append(walked);
        follow.rows(all.rows);
        follow.holes(holes).await?;
    }
    drop(rows);
    for (number, mismatch) in all.mismatches.iter().enumerate() {
        findings.push(other_root(mismatch));
        if number < BATCHES_NAMED && mismatch.first_id < mismatch.last_id {
            for finding in rows_of_others(scan, mismatch).await? {
                findings.push(finding);
            }
        }
    }
    let mut detail = format!(
        "{} read and hashed, {} of them in a batch, {} in none",
        counted(all.rows, "row"),
        all.in_batches,
        all.rows - all.in_batches
    );
    if all.retired_rows > 0 {
        detail.push_str(&format!(", {} retired", all.retired_rows));
    }
    let check = Check {
        check: "rows",
        subject: "event_logs".to_owned(),
        findings: findings.finish("event_logs"),
        detail,
    };
    let Walked { keys, counts, missing_rows, uncounted_rows, .. } = all;
    Ok((check, Recount { keys, counts, missing_rows, uncounted_rows }))
}

fn other_root(mismatch: &Mismatch) -> Finding {
    let Mismatch { batch_no, first_id, last_id } = mismatch;
    if first_id == last_id {
        let text = format!(
            "is not as it was recorded: it is the only row of batch {batch_no}, which has another root"
        );
        return Finding::altered(format!("row {first_id}"), text);
    }
    let text = format!(
        "a row of {first_id}–{last_id}, or its dead letter, is not as it was recorded: the rows give another root"
    );
    Finding::altered(format!("batch {batch_no}"), text)
}

/// Which rows it may be. Whoever has the rights can hide it, so this only helps to look.
async fn rows_of_others(scan: &LedgerScan<'_>, mismatch: &Mismatch) -> Result<Vec<Finding>, Error> {
    let Mismatch { batch_no, first_id, last_id } = *mismatch;
    let ids = scan.rows_of_other_transactions(first_id, last_id).await?;
    let text = format!("was written by another transaction than most rows of batch {batch_no}");
    let named = ids.iter().take(ROWS_NAMED);
    let mut findings: Vec<Finding> =
        named.map(|id| Finding::altered(format!("row {id}"), text.clone())).collect();
    if ids.len() > ROWS_NAMED {
        let more = counted_with(ids.len() - ROWS_NAMED, "more row", ["was", "were"]);
        let text = format!("{more} written by another transaction than most");
        findings.push(Finding::altered(format!("batch {batch_no}"), text));
    }
    Ok(findings)
}
