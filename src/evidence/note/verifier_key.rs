//! The key that verifies.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use signed_note::{StandardVerifier, Verifier as _, VerifierError};

use super::error::KeyError;
use super::origin::Origin;
use super::{ED25519, PRIVATE};

/// The public half of the key of a log, which everybody may have.
#[derive(Clone)]
pub struct VerifierKey {
    origin: Origin,
    verifier: StandardVerifier,
    text: String,
}

impl VerifierKey {
    /// The log that it is of.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The name and the id, which name the key in messages: `name+id`.
    pub fn short_name(&self) -> String {
        format!("{}+{:08x}", self.origin, self.id())
    }

    /// The first four bytes of its SHA-256, by which a note's line names its key.
    pub(super) fn id(&self) -> u32 {
        self.verifier.key_id()
    }

    /// Whether the key signed this.
    pub(super) fn is_signature(&self, signature: &[u8], signed: &[u8]) -> bool {
        self.verifier.verify(signed, signature)
    }

    /// Whether text has the form of a key, whatever stands in its parts: what doesn't may be the
    /// name of a file that holds one.
    pub fn has_form(text: &str) -> bool {
        text.starts_with(PRIVATE) || parts(text).is_some()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("VerifierKey").field(&self.text).finish()
    }
}

/// The name, and the base64 of the key.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    let is_id = id.len() == 8 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_id.then_some((name, key))
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.starts_with(PRIVATE) {
            return Err(KeyError::IsSecret);
        }
        let (name, key) = parts(text).ok_or(KeyError::VerifierForm)?;
        let origin = name.parse().map_err(|_| KeyError::Name(name.to_owned()))?;
        let key = STANDARD.decode(key).map_err(|_| KeyError::Base64)?;
        if key.len() != 33 || key[0] != ED25519 {
            return Err(KeyError::Algorithm);
        }
        let verifier = StandardVerifier::new(text).map_err(|error| match error {
            VerifierError::Id => KeyError::Id,
            // The bytes are no point of the curve.
            VerifierError::Alg | VerifierError::Format => KeyError::Algorithm,
        })?;
        Ok(Self { origin, verifier, text: text.to_owned() })
    }
}
