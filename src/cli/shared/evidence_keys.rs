//! The keys of checkpoints, as the command line names them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use clap::{Args, ValueHint};

use crate::cli::settings::others_can_read;
use crate::cli::ui::Failure;
use crate::evidence::note::{SignerKey, VerifierKey};

/// The key that verifies.
#[derive(Debug, Args)]
pub(crate) struct VerifierKeyArg {
    /// The verifier key that `audit evidence keygen` printed, or a file that holds it
    #[arg(long = "vkey", value_name = "KEY", value_hint = ValueHint::FilePath)]
    given: String,
}

impl VerifierKeyArg {
    /// The key.
    ///
    /// # Errors
    /// Where it is none, or the file can't be read.
    pub(crate) fn key(&self) -> Result<VerifierKey, Failure> {
        verifier_key(&self.given)
    }
}

/// The key that was given with `--vkey`: itself, or a file that holds it.
///
/// # Errors
/// Where it is none, or the file can't be read.
pub(crate) fn verifier_key(given: &str) -> Result<VerifierKey, Failure> {
    if VerifierKey::has_form(given) {
        return given.parse().map_err(|error| Failure::new(format!("--vkey: {error}")));
    }
    let text = std::fs::read_to_string(given).map_err(|error| {
        Failure::new(format!("--vkey: reading {given}: {error}"))
            .with_hint("give the key itself, name+id+base64, or a file that holds it")
    })?;
    text.trim_end().parse().map_err(|error| Failure::new(format!("--vkey: {given}: {error}")))
}

/// Reads the key that signs, of the file that an option named. Whoever can read the file can sign
/// what never was.
///
/// # Errors
/// Where it can't be read, others can read it, too, or it holds no such key.
pub(crate) fn signer_key(option: &str, path: &Path) -> Result<SignerKey, Failure> {
    let shown = path.display();
    let unreadable =
        |error: std::io::Error| Failure::new(format!("{option}: reading {shown}: {error}"));
    let mut file = File::open(path).map_err(unreadable)?;
    let is_open = others_can_read(&file);
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(unreadable)?;
    let key = text
        .trim_end()
        .parse()
        .map_err(|error| Failure::new(format!("{option}: {shown}: {error}")))?;
    // Only of a key: something else may well be for everybody.
    if is_open {
        return Err(Failure::new(format!(
            "{option}: others can read {shown}, so they can sign, too"
        ))
        .with_hint(format!(
            "run `chmod 600 {shown}`; where somebody may have read it, make another key with \
                 `audit evidence keygen`"
        )));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::evidence::note::Origin;

    #[test]
    fn a_signing_key_is_refused_where_others_can_read_it_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("audit.key");
        let origin: Origin = "audit/5b3c9a52-0c5e-4c58-9a3c-0f5c3fb0d1a7".parse().unwrap();
        let key = SignerKey::of_seed(origin, &[1; 32]).unwrap();
        std::fs::write(&file, format!("{}\n", key.secret_text())).unwrap();
        for (mode, is_good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            match signer_key("--key", &file) {
                Ok(read) => assert!(is_good && read.secret_text() == key.secret_text()),
                Err(failure) => {
                    let message = failure.message();
                    assert!(!is_good && message.contains("others can read"), "{message}");
                    assert!(!message.contains("PRIVATE"), "{message}");
                }
            }
        }
        let given = |text: &str| VerifierKeyArg { given: text.to_owned() }.key();
        for secret in [key.secret_text(), file.to_str().unwrap()] {
            let failure = given(secret).unwrap_err();
            let message = failure.message();
            assert!(message.contains("give the verifier key"), "{message}");
            assert!(!message.contains("PRIVATE"), "{message}");
        }
        let public = folder.path().join("audit.vkey");
        std::fs::write(&public, format!("{}\n", key.verifier())).unwrap();
        std::fs::set_permissions(&public, Permissions::from_mode(0o644)).unwrap();
        // Nobody is told to hide what is for everybody.
        let failure = signer_key("--key", &public).err().unwrap();
        assert!(failure.message().contains("audit.vkey: "), "{}", failure.message());
        for text in [key.verifier().to_string(), public.display().to_string()] {
            assert_eq!(given(&text).unwrap().to_string(), key.verifier().to_string());
        }
    }
}
