//! The counts of events beside the rows that they count.

use super::check::Check;
use super::rows::Recount;
use crate::count_text::{counted, counted_with};
use crate::ledger::{Finding, Findings, check_counts};
use crate::store::{DuplicateTotals, Error, KnownPartition, LedgerScan};

/// Compares `event_counts` with what was found in the rows, and looks for duplicates anew.
pub(super) async fn check(
    scan: &LedgerScan<'_>,
    mut recount: Recount,
    known: &[KnownPartition],
) -> Result<[Check; 2], Error> {
    let counts = scan.counts(&mut recount.keys).await?;
    let name = |partition_id: i32| {
        let known = known.iter().find(|known| known.partition_id == partition_id);
        known.map_or_else(
            || format!("partition_id {partition_id}"),
            |known| known.partition.to_string(),
        )
    };
    let mut findings = Findings::default();
    let missing_rows = recount.missing_rows;
    for finding in check_counts(&recount.keys, &recount.counts, &counts, missing_rows, name) {
        findings.push(finding);
    }
    let differing = scan.differing_days().await?;
    if differing > 0 {
        let keys = counted_with(differing, "key", ["has", "have"]);
        let text = format!("{keys} other counts than the hours of event_counts");
        findings.push(Finding::altered("event_counts_by_day", text));
    }
    let mut detail = format!("{} counted again", counted(recount.keys.len(), "key"));
    if recount.uncounted_rows > 0 {
        let uncounted = counted_with(recount.uncounted_rows, "row", ["is", "are"]);
        detail.push_str(&format!(", {uncounted} not counted yet"));
    }
    let counts = Check {
        check: "counts",
        subject: "event_counts".to_owned(),
        findings: findings.finish("event_counts"),
        detail,
    };
    Ok([counts, duplicates_check(scan.duplicates().await?, missing_rows > 0)])
}

/// Where rows are missing, the first delivery of an event can be among them.
fn duplicates_check(totals: Option<DuplicateTotals>, rows_are_missing: bool) -> Check {
    let subject = "duplicate_deliveries".to_owned();
    let Some(totals) = totals else {
        let findings = vec![Finding::altered("event_count_state", "has no row".to_owned())];
        return Check { check: "duplicates", subject, findings, detail: String::new() };
    };
    let mut findings = Vec::new();
    if totals.is_beyond_ledger {
        let text = "tells of batches that are not in the ledger".to_owned();
        findings.push(Finding::altered("event_count_state", text));
    }
    let mut altered = |text: String| findings.push(Finding::altered("duplicate_deliveries", text));
    if totals.unknown > 0 {
        let rows = counted_with(totals.unknown, "listed row", ["is", "are"]);
        altered(format!("{rows} in no batch"));
    }
    if totals.listed != totals.claimed {
        let rows = counted(totals.listed, "row");
        altered(format!("has {rows}, event_count_state counts {}", totals.claimed));
    }
    if totals.unlisted > 0 {
        let rows = counted_with(totals.unlisted, "row", ["delivers", "deliver"]);
        altered(format!("{rows} an event again without being listed"));
    }
    if totals.first > 0 && !rows_are_missing {
        let rows = counted_with(totals.first, "listed row", ["delivers", "deliver"]);
        altered(format!("{rows} an event for the first time"));
    }
    let mut detail = counted(totals.listed, "duplicate");
    if totals.unsearched_rows > 0 {
        let rows = counted_with(totals.unsearched_rows, "row", ["is", "are"]);
        detail.push_str(&format!(", {rows} not searched yet"));
    }
    Check { check: "duplicates", subject, findings, detail }
}
