//! The topic that checkpoints are published to: the key of a record is the name of the log, its
//! value the signed note.

use super::error::Error;
use super::known::Known;
use crate::evidence::note::VerifierKey;
use crate::kafka;
use crate::kafka::{Delivery, OutgoingRecord, Producer, values_of_key};
use crate::time::UnixMicros;

/// The largest checkpoint in the topic that our key signed. What else stands there may come from
/// anybody who may write to it, and does not count.
///
/// # Errors
/// `Error::Kafka`, `Error::NoTopic`.
pub(super) async fn last_in_topic(
    settings: &kafka::Settings,
    topic: &str,
    key: &VerifierKey,
) -> Result<Option<Known>, Error> {
    let (settings, asked) = (settings.clone(), topic.to_owned());
    let name = key.origin().to_string();
    let notes = kafka::blocking(move || values_of_key(&settings, &asked, name.as_bytes())).await?;
    let notes = notes.ok_or_else(|| Error::NoTopic(topic.to_owned()))?;
    let known = notes.iter().filter_map(|note| {
        Known::read(note, key, format!("in topic {topic}")).ok().filter(|known| known.is_ours)
    });
    Ok(known.max_by_key(|known| known.checkpoint.size))
}

/// Publishes a note.
///
/// # Errors
/// `Error::Kafka`, `Error::Unpublished`.
pub(super) async fn publish(
    settings: &kafka::Settings,
    topic: &str,
    name: &str,
    note: &str,
) -> Result<(), Error> {
    let producer = Producer::new(settings)?;
    let record = OutgoingRecord {
        topic,
        partition: None,
        timestamp_ms: UnixMicros::now().0 / 1_000,
        key: Some(name.as_bytes()),
        value: Some(note.as_bytes()),
        headers: &[],
    };
    match producer.send(&record).await {
        Delivery::Delivered(_) => Ok(()),
        Delivery::Refused { reason, .. } | Delivery::Unknown { reason } => {
            Err(Error::Unpublished { topic: topic.to_owned(), reason })
        }
    }
}
