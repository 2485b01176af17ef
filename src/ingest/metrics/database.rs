//! What the database knows of itself, asked now and then on a connection of its own.

use std::time::Duration;

use tokio::time::timeout;

use crate::ingest::context::IngestContext;
use crate::ingest::counters::DatabaseFigures;
use crate::store::{self, LeafState, Session};

/// How often it is asked.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long it may take to answer.
const LIMIT: Duration = Duration::from_secs(10);

/// Keeps what the counters know of the database up to date until a stop. What fails is asked again
/// the next time, on another connection.
pub(in crate::ingest) async fn watch(context: IngestContext) {
    let application = format!("audit ingest {} metrics", context.ingester);
    let mut session = None;
    loop {
        let asked = async {
            let session = match session.take() {
                Some(session) => session,
                None => Session::connect(&context.settings.database, &application).await?,
            };
            Ok::<_, store::Error>((read(&session).await?, session))
        };
        match timeout(LIMIT, asked).await {
            Ok(Ok((figures, usable))) => {
                context.counters.set_database(figures);
                session = Some(usable);
            }
            Ok(Err(error)) => tracing::debug!(%error, "asking the database for metrics fails"),
            Err(_) => tracing::debug!("the database did not answer in time for metrics"),
        }
        if context.stop.wait(INTERVAL).await {
            return;
        }
    }
}

async fn read(session: &Session) -> Result<DatabaseFigures, store::Error> {
    let leaves = store::leaves(session).await?;
    // Later than the leaves: one that was made in between only holds later ids.
    let next_id = store::last_recorded_id(session).await?.map_or(1, |id| id + 1);
    let count = |state| leaves.iter().filter(|leaf| leaf.state == state).count();
    let waiting = leaves.iter().filter(|leaf| leaf.state == LeafState::Waiting);
    let current = leaves.iter().find(|leaf| leaf.next_id > next_id);
    Ok(DatabaseFigures {
        light_leaves: count(LeafState::Light),
        waiting_leaves: count(LeafState::Waiting),
        sealed_leaves: count(LeafState::Sealed),
        waiting_since: waiting.filter_map(|leaf| leaf.closed_at).min(),
        ids_left: current.map_or(0, |leaf| leaf.next_id - next_id.max(leaf.first_id)),
        duplicates: store::known_duplicates(session).await?,
    })
}
