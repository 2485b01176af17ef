//! A checkpoint: how many leaves a log has, and the root over them, signed.
//! Source: <https://c2sp.org/tlog-checkpoint>, <https://c2sp.org/signed-note>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use signed_note::Signature;

use super::error::{MOST_BYTES, MOST_SIGNATURES, NoteError};
use super::origin::Origin;
use super::signer_key::SignerKey;
use super::verifier_key::VerifierKey;
use crate::evidence::tree::Hash;

/// The state of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log it is.
    pub origin: Origin,
    /// How many leaves it has: at least 1, at most 2^63 - 1.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The three lines that are signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The signed note.
    ///
    /// # Errors
    /// [`NoteError::OtherOrigin`] where the key is of another log, [`NoteError::Size`] where there
    /// are no leaves.
    pub fn sign(&self, key: &SignerKey) -> Result<String, NoteError> {
        self.check_origin(key.verifier())?;
        let text = self.text();
        // What can't be read back is not signed either.
        Self::of_text(&text)?;
        let line = key.signature_line(&text)?;
        Ok(format!("{text}\n{line}"))
    }

    /// Reads a note that this key signed. Lines of other keys are ignored.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn verify(note: &[u8], key: &VerifierKey) -> Result<Self, NoteError> {
        let Note { text, signatures } = Note::read(note)?;
        let name = key.origin().to_string();
        let mut is_signed = false;
        for line in &signatures {
            if line.name() != name || line.id() != key.id() {
                continue;
            }
            if !key.is_signature(line.signature(), text.as_bytes()) {
                return Err(NoteError::WrongSignature(key.origin()));
            }
            is_signed = true;
        }
        // Tells of another log first: its key differs, too.
        let checkpoint = Self::of_text(text)?;
        checkpoint.check_origin(key)?;
        if is_signed { Ok(checkpoint) } else { Err(NoteError::OtherKeys(key.short_name())) }
    }

    /// Reads a note, whoever signed it: what is made of it must be verified by others.
    ///
    /// # Errors
    /// Where it is no signed checkpoint.
    pub fn read_unverified(note: &[u8]) -> Result<Self, NoteError> {
        Self::of_text(Note::read(note)?.text)
    }

    fn check_origin(&self, key: &VerifierKey) -> Result<(), NoteError> {
        let (found, expected) = (self.origin, key.origin());
        if found == expected { Ok(()) } else { Err(NoteError::OtherOrigin { found, expected }) }
    }

    fn of_text(text: &str) -> Result<Self, NoteError> {
        let lines: Vec<&str> = text.split_terminator('\n').collect();
        let [origin, size, root] = lines[..] else {
            return Err(NoteError::LineCount(lines.len()));
        };
        let origin = origin.parse().map_err(|_| NoteError::Origin)?;
        let leaves: i64 = size.parse().map_err(|_| NoteError::Size)?;
        // Only one text is this number: no sign, no zeros before it.
        if leaves < 1 || leaves.to_string() != size {
            return Err(NoteError::Size);
        }
        let root = STANDARD.decode(root).ok().and_then(|root| root.try_into().ok());
        Ok(Self { origin, size: leaves.unsigned_abs(), root: root.ok_or(NoteError::Root)? })
    }
}

/// A note, taken apart.
struct Note<'a> {
    /// With the line break at its end.
    text: &'a str,
    signatures: Vec<Signature>,
}

impl<'a> Note<'a> {
    /// As `signed_note` does it, which does not say what is wrong.
    fn read(note: &'a [u8]) -> Result<Self, NoteError> {
        if note.len() > MOST_BYTES {
            return Err(NoteError::TooLong);
        }
        let note = str::from_utf8(note).map_err(|_| NoteError::NotUtf8)?;
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err(NoteError::ControlCharacters);
        }
        let empty_line = note.rfind("\n\n").ok_or(NoteError::Unsigned)?;
        let (text, rest) = note.split_at(empty_line + 1);
        let lines = rest[1..].strip_suffix('\n').ok_or(NoteError::NotSignatures)?;
        if lines.split('\n').count() > MOST_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        let signatures = lines
            .split('\n')
            .map(|line| Signature::from_bytes(line.as_bytes()))
            .collect::<Result<_, _>>()
            .map_err(|_| NoteError::NotSignatures)?;
        Ok(Self { text, signatures })
    }
}

#[cfg(test)]
mod tests;
