//! Gathers the status from the database and from Kafka, and lays it out.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use indicatif::HumanBytes;

use crate::cli::shared::{ClusterOffsets, Context, FormatArgs, seconds_waiting};
use crate::cli::ui::{Failure, Ui, WidthClass};
use crate::event::TopicPartition;
use crate::output::{Emphasis, Format, Section, render_report};
use crate::store;
use crate::store::{DatabaseStatus, IngesterStatus, LostRange, PartitionStatus, Session, Settings};
use crate::time::Timestamp;

/// Up to this many rows duplicates are counted without being asked for.
const FEW_ROWS: i64 = 1_000_000;

/// How many lost ranges are listed, the latest.
const LISTED_LOSSES: i64 = 100;

/// How long a broker may take to answer, and the records that wait to be read.
const BROKER_LIMIT: Duration = Duration::from_secs(5);
const WAITING_LIMIT: Duration = Duration::from_secs(3);

const PARTITION_COLUMNS: [&str; 9] = [
    "topic",
    "partition",
    "next_offset",
    "end_offset",
    "lag",
    "seconds_behind",
    "lost",
    "claimed_by",
    "recorded_at",
];

/// The status at one moment.
pub(super) struct Overview {
    database: DatabaseStatus,
    duplicates: Option<i64>,
    partitions: Vec<PartitionStatus>,
    lost: Vec<LostRange>,
    ingesters: Vec<IngesterStatus>,
    kafka: Option<ClusterOffsets>,
    /// How many seconds the first record of a partition waits, where some do and that is known.
    waiting: HashMap<TopicPartition, i64>,
    /// Whether it is known how long records wait.
    knows_waiting: bool,
    /// What a person should know besides.
    pub(super) notes: Vec<String>,
}

impl Overview {
    /// Asks the database, and Kafka where it can be reached. Duplicates of a large table are
    /// counted only where that is asked for.
    pub(super) async fn gather(
        count_duplicates: bool,
        context: &Context<'_>,
        settings: &Settings,
    ) -> Result<Self, store::Error> {
        let session = Session::open(settings, "audit status").await?;
        let mut notes = Vec::new();
        let topics = store::known_topics(&session).await?;
        let kafka = ClusterOffsets::ask(context.settings, topics, BROKER_LIMIT).await;
        let kafka =
            kafka.map_err(|reason| notes.push(format!("the lag is unknown: {reason}"))).ok();
        let database = store::database_status(&session).await?;
        let duplicates = if count_duplicates || database.rows <= FEW_ROWS {
            Some(store::count_duplicates(&session).await?)
        } else {
            notes.push(
                "the duplicates are not counted: that reads for a while, --duplicates does it"
                    .to_owned(),
            );
            None
        };
        let partitions = store::partition_statuses(&session).await?;
        let behind = partitions
            .iter()
            .filter(|partition| lag(partition, kafka.as_ref()).is_some_and(|lag| lag > 0));
        let behind = behind.map(|partition| (partition.partition.clone(), partition.next_offset));
        let waiting = seconds_waiting(context.settings, behind.collect(), WAITING_LIMIT).await;
        let knows_waiting = waiting.is_ok();
        let waiting = waiting.unwrap_or_else(|reason| {
            notes.push(format!("how long records wait is unknown: {reason}"));
            HashMap::new()
        });
        let mut lost = store::lost_ranges(&session, LISTED_LOSSES + 1).await?;
        if lost.len() as i64 > LISTED_LOSSES {
            lost.pop();
            notes
                .push(format!("the latest {LISTED_LOSSES} lost ranges are listed, there are more"));
        }
        let ingesters = store::ingester_statuses(&session).await?;
        let unknown = partitions.iter().filter(|each| lag(each, kafka.as_ref()).is_none());
        let unknown: BTreeSet<_> = unknown.map(|each| each.partition.topic.as_str()).collect();
        if kafka.is_some() && !unknown.is_empty() {
            let topics = unknown.into_iter().collect::<Vec<_>>().join(", ");
            notes.push(format!(
                "the lag of {topics} is not known in whole: Kafka has no such partition now, or it is \
                 another cluster's"
            ));
        }
        Ok(Self {
            database,
            duplicates,
            partitions,
            lost,
            ingesters,
            kafka,
            waiting,
            knows_waiting,
            notes,
        })
    }

    /// Whether Kafka told all that was asked.
    pub(super) fn is_complete(&self) -> bool {
        let is_known = |partition| lag(partition, self.kafka.as_ref()).is_some();
        self.knows_waiting && self.kafka.is_some() && self.partitions.iter().all(is_known)
    }

    /// The report in the format that was asked for.
    pub(super) fn render(&self, args: &FormatArgs, ui: Ui) -> Result<Vec<u8>, Failure> {
        let format = args.format();
        let columns = match ui.width() {
            WidthClass::Narrow if format == Format::Table => 7,
            WidthClass::Medium | WidthClass::Wide if format == Format::Table => 8,
            _ => PARTITION_COLUMNS.len(),
        };
        let sections = vec![
            self.facts(format),
            self.partition_table(columns),
            lost_table(&self.lost),
            ingester_table(&self.ingesters),
        ];
        let mut report = Vec::new();
        render_report(format, args.style(ui), sections, &mut report)?;
        Ok(report)
    }

    fn facts<'a>(&self, format: Format) -> Section<'a> {
        let database = &self.database;
        let lags: Option<Vec<i64>> =
            self.partitions.iter().map(|partition| lag(partition, self.kafka.as_ref())).collect();
        let lag = lags.map(|lags| lags.iter().sum::<i64>());
        let lost: i64 = self.partitions.iter().map(|partition| partition.lost).sum();
        let behind =
            self.partitions.iter().filter_map(|partition| self.seconds_behind(partition)).max();
        let alive = self.ingesters.len() as i64;
        let size = match format {
            Format::Table | Format::Lines => (
                "size",
                HumanBytes(database.bytes.unsigned_abs()).to_string().into(),
                Emphasis::None,
            ),
            Format::Json | Format::Ndjson | Format::Csv => {
                ("bytes", database.bytes.into(), Emphasis::None)
            }
        };
        let unless =
            |is_fine: bool, emphasis: Emphasis| if is_fine { Emphasis::None } else { emphasis };
        let plain = Emphasis::None;
        Section::facts(
            "database",
            vec![
                ("rows", database.rows.into(), plain),
                ("batches", database.batches.into(), plain),
                ("newest_batch", database.newest_batch_at.map(Timestamp::from).into(), plain),
                (
                    "newest_event",
                    database.newest_event_at.map(Timestamp::without_zone).into(),
                    plain,
                ),
                ("ingesters_alive", alive.into(), unless(alive > 0, Emphasis::Notice)),
                ("lag", lag.into(), unless(lag.unwrap_or(0) == 0, Emphasis::Notice)),
                ("seconds_behind", behind.into(), plain),
                ("lost", lost.into(), unless(lost == 0, Emphasis::Alarm)),
                (
                    "quarantined",
                    database.quarantined.into(),
                    unless(database.quarantined == 0, Emphasis::Notice),
                ),
                ("dead_letters", database.dead_letters.into(), plain),
                ("duplicates", self.duplicates.into(), plain),
                size,
            ],
        )
    }

    /// How long the first record waits, in seconds; 0 where no record waits.
    fn seconds_behind(&self, partition: &PartitionStatus) -> Option<i64> {
        match lag(partition, self.kafka.as_ref())? {
            0 => Some(0),
            _ => self.waiting.get(&partition.partition).copied(),
        }
    }

    fn partition_table<'a>(&'a self, columns: usize) -> Section<'a> {
        let rows = self.partitions.iter().map(|partition| {
            let kafka = self.kafka.as_ref();
            let lag = lag(partition, kafka);
            let emphasis = match (partition.lost, lag) {
                (lost, _) if lost > 0 => Emphasis::Alarm,
                (_, Some(lag)) if lag > 0 => Emphasis::Notice,
                _ => Emphasis::None,
            };
            let mut cells = vec![
                partition.partition.topic.as_str().into(),
                partition.partition.partition.into(),
                partition.next_offset.into(),
                end(partition, kafka).into(),
                lag.into(),
                self.seconds_behind(partition).into(),
                partition.lost.into(),
                partition.claimed_by.as_deref().into(),
                partition.recorded_at.map(Timestamp::from).into(),
            ];
            cells.truncate(columns);
            (cells, emphasis)
        });
        Section::table("partitions", &PARTITION_COLUMNS[..columns], rows.collect())
    }
}

/// The partition's end, where Kafka told it and it is the same cluster.
fn end(partition: &PartitionStatus, kafka: Option<&ClusterOffsets>) -> Option<i64> {
    kafka?.of(&partition.cluster_id, &partition.partition).map(|offsets| offsets.end)
}

fn lag(partition: &PartitionStatus, kafka: Option<&ClusterOffsets>) -> Option<i64> {
    end(partition, kafka).map(|end| (end - partition.next_offset).max(0))
}

fn lost_table(lost: &[LostRange]) -> Section<'_> {
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
    Section::table("lost_ranges", &columns, rows.collect())
}

fn ingester_table(ingesters: &[IngesterStatus]) -> Section<'_> {
    let rows = ingesters.iter().map(|ingester| {
        (
            vec![ingester.name.as_str().into(), ingester.connected_at.map(Timestamp::from).into()],
            Emphasis::None,
        )
    });
    Section::table("ingesters", &["ingester", "connected_at"], rows.collect())
}
