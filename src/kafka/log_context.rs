//! Sends what librdkafka reports to `tracing`.

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

use super::refusals::Refusals;

/// Sends librdkafka's log lines to `tracing`, and keeps why brokers can't be used.
#[derive(Debug, Clone, Default)]
pub struct LogContext {
    /// Why.
    pub(super) refusals: Refusals,
}

impl ClientContext for LogContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.refusals.keep_line(facility, message);
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.refusals.keep(&error, reason);
        log_error(&error, reason);
    }
}

impl ConsumerContext for LogContext {}

/// Passes a log line of librdkafka on.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(target: "audit::librdkafka", facility, "{message}");
        }
        // A broker that is away is an "error" to librdkafka at each attempt; the ingester says once
        // what it means.
        RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice => {
            tracing::info!(target: "audit::librdkafka", facility, "{message}");
        }
        RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
            tracing::debug!(target: "audit::librdkafka", facility, "{message}");
        }
    }
}

/// Passes an error of a client on. It is no more than a trace: the request that failed reports the
/// same, or librdkafka mends it, which reconnects for ever.
pub(crate) fn log_error(error: &KafkaError, reason: &str) {
    tracing::debug!(target: "audit::librdkafka", %error, reason, "client error");
}
