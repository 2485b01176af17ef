//! A consumer that belongs to no group: its partitions are assigned by hand, and nothing is
//! committed.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::Duration;

use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;

use crate::kafka::cluster::REQUEST;
use crate::kafka::{Error, LogContext, Settings};

/// Makes one, with `more` settings. `what` it is for names it in errors.
pub(super) fn reader(
    settings: &Settings,
    more: &[(&str, &str)],
    what: &str,
) -> Result<BaseConsumer<LogContext>, Error> {
    let mut defaults = vec![
        // librdkafka wants a name, which no broker ever hears.
        ("group.id", "audit: partitions are assigned by hand, and nothing is committed"),
        ("enable.auto.commit", "false"),
        // What Kafka deleted meanwhile is passed over: the first record that is there counts.
        ("auto.offset.reset", "earliest"),
    ];
    defaults.extend_from_slice(more);
    settings
        .client(&defaults)
        .create_with_context(LogContext::default())
        .map_err(Error::client(what))
}

/// Hands out the records of a topic until the open partitions have ended, or no more are wanted.
/// The consumer is assigned to them, and tells of their ends (`enable.partition.eof`).
///
/// # Errors
/// `Error::Client`, and `Error::Search` where Kafka is silent for too long.
pub(super) fn read_to_end(
    consumer: &BaseConsumer<LogContext>,
    topic: &str,
    mut open: HashSet<i32>,
    what: &str,
    mut each: impl FnMut(&BorrowedMessage<'_>) -> ControlFlow<()>,
) -> Result<(), Error> {
    const WAIT: Duration = Duration::from_millis(200);
    let mut silent = Duration::ZERO;
    while !open.is_empty() {
        match consumer.poll(WAIT) {
            Some(Ok(message)) => {
                silent = Duration::ZERO;
                if each(&message).is_break() {
                    return Ok(());
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                silent = Duration::ZERO;
                open.remove(&partition);
            }
            Some(Err(error)) if error.rdkafka_error_code().is_some_and(is_passing) => {
                silent += WAIT;
            }
            Some(Err(source)) => return Err(Error::Client { what: what.to_owned(), source }),
            None => silent += WAIT,
        }
        if silent > REQUEST {
            return Err(Error::Search { topic: topic.to_owned() });
        }
    }
    Ok(())
}

/// Whether librdkafka mends it by itself.
pub(super) fn is_passing(code: rdkafka::error::RDKafkaErrorCode) -> bool {
    use rdkafka::error::RDKafkaErrorCode::{
        AllBrokersDown, BrokerTransportFailure, OperationTimedOut, RequestTimedOut,
    };
    matches!(code, AllBrokersDown | BrokerTransportFailure | OperationTimedOut | RequestTimedOut)
}
