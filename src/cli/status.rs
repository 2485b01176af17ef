//! `audit status`: what an operator looks at first.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use tokio_postgres::Client;

use super::args::ConnectionArgs;
use super::ends::{Ends, ends};
use super::failure::{Exit, Failure};
use super::output_args::OutputArgs;
use super::signals::interruption;
use super::terminal;
use crate::output::{Cell, Emphasis, Format, Section, Timestamp, render_report};
use crate::store::{self, DatabaseOverview, IngesterOverview, PartitionOverview};

/// Show how far each partition is recorded, what is lost or quarantined, and which ingesters are alive
///
/// Needs Kafka only for the ends of the partitions, and so for the lag: without it the rest is shown.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit status
  audit status --watch 2
  audit status -o json | jq '[.partitions[].lag] | add'")]
pub(crate) struct StatusArgs {
    /// Show it again every so many seconds, until Ctrl-C
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2")]
    watch: Option<u64>,
    /// Also count the rows that repeat an event_id; on a large table this reads for a while
    #[arg(long)]
    duplicates: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// From this width on a terminal has room for who claimed a partition.
const WIDE_TERMINAL: u16 = 100;

/// Up to so many rows duplicates are counted without being asked for.
const FEW_ROWS: i64 = 1_000_000;

pub(crate) async fn run(args: &StatusArgs, connection: &ConnectionArgs) -> Result<Exit, Failure> {
    let settings = connection.database()?;
    let client = store::connect(&settings, "audit status").await?;
    store::check_schema(&client, &settings).await?;
    if args.watch.is_none() {
        return report(args, connection, &client).await;
    }
    tokio::select! {
        outcome = report(args, connection, &client) => outcome,
        () = interruption()? => Ok(Exit::Done),
    }
}

/// Shows it once, or again and again.
async fn report(args: &StatusArgs, connection: &ConnectionArgs, client: &Client) -> Result<Exit, Failure> {
    let mut said = false;
    loop {
        let ends = ends(connection, client, &[], Duration::from_secs(5)).await?;
        if let (Err(reason), false) = (&ends, said) {
            terminal::status(&format!("the lag is unknown: {reason}"));
            said = true;
        }
        if args.watch.is_some() && terminal::stdout_is_terminal() {
            // Home, and clear what is below: the screen does not flicker as it would if it were cleared first.
            print!("\x1b[H\x1b[J");
        }
        show(args, client, ends.ok().as_ref()).await?;
        let Some(seconds) = args.watch else { return Ok(Exit::Done) };
        tokio::time::sleep(Duration::from_secs(seconds.max(1))).await;
    }
}

async fn show(args: &StatusArgs, client: &Client, kafka: Option<&Ends>) -> Result<(), Failure> {
    let database = store::database_overview(client).await?;
    let duplicates = match args.duplicates || database.rows <= FEW_ROWS {
        true => Some(store::count_duplicates(client).await?),
        false => None,
    };
    let partitions = store::partition_overviews(client).await?;
    let ingesters = store::ingester_overviews(client).await?;
    let format = args.output.format().unwrap_or(Format::Table);
    let style = args.output.style();
    let is_narrow = format == Format::Table && style.width.is_some_and(|width| width < WIDE_TERMINAL);
    let sections = vec![
        facts(&database, duplicates, &partitions, kafka),
        partition_table(&partitions, kafka, is_narrow),
        ingester_table(&ingesters),
    ];
    render_report(format, style, sections, &mut std::io::stdout().lock())?;
    Ok(())
}

fn facts<'a>(
    database: &DatabaseOverview,
    duplicates: Option<i64>,
    partitions: &[PartitionOverview],
    kafka: Option<&Ends>,
) -> Section<'a> {
    let lags: Option<Vec<i64>> = partitions.iter().map(|partition| lag(partition, kafka)).collect();
    let lost: i64 = partitions.iter().map(|partition| partition.lost).sum();
    Section::facts(
        "database",
        vec![
            ("rows", database.rows.into()),
            ("batches", database.batches.into()),
            ("newest_batch", time(database.newest_batch_at)),
            ("lag", lags.map(|lags| lags.iter().sum::<i64>()).into()),
            ("lost", lost.into()),
            ("quarantined", database.quarantined.into()),
            ("dead_letters", database.dead_letters.into()),
            ("duplicates", duplicates.into()),
            ("bytes", database.bytes.into()),
        ],
    )
}

/// The partition's end, where Kafka told it and it is the same cluster.
fn end(partition: &PartitionOverview, kafka: Option<&Ends>) -> Option<i64> {
    let (cluster_id, ends) = kafka?;
    let offsets = ends.get(&(partition.topic.clone(), partition.partition))?;
    (*cluster_id == partition.cluster_id).then_some(offsets.end)
}

fn lag(partition: &PartitionOverview, kafka: Option<&Ends>) -> Option<i64> {
    end(partition, kafka).map(|end| (end - partition.next_offset).max(0))
}

fn partition_table<'a>(
    partitions: &'a [PartitionOverview],
    kafka: Option<&Ends>,
    is_narrow: bool,
) -> Section<'a> {
    const COLUMNS: [&str; 8] =
        ["topic", "partition", "next_offset", "end_offset", "lag", "seconds_behind", "lost", "claimed_by"];
    let columns = if is_narrow { &COLUMNS[..7] } else { &COLUMNS };
    let now = Utc::now();
    let rows = partitions.iter().map(|partition| {
        let lag = lag(partition, kafka);
        // How long nothing was recorded although there is something to record.
        let behind = partition.recorded_at.filter(|_| lag.is_some_and(|lag| lag > 0));
        let behind = behind.map(|recorded_at| (now - recorded_at).num_seconds().max(0));
        let emphasis = match (partition.lost, lag) {
            (lost, _) if lost > 0 => Emphasis::Alarm,
            (_, Some(lag)) if lag > 0 => Emphasis::Notice,
            _ => Emphasis::None,
        };
        let mut cells = vec![
            partition.topic.as_str().into(),
            partition.partition.into(),
            partition.next_offset.into(),
            end(partition, kafka).into(),
            lag.into(),
            behind.into(),
            partition.lost.into(),
            partition.claimed_by.as_deref().into(),
        ];
        cells.truncate(columns.len());
        (cells, emphasis)
    });
    Section::table("partitions", columns, rows.collect())
}

fn ingester_table(ingesters: &[IngesterOverview]) -> Section<'_> {
    let rows = ingesters
        .iter()
        .map(|ingester| (vec![ingester.name.as_str().into(), time(ingester.connected_at)], Emphasis::None));
    Section::table("ingesters", &["ingester", "connected_at"], rows.collect())
}

/// PostgreSQL counts from 2000-01-01.
fn time<'a>(instant: Option<DateTime<Utc>>) -> Cell<'a> {
    const EPOCH: i64 = 946_684_800_000_000;
    instant.map(|instant| Timestamp::with_zone(instant.timestamp_micros() - EPOCH)).into()
}
