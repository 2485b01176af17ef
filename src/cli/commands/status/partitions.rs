//! Each partition: what is recorded of it beside what Kafka has.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::cli::settings::ResolvedSettings;
use crate::cli::shared::{Answer, ClusterOffsets, OpenTransaction, times_at};
use crate::event::TopicPartition;
use crate::kafka::Isolation;
use crate::ledger::{KafkaPartition, compare, unrecorded_offsets};
use crate::output::{Column, Emphasis, Section};
use crate::store::{LostRange, PartitionStatus};
use crate::time::{Timestamp, UnixMicros};

/// How long the first records that wait may take to be read.
const WAITING_LIMIT: Duration = Duration::from_secs(3);

/// Which partitions are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// All with all columns, in the order of their topics.
    ForPrograms,
    /// All, in the order of their topics.
    All,
    /// Those only that are not as they should be.
    Remarkable,
}

/// All partitions at one moment.
pub(super) struct Partitions {
    all: Vec<PartitionStatus>,
    kafka: Option<ClusterOffsets>,
    /// When the first record of a partition was written that is not recorded yet, where one waits
    /// and Kafka tells it.
    waiting: HashMap<TopicPartition, UnixMicros>,
    open_transactions: Vec<(TopicPartition, OpenTransaction)>,
    /// When the first record of each of them was written.
    open_since: HashMap<TopicPartition, UnixMicros>,
    /// Whether Kafka told how long records wait.
    knows_times: bool,
    now: UnixMicros,
}

impl Partitions {
    /// Puts what is recorded beside what Kafka has, partitions included that nobody has claimed
    /// yet. Notes what a person should know besides.
    pub(super) async fn gather(
        mut all: Vec<PartitionStatus>,
        kafka: Answer<ClusterOffsets>,
        settings: &ResolvedSettings,
        notes: &mut Vec<String>,
    ) -> Self {
        let kafka =
            kafka.map_err(|reason| notes.push(format!("the lag is unknown: {reason}"))).ok();
        if let Some(kafka) = &kafka {
            let unclaimed: Vec<_> = unclaimed(&all, kafka).collect();
            all.extend(unclaimed);
            all.sort_by(|one, other| one.partition.cmp(&other.partition));
        }
        let mut partitions = Self {
            all,
            kafka,
            waiting: HashMap::new(),
            open_transactions: Vec::new(),
            open_since: HashMap::new(),
            knows_times: true,
            now: UnixMicros::now(),
        };
        notes.extend(partitions.other_incarnations());
        notes.extend(partitions.not_found());
        let waiting = times_at(settings, partitions.behind(), Isolation::Committed, WAITING_LIMIT);
        partitions.waiting = waiting.await.unwrap_or_else(|reason| {
            notes.push(format!("how long records wait is unknown: {reason}"));
            partitions.knows_times = false;
            HashMap::new()
        });
        let kafka = partitions.kafka.as_ref();
        partitions.open_transactions =
            kafka.map(ClusterOffsets::open_transactions).unwrap_or_default();
        let open = partitions.open_transactions.iter();
        let open = open.map(|(partition, open)| (partition.clone(), open.first_offset)).collect();
        let since = times_at(settings, open, Isolation::Uncommitted, WAITING_LIMIT);
        partitions.open_since = since.await.unwrap_or_else(|reason| {
            notes.push(format!("since when transactions are open is unknown: {reason}"));
            partitions.knows_times = false;
            HashMap::new()
        });
        partitions
    }

    /// Whether Kafka told the lag of every partition, and how long records wait.
    pub(super) fn are_complete(&self) -> bool {
        self.kafka.is_some() && self.knows_times && self.lag().is_some()
    }

    /// The lag of all partitions together; `None` where that of one is not known.
    pub(super) fn lag(&self) -> Option<i64> {
        let lags: Option<Vec<i64>> =
            self.all.iter().map(|partition| self.lag_of(partition)).collect();
        Some(lags?.iter().sum())
    }

    /// How many offsets wait behind open transactions; `None` where Kafka was not asked.
    pub(super) fn offsets_in_open_transactions(&self) -> Option<i64> {
        self.kafka.as_ref()?;
        Some(self.open_transactions.iter().map(|(_, open)| open.offsets).sum())
    }

    /// How many offsets are lost.
    pub(super) fn lost(&self) -> i64 {
        self.all.iter().map(|partition| partition.lost).sum()
    }

    /// How long the record waits that waits longest, in seconds.
    pub(super) fn seconds_behind(&self) -> Option<i64> {
        self.all.iter().filter_map(|partition| self.seconds_behind_of(partition)).max()
    }

    /// The partitions, all of them or those only that a person should see, the furthest behind
    /// first.
    pub(super) fn table(&self, listed: Listed) -> Section<'_> {
        let mut columns = vec![
            Column::new("topic"),
            Column::new("partition"),
            Column::new("next_offset").optional(1),
            Column::new("end_offset"),
            Column::new("lag"),
            Column::new("seconds_behind"),
            Column::new("lost"),
            Column::new("claimed_by").optional(2),
            Column::new("recorded_at").optional(3),
            // A person sees a table of open transactions.
            Column::new("open_transaction_first_offset"),
            Column::new("open_transaction_offsets"),
            Column::new("open_since"),
        ];
        if listed != Listed::ForPrograms {
            columns.truncate(columns.len() - 3);
        }
        let mut shown: Vec<&PartitionStatus> = match listed {
            Listed::ForPrograms | Listed::All => self.all.iter().collect(),
            Listed::Remarkable => self.remarkable().collect(),
        };
        if listed == Listed::Remarkable {
            shown.sort_by_key(|partition| Reverse(self.lag_of(partition)));
        }
        let rows = shown.into_iter().map(|partition| {
            let lag = self.lag_of(partition);
            let open = self.open_transaction_of(partition);
            let emphasis = match (partition.lost, lag) {
                (lost, _) if lost > 0 => Emphasis::Alarm,
                (_, Some(lag)) if lag > 0 => Emphasis::Notice,
                _ if self.is_other_incarnation(partition) => Emphasis::Alarm,
                _ => Emphasis::None,
            };
            let cells = vec![
                partition.partition.topic.as_str().into(),
                partition.partition.partition.into(),
                partition.recorded.map(|recorded| recorded.next_offset).into(),
                self.comparable(partition).map(|found| found.end).into(),
                lag.into(),
                self.seconds_behind_of(partition).into(),
                partition.lost.into(),
                partition.claimed_by.as_deref().into(),
                partition.recorded_at.map(Timestamp::from).into(),
                open.map(|open| open.first_offset).into(),
                self.found(partition).map(|_| open.map_or(0, |open| open.offsets)).into(),
                open.and_then(|_| self.open_since(&partition.partition)).into(),
            ];
            (cells, emphasis)
        });
        Section::table("partitions", columns, rows.collect())
    }

    /// Those that are behind, lost something, or can't be compared with Kafka's. Where Kafka was
    /// not asked, or does not have their topic at all, a note says so, and only losses are
    /// remarkable.
    fn remarkable(&self) -> impl Iterator<Item = &PartitionStatus> {
        let here = self.all.iter().filter(|partition| self.found(partition).is_some());
        let here: BTreeSet<_> = here.map(topic_of).collect();
        self.all.iter().filter(move |partition| {
            let is_behind = self.lag_of(partition) != Some(0);
            partition.lost > 0 || (is_behind && here.contains(&topic_of(partition)))
        })
    }

    /// How many partitions there are, and what those are like that [`Listed::Remarkable`] leaves
    /// out.
    pub(super) fn summary(&self) -> String {
        let (all, listed) = (self.all.len(), self.remarkable().count());
        let is_lossless = |partition: &&PartitionStatus| partition.lost == 0;
        let lags = self.all.iter().filter(is_lossless).map(|partition| self.lag_of(partition));
        let up_to_date = lags.filter(|lag| *lag == Some(0)).count();
        let unknown = all - listed - up_to_date;
        let counts =
            [(up_to_date, "up to date"), (unknown, "of unknown lag"), (listed, "listed below")];
        let counts: Vec<_> = counts.into_iter().filter(|(count, _)| *count > 0).collect();
        match counts[..] {
            [] => format!("{all}, all up to date"),
            [(_, "listed below")] => format!("{all}, all listed below"),
            [(_, state)] => format!("{all}, all {state}"),
            _ => {
                let counts = counts.iter().map(|(count, state)| format!("{count} {state}"));
                format!("{all}: {}", counts.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// What waits behind open transactions.
    pub(super) fn open_transaction_table(&self) -> Section<'_> {
        let rows = self.open_transactions.iter().map(|(partition, open)| {
            let cells = vec![
                partition.topic.as_str().into(),
                partition.partition.into(),
                open.first_offset.into(),
                open.offsets.into(),
                self.open_since(partition).into(),
            ];
            (cells, Emphasis::Notice)
        });
        let columns = ["topic", "partition", "first_offset", "offsets_waiting", "open_since"];
        Section::table("open_transactions", columns.map(Column::new).to_vec(), rows.collect())
    }

    /// What waits behind an open transaction of a partition of the cluster that was asked.
    fn open_transaction_of(&self, partition: &PartitionStatus) -> Option<OpenTransaction> {
        self.found(partition)?;
        let mut all = self.open_transactions.iter();
        all.find(|(open, _)| *open == partition.partition).map(|(_, open)| *open)
    }

    /// Since when it waits, where Kafka tells it.
    fn open_since(&self, partition: &TopicPartition) -> Option<Timestamp> {
        self.open_since.get(partition).map(|time| Timestamp::with_zone((*time).into()))
    }

    /// The partition as Kafka has it, where it belongs to the cluster that was asked.
    fn found(&self, partition: &PartitionStatus) -> Option<&KafkaPartition> {
        self.kafka.as_ref()?.of(&partition.cluster_id, &partition.partition)
    }

    /// The same, where its offsets may be compared with those that are recorded.
    fn comparable(&self, partition: &PartitionStatus) -> Option<&KafkaPartition> {
        let found = self.found(partition)?;
        let recorded = partition.recorded.as_ref();
        recorded
            .is_none_or(|recorded| compare(recorded, found).is_same_incarnation())
            .then_some(found)
    }

    fn is_other_incarnation(&self, partition: &PartitionStatus) -> bool {
        self.found(partition).is_some() && self.comparable(partition).is_none()
    }

    fn lag_of(&self, partition: &PartitionStatus) -> Option<i64> {
        let found = self.comparable(partition)?;
        Some(unrecorded_offsets(partition.recorded.as_ref(), found))
    }

    /// How long the first record waits, in seconds; 0 where no record waits.
    fn seconds_behind_of(&self, partition: &PartitionStatus) -> Option<i64> {
        match self.lag_of(partition)? {
            0 => Some(0),
            _ => {
                let written = self.waiting.get(&partition.partition)?;
                Some((self.now.0 - written.0).max(0) / 1_000_000)
            }
        }
    }

    /// The next offset of each partition that has a lag.
    fn behind(&self) -> Vec<(TopicPartition, i64)> {
        let behind = self
            .all
            .iter()
            .filter(|partition| self.lag_of(partition).is_some_and(|lag| lag > 0))
            .map(|partition| {
                let next_offset = partition.recorded.map_or(0, |recorded| recorded.next_offset);
                (partition.partition.clone(), next_offset)
            });
        behind.collect()
    }

    /// A note about the topics of which Kafka, where it was asked, does not have every partition.
    fn not_found(&self) -> Option<String> {
        self.kafka.as_ref()?;
        let missing = self.all.iter().filter(|partition| self.found(partition).is_none());
        let topics: BTreeSet<&str> =
            missing.map(|partition| partition.partition.topic.as_str()).collect();
        let topics: Vec<&str> = topics.into_iter().collect();
        (!topics.is_empty()).then(|| {
            format!(
                "of {} the lag is unknown: Kafka has no such partition now, or it is another \
                 cluster's",
                topics.join(", ")
            )
        })
    }

    /// A note for each topic that Kafka has another incarnation of.
    fn other_incarnations(&self) -> Vec<String> {
        let other = self.all.iter().filter(|partition| self.is_other_incarnation(partition));
        let mut topics: Vec<&str> =
            other.map(|partition| partition.partition.topic.as_str()).collect();
        topics.dedup();
        let note = |topic: &&str| {
            format!(
                "{topic} was made again or cut off, and is not recorded since: \
                 audit ingest --accept-recreated {topic} records it as a new incarnation"
            )
        };
        topics.iter().map(note).collect()
    }
}

/// The topic in its cluster.
fn topic_of(partition: &PartitionStatus) -> (&str, &str) {
    (&partition.cluster_id, &partition.partition.topic)
}

/// The partitions that Kafka has and nobody has claimed yet.
fn unclaimed<'a>(
    known: &[PartitionStatus],
    kafka: &'a ClusterOffsets,
) -> impl Iterator<Item = PartitionStatus> + use<'a> {
    let known: Vec<TopicPartition> = known
        .iter()
        .filter(|known| known.cluster_id == kafka.cluster_id)
        .map(|known| known.partition.clone())
        .collect();
    let unclaimed = kafka.partitions.keys().filter(move |found| !known.contains(found));
    unclaimed.map(|partition| PartitionStatus {
        cluster_id: kafka.cluster_id.clone(),
        partition: partition.clone(),
        recorded: None,
        lost: 0,
        recorded_at: None,
        claimed_by: None,
    })
}

/// What was lost, the latest first.
pub(super) fn lost_table(lost: &[LostRange]) -> Section<'_> {
    let rows = lost.iter().map(|range| {
        let cells = vec![
            range.partition.topic.as_str().into(),
            range.partition.partition.into(),
            range.first_offset.into(),
            range.next_offset.into(),
            (range.next_offset - range.first_offset).into(),
            Timestamp::from(range.recorded_at).into(),
        ];
        (cells, Emphasis::Alarm)
    });
    let columns =
        ["topic", "partition", "first_offset", "next_offset", "offsets_lost", "recorded_at"];
    Section::table("lost_ranges", columns.map(Column::new).to_vec(), rows.collect())
}
