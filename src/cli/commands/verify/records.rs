//! The records of Kafka beside the batches that were made of them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::comparisons::Comparisons;
use crate::cli::settings::ResolvedSettings;
use crate::cli::ui::{Failure, Progress, Total};
use crate::count_text::{counted, counted_with};
use crate::event::TopicPartition;
use crate::evidence::leaf::{BatchLeaf, RangeFacts};
use crate::kafka;
use crate::kafka::RecordHasher;
use crate::ledger::{Finding, Findings, RecordClaim, RecordRange, RecordRoots, RecordVerdict};
use crate::store::{KnownPartition, LedgerBatch, LedgerScan};
use crate::verification::Check;

/// How many records are read before their batches are judged: their hashes are in memory.
const AT_ONCE: u64 = 250_000;

/// How many batches one round trip brings.
const PAGE: i64 = 1_000;

/// How many readers are at work at most.
const MOST_READERS: usize = 4;

/// How many ranges of a batch are named.
const NAMED: usize = 3;

/// The name of the check.
const CHECK: &str = "records";

/// What came of reading records again.
pub(super) struct FoundRecords {
    pub(super) check: Check,
    /// Of how many batches Kafka no longer has all records.
    pub(super) gone: u64,
    /// How many batches have no root over their records.
    pub(super) rootless: u64,
}

/// Reads the records of all batches again, as far as Kafka has them.
pub(super) async fn check(
    scan: &LedgerScan<'_>,
    known: &[KnownPartition],
    comparisons: &Comparisons,
    settings: &ResolvedSettings,
    progress: &Progress,
) -> Result<FoundRecords, Failure> {
    let last = scan.log_head().await?.map_or(0, |head| head.batch_no);
    let mut windows = Windows {
        scan,
        readable: comparisons.readable(known),
        next: 1,
        last,
        page: VecDeque::new(),
        gone: 0,
        rootless: 0,
    };
    progress
        .counting("records read again", Total::About(scan.rows_claimed().await?.unsigned_abs()));
    let read = Arc::new(AtomicU64::new(0));
    let kafka = settings.kafka()?;
    let readers = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_READERS);
    let mut at_work = FuturesUnordered::new();
    let mut idle: Vec<RecordHasher> = Vec::new();
    let mut findings = Findings::default();
    let (mut same, mut gone) = (0_u64, 0_u64);
    let mut unread: Option<(String, u64)> = None;
    loop {
        while at_work.len() < readers {
            let Some(roots) = windows.next().await? else { break };
            let (kafka, hasher) = (kafka.clone(), idle.pop());
            let told = Told { read: Arc::clone(&read), set: progress.setter() };
            let batches = roots.batches();
            at_work.push(async move {
                let outcome = kafka::blocking(move || read_again(&kafka, hasher, roots, &told));
                (batches, outcome.await)
            });
        }
        let Some((batches, outcome)) = at_work.next().await else { break };
        match outcome {
            Err(error) => unread.get_or_insert((error.to_string(), 0)).1 += batches,
            Ok((hasher, roots)) => {
                idle.push(hasher);
                for (claim, verdict) in roots.judged() {
                    match verdict {
                        RecordVerdict::Same => same += 1,
                        RecordVerdict::Fewer => gone += 1,
                        RecordVerdict::Other => findings.push(other(&claim, None)),
                        RecordVerdict::More(more) => findings.push(other(&claim, Some(more))),
                    }
                }
            }
        }
    }
    if let Some((error, batches)) = unread {
        let batches = counted(batches, "batch");
        let text = format!("the records of {batches} could not be read: {error}");
        findings.push(Finding::incomplete("Kafka", text));
    }
    gone += windows.gone;
    let detail = format!(
        "{} as Kafka has them, {} of which Kafka no longer has all records, {} without a root over them",
        counted(same, "batch"),
        gone,
        windows.rootless
    );
    let check = Check {
        check: CHECK,
        subject: "records of Kafka".to_owned(),
        findings: findings.finish(CHECK),
        detail,
    };
    Ok(FoundRecords { check, gone, rootless: windows.rootless })
}

/// Hears how many records were read, by all readers together.
struct Told<F> {
    read: Arc<AtomicU64>,
    set: F,
}

/// Reads the records of some batches, on this thread.
fn read_again(
    settings: &kafka::Settings,
    hasher: Option<RecordHasher>,
    mut roots: RecordRoots,
    told: &Told<impl Fn(u64)>,
) -> Result<(RecordHasher, RecordRoots), kafka::Error> {
    let mut hasher = match hasher {
        Some(hasher) => hasher,
        None => RecordHasher::new(settings)?,
    };
    for (topic, ranges) in roots.ranges() {
        let mut partition = TopicPartition::new(&topic, 0);
        hasher.hash(&topic, &ranges, |number, offset, hash| {
            partition.partition = number;
            roots.record(&partition, offset, hash);
            let read = told.read.fetch_add(1, Ordering::Relaxed) + 1;
            if read.is_multiple_of(1_000) {
                (told.set)(read);
            }
        })?;
    }
    Ok((hasher, roots))
}

/// The batches, as many at once as are read at once.
struct Windows<'a, 's> {
    scan: &'a LedgerScan<'s>,
    /// The partitions that Kafka can be asked about, and where each begins now.
    readable: HashMap<i32, (TopicPartition, i64)>,
    /// The batch that the next page begins with.
    next: i64,
    last: i64,
    page: VecDeque<LedgerBatch>,
    gone: u64,
    rootless: u64,
}

impl Windows<'_, '_> {
    /// The next batches; `None` behind the last.
    async fn next(&mut self) -> Result<Option<RecordRoots>, Failure> {
        let mut roots = RecordRoots::default();
        while roots.expected() < AT_ONCE {
            let Some(LedgerBatch { leaf, .. }) = self.page.pop_front() else {
                if self.next > self.last {
                    break;
                }
                let until = self.last.min(self.next + PAGE - 1);
                self.page = self.scan.ledger_batches(0, self.next..=until).await?.into();
                self.next = until + 1;
                continue;
            };
            match leaf.map(|leaf| claim(&leaf, &self.readable)) {
                None | Some(Claim::Rootless) => self.rootless += 1,
                Some(Claim::Gone) => self.gone += 1,
                Some(Claim::Readable(claim)) => roots.add(claim),
            }
        }
        Ok((!roots.is_empty()).then_some(roots))
    }
}

/// What can be read of a batch.
enum Claim {
    Readable(RecordClaim),
    /// Kafka no longer has its records, or has another topic of the name.
    Gone,
    /// There is no root over its records.
    Rootless,
}

fn claim(leaf: &BatchLeaf, readable: &HashMap<i32, (TopicPartition, i64)>) -> Claim {
    let Some(record_root) = leaf.record_root else { return Claim::Rootless };
    let mut ranges = Vec::new();
    for RangeFacts { partition_id, first_offset, next_offset, row_count, kind, .. } in &leaf.ranges
    {
        if kind != "stored" {
            continue;
        }
        match readable.get(partition_id) {
            Some((partition, low)) if low < next_offset => ranges.push(RecordRange {
                partition: partition.clone(),
                offsets: *first_offset..*next_offset,
                records: *row_count,
            }),
            // What holds no record needs none.
            _ if *row_count == 0 => {}
            _ => return Claim::Gone,
        }
    }
    Claim::Readable(RecordClaim { batch_no: leaf.batch_no, record_root, ranges })
}

/// A batch whose records are others in Kafka, or `more` of them.
fn other(claim: &RecordClaim, more: Option<usize>) -> Finding {
    let shown = claim.ranges.iter().take(NAMED).map(|range| {
        let (first, last) = (range.offsets.start, range.offsets.end - 1);
        format!("{} {first}–{last}", range.partition)
    });
    let mut places = shown.collect::<Vec<_>>().join(", ");
    if claim.ranges.len() > NAMED {
        let rest = counted(claim.ranges.len() - NAMED, "more range");
        places.push_str(&format!(" and {rest}"));
    }
    let text = match more {
        None => format!("Kafka has other records than were recorded, at {places}"),
        Some(more) => {
            let more = counted_with(more, "record", ["more than was", "more than were"]);
            format!("Kafka has {more} recorded, at {places}")
        }
    };
    Finding::altered(format!("batch {}", claim.batch_no), text)
}
