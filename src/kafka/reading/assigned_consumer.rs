//! A consumer that belongs to no group: its partitions are assigned by hand, and nothing is
//! committed.

use rdkafka::consumer::BaseConsumer;

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
