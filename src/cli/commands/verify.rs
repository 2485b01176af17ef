//! `audit verify`: whether the record is complete and unaltered.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::settings::connection_args::ConnectionArgs;
use crate::cli::shared::end_offsets::EndOffsets;
use crate::cli::shared::output_args::FormatArgs;
use crate::cli::ui::failure::{Exit, Failure};
use crate::cli::ui::terminal;
use crate::event::TopicPartition;
use crate::kafka::Offsets;
use crate::ledger::{self, BatchClaim, Chain, Finding, Severity, StoredRow};
use crate::output::{self, Column, Emphasis, Format};
use crate::store::{self, KnownPartition, LedgerScan, LedgerTotals, Session};
use crate::value::Value;

/// Check that the record is complete: every offset of every partition is a row, a declared hole or
/// a declared loss
///
/// Compares three things: Kafka's partitions with the ledger, the ledger with itself, and every row
/// with its batch. Reads the whole table once. Exits 0 when all is there, 4 when something is
/// missing, lost or could not be checked, 5 when a row is doubled, changed or unknown to the
/// ledger.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit verify
  audit verify -o json | jq '.[] | select(.result != \"ok\")'")]
pub(crate) struct VerifyArgs {
    /// Also topics that the database does not know yet
    #[arg(long, value_name = "TOPIC", value_delimiter = ',')]
    pub(crate) topics: Vec<String>,
    /// How long to wait for a running ingester to reach the offsets that Kafka has at the start, in
    /// seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    wait: u64,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

/// How long a broker may take to answer.
const BROKER_LIMIT: Duration = Duration::from_secs(10);

/// At most so many findings are listed; the rest is counted.
const LISTED: usize = 1000;

/// One line of the result.
struct Check {
    check: &'static str,
    subject: String,
    findings: Vec<Finding>,
    detail: String,
}

pub(crate) async fn run(args: &VerifyArgs, connection: &ConnectionArgs) -> Result<Exit, Failure> {
    let mut session = connection.session("audit verify").await?;
    // Kafka first: what it has now must be in the snapshot, which is taken later.
    let mut topics = store::known_topics(&session).await?;
    topics.extend(args.topics.iter().cloned());
    let kafka = EndOffsets::ask(connection, topics, BROKER_LIMIT).await;
    if let Ok(kafka) = &kafka {
        wait_for(args.wait, &session, kafka).await?;
    }
    let scan = LedgerScan::open(&mut session).await?;
    let mut checks = Vec::new();
    partition_checks(&scan, kafka.as_ref(), &mut checks).await?;
    checks.push(ledger_check(&scan).await?);
    checks.push(row_check(&scan).await?);
    show(args, &checks)
}

/// Gives a running ingester the time to record what Kafka had at the start.
async fn wait_for(seconds: u64, session: &Session, kafka: &EndOffsets) -> Result<(), Failure> {
    let topics: Vec<String> =
        kafka.partitions.keys().map(|partition| partition.topic.clone()).collect();
    let began = Instant::now();
    loop {
        let progress = store::partition_progress(session, &kafka.cluster_id, &topics).await?;
        let next = |partition: &TopicPartition| {
            let found = progress.iter().find(|found| found.partition == *partition);
            found.map_or(0, |found| found.next_offset)
        };
        let reached =
            kafka.partitions.iter().all(|(partition, offsets)| next(partition) >= offsets.end);
        if reached || began.elapsed() >= Duration::from_secs(seconds) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A check for each partition: Kafka's end against the ledger's, and the ranges against each other.
async fn partition_checks(
    scan: &LedgerScan<'_>,
    kafka: Result<&EndOffsets, &String>,
    checks: &mut Vec<Check>,
) -> Result<(), Failure> {
    let known = scan.partitions().await?;
    for partition in &known {
        let subject = subject(partition);
        let (chain, mut findings) = ledger::check_chain(
            &subject,
            &scan.chain(partition.partition_id).await?,
            partition.next_offset,
        );
        let end = match kafka {
            Ok(kafka) if partition.is_newest && kafka.cluster_id == partition.cluster_id => {
                let offsets = kafka.partitions.get(&partition.partition);
                findings.extend(compare_with_kafka(&subject, partition.next_offset, offsets));
                offsets.map(|offsets| offsets.end)
            }
            _ => None,
        };
        let detail = describe(&chain, end);
        checks.push(Check { check: "partition", subject, findings, detail });
    }
    match kafka {
        Ok(kafka) => {
            let is_known = |partition: &TopicPartition| {
                known.iter().any(|known| {
                    known.cluster_id == kafka.cluster_id && known.partition == *partition
                })
            };
            for (partition, offsets) in &kafka.partitions {
                if offsets.end == 0 || is_known(partition) {
                    continue;
                }
                let subject = partition.to_string();
                let text = "Kafka has this partition, the ledger does not";
                let findings = vec![Finding::incomplete(&subject, text)];
                let detail = format!("end {}", offsets.end);
                checks.push(Check { check: "partition", subject, findings, detail });
            }
        }
        Err(reason) => {
            let findings =
                vec![Finding::incomplete("kafka", format!("could not be asked: {reason}"))];
            checks.push(Check {
                check: "kafka",
                subject: "kafka".to_owned(),
                findings,
                detail: String::new(),
            });
        }
    }
    Ok(())
}

fn compare_with_kafka(
    subject: &str,
    next_offset: i64,
    offsets: Option<&Offsets>,
) -> Option<Finding> {
    match offsets {
        None => Some(Finding::incomplete(subject, "Kafka has no such partition now")),
        Some(offsets) if offsets.end > next_offset => Some(Finding::incomplete(
            subject,
            format!(
                "{} offsets up to {} are not recorded yet",
                offsets.end - next_offset,
                offsets.end
            ),
        )),
        Some(offsets) if offsets.end < next_offset => Some(Finding::incomplete(
            subject,
            format!(
                "Kafka's partition ends at {}: the topic was made again or cut off",
                offsets.end
            ),
        )),
        Some(_) => None,
    }
}

fn subject(partition: &KnownPartition) -> String {
    let name = partition.partition.to_string();
    if partition.incarnation == 1 {
        name
    } else {
        format!("{name} incarnation {}", partition.incarnation)
    }
}

fn describe(chain: &Chain, end: Option<i64>) -> String {
    let mut text = format!("{} rows", chain.rows);
    if chain.holes > 0 {
        text.push_str(&format!(", {} holes", chain.holes));
    }
    if chain.lost > 0 {
        text.push_str(&format!(", {} lost", chain.lost));
    }
    if let Some(end) = end {
        text.push_str(&format!(", Kafka's end {end}"));
    }
    text
}

async fn ledger_check(scan: &LedgerScan<'_>) -> Result<Check, Failure> {
    let LedgerTotals {
        head_batch_no: head_batch,
        head_rows,
        batches: count,
        last_batch_no: last,
        rows,
    } = scan.totals().await?;
    let mut findings = Vec::new();
    if count < last.max(head_batch) {
        let missing = last.max(head_batch) - count;
        findings
            .push(Finding::incomplete("ledger", format!("{missing} batch numbers are missing")));
    }
    if last > head_batch {
        findings.push(Finding::altered(
            "ledger",
            format!("batch {last} is beyond the head, {head_batch}"),
        ));
    }
    if rows != head_rows {
        findings.push(Finding::altered(
            "ledger",
            format!("the head counts {head_rows} rows, the batches {rows}"),
        ));
    }
    Ok(Check {
        check: "ledger",
        subject: "ledger".to_owned(),
        findings,
        detail: format!("{count} batches"),
    })
}

/// Reads every row, in the order of the ids, beside the batches.
async fn row_check(scan: &LedgerScan<'_>) -> Result<Check, Failure> {
    let progress = progress(scan.totals().await?.head_rows.unsigned_abs());
    let mut batches = scan.batches().await?;
    let mut rows = scan.rows().await?;
    let mut findings = Findings::default();
    let (mut count, mut in_batches) = (0_u64, 0_u64);
    let mut row = rows.next().await?;
    while let Some(batch) = batches.next().await? {
        let mut of_batch: Vec<StoredRow> = Vec::new();
        while let Some(found) = row.filter(|row| row.id <= batch.last_id) {
            count += 1;
            if found.id < batch.first_id {
                findings.unknown_row(found);
            } else {
                of_batch.push(found);
            }
            row = rows.next().await?;
        }
        in_batches += of_batch.len() as u64;
        progress.set_position(count);
        findings.add(&batch, &of_batch);
    }
    while let Some(found) = row {
        count += 1;
        findings.unknown_row(found);
        row = rows.next().await?;
    }
    progress.finish_and_clear();
    let detail = format!("{count} rows read, {in_batches} of them in a batch");
    Ok(Check {
        check: "rows",
        subject: "event_logs".to_owned(),
        findings: findings.finish(),
        detail,
    })
}

/// Findings about rows. Of very many, only the first are kept.
#[derive(Default)]
struct Findings {
    kept: Vec<Finding>,
    altered_beyond: u64,
    incomplete_beyond: u64,
}

impl Findings {
    fn push(&mut self, finding: Finding) {
        match finding.severity {
            _ if self.kept.len() < LISTED => self.kept.push(finding),
            Severity::Altered => self.altered_beyond += 1,
            Severity::Incomplete => self.incomplete_beyond += 1,
        }
    }

    fn add(&mut self, batch: &BatchClaim, rows: &[StoredRow]) {
        for finding in ledger::check_batch(batch, rows) {
            self.push(finding);
        }
    }

    fn unknown_row(&mut self, row: StoredRow) {
        self.push(Finding::altered(
            format!("row {}", row.id),
            "is in no batch: it was not recorded by ingest",
        ));
    }

    fn finish(mut self) -> Vec<Finding> {
        let more = "more findings of this kind are not listed";
        if self.altered_beyond > 0 {
            self.kept
                .push(Finding::altered("event_logs", format!("{} {more}", self.altered_beyond)));
        }
        if self.incomplete_beyond > 0 {
            self.kept.push(Finding::incomplete(
                "event_logs",
                format!("{} {more}", self.incomplete_beyond),
            ));
        }
        self.kept
    }
}

fn progress(rows: u64) -> ProgressBar {
    if !terminal::stderr_is_terminal() || rows < 100_000 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(rows);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} rows, {eta} left")
    {
        bar.set_style(style);
    }
    bar
}

fn show(args: &VerifyArgs, checks: &[Check]) -> Result<Exit, Failure> {
    let columns = ["check", "subject", "result", "detail"].map(Column::new);
    let mut lines: Vec<(Vec<Value<'_>>, Emphasis)> = Vec::new();
    for check in checks {
        let worst = check.findings.iter().map(|finding| finding.severity).max();
        let (result, emphasis) = word(worst);
        lines.push((
            vec![
                check.check.into(),
                check.subject.as_str().into(),
                result.into(),
                check.detail.as_str().into(),
            ],
            emphasis,
        ));
        for finding in &check.findings {
            let (result, emphasis) = word(Some(finding.severity));
            lines.push((
                vec![
                    "finding".into(),
                    finding.subject.as_str().into(),
                    result.into(),
                    finding.text.as_str().into(),
                ],
                emphasis,
            ));
        }
    }
    let format = args.format.format().unwrap_or(Format::Table);
    match output::render(
        format,
        args.format.style(),
        &columns,
        lines,
        &mut std::io::stdout().lock(),
    ) {
        // The verdict doesn't depend on who reads the details.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written?,
    }
    let worst =
        checks.iter().flat_map(|check| &check.findings).map(|finding| finding.severity).max();
    let (verdict, exit) = match worst {
        None => (
            "complete: every offset is a row or a declared hole, and every row is in its batch",
            Exit::Done,
        ),
        Some(Severity::Incomplete) => {
            ("incomplete: something is missing, lost, or could not be checked", Exit::Incomplete)
        }
        Some(Severity::Altered) => {
            ("altered: a row is doubled, changed, or unknown to the ledger", Exit::Altered)
        }
    };
    terminal::status(verdict);
    Ok(exit)
}

fn word(severity: Option<Severity>) -> (&'static str, Emphasis) {
    match severity {
        None => ("ok", Emphasis::None),
        Some(Severity::Incomplete) => ("incomplete", Emphasis::Notice),
        Some(Severity::Altered) => ("altered", Emphasis::Alarm),
    }
}
