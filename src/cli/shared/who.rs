//! Who runs a command.

use crate::host;

/// Who runs the command, as the operating system says: `user@host`. The database's role is recorded
/// beside it.
pub(crate) fn who() -> String {
    let user = host::user().unwrap_or_else(|| "unknown".to_owned());
    match host::name() {
        Some(host) => format!("{user}@{host}"),
        None => user,
    }
}
