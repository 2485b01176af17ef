//! `audit status --consumers`: who else reads the recorded topics, and how far.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::cli::shared::{ClusterOffsets, Context, FormatArgs};
use crate::cli::ui::{Exit, Failure};
use crate::event::TopicPartition;
use crate::kafka;
use crate::kafka::{ConsumerGroup, ConsumerGroups, GroupMember};
use crate::output;
use crate::output::{Column, Emphasis, Format};
use crate::store;
use crate::store::PartitionStatus;
use crate::value::Value;

/// How long a broker may take to answer, and one question about the groups.
const BROKER_LIMIT: Duration = Duration::from_secs(5);
const GROUPS_LIMIT: Duration = Duration::from_secs(10);

const COLUMNS: [&str; 11] = [
    "group",
    "is_audit",
    "state",
    "members",
    "topic",
    "partition",
    "client_id",
    "host",
    "committed_offset",
    "end_offset",
    "lag",
];

/// One row for each topic that a group reads.
fn columns_of_tables() -> Vec<Column> {
    vec![
        Column::new("group"),
        Column::new("state").optional(1),
        Column::new("members").optional(3),
        Column::new("topic"),
        Column::new("partitions").optional(4),
        Column::new("readers"),
        Column::new("lag"),
        Column::new("largest_lag").optional(2),
    ]
}

/// A group and a topic that it reads, or did.
struct GroupTopic<'a> {
    group: &'a ConsumerGroup,
    is_audit: bool,
    topic: &'a str,
    partitions: Vec<GroupPartition<'a>>,
}

impl GroupTopic<'_> {
    /// Whether it is the audit's own group, which commits to Kafka now and then only.
    fn is_audit_behind(&self) -> bool {
        self.is_audit && self.partitions.iter().any(|partition| partition.lag() > Some(0))
    }
}

/// A partition, as a group reads it.
struct GroupPartition<'a> {
    number: i32,
    /// Who reads it now.
    member: Option<&'a GroupMember>,
    /// The next offset that the group wants, where it committed one.
    committed: Option<i64>,
    /// The partition's end, as a `read_committed` consumer sees it.
    end: i64,
}

impl GroupPartition<'_> {
    fn lag(&self) -> Option<i64> {
        self.committed.map(|committed| (self.end - committed).max(0))
    }
}

/// What Kafka told.
#[derive(Default)]
struct Answer {
    groups: Vec<ConsumerGroup>,
    ends: BTreeMap<TopicPartition, i64>,
    /// What could not be asked, and why.
    unanswered: Vec<String>,
}

/// Shows every consumer group that committed offsets of the recorded topics, or reads them now.
pub(super) async fn run(args: &FormatArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    let session = context.settings.session("audit status --consumers").await?;
    let recorded = store::partition_statuses(&session).await?;
    let own = match &context.settings.group {
        Some(group) => group.value.clone(),
        None => store::default_group(store::installation_id(&session).await?),
    };
    let progress = context.ui.progress();
    progress.doing("asking Kafka for its consumer groups");
    let answer = ask(&recorded, context).await;
    progress.clear();
    let found = group_topics(&answer, &own);
    let rows = match args.format() {
        Format::Table => found.iter().map(folded).collect(),
        _ => found.iter().flat_map(each_partition).collect::<Vec<_>>(),
    };
    let columns: Vec<Column> = match args.format() {
        Format::Table => columns_of_tables(),
        _ => COLUMNS.map(Column::new).to_vec(),
    };
    let ui = context.ui;
    output::render(args.format(), args.style(ui), &columns, rows, &mut ui.stdout())?;
    if found.is_empty() && answer.unanswered.is_empty() {
        ui.status("no consumer group reads the recorded topics");
    }
    if args.format() == Format::Table && found.iter().any(GroupTopic::is_audit_behind) {
        ui.status("what this audit told Kafka trails what it recorded: see `audit status`");
    }
    for line in &answer.unanswered {
        ui.status(line);
    }
    Ok(if answer.unanswered.is_empty() { Exit::Done } else { Exit::Incomplete })
}

/// Asks Kafka for the ends of the recorded topics, and for all groups.
async fn ask(recorded: &[PartitionStatus], context: &Context<'_>) -> Answer {
    let mut answer = Answer::default();
    let mut topics: BTreeSet<&str> =
        recorded.iter().map(|known| known.partition.topic.as_str()).collect();
    if topics.is_empty() {
        return answer;
    }
    let names = topics.iter().map(|topic| (*topic).to_owned()).collect();
    let cluster = match ClusterOffsets::ask(context.settings, names, BROKER_LIMIT).await {
        Ok(cluster) => cluster,
        Err(reason) => {
            answer.unanswered.push(format!("the consumer groups are unknown: {reason}"));
            return answer;
        }
    };
    // A topic of the same name in another cluster is another topic.
    topics.retain(|topic| {
        let mut homes = recorded.iter().filter(|known| known.partition.topic == *topic);
        let is_here = homes.any(|known| known.cluster_id == cluster.cluster_id);
        let exists = cluster.partitions.keys().any(|found| found.topic == *topic);
        if !is_here {
            answer.unanswered.push(format!(
                "{topic} was recorded from another cluster: its consumer groups are unknown"
            ));
        } else if !exists {
            answer.unanswered.push(format!("Kafka has no topic {topic} now"));
        }
        is_here && exists
    });
    let here = cluster.partitions.iter().filter(|(found, _)| topics.contains(found.topic.as_str()));
    answer.ends = here.map(|(partition, offsets)| (partition.clone(), offsets.end)).collect();
    match groups(context).await {
        Ok(found) => {
            answer.groups = found.groups;
            answer.unanswered.extend(found.unanswered);
        }
        Err(failure) => {
            let line = format!("the consumer groups are unknown: {}", failure.message());
            answer.unanswered.push(line);
        }
    }
    answer
}

async fn groups(context: &Context<'_>) -> Result<ConsumerGroups, Failure> {
    let settings = context.settings.kafka()?;
    Ok(kafka::blocking(move || ConsumerGroups::all(&settings, GROUPS_LIMIT)).await?)
}

/// Each group with each topic that it committed an offset of, or that a member reads.
fn group_topics<'a>(answer: &'a Answer, own: &str) -> Vec<GroupTopic<'a>> {
    let topics: BTreeSet<&str> = answer.ends.keys().map(|found| found.topic.as_str()).collect();
    let mut found = Vec::new();
    for group in &answer.groups {
        for topic in &topics {
            let committed = group.committed.keys().any(|partition| partition.topic == *topic);
            if !committed && group.readers(topic) == 0 {
                continue;
            }
            let partitions = answer.ends.iter().filter(|(partition, _)| partition.topic == *topic);
            let partitions = partitions.map(|(partition, end)| GroupPartition {
                number: partition.partition,
                member: group.members.iter().find(|member| member.partitions.contains(partition)),
                committed: group.committed.get(partition).copied(),
                end: *end,
            });
            let partitions = partitions.collect();
            found.push(GroupTopic { group, is_audit: group.id == own, topic, partitions });
        }
    }
    found
}

fn each_partition<'a>(found: &'a GroupTopic<'a>) -> Vec<(Vec<Value<'a>>, Emphasis)> {
    let GroupTopic { group, is_audit, topic, partitions } = found;
    let row = |partition: &'a GroupPartition<'a>| {
        vec![
            group.id.as_str().into(),
            Value::Boolean(*is_audit),
            group.state.as_str().into(),
            Value::Integer(group.members.len() as i64),
            (*topic).into(),
            partition.number.into(),
            partition.member.map(|member| member.client_id.as_str()).into(),
            partition.member.map(|member| member.host.as_str()).into(),
            partition.committed.into(),
            partition.end.into(),
            partition.lag().into(),
        ]
    };
    partitions.iter().map(|partition| (row(partition), Emphasis::None)).collect()
}

/// One row for all partitions of the topic. The lag is that of the partitions with a committed
/// offset.
fn folded<'a>(found: &GroupTopic<'a>) -> (Vec<Value<'a>>, Emphasis) {
    let GroupTopic { group, is_audit, topic, partitions } = found;
    let lags = || partitions.iter().filter_map(GroupPartition::lag);
    let lag = lags().max().map(|_| lags().sum::<i64>());
    let name = match is_audit {
        true => Value::from(format!("{} (this audit)", group.id)),
        false => Value::from(group.id.as_str()),
    };
    let readers = group.readers(topic);
    let cells = vec![
        name,
        group.state.as_str().into(),
        Value::Integer(group.members.len() as i64),
        (*topic).into(),
        Value::Integer(partitions.len() as i64),
        Value::Integer(readers as i64),
        lag.into(),
        lags().max().into(),
    ];
    let emphasis = match (readers, lag.unwrap_or(0)) {
        (0, 1..) => Emphasis::Alarm,
        (0, _) | (_, 1..) => Emphasis::Notice,
        _ => Emphasis::None,
    };
    (cells, emphasis)
}
