//! Where a dead letter came from and why it died, out of the headers that its producer left; and
//! the hygiene of headers for a replay. Pure.
//!
//! Six families of headers are read (`families`): Spring Kafka's dead-letter recoverer and retry
//! topics, Spring Cloud Stream, Kafka Connect, Kafka Streams (KIP-1034) and `SmallRye`. A record
//! may have died more than once: the origin is that of the first hop, the error that of the last.
//! Values that are truncated or absurd give nothing here, and names that are too long for an index
//! are cut; the raw headers are stored beside ([`headers_json`]), so that nothing is lost.

mod families;
mod headers;
mod integers;
mod plan;
mod replay_headers;
mod replay_state;
mod texts;

use std::borrow::Cow;

use crate::event::{Record, topic};
use families::Names;
use texts::{MAX_NAME_BYTES, MAX_TOPIC_BYTES, cut, text, word};

pub use families::{Family, is_error_header};
pub use headers::{HeadersError, OwnedHeader, headers_from_json, headers_json};
pub use plan::{
    Obstacle, Plan, PlanGroup, PlannedAction, PreviousReplay, ReplayCandidate, ReplayRules,
    ReplayStep,
};
pub use replay_headers::{REPLAY_ATTEMPT, REPLAY_ID, ReplayMark, replay_headers};
pub use replay_state::{ReplayState, UnknownReplayState};

/// Where the origin of a dead letter is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OriginSource {
    /// A header says it.
    Header,
    /// Only the ending of the topic's name suggests it, which proves nothing.
    Suffix,
    /// It is not known.
    #[default]
    Unknown,
}

impl OriginSource {
    /// The value of `dead_letters.origin_source`.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Header => Some("header"),
            Self::Suffix => Some("suffix"),
            Self::Unknown => None,
        }
    }

    /// What a value of `dead_letters.origin_source` means.
    pub fn from_column(text: Option<&str>) -> Self {
        match text {
            Some("header") => Self::Header,
            Some("suffix") => Self::Suffix,
            _ => Self::Unknown,
        }
    }
}

/// What the headers of a dead letter say. Texts hold no NUL, so that PostgreSQL can store them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeadLetter<'a> {
    /// The topic it was first read from.
    pub origin_topic: Option<Cow<'a, str>>,
    /// Where `origin_topic` is known from.
    pub origin_source: OriginSource,
    /// The partition of that topic.
    pub origin_partition: Option<i32>,
    /// The offset in that partition.
    pub origin_offset: Option<i64>,
    /// The original record's timestamp, in milliseconds since the Unix epoch.
    pub origin_timestamp_ms: Option<i64>,
    /// The consumer group that gave up last. Of Kafka Connect, the group that it makes of the
    /// connector's name.
    pub consumer_group: Option<Cow<'a, str>>,
    /// The class of the last error; of Spring's wrapper, the class of its cause.
    pub exception_class: Option<Cow<'a, str>>,
    /// The message of the last error.
    pub exception_message: Option<Cow<'a, str>>,
    /// The stack trace of the last error.
    pub stack_trace: Option<Cow<'a, str>>,
    /// How often it was tried, where its producer counts that.
    pub attempts: Option<i32>,
    /// The family of headers that describes the last error, else the origin.
    pub family: Option<Family>,
}

/// Reads origin and error out of a dead letter's headers; the topic's name where they do not tell
/// the origin.
pub fn origin<'a>(record: &Record<'a>) -> DeadLetter<'a> {
    let mut letter = DeadLetter::default();
    let first = families::first_hop(record);
    if let Some(names) = first {
        read_origin(&mut letter, record, names);
    }
    let last = families::last_hop(record);
    if let Some(names) = last {
        read_error(&mut letter, record, names);
    }
    // Spring writes the number of the attempt to come, also where none comes any more.
    letter.attempts = record
        .last_header("retry_topic-attempts")
        .and_then(integers::attempts)
        .and_then(|next| next.checked_sub(1))
        .filter(|attempts| *attempts >= 0);
    letter.family = last.or(first).map(|names| names.family);
    if letter.origin_topic.is_none() {
        // `orders-retry-0-dlt` names a retry topic, not the one that the record came from.
        let stem = topic::dead_letter_stem(record.topic)
            .filter(|stem| !stem.is_empty() && !is_retry_topic(stem));
        if let Some(stem) = stem {
            letter.origin_topic = Some(Cow::Borrowed(stem));
            letter.origin_source = OriginSource::Suffix;
        }
    }
    letter
}

fn read_origin<'a>(letter: &mut DeadLetter<'a>, record: &Record<'a>, names: &Names) {
    // All parts are taken from the same hop: parts of two hops would name a record that never was.
    letter.origin_topic =
        names.first(record, names.topic).map(word).filter(|topic| !topic.is_empty());
    letter.origin_topic = letter.origin_topic.take().map(|topic| cut(topic, MAX_TOPIC_BYTES));
    if letter.origin_topic.is_some() {
        letter.origin_source = OriginSource::Header;
    }
    let integer = |name| names.first(record, name);
    letter.origin_partition =
        integer(names.partition).and_then(|bytes| integers::partition(bytes, names.integers));
    letter.origin_offset =
        integer(names.offset).and_then(|bytes| integers::offset(bytes, names.integers));
    letter.origin_timestamp_ms =
        integer(names.timestamp).and_then(|bytes| integers::timestamp(bytes, names.integers));
    if letter.origin_timestamp_ms.is_none() && names.family == Family::SpringRetry {
        letter.origin_timestamp_ms = names
            .first(record, "retry_topic-original-timestamp")
            .and_then(integers::variable_length_timestamp);
    }
}

fn read_error<'a>(letter: &mut DeadLetter<'a>, record: &Record<'a>, names: &Names) {
    let last = |name| names.last(record, name).map(text);
    let class = names.exception_class(record).map(word);
    letter.exception_class = class.map(|class| cut(class, MAX_NAME_BYTES));
    letter.exception_message = last(names.message);
    letter.stack_trace = last(names.stack_trace);
    let group = names.last(record, names.consumer_group).map(word);
    let group = match names.family {
        Family::Connect => group.map(|connector| Cow::Owned(format!("connect-{connector}"))),
        // Spring's retry topics have names of their own for all but the group.
        Family::SpringRetry => {
            group.or_else(|| names.last(record, "kafka_dlt-original-consumer-group").map(word))
        }
        Family::SpringCloudStream => group_of_topic(record, names).map(Cow::Borrowed),
        _ => group,
    };
    letter.consumer_group = group.map(|group| cut(group, MAX_NAME_BYTES));
}

/// The group in `error.{destination}.{group}`, which Spring Cloud Stream writes into no header.
/// Both may hold dots: the header that names the destination tells where the group begins.
fn group_of_topic<'a>(record: &Record<'a>, names: &Names) -> Option<&'a str> {
    let destination = word(names.last(record, names.topic)?);
    let group = record.topic.strip_prefix("error.")?.strip_prefix(&*destination)?;
    let group = group.strip_prefix('.')?;
    (!group.is_empty()).then_some(group)
}

fn is_retry_topic(name: &str) -> bool {
    let name = name.trim_end_matches(|character: char| character.is_ascii_digit());
    let name = name.strip_suffix('-').unwrap_or(name);
    name.len() >= 6
        && name.get(name.len() - 6..).is_some_and(|ending| ending.eq_ignore_ascii_case("-retry"))
}

/// What stands before the name of a class: `java.net.`, `Outer$`, `bank::`.
pub const CLASS_SEPARATORS: [char; 3] = ['.', '$', ':'];

/// An exception's class without its package: `SocketTimeoutException` of
/// `java.net.SocketTimeoutException`.
pub fn short_class(class: &str) -> &str {
    class.rsplit(CLASS_SEPARATORS).next().filter(|name| !name.is_empty()).unwrap_or(class)
}

/// What is said of a dead letter whose headers tell no error.
pub const UNKNOWN_ERROR: &str = "dead letter of an unknown error";

/// An error in a line: `SocketTimeoutException: Read timed out (payment-service)`, with the
/// consumer group that gave up.
pub fn error_line(
    class: Option<&str>,
    message: Option<&str>,
    consumer_group: Option<&str>,
) -> String {
    let told = |text: &&str| !text.is_empty();
    let error = [class.map(short_class), message].into_iter().flatten().filter(told);
    let group = consumer_group.filter(told).map(|group| format!("({group})"));
    let error = Some(error.collect::<Vec<_>>().join(": ")).filter(|error| !error.is_empty());
    [error, group].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
