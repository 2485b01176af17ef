//! Whether the leaves of `event_logs` are what `event_log_leaves` tells: searches rely on it.

use super::check::Check;
use crate::count_text::counted;
use crate::ledger::Finding;
use crate::store::{Error, LeafFacts, LeafPartition, LedgerScan, RegisteredLeaf, Retirement};

/// Compares the partitions of `event_logs` with `event_log_leaves`.
pub(super) async fn check(scan: &LedgerScan<'_>) -> Result<Check, Error> {
    let leaves = scan.leaves().await?;
    let is_sealed = |leaf: &&LeafFacts| leaf.registered.is_some_and(|known| known.is_sealed);
    let sealed = leaves.iter().filter(is_sealed).count();
    let retired = leaves.iter().filter(|leaf| leaf.logged.is_some()).count();
    let mut detail = format!("{}, {sealed} sealed", counted(leaves.len(), "leaf"));
    if retired > 0 {
        detail.push_str(&format!(", {retired} retired"));
    }
    Ok(Check {
        check: "leaves",
        subject: "event_log_leaves".to_owned(),
        findings: leaves.iter().flat_map(findings).collect(),
        detail,
    })
}

fn findings(leaf: &LeafFacts) -> Vec<Finding> {
    let told = leaf.registered.and_then(|known| known.retirement);
    if told.is_some() || leaf.logged.is_some() {
        return retirement(leaf, told);
    }
    match (leaf.registered, &leaf.partition) {
        (Some(known), Some(partition)) => compare(&leaf.name, known, partition),
        (Some(_), None) => {
            let text = "is no partition of event_logs any more, and event_log_leaves names it";
            vec![Finding::incomplete(&leaf.name, text)]
        }
        (None, Some(_)) => {
            let text = "is a partition of event_logs that event_log_leaves does not name";
            vec![Finding::altered(&leaf.name, text)]
        }
        (None, None) => Vec::new(),
    }
}

/// Compares what `event_log_leaves` tells of a retirement with what the log tells.
fn retirement(leaf: &LeafFacts, told: Option<Retirement>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut altered = |text: &str| findings.push(Finding::altered(&leaf.name, text));
    match (told, leaf.logged) {
        (Some(_), None) => altered("was retired, and the evidence log does not tell it"),
        (None, Some(_)) => {
            altered("was retired, as the evidence log tells, and event_log_leaves does not");
        }
        (Some(told), Some(logged)) if told != logged => {
            altered(
                "was retired, and event_log_leaves tells other facts of it than the evidence log",
            );
        }
        _ => {}
    }
    if leaf.partition.is_some() {
        altered("was retired, and is a partition of event_logs");
    }
    findings
}

/// Compares what is told of a leaf with what is there.
fn compare(name: &str, known: RegisteredLeaf, partition: &LeafPartition) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut altered = |text: String| findings.push(Finding::altered(name, text));
    if !partition.is_plain {
        let text = "is no plain table of the schema public: what is read of it may not be its rows";
        altered(text.to_owned());
    }
    if partition.ids != Some(known.ids) {
        let told = ids(Some(known.ids));
        let there = ids(partition.ids);
        altered(format!("takes the {there}, event_log_leaves tells the {told}"));
    }
    if known.is_closed && !partition.has_late_row {
        altered("is closed, and lacks the trigger late_row".to_owned());
    }
    if partition.has_untold_times {
        let text = "has rows before or behind the times that event_log_leaves tells: searches by time miss them";
        altered(text.to_owned());
    }
    let mend = match known.is_sealed {
        true => "`audit maintain` builds it again",
        false => "searches read more of the leaf until it is sealed",
    };
    for index in &partition.missing {
        altered(format!("lacks the index {index}: {mend}"));
    }
    for index in &partition.invalid {
        altered(format!("the index {index} is invalid: {mend}"));
    }
    findings
}

fn ids(range: Option<(i64, i64)>) -> String {
    match range {
        Some((first, next)) => format!("ids {first} to {}", next - 1),
        None => "ids of other bounds".to_owned(),
    }
}
