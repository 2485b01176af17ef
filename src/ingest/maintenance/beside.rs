//! Work that goes on beside the recording, and begins anew after whatever fails.

use std::convert::Infallible;
use std::time::Duration;

use crate::ingest::counters::Counters;
use crate::store::{self, Session, Settings};

/// How long it waits after a failure.
const PAUSE: Duration = Duration::from_secs(10);

/// Works for ever, on a session of its own. What fails is tried again later: readers can do without
/// it.
pub(super) async fn keep_on(
    settings: &Settings,
    application: String,
    counters: &Counters,
    work: impl AsyncFn(&Session, &Counters) -> Result<Infallible, store::Error>,
) -> Infallible {
    let mut is_told = false;
    loop {
        let failed = async {
            // Whether the schema fits was asked once, by whoever began this.
            let session = Session::connect(settings, &application).await?;
            work(&session, counters).await
        };
        let Err(error) = failed.await;
        if is_told || error.is_transient() {
            tracing::debug!(%error, application, "maintaining the database fails; trying again");
        } else {
            let hint = error.hint().unwrap_or_default();
            tracing::info!(%error, hint, application, "maintaining the database fails; trying again");
            is_told = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
