use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::ingest::batching::test_batch::{DEAD_LETTERS, TOPIC, encoded, encoder};
use crate::ingest::writing::database::Database;
use crate::ingest::writing::fake_database::{FakeConnection, FakeDatabase, FakeDeadLetter, Line};
use crate::store::{self, Batch, Written};

/// A batch of `count` rows, and a connection to the database that it is for.
struct Trial {
    database: FakeDatabase,
    connection: FakeConnection,
    batch: EncodedBatch,
    ids: IdBlock,
}

impl Trial {
    async fn new(topic: &str, count: i64) -> Self {
        let database = FakeDatabase::default();
        let batch = encoded(topic, 0..count);
        database.claim_for(&batch);
        let mut connection = database.connect().await.expect("the database is there");
        let ids = connection.reserve_ids(batch.events.len()).await.expect("ids are reserved");
        Self { database, connection, batch, ids }
    }

    async fn repair(&mut self) -> Result<(), RepairError> {
        let error = store::Error::Protocol("copying rows".to_owned());
        let refusal = Refusal { detail: "copying rows".to_owned(), line: None, error };
        repair(&mut self.connection, &encoder(), &mut self.batch, &self.ids, refusal).await
    }

    async fn write(&mut self) -> Result<Written, DatabaseError> {
        self.batch.fill_in_ids_from(self.ids.first_id);
        let batch = Batch {
            events: Some((&self.batch.events, &self.ids)),
            dead_letters: &self.batch.dead_letters,
            ranges: &self.batch.ranges(),
            ingester: "test:1",
        };
        self.connection.write(&batch).await
    }

    fn quarantined(&self) -> BTreeSet<i64> {
        let state = self.database.state();
        state.rows.iter().filter(|row| row.is_quarantined).map(|row| row.offset).collect()
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime starts")
        .block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn exactly_the_refused_rows_are_quarantined_wherever_they_stand(
        count in 1..1500_i64,
        candidates in proptest::collection::btree_set(0..1500_i64, 1..30),
        line in proptest::sample::select(&[Line::Nothing, Line::Right, Line::Wrong]),
    ) {
        block_on(async {
            let refused: BTreeSet<i64> =
                candidates.into_iter().map(|offset| offset % count).collect();
            let mut trial = Trial::new(TOPIC, count).await;
            trial.database.state().refused.clone_from(&refused);
            trial.database.state().line = line;
            trial.repair().await.expect("every refused row is found");
            prop_assert!(matches!(trial.write().await, Ok(Written::Committed(_))));
            prop_assert_eq!(&trial.quarantined(), &refused);
            prop_assert_eq!(trial.batch.quarantined, refused.len() as u64);
            let state = trial.database.state();
            let offsets: Vec<i64> = state.rows.iter().map(|row| row.offset).collect();
            prop_assert_eq!(offsets, (0..count).collect::<Vec<_>>());
            let ids: Vec<i64> = state.rows.iter().map(|row| row.id).collect();
            prop_assert_eq!(ids, (1..=count).collect::<Vec<_>>());
            Ok(())
        })?;
    }

    #[test]
    fn where_the_line_is_told_a_refused_row_costs_one_trial_more(
        refused in proptest::collection::btree_set(0..1000_i64, 1..40),
    ) {
        block_on(async {
            let mut trial = Trial::new(TOPIC, 1000).await;
            trial.database.state().refused.clone_from(&refused);
            trial.database.state().line = Line::Right;
            trial.repair().await.expect("every refused row is found");
            prop_assert!(trial.database.state().trials <= refused.len() + 1);
            Ok(())
        })?;
    }
}

#[test]
fn a_row_that_is_refused_even_when_quarantined_ends_the_ingester_by_its_name() {
    block_on(async {
        let mut trial = Trial::new(TOPIC, 5).await;
        trial.database.state().always_refused = BTreeSet::from([3]);
        trial.repair().await.expect("the row is quarantined first");
        let failure = trial.repair().await.expect_err("the quarantined row is refused as well");
        let RepairError::Unrepairable(error @ Error::QuarantineRefused { .. }) = failure else {
            panic!("{failure:?}");
        };
        assert_eq!(
            error.to_string(),
            "PostgreSQL refuses orders.events [0] offset 3, even as a quarantined row: \
             the row is refused"
        );
    });
}

#[test]
fn a_dead_letter_whose_headers_are_refused_is_kept_without_what_they_say() {
    block_on(async {
        let mut trial = Trial::new(DEAD_LETTERS, 2).await;
        trial.database.state().refuses_origins = true;
        assert!(matches!(trial.write().await, Err(DatabaseError::Refused(_))));
        trial.repair().await.expect("the dead letters are stripped");
        assert!(matches!(trial.write().await, Ok(Written::Committed(_))));
        let state = trial.database.state();
        let rows: Vec<i64> = state.dead_letters.iter().map(|found| found.row_id).collect();
        assert_eq!(rows, [1, 2]);
        assert!(state.dead_letters.iter().all(|found| found.exception_class.is_none()));
        assert!(state.rows.iter().all(|row| !row.is_quarantined));
    });
}

#[test]
fn refused_rows_are_quarantined_before_dead_letters_are_stripped() {
    block_on(async {
        let mut trial = Trial::new(DEAD_LETTERS, 3).await;
        trial.database.state().refused = BTreeSet::from([2]);
        trial.repair().await.expect("the row is quarantined");
        assert!(trial.batch.has_dead_letter_origins());
        assert!(matches!(trial.write().await, Ok(Written::Committed(_))));
        let state = trial.database.state();
        let with_class = |found: &&FakeDeadLetter| {
            found.exception_class.as_deref() == Some("UnsupportedCurrency")
        };
        assert_eq!(state.dead_letters.iter().filter(with_class).count(), 3);
    });
}

#[test]
fn a_batch_that_is_refused_although_each_row_is_accepted_ends_the_ingester() {
    for topic in [TOPIC, DEAD_LETTERS] {
        block_on(async {
            let mut trial = Trial::new(topic, 4).await;
            trial.database.state().refuses_batches = true;
            if topic == DEAD_LETTERS {
                trial.repair().await.expect("the dead letters are stripped first");
            }
            let failure = trial.repair().await.expect_err("nothing is left to repair");
            assert!(
                matches!(failure, RepairError::Unrepairable(Error::BatchRefused(_))),
                "{failure:?}"
            );
        });
    }
}

#[test]
fn a_connection_that_breaks_in_a_trial_interrupts_the_repair_and_changes_nothing() {
    block_on(async {
        let mut trial = Trial::new(TOPIC, 4).await;
        trial.database.state().refused = BTreeSet::from([1]);
        trial.database.state().lost_trials = 1;
        let failure = trial.repair().await.expect_err("the connection is lost");
        assert!(matches!(failure, RepairError::Interrupted(DatabaseError::Transient(_))));
        assert_eq!(trial.batch.quarantined, 0);
    });
}
