//! What an ingester did so far, and what it waits for: for the progress line, the log, the closing
//! line and the metrics. All of it outlives the sessions.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::mutex::lock_mutex;
use crate::event::{Reason, TopicPartition};

/// The upper bounds of the histogram of batches, in seconds.
const BATCH_SECONDS: [f64; 13] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// After this time a server that was asked and did not answer counts as away.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// What was measured longer ago than this says nothing of now.
const FRESH: Duration = Duration::from_secs(60);

/// A counter for each reason.
pub(super) type ByReason = Family<[(&'static str, &'static str); 1], Counter>;

/// What was done so far, and how it stands.
#[derive(Debug)]
pub struct Counters {
    /// Rows committed.
    pub rows: Counter,
    /// Batches committed.
    pub batches: Counter,
    /// Offsets that Kafka had deleted before they were read.
    pub lost: Counter,
    /// Partitions that are assigned to this process.
    pub partitions: Gauge,
    /// Bytes of keys, values and headers committed.
    pub(super) bytes: Counter,
    /// Seconds from when a batch is taken up to be written until it is committed, further attempts
    /// included.
    pub(super) batch_seconds: Histogram,
    /// Rows committed that are quarantined.
    pub(super) quarantined: ByReason,
    /// Sessions that ended with a fault and were followed by another one.
    pub(super) restarts: Counter,
    /// Steps of sealing leaves.
    pub(super) seal_steps: Counter,
    /// What became of checkpoints.
    pub(super) anchoring: AnchorFigures,
    /// Bytes of batches that are full or due, and not committed yet.
    pub(super) in_flight_bytes: Gauge,
    /// Whether the group has given the running session its partitions, be it none.
    pub(super) is_assigned: AtomicBool,
    waits: [AtomicUsize; Wait::ALL.len()],
    kafka: Mutex<Probe>,
    postgresql: Mutex<Probe>,
    lags: Mutex<Option<Measured<Vec<PartitionLag>>>>,
    database: Mutex<Option<Measured<DatabaseFigures>>>,
}

impl Default for Counters {
    fn default() -> Self {
        let quarantined = ByReason::default();
        // Each reason is there from the start, so that the first row of one is seen as a change.
        for reason in Reason::ALL {
            quarantined.get_or_create_owned(&[("reason", reason.as_str())]);
        }
        Self {
            rows: Counter::default(),
            batches: Counter::default(),
            lost: Counter::default(),
            partitions: Gauge::default(),
            bytes: Counter::default(),
            batch_seconds: Histogram::new(BATCH_SECONDS),
            quarantined,
            restarts: Counter::default(),
            seal_steps: Counter::default(),
            anchoring: AnchorFigures::default(),
            in_flight_bytes: Gauge::default(),
            is_assigned: AtomicBool::default(),
            waits: Default::default(),
            kafka: Mutex::default(),
            postgresql: Mutex::default(),
            lags: Mutex::default(),
            database: Mutex::default(),
        }
    }
}

impl Counters {
    /// Rows committed that are quarantined, whatever the reason.
    pub fn quarantined(&self) -> u64 {
        let counter = |reason: Reason| {
            self.quarantined.get_or_create_owned(&[("reason", reason.as_str())]).get()
        };
        Reason::ALL.into_iter().map(counter).sum()
    }

    /// Records between the recorded offsets and the ends of all partitions, when last measured.
    pub fn lag(&self) -> u64 {
        let lags = lock_mutex(&self.lags);
        lags.as_ref().map_or(0, |lags| lags.value.iter().map(|found| found.lag).sum())
    }

    /// Notes that something waits, until the guard is dropped.
    pub(super) fn begin(&self, wait: Wait) -> Waiting<'_> {
        let count = &self.waits[wait as usize];
        count.fetch_add(1, Ordering::Relaxed);
        Waiting(count)
    }

    /// Whether something waits for this.
    pub(super) fn is_waiting_for(&self, wait: Wait) -> bool {
        let is_noted = self.waits[wait as usize].load(Ordering::Relaxed) > 0;
        is_noted
            || match wait {
                Wait::Assignment => !self.is_assigned.load(Ordering::Relaxed),
                Wait::Kafka => !lock_mutex(&self.kafka).answers(),
                Wait::PostgreSql => !lock_mutex(&self.postgresql).answers(),
                Wait::SchemaRegistry | Wait::Writers => false,
            }
    }

    /// What keeps the ingester from recording what comes now.
    pub(super) fn not_ready_for(&self) -> Vec<Wait> {
        // Reading that pauses for the writers only means that there is much to write.
        let is_needed = |wait: &Wait| *wait != Wait::Writers && self.is_waiting_for(*wait);
        Wait::ALL.into_iter().filter(is_needed).collect()
    }

    /// Notes that a server is asked, and then whether it answered.
    pub(super) async fn probe<T, E>(
        &self,
        server: Server,
        asked: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let probe = match server {
            Server::Kafka => &self.kafka,
            Server::PostgreSql => &self.postgresql,
        };
        lock_mutex(probe).asked_at = Some(Instant::now());
        let answer = asked.await;
        *lock_mutex(probe) = Probe { answered: answer.is_ok(), asked_at: None };
        answer
    }

    pub(super) fn set_lags(&self, lags: Vec<PartitionLag>) {
        *lock_mutex(&self.lags) = Some(Measured { value: lags, at: Instant::now() });
    }

    /// The lags, unless they were measured too long ago.
    pub(super) fn lags(&self) -> Vec<PartitionLag> {
        let lags = lock_mutex(&self.lags);
        let fresh = lags.as_ref().filter(|measured| measured.is_fresh());
        fresh.map_or_else(Vec::new, |measured| measured.value.clone())
    }

    pub(super) fn set_database(&self, figures: DatabaseFigures) {
        *lock_mutex(&self.database) = Some(Measured { value: figures, at: Instant::now() });
    }

    /// What is known of the database, unless it was asked too long ago.
    pub(super) fn database(&self) -> Option<DatabaseFigures> {
        let figures = lock_mutex(&self.database);
        figures.as_ref().filter(|measured| measured.is_fresh()).map(|measured| measured.value)
    }
}

/// What an ingester can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// The group has not given this member its partitions yet.
    Assignment,
    /// Kafka does not answer.
    Kafka,
    /// PostgreSQL does not answer, or a batch or a claim is tried again.
    PostgreSql,
    /// The schema registry does not answer, and a record needs a schema.
    SchemaRegistry,
    /// Reading pauses until a batch is written.
    Writers,
}

impl Wait {
    pub(super) const ALL: [Self; 5] =
        [Self::Assignment, Self::Kafka, Self::PostgreSql, Self::SchemaRegistry, Self::Writers];

    /// The value of the label `for`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Assignment => "assignment",
            Self::Kafka => "kafka",
            Self::PostgreSql => "postgresql",
            Self::SchemaRegistry => "schema_registry",
            Self::Writers => "writers",
        }
    }
}

/// Something waits as long as this is there.
#[derive(Debug)]
pub(super) struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A server that is asked now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    Kafka,
    PostgreSql,
}

/// Whether a server answers.
#[derive(Debug, Default)]
struct Probe {
    answered: bool,
    /// When it was asked what it has not answered yet.
    asked_at: Option<Instant>,
}

impl Probe {
    fn answers(&self) -> bool {
        self.answered && self.asked_at.is_none_or(|at| at.elapsed() < ANSWER_LIMIT)
    }
}

#[derive(Debug)]
struct Measured<T> {
    value: T,
    at: Instant,
}

impl<T> Measured<T> {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < FRESH
    }
}

/// How far the record of a partition is behind Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PartitionLag {
    pub(super) partition: TopicPartition,
    /// Offsets that are not recorded.
    pub(super) lag: u64,
    /// Since when the first of them is known to be there; zero without any.
    pub(super) behind: Duration,
}

/// What the database knows, whichever ingester did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DatabaseFigures {
    /// Leaves of `event_logs` that are not full.
    pub(super) light_leaves: usize,
    /// Those that are full, and lack indexes.
    pub(super) waiting_leaves: usize,
    /// Those that have all indexes.
    pub(super) sealed_leaves: usize,
    /// When the first of those that wait was closed.
    pub(super) waiting_since: Option<DateTime<Utc>>,
    /// Ids that the leaf that is written to can still give.
    pub(super) ids_left: i64,
    /// Rows that are known to deliver an event again.
    pub(super) duplicates: i64,
}

/// What became of the checkpoints of this process.
#[derive(Debug, Default)]
pub(super) struct AnchorFigures {
    /// Checkpoints signed.
    pub(super) signed: Counter,
    /// Attempts in which the log was not what was signed before.
    pub(super) refusals: Counter,
    /// Attempts that failed for another reason.
    pub(super) failures: Counter,
    last_at: Mutex<Option<DateTime<Utc>>>,
}

impl AnchorFigures {
    /// Notes when the last checkpoint was signed, by whomever.
    pub(super) fn set_last_at(&self, at: DateTime<Utc>) {
        *lock_mutex(&self.last_at) = Some(at);
    }

    /// When the last checkpoint was signed, where this process signs and one is known.
    pub(super) fn last_at(&self) -> Option<DateTime<Utc>> {
        *lock_mutex(&self.last_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_ready_for(counters: &Counters) -> Vec<&'static str> {
        counters.not_ready_for().into_iter().map(Wait::as_str).collect()
    }

    #[tokio::test]
    async fn an_ingester_is_ready_when_it_is_assigned_and_both_servers_answer() {
        let counters = Counters::default();
        assert_eq!(not_ready_for(&counters), ["assignment", "kafka", "postgresql"]);
        let answer = async || Ok::<_, ()>(());
        assert_eq!(counters.probe(Server::Kafka, answer()).await, Ok(()));
        assert_eq!(counters.probe(Server::PostgreSql, answer()).await, Ok(()));
        assert_eq!(not_ready_for(&counters), ["assignment"]);
        counters.is_assigned.store(true, Ordering::Relaxed);
        assert_eq!(not_ready_for(&counters), [""; 0]);
        let failed = counters.probe(Server::Kafka, async { Err::<(), _>("no broker") }).await;
        assert_eq!((failed, not_ready_for(&counters)), (Err("no broker"), vec!["kafka"]));
    }

    #[tokio::test]
    async fn whatever_waits_for_postgresql_is_counted_until_the_last_of_them_goes_on() {
        let counters = Counters::default();
        let answered = counters.probe(Server::PostgreSql, async { Ok::<_, ()>(()) }).await;
        assert_eq!(answered, Ok(()));
        let (one, other) = (counters.begin(Wait::PostgreSql), counters.begin(Wait::PostgreSql));
        drop(one);
        assert!(counters.is_waiting_for(Wait::PostgreSql));
        drop(other);
        assert!(!counters.is_waiting_for(Wait::PostgreSql));
    }

    #[test]
    fn a_server_that_was_asked_long_ago_and_is_silent_does_not_answer() {
        let answered = Probe { answered: true, asked_at: Some(Instant::now()) };
        assert!(answered.answers());
        let asked_at = Instant::now().checked_sub(ANSWER_LIMIT);
        assert!(asked_at.is_some());
        assert!(!Probe { answered: true, asked_at }.answers());
    }

    #[test]
    fn pausing_for_the_writers_leaves_an_ingester_as_ready_as_it_was() {
        let counters = Counters::default();
        let before = not_ready_for(&counters);
        let _waiting = counters.begin(Wait::Writers);
        assert!(counters.is_waiting_for(Wait::Writers));
        assert_eq!(not_ready_for(&counters), before);
    }
}
