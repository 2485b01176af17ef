//! Each partition: Kafka's end against the ledger's, and the ranges against each other.

use std::time::Duration;

use super::comparisons::Comparisons;
use crate::cli::settings::ResolvedSettings;
use crate::cli::shared::{ClusterOffsets, OpenTransaction, times_at};
use crate::count_text::{counted, counted_with};
use crate::event::TopicPartition;
use crate::kafka::Isolation;
use crate::ledger::{Chain, Comparison, Finding, KafkaPartition};
use crate::store::KnownPartition;
use crate::time::{Timestamp, timestamp_text};
use crate::verification::{Check, PartitionChain};

/// The name of these checks.
pub(super) const CHECK: &str = "partition";

/// How long the first records of open transactions may take to be read.
const TIMES_LIMIT: Duration = Duration::from_secs(3);

/// A check for each partition: Kafka's end against the ledger's, and the ranges against each other.
pub(super) fn check(
    chains: Vec<PartitionChain>,
    known: &[KnownPartition],
    kafka: Result<&ClusterOffsets, &String>,
    comparisons: &Comparisons,
) -> Vec<Check> {
    let mut checks = Vec::new();
    for (partition, chain) in known.iter().zip(chains) {
        let PartitionChain { subject, chain, mut findings } = chain;
        let mut detail = describe(&chain);
        match kafka {
            Ok(kafka) if is_closed(partition, known, kafka) => {
                detail.push_str(", closed: the topic was made again without this partition");
            }
            Ok(kafka) if partition.is_newest => {
                let compared = comparisons.of(partition.partition_id);
                findings.extend(compare_with_kafka(&subject, partition, kafka, compared));
                if let Some((found, _)) = compared {
                    detail.push_str(&format!(", Kafka's end {}", found.end));
                }
            }
            Ok(_) => detail.push_str(", closed by a newer incarnation"),
            Err(_) => {}
        }
        checks.push(Check { check: CHECK, subject, findings, detail });
    }
    match kafka {
        Ok(kafka) => checks.extend(unknown_partitions(known, kafka)),
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
    checks
}

/// Whether a partition belongs to a topic that was made again with fewer partitions, and that was
/// accepted: others of its partitions go on under the topic id that Kafka has now.
fn is_closed(partition: &KnownPartition, known: &[KnownPartition], kafka: &ClusterOffsets) -> bool {
    let topic = &partition.partition.topic;
    let of_topic = |other: &TopicPartition| other.topic == *topic;
    if !partition.is_newest
        || partition.cluster_id != kafka.cluster_id
        || kafka.partitions.contains_key(&partition.partition)
    {
        return false;
    }
    let now = kafka.partitions.iter().find(|(other, _)| of_topic(other));
    let Some(topic_id) = now.and_then(|(_, found)| found.topic_id) else { return false };
    partition.recorded.topic_id != Some(topic_id)
        && known.iter().any(|other| {
            other.cluster_id == kafka.cluster_id
                && of_topic(&other.partition)
                && other.recorded.topic_id == Some(topic_id)
        })
}

/// A check for each topic that was asked for by name and that Kafka does not have.
pub(super) fn missing_topics(asked: &[String], kafka: &ClusterOffsets) -> Vec<Check> {
    let missing = asked
        .iter()
        .filter(|topic| !kafka.partitions.keys().any(|partition| partition.topic == **topic));
    let check = |topic: &String| Check {
        check: "topic",
        subject: topic.clone(),
        findings: vec![Finding::incomplete(topic, "Kafka has no such topic (--topics)")],
        detail: String::new(),
    };
    missing.map(check).collect()
}

/// A check for each partition that Kafka has and the ledger does not.
fn unknown_partitions(known: &[KnownPartition], kafka: &ClusterOffsets) -> Vec<Check> {
    let is_known = |partition: &TopicPartition| {
        known
            .iter()
            .any(|known| known.cluster_id == kafka.cluster_id && known.partition == *partition)
    };
    let unknown = kafka.partitions.iter().filter(|(partition, found)| {
        let is_empty = kafka.high_watermark(partition).unwrap_or(found.end) == 0;
        !is_empty && !is_known(partition)
    });
    let check = |(partition, found): (&TopicPartition, &KafkaPartition)| {
        let subject = partition.to_string();
        let text = "Kafka has this partition, the ledger does not";
        let findings = vec![Finding::incomplete(&subject, text)];
        let detail = format!("end {}", found.end);
        Check { check: CHECK, subject, findings, detail }
    };
    unknown.map(check).collect()
}

/// A check of what waits behind open transactions: nobody can know yet whether it will be records.
pub(super) async fn open_transactions(
    kafka: &ClusterOffsets,
    settings: &ResolvedSettings,
) -> Vec<Check> {
    let open = kafka.open_transactions();
    let first = open.iter().map(|(partition, open)| (partition.clone(), open.first_offset));
    let since = times_at(settings, first.collect(), Isolation::Uncommitted, TIMES_LIMIT).await;
    let since = since.unwrap_or_default();
    let check = |(partition, open): (TopicPartition, OpenTransaction)| {
        let OpenTransaction { first_offset, offsets } = open;
        let subject = partition.to_string();
        let when = since.get(&partition).map_or_else(String::new, |time| {
            let time = timestamp_text(Timestamp::with_zone((*time).into()));
            format!(", begun at {time}")
        });
        let text = format!(
            "{} behind an open transaction, from offset {first_offset} on{when}",
            counted_with(offsets, "offset", ["waits", "wait"])
        );
        Check {
            check: "transaction",
            findings: vec![Finding::incomplete(&subject, text)],
            subject,
            detail: format!("open since offset {first_offset}"),
        }
    };
    open.into_iter().map(check).collect()
}

fn compare_with_kafka(
    subject: &str,
    known: &KnownPartition,
    kafka: &ClusterOffsets,
    compared: Option<(KafkaPartition, Comparison)>,
) -> Option<Finding> {
    let incomplete = |text: String| Some(Finding::incomplete(subject, text));
    if known.cluster_id != kafka.cluster_id {
        return incomplete(format!(
            "belongs to the Kafka cluster {}, which was not asked (--brokers)",
            known.cluster_id
        ));
    }
    let topic = &known.partition.topic;
    let Some((found, comparison)) = compared else {
        return incomplete(
            "Kafka has no such partition now, so that nothing can be compared".to_owned(),
        );
    };
    match comparison {
        Comparison::OtherTopic => incomplete(format!(
            "Kafka has another topic of this name, made again, with {} not \
             recorded (ingest --accept-recreated {topic})",
            counted_with(found.end - found.low, "offset", ["that is", "that are"])
        )),
        Comparison::EndsEarly { end } => incomplete(format!(
            "Kafka's partition ends at {end}: the topic was made again or cut off \
             (ingest --accept-recreated {topic})"
        )),
        Comparison::Continues | Comparison::Lost { .. } => {
            match found.end - known.recorded.next_offset {
                ..=0 => None,
                1 => incomplete(format!("offset {} is not recorded yet", found.end - 1)),
                behind => {
                    incomplete(format!("{behind} offsets up to {} are not recorded yet", found.end))
                }
            }
        }
    }
}

fn describe(chain: &Chain) -> String {
    let mut text = counted(chain.rows, "row");
    if chain.holes > 0 {
        text.push_str(&format!(", {}", counted(chain.holes, "hole")));
    }
    if chain.lost > 0 {
        text.push_str(&format!(", {} lost", chain.lost));
    }
    text
}
