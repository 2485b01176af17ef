//! A database in memory, which refuses rows and loses connections as a test wants it to.

mod copied_rows;
mod counted_rows;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use copied_rows::{Fields, copied};
use counted_rows::assert_counted;

use super::database::{BatchConnection, Database, DatabaseError, Refusal, RowTrial};
use crate::event::QUARANTINED;
use crate::ingest::batching::encoder::EncodedBatch;
use crate::ingest::mutex::lock_mutex;
use crate::store::write::copy_buffer::CopyBuffer;
use crate::store::{Batch, BatchStatus, Error, IdBlock, OffsetRange, Roots, TrialRows, Written};

/// What happens to a connection while it writes a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum Break {
    /// It is lost, and the server rolls the batch back.
    BeforeCommit,
    /// It is lost after the server committed the batch.
    AfterCommit,
    /// It is lost, and the server commits the batch when the next one is written.
    CommittedLate,
    /// It is lost, the server rolls the batch back, and another process claims the partitions.
    ClaimedMeanwhile,
    /// It stays, but the server takes no writes on it: it became a standby.
    ReadOnly,
    /// It stays, but the server refuses the batch for a reason that will not go away.
    Fatal,
}

/// Whether a refusal says which line of the COPY it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::ingest) enum Line {
    #[default]
    Nothing,
    Right,
    /// A line that was not sent.
    Wrong,
}

/// The claim on a partition, as `kafka_partitions` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) struct FakePartition {
    pub(in crate::ingest) epoch: i64,
    pub(in crate::ingest) next_offset: i64,
}

/// A row that is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ingest) struct FakeRow {
    pub(in crate::ingest) id: i64,
    pub(in crate::ingest) offset: i64,
    pub(in crate::ingest) is_quarantined: bool,
    pub(in crate::ingest) payload: String,
    pub(in crate::ingest) attributes: String,
}

/// A dead letter that is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ingest) struct FakeDeadLetter {
    pub(in crate::ingest) row_id: i64,
    pub(in crate::ingest) exception_class: Option<String>,
}

#[derive(Debug, Default)]
pub(in crate::ingest) struct FakeState {
    pub(in crate::ingest) partitions: BTreeMap<i32, FakePartition>,
    pub(in crate::ingest) rows: Vec<FakeRow>,
    pub(in crate::ingest) dead_letters: Vec<FakeDeadLetter>,
    pub(in crate::ingest) batches: i64,
    /// The ids for which a leaf was made ahead.
    pub(in crate::ingest) leaves_made: Vec<i64>,
    /// How many of the next connections fail.
    pub(in crate::ingest) failing_connections: usize,
    /// The next writes of a batch, one each.
    pub(in crate::ingest) breaks: VecDeque<Break>,
    /// The next trials of rows that lose the connection.
    pub(in crate::ingest) lost_trials: usize,
    /// The offsets of rows that are refused unless they are quarantined.
    pub(in crate::ingest) refused: BTreeSet<i64>,
    /// The offsets of rows that are refused whatever they are.
    pub(in crate::ingest) always_refused: BTreeSet<i64>,
    /// Which rows are refused besides, as by a constraint.
    pub(in crate::ingest) refuses: Option<fn(&FakeRow) -> bool>,
    pub(in crate::ingest) line: Line,
    /// Whether dead letters with an exception class are refused.
    pub(in crate::ingest) refuses_origins: bool,
    /// The dead letters, by the ids of their events, that are refused whatever they say.
    pub(in crate::ingest) refused_dead_letters: BTreeSet<i64>,
    /// Whether batches are refused whose rows are accepted one by one.
    pub(in crate::ingest) refuses_batches: bool,
    pub(in crate::ingest) connections: usize,
    pub(in crate::ingest) writes: usize,
    pub(in crate::ingest) trials: usize,
    next_id: i64,
    uncommitted: Option<Commit>,
}

#[derive(Debug)]
struct Commit {
    ranges: Vec<OffsetRange>,
    rows: Vec<FakeRow>,
    dead_letters: Vec<FakeDeadLetter>,
}

impl FakeState {
    fn passes_fence(&self, ranges: &[OffsetRange]) -> bool {
        ranges.iter().all(|range| {
            let expected = FakePartition { epoch: range.epoch, next_offset: range.first_offset };
            self.partitions.get(&range.partition_id) == Some(&expected)
        })
    }

    fn commit(&mut self, commit: Commit) {
        for range in &commit.ranges {
            if let Some(partition) = self.partitions.get_mut(&range.partition_id) {
                partition.next_offset = range.next_offset;
            }
        }
        self.rows.extend(commit.rows);
        self.dead_letters.extend(commit.dead_letters);
        self.batches += 1;
    }

    fn check_dead_letters(&self, rows: &[FakeDeadLetter]) -> Result<(), DatabaseError> {
        let is_refused = |row: &FakeDeadLetter| {
            self.refused_dead_letters.contains(&row.row_id)
                || (self.refuses_origins && row.exception_class.is_some())
        };
        if rows.iter().any(is_refused) { Err(refusal(None)) } else { Ok(()) }
    }

    fn check(&self, rows: &[FakeRow]) -> Result<(), DatabaseError> {
        let is_refused = |row: &FakeRow| {
            self.always_refused.contains(&row.offset)
                || self.refuses.is_some_and(|refuses| refuses(row))
                || (!row.is_quarantined && self.refused.contains(&row.offset))
        };
        match rows.iter().position(is_refused) {
            Some(index) => Err(refusal(match self.line {
                Line::Nothing => None,
                Line::Right => Some(index + 1),
                Line::Wrong => Some(rows.len() + 1),
            })),
            None => Ok(()),
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(in crate::ingest) struct FakeDatabase(Arc<Mutex<FakeState>>);

impl FakeDatabase {
    /// Claims the partitions of a batch as they are named in it.
    pub(in crate::ingest) fn claim_for(&self, batch: &EncodedBatch) {
        for OffsetRange { partition_id, epoch, first_offset, .. } in batch.ranges() {
            let claim = FakePartition { epoch, next_offset: first_offset };
            self.state().partitions.insert(partition_id, claim);
        }
    }

    pub(in crate::ingest) fn state(&self) -> MutexGuard<'_, FakeState> {
        lock_mutex(&self.0)
    }
}

#[derive(Debug)]
pub(in crate::ingest) struct FakeConnection {
    database: FakeDatabase,
    is_lost: bool,
}

impl FakeConnection {
    fn lose(&mut self) -> DatabaseError {
        self.is_lost = true;
        transient()
    }
}

impl Database for FakeDatabase {
    type Connection = FakeConnection;

    async fn connect(&self) -> Result<FakeConnection, DatabaseError> {
        let mut state = self.state();
        if state.failing_connections > 0 {
            state.failing_connections -= 1;
            return Err(transient());
        }
        state.connections += 1;
        Ok(FakeConnection { database: self.clone(), is_lost: false })
    }
}

impl BatchConnection for FakeConnection {
    type Trial<'a> = FakeTrial<'a>;

    fn is_closed(&self) -> bool {
        self.is_lost
    }

    async fn reserve_ids(&mut self, count: usize) -> Result<IdBlock, DatabaseError> {
        let mut state = self.database.state();
        let first_id = state.next_id + 1;
        state.next_id += count as i64;
        Ok(IdBlock { first_id, leaf: "event_logs_000000".to_owned() })
    }

    async fn make_leaf_ahead(&mut self, id: i64) -> Result<(), DatabaseError> {
        self.database.state().leaves_made.push(id);
        Ok(())
    }

    async fn write(
        &mut self,
        batch: &Batch<'_>,
        roots: impl Future<Output = Result<Roots, Error>> + Send,
    ) -> Result<Written, DatabaseError> {
        roots.await?;
        let database = self.database.clone();
        let mut state = database.state();
        state.writes += 1;
        assert!(state.writes < 100, "batches are written again and again");
        if let Some(late) = state.uncommitted.take() {
            state.commit(late);
        }
        if !state.passes_fence(batch.ranges) {
            return Ok(Written::Fenced);
        }
        assert_counted(batch);
        let rows = batch.events.map_or(Vec::new(), |(rows, _)| event_rows(rows, 0..rows.len()));
        let dead_letters = dead_letter_rows(batch.dead_letters);
        state.check(&rows)?;
        state.check_dead_letters(&dead_letters)?;
        if state.refuses_batches {
            return Err(refusal(None));
        }
        let commit = Commit { ranges: batch.ranges.to_vec(), rows, dead_letters };
        match state.breaks.pop_front() {
            Some(Break::BeforeCommit) => return Err(self.lose()),
            Some(Break::CommittedLate) => {
                state.uncommitted = Some(commit);
                return Err(self.lose());
            }
            Some(Break::ReadOnly) => {
                return Err(DatabaseError::Transient(Error::Standby {
                    target: "memory".to_owned(),
                }));
            }
            Some(Break::ClaimedMeanwhile) => {
                state.partitions.values_mut().for_each(|partition| partition.epoch += 1);
                return Err(self.lose());
            }
            Some(Break::Fatal) => {
                return Err(DatabaseError::Fatal(Error::Protocol("broken".to_owned())));
            }
            Some(Break::AfterCommit) => {
                state.commit(commit);
                return Err(self.lose());
            }
            None => state.commit(commit),
        }
        Ok(Written::Committed(state.batches))
    }

    async fn status(&mut self, ranges: &[OffsetRange]) -> Result<BatchStatus, DatabaseError> {
        let state = self.database.state();
        let is_recorded = ranges.iter().all(|range| {
            let recorded = FakePartition { epoch: range.epoch, next_offset: range.next_offset };
            state.partitions.get(&range.partition_id) == Some(&recorded)
        });
        Ok(match (is_recorded, state.passes_fence(ranges)) {
            (true, _) => BatchStatus::Recorded,
            (false, true) => BatchStatus::Open,
            (false, false) => BatchStatus::Superseded,
        })
    }

    async fn begin_trial(&mut self) -> Result<FakeTrial<'_>, DatabaseError> {
        Ok(FakeTrial(self))
    }
}

/// A trial on a connection.
#[derive(Debug)]
pub(in crate::ingest) struct FakeTrial<'a>(&'a mut FakeConnection);

impl RowTrial for FakeTrial<'_> {
    async fn add(&mut self, rows: TrialRows<'_>, range: Range<usize>) -> Result<(), DatabaseError> {
        let database = self.0.database.clone();
        let mut state = database.state();
        state.trials += 1;
        if state.lost_trials > 0 {
            state.lost_trials -= 1;
            return Err(self.0.lose());
        }
        match rows {
            TrialRows::Events(rows, _) => state.check(&event_rows(rows, range)),
            TrialRows::DeadLetters(rows) => {
                state.check_dead_letters(&dead_letter_rows(rows)[range])
            }
        }
    }
}

fn transient() -> DatabaseError {
    DatabaseError::Transient(Error::NoAnswer { target: "memory".to_owned(), seconds: 0 })
}

fn refusal(line: Option<usize>) -> DatabaseError {
    DatabaseError::Refused(Refusal {
        detail: "the row is refused".to_owned(),
        line,
        error: Error::Protocol("the row is refused".to_owned()),
    })
}

fn event_rows(rows: &CopyBuffer, range: Range<usize>) -> Vec<FakeRow> {
    let row = |fields: Fields| FakeRow {
        id: bigint(fields[0].as_ref()),
        offset: bigint(fields[9].as_ref()),
        is_quarantined: fields[2].as_deref() == Some(QUARANTINED.as_bytes()),
        payload: json(fields[6].as_ref()),
        attributes: json(fields[11].as_ref()),
    };
    copied(rows, range).into_iter().map(row).collect()
}

fn dead_letter_rows(rows: &CopyBuffer) -> Vec<FakeDeadLetter> {
    let row = |fields: Fields| FakeDeadLetter {
        row_id: bigint(fields[0].as_ref()),
        exception_class: fields[10].clone().and_then(|class| String::from_utf8(class).ok()),
    };
    copied(rows, 0..rows.len()).into_iter().map(row).collect()
}

/// The text of a JSONB behind the byte that tells its version.
fn json(field: Option<&Vec<u8>>) -> String {
    let (_, text) = field.and_then(|field| field.split_first()).expect("the column is not null");
    String::from_utf8(text.to_vec()).expect("JSON is text")
}

fn bigint(field: Option<&Vec<u8>>) -> i64 {
    let bytes = field.expect("the column is not null").as_slice();
    i64::from_be_bytes(bytes.try_into().expect("a bigint has 8 bytes"))
}
