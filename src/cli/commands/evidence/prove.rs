//! `audit evidence prove`: a proof that a row is what was recorded.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::given_checkpoint::{GivenCheckpoint, given_checkpoint};
use super::output_file::OutputFileArgs;
use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run, ambiguous};
use crate::cli::ui::{Exit, Failure};
use crate::count_text::counted;
use crate::evidence::leaf::BatchLeaf;
use crate::evidence::log_nodes::LogQuestion;
use crate::evidence::note::Checkpoint;
use crate::evidence::proof::{InclusionProof, ProofError, RowColumns};
use crate::evidence::tree::inclusion_path;
use crate::store;
use crate::store::{BatchPlace, EventColumn, EventLookup, HashedRows, ReadMode, Session};

/// Prove that a row is what was recorded, to somebody who has only the verifier key
///
/// The proof holds the row, and the hashes that lead from it to the root of a checkpoint: of the
/// newest one in the database, or of the one that is given, which has to cover the row. `audit
/// evidence check` checks it without a database. Of an event that was delivered several times the
/// row that committed first is proven; a row id names another one. Exits with 3 where nothing has
/// the id, with 4 where no checkpoint covers the row yet, and with 5 where the row or its batch is
/// not what was recorded: then no proof is written.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit evidence prove 40
  audit evidence prove 4f2a91c3…b7de -o proof.json
  audit evidence prove 40 --checkpoint friday.checkpoint -o proof.json")]
pub(crate) struct ProveArgs {
    /// An event id, its beginning or its short form, or a row id
    #[arg(value_name = "EVENT_OR_ROW")]
    id: String,
    /// Prove it by this checkpoint [default: the newest one in the database]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    checkpoint: Option<PathBuf>,
    #[command(flatten)]
    output: OutputFileArgs,
}

impl Run for ProveArgs {
    fn apply_settings(&mut self, _: &ArgumentSettings<'_>) {}

    fn exit_without_reader(&self) -> Option<Exit> {
        self.output.is_stdout().then_some(Exit::Done)
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let given = self.checkpoint.as_deref().map(given_checkpoint).transpose()?;
        let mut session = context.settings.session("audit evidence prove").await?;
        let reading = session.read(ReadMode::Page).await?;
        let id = self.row_id(&reading).await?;
        let Some(batch_no) = store::batch_of_row(&reading, id).await? else {
            return Err(Failure::new(format!(
                "row {id} is of no batch: `audit ingest` did not record it"
            ))
            .with_exit(Exit::Altered));
        };
        let (place, given) = place(&reading, id, batch_no, given).await?;
        let proof = prove(&reading, id, batch_no, place, given.note).await?;
        reading.finish().await?;
        // What does not hold is not handed out.
        let checkpoint = given.checkpoint;
        proof.check_under(checkpoint).map_err(|error| {
            let failure = match error {
                // The path is made of the rows as they are now, of which any may be the one.
                ProofError::Row(_) => Failure::new(format!(
                    "row {id}, or another one of batch {batch_no}, is not what was recorded: they have another root now"
                ))
                .with_exit(Exit::Altered),
                error => error.into(),
            };
            failure.with_hint(format!(
                "batch {batch_no}, its rows or the log were changed: `audit verify --checkpoint FILE --vkey KEY` \
                 tells what else"
            ))
        })?;
        self.output.write(&proof.to_json()?, context.ui)?;
        let leaves = counted(checkpoint.size, "leaf");
        context.ui.status(&format!(
            "row {id} of batch {batch_no} is proven by the checkpoint of {leaves} of {}",
            checkpoint.origin
        ));
        Ok(Exit::Done)
    }
}

impl ProveArgs {
    /// The row that is meant: of an event the one that committed first.
    async fn row_id(&self, session: &Session) -> Result<i64, Failure> {
        match store::find_event(session, &self.id).await? {
            EventLookup::Event { row_id: Some(id), .. } => Ok(id),
            EventLookup::Event { deliveries, row_id: None } => {
                let mut first: Option<(i64, i64)> = None;
                for delivery in &deliveries {
                    let batch = delivery.integer(EventColumn::BatchNo)?.unwrap_or(i64::MAX);
                    let key = (batch, delivery.id()?);
                    first = Some(first.map_or(key, |first| first.min(key)));
                }
                Ok(first.unwrap_or_default().1)
            }
            EventLookup::Ambiguous(candidates) => Err(ambiguous(&self.id, &candidates)?),
            EventLookup::Nothing => {
                let text = format!("no event or row has the id '{}'", self.id);
                Err(Failure::new(text).with_exit(Exit::NothingMatched))
            }
        }
    }
}

/// The leaf of the batch, and the checkpoint that it is proven by: the one that was given, else the
/// newest one in the database.
async fn place(
    session: &Session,
    id: i64,
    batch_no: i64,
    given: Option<GivenCheckpoint>,
) -> Result<(BatchPlace, GivenCheckpoint), Failure> {
    let places = store::places_of_batch(session, batch_no).await?;
    let refused = |text: String| Failure::new(text).with_exit(Exit::Incomplete);
    if places.is_empty() {
        return Err(refused(format!(
            "row {id} can't be proven: its batch {batch_no} was recorded before there was a log"
        ))
        .with_hint("`audit evidence adopt` enters such batches into the log as they are now"));
    }
    let behind = || {
        refused(format!("row {id} can't be proven yet: no checkpoint covers its batch {batch_no}"))
            .with_hint("`audit evidence checkpoint --key FILE` signs one that does")
    };
    let Some(given) = given else {
        for place in places {
            let newest = store::last_checkpoint(session, place.log_no).await?;
            if let Some(stored) = newest.filter(|stored| stored.size > place.index) {
                let checkpoint = Checkpoint::read_unverified(stored.note.as_bytes());
                let checkpoint = checkpoint.map_err(|error| {
                    let size = stored.size;
                    Failure::new(format!(
                        "the checkpoint of {size} leaves in the database: {error}"
                    ))
                    .with_exit(Exit::Altered)
                })?;
                return Ok((place, GivenCheckpoint { checkpoint, note: stored.note }));
            }
        }
        return Err(behind());
    };
    let (origin, head) = (given.checkpoint.origin, store::log_head(session).await?);
    // A copy with an id of its own goes on from the logs of its original.
    if origin.restart() > head.log_no
        || origin.restart() == head.log_no && origin.installation() != head.installation
    {
        return Err(Failure::new(format!(
            "--checkpoint is of {origin}, which is no log of this database"
        )));
    }
    let place = places.into_iter().find(|place| place.log_no == origin.restart());
    match place.filter(|place| place.index < given.checkpoint.size) {
        Some(place) => Ok((place, given)),
        None => Err(refused(format!(
            "row {id} can't be proven by this checkpoint, which does not cover its batch {batch_no}"
        ))
        .with_hint("name a later one; `audit evidence checkpoint --key FILE` signs it")),
    }
}

async fn prove(
    session: &Session,
    id: i64,
    batch_no: i64,
    place: BatchPlace,
    checkpoint: String,
) -> Result<InclusionProof, Failure> {
    let altered = |text: String| Failure::new(text).with_exit(Exit::Altered);
    let Some(batch) = store::proven_batch(session, place.log_no, batch_no).await? else {
        return Err(altered(format!("batch {batch_no} has no root over its rows any more")));
    };
    let BatchLeaf { first_id: Some(first_id), last_id: Some(last_id), .. } = batch else {
        return Err(altered(format!("batch {batch_no} has no rows any more")));
    };
    let HashedRows { ids, hashes, kept } =
        store::hashed_rows(session, first_id, last_id, Some(id)).await?;
    if let Some(missing) = (first_id..=last_id)
        .zip(ids.iter().map(Some).chain(std::iter::repeat(None)))
        .find_map(|(expected, found)| (found != Some(&expected)).then_some(expected))
    {
        return Err(altered(format!("row {missing} of batch {batch_no} is no longer there")));
    }
    let row = kept.ok_or_else(|| altered(format!("row {id} is no longer there")))?;
    let row = RowColumns::of_canonical(&row)
        .map_err(|error| Failure::new(format!("row {id}: {error}")))?;
    let size =
        Checkpoint::read_unverified(checkpoint.as_bytes()).map_or(0, |checkpoint| checkpoint.size);
    let question = LogQuestion::Inclusion { leaf: place.index, size };
    let batch_path = store::log_nodes(session, place.log_no, question).await?;
    Ok(InclusionProof {
        row,
        row_path: inclusion_path(&hashes, id.abs_diff(first_id) as usize),
        batch,
        leaf_index: place.index,
        batch_path: batch_path.unwrap_or_default(),
        checkpoint,
    })
}
