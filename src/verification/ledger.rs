//! The head of the ledger and its sums.

use super::check::Check;
use crate::count_text::{counted, counted_with};
use crate::ledger::Finding;
use crate::store::LedgerTotals;

/// Holds the sums against each other.
pub(super) fn check(totals: &LedgerTotals) -> Check {
    let mut findings = Vec::new();
    let mut incomplete = |text: String| findings.push(Finding::incomplete("ledger", text));
    let head = totals.head_batch_no.unwrap_or(0);
    let missing = totals.last_batch_no.max(head) - totals.batches;
    if missing > 0 {
        incomplete(format!("{} missing", counted_with(missing, "batch number", ["is", "are"])));
    }
    if totals.batches == 0 {
        incomplete("nothing is recorded".to_owned());
    }
    if totals.missing_dead_letters > 0 {
        let count = totals.missing_dead_letters;
        let lacking = counted_with(count, "dead letter", ["lacks its", "lack their"]);
        incomplete(format!("{lacking} raw record, and can't be sent back"));
    }
    let mut altered = |text: String| findings.push(Finding::altered("ledger", text));
    if totals.head_batch_no.is_none() {
        altered("ledger_head has no row".to_owned());
    } else if totals.last_batch_no > head {
        altered(format!("batch {} is beyond the head, {head}", totals.last_batch_no));
    }
    if totals.foreign_batches > 0 {
        let foreign = counted_with(totals.foreign_batches, "batch", ["has", "have"]);
        altered(format!("{foreign} a number below 1"));
    }
    match totals.head_rows {
        Some(rows) if rows != totals.rows => {
            let rows = counted(rows, "row");
            altered(format!("the head counts {rows}, the batches {}", totals.rows));
        }
        _ => {}
    }
    if totals.ranges_without_batch > 0 {
        let ranges = counted_with(totals.ranges_without_batch, "range of offsets", ["is", "are"]);
        altered(format!("{ranges} in no batch"));
    }
    if totals.rows_of_ranges != totals.rows {
        let (ranges, batches) = (counted(totals.rows_of_ranges, "row"), totals.rows);
        altered(format!("the ranges of offsets count {ranges}, the batches {batches}"));
    }
    if totals.unknown_dead_letters > 0 {
        let unknown = totals.unknown_dead_letters;
        let unknown = counted_with(unknown, "raw dead letter", ["belongs", "belong"]);
        altered(format!("{unknown} to no row"));
    }
    if totals.installations != 1 {
        let rows = counted(totals.installations, "row");
        altered(format!("audit_installation has {rows}, not one"));
    }
    Check {
        check: "ledger",
        subject: "ledger".to_owned(),
        findings,
        detail: counted(totals.batches, "batch"),
    }
}
