//! The checkpoints that the log is held against.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use uuid::Uuid;

use crate::cli::shared::verifier_key;
use crate::cli::ui::Failure;
use crate::evidence::note::{Checkpoint, NoteError, VerifierKey};
use crate::filter::duration;
use crate::verification::Anchors;

/// What was kept elsewhere.
#[derive(Debug, Args)]
pub(super) struct AnchorArgs {
    /// A checkpoint that was kept where whoever has the database can't change it; repeatable
    #[arg(long, value_name = "FILE", requires = "vkey", value_hint = ValueHint::FilePath)]
    checkpoint: Vec<PathBuf>,
    /// The verifier key that `audit evidence keygen` printed, or a file that holds it; repeatable,
    /// because a log may have several keys, and one that was begun anew has another
    #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    vkey: Vec<String>,
    /// How old the first batch behind the last checkpoint may be, such as 1h; exits with 4 where it
    /// is older
    #[arg(long, value_name = "DURATION", requires = "checkpoint", value_parser = duration)]
    max_unanchored: Option<i64>,
}

impl AnchorArgs {
    /// Reads keys and checkpoints, and verifies their signatures.
    pub(super) fn read(&self) -> Result<Anchors, Failure> {
        let keys: Vec<VerifierKey> =
            self.vkey.iter().map(|given| verifier_key(given)).collect::<Result<_, _>>()?;
        let given = self.checkpoint.iter().map(|path| {
            let name = path.display().to_string();
            let refused = |error: &dyn std::fmt::Display| {
                Failure::new(format!("--checkpoint: {name}: {error}"))
            };
            let note = fs::read(path).map_err(|error| refused(&error))?;
            let checkpoint = verify(&note, &keys).map_err(|error| refused(&error))?;
            Ok((name, checkpoint))
        });
        Ok(Anchors {
            given: given.collect::<Result<_, Failure>>()?,
            keys,
            max_unanchored: self
                .max_unanchored
                .map(|most| Duration::from_micros(most.unsigned_abs())),
        })
    }
}

/// Fails where a checkpoint is of another database than the one that is asked.
pub(super) fn check_installation(anchors: &Anchors, installation: Uuid) -> Result<(), Failure> {
    let foreign = anchors.given.iter().find(|(_, read)| read.origin.installation() != installation);
    match foreign {
        None => Ok(()),
        Some((name, checkpoint)) => Err(Failure::new(format!(
            "--checkpoint: {name}: the checkpoint is of {}, and this database is audit/{installation}",
            checkpoint.origin
        ))
        .with_hint("give the checkpoints of this database; `audit status` tells which one was asked")),
    }
}

/// Verifies a note with a key of its log, of which there may be several.
fn verify(note: &[u8], keys: &[VerifierKey]) -> Result<Checkpoint, NoteError> {
    let read = Checkpoint::read_unverified(note)?;
    let mut outcome = Err(NoteError::Unsigned);
    for key in keys.iter().filter(|key| key.origin() == read.origin) {
        outcome = Checkpoint::verify(note, key);
        if !matches!(outcome, Err(NoteError::OtherKeys(_))) {
            return outcome;
        }
    }
    match (outcome, keys.first()) {
        // Tells that they are of other logs.
        (Err(NoteError::Unsigned), Some(key)) => Checkpoint::verify(note, key),
        (outcome, _) => outcome,
    }
}
