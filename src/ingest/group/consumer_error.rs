//! What an error of the consumer means to the session.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::ingest::error::Error;
use crate::ingest::fault::Fault;
use crate::kafka;

/// Decides whether an error of the consumer ends the session. librdkafka mends the others itself.
pub(in crate::ingest) fn check(error: &KafkaError) -> Result<(), Fault> {
    match error.rdkafka_error_code() {
        // The next claim declares the loss.
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
            let reason = "Kafka no longer has the next offset of a partition";
            Err(Fault::Recoverable(reason.to_owned()))
        }
        Some(
            RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::GroupAuthorizationFailed,
        ) => {
            let failed = kafka::Error::client("reading as a member of the consumer group");
            Err(Fault::Fatal(Error::Kafka(failed(error.clone()))))
        }
        _ if matches!(error, KafkaError::MessageConsumptionFatal(_)) => {
            Err(Fault::Recoverable(format!("librdkafka gave up: {error}")))
        }
        // A topic that does not exist yet, or is just being deleted, is waited for. The log has it
        // once, at the start.
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(()),
        _ => {
            tracing::info!(%error, "Kafka reports an error; librdkafka tries again");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome_of(code: RDKafkaErrorCode) -> Result<(), Fault> {
        check(&KafkaError::MessageConsumption(code))
    }

    #[test]
    fn an_offset_that_kafka_no_longer_has_leads_to_another_claim() {
        for code in [RDKafkaErrorCode::AutoOffsetReset, RDKafkaErrorCode::OffsetOutOfRange] {
            assert!(matches!(outcome_of(code), Err(Fault::Recoverable(_))), "{code}");
        }
    }

    #[test]
    fn a_missing_right_ends_the_ingester() {
        let codes = [
            RDKafkaErrorCode::TopicAuthorizationFailed,
            RDKafkaErrorCode::GroupAuthorizationFailed,
        ];
        for code in codes {
            assert!(matches!(outcome_of(code), Err(Fault::Fatal(Error::Kafka(_)))), "{code}");
        }
    }

    #[test]
    fn what_librdkafka_mends_itself_is_waited_for() {
        for code in [
            RDKafkaErrorCode::UnknownTopicOrPartition,
            RDKafkaErrorCode::BrokerTransportFailure,
            RDKafkaErrorCode::AllBrokersDown,
        ] {
            assert!(outcome_of(code).is_ok(), "{code}");
        }
        let fatal = KafkaError::MessageConsumptionFatal(RDKafkaErrorCode::Fatal);
        assert!(matches!(check(&fatal), Err(Fault::Recoverable(_))));
    }
}
