//! The consumer's loop: reads records, hands batches on, and stays in the group while PostgreSQL is
//! slow or away.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use super::control::{Fault, RecordedOffsets, lock};
use super::rebalance::GroupContext;
use super::{Error, IngestSettings};
use crate::event::TopicPartition;
use crate::kafka;

/// How long the loop may stay away from `poll` before the partitions are paused, so that polling
/// can go on without records coming in.
const PAUSE_AFTER: Duration = Duration::from_secs(1);
/// How often a quiet consumer looks whether its position passed transaction markers.
const QUIET: Duration = Duration::from_millis(100);
/// How many records are taken between two looks at the clock and at what else there is to do.
const AT_ONCE: usize = 200;
/// How long a stop waits for the batches that are under way.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// How long each step of leaving the group may take.
const LEAVE_LIMIT: Duration = Duration::from_secs(5);
/// How often the group's offsets in Kafka are brought up to date. They are for other tools' lag
/// displays only.
const GROUP_OFFSETS: Duration = Duration::from_secs(5);

/// What librdkafka is told. `-X` may change what stands in the first list; the exactly-once
/// protocol needs the second.
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
    // Never skip silently: an offset that Kafka no longer has ends the session, and the next claim
    // declares the loss.
    config.set("auto.offset.reset", "error");
    config.set("isolation.level", "read_committed");
    config
}

/// Reads until a stop or a fault, which it raises. Returns once everything that was read is
/// committed or given up.
pub(super) fn consume(
    settings: &IngestSettings,
    group: &str,
    context: GroupContext,
    offsets: &RecordedOffsets,
) {
    let faults = Arc::clone(&context.faults);
    let fatal = |what| move |source| Fault::Fatal(Error::Kafka(kafka::Error::client(what)(source)));
    let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
    let created = configuration(settings, group)
        .create_with_context(context)
        .map_err(fatal("making a Kafka consumer"));
    let consumer: BaseConsumer<GroupContext> = match created {
        Ok(consumer) => consumer,
        Err(fault) => return faults.raise(fault),
    };
    let read = consumer
        .subscribe(&topics)
        .map_err(fatal("subscribing"))
        .and_then(|()| read(&consumer, offsets));
    match read {
        Ok(()) => commit_to_group(&consumer, offsets, CommitMode::Sync),
        Err(fault) => faults.raise(fault),
    }
    // Nothing that is read from here on may be taken for a hole.
    lock(&consumer.context().batcher).close();
    leave(consumer);
}

/// Reads until a stop; everything is committed then. A fault that another part of the session
/// raised ends it too.
fn read(consumer: &BaseConsumer<GroupContext>, offsets: &RecordedOffsets) -> Result<(), Fault> {
    let context = consumer.context();
    let (stop, faults) = (&context.stop, &context.faults);
    let positions = || consumer.position().ok();
    let mut blocked_since: Option<Instant> = None;
    let mut paused = None;
    let mut group_offsets_at = Instant::now();
    loop {
        if faults.is_raised() {
            return Err(Fault::Restart("another part of the session ended".to_owned()));
        }
        let now = Instant::now();
        if now.duration_since(group_offsets_at) > GROUP_OFFSETS {
            group_offsets_at = now;
            commit_to_group(consumer, offsets, CommitMode::Async);
        }
        let timeout = {
            let mut batcher = lock(&context.batcher);
            if stop.is_requested() {
                let drained = batcher.drain(STOP_LIMIT, positions, || faults.is_raised());
                return if drained { Ok(()) } else { Err(Fault::Fatal(Error::StoppedEarly)) };
            }
            batcher.hand_on_due(now, positions);
            if batcher.is_full() {
                // Back-pressure. The writer needs some 100 ms for a batch, so this is the usual way
                // to wait.
                batcher.wait_for_place(Duration::from_millis(20));
                None
            } else {
                Some(batcher.due_in(now).unwrap_or(QUIET).min(QUIET))
            }
        };
        let Some(timeout) = timeout else {
            if blocked_since.get_or_insert(now).elapsed() > PAUSE_AFTER {
                if paused.is_none() {
                    paused = pause(consumer);
                }
                // Only to stay in the group: paused partitions deliver nothing.
                receive(consumer, Duration::ZERO)?;
            }
            continue;
        };
        blocked_since = None;
        if let Some(partitions) = paused.take() {
            consumer
                .resume(&partitions)
                .map_err(|error| Fault::Restart(format!("resuming failed: {error}")))?;
        }
        if !receive(consumer, timeout)?
            && let Some(positions) = positions()
        {
            lock(&context.batcher).note_holes(&positions, Instant::now());
        }
    }
}

/// Leaves the group in good order, so that the others need not wait for our session to run out, and
/// ends the client. librdkafka can hang for ever when it destroys a client whose partitions were
/// just taken away (librdkafka #4674), so that is left to a thread which nobody waits for longer
/// than a moment.
fn leave(consumer: BaseConsumer<GroupContext>) {
    consumer.unsubscribe();
    let began = Instant::now();
    while began.elapsed() < LEAVE_LIMIT
        && consumer.assignment().is_ok_and(|assigned| assigned.count() > 0)
    {
        let _ = consumer.poll(Duration::from_millis(50));
    }
    let (ended, end) = mpsc::channel();
    let closing = thread::Builder::new().name("closing".to_owned()).spawn(move || {
        drop(consumer);
        let _ = ended.send(());
    });
    if closing.is_err() || end.recv_timeout(LEAVE_LIMIT).is_err() {
        tracing::debug!("the Kafka client does not end; going on without waiting for it");
    }
}

/// Waits for a record, and takes it and those that are there already, as far as a batch holds them.
/// False where none came.
fn receive(consumer: &BaseConsumer<GroupContext>, timeout: Duration) -> Result<bool, Fault> {
    let (mut timeout, mut now) = (timeout, None);
    for _ in 0..AT_ONCE {
        match consumer.poll(timeout) {
            None => break,
            Some(Ok(message)) => {
                // One look at the clock serves them all.
                let now = *now.get_or_insert_with(Instant::now);
                let mut batcher = lock(&consumer.context().batcher);
                batcher.push(&message, now);
                if batcher.is_full() {
                    break;
                }
            }
            Some(Err(error)) => judge(&error)?,
        }
        timeout = Duration::ZERO;
    }
    Ok(now.is_some())
}

/// What an error of the consumer means.
fn judge(error: &KafkaError) -> Result<(), Fault> {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
            Err(Fault::Restart("Kafka no longer has the next offset of a partition".to_owned()))
        }
        Some(
            RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::GroupAuthorizationFailed,
        ) => {
            let failed = kafka::Error::client("reading as a member of the consumer group");
            Err(Fault::Fatal(Error::Kafka(failed(error.clone()))))
        }
        _ if matches!(error, KafkaError::MessageConsumptionFatal(_)) => {
            Err(Fault::Restart(format!("librdkafka gave up: {error}")))
        }
        // A topic that does not exist yet, or that is just being deleted, is waited for, and said
        // once at the start.
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(()),
        _ => {
            tracing::info!(%error, "Kafka reports an error; librdkafka tries again");
            Ok(())
        }
    }
}

fn pause(consumer: &BaseConsumer<GroupContext>) -> Option<TopicPartitionList> {
    let partitions = consumer.assignment().ok()?;
    consumer.pause(&partitions).ok()?;
    tracing::debug!("PostgreSQL is slower than Kafka: reading pauses");
    Some(partitions)
}

fn commit_to_group(
    consumer: &BaseConsumer<GroupContext>,
    offsets: &RecordedOffsets,
    mode: CommitMode,
) {
    let mut list = TopicPartitionList::new();
    for (TopicPartition { topic, partition }, offset) in offsets.take() {
        // It fails only for an offset that can't be one.
        let _ = list.add_partition_offset(&topic, partition, Offset::Offset(offset));
    }
    if list.count() > 0
        && let Err(error) = consumer.commit(&list, mode)
    {
        tracing::debug!(%error, "the group's offsets, which only other tools look at, were not committed");
    }
}
