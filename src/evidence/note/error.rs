//! Why a key or a note is refused.

use super::origin::Origin;

/// How many bytes a note may have.
pub(super) const MOST_BYTES: usize = 1_000_000;

/// How many signatures a note may have.
pub(super) const MOST_SIGNATURES: usize = 100;

/// Why text is no key. The message never quotes it, because it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Anything but the parts of a verifier's key.
    #[error("no verifier key, which is written name+id+base64")]
    VerifierForm,
    /// Anything but the parts of a key that signs.
    #[error("no signing key, which is written PRIVATE+KEY+name+id+base64")]
    SignerForm,
    /// The secret was given where the public key belongs.
    #[error("a signing key, which nobody else may have: give the verifier key")]
    IsSecret,
    /// A key of another log.
    #[error("the key's name '{0}' is no origin of audit")]
    Name(String),
    /// The last part can't be decoded, or has another text, too.
    #[error("the key's last part is not base64 in its canonical form")]
    Base64,
    /// Other bytes than those of an Ed25519 key.
    #[error("not an Ed25519 key")]
    Algorithm,
    /// The parts contradict each other.
    #[error("the key's id does not fit its name and bytes: it was changed or cut off")]
    Id,
}

/// Why a note is no checkpoint of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than anybody has to read.
    #[error("a note has at most {most} bytes", most = MOST_BYTES)]
    TooLong,
    /// Not UTF-8.
    #[error("the note is not UTF-8")]
    NotUtf8,
    /// Control characters, which could hide something from a reader.
    #[error("the note holds control characters")]
    ControlCharacters,
    /// No empty line before signatures.
    #[error("no signed note: no empty line stands before its signatures")]
    Unsigned,
    /// Anything but signatures behind the last empty line.
    #[error("something else than signatures stands behind the note's last empty line")]
    NotSignatures,
    /// More signatures than anybody has to read.
    #[error("a note has at most {most} signatures", most = MOST_SIGNATURES)]
    TooManySignatures,
    /// The key has signed no such note.
    #[error("the note is not signed with the key {0}")]
    OtherKeys(String),
    /// A signature in the key's name that it did not make.
    #[error(
        "the signature of {0} is wrong: the note was changed, or it was signed by somebody else"
    )]
    WrongSignature(Origin),
    /// The key refuses.
    #[error("the key can't sign the note")]
    Signing,
    /// Not the three lines of a checkpoint.
    #[error("a checkpoint has 3 lines, and this note has {0}")]
    LineCount(usize),
    /// The first line.
    #[error("the checkpoint's first line is no origin of audit")]
    Origin,
    /// The log of somebody else.
    #[error("the checkpoint is of {found}, and the key is of {expected}")]
    OtherOrigin {
        /// Whose log it is.
        found: Origin,
        /// The key's name.
        expected: Origin,
    },
    /// The second line.
    #[error("the checkpoint's size is no number of leaves, from 1 on")]
    Size,
    /// The third line.
    #[error("the checkpoint's root is not base64 of 32 bytes in its canonical form")]
    Root,
}
