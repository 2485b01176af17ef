//! Signed notes: the keys that sign and verify, and the checkpoints that are signed.
//! Source of the formats: `docs/evidence.md`, "Checkpoints".

mod checkpoint;
mod error;
mod origin;
mod signer_key;
mod verifier_key;

pub use checkpoint::Checkpoint;
pub use error::{KeyError, NoteError};
pub use origin::{Origin, OriginError};
pub use signer_key::{SEED_LENGTH, SignerKey};
pub use verifier_key::VerifierKey;

/// What the text of a key that signs begins with.
const PRIVATE: &str = "PRIVATE+KEY+";

/// The number that stands before the bytes of an Ed25519 key.
const ED25519: u8 = 1;
