//! The ranges of each partition against each other.

use crate::ledger::{Chain, Finding, check_chain};
use crate::store::{Error, KnownPartition, LedgerScan};

/// What the ranges of a partition add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionChain {
    /// The partition, and its incarnation where that is not the first.
    pub subject: String,
    /// The sums.
    pub chain: Chain,
    /// Where they don't join up.
    pub findings: Vec<Finding>,
}

/// Adds up the ranges of each partition.
pub(super) async fn check(
    scan: &LedgerScan<'_>,
    known: &[KnownPartition],
) -> Result<Vec<PartitionChain>, Error> {
    let mut chains = Vec::with_capacity(known.len());
    for partition in known {
        let subject = subject(partition);
        let links = scan.chain(partition.partition_id).await?;
        let (chain, findings) = check_chain(&subject, &links, partition.recorded.next_offset);
        chains.push(PartitionChain { subject, chain, findings });
    }
    Ok(chains)
}

fn subject(partition: &KnownPartition) -> String {
    let name = partition.partition.to_string();
    match partition.recorded.incarnation {
        1 => name,
        incarnation => format!("{name} incarnation {incarnation}"),
    }
}
