//! Reads every row once, whole, beside the batches: on as many sessions as there are, in chunks of
//! batches, whose rows are hashed on threads of their own. What is in memory is a chunk's figures
//! and some pieces of the rows, however many there are.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinSet, spawn_blocking};

use crate::ledger::{BatchClaim, BatchWalk, Expected, Walked};
use crate::store::{BatchScan, CopiedRows, Error, LedgerScan, RowCopy, RowReader};

/// About how many rows make up a chunk.
const CHUNK_ROWS: i64 = 32_768;

/// How many chunks a session has before it: the one that it reads, and the next.
const CHUNKS_AHEAD: usize = 2;

/// How many pieces of a COPY wait to be hashed.
const PIECES: usize = 8;

/// Batches whose ids follow each other, and the ids that are read for them.
struct Chunk {
    ids: RangeInclusive<i64>,
    batches: Vec<BatchClaim>,
}

/// A chunk, and where the answer goes.
type Job = (Chunk, oneshot::Sender<Result<Walked, Error>>);

/// The rows that are being read.
pub(super) struct RowScan<'a> {
    scan: &'a LedgerScan<'a>,
    expected: Arc<Expected>,
    batches: BatchScan<'a>,
    /// The first batch of the next chunk.
    ahead: Option<BatchClaim>,
    /// The first id that no chunk has; `None` behind the last chunk.
    next_id: Option<i64>,
    lanes: Vec<mpsc::Sender<Job>>,
    next_lane: usize,
    /// Ends the tasks of the lanes when the scan is dropped.
    _tasks: JoinSet<()>,
    waiting: VecDeque<oneshot::Receiver<Result<Walked, Error>>>,
}

impl<'a> RowScan<'a> {
    /// Begins to read: on these sessions or, without any, on that of the scan.
    ///
    /// # Errors
    /// `Error::Query`.
    pub(super) async fn begin(
        scan: &'a LedgerScan<'a>,
        readers: Vec<RowReader>,
        expected: Expected,
    ) -> Result<Self, Error> {
        let expected = Arc::new(expected);
        let mut tasks = JoinSet::new();
        let lane = |reader: RowReader| {
            let (sender, mut jobs) = mpsc::channel::<Job>(CHUNKS_AHEAD);
            let expected = Arc::clone(&expected);
            tasks.spawn(async move {
                while let Some((chunk, answer)) = jobs.recv().await {
                    let copy = reader.copy(&chunk.ids).await;
                    let walked = walk(copy, chunk.batches, Arc::clone(&expected)).await;
                    if answer.send(walked).is_err() {
                        return;
                    }
                }
            });
            sender
        };
        let lanes = readers.into_iter().map(lane).collect();
        let mut batches = scan.batches().await?;
        let ahead = batches.next().await?;
        Ok(Self {
            scan,
            expected,
            batches,
            ahead,
            next_id: Some(i64::MIN),
            lanes,
            next_lane: 0,
            _tasks: tasks,
            waiting: VecDeque::new(),
        })
    }

    /// What was found in the next chunk, in the order of the ids; `None` behind the last.
    ///
    /// # Errors
    /// `Error::Query`; `Error::Protocol` where the server's answer is no COPY of the rows.
    pub(super) async fn next(&mut self) -> Result<Option<Walked>, Error> {
        if self.lanes.is_empty() {
            let Some(chunk) = self.next_chunk().await? else { return Ok(None) };
            let copy = self.scan.copy_rows(&chunk.ids).await;
            return walk(copy, chunk.batches, Arc::clone(&self.expected)).await.map(Some);
        }
        while self.waiting.len() < self.lanes.len() * CHUNKS_AHEAD {
            let Some(chunk) = self.next_chunk().await? else { break };
            let (sender, receiver) = oneshot::channel();
            // A lane that has ended answers nothing, which is told below.
            let _ = self.lanes[self.next_lane].send((chunk, sender)).await;
            self.next_lane = (self.next_lane + 1) % self.lanes.len();
            self.waiting.push_back(receiver);
        }
        match self.waiting.pop_front() {
            None => Ok(None),
            Some(answer) => match answer.await {
                Ok(walked) => walked.map(Some),
                Err(_) => Err(ended()),
            },
        }
    }

    async fn next_chunk(&mut self) -> Result<Option<Chunk>, Error> {
        let Some(first) = self.next_id else { return Ok(None) };
        let mut batches = Vec::new();
        let (mut rows, mut last) = (0, i64::MAX);
        while let Some(batch) = self.ahead.take() {
            self.ahead = self.batches.next().await?;
            rows += batch.last_id - batch.first_id + 1;
            let end = batch.last_id;
            batches.push(batch);
            // A batch that begins before the end of this one belongs to its chunk.
            let is_apart = self.ahead.as_ref().is_some_and(|next| next.first_id > end);
            if rows >= CHUNK_ROWS && is_apart {
                last = end;
                break;
            }
        }
        self.next_id = (last < i64::MAX).then(|| last + 1);
        Ok(Some(Chunk { ids: first..=last, batches }))
    }
}

/// Walks along the rows of a COPY, on a thread of its own.
async fn walk(
    copy: Result<RowCopy, Error>,
    batches: Vec<BatchClaim>,
    expected: Arc<Expected>,
) -> Result<Walked, Error> {
    let mut copy = copy?;
    let (sender, pieces) = mpsc::channel(PIECES);
    let rows = copy.rows();
    let walked =
        spawn_blocking(move || walk_along(rows, pieces, BatchWalk::begin(batches, expected)));
    while let Some(piece) = copy.next().await? {
        // Whoever takes no more has failed, and tells below.
        if sender.send(piece).await.is_err() {
            break;
        }
    }
    drop(sender);
    walked.await.unwrap_or_else(|_| Err(ended()))
}

fn walk_along(
    mut rows: CopiedRows,
    mut pieces: mpsc::Receiver<Vec<u8>>,
    mut walk: BatchWalk,
) -> Result<Walked, Error> {
    while let Some(piece) = pieces.blocking_recv() {
        rows.push(piece);
        while let Some(row) = rows.next_row()? {
            walk.row(&row);
        }
    }
    rows.finish()?;
    Ok(walk.finish())
}

fn ended() -> Error {
    Error::Protocol("reading rows ended without an answer".to_owned())
}
