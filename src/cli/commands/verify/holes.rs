//! Declared holes: whether Kafka shows a record at an offset that the ledger declares to hold none.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::comparisons::Comparisons;
use crate::cli::settings::ResolvedSettings;
use crate::cli::ui::{Failure, Progress, Total};
use crate::count_text::counted_with;
use crate::event::TopicPartition;
use crate::kafka;
use crate::ledger::{Finding, join_ranges};
use crate::store::KnownPartition;
use crate::verification::Check;

/// How many ranges are collected before Kafka is asked about them: some 16 MB.
const COLLECTED: usize = 1_000_000;

/// How many records in holes are named for each partition; the rest is counted.
const NAMED: usize = 20;

/// Collects holes, and asks Kafka about them.
pub(super) struct Holes<'a> {
    settings: &'a ResolvedSettings,
    /// The partitions that Kafka can be asked about, and where each begins now.
    askable: HashMap<i32, (TopicPartition, i64)>,
    collected: BTreeMap<i32, Vec<Range<i64>>>,
    count: usize,
    asked: i64,
    unasked: i64,
    findings: Vec<Finding>,
}

impl<'a> Holes<'a> {
    /// Nothing is collected yet. Kafka can be asked about the incarnation that it has.
    pub(super) fn new(
        settings: &'a ResolvedSettings,
        known: &[KnownPartition],
        comparisons: &Comparisons,
    ) -> Self {
        Self {
            settings,
            askable: comparisons.readable(known),
            collected: BTreeMap::new(),
            count: 0,
            asked: 0,
            unasked: 0,
            findings: Vec::new(),
        }
    }

    /// Asks Kafka where much is collected.
    pub(super) async fn ask_if_many(&mut self) -> Result<(), Failure> {
        if self.count < COLLECTED { Ok(()) } else { self.ask(|_| {}).await }
    }

    /// Takes a range of holes.
    pub(super) fn add(&mut self, partition_id: i32, range: Range<i64>) {
        let Some((_, low)) = self.askable.get(&partition_id) else {
            self.unasked += range.end - range.start;
            return;
        };
        let kept = range.start.max(*low)..range.end;
        self.unasked += kept.start.min(range.end) - range.start;
        if !kept.is_empty() {
            self.asked += kept.end - kept.start;
            self.count += 1;
            self.collected.entry(partition_id).or_default().push(kept);
        }
    }

    /// Asks Kafka about what is collected, and tells of how many holes it has answered.
    async fn ask(&mut self, told: impl Fn(u64) + Clone + Send + 'static) -> Result<(), Failure> {
        self.count = 0;
        let mut answered = 0;
        let mut topics: BTreeMap<String, BTreeMap<i32, Vec<Range<i64>>>> = BTreeMap::new();
        for (partition_id, ranges) in std::mem::take(&mut self.collected) {
            if let Some((partition, _)) = self.askable.get(&partition_id) {
                let of_topic = topics.entry(partition.topic.clone()).or_default();
                of_topic.insert(partition.partition, join_ranges(ranges));
            }
        }
        for (topic, ranges) in topics {
            let settings = self.settings.kafka()?;
            let (name, told) = (topic.clone(), told.clone());
            let before = answered;
            answered += ranges.values().flatten().map(length).sum::<u64>();
            let asked = kafka::blocking(move || {
                kafka::find_in_ranges(&settings, &name, &ranges, |passed| told(before + passed))
            });
            let asked = asked.await;
            match asked {
                Ok(found) => {
                    for (partition, offsets) in found {
                        let subject = TopicPartition::new(&topic, partition).to_string();
                        self.findings.extend(shown(&subject, &offsets));
                    }
                }
                Err(error) => self.findings.push(Finding::incomplete(
                    &topic,
                    format!("Kafka could not be asked about its holes: {error}"),
                )),
            }
        }
        Ok(())
    }

    /// Asks about the rest, and tells what was found, and how many holes could not be asked about.
    pub(super) async fn finish(mut self, progress: &Progress) -> Result<(Check, i64), Failure> {
        let left: u64 = self.collected.values().flatten().map(length).sum();
        progress.counting("holes looked up", Total::Exact(left));
        self.ask(progress.setter()).await?;
        let check = Check {
            check: "holes",
            subject: "offsets without a row".to_owned(),
            findings: self.findings,
            detail: match self.asked {
                0 => "there were none to ask Kafka about".to_owned(),
                asked => format!("Kafka was asked about {}", declared_holes(asked)),
            },
        };
        Ok((check, self.unasked))
    }
}

/// How many offsets a range has.
fn length(range: &Range<i64>) -> u64 {
    (range.end - range.start).unsigned_abs()
}

/// `1 declared hole`, `7 declared holes`.
pub(super) fn declared_holes(count: i64) -> String {
    if count == 1 { "1 declared hole".to_owned() } else { format!("{count} declared holes") }
}

/// Records that Kafka shows where the ledger declares a hole: each is missing.
fn shown(partition: &str, offsets: &[i64]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = offsets
        .iter()
        .take(NAMED)
        .map(|offset| {
            let text = format!("Kafka has a record at offset {offset}, which is declared a hole");
            Finding::incomplete(partition, text)
        })
        .collect();
    if offsets.len() > NAMED {
        let more = offsets.len() - NAMED;
        let text = format!("{} declared holes", counted_with(more, "more record", ["is", "are"]));
        findings.push(Finding::incomplete(partition, text));
    }
    findings
}
