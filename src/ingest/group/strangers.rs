//! Looks for members of the consumer group that record into another database.
//!
//! A copy of a whole server, as a snapshot of its disk gives one, has everything that its original
//! has, its identifier included. What gives the two away is that they meet in one consumer group:
//! there is a member that this database does not know.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::ingest::context::IngestContext;
use crate::{kafka, store};

/// How often it is looked. A member counts that is unknown twice in a row: one that has just joined
/// may not be connected to the database yet.
const INTERVAL: Duration = Duration::from_secs(10);

/// After so many looks at the same strangers they are told of again.
const REMINDER: u32 = 30;

/// How the client ids of ingesters begin; the ingester's name follows.
const CLIENT_ID: &str = "audit-ingest-";

/// The client id of an ingester.
pub(in crate::ingest) fn client_id(ingester: &str) -> String {
    format!("{CLIENT_ID}{ingester}")
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
    let known = store::ingester_statuses(&session).await.ok()?;
    Some(strangers(&members, &known.into_iter().map(|ingester| ingester.name).collect()))
}

fn strangers(client_ids: &[String], connected: &BTreeSet<String>) -> BTreeSet<String> {
    let ingesters = client_ids.iter().filter_map(|id| id.strip_prefix(CLIENT_ID));
    ingesters.filter(|name| !connected.contains(*name)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_ingesters_that_the_database_does_not_know() {
        let members = [client_id("db-1:17"), client_id("db-2:18"), "rdkafka".to_owned()];
        let connected = BTreeSet::from(["db-1:17".to_owned(), "db-3:5".to_owned()]);
        assert_eq!(strangers(&members, &connected), BTreeSet::from(["db-2:18".to_owned()]));
        assert_eq!(strangers(&members[..1], &connected), BTreeSet::new());
    }
}
