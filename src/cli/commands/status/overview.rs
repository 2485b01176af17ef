//! Gathers the status from the database and from Kafka, and lays it out.

use std::time::Duration;

use indicatif::{HumanBytes, HumanCount};

use super::partitions::{IN_TABLES, Partitions, lost_table};
use crate::cli::shared::{ClusterOffsets, Context, FormatArgs};
use crate::cli::ui::{Failure, Progress, Ui, WidthClass};
use crate::output::{Emphasis, Format, Section, render_report};
use crate::store;
use crate::store::{DatabaseStatus, IngesterStatus, LostRange, Session, Settings};
use crate::time::Timestamp;

/// Up to this many rows duplicates are counted without being asked for.
const FEW_ROWS: i64 = 1_000_000;

/// How many lost ranges are listed, the latest.
const LISTED_LOSSES: i64 = 100;

/// How long a broker may take to answer.
const BROKER_LIMIT: Duration = Duration::from_secs(5);

/// The status at one moment.
pub(super) struct Overview {
    database: DatabaseStatus,
    duplicates: Option<i64>,
    partitions: Partitions,
    lost: Vec<LostRange>,
    ingesters: Vec<IngesterStatus>,
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
        progress: &Progress,
    ) -> Result<Self, store::Error> {
        progress.doing("asking the database and Kafka");
        let session = Session::open(settings, "audit status").await?;
        let mut notes = session.home().await?.notes(settings);
        // The record first: of one incarnation it is never ahead of an end that is asked for later.
        let partitions = store::partition_statuses(&session).await?;
        let topics = partitions.iter().map(|known| known.partition.topic.clone()).collect();
        let kafka = ClusterOffsets::ask(context.settings, topics, BROKER_LIMIT).await;
        let database = store::database_status(&session).await?;
        let duplicates = if count_duplicates || database.rows <= FEW_ROWS {
            let rows = HumanCount(database.rows.unsigned_abs());
            progress.doing(format!("counting the duplicates among {rows} rows"));
            Some(store::count_duplicates(&session).await?)
        } else {
            notes.push(
                "the duplicates are not counted: that reads for a while, --duplicates does it"
                    .to_owned(),
            );
            None
        };
        progress.doing("asking Kafka how long records wait");
        let partitions = Partitions::gather(partitions, kafka, context.settings, &mut notes).await;
        let mut lost = store::lost_ranges(&session, LISTED_LOSSES + 1).await?;
        if lost.len() as i64 > LISTED_LOSSES {
            lost.pop();
            notes
                .push(format!("the latest {LISTED_LOSSES} lost ranges are listed, there are more"));
        }
        let ingesters = store::ingester_statuses(&session).await?;
        Ok(Self { database, duplicates, partitions, lost, ingesters, notes })
    }

    /// Whether Kafka told all that was asked.
    pub(super) fn is_complete(&self) -> bool {
        self.partitions.are_complete()
    }

    /// The report in the format that was asked for.
    pub(super) fn render(&self, args: &FormatArgs, ui: Ui) -> Result<Vec<u8>, Failure> {
        let format = args.format();
        let columns = match ui.width() {
            WidthClass::Narrow if format == Format::Table => 7,
            WidthClass::Medium | WidthClass::Wide if format == Format::Table => 8,
            _ if format == Format::Table => IN_TABLES,
            _ => usize::MAX,
        };
        let sections = vec![
            self.facts(format),
            self.partitions.table(columns),
            self.partitions.open_transaction_table(),
            lost_table(&self.lost),
            ingester_table(&self.ingesters),
        ];
        let mut report = Vec::new();
        render_report(format, args.style(ui), sections, &mut report)?;
        Ok(report)
    }

    fn facts<'a>(&self, format: Format) -> Section<'a> {
        let database = &self.database;
        let partitions = &self.partitions;
        let (lag, lost) = (partitions.lag(), partitions.lost());
        let open = partitions.offsets_in_open_transactions();
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
                ("seconds_behind", partitions.seconds_behind().into(), plain),
                (
                    "in_open_transactions",
                    open.into(),
                    unless(open.unwrap_or(0) == 0, Emphasis::Notice),
                ),
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
