//! Signs a checkpoint now and then. What fails is logged once for each reason, and tried again.

use std::path::Path;
use std::time::Duration;

use chrono::Utc;

use crate::anchor;
use crate::anchor::Signed;
use crate::ingest::context::IngestContext;
use crate::ingest::counters::AnchorFigures;
use crate::ingest::error::Error;
use crate::ingest::settings::AnchorSettings;
use crate::store;
use crate::store::{Session, Settings};

/// How long one attempt may take, with a log that nobody signed for a long time.
const LIMIT: Duration = Duration::from_secs(300);
/// How long the last one may take, at the end of a run.
const FINISH_LIMIT: Duration = Duration::from_secs(15);

/// Signs at once where something is not signed, and then now and then until a stop.
pub(in crate::ingest) async fn keep_on(context: IngestContext) {
    let Some(mut anchoring) = Anchoring::of(&context) else { return };
    loop {
        tokio::select! {
            outcome = anchoring.attempt(LIMIT) => {
                if let Err(error) = outcome {
                    anchoring.tell(&error);
                }
            }
            () = context.stop.requested() => return,
        }
        if context.stop.wait(anchoring.settings.every).await {
            return;
        }
    }
}

/// Signs what was recorded last.
///
/// # Errors
/// With `--until-end`, where nothing could be signed: no later attempt will be made. Of an ingester
/// that was stopped the next one makes it.
pub(in crate::ingest) async fn finish(context: &IngestContext) -> Result<(), Error> {
    let Some(mut anchoring) = Anchoring::of(context) else { return Ok(()) };
    let outcome = anchoring.attempt(FINISH_LIMIT).await;
    if context.settings.until_end {
        return outcome;
    }
    if let Err(error) = outcome {
        anchoring.tell(&error);
    }
    Ok(())
}

/// What signs, and what it remembers between two checkpoints.
struct Anchoring<'a> {
    settings: &'a AnchorSettings,
    database: &'a Settings,
    /// The name of its sessions in `pg_stat_activity`.
    application: String,
    figures: &'a AnchorFigures,
    /// How long the log was when this process last put a checkpoint where it belongs.
    signed: Option<u64>,
    /// The reason that was logged last.
    told: Option<String>,
}

impl<'a> Anchoring<'a> {
    /// `None` where others sign.
    fn of(context: &'a IngestContext) -> Option<Self> {
        Some(Self {
            settings: context.settings.anchoring.as_ref()?,
            database: &context.settings.database,
            application: format!("audit ingest {} anchoring", context.ingester),
            figures: &context.counters.anchoring,
            signed: None,
            told: None,
        })
    }

    async fn attempt(&mut self, limit: Duration) -> Result<(), Error> {
        match tokio::time::timeout(limit, self.sign()).await {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(signed))) => {
                self.told = None;
                self.figures.signed.inc();
                tracing::info!(
                    leaves = signed.checkpoint.size,
                    new = signed.new_leaves,
                    log = %signed.checkpoint.origin,
                    "signed a checkpoint of the log of evidence"
                );
                Ok(())
            }
            Ok(Err(error)) => {
                if matches!(error, anchor::Error::Refused(_)) {
                    self.figures.refusals.inc();
                } else {
                    self.figures.failures.inc();
                }
                Err(Error::Unsigned(error))
            }
            Err(_) => {
                self.figures.failures.inc();
                Err(Error::NotSignedInTime { seconds: limit.as_secs() })
            }
        }
    }

    /// Signs where the log has more than was signed.
    async fn sign(&mut self) -> Result<Option<Signed>, anchor::Error> {
        let mut session = Session::connect(self.database, &self.application).await?;
        let head = store::log_head(&session).await?;
        let stored = store::last_checkpoint(&session, head.log_no).await?;
        if let Some(stored) = &stored {
            self.figures.set_last_at(stored.signed_at);
        }
        let stored = stored.map_or(0, |stored| stored.size);
        let out = self.settings.anchor.out.as_deref();
        if self.signed.is_none() && out.is_none_or(Path::exists) {
            self.signed = Some(stored);
        }
        if head.size == 0 || self.signed == Some(head.size) {
            return Ok(None);
        }
        let signed = self.settings.anchor.sign(&mut session).await?;
        self.signed = Some(signed.checkpoint.size);
        if signed.checkpoint.size > stored {
            self.figures.set_last_at(Utc::now());
        }
        Ok(Some(signed))
    }

    /// Logs why nothing was signed: a refusal as an error, the rest as a warning.
    fn tell(&mut self, error: &Error) {
        let is_refusal = matches!(error, Error::Unsigned(anchor::Error::Refused(_)));
        let hint = error.hint().unwrap_or_default();
        // The message says the rest.
        let error = match error {
            Error::Unsigned(error) => error.to_string(),
            error => error.to_string(),
        };
        if !self.told_anew(&error) {
            tracing::debug!(error, "no checkpoint of the log of evidence is signed");
        } else if is_refusal {
            tracing::error!(
                error,
                hint,
                "no checkpoint of the log of evidence is signed; recording goes on"
            );
        } else {
            tracing::warn!(
                error,
                hint,
                "no checkpoint of the log of evidence is signed; trying again"
            );
        }
    }

    /// Whether this reason was not the last one that was logged. How long the log is by now makes
    /// no other reason of it.
    fn told_anew(&mut self, reason: &str) -> bool {
        let reason: String = reason.chars().filter(|letter| !letter.is_ascii_digit()).collect();
        let is_new = self.told.as_ref() != Some(&reason);
        self.told = Some(reason);
        is_new
    }
}
