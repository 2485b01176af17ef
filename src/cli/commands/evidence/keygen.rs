//! `audit evidence keygen`: the key of a log.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, Run, signer_key};
use crate::cli::ui::{Exit, Failure};
use crate::evidence::note::{Origin, SEED_LENGTH, SignerKey};
use crate::store;

/// Make a key that signs checkpoints, and print the key that verifies them
///
/// The signing key goes into a file that only its owner can read: keep it away from the database,
/// because who has both can sign another log. The verifier key goes to stdout: publish it. The
/// database is asked for its name, which is that of the key, unless --origin says it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit evidence keygen --out signing.key > signing.vkey
  audit evidence keygen --out other.key \\
    --origin audit/5b3c9a52-0c5e-4c58-9a3c-0f5c3fb0d1a7")]
pub(crate) struct KeygenArgs {
    /// The file for the signing key, which must not exist yet
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: PathBuf,
    /// The log that it is for: audit/ and the installation's id [default: that of the database]
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<Origin>,
}

impl Run for KeygenArgs {
    fn heeds_settings(&self) -> bool {
        self.origin.is_none()
    }

    fn apply_settings(&mut self, _: &ArgumentSettings<'_>) {}

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let origin = match self.origin {
            Some(origin) => origin,
            None => {
                let session = context.settings.session("audit evidence keygen").await?;
                let (installation, restart) = store::log_name(&session).await?;
                Origin::new(installation, restart)
                    .map_err(|error| Failure::new(format!("the name of the log: {error}")))?
            }
        };
        let mut seed = [0; SEED_LENGTH];
        openssl::rand::rand_bytes(&mut seed)
            .map_err(|error| Failure::new(format!("no random bytes for a key: {error}")))?;
        let key = SignerKey::of_seed(origin, &seed)
            .map_err(|error| Failure::new(format!("making a key: {error}")))?;
        write_secret(&self.out, key.secret_text())?;
        // What can't be read again must not be published.
        let key = signer_key("--out", &self.out)?;
        let mut stdout = context.ui.stdout();
        let printed = writeln!(stdout, "{}", key.verifier()).and_then(|()| stdout.flush());
        if let Err(error) = printed {
            // A key that nobody can verify with is of no use.
            let _ = fs::remove_file(&self.out);
            return Err(error.into());
        }
        let file = self.out.display();
        context.ui.status(&format!(
            "{file} holds the signing key of {origin}: keep it away from the database, and publish \
             the verifier key"
        ));
        Ok(Exit::Done)
    }
}

/// Writes a file that nobody else can read from its first byte on.
fn write_secret(path: &Path, text: &str) -> Result<(), Failure> {
    let shown = path.display();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(
        |error| {
            let failure = Failure::new(format!("--out: creating {shown}: {error}"));
            match error.kind() {
                io::ErrorKind::AlreadyExists => failure.with_hint(
                    "a signing key is never replaced: checkpoints are verified with its other half",
                ),
                _ => failure,
            }
        },
    )?;
    let written = writeln!(file, "{text}").and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a key is none.
        let _ = fs::remove_file(path);
        Failure::new(format!("--out: writing {shown}: {error}"))
    })
}
