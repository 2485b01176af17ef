//! `audit ingest`: Kafka → event_logs.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use regex::Regex;

use crate::cli::settings::connection_args::ConnectionArgs;
use crate::cli::ui::failure::{Exit, Failure};
use crate::cli::ui::log::{self, LogFormat};
use crate::cli::ui::{signals, terminal};
use crate::event::Decoder;
use crate::ingest::{self, Counters, IngestSettings, Stop};

/// What is recorded where nobody says otherwise.
pub(crate) const DEFAULT_TOPICS: &str =
    "orders.events,payments.events,orders.events-dlt,payments.events-dlt";

/// Record Kafka's events in event_logs, exactly once, until stopped
///
/// Each record becomes one row, whatever it contains and whatever crashes: what can't be a normal
/// row is a quarantined one. How far each partition is recorded stands in PostgreSQL beside the
/// rows, and moves in the same transaction. Several ingesters with the same database share the
/// partitions. Ctrl-C or SIGTERM ends after committing what was read (exit 0).
#[derive(Debug, Args)]
#[command(after_help = "\
Memory: each writer holds at most 4 batches of 8 MiB (or of one larger record) and their encoded rows, about 100 MiB;
librdkafka holds at most 5 MiB for each assigned partition.

Examples:
  audit ingest                                     # orders.events, payments.events and their -dlt topics
  audit ingest --topics shop.orders,shop.carts     # other topics
  audit ingest --until-end                         # record what is there now, then end: for tests and cron
  audit ingest -X security.protocol=SASL_SSL -X sasl.mechanism=SCRAM-SHA-512 \\
               -X sasl.username=audit -X sasl.password=@/run/secrets/kafka")]
pub(crate) struct IngestArgs {
    /// The topics to record; one that does not exist yet is waited for
    #[arg(
        long,
        value_name = "TOPIC",
        value_delimiter = ',',
        default_value = DEFAULT_TOPICS
    )]
    pub(crate) topics: Vec<String>,
    /// The consumer group [default: audit- and the first characters of the database's own id]
    #[arg(long, value_name = "NAME")]
    pub(crate) group: Option<String>,
    /// End when everything is recorded that the topics held at the start
    #[arg(long)]
    until_end: bool,
    /// A batch is written when it has this many rows …
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=500_000))]
    batch_rows: u32,
    /// … or when its first row has waited this long, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    batch_wait: u32,
    /// How many connections write at once, each the batches of its own partitions
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    writers: u32,
    /// Also take topics for dead letters whose name matches this regular expression
    #[arg(long, value_name = "REGEX")]
    dlt_pattern: Option<Regex>,
    /// Record this topic as a new incarnation: it was deleted and made again, or was truncated
    /// (repeatable)
    #[arg(long, value_name = "TOPIC")]
    accept_recreated: Vec<String>,
    /// How the log on stderr is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

pub(crate) async fn run(args: IngestArgs, connection: &ConnectionArgs) -> Result<Exit, Failure> {
    let counters = Arc::new(Counters::default());
    let progress = progress_bar(args.log_format);
    log::start(args.log_format, progress.clone());
    let mut topics = args.topics;
    topics.retain(|topic| !topic.is_empty());
    topics.sort_unstable();
    topics.dedup();
    if topics.is_empty() {
        return Err(Failure::usage("--topics names no topic"));
    }
    let settings = IngestSettings {
        database: connection.database()?,
        kafka: connection.kafka()?,
        topics,
        group: args.group,
        batch_rows: args.batch_rows as usize,
        batch_wait: Duration::from_millis(args.batch_wait.into()),
        writers: args.writers as usize,
        until_end: args.until_end,
        accept_recreated: args.accept_recreated,
        decoder: Arc::new(Decoder::new(args.dlt_pattern)),
    };
    let stop = Arc::new(Stop::default());
    signals::on_stop({
        let stop = Arc::clone(&stop);
        move || stop.request()
    })?;
    let began = Instant::now();
    let reporter = tokio::spawn(report(Arc::clone(&counters), progress.clone()));
    let outcome = ingest::run(settings, stop, Arc::clone(&counters)).await;
    reporter.abort();
    if let Some(bar) = &progress {
        bar.finish_and_clear();
    }
    let (rows, seconds) = (counters.rows.load(Relaxed), began.elapsed().as_secs_f64());
    tracing::info!(
        rows,
        batches = counters.batches.load(Relaxed),
        quarantined = counters.quarantined.load(Relaxed),
        lost = counters.lost.load(Relaxed),
        seconds = (seconds * 1000.0).round() / 1000.0,
        rows_per_second = (rows as f64 / seconds.max(0.001)) as u64,
        "ended"
    );
    outcome?;
    Ok(Exit::Done)
}

/// A line that moves, for a person; nothing where the log is for a machine.
fn progress_bar(format: LogFormat) -> Option<ProgressBar> {
    if !terminal::stderr_is_terminal() || format == LogFormat::Json {
        return None;
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    Some(bar)
}

/// Tells how it goes: on the moving line several times a second, else in the log every ten seconds
/// when rows came in.
async fn report(counters: Arc<Counters>, progress: Option<ProgressBar>) {
    let every =
        if progress.is_some() { Duration::from_millis(250) } else { Duration::from_secs(10) };
    let (mut before, mut rate, mut asked) = (0, 0.0, Instant::now());
    loop {
        tokio::time::sleep(every).await;
        let rows = counters.rows.load(Relaxed);
        let elapsed = asked.elapsed().as_secs_f64();
        asked = Instant::now();
        let newest = (rows - before) as f64 / elapsed;
        // Smoothed over about two seconds, so that the moving line can be read.
        rate = if progress.is_some() { rate * 0.9 + newest * 0.1 } else { newest };
        let lag = counters.lag.load(Relaxed);
        let partitions = counters.partitions.load(Relaxed);
        match &progress {
            Some(bar) => {
                let (rows, rate, lag) =
                    (HumanCount(rows), HumanCount(rate as u64), HumanCount(lag));
                bar.set_message(format!(
                    "{rows} rows, {rate} rows/s, lag {lag}, {partitions} partitions"
                ));
            }
            None if rows > before => {
                tracing::info!(rows, rows_per_second = rate as u64, lag, partitions, "recorded");
            }
            None => {}
        }
        before = rows;
    }
}

impl From<ingest::Error> for Failure {
    fn from(error: ingest::Error) -> Self {
        let hint = error.hint();
        let failure = Self::new(error.to_string());
        match hint {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}
