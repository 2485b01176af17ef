//! Each partition: Kafka's end against the ledger's, and the ranges against each other.

use super::check::Check;
use crate::cli::shared::ClusterOffsets;
use crate::cli::ui::Failure;
use crate::event::TopicPartition;
use crate::kafka::Offsets;
use crate::ledger;
use crate::ledger::{Chain, Finding};
use crate::store::{KnownPartition, LedgerScan};

/// A check for each partition: Kafka's end against the ledger's, and the ranges against each other.
pub(super) async fn check(
    scan: &LedgerScan<'_>,
    kafka: Result<&ClusterOffsets, &String>,
) -> Result<Vec<Check>, Failure> {
    let mut checks = Vec::new();
    let known = scan.partitions().await?;
    for partition in &known {
        let subject = subject(partition);
        let (chain, mut findings) = ledger::check_chain(
            &subject,
            &scan.chain(partition.partition_id).await?,
            partition.next_offset,
        );
        let end = match kafka {
            Ok(kafka) if partition.is_newest && kafka.cluster_id == partition.cluster_id => {
                let offsets = kafka.partitions.get(&partition.partition);
                findings.extend(compare_with_kafka(&subject, partition.next_offset, offsets));
                offsets.map(|offsets| offsets.end)
            }
            _ => None,
        };
        let detail = describe(&chain, end);
        checks.push(Check { check: "partition", subject, findings, detail });
    }
    match kafka {
        Ok(kafka) => {
            let is_known = |partition: &TopicPartition| {
                known.iter().any(|known| {
                    known.cluster_id == kafka.cluster_id && known.partition == *partition
                })
            };
            for (partition, offsets) in &kafka.partitions {
                if offsets.end == 0 || is_known(partition) {
                    continue;
                }
                let subject = partition.to_string();
                let text = "Kafka has this partition, the ledger does not";
                let findings = vec![Finding::incomplete(&subject, text)];
                let detail = format!("end {}", offsets.end);
                checks.push(Check { check: "partition", subject, findings, detail });
            }
        }
        Err(reason) => {
            let findings =
                vec![Finding::incomplete("kafka", format!("could not be asked: {reason}"))];
            checks.push(Check {
                check: "kafka",
                subject: "kafka".to_owned(),
                findings,
                detail: String::new(),
            });
        }
    }
    Ok(checks)
}

fn compare_with_kafka(
    subject: &str,
    next_offset: i64,
    offsets: Option<&Offsets>,
) -> Option<Finding> {
    match offsets {
        None => Some(Finding::incomplete(subject, "Kafka has no such partition now")),
        Some(offsets) if offsets.end > next_offset => Some(Finding::incomplete(
            subject,
            format!(
                "{} offsets up to {} are not recorded yet",
                offsets.end - next_offset,
                offsets.end
            ),
        )),
        Some(offsets) if offsets.end < next_offset => Some(Finding::incomplete(
            subject,
            format!(
                "Kafka's partition ends at {}: the topic was made again or cut off",
                offsets.end
            ),
        )),
        Some(_) => None,
    }
}

fn subject(partition: &KnownPartition) -> String {
    let name = partition.partition.to_string();
    if partition.incarnation == 1 {
        name
    } else {
        format!("{name} incarnation {}", partition.incarnation)
    }
}

fn describe(chain: &Chain, end: Option<i64>) -> String {
    let mut text = format!("{} rows", chain.rows);
    if chain.holes > 0 {
        text.push_str(&format!(", {} holes", chain.holes));
    }
    if chain.lost > 0 {
        text.push_str(&format!(", {} lost", chain.lost));
    }
    if let Some(end) = end {
        text.push_str(&format!(", Kafka's end {end}"));
    }
    text
}
