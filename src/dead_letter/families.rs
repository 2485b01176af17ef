//! The families of error headers: their names, how they write integers, and which hop of several
//! they describe.
//!
//! Sources: Spring Kafka's `KafkaHeaders`, `DeadLetterPublishingRecoverer` and `RetryTopicHeaders`;
//! Kafka Connect's `DeadLetterQueueReporter` (KIP-298); Kafka Streams' `ExceptionHandlerUtils`
//! (KIP-1034); `SmallRye`'s `KafkaDeadLetterQueue`; Spring Cloud Stream's
//! `KafkaMessageChannelBinder`.

use std::fmt;

use super::integers::Integers;
use crate::event::{Header, Record};

/// Who wrote the error headers of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Spring Kafka's `DeadLetterPublishingRecoverer`.
    Spring,
    /// Spring Kafka's retry topics.
    SpringRetry,
    /// The Kafka binder of Spring Cloud Stream.
    SpringCloudStream,
    /// Kafka Connect.
    Connect,
    /// Kafka Streams.
    Streams,
    /// `SmallRye` Reactive Messaging (Quarkus).
    SmallRye,
}

impl fmt::Display for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Spring => "Spring Kafka",
            Self::SpringRetry => "Spring Kafka retry topics",
            Self::SpringCloudStream => "Spring Cloud Stream",
            Self::Connect => "Kafka Connect",
            Self::Streams => "Kafka Streams",
            Self::SmallRye => "SmallRye",
        })
    }
}

/// The names of one family's headers; an empty name stands for one that the family does not have.
pub(super) struct Names {
    pub(super) family: Family,
    pub(super) integers: Integers,
    pub(super) topic: &'static str,
    pub(super) partition: &'static str,
    pub(super) offset: &'static str,
    pub(super) timestamp: &'static str,
    pub(super) consumer_group: &'static str,
    pub(super) class: &'static str,
    pub(super) cause_class: &'static str,
    pub(super) message: &'static str,
    pub(super) stack_trace: &'static str,
}

const FAMILIES: [Names; 6] = [
    Names {
        family: Family::Spring,
        integers: Integers::Binary,
        topic: "kafka_dlt-original-topic",
        partition: "kafka_dlt-original-partition",
        offset: "kafka_dlt-original-offset",
        timestamp: "kafka_dlt-original-timestamp",
        consumer_group: "kafka_dlt-original-consumer-group",
        class: "kafka_dlt-exception-fqcn",
        cause_class: "kafka_dlt-exception-cause-fqcn",
        message: "kafka_dlt-exception-message",
        stack_trace: "kafka_dlt-exception-stacktrace",
    },
    Names {
        family: Family::SpringRetry,
        integers: Integers::Binary,
        topic: "kafka_original-topic",
        partition: "kafka_original-partition",
        offset: "kafka_original-offset",
        timestamp: "kafka_original-timestamp",
        consumer_group: "kafka_original-consumer-group",
        class: "kafka_exception-fqcn",
        cause_class: "kafka_exception-cause-fqcn",
        message: "kafka_exception-message",
        stack_trace: "kafka_exception-stacktrace",
    },
    Names {
        family: Family::SpringCloudStream,
        integers: Integers::Binary,
        topic: "x-original-topic",
        partition: "x-original-partition",
        offset: "x-original-offset",
        timestamp: "x-original-timestamp",
        consumer_group: "",
        class: "x-exception-fqcn",
        cause_class: "",
        message: "x-exception-message",
        stack_trace: "x-exception-stacktrace",
    },
    Names {
        family: Family::Connect,
        integers: Integers::Text,
        topic: "__connect.errors.topic",
        partition: "__connect.errors.partition",
        offset: "__connect.errors.offset",
        timestamp: "",
        consumer_group: "__connect.errors.connector.name",
        class: "__connect.errors.exception.class.name",
        cause_class: "",
        message: "__connect.errors.exception.message",
        stack_trace: "__connect.errors.exception.stacktrace",
    },
    Names {
        family: Family::Streams,
        integers: Integers::Text,
        topic: "__streams.errors.topic",
        partition: "__streams.errors.partition",
        offset: "__streams.errors.offset",
        timestamp: "",
        consumer_group: "",
        class: "__streams.errors.exception",
        cause_class: "",
        message: "__streams.errors.message",
        stack_trace: "__streams.errors.stacktrace",
    },
    Names {
        family: Family::SmallRye,
        integers: Integers::Text,
        topic: "dead-letter-topic",
        partition: "dead-letter-partition",
        offset: "dead-letter-offset",
        timestamp: "",
        consumer_group: "",
        class: "dead-letter-exception-class-name",
        cause_class: "dead-letter-cause-class-name",
        message: "dead-letter-reason",
        stack_trace: "",
    },
];

/// Beginnings of header names that no replay may carry: the families above, and what Spring keeps
/// for its retries and deserialisers.
const ERROR_PREFIXES: [&str; 8] = [
    "kafka_dlt-",
    "kafka_original-",
    "kafka_exception-",
    "kafka_key-exception-",
    "retry_topic-",
    "springDeserializerException",
    "__connect.errors.",
    "__streams.errors.",
];

/// The names of `SmallRye` and of Spring Cloud Stream have no beginning of their own: others have
/// headers that begin alike, as proxies do with `x-original-uri`.
const ERROR_NAMES: [&str; 15] = [
    "dead-letter-exception-class-name",
    "dead-letter-cause-class-name",
    "dead-letter-reason",
    "dead-letter-cause",
    "dead-letter-topic",
    "dead-letter-partition",
    "dead-letter-offset",
    "x-original-topic",
    "x-original-partition",
    "x-original-offset",
    "x-original-timestamp",
    "x-original-timestamp-type",
    "x-exception-fqcn",
    "x-exception-message",
    "x-exception-stacktrace",
];

/// The class around every error of a Spring listener, which says nothing.
const SPRING_WRAPPER: &[u8] =
    b"org.springframework.kafka.listener.ListenerExecutionFailedException";

/// Whether a header describes an error or a retry, so that a replay leaves it out.
pub fn is_error_header(name: &[u8]) -> bool {
    ERROR_PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        || ERROR_NAMES.iter().any(|known| name == known.as_bytes())
}

/// The family whose origin stands first in the record.
pub(super) fn first_hop(record: &Record<'_>) -> Option<&'static Names> {
    let of_header = |name: &[u8]| {
        FAMILIES.iter().find(|names| {
            [names.topic, names.partition, names.offset]
                .iter()
                .any(|known| name == known.as_bytes())
        })
    };
    record.headers.iter().find_map(|header| of_header(header.name))
}

/// The family whose error stands last in the record.
pub(super) fn last_hop(record: &Record<'_>) -> Option<&'static Names> {
    let of_header = |name: &[u8]| {
        FAMILIES.iter().find(|names| {
            let known = [names.class, names.message, names.stack_trace];
            known.iter().any(|known| !known.is_empty() && name == known.as_bytes())
        })
    };
    record.headers.iter().rev().find_map(|header| of_header(header.name))
}

impl Names {
    /// The value that the first hop wrote under a name; `None` where it is not certain which hop
    /// wrote it.
    pub(super) fn first<'a>(&self, record: &Record<'a>, name: &str) -> Option<&'a [u8]> {
        self.value(record, name, self.topic, true)
    }

    /// The value that the last hop wrote under a name; `None` where it is not certain which hop
    /// wrote it.
    pub(super) fn last<'a>(&self, record: &Record<'a>, name: &str) -> Option<&'a [u8]> {
        self.value(record, name, self.class, false)
    }

    /// A value of the first or last hop. `each_hop` is a name that each hop writes: where a name is
    /// there less often, some hop left it out (Spring does so for an error without a message), and
    /// nothing tells which one.
    fn value<'a>(
        &self,
        record: &Record<'a>,
        name: &str,
        each_hop: &str,
        first_hop: bool,
    ) -> Option<&'a [u8]> {
        if name.is_empty() || named(record, name).count() < named(record, each_hop).count() {
            return None;
        }
        // SmallRye puts its headers before those that the record already had; all others put them
        // behind.
        let header = if first_hop == (self.family == Family::SmallRye) {
            named(record, name).next_back()
        } else {
            named(record, name).next()
        };
        header?.value
    }

    /// The class of the last error.
    pub(super) fn exception_class<'a>(&self, record: &Record<'a>) -> Option<&'a [u8]> {
        let class = self.last(record, self.class)?;
        match self.family {
            Family::Spring | Family::SpringRetry if class == SPRING_WRAPPER => {
                self.last(record, self.cause_class).or(Some(class))
            }
            // Kafka Streams writes `class: message`.
            Family::Streams => class.split(|&byte| byte == b':').next(),
            _ => Some(class),
        }
    }
}

/// The headers of that name.
fn named<'a>(record: &Record<'a>, name: &str) -> impl DoubleEndedIterator<Item = &'a Header<'a>> {
    record.headers.iter().filter(move |header| header.name == name.as_bytes())
}
