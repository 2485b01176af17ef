//! What became of replays that were interrupted between intent and outcome.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::error::Error;
use super::replayer::Replayer;
use crate::dead_letter::REPLAY_ID;
use crate::kafka::{DELIVERY_TIMEOUT, blocking, find_by_header};
use crate::store;
use crate::store::{PendingReplay, ReplayResult};

/// How long after its intent a record can still arrive: its sender tries for [`DELIVERY_TIMEOUT`],
/// and what it handed to the network needs a moment to be appended.
const CAN_STILL_ARRIVE: Duration = DELIVERY_TIMEOUT.saturating_add(Duration::from_secs(5));

/// How far before an intent its record is looked for. The record carries the intent's own time; but
/// a topic can be set to replace that by the broker's, whose clock may be behind.
const CLOCKS_DIFFER_BY: Duration = Duration::from_secs(600);

/// What became of interrupted replays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecoveredReplays {
    /// How many had arrived.
    pub arrived: usize,
    /// How many had not, and can be sent again.
    pub missing: usize,
}

impl Replayer {
    /// Finds out what became of pending replays, by looking for their records in the target topics.
    /// Calls `waiting`, with the time to wait, before it waits for records that may still arrive.
    ///
    /// # Errors
    /// `Error::Kafka` where a target can't be read to its end, in which case what is unclear stays
    /// pending; `Error::Store`.
    pub async fn recover_pending(
        &mut self,
        waiting: impl Fn(Duration),
    ) -> Result<RecoveredReplays, Error> {
        let mut recovered = RecoveredReplays::default();
        recovered.arrived += self.look_for_arrived().await?;
        let left = store::pending_replays(&self.session).await?;
        let Some(youngest) = left.iter().map(|replay| replay.age_seconds).reduce(f64::min) else {
            return Ok(recovered);
        };
        let wait = CAN_STILL_ARRIVE.saturating_sub(Duration::from_secs_f64(youngest.max(0.0)));
        if !wait.is_zero() {
            waiting(wait);
            tokio::time::sleep(wait).await;
            recovered.arrived += self.look_for_arrived().await?;
        }
        let left = store::pending_replays(&self.session).await?;
        let results: Vec<ReplayResult> = left
            .iter()
            .map(|replay| ReplayResult {
                replay_id: replay.replay_id,
                result: Err("interrupted before it was sent".to_owned()),
            })
            .collect();
        store::write_replay_results(&mut self.session, &results).await?;
        recovered.missing = results.len();
        Ok(recovered)
    }

    /// Records which pending replays are in their target topics, and returns how many.
    async fn look_for_arrived(&mut self) -> Result<usize, Error> {
        let mut topics: BTreeMap<String, Vec<PendingReplay>> = BTreeMap::new();
        for replay in store::pending_replays(&self.session).await? {
            topics.entry(replay.target_topic.clone()).or_default().push(replay);
        }
        let mut arrived = 0;
        for (topic, replays) in topics {
            let since = replays
                .iter()
                .map(|replay| replay.requested_at.timestamp_millis())
                .min()
                .unwrap_or(0);
            let since = since - CLOCKS_DIFFER_BY.as_millis() as i64;
            let wanted: HashSet<Vec<u8>> = replays.iter().map(header_value).collect();
            let settings = self.kafka.clone();
            let found =
                blocking(move || find_by_header(&settings, &topic, since, REPLAY_ID, &wanted))
                    .await?;
            let results: Vec<ReplayResult> = replays
                .iter()
                .filter_map(|replay| {
                    let position = *found.get(&header_value(replay))?;
                    Some(ReplayResult { replay_id: replay.replay_id, result: Ok(position) })
                })
                .collect();
            store::write_replay_results(&mut self.session, &results).await?;
            arrived += results.len();
        }
        Ok(arrived)
    }
}

fn header_value(replay: &PendingReplay) -> Vec<u8> {
    replay.replay_id.to_string().into_bytes()
}
