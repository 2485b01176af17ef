//! Begins another log, which says what the one before was.

use super::checked_log::origin_of;
use super::error::Error;
use crate::evidence::leaf::RestartLeaf;
use crate::evidence::log_nodes::LogQuestion;
use crate::evidence::note::Origin;
use crate::store;
use crate::store::{HeldLog, LogHead};

/// Why another log is begun, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Restart<'a> {
    /// The last checkpoint of the log before that is known.
    pub last_checkpoint: Option<&'a str>,
    /// Why.
    pub reason: &'a str,
    /// Who, as the operating system says.
    pub restarted_by: &'a str,
}

/// Begins another log behind `old`, which is how the log is while it is held; the installation may
/// have got another id since. Commits, and returns the name of the new log.
///
/// # Errors
/// `Error::Store`.
pub async fn begin_anew(
    held: HeldLog<'_>,
    old: &LogHead,
    restart: Restart<'_>,
) -> Result<Origin, Error> {
    let installation = store::installation_id(&held).await?;
    let (database_role, restarted_at) = held.role_and_time().await?;
    let question = LogQuestion::Root { size: old.size };
    let old_root = match store::log_nodes(&held, old.log_no, question).await {
        Ok(root) => root.and_then(|root| root.first().copied()),
        // There is no root any more.
        Err(store::Error::EvidenceLacks { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let number = old.log_no + 1;
    let leaf = RestartLeaf {
        installation,
        number,
        old_origin: origin_of(old)?.to_string(),
        old_size: old.size.cast_signed(),
        old_root,
        last_checkpoint: restart.last_checkpoint.map(str::to_owned),
        reason: restart.reason.to_owned(),
        restarted_by: restart.restarted_by.to_owned(),
        database_role,
        restarted_at,
    };
    held.begin_anew(&leaf).await?;
    origin_of(&LogHead { installation, log_no: number, size: 1, batch_no: old.batch_no })
}
