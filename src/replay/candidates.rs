//! What the plan of a replay is made from: the selected dead letters, and the topics that they
//! could go to.

use std::collections::{BTreeSet, HashMap};

use crate::dead_letter::ReplayCandidate;
use crate::kafka;
use crate::kafka::Cluster;
use crate::store;
use crate::store::{ResolvedSelection, Session};

/// Reads the dead letters that are selected now: plan and replay are about these.
///
/// # Errors
/// `Error::Query`.
pub async fn candidates(
    session: &Session,
    selection: &ResolvedSelection,
) -> Result<Vec<ReplayCandidate>, store::Error> {
    if selection.is_empty() {
        return Ok(Vec::new());
    }
    store::replay_candidates(session, selection).await
}

/// How many partitions each topic has that a candidate could go to. Leaves out topics that do not
/// exist.
///
/// # Errors
/// `kafka::Error`.
pub async fn target_partitions(
    settings: &kafka::Settings,
    candidates: &[ReplayCandidate],
    to: Option<&str>,
) -> Result<HashMap<String, i32>, kafka::Error> {
    let topics: BTreeSet<&str> = match to {
        Some(to) => BTreeSet::from([to]),
        None => {
            candidates.iter().filter_map(|candidate| candidate.origin_topic.as_deref()).collect()
        }
    };
    let topics: Vec<String> = topics.into_iter().map(str::to_owned).collect();
    let settings = settings.clone();
    // Leaves out names that no topic can have: the broker's refusal of one would hide the others.
    kafka::blocking(move || {
        let topics: Vec<String> = topics.into_iter().filter(|topic| is_topic_name(topic)).collect();
        Cluster::new(&settings)?.partitions(&topics)
    })
    .await
}

/// Whether Kafka accepts the name for a topic (org.apache.kafka.common.internals.Topic).
fn is_topic_name(name: &str) -> bool {
    (1..=249).contains(&name.len())
        && name != "."
        && name != ".."
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}
