//! `--until-end`: finds out where the partitions end at the start, and when everything up to there
//! is recorded.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::context::IngestContext;
use super::error::Error;
use super::mutex::lock_mutex;
use crate::count_text::counted;
use crate::event::TopicPartition;
use crate::kafka::Cluster;
use crate::ledger::{Comparison, KafkaPartition, RecordedPartition, compare};
use crate::store::TopicIdPartition;
use crate::{kafka, store};

/// How often the progress is checked besides after each batch of this process: another member of
/// the group may record the last one.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);
/// How often a partition that ends early is asked for its end again, once a second: a new leader
/// may not know it yet.
const END_RETRIES: usize = 5;
/// How long a member of the group has for beginning a new incarnation of a topic that was made
/// again. This process says at once that it refuses to, another one does not.
const INCARNATION_LIMIT: Duration = Duration::from_secs(30);

/// How often Kafka is asked whether the topics are still there.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

type Progress = HashMap<TopicPartition, RecordedPartition>;

/// What has to be recorded of a partition: this incarnation up to this offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Target {
    incarnation: i32,
    end: i64,
}

/// How far a target is reached.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Recorded,
    Waiting,
    /// No member of the group has begun the incarnation that Kafka has.
    NotBegun,
    /// The topic was made again while it was read.
    MadeAgain,
}

impl Target {
    fn new(recorded: Option<&RecordedPartition>, found: &KafkaPartition) -> Self {
        let incarnation = match recorded {
            None => 1,
            Some(recorded) if compare(recorded, found).is_same_incarnation() => {
                recorded.incarnation
            }
            Some(recorded) => recorded.incarnation + 1,
        };
        Self { incarnation, end: found.end }
    }

    fn standing(self, recorded: Option<&RecordedPartition>) -> Standing {
        let Some(recorded) = recorded else {
            return if self.end == 0 { Standing::Recorded } else { Standing::Waiting };
        };
        match recorded.incarnation.cmp(&self.incarnation) {
            Ordering::Less => Standing::NotBegun,
            Ordering::Greater => Standing::MadeAgain,
            Ordering::Equal if recorded.next_offset >= self.end => Standing::Recorded,
            Ordering::Equal => Standing::Waiting,
        }
    }
}

/// What has to be recorded, and what can't be.
pub(super) struct Targets {
    found_at: Instant,
    open: BTreeMap<TopicPartition, Target>,
    /// Why partitions can't be read to their end.
    unread: Vec<String>,
    /// When Kafka was asked for the topics, and which of them were missing then.
    looked_at: Instant,
    missing: HashSet<String>,
}

impl Targets {
    /// The ends of all partitions now. Only topics of dead letters may be missing.
    pub(super) async fn find(context: &IngestContext) -> Result<Self, Error> {
        let mut retries = 0;
        loop {
            // The record first: of one incarnation it is never ahead of an end that is asked for
            // later.
            let recorded = progress(context).await?;
            let (cluster, settings) = (Arc::clone(&context.cluster), Arc::clone(&context.settings));
            let (high_watermarks, found) = kafka::blocking(move || {
                let high_watermarks = Cluster::high_watermarks(&settings.kafka, &settings.topics)?;
                Ok((high_watermarks, cluster.all_offsets(&settings.topics)?))
            })
            .await?;
            let ends_early = found.iter().any(|(partition, found)| {
                let recorded = recorded.get(partition);
                recorded.is_some_and(|recorded| {
                    matches!(compare(recorded, found), Comparison::EndsEarly { .. })
                })
            });
            if ends_early && retries < END_RETRIES {
                retries += 1;
                context.stop.wait(Duration::from_secs(1)).await;
                continue;
            }
            for topic in &context.settings.topics {
                let exists = found.keys().any(|found| found.topic == *topic);
                if !exists && !context.settings.decoder.is_dead_letter_topic(topic) {
                    return Err(Error::NoTopic(topic.clone()));
                }
            }
            register(context, &found).await?;
            for (partition, found) in &found {
                let waiting = high_watermarks.get(partition).map_or(0, |high| high - found.end);
                if waiting > 0 {
                    tracing::warn!(
                        "{partition}: an open transaction began at offset {}; what lies behind it \
                         ({}) is not waited for",
                        found.end,
                        counted(waiting, "offset")
                    );
                }
            }
            let target = |(partition, found): (TopicPartition, KafkaPartition)| {
                let target = Target::new(recorded.get(&partition), &found);
                (partition, target)
            };
            return Ok(Self {
                found_at: Instant::now(),
                open: found.into_iter().map(target).collect(),
                unread: Vec::new(),
                looked_at: Instant::now(),
                missing: HashSet::new(),
            });
        }
    }

    /// Waits until every target is recorded, whichever member of the group did it, or can't be.
    /// Requests a stop then. Ends at a stop, too.
    pub(super) async fn watch(mut self, context: &IngestContext) -> Result<Self, Error> {
        while !context.stop.is_requested() {
            let committed = context.recorded.notified();
            match self.check(context).await {
                Ok(()) if self.open.is_empty() => context.stop.request(),
                Ok(()) => {}
                Err(error) if error.is_transient() => {
                    tracing::debug!(%error, "can't read how far the partitions are; trying again");
                }
                Err(error) => {
                    context.stop.request();
                    return Err(error.into());
                }
            }
            tokio::select! {
                () = committed => {}
                _ = context.stop.wait(CHECK_INTERVAL) => {}
            }
        }
        Ok(self)
    }

    /// Tells, after everything that was read is committed, whether it is all that was wanted.
    pub(super) async fn finish(mut self, context: &IngestContext) -> Result<(), Error> {
        if !self.open.is_empty() {
            self.check(context).await?;
        }
        if !self.unread.is_empty() {
            return Err(Error::NotReadToEnd(self.unread));
        }
        match self.open.len() {
            0 => Ok(()),
            partitions => Err(Error::StoppedBeforeEnd { partitions }),
        }
    }

    /// Moves the targets that are recorded, or can't be, out of the open ones.
    async fn check(&mut self, context: &IngestContext) -> Result<(), store::Error> {
        let recorded = read_progress(context).await?;
        let deleted = self.deleted_topics(context).await;
        let refused = lock_mutex(&context.refused);
        let is_late = self.found_at.elapsed() > INCARNATION_LIMIT;
        self.open.retain(|partition, target| {
            let topic = &partition.topic;
            let unread = match (target.standing(recorded.get(partition)), refused.get(partition)) {
                (Standing::Recorded, _) => return false,
                (Standing::MadeAgain, _) => {
                    format!("{partition}: the topic was made again while it was read")
                }
                (_, Some(reason)) => reason.clone(),
                _ if deleted.contains(topic) => {
                    format!("{partition}: the topic was deleted while it was read")
                }
                (Standing::NotBegun, None) if is_late => format!(
                    "{partition} is not read: the topic was made again, and the ingester that has \
                     it runs without --accept-recreated {topic}"
                ),
                (Standing::NotBegun | Standing::Waiting, None) => return true,
            };
            self.unread.push(unread);
            false
        });
        Ok(())
    }
}

impl Targets {
    /// The topics that Kafka did not have twice in a row, some seconds apart. A broker that does
    /// not answer says nothing of them.
    async fn deleted_topics(&mut self, context: &IngestContext) -> HashSet<String> {
        if self.looked_at.elapsed() < LOOK_INTERVAL {
            return HashSet::new();
        }
        self.looked_at = Instant::now();
        let topics: HashSet<String> =
            self.open.keys().map(|partition| partition.topic.clone()).collect();
        let (cluster, asked) = (Arc::clone(&context.cluster), Vec::from_iter(topics.clone()));
        let Ok(found) = kafka::blocking(move || cluster.partitions(&asked)).await else {
            return HashSet::new();
        };
        let missing: HashSet<String> =
            topics.into_iter().filter(|topic| !found.contains_key(topic)).collect();
        let before = std::mem::replace(&mut self.missing, missing);
        self.missing.intersection(&before).cloned().collect()
    }
}

/// Makes the partitions known to the ledger, those too that hold nothing yet and of which the run
/// may end before it gets them: whoever verifies the record asks Kafka for those that it knows.
async fn register(
    context: &IngestContext,
    found: &BTreeMap<TopicPartition, KafkaPartition>,
) -> Result<(), store::Error> {
    let partitions: Vec<TopicIdPartition> = found
        .iter()
        .map(|(name, found)| TopicIdPartition { name: name.clone(), topic_id: found.topic_id })
        .collect();
    let mut is_told = false;
    while !context.stop.is_requested() {
        let registered = async {
            let session = context.sessions.session().await?;
            store::register_partitions(&session, &context.cluster_id, &partitions).await
        };
        match registered.await {
            Err(error) if error.is_transient() => {
                if !is_told {
                    tracing::warn!(%error, "can't enter the partitions now; trying again until it works");
                    is_told = true;
                }
                context.stop.wait(CHECK_INTERVAL).await;
            }
            registered => return registered,
        }
    }
    Ok(())
}

/// How far the partitions are recorded. Waits for a database that is away.
async fn progress(context: &IngestContext) -> Result<Progress, store::Error> {
    loop {
        match read_progress(context).await {
            Err(error) if error.is_transient() && !context.stop.is_requested() => {
                tracing::debug!(%error, "can't read how far the partitions are; trying again");
                context.stop.wait(CHECK_INTERVAL).await;
            }
            read => return read,
        }
    }
}

async fn read_progress(context: &IngestContext) -> Result<Progress, store::Error> {
    let session = context.sessions.session().await?;
    let topics = &context.settings.topics;
    let progress = store::partition_progress(&session, &context.cluster_id, topics).await?;
    Ok(progress.into_iter().map(|found| (found.partition, found.recorded)).collect())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const OLD: Option<Uuid> = Some(Uuid::from_u128(1));
    const NEW: Option<Uuid> = Some(Uuid::from_u128(2));

    fn recorded(topic_id: Option<Uuid>, incarnation: i32, next_offset: i64) -> RecordedPartition {
        RecordedPartition { topic_id, incarnation, next_offset }
    }

    fn target(recorded: Option<&RecordedPartition>, topic_id: Option<Uuid>, end: i64) -> Target {
        Target::new(recorded, &KafkaPartition { topic_id, low: 0, end })
    }

    #[test]
    fn more_that_was_recorded_of_another_incarnation_reaches_no_target() {
        let before = recorded(OLD, 1, 100);
        for found in [NEW, None] {
            let target = target(Some(&before), found, 7);
            assert_eq!(target, Target { incarnation: 2, end: 7 });
            assert_eq!(target.standing(Some(&before)), Standing::NotBegun);
            assert_eq!(target.standing(Some(&recorded(found, 2, 6))), Standing::Waiting);
            assert_eq!(target.standing(Some(&recorded(found, 2, 7))), Standing::Recorded);
        }
    }

    #[test]
    fn a_target_is_reached_by_its_own_incarnation_alone() {
        let before = recorded(OLD, 1, 5);
        let target = target(Some(&before), OLD, 7);
        assert_eq!(target.standing(Some(&before)), Standing::Waiting);
        assert_eq!(target.standing(Some(&recorded(OLD, 1, 9))), Standing::Recorded);
        assert_eq!(target.standing(Some(&recorded(NEW, 2, 9))), Standing::MadeAgain);
    }

    #[test]
    fn a_partition_that_nobody_claimed_is_done_only_where_it_is_empty() {
        assert_eq!(target(None, NEW, 0).standing(None), Standing::Recorded);
        assert_eq!(target(None, NEW, 1).standing(None), Standing::Waiting);
        assert_eq!(target(None, NEW, 1).standing(Some(&recorded(NEW, 1, 1))), Standing::Recorded);
    }
}
