//! The consumer's loop: reads records, hands batches on, and stays in the group while PostgreSQL is slow or away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use super::control::{Fault, RecordedOffsets, lock};
use super::rebalance::Context;
use super::{Error, IngestSettings};
use crate::kafka;

/// How long the loop may stay away from `poll` before the partitions are paused, so that polling can go on without
/// records coming in.
const PAUSE_AFTER: Duration = Duration::from_secs(1);
/// How often a quiet consumer looks whether its position passed transaction markers.
const QUIET: Duration = Duration::from_millis(100);
/// How long a stop waits for the batches that are under way.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// How often the group's offsets in Kafka are brought up to date. They are for other tools' lag displays only.
const GROUP_OFFSETS: Duration = Duration::from_secs(5);

/// What librdkafka is told. `-X` may change what stands in the first list; the exactly-once protocol needs the second.
fn configuration(settings: &IngestSettings, group: &str) -> ClientConfig {
    let mut config = settings.kafka.client(&[
        ("partition.assignment.strategy", "cooperative-sticky"),
        ("session.timeout.ms", "6000"),
        ("heartbeat.interval.ms", "500"),
        ("topic.metadata.refresh.interval.ms", "5000"),
        ("check.crcs", "true"),
        ("fetch.wait.max.ms", "100"),
        // The default of one second makes a consumer that reads faster than it fetches wait.
        ("fetch.queue.backoff.ms", "10"),
        ("fetch.max.bytes", "16777216"),
        ("queued.min.messages", "20000"),
        // For each partition: with it the memory is bounded.
        ("queued.max.messages.kbytes", "4096"),
    ]);
    config.set("group.id", group);
    config.set("enable.auto.commit", "false");
    config.set("enable.auto.offset.store", "false");
    // Never skip silently: an offset that Kafka no longer has ends the session, and the next claim declares the loss.
    config.set("auto.offset.reset", "error");
    config.set("isolation.level", "read_committed");
    config
}

/// Reads until a stop or a fault. Returns once everything that was read is committed or given up.
pub(super) fn consume(
    settings: &IngestSettings,
    group: &str,
    context: Context,
    offsets: &RecordedOffsets,
) -> Result<(), Fault> {
    let (stop, faults) = (Arc::clone(&context.stop), Arc::clone(&context.faults));
    let fatal =
        |what: &'static str| move |source| Fault::Fatal(Error::Kafka(kafka::Error::client(what)(source)));
    let consumer: BaseConsumer<Context> = configuration(settings, group)
        .create_with_context(context)
        .map_err(fatal("making a Kafka consumer"))?;
    let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
    consumer.subscribe(&topics).map_err(fatal("subscribing"))?;
    let context = Arc::clone(consumer.context());
    let positions = || consumer.position().ok();

    let mut blocked_since: Option<Instant> = None;
    let mut paused = None;
    let mut group_offsets_at = Instant::now();
    while !faults.is_raised() {
        let now = Instant::now();
        if now.duration_since(group_offsets_at) > GROUP_OFFSETS {
            group_offsets_at = now;
            commit_to_group(&consumer, offsets, CommitMode::Async);
        }
        let timeout = {
            let mut intake = lock(&context.intake);
            if stop.is_requested() {
                let gone = || faults.is_raised();
                if !intake.drain(STOP_LIMIT, positions, gone) && !faults.is_raised() {
                    faults.raise(Fault::Fatal(Error::StoppedEarly(0)));
                }
                break;
            }
            intake.hand_on_due(now, positions);
            if intake.is_full() {
                // Back-pressure. The writer needs some 100 ms for a batch, so this is the usual way to wait.
                intake.wait_for_place(Duration::from_millis(20));
                None
            } else {
                Some(intake.due_in(now).unwrap_or(QUIET).min(QUIET))
            }
        };
        let Some(timeout) = timeout else {
            if blocked_since.get_or_insert(now).elapsed() > PAUSE_AFTER {
                if paused.is_none() {
                    paused = pause(&consumer);
                }
                // Only to stay in the group: paused partitions deliver nothing.
                receive(&consumer, &context, Duration::ZERO)?;
            }
            continue;
        };
        blocked_since = None;
        if let Some(partitions) = paused.take() {
            consumer
                .resume(&partitions)
                .map_err(|error| Fault::Restart(format!("resuming failed: {error}")))?;
        }
        if !receive(&consumer, &context, timeout)?
            && let Some(positions) = positions()
        {
            lock(&context.intake).note_holes(&positions, Instant::now());
        }
    }
    commit_to_group(&consumer, offsets, CommitMode::Sync);
    // Leaves the group, which takes the partitions away in good order.
    drop(consumer);
    Ok(())
}

/// Waits for one record and takes it. False where none came.
fn receive(consumer: &BaseConsumer<Context>, context: &Context, timeout: Duration) -> Result<bool, Fault> {
    match consumer.poll(timeout) {
        None => Ok(false),
        Some(Ok(message)) => {
            lock(&context.intake).push(&message, Instant::now());
            Ok(true)
        }
        Some(Err(error)) => judge(&error).map(|()| false),
    }
}

/// What an error of the consumer means.
fn judge(error: &KafkaError) -> Result<(), Fault> {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
            Err(Fault::Restart("Kafka no longer has the next offset of a partition".to_owned()))
        }
        Some(RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::GroupAuthorizationFailed) => {
            let failed = kafka::Error::client("reading as a member of the consumer group");
            Err(Fault::Fatal(Error::Kafka(failed(error.clone()))))
        }
        _ if matches!(error, KafkaError::MessageConsumptionFatal(_)) => {
            Err(Fault::Restart(format!("librdkafka gave up: {error}")))
        }
        // A topic that does not exist yet, or that is just being deleted, is waited for, and said once at the start.
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(()),
        _ => {
            tracing::info!(%error, "Kafka reports an error; librdkafka tries again");
            Ok(())
        }
    }
}

fn pause(consumer: &BaseConsumer<Context>) -> Option<TopicPartitionList> {
    let partitions = consumer.assignment().ok()?;
    consumer.pause(&partitions).ok()?;
    tracing::debug!("PostgreSQL is slower than Kafka: reading pauses");
    Some(partitions)
}

fn commit_to_group(consumer: &BaseConsumer<Context>, offsets: &RecordedOffsets, mode: CommitMode) {
    let mut list = TopicPartitionList::new();
    for ((topic, partition), offset) in offsets.take() {
        // It fails only for an offset that can't be one.
        let _ = list.add_partition_offset(&topic, partition, Offset::Offset(offset));
    }
    if list.count() > 0
        && let Err(error) = consumer.commit(&list, mode)
    {
        tracing::debug!(%error, "the group's offsets, which only other tools look at, were not committed");
    }
}
