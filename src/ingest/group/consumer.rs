//! The consumer's loop: reads records, flushes batches, and stays in the group while PostgreSQL is
//! slow or away.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use super::consumer_error;
use super::group_context::GroupContext;
use super::rebalance::GroupMember;
use crate::event::TopicPartition;
use crate::ingest::counters::Wait;
use crate::ingest::error::Error;
use crate::ingest::fault::Fault;
use crate::ingest::mutex::lock_mutex;
use crate::ingest::recorded_offsets::RecordedOffsets;
use crate::ingest::settings::IngestSettings;
use crate::kafka::{self, ReceivedRecord};

/// How long the loop may stay away from `poll` before the partitions are paused, so that polling
/// can go on without records coming in.
const PAUSE_AFTER: Duration = Duration::from_secs(1);
/// How often a consumer without records checks whether its position passed transaction markers.
const QUIET: Duration = Duration::from_millis(100);
/// How many records are received between two checks of the clock, of the batches and of a stop.
const BURST: usize = 200;
/// How long a stop waits for the batches in flight.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);
/// How long each step of leaving the group may take.
const LEAVE_LIMIT: Duration = Duration::from_secs(5);
/// How often the group's offsets in Kafka are committed. They serve other tools' lag displays only.
const GROUP_COMMIT_INTERVAL: Duration = Duration::from_secs(5);

/// The consumer's configuration. `-X` may change the first list; the settings after it belong to
/// the exactly-once protocol.
fn configuration(settings: &IngestSettings, group: &str, client_id: &str) -> ClientConfig {
    let mut config = settings.kafka.client(&[
        ("client.id", client_id),
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
pub(in crate::ingest) fn consume(
    settings: &IngestSettings,
    group: &str,
    client_id: &str,
    group_context: GroupContext,
    offsets: &RecordedOffsets,
) {
    let faults = Arc::clone(&group_context.faults);
    let fatal = |what| move |source| Fault::Fatal(Error::Kafka(kafka::Error::client(what)(source)));
    let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
    let created = configuration(settings, group, client_id)
        .create_with_context(group_context)
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
    // Records that arrive from here on are dropped, so nothing may be flushed any more: they would
    // be taken for holes.
    lock_mutex(&consumer.context().batcher).close();
    leave(consumer);
}

/// What the loop does next.
enum Step {
    /// Receives records, and waits for the first one up to this long.
    Receive(Duration),
    /// Waits for PostgreSQL: a batch is full, and its lane has no room.
    Wait,
    /// Ends: a stop was requested, and everything is committed.
    End,
}

/// Reads until a stop; everything is committed then. A fault that another part of the session
/// raised ends it too.
fn read(consumer: &BaseConsumer<GroupContext>, offsets: &RecordedOffsets) -> Result<(), Fault> {
    let context = consumer.context();
    let mut blocked_since: Option<Instant> = None;
    let (mut paused, mut waiting) = (None, None);
    let mut group_commit_at = Instant::now();
    loop {
        if context.faults.is_raised() {
            return Err(Fault::Recoverable("another part of the session ended".to_owned()));
        }
        let now = Instant::now();
        if now.duration_since(group_commit_at) > GROUP_COMMIT_INTERVAL {
            group_commit_at = now;
            commit_to_group(consumer, offsets, CommitMode::Async);
        }
        match flush(consumer, now)? {
            Step::End => return Ok(()),
            Step::Wait => {
                if blocked_since.get_or_insert(now).elapsed() > PAUSE_AFTER {
                    waiting.get_or_insert_with(|| context.rebalancer.counters.begin(Wait::Writers));
                    if paused.is_none() {
                        paused = pause(consumer);
                    }
                    // Only to stay in the group: paused partitions deliver nothing.
                    receive(consumer, Duration::ZERO)?;
                }
            }
            Step::Receive(timeout) => {
                (blocked_since, waiting) = (None, None);
                if let Some(partitions) = paused.take() {
                    let resumed = consumer.resume(&partitions);
                    resumed
                        .map_err(|error| Fault::Recoverable(format!("resuming failed: {error}")))?;
                }
                if !receive(consumer, timeout)? {
                    let positions = consumer.positions();
                    lock_mutex(&context.batcher).account_for_holes(&positions, Instant::now());
                }
            }
        }
    }
}

/// Flushes the batches that are due, or all of them where a stop was requested.
fn flush(consumer: &BaseConsumer<GroupContext>, now: Instant) -> Result<Step, Fault> {
    let context = consumer.context();
    let mut batcher = lock_mutex(&context.batcher);
    let positions = || consumer.positions();
    if context.stop.is_requested() {
        let drained = batcher.drain(DRAIN_LIMIT, positions, || context.faults.is_raised());
        return if drained { Ok(Step::End) } else { Err(Fault::Fatal(Error::StoppedEarly)) };
    }
    batcher.flush_due(now, positions);
    if batcher.is_full() {
        // The writer needs some 100 ms for a batch, so this is the usual way to wait.
        batcher.wait_for_room(Duration::from_millis(20));
        return Ok(Step::Wait);
    }
    Ok(Step::Receive(batcher.due_in(now).unwrap_or(QUIET).min(QUIET)))
}

/// Leaves the group, so that the others need not wait for this member's session to time out, and
/// ends the client. librdkafka can hang for ever when it destroys a client whose partitions were
/// just taken away (librdkafka #4674): a thread does that, and is waited for a moment only.
fn leave(consumer: BaseConsumer<GroupContext>) {
    consumer.unsubscribe();
    let began = Instant::now();
    while began.elapsed() < LEAVE_LIMIT
        && Consumer::assignment(&consumer).is_ok_and(|assigned| assigned.count() > 0)
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

/// Waits for a record, and takes it and those that are there already, until a batch is full. False
/// where none came.
fn receive(consumer: &BaseConsumer<GroupContext>, timeout: Duration) -> Result<bool, Fault> {
    let (mut timeout, mut received_at) = (timeout, None);
    for _ in 0..BURST {
        match consumer.poll(timeout) {
            None => break,
            Some(Ok(message)) => {
                // The clock is read once for all of them.
                let now = *received_at.get_or_insert_with(Instant::now);
                let mut batcher = lock_mutex(&consumer.context().batcher);
                batcher.push(ReceivedRecord::from(&message), now);
                if batcher.is_full() {
                    break;
                }
            }
            Some(Err(error)) => consumer_error::check(&error)?,
        }
        timeout = Duration::ZERO;
    }
    Ok(received_at.is_some())
}

/// Pauses reading, so that polling delivers nothing. Returns what has to be resumed.
fn pause(consumer: &BaseConsumer<GroupContext>) -> Option<TopicPartitionList> {
    let partitions = Consumer::assignment(consumer).ok()?;
    consumer.pause(&partitions).ok()?;
    tracing::debug!("PostgreSQL is slower than Kafka: reading pauses");
    Some(partitions)
}

/// Commits what is recorded since the last time as the group's offsets.
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
        tracing::debug!(%error, "the group's offsets, for other tools only, were not committed");
    }
}
