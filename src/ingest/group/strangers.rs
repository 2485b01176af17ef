//! Looks for members of the consumer group that record into another database.
//!
//! A copy of a whole server, as a snapshot of its disk gives one, has everything that its original
//! has, its identifier included. What gives the two away is that they meet in one consumer group: a
//! member there is not connected to this database, and its client id names a server that was
//! started at another time. Whoever comes later refuses.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::ingest::context::IngestContext;
use crate::ingest::error::Error;
use crate::{kafka, store};

/// How long members that look like strangers are watched before this one refuses to join them. A
/// member that was killed stays in the group until its session times out (6 s), and one whose
/// server was started again connects within a few seconds.
const REFUSE_AFTER: Duration = Duration::from_secs(12);

/// How often it is looked later on. A member counts that is unknown twice in a row: one that has
/// just joined may not be connected to the database yet.
const INTERVAL: Duration = Duration::from_secs(10);

/// After so many looks at the same strangers they are told of again.
const REMINDER: u32 = 30;

/// How the client ids of ingesters begin; the ingester's name follows, and behind an `@` when its
/// server was started.
const CLIENT_ID: &str = "audit-ingest-";

/// The client id of an ingester whose server was started at this time.
pub(in crate::ingest) fn client_id(ingester: &str, server_start: &str) -> String {
    format!("{CLIENT_ID}{ingester}@{server_start}")
}

/// Fails where ingesters that record into another database were in the group first.
///
/// # Errors
/// `Error::GroupOfCopy`.
pub(in crate::ingest) async fn refuse_to_join(context: &IngestContext) -> Result<(), Error> {
    let began = Instant::now();
    let mut strangers = look(context).await.unwrap_or_default();
    while !strangers.is_empty() {
        if began.elapsed() > REFUSE_AFTER {
            let members = strangers.into_iter().collect::<Vec<_>>().join(", ");
            return Err(Error::GroupOfCopy { group: context.group.clone(), members });
        }
        if context.stop.wait(Duration::from_millis(500)).await {
            return Ok(());
        }
        let now = look(context).await.unwrap_or_default();
        strangers.retain(|stranger| now.contains(stranger));
    }
    Ok(())
}

/// Logs an error for as long as there are such members. A look that fails is left out.
pub(in crate::ingest) async fn watch(context: IngestContext) {
    let mut before = BTreeSet::new();
    let mut looks = 0;
    while !context.stop.wait(INTERVAL).await {
        let Some(now) = look(&context).await else { continue };
        let strangers: Vec<&str> = now.intersection(&before).map(String::as_str).collect();
        looks = if strangers.is_empty() { 0 } else { looks + 1 };
        if looks % REMINDER == 1 {
            tracing::error!(
                group = context.group,
                members = strangers.join(", "),
                "ingesters of our consumer group are not connected to this database, and take \
                 partitions away from it: is it a copy, or is there one of it? `audit migrate \
                 --adopt-copy new-id` on the copy parts them"
            );
        }
        before = now;
    }
}

/// The ingesters in the group that are not connected to this database.
async fn look(context: &IngestContext) -> Option<BTreeSet<String>> {
    let (cluster, group) = (Arc::clone(&context.cluster), context.group.clone());
    let members = kafka::blocking(move || cluster.group_client_ids(&group)).await.ok()?;
    let session = context.sessions.session().await.ok()?;
    let server_start = store::server_start(&session).await.ok()?;
    let known = store::ingester_statuses(&session).await.ok()?;
    let connected = known.into_iter().map(|ingester| ingester.name).collect();
    Some(strangers(&members, &connected, &server_start))
}

fn strangers(
    client_ids: &[String],
    connected: &BTreeSet<String>,
    server_start: &str,
) -> BTreeSet<String> {
    let ingesters = client_ids.iter().filter_map(|id| id.strip_prefix(CLIENT_ID)?.rsplit_once('@'));
    ingesters
        .filter(|(name, started)| !connected.contains(*name) && *started != server_start)
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_ingesters_that_neither_the_database_nor_its_server_knows() {
        let members = [
            client_id("db-1:17", "100"),
            client_id("db-2:18", "200"),
            client_id("cut-off:19", "100"),
            "rdkafka".to_owned(),
        ];
        let connected = BTreeSet::from(["db-1:17".to_owned(), "db-3:5".to_owned()]);
        let found = |server_start| strangers(&members, &connected, server_start);
        assert_eq!(found("100"), BTreeSet::from(["db-2:18".to_owned()]));
        // After a restart of the server, until the member that was cut off has come back.
        assert_eq!(found("300"), BTreeSet::from(["cut-off:19".to_owned(), "db-2:18".to_owned()]));
    }
}
