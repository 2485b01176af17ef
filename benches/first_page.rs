//! How long the commands that read take to answer, as whole processes, on a large table: each
//! selector alone, and every two of them together.
//!
//! ```sh
//! audit migrate
//! cargo run --release --example fill -- 10000000
//! cargo bench --bench first_page                     # -- --runs 5 --only error
//! ```
//!
//! The database is that of `AUDIT_DATABASE_URL`, filled by `fill`; `status` also asks the Kafka of
//! `AUDIT_BROKERS`. Prints a table of medians, what PostgreSQL found the rows by, and what stands
//! out. See docs/query-plans.md.

mod support {
    #[expect(dead_code, reason = "the schema is there")]
    pub(crate) mod audit;
    #[expect(dead_code, reason = "the database is the user's")]
    pub(crate) mod database;
}

use std::collections::BTreeSet;
use std::error::Error;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::audit::{Audit, THIS_PROGRAM};
use support::database::Session;

/// What a whole process may take.
const GOAL_MS: f64 = 60.0;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read()?;
    let url =
        std::env::var("AUDIT_DATABASE_URL").map_err(|_| "AUDIT_DATABASE_URL names no database")?;
    let brokers = std::env::var("AUDIT_BROKERS").unwrap_or_default();
    let audit = Audit { program: THIS_PROGRAM, database_url: &url, brokers: &brokers };
    let samples = Samples::read(&Session::open(&url)?)?;
    let searches = searches(&samples);
    let mut commands = commands(&samples);
    commands.retain(|words| words[0] != "status" || !brokers.is_empty());
    let wanted = |arguments: &&Vec<String>| {
        options.only.as_ref().is_none_or(|only| arguments.join(" ").contains(only))
    };
    println!("{} rows\n\n| audit … | ms | found by |\n|---|---|---|", samples.rows);
    let mut times = Vec::new();
    let mut scans = Vec::new();
    for arguments in commands.iter().filter(wanted) {
        let time = median(&audit, arguments, options.runs)?;
        println!("| `{}` | {time:.0} | |", shown(arguments));
        times.push((time, shown(arguments)));
    }
    for arguments in searches.iter().filter(wanted) {
        let time = median(&audit, arguments, options.runs)?;
        let plan = plan(&audit, arguments)?;
        println!("| `{}` | {time:.0} | {} |", shown(arguments), found_by(&plan));
        if plan.contains("Seq Scan on event_logs") {
            scans.push(shown(arguments));
        }
        times.push((time, shown(arguments)));
    }
    times.sort_by(|one, other| one.0.total_cmp(&other.0));
    let Some((middle, slowest)) = times.get(times.len() / 2).zip(times.last()) else {
        return Ok(());
    };
    println!(
        "\n{} commands, median {:.0} ms, slowest {:.0} ms: {}",
        times.len(),
        middle.0,
        slowest.0,
        slowest.1
    );
    let slow: Vec<_> = times.iter().filter(|(time, _)| *time >= GOAL_MS).collect();
    println!("{GOAL_MS} ms or more: {}", slow.len());
    for (time, arguments) in slow {
        println!("  {time:.0} ms: {arguments}");
    }
    println!("event_logs read from end to end: {}", scans.len());
    for arguments in scans {
        println!("  {arguments}");
    }
    Ok(())
}

struct Options {
    runs: usize,
    only: Option<String>,
}

impl Options {
    fn read() -> Result<Self, Box<dyn Error>> {
        let mut options = Self { runs: 5, only: None };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match (word.as_str(), words.next()) {
                ("--runs", Some(runs)) => options.runs = runs.parse()?,
                ("--only", Some(only)) => options.only = Some(only),
                // Cargo's own.
                ("--bench", None) => {}
                _ => {
                    return Err(format!(
                        "'{word}' is not understood; there are --runs N and --only TEXT"
                    )
                    .into());
                }
            }
        }
        Ok(options)
    }
}

/// Values that are in the database.
struct Samples {
    rows: String,
    event: String,
    aggregate: String,
    correlation: String,
    /// A day in the middle, and the newest.
    day: String,
    newest_day: String,
    /// Seven days before the newest event, within an hour.
    week_before: String,
    /// In the middle of the time of recording.
    recorded: String,
    /// A cursor there.
    cursor: String,
}

impl Samples {
    fn read(session: &Session) -> Result<Self, Box<dyn Error>> {
        let middle =
            "FROM event_logs WHERE id >= (SELECT max(id) / 2 FROM event_logs) ORDER BY id LIMIT 1";
        let of_middle = |column: &str| session.value(&format!("SELECT {column} {middle}"));
        Ok(Self {
            rows: session.value("SELECT row_count FROM ledger_head")?,
            event: of_middle("event_id")?,
            aggregate: of_middle("aggregate_id")?,
            correlation: of_middle("correlation_id")?,
            day: of_middle("created_at::date")?,
            newest_day: session.value("SELECT max(created_at)::date FROM event_logs")?,
            week_before: session.value(
                "SELECT to_char(max(created_at) - interval '7 days', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM event_logs",
            )?,
            // `n` for newest first, created_at in microseconds since 2000, the row's id, the last
            // batch and the last id.
            cursor: of_middle(
                "concat_ws('.', 'n' || (extract(epoch FROM created_at - timestamp '2000-01-01') * 1000000)::bigint, id,
                        (SELECT batch_no FROM ledger_head), (SELECT max(id) FROM event_logs))",
            )?,
            recorded: session.value(
                "SELECT to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') FROM ingest_batches
                  WHERE batch_no >= (SELECT max(batch_no) / 2 FROM ingest_batches) ORDER BY batch_no LIMIT 1",
            )?,
        })
    }
}

/// Each selector in its usual forms, and every two different ones together.
fn searches(samples: &Samples) -> Vec<Vec<String>> {
    let Samples { event, aggregate, correlation, day, newest_day, recorded, .. } = samples;
    let recorded = format!("{recorded}Z");
    let short = |id: &str| id[..13].to_owned();
    let (event_prefix, aggregate_prefix) = (short(event), short(aggregate));
    // The first word tells the selectors apart; where a form isn't paired it is marked.
    let forms: &[(&[&str], bool)] = &[
        (&["--type", "OrderCreated"], true),
        (&["--type", "AddressCorrected"], true),
        (&["--type", "FraudSuspected"], true),
        (&["--type", "LegalHoldPlaced"], false),
        (&["--type", "NoSuchType"], false),
        (&["--type", "Payment*"], true),
        (&["--type", "*Corrected"], false),
        (&["--type", "!Order*"], false),
        (&["--service", "order-service"], true),
        (&["--service", "customer-service"], true),
        (&["--service", "fraud-service"], true),
        (&["--service", "no-such-service"], false),
        (&["--service", "*-service"], false),
        (&["--service", "!order-service,!payment-service"], false),
        (&["--aggregate", aggregate], true),
        (&["--aggregate", &aggregate_prefix], false),
        (&["--correlation", correlation], true),
        (&["--event-id", event], true),
        (&["--event-id", &event_prefix], false),
        (&["--dlt"], true),
        (&["--no-dlt"], true),
        (&["--quarantined"], true),
        (&["--since", newest_day], true),
        (&["--until", day], true),
        (&["--date", day], true),
        (&["--recorded-since", &recorded], true),
        (&["--recorded-until", &recorded], true),
        (&["--where", "$.total_amount like_regex \"9$\""], true),
        (&["--error", "*Timeout*"], true),
        (&["--error", "*already confirmed*"], true),
        (&["--error", "*no such error*"], true),
        (&["--error", "!*Timeout*"], false),
        (&["--topic", "payments.events"], true),
        (&["--topic", "*-dlt"], true),
        (&["--topic", "no-such-topic"], false),
        (&["--topic", "!*-dlt"], false),
    ];
    let search = |selectors: &[&[&str]]| {
        std::iter::once("query").chain(selectors.concat()).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut searches =
        vec![search(&[]), search(&[&["--order", "oldest"]]), search(&[&["--dedup"]])];
    for more in
        [&[][..], &["--type", "OrderCreated"], &["--service", "customer-service"], &["--dlt"]]
    {
        searches.push(search(&[&["--after", &samples.cursor], more]));
    }
    searches.extend(forms.iter().map(|(form, _)| search(&[form])));
    searches.push(search(&[&["--type", "AddressCorrected", "--type", "FraudSuspected"]]));
    searches.push(search(&[&["--dlt"], &["--error", "*Timeout*"], &["--date", day]]));
    let paired: Vec<_> =
        forms.iter().filter(|(_, is_paired)| *is_paired).map(|(form, _)| *form).collect();
    for (index, one) in paired.iter().enumerate() {
        for other in &paired[index + 1..] {
            let contradict = ["--dlt", "--no-dlt"].contains(&one[0])
                && ["--dlt", "--no-dlt"].contains(&other[0]);
            // A range that ends before it begins is refused.
            let is_empty = [("--since", "--until"), ("--recorded-since", "--recorded-until")]
                .contains(&(one[0], other[0]));
            if one[0] != other[0] && !contradict && !is_empty {
                searches.push(search(&[one, other]));
            }
        }
    }
    searches
}

/// The other commands that answer at once.
fn commands(samples: &Samples) -> Vec<Vec<String>> {
    let Samples { event, aggregate, correlation, .. } = samples;
    let command = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    vec![
        command(&["show", event]),
        command(&["show", &event[..13]]),
        command(&["show", event, "--diff"]),
        command(&["trace", event]),
        command(&["trace", aggregate]),
        command(&["trace", correlation]),
        command(&["tail", "--no-follow"]),
        command(&["tail", "--no-follow", "--type", "FraudSuspected"]),
        command(&["tail", "--no-follow", "--dlt", "--error", "*Timeout*"]),
        command(&["dlt", "--since", &samples.newest_day]),
        command(&["stats", "--aggregate", aggregate]),
        command(&["stats"]),
        command(&["stats", "--by", "type,hour", "--since", &samples.week_before]),
        command(&["stats", "--by", "day,service", "--dlt"]),
        command(&["stats", "--heatmap"]),
        command(&["stats", "--since", &samples.week_before, "--compare", "previous"]),
        command(&["status"]),
    ]
}

fn median(audit: &Audit<'_>, arguments: &[String], runs: usize) -> Result<f64, Box<dyn Error>> {
    let mut times = Vec::new();
    // The first run warms up.
    for _ in 0..=runs {
        let began = Instant::now();
        let status =
            command(audit, arguments).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        times.push(began.elapsed());
        if !status.success() {
            return Err(format!("audit {}: {status}", shown(arguments)).into());
        }
    }
    times.remove(0);
    times.sort_unstable();
    Ok(times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64) * 1000.0)
}

fn command(audit: &Audit<'_>, arguments: &[String]) -> Command {
    let mut command = audit.command(arguments.iter().map(String::as_str));
    command.stdin(Stdio::null());
    command
}

fn plan(audit: &Audit<'_>, arguments: &[String]) -> Result<String, Box<dyn Error>> {
    let output = command(audit, arguments).arg("--explain").output()?;
    Ok(String::from_utf8(output.stdout)?)
}

/// The indexes of a plan. A leaf's index is named after its columns.
fn found_by(plan: &str) -> String {
    let mut names = BTreeSet::new();
    for line in plan.lines() {
        let index = line.split_once(" using ").or_else(|| line.split_once("Bitmap Index Scan on "));
        if let Some(name) = index.and_then(|(_, rest)| rest.split(' ').next()) {
            names.insert(
                name.trim_start_matches(|character: char| !character.is_ascii_digit())
                    .trim_start_matches(|character: char| {
                        character.is_ascii_digit() || character == '_'
                    })
                    .to_owned()
                    + if name.contains("event_logs") { "" } else { name },
            );
        }
        if let Some((_, table)) = line.split_once("Seq Scan on ") {
            names.insert(format!("scan of {}", table.split(' ').next().unwrap_or_default()));
        }
    }
    names.into_iter().collect::<Vec<_>>().join(", ")
}

fn shown(arguments: &[String]) -> String {
    arguments
        .iter()
        .map(|word| if word.contains([' ', '*', '$']) { format!("'{word}'") } else { word.clone() })
        .collect::<Vec<_>>()
        .join(" ")
}
