//! Reads rows of one snapshot, in order, on as many sessions as there are.

use std::pin::pin;
use std::sync::Arc;

use futures_util::TryStreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::columns::Columns;
use super::error::Error;
use super::lookups::Lookups;
use super::pieces::IdRange;
use crate::store::{
    EventQuery, EventRow, ReadTransaction, ResolvedSelection, RowOrder, Session, SharedReading,
};

/// How many chunks of a session may wait for those that come before them.
const WAITING: usize = 2;

/// Which rows are read, and what of them.
#[derive(Debug)]
pub struct Wanted {
    /// Which rows.
    pub selection: ResolvedSelection,
    /// Which columns.
    pub columns: Columns,
    /// Whether to leave out all but the first delivery of each event among the selected rows.
    pub dedup: bool,
    /// How many rows at most; then all of them are read as one piece.
    pub limit: Option<u64>,
}

impl Wanted {
    /// The same, read so that many rows take little time: for pieces of many rows.
    pub(super) fn derived(&self) -> Self {
        Self {
            selection: self.selection.clone(),
            columns: self.columns.derived(),
            dedup: self.dedup,
            limit: self.limit,
        }
    }

    /// The query of the rows with ids in a range.
    pub fn query(&self, range: IdRange) -> EventQuery<'_> {
        EventQuery {
            selection: &self.selection,
            columns: self.columns.selected(),
            order: RowOrder::IdRange { after: range.after, last: range.last },
            // One more row than is taken tells whether more match.
            limit: self
                .limit
                .map(|limit| i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)),
            dedup: self.dedup,
        }
    }
}

/// Makes of rows what a file takes: one for each session, so that encoding is done side by side.
pub(super) trait Encoder: Send + 'static {
    /// A chunk of encoded rows.
    type Rows: Send + 'static;

    /// Takes a row.
    fn row(&mut self, row: &EventRow, lookups: &Lookups) -> Result<(), Error>;

    /// Whether enough rows are taken for a chunk.
    fn is_full(&self) -> bool;

    /// The rows since the last chunk; `None` where there are none.
    fn take(&mut self) -> Result<Option<Self::Rows>, Error>;
}

/// Reads the pieces and hands their rows to `take` in the order of the pieces: on `reading` itself
/// or, side by side, on `more` sessions. Returns whether the limit cut them.
pub(super) async fn read<E: Encoder>(
    reading: &ReadTransaction<'_>,
    more: Vec<Session>,
    wanted: &Arc<Wanted>,
    pieces: Vec<IdRange>,
    encoder: impl Fn(&Columns) -> Result<E, Error>,
    mut take: impl AsyncFnMut(E::Rows) -> Result<(), Error>,
) -> Result<bool, Error> {
    let shared = match more.is_empty() {
        true => Vec::new(),
        false => share(reading, more).await?,
    };
    let count = pieces.len();
    let lookups = Lookups::of_run(reading, wanted.columns.need_partitions()).await?;
    let reader = |sender| {
        let (wanted, lookups) = (Arc::clone(wanted), lookups.clone());
        Ok::<_, Error>(Reader { encoder: encoder(&wanted.columns)?, wanted, lookups, sender })
    };
    if shared.is_empty() {
        let (sender, receiver) = mpsc::channel(WAITING);
        let reader = reader(sender)?;
        let mut no_tasks = JoinSet::new();
        let read = reader.read(reading, pieces.into_iter());
        let ((), is_cut) =
            tokio::join!(read, in_order(vec![receiver], count, &mut no_tasks, &mut take));
        return is_cut;
    }
    let (sessions, pieces) = (shared.len(), Arc::new(pieces));
    let mut tasks = JoinSet::new();
    let mut chunks = Vec::with_capacity(sessions);
    for (number, session) in shared.into_iter().enumerate() {
        let (sender, receiver) = mpsc::channel(WAITING);
        chunks.push(receiver);
        let reader = reader(sender)?;
        let pieces = Arc::clone(&pieces);
        tasks.spawn(async move {
            let own = pieces.iter().skip(number).step_by(sessions).copied();
            reader.read(&session, own).await;
        });
    }
    in_order(chunks, count, &mut tasks, &mut take).await
}

/// Takes the chunks of each piece in turn from the session that reads it.
async fn in_order<R>(
    mut chunks: Vec<mpsc::Receiver<Chunk<R>>>,
    pieces: usize,
    tasks: &mut JoinSet<()>,
    take: &mut impl AsyncFnMut(R) -> Result<(), Error>,
) -> Result<bool, Error> {
    let sessions = chunks.len();
    let mut is_any_cut = false;
    for piece in 0..pieces {
        loop {
            match chunks[piece % sessions].recv().await {
                Some(Chunk::Rows(rows)) => take(rows).await?,
                Some(Chunk::End { is_cut }) => {
                    is_any_cut |= is_cut;
                    break;
                }
                Some(Chunk::Failed(error)) => return Err(error),
                None => return Err(Error::Ended(why(tasks).await)),
            }
        }
    }
    Ok(is_any_cut)
}

/// What a session hands over.
enum Chunk<R> {
    Rows(R),
    /// The piece is read.
    End {
        is_cut: bool,
    },
    Failed(Error),
}

/// Why a task ended without a word.
async fn why(tasks: &mut JoinSet<()>) -> String {
    match tasks.join_next().await {
        Some(Err(error)) => error.to_string(),
        _ => "nobody knows why".to_owned(),
    }
}

/// Lets the sessions read what `reading` reads. Fewer of them, or not one, where the server does
/// not let them: behind a pooler each may be of another server.
async fn share(
    reading: &ReadTransaction<'_>,
    sessions: Vec<Session>,
) -> Result<Vec<SharedReading>, Error> {
    let snapshot = reading.share().await?;
    let mut shared = Vec::with_capacity(sessions.len());
    for session in sessions {
        shared.extend(session.read_shared(&snapshot).await.ok());
    }
    Ok(shared)
}

/// Reads pieces on one session.
struct Reader<E: Encoder> {
    wanted: Arc<Wanted>,
    lookups: Lookups,
    encoder: E,
    sender: mpsc::Sender<Chunk<E::Rows>>,
}

/// Whoever takes the rows has ended.
struct NobodyTakes;

impl<E: Encoder> Reader<E> {
    /// Reads the pieces, and hands over their rows or why they can't be read.
    async fn read(mut self, session: &Session, pieces: impl Iterator<Item = IdRange>) {
        for piece in pieces {
            let (end, is_last) = match self.read_piece(session, piece).await {
                Ok(Ok(is_cut)) => (Chunk::End { is_cut }, false),
                Ok(Err(NobodyTakes)) => return,
                Err(error) => (Chunk::Failed(error), true),
            };
            if send(&self.sender, end).await.is_err() || is_last {
                return;
            }
        }
    }

    /// Hands the rows of a piece over chunk by chunk, the last one where the piece ends. Returns
    /// whether the limit cut them.
    async fn read_piece(
        &mut self,
        session: &Session,
        piece: IdRange,
    ) -> Result<Result<bool, NobodyTakes>, Error> {
        let wanted = Arc::clone(&self.wanted);
        if wanted.columns.need_batches() {
            self.lookups.of_piece(session, piece).await?;
        }
        let mut rows = pin!(wanted.query(piece).stream(session).await?);
        let (mut count, mut is_cut) = (0, false);
        while let Some(row) = rows.try_next().await? {
            is_cut = wanted.limit.is_some_and(|limit| count == limit);
            if is_cut {
                break;
            }
            count += 1;
            self.encoder.row(&row, &self.lookups)?;
            if self.encoder.is_full()
                && let Some(rows) = self.encoder.take()?
                && send(&self.sender, Chunk::Rows(rows)).await.is_err()
            {
                return Ok(Err(NobodyTakes));
            }
        }
        match self.encoder.take()? {
            Some(rows) => Ok(send(&self.sender, Chunk::Rows(rows)).await.map(|()| is_cut)),
            None => Ok(Ok(is_cut)),
        }
    }
}

async fn send<R>(sender: &mpsc::Sender<Chunk<R>>, chunk: Chunk<R>) -> Result<(), NobodyTakes> {
    sender.send(chunk).await.map_err(|_| NobodyTakes)
}
