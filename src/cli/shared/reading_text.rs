//! What a search reads, in words: for the progress, where the server can't tell how far it is.

use crate::cli::ui::{Failure, Progress};
use crate::filter::Selection;
use crate::store;
use crate::store::Session;

/// Says on the progress what is done with the selected events, and among how many: `counting
/// 10,000,000 rows`, `counting some of 10,000,000 rows`. `doing` is the beginning of that.
pub(crate) async fn tell_what_is_read(
    progress: &Progress,
    doing: &str,
    selection: &Selection,
    session: &Session,
) -> Result<(), Failure> {
    if progress.is_seen() {
        let rows = indicatif::HumanCount(store::stored_rows(session).await?);
        let some = if *selection == Selection::default() { "" } else { "some of " };
        progress.doing(format!("{doing} {some}{rows} rows"));
    }
    Ok(())
}
