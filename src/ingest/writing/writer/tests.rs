use std::collections::BTreeSet;

use futures_util::future::join_all;

use prometheus_client::metrics::gauge::Gauge;

use super::*;
use crate::event::TopicPartition;
use crate::ingest::batching::test_batch::{DEAD_LETTERS, TOPIC, encoded, encoder, holes};
use crate::ingest::writing::fake_database::{Break, FakeDatabase, FakePartition};

/// A lane's writer and everything that it shares with the session.
struct Lane {
    database: FakeDatabase,
    stop: Arc<Stop>,
    stop_limit: Duration,
    faults: Arc<FirstFault>,
    in_flight: Arc<InFlight>,
    counters: Arc<Counters>,
    offsets: Arc<RecordedOffsets>,
}

impl Lane {
    fn new() -> Self {
        Self {
            database: FakeDatabase::default(),
            stop: Arc::new(Stop::default()),
            stop_limit: Duration::from_secs(60),
            faults: Arc::new(FirstFault::default()),
            in_flight: Arc::new(InFlight::new(usize::MAX, Gauge::default())),
            counters: Arc::new(Counters::default()),
            offsets: Arc::new(RecordedOffsets::default()),
        }
    }

    /// Runs the writer until the batches, which follow each other, are recorded or given up.
    async fn write(&self, batches: impl IntoIterator<Item = EncodedBatch>) {
        let writer = LaneWriter {
            database: self.database.clone(),
            ingester: "test:1".into(),
            encoder: encoder(),
            stop: Arc::clone(&self.stop),
            stop_limit: self.stop_limit,
            faults: Arc::clone(&self.faults),
            in_flight: Arc::clone(&self.in_flight),
            counters: Arc::clone(&self.counters),
            recorded: Arc::new(Notify::new()),
            offsets: Arc::clone(&self.offsets),
        };
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        for batch in batches {
            if self.database.state().partitions.is_empty() {
                self.database.claim_for(&batch);
            }
            assert!(self.in_flight.acquire(Duration::ZERO));
            sender.send(batch).expect("the writer has not ended");
        }
        drop(sender);
        writer.run(receiver).await;
        assert!(self.in_flight.wait_until_idle(Duration::ZERO), "no batch stays in flight");
    }

    /// Writes a batch of the records 0, 1 and 2.
    async fn write_three(&self) {
        self.write([encoded(TOPIC, 0..3)]).await;
    }

    fn recorded(&self) -> Vec<i64> {
        self.database.state().rows.iter().map(|row| row.offset).collect()
    }
}

#[tokio::test]
async fn batches_are_recorded_and_counted() {
    let lane = Lane::new();
    lane.write([encoded(TOPIC, 0..3), encoded(TOPIC, 3..5)]).await;
    assert!(lane.faults.take().is_none());
    assert_eq!(lane.recorded(), [0, 1, 2, 3, 4]);
    let ids: Vec<i64> = lane.database.state().rows.iter().map(|row| row.id).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5]);
    assert_eq!(lane.database.state().connections, 1);
    assert_eq!((lane.counters.rows.get(), lane.counters.batches.get()), (5, 2));
    assert_eq!(
        lane.offsets.take().into_iter().collect::<Vec<_>>(),
        [(TopicPartition::new(TOPIC, 0), 5)]
    );
}

#[tokio::test]
async fn the_next_leaf_is_made_once_for_each_leaf() {
    let lane = Lane::new();
    lane.write([encoded(TOPIC, 0..3), encoded(TOPIC, 3..5)]).await;
    assert_eq!(lane.database.state().leaves_made, [1]);
}

#[tokio::test]
async fn a_batch_of_holes_alone_is_recorded_without_ids() {
    let lane = Lane::new();
    lane.write([holes(TOPIC, 0..4), encoded(TOPIC, 4..5)]).await;
    assert!(lane.faults.take().is_none());
    assert_eq!(lane.database.state().rows[0].id, 1, "the holes took no id");
    assert_eq!(lane.database.state().batches, 2);
}

#[tokio::test]
async fn a_batch_that_was_committed_although_its_connection_broke_is_not_written_twice() {
    let lane = Lane::new();
    lane.database.state().breaks.push_back(Break::AfterCommit);
    lane.write_three().await;
    assert!(lane.faults.take().is_none());
    assert_eq!(lane.recorded(), [0, 1, 2]);
    let state = lane.database.state();
    assert_eq!((state.connections, state.batches), (2, 1));
    assert_eq!(state.writes, 1, "the outcome is asked for before anything is written again");
}

#[tokio::test]
async fn a_batch_that_was_rolled_back_is_written_again() {
    let lane = Lane::new();
    lane.database.state().breaks.push_back(Break::BeforeCommit);
    lane.write_three().await;
    assert!(lane.faults.take().is_none());
    assert_eq!(lane.recorded(), [0, 1, 2]);
}

#[tokio::test]
async fn a_commit_that_ends_after_the_next_attempt_began_counts_as_recorded() {
    let lane = Lane::new();
    lane.database.state().breaks.push_back(Break::CommittedLate);
    lane.write([encoded(TOPIC, 0..3), encoded(TOPIC, 3..5)]).await;
    assert!(lane.faults.take().is_none());
    assert_eq!(lane.recorded(), [0, 1, 2, 3, 4]);
    assert_eq!(lane.database.state().batches, 2);
}

#[tokio::test]
async fn however_connections_break_every_row_is_recorded_once() {
    let kinds = [Break::BeforeCommit, Break::AfterCommit, Break::CommittedLate];
    let pairs = kinds.into_iter().flat_map(|first| kinds.map(|second| [first, second]));
    join_all(pairs.map(|breaks| async move {
        let lane = Lane::new();
        lane.database.state().breaks.extend(breaks);
        lane.write([encoded(TOPIC, 0..3), encoded(TOPIC, 3..5)]).await;
        assert!(lane.faults.take().is_none(), "{breaks:?}");
        assert_eq!(lane.recorded(), [0, 1, 2, 3, 4], "{breaks:?}");
        assert_eq!(lane.counters.rows.get(), 5, "{breaks:?}");
    }))
    .await;
}

#[tokio::test]
async fn a_batch_behind_the_fence_ends_the_session_and_writes_nothing() {
    let lane = Lane::new();
    let claimed_again = FakePartition { epoch: 2, next_offset: 0 };
    lane.database.state().partitions.insert(10, claimed_again);
    lane.write([encoded(TOPIC, 0..3), encoded(TOPIC, 3..5)]).await;
    assert!(matches!(lane.faults.take(), Some(Fault::Recoverable(_))));
    assert_eq!(lane.recorded(), [0; 0]);
    assert_eq!(lane.counters.rows.get(), 0);
    assert!(lane.offsets.take().is_empty());
}

#[tokio::test]
async fn a_partition_that_is_claimed_while_the_connection_is_lost_ends_the_session() {
    let lane = Lane::new();
    lane.database.state().breaks.push_back(Break::ClaimedMeanwhile);
    lane.write_three().await;
    assert!(matches!(lane.faults.take(), Some(Fault::Recoverable(_))));
    assert_eq!(lane.recorded(), [0; 0]);
}

#[tokio::test]
async fn after_a_fault_the_rest_is_dropped() {
    let lane = Lane::new();
    lane.database.state().breaks.push_back(Break::Fatal);
    // The fence would let the second one pass.
    lane.write([encoded(TOPIC, 0..3), encoded(TOPIC, 0..3)]).await;
    assert!(matches!(lane.faults.take(), Some(Fault::Fatal(Error::Store(_)))));
    assert_eq!(lane.recorded(), [0; 0]);
}

#[tokio::test]
async fn a_database_that_is_away_is_waited_for() {
    let lane = Lane::new();
    lane.database.state().failing_connections = 2;
    lane.write_three().await;
    assert!(lane.faults.take().is_none());
    assert_eq!(lane.recorded(), [0, 1, 2]);
}

#[tokio::test]
async fn a_stop_while_the_database_is_away_ends_early() {
    let lane = Lane { stop_limit: Duration::ZERO, ..Lane::new() };
    lane.database.state().failing_connections = usize::MAX;
    lane.stop.request();
    lane.write_three().await;
    assert!(matches!(lane.faults.take(), Some(Fault::Fatal(Error::StoppedEarly))));
}

#[tokio::test]
async fn after_a_stop_what_was_read_is_still_recorded() {
    let lane = Lane::new();
    lane.database.state().failing_connections = 1;
    lane.stop.request();
    lane.write([encoded(TOPIC, 0..3), encoded(TOPIC, 3..5)]).await;
    assert!(lane.faults.take().is_none());
    assert_eq!(lane.recorded(), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn a_refused_row_is_recorded_quarantined_beside_the_others() {
    let lane = Lane::new();
    lane.database.state().refused = BTreeSet::from([1]);
    // The connection also breaks in the first trial.
    lane.database.state().lost_trials = 1;
    lane.write_three().await;
    assert!(lane.faults.take().is_none());
    let quarantined: Vec<bool> =
        lane.database.state().rows.iter().map(|row| row.is_quarantined).collect();
    assert_eq!(quarantined, [false, true, false]);
    assert_eq!(lane.counters.quarantined(), 1);
}

#[tokio::test]
async fn a_row_that_is_refused_even_when_quarantined_does_not_loop_for_ever() {
    let lane = Lane::new();
    lane.database.state().always_refused = BTreeSet::from([1]);
    lane.write_three().await;
    let fault = lane.faults.take();
    assert!(matches!(fault, Some(Fault::Fatal(Error::QuarantineRefused { .. }))), "{fault:?}");
    assert_eq!(lane.recorded(), [0; 0]);
}

#[tokio::test]
async fn a_batch_that_is_repaired_and_refused_again_and_again_ends_the_ingester() {
    let lane = Lane::new();
    lane.database.state().refused = BTreeSet::from([1]);
    lane.database.state().refuses_batches = true;
    lane.write_three().await;
    let fault = lane.faults.take();
    assert!(matches!(fault, Some(Fault::Fatal(Error::BatchRefused(_)))), "{fault:?}");
    assert!(lane.database.state().writes <= 11, "{}", lane.database.state().writes);
}

#[tokio::test]
async fn a_connection_is_made_anew_after_an_error_that_left_it_open() {
    let lane = Lane::new();
    lane.database.state().breaks.push_back(Break::ReadOnly);
    lane.write_three().await;
    assert!(lane.faults.take().is_none());
    assert_eq!(lane.recorded(), [0, 1, 2]);
    assert_eq!(lane.database.state().connections, 2);
}

#[tokio::test]
async fn dead_letters_belong_to_the_rows_of_their_events() {
    let lane = Lane::new();
    lane.database.state().refuses_origins = true;
    lane.write([encoded(DEAD_LETTERS, 0..2), encoded(DEAD_LETTERS, 2..3)]).await;
    assert!(lane.faults.take().is_none());
    let state = lane.database.state();
    let rows: Vec<i64> = state.rows.iter().map(|row| row.id).collect();
    let dead_letters: Vec<i64> = state.dead_letters.iter().map(|found| found.row_id).collect();
    assert_eq!(rows, dead_letters);
}

#[test]
fn errors_are_told_apart_by_whether_another_attempt_helps() {
    let lost = store::Error::NoAnswer { target: "db:5432/audit_db".to_owned(), seconds: 10 };
    assert!(matches!(DatabaseError::from(lost), DatabaseError::Transient(_)));
    let broken = store::Error::Protocol("2 rows were copied where 3 were sent".to_owned());
    assert!(matches!(DatabaseError::from(broken), DatabaseError::Fatal(_)));
}
