//! `audit evidence adopt`: batches from before the log are entered into it.

use std::io::Write;

use clap::Args;

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run};
use crate::cli::ui::{Exit, Failure, Total};
use crate::count_text::counted;
use crate::evidence::leaf::BatchLeaf;
use crate::evidence::tree::root_of;
use crate::host;
use crate::store;
use crate::store::{Adoptable, Session};

/// How many rows are adopted in one transaction, as far as they are of several batches: about a
/// second's work.
const PIECE_ROWS: i64 = 50_000;
/// How many batches are.
const PIECE_BATCHES: usize = 250;

/// Enter batches that were recorded before there was a log into it
///
/// Their rows are proven from then on as they are now: what was changed before is not found. A
/// batch that a checkpoint covers is never adopted again. While ingesters go on, one piece after
/// the other is adopted; whoever interrupts it loses the last piece, and goes on by running it
/// again. Needs the owner of the tables. Exits with 5 where a batch is left out, because not all of
/// its rows are there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit evidence adopt       # after an upgrade from a version without a log")]
pub(crate) struct AdoptArgs {}

impl Run for AdoptArgs {
    fn apply_settings(&mut self, _: &ArgumentSettings<'_>) {}

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let settings = context.settings.database()?;
        let mut session = Session::open(&settings, "audit evidence adopt").await?;
        session.home().await?.check_writable(&settings)?;
        store::check_owner(&session).await?;
        if !store::lock_adoption(&session).await? {
            return Err(Failure::new("another `audit evidence adopt` is at work on this database"));
        }
        let progress = context.ui.progress();
        progress.doing("looking for batches from before the log");
        let Adoptable { next_batch_no, batches, rows } = store::adoptable(&session).await?;
        progress.counting("rows adopted", Total::Exact(rows.unsigned_abs()));
        let mut adopted = Adopted::default();
        let mut last = 0;
        loop {
            let limit = PIECE_BATCHES as i64;
            let waiting = store::adoptable_batches(&session, last, next_batch_no, limit).await?;
            let Some((piece, number)) = piece(&session, waiting, &mut adopted).await? else {
                break;
            };
            last = number;
            if !piece.is_empty() {
                adopted.batches += piece.len() as u64;
                adopted.rows += piece
                    .iter()
                    .map(|batch| u64::from(batch.row_count.unsigned_abs()))
                    .sum::<u64>();
                store::adopt_batches(&mut session, piece, &host::user_at_host()).await?;
            }
            progress.set(adopted.rows);
        }
        progress.clear();
        let mut stdout = context.ui.stdout();
        if batches == 0 {
            writeln!(stdout, "{}: no batch waits to be adopted", settings.target())?;
        } else {
            let (batches, rows) = (counted(adopted.batches, "batch"), counted(adopted.rows, "row"));
            writeln!(stdout, "adopted {batches} with {rows}: the next checkpoint covers them")?;
        }
        stdout.flush()?;
        for line in &adopted.left_out {
            context.ui.status(line);
        }
        Ok(if adopted.left_out.is_empty() { Exit::Done } else { Exit::Altered })
    }
}

/// What was adopted.
#[derive(Default)]
struct Adopted {
    batches: u64,
    rows: u64,
    /// Which batches were left out, and why.
    left_out: Vec<String>,
}

/// The first of these batches that make up a piece, with their roots, and the number of the last
/// one that was looked at; `None` where there are none.
async fn piece(
    session: &Session,
    waiting: Vec<BatchLeaf>,
    adopted: &mut Adopted,
) -> Result<Option<(Vec<BatchLeaf>, i64)>, Failure> {
    let (mut piece, mut rows, mut last) = (Vec::new(), 0, None);
    for mut batch in waiting {
        let count = i64::from(batch.row_count);
        if rows > 0 && rows + count > PIECE_ROWS {
            break;
        }
        rows += count;
        last = Some(batch.batch_no);
        let mut found = 0;
        if let Some((first, last)) = batch.first_id.zip(batch.last_id) {
            let hashed = store::hashed_rows(session, first, last, None).await?;
            found = hashed.ids.len() as i64;
            batch.row_root = root_of(hashed.hashes);
        } else {
            batch.row_root = root_of([]);
        }
        if found == count {
            piece.push(batch);
        } else {
            adopted.left_out.push(format!(
                "batch {} is left out: {found} of its {count} rows are there; `audit verify` tells which",
                batch.batch_no
            ));
        }
    }
    Ok(last.map(|last| (piece, last)))
}
