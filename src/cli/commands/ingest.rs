//! `audit ingest`: Kafka → event_logs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueHint};
use indicatif::HumanCount;
use regex::Regex;

use crate::anchor::{Anchor, Publish};
use crate::cli::settings::{
    ArgumentSettings, DEFAULT_TOPICS, ResolvedSettings, SchemaRegistryArgs,
};
use crate::cli::shared::{Context, Run, name_in_list, pattern, signer_key, whole_number};
use crate::cli::ui::{Exit, Failure, LogFormat, Progress, on_stop};
use crate::count_text::counted;
use crate::event::Decoder;
use crate::filter::duration;
use crate::ingest;
use crate::ingest::{AnchorSettings, Counters, IngestSettings, ListenAddress, Stop};

/// How often checkpoints are signed where nothing else is asked for.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(600);
/// How often they are signed at most.
const SHORTEST_EVERY: Duration = Duration::from_secs(1);

/// Record Kafka's events in event_logs, exactly once, until stopped
///
/// Each record becomes one row, whatever it contains and whatever crashes: what can't be a normal
/// row is a quarantined one. How far each partition is recorded stands in PostgreSQL beside the
/// rows, and moves in the same transaction. Several ingesters with the same database share the
/// partitions. Ctrl-C or SIGTERM ends after committing what was read (exit 0).
#[derive(Debug, Args)]
#[command(after_help = "\
Memory: each writer holds at most 4 batches of 8 MiB (or of one larger record)
and their encoded rows, about 100 MiB; librdkafka holds at most 5 MiB for each
assigned partition.

Examples:
  audit ingest                          # until it is stopped
  audit ingest --topics shop.events     # other topics
  audit ingest --metrics 9464           # watched at 127.0.0.1:9464/metrics
  audit ingest --until-end              # what is there now, for cron
  audit ingest --schema-registry $AUDIT_SCHEMA_REGISTRY
                                        # Avro and Protobuf, too
  audit ingest --checkpoint-key audit.key --checkpoint-out last.checkpoint
                                        # signs every 10 minutes
  audit ingest --until-end -X socket.keepalive.enable=true")]
pub(crate) struct IngestArgs {
    /// The topics to record; one that does not exist yet is waited for
    #[arg(
        long,
        value_name = "TOPIC",
        value_delimiter = ',',
        value_parser = name_in_list(),
        default_value = DEFAULT_TOPICS
    )]
    pub(crate) topics: Vec<String>,
    /// The consumer group [default: audit- and the first characters of the database's own id]
    #[arg(long, value_name = "NAME")]
    pub(crate) group: Option<String>,
    /// End when everything is recorded that the topics held at the start; what waits behind a
    /// transaction that is open then is not waited for
    #[arg(long)]
    until_end: bool,
    /// Write a batch when it has this many rows
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = whole_number::<u32>(1..=500_000))]
    batch_rows: u32,
    /// Write a batch when its first row has waited this long, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 200, value_parser = whole_number::<u32>(1..=60_000))]
    batch_wait: u32,
    /// How many connections write at once, each the batches of its own partitions [default: as many
    /// as there are processors or partitions, whichever is fewer, 8 at most]
    #[arg(long, value_name = "N", value_parser = whole_number::<u32>(1..=16))]
    writers: Option<u32>,
    /// Leave counting events and sealing full partitions of event_logs to `audit maintain`
    #[arg(long)]
    no_maintenance: bool,
    /// Also take topics for dead letters whose name matches this regular expression
    #[arg(long, value_name = "REGEX", value_parser = pattern)]
    dlt_pattern: Option<Regex>,
    /// Record this topic as a new incarnation: it was deleted and made again, or was truncated
    /// (repeatable)
    #[arg(long, value_name = "TOPIC", value_delimiter = ',', value_parser = name_in_list())]
    accept_recreated: Vec<String>,
    /// Answer monitoring here: /metrics for Prometheus, /healthz and /readyz. A port alone is of
    /// this machine only; 0 takes one that is free, and the log says which
    #[arg(long, value_name = "ADDR")]
    metrics: Option<ListenAddress>,
    /// Sign checkpoints of the log of evidence with this key, beside the recording
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Checkpoints")]
    checkpoint_key: Option<PathBuf>,
    /// Sign one this often where something was recorded, and one at the end [default: 10m]
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "checkpoint_key", help_heading = "Checkpoints")]
    checkpoint_every: Option<i64>,
    /// Keep the last one in this file, which is replaced: only by one that goes on from it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "checkpoint_key", help_heading = "Checkpoints")]
    checkpoint_out: Option<PathBuf>,
    /// Publish them to this topic of Kafka
    #[arg(long, value_name = "TOPIC", requires = "checkpoint_key", help_heading = "Checkpoints")]
    publish: Option<String>,
    #[command(flatten)]
    registry: SchemaRegistryArgs,
    /// How the log on stderr is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

impl Run for IngestArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.topics(&mut self.topics);
        settings.group(&mut self.group);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let counters = Arc::new(Counters::default());
        // A line that moves is for a person, not for the machine that reads a log in JSON.
        let progress = Arc::new(match self.log_format {
            LogFormat::Text => context.ui.progress(),
            LogFormat::Json => Progress::hidden(),
        });
        context.ui.start_log(self.log_format);
        let settings = self.settings(context.settings)?;
        let stop = Arc::new(Stop::default());
        on_stop({
            let stop = Arc::clone(&stop);
            move || stop.request()
        })?;
        let began = Instant::now();
        let reporter = tokio::spawn(report(Arc::clone(&counters), Arc::clone(&progress)));
        let outcome = ingest::run(settings, stop, Arc::clone(&counters)).await;
        reporter.abort();
        progress.clear();
        log_end(&counters, began.elapsed().as_secs_f64());
        outcome?;
        Ok(Exit::Done)
    }
}

impl IngestArgs {
    fn settings(self, settings: &ResolvedSettings) -> Result<IngestSettings, Failure> {
        let mut topics = self.topics;
        topics.retain(|topic| !topic.is_empty());
        topics.sort_unstable();
        topics.dedup();
        if topics.is_empty() {
            return Err(Failure::usage("--topics names no topic"));
        }
        if let Some(other) = self.accept_recreated.iter().find(|topic| !topics.contains(topic)) {
            return Err(Failure::usage(format!(
                "--accept-recreated {other}: no topic of --topics has that name"
            )));
        }
        let anchoring = match self.checkpoint_key {
            Some(file) => {
                let key = signer_key("--checkpoint-key", &file)
                    .map_err(|failure| failure.with_exit(Exit::Usage))?;
                let publish = match self.publish {
                    Some(topic) => Some(Publish { kafka: settings.kafka()?, topic }),
                    None => None,
                };
                let every = self.checkpoint_every.map_or(CHECKPOINT_EVERY, |microseconds| {
                    Duration::from_micros(microseconds.unsigned_abs())
                });
                let anchor = Anchor { key, out: self.checkpoint_out, publish };
                Some(AnchorSettings { anchor, every: every.max(SHORTEST_EVERY) })
            }
            None => None,
        };
        Ok(IngestSettings {
            anchoring,
            database: settings.database()?,
            kafka: settings.kafka()?,
            schema_registry: settings.schema_registry()?,
            topics,
            group: self.group,
            batch_rows: self.batch_rows as usize,
            batch_wait: Duration::from_millis(self.batch_wait.into()),
            writers: self.writers.map(|writers| writers as usize),
            maintenance: !self.no_maintenance,
            until_end: self.until_end,
            metrics: self.metrics,
            accept_recreated: self.accept_recreated,
            decoder: Arc::new(Decoder::new(self.dlt_pattern)),
        })
    }
}

/// Logs what was done, as the last line.
fn log_end(counters: &Counters, seconds: f64) {
    let rows = counters.rows.get();
    tracing::info!(
        rows,
        batches = counters.batches.get(),
        quarantined = counters.quarantined(),
        lost = counters.lost.get(),
        seconds = (seconds * 1000.0).round() / 1000.0,
        rows_per_second = (rows as f64 / seconds.max(0.001)) as u64,
        "ended"
    );
}

/// Tells how it goes: on the moving line several times a second, else in the log every ten seconds
/// when rows came in.
async fn report(counters: Arc<Counters>, progress: Arc<Progress>) {
    let is_seen = progress.is_seen();
    let every = if is_seen { Duration::from_millis(250) } else { Duration::from_secs(10) };
    let (mut before, mut rate, mut asked) = (0, 0.0, Instant::now());
    loop {
        tokio::time::sleep(every).await;
        let rows = counters.rows.get();
        let elapsed = asked.elapsed().as_secs_f64();
        asked = Instant::now();
        let newest = (rows - before) as f64 / elapsed;
        // Smoothed over about two seconds, so that the moving line can be read.
        rate = if is_seen { rate * 0.9 + newest * 0.1 } else { newest };
        let lag = counters.lag();
        let partitions = counters.partitions.get().unsigned_abs();
        if is_seen {
            let (rate, lag) = (HumanCount(rate as u64), HumanCount(lag));
            let (rows, partitions) = (counted(rows, "row"), counted(partitions, "partition"));
            progress.show(format!("{rows}, {rate} rows/s, lag {lag}, {partitions}"));
        } else if rows > before {
            tracing::info!(rows, rows_per_second = rate as u64, lag, partitions, "recorded");
        }
        before = rows;
    }
}
