//! What a replay would do with each selected dead letter, and why. Pure: what is known of the
//! letters and of the topics is handed in.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use super::{OriginSource, ReplayState};
use crate::event::topic::is_dead_letter_topic;
use crate::time::PostgresMicros;

/// A selected dead letter, as far as the plan needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayCandidate {
    /// `event_logs.id`.
    pub row_id: i64,
    /// When the event happened.
    pub created_at: PostgresMicros,
    /// The topic that it lies in; `None` for a row that no Kafka record stands behind.
    pub topic: Option<String>,
    /// Whether its raw record is in `dead_letters`.
    pub is_stored: bool,
    /// How many bytes key, value and headers take.
    pub byte_size: i64,
    /// The consumer group that gave up on it.
    pub consumer_group: Option<String>,
    /// The class of its error.
    pub error: Option<String>,
    /// The topic that it came from.
    pub origin_topic: Option<String>,
    /// How `origin_topic` is known.
    pub origin_source: OriginSource,
    /// The partition that it came from.
    pub origin_partition: Option<i32>,
    /// How often its event was replayed by now, earlier dead letters of the same chain included.
    pub attempts: i32,
    /// What became of the last replay of this dead letter itself.
    pub previous: PreviousReplay,
}

/// What became of the last replay of a dead letter, failed ones left out: they never reached Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PreviousReplay {
    /// It was never replayed.
    #[default]
    None,
    /// It is not known whether it was sent.
    Pending,
    /// It was sent, and has not come back.
    Sent,
    /// It was sent, and a later event was caused by it.
    Processed,
    /// It came back as another dead letter, which stands for the event from then on.
    Returned,
}

impl PreviousReplay {
    /// What the states of a dead letter's replays come to, whatever their order: one that came back
    /// stands for all others, and one of which nothing is known must be looked for first.
    pub fn of(states: &[ReplayState]) -> Self {
        let reached = states.iter().filter_map(|state| match state {
            ReplayState::Failed => None,
            ReplayState::Sent => Some((0, Self::Sent)),
            ReplayState::Processed => Some((1, Self::Processed)),
            ReplayState::Pending => Some((2, Self::Pending)),
            ReplayState::Returned => Some((3, Self::Returned)),
        });
        reached.max_by_key(|(rank, _)| *rank).map_or(Self::None, |(_, previous)| previous)
    }
}

/// What the user asked for, and what is known of the topics.
#[derive(Debug, Clone, Default)]
pub struct ReplayRules {
    /// The topic to send to in place of the origin.
    pub to: Option<String>,
    /// How often an event may be replayed in all.
    pub max_replays: i32,
    /// Send what was sent before and has not come back.
    pub again: bool,
    /// Send to the partition that the record came from, whatever its key.
    pub same_partition: bool,
    /// How many records at most.
    pub limit: Option<usize>,
    /// How many partitions each possible target has; `None` where Kafka was not asked.
    pub partitions: Option<HashMap<String, i32>>,
}

/// Why a dead letter is not sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// More than `--limit` match.
    BeyondLimit,
    /// It was sent before.
    AlreadySent,
    /// It was sent before, and a later event was caused by it.
    AlreadyProcessed,
    /// It was sent before and came back.
    CameBack,
    /// It is not known whether it was sent.
    Pending,
    /// It was replayed too often.
    Parked {
        /// How often.
        attempts: i32,
    },
    /// There is no raw record to send.
    NotStored,
    /// Neither a header nor the topic's name tells where it came from.
    UnknownOrigin,
    /// What it came from is a topic of dead letters itself.
    DeadLetterOrigin,
    /// It would go to the topic that it lies in.
    SameTopic,
    /// The target does not exist.
    NoSuchTopic,
    /// `--same-partition`, and no header tells the partition.
    UnknownPartition,
    /// `--same-partition`, and the target has no such partition.
    NoSuchPartition(i32),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeyondLimit => {
                formatter.write_str("beyond --limit; the next run goes on with them")
            }
            Self::AlreadySent => formatter.write_str("sent, and has not come back (--again)"),
            Self::AlreadyProcessed => {
                formatter.write_str("processed: a later event names it as its cause (--again)")
            }
            Self::CameBack => {
                formatter.write_str("came back as a later dead letter, which stands for it")
            }
            Self::Pending => {
                formatter.write_str("interrupted; the next replay looks whether it was sent")
            }
            Self::Parked { attempts } => {
                let times =
                    if *attempts == 1 { "once".to_owned() } else { format!("{attempts} times") };
                write!(formatter, "replayed {times} and came back (--max-replays)")
            }
            Self::NotStored => formatter.write_str("the raw record is not stored"),
            Self::UnknownOrigin => {
                formatter.write_str("neither a header nor the topic's name tells the origin (--to)")
            }
            Self::DeadLetterOrigin => {
                formatter.write_str("it came from a topic of dead letters itself (--to)")
            }
            Self::SameTopic => formatter.write_str("it would go to the topic that it lies in"),
            Self::NoSuchTopic => formatter.write_str("the target topic does not exist"),
            Self::UnknownPartition => formatter.write_str("no header tells its partition"),
            Self::NoSuchPartition(partition) => {
                write!(formatter, "the target topic has no partition {partition}")
            }
        }
    }
}

/// The fate of a dead letter in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlannedAction {
    /// It is sent.
    Replay,
    /// It could be sent, but more match than `--limit` allows.
    Later,
    /// It was sent before.
    AlreadyReplayed,
    /// It is not known whether it was sent.
    Pending,
    /// It was replayed too often.
    Parked,
    /// It can't be sent.
    NotReplayable,
}

impl PlannedAction {
    /// Every action, in the order in which a plan shows them.
    pub const ALL: [Self; 6] = [
        Self::Replay,
        Self::Later,
        Self::AlreadyReplayed,
        Self::Pending,
        Self::Parked,
        Self::NotReplayable,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Later => "later",
            Self::AlreadyReplayed => "already replayed",
            Self::Pending => "pending",
            Self::Parked => "parked",
            Self::NotReplayable => "not replayable",
        }
    }
}

impl Obstacle {
    fn action(&self) -> PlannedAction {
        match self {
            Self::BeyondLimit => PlannedAction::Later,
            Self::AlreadySent | Self::AlreadyProcessed | Self::CameBack => {
                PlannedAction::AlreadyReplayed
            }
            Self::Pending => PlannedAction::Pending,
            Self::Parked { .. } => PlannedAction::Parked,
            Self::NotStored
            | Self::UnknownOrigin
            | Self::DeadLetterOrigin
            | Self::SameTopic
            | Self::NoSuchTopic
            | Self::UnknownPartition
            | Self::NoSuchPartition(_) => PlannedAction::NotReplayable,
        }
    }
}

/// One record to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayStep {
    /// The dead letter: `event_logs.id`.
    pub row_id: i64,
    /// How many bytes it takes.
    pub byte_size: i64,
    /// Where it goes.
    pub target: Arc<str>,
    /// The partition that it goes to; `None` where its key decides.
    pub partition: Option<i32>,
    /// How often its event is replayed then.
    pub attempt: i32,
}

/// Dead letters of which the same is true: one row of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanGroup {
    /// What is done with them.
    pub action: PlannedAction,
    /// The topic that they lie in.
    pub from: Option<String>,
    /// The topic that they go to, where one is known.
    pub to: Option<Arc<str>>,
    /// The consumer group that gave up on them.
    pub consumer_group: Option<String>,
    /// The class of their error.
    pub error: Option<String>,
    /// Why they are not sent; or where their target is not known by a header, by what it is known.
    pub why: Option<String>,
    /// How many they are.
    pub records: usize,
    /// When the first of them happened.
    pub oldest: PostgresMicros,
    /// When the last of them happened.
    pub newest: PostgresMicros,
}

/// What a replay does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is sent, in this order.
    pub steps: Vec<ReplayStep>,
    /// Everything that was selected, in groups.
    pub groups: Vec<PlanGroup>,
}

impl Plan {
    /// Plans the replay of the candidates, which are sent in their order.
    pub fn new(candidates: &[ReplayCandidate], rules: &ReplayRules) -> Self {
        let mut steps = Vec::new();
        let mut groups: BTreeMap<_, PlanGroup> = BTreeMap::new();
        let mut targets: HashMap<&str, Arc<str>> = HashMap::new();
        for candidate in candidates {
            let target = target(candidate, rules);
            let to = target.map(|target| {
                Arc::clone(targets.entry(target).or_insert_with(|| Arc::from(target)))
            });
            let decision =
                decide(candidate, target, rules).and_then(|partition| match (&to, rules.limit) {
                    (_, Some(limit)) if steps.len() >= limit => Err(Obstacle::BeyondLimit),
                    (Some(to), _) => Ok((Arc::clone(to), partition)),
                    (None, _) => Err(Obstacle::UnknownOrigin),
                });
            let (action, why) = match decision {
                Ok((target, partition)) => {
                    steps.push(ReplayStep {
                        row_id: candidate.row_id,
                        byte_size: candidate.byte_size,
                        target,
                        partition,
                        attempt: candidate.attempts.saturating_add(1),
                    });
                    (PlannedAction::Replay, target_known_by(candidate, rules))
                }
                Err(obstacle) => (obstacle.action(), Some(obstacle.to_string())),
            };
            let created_at = candidate.created_at;
            let key = (
                action,
                candidate.topic.as_deref(),
                to.clone(),
                candidate.consumer_group.as_deref(),
                candidate.error.as_deref(),
                why.clone(),
            );
            let group = groups.entry(key).or_insert_with(|| PlanGroup {
                action,
                from: candidate.topic.clone(),
                to,
                consumer_group: candidate.consumer_group.clone(),
                error: candidate.error.clone(),
                why,
                records: 0,
                oldest: created_at,
                newest: created_at,
            });
            group.records += 1;
            group.oldest = group.oldest.min(created_at);
            group.newest = group.newest.max(created_at);
        }
        Self { steps, groups: groups.into_values().collect() }
    }

    /// When the first and the last of the events happened that are sent.
    pub fn range(&self) -> Option<(PostgresMicros, PostgresMicros)> {
        let sent = || self.groups.iter().filter(|group| group.action == PlannedAction::Replay);
        Some((sent().map(|group| group.oldest).min()?, sent().map(|group| group.newest).max()?))
    }

    /// How many records have this action.
    pub fn count(&self, action: PlannedAction) -> usize {
        self.groups.iter().filter(|group| group.action == action).map(|group| group.records).sum()
    }
}

/// The target: what the user says, else what the headers say, else what the name of the topic
/// suggests.
fn target<'a>(candidate: &'a ReplayCandidate, rules: &'a ReplayRules) -> Option<&'a str> {
    rules.to.as_deref().or(candidate.origin_topic.as_deref())
}

fn target_known_by(candidate: &ReplayCandidate, rules: &ReplayRules) -> Option<String> {
    match (&rules.to, candidate.origin_source) {
        (Some(_), _) => Some("--to".to_owned()),
        (None, OriginSource::Suffix) => Some("origin known by the topic's name alone".to_owned()),
        (None, _) => None,
    }
}

/// Whether a dead letter can be sent to `target`, and to which partition; `None` where its key
/// decides.
fn decide(
    candidate: &ReplayCandidate,
    target: Option<&str>,
    rules: &ReplayRules,
) -> Result<Option<i32>, Obstacle> {
    match candidate.previous {
        PreviousReplay::Pending => return Err(Obstacle::Pending),
        PreviousReplay::Returned => return Err(Obstacle::CameBack),
        PreviousReplay::Sent if !rules.again => return Err(Obstacle::AlreadySent),
        PreviousReplay::Processed if !rules.again => return Err(Obstacle::AlreadyProcessed),
        PreviousReplay::Sent | PreviousReplay::Processed | PreviousReplay::None => {}
    }
    if !candidate.is_stored {
        return Err(Obstacle::NotStored);
    }
    let target = target.ok_or(Obstacle::UnknownOrigin)?;
    if candidate.topic.as_deref() == Some(target) {
        return Err(Obstacle::SameTopic);
    }
    if rules.to.is_none() && is_dead_letter_topic(target) {
        return Err(Obstacle::DeadLetterOrigin);
    }
    if candidate.attempts >= rules.max_replays {
        return Err(Obstacle::Parked { attempts: candidate.attempts });
    }
    let partitions = match &rules.partitions {
        None => None,
        Some(partitions) => Some(*partitions.get(target).ok_or(Obstacle::NoSuchTopic)?),
    };
    if !rules.same_partition {
        return Ok(None);
    }
    let partition = candidate.origin_partition.ok_or(Obstacle::UnknownPartition)?;
    if partitions.is_some_and(|count| partition >= count) {
        return Err(Obstacle::NoSuchPartition(partition));
    }
    Ok(Some(partition))
}

#[cfg(test)]
mod tests;
