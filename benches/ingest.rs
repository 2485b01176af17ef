//! How fast `audit ingest` records a topic, beside a plain `\copy` of the very same rows into the
//! same table with all of its indexes, and what sealing takes afterwards.
//!
//! `cargo bench --bench ingest -- --rounds 3 --events 1000000`; see docs/benchmarks.md. With
//! `--avro` the same events are recorded out of Avro, too.

mod support {
    pub(crate) mod audit;
    pub(crate) mod avro_events;
    pub(crate) mod database;
    pub(crate) mod events;
    pub(crate) mod producer;
    pub(crate) mod reference;
    pub(crate) mod registry;
    pub(crate) mod report;
    pub(crate) mod usage;
}

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use audit::registry::avro::AvroSchema;
use clap::Parser;
use sandbox::{Sandbox, Scope};

use support::audit::{Audit, THIS_PROGRAM};
use support::avro_events::{self, avro_events};
use support::database::{FreshDatabase, Session};
use support::events::{native_event, prepared_time};
use support::producer::Producer;
use support::reference::{FileFormat, Reference};
use support::registry::register;
use support::report::{Measurement, Report, Sealing};
use support::usage::{self, Usage};

const PARTITIONS: i32 = 4;

/// How many events are put into Avro at once.
const AVRO_CHUNK: u64 = 10_000;

#[derive(Debug, Parser)]
struct Options {
    /// How many events the topic holds
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1000..=50_000_000))]
    events: u64,
    /// How often each way is measured, one after the other
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Arguments of `audit ingest`, in one word (repeatable)
    #[arg(long, default_values = ["--writers 1", "--writers 2"], allow_hyphen_values = true)]
    ingest: Vec<String>,
    /// Another `audit`, such as an older version, that records beside with its own schema
    #[arg(long, value_name = "PROGRAM")]
    beside: Option<String>,
    /// Record the same events in Avro, too, with the schema in a registry
    #[arg(long)]
    avro: bool,
    /// What `cargo bench` says to every benchmark, and `cargo test --all-targets` does not
    #[arg(long, hide = true)]
    bench: bool,
}

/// A way to fill the table.
#[derive(Debug)]
enum Way {
    Copy(FileFormat),
    Ingest(String),
    /// The same events in Avro.
    Avro(String),
    /// By another program, with these arguments.
    Beside(String, String),
}

impl Way {
    fn name(&self) -> String {
        match self {
            Self::Copy(format) => format!("\\copy {}", format.name()),
            Self::Ingest(arguments) => format!("ingest {arguments}"),
            Self::Avro(arguments) => format!("avro {arguments}"),
            Self::Beside(_, arguments) => format!("other {arguments}"),
        }
    }
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
    let scope = sandbox.scope("bench");
    let topic = scope.create_topic("events", PARTITIONS);
    let avro = options.avro.then(|| AvroTopic {
        name: scope.create_topic("avro", PARTITIONS),
        registry: sandbox.registry().url().to_owned(),
    });
    let began = Instant::now();
    let bytes = match &avro {
        None => produce(scope.brokers(), &topic, options.events)?,
        Some(avro) => produce_both(scope.brokers(), &topic, avro, options.events)?,
    };
    println!(
        "{} events of {} bytes on average in {PARTITIONS} partitions, sent in {:.1} s",
        options.events,
        bytes / options.events,
        began.elapsed().as_secs_f64()
    );
    let bench = Bench { sandbox: &sandbox, scope: &scope, topic, avro, events: options.events };
    let reference = bench.export()?;
    let mut ways = vec![Way::Copy(FileFormat::Csv), Way::Copy(FileFormat::Binary)];
    for arguments in &options.ingest {
        ways.push(Way::Ingest(arguments.clone()));
        if options.avro {
            ways.push(Way::Avro(arguments.clone()));
        }
        let beside = options.beside.iter().cloned();
        ways.extend(beside.map(|program| Way::Beside(program, arguments.clone())));
    }
    let mut report = Report::new(options.events, ways.iter().map(Way::name).collect());
    report.print_heading();
    for round in 0..options.rounds as usize {
        let mut measured = Vec::new();
        // Every round begins with another way, so that none has the better place.
        for place in 0..ways.len() {
            let index = (place + round) % ways.len();
            let measurement = match &ways[index] {
                Way::Copy(format) => bench.copy(&reference, *format)?,
                Way::Ingest(arguments) => bench.ingest(THIS_PROGRAM, arguments, None)?,
                Way::Avro(arguments) => {
                    bench.ingest(THIS_PROGRAM, arguments, bench.avro.as_ref())?
                }
                Way::Beside(program, arguments) => bench.ingest(program, arguments, None)?,
            };
            measured.push((index, measurement));
        }
        report.add_round(measured);
    }
    report.print_medians();
    Ok(())
}

/// Fills the topic; gives how many bytes the values have.
fn produce(brokers: &str, topic: &str, count: u64) -> Result<u64, Box<dyn Error>> {
    let producer = Producer::new(brokers, Duration::from_millis(20))?;
    let mut bytes = 0;
    for number in 0..count {
        let event = native_event(number, count / 8, prepared_time(number));
        bytes += event.value.len() as u64;
        producer.send(topic, &event)?;
    }
    producer.flush()?;
    Ok(bytes)
}

/// Fills one topic with events in Avro and the other one with the JSON that they become; gives how
/// many bytes the values in JSON have.
fn produce_both(
    brokers: &str,
    topic: &str,
    avro: &AvroTopic,
    count: u64,
) -> Result<u64, Box<dyn Error>> {
    let id = register(&avro.registry, &format!("{}-value", avro.name), avro_events::SCHEMA)?;
    let schema = AvroSchema::parse(avro_events::SCHEMA, &[])?;
    let producer = Producer::new(brokers, Duration::from_millis(20))?;
    let (mut bytes, mut bytes_in_avro) = (0, 0);
    for first in (0..count).step_by(AVRO_CHUNK as usize) {
        let numbers = first..count.min(first + AVRO_CHUNK);
        let events: Vec<_> =
            numbers.map(|number| native_event(number, count / 8, prepared_time(number))).collect();
        for event in avro_events(&events) {
            let json = schema.read(&event.value).map_err(|refused| refused.detail)?.json;
            bytes += json.len() as u64;
            producer.send_bytes(topic, &event.key, json.as_bytes())?;
            let value = [&[0], &id.to_be_bytes()[..], &event.value].concat();
            bytes_in_avro += value.len() as u64;
            producer.send_bytes(&avro.name, &event.key, &value)?;
        }
    }
    producer.flush()?;
    println!("the same {count} events in Avro have {} bytes on average", bytes_in_avro / count);
    Ok(bytes)
}

/// Where the same events are in Avro.
struct AvroTopic {
    name: String,
    registry: String,
}

struct Bench<'s> {
    sandbox: &'s Sandbox,
    scope: &'s Scope<'s>,
    topic: String,
    avro: Option<AvroTopic>,
    events: u64,
}

impl Bench<'_> {
    /// Records the topic once, unmeasured, and writes the rows into files.
    fn export(&self) -> Result<Reference, Box<dyn Error>> {
        let (database, session) = self.migrated(THIS_PROGRAM)?;
        for setting in
            ["server_version", "shared_buffers", "max_wal_size", "fsync", "synchronous_commit"]
        {
            println!("PostgreSQL's {setting}: {}", session.value(&format!("SHOW {setting}"))?);
        }
        self.record(&self.audit(THIS_PROGRAM, &database.url()), "", None)?;
        self.check(&session)?;
        Reference::export(&self.sandbox.folder("bench")?, &database.url())
    }

    fn copy(
        &self,
        reference: &Reference,
        format: FileFormat,
    ) -> Result<Measurement, Box<dyn Error>> {
        let (database, session) = self.migrated(THIS_PROGRAM)?;
        session.rows(&with_all_indexes(self.events))?;
        session.rows("CHECKPOINT")?;
        let begin = self.server(&session)?;
        let usage = reference.copy_in(&database.url(), format)?;
        let (server_cpu_s, wal_bytes) = begin.until(&self.server(&session)?);
        self.check(&session)?;
        Ok(Measurement {
            usage,
            server_cpu_s,
            first_row_s: None,
            last_row_s: None,
            wal_bytes,
            sealing: None,
        })
    }

    fn audit<'a>(&'a self, program: &'a str, database_url: &'a str) -> Audit<'a> {
        Audit { program, database_url, brokers: self.scope.brokers() }
    }

    fn ingest(
        &self,
        program: &str,
        arguments: &str,
        avro: Option<&AvroTopic>,
    ) -> Result<Measurement, Box<dyn Error>> {
        let (database, session) = self.migrated(program)?;
        let begin = self.server(&session)?;
        let usage = self.record(&self.audit(program, &database.url()), arguments, avro)?;
        let (server_cpu_s, wal_bytes) = begin.until(&self.server(&session)?);
        self.check(&session)?;
        let recorded_at = |which: &str| {
            session.value(&format!(
                "SELECT extract(epoch FROM {which}(recorded_at)) FROM ingest_batches"
            ))
        };
        let since_start = |epoch_s: String| -> Result<f64, Box<dyn Error>> {
            Ok(epoch_s.parse::<f64>()? - seconds_since_epoch(usage.started_at))
        };
        let first_row_s = Some(since_start(recorded_at("min")?)?);
        let last_row_s = Some(since_start(recorded_at("max")?)?);
        let sealing = Some(self.seal(&session)?);
        Ok(Measurement { usage, server_cpu_s, first_row_s, last_row_s, wal_bytes, sealing })
    }

    /// Seals what is left: the leaf that was written to counts as full.
    fn seal(&self, session: &Session) -> Result<Sealing, Box<dyn Error>> {
        session.rows("SELECT setval('event_logs_id_seq', max(next_id)) FROM event_log_leaves")?;
        let (server, began) = (self.server(session)?, Instant::now());
        while !session.value("SELECT seal_event_log_leaf(2, false, false)")?.is_empty() {}
        let wall_s = began.elapsed().as_secs_f64();
        let (server_cpu_s, wal_bytes) = server.until(&self.server(session)?);
        Ok(Sealing { wall_s, server_cpu_s, wal_bytes })
    }

    /// An empty table with the schema, and nothing left for the server to write in the background.
    fn migrated(&self, program: &str) -> Result<(FreshDatabase<'_>, Session), Box<dyn Error>> {
        let database = FreshDatabase::create(self.sandbox.postgres())?;
        let url = database.url();
        self.audit(program, &url).migrate()?;
        let session = Session::open(&url)?;
        session.rows("CHECKPOINT")?;
        Ok((database, session))
    }

    fn record(
        &self,
        audit: &Audit<'_>,
        arguments: &str,
        avro: Option<&AvroTopic>,
    ) -> Result<Usage, Box<dyn Error>> {
        let topic = avro.map_or(&self.topic, |avro| &avro.name);
        let first = ["ingest", "--until-end", "--topics", topic];
        let mut command = audit.command(first.into_iter().chain(arguments.split_whitespace()));
        if let Some(avro) = avro {
            command.args(["--schema-registry", &avro.registry]);
        }
        usage::run(&mut command, &self.sandbox.folder("bench")?.join("audit.log"))
    }

    fn check(&self, session: &Session) -> Result<(), Box<dyn Error>> {
        let rows = session
            .value("SELECT count(*) FROM event_logs WHERE event_type <> 'audit.Quarantined'")?;
        if rows == self.events.to_string() {
            Ok(())
        } else {
            Err(format!("{rows} rows of {}", self.events).into())
        }
    }

    fn server(&self, session: &Session) -> Result<ServerUse, Box<dyn Error>> {
        let process_id = self.sandbox.postgres().process_id();
        Ok(ServerUse {
            cpu_s: process_id.and_then(usage::server_cpu_s),
            wal_bytes: session.value("SELECT pg_current_wal_insert_lsn() - '0/0'")?.parse()?,
        })
    }
}

/// What the server used since it was started.
struct ServerUse {
    cpu_s: Option<f64>,
    wal_bytes: f64,
}

impl ServerUse {
    /// The processor time and the bytes of write-ahead log in between.
    fn until(&self, later: &Self) -> (Option<f64>, f64) {
        let cpu_s = later.cpu_s.zip(self.cpu_s).map(|(after, before)| after - before);
        (cpu_s, later.wal_bytes - self.wal_bytes)
    }
}

/// Makes the leaves for so many rows, each with all of its indexes from the beginning.
fn with_all_indexes(rows: u64) -> String {
    format!(
        "DO $$
         DECLARE
             leaf record;
         BEGIN
             FOR id IN 0 .. {rows} BY event_log_leaf_size() LOOP
                 PERFORM setval('event_logs_id_seq', greatest(id, 1)), ensure_event_log_leaf(id);
             END LOOP;
             PERFORM setval('event_logs_id_seq', 1, false);
             FOR leaf IN SELECT name, definition FROM event_log_leaves, event_log_leaf_indexes() WHERE sealed LOOP
                 EXECUTE format('CREATE INDEX ON %I USING %s', leaf.name, leaf.definition);
             END LOOP;
             FOR leaf IN SELECT indexes.index_id FROM event_log_leaves, event_log_indexes_of(name) AS indexes
                          WHERE indexes.definition LIKE 'brin %' LOOP
                 EXECUTE format('DROP INDEX %s', leaf.index_id::regclass);
             END LOOP;
         END $$"
    )
}

fn seconds_since_epoch(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
