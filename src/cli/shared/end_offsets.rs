//! Where Kafka's partitions end now, for the commands that compare that with the record.

use std::collections::HashMap;
use std::time::Duration;

use chrono::Utc;
use tokio_postgres::Client;

use crate::cli::settings::connection_args::ConnectionArgs;
use crate::kafka::{self, Cluster, Offsets};
use crate::store;

/// The cluster's id, and where its partitions begin and end, by topic and number.
pub(crate) type Ends = (String, HashMap<(String, i32), Offsets>);

/// How long the first record waits that is not recorded yet, in seconds, for each of the partitions
/// (topic, number, next offset). The inner error says why Kafka could not be asked.
pub(crate) async fn seconds_waiting(
    connection: &ConnectionArgs,
    offsets: Vec<(String, i32, i64)>,
    limit: Duration,
) -> Result<HashMap<(String, i32), i64>, String> {
    if offsets.is_empty() {
        return Ok(HashMap::new());
    }
    let settings = connection.kafka().map_err(|failure| failure.message().to_owned())?;
    let asked =
        tokio::task::spawn_blocking(move || kafka::first_timestamps(&settings, &offsets, limit));
    let first =
        asked.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let now_ms = Utc::now().timestamp_millis();
    Ok(first.into_iter().map(|(key, time_ms)| (key, (now_ms - time_ms).max(0) / 1000)).collect())
}

/// Asks Kafka for the topics that the database knows, and for `more`, and waits up to `limit` for a
/// broker. The inner error says why Kafka could not be asked.
///
/// # Errors
/// Those of the database.
pub(crate) async fn ends(
    connection: &ConnectionArgs,
    client: &Client,
    more: &[String],
    limit: Duration,
) -> Result<Result<Ends, String>, store::Error> {
    let settings = match connection.kafka() {
        Ok(settings) => settings,
        Err(failure) => return Ok(Err(failure.message().to_owned())),
    };
    let mut topics = store::known_topics(client).await?;
    topics.extend(more.iter().cloned());
    topics.sort_unstable();
    topics.dedup();
    let asked = tokio::task::spawn_blocking(move || -> Result<Ends, kafka::Error> {
        let cluster = Cluster::new(&settings)?;
        let id = cluster.id(limit)?;
        let all = cluster.all_offsets(&topics)?;
        Ok((
            id,
            all.into_iter()
                .map(|(topic, partition, offsets)| ((topic, partition), offsets))
                .collect(),
        ))
    });
    Ok(match asked.await {
        Ok(Ok(ends)) => Ok(ends),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    })
}
