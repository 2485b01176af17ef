//! Gathers the status from the database and from Kafka, and lays it out.

use std::time::Duration;

use chrono::{DateTime, Utc};
use indicatif::HumanBytes;

use super::leaves::Leaves;
use super::partitions::{Listed, Partitions, lost_table};
use crate::cli::shared::{ClusterOffsets, Context, FormatArgs, left_to_count};
use crate::cli::ui::{Failure, Progress, Ui};
use crate::count_text::counted;
use crate::event::Reason;
use crate::output::{Column, Emphasis, Format, Section, render_report};
use crate::store;
use crate::store::{
    Counting, DatabaseStatus, Duplicates, IngesterStatus, LackingSchemas, LakeWriter, LogCover,
    LostRange, ReadMode, RetiredTotals, Session, Settings,
};
use crate::time::{Timestamp, span_text};
use crate::value::Value;

/// With more rows than this still to be counted, commands that count take noticeably longer.
const LONG_TO_COUNT: i64 = 1_000_000;

/// How many lost ranges are listed, the latest.
const LISTED_LOSSES: i64 = 100;

/// How long a broker may take to answer.
const BROKER_LIMIT: Duration = Duration::from_secs(5);

/// The status at one moment.
pub(super) struct Overview {
    database: DatabaseStatus,
    lacking_schemas: LackingSchemas,
    duplicates: Duplicates,
    partitions: Partitions,
    lost: Vec<LostRange>,
    ingesters: Vec<IngesterStatus>,
    lakes: Vec<LakeWriter>,
    cover: LogCover,
    leaves: Leaves,
    retired: Option<RetiredTotals>,
    /// What a person should know besides.
    pub(super) notes: Vec<String>,
}

impl Overview {
    /// Asks the database, and Kafka where it can be reached. Where many rows were not searched for
    /// duplicates yet, they are counted only where that is asked for.
    pub(super) async fn gather(
        count_duplicates: bool,
        context: &Context<'_>,
        settings: &Settings,
        progress: &Progress,
    ) -> Result<Self, store::Error> {
        progress.doing("asking the database and Kafka");
        let mut session = Session::open(settings, "audit status").await?;
        let mut notes = session.home().await?.notes(settings);
        // The record first: of one incarnation it is never ahead of an end that is asked for later.
        let partitions = store::partition_statuses(&session).await?;
        let topics = partitions.iter().map(|known| known.partition.topic.clone()).collect();
        let kafka = ClusterOffsets::ask(context.settings, topics, BROKER_LIMIT).await;
        let reading = session.read(ReadMode::All).await?;
        let counting = Counting::read(&reading).await?;
        let database = store::database_status(&reading, &counting).await?;
        progress.doing("counting what is quarantined for want of a schema");
        let lacking_schemas = match database.quarantined {
            0 => LackingSchemas::default(),
            _ => store::lacking_schemas(&reading).await?,
        };
        progress.doing("counting duplicate deliveries");
        let duplicates = store::duplicates(&reading, &counting, count_duplicates).await?;
        reading.finish().await?;
        notes.extend(counting_notes(&counting, duplicates));
        notes.extend(schema_note(lacking_schemas));
        progress.doing("asking Kafka how long records wait");
        let partitions = Partitions::gather(partitions, kafka, context.settings, &mut notes).await;
        let mut lost = store::lost_ranges(&session, LISTED_LOSSES + 1).await?;
        if lost.len() as i64 > LISTED_LOSSES {
            lost.pop();
            notes
                .push(format!("the latest {LISTED_LOSSES} lost ranges are listed, there are more"));
        }
        let ingesters = store::ingester_statuses(&session).await?;
        let lakes = store::lake_writers(&session).await?;
        let cover = store::log_cover(&session).await?;
        let leaves = Leaves::read(&session).await?;
        let retired = store::retired_totals(&session).await?;
        Ok(Self {
            database,
            lacking_schemas,
            duplicates,
            partitions,
            lost,
            ingesters,
            lakes,
            cover,
            leaves,
            retired,
            notes,
        })
    }

    /// Whether Kafka told all that was asked.
    pub(super) fn is_complete(&self) -> bool {
        self.partitions.are_complete()
    }

    /// The report in the format that was asked for. A table folds the partitions that are as they
    /// should be, unless it is of `all`.
    pub(super) fn render(&self, args: &FormatArgs, all: bool, ui: Ui) -> Result<Vec<u8>, Failure> {
        let format = args.format();
        let (facts, listed) = match format {
            Format::Table | Format::Lines if all => (self.facts_for_people(), Listed::All),
            Format::Table | Format::Lines => (self.facts_for_people(), Listed::Remarkable),
            Format::Json | Format::Ndjson | Format::Csv => (self.facts(), Listed::ForPrograms),
        };
        let mut sections = vec![
            facts,
            self.partitions.table(listed),
            self.partitions.open_transaction_table(),
            lost_table(&self.lost),
            ingester_table(&self.ingesters),
            lake_table(&self.lakes),
        ];
        if listed == Listed::ForPrograms {
            sections.push(self.leaves.table());
        }
        let mut report = Vec::new();
        render_report(format, args.style(ui), sections, &mut report)?;
        Ok(report)
    }

    fn facts<'a>(&self) -> Section<'a> {
        let database = &self.database;
        let partitions = &self.partitions;
        let checkpoint = self.cover.checkpoint.as_ref();
        let plain = Emphasis::None;
        let newest_event = database.newest_event_at.map(Timestamp::without_zone);
        Section::facts(
            "database",
            vec![
                ("rows", database.rows.into(), plain),
                ("batches", database.batches.into(), plain),
                ("newest_batch", database.newest_batch_at.map(Timestamp::from).into(), plain),
                ("newest_event", newest_event.into(), plain),
                ("ingesters_alive", (self.ingesters.len() as i64).into(), plain),
                ("lag", partitions.lag().into(), plain),
                ("seconds_behind", partitions.seconds_behind().into(), plain),
                ("in_open_transactions", partitions.offsets_in_open_transactions().into(), plain),
                ("lost", partitions.lost().into(), plain),
                ("quarantined", database.quarantined.into(), plain),
                ("lacking_schemas", self.lacking_schemas.all().into(), plain),
                ("dead_letters", database.dead_letters.into(), plain),
                ("duplicates", exactly(self.duplicates).into(), plain),
                ("bytes", database.bytes.into(), plain),
                ("retired_rows", self.retired.map_or(0, |retired| retired.rows).into(), plain),
                ("checkpoint_size", checkpoint.map(|it| it.size.cast_signed()).into(), plain),
                ("checkpoint_at", checkpoint.map(|it| Timestamp::from(it.signed_at)).into(), plain),
                ("batches_behind_checkpoint", self.cover.batches_behind.into(), plain),
            ],
        )
    }

    /// How old the last checkpoint is, and what lies behind it.
    fn checkpoint_text(&self) -> String {
        let LogCover { checkpoint, batches_behind, behind_since } = &self.cover;
        let ago = |then: DateTime<Utc>| {
            span_text(
                (Utc::now() - then).num_microseconds().unwrap_or_default().max(0).unsigned_abs(),
            )
        };
        let behind = match behind_since {
            Some(since) if *batches_behind > 0 => {
                format!("{} behind, since {} ago", counted(*batches_behind, "batch"), ago(*since))
            }
            _ => "nothing behind".to_owned(),
        };
        match checkpoint {
            Some(checkpoint) => format!(
                "{}, signed {} ago; {behind}",
                counted(checkpoint.size, "leaf"),
                ago(checkpoint.signed_at)
            ),
            None => format!("none; {behind}"),
        }
    }

    /// The same on fewer lines.
    fn facts_for_people<'a>(&self) -> Section<'a> {
        let database = &self.database;
        let partitions = &self.partitions;
        let unless =
            |is_fine: bool, emphasis: Emphasis| if is_fine { Emphasis::None } else { emphasis };
        let (lag, lost) = (partitions.lag(), partitions.lost());
        let open = partitions.offsets_in_open_transactions().unwrap_or(0);
        let behind = match (lag, partitions.seconds_behind()) {
            (None, _) => "unknown".to_owned(),
            (Some(lag), Some(seconds)) if lag > 0 => {
                format!("{}, {seconds} s", counted(lag, "record"))
            }
            (Some(lag), _) => lag.to_string(),
        };
        let alive = self.ingesters.len() as i64;
        let rows = format!(
            "{} in {}, {}",
            database.rows,
            counted(database.batches, "batch"),
            HumanBytes(database.bytes.unsigned_abs())
        );
        let plain = Emphasis::None;
        let newest_event = database.newest_event_at.map(Timestamp::without_zone);
        let mut facts = vec![
            ("rows", rows.into(), plain),
            ("newest_batch", database.newest_batch_at.map(Timestamp::from).into(), plain),
            ("newest_event", newest_event.into(), plain),
            ("ingesters_alive", alive.into(), unless(alive > 0, Emphasis::Notice)),
            ("partitions", partitions.summary().into(), plain),
            ("lag", behind.into(), unless(lag == Some(0), Emphasis::Notice)),
        ];
        if open > 0 {
            facts.push(("in_open_transactions", open.into(), Emphasis::Notice));
        }
        let quarantined = unless(database.quarantined == 0, Emphasis::Notice);
        let duplicates: Value<'a> = match self.duplicates {
            Duplicates::Exactly(count) => count.into(),
            Duplicates::AtLeast(count) => format!("at least {count}").into(),
        };
        facts.extend([
            ("lost", lost.into(), unless(lost == 0, Emphasis::Alarm)),
            ("quarantined", database.quarantined.into(), quarantined),
        ]);
        if self.lacking_schemas.all() > 0 {
            let words = lacking_words(self.lacking_schemas);
            facts.push(("lacking_schemas", words.into(), Emphasis::Notice));
        }
        facts.extend([
            ("dead_letters", database.dead_letters.into(), plain),
            ("duplicates", duplicates, plain),
            ("checkpoint", self.checkpoint_text().into(), plain),
        ]);
        if let Some(summary) = self.leaves.summary() {
            let emphasis = unless(!self.leaves.are_left_waiting(), Emphasis::Notice);
            facts.push(("leaves", summary.into(), emphasis));
        }
        if let Some(retired) = &self.retired {
            facts.push(("retired", retired_words(retired).into(), plain));
        }
        Section::facts("database", facts)
    }
}

/// `17: 12 schema_registry, 5 unknown_schema`
fn lacking_words(lacking: LackingSchemas) -> String {
    let reasons = [
        (lacking.without_registry, Reason::SchemaRegistry),
        (lacking.unknown, Reason::UnknownSchema),
        (lacking.invalid, Reason::SchemaInvalid),
    ];
    let reasons = reasons.iter().filter(|(rows, _)| *rows > 0);
    let reasons: Vec<String> = reasons.map(|(rows, reason)| format!("{rows} {reason}")).collect();
    format!("{}: {}", lacking.all(), reasons.join(", "))
}

/// What would have read the rows that needed a registry.
fn schema_note(lacking: LackingSchemas) -> Option<String> {
    let rows = u64::try_from(lacking.without_registry).ok().filter(|rows| *rows > 0)?;
    Some(format!(
        "{} could not be read without a schema registry: `audit ingest --schema-registry URL` reads \
         such records from then on",
        counted(rows, "row")
    ))
}

/// `4194304 of the rows, in 2 leaves, last on 2026-11-18 11:06:41`
fn retired_words(retired: &RetiredTotals) -> String {
    format!(
        "{} of the rows, in {}, last on {}",
        retired.rows,
        counted(retired.leaves, "leaf"),
        retired.retired_at.format("%Y-%m-%d %H:%M:%S")
    )
}

/// The number, where it is known.
fn exactly(duplicates: Duplicates) -> Option<i64> {
    match duplicates {
        Duplicates::Exactly(count) => Some(count),
        Duplicates::AtLeast(_) => None,
    }
}

/// What is still to be counted, where that is so much that reading takes longer for it.
fn counting_notes(counting: &Counting, duplicates: Duplicates) -> impl Iterator<Item = String> {
    let is_much = counting.uncounted_rows.max(counting.unsearched_rows) > LONG_TO_COUNT;
    let left = left_to_count(counting).filter(|_| is_much);
    let at_least = match duplicates {
        Duplicates::Exactly(_) => None,
        Duplicates::AtLeast(count) => Some(format!(
            "the duplicates are at least {count}: --duplicates counts all of them, and reads for a while"
        )),
    };
    left.into_iter().chain(at_least)
}

fn ingester_table(ingesters: &[IngesterStatus]) -> Section<'_> {
    let rows = ingesters.iter().map(|ingester| {
        (
            vec![ingester.name.as_str().into(), ingester.connected_at.map(Timestamp::from).into()],
            Emphasis::None,
        )
    });
    let columns = ["ingester", "connected_at"].map(Column::new).to_vec();
    Section::table("ingesters", columns, rows.collect())
}

fn lake_table(writers: &[LakeWriter]) -> Section<'_> {
    let rows = writers.iter().map(|writer| {
        let cells = vec![
            writer.batch_no.into(),
            writer.batches_behind.into(),
            writer.behind_since.map(Timestamp::from).into(),
            writer.connected_at.map(Timestamp::from).into(),
        ];
        (cells, Emphasis::None)
    });
    let columns = ["batch_no", "batches_behind", "behind_since", "connected_at"];
    Section::table("lake_writers", columns.map(Column::new).to_vec(), rows.collect())
}
