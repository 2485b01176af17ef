use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;

use super::*;
use crate::event::Reason;
use crate::ingest::batching::test_batch::{DEAD_LETTERS, TOPIC, encoded, encoder};
use crate::ingest::writing::database::Database;
use crate::ingest::writing::fake_database::{
    FakeConnection, FakeDatabase, FakeDeadLetter, FakeRow, Line,
};
use crate::store::{self, Batch, Written};

/// Which rows a database refuses.
type Refuses = fn(&FakeRow) -> bool;

/// What is counted of rows that were refused.
fn refused_rows(rows: usize) -> HashMap<Reason, u64> {
    HashMap::from([(Reason::RefusedByDatabase, rows as u64)])
}

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
        self.repair_unless(|| false).await
    }

    async fn repair_unless(
        &mut self,
        is_over: impl Fn() -> bool + Sync,
    ) -> Result<(), RepairError> {
        let error = store::Error::Protocol("copying rows".to_owned());
        let refusal = Refusal { detail: "copying rows".to_owned(), line: None, error };
        let repair = Repair { encoder: &encoder(), ids: &self.ids, is_over: &is_over };
        repair.run(&mut self.connection, &mut self.batch, refusal).await
    }

    async fn write(&mut self) -> Result<Written, DatabaseError> {
        self.batch.fill_in_ids_from(self.ids.first_id);
        let counts = self.batch.keys.counts();
        let batch = Batch {
            events: Some((&self.batch.events, &self.ids)),
            counts: counts.as_ref(),
            dead_letters: &self.batch.dead_letters,
            ranges: &self.batch.ranges(),
            ingester: "test:1",
        };
        let roots = self.batch.roots().map_err(store::Error::Evidence);
        self.connection.write(&batch, std::future::ready(roots)).await
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
            prop_assert_eq!(&trial.batch.quarantined, &refused_rows(refused.len()));
            let state = trial.database.state();
            let offsets: Vec<i64> = state.rows.iter().map(|row| row.offset).collect();
            prop_assert_eq!(offsets, (0..count).collect::<Vec<_>>());
            let ids: Vec<i64> = state.rows.iter().map(|row| row.id).collect();
            prop_assert_eq!(ids, (1..=count).collect::<Vec<_>>());
            Ok(())
        })?;
    }

    #[test]
    fn where_the_line_is_told_a_refused_row_costs_a_few_trials_more(
        refused in proptest::collection::btree_set(0..1000_i64, 1..40),
    ) {
        block_on(async {
            let mut trial = Trial::new(TOPIC, 1000).await;
            trial.database.state().refused.clone_from(&refused);
            trial.database.state().line = Line::Right;
            trial.repair().await.expect("every refused row is found");
            // For each: the run that it ends, the rows before it, its new form, and ten runs that
            // double up to the longest.
            prop_assert!(trial.database.state().trials <= refused.len() * 13 + 1);
            Ok(())
        })?;
    }
}

#[test]
fn where_every_row_is_refused_each_costs_two_trials() {
    block_on(async {
        let mut trial = Trial::new(TOPIC, 500).await;
        trial.database.state().refused = (0..500).collect();
        trial.database.state().line = Line::Right;
        trial.repair().await.expect("every row is quarantined");
        assert!(trial.database.state().trials <= 1_010, "{}", trial.database.state().trials);
    });
}

#[test]
fn a_row_is_reduced_until_it_is_accepted_and_no_further() {
    let cases: [(Refuses, &str, &str); 4] = [
        (
            |row| row.offset == 1 && !row.is_quarantined,
            r#"{"key":"key","created_at_from":"kafka_timestamp"}"#,
            r#""value_base64":"eyJ0b3RhbCI6IDF9""#,
        ),
        (
            |row| row.offset == 1 && row.attributes.contains(r#""key":"key""#),
            r#"{"key":{"base64":"a2V5"},"created_at_from":"kafka_timestamp"}"#,
            r#""value_base64":"eyJ0b3RhbCI6IDF9""#,
        ),
        (
            |row| row.offset == 1 && row.attributes.contains(r#""key":"#),
            r#"{"key_bytes":3,"created_at_from":"kafka_timestamp"}"#,
            r#""value_base64":"eyJ0b3RhbCI6IDF9""#,
        ),
        (
            |row| row.offset == 1 && !row.payload.contains(r#""value_base64":null"#),
            r#"{"key_bytes":3,"created_at_from":"kafka_timestamp"}"#,
            r#""value_base64":null,"value_bytes":12"#,
        ),
    ];
    for (refuses, attributes, payload) in cases {
        block_on(async {
            let mut trial = Trial::new(TOPIC, 3).await;
            trial.database.state().refuses = Some(refuses);
            trial.repair().await.expect("a form is accepted");
            assert!(matches!(trial.write().await, Ok(Written::Committed(_))));
            assert_eq!(trial.quarantined(), BTreeSet::from([1]));
            assert_eq!(trial.batch.quarantined, refused_rows(1));
            let state = trial.database.state();
            assert_eq!(state.rows[1].attributes, attributes);
            assert!(state.rows[1].payload.contains(payload), "{}", state.rows[1].payload);
            assert_eq!(state.rows[1].id, 2);
        });
    }
}

#[test]
fn a_row_that_is_refused_in_every_form_ends_the_ingester_by_its_name_after_a_few_trials() {
    block_on(async {
        let mut trial = Trial::new(TOPIC, 1000).await;
        // As by a column that somebody added, which may not be null.
        trial.database.state().refuses = Some(|_| true);
        trial.database.state().line = Line::Right;
        let failure = trial.repair().await.expect_err("every form is refused");
        let RepairError::Unrepairable(error @ Error::QuarantineRefused { .. }) = failure else {
            panic!("{failure:?}");
        };
        assert_eq!(
            error.to_string(),
            "PostgreSQL refuses orders.events [0] offset 0, even as a quarantined row: \
             the row is refused"
        );
        assert!(error.hint().is_some_and(|hint| hint.contains("a constraint or a trigger")));
        assert_eq!(trial.database.state().trials, 5);
    });
}

#[test]
fn a_dead_letter_that_is_refused_in_every_form_ends_the_ingester_by_its_name() {
    block_on(async {
        let mut trial = Trial::new(DEAD_LETTERS, 3).await;
        trial.batch.fill_in_ids_from(trial.ids.first_id);
        trial.database.state().refused_dead_letters = BTreeSet::from([2]);
        let failure = trial.repair().await.expect_err("both forms are refused");
        let RepairError::Unrepairable(error @ Error::DeadLetterRefused { .. }) = failure else {
            panic!("{failure:?}");
        };
        assert!(error.to_string().contains("orders.events-dlt [0] offset 1"), "{error}");
    });
}

#[test]
fn a_repair_ends_at_once_when_its_time_is_over() {
    block_on(async {
        let mut trial = Trial::new(TOPIC, 100).await;
        trial.database.state().refused = (0..100).collect();
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let is_over = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 20;
        let failure = trial.repair_unless(is_over).await.expect_err("its time is over");
        assert!(matches!(failure, RepairError::Unrepairable(Error::StoppedEarly)), "{failure:?}");
        assert_eq!(trial.database.state().trials, 20);
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
fn a_refused_row_costs_its_dead_letter_nothing() {
    block_on(async {
        let mut trial = Trial::new(DEAD_LETTERS, 3).await;
        trial.database.state().refused = BTreeSet::from([2]);
        trial.repair().await.expect("the row is quarantined");
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
        assert_eq!(trial.batch.quarantined, HashMap::new());
    });
}
