//! `audit verify`: whether the record is complete and unaltered.

mod check;
mod partitions;
mod rows;

use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use clap::Args;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{ClusterOffsets, Context, FormatArgs, Run, name_in_list};
use crate::cli::ui::{Exit, Failure, Ui};
use crate::event::TopicPartition;
use crate::ledger::{Finding, Severity};
use crate::output;
use crate::output::{Column, Emphasis};
use crate::store;
use crate::store::{LedgerScan, Session};
use crate::value::Value;
use check::Check;

/// How long a broker may take to answer.
const BROKER_LIMIT: Duration = Duration::from_secs(10);

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
    #[arg(long, value_name = "TOPIC", value_delimiter = ',', value_parser = name_in_list())]
    pub(crate) topics: Vec<String>,
    /// How long to wait for a running ingester to reach the offsets that Kafka has at the start, in
    /// seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    wait: u64,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

impl Run for VerifyArgs {
    fn apply_settings(&mut self, settings: &ArgumentSettings<'_>) {
        settings.topics(&mut self.topics);
        settings.output(&mut self.format.output);
    }

    fn exit_without_reader(&self) -> Option<Exit> {
        // Its exit code is an answer, too, and not all was checked.
        Some(Exit::Incomplete)
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let mut session = context.settings.session("audit verify").await?;
        // Kafka first: what it has now must be in the snapshot, which is taken later.
        let mut topics = store::known_topics(&session).await?;
        topics.extend(self.topics.iter().cloned());
        let kafka = ClusterOffsets::ask(context.settings, topics, BROKER_LIMIT).await;
        if let Ok(kafka) = &kafka {
            wait_for(self.wait, &session, kafka).await?;
        }
        let scan = LedgerScan::open(&mut session).await?;
        let mut checks = partitions::check(&scan, kafka.as_ref()).await?;
        checks.push(ledger_check(&scan).await?);
        checks.push(rows::check(&scan, context.ui).await?);
        print(&self, &checks, context.ui)
    }
}

/// Gives a running ingester the time to record what Kafka had at the start.
async fn wait_for(seconds: u64, session: &Session, kafka: &ClusterOffsets) -> Result<(), Failure> {
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

async fn ledger_check(scan: &LedgerScan<'_>) -> Result<Check, Failure> {
    let totals = scan.totals().await?;
    let mut findings = Vec::new();
    let missing = totals.last_batch_no.max(totals.head_batch_no) - totals.batches;
    if missing > 0 {
        findings
            .push(Finding::incomplete("ledger", format!("{missing} batch numbers are missing")));
    }
    if totals.last_batch_no > totals.head_batch_no {
        findings.push(Finding::altered(
            "ledger",
            format!("batch {} is beyond the head, {}", totals.last_batch_no, totals.head_batch_no),
        ));
    }
    if totals.rows != totals.head_rows {
        findings.push(Finding::altered(
            "ledger",
            format!("the head counts {} rows, the batches {}", totals.head_rows, totals.rows),
        ));
    }
    Ok(Check {
        check: "ledger",
        subject: "ledger".to_owned(),
        findings,
        detail: format!("{} batches", totals.batches),
    })
}

/// Writes what was checked, and the verdict.
fn print(args: &VerifyArgs, checks: &[Check], ui: Ui) -> Result<Exit, Failure> {
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
    let format = args.format.format();
    let style = args.format.style(ui);
    let mut stdout = ui.stdout();
    let written = output::render(format, style, &columns, lines, &mut stdout);
    match written.and_then(|()| stdout.flush()) {
        // The verdict does not depend on a reader of the details.
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
    ui.status(verdict);
    Ok(exit)
}

fn word(severity: Option<Severity>) -> (&'static str, Emphasis) {
    match severity {
        None => ("ok", Emphasis::None),
        Some(Severity::Incomplete) => ("incomplete", Emphasis::Notice),
        Some(Severity::Altered) => ("altered", Emphasis::Alarm),
    }
}
