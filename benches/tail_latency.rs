//! How long after its commit a row arrives in the pipe behind `audit tail`, while events trickle
//! in.
//!
//! `cargo bench --bench tail_latency -- --rate 200 --seconds 20`; see docs/benchmarks.md.

mod support {
    pub(crate) mod audit;
    pub(crate) mod database;
    pub(crate) mod events;
    pub(crate) mod producer;
}

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, ExitCode, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::Utc;
use clap::Parser;
use sandbox::Sandbox;
use serde::Deserialize;

use support::audit::{Audit, THIS_PROGRAM};
use support::database::{FreshDatabase, Session};
use support::events::{native_event, prepared_time};
use support::producer::Producer;

/// How long the last rows may take to arrive.
const ARRIVE_WITHIN: Duration = Duration::from_secs(30);

#[derive(Debug, Parser)]
struct Options {
    /// Events a second
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// For how long, in seconds
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// More arguments of `audit ingest`, in one word
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    ingest: String,
    /// What `cargo bench` says to every benchmark, and `cargo test --all-targets` does not
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if !options.bench {
        println!("nothing is measured: run it with cargo bench");
        return ExitCode::SUCCESS;
    }
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start()?;
    let scope = sandbox.scope("latency");
    let topic = scope.create_topic("events", 4);
    let database = FreshDatabase::create(sandbox.postgres())?;
    let url = database.url();
    let audit = Audit { program: THIS_PROGRAM, database_url: &url, brokers: scope.brokers() };
    audit.migrate()?;
    let session = Session::open(&url)?;

    let arguments =
        ["ingest", "--topics", &topic].into_iter().chain(options.ingest.split_whitespace());
    let log = File::create(sandbox.folder("bench")?.join("audit.log"))?;
    let _ingester =
        Running(audit.command(arguments).stdin(Stdio::null()).stderr(log.try_clone()?).spawn()?);
    let tail_arguments = ["tail", "--lines", "0", "--output", "ndjson"];
    let mut tail = Running(
        audit
            .command(tail_arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?,
    );
    let stdout = tail.0.stdout.take().ok_or("tail has no stdout")?;
    let arrivals = std::thread::spawn(move || note_arrivals(stdout));

    let producer = Producer::new(scope.brokers(), Duration::ZERO)?;
    wait_for_first_row(&producer, &topic, &session)?;
    let count = u64::from(options.rate) * u64::from(options.seconds);
    let interval = Duration::from_secs(1) / options.rate;
    let began = Instant::now();
    for number in 0..count {
        std::thread::sleep((interval * number as u32).saturating_sub(began.elapsed()));
        producer.send(&topic, &native_event(number, 1000, Utc::now()))?;
    }
    producer.flush()?;
    wait_for_rows(&session, count)?;
    // One look at the ledger by polling is behind every row then, even where a notification was
    // lost.
    std::thread::sleep(Duration::from_secs(2));
    drop(tail);
    let arrivals = finished(arrivals)?;
    report(options, &session, &arrivals)
}

/// A line that arrived in the pipe.
#[derive(Debug)]
struct Arrival {
    id: i64,
    since_epoch_s: f64,
}

#[derive(Debug, Deserialize)]
struct Line {
    id: i64,
}

/// Reads lines to their end. A line's time is taken as soon as it is there, before it is
/// understood.
fn note_arrivals(stdout: ChildStdout) -> Result<Vec<Arrival>, String> {
    let mut arrivals = Vec::new();
    let mut reader = BufReader::new(stdout);
    let mut text = String::new();
    loop {
        text.clear();
        if reader.read_line(&mut text).map_err(|error| format!("tail's pipe: {error}"))? == 0 {
            return Ok(arrivals);
        }
        let since_epoch_s =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let line: Line =
            serde_json::from_str(&text).map_err(|error| format!("tail wrote {text}: {error}"))?;
        arrivals.push(Arrival { id: line.id, since_epoch_s });
    }
}

fn finished(
    arrivals: JoinHandle<Result<Vec<Arrival>, String>>,
) -> Result<Vec<Arrival>, Box<dyn Error>> {
    match arrivals.join() {
        Ok(arrivals) => Ok(arrivals?),
        Err(_) => Err("the reader of tail's pipe panicked".into()),
    }
}

/// Sends an event, and waits until the ingester has it: it and `tail` are at work then. It is left
/// out of the figures.
fn wait_for_first_row(
    producer: &Producer,
    topic: &str,
    session: &Session,
) -> Result<(), Box<dyn Error>> {
    producer.send(topic, &native_event(u64::MAX, 1000, prepared_time(0)))?;
    producer.flush()?;
    wait_for_rows(session, 0)?;
    std::thread::sleep(Duration::from_secs(1));
    Ok(())
}

/// Waits for the first row and so many more.
fn wait_for_rows(session: &Session, count: u64) -> Result<(), Box<dyn Error>> {
    let deadline = Instant::now() + ARRIVE_WITHIN;
    while session.value("SELECT row_count FROM ledger_head")?.parse::<u64>()? <= count {
        if Instant::now() > deadline {
            return Err(format!(
                "{} s were not enough to record what was sent",
                ARRIVE_WITHIN.as_secs()
            )
            .into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn report(
    options: &Options,
    session: &Session,
    arrivals: &[Arrival],
) -> Result<(), Box<dyn Error>> {
    let rows = session.rows(
        "SELECT id, extract(epoch FROM recorded_at), extract(epoch FROM created_at)
           FROM event_logs JOIN ingest_batches ON id BETWEEN first_id AND last_id WHERE batch_no > 1 ORDER BY id",
    )?;
    let mut since_commit = Vec::new();
    let mut since_sent = Vec::new();
    for row in &rows {
        let [id, recorded_at, created_at] = row.as_slice() else {
            return Err("a row of three was expected".into());
        };
        let id: i64 = id.parse()?;
        let mut found = arrivals.iter().filter(|arrival| arrival.id == id);
        let (Some(arrival), None) = (found.next(), found.next()) else {
            return Err(format!("row {id} did not arrive exactly once").into());
        };
        since_commit.push((arrival.since_epoch_s - recorded_at.parse::<f64>()?) * 1000.0);
        since_sent.push((arrival.since_epoch_s - created_at.parse::<f64>()?) * 1000.0);
    }
    println!(
        "{} rows in {} batches, {} events/s for {} s; milliseconds:",
        rows.len(),
        session.value("SELECT batch_no - 1 FROM ledger_head")?,
        options.rate,
        options.seconds
    );
    println!("{:22} {:>8} {:>8} {:>8} {:>8}", "", "p50", "p95", "p99", "max");
    for (what, mut latencies) in [("commit to pipe", since_commit), ("event to pipe", since_sent)] {
        latencies.sort_by(f64::total_cmp);
        print!("{what:22}");
        for share in [0.5, 0.95, 0.99, 1.0] {
            print!(" {:8.1}", percentile(&latencies, share));
        }
        println!();
    }
    Ok(())
}

/// The smallest value that so large a share of all does not exceed.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}

/// A program in the background, which ends with the benchmark.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It fails only where the program has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
