//! `audit verify`: whether the record is complete and unaltered.

mod anchor_args;
mod comparisons;
mod follow;
mod holes;
mod partitions;
mod records;

use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use clap::Args;

use crate::cli::settings::{ArgumentSettings, ResolvedSettings};
use crate::cli::shared::{
    Answer, ClusterOffsets, Context, FormatArgs, Run, name_in_list, whole_number,
};
use crate::cli::ui::{Exit, Failure, Progress, Ui};
use crate::count_text::counted;
use crate::event::TopicPartition;
use crate::ledger::{Comparison, KafkaPartition, Severity, compare};
use crate::output;
use crate::output::{Column, Emphasis, Format};
use crate::store;
use crate::store::{LedgerScan, Session, Settings};
use crate::value::Value;
use crate::verification;
use crate::verification::{Anchors, Check};
use anchor_args::{AnchorArgs, check_installation};
use comparisons::Comparisons;
use follow::Following;
use holes::{Holes, declared_holes};

/// The result of a check that found nothing.
const OK: &str = "ok";

/// What its sessions are called: a server must not know by it that it is verified.
const APPLICATION: &str = "audit export";

/// How many sessions read rows at most.
const MOST_SESSIONS: usize = 4;

/// How many rows are worth more sessions.
const WORTH_SESSIONS: i64 = 20_000;

/// How long a broker may take to answer.
const BROKER_LIMIT: Duration = Duration::from_secs(10);

/// Check that the record is complete, and what was recorded: every offset of every partition is a
/// row, a declared hole or a declared loss, and every row has the hash that it had
///
/// Compares Kafka's partitions with the ledger, the ledger with itself and with the evidence log,
/// every row with its batch, the root over the rows of each batch with the one that was recorded,
/// the counts of events with the rows, and the schema with the one that migrate makes; and asks
/// Kafka whether the holes of the record (offsets without a row: transaction markers, aborted and
/// compacted records) are holes. With --checkpoint the log is held against what was signed: only
/// that finds a change by somebody who has every right on the database. Reads the whole table once,
/// and topics with holes from the first to the last. Exits 0 when all is there, 4 when something is
/// missing, lost, in an open transaction or could not be checked or proven, or nothing is recorded
/// at all; 5 when a row, the ledger or the log is not what was recorded, a checkpoint does not fit,
/// a row is doubled or unknown to the ledger, a count is not that of its rows, a trigger, index,
/// constraint or function is missing or changed, a leaf of event_logs is not what event_log_leaves
/// tells, or somebody has a right that roles.sql does not give. A last line on stderr says what it
/// did not check.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit verify
  audit verify --records
  audit verify --checkpoint last.checkpoint --vkey audit.vkey
  audit verify -o json | jq '.[] | select(.check == \"rows\")'")]
pub(crate) struct VerifyArgs {
    /// Also topics that the database does not know yet
    #[arg(long, value_name = "TOPIC", value_delimiter = ',', value_parser = name_in_list())]
    pub(crate) topics: Vec<String>,
    /// How long to wait for a running ingester to reach the offsets that Kafka has at the start, in
    /// seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = whole_number::<u64>(0..))]
    wait: u64,
    /// Also read Kafka's records again, as far as it has them, and hold them against the roots of
    /// the batches that they became; those of batches from before the log can't be
    #[arg(long)]
    records: bool,
    /// In a table, list every partition, also those without a finding
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    anchors: AnchorArgs,
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
        context.settings.check_kafka()?;
        let anchors = self.anchors.read()?;
        let settings = context.settings.database()?;
        let mut session = Session::open(&settings, APPLICATION).await?;
        session.pin_search_path().await?;
        // Whatever else is wrong with it is found below.
        if let Ok(installation) = store::installation_id(&session).await {
            check_installation(&anchors, installation)?;
        }
        for note in session.home().await?.notes(&settings) {
            context.ui.status(&note);
        }
        let progress = context.ui.progress();
        progress.doing("asking Kafka where its partitions end");
        // The record, then Kafka, then the snapshot: of one incarnation what is recorded first is
        // never ahead of Kafka's end, and what Kafka has then must be in the snapshot.
        let before = store::known_partitions(&session).await?;
        let mut topics: Vec<String> =
            before.iter().map(|known| known.partition.topic.clone()).collect();
        topics.extend(self.topics.iter().cloned());
        let kafka = match ClusterOffsets::ask(context.settings, topics, BROKER_LIMIT).await {
            Ok(kafka) => self.settle(&session, kafka, context.settings, &progress).await?,
            Err(reason) => Err(reason),
        };
        let kafka = kafka.as_ref();
        progress.doing("reading the ledger");
        let scan = LedgerScan::open(&mut session).await?;
        let known = scan.partitions().await?;
        let comparisons = Comparisons::new(&before, &known, kafka.ok());
        let readers = scan.share(more_sessions(&scan, &settings).await?).await?;
        let holes = Holes::new(context.settings, &known, &comparisons);
        let mut following = Following { progress: &progress, holes };
        let found = verification::check(&scan, readers, &known, &anchors, &mut following).await?;
        let mut checks = partitions::check(found.chains, &known, kafka, &comparisons);
        if let Ok(kafka) = kafka {
            checks.extend(partitions::missing_topics(&self.topics, kafka));
            checks.extend(partitions::open_transactions(kafka, context.settings).await);
        }
        checks.extend(found.record);
        let (holes, unasked_holes) = following.holes.finish(&progress).await?;
        checks.push(holes);
        let records = match self.records {
            true => {
                let (settings, known) = (context.settings, &known);
                Some(records::check(&scan, known, &comparisons, settings, &progress).await?)
            }
            false => None,
        };
        let unread = records.as_ref().map(|found| (found.gone, found.rootless));
        checks.extend(records.map(|found| found.check));
        progress.doing("reading the schema");
        checks.extend(verification::check_schema(&scan).await?);
        progress.clear();
        let exit = print(&self, &checks, context.ui)?;
        let closed = known.iter().filter(|known| !known.is_newest).count();
        if let Some(text) = unchecked(unasked_holes, closed, unread, &anchors) {
            context.ui.status(&text);
        }
        Ok(exit)
    }
}

impl VerifyArgs {
    /// Gives a running ingester, and transactions that are open, some time to bring everything into
    /// the record that Kafka had at the start.
    async fn settle(
        &self,
        session: &Session,
        kafka: ClusterOffsets,
        settings: &ResolvedSettings,
        progress: &Progress,
    ) -> Result<Answer<ClusterOffsets>, Failure> {
        progress.doing("waiting until all that Kafka holds is recorded");
        let topics: Vec<String> =
            kafka.partitions.keys().map(|partition| partition.topic.clone()).collect();
        let began = Instant::now();
        loop {
            let progress = store::partition_progress(session, &kafka.cluster_id, &topics).await?;
            let is_recorded = |(partition, found): (&TopicPartition, &KafkaPartition)| {
                let high = kafka.high_watermark(partition).unwrap_or(found.end);
                let recorded = progress.iter().find(|known| known.partition == *partition);
                match recorded.map(|known| known.recorded) {
                    None => high == 0,
                    Some(recorded) => {
                        let found = KafkaPartition { end: high, ..*found };
                        // What an ingester read since the start is more than what was asked for.
                        compare(&recorded, &found) != Comparison::OtherTopic
                            && recorded.next_offset >= high
                    }
                }
            };
            if kafka.partitions.iter().all(is_recorded) {
                return Ok(Ok(kafka.settled(None)));
            }
            if began.elapsed() >= Duration::from_secs(self.wait) {
                let now = ClusterOffsets::ask(settings, topics, BROKER_LIMIT).await;
                return Ok(now.map(|now| kafka.settled(Some(&now))));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// The sessions that read rows side by side; not one where there is little to read.
async fn more_sessions(
    scan: &LedgerScan<'_>,
    settings: &Settings,
) -> Result<Vec<Session>, Failure> {
    let mut sessions = Vec::new();
    if scan.rows_claimed().await? >= WORTH_SESSIONS {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores.clamp(2, MOST_SESSIONS) {
            // One more that can't be had only makes it slower.
            sessions.extend(Session::open(settings, APPLICATION).await.ok());
        }
    }
    Ok(sessions)
}

/// What `verify` did not look at, in one line; `None` where it looked at everything.
fn unchecked(
    holes: i64,
    closed_incarnations: usize,
    records: Option<(u64, u64)>,
    anchors: &Anchors,
) -> Option<String> {
    let mut left = Vec::new();
    match records {
        None => left.push("whether the rows hold what Kafka held (--records)".to_owned()),
        Some((gone, rootless)) => {
            let batches = |count| counted(count, "batch");
            if gone > 0 {
                left.push(format!("{} whose records Kafka no longer has", batches(gone)));
            }
            if rootless > 0 {
                left.push(format!("the records of {} from before the log", batches(rootless)));
            }
        }
    }
    if anchors.given.is_empty() {
        left.push("whether the log is the one that was signed (--checkpoint)".to_owned());
    }
    if holes > 0 {
        let holes = declared_holes(holes);
        left.push(format!("{holes} that Kafka can no longer be asked about"));
    }
    if closed_incarnations > 0 {
        let text = "what topics that were made again held behind their last recorded offset";
        left.push(text.to_owned());
    }
    (!left.is_empty()).then(|| format!("not checked: {}", left.join("; ")))
}

/// Writes what was checked, and the verdict.
fn print(args: &VerifyArgs, checks: &[Check], ui: Ui) -> Result<Exit, Failure> {
    let columns = ["check", "subject", "result", "detail"].map(|name| match name {
        "detail" => Column::new(name).explains(),
        _ => Column::new(name),
    });
    let mut lines: Vec<(Vec<Value<'_>>, Emphasis)> = Vec::new();
    let format = args.format.format();
    let is_folded = |check: &Check| {
        format == Format::Table
            && !args.all
            && check.check == partitions::CHECK
            && check.findings.is_empty()
    };
    let folded = checks.iter().filter(|check| is_folded(check)).count();
    if folded > 0 {
        let subject = counted(folded, "partition");
        let detail = "without a gap; --all lists them";
        let cells = vec![partitions::CHECK.into(), subject.into(), OK.into(), detail.into()];
        lines.push((cells, Emphasis::None));
    }
    for check in checks.iter().filter(|check| !is_folded(check)) {
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
            "complete: every offset is a row or a declared hole, every row is as it was recorded",
            Exit::Done,
        ),
        Some(Severity::Incomplete) => {
            ("incomplete: something is missing, lost, or could not be checked", Exit::Incomplete)
        }
        Some(Severity::Altered) => (
            "altered: a row, the ledger, the log or the schema is not as it was made",
            Exit::Altered,
        ),
    };
    ui.status(verdict);
    Ok(exit)
}

fn word(severity: Option<Severity>) -> (&'static str, Emphasis) {
    match severity {
        None => (OK, Emphasis::None),
        Some(Severity::Incomplete) => ("incomplete", Emphasis::Notice),
        Some(Severity::Altered) => ("altered", Emphasis::Alarm),
    }
}
