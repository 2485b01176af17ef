//! The key that signs.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use signed_note::{Signature, Signer as _, SignerError, StandardSigner, key_id};

use super::error::{KeyError, NoteError};
use super::origin::Origin;
use super::verifier_key::VerifierKey;
use super::{ED25519, PRIVATE};

/// How many random bytes a key is made of.
pub const SEED_LENGTH: usize = 32;

/// The secret half of the key of a log. `Debug` shows its name alone.
#[derive(Clone)]
pub struct SignerKey {
    signer: StandardSigner,
    verifier: VerifierKey,
    text: String,
}

impl SignerKey {
    /// The key that is made of these random bytes.
    ///
    /// # Errors
    /// None that another seed would not have.
    pub fn of_seed(origin: Origin, seed: &[u8; SEED_LENGTH]) -> Result<Self, KeyError> {
        let public = SigningKey::from_bytes(seed).verifying_key().to_bytes();
        let id = key_id(&origin.to_string(), &[&[ED25519], public.as_slice()].concat());
        let secret = STANDARD.encode([&[ED25519], seed.as_slice()].concat());
        format!("{PRIVATE}{origin}+{id:08x}+{secret}").parse()
    }

    /// The key's text, which is the secret itself.
    pub fn secret_text(&self) -> &str {
        &self.text
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The line of a note that signs its text.
    ///
    /// # Errors
    /// None that this kind of key has.
    pub(super) fn signature_line(&self, text: &str) -> Result<String, NoteError> {
        let signature = self.signer.sign(text.as_bytes()).map_err(|_| NoteError::Signing)?;
        let name = self.signer.name().to_owned();
        let line = Signature::new(name, self.signer.key_id(), signature)
            .map_err(|_| NoteError::Signing)?
            .to_bytes();
        String::from_utf8(line).map_err(|_| NoteError::Signing)
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.verifier.short_name();
        formatter.debug_struct("SignerKey").field("name", &name).finish_non_exhaustive()
    }
}

impl FromStr for SignerKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let parts = text.strip_prefix(PRIVATE).ok_or(KeyError::SignerForm)?;
        let (name, rest) = parts.split_once('+').ok_or(KeyError::SignerForm)?;
        let (_, secret) = rest.split_once('+').ok_or(KeyError::SignerForm)?;
        let origin: Origin = name.parse().map_err(|_| KeyError::Name(name.to_owned()))?;
        let signer = StandardSigner::new(text).map_err(|error| match error {
            SignerError::Format => KeyError::SignerForm,
            SignerError::Alg => KeyError::Algorithm,
            SignerError::Id => KeyError::Id,
        })?;
        let secret = STANDARD.decode(secret).map_err(|_| KeyError::Base64)?;
        let seed = secret.get(1..).and_then(|seed| seed.try_into().ok());
        let public = SigningKey::from_bytes(seed.ok_or(KeyError::Algorithm)?).verifying_key();
        let verifier =
            signed_note::new_ed25519_verifier_key(&origin.to_string(), &public).parse()?;
        Ok(Self { signer, verifier, text: text.to_owned() })
    }
}
