//! How long `audit reconcile` takes, as a whole process, to find a hundred discrepancies among
//! 100,000 stories: in the record, and in a file of somebody else's.
//!
//! `cargo bench --bench reconcile -- --runs 5 --stories 100000`; it starts a server of its own.

mod support {
    pub(crate) mod audit;
    #[expect(dead_code, reason = "no single value is asked for")]
    pub(crate) mod database;
}

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use sandbox::Sandbox;

use support::audit::{Audit, THIS_PROGRAM};
use support::database::{FreshDatabase, Session};

/// How many stories have a discrepancy.
const SEEDED: usize = 100;

#[derive(Debug, Parser)]
struct Options {
    /// How many stories there are
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..=2_000_000))]
    stories: u32,
    /// How often each is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
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
    let database = FreshDatabase::create(sandbox.postgres())?;
    let url = database.url();
    let audit = Audit { program: THIS_PROGRAM, database_url: &url, brokers: "" };
    audit.migrate()?;
    let session = Session::open(&url)?;
    fill(&session, options.stories)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("statement.csv");
    write_statement(&session, &file)?;
    let file = file.to_string_lossy();
    let left = "OrderConfirmed:$.amount";
    let csv = ["reconcile", left, "--csv", &*file, "--csv-key", "story", "--csv-amount", "amount"];
    println!("| audit … | ms, median of {} | found |\n|---|---|---|", options.runs);
    measure(
        &audit,
        "reconcile LEFT RIGHT",
        &["reconcile", left, "PaymentCaptured:$.amount"],
        options.runs,
    )?;
    measure(&audit, "reconcile LEFT --csv FILE", &csv, options.runs)
}

/// An order and its payment in each story; in a hundred of them another amount, no payment, or two.
fn fill(session: &Session, stories: u32) -> Result<(), Box<dyn Error>> {
    let every = stories as usize / SEEDED;
    let seeded = format!("n % {every} = 7");
    let kind = format!("(n / {every}) % 3");
    let event = |event_type: &str, offset: u32, amount: &str, condition: &str| {
        format!(
            "SELECT n * 4 + {offset}, gen_random_uuid(), '{event_type}', md5('{event_type}' || n)::uuid, 's', false,
                    jsonb_build_object('amount', {amount}), '2026-11-22'::timestamp + n * interval '1 second', md5('story' || n)::uuid, 1
               FROM generate_series(0, {stories} - 1) n WHERE {condition}"
        )
    };
    let amount = "(n % 9973) + 0.05";
    let other =
        format!("({amount} + CASE WHEN {seeded} AND {kind} = 0 THEN 0.01 ELSE 0 END)::text");
    let rows = [
        event("OrderConfirmed", 1, amount, "true"),
        event("PaymentCaptured", 2, &other, &format!("NOT ({seeded} AND {kind} = 1)")),
        event("PaymentCaptured", 3, &other, &format!("{seeded} AND {kind} = 2")),
    ];
    session.rows(&format!(
        "INSERT INTO event_logs (id, event_id, event_type, aggregate_id, source_service, is_dlt, payload, created_at, correlation_id, partition_id)
         {};
         ANALYZE event_logs",
        rows.join(" UNION ALL ")
    ))?;
    Ok(())
}

/// Writes the payments as somebody else would.
fn write_statement(session: &Session, file: &Path) -> Result<(), Box<dyn Error>> {
    let payments = session.rows(
        "SELECT correlation_id, payload ->> 'amount' FROM event_logs WHERE event_type = 'PaymentCaptured'",
    )?;
    let mut writer = csv::Writer::from_path(file)?;
    writer.write_record(["story", "amount"])?;
    for payment in payments {
        writer.write_record(payment)?;
    }
    Ok(writer.flush()?)
}

fn measure(
    audit: &Audit<'_>,
    name: &str,
    arguments: &[&str],
    runs: u16,
) -> Result<(), Box<dyn Error>> {
    let mut times = Vec::new();
    // The first run warms up.
    for _ in 0..=runs {
        let began = Instant::now();
        let output = audit.command(arguments.iter().copied()).args(["-o", "ndjson"]).output()?;
        times.push(began.elapsed());
        let found = output.stdout.iter().filter(|byte| **byte == b'\n').count();
        if !output.status.success() || found != SEEDED {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{name}: {}, {found} found: {said}", output.status).into());
        }
    }
    times.remove(0);
    times.sort_unstable();
    let median = times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64) * 1000.0;
    println!("| `{name}` | {median:.0} | {SEEDED} |");
    Ok(())
}
